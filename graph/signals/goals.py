"""Signals of the goals that a mentor has helped with: those that are like the asking one."""

import numpy as np
from scipy import sparse

from mentorgraph.graph.columns import text
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Edge, PastPairings, Question, Wish
from mentorgraph.graph.columns.table import NONE, Mask, Numbers, Reals
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import link_uid
from mentorgraph.graph.rules.policy import SignalSettings
from mentorgraph.graph.signals.signal import (
    Evidence,
    Signal,
    back,
    direct,
    lead,
    pairing_links,
    pairing_uid,
    strongest_first,
)


def goal_text(columns: Columns, asked: Question, past: PastPairings) -> Signal:
    """Likeness of the goal's words to the closest goal that the mentor has helped with: cosine of TF-IDF, 0 to 1."""
    cosine = np.zeros(len(columns.tables["goals"]))
    if asked.goal != NONE:
        cosine = text.similarities(*columns.text_vectors(asked.seconds), asked.goal)
    likeness = _of_goals(past, cosine)
    alike = np.flatnonzero(likeness)
    values = asked.pool(columns).greatest(past.place[alike], likeness[alike])

    def explain(mentor: int) -> list[Evidence]:
        places = [int(place) for place in past.of_mentor(mentor) if past.goal[place] != NONE]
        alike = [(float(cosine[past.goal[place]]), place) for place in places if cosine[past.goal[place]] > 0]
        alike.sort(key=lambda each: (-each[0], pairing_uid(columns, past, each[1])))
        return [
            Evidence(
                "similar_text",
                pairing_links(columns, past, place, "goal", "mentor"),
                lead(rank, [each[0] for each in alike]),
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
    key = (needs.state(asked.seconds), columns.tables["goals"].version)
    held = columns.remember("needs held", key, lambda: _needs_held(columns, asked.seconds))
    goal, uids = needs.numbers("goal"), needs.rows.uids
    skill = columns.skills_of("goal_skills", "skill", asked.seconds)
    shape = (len(columns.tables["goals"]), len(columns.skills))
    merges = columns.tables["successions"].state(asked.seconds)
    matrix, idf = columns.remember("needs", (*key, merges, shape), lambda: _needs(goal, skill, held, shape))
    by_goal = columns.rows_by("goal_skills", "goal")
    query = np.zeros(shape[1])
    for wish in asked.wishes:
        query[wish.skill] = idf[wish.skill]
    length = np.linalg.norm(query)
    cosine = np.clip(text.product(matrix, query / length), 0, 1) if length else np.zeros(shape[0])
    pool, likeness = asked.pool(columns), _of_goals(past, cosine)
    alike = np.flatnonzero(likeness)
    mass = _mass(past, alike, likeness[alike], settings)
    missing = pool.sums(past.place[alike], np.log1p(-mass[alike]))

    def shared_need(other: int) -> tuple[Wish, tuple[Edge, ...]]:
        """The rarest wish that another goal needs too, and the edges that lead there from its skill."""
        rows = {int(skill[row]): int(row) for row in by_goal.of(other) if held[row]}
        shared = [wish for wish in asked.wishes if wish.skill in rows]
        wish = max(shared, key=lambda each: (idf[each.skill], columns.skills.uids[each.skill]))
        row = rows[wish.skill]
        return wish, (*back(columns, asked, needs, row), Edge("NEEDS", uids[row]))

    def explain(mentor: int) -> list[Evidence]:
        found = []
        for place in past.of_mentor(mentor):
            if mass[place] > 0:
                known = missing[pool.place(mentor)]
                without = -np.expm1(known - np.log1p(-mass[place]))
                wish, need = shared_need(int(past.goal[place]))
                found.append(
                    Evidence(
                        f"{wish.metapath}_similar_goal",
                        direct((*wish.edges, *need, *pairing_links(columns, past, int(place), "goal", "mentor"))),
                        float(-np.expm1(known) - without),
                        strength=float(likeness[place]),
                    )
                )
        return strongest_first(found)

    return Signal("similar_goals", "success with like goals", -np.expm1(missing) + 0.0, explain)


def priority(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Success with goals that serve the same strategic priority as the asking one, 0 to 1.

    1 − Π (1 − m) over past pairings, m = outcome × ½^(age / half-life). Unknown where the goal serves none that holds.
    """
    goals, priorities = columns.tables["goals"], columns.tables["priorities"]
    serves, pool = goals.numbers("priority"), asked.pool(columns)
    own = int(serves[asked.goal]) if asked.goal != NONE else NONE
    if own == NONE or own >= len(priorities) or not priorities.valid(asked.seconds)[own]:
        return Signal("priority", "success with the same priority", np.full(len(pool), np.nan), lambda _mentor: [])
    same = np.flatnonzero((past.goal != NONE) & (serves[past.goal] == own))
    mass = _mass(past, same, np.ones(len(same)), settings)
    missing = pool.sums(past.place[same], np.log1p(-mass[same]))
    link = next(each for each in KINDS["goals"].links if each.name == "priority")
    uid = columns.numberings["priorities"].uids[own]

    def explain(mentor: int) -> list[Evidence]:
        found = []
        for place in past.of_mentor(mentor):
            if mass[place] > 0:
                goal, known = columns.goals.uids[int(past.goal[place])], missing[pool.place(mentor)]
                without = -np.expm1(known - np.log1p(-mass[place]))
                found.append(
                    Evidence(
                        "goal_priority",
                        (
                            Edge(link.type, link_uid(columns.goals.uids[asked.goal], link, uid)),
                            Edge(link.type, link_uid(goal, link, uid)),
                            *pairing_links(columns, past, int(place), "goal", "mentor"),
                        ),
                        float(-np.expm1(known) - without),
                        strength=float(mass[place]),
                    )
                )
        return strongest_first(found)

    return Signal("priority", "success with the same priority", -np.expm1(missing) + 0.0, explain)


def _of_goals(past: PastPairings, values: Reals) -> Reals:
    """What past pairings have of the values of goals, 0 for those without a goal: `float64[pairings]`."""
    return np.append(values, 0.0)[past.goal]


def _mass(past: PastPairings, places: Numbers, likeness: Reals, settings: SignalSettings) -> Reals:
    """What past pairings count for: likeness × outcome × ½^(age / half-life), below 1; 0 for all but some.

    Args:
        past: The pairings.
        places: Positions of some of them.
        likeness: How like the asking goal theirs are: `float64[places]`.
        settings: What an unknown outcome counts, and the half-life.
    """
    outcome = np.where(np.isnan(past.outcome[places]), settings.outcome_unknown, past.outcome[places])
    mass = np.zeros(len(past.rows))
    mass[places] = np.minimum(likeness * outcome * 0.5 ** (past.years[places] / settings.half_life_years), 1 - 1e-9)
    return mass


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


def _needs(goal: Numbers, skill: Numbers, held: Mask, shape: tuple[int, int]) -> tuple[sparse.csc_array, Reals]:
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
    return matrix.tocsc(), idf
