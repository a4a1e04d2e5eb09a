"""From what spreadsheets tell of people to rows of a bundle, so that what the graph knows already is not told anew.

A spreadsheet rarely says since when something is so. What is known and still holds keeps its beginning, whatever day it
is imported on; what is new begins on the day that the row names, or today.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mentorgraph.graph.exchange.spreadsheets.cells import folded
from mentorgraph.graph.exchange.spreadsheets.mapping import PROFILE
from mentorgraph.graph.exchange.spreadsheets.people import LONGEST_TITLE, Place, Reading, Told
from mentorgraph.graph.exchange.spreadsheets.supervisors import supervisors_of
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Problem, Record, Row, role_uid, uid_of
from mentorgraph.graph.facts.rows import FILES, row_of
from mentorgraph.graph.pairings.leaving import ENDING
from mentorgraph.graph.store.store import Store

AT_ONCE = 1_000
"""People whose facts are read in one round trip."""


SAYS_ROLES = frozenset({"role", "is_mentor", "is_mentee", "both_roles"})
"""Meanings that tell what a person is."""


@dataclass
class Statements:
    """Rows of a bundle, each with the rows of the spreadsheets that told it.

    Attributes:
        rows: File of the bundle → rows with their places.
        joiners: Keys of people who were not there before.
        movers: Keys of people whose unit or role changed.
        leavers: Keys of people who are there no longer.
    """

    rows: dict[str, list[tuple[Row, tuple[Place, ...]]]] = field(default_factory=lambda: {file: [] for file in FILES})
    joiners: list[str] = field(default_factory=list)
    movers: list[str] = field(default_factory=list)
    leavers: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Terms:
    """How what is told is taken.

    Attributes:
        source: The system that the keys belong to.
        today: The day of the import, its midnight in UTC.
        since: When facts of new people begin that have no date; None for today.
        consent: Purposes and basis that whoever imports vouches for.
        roster: Whether the files tell everything about units and roles, so that what they do not tell has ended.
    """

    source: str
    today: datetime
    since: datetime | None = None
    consent: tuple[tuple[str, ...], str] | None = None
    roster: bool = False


async def statements_of(store: Store, reading: Reading, terms: Terms, leaving: Sequence[str] = ()) -> Statements:
    """What spreadsheets tell, as rows of a bundle.

    Args:
        store: The graph, which is only read.
        reading: What they tell; refusals and warnings that only the graph shows are added to it.
        terms: How it is taken.
        leaving: Keys of people who have left.
    """
    names = await _Names.of(store, terms.source)
    wanted = [*reading.people, *leaving, *(key for mentor, mentee, _ in reading.pairs for key in (mentor, mentee))]
    known: dict[str, list[Record]] = {}
    uids = sorted({uid_of(terms.source, "people", key) for key in wanted})
    for start in range(0, len(uids), AT_ONCE):
        known |= await store.read_facts_of_people(uids[start : start + AT_ONCE])
    found = Statements()
    writer = _Writer(reading, terms, known, names, found)
    for person in reading.people.values():
        writer.tell(person)
    supervisors = await supervisors_of(store, reading, terms.source, known, roster=terms.roster)
    for person in reading.people.values():
        writer.tell_blocked(person)
        writer.tell_supervisor(person, supervisors.get(person.key, ""))
    for key in leaving:
        found.leavers.append(key)
        writer.end_everything(uid_of(terms.source, "people", key), terms.today, ())
    pairs = {uid_of(terms.source, "pairings", f"{mentor}|{mentee}") for mentor, mentee, _ in reading.pairs}
    writer.tell_pairs(await store.find_existing(pairs))
    return found


class _Names:
    """What skills, units and programmes are called, so that a name leads to what the graph has already."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._uids: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.professions: set[str] = set()
        """uids of the units that are professional groups."""

    @classmethod
    async def of(cls, store: Store, source: str) -> "_Names":
        found = cls(source)
        for file in ("skills", "units", "programmes"):
            async for fact in store.facts(KINDS[file]):
                stored = fact.record.properties
                is_profession = file == "units" and stored.get("category") == "profession"
                if is_profession:
                    found.professions.add(fact.record.uid)
                aliases = stored.get("aliases", [])
                for name in [stored["name"], *(aliases if isinstance(aliases, list) else [])]:
                    key = f"profession/{folded(str(name))}" if is_profession else folded(str(name))
                    found._uids[file, key].add(fact.record.uid)
        return found

    def find(self, file: str, key: str) -> str | None:
        """The uid of what has a name: the source's own, or the only one there is."""
        own = uid_of(self._source, file, key)
        uids = self._uids[file, key]
        if own in uids:
            return own
        return next(iter(uids)) if len(uids) == 1 else None

    def add(self, file: str, key: str) -> str:
        """Takes in what is new."""
        uid = uid_of(self._source, file, key)
        self._uids[file, key].add(uid)
        if key.startswith("profession/"):
            self.professions.add(uid)
        return uid


class _Writer:
    """Adds the rows of one person after the other."""

    def __init__(
        self,
        reading: Reading,
        terms: Terms,
        known: Mapping[str, list[Record]],
        names: _Names,
        found: Statements,
    ) -> None:
        self._reading = reading
        self._terms = terms
        self._known = known
        self._names = names
        self._found = found
        self._paired = {place for _, _, place in reading.pairs}
        self._begins: dict[str, datetime] = {}
        """Key of a person → when what their rows tell begins."""

    def _add(self, file: str, row: Mapping[str, object], places: Sequence[Place] = ()) -> None:
        self._found.rows[file].append(
            ({name: value for name, value in row.items() if value is not None}, tuple(places))
        )

    def _open(self, uid: str, kind: str) -> list[Record]:
        """The facts of a kind that a person has and that have not ended."""
        return [each for each in self._known.get(uid, ()) if each.kind == kind and "until" not in each.properties]

    def _end(self, record: Record, day: datetime, places: Sequence[Place]) -> None:
        """States that a fact ended on a day, or on its first if that is later."""
        since = record.properties["since"]
        until = max(day, since) if isinstance(since, datetime) else day
        file = "person_skills" if record.kind in {"offers", "wants"} else record.kind
        self._add(file, row_of(record) | {"closed_on" if file == "goals" else "until": until}, places)

    def end_everything(self, uid: str, day: datetime, places: Sequence[Place]) -> None:
        """States that a person has left, and that what they were and did ended."""
        own = next(iter(self._known.get(uid, ())), None)
        if own is None:
            return
        if "until" not in own.properties:
            since = own.properties["since"]
            self._add(
                "people", row_of(own) | {"left_on": max(day, since) if isinstance(since, datetime) else day}, places
            )
        self._end_facts(uid, day, places)

    def _end_facts(self, uid: str, day: datetime, places: Sequence[Place]) -> None:
        for kind in ENDING:
            for record in self._open(uid, kind):
                self._end(record, day, places)

    # --- one person -------------------------------------------------------------------------------------------------

    def tell(self, person: Told) -> None:
        """States what is told of a person."""
        if all(place in self._paired for place in person.places):
            return  # a list of pairings tells who is paired, not who there is
        uid = uid_of(self._terms.source, "people", person.key)
        own = next(iter(self._known.get(uid, ())), None)
        if own is None and not person.consents.get("matching", (True, ""))[0]:
            self._leave_out(person)
            return
        answered = person.single.get("answered_on")
        begin = answered if isinstance(answered, datetime) else None
        begin = begin or (self._terms.today if own else self._terms.since) or self._terms.today
        joined = self._tell_person(person, own, begin)
        if own is None:
            begin = joined
        self._begins[person.key] = begin
        left = person.single.get("left_on")
        if isinstance(left, datetime) and left <= self._terms.today:
            self._end_facts(uid, left, person.places)
            return
        moves = self._tell_roles(person, uid, begin) + self._tell_units(person, uid, begin)
        if own is None or ("until" in own.properties and self._terms.roster):
            self._found.joiners.append(person.key)
        elif moves:
            self._found.movers.append(person.key)
        self._tell_skills(person, uid, begin)
        self._tell_programmes(person, uid, begin)
        self._tell_profile(person, uid, begin)
        self._tell_consents(person, uid, begin, joined)
        self._tell_goals(person, uid, begin)
        self._tell_hours(person, uid, begin)

    def _leave_out(self, person: Told) -> None:
        """Takes nothing of somebody who is new and said no."""
        _, question = person.consents["matching"]
        problem = Problem(question, "no", "does not agree, so nothing of the row was taken", "leave the row out")
        for place in person.places:
            self._reading.refused[place] = [problem]

    def _tell_person(self, person: Told, own: Record | None, begin: datetime) -> datetime:
        """States who the person is; returns the day on which they joined."""
        given = {"zone": person.single.get("zone"), "joined_on": person.single.get("joined_on")}
        given |= {"left_on": person.single.get("left_on"), "name": person.name or None}
        if own is not None:
            row: dict[str, object] = dict(row_of(own))
            if self._terms.roster:
                row["left_on"] = None
            row |= {name: value for name, value in given.items() if value is not None}
        else:
            if not person.name:
                given["name"] = person.key.partition("@")[0]
                self._reading.warn(
                    person.places[0], "has no name: the person is named by the address, until one is told"
                )
            row = {"id": person.key} | given
            row["joined_on"] = given["joined_on"] or begin
        self._add("people", row, person.places)
        since = given["joined_on"] or (own.properties["since"] if own else begin)
        return since if isinstance(since, datetime) else begin

    def _tell_roles(self, person: Told, uid: str, begin: datetime) -> int:
        """States the roles; returns how many began or ended."""
        moves = 0
        kept = {each.links["role"]: each for each in self._open(uid, "roles")}
        ever = {each.uid for each in self._known.get(uid, ()) if each.kind == "roles"}
        for role in person.roles:
            limits = {}
            if role == "mentor":
                limits = {name: person.single.get(name) for name in ("max_mentees", "hours_per_month")}
            told = {name: value for name, value in limits.items() if value is not None}
            if held := kept.pop(role_uid(role), None):
                if person.single.get("is_available") and held.properties.get("max_mentees") == 0:
                    told.setdefault("max_mentees", "")  # takes people again
                self._add("roles", row_of(held) | told, person.places)
                continue
            # The uid that a list of roles in a bundle would give, unless such a role was held before.
            first = uid_of(self._terms.source, "roles", f"{uid}\x1f{role}")
            moves += 1
            row = {"uid": None if first in ever else first, "person_id": uid, "role_id": role, "since": begin}
            self._add("roles", row | told, person.places)
        if self._terms.roster and self._reading.says & SAYS_ROLES:
            for each in kept.values():
                if each.properties["source"] == self._terms.source:
                    self._end(each, self._terms.today, person.places)
                    moves += 1
        return moves

    def _tell_units(self, person: Told, uid: str, begin: datetime) -> int:
        """States where the person belongs; returns how many memberships began or ended."""
        moves = 0
        kept = {each.links["unit"]: each for each in self._open(uid, "unit_membership")}
        for key, (name, category) in person.units.items():
            unit = self._named("units", key, {"name": name, "category": category or None})
            if held := kept.pop(unit, None):
                self._add("unit_membership", row_of(held), person.places)
                continue
            moves += 1
            self._add("unit_membership", {"person_id": uid, "unit_id": unit, "since": begin}, person.places)
        for unit, each in kept.items():
            said = "profession" if unit in self._names.professions else "unit"
            if self._terms.roster and said in self._reading.says and each.properties["source"] == self._terms.source:
                self._end(each, self._terms.today, person.places)
                moves += 1
        return moves

    def _named(self, file: str, key: str, row: Mapping[str, object]) -> str:
        """The uid of a skill, unit or programme; states it if it is new."""
        uid = self._names.find(file, key)
        if uid is None:
            uid = self._names.add(file, key)
            self._add(file, {"id": key, **row})
        return uid

    def _tell_skills(self, person: Told, uid: str, begin: datetime) -> None:
        for stance, skills in person.skills.items():
            held = {each.links["skill"]: each for each in self._open(uid, stance)}
            for key, (name, level) in skills.items():
                skill = self._named("skills", key, {"name": name})
                told = {} if level is None else {"level": level}
                row: Row = {"person_id": uid, "skill_id": skill, "stance": stance, "since": begin}
                self._add("person_skills", {**(row_of(held[skill]) if skill in held else row), **told}, person.places)

    def _tell_programmes(self, person: Told, uid: str, begin: datetime) -> None:
        held = {(each.links["programme"], each.properties.get("role")): each for each in self._open(uid, "memberships")}
        for key, name in person.programmes.items():
            programme = self._named("programmes", key, {"name": name, "since": begin})
            for role in person.roles if self._reading.says & SAYS_ROLES else [None]:
                row: Row = {"person_id": uid, "programme_id": programme, "role": role, "since": begin}
                known = held.get((programme, role))
                self._add("memberships", row_of(known) if known else row, person.places)

    def _tell_profile(self, person: Told, uid: str, begin: datetime) -> None:
        """States how the person describes themselves; what is not told again stays as it was."""
        if not person.profile:
            return
        row: Row = {"person_id": uid, "since": begin}
        for held in self._open(uid, "profiles"):
            known = {name: held.properties.get(name) for name in PROFILE}
            since = held.properties["since"]
            if {**known, **person.profile} == known or (isinstance(since, datetime) and since >= begin):
                row = row_of(held)  # it says so already, or is corrected
            else:
                self._end(held, begin, person.places)
                row = {**row_of(held), **row, "uid": None, "source": None}
        self._add("profiles", {**row, **person.profile}, person.places)

    def _tell_consents(self, person: Told, uid: str, begin: datetime, joined: datetime) -> None:
        """States what the person agreed to; a text that was withdrawn stays withdrawn."""
        ever = {
            (each.properties["purpose"], each.properties["text_version"])
            for each in self._known.get(uid, ())
            if each.kind == "consents"
        }
        told = {purpose: (text, begin) for purpose, (answer, text) in person.consents.items() if answer}
        purposes, basis = self._terms.consent or ((), "")
        told = {each: (basis, joined) for each in purposes if each not in person.asked} | told
        for purpose, (text, since) in told.items():
            if (purpose, text) not in ever:
                row = {"person_id": uid, "purpose": purpose, "text_version": text, "since": since}
                self._add("consents", row, person.places)
        for purpose, (answer, _) in person.consents.items():
            for each in self._open(uid, "consents") if not answer else ():
                if each.properties["purpose"] == purpose:
                    self._end(each, begin, person.places)

    def _tell_goals(self, person: Told, uid: str, begin: datetime) -> None:
        held = {each.uid: each for each in self._known.get(uid, ()) if each.kind == "goals"}
        for key, text in person.goals.items() if "mentee" in person.roles else ():
            title = text if len(text) <= LONGEST_TITLE else text[:LONGEST_TITLE].rsplit(maxsplit=1)[0] + " …"
            told = {"title": title, "description": text if title != text else None}
            known = held.get(uid_of(self._terms.source, "goals", key))
            row: Row = row_of(known) if known else {"id": key, "person_id": uid, "created_on": begin}
            self._add("goals", {**row, **told}, person.places)

    def _tell_hours(self, person: Told, uid: str, begin: datetime) -> None:
        if not person.says_hours:
            return
        names = ("weekday", "start", "end", "zone")
        kept = {tuple(each.properties[name] for name in names): each for each in self._open(uid, "availability")}
        for window in person.windows:
            held = kept.pop(window, None)
            row = dict(zip(names, window, strict=True)) | {"person_id": uid, "since": begin}
            self._add("availability", row_of(held) if held else row, person.places)
        for each in kept.values():
            if each.properties["source"] == self._terms.source:
                self._end(each, self._terms.today, person.places)

    # --- between people ---------------------------------------------------------------------------------------------

    def tell_blocked(self, person: Told) -> None:
        """States whom a person must not be paired with, where address or name says who that is."""
        uid = uid_of(self._terms.source, "people", person.key)
        held = {each.links["blocked"] for each in self._open(uid, "blocks")}
        for name, place in person.blocked.items():
            same = list(self._people_called(name))
            if len(same) != 1:
                who = "nobody of these files" if not same else "several people"
                self._reading.warn(place, f"must not be paired with {name!r}, which is {who}; that was not recorded")
            elif (other := uid_of(self._terms.source, "people", same[0])) not in held | {uid}:
                row = {"person_id": uid, "blocked_id": other, "since": self._terms.today}
                self._add("blocks", row, [place])

    def tell_supervisor(self, person: Told, supervisor: str) -> None:
        """States to whom a person reports, whose other lines from this source end.

        Args:
            person: The person.
            supervisor: uid of the supervisor; empty where nobody is told.
        """
        uid, begin = uid_of(self._terms.source, "people", person.key), self._begins.get(person.key)
        if begin is None or not (supervisor or (self._terms.roster and person.supervisor is None)):
            return
        if "supervisor" not in self._reading.says:
            return
        kept = {each.links["manager"]: each for each in self._open(uid, "reporting_lines")}
        if held := kept.pop(supervisor, None):
            self._add("reporting_lines", row_of(held), person.places)
        elif supervisor:
            row = {"person_id": uid, "manager_id": supervisor, "since": begin}
            self._add("reporting_lines", row, person.places)
        for each in kept.values():
            if each.properties["source"] == self._terms.source:
                self._end(each, begin, person.places)

    def _people_called(self, name: str) -> Iterator[str]:
        wanted = folded(name)
        for key, person in self._reading.people.items():
            if wanted in (key, folded(person.name)):
                yield key

    def tell_pairs(self, existing: Mapping[str, str]) -> None:
        """States who is paired; a pairing that is known stays as it is."""
        told = {str(row["id"]) for row, _ in self._found.rows["people"] if "id" in row}
        for mentor, mentee, place in self._reading.pairs:
            key = f"{mentor}|{mentee}"
            ends = {
                role: uid_of(self._terms.source, "people", each)
                for role, each in (("mentor", mentor), ("mentee", mentee))
            }
            unknown = [
                Problem(role, each, "is no known person", "import the people first, from the same source")
                for role, each in (("mentor", mentor), ("mentee", mentee))
                if ends[role] not in self._known and each not in told
            ]
            if unknown:
                self._reading.refused[place] = unknown
            elif uid_of(self._terms.source, "pairings", key) not in existing:
                begin = self._terms.since or self._terms.today
                row = {"id": key, "mentor_id": ends["mentor"], "mentee_id": ends["mentee"]}
                self._add("pairings", row | {"started_on": begin, "status": "active"}, [place])
