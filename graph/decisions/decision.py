"""Answers as they were given, read back from the decision log, and what of them a viewer may see."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mentorgraph.graph.ranking.listing import Recommendation
from mentorgraph.graph.ranking.matching import Explanation
from mentorgraph.graph.ranking.mentees import MenteeRecommendation
from mentorgraph.graph.ranking.options import DEFAULT, Options
from mentorgraph.graph.ranking.paths import shown_to
from mentorgraph.graph.ranking.sentences import sentences_of, wording
from mentorgraph.graph.ranking.shaping import Candidate, Shaping
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import ENGLISH

ERASED = wording(ENGLISH)["erased"]
"""Stands where a sentence was that can no longer be read."""


@dataclass(frozen=True, slots=True)
class Recommended:
    """A recommendation as it was answered.

    Attributes:
        recommendation: The answer; `evidence` and `paths` are what a coordinator sees.
        is_redacted: Whether the names and sentences in it can no longer be read.
    """

    recommendation: Recommendation
    is_redacted: bool

    def shown_to(self, viewer: Viewer, mentee: str) -> Recommendation:
        """The answer as a viewer may see it."""
        found = self.recommendation
        paths = shown_to(viewer, found.evidence, mentee, found.mentor)
        if self.is_redacted:
            return replace(found, paths=tuple(replace(path, sentence=ERASED) for path in paths))
        return replace(found, paths=paths, sentences=sentences_of(paths, found.measured))


@dataclass(frozen=True, slots=True)
class RecommendedMentee(Recommended):
    """A pair of a mentor's list as it was answered.

    Attributes:
        recommendation: The pair.
        names: The mentee's name and the title of their goal by uid; none where they were erased.
    """

    recommendation: MenteeRecommendation
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer as it was given.

    Attributes:
        slate: uid of the list.
        recorded_at: When it was given.
        viewer: On whose behalf.
        mentee: uid of the person who seeks a mentor.
        goal: uid of the goal, empty for none.
        at: The instant that the rules looked at.
        scored_at: The instant as of which facts counted.
        as_of: The past instant that was asked about; None for the present.
        change: Number of the last change of the graph that the scores know.
        rank_offset: Place of the last mentor of the page before.
        model_version: Version of the model.
        policy_version: Version of the policy.
        code_version: Version of mentorgraph.
        base: Where every score starts.
        recommended: Who was recommended, best first.
        notice: What the reader was told about the list as a whole.
        names: Names of the people, and the title of the goal, by uid; those that were erased are absent.
        is_redacted: Whether the mentee was erased.
        options: What the list was asked for with.
        shaping: How its first places were given; None where it was by score alone.
        candidates: Among whom they were given, best first.
        programme: uid of the programme that was named; empty for none.
        within: The mentor's list of goals that this is one pair of; None for a list of mentors.
    """

    slate: str
    recorded_at: datetime
    viewer: Viewer
    mentee: str
    goal: str
    at: datetime
    scored_at: datetime
    as_of: datetime | None
    change: int
    rank_offset: int
    model_version: str
    policy_version: str
    code_version: str
    base: float
    recommended: tuple[Recommended, ...]
    notice: str
    names: Mapping[str, str]
    is_redacted: bool
    options: Options = DEFAULT
    shaping: Shaping | None = None
    candidates: tuple[Candidate, ...] = ()
    programme: str = ""
    within: "MenteeDecision | None" = None

    @property
    def whole(self) -> "Decision | MenteeDecision":
        """The whole list that was answered."""
        return self.within or self

    def find(self, recommendation: str) -> Recommended | None:
        """One of its recommendations by uid."""
        return next((each for each in self.recommended if each.recommendation.uid == recommendation), None)

    def explanation(self, recommendation: str, viewer: Viewer) -> Explanation | None:
        """Why somebody was recommended, as it was answered and as a viewer may see it; None for who was not."""
        found = self.find(recommendation)
        if found is None:
            return None
        shown = found.shown_to(viewer, self.mentee)
        return Explanation(
            self.model_version,
            self.policy_version,
            shown.mentor,
            self.goal,
            shown.score,
            shown.base,
            shown.signals,
            shown.paths,
            shown.sentences,
            (),
            self.recorded_at,
            found.is_redacted,
            cautions=shown.cautions,
            measured=shown.measured,
            chance=shown.chance,
        )

    def may_be_seen_by(self, viewer: Viewer) -> bool:
        """Whether a viewer may look it up: participants only what was answered about themselves as the one who asks."""
        return viewer.sees_everybody or viewer.person == (self.within.mentor if self.within else self.mentee)


@dataclass(frozen=True, slots=True)
class MenteeDecision:
    """A mentor's list of goals as it was answered.

    Attributes:
        mentor: uid of the mentor.
        recommended: The pairs, best first; each recommendation is a `MenteeRecommendation`.
        names: The name of the mentor by uid; absent where it was erased.

    The others are as in `Decision`.
    """

    slate: str
    recorded_at: datetime
    viewer: Viewer
    mentor: str
    at: datetime
    scored_at: datetime
    change: int
    rank_offset: int
    model_version: str
    code_version: str
    recommended: tuple[RecommendedMentee, ...]
    notice: str
    names: Mapping[str, str]

    def find(self, recommendation: str) -> RecommendedMentee | None:
        """One of its pairs by the uid of the recommendation."""
        return next((each for each in self.recommended if each.recommendation.uid == recommendation), None)

    def about(self, recommendation: str) -> Decision | None:
        """One of its pairs as a decision of its own; None for an unknown one."""
        found = self.find(recommendation)
        if found is None:
            return None
        pair = found.recommendation
        return Decision(
            self.slate,
            self.recorded_at,
            self.viewer,
            pair.mentee,
            pair.goal,
            self.at,
            self.scored_at,
            None,
            self.change,
            pair.rank - 1,
            self.model_version,
            pair.policy_version,
            self.code_version,
            pair.base,
            (found,),
            self.notice,
            {**self.names, **found.names},
            found.is_redacted,
            within=self,
        )
