"""A trained model as it serves: a projection of texts, some networks, and the weights of the final ranking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from mentorgraph.embeddings.chance import Calibration
from mentorgraph.embeddings.evidence import Evidence
from mentorgraph.embeddings.fusion import FUSED, OF_MEANING, Fusion
from mentorgraph.embeddings.inference import Attention, Encoded, Weights, attend, encode
from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.message_graph import MessageGraph
from mentorgraph.embeddings.sentence_encoder import SentenceEncoder
from mentorgraph.embeddings.tasks import SETTINGS, Setting
from mentorgraph.embeddings.texts import Floats, Projection
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.table import Numbers, Reals
from mentorgraph.graph.rules.policy import SIGNALS, Policy

FURTHEST = 15.0
"""A network's score this far below its best is as low as any: no single network can rule anybody out alone."""


@dataclass(frozen=True, eq=False)
class Model:
    """What a training makes.

    Attributes:
        setting: What it may use.
        projection: Of texts.
        networks: The arrays of each network; one per seed.
        fusion: The final ranking.
        plain: What ranks without the network, by the signals of the rules or all; what may be published in its place.
        linear: A ranking by all signals that are not learned, fitted by themselves: the strongest baseline.
        signals: The signals of the rules that there were when it was taught, in their order; it ranks by no others.
        chance: What a score says of success; None where it is not calibrated.
        encoder: What it reads texts with for their meaning; None where texts are words to it.
    """

    setting: Setting
    projection: Projection
    networks: tuple[Weights, ...]
    fusion: Fusion
    plain: Fusion
    linear: Fusion
    signals: tuple[str, ...] = SIGNALS
    chance: Calibration | None = None
    encoder: SentenceEncoder | None = None

    def attentions(self, known: Knowledge, found: Evidence) -> list[Attention]:
        """What each network makes of the evidence for one question."""
        _, encoded = self.encoded(known)
        return [attend(weights, each, found) for weights, each in zip(self.networks, encoded, strict=True)]

    def network_scores(self, known: Knowledge, found: Evidence) -> Floats:
        """The networks' common opinion as logarithms of shares among the people in question: `float32[people]`."""
        return together([each.scores for each in self.attentions(known, found)], found.correction)

    def scores(self, known: Knowledge, found: Evidence) -> NDArray[np.float64]:
        """The final score: `float64[people]`."""
        return self.fusion.scores(found, self.network_scores(known, found))

    def encoded(self, known: Knowledge) -> tuple[MessageGraph, list[Encoded]]:
        """The message graph of what is known, and the vectors that each network makes of it."""
        columns = known.columns
        tables = (
            columns.tables[name].state(known.now.timestamp()) for name in ("offers", "skill_ratings", "unit_membership")
        )
        return columns.remember(f"encoded {self.setting.name}", (self, known, *tables), lambda: self._encode(known))

    def _encode(self, known: Knowledge) -> tuple[MessageGraph, list[Encoded]]:
        graph = MessageGraph.of(known)
        return graph, [encode(weights, graph) for weights in self.networks]

    @property
    def _fused(self) -> Numbers:
        """Places among `FUSED` of all that it knows."""
        return _places_of(self.signals, has_meaning=self.encoder is not None)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All numbers, by name; with `texts` they are all of the model."""
        found: dict[str, NDArray[Any]] = {
            "projection.idf": self.projection.idf,
            "projection.components": self.projection.components,
            "fusion.weights": self.fusion.weights[self._fused],
            "fusion.network": np.array(self.fusion.network),
            "plain.weights": self.plain.weights[self._fused],
            "linear.weights": self.linear.weights[self._fused],
        }
        for place, weights in enumerate(self.networks):
            found |= {f"network.{place}.{name}": array for name, array in weights.items()}
        found |= self.encoder.told() if self.encoder else {}
        return found | (self.chance.arrays() if self.chance else {})

    def texts(self) -> dict[str, list[str]]:
        """All that is not a number."""
        return {
            "setting": [self.setting.name],
            "terms": list(self.projection.terms),
            "signals": [FUSED[place] for place in self._fused],
            "pieces": list(self.encoder.vocabulary) if self.encoder else [],
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, Sequence[str]]) -> "Model":
        """The model that `arrays` and `texts` tell of.

        Raises:
            KeyError, IndexError, ValueError: They are of another mentorgraph.
        """
        if "skills" in texts:
            raise ValueError("skills and units have learned vectors in that version; train again")
        fused = tuple(texts["signals"])
        signals = tuple(name for name in SIGNALS if f"signal {name}" in fused)
        encoder = SentenceEncoder.of(arrays, texts.get("pieces", ()))
        places = _places_of(signals, has_meaning=encoder is not None)
        if fused != tuple(FUSED[place] for place in places):
            raise ValueError("the model was made for other signals; train again")
        numbers = sorted({int(name.split(".")[1]) for name in arrays if name.startswith("network.")})
        networks = []
        for number in numbers:
            prefix = f"network.{number}."
            networks.append(
                {name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)}
            )
        return cls(
            SETTINGS[texts["setting"][0]],
            Projection(tuple(texts["terms"]), arrays["projection.idf"], arrays["projection.components"]),
            tuple(networks),
            Fusion(_spread(arrays["fusion.weights"], places), float(arrays["fusion.network"])),
            Fusion(_spread(arrays["plain.weights"], places), 0.0),
            Fusion(_spread(arrays["linear.weights"], places), 0.0),
            signals,
            Calibration.of(arrays),
            encoder,
        )

    def knowledge(self, columns: Columns, now: datetime, policy: Policy) -> Knowledge:
        """What is known at an instant, in the terms of this model."""
        return Knowledge.of(columns, now, self.setting, policy, self.projection, self.encoder)


def _places_of(signals: Sequence[str], *, has_meaning: bool) -> Numbers:
    """Places among `FUSED` of what a version knows, with some signals of the rules: `int64[known]`."""
    later = {f"signal {name}" for name in SIGNALS if name not in signals}
    later.update(() if has_meaning else OF_MEANING)
    return np.array([place for place, name in enumerate(FUSED) if name not in later], np.int64)


def _spread(weights: Reals, places: Numbers) -> Reals:
    """The weights of a version as those of all of `FUSED`: 0 for signals that it does not know."""
    found = np.zeros(len(FUSED))
    found[places] = weights
    return found


def together(scores: Sequence[Floats], correction: Floats) -> Floats:
    """The mean of several networks' scores, each counted from its best, as logarithms of shares: `float32[people]`."""
    mean = np.mean([np.clip(each - each.max(initial=-np.inf), -FURTHEST, 0) for each in scores], axis=0)
    return log_shares(mean, correction).astype(np.float32)


def log_shares(scores: NDArray[np.floating], correction: Floats) -> NDArray[np.floating]:
    """Scores as logarithms of shares, each person standing for as many as `Evidence.correction` says: `[people]`."""
    return log_softmax(scores + correction) - correction if len(scores) else scores
