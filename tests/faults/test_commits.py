"""What is written while the connection to the database breaks: nobody is told less than is known."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import timedelta

import pytest

from mentorgraph.graph.clock import present
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.store.database import Address, Database, Transaction
from mentorgraph.graph.store.once import Claim, claiming

from ..conftest import run_directly
from .proxy import Loss, Proxy

BUDGET_S = 20.0


def key(uid: str) -> Claim:
    now = present()
    return Claim(uid, "digest", now, now - timedelta(hours=1))


async def note(transaction: Transaction) -> str:
    """Work that leaves a trace each time that it is done."""
    await transaction.run("next_change", count=1, kinds=[])
    return "done"


def times_done(database: EmbeddedDatabase) -> int:
    """How often it was done; and once more each time that it was prepared for a test."""
    [row] = run_directly(database, "MATCH (counter:ChangeCounter {kind: 'graph'}) RETURN counter.value AS value")
    return int(row["value"])


def through_proxy(
    database: EmbeddedDatabase, ask: Callable[[Proxy, Database], Awaitable[object]], budget_s: float = BUDGET_S
) -> object:
    """What comes of asking a database whose connections a proxy can break; the code of an error."""

    async def run() -> object:
        async with Proxy(int(database.uri.rpartition(":")[2])) as proxy:
            address = Address(f"bolt://127.0.0.1:{proxy.port}", database.user, database.password)
            async with Database(address, budget_s=budget_s) as connection:
                await connection.write(note)  # connected, and planned
                try:
                    return await ask(proxy, connection)
                except DomainError as error:
                    return error.code
                finally:
                    proxy.let_through()

    return asyncio.run(run())


def outcome(
    database: EmbeddedDatabase, losses: list[Loss], claim: Claim | None = None, budget_s: float = BUDGET_S
) -> tuple[object, int]:
    """What a writer is told whose connection suffers some losses, and how often its work was done."""

    async def ask(proxy: Proxy, connection: Database) -> object:
        proxy.at_commits = losses
        with claiming(claim) if claim else nullcontext():
            return await connection.write(note, budget_s=budget_s)

    before = times_done(database)
    told = through_proxy(database, ask)
    return told, times_done(database) - before - 1


@pytest.mark.parametrize(("loss", "times"), [(Loss.ANSWER, 1), (Loss.MESSAGE, 0)])
def test_without_a_key_nobody_knows_what_became_of_a_commit(emptied: EmbeddedDatabase, loss: Loss, times: int) -> None:
    assert outcome(emptied, [loss]) == ("OUTCOME_UNKNOWN", times)


@pytest.mark.parametrize("losses", [[Loss.ANSWER], [Loss.MESSAGE]])
def test_with_a_key_it_is_found_out_and_done_once(emptied: EmbeddedDatabase, losses: list[Loss]) -> None:
    claim = key("found out")
    assert outcome(emptied, losses, claim) == ("done", 1)
    assert claim.is_made
    assert outcome(emptied, [], key("found out")) == ("IDEMPOTENCY_KEY_IN_USE", 0)


def test_who_could_not_find_out_is_not_told_that_nothing_was_done(emptied: EmbeddedDatabase) -> None:
    assert outcome(emptied, [Loss.MESSAGE, Loss.ANSWER], key("lost twice")) == ("OUTCOME_UNKNOWN", 1)
    assert outcome(emptied, [Loss.ALL], budget_s=2) == ("OUTCOME_UNKNOWN", 0)
    assert outcome(emptied, [Loss.MESSAGE, Loss.ALL], key("then silence"), budget_s=3) == ("OUTCOME_UNKNOWN", 0)


def test_who_never_began_to_commit_is_told_that_nothing_was_done(emptied: EmbeddedDatabase) -> None:
    async def ask(proxy: Proxy, connection: Database) -> object:
        proxy.swallow()
        return await connection.write(note, budget_s=1)

    before = times_done(emptied)
    assert through_proxy(emptied, ask) == "SERVICE_UNAVAILABLE"
    assert times_done(emptied) == before + 1
