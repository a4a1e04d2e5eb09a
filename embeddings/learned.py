"""A published model as what ranks: the signals of the rules with learned weights, and the network as one more signal.

The score stays a sum. The network's part is explained by deletion: one of the mentor's past pairings is taken away from
everything that the network looks at, and how far its part falls is the weight of that path.
"""

from dataclasses import dataclass, replace

import numpy as np

from mentorgraph.embeddings.deletion import Deletion
from mentorgraph.embeddings.evaluation import SERVED
from mentorgraph.embeddings.evidence import EDGE_FEATURES, MEANING_FEATURES, evidence
from mentorgraph.embeddings.evidence import Evidence as Found
from mentorgraph.embeddings.fusion import FUSED
from mentorgraph.embeddings.knowledge import MEANINGS, Knowledge
from mentorgraph.embeddings.model import Model, together
from mentorgraph.embeddings.registry import ModelRefused, Published
from mentorgraph.embeddings.tasks import allowed
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import PastPairings, Question
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import link_uid
from mentorgraph.graph.ranking.scoring import NETWORK, Chance, Scores, Term, contributions_of
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
    def weights(self) -> dict[str, float]:
        """Signal → weight, the network among them where it has a part."""
        ranking = self.model.fusion if self.with_network else self.model.plain
        found = {name: float(ranking.weights[FUSED.index(f"signal {name}")]) for name in self.model.signals}
        return {**found, NETWORK: ranking.network} if self.with_network else found

    def score(self, columns: Columns, asked: Question) -> Scores:
        """Scores all who are ranked: Σ weight × value; where a value is unknown it adds nothing.

        The network looks at everybody who has mentored, so they are ranked too.
        """
        asked = allowed(asked, self.model.setting)
        weights = self.weights
        if self.with_network and asked.among is not None:
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
        if self.with_network:
            terms.append(self._network(columns, asked, signals, weights[NETWORK]))
        return Scores.of(0.0, tuple(terms), asked.among)

    def chance(self, score: float) -> Chance | None:
        """The chance that a pairing of this score would succeed; None where the version is not calibrated."""
        return self.model.chance.chance(score) if self.model.chance else None

    def _network(self, columns: Columns, asked: Question, signals: dict[str, Signal], weight: float) -> Term:
        """The network's opinion: ln(share · people) of everybody who has mentored, 0 for as likely as by chance."""
        known = self.model.knowledge(columns, asked.now, self.policy)
        people = np.flatnonzero(known.has_mentored)
        found = evidence(known, asked, people, signals=tuple(signals.values()))
        thought = self.model.attentions(known, found)
        pool = asked.pool(columns)
        values = np.full(len(pool), np.nan)
        if len(people):
            shares = together([each.scores for each in thought], found.correction)
            values[pool.places_of(people)] = shares + np.log(len(people))

        def explain(person: int) -> list[Evidence]:
            place = int(np.searchsorted(people, person)) if person in people else NONE
            if place == NONE:
                return []
            deletion = Deletion(self.model, known, found, thought, place)
            told, past = _paths_to(signals, person), PastPairings.of(columns, asked)
            items = []
            for pairing, drop in deletion.drops(MOST_DELETIONS):
                uid = link_uid(columns.numberings["pairings"].uids[pairing], MENTOR, columns.people.uids[person])
                item = _by_meaning(known, asked, found, past, pairing, told.get(uid))
                if item is not None:
                    items.append(replace(item, drop=drop))
            return sorted(items, key=lambda each: (-each.drop, -each.strength, each.edges))

        contributions = contributions_of(values, weight)
        return Term(NETWORK, UNIT, weight, values, contributions, explain)


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
