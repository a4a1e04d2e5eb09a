"""What the domain asks of the database: facts in and out, and the reads that matching and the API need.

Method names are the names of the statements in `cypher/`. Plain values come back, never the driver's own types.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Kind, Record, link_uid
from mentorgraph.graph.paging import Found, Part, found_in
from mentorgraph.graph.store.database import Database, Transaction
from mentorgraph.graph.store.matching_reads import MatchingReads
from mentorgraph.graph.store.once import Claim
from mentorgraph.graph.store.override_reads import OverrideReads
from mentorgraph.graph.store.pairing_reads import PairingReads
from mentorgraph.graph.store.participant_reads import ParticipantReads
from mentorgraph.graph.store.programme_reads import ProgrammeReads
from mentorgraph.graph.store.time_reads import TimeReads
from mentorgraph.graph.store.transported import instant_of, properties_of

Result = TypeVar("Result")

PAGE = 2_000
"""Facts in one page of a listing."""

KEYS_DROPPED = 100
"""Keys that are too old and go when one is kept."""

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


@dataclass(frozen=True, slots=True)
class Changes:
    """How far a graph has come.

    Attributes:
        lineage: Tells apart graphs whose numbers do not compare: one that is put back from a dump begins a new lineage.
        last: Number of the last change of the whole graph; -1 where none is counted.
        by_kind: Number of the last change of each kind.
    """

    lineage: str
    last: int
    by_kind: Mapping[str, int]

    @classmethod
    def of(cls, counters: Iterable[tuple[str, int, str]]) -> "Changes":
        """What the counters of `read_changes.cypher` say: kind or `graph`, last change, lineage."""
        told = list(counters)
        by_kind = {kind: change for kind, change, _ in told}
        return cls("".join(lineage for _, _, lineage in told), by_kind.pop("graph", -1), by_kind)


PARTIES = {
    **{"ASKS": "mentor", "MENTOR": "mentor", "ON_BEHALF_OF": "mentee", "MENTEE": "mentee", "FOR_GOAL": "goal"},
    **{"CHOOSES": "mentor", "FOR_MENTEE": "mentee", "ABOUT_GOAL": "goal"},
    **{"INSTEAD_OF": "proposed", "LED_TO": "request", "DECIDED": "by"},
}
"""Type of a link of a request, pairing or override → what it leads to."""

_KIND_OF_LABEL = {kind.label: kind for kind in KINDS.values()}

CONFLICTS = ("conflict", "taken")
"""Statuses of facts that contradict what the graph knows."""


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A node as the API shows it.

    Attributes:
        uid: Its identity.
        kind: Its label.
        properties: What is stored on it.
        owner: For a goal, uid of the person who has it; else empty.
        roles: For a person, the roles they have now.
        parties: For a request, a pairing or a session of one, `mentor`, `mentee` and, where there is one, `goal` → uid.
        helpers: For a pairing or a session of one, uids of those who are co-mentors now.
        programmes: For a person and their goals, uids of the running programmes in which they take part; for a request,
            a pairing or what is part of one, that of its programme.
    """

    uid: str
    kind: str
    properties: Mapping[str, Any]
    owner: str
    roles: tuple[str, ...]
    parties: Mapping[str, str] = field(default_factory=dict)
    helpers: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """A version of a text that mentor and mentee read alike.

    Attributes:
        uid: Its identity, another one for each version.
        title: What it is called; with programme and format it tells one script from another.
        text: The text.
        format: The format of programmes that it is for; empty for all.
        programme: uid of the programme that it is for; empty for all.
        source: Where it is known from.
        since: When this version began.
    """

    uid: str
    title: str
    text: str
    format: str
    programme: str
    source: str
    since: datetime


class Conflict(DomainError):
    """Facts contradict what the graph knows; nothing was written.

    Attributes:
        statuses: uid → `conflict` where the fact is known with other links, `taken` where something else has its key.
    """

    def __init__(self, message: str, statuses: Mapping[str, str]) -> None:
        super().__init__(message, code="CONFLICT")
        self.statuses = statuses


class Store(MatchingReads, TimeReads, PairingReads, OverrideReads, ProgrammeReads, ParticipantReads):
    """The facts of one graph.

    Args:
        database: Where they are.
        within: The transaction that everything is read in; each reading has its own if none is given.
    """

    def __init__(self, database: Database, within: Transaction | None = None) -> None:
        self.database = database
        self._within = within

    async def _read(self, name: str, /, *, budget_s: float | None = None, **parameters: Any) -> list[dict[str, Any]]:
        if self._within is not None:
            return await self._within.run(name, **parameters)
        return await self.database.read(name, budget_s=budget_s, **parameters)

    # --- facts in ---------------------------------------------------------------------------------------------------

    async def compare(self, records: Iterable[Record]) -> dict[str, str]:
        """Tells what writing the records would do, without writing.

        Returns:
            uid → `created`, `changed`, `ended`, `same`, or one of `CONFLICTS`.
        """
        groups = _rows_by_kind(records)

        async def look(transaction: Transaction) -> dict[str, str]:
            statuses: dict[str, str] = {}
            for kind, rows in groups:
                [found] = await transaction.run(f"write_{kind.name}", rows=rows, apply=False)
                statuses.update(found["statuses"])
            return statuses

        if self._within is not None:
            return await look(self._within)
        return await self.database.write(look, budget_s=WRITING_BUDGET_S)

    async def write(self, records: Sequence[Record]) -> dict[str, str]:
        """Writes the records in one transaction: all or none.

        Returns:
            uid → `created`, `changed`, `ended` or `same`.

        Raises:
            Conflict: A fact is known with other links, or another one has its source key.
            DomainError: `NOT_FOUND`, a link's target does not exist.
        """
        if not records:
            return {}

        async def put(transaction: Transaction) -> dict[str, str]:
            statuses = await _put(transaction, records)
            return transaction.roll_back(statuses) if _is_nothing_new(statuses) else statuses

        return await self.database.write(put, budget_s=WRITING_BUDGET_S)

    async def decide_and_write(self, decide: Callable[["Store"], Awaitable[tuple[Sequence[Record], Result]]]) -> Result:
        """Reads, decides what to write, and writes it in one transaction, between which nobody else writes.

        Args:
            decide: Is given a store to read from, and returns the records to write and what this method is to return.
                It is called again where the database asks for another try.

        Raises:
            Conflict: As `write`.
            DomainError: As `write`.
        """

        async def work(transaction: Transaction) -> Result:
            await transaction.run("next_change", count=0, kinds=["graph"])  # all who write wait for the counter
            records, result = await decide(Store(self.database, transaction))
            if _is_nothing_new(await _put(transaction, records) if records else {}):
                transaction.roll_back(result)
            return result

        return await self.database.write(work, budget_s=WRITING_BUDGET_S)

    async def suppose(self, records: Sequence[Record], look: Callable[["Store"], Awaitable[Result]]) -> Result:
        """Writes records, lets somebody look at the graph that holds them, and takes them back.

        Nobody else sees them, and the change counter stays as it was. Whoever writes waits meanwhile.

        Args:
            records: What is supposed.
            look: Is given a store that sees them. It is called again where the database asks for another try.

        Raises:
            Conflict: As `write`.
            DomainError: As `write`.
        """

        async def work(transaction: Transaction) -> Result:
            if records:
                await _put(transaction, records)
            transaction.roll_back(await look(Store(self.database, transaction)))

        return await self.database.write(work, budget_s=WRITING_BUDGET_S)

    async def find_existing(self, uids: Iterable[str]) -> dict[str, str]:
        """Finds which uids exist: uid → label."""
        wanted = sorted(set(uids))
        if not wanted:
            return {}
        rows = await self._read("find_existing", uids=wanted, budget_s=LISTING_BUDGET_S)
        return {row["uid"]: row["label"] for row in rows}

    # --- facts out --------------------------------------------------------------------------------------------------

    async def facts(self, kind: Kind, *, after: int = -1) -> AsyncIterator[StoredFact]:
        """All facts of a kind that were written after a change, in the order of their last change."""
        while True:
            [page] = await self._read(f"list_{kind.name}", changed=after, limit=PAGE, budget_s=LISTING_BUDGET_S)
            facts = [_stored_fact(kind, row) for row in page["facts"]]
            for fact in facts:
                yield fact
            if len(facts) < PAGE:
                return
            after = facts[-1].changed

    async def read_changes(self) -> Changes:
        """The number of the last change of the whole graph and of each kind."""
        [row] = await self.database.read("read_changes", newest=True)
        return Changes.of(row["counters"])

    # --- what was asked for already ---------------------------------------------------------------------------------

    async def read_key(self, claim: Claim) -> tuple[str, str | None] | None:
        """The hash of what was asked for with a key, and the answer where it is known; None for a key that is free."""
        rows = await self.database.read("read_key", newest=True, uid=claim.uid, since=claim.since)
        return (rows[0]["digest"], rows[0]["answer"]) if rows else None

    async def keep_answer(self, claim: Claim, answer: str) -> None:
        """Keeps the answer to the request that holds a key, for repetitions of it, and drops some that are too old."""

        async def put(transaction: Transaction) -> None:
            kept = {"uid": claim.uid, "token": claim.token, "answer": answer}
            await transaction.run("keep_answer", **kept, since=claim.since, limit=KEYS_DROPPED)

        await self.database.write(put)

    # --- checking ---------------------------------------------------------------------------------------------------

    async def count_nodes(self) -> list[dict[str, Any]]:
        """How many nodes have which labels, and how many of them no listing can show."""
        return await self._read("count_nodes", budget_s=CHECKING_BUDGET_S)

    async def count_relationships(self) -> list[dict[str, Any]]:
        """How many relationships of which type run between which labels, and how many of them no listing can show."""
        return await self._read("count_relationships", budget_s=CHECKING_BUDGET_S)

    async def read_roles(self) -> list[dict[str, Any]]:
        """The nodes of the roles: uid and name."""
        return await self._read("read_roles")

    async def read_nodes(self, uids: Iterable[str], now: datetime) -> dict[str, NodeRecord]:
        """Nodes by uid; what does not exist is absent."""
        rows = await self._read("read_nodes", uids=sorted(set(uids)), now=now)
        nodes = {}
        for row in rows:
            owner = next(iter(row["owners"]), "")
            nodes[row["uid"]] = NodeRecord(
                row["uid"],
                row["kind"],
                properties_of(row["properties"]),
                owner,
                tuple(row["roles"]),
                {PARTIES[link]: uid for link, uid in row["parties"]},
                tuple(row["helpers"]),
                tuple(row["programmes"]),
            )
        return nodes

    async def page_skills(self, part: Part, with_total: bool = False) -> Found:
        """Uids of skills; all of them are counted if that is asked for."""
        return found_in(await self._read("page_skills", with_total=with_total, **part.bounds))

    async def page_people(self, is_present: bool | None, now: datetime, part: Part, with_total: bool = False) -> Found:
        """Uids of people: of those who take part at an instant, or of those who have left by then, or of all."""
        return found_in(
            await self._read("page_people", is_present=is_present, now=now, with_total=with_total, **part.bounds)
        )

    async def read_deprecated_skills(self, skills: Iterable[str]) -> dict[str, str]:
        """Those of some skills that are to be named no longer: uid → name."""
        rows = await self._read("read_deprecated_skills", skills=sorted(set(skills)))
        return {row["uid"]: row["name"] for row in rows}

    async def read_scripts(self, programme: str, format: str, now: datetime) -> list[Script]:
        """The scripts for a programme, or for a format, that hold at an instant, by their titles."""
        rows = await self._read("read_scripts", programme=programme or None, format=format or None, now=now)
        texts = ("uid", "title", "text", "format", "programme", "source")
        return [Script(**{name: row[name] or "" for name in texts}, since=instant_of(row["since"])) for row in rows]

    async def page_goals(self, person: str | None, part: Part, with_total: bool = False) -> Found:
        """Uids of everybody's goals, or of one person's; all of them are counted if that is asked for."""
        if person is None:
            return found_in(await self._read("page_goals", with_total=with_total, **part.bounds))
        return found_in(await self._read("page_goals_of", person=person, **part.bounds))

    async def read_open_facts_of(self, person: str, at: datetime) -> list[Record]:
        """A person's windows of availability and consents that have not ended by an instant."""
        rows = await self._read("read_open_facts_of", person=person, at=at)
        names = {"Availability": "availability", "Consent": "consents"}
        found = []
        for row in rows:
            properties = _unnumbered(row["properties"])
            found.append(Record(names[row["kind"]], properties["uid"], properties, {"person": person}))
        return found

    async def page_people_of_source(self, source: str, after: str) -> list[dict[str, Any]]:
        """A page of the people that a source knows, in the order of its keys: uid, key, whether they have left."""
        parameters = {"source": source, "after": after, "limit": PAGE}
        return await self._read("page_people_of_source", budget_s=LISTING_BUDGET_S, **parameters)

    async def read_facts_of_people(self, people: Iterable[str]) -> dict[str, list[Record]]:
        """What people are and did, ended or not, but for their pairings: uid → the person, then their facts."""
        rows = await self._read("read_facts_of_people", people=sorted(set(people)), budget_s=LISTING_BUDGET_S)
        found: dict[str, list[Record]] = {}
        for row in rows:
            own = _unnumbered(row["properties"])
            uid = own["uid"]
            found[uid] = [Record("people", uid, own)]
            for fact in row["facts"]:
                kind = _KIND_OF_LABEL[fact["label"]]
                names = {link.type: link.name for link in kind.links[kind.is_relationship :]}
                links = {"person": uid} | {names[end["type"]]: end["uid"] for end in fact["ends"]}
                properties = _unnumbered(fact["properties"])
                found[uid].append(Record(kind.name, properties["uid"], properties, links))
        return found


async def _put(transaction: Transaction, records: Sequence[Record]) -> dict[str, str]:
    """Writes records in a transaction: uid → what became of it."""
    groups = _rows_by_kind(records)
    [reserved] = await transaction.run("next_change", count=len(records), kinds=[kind.name for kind, _ in groups])
    numbers = count(reserved["last"] - len(records) + 1)
    statuses: dict[str, str] = {}
    for kind, rows in groups:
        for row, number in zip(rows, numbers, strict=False):
            row["changed"] = number
        [found] = await transaction.run(f"write_{kind.name}", rows=rows, apply=True)
        statuses.update(found["statuses"])
    _refuse_unwritten(records, statuses)
    return statuses


def _is_nothing_new(statuses: Mapping[str, str]) -> bool:
    return all(status == "same" for status in statuses.values())


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
    conflicts = [record for record in records if statuses[record.uid] in CONFLICTS]
    if conflicts:
        kind = KINDS[conflicts[0].kind]
        reason, remedy = conflict_message(kind, statuses[conflicts[0].uid])
        raise Conflict(
            f"this {kind.label.lower()} {reason}; {remedy}", {each.uid: statuses[each.uid] for each in conflicts}
        )
    for record in records:
        if statuses[record.uid] == "dangling":
            label = KINDS[record.kind].label.lower()
            raise DomainError(f"what this {label} refers to does not exist", code="NOT_FOUND")


def conflict_message(kind: Kind, status: str) -> tuple[str, str]:
    """Why a fact with one of the `CONFLICTS` cannot be written, and what to do instead."""
    if status == "taken":
        return "has the source and external id of another one", "use the id of that one, or correct the external id"
    names = " or ".join(link.name for link in kind.links)
    return f"is already recorded with another {names}", "end it and record a new one under a new id"


def _stored_fact(kind: Kind, row: Mapping[str, Any]) -> StoredFact:
    properties = properties_of(row["properties"])
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
    carriers = tuple({**each, "properties": properties_of(each["properties"])} for each in row["links"])
    return StoredFact(Record(kind.name, uid, properties, links), changed, carriers)


def _unnumbered(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a fact without the number of its last change."""
    properties = properties_of(raw)
    del properties["changed"]
    return properties
