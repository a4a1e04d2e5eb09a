"""Our order of past pairings beside GNNExplainer's and beside chance."""

import numpy as np
import pytest
import torch

from mentorgraph.embeddings import against_gnn_explainer as peer
from mentorgraph.embeddings.against_gnn_explainer import CHANCE, MOST, OURS, PEER, Pair, advantage, compare, rows
from mentorgraph.embeddings.deletion import Deletion
from mentorgraph.embeddings.masked import MaskableOpinion
from mentorgraph.embeddings.model import Model, together
from mentorgraph.embeddings.tasks import Task
from mentorgraph.graph.columns.columns import Columns

from .conftest import NOW, POLICY


@pytest.fixture(scope="module")
def pairs(model: Model, columns: Columns, task: Task) -> list[Pair]:
    """Some pairs that can be explained."""
    known = model.knowledge(columns, NOW, POLICY)
    return list(peer._pairs(model, known, task, 4, np.random.default_rng(0)))


def test_the_maskable_opinion_is_that_of_the_trained_networks(
    model: Model, columns: Columns, pairs: list[Pair]
) -> None:
    known = model.knowledge(columns, NOW, POLICY)
    for pair in pairs:
        opinion = MaskableOpinion(model, known, pair.found, pair.thought, pair.place)
        served = float(together([each.scores for each in pair.thought], pair.found.correction)[pair.place])
        with torch.no_grad():
            assert float(opinion(opinion.x, opinion.edge_index)) == pytest.approx(served, abs=1e-4)
            own = torch.from_numpy(opinion.edges.person == pair.place)
            opinion._weight[own], opinion._content[own] = 0, 0
            alone = float(opinion(opinion.x, opinion.edge_index))
        gone = opinion.edges.precedent[own.numpy()].tolist()
        assert alone == pytest.approx(peer.share_without(model, known, pair, gone), abs=1e-4)
        assert abs(alone - served) > 1e-3


def test_what_deletion_says_is_what_the_whole_forward_pass_says(
    model: Model, columns: Columns, pairs: list[Pair]
) -> None:
    known = model.knowledge(columns, NOW, POLICY)
    compared = 0
    for pair in pairs:
        whole = peer.share_without(model, known, pair, ())
        deletion = Deletion(model, known, pair.found, pair.thought, pair.place)
        for precedent, drop in deletion.by_precedent(3):
            # Deletion leaves the co-mentors' inputs as they are, so the two are near and not the same.
            assert drop == pytest.approx(whole - peer.share_without(model, known, pair, [precedent]), abs=0.02)
            compared += 1
    assert compared == 3 * len(pairs)


def test_our_order_falls_faster_than_chance_and_no_slower_than_the_peer(
    model: Model, columns: Columns, task: Task
) -> None:
    known = model.knowledge(columns, NOW, POLICY)
    found = compare(model, known, task, pairs=12, epochs=30)
    table = {row["name"]: row for row in rows(found)}
    assert set(table) == {OURS, PEER, CHANCE}
    assert all(len(curves) == 12 and curves.shape[1] == MOST for curves in found.curves.values())
    assert table[OURS]["area"] > table[CHANCE]["area"]
    assert advantage(found, CHANCE).low > 0
    assert advantage(found, PEER).high >= 0
    assert table[PEER]["ms_per_pair"] > table[OURS]["ms_per_pair"]


def test_an_order_upside_down_falls_slower_than_chance(model: Model, columns: Columns, pairs: list[Pair]) -> None:
    known = model.knowledge(columns, NOW, POLICY)
    chance = np.random.default_rng(1)
    worse, usual = [], []
    for pair in pairs:
        upside_down = peer.by_deletion(model, known, pair)[::-1]
        worse.append(np.mean(peer.curve(model, known, pair, upside_down)))
        orders = [chance.permutation(pair.precedents).tolist() for _ in range(8)]
        usual.append(np.mean([peer.curve(model, known, pair, order) for order in orders]))
    assert np.mean(worse) < np.mean(usual)
