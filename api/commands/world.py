"""`mentorgraph world`: generated communities with a known truth."""

import json
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mentorgraph.embeddings.bands import (
    EVALUATED_MONTHS,
    METAPATH_BAND,
    ORACLE_BAND,
    POPULARITY_BAND,
    Difficulty,
    difficulty_of,
)
from mentorgraph.graph.world.community import FEWEST_PEOPLE, LAST_DAY, STEPS, STEPS_2, VERSIONS, generate
from mentorgraph.graph.world.pattern import OUTCOMES, Pattern
from mentorgraph.graph.world.tables import World, write

_size = click.IntRange(min=FEWEST_PEOPLE)


@click.group()
def world() -> None:
    """Generate communities to try things on, and check how hard they are.

    A world is a bundle like any other: people, skills, goals, pairings and what happened in them. Because it is
    generated, the truth behind it is known: who is a good mentor, what drew people together, which pairings were bound
    to stall. The truth is never part of the bundle.
    """


@world.command("generate")
@click.option("--people", type=_size, default=2_000, show_default=True, help="How many people live in it.")
@click.option("--months", type=click.IntRange(min=1), default=24, show_default=True, help="How long its history is.")
@click.option("--seed", type=int, default=7, show_default=True, help="Which one; the same seed gives the same bytes.")
@click.option(
    "--version",
    type=click.Choice([str(each) for each in VERSIONS]),
    default="1",
    show_default=True,
    help="2 also tells of programmes, onboarding, requests, moves, surveys and what stalls.",
)
@click.option(
    "--pattern",
    type=click.Choice(OUTCOMES),
    help="Plant pairings that look good, and say how they go; version 2 only.",
)
@click.option(
    "--last-day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=LAST_DAY.isoformat(),
    show_default=True,
    help="The day up to which things have happened.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for the bundle; files of the same names are replaced.",
)
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write what no model may see, as JSON; keep it outside of DIR.",
)
def generate_world(
    people: int,
    months: int,
    seed: int,
    version: str,
    pattern: str | None,
    last_day: datetime,
    out: Path,
    truth: Path | None,
) -> None:
    """Write a generated community as a bundle.

    \b
    Example:
      mentorgraph world generate --people 2000 --seed 7 --out demo --truth truth.json
      mentorgraph world generate --version 2 --out lively

    Version 2 has the people, goals and pairings of version 1, and tells how they came about: it has files of its own,
    and outcomes that follow from what was answered in surveys. With --pattern, mentors of one area are chosen often for
    goals of one area, and their pairings go badly (bad), like any other (usual), or as many others do (shuffled).
    """  # noqa: D301 (click wants the backspace itself)
    if truth is not None and truth.resolve().is_relative_to(out.resolve()):
        raise click.UsageError(f"{truth} lies in the bundle, where a model could read it; put it outside of {out}.")
    if pattern is not None and version != "2":
        raise click.UsageError("only worlds of version 2 have a pattern; add --version 2.")
    planted = Pattern(outcomes=pattern) if pattern is not None else None
    made = _generate(people, months, seed, last_day, int(version), planted)
    write(made, out)
    if truth is not None:
        truth.write_text(json.dumps(made.truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    counts = ", ".join(
        f"{len(made.tables.rows[name]):,} {name}" for name in ("people", "goals", "pairings", "sessions")
    )
    click.echo(f"{out}: {counts} from {made.first_day} to {made.last_day}")
    if truth is not None:
        click.echo(f"{truth}: the truth behind them")


@world.command("check")
@click.option("--people", type=_size, default=10_000, show_default=True, help="The bands are meant for 10,000.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(0,), show_default=True, help="May be repeated.")
def check_world(people: int, seeds: tuple[int, ...]) -> None:
    """Measure how hard a world is, and fail when it leaves its bands.

    Ranks all mentors for the goals of the last months: by the truth (the best that any ranking can reach), along the
    path mentee – wants – skill – wants – past mentee – mentor, and by popularity. A world is useful when the truth is
    far from certain, similar mentees say about half of it, and popularity says little.
    """
    table = Table(title=f"NDCG@10 for the goals of the last {EVALUATED_MONTHS} months, {people:,} people")
    for heading in ("seed", "goals", "mentors", "oracle", "metapath kNN / oracle", "popularity / oracle", "within"):
        table.add_column(heading, justify="right")
    table.add_row("band", "", "", *(f"{low:.2f}–{high:.2f}" for low, high in _BANDS), "", style="dim")
    outside = []
    for seed in seeds:
        found = difficulty_of(_generate(people, 24, seed, None))
        table.add_row(str(seed), *_cells(found))
        if not found.within():
            outside.append(seed)
    Console().print(table)
    if outside:
        raise click.ClickException(f"outside the bands with seed {', '.join(map(str, outside))}")


_BANDS = (ORACLE_BAND, METAPATH_BAND, POPULARITY_BAND)


def _cells(found: Difficulty) -> tuple[str, ...]:
    figures = (found.oracle, found.metapath_share, found.popularity_share)
    return (
        f"{found.queries:,}",
        f"{found.mentors:,}",
        *(f"{figure:.3f}" for figure in figures),
        "yes" if found.within() else "no",
    )


def _generate(
    people: int,
    months: int,
    seed: int,
    last_day: datetime | None,
    version: int = 1,
    pattern: Pattern | None = None,
) -> World:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"World {seed}", total=STEPS if version == 1 else STEPS_2)

        def begin(step: str) -> None:
            bar.update(task, description=f"World {seed}: {step}", advance=1)

        last = last_day.date() if last_day else LAST_DAY
        return generate(people, months, seed, last, begin, version=version, pattern=pattern)
