"""A mentor's list of goals in the decision log: it comes back pair by pair, replays, is redacted, is told of today."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.graph.decisions.decision import Decision, MenteeDecision, RecommendedMentee
from mentorgraph.graph.decisions.log import FOLDER, DecisionLog
from mentorgraph.graph.decisions.replay import replay
from mentorgraph.graph.decisions.then_and_now import changes_of, today_of
from mentorgraph.graph.decisions.verify import verify
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.explaining.exposure import mentor_exposure
from mentorgraph.graph.explaining.overriding import Override, override_match
from mentorgraph.graph.people import recording
from mentorgraph.graph.ranking.mentees import MenteeList, recommend_mentees
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from ..test_overriding import CY, DAY, JOINED, POLICY, ROWS, SOURCE, World, uid

pytestmark = pytest.mark.anyio

ADA, BO = Viewer(person=uid("ada")), Viewer(person=uid("bo"))
MORE: dict[str, list[dict[str, str]]] = {
    **ROWS,
    "people": [*ROWS["people"], {"id": "fay", "name": "Fay", "joined_on": JOINED}],
    "consents": [*ROWS["consents"], {"person_id": "fay", "purpose": "matching", "text_version": "1", "since": JOINED}],
    "goals": [
        *ROWS["goals"],
        {"id": "paint", "person_id": "fay", "title": "Paint", "created_on": JOINED, "skills": "go|sql"},
    ],
    "pairings": [
        {
            "id": "past",
            "mentee_id": "fay",
            "mentor_id": "ada",
            "goal_id": "paint",
            "started_on": JOINED,
            "ended_on": "2026-02-01",
            "status": "completed",
            "outcome": "1",
        }
    ],
}
TITLES = {uid(each, "goals"): each for each in ("learn", "old", "paint")}


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    result = await import_bundle(store, bundle_of(MORE), source=SOURCE)
    assert set(result.total) == {"created"}
    async with DecisionLog(tmp_path / FOLDER) as log:
        yield World(store, log)


async def answered(world: World, viewer: Viewer = COORDINATOR, **options: Any) -> MenteeList:
    return await world.log.keep(await recommend_mentees(world.recommender, viewer, uid("ada"), **options))


async def about(world: World, found: MenteeList, title: str) -> tuple[Decision, str]:
    [one] = [each.uid for each in found.recommendations if TITLES[each.goal] == title]
    decision = await world.log.find(one)
    assert decision is not None
    return decision, one


def kept(world: World) -> MenteeDecision:
    [found] = world.log.records.all()
    assert isinstance(found, MenteeDecision)
    return found


async def test_each_pair_comes_back_as_it_was_told_to_whoever_asked(world: World) -> None:
    found = await answered(world, ADA)
    assert {TITLES[each.goal] for each in found.recommendations} == set(TITLES.values())
    assert any(step.count for each in found.recommendations for path in each.paths for step in path.steps)
    for told in found.recommendations:
        decision = await world.log.find(told.uid)
        assert decision is not None
        assert (decision.mentee, decision.goal, decision.policy_version) == (told.mentee, told.goal, POLICY.version)
        own = decision.find(told.uid)
        assert own is not None
        assert own.shown_to(ADA, told.mentee) == told
        assert own.shown_to(COORDINATOR, told.mentee).paths == told.evidence
        explained = decision.explanation(told.uid, ADA)
        assert explained is not None
        assert (explained.score, explained.paths, explained.sentences) == (told.score, told.paths, told.sentences)
        assert [decision.may_be_seen_by(each) for each in (ADA, BO, COORDINATOR)] == [True, False, True]
        assert decision.names[told.goal].lower() == TITLES[told.goal]
    assert await world.log.find(found.uid) is None


async def test_a_kept_list_replays_and_each_wrong_number_is_named(world: World) -> None:
    await answered(world, first=2)
    decision, policies = kept(world), world.log.records.policies()
    assert replay(decision, policies) == []
    first, second = decision.recommended

    def wrong(**changes: Any) -> MenteeDecision:
        pair: Any = replace(first.recommendation, **changes)
        return replace(decision, recommended=(replace(first, recommendation=pair), second))

    for changes in (
        {"score": first.recommendation.score + 1e-6},
        {"rank": 2},
        {"uid": second.recommendation.uid},
        {"mentor": uid("ben")},
        {"policy_version": "none@1"},
        {"goal": second.recommendation.goal},
    ):
        assert replay(wrong(**changes), policies), changes
    assert replay(replace(decision, recommended=(second, first)), policies) == []  # ranks stand in it
    assert replay(replace(decision, rank_offset=1), policies)


async def test_who_is_erased_takes_no_other_pair_along_and_the_log_stays_whole(world: World, tmp_path: Path) -> None:
    found = await answered(world)
    text = b"".join(each.read_bytes() for each in (tmp_path / FOLDER).glob("*.segment"))
    assert not [name for name in (b"Ada", b"Fay", b"Paint", b"Learn") if name in text]
    world.log.keys.destroy(uid("fay"))
    decision, policies = kept(world), world.log.records.policies()
    redacted = {TITLES[each.recommendation.goal]: each.is_redacted for each in decision.recommended}
    assert redacted == {"learn": False, "old": False, "paint": True}
    assert replay(decision, policies) == []
    gone, recommendation = await about(world, found, "paint")
    assert uid("fay") not in gone.names
    own = gone.find(recommendation)
    assert isinstance(own, RecommendedMentee)
    assert (own.names, own.shown_to(COORDINATOR, uid("fay")).sentences) == ({}, ())
    assert "Fay" not in str(kept(world))
    assert verify(tmp_path / FOLDER).findings == ()


async def test_today_stands_beside_the_list_with_what_has_changed(world: World) -> None:
    found = await answered(world)
    decision, recommendation = await about(world, found, "paint")
    before = await today_of(world.recommender, COORDINATOR, decision)
    assert [(each.goal, each.rank_then, each.is_in) for each in before.compared] == [
        (each.goal, each.rank, True) for each in found.recommendations
    ]
    assert all((each.score_then, each.rank_then) == (each.score_now, each.rank_now) for each in before.compared)
    assert all(each.signals_then == each.signals_now for each in before.compared)
    assert (before.policy_version, before.refusal) == (POLICY.version, None)
    world.now += DAY
    assert await changes_of(world.store, decision, recommendation, COORDINATOR, world.now) == []
    withdrawn = world.now
    await recording.record_consent(world.store, COORDINATOR, uid("fay"), "matching", False, "1", since=withdrawn)
    world.now += DAY
    [change] = await changes_of(world.store, decision, recommendation, COORDINATOR, world.now)
    assert (change.what, change.kind, change.owner) == ("ended", "consents", uid("fay"))
    assert await changes_of(world.store, decision, recommendation, ADA, world.now) == []  # it is Fay's to tell
    after = {TITLES[each.goal]: each for each in (await today_of(world.recommender, COORDINATOR, decision)).compared}
    assert [refusal.rule for refusal in after["paint"].refusals] == ["MENTEE_NO_CONSENT"]
    assert (after["paint"].rank_now, after["paint"].is_in, after["learn"].is_in) == (None, False, True)
    own = {TITLES[each.goal]: each for each in (await today_of(world.recommender, ADA, decision)).compared}
    assert (own["paint"].rank_now, own["paint"].score_now, own["paint"].refusals) == (None, None, ())


async def test_a_new_goal_comes_in_and_pushes_another_out(world: World) -> None:
    found = await answered(world)
    decision, _ = await about(world, found, "old")
    needs = [{"skill_id": uid("go", "skills")}]
    new_goal = {"person_id": uid("bo"), "title": "New"}
    goal = await recording.create_goal(world.store, BO, new_goal, needs=needs, now=world.now)
    world.now += DAY
    [*before, new] = (await today_of(world.recommender, COORDINATOR, decision)).compared
    assert (new.goal, new.mentee, new.rank_then, new.signals_then, new.is_in) == (goal, uid("bo"), None, (), True)
    assert [each.goal for each in before] == [each.goal for each in found.recommendations]
    assert [each.rank_now for each in before if not each.is_in] == [4]


async def test_a_pair_can_be_decided_about_and_counts_for_no_list_of_mentors(world: World) -> None:
    found = await answered(world)
    decision, recommendation = await about(world, found, "paint")
    wanted = Override("accept", "asked_for", "Both would like to.")
    clock = world.recommender.clock
    override = await override_match(world.store, CY, decision, recommendation, wanted, POLICY, clock=clock)
    node = (await world.store.read_nodes([override], world.now))[override]
    assert (node.parties["mentee"], node.parties["mentor"]) == (uid("fay"), uid("ada"))
    assert [each["mentee"] for each in await world.store.read_open_requests_to(uid("ada"))] == [uid("fay")]
    exposure = await mentor_exposure(world.recommender, world.log.records, COORDINATOR, uid("ada"), 3_000)
    assert (exposure.answers, exposure.shown) == (0, 0)
