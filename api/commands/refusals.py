"""What an import could not take, shown to the person at the keyboard and written to a file for later."""

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TextIO

import click

from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.exchange.bundle import Refusal
from mentorgraph.graph.facts.model import InvalidFact
from mentorgraph.graph.facts.rows import purposes_of

SHOWN = 20
COLUMNS = ("file", "line", "column", "value", "reason", "remedy")


class Refusals:
    """Keeps the first refusals to be shown, and writes all of them to a report if there is one."""

    def __init__(self, report: TextIO | None) -> None:
        self._first: list[Refusal] = []
        self._count = 0
        self._report = csv.writer(report, lineterminator="\n") if report else None
        if self._report:
            self._report.writerow(COLUMNS)

    def add(self, refusal: Refusal) -> None:
        """Takes in one reason why a row was refused."""
        self._count += 1
        if len(self._first) < SHOWN:
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


def consent_of(purposes: str | None, basis: str | None) -> tuple[tuple[str, ...], str] | None:
    """What --consent and --basis say, or None where neither is given.

    Raises:
        click.UsageError: One is given without the other, or a purpose is unknown.
    """
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
