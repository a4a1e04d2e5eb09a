"""Who reports to whom, as spreadsheets tell it: cells become people, and nobody comes to stand above themselves."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

from mentorgraph.graph.exchange.spreadsheets.cells import folded
from mentorgraph.graph.exchange.spreadsheets.people import Reading, Told
from mentorgraph.graph.facts.model import Problem, Record, uid_of
from mentorgraph.graph.store.store import Store

Lines = dict[str, set[str]]
"""uid of a person → uids of those to whom they report."""


async def supervisors_of(
    store: Store, reading: Reading, source: str, known: Mapping[str, Sequence[Record]], *, roster: bool = False
) -> dict[str, str]:
    """Whom the people of some spreadsheets report to: key of the person → uid of the supervisor.

    A supervisor who is nobody known is left out with a warning, since lists often hold those only who take part. A row
    by which somebody would report to themselves, over others or not, is refused.

    Args:
        store: The graph, which is only read.
        reading: What they tell; refusals and warnings are added to it.
        source: The system that the keys belong to.
        known: What the graph holds of the people of the files, by uid.
        roster: Whether the files tell everything, so that lines of whom they tell no supervisor have ended.
    """
    named = await _named(store, reading, source)
    if not named:
        return {}
    uids = {key: uid_of(source, "people", key) for key in (reading.people if roster else named)}
    lines = await _lines(store, {*uids.values(), *named.values()}, known, set(uids.values()), source)
    for key, supervisor in named.items():
        lines[uids[key]].add(supervisor)
    found = {}
    for key, supervisor in named.items():
        if _reaches(lines, supervisor, uids[key]):
            _refuse(reading, reading.people[key], is_self=supervisor == uids[key])
        else:
            found[key] = supervisor
    return found


async def _named(store: Store, reading: Reading, source: str) -> dict[str, str]:
    """Key of a person → uid of whom the cell names: one of the files, or one whom the graph knows by that key."""
    called: dict[str, set[str]] = defaultdict(set)
    for key, person in reading.people.items():
        for name in {folded(key), folded(person.name)} - {""}:
            called[name].add(key)
    found, unknown = {}, {}
    for key, person in reading.people.items():
        if person.supervisor is None:
            continue
        _, cell, place = person.supervisor
        same = called[folded(cell)]
        if len(same) == 1:
            found[key] = uid_of(source, "people", next(iter(same)))
        elif same:
            reading.warn(place, f"reports to {cell!r}, which is several people; that was not recorded")
        else:
            unknown[key] = [uid_of(source, "people", each) for each in dict.fromkeys((cell, cell.lower()))]
    existing = await store.find_existing({uid for uids in unknown.values() for uid in uids}) if unknown else {}
    for key, uids in unknown.items():
        if there := [uid for uid in uids if existing.get(uid) == "Person"]:
            found[key] = there[0]
        elif told := reading.people[key].supervisor:
            _, cell, place = told
            reading.warn(
                place, f"reports to {cell!r}, who is nobody of these files or of before; that was not recorded"
            )
    return found


async def _lines(
    store: Store, people: Iterable[str], known: Mapping[str, Sequence[Record]], told: Set[str], source: str
) -> Lines:
    """The open reporting lines upward from some people, but for those that the files replace.

    Args:
        store: The graph.
        people: Where to begin.
        known: What was read of some of them.
        told: Of whom the files tell a supervisor.
        source: The system whose lines they replace.
    """
    lines: Lines = defaultdict(set)
    facts, seen, waiting = dict(known), set[str](), set(people)
    while waiting:
        if unread := sorted(waiting - facts.keys()):
            facts |= await store.read_facts_of_people(unread)
        seen |= waiting
        for uid in waiting:
            for each in facts.get(uid, ()):
                is_replaced = uid in told and each.properties["source"] == source
                if each.kind == "reporting_lines" and "until" not in each.properties and not is_replaced:
                    lines[uid].add(each.links["manager"])
        waiting = {manager for uid in waiting for manager in lines[uid]} - seen
    return lines


def _reaches(lines: Lines, start: str, wanted: str) -> bool:
    """Whether a person stands at or above another one."""
    seen, waiting = set[str](), [start]
    while waiting:
        person = waiting.pop()
        if person == wanted:
            return True
        if person not in seen:
            seen.add(person)
            waiting += lines[person]
    return False


def _refuse(reading: Reading, person: Told, *, is_self: bool) -> None:
    if person.supervisor is None:
        return
    heading, cell, place = person.supervisor
    if is_self:
        problem = Problem(
            heading, cell[:120], "is the person themself", "name their supervisor, or leave the cell empty"
        )
    else:
        reason = "reports to this person, too, directly or over others"
        problem = Problem(heading, cell[:120], reason, "correct the supervisor of one of them")
    reading.refused.setdefault(place, []).append(problem)
