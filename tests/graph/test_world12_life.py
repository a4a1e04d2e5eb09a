"""The world of twelve people once more: tiers, profiles, surveys, stalls, outcomes and shares, worked out by hand."""

import tomllib
from datetime import datetime
from typing import Any

import pytest

from mentorgraph.graph.exchange.bundle import import_bundle, open_bundle
from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.facts.outcomes import outcome_of
from mentorgraph.graph.paging import Part
from mentorgraph.graph.pairings.stalls import list_stalled
from mentorgraph.graph.pairings.surveys import list_due
from mentorgraph.graph.people.admission import eligibility
from mentorgraph.graph.people.participants import participant
from mentorgraph.graph.people.profile import completeness_of
from mentorgraph.graph.ranking.catalogue import Entry, Wanted, page_of_catalogue
from mentorgraph.graph.skills.taxonomy import Taxonomy
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR
from mentorgraph.graph.vocabulary import OPEN_REQUEST_STATES

from ..conftest import WIPE
from .test_world12 import SOURCE, WORLD, uid

pytestmark = pytest.mark.anyio

LIFE: dict[str, Any] = tomllib.loads((WORLD / "answers.toml").read_text("utf-8"))["life"]
NOW = datetime.fromisoformat(LIFE["as_of"])


@pytest.fixture
async def world(store: Store) -> Store:
    await store.database.run_directly(WIPE)
    await migrate(store.database)
    result = await import_bundle(store, open_bundle(WORLD), source=SOURCE)
    assert set(result.total) == {"created"}
    return store


async def test_the_sheet_of_what_else_there_is_to_know_is_right(world: Store) -> None:
    """One world for the whole sheet; each part is compared as a whole, so that a wrong entry shows what is right."""
    assert await check(world) == []

    tiers = {}
    for person in LIFE["eligibility"]:
        found = await eligibility(
            world, COORDINATOR, uid("people", person), uid("programmes", "year"), "mentor", now=NOW
        )
        named = zip(("guide", "senior"), found, strict=True)
        tiers[person] = {tier: [refusal.rule for refusal in each.unmet] for tier, each in named}
    assert tiers == LIFE["eligibility"]

    profiles = {}
    for person in LIFE["completeness"]:
        complete = completeness_of(await participant(world, uid("people", person), NOW))
        profiles[person] = {"share": complete.share, "missing": [each.field for each in complete.missing]}
    assert profiles == LIFE["completeness"]

    pairings = {uid("pairings", key): key for key in ("hal-noa", "cal-eve", "dan-fin", "gus-eve", "joe-dan")}
    surveys = {}
    for person in LIFE["surveys"]:
        due = await list_due(world, COORDINATOR, uid("people", person), now=NOW)
        surveys[person] = [[pairings[each.pairing], each.survey.round] for each in due]
    assert surveys == LIFE["surveys"]

    assert [
        {
            "pairing": pairings[each.pairing],
            "since": each.since.isoformat().replace("+00:00", "Z"),
            "cause": each.cause,
            "further": list(each.further),
        }
        for each in await list_stalled(world, COORDINATOR, now=NOW)
    ] == LIFE["stalled"]

    courses = await world.read_courses(pairings)
    for key, right in LIFE["outcomes"].items():
        course = courses[uid("pairings", key)]
        assert course.pairing.properties["outcome"] == right["told"]
        assert outcome_of(course) == (pytest.approx(right["by_answers"], abs=1e-9) if "by_answers" in right else None)

    for day, right in LIFE["taken"].items():
        mentors = {uid("people", name): name for name in right}
        rows = await world.read_candidates(uid("people", "mia"), list(mentors), datetime.fromisoformat(day))
        assert {mentors[row["uid"]]: row["taken"] for row in rows} == right

    for person, right in LIFE["requests"].items():
        waiting = await world.page_requests_of(uid("people", person), OPEN_REQUEST_STATES, Part("", "", 10))
        assert waiting.uids == [uid("requests", each) for each in right]

    for each in LIFE["catalogue"]:
        assert await catalogue(world, each["filter"]) == [uid("people", name) for name in by_uid(each["mentors"])]
    offers: dict[str, dict[str, float | None]] = {}
    for entry in await entries(world, Wanted()):
        offers |= {entry.mentor: {skill.skill: skill.level for skill in entry.skills}} if entry.skills else {}
    assert offers == {
        uid("people", name): {uid("skills", skill): pytest.approx(level, abs=1e-6) for skill, level in right.items()}
        for name, right in LIFE["offers"].items()
    }


async def entries(world: Store, wanted: Wanted) -> list[Entry]:
    taxonomy = await Taxonomy.of(world, NOW)
    return await page_of_catalogue(world, COORDINATOR, taxonomy, wanted, max_mentees=3, limit=20, now=NOW)


async def catalogue(world: Store, wanted: dict[str, Any]) -> list[str]:
    kinds = {"skill": "skills", "programme": "programmes"}
    named: dict[str, Any] = {
        name: uid(kinds[name], value) if name in kinds else value for name, value in wanted.items()
    }
    return [each.mentor for each in await entries(world, Wanted(**named))]


def by_uid(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: uid("people", name))


async def test_another_answer_would_be_noticed(world: Store) -> None:
    assert len(await catalogue(world, {"skill": "facilitation"})) != len(await catalogue(world, {"skill": "sql"}))
    own = completeness_of(await participant(world, uid("people", "mia"), NOW))
    assert own.share != LIFE["completeness"]["abe"]["share"]
    assert [each.cause for each in await list_stalled(world, COORDINATOR, now=NOW)] != ["stopped_meeting"]
    assert await list_stalled(world, COORDINATOR, now=datetime.fromisoformat("2026-02-14T00:00:00Z")) == []
