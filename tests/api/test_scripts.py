"""Scripts over GraphQL: coordinators write them, and both sides of a pairing read the same."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.store.store import Store

from ..conftest import empty
from ..graph.test_scripts import WORLD
from .conftest import Api, asked, connected

SOURCE = "hr"
ADA, BO, CY = (global_id("Person", uid_of(SOURCE, "people", each)) for each in ("ada", "bo", "cy"))
PAIRING = global_id("Pairing", uid_of(SOURCE, "pairings", "long"))
PROGRAMME = global_id("Programme", uid_of(SOURCE, "programmes", "long"))
SET = """
mutation ($input: SetScriptInput!) {
  told: setScript(input: $input) {
    script { title text format programmeId } userErrors { message field code }
  }
}
"""
READ = "query ($pairing: ID!) { scripts(pairingId: $pairing) { title text since } }"


async def fill(server: EmbeddedDatabase) -> None:
    await empty(server)
    async with connected(server) as database:
        await import_bundle(Store(database), bundle_of(WORLD), source=SOURCE)


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    asyncio.run(fill(server))
    with asked(server) as asking:
        yield asking


def told(api: Api, viewer: str = "", **input: Any) -> dict[str, Any]:
    payload: dict[str, Any] = api.data(SET, viewer=viewer, input=input)["told"]
    return payload


def test_both_sides_read_what_a_coordinator_wrote_and_nobody_else_does(api: Api) -> None:
    written = {"title": "Agenda", "text": "Goals first.", "format": "LONG_TERM", "programmeId": PROGRAMME}
    assert told(api, **written) == {"script": written, "userErrors": []}
    mine, theirs = (api.data(READ, viewer=each, pairing=PAIRING)["scripts"] for each in (ADA, BO))
    assert mine == theirs
    assert [(each["title"], each["text"]) for each in mine] == [("Agenda", "Goals first.")]
    assert api.refusal(READ, viewer=CY, pairing=PAIRING) == ("NOT_FOUND", "pairingId")
    del written["text"]
    assert told(api, **written) == {"script": None, "userErrors": []}
    assert api.data(READ, viewer=ADA, pairing=PAIRING) == {"scripts": []}


@pytest.mark.parametrize(
    ("viewer", "input", "code", "field"),
    [
        (ADA, {"title": "Agenda", "text": "Goals."}, "FORBIDDEN", ["input"]),
        ("", {"title": "Nothing"}, "NOT_FOUND", ["input", "title"]),
        ("", {"title": "", "text": "Goals."}, "BAD_USER_INPUT", ["input", "title"]),
        ("", {"title": "A", "text": "x", "programmeId": ADA}, "BAD_USER_INPUT", ["input", "programmeId"]),
    ],
)
def test_what_cannot_be_written_is_refused(
    api: Api, viewer: str, input: dict[str, Any], code: str, field: list[str]
) -> None:
    payload = told(api, viewer, **input)
    assert payload["script"] is None
    [error] = payload["userErrors"]
    assert (error["code"], error["field"]) == (code, field)
