"""Recommending: the one thing that answers with mentors, asked for a list or about one pair."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.asking import Asker, may_ask
from mentorgraph.graph.columns import NONE
from mentorgraph.graph.eligibility import read_pairs
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.listing import Listing
from mentorgraph.graph.paths import EvidencePath, shown_to
from mentorgraph.graph.reasons import SignalValue, measured, sentences_of, signal_values
from mentorgraph.graph.rules import Judgement, PairFacts, Refusal, Unjudged, judge, may_be_shown
from mentorgraph.graph.scoring import Scorer
from mentorgraph.graph.viewer import Viewer

NOT_AVAILABLE = Refusal("NOT_AVAILABLE", "this pair cannot be made now", "ask your coordinator")
"""What participants are told in place of the rules that forbid a pair."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one mentor fits one mentee, whether or not they may be paired now.

    Attributes:
        answered_at: When it was said, for one that is kept; None for one as of now.
        is_redacted: Whether the names and sentences in it can no longer be read.
        unjudged: Rules that could not be judged since facts are missing; none for participants.
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
    unjudged: tuple[Unjudged, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A mentor as they would be scored now, whether or not they may be recommended.

    Attributes:
        score: base + Σ contributions.
        signals: The summands.
        refusals: Rules that forbid the pair, as the viewer may read them.
    """

    score: float
    signals: tuple[SignalValue, ...]
    refusals: tuple[Refusal, ...]


@dataclass(slots=True)
class Recommender(Listing):
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
        programme: str | None = None,
    ) -> Explanation:
        """Says why a mentor fits a mentee, and which rules forbid the pair now; participants ask as the mentee only.

        Participants are told of mentors who take part only, as if nobody else existed.

        Raises:
            DomainError: `FORBIDDEN`, `NOT_FOUND`, `CONSENT_REQUIRED` or `NOT_ONBOARDED`.
            DatabaseUnavailable: The graph cannot be asked.
        """
        may_ask(viewer, mentee)
        asker = await self._ask(mentee, goal, as_of, scorer or self.scorer, programme=programme)
        person, _, judged = await self._judged(viewer, asker, mentor)
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
            judged.refusals,
            unjudged=judged.unjudged,
        )

    async def judge(
        self,
        viewer: Viewer,
        mentee: str,
        mentors: Sequence[str],
        goal: str | None = None,
        *,
        ignored: Collection[str] = (),
        scorer: Scorer | None = None,
    ) -> dict[str, Judged]:
        """Scores some mentors for a mentee as of now, with the rules that forbid each pair; unknown ones are absent.

        Raises:
            DomainError: As `recommend`; but coordinators learn of rules that forbid the mentee from the refusals.
            DatabaseUnavailable: The graph cannot be asked.
        """
        may_ask(viewer, mentee)
        asker = await self._ask(mentee, goal, None, scorer or self.scorer, as_is=viewer.sees_everybody)
        scores = asker.scores.without(frozenset(ignored))
        found = {}
        for uid, pair in (await read_pairs(self.store, asker.seeker, mentors, asker.now)).items():
            person = asker.columns.people.find(uid)
            if person != NONE:
                told = judge(pair, asker.scorer.policy.rules).refusals
                shown = told if viewer.sees_everybody or not told else (NOT_AVAILABLE,)
                found[uid] = Judged(float(scores.total[person]), signal_values(scores, person), shown)
        return found

    async def _judged(self, viewer: Viewer, asker: Asker, mentor: str) -> tuple[int, PairFacts, Judgement]:
        """Number of a mentor, the facts of the pair, and what the rules say of it, as a viewer may read that."""
        person = asker.columns.people.find(mentor)
        pairs = await read_pairs(self.store, asker.seeker, [mentor], asker.now) if person != NONE else {}
        if mentor not in pairs or not (viewer.sees_everybody or may_be_shown(pairs[mentor])):
            raise DomainError("no person has this id", code="NOT_FOUND", field="mentorId")
        found = judge(pairs[mentor], asker.scorer.policy.rules)
        if viewer.sees_everybody:
            return person, pairs[mentor], found
        told = () if found.is_allowed else (NOT_AVAILABLE,)
        return person, pairs[mentor], Judgement(told)
