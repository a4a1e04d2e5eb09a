"""What ranks: its sum, the parts by their definitions, and what the network's part loses by a deletion."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

from mentorgraph.embeddings.deletion import Deletion, drops_of_sum
from mentorgraph.embeddings.evaluation import PLAIN, SERVED
from mentorgraph.embeddings.evidence import Evidence, evidence
from mentorgraph.embeddings.fusion import FUSED, OF_RULES, Fusion, likeness_of
from mentorgraph.embeddings.inference import attend, encode
from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.message_graph import MessageGraph, means
from mentorgraph.embeddings.model import Model, together
from mentorgraph.embeddings.registry import ModelRefused, Published
from mentorgraph.embeddings.tasks import FULL, Task, questions
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import Question
from mentorgraph.graph.ranking.scoring import LEARNED, NETWORK, PRECEDENTS
from mentorgraph.graph.rules.policy import SIGNALS, load_policy

POLICY = load_policy()
WEIGHT = 0.6


@pytest.fixture(scope="module")
def weighted(model: Model) -> Model:
    """The model with past goals and a network that count, whatever so small a community has taught."""
    weights = np.where(OF_RULES, model.plain.weights, model.linear.weights)
    return replace(model, fusion=Fusion(weights, WEIGHT), plain=Fusion(weights, 0.0))


@pytest.fixture(scope="module")
def asked(columns: Columns, task: Task) -> list[Question]:
    return questions(columns, task, FULL, POLICY.signals)


def scorer(model: Model, with_network: bool = True) -> LearnedScorer:
    return LearnedScorer("v1", POLICY, model, with_network)


def test_the_score_is_the_sum_of_weights_times_values(weighted: Model, columns: Columns, asked: list[Question]) -> None:
    for each in asked[:10]:
        scores = scorer(weighted).score(columns, each)
        assert [term.name for term in scores.terms] == [*SIGNALS, *LEARNED]
        total = np.zeros(len(columns.people))
        for term in scores.terms:
            assert term.weight is not None
            total += term.weight * np.nan_to_num(term.values)
        assert scores.base == 0
        np.testing.assert_allclose(scores.total, total, atol=1e-8)


@pytest.mark.parametrize("with_network", [True, False])
def test_whoever_is_ranked_among_some_has_the_score_that_they_have_among_everybody(
    weighted: Model, columns: Columns, asked: list[Question], with_network: bool
) -> None:
    ranks, some = scorer(weighted, with_network), Pool.of(columns, range(0, len(columns.people), 7))
    for each in asked[:4]:
        everybody, among = ranks.score(columns, each), ranks.score(columns, replace(each, among=some))
        places = among.places(some.people)
        np.testing.assert_array_equal(among.total[places], everybody.total[some.people])
        assert [each.explain(int(some.people[3])) for each in among.terms] == [
            each.explain(int(some.people[3])) for each in everybody.terms
        ]
        assert len(among.total) < len(everybody.total)


@pytest.mark.parametrize(
    "ignored", [{NETWORK}, {"skills"}, {PRECEDENTS}, {NETWORK, "unit", "load"}, {*LEARNED, *SIGNALS}]
)
def test_what_is_ignored_is_in_no_score_of_a_learned_model(
    weighted: Model, columns: Columns, asked: list[Question], ignored: set[str]
) -> None:
    scores = scorer(weighted).score(columns, asked[0])
    left = scores.without(ignored)
    assert [term.name for term in left.terms] == [name for name in (*SIGNALS, *LEARNED) if name not in ignored]
    without = scores.total - sum(term.contributions for term in scores.terms if term.name in ignored)
    np.testing.assert_allclose(left.total, without, atol=1e-6)
    assert left.total.shape == scores.total.shape
    assert not np.allclose(left.total, scores.total)


def test_weights_are_those_of_the_model(weighted: Model, columns: Columns, asked: list[Question]) -> None:
    scores = scorer(weighted).score(columns, asked[0])
    for term in scores.terms[:-2]:
        assert term.weight == weighted.plain.weights[FUSED.index(f"signal {term.name}")]
    assert [term.weight for term in scores.terms[-2:]] == [1.0, WEIGHT]
    assert len({term.weight for term in scores.terms}) > 4
    plain = scorer(weighted, with_network=False).score(columns, asked[0])
    assert [term.name for term in plain.terms] == [*SIGNALS, PRECEDENTS]
    of_rules = replace(weighted, plain=Fusion(np.where(OF_RULES, weighted.plain.weights, 0), 0.0))
    few = scorer(of_rules, with_network=False).score(columns, asked[0])
    assert [term.name for term in few.terms] == [*SIGNALS]


@pytest.mark.parametrize("with_network", [True, False])
def test_what_serves_ranks_as_what_was_judged(
    weighted: Model, columns: Columns, task: Task, asked: list[Question], with_network: bool
) -> None:
    known = weighted.knowledge(columns, task.now, POLICY)
    for each in asked[:10]:
        found = evidence(known, each, task.candidates)
        judged = weighted.scores(known, found) if with_network else weighted.plain.scores(found, None)
        served = scorer(weighted, with_network).score(columns, each).total[task.candidates]
        np.testing.assert_allclose(served - served[0], judged - judged[0], atol=2e-5)


def test_whoever_has_never_mentored_is_as_likely_as_by_chance(
    weighted: Model, columns: Columns, task: Task, asked: list[Question]
) -> None:
    new = np.setdiff1d(np.arange(len(columns.people)), task.candidates)
    for term in scorer(weighted).score(columns, asked[0]).terms[-2:]:
        assert np.isnan(term.values[new]).all()
        assert (term.contributions[new] == 0).all()
        assert np.exp(term.values[task.candidates]).mean() == pytest.approx(1, abs=1e-3)
        assert term.explain(int(new[0])) == []


# --- deletion -------------------------------------------------------------------------------------------------------


def share_without(model: Model, known: Knowledge, found: Evidence, place: int, precedent: int) -> float:
    """The definition: the network run again on evidence and messages that lack one person's part of a precedent."""
    arcs = found.mentor_arcs
    lost = (arcs[1] == place) & (found.precedents[arcs[0]] == precedent)
    changed = replace(found, mentor_arcs=arcs[:, ~lost])
    graph = MessageGraph.of(known)
    person = int(found.people[place])
    pairings = graph.pairings.tolil()
    pairings[person, precedent] = 0
    graph = replace(graph, pairings=means(pairings.tocsr()))
    scores = []
    for weights, whole in zip(model.networks, model.attentions(known, found), strict=True):
        again = attend(weights, encode(weights, graph), changed).scores
        scores.append(np.where(np.arange(len(again)) == place, again, whole.scores))
    return float(together(scores, found.correction)[place])


def test_a_drop_is_what_running_the_network_again_gives(
    weighted: Model, columns: Columns, task: Task, asked: list[Question]
) -> None:
    known = weighted.knowledge(columns, task.now, POLICY)
    tried = 0
    for each in asked[:6]:
        found = evidence(known, each, task.candidates)
        thought = weighted.attentions(known, found)
        whole = together([part.scores for part in thought], found.correction)
        for place in np.argsort(-whole)[:3]:
            deletion = Deletion(weighted, known, found, thought, int(place))
            for pairing, drop in deletion.drops(4):
                precedent = int(known.precedents.pairing_precedent[known.precedents.pairing_row == pairing][0])
                expected = whole[place] - share_without(weighted, known, found, int(place), precedent)
                assert drop == pytest.approx(float(expected), abs=2e-4)
                tried += 1
    assert tried > 20


def test_a_drop_of_the_sum_is_what_summing_again_gives(
    weighted: Model, columns: Columns, task: Task, asked: list[Question]
) -> None:
    known, ranking = weighted.knowledge(columns, task.now, POLICY), weighted.plain
    tried, shuffled = [], np.random.default_rng(1)
    for each in asked[:20]:
        found = evidence(known, each, task.candidates)
        scores, likeness = ranking.of_precedents(found), likeness_of(found)
        for place in np.unique(found.mentor_arcs[1])[:6]:
            for pairing, drop in drops_of_sum(ranking, scores, likeness, known, found, int(place), 9):
                precedent = int(known.precedents.pairing_precedent[known.precedents.pairing_row == pairing][0])
                edge, mentor = found.mentor_arcs
                kept = (mentor != place) | (found.precedents[edge] != precedent)
                again = scores.copy()
                again[place] = ranking.of_precedents(replace(found, mentor_arcs=found.mentor_arcs[:, kept]))[place]
                shares = [log_softmax(some + found.correction)[place] for some in (scores, again)]
                assert drop > 0
                tried.append((drop, shares[0] - shares[1]))
    told, expected = np.array(tried).T
    assert len(told) > 40
    np.testing.assert_allclose(told, expected, atol=1e-9)
    assert not np.allclose(shuffled.permutation(told), expected, atol=1e-3)  # the control


def test_the_paths_of_what_is_learned_lead_through_the_mentors_own_pairings(
    weighted: Model, columns: Columns, asked: list[Question]
) -> None:
    for term in scorer(weighted).score(columns, asked[0]).terms[-2:]:
        best = int(np.nanargmax(term.values))
        told = term.explain(best)
        assert told
        assert [each.drop for each in told] == sorted((each.drop for each in told), reverse=True)
        assert {each.edges[-1].type for each in told} == {"MENTOR"}
        assert told[0].drop != 0


# --- from a published version ---------------------------------------------------------------------------------------


def test_a_published_model_ranks_as_the_one_that_was_taught(
    weighted: Model, columns: Columns, asked: list[Question]
) -> None:
    published = Published("v1", {"ranking": SERVED}, weighted.arrays(), weighted.texts())
    again = LearnedScorer.of(published, POLICY)
    for each in asked[:3]:
        ours, theirs = scorer(weighted).score(columns, each), again.score(columns, each)
        np.testing.assert_array_equal(ours.total, theirs.total)
    assert not LearnedScorer.of(replace(published, manifest={"ranking": PLAIN}), POLICY).with_network


def test_a_model_of_other_signals_is_refused(weighted: Model) -> None:
    texts = {**weighted.texts(), "signals": ["another"]}
    with pytest.raises(ModelRefused, match="train again"):
        LearnedScorer.of(Published("v1", {"ranking": SERVED}, weighted.arrays(), texts), POLICY)
    texts = {**weighted.texts(), "skills": ["s1"], "units": []}  # as versions told whose vectors of skills were learned
    with pytest.raises(ModelRefused, match="train again"):
        LearnedScorer.of(Published("v1", {"ranking": SERVED}, weighted.arrays(), texts), POLICY)
    arrays = {name: each for name, each in weighted.arrays().items() if name != "plain.weights"}
    with pytest.raises(ModelRefused, match="train again"):
        LearnedScorer.of(Published("v1", {"ranking": SERVED}, arrays, weighted.texts()), POLICY)
