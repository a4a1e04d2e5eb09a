"""Onboarding and trainings on the real graph: nobody is recommended too early, and what expires is taken again."""

import itertools
from collections.abc import Awaitable
from typing import Any

import pytest

from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.pairings import pairing
from mentorgraph.graph.pairings.leaving import record_leaving
from mentorgraph.graph.people import enrolment, onboarding
from mentorgraph.graph.people.participants import participant
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .people import (
    ADA,
    BEN,
    BO,
    DAY,
    JOINED,
    LISTEN,
    NAMES,
    OLD,
    ONE,
    POLICY,
    SOURCE,
    START,
    TWO,
    Clock,
    ask,
    clock,
    facts,
    filled,
    mentors,
    refused,
    spans,
    uid,
    viewer,
)

__all__ = ["clock", "filled"]

pytestmark = pytest.mark.anyio


# --- onboarding -------------------------------------------------------------------------------------------------------


async def test_nobody_is_recommended_before_the_mandatory_steps(filled: Store, clock: Clock) -> None:
    async def define(name: str, necessity: str = "mandatory", **more: object) -> str:
        row = {"name": name, "necessity": necessity, "position": 1, **more}
        return await onboarding.define_step(filled, COORDINATOR, row, external_id=name, source=SOURCE, clock=clock)

    await enrolment.enrol(filled, COORDINATOR, ADA, ONE, "mentor", clock=clock)
    waiting = await ask(filled, clock)
    clock.pass_by(DAY)
    assert await mentors(filled, clock) == {"ada", "ben"}
    steps = [await define("Charter", role="mentor", programme_id=ONE), await define("Handbook", role="mentor")]
    assert await define("Charter") == steps[0]
    await define("Tour", "optional")
    await define("Other", role="mentor", programme_id=TWO)
    await define("Judge", role="sponsor")
    clock.pass_by()
    assert await mentors(filled, clock) == set()
    recommender = Recommender(filled, RulesScorer(POLICY), clock=clock)
    [refusal] = (await recommender.explain(COORDINATOR, BO, ADA)).refusals
    assert (refusal.rule, refusal.fact) == (
        "NOT_ONBOARDED",
        "has not taken these steps of onboarding: Charter, Handbook",
    )
    accept = pairing.move_request(filled, viewer("ada"), waiting, "accepted", POLICY, clock=clock)
    assert await refused(filled, accept) == "NOT_ALLOWED"
    assert await refused(filled, ask(filled, clock, BEN)) == "NOT_ALLOWED"
    for _ in range(2):
        await onboarding.mark_done(filled, viewer("ada"), ADA, steps[0], clock=clock)
        await onboarding.mark_done(filled, COORDINATOR, ADA, steps[1], clock=clock)
    assert len(await facts(filled, "steps_done", ADA)) == 2
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada"}
    await onboarding.end_step(filled, COORDINATOR, steps[1], clock=clock)
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada", "ben"}
    await pairing.move_request(filled, viewer("ada"), waiting, "accepted", POLICY, clock=clock)
    assert await check(filled) == []


async def test_a_mentee_is_onboarded_before_mentors_are_sought(filled: Store, clock: Clock) -> None:
    row = {"name": "Etiquette", "necessity": "mandatory", "position": 1, "role": "mentee"}
    step = await onboarding.define_step(filled, COORDINATOR, row, clock=clock)
    clock.pass_by()
    assert await refused(filled, mentors(filled, clock)) == "NOT_ONBOARDED"
    assert await refused(filled, ask(filled, clock)) == "NOT_ONBOARDED"
    await onboarding.mark_done(filled, viewer("bo"), BO, step, clock=clock)
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada", "ben"}
    assert await ask(filled, clock)


async def test_what_cannot_be_of_onboarding_is_refused(filled: Store, clock: Clock) -> None:
    step = {"name": "Step", "necessity": "mandatory", "position": 1}

    def define(by: Viewer = COORDINATOR, **more: object) -> Awaitable[str]:
        return onboarding.define_step(filled, by, {**step, **more}, clock=clock)

    assert await refused(filled, define(viewer("ada"))) == "FORBIDDEN"
    assert await refused(filled, define(position=0)) == "position"
    assert await refused(filled, define(programme_id=OLD)) == "ARCHIVED"
    assert await refused(filled, define(programme_id=ADA)) == "NOT_FOUND"
    assert await refused(filled, define(programme_id=ONE, since="2026-01-01")) == "since"
    known = await define()
    clock.pass_by(DAY)

    def done(step: str = known, by: Viewer = COORDINATOR, person: str = ADA, **more: Any) -> Awaitable[None]:
        return onboarding.mark_done(filled, by, person, step, clock=clock, **more)

    assert await refused(filled, done(uid("onboarding_steps", "none"))) == "NOT_FOUND"
    assert await refused(filled, done(person=ONE)) == "NOT_FOUND"
    assert await refused(filled, done(by=viewer("bo"))) == "FORBIDDEN"
    assert await refused(filled, done(at=clock.now + DAY)) == "at"
    assert await refused(filled, done(at=START - DAY)) == "at"
    assert await refused(filled, onboarding.end_step(filled, viewer("ada"), known, clock=clock)) == "FORBIDDEN"


async def test_what_the_rules_find_missing_is_what_a_person_is_shown(filled: Store, clock: Clock) -> None:
    """The statements that the rules read and the plain reading of a person's facts agree, over all ways to belong."""
    rows: list[tuple[str, dict[str, object]]] = []
    for number, (role, programme, until) in enumerate(
        itertools.product(("mentor", "mentee", None), ("one", "two", None), (None, "2026-02-20"))
    ):
        step = {"id": f"s{number}", "name": f"S{number}", "role": role, "programme_id": programme, "until": until}
        rows.append(("onboarding_steps", step | {"necessity": "mandatory", "position": number + 1, "since": JOINED}))
    rows += [
        ("memberships", {"person_id": "ada", "programme_id": "one", "role": "mentor", "since": "2026-02-01"}),
        ("memberships", {"person_id": "ada", "programme_id": "two", "role": "mentee", "since": "2026-02-01"}),
        ("memberships", {"person_id": "ben", "programme_id": "two", "since": "2026-02-01"}),
        ("memberships", {"person_id": "bo", "programme_id": "one", "since": "2026-02-01", "until": "2026-02-10"}),
        ("steps_done", {"person_id": "ada", "step_id": "s0", "since": "2026-02-02"}),
        ("steps_done", {"person_id": "ben", "step_id": "s4", "since": "2026-02-02", "until": "2026-02-03"}),
    ]
    told = [({name: value for name, value in row.items() if value is not None}, file) for file, row in rows]
    await filled.write([each for row, file in told for each in facts_of(file, row, SOURCE)])
    found = {}
    for key in NAMES:
        own = await participant(filled, uid("people", key), clock.now)
        [row] = await filled.read_candidates("", [own.person.uid], clock.now)
        asker = await filled.read_asker(own.person.uid, None, clock.now)
        assert asker is not None
        assert tuple(row["missing_steps"]) == own.missing_steps("mentor")
        assert tuple(asker["missing_steps"]) == own.missing_steps("mentee")
        found[key] = (row["missing_steps"], asker["missing_steps"])
    assert found["ada"] == (["S4", "S12", "S16"], ["S8", "S10", "S14", "S16"])
    assert found["ben"] == (["S2", "S4", "S14", "S16"], ["S8", "S10", "S14", "S16"])
    assert found["bo"] == (["S4", "S16"], ["S10", "S16"])


# --- trainings --------------------------------------------------------------------------------------------------------


async def test_a_training_holds_until_it_expires_or_is_taken_again_in_whatever_order_it_is_told(
    filled: Store, clock: Clock
) -> None:
    clock.pass_by(60 * DAY)
    times = [START, START + 10 * DAY, START + 45 * DAY]
    expected = [(times[0], times[1]), (times[1], times[1] + 30 * DAY), (times[2], times[2] + 30 * DAY)]
    for person, order in zip((ADA, BEN, BO), ((0, 1, 2), (2, 0, 1), (1, 2, 0)), strict=True):
        for place in (*order, *order):
            await onboarding.record_completion(filled, COORDINATOR, person, LISTEN, at=times[place], clock=clock)
        assert await spans(filled, "completions", person) == expected
    await onboarding.record_completion(filled, viewer("ada"), ADA, uid("trainings", "once"), clock=clock)
    assert (await spans(filled, "completions", ADA))[-1] == (clock.now, None)

    def take(training: str = LISTEN, by: Viewer = COORDINATOR, **more: Any) -> Awaitable[None]:
        return onboarding.record_completion(filled, by, ADA, training, clock=clock, **more)

    assert await refused(filled, take(at=clock.now + DAY)) == "at"
    assert await refused(filled, take(at=START - 90 * DAY)) == "at"
    assert await refused(filled, take(uid("trainings", "gone"))) == "at"
    assert await refused(filled, take(ONE)) == "NOT_FOUND"
    assert await refused(filled, take(by=viewer("bo"))) == "FORBIDDEN"
    assert await check(filled) == []


async def test_coordinators_see_who_has_to_take_a_training_again(filled: Store, clock: Clock) -> None:
    for person, day in ((ADA, 0), (BEN, 10), (BO, 20)):
        at = START - 25 * DAY + day * DAY
        await onboarding.record_completion(filled, COORDINATOR, person, LISTEN, at=at, clock=clock)
    clock.pass_by(6 * DAY)

    async def expiring(days: int, by: Viewer = COORDINATOR) -> list[tuple[str, int]]:
        found = await onboarding.list_expiring(filled, by, days, now=clock.now)
        return [(each.person, each.days) for each in found]

    assert await expiring(0) == [(ADA, -1)]
    assert await expiring(9) == [(ADA, -1), (BEN, 9)]
    assert await expiring(366) == [(ADA, -1), (BEN, 9), (BO, 19)]
    await onboarding.record_completion(filled, COORDINATOR, ADA, LISTEN, clock=clock)
    await record_leaving(filled, COORDINATOR, BEN, clock.now, clock=clock)
    assert await expiring(20) == [(BO, 19)]
    assert await refused(filled, expiring(5, viewer("ada"))) == "FORBIDDEN"
    assert await refused(filled, expiring(367)) == "BAD_USER_INPUT"
