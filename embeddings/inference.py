"""The forward pass of a trained network without torch: what serves and what evaluates.

The arrays are those of `network.Network`, by their names there; both give the same scores to 1e-5.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import erf

from mentorgraph.embeddings.evidence import Evidence
from mentorgraph.embeddings.message_graph import ENCODED, MessageGraph
from mentorgraph.embeddings.texts import Floats
from mentorgraph.graph.columns.table import Numbers

GROUPS = 4
"""The dot product of two encoded vectors enters in this many parts."""
HEADS = 8
HIDDEN = 32
VALUES = 12
WIDTH = 64
LEAST_MASS = 1e-4
LEAST_LOGIT = -12.0
LEAST_SUM = 1e-16
FURTHEST = 6.0
"""Normalised inputs are cut off so many deviations from their mean."""
NORM_EPSILON = 0.01
"""Least variance of an input. What never differed while learning must not explode when it first does."""

LINKS = {
    "broader": ("skill", "skill"),
    "wishes": ("skill", "goal"),
    "units": ("unit", "goal"),
    "offers": ("skill", "person"),
    "members": ("unit", "person"),
    "pairings": ("goal", "person"),
}
"""Links of the message graph: from which kind of node to which."""

Weights = Mapping[str, Floats]


@dataclass(frozen=True)
class Encoded:
    """Vectors of length 1.

    Attributes:
        skill: Of the skills, before they are sent: `float32[skills, ENCODED]`.
        unit: Of the units: `float32[units, ENCODED]`.
        sent: What the precedents send, of whatever length: `float32[precedents, ENCODED]`.
        goal: The same at length 1.
        person: Of everybody: `float32[people, ENCODED]`.
    """

    skill: Floats
    unit: Floats
    sent: Floats
    goal: Floats
    person: Floats


@dataclass(frozen=True)
class Attention:
    """How a score came about.

    Attributes:
        scores: `float32[people]`.
        asker: The asking goal: `float32[ENCODED]`.
        attention: The share of each head that each edge has: `float32[edges, HEADS]`.
        flow: What flows along each edge to each of its mentors: `float32[edges, HEADS]`.
        below: How far each edge's logit lies above the lowest that counts: `float32[edges, HEADS]`.
        values: `float32[edges, VALUES]`.
        mass: What arrives at each person: `float32[people, HEADS]`.
        inputs: What the score is made from: `float32[people, …]`; see `of_arcs` for its first columns.
    """

    scores: Floats
    asker: Floats
    attention: Floats
    flow: Floats
    below: Floats
    values: Floats
    mass: Floats
    inputs: Floats


def encode(weights: Weights, graph: MessageGraph) -> Encoded:
    """Sends the messages of a graph.

    Args:
        weights: The network's arrays.
        graph: The graph as of an instant.
    """
    skill, unit, step = graph.skill, graph.unit, link_of("broader")
    skill = skill + convolve(weights, step, graph.broader, skill) + skill @ weights[f"{step}.lin_root.weight"].T
    goal = _goals(weights, graph.text, graph.wishes, graph.units, skill, unit)
    person = (
        convolve(weights, link_of("offers"), graph.offers, skill)
        + convolve(weights, link_of("members"), graph.members, unit)
        + convolve(weights, link_of("pairings"), graph.pairings, goal)
    )
    return Encoded(skill, unit, goal, unit_length(goal), unit_length(person))


def attend(weights: Weights, encoded: Encoded, found: Evidence) -> Attention:
    """Scores the people of one question."""
    wishes, own_units = found.wishes[None, :], np.zeros((1, len(encoded.unit)), np.float32)
    own_units[0, found.units] = 1 / max(1, len(found.units))
    asker = unit_length(_goals(weights, found.text[None, :], wishes, own_units, encoded.skill, encoded.unit))[0]
    mean, deviation = weights["edge_scale"]
    near = encoded.goal[found.precedents] @ asker
    scaled = np.clip((found.edges - mean) / deviation, -FURTHEST, FURTHEST)
    edges = np.concatenate([scaled, 2 * near[:, None]], axis=1)
    hidden = _gelu(linear(weights, "edge_hidden", edges))
    logits = edges @ weights["attend.weight"].T + hidden @ weights["attend_hidden.weight"].T
    logits = logits * np.exp(weights["sharpness"])
    highest = logits.max(axis=0, initial=-np.inf)
    attention = np.exp(logits - highest)
    attention = (attention / np.maximum(attention.sum(axis=0), LEAST_SUM)).astype(np.float32)
    values = np.logaddexp(0, linear(weights, "value", hidden))
    below = np.maximum(logits - highest, LEAST_LOGIT) - LEAST_LOGIT
    people = len(found.people)
    flow = attention * np.exp(-weights["team"] * np.log(found.teams)[:, None])
    edge, mentor = found.mentor_arcs
    mass = _sums(mentor, flow[edge], people)
    as_mentee = _sums(found.mentee_arcs[1], attention[found.mentee_arcs[0]], people)
    inputs = np.concatenate(
        [
            *of_arcs(
                mass,
                mass.max(axis=0, initial=0),
                _maxima(mentor, below[edge], people),
                _sums(mentor, values[edge], people),
                _maxima(mentor, values[edge], people),
            ),
            np.log(found.together.T @ mass + np.float32(LEAST_MASS)),
            np.log(as_mentee + np.float32(LEAST_MASS)),
            found.pairs,
            *of_vectors(encoded.person[found.people], asker),
        ],
        axis=1,
        dtype=np.float32,
    )
    return Attention(scores_of(weights, inputs), asker, attention, flow, below, values, mass, inputs)


def of_arcs(mass: Floats, greatest: Floats, nearest: Floats, summed: Floats, strongest: Floats) -> tuple[Floats, ...]:
    """The inputs that depend on a person's own arcs.

    Args:
        mass: What arrives: `float32[people, HEADS]`.
        greatest: The most that arrives at anybody: `float32[HEADS]`.
        nearest: The highest of `Attention.below` that leads there: `float32[people, HEADS]`.
        summed: Sum of the values: `float32[people, VALUES]`.
        strongest: The highest of the values: `float32[people, VALUES]`.
    """
    return (
        np.log(mass + np.float32(LEAST_MASS)),
        mass / (greatest + np.float32(LEAST_MASS)),
        nearest,
        np.log1p(summed),
        strongest,
    )


def of_vectors(person: Floats, asker: Floats) -> tuple[Floats, Floats]:
    """The inputs that depend on the encoder: the dot product in `GROUPS` parts, and whole."""
    parts = (person * asker).reshape(len(person), GROUPS, ENCODED // GROUPS).sum(axis=2)
    return parts, parts.sum(axis=1, keepdims=True)


def scores_of(weights: Weights, inputs: Floats) -> Floats:
    """The scores that inputs lead to: `float32[people]`."""
    scaled = (inputs - weights["norm.running_mean"]) / np.sqrt(weights["norm.running_var"] + np.float32(NORM_EPSILON))
    scaled = np.clip(scaled, -FURTHEST, FURTHEST)
    deep = np.maximum(linear(weights, "first", scaled), 0)
    deep = np.maximum(linear(weights, "second", deep), 0)
    scores = linear(weights, "last", deep) + scaled @ weights["skip.weight"].T
    return np.asarray(scores[:, 0], np.float32)


def _goals(
    weights: Weights,
    text: Floats,
    wishes: Floats | sparse.csr_array,
    units: Floats | sparse.csr_array,
    skill: Floats,
    unit: Floats,
) -> Floats:
    """What goals become by their texts, wishes and units."""
    own = linear(weights, "encoder.text", text)
    total = convolve(weights, link_of("wishes"), wishes, skill) + convolve(weights, link_of("units"), units, unit)
    for name in ("wishes", "units"):
        total = total + own @ weights[f"{link_of(name)}.lin_root.weight"].T
    return _gelu(total)


def link_of(name: str) -> str:
    """Where the arrays of a link of the message graph are found."""
    return f"encoder.send.{name}"


def convolve(weights: Weights, name: str, links: Floats | sparse.csr_array, nodes: Floats) -> Floats:
    """The neighbours' part of a graph convolution (Morris et al. 2019, torch-geometric's `GraphConv`)."""
    return linear(weights, f"{name}.lin_rel", links @ nodes)


def linear(weights: Weights, name: str, values: Floats) -> Floats:
    """A linear layer."""
    result: Floats = values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
    return result


def _gelu(values: Floats) -> Floats:
    result: Floats = values * np.float32(0.5) * (1 + erf(values * np.float32(np.sqrt(0.5))))
    return result


def unit_length(values: Floats) -> Floats:
    """Rows scaled to length 1; empty ones stay empty."""
    result: Floats = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return result


def _sums(groups: Numbers, values: Floats, number: int) -> Floats:
    """Sums of rows by group: `float32[number, columns]`."""
    ones = np.ones(len(groups), np.float32)
    result: Floats = sparse.csr_array((ones, (groups, np.arange(len(groups)))), shape=(number, len(groups))) @ values
    return result


def _maxima(groups: Numbers, values: Floats, number: int) -> Floats:
    """Maxima of rows by group, 0 for groups without any: `float32[number, columns]`."""
    result = np.zeros((number, values.shape[1]), np.float32)
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    if len(present):
        result[present] = np.maximum.reduceat(values[order], starts, axis=0)
    return result
