"""Recommending: the one thing that answers with mentors, asked for a list or about one pair."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.people.eligibility import read_pairs
from mentorgraph.graph.people.seeing import may_hear_of
from mentorgraph.graph.ranking.asking import Asker, among_these, may_ask
from mentorgraph.graph.ranking.cautions import cautions_of
from mentorgraph.graph.ranking.listing import Listing
from mentorgraph.graph.ranking.meeting import modes_of
from mentorgraph.graph.ranking.paths import shown_to
from mentorgraph.graph.ranking.reasons import SignalValue, measured, signal_values
from mentorgraph.graph.ranking.scoring import Chance, Scorer
from mentorgraph.graph.ranking.sentences import EvidencePath, Measured, sentences_of
from mentorgraph.graph.rules.evaluator import Judgement, PairFacts, judge
from mentorgraph.graph.rules.refusals import Refusal, Unjudged
from mentorgraph.graph.viewer import Viewer

NOT_AVAILABLE = Refusal("NOT_AVAILABLE")
"""What participants are told in place of the rules that forbid a pair."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one mentor fits one mentee, whether or not they may be paired now.

    Attributes:
        answered_at: When it was said, for one that is kept; None for one as of now.
        is_redacted: Whether the names and sentences in it can no longer be read.
        unjudged: Rules that could not be judged since facts are missing; none for participants.
        cautions: Names of `cautions.CAUTIONS`.
        measured: What is said that no path tells.
        chance: Of success; None if not known.
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
    cautions: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()
    chance: Chance | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A mentor as they would be scored now, whether or not they may be recommended.

    Attributes:
        score: base + Σ contributions.
        signals: The summands.
        refusals: Rules that forbid the pair, as the viewer may read them.
        pair: What the rules looked at; not for participants.
    """

    score: float
    signals: tuple[SignalValue, ...]
    refusals: tuple[Refusal, ...]
    pair: PairFacts


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
        [found] = await self.explain_all(
            viewer, mentee, [mentor], goal, as_of=as_of, scorer=scorer, programme=programme
        )
        return found

    async def explain_all(
        self,
        viewer: Viewer,
        mentee: str,
        mentors: Sequence[str],
        goal: str | None = None,
        *,
        as_of: datetime | None = None,
        scorer: Scorer | None = None,
        programme: str | None = None,
        field: str = "mentorId",
    ) -> list[Explanation]:
        """Explains several mentors for one mentee as `explain` does one, in as many round trips.

        Args:
            viewer: On whose behalf.
            mentee: uid of the person who seeks a mentor.
            mentors: uids of the mentors.
            goal: uid of one of the mentee's goals; the latest open one if none is given.
            as_of: As for `recommend`.
            scorer: As for `recommend`.
            programme: As for `recommend`.
            field: Name of the argument that an unknown mentor stands in.

        Raises:
            DomainError: As `explain`.
            DatabaseUnavailable: The graph cannot be asked.
        """
        may_ask(viewer, mentee)
        asker = await self._ask(
            mentee, goal, as_of, scorer or self.scorer, programme=programme, among=among_these(mentors)
        )
        judged = await self._judged_all(viewer, asker, mentors, field)
        evidence = await self._paths(asker, [person for person, _, _ in judged])
        return [
            self._explanation(viewer, asker, person, found, evidence.get(mentor, ()))
            for mentor, (person, _, found) in zip(mentors, judged, strict=True)
        ]

    def _explanation(
        self, viewer: Viewer, asker: Asker, person: int, judged: Judgement, evidence: tuple[EvidencePath, ...]
    ) -> Explanation:
        mentor = asker.columns.people.uids[person]
        paths = shown_to(viewer, evidence, asker.uid, mentor)
        signals = signal_values(asker.scores, person)
        least_minutes = asker.scorer.policy.rules.least_overlap_minutes
        mode = modes_of(asker.columns, asker.asked, [person], least_minutes)[person]
        unpathed = measured(signals, asker.scorer, evidence, mode)
        score = asker.scores.of_person(person)
        chance = asker.scorer.chance(score)
        return Explanation(
            asker.scorer.model_version,
            asker.scorer.policy.version,
            mentor,
            asker.goal,
            score,
            asker.scores.base,
            signals,
            paths,
            sentences_of(paths, unpathed),
            judged.refusals,
            unjudged=judged.unjudged,
            cautions=cautions_of(asker.columns, asker.asked.seconds, person, mode=mode, chance=chance),
            measured=unpathed,
            chance=chance,
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
        programme: str | None = None,
        in_place_of: int = 0,
    ) -> dict[str, Judged]:
        """Scores some mentors for a mentee as of now, with the rules that forbid each pair; unknown ones are absent.

        Raises:
            DomainError: As `recommend`; but coordinators learn of rules that forbid the mentee from the refusals.
            DatabaseUnavailable: The graph cannot be asked.
        """
        asked = (viewer, mentee, mentors, goal)
        _, found = await self.judge_for(
            *asked, ignored=ignored, scorer=scorer, programme=programme, in_place_of=in_place_of
        )
        return found

    async def judge_for(
        self,
        viewer: Viewer,
        mentee: str,
        mentors: Sequence[str],
        goal: str | None = None,
        *,
        ignored: Collection[str] = (),
        scorer: Scorer | None = None,
        programme: str | None = None,
        in_place_of: int = 0,
    ) -> tuple[Asker, dict[str, Judged]]:
        """As `judge`, with whoever asks."""
        may_ask(viewer, mentee)
        chosen = scorer or self.scorer
        as_is = viewer.sees_everybody
        asker = await self._ask(
            mentee,
            goal,
            None,
            chosen,
            programme=programme,
            as_is=as_is,
            among=among_these(mentors),
            in_place_of=in_place_of,
        )
        scores = asker.scores.without(frozenset(ignored))
        found = {}
        for uid, pair in (await read_pairs(asker.facts, asker.seeker, mentors, asker.now)).items():
            person = asker.columns.people.find(uid)
            if person != NONE:
                told = judge(pair, asker.scorer.policy.rules).refusals
                shown = told if viewer.sees_everybody or not told else (NOT_AVAILABLE,)
                found[uid] = Judged(scores.of_person(person), signal_values(scores, person), shown, pair)
        return asker, found

    async def _judged(self, viewer: Viewer, asker: Asker, mentor: str) -> tuple[int, PairFacts, Judgement]:
        """Number of a mentor, the facts of the pair, and what the rules say of it, as a viewer may read that."""
        [found] = await self._judged_all(viewer, asker, [mentor], "mentorId")
        return found

    async def _judged_all(
        self, viewer: Viewer, asker: Asker, mentors: Sequence[str], field: str
    ) -> list[tuple[int, PairFacts, Judgement]]:
        pairs = await read_pairs(asker.facts, asker.seeker, mentors, asker.now)
        judged = []
        for mentor in mentors:
            person = asker.columns.people.find(mentor)
            hidden = mentor in pairs and not (viewer.sees_everybody or may_hear_of(viewer, mentor, pairs[mentor]))
            if person == NONE or mentor not in pairs or hidden:
                raise DomainError("no person has this id", code="NOT_FOUND", field=field)
            found = judge(pairs[mentor], asker.scorer.policy.rules)
            if not viewer.sees_everybody:
                found = Judgement(() if found.is_allowed else (NOT_AVAILABLE,))
            judged.append((person, pairs[mentor], found))
        return judged
