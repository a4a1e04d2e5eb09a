"""Which scorer answers now: that of the version that is current, changed between two requests when `current` moves.

Where that version is damaged, the ladder goes down one rung at a time: what answered before it, by what this process
holds or else by the history of promotions, and in the end the rules.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime

from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.registry import ModelRefused, Registry
from mentorgraph.graph.ranking.scoring import RulesScorer, Scorer
from mentorgraph.graph.rules.policy import Policy

log = logging.getLogger(__name__)


class Reloading:
    """Follows a registry.

    A version that is not whole is refused, and what answered before goes on, also where that was before this process
    began; the rules do where nothing did.

    Args:
        registry: The versions.
        policy: Rules, and weights for when no model serves.
    """

    def __init__(self, registry: Registry, policy: Policy) -> None:
        self._registry = registry
        self._policy = policy
        self._scorer: Scorer = RulesScorer(policy)
        self._state: tuple[int, int] | None = None
        self._turn = asyncio.Lock()
        self._has_loaded = False
        self.refused = ""
        """Why the version that should serve does not; empty where it does."""
        self.wanted = ""
        """The version that should serve and does not; empty where it does."""
        self.promoted_at: datetime | None = None
        """When what serves in its place was promoted; None for rules, and where nothing serves in another's place."""

    async def scorer(self) -> Scorer:
        """What answers now. Whoever asks keeps it for the whole of an answer."""
        state = self._registry.state()
        if state != self._state:
            async with self._turn:
                if state != self._state:
                    await asyncio.to_thread(self._load)
                    self._state = state
        return self._scorer

    def card(self, version: str) -> str | None:
        """The model card of a version, in Markdown; None where there is no such version, or it was changed."""
        try:
            return self._registry.card(version)
        except ModelRefused:
            return None

    def _load(self) -> None:
        version = self._registry.current()
        if version == self._scorer.model_version:
            self.refused, self.wanted, self.promoted_at = "", "", None
            return
        try:
            self._scorer = self._of(version)
        except ModelRefused as error:
            self.refused, self.wanted = error.message, version
            if not self._has_loaded:
                self._scorer = self._last_good(version)
            self.promoted_at = self._promoted(self._scorer.model_version)
            log.warning("%s; %s goes on", error.message, self._scorer.model_version)
        else:
            self.refused, self.wanted, self.promoted_at = "", "", None
            log.info("Model %s answers.", self._scorer.model_version)
        self._has_loaded = True

    def _of(self, version: str) -> Scorer:
        if not version:
            return RulesScorer(self._policy)
        scorer = LearnedScorer.of(self._registry.load(version), self._policy)
        if scorer.model.encoder is not None:
            scorer.model.encoder.hurry()
        return scorer

    def _promoted(self, version: str) -> datetime | None:
        """When a version began to serve, the last time that it did."""
        return next((each.at for each in reversed(self._registry.history()) if each.version == version), None)

    def _last_good(self, version: str) -> Scorer:
        """What served before a version, or before that where it cannot be read either."""
        tried = {version}
        for promotion in reversed(self._registry.history()):
            if promotion.version in tried and promotion.previous not in tried:
                tried.add(promotion.previous)
                with suppress(ModelRefused):
                    return self._of(promotion.previous)
        return RulesScorer(self._policy)
