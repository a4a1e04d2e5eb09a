"""Databases that are made for one piece of work, and hold a bundle or a generated world."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from mentorgraph.api.commands.session import PATIENCE_S
from mentorgraph.graph.embedded.database import attach
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.exchange.bundle import import_bundle
from mentorgraph.graph.exchange.table_files import BundleFile
from mentorgraph.graph.store.database import Address, Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store


@contextmanager
def scratch_home() -> Iterator[Path]:
    """A home that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="mentorgraph-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@asynccontextmanager
async def database_of(home: Path, show: Report) -> AsyncIterator[Database]:
    """The embedded database of a home, whatever the environment names; it ends with the block."""
    server = await asyncio.to_thread(lambda: attach(home, progress=show))
    try:
        async with Database(Address(server.uri, server.user, server.password), budget_s=PATIENCE_S) as database:
            yield database
    finally:
        await asyncio.to_thread(server.close)


async def fill(database: Database, bundle: Mapping[str, BundleFile], source: str, show: Report) -> None:
    """Brings an empty database to the model and imports a bundle."""
    await migrate(database)
    total, done = sum(file.count for file in bundle.values()), 0

    def add(_file: str, rows: int) -> None:
        nonlocal done
        done += rows
        show("Importing rows", done, total)

    await import_bundle(Store(database), bundle, source=source, on_progress=add)
