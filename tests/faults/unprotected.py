"""The service with one protection switched off each, which the rounds have to notice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graphql import ExecutionContext
from starlette.types import ASGIApp

from mentorgraph.api import endpoint
from mentorgraph.api.app import from_environment
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.store import Store


def forgetful() -> ASGIApp:
    """It takes idempotency keys, and does what is sent again once more."""
    vars(endpoint)["OnceExecution"] = ExecutionContext
    return from_environment()


def stale() -> ASGIApp:
    """It reads the graph when it begins, and then never again."""
    refresh, known = Columns.refresh, set[int]()

    async def refresh_once(columns: Columns, store: Store) -> bool:
        if id(columns) in known:
            return True
        known.add(id(columns))
        return await refresh(columns, store)

    setattr(Columns, "refresh", refresh_once)  # noqa: B010 (types forbid it, rightly)
    return from_environment()


def patient() -> ASGIApp:
    """It waits for its database as long as that takes."""

    @asynccontextmanager
    async def unit_of_work(database: Database, *_: object) -> AsyncIterator[object]:
        yield database._driver

    setattr(Database, "_unit_of_work", unit_of_work)  # noqa: B010
    return from_environment()
