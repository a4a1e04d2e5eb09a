"""The application around the endpoint: its headers, its health pages, the names it answers to."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from graphql import build_schema
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from mentorgraph.api.app import SECURITY_HEADERS, ReadyCheck, app_of, create_app
from mentorgraph.api.context import AGAIN_AFTER_S, OPENED_WITHIN_S, Service
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import Scorer
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.store.store import Store

SECRET = "bolt://neo4j:hunter2@10.0.0.7:7687"


async def up() -> Mapping[str, object]:
    return {"database": "up"}


def small_app(ready: ReadyCheck = up, allowed_hosts: tuple[str, ...] = ("*",)) -> ASGIApp:
    async def no_context(request: Request) -> None:
        return None

    schema = build_schema("type Query { hello: String }")
    return create_app(schema, context=no_context, ready=ready, allowed_hosts=allowed_hosts)


def test_every_answer_carries_the_security_headers() -> None:
    client = TestClient(small_app())
    for path in ("/graphql?query={hello}", "/graphql", "/nowhere", "/healthz", "/readyz"):
        answer = client.get(path)
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_the_process_is_alive_and_unready_while_the_database_is_away(caplog: pytest.LogCaptureFixture) -> None:
    async def away() -> Mapping[str, object]:
        raise ConnectionError(SECRET)

    async def away_and_said() -> Mapping[str, object]:
        raise DomainError("The database starts.", code="SERVICE_UNAVAILABLE")

    with TestClient(small_app()) as client:
        assert client.get("/readyz").json() == {"status": "ready", "database": "up"}
    for check, answer in (
        (away, {"status": "unavailable"}),
        (away_and_said, {"status": "unavailable", "reason": "The database starts."}),
    ):
        with TestClient(small_app(check)) as client:
            unready = client.get("/readyz")
            assert (unready.status_code, unready.json(), unready.headers["retry-after"]) == (503, answer, "2")
            assert client.get("/healthz").status_code == 200
    assert "hunter2" not in caplog.text


def test_the_log_hears_of_each_change_of_readiness_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mentorgraph")
    reasons = ["The database starts.", "The database starts.", "It reads.", "", "", "It reads."]
    probes = iter(reasons)

    async def check() -> Mapping[str, object]:
        if reason := next(probes):
            raise DomainError(reason, code="SERVICE_UNAVAILABLE")
        return {}

    with TestClient(small_app(check)) as client:
        for _ in reasons:
            client.get("/readyz")
    said = [record.getMessage() for record in caplog.records]
    assert said == ["Not ready: The database starts.", "Not ready: It reads.", "Ready.", "Not ready: It reads."]


def test_a_server_can_answer_to_its_own_names_only() -> None:
    client = TestClient(small_app(allowed_hosts=("localhost", "[::1]")))
    for host, status in (("localhost:8000", 200), ("[::1]:8000", 200), ("evil.example", 400)):
        assert client.get("/graphql?query={hello}", headers={"host": host}).status_code == status


def test_a_question_waits_for_a_service_that_opens_but_not_for_one_that_failed_to(tmp_path: Path) -> None:
    goes_on, fails = threading.Event(), threading.Event()

    @asynccontextmanager
    async def opening(_report: Report) -> AsyncIterator[Recommender]:
        await asyncio.to_thread(goes_on.wait)
        if fails.is_set():
            raise DatabaseUnavailable("the database is of another line")
        yield Recommender(cast(Store, None), cast(Scorer, None))

    def codes(client: TestClient) -> list[str]:
        errors = client.post("/graphql", json={"query": "{ skills { edges { cursor } } }"}).json()["errors"]
        return [error["extensions"]["code"] for error in errors]

    app = app_of(Service(opening), DecisionLog(tmp_path))
    with TestClient(app, base_url="http://localhost") as client:
        threading.Timer(0.3, goes_on.set).start()
        assert codes(client) == ["INTERNAL"]  # it is open, on nothing
    fails.set()
    app = app_of(Service(opening), DecisionLog(tmp_path))
    with TestClient(app, base_url="http://localhost") as client:
        began = time.monotonic()
        assert codes(client) == ["SERVICE_UNAVAILABLE"]
        assert time.monotonic() - began < OPENED_WITHIN_S


def test_a_service_that_is_opening_says_what_it_does_and_that_it_failed_once(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    goes_on = threading.Event()

    class Opening(AbstractAsyncContextManager[Recommender]):
        def __init__(self, report: Report) -> None:
            self.report = report

        async def __aenter__(self) -> Recommender:
            self.report("Fetching Neo4j", 3, 241)
            await asyncio.to_thread(goes_on.wait)
            raise DatabaseUnavailable("the database is of another line")

        async def __aexit__(self, *_error: object) -> None:
            """Never entered, so never left."""

    with TestClient(app_of(Service(Opening), DecisionLog(tmp_path)), base_url="http://localhost") as client:
        unready = client.get("/readyz")
        assert unready.status_code == 503
        assert unready.json()["reason"] == (
            "the database is being opened: Fetching Neo4j (3 of 241); try again in a moment"
        )
        refused = client.post("/graphql", json={"query": "{ skills { edges { cursor } } }"}).json()["errors"]
        assert [error["extensions"]["code"] for error in refused] == ["SERVICE_UNAVAILABLE"]
        assert client.get("/healthz").status_code == 200
        goes_on.set()
        deadline = time.monotonic() + 30
        while client.get("/readyz").json()["reason"] != "the database is of another line":
            assert time.monotonic() < deadline
        time.sleep(2 * AGAIN_AFTER_S)
    assert caplog.text.count("Not open: the database is of another line") == 1
