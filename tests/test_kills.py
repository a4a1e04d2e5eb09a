"""Kill -9 of importer, database and server at seeded moments: facts stay whole, the same command completes the work."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase, attach, status
from mentorgraph.graph.embedded.lines import LINES
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import write

from .conftest import WIPE, run_directly

pytestmark = pytest.mark.drill

COMMAND = Path(sys.executable).with_name("mentorgraph")
WITHIN_S = 120.0
LONGEST_MOMENT_S = 5.0
TOLD = 40
MUTATIONS = """
mutation ($person: RegisterPersonInput!, $goal: CreateGoalInput!) {
  registerPerson(input: $person) { userErrors { message } }
  createGoal(input: $goal) { userErrors { message } }
}
"""

Count = Callable[[int, int], int]


@pytest.fixture(scope="module")
def database(line: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    """A database of this module's own, since it is killed here."""
    with attach(tmp_path_factory.mktemp("killed"), LINES[line]) as attached:
        yield attached


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("community")
    write(generate(60, months=6, seed=1), folder)
    return folder


def begin(database: EmbeddedDatabase, *words: str | Path) -> "subprocess.Popen[str]":
    """Start a command on the database."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NEO4J_")}
    own |= {"MENTORGRAPH_HOME": str(database.home), "MENTORGRAPH_NEO4J_LINE": database.line.name}
    return subprocess.Popen([COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=own)


def complete(database: EmbeddedDatabase, *words: str | Path) -> str:
    """The last line of a command that has to succeed."""
    with begin(database, *words) as process:
        out, said = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0, out + said
    return out.splitlines()[-1]


def hash_of(database: EmbeddedDatabase) -> str:
    """The hash of the graph, which `db check` prints only where every fact is whole."""
    return complete(database, "db", "check").split()[-1]


def wipe(database: EmbeddedDatabase) -> None:
    run_directly(database, WIPE)
    complete(database, "db", "migrate")


def kill_database(database: EmbeddedDatabase) -> None:
    """Kill Java, and wait until the guardian has started it again."""
    killed = status(database.home).java_pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + WITHIN_S
    while (found := status(database.home)).state != "ready" or found.java_pid == killed:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


@pytest.fixture(scope="module")
def whole(database: EmbeddedDatabase, bundle: Path) -> str:
    """The hash of the graph after an import that nothing disturbs."""
    wipe(database)
    complete(database, "import", bundle)
    return hash_of(database)


def test_a_lost_fact_would_be_seen(database: EmbeddedDatabase, whole: str) -> None:
    run_directly(database, "MATCH (session:Session) WITH session LIMIT 1 DETACH DELETE session")
    assert hash_of(database) != whole


@pytest.mark.parametrize("victim", ["importer", "database"])
def test_an_import_is_completed_whatever_is_killed(
    victim: str, database: EmbeddedDatabase, bundle: Path, whole: str, count: Count
) -> None:
    moments = random.Random(victim)  # noqa: S311
    for _ in range(count(1, 10)):
        wipe(database)
        with begin(database, "import", bundle) as importing:
            time.sleep(moments.uniform(0.5, LONGEST_MOMENT_S))
            if victim == "importer":
                importing.kill()
            else:
                kill_database(database)
            _, said = importing.communicate(timeout=WITHIN_S)
        assert "Traceback" not in said
        hash_of(database)
        complete(database, "import", bundle)
        assert hash_of(database) == whole


# --- the server -----------------------------------------------------------------------------------------------------


@contextmanager
def serving(database: EmbeddedDatabase) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server that answers, and its address; it is killed in the end, however it was."""
    server = begin(database, "serve", "--demo", "--port", "0")
    try:
        assert server.stderr
        said = server.stderr.readline()
        address = re.search(r"http://\S+(?=/graphql)", said)
        assert address, said
        deadline = time.monotonic() + WITHIN_S
        while not is_ready(address[0]):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield server, address[0]
    finally:
        server.kill()
        server.communicate()


def is_ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=10) as answer:  # noqa: S310 (our own loopback address)
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def tell(address: str, number: int) -> bool:
    """Register somebody and their goal; whether the server has said that it is done."""
    person = {"name": f"Person {number}", "roles": ["MENTOR"], "joinedAt": "2026-01-05", "externalId": f"p{number}"}
    goal = {"personId": global_id("Person", uid_of("api", "people", f"p{number}")), "title": f"Goal {number}"}
    goal |= {"createdAt": "2026-02-01", "externalId": f"g{number}"}
    body = json.dumps({"query": MUTATIONS, "variables": {"person": person, "goal": goal}}).encode()
    request = Request(f"{address}/graphql", data=body, headers={"content-type": "application/json"})  # noqa: S310
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            data = json.load(answer)["data"]
    except (URLError, OSError):
        return False
    assert data == {"registerPerson": {"userErrors": []}, "createGoal": {"userErrors": []}}
    return True


def test_what_was_told_is_there_once_though_the_server_is_killed(database: EmbeddedDatabase, count: Count) -> None:
    wipe(database)
    with serving(database) as (_, address):
        assert all(tell(address, number) for number in range(TOLD))
    whole = hash_of(database)
    moments = random.Random("server")  # noqa: S311
    for _ in range(count(1, 10)):
        wipe(database)
        with serving(database) as (server, address):
            last = moments.randrange(TOLD)
            acknowledged = sum(tell(address, number) for number in range(last))
            assert acknowledged == last
            killing = subprocess.Popen(
                [sys.executable, "-c", KILL_SOON, str(server.pid), str(moments.uniform(0, 0.05))]
            )
            for number in range(last, TOLD):
                if not tell(address, number):
                    break
                acknowledged += 1
            killing.wait(WITHIN_S)
        hash_of(database)
        rows = run_directly(database, "MATCH (person:Person) RETURN count(*) AS people")
        assert rows[0]["people"] >= acknowledged
        with serving(database) as (_, address):
            assert all(tell(address, number) for number in range(TOLD))
        assert hash_of(database) == whole


KILL_SOON = "import os, signal, sys, time; time.sleep(float(sys.argv[2])); os.kill(int(sys.argv[1]), signal.SIGKILL)"
