"""Tiers, trainings and who is eligible, on the real graph."""

from datetime import datetime
from typing import Any

import pytest

from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.paging import Part
from mentorgraph.graph.people import admission
from mentorgraph.graph.people.participants import participants
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .test_programmes import (
    ADA,
    ANYBODY,
    BO,
    DAY,
    NOW,
    PROGRAMME,
    UNKNOWN,
    at,
    code,
    configuration,
    create,
    define,
    people,
    refused,
    set_tier,
    uid,
    unchanged,
    write,
)

__all__ = ["people"]

pytestmark = pytest.mark.anyio


async def rules(store: Store, person: str, role: str, now: datetime) -> dict[str, list[str]]:
    found = await admission.eligibility(store, COORDINATOR, person, PROGRAMME, role, now=now)
    return {each.tier.name: [unmet.rule for unmet in each.unmet] for each in found}


async def test_eligibility_is_read_from_the_facts_of_the_person(people: Store) -> None:
    await create(people)
    listening, safe = await define(people, "Listening", valid_days=30), await define(people, "Safeguarding")
    await set_tier(people, name="Newcomer", role="mentee", rank=1, least_days=90)
    await set_tier(people, [listening, safe], name="Senior", rank=2, least_days=365, least_completed=1, least_level=4)
    await set_tier(people, [listening], name="Guide", rank=1, least_level=3, hours_per_month=4)
    assert await rules(people, BO, "mentee", NOW) == {"Newcomer": []}
    assert await rules(people, ADA, "mentor", NOW) == {
        "Guide": ["TRAINING_MISSING", "TOO_FEW_HOURS"],
        "Senior": ["TOO_NEW", "TOO_FEW_COMPLETED", "LEVEL_TOO_LOW", "TRAINING_MISSING", "TRAINING_MISSING"],
    }
    for training in (listening, safe):
        await write(people, "completions", person_id=ADA, training_id=training, since=NOW)
    in_it = {"person_id": ADA, "programme_id": PROGRAMME, "role": "mentor", "since": NOW, "hours_per_month": 6}
    await write(people, "memberships", **in_it)
    rated = {"person_id": ADA, "skill_id": uid("skills", "sql"), "level": 5, "rated_by": "mentor"}
    await write(people, "skill_ratings", since=NOW, **rated)
    pair = {"mentor_id": ADA, "mentee_id": BO, "status": "completed"}
    await write(people, "pairings", id="a", started_on=NOW - 9 * DAY, ended_on=NOW + 20 * DAY, **pair)
    assert await rules(people, ADA, "mentor", NOW + DAY) == {"Guide": [], "Senior": ["TOO_NEW", "TOO_FEW_COMPLETED"]}
    assert await rules(people, ADA, "mentor", NOW + 20 * DAY) == {"Guide": [], "Senior": ["TOO_NEW"]}
    assert await rules(people, ADA, "mentor", NOW + 30 * DAY) == {
        "Guide": ["TRAINING_EXPIRED"],
        "Senior": ["TOO_NEW", "TRAINING_EXPIRED"],
    }
    await write(people, "completions", person_id=ADA, training_id=listening, since=NOW + 30 * DAY)
    assert await rules(people, ADA, "mentor", NOW + 30 * DAY) == {"Guide": [], "Senior": ["TOO_NEW"]}
    assert await rules(people, ADA, "mentor", NOW - DAY) == {}
    assert await check(people) == []


async def test_people_are_warned_of_the_tiers_that_they_lose_where_they_are_enrolled(people: Store) -> None:
    await create(people)
    listening = await define(people, "Listening", valid_days=30)
    tier = await set_tier(people, [listening], name="Guide", rank=1)
    await write(people, "completions", person_id=ADA, training_id=listening, since=NOW)
    lost = NOW + 30 * DAY

    async def warned(now: datetime) -> list[tuple[str, datetime, list[str]]]:
        found = await admission.list_endings(people, (await participants(people, [ADA, BO], now)).values(), now)
        assert found[BO] == []
        return [(each.tier.uid, each.until, [one.uid for one in each.refreshers]) for each in found[ADA]]

    assert await warned(lost - DAY) == []  # is not enrolled
    in_it = {"person_id": ADA, "programme_id": PROGRAMME, "since": NOW}
    await write(people, "memberships", **in_it, role="mentee")
    assert await warned(lost - DAY) == []  # is not enrolled as a mentor
    await write(people, "memberships", **in_it)
    assert [bool(await warned(lost - days * DAY)) for days in (15, 14, 13, 0, -1)] == [False, True, True, False, False]
    assert await warned(lost - 14 * DAY) == [(tier, lost, [listening])]
    [told] = await admission.eligibility(people, COORDINATOR, ADA, PROGRAMME, "mentor", now=lost - 13 * DAY)
    assert told.ending is not None
    assert told.ending.until == lost
    await write(people, "completions", person_id=ADA, training_id=listening, since=lost - 5 * DAY)
    assert await warned(lost - 5 * DAY) == []


async def test_a_completion_that_was_taken_back_does_not_count(people: Store) -> None:
    await create(people)
    listening = await define(people, "Listening")
    await set_tier(people, [listening])
    await write(people, "completions", person_id=ADA, training_id=listening, since=NOW - 9 * DAY, until=NOW - DAY)
    assert await rules(people, ADA, "mentor", NOW) == {"Guide": ["TRAINING_EXPIRED"]}
    assert await rules(people, ADA, "mentor", NOW + 400 * DAY) == {"Guide": ["TRAINING_EXPIRED"]}


async def test_eligibility_is_for_the_person_and_coordinators(people: Store) -> None:
    await create(people)
    await set_tier(people)
    own = await admission.eligibility(people, Viewer(person=ADA), ADA, PROGRAMME, "mentor", now=NOW)
    assert [each.unmet for each in own] == [()]
    for viewer, person, programme, role, expected in (
        (ANYBODY, ADA, PROGRAMME, "mentor", ("FORBIDDEN", "personId")),
        (COORDINATOR, UNKNOWN, PROGRAMME, "mentor", ("NOT_FOUND", "personId")),
        (COORDINATOR, ADA, UNKNOWN, "mentor", ("NOT_FOUND", "programmeId")),
        (COORDINATOR, ADA, PROGRAMME, "sponsor", ("BAD_USER_INPUT", "role")),
    ):
        assert await code(admission.eligibility(people, viewer, person, programme, role)) == expected


async def test_a_revised_tier_is_another_one_from_then_on(people: Store) -> None:
    await create(people)
    first, second = await define(people, "First"), await define(people, "Second")
    old = await set_tier(people, [first], least_days=90, least_level=2)

    async def change(days: int = 10, trainings: list[str] | None = None, tier: str = old, **changes: Any) -> str:
        when = NOW + days * DAY
        return await admission.revise_tier(people, COORDINATOR, tier, changes, trainings, since=when, clock=at(NOW))

    assert await unchanged(people, lambda: change(least_days=90))
    new = await change(least_days=30, least_level=None, trainings=[first, second])
    assert new != old
    assert await unchanged(people, lambda: change(least_days=30, least_level=None, trainings=[second, first]))
    known = await configuration(people)
    assert [(each.uid, each.properties.get("least_level")) for each in known.tiers] == [(old, 2), (new, None)]
    assert known.tiers[0].properties["until"] == known.tiers[1].properties["since"] == NOW + 10 * DAY
    assert await people.read_demands([old, new]) == {old: [first], new: [first, second]}
    later = await admission.eligibility(people, COORDINATOR, BO, PROGRAMME, "mentor", now=NOW + 10 * DAY)
    assert [each.tier.uid for each in later] == [new]
    for work, expected in (
        (change(days=20, least_days=1), ("CONFLICT", "tierId")),
        (change(tier=new, rank=2), ("BAD_USER_INPUT", "since")),
        (change(tier=new, days=9, rank=2), ("BAD_USER_INPUT", "since")),
        (change(tier=new, days=20, rank=10), ("BAD_USER_INPUT", "rank")),
        (change(tier=UNKNOWN), ("NOT_FOUND", "tierId")),
        (change(tier=new, days=20, trainings=[UNKNOWN]), ("NOT_FOUND", "trainingIds.0")),
    ):
        assert await refused(people, work) == expected
    assert await check(people) == []


async def test_a_rank_is_taken_once_for_a_role_at_a_time(people: Store) -> None:
    await create(people)
    first = await set_tier(people, external_id="first")
    assert await unchanged(people, lambda: set_tier(people, external_id="first", name="Other", rank=2))
    assert await refused(people, set_tier(people)) == ("CONFLICT", "rank")
    second = await set_tier(people, rank=2)
    assert await set_tier(people, role="mentee") != first
    revised = admission.revise_tier(people, COORDINATOR, second, {"rank": 1}, since=NOW + DAY, clock=at(NOW))
    assert await refused(people, revised) == ("CONFLICT", "rank")
    await admission.end_tier(people, COORDINATOR, first, until=NOW + DAY)
    assert await refused(people, set_tier(people)) == ("CONFLICT", "rank")
    assert await unchanged(people, lambda: admission.end_tier(people, COORDINATOR, first, until=NOW + 2 * DAY))
    await set_tier(people, since=NOW + DAY)
    early = admission.end_tier(people, COORDINATOR, second, until=NOW - DAY)
    assert await refused(people, early) == ("BAD_USER_INPUT", "until")
    assert await refused(people, admission.end_tier(people, ANYBODY, second)) == ("FORBIDDEN", "")
    before = set_tier(people, rank=3, since=NOW - DAY)
    assert await refused(people, before) == ("BAD_USER_INPUT", "since")


async def test_a_training_that_ends_is_asked_for_no_longer(people: Store) -> None:
    await create(people)
    listening = await define(people, "Listening")
    tier = await set_tier(people, [listening])
    assert await unchanged(people, lambda: define(people, "Listening", minutes=20))
    await admission.end_training(people, COORDINATOR, listening, until=NOW + DAY)
    assert await unchanged(people, lambda: admission.end_training(people, COORDINATOR, listening, until=NOW + 2 * DAY))
    assert await rules(people, ADA, "mentor", NOW) == {"Guide": ["TRAINING_MISSING"]}
    assert await rules(people, ADA, "mentor", NOW + DAY) == {"Guide": []}
    late = admission.revise_tier(people, COORDINATOR, tier, {}, [listening], since=NOW + DAY, clock=at(NOW))
    assert await refused(people, late) == ("CONFLICT", "trainingIds.0")
    assert await refused(people, admission.end_training(people, COORDINATOR, UNKNOWN)) == ("NOT_FOUND", "trainingId")
    wrong = admission.define_training(people, COORDINATOR, {"name": "x", "link": "ftp://x"})
    assert await refused(people, wrong) == ("BAD_USER_INPUT", "link")
    assert await people.page_trainings(NOW + DAY, Part("", "", 5), True) == ([], 0)
    assert await people.page_trainings(NOW, Part("", "", 5), True) == ([listening], 1)
