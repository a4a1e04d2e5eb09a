"""The evidence for one question: which precedents are like it and in what respect, and what links them to whom.

An *edge* leads from the asking goal to a precedent, an *arc* from a precedent to a person in question: to those who
mentored in it and to the mentee, who may have become a mentor. A *pair* is the asking goal and a person. Attention over
these edges is what the network learns; the features are plain statistics of what was known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mentorgraph.embeddings.knowledge import MEANINGS, MENTOR_FEATURES, Knowledge, meanings
from mentorgraph.embeddings.precedents import WORDED, goal_needs, wants_when
from mentorgraph.embeddings.sentence_encoder import SentenceEncoder
from mentorgraph.embeddings.tasks import PRECEDENTS
from mentorgraph.embeddings.texts import Floats
from mentorgraph.graph.columns.question import Question, told_at
from mentorgraph.graph.columns.table import NONE, Numbers
from mentorgraph.graph.columns.text import sparse_product, tfidf
from mentorgraph.graph.rules.policy import SIGNALS
from mentorgraph.graph.signals.gather import all_signals
from mentorgraph.graph.signals.signal import Signal

NEAREST = {"full": 200, "title": 60, "dense": 100, "wishes": 150, "unit": 400, "meaning": 100}
"""How many of the most alike precedents are looked at, by what they are alike in; those of the unit by age.

Those of one meaning only where a sentence encoder has read the texts.
"""

ALIKE = (*WORDED, "dense", "needs", "wants", "wishes", "local")
ALIKE_IN_UNIT = ("unit_full", "unit_dense")
SCALED_IN_UNIT = (*WORDED, "dense", *ALIKE_IN_UNIT)
AGES = (1, 2, 3, 5)
"""Limits of the age classes, in years."""

EDGE_FEATURES = (
    *ALIKE,
    *ALIKE_IN_UNIT,
    *(f"{name} scaled" for name in ALIKE),
    *(f"{name} scaled in unit" for name in SCALED_IN_UNIT),
    *(f"{name} below best" for name in (*ALIKE, *ALIKE_IN_UNIT)),
    "same unit",
    "unit name",
    "same category",
    "same mentee",
    "age",
    *(f"age from {limit}" for limit in (0, *AGES)),
    "team",
    "outcome known",
    "outcome",
    "sessions",
)

MEANING_FEATURES = (
    *MEANINGS,
    *(f"{name} in unit" for name in MEANINGS),
    *(f"{name} scaled" for name in MEANINGS),
    *(f"{name} scaled in unit" for name in (*MEANINGS, *(f"{name} in unit" for name in MEANINGS))),
    *(f"{name} below best" for name in (*MEANINGS, *(f"{name} in unit" for name in MEANINGS))),
)
"""What stands behind those where a sentence encoder has read the texts."""

UNIT_FEATURES = (
    "in unit",
    "in unit last year",
    "in unit decay .8",
    "in unit decay .5",
    "in unit per team",
    "in unit since last",
    "in unit since first",
    "share of unit",
    "rank in unit",
    "member of unit",
    "unit pool",
    "unit goals last year",
    "unit return rate",
    "unit gap",
)

SEEN = ("skills", "goal_text", "similar_goals", "unit", "time_overlap", "sessions", "load")
"""The signals of the rules that the network looks at."""

FURTHER = tuple(name for name in SIGNALS if name not in SEEN)
"""The other ones, which count beside it."""

PAIR_FEATURES = (
    *MENTOR_FEATURES,
    *UNIT_FEATURES,
    *(f"signal {name}" for name in SEEN),
    "time known",
    "mentored this mentee",
    "in unit decay .5 to best",
    "text best",
    "text sum",
    "wishes sum",
)


@dataclass(frozen=True)
class Evidence:
    """What speaks for whom, for one question.

    Attributes:
        people: Numbers of the people in question, ascending: `int64[people]`.
        precedents: Places of the precedents looked at, ascending: `int64[edges]`.
        edges: `float32[edges, EDGE_FEATURES]`, or with `MEANING_FEATURES` behind them.
        mentor_arcs: From which edge to the place of which person, for those who mentored: `int64[2, arcs]`.
        mentee_arcs: The same for those who were mentored.
        teams: Number of mentors of each edge's precedent: `float32[edges]`.
        pairs: `float32[people, PAIR_FEATURES]`.
        further: Values of the signals in `FURTHER`, 0 where unknown: `float32[people, FURTHER]`.
        together: How strongly the people have mentored with one another: `float32[people, people]`.
        correction: ln(number of people for whom each stands), 0 where nobody was left out: `float32[people]`. Added to
            the scores it makes a softmax over a sample consistent, where those who were chosen are kept too and count
            in their stratum (McFadden 1978, "Modelling the choice of residential location").
        text: What the asking goal says, in the projection: `float32[dimensions]`.
        wishes: The skills it needs and the mentee wants, weighted by IDF; they sum to 1 or 0: `float32[skills]`.
        units: Numbers of the units asked about: `int64[units]`.
    """

    people: Numbers
    precedents: Numbers
    edges: Floats
    mentor_arcs: Numbers
    mentee_arcs: Numbers
    teams: Floats
    pairs: Floats
    further: Floats
    together: sparse.csr_array
    correction: Floats
    text: Floats
    wishes: Floats
    units: Numbers


def evidence(
    known: Knowledge,
    asked: Question,
    candidates: Numbers,
    *,
    others: int | None = None,
    always: Numbers | None = None,
    seed: int = 0,
    signals: Sequence[Signal] = (),
) -> Evidence:
    """Gathers the evidence for one question.

    Args:
        known: What is known at the time.
        asked: The question.
        candidates: Numbers of those who could be chosen, ascending.
        others: Look only at the candidates that some precedent leads to and at this many others, chosen by chance; at
            all candidates by default.
        always: Candidates that are looked at in any case.
        seed: Decides which others.
        signals: `all_signals` of the question, where the caller has them.
    """
    alike, text, wishes = _likeness(known, asked)
    near = _nearest(known, asked, alike)
    told = signals or all_signals(known.columns, asked, known.policy)
    features = _edge_features(known, asked, alike, near)
    mentor_edge, mentor = _pairings_of(known, near)
    mentee = known.precedents.mentee[near]
    people, correction = candidates, np.zeros(len(candidates), np.float32)
    if others is not None:
        reached, sure = (np.zeros(len(known.columns.people), bool) for _ in range(2))
        for some in (mentor, mentee):
            reached[some] = True
        if always is not None:
            sure[always] = True
        rest = candidates[~reached[candidates]]
        drawn = rest[~sure[rest]]
        chance = np.random.default_rng([seed, asked.mentee, max(asked.goal, 0)])
        drawn = chance.choice(drawn, min(others, len(drawn)), replace=False)
        kept = np.concatenate([rest[sure[rest]], drawn])
        people = np.sort(np.concatenate([candidates[reached[candidates]], kept]))
        stands_for = np.log(len(rest) / max(1, len(kept))) if len(rest) else 0.0
        correction = np.where(reached[people], 0, stands_for).astype(np.float32)
    place = np.full(len(known.columns.people), NONE, np.int64)
    place[people] = np.arange(len(people))
    arcs = np.stack([mentor_edge, place[mentor]])
    mentee_arcs = np.stack([np.arange(len(near)), place[mentee]])
    if PRECEDENTS in known.setting.without:
        arcs, mentee_arcs = arcs[:, :0], mentee_arcs[:, :0]
    return Evidence(
        people,
        near,
        features,
        arcs[:, arcs[1] != NONE],
        mentee_arcs[:, mentee_arcs[1] != NONE],
        known.precedents.team[near],
        _pair_features(known, asked, people, alike, told),
        _further(told, asked.pool(known.columns).places_of(people)),
        _together(known, people, place),
        correction,
        text,
        wishes / max(float(wishes.sum()), 1e-9),
        np.array(sorted(asked.units), np.int64),
    )


def _together(known: Knowledge, people: Numbers, place: Numbers) -> sparse.csr_array:
    """The part of the co-mentor matrix among some people."""
    rows = sparse.csr_array(known.co_mentors[people])
    column = place[rows.indices]
    kept = column != NONE
    ends = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
    return sparse.csr_array((rows.data[kept], column[kept], ends), shape=(len(people), len(people)))


def _pairings_of(known: Knowledge, near: Numbers) -> tuple[Numbers, Numbers]:
    """Edge and mentor of every pairing of some precedents."""
    starts, ends = known.precedents.starts[near], known.precedents.starts[near + 1]
    edge = np.repeat(np.arange(len(near)), ends - starts)
    offset = np.arange(len(edge)) - np.repeat(np.cumsum(ends - starts) - (ends - starts), ends - starts)
    return edge, known.precedents.pairing_mentor[starts[edge] + offset]


def _likeness(known: Knowledge, asked: Question) -> tuple[dict[str, Floats], Floats, Floats]:
    """How like the question each precedent is, in several respects: `float32[precedents]`, 0 to about 1.

    Returns:
        These, and the question's own text and weighted wishes.
    """
    found: dict[str, Floats] = {}
    goal = asked.goal
    for name in WORDED:
        rows = getattr(known.texts, name)
        own = slice(rows.indptr[goal], rows.indptr[goal + 1]) if goal != NONE else slice(0)
        query = rows.data[own]
        if name == "bm25":
            query = np.ones_like(query) / max(float(query.sum()), 1e-9)
        found[name] = sparse_product(known.by_term[name], rows.indices[own], query)
    own_dense = known.texts.dense[goal].copy() if goal != NONE else np.zeros(known.texts.dense.shape[1], np.float32)
    found["dense"] = known.dense @ own_dense
    if known.encoder:
        read = meanings(known.encoder, known.columns, known.setting, np.array([goal]))
        found |= {name: known.meanings[name] @ each[0] for name, each in read.items()}
    told = np.nextafter(told_at(known.columns, goal, known.now).timestamp(), -np.inf)
    skills, now = len(known.columns.skills), known.now.timestamp()
    needs = np.zeros(skills, np.float32)
    if known.setting.unit and goal != NONE:
        needs[goal_needs(known.columns, np.array([goal]), np.nextafter(told, np.inf), now).indices] = 1
    wants = np.zeros(skills, np.float32)
    wants[wants_when(known.columns, np.array([asked.mentee]), np.array([told]), now).indices] = 1
    asks = {"needs": needs, "wants": wants, "wishes": np.maximum(needs, wants)}
    for (name, query), idf in zip(asks.items(), known.idf, strict=True):
        weighted = query * idf
        found[name] = getattr(known, name) @ (weighted / max(float(np.linalg.norm(weighted)), 1e-9))
    if goal != NONE:
        others = known.precedents.goal != goal
        found = {name: np.where(others, value, 0) for name, value in found.items()}
    return found, own_dense, asks["wishes"] * known.idf[2]


def _nearest(known: Knowledge, asked: Question, alike: dict[str, Floats]) -> Numbers:
    """The precedents that are looked at, ascending; never that of the asking goal itself."""
    kept = np.zeros(len(known.precedents), bool)
    for name, number in NEAREST.items():
        if name == "unit":
            own = np.flatnonzero(np.isin(known.precedents.unit, sorted(asked.units)))
            kept[own[np.argsort(known.precedents.years[own], kind="stable")[:number]]] = True
        elif name in alike:
            some = np.flatnonzero(alike[name] > 0)
            kept[some[np.argsort(-alike[name][some], kind="stable")[:number]]] = True
    if asked.goal != NONE:
        kept &= known.precedents.goal != asked.goal
    return np.flatnonzero(kept)


def _edge_features(known: Knowledge, asked: Question, alike: dict[str, Floats], near: Numbers) -> Floats:
    precedents = known.precedents
    own_unit = np.isin(precedents.unit[near], sorted(asked.units))
    value = {name: each[near] for name, each in alike.items()}
    everything = np.ones(len(near), bool)
    value["local"] = _local_cosine(known, asked, near, everything)
    value["unit_full"] = _local_cosine(known, asked, near, own_unit)
    value["unit_dense"] = np.zeros(len(near), np.float32)
    if asked.goal != NONE:
        value["unit_dense"] = _centred_cosine(known.dense[near], known.texts.dense[asked.goal], own_unit)
    values = np.stack([value[name] for name in (*ALIKE, *ALIKE_IN_UNIT)])
    columns: list[NDArray[np.generic]] = [*values]
    columns += [*_scaled(np.stack([value[name] for name in ALIKE]), everything)]
    columns += [*_scaled(np.stack([value[name] for name in SCALED_IN_UNIT]), own_unit)]
    columns += [*(values - values.max(axis=1, initial=0, keepdims=True))]
    names, category = _unit_likeness(known, asked, near)
    years = precedents.years[near]
    columns += [own_unit, names, category, precedents.mentee[near] == asked.mentee, np.log1p(years)]
    limits = (0, *AGES, np.inf)
    columns += [(years >= low) & (years < high) for low, high in pairwise(limits)]
    columns += [
        np.log1p(precedents.team[near]),
        precedents.outcome_known[near],
        precedents.outcome[near],
        np.log1p(precedents.sessions[near]),
    ]
    if known.encoder:
        columns += _meaning_features(known.encoder, known, asked, value, near, own_unit)
    return np.stack(columns, axis=1).astype(np.float32)


def _scaled(values: Floats, among: NDArray[np.bool_]) -> Floats:
    """Distance from the mean in standard deviations, both taken among some edges; 0 for the others.

    Args:
        values: `float32[kinds, edges]`.
        among: Which edges: `bool[edges]`.
    """
    if among.sum() < 2:
        return np.zeros_like(values)
    some = values[:, among]
    mean, deviation = some.mean(axis=1, keepdims=True), some.std(axis=1, keepdims=True)
    return np.where(among, (values - mean) / (deviation + 1e-3), 0).astype(np.float32)


def _local_cosine(known: Knowledge, asked: Question, near: Numbers, among: NDArray[np.bool_]) -> Floats:
    """Cosine of TF-IDF with the document frequencies counted among some of the near precedents only; 0 for the others.

    What all goals of a unit have in common tells nothing inside the unit.
    """
    result = np.zeros(len(near), np.float32)
    if asked.goal == NONE or not among.any():
        return result
    rows = sparse.csr_array(known.vectors["counts"][near[among]])
    frequency = np.bincount(rows.indices, minlength=rows.shape[1])
    idf = np.log((1 + rows.shape[0]) / (0.5 + frequency)).astype(np.float32)
    own = slice(known.texts.counts.indptr[asked.goal], known.texts.counts.indptr[asked.goal + 1])
    query = np.zeros(rows.shape[1], np.float32)
    terms = known.texts.counts.indices[own]
    query[terms] = (1 + np.log(known.texts.counts.data[own])) * idf[terms]
    query /= max(float(np.linalg.norm(query)), 1e-9)
    result[among] = tfidf(rows, idf) @ query
    return result


def _meaning_features(
    encoder: SentenceEncoder,
    known: Knowledge,
    asked: Question,
    value: dict[str, Floats],
    near: Numbers,
    own_unit: NDArray[np.bool_],
) -> list[Floats]:
    """See `MEANING_FEATURES`."""
    read = meanings(encoder, known.columns, known.setting, np.array([asked.goal]))
    whole = np.stack([value[name] for name in MEANINGS])
    in_unit = [_centred_cosine(known.meanings[name][near], read[name][0], own_unit) for name in MEANINGS]
    values = np.concatenate([whole, np.stack(in_unit)])
    return [
        *values,
        *_scaled(whole, np.ones(len(near), bool)),
        *_scaled(values, own_unit),
        *(values - values.max(axis=1, initial=0, keepdims=True)),
    ]


def _centred_cosine(rows: Floats, query: Floats, among: NDArray[np.bool_]) -> Floats:
    """Cosine with a vector after the mean of some rows is taken away from both; 0 for the other rows."""
    result = np.zeros(len(rows), np.float32)
    if not among.any():
        return result
    rows = rows[among]
    mean = rows.mean(axis=0)
    rows, query = rows - mean, query - mean
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(query)
    result[among] = rows @ query / np.maximum(lengths, 1e-6)
    return result


def _unit_likeness(known: Knowledge, asked: Question, near: Numbers) -> tuple[Floats, Floats]:
    """How alike the names of the units are, and whether their categories are the same."""
    unit = known.precedents.unit[near]
    names, category = np.zeros(len(near), np.float32), np.zeros(len(near), np.float32)
    if not asked.units or not known.unit_names.shape[0]:
        return names, category
    for own in sorted(asked.units):
        query = known.unit_names[[own]].toarray()[0]
        alike = np.append(known.unit_names @ query, 0)
        same = np.append(known.category == known.category[own], False)
        names, category = np.maximum(names, alike[unit]), np.maximum(category, same[unit])
    return names, category


def _pair_features(
    known: Knowledge, asked: Question, people: Numbers, alike: dict[str, Floats], told: Sequence[Signal]
) -> Floats:
    precedents, everybody = known.precedents, len(known.columns.people)
    columns: list[NDArray[np.generic]] = list(known.mentors[people].T)
    mentor, group = precedents.pairing_mentor, precedents.pairing_precedent
    in_unit = _unit_features(known, asked, people)
    columns += in_unit
    decayed = np.float32(0.7) ** precedents.years
    best = np.zeros(everybody, np.float32)
    np.maximum.at(best, mentor, alike["full"][group])
    places = asked.pool(known.columns).places_of(people)
    signals = {signal.name: signal.values[places] for signal in told}
    if not known.setting.unit_names:
        # The signal reads whole texts; beside the masked ones it would tell exactly whose unit's name was in common.
        signals["goal_text"] = best[people].astype(np.float64)
    columns += [*np.nan_to_num(np.stack([signals[name] for name in SEEN]))]
    columns.append(~np.isnan(signals["time_overlap"]))
    again = np.bincount(mentor[precedents.mentee[group] == asked.mentee], minlength=everybody)[people]
    columns.append(np.log1p(again))
    strongest = in_unit[3]
    columns.append(strongest - strongest.max(initial=0))
    columns.append(best[people])
    for name in ("full", "wishes"):
        mass = (alike[name] ** 3 * decayed)[group]
        columns.append(np.sqrt(np.bincount(mentor, mass, minlength=everybody)[people]))
    return np.stack(columns, axis=1).astype(np.float32)


def _further(told: Sequence[Signal], places: Numbers) -> Floats:
    values = {signal.name: signal.values[places] for signal in told if signal.name in FURTHER}
    return np.nan_to_num(np.stack([values[name] for name in FURTHER], axis=1)).astype(np.float32)


def _unit_features(known: Knowledge, asked: Question, people: Numbers) -> list[Floats]:
    """What people have done in the units asked about, see `UNIT_FEATURES`."""
    if not asked.units:
        return [np.zeros(len(people), np.float32)] * len(UNIT_FEATURES)
    precedents, everybody = known.precedents, len(known.columns.people)
    own = np.isin(precedents.unit, sorted(asked.units))
    rows = np.flatnonzero(own[precedents.pairing_precedent])
    mentor, years = precedents.pairing_mentor[rows], precedents.pairing_years[rows]
    team = precedents.team[precedents.pairing_precedent[rows]]

    def total(weights: NDArray[np.generic]) -> Floats:
        return np.bincount(mentor, weights, minlength=everybody).astype(np.float32)[people]

    number, decayed = total(np.ones(len(rows))), total(0.5**years)
    last, first = np.full(everybody, 20, np.float32), np.zeros(everybody, np.float32)
    np.minimum.at(last, mentor, years)
    np.maximum.at(first, mentor, years)
    members = known.columns.tables["unit_membership"]
    valid = members.valid(asked.seconds) & np.isin(members.numbers("unit"), sorted(asked.units))
    member = np.bincount(members.numbers("person")[valid], minlength=everybody)[people] > 0
    goals_last_year = float((own & (precedents.years < 1)).sum())
    earlier, recent = np.unique(mentor[years >= 1]), np.unique(mentor[years < 1])
    returning = (len(np.intersect1d(earlier, recent)) + 1) / (len(earlier) + 3)
    gap = float(precedents.years[own].min(initial=20))
    constants = (np.log1p(len(np.unique(mentor))), np.log1p(goals_last_year), returning, np.log1p(gap))
    return [
        np.log1p(number),
        np.log1p(total(years < 1)),
        np.log1p(total(0.8**years)),
        np.log1p(decayed),
        np.log1p(total(0.5**years / team)),
        np.log1p(last[people]),
        np.log1p(first[people]),
        number / max(1.0, float(own.sum())),
        np.log1p((np.sort(-decayed).searchsorted(-decayed)).astype(np.float32)) * (number > 0),
        member.astype(np.float32),
        *(np.full(len(people), constant, np.float32) for constant in constants),
    ]
