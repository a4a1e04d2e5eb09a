"""`mentorgraph db`: the database that answers come from."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from mentorgraph.api.commands.model import check
from mentorgraph.api.commands.model import migrate as migrate_command
from mentorgraph.api.commands.session import run, sentences
from mentorgraph.graph.embedded import backup
from mentorgraph.graph.embedded import database as embedded
from mentorgraph.graph.embedded.folder import DATABASE, USER
from mentorgraph.graph.embedded.progress import Report, shown_on_terminal
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.migrate import migrate


@click.group()
def database() -> None:
    """Start, stop, migrate, check, dump and load the database.

    Without NEO4J_URI, mentorgraph runs a Neo4j of its own: the first command starts it, others share it, and it stops
    when the last one has left. It lives in the folder .mentorgraph, or the one that MENTORGRAPH_HOME names. With
    NEO4J_URI, NEO4J_USER and NEO4J_PASSWORD set, mentorgraph uses that server and leaves starting it to you.
    """


@contextmanager
def _embedded_only() -> Iterator[Report]:
    """Show progress, a failure as one sentence, and say so where the database is external."""
    if os.environ.get("NEO4J_URI"):
        raise click.ClickException(
            "NEO4J_URI is set, so the database is external: use the tools of that server, or unset NEO4J_URI "
            "to use the embedded one."
        )
    with sentences(), shown_on_terminal() as report:
        yield report


async def _bring_to_model(database: Database, _show: Report) -> None:
    await migrate(database)


@database.command()
def start() -> None:
    """Start the database and keep it running until `mentorgraph db stop`.

    Not needed before other commands, which start it themselves; it saves each of them the seconds of a start. The
    first time, Neo4j is fetched (about 130 MB, once per user of this machine).
    """
    with _embedded_only() as report:
        was_kept = embedded.start(progress=report)
        status = embedded.status()
    click.echo(f"The database {'was already running' if was_kept else 'runs'} at {status.uri}.")
    click.echo("End it with: mentorgraph db stop")


@database.command()
def stop() -> None:
    """Stop the database, also when other commands still use it."""
    with _embedded_only() as report:
        report("Stopping the database", 0, 0)
        was_running = embedded.stop()
    click.echo("The database is stopped." if was_running else "The database was not running.")


@database.command()
def status() -> None:
    """Say whether the database runs, where it is and who uses it; starts nothing."""
    with _embedded_only():
        found = embedded.status()
    click.echo(f"state     {found.state} ({found.message})")
    click.echo(f"folder    {found.folder}")
    if found.line:
        click.echo(f"line      {found.line}")
        click.echo(f"size      {found.size_bytes / 2**20:.1f} MiB")
    if found.guardian_pid:
        click.echo(f"address   {found.uri}")
        click.echo(f"server    process {found.java_pid}, guarded by process {found.guardian_pid}")
        click.echo(f"users     {', '.join(map(str, found.user_pids)) or 'none'}")
        click.echo(f"kept      {'until mentorgraph db stop' if found.is_kept else 'while it has users'}")


@database.command("shell-info")
@click.option("--show-password", is_flag=True, help="Print the password itself, not where it is kept.")
def shell_info(show_password: bool) -> None:
    """Say how to look into the database with cypher-shell, Neo4j Browser or the Python driver."""
    with _embedded_only():
        found = embedded.status()
        folder = embedded.database_folder()
        password = folder.password() if show_password else f"kept in {folder.password_file}"
    if found.guardian_pid is None:
        raise click.ClickException("The database does not run; start it with: mentorgraph db start")
    click.echo(f"uri       {found.uri}")
    click.echo(f"user      {USER}")
    click.echo(f"password  {password}")
    click.echo(f"database  {DATABASE}")
    click.echo()
    click.echo("cypher-shell (asks nothing, shows the password to nobody):")
    click.echo(f'  NEO4J_PASSWORD="$(cat {folder.password_file})" cypher-shell -a {found.uri} -u {USER} -d {DATABASE}')
    click.echo("Neo4j Browser or Desktop: connect to the uri above with the user and the password.")
    click.echo("Python:")
    click.echo("  from pathlib import Path; import neo4j")
    click.echo(f'  password = Path("{folder.password_file}").read_text().strip()')
    click.echo(f'  driver = neo4j.GraphDatabase.driver("{found.uri}", auth=("{USER}", password))')


@database.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
def dump(file: Path, force: bool) -> None:
    """Write the whole database to FILE.

    The server stops meanwhile, some seconds for a small database: services answer that they are not available until it
    is back, and an import that is running ends and has to be repeated. FILE appears only
    when it is whole. It holds no users and no password. Example:

    \b
        mentorgraph db dump backup-2026-11-23.dump
    """  # noqa: D301 - click wants the character
    with _embedded_only() as report:
        size_bytes = backup.dump(file, force=force, progress=report)
    click.echo(f"{file}: {size_bytes / 2**20:.1f} MiB")


@database.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def load(file: Path) -> None:
    """Replace the whole database by the one in FILE, which `mentorgraph db dump` wrote.

    FILE is loaded beside the present database, every record is checked and a server is started on it. Only then does
    it take the place; a damaged FILE changes nothing. The present data is then gone: dump it first. Also the way from
    one Neo4j line to the other:

    \b
        MENTORGRAPH_NEO4J_LINE=lts mentorgraph db dump old.dump
        MENTORGRAPH_NEO4J_LINE=current mentorgraph db load old.dump
    """  # noqa: D301 - click wants the character
    with _embedded_only() as report:
        loaded = backup.load(file, progress=report)
    run(_bring_to_model)
    click.echo(f"The database now holds {loaded.nodes} nodes and {loaded.relationships} relationships.")


database.add_command(check)
database.add_command(migrate_command)
