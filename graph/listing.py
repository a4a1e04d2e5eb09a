"""The list of mentors for a mentee: best first, in pages, each with the evidence behind it.

Later pages go on in the order of the first one; the rules look at the present on every page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.asking import Asking, may_ask
from mentorgraph.graph.columns import NONE, Columns
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.model import uid_of
from mentorgraph.graph.paging import Cursor, check_first, read_cursor, short
from mentorgraph.graph.paths import EvidencePath, shown_to
from mentorgraph.graph.policy import Policy
from mentorgraph.graph.question import Question
from mentorgraph.graph.reasons import SignalValue, measured, sentences_of, signal_values
from mentorgraph.graph.scoring import Scorer
from mentorgraph.graph.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One mentor of a slate.

    Attributes:
        uid: Identity of the answer: the same slate gives the same.
        rank: Place, counted from 1.
        mentor: uid of the mentor.
        score: base + Σ contributions; compares within one slate only.
        base: Where every score starts.
        signals: The summands.
        paths: Evidence as the viewer may see it, heaviest first.
        sentences: The reasons in words.
        evidence: The same paths in full, for the decision log.
        measured: Those of the sentences that tell of no path.
    """

    uid: str
    rank: int
    mentor: str
    score: float
    base: float
    signals: tuple[SignalValue, ...]
    paths: tuple[EvidencePath, ...]
    sentences: tuple[str, ...]
    evidence: tuple[EvidencePath, ...]
    measured: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, by whom, and on which state of things it was answered.

    Attributes:
        viewer: On whose behalf.
        mentee: uid of the person who seeks a mentor.
        at: The instant that the rules looked at: the present one, or `as_of`.
        scored_at: The instant as of which facts counted for the scores; earlier than `at` on later pages.
        as_of: The past instant that was asked about; None for the present.
        change: Number of the last change of the graph that the scores know.
        rank_offset: Place of the last mentor of the page before.
        policy: The policy in force.
        names: Names of the people, and the title of the goal, by uid.
    """

    viewer: Viewer
    mentee: str
    at: datetime
    scored_at: datetime
    as_of: datetime | None
    change: int
    rank_offset: int
    policy: Policy
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Slate:
    """One answer.

    Attributes:
        uid: Identity: equal inputs and versions give equal ones.
        model_version: Version of the model, `rules` where none is published.
        policy_version: Version of the policy.
        goal: uid of the goal that was asked about, empty for none.
        recommendations: The page.
        cursors: Where to go on after each of them.
        has_next: Whether more follow.
        total: Number of allowed mentors, if it was asked for.
        notice: What the reader should know about the list as a whole; empty for nothing.
        asked: The question.
    """

    uid: str
    model_version: str
    policy_version: str
    goal: str
    recommendations: tuple[Recommendation, ...]
    cursors: tuple[str, ...]
    has_next: bool
    total: int | None
    notice: str
    asked: Asked


@dataclass(slots=True)
class Listing(Asking):
    """Answers with lists."""

    async def recommend(
        self,
        viewer: Viewer,
        mentee: str,
        goal: str | None = None,
        *,
        first: int = 10,
        after: str | None = None,
        with_paths: bool = True,
        with_total: bool = False,
        as_of: datetime | None = None,
        scorer: Scorer | None = None,
    ) -> Slate:
        """Ranks the mentors that a mentee may be paired with.

        Args:
            viewer: On whose behalf; participants may ask for themselves only.
            mentee: uid of the person who seeks a mentor.
            goal: uid of one of their goals; the latest open one if none is given.
            first: Length of the page, 1 to `paging.MOST`.
            after: Cursor of an earlier page of the same question.
            with_paths: Whether evidence is wanted.
            with_total: Whether the number of allowed mentors is wanted; it takes reading the facts of all of them.
            as_of: Judge mentors by what was known before this instant; now if none is given. A goal that was set later
                is taken as it was when it was set.
            scorer: What ranks; the one of this recommender if none is given.

        Raises:
            DomainError: `BAD_USER_INPUT`, `FORBIDDEN`, `NOT_FOUND`, `CONSENT_REQUIRED` or `NOT_ONBOARDED`.
            DatabaseUnavailable: The graph cannot be asked.
        """
        check_first(first)
        may_ask(viewer, mentee)
        cursor = read_cursor(after, as_of or self.clock()) if after is not None else None
        asker = await self._ask(mentee, goal, as_of, scorer or self.scorer, cursor.scored_at if cursor else None)
        scored_at = asker.asked.now
        slate_uid = uid_of("mentorgraph", "slates", f"{asker.key} {asker.columns.change} {asker.scores.fingerprint()}")
        order = self._order(asker)
        start = 0
        if cursor is not None:
            if cursor.question != short(asker.key):
                raise DomainError("after belongs to another question or version", code="BAD_USER_INPUT", field="after")
            start = asker.scores.place_after(order, asker.columns.people.uids, cursor.score, cursor.mentor)
        rank = cursor.rank if cursor else 0
        total = None
        if with_total:
            everybody = await self._allowed(asker, order, len(order))
            later = set(order[start:].tolist())
            total, allowed = len(everybody), [person for person in everybody if person in later]
        else:
            allowed = await self._allowed(asker, order[start:], first + 1)
        page = allowed[:first]
        evidence = await self._paths(asker, page) if with_paths else {}
        recommendations = []
        for place, person in enumerate(page, rank + 1):
            mentor = asker.columns.people.uids[person]
            found = shown_to(viewer, evidence.get(mentor, ()), mentee, mentor)
            signals = signal_values(asker.scores, person)
            measured_words = measured(signals, asker.scorer, evidence.get(mentor, ()))
            recommendations.append(
                Recommendation(
                    uid_of("mentorgraph", "recommendations", slate_uid + mentor),
                    place,
                    mentor,
                    float(asker.scores.total[person]),
                    asker.scores.base,
                    signals,
                    found,
                    sentences_of(found, measured_words),
                    evidence.get(mentor, ()),
                    measured_words,
                )
            )
        names = _names(asker.columns, [mentee, *(each.mentor for each in recommendations)], asker.goal)
        return Slate(
            slate_uid,
            asker.scorer.model_version,
            asker.scorer.policy.version,
            asker.goal,
            tuple(recommendations),
            tuple(
                Cursor(short(asker.key), scored_at, each.rank, each.score, each.mentor).write()
                for each in recommendations
            ),
            len(allowed) > first,
            total,
            _notice(asker.asked),
            Asked(viewer, mentee, asker.now, scored_at, as_of, asker.columns.change, rank, asker.scorer.policy, names),
        )


def _names(columns: Columns, people: Sequence[str], goal: str) -> dict[str, str]:
    """Names or titles by uid, as far as it is known."""
    names, titles = columns.tables["people"].strings("name"), columns.tables["goals"].strings("title")
    found = {uid: names[columns.people.find(uid)] for uid in people}
    if goal:
        found[goal] = titles[columns.goals.find(goal)]
    return {uid: name for uid, name in found.items() if name}


def _notice(asked: Question) -> str:
    if asked.goal == NONE and not asked.wishes:
        return "This person has no open goal and wants no skill yet, so the order rests on units, time and experience."
    return ""
