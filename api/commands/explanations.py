"""`mentorgraph audit explanations`: whether reasons are there, add up, and are what the ranking rests on."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mentorgraph.api.commands.scratch import database_of, fill, scratch_home
from mentorgraph.api.commands.session import run, sentences
from mentorgraph.api.context import recommender_on
from mentorgraph.graph.embedded.progress import Report, shown_on_terminal
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import open_bundle
from mentorgraph.graph.explaining.faithfulness import Check, as_json, audit_explanations
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.world.planted import PlantedReasons

Found = TypeVar("Found")


@click.command()
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Examine this bundle, in a database of its own that is gone afterwards; the graph of this home if not given.",
)
@click.option(
    "--truth",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The truth of a generated world, as world generate writes it: also look for what was planted.",
)
@click.option("--source", default="bundle", show_default=True, metavar="NAME", help="Where the world is known from.")
@click.option(
    "--sample",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    metavar="N",
    help="How many recommendations are examined.",
)
@click.option("--seed", default=0, show_default=True, help="Which ones.")
@click.option(
    "--json",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write what was found as JSON.",
)
def explanations(
    bundle: Path | None, truth: Path | None, source: str, sample: int, seed: int, output: Path | None
) -> None:
    """Examine whether reasons are there, add up, and are what the ranking rests on.

    \b
    Example:
      mentorgraph audit explanations
      mentorgraph audit explanations --sample 200 --json audit.json
      mentorgraph audit explanations --bundle demo --truth truth.json

    Draws goals that are open, ranks as for anybody who asks, and examines some of each list: every edge and query, the
    sum, how far the score falls without the edges that are shown beside as many others near them, how much is left
    where only they are kept, and whether the mentee would be shown anything of third people. The model of this home
    ranks, or the rules. Nothing is written and nothing is kept in the decision log. The exit status is 1 if a target is
    not met. A learned model takes some seconds a recommendation.
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        planted = _planted(truth, source) if truth else None

    async def work(database: Database, show: Report) -> tuple[str, list[Check]]:
        recommender = await recommender_on(database, mentorgraph_home())
        show("Examining reasons", 0, sample)
        checks = await audit_explanations(
            recommender,
            sample=sample,
            seed=seed,
            planted=planted,
            on_progress=lambda done, total: show("Examining reasons", done, total),
        )
        return recommender.scorer.model_version, checks

    if bundle is None:
        model, checks = run(work)
    else:
        with sentences(), shown_on_terminal() as show:
            model, checks = asyncio.run(_on_bundle(bundle, source, show, work))
    _print(checks, model)
    if output is not None:
        with sentences():
            told = {"model": model, "sample": sample, "seed": seed, "checks": as_json(checks)}
            output.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    failed = [each.name for each in checks if not each.is_met]
    if failed:
        raise click.ClickException(f"not as they should be: {', '.join(failed)}")


def _planted(truth: Path, source: str) -> PlantedReasons:
    try:
        return PlantedReasons(json.loads(truth.read_text("utf-8")), source)
    except (ValueError, KeyError, TypeError):
        raise DomainError(f"{truth} is not the truth of a generated world", code="BAD_USER_INPUT") from None


async def _on_bundle(
    bundle: Path, source: str, show: Report, work: Callable[[Database, Report], Awaitable[Found]]
) -> Found:
    """Does some work on a bundle, in a database that is made for it."""
    files = open_bundle(bundle)
    with scratch_home() as home:
        async with database_of(home, show) as database:
            await fill(database, files, source, show)
            return await work(database, show)


def _print(checks: list[Check], model: str) -> None:
    table = Table(title=f"Reasons, as model {model} gives them", title_justify="left", show_lines=True)
    for heading in ("check", "tried", "found", "target", "met"):
        table.add_column(heading, justify="right" if heading == "tried" else "left")
    for each in checks:
        table.add_row(each.name, str(each.tried), Text(each.found), Text(each.target), "yes" if each.is_met else "NO")
    Console().print(table)
    for each in checks:
        for fault in each.faults:
            click.echo(f"{each.name}: {fault}")
