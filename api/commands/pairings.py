"""`mentorgraph pairings`: which pairings do not move, and why."""

import click

from mentorgraph.api.commands.session import prepare_to_read, run
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.pairings.stalls import Stall, list_stalled, mark_stalled
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR


@click.group()
def pairings() -> None:
    """Look after pairings."""


@pairings.command()
@click.option("--mark", is_flag=True, help="Write down that those that are active have stalled, each with its cause.")
def stalled(mark: bool) -> None:
    """List the pairings in which nobody has met for too long, with the cause and what would help.

    \b
    Examples:
      mentorgraph pairings stalled
      mentorgraph pairings stalled --mark

    With --mark it is to be run once a day; running it again does nothing more. Prints one line per pairing: its uid,
    the day since when it counts as stalled, the cause, the fact and the remedy. Alternatives for the mentee:
    `mentorgraph recommend --mentee ID`.
    """  # noqa: D301 (click wants the backspace itself)

    async def work(database: Database, _show: Report) -> list[Stall]:
        await prepare_to_read(database)
        store = Store(database)
        return await (mark_stalled(store, COORDINATOR) if mark else list_stalled(store, COORDINATOR, first=None))

    found = run(work)
    for each in found:
        since = each.since.date().isoformat()
        click.echo(f"{each.pairing} {since} {each.cause}: {each.sentence} {each.remedy[0].upper()}{each.remedy[1:]}.")
    click.echo(f"{'marked' if mark else 'stalled'} {len(found)}")
