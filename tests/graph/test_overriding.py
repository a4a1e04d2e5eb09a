"""What coordinators decide about a kept recommendation: done once, dated, with a reason, and never against a rule."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.decisions.replay import replay
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.explaining import overriding
from mentorgraph.graph.explaining.overriding import Override
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, Record, uid_of
from mentorgraph.graph.pairings import pairing
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.options import Options
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

pytestmark = pytest.mark.anyio

POLICY = load_policy()
SOURCE = "test"
JOINED = "2026-01-01"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
MENTORS = ("ada", "ben", "cal", "dot")
"""Each offers one skill fewer of the four that the goal needs, so this is their order by score."""
SKILLS = ("go", "sql", "css", "vim")
ROWS: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [{"id": each, "name": each} for each in SKILLS],
    "people": [{"id": each, "name": each.title(), "joined_on": JOINED} for each in (*MENTORS, "eli", "bo", "cy")],
    "roles": [
        {"person_id": each, "role_id": "mentor", "since": JOINED, "max_mentees": "1"} for each in (*MENTORS, "eli")
    ]
    + [{"person_id": "cy", "role_id": "coordinator", "since": JOINED}],
    "consents": [
        {"person_id": each, "purpose": "matching", "text_version": "1", "since": JOINED} for each in (*MENTORS, "bo")
    ],
    "goals": [
        {"id": "learn", "person_id": "bo", "title": "Learn", "created_on": JOINED, "skills": "|".join(SKILLS)},
        {"id": "old", "person_id": "bo", "title": "Old", "created_on": "2025-12-01", "skills": "vim"},
    ],
    "person_skills": [
        {"person_id": mentor, "skill_id": skill, "stance": "offers", "since": JOINED}
        for place, mentor in enumerate(MENTORS)
        for skill in SKILLS[place:]
    ],
    "pairings": [],
}
CY = Viewer(person=uid_of(SOURCE, "people", "cy"), roles=frozenset({"coordinator"}))


def uid(key: str, kind: str = "people") -> str:
    return uid_of(SOURCE, kind, key)


NAMES = {uid(each): each for each in (*MENTORS, "eli", "bo", "cy")}


class World:
    """A graph, a log, a clock that only tests move, and what is done on them."""

    def __init__(self, store: Store, log: DecisionLog) -> None:
        self.now = START
        self.store, self.log = store, log
        self.recommender = Recommender(store, RulesScorer(POLICY), clock=lambda: self.now)

    async def ask(self, goal: str = "learn", **options: Any) -> Slate:
        """Bo's list, kept."""
        self.now += timedelta(minutes=1)
        options = {"first": 10, **options}
        viewer = options.pop("viewer", COORDINATOR)
        answer = await self.recommender.recommend(viewer, uid("bo"), uid(goal, "goals"), **options)
        return await self.log.keep(answer)

    async def decision(self, mentor: str = "ada") -> tuple[Decision, str]:
        """A kept answer, and the uid of the recommendation of a mentor in it."""
        slate = await self.ask()
        [found] = [each.uid for each in slate.recommendations if each.mentor == uid(mentor)]
        decision = await self.log.find(found)
        assert decision is not None
        return decision, found

    async def override(self, of: tuple[Decision, str], action: str, viewer: Viewer = CY, **wanted: Any) -> str:
        """Decides about a recommendation."""
        wanted = {"reason": "better_fit", "note": "They know each other.", **wanted}
        external_id = wanted.pop("external_id", "")
        return await overriding.override_match(
            self.store,
            viewer,
            *of,
            Override(action, **wanted),
            POLICY,
            external_id=external_id,
            clock=lambda: self.now,
        )

    async def end(self, override: str, viewer: Viewer = CY, note: str = "It was a mistake.") -> None:
        """Ends what was decided."""
        self.now += timedelta(minutes=1)
        await overriding.end_override(self.store, viewer, override, note, clock=lambda: self.now)

    async def overrides(self) -> list[Record]:
        """What was decided for Bo."""
        return await self.store.read_overrides_of(uid("bo"))

    async def requests(self) -> list[tuple[str, object]]:
        """Whom Bo's requests ask, and where they stand."""
        found = [fact.record async for fact in self.store.facts(KINDS["requests"])]
        return [(NAMES[each.links["mentor"]], each.properties["status"]) for each in found]


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    result = await import_bundle(store, bundle_of(ROWS), source=SOURCE)
    assert set(result.total) == {"created"}
    async with DecisionLog(tmp_path / "decisions") as log:
        yield World(store, log)


def order(slate: Slate) -> list[tuple[str, int | None]]:
    """Who is in a list, and where the model alone would have put them."""
    assert [each.rank for each in slate.recommendations] == [
        slate.asked.rank_offset + place for place in range(1, len(slate.recommendations) + 1)
    ]
    return [(NAMES[each.mentor], each.model_rank) for each in slate.recommendations]


async def refused(work: Awaitable[object]) -> tuple[str, str | None]:
    with pytest.raises(DomainError) as caught:
        await work
    return caught.value.code, caught.value.field


async def rejected(work: Awaitable[object]) -> list[str]:
    with pytest.raises(InvalidFact) as caught:
        await work
    return [each.column for each in caught.value.problems]


UNTIL = START + 30 * DAY


async def test_whoever_is_pinned_comes_first_with_the_same_score_until_the_day(world: World) -> None:
    of = await world.decision("cal")
    before = await world.ask()
    assert order(before) == [("ada", 1), ("ben", 2), ("cal", 3), ("dot", 4)]
    override = await world.override(of, "pin", until=UNTIL)
    pinned = await world.ask()
    assert order(pinned) == [("cal", 3), ("ada", 1), ("ben", 2), ("dot", 4)]
    assert [each.pin for each in pinned.recommendations] == [override, "", "", ""]
    assert {each.mentor: each.score for each in pinned.recommendations} == {
        each.mentor: each.score for each in before.recommendations
    }
    world.now = UNTIL + timedelta(seconds=1)
    assert order(await world.ask()) == order(before)


async def test_a_pin_is_for_one_goal_unless_it_is_for_all(world: World) -> None:
    of = await world.decision("cal")
    plain = order(await world.ask("old"))
    first = await world.override(of, "pin", until=UNTIL)
    assert order(await world.ask("old")) == plain
    await world.end(first)
    await world.override(of, "pin", until=UNTIL, for_all_goals=True)
    assert order(await world.ask("old"))[0][0] == "cal"


async def test_pages_go_on_after_pins_without_gap_or_double(world: World) -> None:
    of = await world.decision("dot")
    await world.override(of, "pin", until=UNTIL)
    await world.override(of, "pin", mentor=uid("ben"), until=UNTIL)
    whole = order(await world.ask())
    assert whole == [("ben", 2), ("dot", 4), ("ada", 1), ("cal", 3)]
    assert order(await world.ask(first=3)) == [("ben", 2), ("dot", None), ("ada", 1)]
    for length in (1, 2, 3):
        seen, after = [], None
        while True:
            slate = await world.ask(first=length, after=after, with_total=True)
            assert slate.total == 4
            seen += [name for name, _ in order(slate)]
            if not slate.has_next:
                break
            after = slate.cursors[-1]
        assert seen == [name for name, _ in whole]


async def test_a_pin_made_while_somebody_pages_waits_for_the_next_list(world: World) -> None:
    of = await world.decision("dot")
    first = await world.ask(first=2)
    await world.override(of, "pin", until=UNTIL)
    assert order(await world.ask(first=2, after=first.cursors[-1])) == [("cal", 3), ("dot", 4)]


async def test_a_pin_never_breaks_a_rule_and_the_explanation_says_which(world: World) -> None:
    of = await world.decision()
    override = await world.override(of, "pin", mentor=uid("eli"), until=UNTIL)  # who has not agreed to be matched
    assert order(await world.ask()) == [("ada", 1), ("ben", 2), ("cal", 3), ("dot", 4)]
    found = await world.recommender.explain(COORDINATOR, uid("bo"), uid("eli"), uid("learn", "goals"))
    assert [each.rule for each in found.refusals] == ["NO_CONSENT"]
    [fact] = await world.overrides()
    assert (fact.uid, fact.links["mentor"], fact.links["proposed"]) == (override, uid("eli"), uid("ada"))


async def test_whoever_is_forbidden_is_not_recommended_and_only_coordinators_read_why(world: World) -> None:
    of = await world.decision("ada")
    override = await world.override(of, "forbid", until=UNTIL, reason="conflict_of_interest")
    assert order(await world.ask()) == [("ben", 1), ("cal", 2), ("dot", 3)]
    [refusal] = (await world.recommender.explain(COORDINATOR, uid("bo"), uid("ada"))).refusals
    assert (refusal.rule, refusal.fact) == (
        "FORBIDDEN_BY_COORDINATOR",
        "a coordinator has forbidden this pair until 2026-03-31 (conflict of interest)",
    )
    own = await world.recommender.explain(Viewer(person=uid("bo")), uid("bo"), uid("ada"))
    assert [each.rule for each in own.refusals] == ["NOT_AVAILABLE"]
    assert "conflict" not in str(own)
    asked = {"mentee_id": uid("bo"), "mentor_id": uid("ada")}
    with pytest.raises(DomainError) as caught:
        await pairing.request_mentor(world.store, Viewer(person=uid("bo")), asked, POLICY, clock=lambda: world.now)
    assert caught.value.message == "this pair cannot be made now; ask your coordinator"
    await world.end(override)
    assert order(await world.ask())[0] == ("ada", 1)


async def test_a_ban_that_ends_soon_is_seen_ahead(world: World) -> None:
    until = world.now + 10 * DAY
    await world.override(await world.decision("ben"), "forbid", until=until)
    days = {}
    for ahead in (0, 9, 30):
        slate = await world.ask(options=Options(horizon_days=ahead))
        days[ahead] = [each.available_from for each in slate.recommendations if each.mentor == uid("ben")]
    assert days == {0: [], 9: [], 30: [until]}
    world.now = until + DAY
    assert uid("ben") in {each.mentor for each in (await world.ask()).recommendations}


async def test_accepting_asks_the_mentor_and_swapping_asks_another_one_instead(world: World) -> None:
    of = await world.decision("ada")
    accepted = await world.override(of, "accept")
    assert await world.requests() == [("ada", "requested")]
    world.now += timedelta(minutes=1)
    swapped = await world.override(of, "swap", mentor=uid("ben"), is_proposal=True)
    assert sorted(await world.requests()) == [("ada", "withdrawn"), ("ben", "proposed")]
    first, second = await world.overrides()
    assert (first.uid, first.properties["until"]) == (accepted, world.now)
    assert "until" not in second.properties
    assert {name: NAMES.get(linked) for name, linked in second.links.items() if name not in ("goal", "request")} == {
        "mentee": "bo",
        "mentor": "ben",
        "proposed": "ada",
        "person": "cy",
    }
    assert second.links["goal"] == uid("learn", "goals")
    request = await world.store.read_request(second.links["request"], world.now)
    assert request is not None
    assert request.record.links["mentor"] == uid("ben")
    assert second.uid == swapped
    assert await check(world.store) == []


async def test_ending_parts_whoever_was_chosen(world: World) -> None:
    of = await world.decision("ada")
    assert await refused(world.override(of, "end")) == ("FORBIDDEN_MOVE", "action")
    assert await world.overrides() == []
    await world.override(of, "swap", mentor=uid("ben"))
    [fact] = await world.overrides()
    ben = Viewer(person=uid("ben"))
    request = fact.links["request"]
    await pairing.move_request(world.store, ben, request, "accepted", POLICY, clock=lambda: world.now)
    world.now += timedelta(minutes=1)
    await world.override(of, "end", reason="does_not_work_out")
    [paired] = [fact.record async for fact in world.store.facts(KINDS["pairings"])]
    assert (paired.properties["status"], NAMES[paired.links["mentor"]]) == ("ended", "ben")
    assert [each.properties["action"] for each in await world.overrides()] == ["swap", "end"]
    of = await world.decision("cal")
    await world.override(of, "accept")
    world.now += timedelta(minutes=1)
    await world.override(of, "end")
    assert ("cal", "withdrawn") in await world.requests()
    assert await check(world.store) == []


async def test_undoing_ends_the_fact_and_takes_back_what_waits(world: World) -> None:
    of = await world.decision("ada")
    override = await world.override(of, "accept")
    assert await refused(world.end(override, note=" ")) == ("REASON_REQUIRED", "note")
    assert await refused(world.end(override, Viewer(person=uid("bo")))) == ("FORBIDDEN", "recommendationId")
    assert await refused(world.end(uid("none"))) == ("NOT_FOUND", "overrideId")
    await world.end(override)
    ended = world.now
    await world.end(override, note="Again.")
    [fact] = await world.overrides()
    told = {name: fact.properties[name] for name in ("until", "ended_by", "end_note", "note")}
    assert told == {
        "until": ended,
        "ended_by": uid("cy"),
        "end_note": "It was a mistake.",
        "note": "They know each other.",
    }
    assert await world.requests() == [("ada", "withdrawn")]
    assert await check(world.store) == []


async def test_without_a_reason_or_by_somebody_else_nothing_is_decided(world: World) -> None:
    of = await world.decision("ada")
    assert await refused(world.override(of, "accept", reason="")) == ("REASON_REQUIRED", "reason")
    assert await refused(world.override(of, "accept", note="  ")) == ("REASON_REQUIRED", "note")
    for viewer in (Viewer(person=uid("bo")), Viewer(roles=frozenset({"auditor"}))):
        assert await refused(world.override(of, "accept", viewer)) == ("FORBIDDEN", "recommendationId")
    assert await refused(world.override((of[0], uid("none")), "accept")) == ("NOT_FOUND", "recommendationId")
    assert await refused(world.override(of, "swap", mentor=uid("none"))) == ("NOT_FOUND", "mentorId")
    assert await refused(world.override(of, "swap", mentor=uid("eli"))) == ("NOT_ALLOWED", "mentorId")
    for action, column, wanted in (
        ("swap", "mentor_id", {}),
        ("swap", "mentor_id", {"mentor": uid("ada")}),
        ("accept", "mentor_id", {"mentor": uid("ben")}),
        ("pin", "mentor_id", {"mentor": uid("bo"), "until": UNTIL}),
        ("pin", "until", {}),
        ("pin", "until", {"until": START - DAY}),
        ("accept", "until", {"until": UNTIL}),
        ("forbid", "reason", {"until": UNTIL, "reason": "a whim"}),
    ):
        assert column in await rejected(world.override(of, action, **wanted)), (action, wanted)
    assert await world.overrides() == []
    assert await world.requests() == []


async def test_deciding_the_same_again_changes_nothing_and_something_else_needs_an_end_first(world: World) -> None:
    of = await world.decision("ada")
    first = await world.override(of, "pin", until=UNTIL, external_id="k1")
    world.now += timedelta(minutes=1)
    assert await world.override(of, "pin", until=UNTIL) == first
    assert await world.override(of, "pin", until=UNTIL + DAY, external_id="k1") == first
    assert await refused(world.override(of, "pin", until=UNTIL + DAY)) == ("CONFLICT", "action")
    assert await refused(world.override(of, "forbid", until=UNTIL)) == ("CONFLICT", "action")
    assert len(await world.overrides()) == 1
    await world.end(first)
    await world.override(of, "forbid", until=UNTIL)
    assert [each.properties["action"] for each in await world.overrides()] == ["pin", "forbid"]


async def test_of_twenty_who_decide_at_once_one_asks(world: World) -> None:
    of = await world.decision("ada")
    found = await asyncio.gather(*(world.override(of, "accept") for _ in range(20)))
    assert len(set(found)) == 1
    assert len(await world.overrides()) == 1
    assert await world.requests() == [("ada", "requested")]


async def test_an_answer_with_pins_replays_and_one_whose_pin_is_left_out_does_not(world: World) -> None:
    of = await world.decision("cal")
    await world.override(of, "pin", until=UNTIL)
    plain, pinned = of[0], (await world.decision("cal"))[0]
    policies = world.log.records.policies()
    assert [each.recommendation.pin for each in pinned.recommended][1:] == ["", "", ""]
    assert replay(plain, policies) == replay(pinned, policies) == []
    unmarked = [
        replace(each, recommendation=replace(each.recommendation, pin="", model_rank=None))
        for each in pinned.recommended
    ]
    wrong = replay(replace(pinned, recommended=tuple(unmarked)), policies)
    assert [each.what for each in wrong] == [
        "the rank is 1, recorded 2",
        "the rank is 2, recorded 3",
        "the rank is 3, recorded 1",
    ]
    moved = replace(pinned.recommended[0], recommendation=replace(pinned.recommended[0].recommendation, model_rank=2))
    [difference] = replay(replace(pinned, recommended=(moved, *pinned.recommended[1:])), policies)
    assert difference.what == "the rank by score alone is 3, recorded 2"


async def test_whoever_is_pinned_stands_before_the_places_that_diversity_gives(world: World) -> None:
    of = await world.decision("dot")
    options = Options(diversity=0.9)
    plain = [NAMES[each.mentor] for each in (await world.ask(options=options, first=3)).recommendations]
    override = await world.override(of, "pin", until=UNTIL)
    slate = await world.ask(options=options, first=3)
    names = [NAMES[each.mentor] for each in slate.recommendations]
    assert names[0] == "dot"
    assert len(set(names)) == 3
    assert [each.pin for each in slate.recommendations] == [override, "", ""]
    assert [each.model_rank for each in slate.recommendations] == [None] * 3
    assert [name for name in plain if name in names[1:]] == names[1:]
    rest = await world.ask(options=options, first=3, after=slate.cursors[-1])
    assert sorted(names + [NAMES[each.mentor] for each in rest.recommendations]) == sorted(MENTORS)
    decision = await world.log.find(slate.recommendations[1].uid)
    assert decision is not None
    policies = world.log.records.policies()
    assert replay(decision, policies) == []
    wrong = replace(decision, recommended=(*decision.recommended[1:], decision.recommended[0]))
    assert "those who are pinned do not come first" in [each.what for each in replay(wrong, policies)]
