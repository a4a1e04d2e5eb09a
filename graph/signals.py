"""The named signals of a ranking: for one question, a value for everybody, and the evidence behind anybody's value.

Every signal is computed for all people at once from columns in memory. `explain` gives, for one person, the items that
the value is made of, each with its *drop*: by how much the value falls when the item's edge to that person is taken
away and everything else stays. Values, drops and the paths shown are thus one and the same thing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mentorgraph.graph import availability, text
from mentorgraph.graph.columns import NONE, Columns, Mask, Numbers, Reals
from mentorgraph.graph.model import KINDS, OPEN_STATES, link_uid
from mentorgraph.graph.policy import SignalSettings

YEAR_S = 365.25 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Wish:
    """A skill that the asking goal needs or the mentee wants.

    Attributes:
        skill: Number of the skill.
        level: Proficiency that is asked for, 1 to 5.
        edge: uid of the relationship that says so.
        metapath: `goal_needs` or `mentee_wants`.
    """

    skill: int
    level: float
    edge: str
    metapath: str


@dataclass(frozen=True, slots=True)
class Question:
    """For whom and for what a mentor is sought.

    Attributes:
        mentee: Number of the person who asks.
        goal: Number of the goal, or `NONE`.
        now: The instant as of which facts count.
        wishes: The skills asked for, one entry a skill.
        units: Numbers of the organisation units asked about.
    """

    mentee: int
    goal: int
    now: datetime
    wishes: tuple[Wish, ...]
    units: frozenset[int]

    @property
    def seconds(self) -> float:
        """The instant in seconds since 1970."""
        return self.now.timestamp()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One item that a signal's value is made of.

    Attributes:
        metapath: Which kind of path it is; names the branch of `read_paths.cypher` that finds it.
        edges: uids of the relationships along the path, in order.
        nodes: uids of nodes that no edge leads to, such as a past goal that is alike in its words alone.
        drop: By how much the signal's value falls without the item.
        strength: How strong the likeness is, 0 to 1, for the sentence.
        count: Number of alike facts that the item stands for.
    """

    metapath: str
    edges: tuple[str, ...]
    drop: float
    nodes: tuple[str, ...] = ()
    strength: float = 1.0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal for one question.

    Attributes:
        name: One of `policy.SIGNALS`.
        unit: What a value of 1 means.
        values: `float64[people]`; NaN where nothing is known, which contributes nothing.
        explain: Number of a person → the evidence behind their value, strongest first.
    """

    name: str
    unit: str
    values: Reals
    explain: Callable[[int], list[Evidence]]


def question(columns: Columns, mentee: int, goal: int, now: datetime, settings: SignalSettings) -> Question:
    """Gathers what a mentee, and the goal if there is one, ask for."""
    seconds = now.timestamp()
    wishes: dict[int, Wish] = {}
    for kind, link, number, metapath in (
        ("goal_skills", "goal", goal, "goal_needs"),
        ("wants", "person", mentee, "mentee_wants"),
    ):
        table = columns.tables[kind]
        rows = np.flatnonzero(table.valid(seconds) & (table.numbers(link) == number)) if number != NONE else ()
        for row in rows:
            level = table.reals("level")[row]
            wish = Wish(
                int(table.numbers("skill")[row]),
                settings.level_unknown if np.isnan(level) else float(level),
                table.rows.uids[row],
                metapath,
            )
            wishes.setdefault(wish.skill, wish)
    units: set[int] = set()
    goals = columns.tables["goals"]
    if goal != NONE and goals.numbers("unit")[goal] != NONE:
        units.add(int(goals.numbers("unit")[goal]))
    else:
        members = columns.tables["unit_membership"]
        units.update(map(int, members.numbers("unit")[members.valid(seconds) & (members.numbers("person") == mentee)]))
    ordered = sorted(wishes.values(), key=lambda wish: columns.skills.uids[wish.skill])
    return Question(mentee, goal, now, tuple(ordered), frozenset(units))


def all_signals(columns: Columns, asked: Question, settings: SignalSettings) -> tuple[Signal, ...]:
    """Every signal for one question, in the order of `policy.SIGNALS`."""
    past = PastPairings.of(columns, asked)
    return (
        skills(columns, asked, settings),
        goal_text(columns, asked, past),
        similar_goals(columns, asked, settings, past),
        unit(columns, asked, settings, past),
        time_overlap(columns, asked, settings),
        sessions(columns, asked, settings, past),
        load(columns, asked, past),
    )


@dataclass(frozen=True, slots=True)
class PastPairings:
    """Pairings that had begun by the time of the question, other than those of the asking goal.

    Attributes:
        rows: Row in the table of pairings, ascending: `int64[n]`, as all the others.
        mentor: Number of the mentor.
        goal: Number of the goal, or `NONE`.
        unit: Number of the unit, or `NONE`.
        outcome: Outcome where it was known by then, else NaN.
        years: Age: years since it began.
        open: Whether it takes up one of the mentor's places.
    """

    rows: Numbers
    mentor: Numbers
    goal: Numbers
    unit: Numbers
    outcome: Reals
    years: Reals
    open: Mask

    @classmethod
    def of(cls, columns: Columns, asked: Question) -> "PastPairings":
        """Those that a question may look at."""
        table = columns.tables["pairings"]
        goal = table.numbers("goal")
        rows = np.flatnonzero(table.begun(asked.seconds) & ((goal == NONE) | (goal != asked.goal)))
        ended = table.reals("until")[rows]
        known = ended <= asked.seconds
        states = table.strings("status")
        # A pairing that has ended since was open then, whatever its state is now.
        open_then = np.array(
            [
                not done and (end < np.inf or states[row] in OPEN_STATES)
                for row, end, done in zip(rows, ended, known, strict=True)
            ],
            dtype=bool,
        )
        return cls(
            rows,
            table.numbers("mentor")[rows],
            goal[rows],
            table.numbers("unit")[rows],
            np.where(known, table.reals("outcome")[rows], np.nan),
            (asked.seconds - table.reals("since")[rows]) / YEAR_S,
            open_then,
        )

    def of_mentor(self, mentor: int) -> NDArray[np.int64]:
        """Positions of one mentor's pairings: `int64[m]`."""
        return np.flatnonzero(self.mentor == mentor)


# --- skills ---------------------------------------------------------------------------------------------------------


def skills(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """How well the offered skills cover the wished ones: the mean credit over all wishes, 0 to 1.

    A skill earns full credit, one that is a `BROADER` step away part of it, each times min(1, offered / wished level).
    """
    table = columns.tables["offers"]
    valid = table.valid(asked.seconds)
    offered, person = table.numbers("skill"), table.numbers("person")
    levels = np.nan_to_num(table.reals("level"), nan=settings.level_unknown)
    by_skill = columns.remember("offers by skill", table.version, lambda: _grouped(offered, len(columns.skills)))
    total = np.zeros(len(columns.people))
    for wish in asked.wishes:
        best = np.zeros(len(columns.people))
        for skill, credit, _ in _accepted(columns, asked, wish, settings):
            rows = by_skill[skill] if skill < len(by_skill) else np.zeros(0, np.int64)
            rows = rows[valid[rows]]
            np.maximum.at(best, person[rows], credit * np.minimum(1, levels[rows] / wish.level))
        total += best
    wishes = max(1, len(asked.wishes))

    def explain(mentor: int) -> list[Evidence]:
        rows = np.flatnonzero(valid & (person == mentor))
        found = []
        for wish in asked.wishes:
            paths = {skill: (credit, edges) for skill, credit, edges in _accepted(columns, asked, wish, settings)}
            credits = [
                (paths[int(offered[row])][0] * min(1.0, levels[row] / wish.level), int(row))
                for row in rows
                if int(offered[row]) in paths
            ]
            credits.sort(key=lambda each: (-each[0], table.rows.uids[each[1]]))
            for place, (credit, row) in enumerate(credits[:2]):
                runner_up = credits[1][0] if len(credits) > 1 else 0.0
                between = paths[int(offered[row])][1]
                found.append(
                    Evidence(
                        f"{wish.metapath}_{('skill', 'near_skill', 'sibling_skill')[len(between)]}",
                        (wish.edge, *between, table.rows.uids[row]),
                        (credit - runner_up) / wishes if place == 0 else 0.0,
                        strength=float(credit),
                    )
                )
        return _strongest_first(found)

    return Signal("skills", "share of the wished skills", total / wishes, explain)


def _accepted(
    columns: Columns, asked: Question, wish: Wish, settings: SignalSettings
) -> list[tuple[int, float, tuple[str, ...]]]:
    """Skills that earn credit for a wish: number, credit, uids of the edges between."""
    credit = {1: settings.one_step_credit, 2: settings.two_steps_credit}
    near = columns.related_skills(asked.seconds).get(wish.skill, [])
    return [(wish.skill, 1.0, ())] + [(skill, credit[steps], tuple(edges.split())) for skill, steps, edges in near]


def _grouped(values: Numbers, groups: int) -> list[Numbers]:
    """Rows by value: the i-th entry holds the rows whose value is i."""
    order = np.argsort(values, kind="stable")
    return np.split(order, np.searchsorted(values[order], np.arange(1, groups)))


# --- goals ----------------------------------------------------------------------------------------------------------


def goal_text(columns: Columns, asked: Question, past: PastPairings) -> Signal:
    """Likeness of the goal's words to the closest goal that the mentor has helped with: cosine of TF-IDF, 0 to 1."""
    values = np.zeros(len(columns.people))
    cosine = np.zeros(len(columns.tables["goals"]))
    if asked.goal != NONE:
        cosine = text.similarities(columns.text_vectors(asked.seconds), asked.goal)
    with_goal = past.goal != NONE
    np.maximum.at(values, past.mentor[with_goal], cosine[past.goal[with_goal]])

    def explain(mentor: int) -> list[Evidence]:
        places = [int(place) for place in past.of_mentor(mentor) if past.goal[place] != NONE]
        likeness: dict[int, float] = {}
        for place in places:
            likeness[place] = float(cosine[past.goal[place]])
        best = sorted(likeness, key=lambda place: (-likeness[place], _pairing_uid(columns, past, place)))
        found = []
        for rank, place in enumerate(best[:2]):
            if likeness[place] <= 0:
                break
            runner_up = likeness[best[1]] if len(best) > 1 else 0.0
            found.append(
                Evidence(
                    "similar_text",
                    _pairing_links(columns, past, place, "goal", "mentor"),
                    likeness[place] - runner_up if rank == 0 else 0.0,
                    nodes=(columns.goals.uids[asked.goal], columns.goals.uids[past.goal[place]]),
                    strength=likeness[place],
                )
            )
        return found

    return Signal("goal_text", "cosine of the words", values, explain)


def similar_goals(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Success with goals that need the same skills, 0 to 1.

    1 − Π (1 − m) over past pairings, m = cosine of the IDF-weighted needs × outcome × ½^(age / half-life).
    """
    needs = columns.tables["goal_skills"]
    begun = needs.begun(asked.seconds)
    shape = (len(columns.tables["goals"]), len(columns.skills))
    matrix, idf = columns.remember(
        "needs",
        (needs.version, int(begun.sum()), shape),
        lambda: _needs(needs.numbers("goal"), needs.numbers("skill"), begun, shape),
    )
    query = np.zeros(shape[1])
    for wish in asked.wishes:
        query[wish.skill] = idf[wish.skill]
    length = np.linalg.norm(query)
    cosine = np.clip(matrix @ (query / length), 0, 1) if length else np.zeros(shape[0])
    outcome = np.where(np.isnan(past.outcome), settings.outcome_unknown, past.outcome)
    decay = 0.5 ** (past.years / settings.half_life_years)
    with_goal = past.goal != NONE
    mass = (
        np.where(with_goal, cosine[np.where(with_goal, past.goal, 0)] * outcome * decay, 0.0)
        if shape[0]
        else past.years * 0
    )
    mass = np.minimum(mass, 1 - 1e-9)
    missing = np.bincount(past.mentor, np.log1p(-mass), minlength=len(columns.people))

    def explain(mentor: int) -> list[Evidence]:
        found = []
        value = -np.expm1(missing[mentor])
        for place in past.of_mentor(mentor):
            if mass[place] <= 0:
                continue
            without = -np.expm1(missing[mentor] - np.log1p(-mass[place]))
            wish, need = _shared_need(
                columns, asked, idf, needs.numbers("goal"), needs.numbers("skill"), begun, int(past.goal[place])
            )
            found.append(
                Evidence(
                    f"{wish.metapath}_similar_goal",
                    (wish.edge, needs.rows.uids[need], *_pairing_links(columns, past, int(place), "goal", "mentor")),
                    float(value - without),
                    strength=float(cosine[past.goal[place]]),
                )
            )
        return _strongest_first(found)

    return Signal("similar_goals", "success with like goals", -np.expm1(missing), explain)


def _needs(goal: Numbers, skill: Numbers, begun: Mask, shape: tuple[int, int]) -> tuple[sparse.csr_array, Reals]:
    """Needs of all goals as IDF-weighted rows of length 1, and the IDF of each skill."""
    ones = np.ones(int(begun.sum()))
    matrix = sparse.csr_array((ones, (goal[begun], skill[begun])), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    frequency = np.bincount(matrix.indices, minlength=shape[1])
    with_needs = int((np.diff(matrix.indptr) > 0).sum())
    idf = np.log((1 + with_needs) / (1 + frequency)) + 1
    matrix.data = idf[matrix.indices]
    row = np.repeat(np.arange(shape[0]), np.diff(matrix.indptr))
    matrix.data /= np.sqrt(np.bincount(row, matrix.data**2, minlength=shape[0]))[row]
    return matrix, idf


def _shared_need(
    columns: Columns, asked: Question, idf: Reals, goal: Numbers, skill: Numbers, begun: Mask, other: int
) -> tuple[Wish, int]:
    """The rarest wish that another goal needs too, and the row that says so."""
    rows = {int(skill[row]): int(row) for row in np.flatnonzero(begun & (goal == other))}
    shared = [wish for wish in asked.wishes if wish.skill in rows]
    wish = max(shared, key=lambda each: (idf[each.skill], columns.skills.uids[each.skill]))
    return wish, rows[wish.skill]


# --- unit, time, sessions, load -------------------------------------------------------------------------------------


def unit(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Whether the mentor belongs to the unit asked about (1) or has mentored there (½^(age / half-life))."""
    members = columns.tables["unit_membership"]
    asked_units = np.array(sorted(asked.units), np.int64)
    member_rows = np.flatnonzero(members.valid(asked.seconds) & np.isin(members.numbers("unit"), asked_units))
    decay = np.where(np.isin(past.unit, asked_units), 0.5 ** (past.years / settings.half_life_years), 0.0)
    values = np.zeros(len(columns.people))
    np.maximum.at(values, past.mentor, decay)
    values[members.numbers("person")[member_rows]] = 1.0

    def explain(mentor: int) -> list[Evidence]:
        start = _asking_edge(columns, asked, mentor_unit=None)
        found = [
            (1.0, "member", (members.rows.uids[row],), int(members.numbers("unit")[row]))
            for row in member_rows
            if members.numbers("person")[row] == mentor
        ] + [
            (
                float(decay[place]),
                "mentored",
                _pairing_links(columns, past, int(place), "unit", "mentor"),
                int(past.unit[place]),
            )
            for place in past.of_mentor(mentor)
            if decay[place] > 0
        ]
        found.sort(key=lambda each: (-each[0], each[2]))
        evidence = []
        for rank, (strength, how, edges, number) in enumerate(found[:2]):
            whose, edge = start[number]
            runner_up = found[1][0] if len(found) > 1 else 0.0
            drop = strength - runner_up if rank == 0 else 0.0
            evidence.append(Evidence(f"{whose}_unit_{how}", (edge, *edges), drop, strength=strength))
        return evidence

    return Signal("unit", "same unit", values, explain)


def _asking_edge(columns: Columns, asked: Question, mentor_unit: None) -> dict[int, tuple[str, str]]:
    """Unit → whether goal or mentee leads to it, and the uid of the edge."""
    if asked.goal != NONE and columns.tables["goals"].numbers("unit")[asked.goal] in asked.units:
        [number] = asked.units
        link = next(each for each in KINDS["goals"].links if each.name == "unit")
        units = columns.numberings["units"].uids
        return {number: ("goal", link_uid(columns.goals.uids[asked.goal], link, units[number]))}
    members = columns.tables["unit_membership"]
    rows = np.flatnonzero(members.valid(asked.seconds) & (members.numbers("person") == asked.mentee))
    return {int(members.numbers("unit")[row]): ("mentee", members.rows.uids[row]) for row in rows}


def time_overlap(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """Hours of this week in which both are free, up to what is enough; unknown where either has not said."""
    free, stated = columns.free_slots(asked.now)
    values = np.full(len(columns.people), np.nan)
    if stated[asked.mentee]:
        hours = availability.shared_minutes(free[asked.mentee], free) / 60
        values = np.where(stated, np.minimum(hours, settings.overlap_enough_hours), np.nan)
    return Signal(
        "time_overlap", f"hours a week, {settings.overlap_enough_hours:g} are enough", values, lambda _mentor: []
    )


def sessions(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Experience: sessions held as a mentor, up to what is enough, 0 to 1."""
    table = columns.tables["sessions"]
    begun = table.begun(asked.seconds)
    held = np.bincount(table.numbers("pairing")[begun], minlength=len(columns.tables["pairings"]))[past.rows]
    total = np.bincount(past.mentor, held, minlength=len(columns.people))
    values = np.minimum(total, settings.sessions_enough) / settings.sessions_enough

    def explain(mentor: int) -> list[Evidence]:
        found = []
        for place in past.of_mentor(mentor):
            if held[place]:
                rows = np.flatnonzero(begun & (table.numbers("pairing") == past.rows[place]))
                last = max(rows, key=lambda row: (table.reals("since")[row], table.rows.uids[row]))
                part_of = link_uid(
                    table.rows.uids[last], KINDS["sessions"].links[0], _pairing_uid(columns, past, int(place))
                )
                without = min(total[mentor] - held[place], settings.sessions_enough) / settings.sessions_enough
                found.append(
                    Evidence(
                        "sessions_held",
                        (part_of, *_pairing_links(columns, past, int(place), "mentor")),
                        float(values[mentor] - without),
                        count=int(held[place]),
                    )
                )
        return _strongest_first(found)

    return Signal("sessions", f"{settings.sessions_enough:g} sessions held", values, explain)


def load(columns: Columns, asked: Question, past: PastPairings, places: float = 3.0) -> Signal:
    """Share of the mentor's places that is taken by open pairings, 0 to 1."""
    roles = columns.tables["roles"]
    capacity = np.full(len(columns.people), np.nan)
    rows = np.flatnonzero(roles.valid(asked.seconds) & ~np.isnan(roles.reals("max_mentees")))
    capacity[roles.numbers("person")[rows]] = roles.reals("max_mentees")[rows]
    taken = np.bincount(past.mentor[past.open], minlength=len(columns.people))
    values = np.minimum(1.0, taken / np.maximum(1.0, np.nan_to_num(capacity, nan=places)))
    return Signal("load", "share of places taken", values, lambda _mentor: [])


def _pairing_uid(columns: Columns, past: PastPairings, place: int) -> str:
    return columns.numberings["pairings"].uids[past.rows[place]]


def _pairing_links(columns: Columns, past: PastPairings, place: int, *names: str) -> tuple[str, ...]:
    """Uids of the relationships that carry some links of a pairing."""
    uid = _pairing_uid(columns, past, place)
    targets = {
        "mentor": ("people", past.mentor),
        "goal": ("goals", past.goal),
        "unit": ("units", past.unit),
    }
    links = {link.name: link for link in KINDS["pairings"].links}
    return tuple(
        link_uid(uid, links[name], columns.numberings[targets[name][0]].uids[targets[name][1][place]]) for name in names
    )


def _strongest_first(found: Sequence[Evidence]) -> list[Evidence]:
    return sorted(found, key=lambda each: (-each.drop, -each.strength, each.edges))
