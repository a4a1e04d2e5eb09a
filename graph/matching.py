"""Recommending: the one thing that answers with mentors, asked for a list or about one pair."""

from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.asking import may_ask
from mentorgraph.graph.columns import NONE
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.mentees import MenteeListing
from mentorgraph.graph.paths import EvidencePath, shown_to
from mentorgraph.graph.reasons import SignalValue, measured, sentences_of, signal_values
from mentorgraph.graph.rules import Refusal, may_be_shown, refusals
from mentorgraph.graph.scoring import Scorer
from mentorgraph.graph.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one mentor fits one mentee, whether or not they may be paired now.

    Attributes:
        answered_at: When it was said, for one that is kept; None for one as of now.
        is_redacted: Whether the names and sentences in it can no longer be read.
    """

    model_version: str
    policy_version: str
    mentor: str
    goal: str
    score: float
    base: float
    signals: tuple[SignalValue, ...]
    paths: tuple[EvidencePath, ...]
    sentences: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    answered_at: datetime | None = None
    is_redacted: bool = False


@dataclass(slots=True)
class Recommender(MenteeListing):
    """Answers for one graph; see `Asking` for what it needs."""

    async def explain(
        self,
        viewer: Viewer,
        mentee: str,
        mentor: str,
        goal: str | None = None,
        *,
        as_of: datetime | None = None,
        scorer: Scorer | None = None,
    ) -> Explanation:
        """Says why a mentor fits a mentee, and which rules forbid the pair now; participants ask as the mentee only.

        Participants are told of mentors who take part only, as if nobody else existed.

        Raises:
            DomainError: `FORBIDDEN`, `NOT_FOUND`, `CONSENT_REQUIRED` or `NOT_ONBOARDED`.
            DatabaseUnavailable: The graph cannot be asked.
        """
        may_ask(viewer, mentee)
        asker = await self._ask(mentee, goal, as_of, scorer or self.scorer)
        person = asker.columns.people.find(mentor)
        if person == NONE:
            raise DomainError("no person has this id", code="NOT_FOUND", field="mentorId")
        [row] = await self.store.read_candidates(mentee, [mentor], asker.now)
        pair = self._pair(asker, row)
        if not viewer.sees_everybody and not may_be_shown(pair):
            raise DomainError("no person has this id", code="NOT_FOUND", field="mentorId")
        forbidden = tuple(refusals(pair))
        if forbidden and not viewer.sees_everybody:
            forbidden = (Refusal("NOT_AVAILABLE", "this pair cannot be made now", "ask your coordinator"),)
        evidence = (await self._paths(asker, [person])).get(mentor, ())
        paths = shown_to(viewer, evidence, mentee, mentor)
        signals = signal_values(asker.scores, person)
        return Explanation(
            asker.scorer.model_version,
            asker.scorer.policy.version,
            mentor,
            asker.goal,
            float(asker.scores.total[person]),
            asker.scores.base,
            signals,
            paths,
            sentences_of(paths, measured(signals, asker.scorer, evidence)),
            forbidden,
        )
