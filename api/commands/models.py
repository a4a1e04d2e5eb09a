"""`mentorgraph models`: the versions of the model, and which one serves."""

from collections.abc import Mapping
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mentorgraph.api.commands.learning import print_figures
from mentorgraph.api.commands.session import sentences
from mentorgraph.api.context import MODELS
from mentorgraph.embeddings.registry import Registry
from mentorgraph.graph.decisions.log import FOLDER, DecisionLog
from mentorgraph.graph.home import mentorgraph_home

RULES = "rules"


@click.group()
def models() -> None:
    """See, compare, promote and take back versions of the model.

    \b
    Example:
      mentorgraph models list
      mentorgraph models rollback

    Versions lie in the folder models of the home. A running server changes to another version between two requests. The
    name rules stands for no model.
    """  # noqa: D301 (click wants the backspace itself)


@models.command("list")
def list_() -> None:
    """List the versions, the newest first.

    \b
    Example:
      mentorgraph models list
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        registry = _registry()
        current = registry.current()
        versions = list(reversed(registry.versions()))
        told = [(version, registry.manifest(version)) for version in versions]
    table = Table(box=SIMPLE_HEAD)
    for heading in ("version", "made", "taught before", "NDCG@10", "", "ranking"):
        table.add_column(heading, no_wrap=heading != "ranking")
    for version, manifest in told:
        figure = _figure(manifest)
        serves = "serves" if version == current else ""
        made, taught = manifest["created"][:16].replace("T", " "), manifest["taught_before"][:10]
        table.add_row(version, made, taught, f"{figure:.3f}", serves, f"{manifest['ranking']} ({manifest['setting']})")
    if told:
        Console().print(table)
    click.echo(f"{current or RULES} serves.")


@models.command()
@click.argument("version")
def show(version: str) -> None:
    """Show the model card of a VERSION, and where its report lies, an HTML file for a browser.

    \b
    Example:
      mentorgraph models show 20260101-0123456789ab
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        card, report = _registry().card(version), _registry().report(version)
    click.echo(card)
    if report is not None:
        click.echo(f"Report with plots: {report}")


@models.command()
@click.argument("first", metavar="VERSION")
@click.argument("second", metavar="VERSION")
def compare(first: str, second: str) -> None:
    """Show two versions side by side, with the figures by which each was judged.

    \b
    Example:
      mentorgraph models compare 20260101-0123456789ab 20260201-ba9876543210

    The figures compare only where both were judged on the same goals; the command says so where they were not.
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        told = {version: _registry().manifest(version) for version in (first, second)}
    for version, manifest in told.items():
        click.echo(f"{version}: taught before {manifest['taught_before'][:10]}, ranking {manifest['ranking']}")
        print_figures(manifest)
    windows = {(each["taught_before"], each["judged_until"], each["snapshot"]["sha256"]) for each in told.values()}
    if len(windows) > 1:
        click.echo("They were judged on different goals, so the figures do not compare.")
    else:
        gain = _figure(told[second]) - _figure(told[first])
        click.echo(f"NDCG@10 of what serves: {gain:+.4f} from {first} to {second}.")


@models.command()
@click.argument("version")
@click.option("--reason", default="", help="Why; it is kept in the history.")
def promote(version: str, reason: str) -> None:
    """Make a VERSION serve, or `rules` for no model.

    \b
    Example:
      mentorgraph models promote 20260101-0123456789ab --reason "seen by the coordinators"
      mentorgraph models promote rules
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        _registry().promote("" if version == RULES else version, reason=reason)
    click.echo(f"{version} serves now.")


@models.command()
@click.option("--reason", default="", help="Why; it is kept in the history.")
def rollback(reason: str) -> None:
    """Make serve again what served before.

    \b
    Example:
      mentorgraph models rollback --reason "odd lists since noon"
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        registry = _registry()
        current, previous = registry.current(), registry.previous()
        if previous is None:
            raise click.ClickException(f"{current or RULES} serves, and nothing served before it.")
        registry.promote(previous, expected=current, reason=reason)
    click.echo(f"{previous or RULES} serves now, in place of {current or RULES}.")


@models.command()
@click.option("--keep", default=5, show_default=True, type=click.IntRange(min=0), help="How many of the newest stay.")
def prune(keep: int) -> None:
    """Delete old versions; what serves, what served before it, and what kept answers name stay.

    \b
    Example:
      mentorgraph models prune --keep 3
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        gone = _registry().prune(keep, frozenset(DecisionLog(mentorgraph_home() / FOLDER).records.versions_named()))
    for version in gone:
        click.echo(f"deleted {version}")
    click.echo(f"{len(gone)} versions deleted.")


def _registry() -> Registry:
    return Registry(mentorgraph_home() / MODELS)


def _figure(manifest: Mapping[str, Any]) -> float:
    """NDCG@10 of the ranking that a version serves, for all."""
    rows = (row for row in manifest["rows"] if row["group"] == "all" and row["name"] == manifest["ranking"])
    return float(next(rows)["ndcg@10"])
