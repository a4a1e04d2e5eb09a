"""Signals of what a mentor can do: the offered skills beside the wished ones."""

from collections import defaultdict

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.proficiency import offer_levels
from mentorgraph.graph.columns.question import Edge, Question, Wish
from mentorgraph.graph.rules.policy import SignalSettings
from mentorgraph.graph.signals.signal import Evidence, Signal, back, direct, lead, strongest_first


def skills(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """How well the offered skills cover the wished ones: the mean credit over all wishes, 0 to 1.

    A skill earns full credit, one that is a `BROADER` step away part of it, each times min(1, offered / wished level).
    """
    table = columns.tables["offers"]
    uids = table.rows.uids
    offered, person = columns.skills_of("offers", "skill", asked.seconds), table.numbers("person")
    pool = asked.pool(columns)
    told, unknown = offer_levels(columns, asked.seconds), settings.level_unknown
    by_skill, by_person = columns.rows_by_skill("offers", asked.seconds), columns.rows_by("offers", "person")
    accepted = [(wish, _accepted(columns, asked, wish, settings)) for wish in asked.wishes]
    total = np.zeros(len(pool))
    for wish, credits in accepted:
        by_path = [by_skill.of(skill) for skill in credits]
        credit = np.repeat([credit for credit, _ in credits.values()], [len(rows) for rows in by_path])
        for_wish = np.concatenate(by_path)
        valid = table.held(for_wish, asked.seconds)
        credit, for_wish = credit[valid], for_wish[valid]
        earned = credit * np.minimum(1, np.nan_to_num(told[for_wish], nan=unknown) / wish.level)
        total += pool.greatest(pool.places_of(person[for_wish]), earned)
    wishes = max(1, len(asked.wishes))

    def explain(mentor: int) -> list[Evidence]:
        rows = [row for row in by_person.of(mentor).tolist() if table.holds(row, asked.seconds)]
        drops: dict[int, float] = defaultdict(float)
        served: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
        for place, (wish, paths) in enumerate(accepted):
            credits = [
                (paths[int(offered[row])][0] * min(1.0, level / wish.level), row)
                for row, level in zip(rows, np.nan_to_num(told[rows], nan=unknown).tolist(), strict=True)
                if int(offered[row]) in paths
            ]
            credits.sort(key=lambda each: (-each[0], uids[each[1]]))
            for rank, (credit, row) in enumerate(credits):
                ahead = lead(rank, [each[0] for each in credits])
                drops[row] += ahead / wishes
                served[row].append((ahead, float(credit), place))
        found = []
        for row, leads in served.items():
            # One offer may serve several wishes; it is told for the one that would miss it most.
            _, credit, place = min(leads, key=lambda each: (-each[0], -each[1], each[2]))
            wish, paths = accepted[place]
            between = paths[int(offered[row])][1]
            name = ("skill", "near_skill", "sibling_skill")[sum(edge.type == "BROADER" for edge in between)]
            edges = direct((*wish.edges, *between, *back(columns, asked, table, row), Edge("OFFERS", uids[row])))
            found.append(Evidence(f"{wish.metapath}_{name}", edges, drops[row], strength=credit))
        return strongest_first(found)

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
