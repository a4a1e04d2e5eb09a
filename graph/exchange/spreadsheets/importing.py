"""Imports spreadsheets by a mapping: what they tell goes in by the same door as a bundle, and every row is answered."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from mentorgraph.graph.exchange.bundle import ImportResult, Refusal, import_bundle
from mentorgraph.graph.exchange.spreadsheets.mapping import MappingFile
from mentorgraph.graph.exchange.spreadsheets.people import Place, Reading, read_people
from mentorgraph.graph.exchange.spreadsheets.sheets import Sheet
from mentorgraph.graph.exchange.spreadsheets.telling import Statements, Terms, statements_of
from mentorgraph.graph.exchange.table_files import BundleError, BundleFile
from mentorgraph.graph.facts.model import Row
from mentorgraph.graph.pairings.leaving import Left, close_matters
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What became of one row of a spreadsheet.

    Attributes:
        place: The row.
        person: Key of whom it is about; empty where it does not say.
        status: `created`, `changed`, `same`, `refused`, or `left` for a person whom no row names any more.
        why: Why it was refused.
        warning: What its reader should know; of somebody who left, what ended of what went on with them.
    """

    place: Place
    person: str
    status: str
    why: str = ""
    warning: str = ""


@dataclass
class SheetsResult:
    """What an import of spreadsheets did.

    Attributes:
        facts: What became of the facts; rows that could not be read count as refused.
        rows: The answer to every row, in their order, and then of those who left.
        statements: What was told, with joiners, movers and leavers.
        refusals: Why rows and facts were refused.
        notices: What concerns no single row.
        left: Key of everybody who left → what ended of what went on with them.
    """

    facts: ImportResult
    rows: list[RowAnswer]
    statements: Statements
    refusals: list[Refusal] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    left: dict[str, Left] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many people of a source may leave with one roster: a share of them or a number."""

    share: float = 0.05
    people: int | None = None

    @classmethod
    def read(cls, text: str) -> "Limit":
        """Reads `5%` or a number of people; raises `ValueError`."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", text)
        if not match or (match[2] and float(match[1]) > 100) or (not match[2] and "." in match[1]):
            raise ValueError("is neither a share nor a number of people|write it as 5% or 12")
        return cls(float(match[1]) / 100) if match[2] else cls(people=int(match[1]))

    def allows(self, leavers: int, people: int) -> bool:
        """Whether so many of so many may leave."""
        return leavers <= (self.share * people if self.people is None else self.people)

    def __str__(self) -> str:
        return f"{self.share * 100:g}%" if self.people is None else str(self.people)


async def import_sheets(
    store: Store,
    sheets: Sequence[Sheet],
    mapping: MappingFile,
    *,
    now: datetime,
    source: str | None = None,
    consent: tuple[tuple[str, ...], str] | None = None,
    roster: bool = False,
    max_leavers: Limit | None = None,
    dry_run: bool = False,
    on_progress: Progress = lambda *_: None,
) -> SheetsResult:
    """Imports spreadsheets.

    Args:
        store: Where the facts go.
        sheets: What `open_sheets` gives.
        mapping: What their columns mean.
        now: The present instant; what has no date begins on its day, what ends does so then.
        source: In place of the mapping's.
        consent: Purposes and basis that whoever imports vouches for, for each person who was not asked.
        roster: The sheets are the whole list of the source: who is not on them has left.
        max_leavers: How many may leave before nothing is written.
        dry_run: Tell what would happen and write nothing.
        on_progress: Told what is being done, and how much is.

    Raises:
        BundleError: No table fits a sheet, nothing says what people agreed to, or too many would leave. Nothing was
            written.
        DatabaseUnavailable: The database went away; what was written before is whole, and the import can be repeated.
    """
    reading = read_people([(mapping.table_of(sheet), sheet) for sheet in sheets if sheet.rows], on_progress)
    paired = {place for _, _, place in reading.pairs}
    is_about_people = any(not paired.issuperset(person.places) for person in reading.people.values())
    if consent is None and "consent" not in reading.says and is_about_people:
        raise BundleError(
            "nothing says what these people agreed to; use --consent matching,training --basis TEXT, "
            'or give the column that asks them the meaning "consent"'
        )
    begins = None if mapping.since is None else datetime.combine(mapping.since, time(), UTC)
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    terms = Terms(source or mapping.source, today, begins, consent, roster)
    leaving = await _leavers(store, reading, terms.source, max_leavers or Limit()) if roster else {}
    statements = await statements_of(store, reading, terms, list(leaving))
    answers = _Answers(statements)
    bundle = {file: _file(file, [row for row, _ in told]) for file, told in statements.rows.items() if told}
    bundle.setdefault("consents", _file("consents", []))
    # Before what they were and did ends: whoever has left is no leaver when an import that broke off is repeated.
    left = {
        key: await close_matters(store, COORDINATOR, person, dry_run=dry_run, clock=lambda: now)
        for key, person in leaving.items()
    }
    facts = await import_bundle(
        store,
        bundle,
        source=terms.source,
        dry_run=dry_run,
        on_refusal=answers.refuse,
        on_row=answers.take,
        on_progress=_added_up(on_progress, bundle),
    )
    for place in reading.refused:
        facts.counts.setdefault(place.file, Counter())["refused"] += 1
    rows = answers.of(reading) + [
        RowAnswer(Place("", 0), key, "left", warning=left[key].summary) for key in statements.leavers
    ]
    refusals = [Refusal(p.file, p.line, each) for p, problems in sorted(reading.refused.items()) for each in problems]
    return SheetsResult(facts, rows, statements, refusals + answers.refusals, reading.notices, left)


async def _leavers(store: Store, reading: Reading, source: str, limit: Limit) -> dict[str, str]:
    """The people of a source who have not left yet and are on no row: key → uid.

    Raises:
        BundleError: They are too many, or a row does not say whose it is, so that nobody can tell.
    """
    nameless = [place for place, key in reading.rows.items() if not key]
    if nameless:
        raise BundleError(
            f"{nameless[0].file} line {nameless[0].line} does not say whose row it is, so who has left cannot be told "
            f"({len(nameless)} such rows); mend them, or import without --roster. Nothing was written"
        )
    people, after = 0, ""
    leaving: dict[str, str] = {}
    while page := await store.page_people_of_source(source, after):
        for person in page:
            people += not person["has_left"]
            if not person["has_left"] and not {person["key"], person["uid"]} & reading.named:
                leaving[person["key"]] = person["uid"]
        after = page[-1]["key"]
    if not limit.allows(len(leaving), people):
        raise BundleError(
            f"{len(leaving)} of the {people} people of {source} are not in this roster, more than "
            f"--max-leavers {limit}; see that the files are whole, or allow more. Nothing was written"
        )
    return leaving


def _file(file: str, rows: Sequence[Row]) -> BundleFile:
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    return BundleFile(file, columns, lambda: iter(list(enumerate(rows))), len(rows))


def _added_up(on_progress: Progress, bundle: dict[str, BundleFile]) -> Callable[[str, int], None]:
    done: Counter[str] = Counter()

    def add(file: str, rows: int) -> None:
        done[file] += rows
        on_progress(f"writing {file}", done[file], bundle[file].count)

    return add


class _Answers:
    """Collects what became of the facts that each row told."""

    def __init__(self, statements: Statements) -> None:
        self._places = {(file, n): told[1] for file, rows in statements.rows.items() for n, told in enumerate(rows)}
        self._statuses: dict[Place, set[str]] = {}
        self._refused: dict[Place, list[str]] = {}
        self.refusals: list[Refusal] = []
        """Facts that were refused, with the first row that told them."""

    def take(self, file: str, number: int, status: str) -> None:
        """Takes in what became of a fact; whether a row is new is for its person or its pairing to say."""
        if file not in {"people", "pairings"} and status == "created":
            status = "changed"
        for place in self._places[file, number]:
            self._statuses.setdefault(place, set()).add(status)

    def refuse(self, refusal: Refusal) -> None:
        """Takes in why a fact was refused."""
        places = self._places[refusal.file, refusal.line]
        self.refusals += [Refusal(places[0].file, places[0].line, refusal.problem)] if places else [refusal]
        for place in places:
            self._refused.setdefault(place, []).append(f"{refusal.file}: {refusal.problem}")

    def of(self, reading: Reading) -> list[RowAnswer]:
        """The answer to every row."""
        found = []
        for place, person in sorted(reading.rows.items()):
            why = [str(problem) for problem in reading.refused.get(place, ())] + self._refused.get(place, [])
            warning = "; ".join(reading.warnings.get(place, ()))
            statuses = self._statuses.get(place, set())
            status = "created" if "created" in statuses else "changed" if statuses & {"changed", "ended"} else "same"
            found.append(RowAnswer(place, person, "refused" if why else status, "; ".join(why), warning))
        return found
