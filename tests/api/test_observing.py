"""What an operator sees: figures and lines of the log, with ids and without what people wrote."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.testclient import TestClient

from mentorgraph.api.app import create_app
from mentorgraph.api.logs import JsonLines
from mentorgraph.api.observing import REQUEST_ID, MetricsPage, ModelInUse, figures
from mentorgraph.api.trusted import TrustedDocument, TrustedDocuments
from mentorgraph.graph.store.database import round_trips

from .test_endpoint import STANDARD, World, ask, ready, small_schema

HELLO = "query SayHello($n: String) { hello(name: $n) }"
LIMITED = {"max_aliases": 1}


async def reading(request: Request) -> None:
    sent = round_trips.get()
    assert sent is not None
    sent += ["read_nodes", "read_roles"]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """The log as it is written with `--log-format json`."""
    found: list[dict[str, Any]] = []

    class Kept(logging.Handler):
        """Takes each line as it is written."""

        def emit(self, record: logging.LogRecord) -> None:
            """Take one."""
            found.append(json.loads(JsonLines().format(record)))

    handler, ours = Kept(), logging.getLogger("mentorgraph")
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield found
    ours.removeHandler(handler)
    ours.setLevel(logging.NOTSET)


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    trusted = TrustedDocuments(tmp_path)
    trusted.add([TrustedDocument.of(HELLO)])
    app = create_app(small_schema(World()), context=reading, ready=ready, trusted=trusted, logs_requests=True)
    return TestClient(app, headers=STANDARD)


def named() -> dict[str, str]:
    return {"documentId": f"sha256:{TrustedDocument.of(HELLO).hash}"}


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_requests_are_counted_by_operation_code_time_and_round_trips(client: TestClient) -> None:
    def counted() -> list[float]:
        return [
            value("mentorgraph_requests_total", operation="SayHello", code="OK"),
            value("mentorgraph_requests_total", operation="anonymous", code="OK"),
            value("mentorgraph_requests_total", operation="anonymous", code="NOT_FOUND"),
            value("mentorgraph_request_seconds_count", operation="SayHello"),
            value("mentorgraph_request_round_trips_sum", operation="SayHello"),
            value("mentorgraph_documents_total", found="kept"),
            value("mentorgraph_documents_total", found="read"),
            value("mentorgraph_refusals_total", limit="aliases"),
        ]

    before = counted()
    for _ in range(3):
        client.post("/graphql", json=named())
    ask(client, "query AdaLovelace { hello }")
    ask(client, "{ missing }")
    ask(client, "{ " + " ".join(f"a{i}: hello" for i in range(60)) + " }")
    client.get("/healthz")
    found = [after - was for was, after in zip(before, counted(), strict=True)]
    assert found == [3, 1, 1, 3, 6, 2, 4, 1]
    assert "AdaLovelace" not in figures().decode()
    assert value("mentorgraph_requests_running") == 0


def test_the_model_that_ranks_is_told_and_the_one_before_no_more() -> None:
    model = ModelInUse()
    for version in ("rules", "20260101-a", "20260101-a"):
        model.note(version)
    assert value("mentorgraph_model_info", version="20260101-a") == 1
    assert value("mentorgraph_model_info", version="rules") == 0


@pytest.mark.parametrize(
    ("token", "is_open", "sent", "status"),
    [
        ("", True, "", 200),
        ("", False, "", 404),
        ("", False, "Bearer ", 404),
        ("sixteen-signs-ok", False, "Bearer sixteen-signs-ok", 200),
        ("sixteen-signs-ok", True, "", 401),
        ("sixteen-signs-ok", True, "Bearer sixteen-signs-no", 401),
        ("sixteen-signs-ok", False, "Bearer \u00e4", 401),
    ],
)
def test_figures_are_for_whoever_may_read_them(token: str, is_open: bool, sent: str, status: int) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Route

    app = Starlette(routes=[Route("/metrics", MetricsPage(token, is_open=is_open).answer)])
    answer = TestClient(app).get("/metrics", headers=[(b"authorization", sent.encode())])
    assert (answer.status_code, "mentorgraph_requests" in answer.text) == (status, status == 200)


def test_a_request_is_one_line_with_its_id_and_without_what_was_asked(
    client: TestClient, lines: list[dict[str, Any]]
) -> None:
    answer = client.post("/graphql", json={**named(), "variables": {"n": "Ada Lovelace"}})
    client.get("/graphql?query={hello(name:%22Ada%20Lovelace%22)}", headers={REQUEST_ID: "from-the-proxy.7"})
    client.get("/why/UmVjb21tZW5kYXRpb24", headers={REQUEST_ID: "Ada Lovelace"})
    first, second, third = lines
    assert first["request"] == answer.headers[REQUEST_ID]
    assert (first["operation"], first["status"], first["round_trips"], first["method"], first["path"]) == (
        "SayHello", 200, 2, "POST", "/graphql",
    )  # fmt: skip
    assert second["request"] == "from-the-proxy.7"
    assert (third["path"], third["status"]) == ("unknown", 404)
    assert "operation" not in third
    assert "Ada" not in json.dumps(lines)
    assert "UmVj" not in json.dumps(lines)


def test_an_accident_has_one_reference_in_the_answer_and_in_both_lines_of_the_log(
    client: TestClient, lines: list[dict[str, Any]]
) -> None:
    answer = ask(client, "{ broken }")
    reference = answer.json()["errors"][0]["extensions"]["reference"]
    accident, request = lines
    assert (accident["level"], reference in accident["message"]) == ("ERROR", True)
    assert (request["references"], request["codes"]) == ([reference], ["INTERNAL"])
    assert accident["request"] == request["request"] == answer.headers[REQUEST_ID]
    assert "hunter2" not in json.dumps(lines)


def test_an_exception_in_the_log_says_where_and_not_what() -> None:
    written = "Ada"
    try:
        raise ValueError(written)
    except ValueError:
        record = logging.LogRecord("mentorgraph", logging.ERROR, "", 0, "it failed", None, sys.exc_info())
    line = json.loads(JsonLines().format(record))
    assert "ValueError" in line["exception"]
    assert "test_observing.py" in line["exception"]
    assert "Ada" not in json.dumps(line)


SEVERAL = """
import os, sys
from mentorgraph.api.observing import REQUESTS, RUNNING, figures
REQUESTS.labels("a", "OK").inc()
RUNNING.inc()
if sys.argv[1] == "tells":
    print(figures().decode())
"""


def test_any_of_several_processes_tells_the_figures_of_all_and_the_dead_run_no_requests(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for role in ("counts", "counts", "tells"):
        told = subprocess.run(
            [sys.executable, "-c", SEVERAL, role], env=environment, check=True, capture_output=True, text=True
        ).stdout
    assert 'mentorgraph_requests_total{code="OK",operation="a"} 3.0' in told
    assert "mentorgraph_requests_running 1.0" in told
