"""`mentorgraph drift`: whether what the model sees has moved since it was judged."""

from dataclasses import asdict

import click
import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mentorgraph.api.commands.learning import take_snapshot
from mentorgraph.api.commands.session import sentences
from mentorgraph.api.commands.watching import FOLDER as SNAPSHOTS
from mentorgraph.api.context import MODELS
from mentorgraph.embeddings import snapshot as snapshots
from mentorgraph.embeddings.drift import moved, since_judged
from mentorgraph.embeddings.registry import Registry
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.rules.policy import chosen_policy, load_policy


@click.command()
@click.option("--snapshot", "name", metavar="NAME", help="A snapshot that was taken before; a new one if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def drift(name: str | None, as_json: bool) -> None:
    """Say whether goals, scores or outcomes have moved since the model that serves was judged.

    \b
    Example:
      mentorgraph drift
      mentorgraph drift --json

    The window on which the model was judged is compared with the time since. Something has moved where its population
    stability index is above 0.2 and larger than luck explains (1 %). The exit status is 1 if anything has.
    mentorgraph train --when-changed retrains only where it is worth it.
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        folder = mentorgraph_home() / SNAPSHOTS / name if name else take_snapshot()
        registry, policy = Registry(mentorgraph_home() / MODELS), load_policy(chosen_policy())
        found = since_judged(registry, snapshots.load(folder), policy)
    if as_json:
        click.echo(orjson.dumps({**asdict(found), "moved": moved(found.shifts)}, option=orjson.OPT_INDENT_2))
    else:
        table = Table(box=SIMPLE_HEAD)
        for heading in ("of", "what", "then", "now", "index", "facts", ""):
            table.add_column(heading, no_wrap=heading != "what")
        for each in found.shifts:
            known = each.index == each.index  # NaN where there is too little
            figures = (f"{value:.3g}" if known else "" for value in (each.then, each.now, each.index))
            verdict = "moved" if each.has_moved else "" if known else "too few"
            table.add_row(each.kind, each.what, *figures, str(each.facts), verdict)
        Console().print(table)
        click.echo(
            f"{found.changed} pairings began or became known how they went since {found.since:%Y-%m-%d}, when model "
            f"{found.version} was judged."
        )
        for line in moved(found.shifts) or ["Nothing has moved."]:
            click.echo(line)
    raise SystemExit(1 if moved(found.shifts) else 0)
