"""Snapshots: what the graph said before a day, frozen in a folder, as training and evaluation read it.

A snapshot holds only what ranking looks at. Names of people, zones, comments and keys of other systems stay out, and so
does everything about people who have not agreed to training; goals keep their words, since those are what is learned
from. Facts that began later are not in it, and what ended later has not ended in it, so nobody can look ahead by
mistake. The same graph and day give the same bytes.
"""

import gzip
import hashlib
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from mentorgraph.graph.clock import present
from mentorgraph.graph.columns.columns import SCORED, Columns
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.store.store import Store

FACTS, MANIFEST = "facts.jsonl.gz", "manifest.json"
LEFT_OUT = frozenset({"source", "external_id", "aliases", "link", "check_in_days"})
"""Properties that are never part of a snapshot."""
OF_KIND: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "people": frozenset({"name", "zone"}),
        "profiles": frozenset({"job_title", "grade", "about", "languages"}),
        "charters": frozenset({"why", "for_whom", "how_measured", "owner"}),
        "phases": frozenset({"name"}),
        "priorities": frozenset({"name", "description"}),
    }
)
"""Properties and links of some kinds that are not. Availability, which tells of common time, has zones of its own."""
PLANNED = ("availability", "absences", "busy_times", "phases")
"""Kinds whose end is known beforehand."""
ATTEMPTS = 5

Progress = Callable[[str, int], None]
"""Told the name of a kind and how many more of its facts were read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot is.

    Attributes:
        as_of: What began before this instant is in it.
        change: Number of the last change of the graph that it has seen.
        counts: Kind → number of facts.
        without_consent: Number of people who were left out because they have not agreed to training.
        sha256: Hash of the facts.
    """

    as_of: datetime
    change: int
    counts: dict[str, int]
    without_consent: int
    sha256: str

    @property
    def name(self) -> str:
        """The name of its folder: day and the first digits of the hash."""
        return f"{self.as_of:%Y%m%d}-{self.sha256[:12]}"

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Reads the manifest of a snapshot.

        Raises:
            DomainError: `NO_SNAPSHOT`, the folder holds none.
        """
        try:
            told = orjson.loads((folder / MANIFEST).read_bytes())
            return cls(**{**told, "as_of": datetime.fromisoformat(told["as_of"])})
        except (OSError, orjson.JSONDecodeError, TypeError, KeyError) as error:
            raise DomainError(
                f"{folder} holds no snapshot; make one with mentorgraph snapshot", code="NO_SNAPSHOT"
            ) from error


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot in memory.

    Attributes:
        columns: Its facts, as a service holds those of the graph.
        manifest: What it is.
    """

    columns: Columns
    manifest: Manifest


async def take(
    store: Store, parent: Path, as_of: datetime | None = None, *, on_progress: Progress = lambda _kind, _facts: None
) -> Path:
    """Freezes the graph as of an instant in a new folder, and returns that.

    Neo4j has no reading transaction that sees one moment only, so the graph is read until nothing was written in
    between.

    Args:
        store: The graph.
        parent: Where the folder goes; it appears when it is whole. The same content is there once.
        as_of: The instant; the present one if none is given.
        on_progress: Told how far it is.

    Raises:
        DomainError: `GRAPH_BUSY`, others kept writing; `DISK_FULL`, the folder cannot be written.
    """
    as_of = as_of or present()
    staging = parent / f".staging-{secrets.token_hex(4)}"
    try:
        staging.mkdir(mode=0o700, parents=True)
        for _ in range(ATTEMPTS):
            before = await store.read_changes()
            manifest = await _write(store, staging / FACTS, as_of, before.last, on_progress)
            if await store.read_changes() == before:
                break
        else:
            raise DomainError("others keep writing to the graph; try again in a while", code="GRAPH_BUSY")
        (staging / MANIFEST).write_bytes(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
        folder = parent / manifest.name
        if not folder.exists():
            staging.rename(folder)
        return folder
    except OSError as error:
        raise DomainError(f"{parent} cannot be written: {error.strerror}", code="DISK_FULL") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def load(folder: Path) -> Snapshot:
    """Reads a snapshot.

    Raises:
        DomainError: `NO_SNAPSHOT`, or `SNAPSHOT_DAMAGED`, its facts are not those that were frozen.
    """
    manifest = Manifest.read(folder)
    columns, digest = Columns(), hashlib.sha256()
    try:
        with gzip.open(folder / FACTS) as lines:
            for line in lines:
                digest.update(line)
                kind, uid, properties, links = orjson.loads(line)
                for name in ("since", "until"):
                    if name in properties:
                        properties[name] = datetime.fromtimestamp(properties[name] / 1000, UTC)
                columns.put(Record(kind, uid, properties, links))
    except (OSError, EOFError, ValueError) as error:
        raise DomainError(f"{folder} cannot be read; take a new snapshot", code="SNAPSHOT_DAMAGED") from error
    if digest.hexdigest() != manifest.sha256:
        raise DomainError(f"{folder} is not what was frozen; take a new snapshot", code="SNAPSHOT_DAMAGED")
    return Snapshot(columns, manifest)


async def _write(store: Store, file: Path, as_of: datetime, change: int, on_progress: Progress) -> Manifest:
    agreed = await _agreed(store, as_of)
    left_out: set[str] = set()
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    people = 0
    with file.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0, compresslevel=6) as stream:
        for name in SCORED:
            lines = []
            async for fact in store.facts(KINDS[name]):
                on_progress(name, 1)
                record = fact.record
                since = record.properties.get("since")
                is_later = isinstance(since, datetime) and since >= as_of
                if is_later or left_out.intersection(_links(record).values()):
                    left_out.add(record.uid)
                elif name == "people" and record.uid not in agreed:
                    left_out.add(record.uid)
                    people += 1
                else:
                    lines.append((record.uid, _line(record, as_of)))
            for _, line in sorted(lines):
                digest.update(line)
                stream.write(line)
            counts[name] = len(lines)
    return Manifest(as_of, change, dict(counts), people, digest.hexdigest())


async def _agreed(store: Store, as_of: datetime) -> set[str]:
    """Who had agreed to training."""
    found = set()
    async for fact in store.facts(KINDS["consents"]):
        told: dict[str, Any] = dict(fact.record.properties)
        if told["purpose"] == "training" and told["since"] < as_of and told.get("until", as_of) >= as_of:
            found.add(fact.record.links["person"])
    return found


def _line(record: Record, as_of: datetime) -> bytes:
    """One fact as it stood before an instant."""
    properties: dict[str, Any] = {
        name: value
        for name, value in record.properties.items()
        if name not in LEFT_OUT and name not in OF_KIND.get(record.kind, ())
    }
    if (until := properties.get("until")) is not None and until >= as_of:
        # It had not ended yet, so neither its end nor how it went was known. What is planned keeps its end.
        if record.kind not in PLANNED:
            del properties["until"]
            properties.pop("outcome", None)
            if record.kind == "pairings":
                properties["status"] = "active"
            if record.kind == "requests":
                properties["status"] = "requested"
    for name in ("since", "until"):
        if name in properties:
            properties[name] = round(properties[name].timestamp() * 1000)
    told = [record.kind, record.uid, properties, _links(record)]
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS) + b"\n"


def _links(record: Record) -> dict[str, str]:
    """The links of a fact that are part of a snapshot."""
    return {name: uid for name, uid in record.links.items() if name not in OF_KIND.get(record.kind, ())}
