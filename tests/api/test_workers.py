"""Two workers of one real server: what one is told the other knows at once, and both outlive their database."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded import database as embedded
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.world.tables import World

from .conftest import SOURCE, fill

pytestmark = pytest.mark.drill

COMMAND = Path(sys.executable).with_name("mentorgraph")
WITHIN_S = 120.0
LOST = (OSError, HTTPException)

MENTORS = "query ($id: ID!) { recommendMentors(menteeId: $id, first: 100) { edges { node { mentor { id } } } } }"
REGISTER = """
mutation ($input: RegisterPersonInput!) { registerPerson(input: $input) { person { id } userErrors { message } } }
"""
SET_AVAILABILITY = """
mutation ($input: SetAvailabilityInput!) { setAvailability(input: $input) { person { id } userErrors { message } } }
"""
RECORD_CONSENT = """
mutation ($input: RecordConsentInput!) { recordConsent(input: $input) { person { id } userErrors { message } } }
"""


@dataclass
class Worker:
    """One process of the server, on a connection that it keeps.

    Attributes:
        pid: The process.
        connection: The connection that it accepted.
    """

    pid: int
    connection: HTTPConnection

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and content of a page."""
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        return answer.status, json.load(answer)

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The answer to a GraphQL request."""
        body = json.dumps({"query": query, "variables": variables})
        self.connection.request("POST", "/graphql", body, {"content-type": "application/json"})
        return dict(json.load(self.connection.getresponse()))

    def mentors(self, mentee: str) -> set[str]:
        """Who is recommended to somebody."""
        return {
            edge["node"]["mentor"]["id"] for edge in self.ask(MENTORS, id=mentee)["data"]["recommendMentors"]["edges"]
        }


@dataclass
class Served:
    """A server with two workers.

    Attributes:
        home: Its home.
        workers: The two.
        mentee: Somebody to recommend mentors to.
        log: What it has said so far.
    """

    home: Path
    workers: tuple[Worker, Worker]
    mentee: str
    log: Path


def wait_for(condition: Callable[[], bool], within_s: float = WITHIN_S, every_s: float = 0.1) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(every_s)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def worker_of(connection: HTTPConnection, pids: set[int]) -> int | None:
    """The process that accepted a connection, which is known by the port at our end."""
    own_port = connection.sock.getsockname()[1]
    for pid in pids:
        if any(each.raddr and each.raddr.port == own_port for each in psutil.Process(pid).net_connections("tcp")):
            return pid
    return None


def two_workers(server: psutil.Process, port: int, stack: ExitStack) -> tuple[Worker, Worker]:
    """Connections to both workers, opened until each of them has accepted one."""
    found: dict[int, Worker] = {}

    def connect() -> bool:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/healthz")
            assert connection.getresponse().read() == b'{"status":"alive"}'
        except LOST:
            connection.close()
            return False
        stack.enter_context(closing(connection))
        pid = worker_of(connection, {child.pid for child in server.children()})
        if pid is not None:
            found.setdefault(pid, Worker(pid, connection))
        return len(found) == 2

    wait_for(connect, every_s=0.02)
    first, second = found.values()
    return first, second


@pytest.fixture(scope="module")
def served(server: EmbeddedDatabase, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`mentorgraph serve --workers 2` on the tests' database; when it has ended, neither worker is left."""
    asyncio.run(fill(server, world))
    port, mentee, log = free_port(), mentee_of(world), tmp_path_factory.mktemp("served") / "log"
    own = {name: value for name, value in os.environ.items() if not name.startswith("NEO4J_")}
    environment = {**own, "MENTORGRAPH_HOME": str(server.home), "MENTORGRAPH_NEO4J_LINE": server.line.name}
    command: list[str | Path] = [COMMAND, "serve", "--demo", "--workers", "2", "--port", str(port), "--access-log"]
    with ExitStack() as stack:
        with log.open("wb") as stream:
            process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
        try:
            workers = two_workers(psutil.Process(process.pid), port, stack)
            for worker in workers:
                wait_for(lambda worker=worker: answers(worker, mentee))  # type: ignore[misc]
            yield Served(server.home, workers, mentee, log)
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(30)
    assert status == 0
    assert not any(psutil.pid_exists(worker.pid) for worker in workers)


def answers(worker: Worker, mentee: str) -> bool:
    """Whether a worker recommends; what it answers meanwhile is the typed error of a database that is away or slow."""
    errors = worker.ask(MENTORS, id=mentee).get("errors", [])
    assert {error["extensions"]["code"] for error in errors} <= {"SERVICE_UNAVAILABLE", "TIMEOUT"}
    return not errors


def mentee_of(world: World) -> str:
    """Somebody who has agreed to be matched and is no mentor."""
    agreed = {row["person_id"] for row in world.rows["consents"] if row["purpose"] == "matching" and not row["until"]}
    mentees = {row["person_id"] for row in world.rows["roles"] if row["role_id"] == "mentee" and not row["until"]}
    return global_id("Person", uid_of(SOURCE, "people", min(agreed & mentees)))


def told(worker: Worker, mutation: str, **input: object) -> str:
    """The id of the person whom a mutation was about; what was not done in time is sent again, under its key.

    Empty where it was done and only its answer is gone.
    """
    asked = {**input, "idempotencyKey": uuid4().hex}
    until = time.monotonic() + WITHIN_S
    while errors := (answer := worker.ask(mutation, input=asked)).get("errors", []):
        codes = {error["extensions"]["code"] for error in errors}
        if codes == {"ANSWER_LOST"}:
            return ""
        assert codes <= {"SERVICE_UNAVAILABLE", "TIMEOUT", "OUTCOME_UNKNOWN"}
        assert time.monotonic() < until, errors
        time.sleep(0.2)
    payload: dict[str, Any] = next(iter(answer["data"].values()))
    assert payload["userErrors"] == []
    return str(payload["person"]["id"])


def registered(worker: Worker, **person: object) -> str:
    """The id of somebody new; whoever was taken in while the answer got lost stays as another one of this name."""
    while not (found := told(worker, REGISTER, **person)):
        pass
    return found


def test_what_one_worker_is_told_the_other_knows_at_once(served: Served, count: Callable[[int, int], int]) -> None:
    stale = []
    for number in range(count(30, 1_000)):
        teller, asked = served.workers if number % 2 else served.workers[::-1]
        name = f"Newcomer {number}"
        agreement = {"consents": ["MATCHING"], "consentTextVersion": "1"}
        newcomer = registered(teller, name=name, roles=["MENTOR"], **agreement)
        if newcomer not in asked.mentors(served.mentee):
            stale.append((number, "registered"))
        told(asked, RECORD_CONSENT, personId=newcomer, purpose="MATCHING", granted=False, textVersion="1")
        if newcomer in teller.mentors(served.mentee):
            stale.append((number, "withdrawn"))
    assert stale == []


def test_a_time_that_one_worker_is_told_counts_in_the_others_next_answer_under_load(
    served: Served, count: Callable[[int, int], int]
) -> None:
    teller, asked = served.workers
    agreement = {"consents": ["MATCHING"], "consentTextVersion": "1"}
    mentor = registered(teller, name="Busy", roles=["MENTOR"], **agreement)
    mentee = registered(teller, name="Asker", roles=["MENTEE"], **agreement)
    monday, friday = ([{"weekday": day, "start": "09:00", "end": "17:00"}] for day in (1, 5))
    told(teller, SET_AVAILABILITY, personId=mentee, zone="UTC", windows=monday)
    stale, asked_beside = [], 0
    with load(served.workers, mentee) as answered:
        for number in range(count(20, 1_000)):
            teller, asked = served.workers if number % 2 else served.workers[::-1]
            is_shared = number % 4 < 2
            told(teller, SET_AVAILABILITY, personId=mentor, zone="UTC", windows=monday if is_shared else friday)
            if (mentor in asked.mentors(mentee)) != is_shared:
                stale.append((number, is_shared))
        asked_beside = len(answered)
    assert stale == []
    assert asked_beside > 0
    told(teller, RECORD_CONSENT, personId=mentor, purpose="MATCHING", granted=False, textVersion="1")


@contextmanager
def load(workers: tuple[Worker, Worker], mentee: str) -> Iterator[list[int]]:
    """Has lists asked for all the while, on a connection of its own to each worker; one entry for each answer."""
    answered: list[int] = []
    ended = threading.Event()

    def keep_asking(port: int) -> None:
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            while not ended.is_set():
                Worker(0, connection).ask(MENTORS, id=mentee)
                answered.append(1)

    threads = [threading.Thread(target=keep_asking, args=(each.connection.port,)) for each in workers]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_an_answer_from_before_a_change_is_told_from_one_after_it(served: Served) -> None:
    teller, asked = served.workers
    assert teller.pid != asked.pid
    before = asked.mentors(served.mentee)
    newcomer = registered(teller, name="Last", roles=["MENTOR"], consents=["MATCHING"], consentTextVersion="1")
    assert asked.mentors(served.mentee) - before == {newcomer}


def test_the_workers_outlive_a_database_that_is_killed(served: Served) -> None:
    worker = served.workers[0]
    before = worker.mentors(served.mentee)
    java = embedded.status(served.home).java_pid
    assert java is not None
    os.kill(java, signal.SIGKILL)
    seen: dict[int, str] = {}
    deadline = time.monotonic() + WITHIN_S
    while 200 not in seen or 503 not in seen:
        assert time.monotonic() < deadline, seen
        status, content = worker.get("/readyz")
        if status == 503 and 503 not in seen:
            asked_at = time.monotonic()
            answers(worker, served.mentee)
            assert time.monotonic() - asked_at < 10
            assert worker.get("/healthz") == (200, {"status": "alive"})
        if status == 503 or 503 in seen:
            seen[status] = content.get("reason", "")
        time.sleep(0.05)
    assert seen[503]
    for each in served.workers:
        wait_for(lambda each=each: answers(each, served.mentee))  # type: ignore[misc]
        assert each.mentors(served.mentee) == before
    assert all(psutil.pid_exists(worker.pid) for worker in served.workers)
    assert embedded.status(served.home).java_pid != java


def test_the_log_holds_no_personal_data_and_says_each_state_once(served: Served, world: World) -> None:
    worker = served.workers[0]
    worker.get(f"/graphql?query=%7B__typename%7D&name={world.rows['people'][0]['name'].split()[0]}")
    wait_for(lambda: "method=GET path=/graphql" in served.log.read_text("utf-8"))  # it is written after the answer
    log = served.log.read_text("utf-8")
    names = {row["name"] for row in world.rows["people"]} | {row["title"] for row in world.rows["goals"]}
    assert [name for name in {*names, "Newcomer", "Traceback", "?query"} if name in log] == []
    said = [row for row in log.splitlines() if "Not ready" in row]
    assert 0 < len(said) <= 24, said
