"""Scripts: both sides read the same text, a new version ends the old one, and what it said stays known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, uid_of
from mentorgraph.graph.people.scripts import scripts_of_pairing, set_script
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

pytestmark = pytest.mark.anyio

SOURCE = "hr"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [],
    "programmes": [
        {"id": "long", "name": "Long", "format": "long_term", "since": "2026-01-05"},
        {"id": "peers", "name": "Peers", "format": "peer", "since": "2026-01-05"},
    ],
    "people": [{"id": each, "name": each.title(), "joined_on": "2026-01-05"} for each in ("ada", "bo", "cy")],
    "consents": [],
    "goals": [],
    "pairings": [
        {
            "id": programme, "mentor_id": "ada", "mentee_id": "bo", "programme_id": programme,
            "started_on": "2026-02-02", "status": "active",
        }
        for programme in ("long", "peers")
    ],
}  # fmt: skip
ADA, BO, CY = (uid_of(SOURCE, "people", each) for each in ("ada", "bo", "cy"))
LONG, PEERS = (uid_of(SOURCE, "programmes", each) for each in ("long", "peers"))


@pytest.fixture
async def filled(store: Store) -> Store:
    await import_bundle(store, bundle_of(WORLD), source=SOURCE)
    return store


async def read(
    store: Store, pairing: str, viewer: Viewer = COORDINATOR, now: datetime = LATER
) -> list[tuple[str, str]]:
    found = await scripts_of_pairing(store, viewer, uid_of(SOURCE, "pairings", pairing), clock=lambda: now)
    return [(each.title, each.text) for each in found]


async def write(store: Store, title: str, text: str, **options: str) -> None:
    written = await set_script(store, COORDINATOR, title, text, **options, clock=lambda: NOW)
    assert written is not None
    programme, format = options.get("programme", ""), options.get("format", "")
    assert written in await store.read_scripts(programme, format, NOW)


async def test_a_pairing_reads_what_is_for_its_programme_for_its_format_and_for_all(filled: Store) -> None:
    await write(filled, "Handbook", "Be kind.")
    await write(filled, "Agenda", "Goals first.", format="long_term")
    await write(filled, "Agenda", "Ask each other.", programme=PEERS)
    for viewer in (COORDINATOR, Viewer(person=ADA), Viewer(person=BO)):
        assert await read(filled, "long", viewer) == [("Agenda", "Goals first."), ("Handbook", "Be kind.")]
        assert await read(filled, "peers", viewer) == [("Agenda", "Ask each other."), ("Handbook", "Be kind.")]
    with pytest.raises(DomainError) as caught:
        await read(filled, "long", Viewer(person=CY))
    assert caught.value.code == "NOT_FOUND"


async def test_a_new_version_ends_the_old_one_and_the_same_again_changes_nothing(filled: Store) -> None:
    await write(filled, "Agenda", "Goals first.", programme=LONG)
    first = await graph_hash(filled)
    await set_script(filled, COORDINATOR, "Agenda", "Goals first.", programme=LONG, clock=lambda: LATER)
    assert await graph_hash(filled) == first
    await set_script(filled, COORDINATOR, "Agenda", "Listen first.", programme=LONG, clock=lambda: LATER)
    assert await read(filled, "long", now=LATER - timedelta(hours=1)) == [("Agenda", "Goals first.")]
    assert await read(filled, "long", now=LATER) == [("Agenda", "Listen first.")]
    await set_script(filled, COORDINATOR, "Agenda", "", programme=LONG, clock=lambda: LATER + timedelta(days=1))
    assert await read(filled, "long", now=LATER + timedelta(days=1)) == []
    ends = [each.record.properties.get("until") async for each in filled.facts(KINDS["scripts"])]
    assert sorted(ends, key=str) == [LATER, LATER + timedelta(days=1)]
    assert await check(filled) == []


async def test_what_cannot_be_is_refused_and_nothing_is_written(filled: Store) -> None:
    before = await graph_hash(filled)
    refused: list[tuple[Viewer, dict[str, Any], str]] = [
        (Viewer(person=ADA), {}, "FORBIDDEN"),
        (COORDINATOR, {"programme": ADA}, "NOT_FOUND"),
        (COORDINATOR, {"text": ""}, "NOT_FOUND"),
    ]
    for viewer, options, code in refused:
        with pytest.raises(DomainError) as caught:
            await set_script(filled, viewer, "Agenda", **({"text": "Goals."} | options))
        assert caught.value.code == code
    for title, text, format, column in (
        ("", "x", "", "title"),
        ("A", "x" * 20_001, "", "text"),
        ("A", "x", "y", "format"),
    ):
        with pytest.raises(InvalidFact) as invalid:
            await set_script(filled, COORDINATOR, title, text, format=format)
        assert [each.column for each in invalid.value.problems] == [column]
    assert await graph_hash(filled) == before
