"""Snapshots: what is in them, what never is, and that the past does not hold the future."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.embeddings.snapshot import FACTS, MANIFEST, load, take
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.people.recording import record_consent
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.world.community import generate

pytestmark = pytest.mark.anyio

DAY = datetime(2026, 1, 1, tzinfo=UTC)
ROWS: dict[str, list[dict[str, str]]] = {
    "units": [{"id": "u1", "name": "Water"}],
    "skills": [{"id": "sql", "name": "SQL"}],
    "people": [
        {"id": "p1", "name": "Ada Lind", "joined_on": "2024-01-01", "roles": "mentor", "zone": "Europe/Lisbon"},
        {"id": "p2", "name": "Bo Ek", "joined_on": "2024-01-01", "roles": "mentee"},
        {"id": "p3", "name": "Cy Fox", "joined_on": "2024-01-01", "roles": "mentee"},
    ],
    "consents": [
        {"person_id": person, "purpose": "training", "text_version": "1", "since": "2024-01-01", "until": until}
        for person, until in (("p1", ""), ("p2", ""), ("p3", "2025-06-01"))
    ],
    "goals": [
        {"id": "g2", "person_id": "p2", "title": "Learn SQL", "created_on": "2025-01-01", "skills": "sql"},
        {"id": "g3", "person_id": "p3", "title": "A secret plan", "created_on": "2025-01-01", "skills": "sql"},
        {"id": "g4", "person_id": "p2", "title": "Later", "created_on": "2026-02-01"},
    ],
    "pairings": [
        {"id": "m2", "mentor_id": "p1", "mentee_id": "p2", "goal_id": "g2", "started_on": "2025-02-01",
         "ended_on": "2026-03-01", "status": "completed", "outcome": "0.9"},
        {"id": "m3", "mentor_id": "p1", "mentee_id": "p3", "goal_id": "g3", "started_on": "2025-02-01",
         "ended_on": "2025-05-01", "status": "completed", "outcome": "0.2"},
    ],
    "sessions": [
        {"id": "s2", "pairing_id": "m2", "started_at": "2025-03-01", "minutes": "60"},
        {"id": "s3", "pairing_id": "m3", "started_at": "2025-03-01", "minutes": "60"},
    ],
}  # fmt: skip


def lines(folder: Path) -> list[Any]:
    with gzip.open(folder / FACTS, "rt") as stream:
        return [json.loads(line) for line in stream]


def found(columns: Columns, kind: str) -> int:
    return len(columns.tables[kind])


async def test_only_what_was_known_of_people_who_agreed_is_frozen(store: Store, tmp_path: Path) -> None:
    await import_bundle(store, bundle_of(ROWS))
    folder = await take(store, tmp_path, DAY)
    frozen = load(folder)
    counts = {kind: count for kind, count in frozen.manifest.counts.items() if count}
    assert counts == {
        "people": 2, "units": 1, "skills": 1, "goals": 1, "roles": 2, "goal_skills": 1, "pairings": 1, "sessions": 1,
    }  # fmt: skip
    assert not {"consents", "blocks", "overrides"} & {line[0] for line in lines(folder)}  # nor who agreed to what
    assert frozen.manifest.without_consent == 1
    assert {kind: found(frozen.columns, kind) for kind in counts} == counts
    pairings = frozen.columns.tables["pairings"]
    assert pairings.strings("outcome") == [None]
    assert pairings.strings("status") == ["active"]
    assert pairings.reals("until").tolist() == [float("inf")]


async def test_a_later_day_knows_more(store: Store, tmp_path: Path) -> None:
    await import_bundle(store, bundle_of(ROWS))
    frozen = load(await take(store, tmp_path, datetime(2026, 6, 1, tzinfo=UTC)))
    assert found(frozen.columns, "goals") == 2
    assert frozen.columns.tables["pairings"].strings("outcome") == [0.9]
    assert frozen.manifest.without_consent == 1
    before = load(await take(store, tmp_path, datetime(2025, 5, 20, tzinfo=UTC)))
    assert before.manifest.without_consent == 0
    assert sorted(before.columns.tables["pairings"].strings("outcome"), key=str) == [0.2, None]


async def test_names_and_comments_are_not_in_it(store: Store, tmp_path: Path) -> None:
    await import_bundle(store, bundle_of(generate(60, months=6, seed=1).rows))
    folder = await take(store, tmp_path)
    told = {name for _, _, properties, _ in lines(folder) for name in properties}
    assert told.isdisjoint({"external_id", "source", "comment", "aliases"})
    of_people = {name for kind, _, properties, _ in lines(folder) if kind == "people" for name in properties}
    assert of_people == {"uid", "since"}
    content = gzip.decompress((folder / FACTS).read_bytes()).decode()
    async for fact in store.facts(KINDS["people"]):
        assert str(fact.record.properties["name"]) not in content
    assert folder.parent.stat().st_mode & 0o777
    assert folder.stat().st_mode & 0o077 == 0


async def test_a_charter_tells_its_threshold_and_no_more(store: Store, tmp_path: Path) -> None:
    """Its owner, who has not agreed to training, is left out of it; it is not left out with them."""
    charter = {"programme_id": "pr", "owner_id": "p9", "since": "2025-01-01", "success_threshold": "0.7"}
    charter |= {"why": "secret words", "for_whom": "all", "how_measured": "x"}
    rows = {
        **ROWS,
        "people": [*ROWS["people"], {"id": "p9", "name": "Di Ek", "joined_on": "2024-01-01", "roles": "coordinator"}],
        "programmes": [{"id": "pr", "name": "Programme", "format": "long_term", "since": "2025-01-01"}],
        "charters": [charter],
    }
    await import_bundle(store, bundle_of(rows))
    folder = await take(store, tmp_path, DAY)
    [(_, uid, properties, links)] = [each for each in lines(folder) if each[0] == "charters"]
    since = round(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)
    assert properties == {"uid": uid, "since": since, "success_threshold": 0.7}
    assert set(links) == {"programme"}
    assert uid_of("bundle", "people", "p9") not in {each[1] for each in lines(folder)}
    assert load(folder).columns.tables["charters"].reals("success_threshold").tolist() == [0.7]


async def test_the_same_facts_have_the_same_name_and_bytes(store: Store, tmp_path: Path) -> None:
    await import_bundle(store, bundle_of(ROWS))
    first = await take(store, tmp_path / "one", DAY)
    again = await take(store, tmp_path / "other", DAY)
    assert first.name == again.name
    assert (first / FACTS).read_bytes() == (again / FACTS).read_bytes()
    assert await take(store, tmp_path / "one", DAY) == first
    await store.write(facts_of("sessions", {**ROWS["sessions"][0], "id": "s9"}, "bundle"))
    assert (await take(store, tmp_path / "one", DAY)).name != first.name
    assert not list((tmp_path / "one").glob(".staging-*"))


async def test_a_damaged_snapshot_is_refused(store: Store, tmp_path: Path) -> None:
    await import_bundle(store, bundle_of(ROWS))
    folder = await take(store, tmp_path, DAY)
    whole = (folder / FACTS).read_bytes()
    for damaged in (whole[:-9], b"", gzip.compress(gzip.decompress(whole).replace(b"Learn SQL", b"Learn SQX"))):
        (folder / FACTS).write_bytes(damaged)
        with pytest.raises(DomainError, match="take a new snapshot"):
            load(folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(DomainError, match="holds no snapshot"):
        load(folder)


async def test_a_folder_that_cannot_be_written_is_said(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DomainError, match="cannot be written"):
        await take(store, tmp_path / "file" / "snapshots", DAY)


async def test_a_consent_that_is_withdrawn_acts_in_the_next_snapshot(store: Store, tmp_path: Path) -> None:
    await import_bundle(store, bundle_of(ROWS))
    ada = uid_of("bundle", "people", "p1")
    assert load(await take(store, tmp_path, DAY)).manifest.without_consent == 1
    for purpose, without in (("matching", 1), ("training", 2)):
        at = DAY - timedelta(days=1)
        await record_consent(store, Viewer(person=ada), ada, purpose, False, "1", since=at)
        frozen = load(await take(store, tmp_path, DAY))
        assert frozen.manifest.without_consent == without
        assert (ada in frozen.columns.people.uids) == (purpose == "matching")
        assert frozen.manifest.counts["pairings"] == (purpose == "matching")
    await record_consent(store, Viewer(person=ada), ada, "training", True, "2", since=DAY - timedelta(hours=1))
    assert load(await take(store, tmp_path, DAY)).manifest.without_consent == 1
