"""Notes on sessions: written and read by the people of a pairing alone, and in nothing that learns, counts or logs."""

import asyncio
import gzip
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.embeddings.snapshot import FACTS, take
from mentorgraph.graph.clock import present
from mentorgraph.graph.columns.columns import LOADED
from mentorgraph.graph.decisions.log import FOLDER
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.bundle import bundle_of, export_bundle, import_bundle
from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.pairings.notes import write_note
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

from ..conftest import run_directly
from .conftest import Api, asked_about, connected
from .pages import DOCS, play

SOURCE = "hr"
SINCE = "2026-01-01"
NAMES = ("ada", "bo", "eve", "gil", "zoe")
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [],
    "goals": [{"id": "g", "person_id": "bo", "title": "Run a Marathon", "created_on": SINCE}],
    "people": [{"id": each, "name": each.title(), "joined_on": SINCE, "zone": "Europe/Lisbon"} for each in NAMES],
    "roles": [{"person_id": each, "role_id": "mentor", "since": SINCE} for each in ("ada", "eve", "gil", "zoe")]
    + [{"person_id": "bo", "role_id": "mentee", "since": SINCE}],
    "consents": [
        {"person_id": each, "purpose": purpose, "text_version": "1", "since": SINCE}
        for each in NAMES
        for purpose in ("matching", "training")
    ],
    "pairings": [{"id": "q", "mentor_id": "ada", "mentee_id": "bo", "started_on": SINCE, "status": "active"}],
    "co_mentors": [
        {"person_id": "eve", "pairing_id": "q", "share": "0.25", "since": SINCE},
        {"person_id": "gil", "pairing_id": "q", "share": "0.25", "since": SINCE, "until": "2026-02-01"},
    ],
    "sessions": [{"id": "s", "pairing_id": "q", "started_at": "2026-02-03T10:00:00Z", "minutes": "30", "kind": "live"}],
}
ERRORS = "userErrors { message field code }"
NOTES = "notes { person { name } agreed nextStep }"
RECORD = f"""
mutation ($input: RecordSessionInput!) {{ told: recordSession(input: $input) {{ session {{ id {NOTES} }} {ERRORS} }} }}
"""
WRITE = f"mutation ($input: WriteNoteInput!) {{ told: writeNote(input: $input) {{ session {{ {NOTES} }} {ERRORS} }} }}"
READ = f"query ($id: ID!) {{ node(id: $id) {{ ... on Session {{ minutes {NOTES} }} }} }}"
SESSIONS = f"query ($id: ID!) {{ node(id: $id) {{ ... on Pairing {{ sessions {{ nodes {{ id {NOTES} }} }} }} }} }}"
SECRET = "Xylophone"


@pytest.fixture
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    with asked_about(server, WORLD, SOURCE) as asking:
        yield asking


def gid(kind: str, key: str) -> str:
    return global_id(KINDS[kind].label, uid_of(SOURCE, kind, key))


ADA, BO, EVE, GIL, ZOE = (gid("people", each) for each in NAMES)
PAIRING, SESSION = gid("pairings", "q"), gid("sessions", "s")


def tell(api: Api, mutation: str, viewer: str, **input: Any) -> dict[str, Any]:
    payload: dict[str, Any] = api.data(mutation, viewer=viewer, input=input)["told"]
    assert payload["userErrors"] == []
    found: dict[str, Any] = payload["session"]
    return found


def refused(api: Api, mutation: str, viewer: str, **input: Any) -> tuple[str, list[str]]:
    payload = api.data(mutation, viewer=viewer, input=input)["told"]
    [error] = payload["userErrors"]
    return error["code"], error["field"]


def held(**more: Any) -> dict[str, Any]:
    started = (present() - timedelta(days=2)).isoformat()
    return {"pairingId": PAIRING, "kind": "WRITTEN", "startedAt": started, "minutes": 20, "externalId": "s2", **more}


def note(name: str, agreed: str | None = None, next_step: str | None = None) -> dict[str, Any]:
    return {"person": {"name": name}, "agreed": agreed, "nextStep": next_step}


def test_a_session_is_told_with_its_note_which_the_people_of_the_pairing_read_and_nobody_else(api: Api) -> None:
    session = tell(api, RECORD, BO, **held(agreed="Two pages", nextStep="Read them"))
    assert session["notes"] == [note("Bo", "Two pages", "Read them")]
    read = {viewer: api.data(READ, viewer=viewer, id=session["id"])["node"] for viewer in (ADA, BO, EVE, GIL, ZOE, "")}
    for viewer in (ADA, BO, EVE):
        assert read[viewer] == {"minutes": 20, "notes": session["notes"]}
    assert read[""] == {"minutes": 20, "notes": None}  # a coordinator
    assert read[GIL] is None  # was a co-mentor until before
    assert read[ZOE] is None
    listed = api.data(SESSIONS, viewer=ADA, id=PAIRING)["node"]["sessions"]["nodes"]
    assert listed == [{"id": session["id"], "notes": session["notes"]}, {"id": SESSION, "notes": []}]
    assert [each["notes"] for each in api.data(SESSIONS, id=PAIRING)["node"]["sessions"]["nodes"]] == [None, None]
    assert sorted(api.statements) == ["read_nodes", "read_nodes", "read_sessions_of"]


def test_each_has_a_note_of_their_own_which_they_write_anew_and_take_back(api: Api) -> None:
    tell(api, WRITE, ADA, sessionId=SESSION, agreed="A", nextStep="B")
    assert tell(api, WRITE, EVE, sessionId=SESSION, agreed="E")["notes"] == [note("Ada", "A", "B"), note("Eve", "E")]
    assert note("Ada", "A", "C") in tell(api, WRITE, ADA, sessionId=SESSION, nextStep="C")["notes"]
    assert note("Ada", None, "C") in tell(api, WRITE, ADA, sessionId=SESSION, agreed=None)["notes"]
    last = tell(api, WRITE, ADA, sessionId=SESSION, nextStep="")["notes"]
    assert sorted(last, key=str) == sorted([note("Ada"), note("Eve", "E")], key=str)


def test_a_session_that_is_told_again_keeps_the_notes_on_it(api: Api) -> None:
    first = held(agreed="Two pages")
    tell(api, RECORD, BO, **first)
    del first["agreed"]
    assert tell(api, RECORD, ADA, **first, nextStep="Mine")["notes"] == [
        note("Bo", "Two pages"),
        note("Ada", None, "Mine"),
    ]
    assert tell(api, RECORD, "", **{**first, "minutes": 25})["notes"] is None
    assert len(tell(api, RECORD, BO, **first)["notes"]) == 2


def test_whoever_has_no_part_in_it_writes_no_note_and_nothing_is_half_recorded(api: Api) -> None:
    assert refused(api, RECORD, "", **held(nextStep="Mine")) == ("FORBIDDEN", ["input", "nextStep"])
    assert len(api.data(SESSIONS, id=PAIRING)["node"]["sessions"]["nodes"]) == 1
    for viewer in ("", ZOE, GIL):
        assert refused(api, WRITE, viewer, sessionId=SESSION, agreed="x") == ("NOT_FOUND", ["input", "sessionId"])
    gone = gid("sessions", "none")
    assert refused(api, WRITE, ADA, sessionId=gone, agreed="x") == ("NOT_FOUND", ["input", "sessionId"])
    assert refused(api, WRITE, ADA, sessionId=SESSION, agreed="x" * 5_001) == ("BAD_USER_INPUT", ["input", "agreed"])
    assert refused(api, WRITE, ADA, sessionId=SESSION, nextStep="x" * 2_001) == (
        "BAD_USER_INPUT",
        ["input", "nextStep"],
    )
    assert api.data(READ, viewer=ADA, id=SESSION)["node"]["notes"] == []


def test_no_snapshot_and_no_log_has_a_word_of_a_note_but_a_bundle_has(
    api: Api, server: EmbeddedDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mentorgraph")
    tell(api, WRITE, ADA, sessionId=SESSION, agreed=SECRET)
    refused(api, WRITE, ADA, sessionId=SESSION, nextStep=SECRET * 500)
    assert SECRET not in caplog.text
    assert "notes" not in LOADED

    async def freeze() -> bytes:
        async with connected(server) as database:
            store = Store(database)
            folder = await take(store, tmp_path / "snapshots", present() + timedelta(days=1))
            await export_bundle(store, tmp_path / "bundle")
            assert await check(store) == []
            return gzip.decompress((folder / FACTS).read_bytes())

    frozen = asyncio.run(freeze())
    assert uid_of(SOURCE, "sessions", "s").encode() in frozen
    assert SECRET.encode() not in frozen
    assert SECRET in (tmp_path / "bundle" / "notes.csv").read_text("utf-8")


ERASE = (
    f"mutation ($input: EraseNotesInput!) {{ told: eraseNotes(input: $input) {{ person {{ id }} erased {ERRORS} }} }}"
)
RECOMMEND = """
query ($mentee: ID!, $goal: ID!) { recommendMentors(menteeId: $mentee, goalId: $goal) { edges { node { id } } } }
"""
EVERYTHING = """
MATCH (n) RETURN properties(n) AS own UNION ALL MATCH ()-[r]->() RETURN properties(r) AS own
"""


def words_of_the_graph(server: EmbeddedDatabase) -> str:
    """Every property of every node and relationship."""
    return str(run_directly(server, EVERYTHING))


def words_of_a_bundle(server: EmbeddedDatabase, folder: Path) -> str:
    async def export() -> None:
        async with connected(server) as database:
            await export_bundle(Store(database), folder)
            assert await check(Store(database)) == []

    asyncio.run(export())
    return "".join(path.read_text("utf-8") for path in sorted(folder.iterdir()))


def test_all_notes_of_one_person_are_erased_and_other_peoples_stay(
    api: Api, server: EmbeddedDatabase, tmp_path: Path
) -> None:
    other = tell(api, RECORD, BO, **held(agreed=SECRET, nextStep="Mine too"))["id"]
    tell(api, WRITE, BO, sessionId=SESSION, agreed=SECRET)
    tell(api, WRITE, ADA, sessionId=SESSION, agreed="Hers")
    asked = {"mentee": BO, "goal": gid("goals", "g")}
    [first, *_] = api.data(RECOMMEND, viewer=BO, **asked)["recommendMentors"]["edges"]
    assert words_of_the_graph(server).count(SECRET) == 2
    assert SECRET in words_of_a_bundle(server, tmp_path / "before")

    assert api.data(ERASE, viewer=BO, input={"personId": BO})["told"] == {
        "person": {"id": BO}, "erased": 2, "userErrors": [],
    }  # fmt: skip
    left, bundle = words_of_the_graph(server), words_of_a_bundle(server, tmp_path / "after")
    for words in (left, bundle):
        assert SECRET not in words
        assert "Mine too" not in words
        assert "Hers" in words
    assert api.data(READ, viewer=BO, id=SESSION)["node"]["notes"] == [note("Ada", "Hers")]
    assert api.data(READ, viewer=BO, id=other)["node"]["notes"] == []

    # What was answered meanwhile holds no word of a note, though it does hold, sealed, what the goal is called.
    decision = asyncio.run(api.decisions.find(read_global_id(first["node"]["id"])[1]))
    assert decision is not None
    assert "Marathon" in str(decision)
    assert SECRET not in str(decision)
    kept = b"".join(path.read_bytes() for path in (server.home / FOLDER).rglob("*") if path.is_file())
    assert len(kept) > 1_000
    assert SECRET.encode() not in kept

    again = api.data(ERASE, input={"personId": BO})["told"]  # a coordinator, who is asked to
    assert (again["erased"], again["userErrors"]) == (0, [])
    assert tell(api, WRITE, BO, sessionId=SESSION, agreed="Anew")["notes"] == [note("Ada", "Hers"), note("Bo", "Anew")]


def test_nobody_erases_what_others_noted(api: Api) -> None:
    tell(api, WRITE, BO, sessionId=SESSION, agreed=SECRET)
    for viewer, person, code in ((ADA, BO, "FORBIDDEN"), ("", gid("people", "gone"), "NOT_FOUND")):
        told = api.data(ERASE, viewer=viewer, input={"personId": person})["told"]
        assert (told["person"], told["erased"]) == (None, None)
        assert [(each["code"], each["field"]) for each in told["userErrors"]] == [(code, ["input", "personId"])]
    assert api.data(READ, viewer=ADA, id=SESSION)["node"]["notes"] == [note("Bo", SECRET)]


def test_the_page_about_calendars_and_sessions_works(api: Api) -> None:
    values: dict[str, Any] = {
        "pairingId": PAIRING,
        "me": BO,
        "held": (present() - timedelta(days=1)).isoformat(),
        "session": lambda answers: answers["Held"]["recordSession"]["session"]["id"],
    }
    answers = play(api, DOCS / "calendar.md", values, dict.fromkeys(("Held", "Note", "WhatWeAgreed", "Erase"), BO))
    [latest, _] = answers["WhatWeAgreed"]["node"]["sessions"]["nodes"]
    assert latest["notes"] == [{"agreed": "Two pages a week", "nextStep": "Read them on Friday"}]
    assert answers["Erase"]["eraseNotes"]["erased"] == 1


@pytest.mark.anyio
async def test_who_says_what_was_said_changes_nothing(store: Store) -> None:
    await import_bundle(store, bundle_of(WORLD), source=SOURCE)
    ada, session = Viewer(person=read_global_id(ADA)[1]), uid_of(SOURCE, "sessions", "s")
    now = present()
    await write_note(store, ada, session, {"agreed": "A"}, now=now)
    last = (await store.read_changes()).last
    await write_note(store, ada, session, {"agreed": " A "}, now=now + timedelta(hours=1))
    assert (await store.read_changes()).last == last
    await write_note(store, ada, session, {"agreed": "B"}, now=now + timedelta(hours=1))
    assert (await store.read_changes()).last > last
