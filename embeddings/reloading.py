"""Which scorer answers now: that of the version that is current, changed between two requests when `current` moves."""

import asyncio
import logging

from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.registry import ModelRefused, Registry
from mentorgraph.graph.ranking.scoring import RulesScorer, Scorer
from mentorgraph.graph.rules.policy import Policy

log = logging.getLogger(__name__)


class Reloading:
    """Follows a registry.

    A version that is not whole is refused, and what answered before goes on; the rules do where nothing did.

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
        self.refused = ""
        """Why the version that should serve does not; empty where it does."""

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
            self.refused = ""
            return
        try:
            self._scorer = (
                LearnedScorer.of(self._registry.load(version), self._policy) if version else RulesScorer(self._policy)
            )
        except ModelRefused as error:
            self.refused = error.message
            log.warning("%s; %s goes on", error.message, self._scorer.model_version)
        else:
            self.refused = ""
            log.info("Model %s answers.", self._scorer.model_version)
