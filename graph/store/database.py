"""The connection to Neo4j: units of work with a deadline, and faults turned into typed errors.

The driver waits without end for a silent server, so every unit of work has its own deadline here; leaving it closes
the connection, which ends the query in the database too.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar, cast

from neo4j import (
    READ_ACCESS,
    WRITE_ACCESS,
    AsyncDriver,
    AsyncGraphDatabase,
    AsyncManagedTransaction,
    AsyncSession,
    NotificationMinimumSeverity,
)
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    ConstraintError,
    DriverError,
    IncompleteCommit,
    Neo4jError,
)

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.statements import statement
from mentorgraph.graph.store import once
from mentorgraph.graph.store.planning import Plans

round_trips: ContextVar[list[str] | None] = ContextVar("round_trips", default=None)
"""While set to a list, the name of every statement that is sent is added to it."""

around_statements: ContextVar[Callable[[str], AbstractContextManager[object]] | None] = ContextVar(
    "around_statements", default=None
)
"""While set, every statement is sent and read inside of what this makes of its name, such as a span of a trace."""

Result = TypeVar("Result")
PLANNED_WITHIN_S = 15.0
_PANIC = "needs to be restarted"
_REMEDIES = {
    "Neo.ClientError.Database.DatabaseNotFound": "the server has no database of this name; correct NEO4J_DATABASE",
    "Neo.ClientError.Security.Forbidden": "the database user lacks a right that this takes; give NEO4J_USER the rights "
    "to read, to write and to manage constraints and indexes",
}
"""What the operator can mend, by the code of the server's refusal."""


class DatabaseUnavailable(DomainError):
    """The database cannot be asked now."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="SERVICE_UNAVAILABLE")


@dataclass(frozen=True)
class Address:
    """Where a Neo4j server is and who asks.

    Attributes:
        uri: Bolt or neo4j URI.
        user: Name of the database user.
        password: Its password; never shown.
        database: Name of the database; empty for the user's home database.
    """

    uri: str
    user: str
    password: str = field(repr=False)
    database: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Address | None":
        """The server that `NEO4J_URI` names, or None where it is not set."""
        uri = environment.get("NEO4J_URI", "")
        if not uri:
            return None
        return cls(
            uri,
            environment.get("NEO4J_USER") or environment.get("NEO4J_USERNAME") or "neo4j",
            environment.get("NEO4J_PASSWORD", ""),
            environment.get("NEO4J_DATABASE", ""),
        )


class Database:
    """A Neo4j database that statements of `cypher/` are sent to.

    One instance per process and event loop; use it as an asynchronous context manager.
    """

    def __init__(
        self, address: Address, *, budget_s: float = 5.0, on_panic: Callable[[], object] = lambda: None
    ) -> None:
        """Prepares a connection; nothing is sent yet.

        Args:
            address: Server and user.
            budget_s: Seconds after which a unit of work is given up, unless it names its own.
            on_panic: Called, outside the event loop, when the server refuses everything until it is restarted.
        """
        self.address = address
        self.budget_s = budget_s
        self._on_panic = on_panic
        self._driver: AsyncDriver | None = None
        # Members of a cluster lag behind each other. A single server does not, and one that is put back from a dump
        # would wait for a bookmark that never comes.
        routed = address.uri.startswith("neo4j")
        self._bookmarks = AsyncGraphDatabase.bookmark_manager() if routed else None
        self._plans: Plans | None = None

    async def __aenter__(self) -> Self:
        try:
            self._driver = AsyncGraphDatabase.driver(
                self.address.uri,
                auth=(self.address.user, self.address.password),
                connection_timeout=5,
                connection_acquisition_timeout=5,
                max_transaction_retry_time=4,
                liveness_check_timeout=5,
                notifications_min_severity=NotificationMinimumSeverity.OFF,
                user_agent="mentorgraph",
            )
        except (ConfigurationError, ValueError):
            raise DatabaseUnavailable(
                "NEO4J_URI is not a Neo4j address; write it as bolt://HOST:7687 or neo4j+s://HOST"
            ) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._driver is not None:
            with suppress(Exception):
                async with asyncio.timeout(2):
                    await self._driver.close()

    @asynccontextmanager
    async def planning_ahead(self) -> AsyncIterator[Plans]:
        """While the block runs, no statement is sent before the server has a plan for it; see `planning`."""
        plans = Plans(self._explain)
        async with plans.being_made():
            self._plans = plans
            try:
                yield plans
            finally:
                self._plans = None

    async def read(
        self, name: str, /, *, budget_s: float | None = None, newest: bool = False, **parameters: object
    ) -> list[dict[str, Any]]:
        """Sends one reading statement and returns its rows as plain dicts.

        Args:
            name: The statement.
            budget_s: Seconds after which it is given up.
            newest: Ask the member of a cluster that takes the writes. What is read afterwards is as new, wherever.
            parameters: Its parameters.

        Raises:
            DatabaseUnavailable: The server did not answer within the budget.
        """

        async def work(transaction: AsyncManagedTransaction) -> list[dict[str, Any]]:
            return await _run(transaction, name, parameters)

        options = self._session_options() | {"default_access_mode": WRITE_ACCESS if newest else READ_ACCESS}
        async with self._unit_of_work(budget_s) as driver:
            # A transaction that the driver manages takes three round trips, one that commits itself a single one. What
            # only reads may be sent again, so the driver is left to try on where the first attempt fails.
            try:
                await self._planned(name, parameters)
                async with driver.session(**options) as session:
                    return await _run(session, name, parameters)
            except (Neo4jError, DriverError) as error:
                if not error.is_retryable():
                    raise
                self._forget_plans()
            async with driver.session(**options) as session:
                return await (session.execute_write(work) if newest else session.execute_read(work))

    async def write(
        self, work: Callable[["Transaction"], Awaitable[Result]], *, budget_s: float | None = None
    ) -> Result:
        """Does some work in one writing transaction: committed when it returns, rolled back when it raises.

        The work is done again where the server says that another try may succeed, as after a deadlock or a change of
        leader; so it must not depend on what an earlier try saw.

        Raises:
            DatabaseUnavailable: The server did not answer within the budget.
            AlreadyClaimed: See `once`.
            DomainError: `CONFLICT`, a uniqueness constraint of the database forbids it; `OUTCOME_UNKNOWN`, the
                connection was lost, or the time was over, while the server committed. With a claim another try finds
                out, if there is time for it.
        """
        claim = once.claim.get()
        if claim is not None and claim.is_made:
            claim = None

        written: list[Result] = []

        async def attempt(transaction: AsyncManagedTransaction) -> Result:
            if claim is not None:
                await self._make(claim, transaction)
            fate.is_known = True  # what an earlier attempt wrote was rolled back
            written[:] = [await work(Transaction(transaction, self._planned))]
            fate.is_known = False  # from here on the server may commit, and only its answer tells
            return written[0]

        fate = _Fate()
        async with self._unit_of_work(budget_s, fate) as driver:
            try:
                try:
                    result = await self._in_transaction(driver, attempt)
                except IncompleteCommit:
                    if claim is None:
                        raise
                    claim.try_again()
                    result = await self._in_transaction(driver, attempt)
            except once.Settled:
                [result] = written
            except _RolledBack as rolled_back:
                return cast(Result, rolled_back.result)
        if claim is not None:
            claim.is_made = True
        return result

    async def _in_transaction(
        self, driver: AsyncDriver, attempt: Callable[[AsyncManagedTransaction], Awaitable[Result]]
    ) -> Result:
        async with driver.session(**self._session_options()) as session:
            return await session.execute_write(attempt)

    async def _make(self, claim: once.Claim, transaction: AsyncManagedTransaction) -> None:
        parameters = {"uid": claim.uid, "digest": claim.digest, "token": claim.token}
        sent = {**parameters, "now": claim.at, "since": claim.since}
        await self._planned("claim_key", sent)
        [row] = await _run(transaction, "claim_key", sent)
        claim.found(row["token"])

    async def _planned(self, name: str, parameters: Mapping[str, object]) -> None:
        if self._plans is not None:
            await self._plans.made(name, parameters)

    def _forget_plans(self) -> None:
        if self._plans is not None:
            self._plans.forget()

    async def _explain(self, text: str, parameters: Mapping[str, object]) -> None:
        with suppress(ClientError):  # whoever sends it hears what is wrong with it
            async with (
                self._unit_of_work(PLANNED_WITHIN_S) as driver,
                driver.session(**self._session_options()) as session,
            ):
                await (await session.run(text, dict(parameters))).consume()

    async def run_directly(self, text: str, *, budget_s: float = 60.0, **parameters: object) -> list[dict[str, Any]]:
        """Sends a statement in a transaction of its own, such as a change of the schema."""
        async with self._unit_of_work(budget_s) as driver, driver.session(**self._session_options()) as session:
            _note("(direct)")
            result = await session.run(text, parameters)
            return await result.data()

    async def server_version(self) -> str:
        """The version of the server, such as `5.26.31`."""
        async with self._unit_of_work(None) as driver:
            return (await driver.get_server_info()).agent.removeprefix("Neo4j/")

    def _session_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"database": self.address.database} if self.address.database else {}
        if self._bookmarks is not None:
            options["bookmark_manager"] = self._bookmarks
        return options

    @asynccontextmanager
    async def _unit_of_work(self, budget_s: float | None, fate: "_Fate | None" = None) -> AsyncIterator[AsyncDriver]:
        """The driver, for some work with a deadline; its faults become ours.

        Args:
            budget_s: Seconds.
            fate: Of what is written, if anything is.
        """
        if self._driver is None:
            raise RuntimeError("the database is used outside its context")
        try:
            async with asyncio.timeout(budget_s or self.budget_s):
                yield self._driver
        except TimeoutError:
            raise _lost(fate, "the database did not answer in time; try again") from None
        except AuthError:
            raise _lost(
                fate, "the database refused our user name or password; check NEO4J_USER and NEO4J_PASSWORD"
            ) from None
        except ConstraintError:
            raise DomainError(
                "something else is recorded under the same identity or source key already", code="CONFLICT"
            ) from None
        except ClientError as error:
            if error.code in _REMEDIES:
                raise DatabaseUnavailable(_REMEDIES[error.code]) from None
            raise
        except (Neo4jError, DriverError, OSError) as error:
            self._forget_plans()
            panic = isinstance(error, Neo4jError) and _PANIC in (error.message or "")
            if panic:
                asyncio.get_running_loop().run_in_executor(None, self._on_panic)
            raise _lost(
                fate,
                "the database stopped itself after a fault and needs to be restarted"
                if panic
                else "the database cannot be reached; try again",
            ) from error


@dataclass(slots=True)
class _Fate:
    """Of what a transaction wrote: whether it is known if that is committed."""

    is_known: bool = True


def _lost(fate: _Fate | None, told: str) -> DomainError:
    """What it means that the database was lost: nothing was written, or nobody knows."""
    if fate is None or fate.is_known:
        return DatabaseUnavailable(told)
    return DomainError(
        "the connection was lost while this was being written; it may have taken place or not, so look before you "
        "repeat it",
        code="OUTCOME_UNKNOWN",
    )


class Transaction:
    """A writing transaction that is under way."""

    def __init__(
        self,
        transaction: AsyncManagedTransaction,
        planned: Callable[[str, Mapping[str, object]], Awaitable[None]],
    ) -> None:
        self._transaction = transaction
        self._planned = planned

    async def run(self, name: str, /, **parameters: object) -> list[dict[str, Any]]:
        """Sends one statement of `cypher/` and returns its rows."""
        await self._planned(name, parameters)
        return await _run(self._transaction, name, parameters)

    @staticmethod
    def roll_back(result: object) -> NoReturn:
        """Ends the work, takes back what was written, and makes `Database.write` return the result."""
        raise _RolledBack(result)


class _RolledBack(Exception):
    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


async def _run(
    runner: AsyncManagedTransaction | AsyncSession, name: str, parameters: Mapping[str, object]
) -> list[dict[str, Any]]:
    _note(name)
    around = around_statements.get()
    try:
        with around(name) if around else nullcontext():
            result = await runner.run(statement(name), dict(parameters))
            keys = result.keys()
            return [dict(zip(keys, record.values(), strict=True)) async for record in result]
    except ValueError as error:  # what the driver raises at an answer that is not Bolt
        raise DatabaseUnavailable("what answers at the database's address does not speak Bolt") from error


def _note(name: str) -> None:
    sent = round_trips.get()
    if sent is not None:
        sent.append(name)


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Does slow work in a thread that nobody waits for when the process is interrupted."""
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # it is raised where the work is awaited
            done.set_exception(error)

    threading.Thread(target=run, name="attach", daemon=True).start()
    return await asyncio.wrap_future(done)


@asynccontextmanager
async def open_database(
    home: Path,
    *,
    budget_s: float = 5.0,
    progress: Callable[[str, int, int], None] = lambda _message, _done, _total: None,
) -> AsyncIterator[Database]:
    """Opens the database that `NEO4J_URI` names, or else the embedded one of a home, which it starts where need be.

    Args:
        home: Folder of the embedded database.
        budget_s: Seconds after which a unit of work is given up, unless it names its own.
        progress: Told what is done while the embedded one starts.

    Raises:
        DatabaseUnavailable: With the one sentence that says why.
    """
    address = Address.from_environment()
    if address is not None:
        async with Database(address, budget_s=budget_s) as database:
            yield database
        return
    from mentorgraph.graph.embedded import database as embedded  # only the embedded default needs its extra
    from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError

    try:
        server = await _in_thread(lambda: embedded.attach(home, progress=progress))
    except EmbeddedDatabaseError as error:
        raise DatabaseUnavailable(str(error)) from error
    try:
        address = Address(server.uri, server.user, server.password)
        async with Database(address, budget_s=budget_s, on_panic=server.report_panic) as database:
            yield database
    finally:
        await asyncio.to_thread(server.close)
