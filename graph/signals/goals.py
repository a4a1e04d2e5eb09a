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
    values = np.zeros(len(columns.people))
    cosine = np.zeros(len(columns.tables["goals"]))
    if asked.goal != NONE:
        cosine = text.similarities(*columns.text_vectors(asked.seconds), asked.goal)
    with_goal = past.goal != NONE
    np.maximum.at(values, past.mentor[with_goal], cosine[past.goal[with_goal]])

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
        return wish, (*back(columns, asked, needs, row), Edge("NEEDS", uids[row]))

    def explain(mentor: int) -> list[Evidence]:
        found = []
        for place in past.of_mentor(mentor):
            if mass[place] > 0:
                without = -np.expm1(missing[mentor] - np.log1p(-mass[place]))
                wish, need = shared_need(int(past.goal[place]))
                found.append(
                    Evidence(
                        f"{wish.metapath}_similar_goal",
                        direct((*wish.edges, *need, *pairing_links(columns, past, int(place), "goal", "mentor"))),
                        float(-np.expm1(missing[mentor]) - without),
                        strength=float(cosine[past.goal[place]]),
                    )
                )
        return strongest_first(found)

    return Signal("similar_goals", "success with like goals", -np.expm1(missing) + 0.0, explain)


def priority(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Success with goals that serve the same strategic priority as the asking one, 0 to 1.

    1 − Π (1 − m) over past pairings, m = outcome × ½^(age / half-life). Unknown where the goal serves none that holds.
    """
    goals, priorities = columns.tables["goals"], columns.tables["priorities"]
    serves, people = goals.numbers("priority"), len(columns.people)
    own = int(serves[asked.goal]) if asked.goal != NONE else NONE
    if own == NONE or own >= len(priorities) or not priorities.valid(asked.seconds)[own]:
        return Signal("priority", "success with the same priority", np.full(people, np.nan), lambda _mentor: [])
    outcome = np.where(np.isnan(past.outcome), settings.outcome_unknown, past.outcome)
    mass = np.where((past.goal != NONE) & (serves[past.goal] == own), outcome, 0.0)
    mass = np.minimum(mass * 0.5 ** (past.years / settings.half_life_years), 1 - 1e-9)
    missing = np.bincount(past.mentor, np.log1p(-mass), minlength=people)
    link = next(each for each in KINDS["goals"].links if each.name == "priority")
    uid = columns.numberings["priorities"].uids[own]

    def explain(mentor: int) -> list[Evidence]:
        found = []
        for place in past.of_mentor(mentor):
            if mass[place] > 0:
                goal = columns.goals.uids[int(past.goal[place])]
                without = -np.expm1(missing[mentor] - np.log1p(-mass[place]))
                found.append(
                    Evidence(
                        "goal_priority",
                        (
                            Edge(link.type, link_uid(columns.goals.uids[asked.goal], link, uid)),
                            Edge(link.type, link_uid(goal, link, uid)),
                            *pairing_links(columns, past, int(place), "goal", "mentor"),
                        ),
                        float(-np.expm1(missing[mentor]) - without),
                        strength=float(mass[place]),
                    )
                )
        return strongest_first(found)

    return Signal("priority", "success with the same priority", -np.expm1(missing) + 0.0, explain)


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
