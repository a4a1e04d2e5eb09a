"""A server of its own on a home, as a process with two workers, and how to ask it."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mentorgraph.api.ids import global_id
from mentorgraph.graph.facts.model import uid_of

COMMAND = Path(sys.executable).with_name("mentorgraph")


@contextmanager
def serving() -> Iterator[str]:
    """A server with two workers on this home, and its address."""
    command: list[str | Path] = [COMMAND, "serve", "--demo", "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr
            said = server.stderr.readline()
            address = said.split("GraphQL on ")[1].split("/graphql")[0]
            # What it says later must not fill the pipe.
            threading.Thread(target=server.stderr.read, daemon=True).start()
            deadline = time.monotonic() + 120
            while not is_ready(address):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield address
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(60) == 0


def is_ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=10) as answer:  # noqa: S310 (our own loopback address)
            return bool(answer.status == 200)
    except OSError:
        return False


QUESTION = """
query ($mentee: ID!) {
  one: recommendMentors(menteeId: $mentee, first: 5) { ...answer }
  other: recommendMentors(menteeId: $mentee, first: 5) { ...answer }
}
fragment answer on RecommendationConnection {
  modelVersion edges { node { score signals { name contribution } paths { sentence } } }
}
"""


def mentee_of(goal: Mapping[str, str]) -> str:
    return global_id("Person", uid_of("bundle", "people", goal["person_id"]))


def ask(address: str, mentee: str, query: str = QUESTION) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": {"mentee": mentee}}).encode()
    request = Request(f"{address}/graphql", data=body, headers={"content-type": "application/json"})  # noqa: S310
    try:
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            return dict(json.load(answer))
    except HTTPError as error:  # a request that took too long is answered with a status of its own
        return dict(json.load(error))


def ask_patiently(address: str, mentee: str, query: str = QUESTION) -> dict[str, Any]:
    """As `ask`, and again where the answer says so: on a busy machine a worker may open late or answer too slowly."""
    deadline = time.monotonic() + 60
    while True:
        answer = ask(address, mentee, query)
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        if not codes or codes - {"SERVICE_UNAVAILABLE", "TIMEOUT"} or time.monotonic() > deadline:
            return answer
