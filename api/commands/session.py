"""How a command works on the graph: it opens the database, shows progress, and says a failure in one sentence."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.progress import Report, shown_on_terminal
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.store.database import Address, Database, open_database
from mentorgraph.graph.store.migrate import migrate, missing_migrations

Result = TypeVar("Result")

PATIENCE_S = 60.0
"""How long a command waits for one answer; a person at the keyboard can end it, a busy machine must not."""


@contextmanager
def sentences(if_interrupted: str = "nothing was changed") -> Iterator[None]:
    """Turns what goes wrong into one sentence on standard error.

    Args:
        if_interrupted: What holds after Ctrl-C.

    Raises:
        click.ClickException: With the sentence.
    """
    try:
        yield
    except (DomainError, EmbeddedDatabaseError) as error:
        raise click.ClickException(error.message) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'the system'}: {error.strerror or error}") from error
    except KeyboardInterrupt:
        raise click.ClickException(f"interrupted; {if_interrupted}") from None


async def prepare_to_read(database: Database) -> None:
    """Brings the embedded database to the model; of somebody else's server, it only says that it lacks the model.

    Raises:
        DomainError: `NOT_MIGRATED`, or as `migrate`.
    """
    if Address.from_environment() is None:
        await migrate(database)
    elif await missing_migrations(database):
        raise DomainError("this database lacks the model; run mentorgraph db migrate first", code="NOT_MIGRATED")


def run(
    work: Callable[[Database, Report], Awaitable[Result]], *, if_interrupted: str = "nothing was changed"
) -> Result:
    """Opens the database of this home, does the work on it and returns its result.

    Args:
        work: Is given the database and what to report progress to.
        if_interrupted: What holds after Ctrl-C.

    Raises:
        click.ClickException: With the one sentence that says what went wrong.
    """

    async def session(report: Report) -> Result:
        async with open_database(mentorgraph_home(), budget_s=PATIENCE_S, progress=report) as database:
            return await work(database, report)

    with sentences(if_interrupted), shown_on_terminal() as report:
        return asyncio.run(session(report))
