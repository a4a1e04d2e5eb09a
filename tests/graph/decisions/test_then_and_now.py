"""A kept answer beside the present: each planted edit is named with its field, and nothing where nothing was edited."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.decisions.then_and_now import Change, Today, changes_of, today_of
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.explaining import overriding
from mentorgraph.graph.explaining.overriding import Override
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.people import recording
from mentorgraph.graph.ranking.options import Mix, Options
from mentorgraph.graph.store.database import round_trips
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from ..test_overriding import DAY, JOINED, MENTORS, NAMES, POLICY, ROWS, SKILLS, SOURCE, START, World, uid

pytestmark = pytest.mark.anyio

BO = Viewer(person=uid("bo"))
MEMBERS = "closed"
"""A programme that takes its own mentors only, and has one."""
EXTRA = {
    "units": [{"id": "sea", "name": "Sea"}, {"id": "land", "name": "Land"}],
    "unit_membership": [
        {"person_id": person, "unit_id": unit, "since": JOINED} for person, unit in (("dot", "sea"), ("bo", "land"))
    ],
    "programmes": [{"id": MEMBERS, "name": "Closed", "since": JOINED}],
    "memberships": [{"person_id": "cal", "programme_id": MEMBERS, "role": "mentor", "since": JOINED}],
    "policies": [{"programme_id": MEMBERS, "content": "[rules]\nmembers_only = true\n", "since": JOINED}],
    "availability": [
        {"person_id": each, "weekday": "1", "start": "09:00", "end": "10:00", "zone": "UTC", "since": JOINED}
        for each in ("ada", "bo")
    ],
}


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    result = await import_bundle(store, bundle_of(ROWS | EXTRA), source=SOURCE)
    assert set(result.total) == {"created"}
    async with DecisionLog(tmp_path / "decisions") as log:
        yield World(store, log)


async def write(world: World, file: str, **row: object) -> Record:
    records = facts_of(file, row, SOURCE)
    await world.store.write(records)
    return records[0]


def offer(mentor: str, skill: str, **told: object) -> dict[str, object]:
    return {"person_id": mentor, "skill_id": skill, "stance": "offers", "since": JOINED, **told}


async def changes(world: World, of: tuple[Decision, str], viewer: Viewer = COORDINATOR) -> list[Change]:
    world.now += timedelta(hours=1)
    return await changes_of(world.store, *of, viewer, world.now)


async def today(world: World, of: tuple[Decision, str], viewer: Viewer = COORDINATOR) -> Today:
    return await today_of(world.recommender, viewer, of[0])


def told(change: Change) -> tuple[object, ...]:
    fields = {each.name: (each.before, each.after) for each in change.fields}
    return change.what, change.kind, NAMES.get(change.owner, ""), [each.name for each in change.ends], fields, change.at


def places(found: Today) -> list[tuple[str, int | None, int | None, list[str]]]:
    return [
        (NAMES[each.mentor], each.rank_then, each.rank_now, [refusal.rule for refusal in each.refusals])
        for each in found.compared
    ]


async def test_with_no_edits_nothing_is_named_and_today_is_as_then(world: World) -> None:
    of = await world.decision("ada")
    world.now += DAY
    assert await changes(world, of) == []
    found = await today(world, of)
    assert places(found) == [(name, place, place, []) for place, name in enumerate(MENTORS, 1)]
    assert (found.refusal, found.model_version, found.policy_version) == (None, "rules", POLICY.version)
    for each in found.compared:
        assert each.is_in
        assert each.signals_then == each.signals_now
        assert each.score_then == each.score_now


@pytest.mark.parametrize(
    "options", [Options(diversity=0.9), Options(mix=Mix(cross_functional=1))], ids=["diversity", "mix"]
)
async def test_a_list_whose_places_were_given_otherwise_than_by_score_is_given_so_today(
    world: World, options: Options
) -> None:
    slate = await world.ask(first=2, options=options)
    by_score = [each.mentor for each in (await world.ask(first=2)).recommendations]
    shown = [each.mentor for each in slate.recommendations]
    assert shown != by_score
    decision = await world.log.find(slate.recommendations[0].uid)
    assert decision is not None
    found = await today(world, (decision, ""))
    assert [(each.mentor, each.rank_then, each.rank_now, each.is_in) for each in found.compared] == [
        (mentor, place, place, True) for place, mentor in enumerate(shown, 1)
    ]
    gone = world.now + DAY
    await recording.record_consent(world.store, COORDINATOR, shown[0], "matching", False, "1", since=gone)
    world.now += 2 * DAY
    after = (await today(world, (decision, ""))).compared
    assert (after[0].rank_now, after[0].is_in) == (None, False)
    assert [each.rank_then is None for each in after] == [False, False, True]


async def test_the_question_of_a_programme_is_asked_in_it_again(world: World) -> None:
    programme = uid(MEMBERS, "programmes")
    slate = await world.ask(programme=programme)
    assert [NAMES[each.mentor] for each in slate.recommendations] == ["cal"]
    decision = await world.log.find(slate.recommendations[0].uid)
    assert decision is not None
    assert decision.programme == programme
    found = await today(world, (decision, ""))
    assert places(found) == [("cal", 1, 1, [])]
    assert found.policy_version == slate.policy_version != POLICY.version
    elsewhere = replace(decision, programme="")  # the control: without it Ada would seem to have come in
    assert [NAMES[each.mentor] for each in (await today(world, (elsewhere, ""))).compared] == ["cal", "ada"]


async def test_availability_that_ended_is_named_and_the_signal_is_gone(world: World) -> None:
    of = await world.decision("ada")
    ended = world.now + DAY
    await recording.set_availability(world.store, COORDINATOR, uid("ada"), [], since=ended)
    world.now += 2 * DAY
    [change] = await changes(world, of)
    fields = {"weekday": (1, None), "start": ("09:00", None), "end": ("10:00", None), "zone": ("UTC", None)}
    assert told(change) == ("ended", "availability", "ada", [], fields, ended)
    [ada, *_] = (await today(world, of)).compared
    then, now = (
        {each.name: each for each in signals}["time_overlap"] for signals in (ada.signals_then, ada.signals_now)
    )
    assert then.value is not None
    assert then.contribution > 0
    assert (now.value, now.contribution) == (None, 0.0)
    assert ada.score_then is not None
    assert ada.score_now is not None
    assert ada.score_now <= ada.score_then - then.contribution + 1e-9
    moved = sum(
        (after.contribution if after else 0) - (was.contribution if was else 0) for _, was, after in ada.by_signal()
    )
    assert ada.score_now == pytest.approx(ada.score_then + moved, abs=1e-9)


async def test_a_level_that_was_raised_anew_shows_before_and_after(world: World) -> None:
    await write(world, "person_skills", **offer("ben", "vim", level=2))
    of = await world.decision("ben")
    raised = world.now + DAY
    await write(world, "person_skills", **offer("ben", "vim", level=2, until=raised))
    await write(world, "person_skills", **{**offer("ben", "vim", level=4), "since": raised})
    world.now += 2 * DAY
    [change] = await changes(world, of)
    assert told(change) == ("changed", "offers", "ben", ["vim"], {"level": (2, 4)}, raised)


async def test_a_level_that_was_written_over_is_told_as_corrected(world: World) -> None:
    of = await world.decision("ben")
    await write(world, "person_skills", **offer("ben", "vim", level=5))
    [change] = await changes(world, of)
    assert told(change) == ("corrected", "offers", "ben", ["vim"], {"level": (None, 5)}, None)


async def test_a_consent_that_was_withdrawn_takes_the_mentor_out_by_its_rule(world: World) -> None:
    of = await world.decision("ada")
    withdrawn = world.now + DAY
    await recording.record_consent(
        world.store, COORDINATOR, uid("ada"), "matching", False, "1", source=SOURCE, since=withdrawn
    )
    world.now += 2 * DAY
    [change] = await changes(world, of)
    fields = {"purpose": ("matching", None), "text_version": ("1", None)}
    assert told(change) == ("ended", "consents", "ada", [], fields, withdrawn)
    found = await today(world, of)
    assert places(found) == [("ada", 1, None, ["NO_CONSENT"]), ("ben", 2, 1, []), ("cal", 3, 2, []), ("dot", 4, 3, [])]
    assert [each.is_in for each in found.compared] == [False, True, True, True]


async def test_a_new_mentor_comes_in_and_whoever_they_push_out_keeps_a_rank(world: World) -> None:
    slate = await world.ask(first=2)
    assert [NAMES[each.mentor] for each in slate.recommendations] == ["ada", "ben"]
    decision = await world.log.find(slate.recommendations[1].uid)
    assert decision is not None
    await recording.record_consent(world.store, COORDINATOR, uid("eli"), "matching", True, "1", since=START - DAY)
    for skill in SKILLS:
        await write(world, "person_skills", **offer("eli", skill))
    world.now += DAY
    found = await today(world, (decision, ""))
    assert sorted(places(found)) == sorted([("ada", 1, places(found)[0][2], []), ("ben", 2, 3, []), places(found)[2]])
    assert places(found)[2][:2] == ("eli", None)
    assert {places(found)[0][2], places(found)[2][2]} == {1, 2}
    assert [each.is_in for each in found.compared] == [True, False, True]


async def test_a_mentee_who_withdraws_gets_no_answer_today_and_it_says_why(world: World) -> None:
    of = await world.decision("ada")
    await recording.record_consent(world.store, BO, uid("bo"), "matching", False, "1", since=world.now)
    world.now += DAY
    found = await today(world, of)
    assert found.refusal is not None
    assert found.refusal.code == "CONSENT_REQUIRED"
    assert [each.rank_now for each in found.compared] == [None] * 4
    assert ("ended", "consents") in {(each.what, each.kind) for each in await changes(world, of)}


async def test_evidence_of_third_people_that_ended_is_named_once(world: World) -> None:
    of = await world.decision("ada")
    assert [path.steps[-1].relationship_type for path in of[0].recommended[0].recommendation.evidence] == ["OFFERS"] * 4
    ended = world.now + DAY
    await write(world, "person_skills", **offer("ada", "go", until=ended))
    goal = uid("learn", "goals")
    await write(world, "goal_skills", goal_id=goal, skill_id=uid("sql", "skills"), since=JOINED, until=ended)
    world.now += 2 * DAY
    found = {told(each)[:4][1]: told(each) for each in await changes(world, of)}
    assert found["offers"] == ("ended", "offers", "ada", ["go"], {}, ended)
    assert found["goal_skills"][:4] == ("ended", "goal_skills", "", ["sql"])


async def test_what_begins_or_ends_by_the_clock_alone_counts_and_what_is_over_does_not(world: World) -> None:
    begins, ends = START + 5 * DAY, START + 8 * DAY
    await write(world, "absences", person_id="ada", since=begins, until=ends)
    await write(world, "absences", person_id="ada", since=START - 9 * DAY, until=START - 8 * DAY)
    of = await world.decision("ada")
    assert await changes(world, of) == []
    world.now = begins + DAY
    [change] = await changes(world, of)
    assert told(change)[:3] == ("began", "absences", "ada")
    assert change.at == begins


async def test_participants_read_of_themselves_only_and_no_reason_of_a_rule(world: World) -> None:
    of = await world.decision("ada")
    await write(world, "blocks", person_id="ada", blocked_id="bo", since=world.now)
    await write(world, "absences", person_id="ada", since=world.now, until=world.now + 30 * DAY)
    await write(world, "absences", person_id="bo", since=world.now, until=world.now + DAY)
    await overriding.override_match(
        world.store,
        COORDINATOR,
        *of,
        Override("forbid", "conflict_of_interest", "Married.", until=world.now + 9 * DAY),
        POLICY,
        clock=lambda: world.now,
    )
    world.now += DAY
    seen = [each.kind for each in await changes(world, of)]
    assert sorted(seen) == ["absences", "absences", "blocks", "overrides"]
    own = await changes(world, of, BO)
    assert [(each.kind, NAMES[each.owner]) for each in own] == [("absences", "bo")]
    [ada, *_] = (await today(world, of, BO)).compared
    assert [each.rule for each in ada.refusals] == ["NOT_AVAILABLE"]
    [ada, *_] = (await today(world, of)).compared
    assert [each.rule for each in ada.refusals] == ["BLOCKED", "FORBIDDEN_BY_COORDINATOR", "AWAY", "NO_SHARED_TIME"]


async def test_reading_both_takes_few_round_trips(world: World) -> None:
    of = await world.decision("ada")
    sent: list[str] = []
    token = round_trips.set(sent)
    await changes(world, of)
    await today(world, of)
    round_trips.reset(token)
    assert sent == ["read_touched", "read_edges", "read_changes", "read_changes"]


async def test_a_recommendation_of_another_answer_is_refused(world: World) -> None:
    """The control of every list above: an unknown id is no empty answer."""
    decision, _ = await world.decision("ada")
    with pytest.raises(DomainError, match="no recommendation has this id"):
        await changes_of(world.store, decision, uid("none"), COORDINATOR, world.now)
