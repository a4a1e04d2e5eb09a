"""Reasons beside GNNExplainer: whose order of a mentor's past pairings makes the network's opinion fall fastest.

Both rank the past pairings of one person for one goal, by the same trained networks: ours by taking each away,
GNNExplainer (Ying et al. 2019) by a mask that it learns over all edges. Then the first one, two, … of each order are
taken away for good, and the whole forward pass tells how far ln(share) of the person has fallen: the deletion curve
(Samek et al. 2017). An order by chance shows what any order would give.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch_geometric.explain import Explainer, GNNExplainer

from mentorgraph.embeddings.deletion import Deletion, person_without
from mentorgraph.embeddings.evaluation import Interval, bootstrap
from mentorgraph.embeddings.evidence import Evidence, evidence
from mentorgraph.embeddings.inference import Attention, attend, unit_length
from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.masked import MaskableOpinion
from mentorgraph.embeddings.model import Model, together
from mentorgraph.embeddings.tasks import Task, questions
from mentorgraph.embeddings.teaching import one_thread

OURS, PEER, CHANCE = "paths ranked by deletion", "GNNExplainer", "by chance"
KINDS = {OURS: "model", PEER: "peer", CHANCE: "baseline"}
MOST = 5
"""So many pairings are taken away."""
FEWEST = 3
"""People with fewer attended pairings have no order to speak of."""
LISTED = 10
"""The people who are explained stand among so many first ones."""
EPOCHS = 100
"""What torch-geometric's GNNExplainer does by default."""
RATE = 0.01
"""The same."""


@dataclass(frozen=True)
class Pair:
    """A goal and a mentor, and all that both explainers are given.

    Attributes:
        found: The evidence for the goal.
        thought: What each network made of it.
        place: The mentor's place among the people in question.
    """

    found: Evidence
    thought: list[Attention]
    place: int

    @property
    def precedents(self) -> list[int]:
        """The mentor's precedents that are attended to, ascending."""
        edge, mentor = self.found.mentor_arcs
        return sorted(set(self.found.precedents[edge[mentor == self.place]].tolist()))


@dataclass(frozen=True)
class Compared:
    """What came out, by explainer.

    Attributes:
        curves: Fall of ln(share) with 1, 2, … pairings taken away: `float64[pairs, MOST]`; a mentor with fewer ends
            where all are gone.
        seconds: Of each pair; both work on one thread.
    """

    curves: Mapping[str, np.ndarray]
    seconds: Mapping[str, Sequence[float]]


def compare(
    model: Model,
    known: Knowledge,
    task: Task,
    *,
    pairs: int,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Callable[[int], None] = lambda _pairs: None,
) -> Compared:
    """Compares the explainers.

    Args:
        model: Taught with nothing that began after the task's `now`.
        known: What is known then.
        task: Whose goals are asked about.
        pairs: How many pairs, one a goal; fewer where the task has not so many.
        epochs: Of GNNExplainer.
        seed: Decides which pairs, and all that chance decides.
        progress: Told how many pairs are done.
    """
    curves: dict[str, list[list[float]]] = {name: [] for name in (OURS, PEER, CHANCE)}
    seconds: dict[str, list[float]] = {name: [] for name in (OURS, PEER)}
    chance = np.random.default_rng(seed)
    for done, pair in enumerate(_pairs(model, known, task, pairs, chance), 1):
        orders = {CHANCE: chance.permutation(pair.precedents).tolist()}
        for name, order in ((OURS, by_deletion), (PEER, lambda *a: by_gnn_explainer(*a, epochs=epochs, seed=seed))):
            began = time.perf_counter()
            with one_thread():
                orders[name] = order(model, known, pair)
            seconds[name].append(time.perf_counter() - began)
        for name, ranked in orders.items():
            curves[name].append(curve(model, known, pair, ranked))
        progress(done)
    return Compared({name: np.reshape(each, (-1, MOST)) for name, each in curves.items()}, seconds)


def _pairs(model: Model, known: Knowledge, task: Task, number: int, chance: np.random.Generator) -> Iterator[Pair]:
    order = chance.permutation(len(task))
    asked = questions(known.columns, task, known.setting, known.policy.signals)
    left = number
    for ask in order:
        found = evidence(known, asked[ask], task.candidates)
        thought = model.attentions(known, found)
        shares = together([each.scores for each in thought], found.correction)
        best = np.argsort(-shares, kind="stable")[:LISTED]
        enough = [pair for place in best if len((pair := Pair(found, thought, int(place))).precedents) >= FEWEST]
        if enough:
            yield enough[int(chance.integers(len(enough)))]
            left -= 1
        if not left:
            return


def by_deletion(model: Model, known: Knowledge, pair: Pair) -> list[int]:
    """The mentor's precedents, ours first where the opinion falls most without it."""
    deletion = Deletion(model, known, pair.found, pair.thought, pair.place)
    found = deletion.by_precedent(len(pair.precedents))
    return [precedent for precedent, _ in sorted(found, key=lambda each: (-each[1], each[0]))]


def by_gnn_explainer(
    model: Model, known: Knowledge, pair: Pair, *, epochs: int = EPOCHS, rate: float = RATE, seed: int = 0
) -> list[int]:
    """The mentor's precedents by the mask that GNNExplainer gives their edges, the highest first."""
    opinion = MaskableOpinion(model, known, pair.found, pair.thought, pair.place)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        explainer = Explainer(
            opinion,
            GNNExplainer(epochs=epochs, lr=rate),
            explanation_type="model",
            edge_mask_type="object",
            model_config={"mode": "regression", "task_level": "graph", "return_type": "raw"},
        )
        mask = explainer(opinion.x, opinion.edge_index).edge_mask.numpy()
    wanted = set(pair.precedents)
    own = [
        (float(mask[edge]), int(opinion.edges.precedent[edge]))
        for edge in np.flatnonzero(opinion.edges.person == pair.place)
        if int(opinion.edges.precedent[edge]) in wanted
    ]
    return [precedent for _, precedent in sorted(own, key=lambda each: (-each[0], each[1]))]


def curve(model: Model, known: Knowledge, pair: Pair, order: Sequence[int]) -> list[float]:
    """How far ln(share) of the mentor has fallen when the first 1, 2, … `MOST` of an order are taken away."""
    whole = share_without(model, known, pair, ())
    found = [
        whole - share_without(model, known, pair, order[:number]) for number in range(1, min(MOST, len(order)) + 1)
    ]
    return found + found[-1:] * (MOST - len(found))


def share_without(model: Model, known: Knowledge, pair: Pair, precedents: Sequence[int]) -> float:
    """ln(share) of the mentor where they had not mentored in some precedents, by the whole forward pass."""
    graph, encoded = model.encoded(known)
    edge, mentor = pair.found.mentor_arcs
    gone = (mentor == pair.place) & np.isin(pair.found.precedents[edge], list(precedents))
    found = replace(pair.found, mentor_arcs=pair.found.mentor_arcs[:, ~gone])
    person = int(found.people[pair.place])
    scores = []
    for weights, vectors in zip(model.networks, encoded, strict=True):
        everybody = vectors.person.copy()
        gone_precedents = np.array(precedents, np.int64)[None, :]
        everybody[person] = unit_length(person_without(weights, vectors, graph, person, gone_precedents))[0]
        scores.append(attend(weights, replace(vectors, person=everybody), found).scores)
    return float(together(scores, found.correction)[pair.place])


def rows(found: Compared) -> list[dict[str, Any]]:
    """One row for each order; `low` and `high` bound the mean of `area`, the curve's mean over its `MOST` points."""
    table: list[dict[str, Any]] = []
    for name, curves in found.curves.items():
        interval = bootstrap(curves.mean(axis=1))
        row: dict[str, Any] = {"name": name, "kind": KINDS[name], "setting": "full", "group": "all"}
        row |= {f"drop@{number + 1}": float(fallen) for number, fallen in enumerate(curves.mean(axis=0))}
        row |= {"area": interval.mean, "low": interval.low, "high": interval.high}
        if name in found.seconds:
            row["ms_per_pair"] = float(np.mean(found.seconds[name]) * 1e3)
            row["times_ours"] = float(np.mean(found.seconds[name]) / np.mean(found.seconds[OURS]))
        table.append(row)
    return table


def advantage(found: Compared, other: str) -> Interval:
    """By how much our curve's area exceeds another one's, pair by pair."""
    return bootstrap(found.curves[OURS].mean(axis=1) - found.curves[other].mean(axis=1))
