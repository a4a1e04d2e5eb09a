"""Recommendations on a generated community: they add up, equal brute force, show true evidence and are never stale."""

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.explaining.why_not import why_not
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.people import recording
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.ranking.matching import Explanation, Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

SOURCE = "bundle"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
POLICY = load_policy()
Count = Callable[[int, int], int]
Community = Any  # the class of the fixture, which is in conftest.py


# --- scores and order -----------------------------------------------------------------------------------------------


def test_a_score_is_the_base_and_the_contributions(community: Community) -> None:
    pairs = 0
    for place in range(20):
        for each in community.ask(place, first=MOST, with_paths=False).recommendations:
            total = each.base + sum(signal.contribution for signal in each.signals)
            assert abs(total - each.score) <= 1e-6
            for signal in each.signals:
                assert signal.contribution == pytest.approx((signal.weight or 0) * (signal.value or 0), abs=1e-12)
                assert "-0.0" not in {str(signal.value), str(signal.contribution)}
            pairs += 1
    assert pairs > 200


async def by_brute_force(recommender: Recommender, mentee: str, goal: str) -> list[tuple[str, float]]:
    """Scores everybody, asks the rules about each alone, and sorts."""
    everybody = recommender.columns.people.uids
    found = []
    for person in everybody:
        explanation = await recommender.explain(COORDINATOR, mentee, person, goal)
        if not explanation.refusals:
            found.append((person, explanation.score))
    return sorted(found, key=lambda each: (-each[1], each[0]))


@pytest.mark.parametrize("place", [0, 1])
def test_a_list_is_what_brute_force_gives(community: Community, place: int) -> None:
    slate = community.ask(place, first=MOST, with_paths=False, with_total=True)
    right = community.run(by_brute_force(without_paths(community), *community.askers[place]))
    assert [(each.mentor, each.score) for each in slate.recommendations] == right[:MOST]
    assert slate.total == len(right)
    assert right[1:] + right[:1] != right


def without_paths(community: Community) -> Recommender:
    """A recommender on the same columns that reads no evidence, which brute force does not need."""

    class Bare(Recommender):
        async def _paths(self, *_arguments: Any) -> dict[str, Any]:
            return {}

    return Bare(community.store, RulesScorer(POLICY), columns=community.columns, clock=lambda: NOW)


def test_a_list_is_what_brute_force_gives_where_only_the_last_few_may_be_paired(community: Community) -> None:
    mentee, goal = community.askers[2]
    everybody = community.ask(2, first=MOST, with_paths=False, with_total=True)
    assert everybody.total is not None
    last = [each.mentor for each in everybody.recommendations][-2:]
    blocks = [
        record
        for each in everybody.recommendations
        if each.mentor not in last
        for record in facts_of(
            "blocks", {"person_id": each.mentor, "blocked_id": mentee, "since": NOW - timedelta(days=1)}, "test"
        )
    ]
    community.run(community.store.write(blocks))
    slate = community.ask(2, first=MOST, with_paths=False, with_total=True)
    assert [each.mentor for each in slate.recommendations][:2] == last
    assert slate.total == everybody.total - len(blocks)
    right = community.run(by_brute_force(without_paths(community), mentee, goal))
    assert [(each.mentor, each.score) for each in slate.recommendations] == right
    for block in blocks:
        community.end(block)
    again = community.ask(2, first=MOST, with_paths=False, with_total=True)
    assert again.total == everybody.total


def test_the_same_question_has_the_same_answer(community: Community) -> None:
    first, second = community.ask(3, first=20), community.ask(3, first=20)
    assert first == second
    other = Recommender(community.store, RulesScorer(POLICY), clock=lambda: NOW)
    mentee, goal = community.askers[3]
    assert community.run(other.recommend(COORDINATOR, mentee, goal, first=20)) == first
    assert community.ask(4).uid != first.uid


def test_a_graph_that_was_put_back_is_read_anew(community: Community) -> None:
    """Somebody is recommended, then the database is one in which they never were."""
    mentor = community.write("people", id="late", name="Late", joined_on="2020-01-01", roles="mentor")
    community.write("consents", person_id=mentor.uid, purpose="matching", text_version="1", since="2020-01-01")
    recommender = Recommender(community.store, RulesScorer(POLICY), clock=lambda: NOW)
    mentee, goal = community.askers[0]
    community.run(recommender.explain(COORDINATOR, mentee, mentor.uid, goal))
    put_back = f"MATCH (n {{uid: '{mentor.uid}'}}) OPTIONAL MATCH (n)-[:CONSENTED]->(c) DETACH DELETE n, c"
    community.run(community.store.database.run_directly(put_back))
    begin_lineage = "MATCH (n:ChangeCounter {kind: 'graph'}) SET n.lineage = randomUUID(), n.value = n.value + 5"
    community.run(community.store.database.run_directly(begin_lineage))
    known = recommender.columns
    refused = community.refused(lambda: community.run(recommender.explain(COORDINATOR, mentee, mentor.uid, goal)))
    assert refused == "NOT_FOUND"
    assert recommender.columns is not known
    assert community.run(recommender.recommend(COORDINATOR, mentee, goal)).recommendations


def test_pages_make_up_the_list_even_while_scores_fade(community: Community) -> None:
    whole = community.ask(5, first=MOST, with_paths=False)
    assert not whole.has_next or len(whole.recommendations) == MOST
    instants = (NOW + timedelta(days=day / 2) for day in range(200))
    slow = Recommender(community.store, RulesScorer(POLICY), columns=community.columns, clock=lambda: NOW)
    mentee, goal = community.askers[5]
    paged: list[tuple[str, int, float]] = []
    cursor, more = None, True
    while more and len(paged) < MOST:
        slate = community.run(slow.recommend(COORDINATOR, mentee, goal, first=7, after=cursor, with_paths=False))
        slow.clock = lambda: next(instants)
        assert slate.uid == whole.uid
        paged += [(each.mentor, each.rank, each.score) for each in slate.recommendations]
        cursor, more = slate.cursors[-1], slate.has_next
    expected = [(each.mentor, each.rank, each.score) for each in whole.recommendations]
    allowed_throughout = [each for each in expected if each[0] in {mentor for mentor, _, _ in paged}]
    assert [mentor for mentor, _, _ in paged[: len(allowed_throughout)]] == [each[0] for each in allowed_throughout]
    assert len({mentor for mentor, _, _ in paged}) == len(paged)


def test_pages_cover_exactly_the_list(community: Community) -> None:
    whole = community.ask(6, first=MOST, with_paths=False, with_total=True)
    paged: list[Any] = []
    cursor = None
    for _ in range(MOST):
        slate = community.ask(6, first=9, after=cursor, with_paths=False)
        paged += slate.recommendations
        cursor = slate.cursors[-1]
        if not slate.has_next:
            break
    assert tuple(paged[:MOST]) == whole.recommendations
    assert len(paged) == whole.total


def test_a_cursor_of_another_question_is_refused(community: Community) -> None:
    cursor = community.ask(0, with_paths=False).cursors[0]
    assert community.refused(lambda: community.ask(1, after=cursor)) == "BAD_USER_INPUT"
    for broken in ("", "x", cursor[:-4], "W10"):
        assert community.refused(lambda broken=broken: community.ask(0, after=broken)) == "BAD_USER_INPUT"
    assert community.ask(0, after=cursor, with_paths=False).recommendations[0].rank == 2


@pytest.mark.parametrize("first", [0, -1, MOST + 1])
def test_a_page_has_one_to_a_hundred_mentors(community: Community, first: int) -> None:
    assert community.refused(lambda: community.ask(first=first)) == "BAD_USER_INPUT"


def test_an_answer_takes_two_round_trips_however_many_are_tried(community: Community) -> None:
    mentee, goal = community.askers[7]
    community.run(community.columns.refresh(community.store))
    sent = community.sees(community.recommender.recommend(COORDINATOR, mentee, goal, first=5))
    assert sent == ["read_changes", "read_edges"]
    sent = community.sees(community.recommender.recommend(COORDINATOR, mentee, goal, first=MOST, with_paths=False))
    assert sent == ["read_changes"]


# --- the past -------------------------------------------------------------------------------------------------------


def test_what_happens_later_changes_no_past_answer(community: Community) -> None:
    past, later = NOW - timedelta(days=60), NOW - timedelta(days=1)
    mentee = community.askers[9][0]
    person = community.ask(9, as_of=past, with_paths=False).recommendations[-1].mentor
    before = community.ask(9, first=MOST, as_of=past)
    now_before = community.ask(9, first=MOST)
    wish = community.question(9).wishes[0]
    skill = community.columns.skills.uids[wish.skill]
    unit = community.columns.numberings["units"].uids[0]
    other = community.askers[10][0]
    title = " ".join(["quite other words"] * 3)
    planted = [
        community.write("person_skills", person_id=person, skill_id=skill, stance="offers", level=5, since=later),
        community.write("roles", person_id=mentee, role_id="mentor", since=later, max_mentees=9),
        community.write("unit_membership", person_id=person, unit_id=unit, since=later),
        community.write("goals", id="later", person_id=other, title=title, created_on=later),
        community.write("goal_skills", goal_id="later", skill_id=skill, since=later),
        community.write(
            "pairings", id="later", mentor_id=person, mentee_id=other, goal_id="later", status="completed",
            started_on=later, ended_on=later, outcome=1,
        ),
        community.write("sessions", id="later", pairing_id="later", started_at=later, minutes=60),
    ]  # fmt: skip
    after, now_after = community.ask(9, first=MOST, as_of=past), community.ask(9, first=MOST)
    assert after.recommendations != ()
    assert strip(after) == strip(before)
    assert strip(now_after) != strip(now_before)
    for record in planted:
        if record.kind in ("offers", "roles", "unit_membership", "goal_skills"):
            community.end(record)


def strip(slate: Slate) -> list[Any]:
    """An answer without the identity that names the state of the graph."""
    return [
        (each.mentor, each.rank, each.score, each.signals, each.paths, each.sentences) for each in slate.recommendations
    ]


def test_an_answer_about_one_instant_does_not_show_in_that_about_another(community: Community) -> None:
    """Two states of a table in which equally many rows hold are two states."""
    person = community.ask(11, with_paths=False).recommendations[0].mentor
    first, second = NOW - timedelta(days=8), NOW - timedelta(days=4)
    viewer = COORDINATOR
    windows = [{"weekday": 1, "start": "08:00", "end": "09:00", "zone": "Europe/Lisbon"}]
    other = [{"weekday": 4, "start": "18:00", "end": "19:00", "zone": "Europe/Lisbon"}]
    mentee, goal = community.askers[11]
    for since, told in ((first, windows), (second, other)):
        for each in (person, mentee):
            community.run(recording.set_availability(community.store, viewer, each, told, since=since))
    community.run(community.recommender.recommend(viewer, mentee, goal, as_of=second))
    for instant in (second, second + timedelta(days=1), second, first + timedelta(days=1)):
        warm = community.run(community.recommender.explain(viewer, mentee, person, goal, as_of=instant))
        fresh = Recommender(community.store, RulesScorer(POLICY))
        cold = community.run(fresh.explain(viewer, mentee, person, goal, as_of=instant))
        assert warm == cold


def test_a_forged_cursor_asks_for_no_other_time(community: Community) -> None:
    cursor = community.ask(0, with_paths=False).cursors[0]
    key, instant, rank, score, uid = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    year_us = 366 * 24 * 3600 * 10**6
    for told in ([key, 253402214400000000, rank, score, uid], [key, -62135596800000000, rank, score, uid],
                 [key, instant - year_us, rank, score, uid], [key, instant + year_us, rank, score, uid],
                 [key, instant, 2**40, score, uid], [key, instant, 0, score, uid]):  # fmt: skip
        forged = base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")
        assert community.refused(lambda forged=forged: community.ask(0, after=forged)) == "BAD_USER_INPUT", told


# --- viewers --------------------------------------------------------------------------------------------------------


def test_participants_learn_nothing_of_third_people(community: Community) -> None:
    nodes = community.columns.tables["people"]
    names = dict(zip(community.columns.people.uids, nodes.strings("name"), strict=True))
    seen_by_coordinators = 0
    for place in range(10):
        mentee, goal = community.askers[place]
        viewer = Viewer(mentee, frozenset({"mentee"}))
        slate = community.run(community.recommender.recommend(viewer, mentee, goal, first=20))
        known = {mentee, *(each.mentor for each in slate.recommendations)}
        third = [uid for uid in community.columns.people.uids if uid not in known]
        hidden = set(third)
        for kind in ("goals", "pairings"):
            hidden |= set(community.columns.numberings[kind].uids)
        hidden |= set(community.columns.tables["sessions"].rows.uids)
        pairings = community.columns.tables["pairings"]
        sought = zip(pairings.rows.uids, pairings.numbers("mentee"), strict=True)
        own = {uid for uid, person in sought if community.columns.people.uids[person] == mentee}
        hidden -= {goal, *own}  # what the mentee went through with a mentor is theirs to see
        told = [each.paths for each in slate.recommendations], [each.sentences for each in slate.recommendations]
        text = orjson.dumps(told).decode()
        assert not [uid for uid in hidden if uid in text]
        namesakes = " ".join(names[uid] for uid in known)
        assert not [names[uid] for uid in third if names[uid] in text and names[uid] not in namesakes]
        open_text = orjson.dumps([each.paths for each in community.ask(place, first=20).recommendations]).decode()
        seen_by_coordinators += sum(uid in open_text for uid in hidden)
    assert seen_by_coordinators > 0


def test_whoever_is_not_in_the_list_is_named_with_the_rule_that_forbids_it(community: Community, count: Count) -> None:
    shown = forbidden = 0
    for place in range(count(2, len(community.askers))):
        mentee, goal = community.askers[place]
        whole = community.ask(place, first=MOST, with_paths=False, with_total=True)
        ranks = {each.mentor: each for each in whole.recommendations}
        roles = community.columns.tables["roles"]
        people = set(roles.numbers("person")[community.columns.mentor_roles()].tolist())
        for mentor in sorted(community.columns.people.uids[person] for person in people)[:: count(5, 1)]:
            found = community.run(why_not(community.recommender, COORDINATOR, mentee, mentor, goal, first=3))
            if mentor not in ranks and found.rank is None:
                forbidden += 1
                assert (found.verdict, bool(found.blockers), found.gap) == ("forbidden", True, ())
            elif mentor in ranks:
                shown += 1
                assert (found.rank, found.score, found.blockers) == (ranks[mentor].rank, ranks[mentor].score, ())
                assert found.verdict == ("recommended" if found.rank <= 3 else "ranked_lower")
                distance = whole.recommendations[2].score - found.score if found.rank > 3 else 0.0
                assert sum(each.missing for each in found.gap) == pytest.approx(distance, abs=1e-6)
            else:
                assert found.rank > MOST
                assert whole.total > MOST
    assert min(shown, forbidden) > 0


def test_participants_ask_for_themselves_only(community: Community) -> None:
    (mentee, goal), (other, _) = community.askers[0], community.askers[-1]
    viewer = Viewer(other, frozenset({"mentee"}))
    assert other != mentee
    work = [
        lambda: community.run(community.recommender.recommend(viewer, mentee, goal)),
        lambda: community.run(community.recommender.explain(viewer, mentee, other, goal)),
        lambda: community.run(community.recommender.recommend(viewer, "unknown", None)),
    ]
    assert [community.refused(each) for each in work] == ["FORBIDDEN"] * 3


def test_what_does_not_exist_is_said(community: Community) -> None:
    mentee, goal = community.askers[0]
    other_goal = next(each for person, each in community.askers if person != mentee)
    recommend, explain = community.recommender.recommend, community.recommender.explain
    work = [
        lambda: community.run(recommend(COORDINATOR, "unknown", None)),
        lambda: community.run(recommend(COORDINATOR, mentee, "unknown")),
        lambda: community.run(recommend(COORDINATOR, mentee, other_goal)),
        lambda: community.run(explain(COORDINATOR, mentee, "unknown", goal)),
    ]
    assert [community.refused(each) for each in work] == ["NOT_FOUND"] * 4


# --- what was told a moment ago -------------------------------------------------------------------------------------


async def register(store: Store, key: str, **options: Any) -> str:
    return await recording.register_person(
        store, COORDINATOR, {"name": key, "roles": "mentee"}, external_id=key, now=NOW - timedelta(hours=1), **options
    )


def test_without_a_goal_or_skills_the_list_says_what_it_rests_on(community: Community) -> None:
    person = community.run(register(community.store, "blank", consents=["matching"], text_version="1"))
    slate = community.run(community.recommender.recommend(COORDINATOR, person))
    assert slate.goal == ""
    assert "no open goal" in slate.notice
    assert len(slate.recommendations) == 10
    assert not community.ask().notice


def test_a_goal_without_skills_and_words_is_said_to_say_nothing(community: Community) -> None:
    person = community.run(register(community.store, "wordless", consents=["matching"], text_version="1"))
    told = {}
    for key, title in (("wordless", "???"), ("of little", "what to do with this"), ("in words", "A heat pump")):
        goal = community.write("goals", id=key, person_id=person, title=title, created_on=NOW - timedelta(hours=1))
        told[key] = community.run(community.recommender.recommend(COORDINATOR, person, goal.uid, first=3)).notice
    assert told["wordless"].startswith("This goal needs no skill and its words say nothing")
    assert told == {"wordless": told["wordless"], "of little": told["wordless"], "in words": ""}


def test_without_consent_there_is_no_list(community: Community) -> None:
    person = community.run(register(community.store, "silent"))
    assert (
        community.refused(lambda: community.run(community.recommender.recommend(COORDINATOR, person)))
        == "CONSENT_REQUIRED"
    )


def test_an_empty_graph_knows_nobody() -> None:
    columns = Columns()
    scores = RulesScorer(POLICY)
    assert len(columns.people) == 0
    assert columns.people.find("anybody") == -1
    assert scores.model_version == "rules"


def test_what_one_process_was_told_the_other_answers_with(community: Community, count: Count) -> None:
    other = Recommender(community.store, RulesScorer(POLICY), clock=lambda: NOW)
    mentee, goal = community.askers[12]
    stale = 0
    blocked: Record | None = None
    for _ in range(count(50, 1_000) // 2):
        best = community.ask(12, first=1, with_paths=False).recommendations[0]
        blocked = community.write("blocks", person_id=mentee, blocked_id=best.mentor, since=NOW - timedelta(days=2))
        slate = community.run(other.recommend(COORDINATOR, mentee, goal, first=1, with_paths=False))
        stale += slate.recommendations[0].mentor == best.mentor
        community.end(blocked)
        slate = community.run(other.recommend(COORDINATOR, mentee, goal, first=1, with_paths=False))
        stale += slate.recommendations[0].mentor != best.mentor
    assert stale == 0


def test_questions_during_a_refresh_see_the_state_before_or_after_it(community: Community) -> None:
    mentee, goal = community.askers[13]

    async def ask_meanwhile() -> list[Slate | None]:
        async def tell(number: int) -> None:
            key = f"meanwhile{number}"
            person = await register(community.store, key, consents=["matching"], text_version="1")
            told = {"person_id": person, "title": f"Goal {number}"}
            await recording.create_goal(
                community.store, COORDINATOR, told, external_id=key, now=NOW - timedelta(hours=1)
            )

        questions = [community.recommender.recommend(COORDINATOR, mentee, goal) for _ in range(12)]
        answers = await asyncio.gather(*(tell(number) for number in range(4)), *questions)
        return list(answers[4:])

    slates = community.run(ask_meanwhile())
    assert [len(slate.recommendations) for slate in slates] == [10] * 12


def test_participants_are_told_of_mentors_who_take_part_only(community: Community) -> None:
    mentee, goal = community.askers[0]
    viewer = Viewer(mentee, frozenset({"mentee"}))
    mentor = community.ask(0, with_paths=False).recommendations[0].mentor

    def explained(whom: str, by: Viewer) -> Explanation:
        found: Explanation = community.run(community.recommender.explain(by, mentee, whom, goal))
        return found

    assert explained(mentor, viewer).mentor == mentor
    another = next(each for each, _ in community.askers if each != mentee)
    assert explained(another, COORDINATOR).refusals
    assert community.refused(lambda: explained(another, viewer)) == "NOT_FOUND"
    block = community.write("blocks", person_id=mentor, blocked_id=mentee, since="2024-01-01")
    assert "BLOCKED" in {each.rule for each in explained(mentor, COORDINATOR).refusals}
    assert community.refused(lambda: explained(mentor, viewer)) == "NOT_FOUND"
    community.end(block)
    assert explained(mentor, viewer).mentor == mentor
