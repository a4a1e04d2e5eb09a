"""Being away on the real graph: told, or found out from silence, and back with a sign of life."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import pytest

from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.pairings import away, pairing
from mentorgraph.graph.people import profile
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .people import (
    ADA,
    BO,
    DAY,
    SOURCE,
    START,
    Clock,
    ask,
    clock,
    facts,
    filled,
    mentors,
    paired,
    refused,
    silent,
    spans,
    viewer,
)

__all__ = ["clock", "filled"]

pytestmark = pytest.mark.anyio


async def test_a_mentor_who_lets_a_request_expire_and_says_nothing_is_set_away_and_comes_back_by_saying_anything(
    filled: Store, clock: Clock
) -> None:
    request = await ask(filled, clock, answer_within_days=90)
    clock.pass_by(59 * DAY)
    assert await silent(filled, clock) == []
    clock.pass_by(2 * DAY)
    assert await silent(filled, clock) == [ADA]
    [found] = await away.set_silent_away(filled, clock=clock)
    assert (found.person, found.last) == (ADA, datetime(2026, 1, 1, tzinfo=UTC))
    assert [(each.request, each.mentee) for each in found.released] == [(request, BO)]
    assert await away.set_silent_away(filled, clock=clock) == []
    clock.pass_by()
    assert await mentors(filled, clock) == {"ben"}
    assert await away.sign_of_life(filled, COORDINATOR, clock=clock) is False
    assert await away.sign_of_life(filled, viewer("ben"), clock=clock) is False
    clock.pass_by(DAY)
    assert await away.sign_of_life(filled, viewer("ada"), clock=clock) is True
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada", "ben"}
    assert await silent(filled, clock) == []
    [absence] = await facts(filled, "absences", ADA)
    assert (absence.properties["cause"], absence.properties["until"]) == (
        "silent",
        START + 62 * DAY + timedelta(milliseconds=1),
    )
    assert await check(filled) == []


async def test_whom_nobody_waits_for_or_who_was_heard_of_is_not_silent(filled: Store, clock: Clock) -> None:
    clock.pass_by(100 * DAY)
    assert await silent(filled, clock) == []  # nobody has asked them anything
    own = await paired(filled, clock)
    clock.pass_by(61 * DAY)
    assert await silent(filled, clock) == [ADA]
    assert await silent(filled, clock, 62) == []
    row = {"id": "s", "pairing_id": own, "started_at": clock.now - 5 * DAY, "minutes": 30, "kind": "live"}
    await filled.write(facts_of("sessions", row, SOURCE))
    assert await silent(filled, clock) == []
    clock.pass_by(60 * DAY)
    assert await silent(filled, clock) == [ADA]
    await profile.tell_profile(filled, viewer("ada"), ADA, {"about": "Busy"}, clock=clock)
    assert await silent(filled, clock) == []
    clock.pass_by(61 * DAY)
    await away.set_away(filled, COORDINATOR, ADA, clock.now, clock.now + DAY, clock=clock)
    assert await silent(filled, clock) == []
    clock.pass_by(30 * DAY)
    assert await silent(filled, clock) == []
    await pairing.move_pairing(filled, COORDINATOR, own, "ended", reason="other", clock=clock)
    clock.pass_by(90 * DAY)
    assert await silent(filled, clock) == []  # nobody waits any more
    for days in (0, 367):
        assert await refused(filled, away.find_silent(filled, days)) == "days"


async def test_an_old_request_that_somebody_has_outlived_does_not_make_them_silent(filled: Store, clock: Clock) -> None:
    await ask(filled, clock)
    clock.pass_by(20 * DAY)
    await pairing.expire_requests(filled, clock=clock)
    await profile.tell_profile(filled, viewer("ada"), ADA, {"about": "Back"}, clock=clock)
    clock.pass_by(90 * DAY)
    assert await silent(filled, clock) == []


async def test_an_absence_that_was_told_ends_early_and_does_not_overlap_another(filled: Store, clock: Clock) -> None:
    def set_away(since: timedelta, until: timedelta, by: Viewer = COORDINATOR) -> Awaitable[object]:
        return away.set_away(filled, by, ADA, START + since, START + until, clock=clock)

    await set_away(0 * DAY, 10 * DAY)
    await set_away(0 * DAY, 10 * DAY)
    await set_away(20 * DAY, 30 * DAY)
    for span in ((9, 11), (-1, 1), (2, 3), (0, 9), (15, 21)):
        assert await refused(filled, set_away(span[0] * DAY, span[1] * DAY)) == "CONFLICT"
    assert await refused(filled, set_away(12 * DAY, 11 * DAY)) == "until"
    clock.pass_by(2 * DAY)
    assert await mentors(filled, clock) == {"ben"}
    assert await refused(filled, away.come_back(filled, viewer("bo"), ADA, clock=clock)) == "FORBIDDEN"
    assert await away.come_back(filled, viewer("ada"), ADA, clock=clock) is True
    assert await away.come_back(filled, viewer("ada"), ADA, clock=clock) is False
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada", "ben"}
    assert await spans(filled, "absences", ADA) == [
        (START, START + 2 * DAY),
        (START + 20 * DAY, START + 30 * DAY),
    ]


async def test_somebody_silent_who_says_that_they_are_away_is_away_as_told(filled: Store, clock: Clock) -> None:
    await ask(filled, clock, answer_within_days=10)
    clock.pass_by(61 * DAY)
    await away.set_silent_away(filled, clock=clock)
    clock.pass_by(DAY)
    await away.set_away(filled, viewer("ada"), ADA, clock.now, clock.now + 5 * DAY, clock=clock)
    assert [(each.properties["cause"], each.properties["until"]) for each in await facts(filled, "absences", ADA)] == [
        ("silent", clock.now),
        ("told", clock.now + 5 * DAY),
    ]
    clock.pass_by(6 * DAY)
    assert "ada" in await mentors(filled, clock)
