"""The bundle: a folder of CSV files that states a whole community, read into the graph and written from it.

Reading is streamed and goes in batches, each one transaction, so an import that is cut short leaves whole rows only and
a repeated import completes it. A row that cannot be taken is refused with its reason; the others go on.
"""

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeAlias, cast

from mentorgraph.graph.exchange.table_files import BundleError, BundleFile, open_table
from mentorgraph.graph.facts.kinds import KINDS, label_of
from mentorgraph.graph.facts.model import InvalidFact, Link, Problem, Record, Row, uid_of
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.facts.rows import (
    FILES,
    LIST_COLUMNS,
    REQUIRED_FILES,
    STANCES,
    columns_of,
    consents_of,
    facts_of,
    required_columns,
    row_of,
)
from mentorgraph.graph.skills.taxonomy import Taxonomy
from mentorgraph.graph.store.store import CONFLICTS, Conflict, Store, conflict_message

Refuse: TypeAlias = Callable[[int, list[Problem]], None]
"""Takes back the row that begins on a line, for these reasons."""

BATCH = 1_000
"""Rows in one transaction."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why one row was not taken.

    Attributes:
        file: File name within the bundle.
        line: Line of the file on which the row begins, counted from 1.
        problem: Column, value, reason and remedy.
    """

    file: str
    line: int
    problem: Problem


@dataclass
class ImportResult:
    """What an import did: per file, how many rows were created, changed, ended, the same or refused."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def total(self) -> Counter[str]:
        """The counts of all files together."""
        return sum(self.counts.values(), Counter())


# --- opening --------------------------------------------------------------------------------------------------------


def open_bundle(directory: Path) -> dict[str, BundleFile]:
    """Opens a folder and checks, before anything is written, that each of its files can be read.

    Raises:
        BundleError: No such folder, a required file or column is missing, a file is damaged or of another form.
    """
    if not directory.is_dir():
        raise BundleError(f"{directory} is not a folder; name the folder that holds people.csv")
    found: dict[str, BundleFile] = {}
    for name in FILES:
        paths = [path for path in (directory / f"{name}.csv", directory / f"{name}.csv.gz") if path.exists()]
        if len(paths) > 1:
            raise BundleError(f"both {paths[0].name} and {paths[1].name} exist; remove one")
        if paths:
            found[name] = _open_file(name, paths[0])
    missing = [f"{name}.csv" for name in REQUIRED_FILES if name not in found]
    if missing:
        raise BundleError(f"{directory} lacks {', '.join(missing)}; add the file, with its header alone if it is empty")
    return found


def bundle_of(rows: Mapping[str, Sequence[Row]]) -> dict[str, BundleFile]:
    """A bundle of rows that are in memory already, such as a generated world's."""
    return {name: _in_memory(name, rows[name]) for name in FILES if name in rows}


def _in_memory(name: str, rows: Sequence[Row]) -> BundleFile:
    return BundleFile(name, tuple(rows[0]) if rows else (), lambda: enumerate(rows, 2), len(rows))


def _open_file(name: str, path: Path) -> BundleFile:
    """Opens one file of a bundle and checks its columns."""
    found = open_table(path)
    missing = [column for column in required_columns(name) if column not in found.columns]
    if missing:
        raise BundleError(
            f"{path.name} lacks the column {', '.join(missing)}; its header is {', '.join(found.columns)}"
        )
    known = {*columns_of(name), LIST_COLUMNS.get(name)}
    unread = [
        f"{path.name}: column {each or 'without a name'} was not read" for each in found.columns if each not in known
    ]
    return replace(found, notices=(*found.notices, *unread))


# --- import ---------------------------------------------------------------------------------------------------------


async def import_bundle(
    store: Store,
    bundle: Mapping[str, BundleFile],
    *,
    source: str = "bundle",
    consent: tuple[tuple[str, ...], str] | None = None,
    dry_run: bool = False,
    on_refusal: Callable[[Refusal], None] = lambda _refusal: None,
    on_row: Callable[[str, int, str], None] = lambda _file, _line, _status: None,
    on_progress: Callable[[str, int], None] = lambda _file, _rows: None,
) -> ImportResult:
    """Reads a bundle into the graph.

    Args:
        store: Where the facts go.
        bundle: What `open_bundle` or `bundle_of` gives.
        source: Name of the system that the bundle's ids belong to; the same id of another source is another thing.
        consent: Purposes and basis of the consent that whoever imports vouches for, for each person.
        dry_run: Tell what would happen and write nothing.
        on_refusal: Told of each problem of each refused row.
        on_row: Told the file and line of each row that was taken, and what became of it.
        on_progress: Told how many more rows of a file are done.

    Raises:
        BundleError: Neither a consents file nor `consent` says what the people agreed to.
        DatabaseUnavailable: The database went away; what was written before is whole, and the import can be repeated.
    """
    if "consents" not in bundle and consent is None:
        raise BundleError(
            "nothing says what these people agreed to; add consents.csv or use --consent matching,training --basis TEXT"
        )
    importer = _Importer(store, source, consent, dry_run, on_refusal, on_row)
    importer.note_first_pairings(bundle)
    return await _import(importer, [(name, name, bundle[name]) for name in FILES if name in bundle], on_progress)


async def import_tables(
    store: Store,
    tables: Sequence[tuple[str, BundleFile]],
    *,
    source: str,
    dry_run: bool = False,
    on_refusal: Callable[[Refusal], None] = lambda _refusal: None,
    on_progress: Callable[[str, int], None] = lambda _file, _rows: None,
) -> ImportResult:
    """Reads tables of facts about nobody, such as skills, into the graph.

    Args:
        store: Where the facts go.
        tables: The file of the bundle that each belongs to, and the table; each after those that it refers to.
        source: Name of the system that the ids belong to.
        dry_run: Tell what would happen and write nothing.
        on_refusal: Told of each problem of each refused row.
        on_progress: Told how many more rows of a table are done.

    Returns:
        The counts by name of the table.
    """
    importer = _Importer(store, source, None, dry_run, on_refusal)
    return await _import(importer, [(table.name, file, table) for file, table in tables], on_progress)


async def _import(
    importer: "_Importer", tables: Sequence[tuple[str, str, BundleFile]], on_progress: Callable[[str, int], None]
) -> ImportResult:
    """Takes tables one after the other; each comes with the name to count it under and its file of the bundle."""
    result = ImportResult()
    for name, file, table in tables:
        counts = result.counts.setdefault(name, Counter())
        rows = table.rows()
        importer.lines.clear()
        # Skills that name broader ones point at each other.
        size = max(BATCH, table.count) if file == "skills" and "broader" in table.columns else BATCH
        while batch := list(islice(rows, size)):
            counts += await importer.take(file, table.name, batch)
            on_progress(name, len(batch))
    return result


class _Importer:
    """The state of one import: what it has accepted so far, and what it has found to exist."""

    def __init__(
        self,
        store: Store,
        source: str,
        consent: tuple[tuple[str, ...], str] | None,
        dry_run: bool,
        on_refusal: Callable[[Refusal], None],
        on_row: Callable[[str, int, str], None] = lambda _file, _line, _status: None,
    ) -> None:
        self._store = store
        self._on_row = on_row
        self._source = source
        self._consent = consent
        self._dry_run = dry_run
        self._on_refusal = on_refusal
        self._first: dict[tuple[str, str], datetime] = {}
        self._known: dict[str, str] = {}
        self._taxonomy: Taxonomy | None = None
        self.lines: dict[str, int] = {}
        """uid → line of the rows that were read from the present file."""
        self.raw: dict[int, Row] = {}
        """line → row of the present batch."""

    def note_first_pairings(self, bundle: Mapping[str, BundleFile]) -> None:
        """Finds when each person is first seen as mentor and as mentee, which is where an undated role begins."""
        if not {"people", "pairings"} <= bundle.keys() or "roles" not in bundle["people"].columns:
            return
        for _, row in bundle["pairings"].rows():
            if isinstance(row, InvalidFact):
                continue
            try:
                pairing = record_of(KINDS["pairings"], row, self._source)
            except InvalidFact:
                continue
            since = cast(datetime, pairing.properties["since"])
            for role in ("mentor", "mentee"):
                person = pairing.links[role]
                self._first[person, role] = min(since, self._first.get((person, role), since))

    async def take(self, file: str, shown: str, batch: list[tuple[int, Row | InvalidFact]]) -> Counter[str]:
        """Takes one batch of rows in one transaction and counts what became of each."""
        counts: Counter[str] = Counter()
        rows: dict[int, list[Record]] = {}
        self.raw = {line: row for line, row in batch if not isinstance(row, InvalidFact)}

        def refuse(line: int, problems: list[Problem]) -> None:
            rows.pop(line, None)
            counts["refused"] += 1
            for problem in problems:
                self._on_refusal(Refusal(shown, line, problem))

        for line, row in batch:
            try:
                if isinstance(row, InvalidFact):
                    raise row
                rows[line] = self._read(file, line, row)
            except InvalidFact as error:
                refuse(line, error.problems)
        await self._look_up(rows)
        self._refuse_dangling(file, rows, refuse)
        await self._keep_known(rows)
        await self._refuse_circles(file, rows, refuse)
        self._refuse_dangling(file, rows, refuse)
        statuses = await self._write(file, rows, refuse)
        for line, records in rows.items():
            status = _status_of_row([statuses[each.uid] for each in records])
            counts[status] += 1
            self._on_row(shown, line, status)
            self._known |= {each.uid: KINDS[each.kind].label for each in records if KINDS[each.kind].has_id}
        return counts

    async def _write(self, file: str, rows: dict[int, list[Record]], refuse: Refuse) -> dict[str, str]:
        """Writes the rows, or compares them where nothing is to be written; refuses those that contradict the graph."""
        while True:
            try:
                statuses = await (self._store.compare if self._dry_run else self._store.write)(_records(rows))
            except Conflict as error:
                statuses = dict(error.statuses)
            conflicts = self._conflicts(rows, statuses)
            if not conflicts:
                return statuses
            for line, problem in conflicts.items():
                refuse(line, [problem])
            self._refuse_dangling(file, rows, refuse)

    def _conflicts(self, rows: Mapping[int, list[Record]], statuses: Mapping[str, str]) -> dict[int, Problem]:
        """Rows with a fact that contradicts the graph."""
        found = {}
        for line, records in rows.items():
            for record in records:
                status = statuses.get(record.uid)
                if status in CONFLICTS:
                    column = "external_id" if status == "taken" else "id" if KINDS[record.kind].has_id else "uid"
                    value = str(self.raw[line].get(column) or self.raw[line].get("id") or "")
                    found[line] = Problem(column, value, *conflict_message(KINDS[record.kind], status))
        return found

    async def _keep_known(self, rows: Mapping[int, list[Record]]) -> None:
        """Leaves out what a row states besides its own fact where that is known; it says less than a file of its own.

        A role keeps the beginning that an earlier bundle showed, a need its level, a withdrawn consent its end.
        """
        # Whether a uid is known needs nothing else; what is left out need not be sent.
        further = [Record(each.kind, each.uid, {}) for records in rows.values() for each in records[1:]]
        statuses = await self._store.compare(further) if further else {}
        for records in rows.values():
            records[1:] = [each for each in records[1:] if statuses[each.uid] == "created"]

    def _read(self, file: str, line: int, row: Row) -> list[Record]:
        records = facts_of(file, row, self._source, first_pairing=lambda uid, role: self._first.get((uid, role)))
        first_line = min(self.lines.setdefault(uid, line) for uid in _identities(records[0]))
        if first_line != line:
            column = "id" if "id" in row else ""
            reason = f"is on line {first_line} already"
            raise InvalidFact([Problem(column, str(row.get(column, "")), reason, "remove one of the two")])
        if file == "people" and self._consent is not None:
            records += consents_of(records[0], *self._consent)
        return records

    async def _look_up(self, rows: Mapping[int, list[Record]]) -> None:
        wanted = {uid for records in rows.values() for record in records for uid in record.links.values()}
        self._known |= await self._store.find_existing(wanted - self._known.keys())

    def _refuse_dangling(self, file: str, rows: Mapping[int, list[Record]], refuse: Refuse) -> None:
        while dangling := self._dangling(file, rows):  # what points at a refused row dangles as well
            for line, problem in dangling.items():
                refuse(line, [problem])

    def _dangling(self, file: str, rows: Mapping[int, list[Record]]) -> dict[int, Problem]:
        """Rows that refer to what neither the graph nor an accepted row knows."""
        here = {
            each.uid: KINDS[each.kind].label for records in rows.values() for each in records if KINDS[each.kind].has_id
        }
        found = {}
        for line, records in rows.items():
            for number, record in enumerate(records):
                for link in KINDS[record.kind].links:
                    uid, label = record.links.get(link.name), label_of(link)
                    if uid is not None and (self._known.get(uid) or here.get(uid)) != label:
                        column = LIST_COLUMNS[file] if number else link.column
                        remedy = f"add it to {link.target}.csv or correct the id"
                        value = self._key_of(self.raw[line].get(column), link, uid)
                        found[line] = Problem(column, value, f"is no known {label.lower()}", remedy)
        return found

    async def _refuse_circles(self, file: str, rows: Mapping[int, list[Record]], refuse: Refuse) -> None:
        """Refuses rows that the taxonomy cannot take, such as the last one of a circle of broader skills."""
        steps = [(line, each) for line, records in rows.items() for each in records if each.kind in _HIGHER]
        if not steps:
            return
        self._taxonomy = self._taxonomy or await Taxonomy.of(self._store)
        for line, each in steps:
            if line in rows and (reason := self._taxonomy.takes(each)):
                link = next(link for link in KINDS[each.kind].links if link.name == _HIGHER[each.kind])
                column = link.column if file == each.kind else LIST_COLUMNS[file]
                value = self._key_of(self.raw[line].get(column), link, each.links[link.name])
                refuse(line, [Problem(column, value, reason, "turn the row round or remove it")])

    def _key_of(self, cell: object, link: Link, uid: str) -> str:
        """The entry of a cell that stands for a uid."""
        entries = str(cell or "").split("|")
        same = (each for each in entries if uid_of(self._source, link.target, each.strip()) == uid)
        return next(same, str(cell or ""))


_HIGHER = {"broader": "broader", "successions": "successor"}
"""Kind of step in the taxonomy → its link to the other skill."""


def _records(rows: Mapping[int, list[Record]]) -> list[Record]:
    return [record for records in rows.values() for record in records]


def _identities(record: Record) -> set[str]:
    """The uid of a record and the one that its source key stands for, which a row may set apart."""
    key = record.properties.get("external_id")
    return (
        {record.uid} if key is None else {record.uid, uid_of(str(record.properties["source"]), record.kind, str(key))}
    )


def _status_of_row(statuses: list[str]) -> str:
    """What became of a row whose facts have these statuses, the row's own first."""
    if statuses[0] == "created" or "ended" in statuses:
        return "created" if statuses[0] == "created" else "ended"
    return "same" if set(statuses) == {"same"} else "changed"


# --- export ---------------------------------------------------------------------------------------------------------


async def export_bundle(
    store: Store, directory: Path, *, on_progress: Callable[[str, int], None] = lambda _file, _rows: None
) -> dict[str, int]:
    """Writes the whole graph as a bundle, one file of every name, with uids as ids.

    Returns:
        File → number of rows.

    Raises:
        BundleError: The folder exists and is not empty, or cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise BundleError(f"{directory} is not empty; name a new folder")
        return {name: await _export_file(store, name, directory, on_progress) for name in FILES}
    except OSError as error:
        raise BundleError(f"{directory} cannot be written: {error.strerror}") from error


async def _export_file(store: Store, name: str, directory: Path, on_progress: Callable[[str, int], None]) -> int:
    kinds = [KINDS[kind] for kind in STANCES] if name == "person_skills" else [KINDS[name]]
    written = 0
    with (directory / f"{name}.csv").open("x", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns_of(name), lineterminator="\n")
        writer.writeheader()
        for kind in kinds:
            async for fact in store.facts(kind):
                writer.writerow(row_of(fact.record))
                written += 1
                if written % BATCH == 0:
                    on_progress(name, BATCH)
    on_progress(name, written % BATCH)
    return written
