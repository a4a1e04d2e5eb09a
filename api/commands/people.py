"""`mentorgraph people`: who is heard of no more."""

import click

from mentorgraph.api.commands.session import prepare_to_read, run
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.pairings.away import SILENT_DAYS, Silent, find_silent, set_silent_away
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.store import Store


@click.group()
def people() -> None:
    """Look after the people who take part."""


@people.command()
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=SILENT_DAYS,
    show_default=True,
    help="Days without a sign of life.",
)
@click.option("--dry-run", is_flag=True, help="Only say whom it would set away.")
def silent(days: int, dry_run: bool) -> None:
    """Set mentors away of whom nothing was heard though somebody waits for them.

    \b
    Example:
      mentorgraph people silent --dry-run
      mentorgraph people silent --days 90

    To be run once a day. Somebody waits where a request expired unanswered, or where a pairing goes on and nobody
    meets. Prints one line per mentor: their uid and the day on which something was heard last; and below it one per
    request that waited for them and is released: its uid, whoever asked, and their goal. Offer them others with
    `mentorgraph recommend --mentee ID`. Running it again does nothing more. Whoever tells anything is back.
    """  # noqa: D301 (click wants the backspace itself)

    async def work(database: Database, _show: Report) -> list[Silent]:
        await prepare_to_read(database)
        store = Store(database)
        return await find_silent(store, days) if dry_run else await set_silent_away(store, days)

    found = run(work)
    for each in found:
        click.echo(f"{each.person} {each.last.date().isoformat()}")
        for request in each.released:
            click.echo(f"  {request.request} {request.mentee} {request.goal or '-'}")
    click.echo(f"{'would set' if dry_run else 'set'} {len(found)} away")
