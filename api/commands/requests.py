"""`mentorgraph requests`: what waits for an answer, and what has waited too long."""

import click

from mentorgraph.api.commands.session import prepare_to_read, run
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.pairings.pairing import Released, expire_requests
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.store import Store


@click.group()
def requests() -> None:
    """Look after requests for mentors."""


@requests.command()
def expire() -> None:
    """End the requests that nobody answered in time.

    \b
    Example:
      mentorgraph requests expire

    To be run once a day. Prints one line per request: its uid, whoever asked, and their goal; offer them others with
    `mentorgraph recommend --mentee ID`. Running it again does nothing more. Late requests cannot be answered, whether
    or not this has run.
    """  # noqa: D301 (click wants the backspace itself)

    async def work(database: Database, _show: Report) -> list[Released]:
        await prepare_to_read(database)
        return await expire_requests(Store(database))

    expired = run(work)
    for each in expired:
        click.echo(f"{each.request} {each.mentee} {each.goal or '-'}")
    click.echo(f"expired {len(expired)}")
