"""Signals of where, whom and how much somebody has mentored, of what they have taken on and of what they answer."""

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Edge, PastPairings, Question, open_pairings
from mentorgraph.graph.columns.table import NONE, Numbers, Reals
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import link_uid
from mentorgraph.graph.rules.policy import SignalSettings
from mentorgraph.graph.signals.signal import Evidence, Signal, lead, pairing_links, pairing_uid, strongest_first


def unit(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Whether the mentor belongs to the unit asked about (1) or has mentored there (½^(age / half-life))."""
    members = columns.tables["unit_membership"]
    units, people, uids = members.numbers("unit"), members.numbers("person"), members.rows.uids
    asked_units, by_unit = np.array(sorted(asked.units), np.int64), columns.rows_by("unit_membership", "unit")
    member_rows = np.sort(np.concatenate([by_unit.of(unit) for unit in asked_units.tolist()] or [units[:0]]))
    member_rows = member_rows[members.held(member_rows, asked.seconds)]
    there = np.flatnonzero(np.isin(past.unit, asked_units))
    decay = np.zeros(len(past.rows))
    decay[there] = 0.5 ** (past.years[there] / settings.half_life_years)
    pool = asked.pool(columns)
    places = np.concatenate([past.place[there], pool.places_of(people[member_rows])])
    values = pool.greatest(places, np.concatenate([decay[there], np.ones(len(member_rows))]))
    asking = _asking_edges(columns, asked)

    def explain(mentor: int) -> list[Evidence]:
        found: list[tuple[float, str, tuple[Edge, ...], int]] = [
            (1.0, "member", (Edge("BELONGS_TO", uids[row]),), int(units[row]))
            for row in member_rows
            if people[row] == mentor
        ]
        for place in past.of_mentor(mentor):
            if decay[place] > 0:
                links = pairing_links(columns, past, int(place), "unit", "mentor")
                found.append((float(decay[place]), "mentored", links, int(past.unit[place])))
        found.sort(key=lambda each: (-each[0], each[2]))
        evidence = []
        for rank, (strength, how, edges, number) in enumerate(found):
            whose, edge = asking[number]
            drop = lead(rank, [each[0] for each in found])
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
    own, uids = columns.rows_by("unit_membership", "person").of(asked.mentee), members.rows.uids
    rows = own[members.held(own, asked.seconds)].tolist()
    edges: dict[int, tuple[str, Edge]] = {}
    for row in sorted(rows, key=lambda row: uids[row]):
        edges.setdefault(int(members.numbers("unit")[row]), ("mentee", Edge("BELONGS_TO", uids[row])))
    return edges


def sessions(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """Experience: sessions held as a mentor, up to what is enough, 0 to 1."""
    table = columns.tables["sessions"]
    since, uids = table.strings("since"), table.rows.uids
    by_pairing = columns.rows_by("sessions", "pairing")
    pairings = len(columns.tables["pairings"])
    number = columns.remember(
        "sessions held",
        (table.state(asked.seconds), pairings),
        lambda: np.bincount(table.numbers("pairing")[table.begun(asked.seconds)], minlength=pairings),
    )[past.rows]
    pool = asked.pool(columns)
    total = pool.sums(past.place, number)
    enough = settings.sessions_enough

    def explain(mentor: int) -> list[Evidence]:
        found, all_held = [], total[pool.place(mentor)]
        for place in past.of_mentor(mentor):
            if number[place]:
                held = [row for row in by_pairing.of(int(past.rows[place])).tolist() if since[row] < asked.seconds]
                last = max(held, key=lambda row: (since[row], uids[row]))
                part_of = link_uid(uids[last], KINDS["sessions"].links[0], pairing_uid(columns, past, int(place)))
                without = min(all_held - number[place], enough)
                found.append(
                    Evidence(
                        "sessions_held",
                        (Edge("PART_OF", part_of), *pairing_links(columns, past, int(place), "mentor")),
                        float(min(all_held, enough) - without) / enough,
                        count=int(number[place]),
                    )
                )
        return strongest_first(found)

    return Signal("sessions", f"{enough:g} sessions held", np.minimum(total, enough) / enough, explain)


def load(columns: Columns, asked: Question, places: float) -> Signal:
    """Share of the mentor's places that is taken by open pairings, 0 to 1; co-mentors take over parts of a place."""
    tables, now = columns.tables, asked.seconds
    key = (*(tables[each].state(now) for each in ("roles", "pairings", "co_mentors")), len(columns.people), places)
    values = asked.pool(columns).take(columns.remember("load", key, lambda: _load(columns, now, places)))
    return Signal("load", "share of places taken", values, lambda _mentor: [])


def _load(columns: Columns, now: float, places: float) -> Reals:
    roles, pairings = columns.tables["roles"], columns.tables["pairings"]
    capacity = np.full(len(columns.people), np.nan)
    rows = np.flatnonzero(roles.valid(now) & columns.mentor_roles())
    np.fmax.at(capacity, roles.numbers("person")[rows], roles.reals("max_mentees")[rows])
    is_open, helps, everybody = open_pairings(columns, now), columns.tables["co_mentors"], len(columns.people)
    rows = np.flatnonzero(helps.valid(now))
    rows = rows[is_open[helps.numbers("pairing")[rows]]]
    share, helped = helps.reals("share")[rows], helps.numbers("pairing")[rows]
    own = 1.0 - np.bincount(helped, share, minlength=len(pairings))
    taken = np.bincount(pairings.numbers("mentor")[is_open], own[is_open], minlength=everybody)
    taken += np.bincount(helps.numbers("person")[rows], share, minlength=everybody)
    found: Reals = np.minimum(1.0, taken / np.maximum(1.0, np.nan_to_num(capacity, nan=places)))
    return found


def shared_history(columns: Columns, asked: Question, settings: SignalSettings, past: PastPairings) -> Signal:
    """How well the mentor did with this mentee before: the best of outcome × ½^(age / half-life), 0 to 1.

    Only pairings that are over count.
    """
    own = past.at(columns.rows_by("pairings", "mentee").of(asked.mentee))
    own = own[past.over[own]]
    outcome = np.where(np.isnan(past.outcome[own]), settings.outcome_unknown, past.outcome[own])
    strength = np.zeros(len(past.rows))
    strength[own] = outcome * 0.5 ** (past.years[own] / settings.half_life_years)
    values = asked.pool(columns).greatest(past.place[own], strength[own])

    def explain(mentor: int) -> list[Evidence]:
        found = [(float(strength[place]), int(place)) for place in past.of_mentor(mentor) if strength[place] > 0]
        found.sort(key=lambda each: (-each[0], pairing_uid(columns, past, each[1])))
        return [
            Evidence(
                "mentored_before",
                pairing_links(columns, past, place, "mentee", "mentor"),
                lead(rank, [each[0] for each in found]),
                strength=value,
            )
            for rank, (value, place) in enumerate(found)
        ]

    return Signal("shared_history", "success with this mentee before", values, explain)


def acceptance(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """Share of the requests to the mentor that were accepted, above or below what is usual; unknown before any answer.

    (accepted + usual × weight) / (answered + weight) − usual, where `acceptance_usual` is the prior mean and
    `acceptance_requests` the number of answers that it is worth: the mean of a beta distribution (Gelman et al. 2013,
    "Bayesian data analysis", section 2.4). Answered is what was accepted or declined by then; what expired, was
    withdrawn or released says nothing.
    """
    table, pool = columns.tables["requests"], asked.pool(columns)
    key = (table.state(asked.seconds), len(columns.people))
    told, *answers = columns.remember("answers", key, lambda: _answers(columns, asked.seconds))
    accepted, answered = map(pool.take, answers)
    until, uids = table.reals("until"), table.rows.uids
    usual, weight = settings.acceptance_usual, settings.acceptance_requests

    def above(accepted: Reals, answered: Reals) -> Reals:
        return (accepted + usual * weight) / (answered + weight) - usual

    values = np.where(answered > 0, above(accepted, answered), np.nan)
    link = KINDS["requests"].links[0]

    def explain(person: int) -> list[Evidence]:
        found, place = [], pool.place(person)
        rows = columns.rows_by("requests", "mentor").of(person)
        for row in sorted(rows[told[rows] != NONE].tolist(), key=lambda row: (-until[row], uids[row])):
            others = answered[place] - 1
            without = float(above(accepted[place] - told[row], others)) if others > 0 else 0.0
            edge = Edge(link.type, link_uid(uids[row], link, columns.people.uids[person]))
            metapath = "request_accepted" if told[row] else "request_declined"
            found.append(Evidence(metapath, (edge,), float(values[place]) - without))
        return found

    return Signal("acceptance", "all requests accepted, where none usually is", values, explain)


def _answers(columns: Columns, now: float) -> tuple[Numbers, Reals, Reals]:
    """What was answered before an instant.

    Returns:
        1 for requests that were accepted, 0 for those declined, `NONE` for others: `int64[requests]`; and how many were
        accepted, and answered, by each person: `float64[people]`.
    """
    table, people = columns.tables["requests"], len(columns.people)
    states = (each or "" for each in table.strings("status"))
    codes = np.array([{"accepted": 1, "declined": 0}.get(each, NONE) for each in states], np.int64)
    told = np.where(table.begun(now) & (table.reals("until") < now), codes, NONE)
    rows = np.flatnonzero(told != NONE)
    mentor = table.numbers("mentor")[rows]
    accepted: Reals = np.bincount(mentor, told[rows], people).astype(np.float64)
    return told, accepted, np.bincount(mentor, minlength=people).astype(np.float64)
