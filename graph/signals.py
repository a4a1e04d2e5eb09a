"""The named signals of a ranking: for one question, a value for everybody, and the evidence behind anybody's value.

Every signal is computed for all people at once from columns in memory. `explain` gives, for one person, the items that
the value is made of, each with its *drop*: by how much the value falls when the item's edge to that person is taken
away and everything else stays. Values, drops and the paths shown are thus one and the same thing.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mentorgraph.graph import availability, text
from mentorgraph.graph.columns import NONE, Columns, Mask, Numbers, Reals, Table
from mentorgraph.graph.kinds import KINDS
from mentorgraph.graph.model import link_uid
from mentorgraph.graph.policy import Policy, SignalSettings
from mentorgraph.graph.proficiency import offer_levels
from mentorgraph.graph.question import Edge, PastPairings, Question, Wish, open_pairings


@dataclass(frozen=True, slots=True)
class Evidence:
    """One item that a signal's value is made of.

    Attributes:
        metapath: Which kind of path it is.
        edges: The relationships along the path, in order.
        start: uid of a first node without an edge: the goal that the next one is alike to in its words alone.
        drop: By how much the signal's value falls without the item.
        strength: How strong the likeness is, 0 to 1, for the sentence.
        count: Number of alike facts that the item stands for.
    """

    metapath: str
    edges: tuple[Edge, ...]
    drop: float
    start: str = ""
    strength: float = 1.0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal for one question.

    Attributes:
        name: One of `policy.SIGNALS`.
        unit: What a value of 1 means.
        values: `float64[people]`; NaN where nothing is known, which contributes nothing.
        explain: Number of a person → the evidence behind their value, strongest first; no edge to that person twice.
    """

    name: str
    unit: str
    values: Reals
    explain: Callable[[int], list[Evidence]]


def all_signals(columns: Columns, asked: Question, policy: Policy) -> tuple[Signal, ...]:
    """Every signal for one question, in the order of `policy.SIGNALS`."""
    past = PastPairings.of(columns, asked)
    settings = policy.signals
    return (
        skills(columns, asked, settings),
        goal_text(columns, asked, past),
        similar_goals(columns, asked, settings, past),
        unit(columns, asked, settings, past),
        time_overlap(columns, asked, settings),
        sessions(columns, asked, settings, past),
        load(columns, asked, policy.rules.max_mentees),
    )


# --- skills ---------------------------------------------------------------------------------------------------------


def skills(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """How well the offered skills cover the wished ones: the mean credit over all wishes, 0 to 1.

    A skill earns full credit, one that is a `BROADER` step away part of it, each times min(1, offered / wished level).
    """
    table = columns.tables["offers"]
    valid, uids = table.valid(asked.seconds), table.rows.uids
    offered, person = columns.skills_of("offers", "skill", asked.seconds), table.numbers("person")
    levels = np.nan_to_num(offer_levels(columns, asked.seconds), nan=settings.level_unknown)
    by_skill, by_person = columns.rows_by_skill("offers", asked.seconds), columns.rows_by("offers", "person")
    accepted = [(wish, _accepted(columns, asked, wish, settings)) for wish in asked.wishes]
    total = np.zeros(len(columns.people))
    for wish, credits in accepted:
        best = np.zeros(len(columns.people))
        for skill, (credit, _) in credits.items():
            rows = by_skill.of(skill)
            rows = rows[valid[rows]]
            np.maximum.at(best, person[rows], credit * np.minimum(1, levels[rows] / wish.level))
        total += best
    wishes = max(1, len(asked.wishes))

    def explain(mentor: int) -> list[Evidence]:
        rows = [int(row) for row in by_person.of(mentor) if valid[row]]
        drops: dict[int, float] = defaultdict(float)
        served: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
        for place, (wish, paths) in enumerate(accepted):
            credits = [
                (paths[int(offered[row])][0] * min(1.0, levels[row] / wish.level), row)
                for row in rows
                if int(offered[row]) in paths
            ]
            credits.sort(key=lambda each: (-each[0], uids[each[1]]))
            for rank, (credit, row) in enumerate(credits):
                lead = _lead(rank, [each[0] for each in credits])
                drops[row] += lead / wishes
                served[row].append((lead, float(credit), place))
        found = []
        for row, leads in served.items():
            # One offer may serve several wishes; it is told for the one that would miss it most.
            _, credit, place = min(leads, key=lambda each: (-each[0], -each[1], each[2]))
            wish, paths = accepted[place]
            between = paths[int(offered[row])][1]
            name = ("skill", "near_skill", "sibling_skill")[sum(edge.type == "BROADER" for edge in between)]
            edges = _direct((*wish.edges, *between, *_back(columns, asked, table, row), Edge("OFFERS", uids[row])))
            found.append(Evidence(f"{wish.metapath}_{name}", edges, drops[row], strength=credit))
        return _strongest_first(found)

    return Signal("skills", "share of the wished skills", total / wishes, explain)


def _accepted(
    columns: Columns, asked: Question, wish: Wish, settings: SignalSettings
) -> dict[int, tuple[float, tuple[Edge, ...]]]:
    """Skills that earn credit for a wish: number → credit, the edges between."""
    credit = {1: settings.one_step_credit, 2: settings.two_steps_credit}
    accepted: dict[int, tuple[float, tuple[Edge, ...]]] = {wish.skill: (1.0, ())}
    for skill, steps, way in columns.related_skills(asked.seconds).get(wish.skill, []):
        accepted[skill] = (credit[steps], tuple(Edge(*each) for each in way))
    return accepted


def _back(columns: Columns, asked: Question, table: Table, row: int) -> tuple[Edge, ...]:
    """The edges from the skill that a fact counts for back to the one that it names; none where they are the same."""
    way = columns.merges(asked.seconds).steps.get(int(table.numbers("skill")[row]), ())
    return tuple(Edge(*each) for each in reversed(way))


def _direct(edges: Sequence[Edge]) -> tuple[Edge, ...]:
    """A path without the steps that it takes there and back again at once."""
    found: list[Edge] = []
    for edge in edges:
        if found and found[-1] == edge:
            found.pop()
        else:
            found.append(edge)
    return tuple(found)


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
        alike = [(float(cosine[past.goal[place]]), place) for place in places if cosine[past.goal[place]] > 0]
        alike.sort(key=lambda each: (-each[0], _pairing_uid(columns, past, each[1])))
        return [
            Evidence(
                "similar_text",
                _pairing_links(columns, past, place, "goal", "mentor"),
                _lead(rank, [each[0] for each in alike]),
                start=columns.goals.uids[asked.goal],
                strength=likeness,
            )
            for rank, (likeness, place) in enumerate(alike)
        ]

    return Signal("goal_text", "cosine of the words", values, explain)


def similar_goals(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Success with goals that need the same skills, 0 to 1.

    1 − Π (1 − m) over past pairings, m = cosine of the IDF-weighted needs × outcome × ½^(age / half-life).
    """
    needs = columns.tables["goal_skills"]
    held = _needs_held(columns, asked.seconds)
    goal, uids = needs.numbers("goal"), needs.rows.uids
    skill = columns.skills_of("goal_skills", "skill", asked.seconds)
    shape = (len(columns.tables["goals"]), len(columns.skills))
    merges = columns.tables["successions"].state(asked.seconds)
    key = (needs.state(asked.seconds), columns.tables["goals"].version, merges, shape)
    matrix, idf = columns.remember("needs", key, lambda: _needs(goal, skill, held, shape))
    by_goal = columns.rows_by("goal_skills", "goal")
    query = np.zeros(shape[1])
    for wish in asked.wishes:
        query[wish.skill] = idf[wish.skill]
    length = np.linalg.norm(query)
    cosine = np.clip(matrix @ (query / length), 0, 1) if length else np.zeros(shape[0])
    outcome = np.where(np.isnan(past.outcome), settings.outcome_unknown, past.outcome)
    decay = 0.5 ** (past.years / settings.half_life_years)
    mass = np.zeros(len(past.rows))
    with_goal = past.goal != NONE
    mass[with_goal] = cosine[past.goal[with_goal]] * outcome[with_goal] * decay[with_goal]
    mass = np.minimum(mass, 1 - 1e-9)
    missing = np.bincount(past.mentor, np.log1p(-mass), minlength=len(columns.people))

    def shared_need(other: int) -> tuple[Wish, tuple[Edge, ...]]:
        """The rarest wish that another goal needs too, and the edges that lead there from its skill."""
        rows = {int(skill[row]): int(row) for row in by_goal.of(other) if held[row]}
        shared = [wish for wish in asked.wishes if wish.skill in rows]
        wish = max(shared, key=lambda each: (idf[each.skill], columns.skills.uids[each.skill]))
        row = rows[wish.skill]
        return wish, (*_back(columns, asked, needs, row), Edge("NEEDS", uids[row]))

    def explain(mentor: int) -> list[Evidence]:
        found = []
        for place in past.of_mentor(mentor):
            if mass[place] > 0:
                without = -np.expm1(missing[mentor] - np.log1p(-mass[place]))
                wish, need = shared_need(int(past.goal[place]))
                found.append(
                    Evidence(
                        f"{wish.metapath}_similar_goal",
                        _direct((*wish.edges, *need, *_pairing_links(columns, past, int(place), "goal", "mentor"))),
                        float(-np.expm1(missing[mentor]) - without),
                        strength=float(cosine[past.goal[place]]),
                    )
                )
        return _strongest_first(found)

    return Signal("similar_goals", "success with like goals", -np.expm1(missing) + 0.0, explain)


def _needs_held(columns: Columns, now: float) -> Mask:
    """Needs that hold, or that held when their goal was closed: what a past goal was about stays what it was."""
    needs = columns.tables["goal_skills"]
    closed = columns.tables["goals"].reals("until")
    if not len(closed):
        return needs.valid(now)
    held: Mask = needs.begun(now) & (
        (needs.reals("until") >= now) | (needs.reals("until") >= closed[needs.numbers("goal")])
    )
    return held


def _needs(goal: Numbers, skill: Numbers, held: Mask, shape: tuple[int, int]) -> tuple[sparse.csr_array, Reals]:
    """Needs of all goals as IDF-weighted rows of length 1, and the IDF of each skill."""
    ones = np.ones(int(held.sum()))
    matrix = sparse.csr_array((ones, (goal[held], skill[held])), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    frequency = np.bincount(matrix.indices, minlength=shape[1])
    with_needs = int((np.diff(matrix.indptr) > 0).sum())
    idf = np.log((1 + with_needs) / (1 + frequency)) + 1
    matrix.data = idf[matrix.indices]
    row = np.repeat(np.arange(shape[0]), np.diff(matrix.indptr))
    matrix.data /= np.sqrt(np.bincount(row, matrix.data**2, minlength=shape[0]))[row]
    return matrix, idf


# --- unit, time, sessions, load -------------------------------------------------------------------------------------


def unit(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Whether the mentor belongs to the unit asked about (1) or has mentored there (½^(age / half-life))."""
    members = columns.tables["unit_membership"]
    units, people, uids = members.numbers("unit"), members.numbers("person"), members.rows.uids
    asked_units = np.array(sorted(asked.units), np.int64)
    member_rows = np.flatnonzero(members.valid(asked.seconds) & np.isin(units, asked_units))
    decay = np.where(np.isin(past.unit, asked_units), 0.5 ** (past.years / settings.half_life_years), 0.0)
    values = np.zeros(len(columns.people))
    np.maximum.at(values, past.mentor, decay)
    values[people[member_rows]] = 1.0
    asking = _asking_edges(columns, asked)

    def explain(mentor: int) -> list[Evidence]:
        found: list[tuple[float, str, tuple[Edge, ...], int]] = [
            (1.0, "member", (Edge("BELONGS_TO", uids[row]),), int(units[row]))
            for row in member_rows
            if people[row] == mentor
        ]
        for place in past.of_mentor(mentor):
            if decay[place] > 0:
                links = _pairing_links(columns, past, int(place), "unit", "mentor")
                found.append((float(decay[place]), "mentored", links, int(past.unit[place])))
        found.sort(key=lambda each: (-each[0], each[2]))
        evidence = []
        for rank, (strength, how, edges, number) in enumerate(found):
            whose, edge = asking[number]
            drop = _lead(rank, [each[0] for each in found])
            evidence.append(Evidence(f"{whose}_unit_{how}", (edge, *edges), drop, strength=strength))
        return evidence

    return Signal("unit", "same unit", values, explain)


def _asking_edges(columns: Columns, asked: Question) -> dict[int, tuple[str, Edge]]:
    """Unit → whether goal or mentee leads to it, and by which edge."""
    if asked.goal != NONE and columns.tables["goals"].numbers("unit")[asked.goal] in asked.units:
        [number] = asked.units
        link = next(each for each in KINDS["goals"].links if each.name == "unit")
        units = columns.numberings["units"].uids
        return {number: ("goal", Edge(link.type, link_uid(columns.goals.uids[asked.goal], link, units[number])))}
    members = columns.tables["unit_membership"]
    valid, uids = members.valid(asked.seconds), members.rows.uids
    rows = [row for row in columns.rows_by("unit_membership", "person").of(asked.mentee) if valid[row]]
    edges: dict[int, tuple[str, Edge]] = {}
    for row in sorted(rows, key=lambda row: uids[row]):
        edges.setdefault(int(members.numbers("unit")[row]), ("mentee", Edge("BELONGS_TO", uids[row])))
    return edges


def time_overlap(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """Hours of this week in which both are free, up to what is enough; unknown where either has not said."""
    free, stated = columns.free_slots(asked.now)
    values = np.full(len(columns.people), np.nan)
    if stated[asked.mentee]:
        hours = availability.shared_minutes(free[asked.mentee], free) / 60
        values = np.where(stated, np.minimum(hours, settings.overlap_enough_hours), np.nan)
    enough = f"hours a week, {settings.overlap_enough_hours:g} are enough"
    return Signal("time_overlap", enough, values, lambda _mentor: [])


def sessions(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Experience: sessions held as a mentor, up to what is enough, 0 to 1."""
    table = columns.tables["sessions"]
    begun, since, uids = table.begun(asked.seconds), table.reals("since"), table.rows.uids
    by_pairing = columns.rows_by("sessions", "pairing")
    number = np.bincount(table.numbers("pairing")[begun], minlength=len(columns.tables["pairings"]))[past.rows]
    total = np.bincount(past.mentor, number, minlength=len(columns.people))
    enough = settings.sessions_enough

    def explain(mentor: int) -> list[Evidence]:
        found = []
        for place in past.of_mentor(mentor):
            if number[place]:
                held = [row for row in by_pairing.of(int(past.rows[place])) if begun[row]]
                last = uids[max(held, key=lambda row: (since[row], uids[row]))]
                part_of = link_uid(last, KINDS["sessions"].links[0], _pairing_uid(columns, past, int(place)))
                without = min(total[mentor] - number[place], enough)
                found.append(
                    Evidence(
                        "sessions_held",
                        (Edge("PART_OF", part_of), *_pairing_links(columns, past, int(place), "mentor")),
                        float(min(total[mentor], enough) - without) / enough,
                        count=int(number[place]),
                    )
                )
        return _strongest_first(found)

    return Signal("sessions", f"{enough:g} sessions held", np.minimum(total, enough) / enough, explain)


def load(columns: Columns, asked: Question, places: float) -> Signal:
    """Share of the mentor's places that is taken by open pairings, 0 to 1; co-mentors take over parts of a place."""
    roles, pairings = columns.tables["roles"], columns.tables["pairings"]
    capacity = np.full(len(columns.people), np.nan)
    rows = np.flatnonzero(roles.valid(asked.seconds) & columns.mentor_roles())
    np.fmax.at(capacity, roles.numbers("person")[rows], roles.reals("max_mentees")[rows])
    is_open, helps, everybody = open_pairings(columns, asked.seconds), columns.tables["co_mentors"], len(columns.people)
    rows = np.flatnonzero(helps.valid(asked.seconds))
    rows = rows[is_open[helps.numbers("pairing")[rows]]]
    share, helped = helps.reals("share")[rows], helps.numbers("pairing")[rows]
    own = 1.0 - np.bincount(helped, share, minlength=len(pairings))
    taken = np.bincount(pairings.numbers("mentor")[is_open], own[is_open], minlength=everybody)
    taken += np.bincount(helps.numbers("person")[rows], share, minlength=everybody)
    values = np.minimum(1.0, taken / np.maximum(1.0, np.nan_to_num(capacity, nan=places)))
    return Signal("load", "share of places taken", values, lambda _mentor: [])


def _pairing_uid(columns: Columns, past: PastPairings, place: int) -> str:
    return columns.numberings["pairings"].uids[int(past.rows[place])]


def _pairing_links(columns: Columns, past: PastPairings, place: int, *names: str) -> tuple[Edge, ...]:
    """The relationships that carry some links of a pairing."""
    uid = _pairing_uid(columns, past, place)
    targets = {
        "mentor": ("people", past.mentor),
        "goal": ("goals", past.goal),
        "unit": ("units", past.unit),
    }
    links = {link.name: link for link in KINDS["pairings"].links}
    return tuple(
        Edge(links[name].type, link_uid(uid, links[name], columns.numberings[kind].uids[numbers[place]]))
        for name in names
        for kind, numbers in [targets[name]]
    )


def _lead(rank: int, strengths: Sequence[float]) -> float:
    """By how much a maximum falls without its item of this rank: the first one's lead over the second, else nothing."""
    return float(strengths[0] - (strengths[1] if len(strengths) > 1 else 0.0)) if rank == 0 else 0.0


def _strongest_first(found: Sequence[Evidence]) -> list[Evidence]:
    return sorted(found, key=lambda each: (-each.drop, -each.strength, each.edges))
