"""`mentorgraph config`: what is set, and whether it can be used."""

import os
import stat
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mentorgraph.api.settings import FILE, FILE_VARIABLE, KNOWN, BadSettings, Settings, read_settings, shown
from mentorgraph.api.settings import unknown_variables as unknown
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.rules.policy import chosen_policy, load_policy


@click.group()
def config() -> None:
    """See what is set, and check it.

    \b
    Example:
      mentorgraph config check
      mentorgraph config show

    A setting is a variable of the environment, or a line of mentorgraph.toml in the working folder or of the file that
    MENTORGRAPH_CONFIG names. The variable wins.
    """  # noqa: D301 (click wants the backspace itself)


@config.command()
@click.option("--all", "all_", is_flag=True, help="Also what is not set, with its default.")
def show(all_: bool) -> None:
    """Show what is set: its name in the file, its variable, its value. Secrets are not shown.

    \b
    Example:
      mentorgraph config show --all
    """  # noqa: D301 (click wants the backspace itself)
    settings = _settings()
    table = Table(box=SIMPLE_HEAD)
    for heading in ("in the file", "variable", "value"):
        table.add_column(heading, overflow="fold")
    for key, known in KNOWN.items():
        if all_ or os.environ.get(known.variable):
            table.add_row(key, known.variable, shown(settings, known))
    if table.row_count:
        Console().print(table)
    else:
        click.echo("Nothing is set; --all shows the defaults.")


@config.command()
def check() -> None:
    """Check every setting, and say all that is wrong at once; exit status 1 then.

    \b
    Example:
      mentorgraph config check

    Nothing is started and no database is asked.
    """  # noqa: D301 (click wants the backspace itself)
    settings = _settings()
    faults = _faults(settings)
    if faults:
        raise click.ClickException("\n  ".join(["the settings cannot be used:", *faults]))
    for notice in _notices(settings):
        click.echo(f"notice: {notice}")
    click.echo("The settings can be used.")


def _settings() -> Settings:
    try:
        return read_settings()
    except BadSettings as error:
        raise click.ClickException("\n  ".join(["the settings cannot be used:", *error.faults])) from None


def _faults(settings: Settings) -> list[str]:
    """What is wrong with settings that are fine one by one."""
    faults = []
    try:
        load_policy(chosen_policy())
    except DomainError as error:
        faults.append(error.message)
    except OSError as error:
        faults.append(f"{KNOWN['places.policy'].variable} names a file that cannot be read ({error.strerror})")
    home = Path(settings.places.home).expanduser()
    existing = next((folder for folder in (home, *home.absolute().parents) if folder.exists()), home)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        faults.append(f"{KNOWN['places.home'].variable} names {home}, where no folder can be written")
    if settings.database.uri and not settings.database.password:
        faults.append("NEO4J_URI is set, and NEO4J_PASSWORD is not")
    return faults


def _notices(settings: Settings) -> list[str]:
    """What may be meant, and often is not."""
    notices = [f"{name} is no setting" for name in unknown()]
    file = Path(os.environ.get(FILE_VARIABLE) or FILE)
    if file.is_file() and stat.S_IMODE(file.stat().st_mode) & 0o077 and settings.database.password:
        notices.append(f"{file} can be read by others; keep passwords in the environment, or chmod 600 it")
    return notices
