"""The forward pass without torch gives what torch gives."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mentorgraph.embeddings.evidence import EDGE_FEATURES, Evidence, evidence
from mentorgraph.embeddings.inference import attend, encode
from mentorgraph.embeddings.message_graph import ENCODED, MessageGraph, by_chance
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.network import Batch, Graph, Network
from mentorgraph.embeddings.tasks import FULL, Task, questions
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Question
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.rules.policy import load_policy

POLICY = load_policy()
FIRST_SIGNS = (-1, -1, -1, -1, -1, 1, 1, -1)


@pytest.fixture
def found(columns: Columns, task: Task, model: Model) -> tuple[list[Evidence], MessageGraph]:
    known = model.knowledge(columns, task.now, POLICY)
    asked = questions(columns, task, FULL, POLICY.signals)[:6]
    nothing = Question(asked[0].mentee, NONE, task.now, (), frozenset())
    listed = [evidence(known, each, task.candidates) for each in [*asked, nothing]]
    return listed, MessageGraph.of(known)


@pytest.mark.parametrize("seed", range(8))
def test_numpy_equals_torch_for_random_weights_and_graphs(
    seed: int, found: tuple[list[Evidence], MessageGraph], columns: Columns
) -> None:
    listed, graph = found
    chance = np.random.default_rng(seed)
    # Other people, other attention and other messages each time.
    listed = [
        replace(
            each,
            edges=chance.normal(size=each.edges.shape).astype(np.float32),
            pairs=chance.normal(size=each.pairs.shape).astype(np.float32),
            mentor_arcs=each.mentor_arcs[:, chance.random(each.mentor_arcs.shape[1]) < 0.8],
        )
        for each in listed
    ]
    drawn = {
        name: chance.normal(size=getattr(graph, name).shape).astype(np.float32) for name in ("text", "skill", "unit")
    }
    graph = replace(graph, **drawn)
    torch.manual_seed(seed)
    features = len(EDGE_FEATURES)
    network = Network(torch.tensor([[0.1] * features, [0.7] * features]), graph.text.shape[1])
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        batch, data = Batch.of(listed, len(graph.unit)), Graph.of(graph)
        network.train()
        network(batch, data)  # gives the normalisation something to remember
        network.eval()
        expected = network(batch, data).numpy()
    weights = {name: each.numpy() for name, each in network.state_dict().items()}
    encoded = encode(weights, graph)
    scores = np.concatenate([attend(weights, encoded, each).scores for each in listed])
    assert expected.std() > 0.01
    assert np.abs(scores - expected).max() < 1e-5


def test_messages_to_those_in_question_alone_give_them_the_same_scores(
    columns: Columns, task: Task, found: tuple[list[Evidence], MessageGraph]
) -> None:
    """As teaching sends them; and whom none reaches is scored otherwise, else the rows would not matter."""
    listed, graph = found
    torch.manual_seed(0)
    network = Network(torch.tensor([[0.1], [0.7]]).expand(2, len(EDGE_FEATURES)), graph.text.shape[1]).eval()
    batch = Batch.of(listed, len(graph.unit))
    among = Graph.of(graph, among=task.candidates)
    assert among.links["offers"].forth.shape[0] == len(task.candidates)
    next_to = replace(among, person=(among.person + 1).clamp(max=len(task.candidates) - 1))
    with torch.no_grad():
        whole, some, wrong = (network(batch, each) for each in (Graph.of(graph), among, next_to))
    assert torch.allclose(some, whole, atol=1e-6)
    assert not torch.allclose(wrong, whole, atol=1e-5)


def test_whatever_is_told_apart_by_chance_is_the_same_everywhere_and_unlike_any_other() -> None:
    uids = [f"skill {number}" for number in range(400)]
    found = by_chance(uids)
    np.testing.assert_array_equal(found[:3], by_chance(uids[:3]))
    assert found[0, :8].tolist() == pytest.approx([0.3 * sign for sign in FIRST_SIGNS])
    cosines = found @ found.T / (ENCODED * 0.09)
    assert cosines.diagonal() == pytest.approx(1)
    np.fill_diagonal(cosines, 0)
    assert cosines.std() == pytest.approx(1 / np.sqrt(ENCODED), rel=0.05)
    assert np.abs(cosines).max() < 0.75
    assert by_chance([]).shape == (0, ENCODED)


def test_a_question_without_any_precedent_is_scored_all_the_same(
    columns: Columns, task: Task, model: Model, found: tuple[list[Evidence], MessageGraph]
) -> None:
    nothing = found[0][-1]
    assert len(nothing.precedents) == 0
    scores = model.scores(model.knowledge(columns, task.now, POLICY), nothing)
    assert scores.shape == (len(task.candidates),)
    assert np.isfinite(scores).all()


def test_the_attention_of_each_head_sums_to_one(columns: Columns, task: Task, model: Model) -> None:
    known = model.knowledge(columns, task.now, POLICY)
    asked = questions(columns, task, FULL, POLICY.signals)[0]
    for each in model.attentions(known, evidence(known, asked, task.candidates)):
        assert each.attention.sum(axis=0) == pytest.approx(np.ones(each.attention.shape[1]), abs=1e-5)


def test_a_model_comes_back_from_its_arrays_with_the_same_scores(columns: Columns, task: Task, model: Model) -> None:
    again = Model.of(model.arrays(), model.texts())
    asked = questions(columns, task, FULL, POLICY.signals)[1]
    scores = []
    for each in (model, again):
        known = each.knowledge(columns, task.now, POLICY)
        scores.append(each.scores(known, evidence(known, asked, task.candidates)))
    assert np.array_equal(scores[0], scores[1])
