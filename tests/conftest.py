"""What all tests share: the Neo4j line that they run on, an emptied database on it, and how much they try."""

import asyncio
import json
import os
import platform
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from mentorgraph.graph.embedded import backup
from mentorgraph.graph.embedded.database import EmbeddedDatabase, attach
from mentorgraph.graph.embedded.lines import LINES
from mentorgraph.graph.statements import FOLDER
from mentorgraph.graph.store import database as store_database
from mentorgraph.graph.store.database import Address, Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store

WIPE = """
MATCH (node) WHERE NOT node:Migration
CALL (node) { DETACH DELETE node } IN TRANSACTIONS OF 5000 ROWS
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--line", choices=("current", "lts"), default="current", help="the Neo4j line to test on")
    parser.addoption(
        "--prove", type=Path, metavar="FILE.json", help="try full counts, and write what was tried and found"
    )
    parser.addoption("--every-statement", action="store_true", help="fail if the tests leave a statement unsent")


def pytest_configure(config: pytest.Config) -> None:
    # Most servers here live for minutes on few cores: Java compiles quickly rather than well.
    os.environ.setdefault("MENTORGRAPH_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
    # The tests fill and empty small databases all the time: plans made once are good enough.
    os.environ.setdefault("MENTORGRAPH_NEO4J_SETTINGS", "dbms.cypher.min_replan_interval=1h")
    # A shell without job control has what it starts in the background ignore Ctrl-C, and what that starts as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--every-statement"):
        config.pluginmanager.register(Sent())
    file = config.getoption("--prove")
    if file is not None:
        if not hasattr(config, "workerinput"):  # a worker of pytest-xdist; who leads them hears of every test
            config.pluginmanager.register(Proof(file))
        settings.register_profile("prove", max_examples=10_000, deadline=None)
        settings.load_profile("prove")


class Sent:
    """Takes down which statements the tests send, and fails the run if one of them was left out."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        # A test that takes a context of its own, or another thread, is seen here all the same.
        for module in (store_database, backup):
            vars(module)["statement"] = self._noting(module.statement)

    def _noting(self, statement: Callable[[str], str]) -> Callable[[str], str]:
        def note(name: str) -> str:
            self._names.add(name)
            return statement(name)

        return note

    def _unsent(self) -> list[str]:
        return sorted({path.stem for path in FOLDER.glob("*.cypher")} - self._names)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Hears from a worker of pytest-xdist what it has sent."""
        self._names.update(getattr(node, "workeroutput", {}).get("sent", ()))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Passes on what a worker has sent, or judges the run."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["sent"] = sorted(self._names)
        elif self._unsent() and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Names what was left out."""
        if self._unsent():
            terminalreporter.write_line(f"statements that no test sent: {', '.join(self._unsent())}", red=True)


class Proof:
    """Writes the outcome, the time and the number of cases of each test."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tests: dict[str, dict[str, object]] = {}
        self._began = datetime.now(UTC)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes down a test that has run; its preparation and its clean-up only where they failed or it was skipped."""
        if report.when == "call" or not report.passed:
            self._tests[report.nodeid] = {
                "outcome": "error" if report.failed and report.when != "call" else report.outcome,
                "seconds": round(report.duration, 3),
                **dict(report.user_properties),
            }

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Writes the record."""
        found = {
            "began": self._began.isoformat(timespec="seconds"),
            "seconds": round((datetime.now(UTC) - self._began).total_seconds(), 1),
            "line": session.config.getoption("--line"),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "exit_status": int(exitstatus),
            "outcomes": Counter(str(each["outcome"]) for each in self._tests.values()),
            "tests": self._tests,
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """How many cases to try: `count(sample, full)`, the full number under `make prove`."""

    def choose(sample: int, full: int) -> int:
        chosen = sample if request.config.getoption("--prove") is None else full
        request.node.user_properties.append(("count", chosen))
        return chosen

    return choose


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.store)
    # The longest files begin, so that no worker is left with one while the other has nothing to do.
    long = {item.path for item in items if any(map(item.get_closest_marker, ("journey", "drill", "slow")))}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in long, -tests[item.path]))


@pytest.fixture(scope="session")
def line(request: pytest.FixtureRequest) -> str:
    """The name of the Neo4j line under test."""
    return str(request.config.getoption("--line"))


@pytest.fixture(scope="session")
def server(line: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    """A running, migrated database of its own for all tests."""
    with attach(tmp_path_factory.mktemp("home"), LINES[line]) as running:
        asyncio.run(empty(running))
        yield running


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What runs tests marked `anyio`."""
    return "asyncio"


@pytest.fixture
def emptied(server: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch) -> EmbeddedDatabase:
    """The server with an empty, migrated database; commands find it through the environment."""
    asyncio.run(empty(server))
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("MENTORGRAPH_HOME", str(server.home))
    monkeypatch.setenv("MENTORGRAPH_NEO4J_LINE", server.line.name)
    return server


@pytest.fixture
async def store(emptied: EmbeddedDatabase) -> AsyncIterator[Store]:
    """The facts of an empty, migrated database; for tests marked `anyio`."""
    async with connection(emptied) as database:
        yield Store(database)


async def empty(server: EmbeddedDatabase) -> None:
    async with connection(server) as database:
        await database.run_directly(WIPE)
        await migrate(database)


def run_directly(server: EmbeddedDatabase, text: str) -> list[dict[str, Any]]:
    """Sends a statement that no part of the program sends."""

    async def run() -> list[dict[str, Any]]:
        async with connection(server) as database:
            return await database.run_directly(text)

    return asyncio.run(run())


def connection(server: EmbeddedDatabase) -> Database:
    """A connection to the server, with a patience that suits a busy machine."""
    return Database(Address(server.uri, server.user, server.password), budget_s=60)
