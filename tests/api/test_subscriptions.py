"""What can be followed: on the real application and graph."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import WebSocketTestSession

from mentorgraph.api.events import Feed
from mentorgraph.api.identity import VIEWER_HEADER
from mentorgraph.api.websocket import SUBPROTOCOL
from mentorgraph.embeddings.progress import (
    FAILED,
    FILE,
    INTERRUPTED,
    KEPT,
    PROMOTED,
    RUNNING,
    Telling,
    read_told,
    telling,
)
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.world.tables import World

from .conftest import Api, asked, fill

RECOMMENDED = """
subscription ($mentee: ID!, $first: Int) {
  recommendationsChanged(menteeId: $mentee, first: $first) {
    slateId modelVersion hasMore
    recommendations { id rank score mentor { id name } sentences }
  }
}
"""
RECOMMEND = """
query ($mentee: ID!, $first: Int) {
  recommendMentors(menteeId: $mentee, first: $first) { slateId edges { node { mentor { id } } } }
}
"""
REGISTER = """
mutation ($input: RegisterPersonInput!) { registerPerson(input: $input) { person { id } userErrors { message } } }
"""
RECORD_CONSENT = """
mutation ($input: RecordConsentInput!) { recordConsent(input: $input) { person { id } userErrors { message } } }
"""
PAIRING = "subscription ($id: ID) { pairingUpdated(pairingId: $id) { id status moves { state } } }"
PAIRINGS_OF = "subscription ($id: ID) { pairingUpdated(personId: $id) { id status } }"
MOVE = (
    "mutation ($input: MovePairingInput!) { movePairing(input: $input) { pairing { status } userErrors { message } } }"
)
TRAINING = "subscription { trainingProgress { runId task state doing done total modelVersion verdict startedAt } }"


class Subscriber:
    """A client that has said who it is."""

    def __init__(self, socket: WebSocketTestSession) -> None:
        self._socket = socket
        self._next_id = 0

    def follow(self, query: str, **variables: object) -> str:
        """Subscribe, and return the id of the subscription."""
        self._next_id += 1
        payload = {"query": query, "variables": variables}
        self._socket.send_json({"type": "subscribe", "id": str(self._next_id), "payload": payload})
        return str(self._next_id)

    def told(self, field: str) -> Any:
        """What the next event says of a field."""
        message = self._socket.receive_json()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message["payload"]
        return message["payload"]["data"][field]

    def refusal(self) -> tuple[str, str | None]:
        """Code and field of the error that ended a subscription."""
        message = self._socket.receive_json()
        assert message["type"] == "error", message
        [error] = message["payload"]
        return error["extensions"]["code"], error["extensions"].get("field")

    def complete(self, id: str) -> None:
        """End a subscription."""
        self._socket.send_json({"type": "complete", "id": id})

    def ask(self, query: str, **variables: object) -> Any:
        """The data of a query, which comes before or after events of other operations; those are dropped."""
        id = self.follow(query, **variables)
        while (message := self._socket.receive_json())["id"] != id:
            pass
        assert self._socket.receive_json() == {"id": id, "type": "complete"}
        return message["payload"]["data"]


@contextmanager
def subscriber(api: Api, viewer: str = "") -> Iterator[Subscriber]:
    with api.client.websocket_connect("ws://localhost/graphql", subprotocols=[SUBPROTOCOL]) as socket:
        payload = {VIEWER_HEADER: viewer} if viewer else {}
        socket.send_json({"type": "connection_init", "payload": payload})
        assert socket.receive_json() == {"type": "connection_ack"}
        yield Subscriber(socket)


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase, world: World) -> Iterator[Api]:
    """A client of the application on a database that holds the world, of which tests here change something."""
    asyncio.run(fill(server, world))
    with asked(server) as asking:
        yield asking


@pytest.fixture(scope="module")
def mentee(world: World, gid: Callable[[str, str], str]) -> str:
    """Somebody who has agreed to be matched and is no mentor."""
    return mentee_of(world, gid)


def mentee_of(world: World, gid: Callable[[str, str], str]) -> str:
    agreed = {row["person_id"] for row in world.rows["consents"] if row["purpose"] == "matching" and not row["until"]}
    mentees = {row["person_id"] for row in world.rows["roles"] if row["role_id"] == "mentee" and not row["until"]}
    return gid("people", min(agreed & mentees))


@pytest.fixture(scope="module")
def active(world: World, gid: Callable[[str, str], str]) -> tuple[str, str, str]:
    """A pairing that goes on, its mentor and its mentee."""
    row = next(row for row in world.rows["pairings"] if not row["ended_on"] and row["status"] == "active")
    return gid("pairings", row["id"]), gid("people", row["mentor_id"]), gid("people", row["mentee_id"])


def register(api: Api, name: str) -> str:
    told = {"name": name, "roles": ["MENTOR"], "consents": ["MATCHING"], "consentTextVersion": "1"}
    return str(api.data(REGISTER, input=told)["registerPerson"]["person"]["id"])


def mentors(told: Any) -> list[str]:
    return [each["mentor"]["id"] for each in told["recommendations"]]


def recommended(api: Api, mentee: str) -> Any:
    return api.data(RECOMMEND, mentee=mentee, first=100)["recommendMentors"]


def move(api: Api, pairing: str, to: str) -> None:
    assert api.data(MOVE, input={"pairingId": pairing, "to": to})["movePairing"]["userErrors"] == []


def test_a_list_is_told_as_it_is_and_then_whenever_somebody_enters_or_leaves_it(api: Api, mentee: str) -> None:
    with subscriber(api) as own:
        own.follow(RECOMMENDED, mentee=mentee, first=100)
        first = own.told("recommendationsChanged")
        assert mentors(first) == [edge["node"]["mentor"]["id"] for edge in recommended(api, mentee)["edges"]]
        assert not first["hasMore"]
        newcomer = register(api, "Nora Newcomer")
        second = own.told("recommendationsChanged")
        assert set(mentors(second)) - set(mentors(first)) == {newcomer}
        withdrawal = {"personId": newcomer, "purpose": "MATCHING", "granted": False, "textVersion": "1"}
        api.data(RECORD_CONSENT, input=withdrawal)
        assert mentors(own.told("recommendationsChanged")) == mentors(first)


def test_each_list_that_is_told_is_kept_and_can_be_looked_up(api: Api, mentee: str) -> None:
    with subscriber(api) as own:
        own.follow(RECOMMENDED, mentee=mentee, first=1)
        told = own.told("recommendationsChanged")
        [best] = told["recommendations"]
        assert told["hasMore"]
    kept = api.data(
        "query ($id: ID!) { explainRecommendation(recommendationId: $id) { score answeredAt } }", id=best["id"]
    )
    assert kept["explainRecommendation"]["score"] == best["score"]
    assert kept["explainRecommendation"]["answeredAt"]


def test_what_changes_nothing_for_a_reader_is_not_told(api: Api, mentee: str) -> None:
    with subscriber(api) as own:
        own.follow(RECOMMENDED, mentee=mentee, first=100)
        first = own.told("recommendationsChanged")
        # A mentee who joins changes the graph and so the id of the list, but nobody's place.
        told = {"name": "Mia", "roles": ["MENTEE"], "consents": ["MATCHING"], "consentTextVersion": "1"}
        api.data(REGISTER, input=told)
        assert recommended(api, mentee)["slateId"] != first["slateId"]
        time.sleep(2)
        newcomer = register(api, "Nina Newcomer")
        assert set(mentors(own.told("recommendationsChanged"))) - set(mentors(first)) == {newcomer}


def test_a_pairing_is_told_as_it_is_and_whenever_it_is_moved(api: Api, active: tuple[str, str, str]) -> None:
    pairing, mentor, _ = active
    with subscriber(api, mentor) as own:
        own.follow(PAIRING, id=pairing)
        first = own.told("pairingUpdated")
        assert (first["id"], first["status"]) == (pairing, "ACTIVE")
        move(api, pairing, "PAUSED")
        second = own.told("pairingUpdated")
        assert second["status"] == "PAUSED"
        assert len(second["moves"]) == len(first["moves"]) + 1  # and not what the first event had read
        move(api, pairing, "ACTIVE")
        assert own.told("pairingUpdated")["status"] == "ACTIVE"


def test_the_pairings_of_a_person_are_told_each_by_itself(
    api: Api, active: tuple[str, str, str], world: World, gid: Callable[[str, str], str]
) -> None:
    pairing, mentor, mentee = active
    for person in (mentor, mentee):
        own_ones = {
            gid("pairings", row["id"])
            for row in world.rows["pairings"]
            if person in (gid("people", row["mentor_id"]), gid("people", row["mentee_id"]))
        }
        with subscriber(api, person) as own:
            own.follow(PAIRINGS_OF, id=person)
            assert {own.told("pairingUpdated")["id"] for _ in own_ones} == own_ones
            move(api, pairing, "PAUSED")
            assert own.told("pairingUpdated") == {"id": pairing, "status": "PAUSED"}
            move(api, pairing, "ACTIVE")
            assert own.told("pairingUpdated") == {"id": pairing, "status": "ACTIVE"}


def test_somebody_without_a_pairing_hears_of_their_first_ones_only(api: Api) -> None:
    newcomer = register(api, "Nobody Yet")
    with subscriber(api, newcomer) as own:
        own.follow(PAIRINGS_OF, id=newcomer)
        assert own.ask("{ __typename }") == {"__typename": "Query"}  # nothing came before


def test_nobody_follows_what_they_may_not_ask_for(
    api: Api, active: tuple[str, str, str], mentee: str, gid: Callable[[str, str], str]
) -> None:
    pairing, mentor, _ = active
    stranger = register(api, "Stranger")
    for viewer, query, variables, refusal in (
        (stranger, PAIRING, {"id": pairing}, ("NOT_FOUND", "pairingId")),
        (stranger, PAIRINGS_OF, {"id": mentor}, ("FORBIDDEN", "personId")),
        (stranger, RECOMMENDED, {"mentee": mentee}, ("FORBIDDEN", None)),
        (stranger, TRAINING, {}, ("FORBIDDEN", None)),
        ("", PAIRING, {"id": gid("people", "p-01")}, ("BAD_USER_INPUT", "pairingId")),
        ("", PAIRING, {"id": gid("pairings", "none")}, ("NOT_FOUND", "pairingId")),
        ("", PAIRING, {}, ("BAD_USER_INPUT", "pairingId")),
        ("", RECOMMENDED, {"mentee": mentee, "first": 101}, ("BAD_USER_INPUT", "first")),
        ("", RECOMMENDED, {"mentee": gid("people", "none")}, ("NOT_FOUND", "menteeId")),
    ):
        with subscriber(api, viewer) as own:
            own.follow(query, **variables)
            assert own.refusal() == refusal, (query, variables)


def test_who_agrees_no_longer_is_told_so_and_nothing_more(api: Api) -> None:
    told = {"name": "Mo", "roles": ["MENTEE"], "consents": ["MATCHING"], "consentTextVersion": "1"}
    person = api.data(REGISTER, input=told)["registerPerson"]["person"]["id"]
    with subscriber(api, person) as own:
        own.follow(RECOMMENDED, mentee=person, first=1)
        own.told("recommendationsChanged")
        withdrawal = {"personId": person, "purpose": "MATCHING", "granted": False, "textVersion": "1"}
        api.data(RECORD_CONSENT, input=withdrawal)
        assert own.refusal()[0] == "CONSENT_REQUIRED"


def test_one_poller_serves_all_who_follow_and_ends_with_the_last(
    api: Api, mentee: str, active: tuple[str, str, str]
) -> None:
    feed = api.service.graph_feed
    with subscriber(api) as first, subscriber(api) as second:
        for own in (first, second):
            for _ in range(3):
                own.follow(RECOMMENDED, mentee=mentee, first=1)
                own.follow(PAIRING, id=active[0])
        seen = sum(1 for own in (first, second) for _ in range(6) if own._socket.receive_json()["type"] == "next")
        assert (seen, feed.listeners) == (12, 12)
        assert feed.is_asked
    deadline = time.monotonic() + 5
    while feed.listeners or feed.is_asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)


# --- training ---------------------------------------------------------------------------------------------------------


def test_training_is_told_step_by_step(api: Api, tmp_path: Path) -> None:
    file = tmp_path / FILE
    api.service._training = file
    with subscriber(api) as own:
        own.follow(TRAINING)
        assert own.told("trainingProgress") is None
        with telling(file, "train") as run:
            run.step("Teaching")
            told = own.told("trainingProgress")
            assert (told["task"], told["state"], told["doing"], told["total"]) == ("TRAIN", "RUNNING", "Teaching", None)
            run.step("Ranking", 3, 7)
            told = own.told("trainingProgress")
            assert (told["doing"], told["done"], told["total"]) == ("Ranking", 3, 7)
            run.end(PROMOTED, version="20261129-abc", verdict="it beats all")
        told = own.told("trainingProgress")
        assert (told["state"], told["modelVersion"], told["verdict"]) == ("PROMOTED", "20261129-abc", "it beats all")


def test_a_run_that_was_killed_does_not_go_on_for_ever(tmp_path: Path) -> None:
    file = tmp_path / FILE
    assert read_told(file) is None
    with telling(file, "train") as first:
        first.step("Teaching")
        found = read_told(file)
        assert found
        assert (found.state, found.doing) == (RUNNING, "Teaching")
        with telling(file, "train") as second:  # a second run at once is not told of
            second.step("Other")
            second.end(KEPT)
        assert read_told(file) == found
    found = read_told(file)  # it ended without a word, as a killed one does
    assert found
    assert (found.state, found.doing) == (INTERRUPTED, "Teaching")
    Telling(file, "evaluate")
    assert read_told(file).state == INTERRUPTED  # type: ignore[union-attr]
    file.write_text("{")
    assert read_told(file) is None


def test_a_run_that_fails_says_why_if_that_may_be_said(tmp_path: Path) -> None:
    file = tmp_path / FILE
    for error, state, verdict in (
        (DomainError("too little", code="TOO_LITTLE_DATA"), FAILED, "too little"),
        (RuntimeError("secret"), FAILED, ""),
        (BrokenPipeError(), INTERRUPTED, ""),  # whoever started it has gone
        (KeyboardInterrupt(), INTERRUPTED, ""),
    ):
        with pytest.raises(type(error)), telling(file, "train"):
            raise error
        found = read_told(file)
        assert found
        assert (found.state, found.verdict) == (state, verdict)
    with telling(tmp_path / "no such folder" / FILE, "train") as run:
        run.step("Teaching")  # a home that cannot be written to ends no run


# --- the feed ---------------------------------------------------------------------------------------------------------


def test_a_feed_tells_of_each_difference_and_of_a_source_that_was_away(caplog: pytest.LogCaptureFixture) -> None:
    source: list[int | Exception] = [1]
    asked = 0

    async def read() -> int:
        nonlocal asked
        asked += 1
        if isinstance(source[0], Exception):
            raise source[0]
        return source[0]

    async def run() -> None:
        feed = Feed("numbers", read, every_s=0.01)
        await asyncio.sleep(0.05)
        assert asked == 0  # nobody listens
        with feed.listen(feed.mark()) as listener:
            assert await listener.next(5) is False  # what the first look finds may be news
            before = feed.version
            await listener.next(0.1)
            assert feed.version == before  # nothing changed
            source[0] = 2
            assert await listener.next(5) is False
            assert feed.version == before + 1
            source[0] = DatabaseUnavailable("away")
            await asyncio.sleep(0.1)
            source[0] = 2
            assert await listener.next(5) is True
            # What changes between a look and the listening that follows is heard of.
            mark = feed.mark()
            source[0] = 3
            await asyncio.sleep(0.1)
            with feed.listen(mark) as late:
                async with asyncio.timeout(1):
                    await late.next(60)
        seen = asked
        await asyncio.sleep(0.05)
        assert asked == seen

    asyncio.run(run())
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "Subscriptions to the numbers wait: away"
    ]
