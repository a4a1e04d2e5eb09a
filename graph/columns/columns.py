"""What scoring needs of the graph, as columns in memory: one table per kind of fact, kept fresh by the change counter.

Rows and index numbers are only ever added, so a table built once stays valid while others grow. Every question is asked
as of an instant: a fact counts where it held just before that instant, and what ended later is not known yet. A past
day is therefore answered by the same code as now.
"""

import asyncio
import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from scipy import sparse

from mentorgraph.graph.calendar.availability import Window
from mentorgraph.graph.columns import text
from mentorgraph.graph.columns.table import NONE, Groups, Mask, Numbering, Numbers, Table
from mentorgraph.graph.columns.text import TermCounts, goal_text
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Record, role_uid
from mentorgraph.graph.skills.naming import SkillNames
from mentorgraph.graph.skills.taxonomy import TOLD_BY, Taxonomy
from mentorgraph.graph.store.store import Store

SCORED = (
    "people",
    "units",
    "skills",
    "priorities",
    "programmes",
    "charters",
    "phases",
    "profiles",
    "goals",
    "broader",
    "successions",
    "skill_states",
    "roles",
    "offers",
    "skill_ratings",
    "wants",
    "goal_skills",
    "unit_membership",
    "pairings",
    "requests",
    "co_mentors",
    "sessions",
    "availability",
    "absences",
    "busy_times",
)
"""Kinds that scoring and teaching look at."""

JUDGED = (
    "policies",
    "reporting_lines",
    "onboarding_steps",
    "steps_done",
    "memberships",
    "overrides",
    "blocks",
    "consents",
)
"""Kinds that only rules look at; no snapshot for training holds them."""

LOADED = (*SCORED, *JUDGED)

Derived = TypeVar("Derived")

Way: TypeAlias = tuple[tuple[str, str], ...]
"""Type and uid of relationships, one after the other."""


@dataclass(frozen=True, slots=True)
class Merges:
    """Which skill counts for which, as of an instant.

    Attributes:
        counts_as: Number of the skill that each skill counts for, its own where it was not merged: `int64[skills]`.
        steps: Merged skill → type and uid of the edges that lead from it to the one that it counts for.
    """

    counts_as: Numbers
    steps: Mapping[int, Way]

    def of(self, skills: Numbers) -> Numbers:
        """What some skills count for."""
        return np.where(skills == NONE, NONE, self.counts_as[skills]) if self.steps else skills


class Columns:
    """The tables of one graph, and what is derived from them.

    What a question took out of the columns stays as it was: a refresh for another question puts new arrays in place.
    """

    def __init__(self) -> None:
        numbered = ("people", "units", "skills", "priorities", "goals", "pairings")
        self.numberings = {name: Numbering() for name in numbered}
        self.tables = {name: Table(KINDS[name], self.numberings) for name in LOADED}
        self.change = -1
        """Number of the last change of the graph that these columns know."""
        self.lineage = ""
        """Lineage of the graph that it counts."""
        self._seen: dict[str, int] = {}
        self.goal_words = TermCounts()
        self.skill_names = SkillNames()
        self._derived: dict[str, tuple[object, Any]] = {}
        self._turn = asyncio.Lock()
        self._reading: asyncio.Task[bool] | None = None

    @property
    def people(self) -> Numbering:
        """Numbers of the people."""
        return self.numberings["people"]

    @property
    def goals(self) -> Numbering:
        """Numbers of the goals."""
        return self.numberings["goals"]

    @property
    def skills(self) -> Numbering:
        """Numbers of the skills."""
        return self.numberings["skills"]

    def supposed(self, kinds: Iterable[str]) -> "Columns":
        """Columns of the same graph in which the facts of some kinds can be changed; the others are shared.

        Args:
            kinds: Any but goals and skills, whose words are counted elsewhere too.
        """
        columns = copy.copy(self)
        own = set(kinds) & self.tables.keys()
        columns.tables = {name: table.copy() if name in own else table for name, table in self.tables.items()}
        columns._derived = dict(self._derived)
        return columns

    async def refresh(self, store: Store) -> bool:
        """Takes in everything that was written since the last time; one round trip where nothing was.

        Returns:
            Whether these columns are complete now. They never will be where the graph was put back from a dump or a
            backup meanwhile: what they hold may not be there any more, and new ones have to be filled.
        """
        async with self._turn:
            # After a large import reading takes longer than one question may. Whoever gives up leaves it going on, and
            # the next one waits for it instead of beginning again.
            if self._reading is not None:
                await asyncio.wait([self._reading])
            self._reading = asyncio.create_task(self._take_in(store))
            self._reading.add_done_callback(_heard)
            try:
                return await asyncio.shield(self._reading)
            finally:
                if self._reading.done():
                    self._reading = None

    async def _take_in(self, store: Store) -> bool:
        told: list[Record] = []
        # Facts wait until all are there, since other questions go on meanwhile. Only the first time, when nobody can
        # ask yet and all of the graph would wait, they are taken in at once.
        take = self.put if self.change < 0 else told.append
        seen, change, lineage = dict(self._seen), self.change, self.lineage
        # Read again after reading: a fact is never seen without those that it refers to.
        while (changes := await store.read_changes()).last != change or changes.lineage != lineage:
            if change >= 0 and (changes.lineage != lineage or changes.last < change):
                return False
            lineage = changes.lineage
            for name, table in self.tables.items():
                if changes.by_kind[name] > seen.get(name, -1):
                    async for fact in store.facts(table.kind, after=seen.get(name, -1)):
                        take(fact.record)
                        seen[name] = fact.changed
                    # A kind without facts, or whose last change wrote none, is not read again for each change.
                    seen[name] = max(seen.get(name, -1), changes.by_kind[name])
            change = changes.last
        for record in told:
            self.put(record)
        self._seen, self.change, self.lineage = seen, change, lineage
        return True

    def put(self, record: Record) -> None:
        """Takes in one fact."""
        if record.kind in self.tables:
            self.tables[record.kind].put(record)
            if record.kind == "skills":
                self.skill_names.put(record.uid, record.properties)
            if record.kind == "goals":
                row = self.goals.find(record.uid)
                for missing in range(len(self.goal_words), row):
                    self.goal_words.put(missing, "")
                self.goal_words.put(row, goal_text(record.properties))

    def text_vectors(self, now: float) -> tuple[sparse.csr_array, sparse.csc_array]:
        """TF-IDF vectors of all goals, with statistics of those that had begun by then, by goal and by word.

        Returns:
            `float64[goals, words]`, twice.
        """
        goals = self.tables["goals"]
        version, begun, _ = goals.state(now)

        def build() -> tuple[sparse.csr_array, sparse.csc_array]:
            vectors = text.vectors(self.goal_words.counts(), goals.begun(now))
            return vectors, vectors.tocsc()

        return self.remember("text", (version, begun), build)

    def rows_by(self, kind: str, link: str) -> Groups:
        """The rows of a table by what one of their links holds."""
        table = self.tables[kind]
        target = next(each.target for each in table.kind.links if each.name == link)
        groups = len(self.numberings[target])
        return self.remember(f"{kind} by {link}", (table.version, groups), lambda: Groups(table.numbers(link), groups))

    def merges(self, now: float) -> Merges:
        """Which skills count for others as of an instant; see `mentorgraph.graph.skills.taxonomy`."""
        key = (self.tables["successions"].state(now), len(self.skills))
        return self.remember("merges", key, lambda: self._merges(now))

    def _merges(self, now: float) -> Merges:
        table, how = self.tables["successions"], self.tables["successions"].strings("how")
        uids, since = table.rows.uids, table.reals("since")
        following: dict[int, tuple[int, str]] = {}
        for row in sorted(np.flatnonzero(table.valid(now)), key=lambda row: (since[row], uids[row])):
            if how[row] == "merged":
                following.setdefault(
                    int(table.numbers("skill")[row]), (int(table.numbers("successor")[row]), uids[row])
                )
        counts_as, steps = np.arange(len(self.skills)), {}
        for skill in following:
            path: list[tuple[str, str]] = []
            last = skill
            while last in following and len(path) <= len(following):
                last, uid = following[last]
                path.append(("BECAME", uid))
            if last not in following:  # in a circle, which is a fault that db check tells of, nothing is merged
                counts_as[skill], steps[skill] = last, tuple(path)
        return Merges(counts_as, steps)

    def skills_of(self, kind: str, link: str, now: float) -> Numbers:
        """The skills that the facts of a kind are about, by what they count for as of an instant: `int64[rows]`."""
        return self.merges(now).of(self.tables[kind].numbers(link))

    def rows_by_skill(self, kind: str, now: float) -> Groups:
        """The rows of a table by the skill that they count for as of an instant."""
        key = (self.tables[kind].version, self.tables["successions"].state(now), len(self.skills))
        return self.remember(
            f"{kind} by counted skill", key, lambda: Groups(self.skills_of(kind, "skill", now), len(self.skills))
        )

    def taxonomy(self, now: float) -> Taxonomy:
        """The taxonomy as of an instant."""
        tables = [self.tables[kind] for kind in TOLD_BY]
        return self.remember("taxonomy", tuple(each.state(now) for each in tables), lambda: self._taxonomy(now))

    def _taxonomy(self, now: float) -> Taxonomy:
        found = Taxonomy()
        for kind in TOLD_BY:
            table = self.tables[kind]
            for row in np.flatnonzero(table.valid(now)):
                found.put(table.record(int(row)))
        return found

    def mentor_roles(self) -> Mask:
        """Which rows of the table of roles are those of mentors: `bool[roles]`."""
        table, role = self.tables["roles"], role_uid("mentor")
        return self.remember(
            "mentor roles", table.version, lambda: np.array([each == role for each in table.strings("role")], bool)
        )

    def window(self, row: int) -> Window:
        """One row of the availability table."""
        table = self.tables["availability"]
        return Window(*(table.strings(name)[row] for name in ("weekday", "start", "end", "zone")))

    def related_skills(self, now: float) -> dict[int, list[tuple[int, int, Way]]]:
        """What lies one `BROADER` step, or one step up and one down, from each skill that counts for itself.

        Returns:
            Skill → (other skill, number of steps, type and uid of the edges between), nearest first.
        """
        broader = self.tables["broader"]
        key = (broader.state(now), self.tables["successions"].state(now))
        return self.remember("related", key, lambda: self._related_skills(broader.valid(now), self.merges(now)))

    def _related_skills(self, valid: Mask, merges: Merges) -> dict[int, list[tuple[int, int, Way]]]:
        broader = self.tables["broader"]
        up: dict[int, list[tuple[int, Way]]] = {}
        down: dict[int, list[tuple[int, Way]]] = {}
        for row in sorted(np.flatnonzero(valid), key=broader.rows.uids.__getitem__):
            low, high = int(broader.numbers("skill")[row]), int(broader.numbers("broader")[row])
            way = (*merges.steps.get(low, ())[::-1], ("BROADER", broader.rows.uids[row]), *merges.steps.get(high, ()))
            child, parent = (int(number) for number in merges.of(np.array([low, high])))
            if child != parent:
                up.setdefault(child, []).append((parent, way))
                down.setdefault(parent, []).append((child, way[::-1]))
        related: dict[int, list[tuple[int, int, Way]]] = {}
        for skill in sorted({*up, *down}):
            near: dict[int, tuple[int, Way]] = {}
            for other, way in [*up.get(skill, []), *down.get(skill, [])]:
                near.setdefault(other, (1, way))
            for parent, first in up.get(skill, []):
                for sibling, second in down.get(parent, []):
                    if sibling != skill:
                        near.setdefault(sibling, (2, (*first, *second)))
            found = [(other, steps, way) for other, (steps, way) in near.items()]
            related[skill] = sorted(found, key=lambda each: (each[1], self.skills.uids[each[0]]))
        return related

    def remember(self, name: str, key: object, build: Callable[[], Derived]) -> Derived:
        """A derived value, built again when what it depends on has changed."""
        return self.renew(name, key, lambda _known: build())

    def renew(self, name: str, key: object, build: Callable[[Derived | None], Derived]) -> Derived:
        """As `remember`, but built from what the value was before, None the first time; that is left as it is."""
        known = self._derived.get(name)
        if known is None or known[0] != key:
            self._derived[name] = (key, build(None if known is None else known[1]))
        return cast(Derived, self._derived[name][1])


def _heard(reading: asyncio.Task[bool]) -> None:
    """Takes note of how a reading ended that nobody may wait for any more; whoever still does is told all the same."""
    if not reading.cancelled():
        reading.exception()
