"""A published model as what ranks: the signals of the rules with learned weights, and a term that is learned whole.

The score stays a sum. The term is the network's opinion or, where no network ranks, what past goals tell by counts and
likeness. Both are explained by deletion: one of the mentor's past pairings is taken away from all that the term looks
along, and how far it falls is the weight of that path.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mentorgraph.embeddings.deletion import Deletion, drops_of_sum
from mentorgraph.embeddings.evaluation import SERVED
from mentorgraph.embeddings.evidence import EDGE_FEATURES, MEANING_FEATURES, evidence
from mentorgraph.embeddings.evidence import Evidence as Found
from mentorgraph.embeddings.fusion import FUSED, Fusion, likeness_of
from mentorgraph.embeddings.knowledge import MEANINGS, Knowledge
from mentorgraph.embeddings.model import Model, log_shares, together
from mentorgraph.embeddings.registry import ModelRefused, Published
from mentorgraph.embeddings.tasks import allowed
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import PastPairings, Question
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import link_uid
from mentorgraph.graph.ranking.scoring import LEARNED, NETWORK, PRECEDENTS, Chance, Scores, Term, contributions_of
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.signals.gather import all_signals
from mentorgraph.graph.signals.signal import Evidence, Signal, pairing_links

MOST_DELETIONS = 12
"""So many of a mentor's pairings, those that the network attends to most, are tried."""

MENTOR = next(link for link in KINDS["pairings"].links if link.name == "mentor")

UNIT = "times likelier than chance, as logarithm"


@dataclass(frozen=True)
class LearnedScorer:
    """Ranks by a published model.

    Attributes:
        model_version: The version.
        policy: The rules, and the settings of the signals.
        model: The model.
        with_network: Whether the network has a part; else only the weights of the signals are learned.
    """

    model_version: str
    policy: Policy
    model: Model
    with_network: bool

    @classmethod
    def of(cls, published: Published, policy: Policy) -> "LearnedScorer":
        """The scorer of a published version.

        Raises:
            ModelRefused: It was made for another version of mentorgraph.
        """
        try:
            model = Model.of(published.arrays, published.texts)
        except (ValueError, KeyError, IndexError) as error:
            raise ModelRefused(f"model {published.version} is of another mentorgraph; train again") from error
        return cls(published.version, policy, model, published.manifest["ranking"] == SERVED)

    def under(self, policy: Policy) -> "LearnedScorer":
        """The same model under another policy."""
        return replace(self, policy=policy)

    @property
    def ranking(self) -> Fusion:
        """The sum that it ranks by."""
        return self.model.fusion if self.with_network else self.model.plain

    @property
    def weights(self) -> dict[str, float]:
        """Term → weight: the signals, and what is learned whole where it has a part."""
        found = {name: float(self.ranking.weights[FUSED.index(f"signal {name}")]) for name in self.model.signals}
        found |= {PRECEDENTS: 1.0} if self.ranking.has_precedents else {}
        return found | ({NETWORK: self.ranking.network} if self.ranking.network else {})

    def score(self, columns: Columns, asked: Question) -> Scores:
        """Scores all who are ranked: Σ weight × value; where a value is unknown it adds nothing.

        What is learned whole looks at everybody who has mentored, so they are ranked too.
        """
        asked = allowed(asked, self.model.setting)
        weights = self.weights
        is_whole = not weights.keys().isdisjoint(LEARNED)
        if is_whole and asked.among is not None:
            known = self.model.knowledge(columns, asked.now, self.policy)
            people = np.concatenate([asked.among.people, np.flatnonzero(known.has_mentored)])
            asked = replace(asked, among=Pool.of(columns, people))
        signals = {each.name: each for each in all_signals(columns, asked, self.policy)}
        terms = []
        for name in self.model.signals:
            weight = weights[name]
            contributions = contributions_of(signals[name].values, weight)
            values, explain = signals[name].values, signals[name].explain
            terms.append(Term(name, signals[name].unit, weight, values, contributions, explain))
        if is_whole:
            terms += self._learned(columns, asked, signals, weights)
        return Scores.of(0.0, tuple(terms), asked.among)

    def chance(self, score: float) -> Chance | None:
        """The chance that a pairing of this score would succeed; None where the version is not calibrated."""
        return self.model.chance.chance(score) if self.model.chance else None

    def _learned(
        self, columns: Columns, asked: Question, signals: dict[str, Signal], weights: dict[str, float]
    ) -> Iterator[Term]:
        """What is learned whole: ln(share · people) of everybody who has mentored, 0 for as likely as by chance."""
        known = self.model.knowledge(columns, asked.now, self.policy)
        people = np.flatnonzero(known.has_mentored)
        found = evidence(known, asked, people, signals=tuple(signals.values()))
        pool = asked.pool(columns)

        def term(name: str, shares: NDArray[np.floating], drops: Callable[[int], list[tuple[int, float]]]) -> Term:
            values = np.full(len(pool), np.nan)
            values[pool.places_of(people)] = shares + np.log(max(1, len(people)))

            def explain(person: int) -> list[Evidence]:
                if person not in people:
                    return []
                pairings = drops(int(np.searchsorted(people, person)))
                return _items(known, asked, found, columns.people.uids[person], pairings, _paths_to(signals, person))

            return Term(name, UNIT, weights[name], values, contributions_of(values, weights[name]), explain)

        if PRECEDENTS in weights:
            likeness = likeness_of(found)
            told = self.ranking.of_precedents(found, likeness)
            sums = self.ranking, told, likeness, known, found
            yield term(
                PRECEDENTS, log_shares(told, found.correction), lambda place: drops_of_sum(*sums, place, MOST_DELETIONS)
            )
        if NETWORK in weights:
            thought = self.model.attentions(known, found)
            opinion = together([each.scores for each in thought], found.correction)
            yield term(
                NETWORK, opinion, lambda place: Deletion(self.model, known, found, thought, place).drops(MOST_DELETIONS)
            )


def _items(
    known: Knowledge,
    asked: Question,
    found: Found,
    mentor: str,
    drops: Sequence[tuple[int, float]],
    told: Mapping[str, Evidence],
) -> list[Evidence]:
    """The paths through some past pairings of a mentor, with what falls without each.

    Args:
        known: What is known.
        asked: The question.
        found: The evidence for it.
        mentor: uid of the mentor.
        drops: Rows of the pairings in their table, with what falls.
        told: The strongest path through each by the signals, by the uid of the edge that leads to the mentor.
    """
    columns, past, items = known.columns, PastPairings.of(known.columns, asked), []
    for pairing, drop in drops:
        uid = link_uid(columns.numberings["pairings"].uids[pairing], MENTOR, mentor)
        item = _by_meaning(known, asked, found, past, pairing, told.get(uid))
        if item is not None:
            items.append(replace(item, drop=drop))
    return sorted(items, key=lambda each: (-each.drop, -each.strength, each.edges))


def _by_meaning(
    known: Knowledge, asked: Question, found: Found, past: PastPairings, pairing: int, told: Evidence | None
) -> Evidence | None:
    """The path through a past pairing: that of what its goal means, where that is more alike than words are.

    Args:
        known: What is known.
        asked: The question.
        found: The evidence for it.
        past: The past pairings that it may look at.
        pairing: Row of the pairing in their table.
        told: The strongest path through it by the signals, if there is one.
    """
    if known.encoder is None or (told is not None and told.metapath != "similar_text"):
        return told
    row = int(np.flatnonzero(known.precedents.pairing_row == pairing)[0])
    edge = int(np.searchsorted(found.precedents, known.precedents.pairing_precedent[row]))
    likeness = float(found.edges[edge, len(EDGE_FEATURES) + MEANING_FEATURES.index(MEANINGS[0])])
    if likeness <= (told.strength if told else 0.0):
        return told
    columns, place = known.columns, int(np.searchsorted(past.rows, pairing))
    links = pairing_links(columns, past, place, "goal", "mentor")
    return Evidence("similar_meaning", links, 0.0, start=columns.goals.uids[asked.goal], strength=min(1.0, likeness))


def _paths_to(signals: dict[str, Signal], person: int) -> dict[str, Evidence]:
    """The strongest path through each past pairing of a person, by the uid of the edge that leads to them."""
    found: dict[str, Evidence] = {}
    for name in ("goal_text", "similar_goals", "unit"):
        for item in signals[name].explain(person):
            uid = item.edges[-1].uid
            if item.edges[-1].type == MENTOR.type and (uid not in found or item.strength > found[uid].strength):
                found[uid] = item
    return found
