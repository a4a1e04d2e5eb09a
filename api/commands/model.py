"""`mentorgraph db migrate` and `mentorgraph db check`: the database and the model of mentorgraph."""

import click

from mentorgraph.api.commands.session import run
from mentorgraph.graph.database import Database
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.migrate import migrate as apply_migrations


@click.command()
def migrate() -> None:
    r"""Bring the database to the model of this version.

    \b
    Example:
      mentorgraph db migrate

    Adds the constraints and indexes that are missing and changes no facts; done once, it does nothing. Commands that
    need it do it themselves.
    """

    async def work(database: Database, _show: Report) -> list[str]:
        return await apply_migrations(database)

    applied = run(work, if_interrupted="run it again to complete it")
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("The database is up to date; nothing was applied.")
