"""Programmes as configuration: versions of a charter, tiers, clones and archives, on the real graph."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from mentorgraph.graph.clock import Clock
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, export_bundle, import_bundle, open_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.label import Weights, outcome
from mentorgraph.graph.facts.model import InvalidFact, uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.paging import Part
from mentorgraph.graph.pairings.pairing import request_mentor
from mentorgraph.graph.people import admission, programmes
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.programme_reads import Configuration
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

pytestmark = pytest.mark.anyio

SOURCE = "hr"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
JOINED = "2025-12-01"
CHARTER = {
    "why": "More people lead.",
    "for_whom": "Everybody.",
    "how_measured": "By what they deliver.",
    "skill_weight": 0.5,
    "delivery_weight": 0.5,
    "success_threshold": 0.7,
    "survey_days": 30,
}
UNKNOWN = "00000000-0000-5000-8000-000000000000"


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


ADA, BO = uid("people", "ada"), uid("people", "bo")
PROGRAMME = uid("programmes", "p")
ALL = Part("", "", 9)
ANYBODY = Viewer(person=BO, roles=frozenset({"mentee"}))


def at(instant: datetime) -> Clock:
    return lambda: instant


async def create(store: Store, **options: Any) -> str:
    row = {"name": "First cohort", "format": "cohort", "check_in_days": 21, **options.pop("row", {})}
    charter = {**CHARTER, **options.pop("charter", {})}
    options = {"source": SOURCE, "external_id": "p", "clock": at(NOW), **options}
    return await programmes.create_programme(store, options.pop("viewer", COORDINATOR), row, charter, **options)


async def revise(store: Store, when: datetime, *, now: datetime = NOW, **changes: Any) -> None:
    await programmes.revise_charter(store, COORDINATOR, PROGRAMME, changes, since=when, source=SOURCE, clock=at(now))


async def configuration(store: Store, programme: str = PROGRAMME) -> Configuration:
    return (await store.read_programmes([programme]))[programme]


async def code(work: Awaitable[object]) -> tuple[str, str]:
    """Code and field with which some work is refused."""
    try:
        await work
    except DomainError as error:
        return error.code, error.field or ""
    except InvalidFact as error:
        return "BAD_USER_INPUT", error.problems[0].column
    raise AssertionError("it was not refused")


async def unchanged(store: Store, work: Callable[[], Awaitable[object]]) -> bool:
    """Whether some work leaves the graph as it is, down to the counter of changes."""
    before = await store.read_changes()
    await work()
    return await store.read_changes() == before


async def refused(store: Store, work: Awaitable[object]) -> tuple[str, str]:
    """Code and field of a refusal that writes nothing."""
    before = await store.read_changes()
    found = await code(work)
    assert await store.read_changes() == before
    return found


@pytest.fixture
async def people(store: Store) -> Store:
    """Ada, who is a mentor, and Bo, who seeks one."""
    rows: dict[str, list[dict[str, str]]] = {
        "units": [],
        "skills": [{"id": "sql", "name": "SQL"}],
        "goals": [],
        "pairings": [],
        "people": [{"id": name, "name": name.title(), "joined_on": JOINED} for name in ("ada", "bo")],
        "roles": [{"person_id": "ada", "role_id": "mentor", "since": JOINED, "hours_per_month": "3"}],
        "person_skills": [{"person_id": "ada", "skill_id": "sql", "stance": "offers", "since": JOINED, "level": "3"}],
        "consents": [
            {"person_id": name, "purpose": "matching", "text_version": "1", "since": JOINED} for name in ("ada", "bo")
        ],
    }
    result = await import_bundle(store, bundle_of(rows), source=SOURCE)
    assert set(result.total) == {"created"}
    return store


_keys = count()


async def set_tier(store: Store, trainings: list[str] | None = None, **row: Any) -> str:
    options = {"since": row.pop("since", None), "external_id": row.pop("external_id", f"tier {next(_keys)}")}
    row = {"name": "Guide", "role": "mentor", "rank": 1, **row}
    clock = at(row.pop("now", NOW))
    return await admission.set_tier(
        store, COORDINATOR, PROGRAMME, row, trainings or [], source=SOURCE, clock=clock, **options
    )


async def define(store: Store, name: str, **row: Any) -> str:
    told = {"name": name, "since": NOW - 100 * DAY, **row}
    return await admission.define_training(store, COORDINATOR, told, source=SOURCE, external_id=name, clock=at(NOW))


async def write(store: Store, file: str, **row: object) -> None:
    await store.write(facts_of(file, row, SOURCE))


async def test_a_programme_begins_with_its_charter_and_is_told_once(people: Store) -> None:
    assert await create(people, charter={"owner_id": ADA}) == PROGRAMME
    known = await configuration(people)
    [charter] = known.charters
    assert known.programme.properties["since"] == charter.properties["since"] == NOW
    assert charter.links == {"programme": PROGRAMME, "owner": ADA}
    weights = Weights.of(charter.properties)
    assert weights == Weights(0.5, 0.0, 0.5, 0.7)
    assert outcome(weights, 1.0, 0.0, 0.5) == 0.75
    assert await unchanged(people, lambda: create(people, charter={"why": "Something else."}))
    assert await check(people) == []


async def test_the_same_programme_by_a_bundle_is_the_same_graph(people: Store, tmp_path: Any) -> None:
    await create(people, charter={"owner_id": ADA})
    await revise(people, NOW + DAY, why="More people lead well.")
    training = await admission.define_training(people, COORDINATOR, {"name": "Listening"}, clock=at(NOW))
    await set_tier(people, [training], name="Guide")
    told = await graph_hash(people)
    await export_bundle(people, tmp_path)
    result = await import_bundle(people, open_bundle(tmp_path), source="elsewhere")
    assert set(result.total) == {"same"}
    assert await graph_hash(people) == told


async def test_a_revision_ends_the_version_that_holds_and_each_day_has_its_own(people: Store) -> None:
    await create(people, charter={"owner_id": ADA})
    await revise(people, NOW + 10 * DAY, why="More people lead well.", owner_id=None)
    await revise(people, NOW + 20 * DAY, skill_weight=None, confidence_weight=1)
    known = await configuration(people)
    spans = [(each.properties["since"], each.properties.get("until")) for each in known.charters]
    assert spans == [
        (NOW, NOW + 10 * DAY),
        (NOW + 10 * DAY, NOW + 20 * DAY),
        (NOW + 20 * DAY, None),
    ]
    assert [each.properties["why"] for each in known.charters] == [CHARTER["why"]] + 2 * ["More people lead well."]
    assert [each.links.get("owner") for each in known.charters] == [ADA, None, None]
    assert Weights.of(known.charters[2].properties) == Weights(0.0, 1.0, 0.5, 0.7)
    for days, expected in ((-1, None), (0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (400, 2)):
        found = known.charter_at(NOW + days * DAY)
        assert found == (None if expected is None else known.charters[expected]), days
    assert await check(people) == []


async def test_a_revision_told_again_changes_nothing(people: Store) -> None:
    await create(people)
    assert await unchanged(people, lambda: revise(people, NOW + 5 * DAY, why=CHARTER["why"]))
    await revise(people, NOW + 10 * DAY, why="Second.")
    await revise(people, NOW + 20 * DAY, for_whom="Third.")
    for days, changes in ((20, {"for_whom": "Third."}), (10, {"why": "Second."}), (30, {"why": "Second."})):
        when = NOW + days * DAY
        assert await unchanged(people, lambda when=when, changes=changes: revise(people, when, **changes))  # type: ignore[misc]
    assert len((await configuration(people)).charters) == 3


async def test_a_revision_that_does_not_fit_is_refused_and_writes_nothing(people: Store) -> None:
    await create(people, row={"until": NOW + 90 * DAY})
    await revise(people, NOW + 10 * DAY, why="Second.")
    for days, changes, expected in (
        (9, {"why": "Late."}, ("BAD_USER_INPUT", "since")),
        (-1, {"why": "Before."}, ("BAD_USER_INPUT", "since")),
        (10, {"why": "At the same instant."}, ("CONFLICT", "since")),
        (0, {"why": "At the first instant."}, ("CONFLICT", "since")),
        (90, {"why": "After the end."}, ("BAD_USER_INPUT", "since")),
        (20, {"skill_weight": 0, "delivery_weight": 0}, ("BAD_USER_INPUT", "skill_weight")),
        (20, {"skill_weight": 1.5}, ("BAD_USER_INPUT", "skill_weight")),
        (20, {"why": None}, ("BAD_USER_INPUT", "why")),
        (20, {"owner_id": UNKNOWN}, ("NOT_FOUND", "ownerId")),
    ):
        when = NOW + days * DAY
        work = programmes.revise_charter(people, COORDINATOR, PROGRAMME, changes, since=when, clock=at(NOW))
        assert await refused(people, work) == expected, (days, changes)
    unknown = programmes.revise_charter(people, COORDINATOR, UNKNOWN, {"why": "x"})
    assert await refused(people, unknown) == ("NOT_FOUND", "programmeId")
    await revise(people, NOW + 20 * DAY, why="One that fits.")
    assert len((await configuration(people)).charters) == 3


async def test_a_programme_that_does_not_make_sense_is_refused_and_writes_nothing(people: Store) -> None:
    for options, expected in (
        ({"row": {"since": NOW, "until": NOW - DAY}}, ("BAD_USER_INPUT", "until")),
        ({"row": {"format": "lecture"}}, ("BAD_USER_INPUT", "format")),
        ({"row": {"check_in_days": 0}}, ("BAD_USER_INPUT", "check_in_days")),
        ({"row": {"name": " "}}, ("BAD_USER_INPUT", "name")),
        ({"charter": {"skill_weight": 0, "delivery_weight": 0}}, ("BAD_USER_INPUT", "charter.skill_weight")),
        ({"charter": {"for_whom": None}}, ("BAD_USER_INPUT", "charter.for_whom")),
        ({"charter": {"owner_id": UNKNOWN}}, ("NOT_FOUND", "charter.ownerId")),
        ({"charter": {"owner_id": uid("skills", "sql")}}, ("NOT_FOUND", "charter.ownerId")),
        ({"viewer": ANYBODY}, ("FORBIDDEN", "")),
    ):
        assert await refused(people, create(people, **options)) == expected, options
    assert await people.read_programmes([PROGRAMME]) == {}


async def clone(store: Store, key: str = "q", **options: Any) -> str:
    row = {"name": "Second cohort", **options.pop("row", {})}
    options = {"source": SOURCE, "external_id": key, "clock": at(NOW + 50 * DAY), **options}
    return await programmes.clone_programme(
        store, options.pop("viewer", COORDINATOR), options.pop("programme", PROGRAMME), row, **options
    )


def shape(known: Configuration) -> dict[str, object]:
    """What a programme says, without identities and times."""

    def said(records: Any) -> list[dict[str, object]]:
        return [
            {name: value for name, value in each.properties.items() if name not in programmes.IDENTITY}
            for each in records
        ]

    names = {each.uid: each.properties["name"] for each in known.tiers}
    return {
        "charter": said(known.charters[-1:]),
        "tiers": said(known.tiers),
        "demands": sorted((str(names[each.links["tier"]]), each.links["training"]) for each in known.demands),
        "steps": said(known.steps),
    }


async def laid_down(store: Store) -> None:
    """The programme, with two versions, two tiers that hold and one that ended, a training, a step and a member."""
    await create(store, charter={"owner_id": ADA})
    await revise(store, NOW + 10 * DAY, why="Second.")
    training = await define(store, "Listening")
    await set_tier(store, [training], name="Guide", least_days=90)
    await set_tier(store, name="Senior", rank=2)
    ended = await set_tier(store, [training], name="Ended", rank=3)
    await admission.end_tier(store, COORDINATOR, ended, until=NOW + DAY)
    step = {"id": "s", "programme_id": PROGRAMME, "name": "Read", "necessity": "optional", "position": 1}
    await write(store, "onboarding_steps", since=NOW, **step)
    await write(store, "memberships", person_id=ADA, programme_id=PROGRAMME, role="mentor", since=NOW)


async def test_a_clone_is_laid_down_alike_and_nobody_is_in_it(people: Store) -> None:
    await laid_down(people)
    new = await clone(people, row={"since": NOW + 60 * DAY, "until": NOW + 90 * DAY})
    assert await unchanged(people, lambda: clone(people, row={"name": "Other"}))
    old, known = await configuration(people), await configuration(people, new)
    assert known.programme.properties == {
        "uid": uid("programmes", "q"),
        "external_id": "q",
        "source": SOURCE,
        "name": "Second cohort",
        "format": "cohort",
        "check_in_days": 21,
        "since": NOW + 60 * DAY,
        "until": NOW + 90 * DAY,
    }
    expected = shape(old)
    expected["tiers"] = [each for each in expected["tiers"] if each["name"] != "Ended"]  # type: ignore[attr-defined]
    expected["demands"] = [("Guide", uid("trainings", "Listening"))]
    assert shape(known) == expected
    assert [each.properties["why"] for each in known.charters] == ["Second."]
    assert known.charters[0].links == {"programme": new}
    everything = (*known.charters, *known.tiers, *known.demands, *known.steps)
    assert {each.properties["since"] for each in everything} == {NOW + 60 * DAY}
    assert not {each.uid for each in everything} & {each.uid for each in (*old.tiers, *old.demands, *old.steps)}
    assert (await people.read_engagements(new, NOW)).memberships == ()
    now = NOW + 50 * DAY
    alike = programmes.config_hash(old, now)
    assert programmes.config_hash(known, now) == alike
    guide = next(each.uid for each in known.tiers if each.properties["name"] == "Guide")
    changed = await admission.revise_tier(people, COORDINATOR, guide, {}, [], since=NOW + 61 * DAY, clock=at(now))
    known = await configuration(people, new)
    assert changed != guide
    assert programmes.config_hash(known, NOW + 60 * DAY) == alike
    assert programmes.config_hash(known, NOW + 61 * DAY) != alike
    assert programmes.config_hash(old, NOW + 9 * DAY) != alike
    assert await check(people) == []


async def test_a_clone_that_does_not_make_sense_is_refused_and_writes_nothing(people: Store) -> None:
    await laid_down(people)
    for options, expected in (
        ({"programme": UNKNOWN}, ("NOT_FOUND", "programmeId")),
        ({"programme": ADA}, ("NOT_FOUND", "programmeId")),
        ({"row": {"since": NOW, "until": NOW - DAY}}, ("BAD_USER_INPUT", "until")),
        ({"owner": UNKNOWN}, ("NOT_FOUND", "ownerId")),
        ({"viewer": ANYBODY}, ("FORBIDDEN", "")),
    ):
        assert await refused(people, clone(people, **options)) == expected, options


async def archive(store: Store, when: datetime = NOW + 40 * DAY, viewer: Viewer = COORDINATOR) -> None:
    await programmes.archive_programme(store, viewer, PROGRAMME, clock=at(when))


async def test_an_archived_programme_has_ended_with_all_that_belongs_to_it_and_can_be_read_and_cloned(
    people: Store,
) -> None:
    await laid_down(people)
    end = NOW + 40 * DAY
    assert await refused(people, archive(people, viewer=ANYBODY)) == ("FORBIDDEN", "")
    await archive(people)
    known = await configuration(people)
    assert known.ended(end) == end
    assert known.ended(end - DAY) is None
    everything = [known.programme, *known.charters, *known.tiers, *known.demands, *known.steps]
    everything += [fact.record async for fact in people.facts(KINDS["memberships"])]
    untils = sorted(each.properties["until"] for each in everything)
    assert untils == [NOW + DAY] * 2 + [NOW + 10 * DAY] + [end] * 7
    assert known.charter_at(end) is None
    assert known.charter_at(end - DAY) == known.latest_charter(end) == known.charters[1]
    assert await people.page_programmes(True, end, ALL) == ([PROGRAMME], None)
    assert await people.page_programmes(False, end, ALL) == ([], None)
    assert await people.page_programmes(None, end, ALL) == ([PROGRAMME], None)
    assert await people.page_programmes(False, end - DAY, ALL) == ([PROGRAMME], None)
    assert await refused(people, archive(people, end + DAY)) == ("CONFLICT", "programmeId")
    assert await refused(people, revise(people, end - DAY, now=end, why="Third.")) == ("ARCHIVED", "programmeId")
    assert await refused(people, set_tier(people, rank=5, now=end)) == ("ARCHIVED", "programmeId")
    again = await configuration(people, await clone(people))
    assert [each.properties["name"] for each in again.tiers] == ["Guide", "Senior"]
    assert [each.properties["why"] for each in again.charters] == ["Second."]
    assert len(again.demands) == len(again.steps) == 1
    assert await check(people) == []


async def test_an_archive_waits_for_what_is_open_and_takes_no_requests_after(people: Store) -> None:
    await laid_down(people)
    settings = load_policy()
    row = {"mentee_id": BO, "mentor_id": ADA, "programme_id": PROGRAMME}

    def ask(when: datetime, **changes: str) -> Awaitable[str]:
        return request_mentor(people, COORDINATOR, {**row, **changes}, settings, clock=at(when))

    request = await ask(NOW + DAY)
    running = {"mentor_id": ADA, "mentee_id": BO, "programme_id": PROGRAMME, "started_on": NOW + DAY}
    await write(people, "pairings", id="a", status="active", **running)
    with pytest.raises(DomainError, match=r"open pairings: 1 .*end them.*open requests: 1 .*withdrawn"):
        await archive(people)
    assert await refused(people, archive(people)) == ("IN_USE", "programmeId")
    assert (await configuration(people)).ended(NOW + 100 * DAY) is None
    await write(people, "pairings", id="a", status="ended", ended_on=NOW + 2 * DAY, **running)
    told = (await people.read_request(request, NOW)).record.properties  # type: ignore[union-attr]
    closed = {"id": request, "asked_on": told["since"], "status": "withdrawn", "answered_on": NOW + 2 * DAY}
    await write(people, "requests", **row, **closed, answer_within_days=14, source=told["source"])
    await archive(people)
    assert await refused(people, ask(NOW + 41 * DAY)) == ("ARCHIVED", "programmeId")
    assert await refused(people, ask(NOW + 41 * DAY, programme_id=UNKNOWN)) == ("NOT_FOUND", "programmeId")
    assert await ask(NOW + 41 * DAY, programme_id="")


async def test_a_programme_archived_before_it_began_never_ran(people: Store) -> None:
    await create(people, row={"since": NOW + 9 * DAY})
    await archive(people, NOW)
    known = await configuration(people)
    assert known.programme.properties["until"] == NOW + 9 * DAY
    assert known.ended(NOW) == NOW + 9 * DAY
    assert await people.page_programmes(True, NOW, ALL) == ([PROGRAMME], None)
    assert await refused(people, archive(people, NOW)) == ("CONFLICT", "programmeId")


async def test_a_programme_whose_last_day_has_passed_can_still_be_closed(people: Store) -> None:
    await create(people, row={"until": NOW + 9 * DAY})
    await archive(people, NOW + 20 * DAY)
    known = await configuration(people)
    assert known.programme.properties["until"] == NOW + 9 * DAY
    assert known.charters[0].properties["until"] == NOW + 20 * DAY
