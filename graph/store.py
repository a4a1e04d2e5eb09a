"""What the domain asks of the database: facts in and out, and the reads that matching and the API need.

Method names are the names of the statements in `cypher/`. Plain values come back, never the driver's own types.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from neo4j.time import DateTime

from mentorgraph.graph.database import Database
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.model import ALWAYS, KINDS, OPEN_STATES, Kind, Record, link_uid

PAGE = 2_000
"""Facts in one page of a listing."""

WRITING_BUDGET_S = 60.0
LISTING_BUDGET_S = 30.0
CHECKING_BUDGET_S = 600.0


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact as the graph holds it.

    Attributes:
        record: The fact itself, without the number of its last change.
        changed: Number of the change that wrote it last; no two facts have the same.
        links: The relationships that carry its links: type, start, end, properties.
    """

    record: Record
    changed: int
    links: tuple[Mapping[str, Any], ...]


class Conflict(DomainError):
    """Facts are known with other links than those that were to be written; nothing was written.

    Attributes:
        uids: The facts.
    """

    def __init__(self, message: str, uids: frozenset[str]) -> None:
        super().__init__(message, code="CONFLICT")
        self.uids = uids


class Store:
    """The facts of one graph."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # --- facts in ---------------------------------------------------------------------------------------------------

    async def compare(self, records: Iterable[Record]) -> dict[str, str]:
        """Tells what writing the records would do, without writing.

        Returns:
            uid → `created`, `changed`, `ended`, `same`, or `conflict` where the graph knows the fact with other links.
        """
        async with self.database.transaction(budget_s=WRITING_BUDGET_S) as transaction:
            statuses: dict[str, str] = {}
            for kind, rows in _rows_by_kind(records):
                [found] = await transaction.run(f"write_{kind.name}", rows=rows, apply=False)
                statuses.update(found["statuses"])
            await transaction.roll_back()
        return statuses

    async def write(self, records: Sequence[Record]) -> dict[str, str]:
        """Writes the records in one transaction: all or none.

        Returns:
            uid → `created`, `changed`, `ended` or `same`.

        Raises:
            Conflict: A fact is known with other links.
            DomainError: `NOT_FOUND`, a link's target does not exist.
        """
        if not records:
            return {}
        groups = _rows_by_kind(records)
        statuses: dict[str, str] = {}
        async with self.database.transaction(budget_s=WRITING_BUDGET_S) as transaction:
            [reserved] = await transaction.run(
                "next_change", count=len(records), kinds=[kind.name for kind, _ in groups]
            )
            numbers = count(reserved["last"] - len(records) + 1)
            for kind, rows in groups:
                for row, number in zip(rows, numbers, strict=False):
                    row["changed"] = number
                [found] = await transaction.run(f"write_{kind.name}", rows=rows, apply=True)
                statuses.update(found["statuses"])
            _refuse_unwritten(records, statuses)
            if all(status == "same" for status in statuses.values()):
                await transaction.roll_back()
        return statuses

    async def find_existing(self, uids: Iterable[str]) -> dict[str, str]:
        """Finds which uids exist: uid → label."""
        wanted = sorted(set(uids))
        if not wanted:
            return {}
        rows = await self.database.read("find_existing", uids=wanted, budget_s=LISTING_BUDGET_S)
        return {row["uid"]: row["label"] for row in rows}

    # --- facts out --------------------------------------------------------------------------------------------------

    async def facts(self, kind: Kind, *, after: int = -1) -> AsyncIterator[StoredFact]:
        """All facts of a kind that were written after a change, in the order of their last change."""
        while True:
            [page] = await self.database.read(f"list_{kind.name}", changed=after, limit=PAGE, budget_s=LISTING_BUDGET_S)
            facts = [_stored_fact(kind, row) for row in page["facts"]]
            for fact in facts:
                yield fact
            if len(facts) < PAGE:
                return
            after = facts[-1].changed

    async def read_changes(self) -> dict[str, int]:
        """The number of the last change of the whole graph (`graph`) and of each kind."""
        return {row["kind"]: row["change"] for row in await self.database.read("read_changes")}

    # --- checking ---------------------------------------------------------------------------------------------------

    async def count_nodes(self) -> list[dict[str, Any]]:
        """How many nodes have which labels, and how many of them no listing can show."""
        return await self.database.read("count_nodes", budget_s=CHECKING_BUDGET_S)

    async def count_relationships(self) -> list[dict[str, Any]]:
        """How many relationships of which type run between which labels, and how many of them no listing can show."""
        return await self.database.read("count_relationships", budget_s=CHECKING_BUDGET_S)

    async def read_roles(self) -> list[dict[str, Any]]:
        """The nodes of the roles: uid and name."""
        return await self.database.read("read_roles")

    # --- matching ---------------------------------------------------------------------------------------------------

    async def read_asker(self, mentee: str, goal: str | None, now: datetime) -> dict[str, Any] | None:
        """Whoever asks and the goal asked about, or None where there is no such person."""
        rows = await self.database.read("read_asker", mentee=mentee, goal=goal, now=now)
        return rows[0] if rows else None

    async def read_candidates(self, mentee: str, mentors: Sequence[str], now: datetime) -> list[dict[str, Any]]:
        """What the hard rules need to know of some mentors."""
        return await self.database.read(
            "read_candidates", mentee=mentee, mentors=list(mentors), now=now, open=list(OPEN_STATES)
        )

    async def read_edges(self, uids: Mapping[str, Iterable[str]], goals: Iterable[str]) -> list[dict[str, Any]]:
        """Relationships by type and uid with both ends, and goals that stand alone."""
        edges: dict[str, Any] = {edge_type.lower(): sorted(wanted) for edge_type, wanted in uids.items()}
        return await self.database.read("read_edges", goals=sorted(goals), **edges)


def _rows_by_kind(records: Iterable[Record]) -> list[tuple[Kind, list[dict[str, object]]]]:
    """Parameters for the write statements, in an order in which every target is written before what points to it."""
    rows: dict[str, list[dict[str, object]]] = defaultdict(list)
    for record in records:
        rows[record.kind].append(_row(KINDS[record.kind], record))
    return [(kind, rows[name]) for name, kind in KINDS.items() if name in rows]


def _row(kind: Kind, record: Record) -> dict[str, object]:
    row: dict[str, object] = {"uid": record.uid, "properties": dict(record.properties)}
    for link in kind.links:
        row[link.name] = record.links.get(link.name)
    if not kind.is_relationship:
        uids = {
            each: link_uid(record.uid, each, record.links[each.name])
            for each in kind.links
            if each.name in record.links
        }
        row |= {f"{each.name}_link": uids.get(each) for each in kind.links}
        row["link_uids"] = sorted(uids.values())
    return row


def _refuse_unwritten(records: Sequence[Record], statuses: Mapping[str, str]) -> None:
    """Raises where not every record was written as it is; the transaction is then rolled back."""
    conflicts = [record for record in records if statuses[record.uid] == "conflict"]
    if conflicts:
        kind = KINDS[conflicts[0].kind]
        message = f"this {kind.label.lower()} {conflict_message(kind)}"
        raise Conflict(message, frozenset(record.uid for record in conflicts))
    for record in records:
        if statuses[record.uid] == "dangling":
            label = KINDS[record.kind].label.lower()
            raise DomainError(f"what this {label} refers to does not exist", code="NOT_FOUND")


def conflict_message(kind: Kind) -> str:
    """Why a known fact cannot be pointed at something else, and what to do instead."""
    names = " or ".join(link.name for link in kind.links)
    return f"is already recorded with another {names}; end it and record a new one under a new id"


def _stored_fact(kind: Kind, row: Mapping[str, Any]) -> StoredFact:
    properties = _properties(row["properties"])
    changed = properties.pop("changed")
    uid = properties["uid"]
    if kind.is_relationship:
        [ends] = row["links"]
        first, second = kind.links
        return StoredFact(
            Record(kind.name, uid, properties, {first.name: ends["start"], second.name: ends["end"]}), changed, ()
        )
    names = {link.type: link.name for link in kind.links}
    links = {names[each["type"]]: each["end"] if each["start"] == uid else each["start"] for each in row["links"]}
    carriers = tuple({**each, "properties": _properties(each["properties"])} for each in row["links"])
    return StoredFact(Record(kind.name, uid, properties, links), changed, carriers)


def _properties(listed: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as a listing gives them, with instants made from their milliseconds, which are cheaper to send."""
    properties = {name: value for name, value in listed.items() if value is not None}
    for name in ("since", "until"):
        if name in properties:
            properties[name] = ALWAYS + timedelta(milliseconds=properties[name])
    return properties


def native(value: Any) -> Any:
    """A value of the driver as a plain Python one."""
    if isinstance(value, DateTime):
        result: datetime = value.to_native()
        return result
    return value
