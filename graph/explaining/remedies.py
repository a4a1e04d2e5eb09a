"""Actionable changes: what a mentee, a mentor or a coordinator could do so that a mentor is recommended, or sooner.

Each is a set of facts to be written, with the hard rules that it may lift. Whether it does any good is not decided here
but tried; see `mentorgraph.graph.explaining.what_would_change`.
"""

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Question
from mentorgraph.graph.facts.dated import ended
from mentorgraph.graph.facts.model import Record, role_uid
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.people.eligibility import formats_of, languages_of
from mentorgraph.graph.people.participants import Participant
from mentorgraph.graph.rules.tiers import Standing, Tier, unmet
from mentorgraph.graph.vocabulary import ENGLISH

MENTEE, MENTOR, COORDINATOR = ACTORS = ("mentee", "mentor", "coordinator")
"""Who can change something."""

ACTIONS = {
    "give_role": "The mentor is given the role of mentor.",
    "consent": "The mentor agrees to be matched.",
    "onboard": "The mentor takes the steps of onboarding that are missing.",
    "end_block": "One of the two lifts the block on the other.",
    "end_absence": "The mentor comes back now.",
    "add_place": "The mentor takes one more mentee.",
    "enrol": "The mentor is enrolled in the programme.",
    "raise_hours": "The mentor gives more hours a month.",
    "train": "The mentor takes the trainings that the programme's tier asks for.",
    "end_ban": "A coordinator ends the ban on the pair.",
    "work_apart": "One of the two says that they work asynchronously, too.",
    "add_time": "One of the two adds a weekly time in which the other is free.",
    "add_language": "One of the two adds a language to their profile that the other speaks.",
    "add_format": "One of the two adds the format of the programme to those in which they take part.",
    "offer_skill": "The mentor offers a skill that is wished for, at the level that is wished.",
    "want_skill": "The mentee wants a skill that the mentor offers.",
}
"""Every action, and what it is."""

SOURCE = "supposed"
"""Source of facts that are tried; none of them is ever kept."""
MOST_WINDOWS = 7
MOST_SKILLS = 8
MOST_LANGUAGES = 3
CAN_BE_MET = {"TRAINING_MISSING", "TRAINING_EXPIRED", "TOO_FEW_HOURS", "LEVEL_TOO_LOW"}
"""What a tier asks for that a mentor can do now; time in the organisation and completed pairings take time."""
APART = ("mixed", "asynchronous")
"""How people like to talk who need no shared time."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that somebody could do.

    Attributes:
        action: One of `ACTIONS`.
        by: Which of `ACTORS` can do it.
        values: What the words are made of, by the name of the gap in the wording.
        records: The facts that it would write.
        lifts: Names of the rules that it may lift.
    """

    action: str
    by: frozenset[str]
    values: tuple[tuple[str, object], ...]
    records: tuple[Record, ...]
    lifts: frozenset[str] = frozenset()

    @property
    def words(self) -> str:
        """What it is, for people, in English."""
        return self.words_in(ENGLISH)

    def words_in(self, language: str) -> str:
        """What it is, in one of `vocabulary.LANGUAGES`."""
        words, told = wording(language), dict(self.values)
        if "weekday" in told:
            told["weekday"] = words["days"][int(str(told["weekday"])) - 1]
        return str(words[self.action]).format(**told)


@cache
def wording(language: str) -> Mapping[str, Any]:
    """The words of a language."""
    found: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("changes.toml").read_text("utf-8"))[language]
    return found


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people, as the graph knows them.

    Attributes:
        mentee: Who seeks a mentor.
        mentor: The mentor in question.
        taken: How many of the mentor's places are taken.
        taken_in_programme: Likewise of the places that they have in the programme.
        now: The instant at which something would be changed.
        format: Format of the programme in which they would be paired; empty where none is known.
        programme: uid of that programme; empty for none.
        hours: Hours a month that the mentor has to give in all for the rules to allow the pair this month.
        hours_in_programme: Likewise for the hours that they give in the programme.
        forbidden: Rules that forbid the pair.
        bans: What coordinators decided against the pair and what holds.
        tier: The tier for which the mentor has to be eligible, if they are not.
        standing: How they stand to it.
    """

    mentee: Participant
    mentor: Participant
    taken: float
    taken_in_programme: float
    now: datetime
    format: str = ""
    programme: str = ""
    hours: float = 0.0
    hours_in_programme: float = 0.0
    forbidden: frozenset[str] = frozenset()
    bans: tuple[Record, ...] = ()
    tier: Tier | None = None
    standing: Standing | None = None

    @property
    def lacks(self) -> frozenset[str]:
        """What keeps the mentor from the tier, as refusals name it; nothing where some of that takes time."""
        if self.tier is None or self.standing is None:
            return frozenset()
        found = frozenset(each.rule for each in unmet(self.tier, self.standing, self.now))
        return found if found <= CAN_BE_MET else frozenset()

    @property
    def sides(self) -> tuple[tuple[str, Participant, Participant], ...]:
        """Who of `ACTORS`, the person, and the other one."""
        return (MENTEE, self.mentee, self.mentor), (MENTOR, self.mentor, self.mentee)


def changes_for(columns: Columns, asked: Question, pair: Pair) -> list[Change]:
    """Every change that could help, in a fixed order.

    Args:
        columns: The columns of the graph.
        asked: The question.
        pair: The two people.
    """
    return [
        *_joining(pair),
        *_unblocking(pair),
        *_places(pair),
        *_hours(pair),
        *_trainings(pair),
        *_times(pair),
        *_apart(pair),
        *_told_otherwise(pair),
        *_offers(columns, asked, pair),
        *_better_offer(columns, pair),
        *_wants(columns, asked, pair),
    ]


def _joining(pair: Pair) -> Iterator[Change]:
    mentor, now = pair.mentor, pair.now
    own = {"person_id": mentor.person.uid, "since": now}
    if "mentor" not in mentor.roles:
        records = facts_of("roles", {**own, "role_id": "mentor"}, SOURCE)
        yield _change("give_role", {COORDINATOR}, records, "NOT_A_MENTOR")
    if not any(each.properties["purpose"] == "matching" for each in mentor.holding("consents")):
        versions = [str(each.properties["text_version"]) for each in mentor.all_of("consents")]
        row = {**own, "purpose": "matching", "text_version": versions[-1] if versions else "1"}
        yield _change("consent", {MENTOR}, facts_of("consents", row, SOURCE), "NO_CONSENT")
    if "NOT_ENROLLED" in pair.forbidden:
        row = {**own, "programme_id": pair.programme, "role": "mentor"}
        yield _change("enrol", {COORDINATOR}, facts_of("memberships", row, SOURCE), "NOT_ENROLLED")
    if missing := [step for step in mentor.onboarding("mentor") if step.is_missing]:
        records = [
            record for step in missing for record in facts_of("steps_done", {**own, "step_id": step.record.uid}, SOURCE)
        ]
        names = ", ".join(str(step.record.properties["name"]) for step in missing)
        yield _change("onboard", {MENTOR, COORDINATOR}, records, "NOT_ONBOARDED", steps=names)


def _unblocking(pair: Pair) -> Iterator[Change]:
    for actor, one, other in pair.sides:
        held = [each for each in one.holding("blocks") if each.links["blocked"] == other.person.uid]
        if held:
            records = [ended(each, pair.now) for each in held]
            yield _change("end_block", {actor}, records, "BLOCKED")
    if pair.bans:
        yield _change(
            "end_ban", {COORDINATOR}, [ended(each, pair.now) for each in pair.bans], "FORBIDDEN_BY_COORDINATOR"
        )
    if away := pair.mentor.holding("absences"):
        records = [ended(each, pair.now) for each in away]
        yield _change("end_absence", {MENTOR}, records, "AWAY", "NO_SHARED_TIME")


def _roles(pair: Pair) -> list[Record]:
    """The roles as a mentor that the mentor has."""
    return [each for each in pair.mentor.holding("roles") if each.links["role"] == role_uid("mentor")]


def _enrolments(pair: Pair) -> list[Record]:
    """The mentor's enrolments as a mentor in the programme; one that names no role counts for every role."""
    return [
        each
        for each in pair.mentor.holding("memberships")
        if each.links["programme"] == pair.programme and each.properties.get("role", "mentor") == "mentor"
    ]


def _hours(pair: Pair) -> Iterator[Change]:
    """More hours where those that are told are too few."""
    asked = pair.tier.hours_per_month or 0.0 if pair.tier and "TOO_FEW_HOURS" in pair.lacks else 0.0
    if not (asked or pair.forbidden & {"FEW_HOURS", "NO_HOURS"}):
        return
    own, records = {"person_id": pair.mentor.person.uid, "since": pair.now}, list[Record]()
    all_hours, hours_here = max(pair.hours, asked), max(pair.hours_in_programme, asked)
    for kind, held, needed, row in (
        ("roles", _roles(pair), all_hours, {**own, "role_id": "mentor"}),
        ("memberships", _enrolments(pair), hours_here, {**own, "programme_id": pair.programme}),
    ):
        given = max((_number_of(each, "hours_per_month") for each in held), default=needed)
        if any("hours_per_month" in each.properties for each in held) and given < needed:
            kept = {name: held[-1].properties[name] for name in ("role", "max_mentees") if name in held[-1].properties}
            records += [*(ended(each, pair.now) for each in held)]
            records += facts_of(kind, {**row, **kept, "hours_per_month": needed}, SOURCE)
    if records:
        lifted = ("FEW_HOURS", "NO_HOURS", *_of_tier(asked))
        yield _change("raise_hours", {MENTOR, COORDINATOR}, records, *lifted, hours=f"{max(all_hours, hours_here):g}")


def _of_tier(helps: object) -> tuple[str, ...]:
    """The rule of tiers, where a change gives what the tier asks for."""
    return ("NOT_IN_TIER",) if helps else ()


def _trainings(pair: Pair) -> Iterator[Change]:
    """The trainings that the tier asks for and that were never taken, or too long ago."""
    if pair.tier is None or not pair.lacks:
        return
    missing = [
        each for each in pair.tier.demands if not each.taken or (each.expires is not None and each.expires <= pair.now)
    ]
    if missing:
        own = {"person_id": pair.mentor.person.uid, "since": pair.now}
        records = [
            record for each in missing for record in facts_of("completions", {**own, "training_id": each.uid}, SOURCE)
        ]
        yield _change("train", {MENTOR}, records, "NOT_IN_TIER", trainings=", ".join(each.name for each in missing))


def _number_of(record: Record, name: str) -> float:
    value = record.properties.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _places(pair: Pair) -> Iterator[Change]:
    """A place more than are taken, in all and in the programme, whichever are too few."""
    own, records, most = {"person_id": pair.mentor.person.uid, "since": pair.now}, list[Record](), 0
    needed, here = math.ceil(pair.taken - 1e-9) + 1, math.ceil(pair.taken_in_programme) + 1
    roles, enrolments = _roles(pair), [each for each in _enrolments(pair) if "max_mentees" in each.properties]
    is_full_here = bool(enrolments) and max(map(_places_of, enrolments)) < here
    has_room_in_all = bool(roles) and max(map(_places_of, roles)) >= needed
    if roles and pair.taken > 0 and not (is_full_here and has_room_in_all):
        most = max(needed, *(_places_of(each) + 1 for each in roles))
        records += _with_places("roles", roles, {**own, "role_id": "mentor", "max_mentees": most}, pair.now)
    if is_full_here:
        most = max(most, here)
        row = {**own, "programme_id": pair.programme, "max_mentees": here}
        records += _with_places("memberships", enrolments, row, pair.now)
    if records:
        yield _change("add_place", {MENTOR, COORDINATOR}, records, "NO_CAPACITY", places=most)


def _with_places(kind: str, held: Sequence[Record], row: Mapping[str, object], now: datetime) -> list[Record]:
    """The end of what holds, and the same with another number of places."""
    kept = {name: held[-1].properties[name] for name in ("role", "hours_per_month") if name in held[-1].properties}
    return [*(ended(each, now) for each in held), *facts_of(kind, {**row, **kept}, SOURCE)]


def _places_of(role: Record) -> int:
    places = role.properties.get("max_mentees")
    return places if isinstance(places, int) else 0


def _times(pair: Pair) -> Iterator[Change]:
    for actor, one, other in pair.sides:
        own = {_window(each) for each in one.holding("availability")}
        for each in other.holding("availability")[:MOST_WINDOWS]:
            if _window(each) not in own:
                weekday, start, end, zone = _window(each)
                row = {
                    "person_id": one.person.uid,
                    "weekday": weekday,
                    "start": start,
                    "end": end,
                    "zone": zone,
                    "since": pair.now,
                }
                told = {"weekday": weekday, "start": start, "end": end, "zone": zone}
                yield _change("add_time", {actor}, facts_of("availability", row, SOURCE), "NO_SHARED_TIME", **told)


def _apart(pair: Pair) -> Iterator[Change]:
    """That somebody works asynchronously, too, where shared time is too short; both have to say so."""
    if "NO_SHARED_TIME" not in pair.forbidden:
        return
    for actor, one, _ in pair.sides:
        if one.profile is not None and one.profile.properties.get("communication") not in APART:
            records = _profile_with(one, {"communication": APART[0]}, pair.now)
            yield _change("work_apart", {actor}, records, "NO_SHARED_TIME")


def _told_otherwise(pair: Pair) -> Iterator[Change]:
    """What somebody could add to their profile where a rule compares what both have told."""
    for actor, one, other in pair.sides:
        own, others = languages_of(_row(one)), languages_of(_row(other))
        if own and others and not own & others:
            for language in sorted(others)[:MOST_LANGUAGES]:
                records = _profile_with(one, {"languages": [*_told(one, "languages"), language]}, pair.now)
                yield _change("add_language", {actor}, records, "NO_LANGUAGE", language=language)
        formats = formats_of(_row(one))
        if pair.format and formats and pair.format not in formats:
            records = _profile_with(one, {"formats": [*_told(one, "formats"), pair.format]}, pair.now)
            yield _change("add_format", {actor}, records, "WRONG_FORMAT", format=pair.format)


def _row(person: Participant) -> dict[str, Any]:
    """What somebody tells of themselves, as the hard rules ask for it."""
    told = person.profile.properties if person.profile else {}
    return {"profiles": [{name: told.get(name) for name in ("languages", "formats")}]}


def _profile_with(person: Participant, told: Mapping[str, object], now: datetime) -> list[Record]:
    """A profile in which something is told otherwise, and the end of the one before."""
    if person.profile is None:
        return []
    held = person.profile.properties
    kept = {each: value for each, value in held.items() if each not in ("uid", "source", "since", "until")}
    row = {**kept, **told, "person_id": person.person.uid, "since": now}
    return [ended(person.profile, now), *facts_of("profiles", row, SOURCE)]


def _told(person: Participant, name: str) -> list[str]:
    """A list of somebody's profile."""
    return _list(person.profile.properties, name) if person.profile else []


def _list(properties: Mapping[str, object], name: str) -> list[str]:
    value = properties.get(name)
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def records_of(changes: Sequence[Change]) -> list[Record]:
    """The facts that some changes write together; one that two of them write has what each adds to it."""
    found: dict[str, Record] = {}
    for record in (record for each in changes for record in each.records):
        if before := found.get(record.uid):
            own = record.properties
            lists = {
                name: list(dict.fromkeys([*value, *_list(own, name)]))
                for name, value in before.properties.items()
                if isinstance(value, list)
            }
            numbers = {
                name: max(value, own[name])
                for name, value in before.properties.items()
                if isinstance(value, int | float) and isinstance(own.get(name), int | float)
            }
            record = replace(record, properties={**before.properties, **own, **lists, **numbers})
        found[record.uid] = record
    return list(found.values())


def _window(record: Record) -> tuple[Any, ...]:
    return tuple(record.properties[name] for name in ("weekday", "start", "end", "zone"))


def _offers(columns: Columns, asked: Question, pair: Pair) -> Iterator[Change]:
    held = {each.links["skill"]: each for each in pair.mentor.holding("offers")}
    for wish in asked.wishes[:MOST_SKILLS]:
        skill = columns.skills.uids[wish.skill]
        old = held.get(skill)
        level = math.ceil(wish.level)
        if old is None or _level(old) < level:
            records = [*([ended(old, pair.now)] if old else []), *_skill(pair.mentor, skill, "offers", level, pair.now)]
            yield _change("offer_skill", {MENTOR}, records, skill=_name(columns, wish.skill), level=level)


def _better_offer(columns: Columns, pair: Pair) -> Iterator[Change]:
    """A skill that the mentor offers already, at the level that the tier asks for."""
    offers = sorted(pair.mentor.holding("offers"), key=lambda each: (-_level(each), each.uid))
    if "LEVEL_TOO_LOW" not in pair.lacks or pair.tier is None or pair.tier.least_level is None:
        return
    for best in offers[:1]:
        skill, level = best.links["skill"], pair.tier.least_level
        records = [ended(best, pair.now), *_skill(pair.mentor, skill, "offers", level, pair.now)]
        named = _name(columns, columns.skills.find(skill))
        yield _change("offer_skill", {MENTOR}, records, "NOT_IN_TIER", skill=named, level=level)


def _wants(columns: Columns, asked: Question, pair: Pair) -> Iterator[Change]:
    wished = {columns.skills.uids[wish.skill] for wish in asked.wishes}
    offered = [each for each in pair.mentor.holding("offers") if each.links["skill"] not in wished]
    for each in sorted(offered, key=lambda each: (-_level(each), each.uid))[:MOST_SKILLS]:
        skill = each.links["skill"]
        level, name = int(_level(each)) or None, _name(columns, columns.skills.find(skill))
        yield _change("want_skill", {MENTEE}, _skill(pair.mentee, skill, "wants", level, pair.now), skill=name)


def _skill(person: Participant, skill: str, stance: str, level: int | None, now: datetime) -> list[Record]:
    row: Mapping[str, object] = {"person_id": person.person.uid, "skill_id": skill, "stance": stance, "since": now}
    return facts_of("person_skills", {**row, **({"level": level} if level else {})}, SOURCE)


def _level(record: Record) -> float:
    level = record.properties.get("level")
    return float(level) if isinstance(level, int | float) else 0.0


def _name(columns: Columns, skill: int) -> str:
    return str(columns.tables["skills"].strings("name")[skill])


def _change(action: str, by: set[str], records: Sequence[Record], *lifts: str, **values: object) -> Change:
    return Change(action, frozenset(by), tuple(values.items()), tuple(records), frozenset(lifts))
