"""`mentorgraph import` and `mentorgraph export`: a community as a folder of CSV files."""

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console
from rich.table import Table

from mentorgraph.api.commands.session import prepare_to_read, run, sentences
from mentorgraph.graph.bundle import ImportResult, Refusal, export_bundle, import_bundle, open_bundle
from mentorgraph.graph.check import count_facts
from mentorgraph.graph.database import Database
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.facts import purposes_of
from mentorgraph.graph.migrate import migrate
from mentorgraph.graph.model import InvalidFact
from mentorgraph.graph.store import Store
from mentorgraph.graph.table_files import BundleFile

SHOWN_REFUSALS = 20
REPORT_COLUMNS = ("file", "line", "column", "value", "reason", "remedy")


@click.command("import")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@click.option(
    "--report",
    type=click.File("w", encoding="utf-8", lazy=True),
    metavar="FILE.csv",
    help="Write every refused row with its reason and remedy to FILE.csv.",
)
@click.option(
    "--consent",
    "purposes",
    metavar="PURPOSES",
    help="What each of the people agreed to: matching,training or others, or none. Needs --basis.",
)
@click.option("--basis", metavar="TEXT", help="On what ground they agreed; kept with each consent.")
@click.option(
    "--source",
    default="bundle",
    show_default=True,
    metavar="NAME",
    help="The system that the ids belong to; the same id of another source is something else.",
)
def import_(
    directory: Path, dry_run: bool, report: TextIO | None, purposes: str | None, basis: str | None, source: str
) -> None:
    """Read the bundle DIR, a folder of CSV files, into the graph.

    \b
    Example:
      mentorgraph import community --dry-run --report refused.csv
      mentorgraph import community --consent matching,training --basis "terms of 2026"

    DIR holds people.csv, units.csv, skills.csv, goals.csv and pairings.csv, plain or as .csv.gz, and any of the further
    files that docs/bundle.md describes. What the people agreed to comes from consents.csv or from --consent. A row that
    cannot be taken is refused with its line, value, reason and remedy, and the others go on. Importing again changes
    only what differs, so an import that was cut short is simply repeated.

    The last line counts the rows that were created, changed, ended and refused; the exit status is 1 if any was
    refused.
    """  # noqa: D301 (click wants the backspace itself)
    consent = _consent(purposes, basis)
    with sentences():
        bundle = open_bundle(directory)
    refusals = Refusals(report)

    async def work(database: Database, show: Report) -> ImportResult:
        await (prepare_to_read(database) if dry_run else migrate(database))
        return await import_bundle(
            Store(database),
            bundle,
            source=source,
            consent=consent,
            dry_run=dry_run,
            on_refusal=refusals.add,
            on_progress=rows_done(show, {name: each.count for name, each in bundle.items()}),
        )

    result = run(work, if_interrupted="what was written is whole, and a repeated import completes it")
    Console().print(outcomes_of(bundle, result))
    for notice in (notice for each in bundle.values() for notice in each.notices):
        click.echo(f"Notice: {notice}")
    refusals.show()
    if dry_run:
        click.echo("Dry run: nothing was written.")
    click.echo(
        ", ".join(f"{outcome} {result.total[outcome]}" for outcome in ("created", "changed", "ended", "refused"))
    )
    if result.total["refused"]:
        click.get_current_context().exit(1)


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
def export(directory: Path) -> None:
    """Write the whole graph as a bundle into the new folder DIR.

    \b
    Example:
      mentorgraph export community-2026-11-23

    The files carry our own ids, so importing them into an empty graph gives the same graph: mentorgraph db check prints
    the same hash.
    """  # noqa: D301 (click wants the backspace itself)

    async def work(database: Database, show: Report) -> tuple[dict[str, int], bool]:
        await prepare_to_read(database)
        store = Store(database)
        before = await store.read_changes()
        counts = await export_bundle(store, directory, on_progress=rows_done(show, await count_facts(store)))
        return counts, await store.read_changes() == before

    counts, stood_still = run(work, if_interrupted=f"{directory} is not complete; delete it and export again")
    table = Table()
    table.add_column("file")
    table.add_column("rows", justify="right")
    for name, rows in counts.items():
        table.add_row(f"{name}.csv", str(rows))
    Console().print(table)
    if not stood_still:
        click.echo("Notice: the graph was changed meanwhile; export again for a bundle of one moment.")
    click.echo(f"{directory}: {sum(counts.values())} rows")


class Refusals:
    """Keeps the first refusals to be shown, and writes all of them to a report if there is one."""

    def __init__(self, report: TextIO | None) -> None:
        self._first: list[Refusal] = []
        self._count = 0
        self._report = csv.writer(report, lineterminator="\n") if report else None
        if self._report:
            self._report.writerow(REPORT_COLUMNS)

    def add(self, refusal: Refusal) -> None:
        """Takes down one problem of one row."""
        self._count += 1
        if len(self._first) < SHOWN_REFUSALS:
            self._first.append(refusal)
        if self._report:
            problem = refusal.problem
            self._report.writerow(
                (refusal.file, refusal.line, problem.column, problem.value, problem.message, problem.remedy)
            )

    def show(self) -> None:
        """Prints the first ones, and how many more there are."""
        for refusal in self._first:
            click.echo(f"{refusal.file}:{refusal.line} {refusal.problem}")
        if self._count > len(self._first):
            click.echo(f"… and {self._count - len(self._first)} more; --report FILE.csv writes all of them.")


def _consent(purposes: str | None, basis: str | None) -> tuple[tuple[str, ...], str] | None:
    if purposes is None and basis is None:
        return None
    if purposes is None or not (basis and basis.strip()):
        raise click.UsageError("--consent and --basis go together: what the people agreed to, and on what ground")
    try:
        return purposes_of(purposes), basis.strip()
    except InvalidFact as error:
        raise click.UsageError(str(error)) from error


def rows_done(show: Report, totals: Mapping[str, int], ending: str = ".csv") -> Callable[[str, int], None]:
    """Adds up the rows that are done of each file, which is shown with this ending."""
    done: Counter[str] = Counter()

    def add(file: str, rows: int) -> None:
        done[file] += rows
        show(f"{file}{ending}", done[file], totals.get(file, 0))

    return add


def outcomes_of(bundle: Mapping[str, BundleFile], result: ImportResult) -> Table:
    """What became of the rows of each table, by the name under which it was counted."""
    outcomes = ("created", "changed", "ended", "same", "refused")
    table = Table()
    table.add_column("file")
    for heading in ("rows", *outcomes):
        table.add_column(heading, justify="right")
    for name, counts in result.counts.items():
        table.add_row(bundle[name].name, str(counts.total()), *(str(counts[outcome]) for outcome in outcomes))
    return table
