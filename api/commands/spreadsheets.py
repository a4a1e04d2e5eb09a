"""`mentorgraph import --guess` and `--mapping`: spreadsheets as coordinators have them."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console
from rich.table import Table

from mentorgraph.api.commands.refusals import SHOWN, Refusals
from mentorgraph.api.commands.session import prepare_to_read, run, sentences
from mentorgraph.graph.clock import present
from mentorgraph.graph.embedded.progress import Report, shown_on_terminal
from mentorgraph.graph.exchange.bundle import ImportResult
from mentorgraph.graph.exchange.spreadsheets.guess import guess
from mentorgraph.graph.exchange.spreadsheets.importing import Limit, SheetsResult, import_sheets
from mentorgraph.graph.exchange.spreadsheets.mapping import load_mapping
from mentorgraph.graph.exchange.spreadsheets.sheets import open_sheets
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store

RESULT_COLUMNS = ("file", "line", "person", "status", "why", "warning")


def print_guess(paths: Sequence[Path]) -> None:
    """Prints the mapping that headings and values suggest."""
    with sentences(), shown_on_terminal() as report:
        click.echo(guess(open_sheets(paths, report), present().date()), nl=False)


def import_by_mapping(
    paths: Sequence[Path],
    mapping_file: Path,
    *,
    source: str | None,
    consent: tuple[tuple[str, ...], str] | None,
    roster: bool,
    max_leavers: Limit,
    dry_run: bool,
    result_file: TextIO | None,
    report_file: TextIO | None,
) -> ImportResult:
    """Imports spreadsheets, prints what became of their rows, and returns what became of the facts."""
    with sentences(), shown_on_terminal() as reading:
        mapping = load_mapping(mapping_file)
        sheets = open_sheets(paths, reading)

    async def work(database: Database, show: Report) -> SheetsResult:
        await (prepare_to_read(database) if dry_run else migrate(database))
        return await import_sheets(
            Store(database),
            sheets,
            mapping,
            now=present(),
            source=source,
            consent=consent,
            roster=roster,
            max_leavers=max_leavers,
            dry_run=dry_run,
            on_progress=show,
        )

    done = run(work, if_interrupted="what was written is whole, and a repeated import completes it")
    if result_file is not None:
        _write_result(done, result_file)
    Console().print(_rows_table(done))
    if roster:
        _print_roster(done)
    for notice in done.notices:
        click.echo(f"Notice: {notice}")
    warnings = [
        f"{row.place.file}:{row.place.line} {row.warning}" for row in done.rows if row.warning and row.status != "left"
    ]
    for warning in warnings[:SHOWN]:
        click.echo(f"Warning: {warning}")
    if len(warnings) > SHOWN:
        click.echo(f"… and {len(warnings) - SHOWN} more warnings; --result FILE.csv has them all.")
    refusals = Refusals(report_file)
    for refusal in done.refusals:
        refusals.add(refusal)
    refusals.show()
    return done.facts


def _write_result(done: SheetsResult, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(RESULT_COLUMNS)
    for row in done.rows:
        line = row.place.line or ""
        writer.writerow((row.place.file, line, _harmless(row.person), row.status, _harmless(row.why), row.warning))


def _harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def _rows_table(done: SheetsResult) -> Table:
    statuses = ("created", "changed", "same", "refused")
    table = Table()
    table.add_column("file")
    for heading in ("rows", *statuses, "with warnings"):
        table.add_column(heading, justify="right")
    files = dict.fromkeys(row.place.file for row in done.rows if row.status != "left")
    for file in files:
        rows = [row for row in done.rows if row.place.file == file]
        counts = Counter(row.status for row in rows)
        warned = sum(bool(row.warning) for row in rows)
        table.add_row(file, str(len(rows)), *(str(counts[each]) for each in statuses), str(warned))
    return table


def _print_roster(done: SheetsResult) -> None:
    told = done.statements
    for word, keys in (("join", told.joiners), ("move", told.movers), ("leave", told.leavers)):
        shown = ", ".join(keys[:SHOWN]) + (f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")
        click.echo(f"{len(keys)} {word}{': ' if keys else ''}{shown}")
    ended = {key: each for key, each in done.left.items() if each.summary}
    for key, each in list(ended.items())[:SHOWN]:
        waiting = len(each.left_behind) + len(each.released)
        others = f"; offer others to {waiting} {'mentee' if waiting == 1 else 'mentees'}" if waiting else ""
        click.echo(f"  {key}: {each.summary}{others}")
    if len(ended) > SHOWN:
        click.echo(f"  … and {len(ended) - SHOWN} more with pairings or requests; --result FILE.csv has them all.")
