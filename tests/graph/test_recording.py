"""What people tell: the same facts by every route, ended and begun as told, and counted in the next answer."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.columns.proficiency import rate_skill
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.people import recording
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.skills import curating
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from ..conftest import WIPE

pytestmark = pytest.mark.anyio

SOURCE = "hr"
JOINED = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MORNING = {"weekday": 1, "start": "09:00", "end": "11:00", "zone": "Europe/Lisbon"}
EVENING = {"weekday": 2, "start": "18:00", "end": "20:00", "zone": "Europe/Lisbon"}
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [{"id": "u1", "name": "Water"}],
    "skills": [{"id": "sql", "name": "SQL"}, {"id": "python", "name": "Python"}],
    "people": [],
    "goals": [],
    "pairings": [],
    "consents": [],
}
AT = JOINED.isoformat()
TOLD: dict[str, list[dict[str, str]]] = WORLD | {
    "people": [
        {"id": "p1", "name": "Ada", "roles": "mentor", "joined_on": AT},
        {"id": "p2", "name": "Bo", "roles": "mentee", "joined_on": AT, "zone": "Europe/Lisbon"},
    ],
    "person_skills": [
        {"person_id": "p1", "skill_id": "sql", "stance": "offers", "level": "4", "since": AT},
        {"person_id": "p2", "skill_id": "python", "stance": "wants", "since": AT},
    ],
    "consents": [{"person_id": each, "purpose": "matching", "text_version": "1", "since": AT} for each in ("p1", "p2")],
    "goals": [{"id": "g1", "person_id": "p2", "title": "Learn SQL", "unit_id": "u1", "created_on": AT}],
    "goal_skills": [{"goal_id": "g1", "skill_id": "sql", "level": "3", "since": AT}],
    "availability": [{"person_id": "p2", **{name: str(value) for name, value in MORNING.items()}, "since": AT}],
}


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


async def by_import(store: Store) -> None:
    await import_bundle(store, bundle_of(TOLD), source=SOURCE)


async def by_mutation(store: Store) -> None:
    await import_bundle(store, bundle_of(WORLD), source=SOURCE)
    options: dict[str, Any] = {"consents": ["matching"], "text_version": "1", "source": SOURCE, "now": JOINED}
    ada, bo = {"name": "Ada", "roles": "mentor"}, {"name": "Bo", "roles": "mentee", "zone": "Europe/Lisbon"}
    await recording.register_person(
        store, COORDINATOR, ada, offers=[{"skill_id": "sql", "level": 4}], external_id="p1", **options
    )
    wants = [{"skill_id": "python", "level": None}]
    await recording.register_person(store, COORDINATOR, bo, wants=wants, external_id="p2", **options)
    goal = {"person_id": uid("people", "p2"), "title": "Learn SQL", "unit_id": uid("units", "u1")}
    needs = [{"skill_id": "sql", "level": 3}]
    await recording.create_goal(store, COORDINATOR, goal, needs=needs, source=SOURCE, external_id="g1", now=JOINED)
    await recording.set_availability(store, COORDINATOR, uid("people", "p2"), [MORNING], source=SOURCE, since=JOINED)


async def by_rows(store: Store) -> None:
    for file in ("units", "skills", "people", "consents", "goals", "goal_skills", "person_skills", "availability"):
        await store.write([record for row in TOLD[file] for record in facts_of(file, row, SOURCE)])


async def wipe(store: Store) -> None:
    await store.database.run_directly(WIPE)
    await migrate(store.database)


async def test_the_same_facts_by_every_route_are_the_same_graph(store: Store) -> None:
    hashes = []
    for route in (by_import, by_mutation, by_rows):
        await wipe(store)
        await route(store)
        assert await check(store) == []
        hashes.append(await graph_hash(store))
    assert len(set(hashes)) == 1
    await recording.record_consent(store, COORDINATOR, uid("people", "p1"), "training", True, "1", since=JOINED)
    assert await graph_hash(store) != hashes[0]


async def test_telling_the_same_key_again_changes_nothing(store: Store) -> None:
    await by_mutation(store)
    before = await graph_hash(store)
    later: dict[str, Any] = {"source": SOURCE, "now": NOW}
    await recording.register_person(
        store, COORDINATOR, {"name": "Ada", "roles": "mentor"}, offers=[{"skill_id": "sql", "level": 4}],
        consents=["matching"], text_version="1", external_id="p1", **later,
    )  # fmt: skip
    goal = {"person_id": uid("people", "p2"), "title": "Learn SQL", "unit_id": uid("units", "u1")}
    await recording.create_goal(
        store, COORDINATOR, goal, needs=[{"skill_id": "sql", "level": 3}], external_id="g1", **later
    )
    await recording.set_availability(store, COORDINATOR, uid("people", "p2"), [MORNING], source=SOURCE, since=NOW)
    await recording.record_consent(store, COORDINATOR, uid("people", "p1"), "matching", True, "1", since=NOW)
    assert await graph_hash(store) == before


async def test_telling_a_key_again_says_nothing_of_what_it_leaves_out(store: Store) -> None:
    """A person who left, with a zone and a role that a first pairing dated, and a goal that was closed."""
    await import_bundle(store, bundle_of(WORLD), source=SOURCE)
    left = {"id": "p1", "name": "Ada", "joined_on": "2020-01-01", "left_on": "2024-01-01", "zone": "Europe/Lisbon"}
    goal = {"id": "g1", "person_id": "p1", "title": "Learn", "created_on": "2021-01-01", "closed_on": "2022-01-01"}
    role = {"person_id": "p1", "role_id": "mentor", "since": "2021-05-05"}
    undated = facts_of("people", {**left, "roles": "mentor"}, SOURCE)[1]
    await store.write(facts_of("people", left, SOURCE) + facts_of("goals", goal, SOURCE))
    [dated] = facts_of("roles", role, SOURCE)
    await store.write([replace(dated, uid=undated.uid, properties={**dated.properties, "uid": undated.uid})])
    before = await graph_hash(store)
    later: dict[str, Any] = {"source": SOURCE, "now": NOW}
    await recording.register_person(store, COORDINATOR, {"name": "Ada", "roles": "mentor"}, external_id="p1", **later)
    told = {"person_id": uid("people", "p1"), "title": "Learn"}
    await recording.create_goal(store, COORDINATOR, told, external_id="g1", **later)
    assert await graph_hash(store) == before
    await recording.register_person(
        store, COORDINATOR, {"name": "Ada L.", "roles": "mentor"}, external_id="p1", **later
    )
    node = (await store.read_nodes([uid("people", "p1")], NOW))[uid("people", "p1")]
    assert (node.properties["name"], node.properties["zone"]) == ("Ada L.", "Europe/Lisbon")
    assert node.properties["until"]


async def test_a_deprecated_skill_is_not_named_anew_and_goes_on_to_count_where_it_was(store: Store) -> None:
    await by_mutation(store)
    await curating.deprecate_skill(store, COORDINATOR, uid("skills", "sql"), "too broad", now=NOW)
    before = await graph_hash(store)
    goal = {"person_id": uid("people", "p2"), "title": "Learn more"}
    need = {"skill_id": uid("skills", "sql")}
    for refused in (
        recording.create_goal(store, COORDINATOR, goal, needs=[need], now=NOW),
        recording.register_person(store, COORDINATOR, {"name": "Cy"}, offers=[need], now=NOW),
    ):
        with pytest.raises(DomainError, match=r"the skill SQL is deprecated; name another one") as caught:
            await refused
        assert caught.value.code == "CONFLICT"
    assert await graph_hash(store) == before
    again: dict[str, Any] = {"needs": [need | {"level": 3}], "source": SOURCE, "external_id": "g1", "now": NOW}
    told = {**goal, "title": "Learn SQL", "unit_id": uid("units", "u1"), "created_on": JOINED}
    await recording.create_goal(store, COORDINATOR, told, **again)
    assert await graph_hash(store) == before


async def test_mentors_rate_whom_they_mentor_and_nobody_else(store: Store) -> None:
    await by_mutation(store)
    ada, bo, sql = uid("people", "p1"), uid("people", "p2"), uid("skills", "sql")
    rated = (store, Viewer(person=ada), bo, sql, 3, "mentor")
    with pytest.raises(DomainError) as caught:
        await rate_skill(*rated, clock=lambda: NOW)
    assert caught.value.code == "FORBIDDEN"
    pairing = {"id": "m", "mentor_id": ada, "mentee_id": bo, "started_on": NOW - DAY, "status": "active"}
    await store.write(facts_of("pairings", pairing, SOURCE))
    with pytest.raises(DomainError):
        await rate_skill(*rated, clock=lambda: NOW - 2 * DAY)
    await rate_skill(*rated, clock=lambda: NOW)
    [rating] = [each.record async for each in store.facts(KINDS["skill_ratings"])]
    assert (rating.properties["level"], rating.properties["rated_by"], rating.links["person"]) == (3, "mentor", bo)
    for viewer, person, by in ((ada, bo, "project"), (ada, bo, "self"), (bo, ada, "mentor")):
        with pytest.raises(DomainError):
            await rate_skill(store, Viewer(person=viewer), person, sql, 3, by, clock=lambda: NOW)


async def test_two_who_speak_at_once_do_not_mix(store: Store) -> None:
    await by_mutation(store)
    person = uid("people", "p2")
    mornings = [[{**MORNING, "weekday": weekday}] for weekday in (1, 2, 3, 4, 5, 6)]
    await asyncio.gather(*(recording.set_availability(store, COORDINATOR, person, each) for each in mornings))
    assert len(await open_windows(store, datetime.now(UTC) + timedelta(days=1))) == 1
    options: dict[str, Any] = {"consents": ["training"], "text_version": "1", "external_id": "p9"}
    await asyncio.gather(*(recording.register_person(store, COORDINATOR, {"name": "Cy"}, **options) for _ in range(6)))
    assert len(await store.read_open_facts_of(uid_of("api", "people", "p9"), NOW)) == 1


async def test_nobody_has_agreed_before_they_were_asked(store: Store) -> None:
    person = await recording.register_person(
        store, COORDINATOR, {"name": "Old hand", "joined_on": "2020-01-01"}, consents=["matching"], text_version="1",
        now=NOW,
    )  # fmt: skip
    [consent] = await store.read_open_facts_of(person, NOW)
    assert consent.properties["since"] == NOW


async def open_windows(store: Store, at: datetime) -> list[tuple[Any, Any, Any]]:
    facts = await store.read_open_facts_of(uid("people", "p2"), at)
    return sorted(
        (each.properties["weekday"], each.properties["since"], each.properties.get("until"))
        for each in facts
        if each.kind == "availability"
    )


async def test_windows_not_told_again_end_and_new_ones_begin(store: Store) -> None:
    await by_mutation(store)
    person = uid("people", "p2")
    await recording.set_availability(store, COORDINATOR, person, [MORNING, EVENING], source=SOURCE, since=NOW)
    assert await open_windows(store, NOW) == [(1, JOINED, None), (2, NOW, None)]
    await recording.set_availability(store, COORDINATOR, person, [EVENING], source=SOURCE, since=NOW + DAY)
    assert await open_windows(store, NOW) == [(1, JOINED, NOW + DAY), (2, NOW, None)]
    assert await open_windows(store, NOW + 2 * DAY) == [(2, NOW, None)]
    await recording.set_availability(store, COORDINATOR, person, [], source=SOURCE, since=NOW + 3 * DAY)
    assert await open_windows(store, NOW + 4 * DAY) == []


async def test_what_would_have_ended_later_ends_too(store: Store) -> None:
    await by_mutation(store)
    person, later = uid("people", "p2"), NOW + 30 * DAY
    window: dict[str, object] = {"person_id": person, **EVENING, "since": JOINED, "until": later}
    consent = {"person_id": person, "purpose": "training", "text_version": "1", "since": JOINED, "until": later}
    await store.write(facts_of("availability", window, SOURCE) + facts_of("consents", consent, SOURCE))
    await recording.set_availability(store, COORDINATOR, person, [], source=SOURCE, since=NOW)
    await recording.record_consent(store, COORDINATOR, person, "training", False, "1", since=NOW)
    kinds = [(each.kind, each.properties.get("purpose")) for each in await store.read_open_facts_of(person, NOW)]
    assert kinds == [("consents", "matching")]


async def test_a_withdrawn_consent_shows_in_the_next_answer(store: Store) -> None:
    await by_mutation(store)
    recommender = Recommender(store, RulesScorer(load_policy()), clock=lambda: NOW)
    mentor, mentee = uid("people", "p1"), uid("people", "p2")
    slate = await recommender.recommend(COORDINATOR, mentee)
    assert [each.mentor for each in slate.recommendations] == [mentor]
    before = NOW - timedelta(seconds=1)
    await recording.record_consent(store, Viewer(mentor), mentor, "matching", False, "1", since=before)
    assert (await recommender.recommend(COORDINATOR, mentee)).recommendations == ()
    await recording.record_consent(store, Viewer(mentee), mentee, "matching", False, "1", since=before)
    with pytest.raises(DomainError) as caught:
        await recommender.recommend(COORDINATOR, mentee)
    assert caught.value.code == "CONSENT_REQUIRED"


async def test_whoever_was_registered_a_moment_ago_gets_a_list_of_their_own(store: Store) -> None:
    await by_mutation(store)
    await recording.register_person(
        store, COORDINATOR, {"name": "Cy", "roles": "mentor"}, consents=["matching"], text_version="1",
        offers=[{"skill_id": uid("skills", "python"), "level": 5}],
    )  # fmt: skip
    recommender = Recommender(store, RulesScorer(load_policy()))
    lists = []
    for skill in ("sql", "python"):
        person = await recording.register_person(
            store, COORDINATOR, {"name": "New", "roles": "mentee"}, wants=[{"skill_id": uid("skills", skill)}],
            consents=["matching"], text_version="1",
        )  # fmt: skip
        slate = await recommender.recommend(Viewer(person), person)
        lists.append([each.mentor for each in slate.recommendations])
        [best, _] = slate.recommendations
        assert [path.signal for path in best.paths] == ["skills"]
    assert lists[0] == lists[1][::-1]


async def test_who_may_not_speak_and_what_cannot_be_is_said(store: Store) -> None:
    await by_mutation(store)
    bo, ada = Viewer(uid("people", "p2")), uid("people", "p1")
    auditor = Viewer(uid("people", "p2"), roles=frozenset({"auditor", "data_scientist"}))  # sees all, tells nothing
    for viewer in (bo, auditor):
        for work in (
            recording.register_person(store, viewer, {"name": "X"}),
            recording.create_goal(store, viewer, {"person_id": ada, "title": "X"}),
            recording.set_availability(store, viewer, ada, []),
            recording.record_consent(store, viewer, ada, "matching", False, "1"),
        ):
            with pytest.raises(DomainError) as caught:
                await work
            assert caught.value.code == "FORBIDDEN"
    unknown = uid("people", "nobody")
    with pytest.raises(DomainError) as caught:
        await recording.set_availability(store, COORDINATOR, unknown, [MORNING])
    assert caught.value.code == "NOT_FOUND"
    with pytest.raises(InvalidFact, match="overlaps the window from 09:00 to 11:00"):
        await recording.set_availability(store, COORDINATOR, ada, [MORNING, MORNING])
    with pytest.raises(InvalidFact, match="has the form of our own ids"):
        await recording.register_person(store, COORDINATOR, {"name": "X"}, external_id=ada)


async def test_an_empty_graph_knows_nobody(store: Store) -> None:
    recommender = Recommender(store, RulesScorer(load_policy()))
    with pytest.raises(DomainError) as caught:
        await recommender.recommend(COORDINATOR, uid("people", "p1"))
    assert caught.value.code == "NOT_FOUND"
    person = await recording.register_person(
        store, COORDINATOR, {"name": "First", "roles": "mentor|mentee"}, consents=["matching"], text_version="1"
    )
    slate = await recommender.recommend(Viewer(person), person, with_total=True)
    assert (slate.recommendations, slate.total, slate.has_next) == ((), 0, False)
