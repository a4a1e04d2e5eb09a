"""`mentorgraph import` and `mentorgraph export`: a community as a folder of CSV files, or as spreadsheets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console
from rich.table import Table

from mentorgraph.api.commands.refusals import Refusals, consent_of, rows_done
from mentorgraph.api.commands.session import prepare_to_read, run, sentences
from mentorgraph.api.commands.spreadsheets import import_by_mapping, print_guess
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.exchange.bundle import ImportResult, export_bundle, import_bundle, open_bundle
from mentorgraph.graph.exchange.check import count_facts
from mentorgraph.graph.exchange.spreadsheets.importing import Limit
from mentorgraph.graph.exchange.table_files import BundleFile
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store


@click.command("import")
@click.argument("paths", metavar="DIR | FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--guess", "guesses", is_flag=True, help="Print a mapping for spreadsheets, to be read and confirmed.")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    metavar="M.toml",
    help="Import spreadsheets, whose columns mean what M.toml says.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@click.option(
    "--result",
    type=click.File("w", encoding="utf-8", lazy=True),
    metavar="FILE.csv",
    help="Write what became of each row of the spreadsheets to FILE.csv, with reasons and warnings.",
)
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
    metavar="NAME",
    help="The system that the ids belong to; the same id of another source is something else.  "
    "[default: bundle, or what the mapping says]",
)
@click.option("--roster", is_flag=True, help="The spreadsheets are the whole list: who is not on them has left.")
@click.option(
    "--max-leavers",
    metavar="LIMIT",
    default="5%",
    show_default=True,
    help="With --roster: write nothing if more would leave, a share of the people or a number.",
)
def import_(
    paths: tuple[Path, ...],
    guesses: bool,
    mapping: Path | None,
    dry_run: bool,
    result: TextIO | None,
    report: TextIO | None,
    purposes: str | None,
    basis: str | None,
    source: str | None,
    roster: bool,
    max_leavers: str,
) -> None:
    """Read a bundle DIR, or spreadsheets of any layout, into the graph.

    \b
    Example:
      mentorgraph import community --dry-run --report refused.csv
      mentorgraph import community --consent matching,training --basis "terms of 2026"

    DIR holds people.csv, units.csv, skills.csv, goals.csv and pairings.csv, plain or as .csv.gz, and any of the further
    files that docs/bundle.md describes. What the people agreed to comes from consents.csv or from --consent. A row that
    cannot be taken is refused with its line, value, reason and remedy, and the others go on. Importing again changes
    only what differs, so an import that was cut short is simply repeated.

    Spreadsheets (.csv, .xlsx) have any columns. --guess proposes what they mean; you read that, correct it, and confirm
    it by --mapping. docs/spreadsheets.md says how.

    \b
    Example:
      mentorgraph import --guess mentors.xlsx mentees.csv > mapping.toml
      mentorgraph import --mapping mapping.toml mentors.xlsx mentees.csv --dry-run --result rows.csv \\
        --consent matching --basis "sign-up form of 2026"
      mentorgraph import --mapping hr.toml everybody.csv --roster --max-leavers 5%

    The last line counts the facts that were created, changed, ended and refused; the exit status is 1 if any was
    refused.
    """  # noqa: D301 (click wants the backspace itself)
    _check_options(guesses, mapping, paths, roster=roster, has_result=result is not None)
    limit = _limit(max_leavers)
    consent = consent_of(purposes, basis)
    if guesses:
        return print_guess(paths)
    if mapping is not None:
        done = import_by_mapping(
            paths,
            mapping,
            source=source,
            consent=consent,
            roster=roster,
            max_leavers=limit,
            dry_run=dry_run,
            result_file=result,
            report_file=report,
        )
    else:
        done = _import_bundle(paths[0], dry_run, report, consent, source or "bundle")
    if dry_run:
        click.echo("Dry run: nothing was written.")
    click.echo(", ".join(f"{outcome} {done.total[outcome]}" for outcome in ("created", "changed", "ended", "refused")))
    if done.total["refused"]:
        click.get_current_context().exit(1)
    return None


def _check_options(
    guesses: bool, mapping: Path | None, paths: Sequence[Path], *, roster: bool, has_result: bool
) -> None:
    """Refuses options that do not go together, and files without a mapping."""
    if guesses and mapping is not None:
        raise click.UsageError("--guess proposes a mapping and --mapping uses one; give one of them")
    if mapping is None and (roster or has_result) and not guesses:
        raise click.UsageError("--roster and --result are for spreadsheets; give --mapping M.toml too")
    if not guesses and mapping is None and (len(paths) > 1 or paths[0].is_file()):
        names = " ".join(map(str, paths))
        raise click.ClickException(
            f"{paths[0]} is no bundle but a file; run mentorgraph import --guess {names} > mapping.toml, "
            f"read mapping.toml, then mentorgraph import --mapping mapping.toml {names}"
        )


def _limit(text: str) -> Limit:
    try:
        return Limit.read(text)
    except ValueError as error:
        reason, _, remedy = str(error).partition("|")
        raise click.UsageError(f"--max-leavers {text!r} {reason}; {remedy}") from None


def _import_bundle(
    directory: Path, dry_run: bool, report: TextIO | None, consent: tuple[tuple[str, ...], str] | None, source: str
) -> ImportResult:
    """Imports a folder, prints what became of its rows, and returns it."""
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
    return result


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
