"""Policies of programmes: what is judged otherwise there, in dated versions, and whom another one would allow.

A programme states only where it differs from the policy of the whole organisation. Each version holds until the next
one begins, like a charter, so that what counted on a past day stays answerable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.rule_facts import ColumnFacts
from mentorgraph.graph.facts.dated import ended, since_of, until_of
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.values import instant
from mentorgraph.graph.paging import check_first
from mentorgraph.graph.people.eligibility import Frame, RuleFacts, Seeker, read_pairs, seeker_of
from mentorgraph.graph.people.programmes import configuration_of, refuse_participants, refuse_version
from mentorgraph.graph.people.recording import SOURCE
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.rules.evaluator import Judgement, judge
from mentorgraph.graph.rules.policy import Draft, Policy, draft_text, read_draft
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.store.programme_reads import Configuration
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

MENTORS_AT_ONCE = 1_000
"""Mentors who are judged at once."""

MOST_CHANGES = 1_000
"""So many pairs are named; all are counted."""


@dataclass(frozen=True, slots=True)
class ProgrammePolicy:
    """The policy of a programme at an instant.

    Attributes:
        programme: uid of the programme.
        policy: What counts there, all of it.
        draft: The text in which the programme says where it differs; empty where it does not.
        versions: All versions of that text, in the order in which they begin.
    """

    programme: str
    policy: Policy
    draft: str
    versions: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A pair that would be allowed, or no longer be.

    Attributes:
        mentee: uid of the mentee.
        mentor: uid of the mentor.
        gains: Whether it would be allowed; else it would be forbidden.
        rules: What forbids it: now, where it gains; under the draft, where it loses.
    """

    mentee: str
    mentor: str
    gains: bool
    rules: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """Who would gain or lose eligibility under a draft.

    Attributes:
        policy_version: Version of the policy as it would be.
        mentees: uids of the mentees who were judged, in their order.
        has_next: Whether more mentees follow.
        pairs: Pairs that were judged.
        gained: Pairs that would be allowed and are not.
        lost: Pairs that are allowed and would not be.
        changes: The first of both, at most `MOST_CHANGES`.
        mentors_gained: uids of the mentors who are allowed for none of the mentees, and would be for some.
        mentors_lost: uids of the mentors who are allowed for some of the mentees, and would be for none.
        without_mentor: uids of the mentees who have some allowed mentor, and would have none.
    """

    policy_version: str
    mentees: tuple[str, ...]
    has_next: bool
    pairs: int
    gained: int
    lost: int
    changes: tuple[Change, ...]
    mentors_gained: tuple[str, ...]
    mentors_lost: tuple[str, ...]
    without_mentor: tuple[str, ...]


async def policy_of(store: Store, programme: str, base: Policy, *, now: datetime | None = None) -> ProgrammePolicy:
    """The policy of a programme; nothing in it is about anybody, so whoever takes part may read it.

    Args:
        store: The graph.
        programme: uid of the programme.
        base: The policy of the whole organisation.
        now: The instant as of which it counts; now if not given.

    Raises:
        DomainError: `NOT_FOUND`.
    """
    around = await configuration_of(store, programme)
    holding = around.policy_at(now or present())
    draft = str(holding.properties["content"]) if holding is not None else ""
    policy = base.within(_format(around), read_draft(draft, "of the programme") if draft else None)
    return ProgrammePolicy(programme, policy, draft, around.policies)


async def set_policy(
    store: Store,
    viewer: Viewer,
    programme: str,
    text: str,
    base: Policy,
    *,
    since: datetime | None = None,
    source: str = SOURCE,
    clock: Clock = present,
) -> None:
    """Sets the policy of a programme; the version that holds ends. Saying what it says already changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        programme: uid of the programme.
        text: Where the programme differs, as `policy.read_draft` reads it; nothing takes its own policy away.
        base: The policy of the whole organisation, with which it must not contradict itself.
        since: When it begins; now if not given.
        source: Where this is known from.
        clock: The present instant.

    Raises:
        DomainError: `BAD_POLICY`, naming the key, and the old policy stays; `BAD_USER_INPUT`, it would begin before the
            latest version or outside the programme; `CONFLICT`, another version begins at that very instant.
    """
    refuse_participants(viewer)
    draft = read_draft(text)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = clock()
        begin = instant(since or now)
        around = await configuration_of(known, programme)
        _checked(around, draft, base)
        told = draft_text(draft)
        last = around.policies[-1] if around.policies else None
        is_open = last is not None and (until_of(last) is None or begin < (until_of(last) or begin))
        if told == (str(last.properties["content"]) if last is not None and is_open else ""):
            return [], None
        refuse_version(around, around.policies, begin, now)
        row = {"programme_id": programme, "content": told, "since": begin}
        closed = [ended(last, begin)] if last is not None and is_open else []
        return [*closed, *(facts_of("policies", row, source) if told else [])], None

    await store.decide_and_write(decide)


async def try_policy(
    recommender: Recommender,
    viewer: Viewer,
    programme: str,
    text: str,
    *,
    first: int = 20,
    after: str = "",
    now: datetime | None = None,
) -> PolicyTest:
    """Tells which pairs a draft would allow or forbid in a programme; nothing is written.

    Judged are the mentees who are enrolled in the programme, page by page, with everybody who has the role of a mentor.

    Args:
        recommender: What answers.
        viewer: On whose behalf; coordinators only.
        programme: uid of the programme.
        text: The draft, as `set_policy` takes it.
        first: Mentees of one page, 1 to `paging.MOST`.
        after: uid of the last mentee of the page before.
        now: The instant as of which facts count; now if not given.

    Raises:
        DomainError: `BAD_POLICY`, `FORBIDDEN`, `NOT_FOUND`, `BAD_USER_INPUT`.
    """
    refuse_participants(viewer)
    check_first(first)
    draft = read_draft(text)
    now = now or recommender.clock()
    store, base = recommender.store, recommender.scorer.policy
    around = await configuration_of(store, programme)
    policy = _checked(around, draft, base)
    going_on = await store.read_engagements(programme, now)
    enrolled = {each.links["person"] for each in going_on.memberships if _seeks(each, now)}
    page = sorted(uid for uid in enrolled if uid > after)[: first + 1]
    columns = await recommender.fresh_columns()
    mentors, facts = _mentors(columns, now), ColumnFacts(columns, store)
    tally = _Tally()
    for row in await facts.read_askers([(mentee, None) for mentee in page[:first]], now, programme):
        seeker = seeker_of(row, now, base)
        frame = Frame(policy, seeker.frame.programme, seeker.frame.format)
        before = await _judged(facts, seeker, mentors, now)
        tally.take(seeker.uid, before, await _judged(facts, replace(seeker, frame=frame), mentors, now))
    return tally.result(policy.version, page[:first], len(page) > first)


class _Tally:
    """What changes from one policy to the other."""

    def __init__(self) -> None:
        self._pairs = 0
        self._changes: list[Change] = []
        self._counts = {True: 0, False: 0}
        self._mentors: tuple[set[str], set[str]] = (set(), set())
        self._without: list[str] = []

    def take(self, mentee: str, before: Mapping[str, Judgement], after: Mapping[str, Judgement]) -> None:
        """Takes down what changes for one mentee."""
        for mentor, old in before.items():
            new = after.get(mentor, old)
            self._pairs += mentor != mentee
            for allowed, each in zip(self._mentors, (old, new), strict=True):
                if each.is_allowed:
                    allowed.add(mentor)
            if old.is_allowed != new.is_allowed:
                self._counts[new.is_allowed] += 1
                if len(self._changes) < MOST_CHANGES:
                    rules = old.refusals or new.refusals
                    self._changes.append(Change(mentee, mentor, new.is_allowed, rules))
        if any(each.is_allowed for each in before.values()) and not any(each.is_allowed for each in after.values()):
            self._without.append(mentee)

    def result(self, version: str, mentees: Sequence[str], has_next: bool) -> PolicyTest:
        """All that was taken down."""
        old, new = self._mentors
        return PolicyTest(
            version,
            tuple(mentees),
            has_next,
            self._pairs,
            self._counts[True],
            self._counts[False],
            tuple(self._changes),
            tuple(sorted(new - old)),
            tuple(sorted(old - new)),
            tuple(self._without),
        )


async def _judged(facts: RuleFacts, seeker: Seeker, mentors: Sequence[str], now: datetime) -> dict[str, Judgement]:
    found: dict[str, Judgement] = {}
    for start in range(0, len(mentors), MENTORS_AT_ONCE):
        pairs = await read_pairs(facts, seeker, mentors[start : start + MENTORS_AT_ONCE], now)
        found |= {uid: judge(pair, seeker.frame.policy.rules) for uid, pair in sorted(pairs.items())}
    return found


def _mentors(columns: Columns, now: datetime) -> list[str]:
    """Uids of everybody who has the role of a mentor, in their order."""
    roles = columns.tables["roles"]
    people = np.unique(roles.numbers("person")[roles.valid(now.timestamp()) & columns.mentor_roles()])
    return sorted(columns.people.uids[person] for person in people)


def _seeks(membership: Record, now: datetime) -> bool:
    """Whether somebody is enrolled as a mentee at an instant."""
    until = until_of(membership)
    is_open = since_of(membership) <= now and (until is None or now < until)
    return is_open and membership.properties.get("role", "mentee") == "mentee"


def _format(around: Configuration) -> str:
    return str(around.programme.properties.get("format") or "")


def _checked(around: Configuration, draft: Draft, base: Policy) -> Policy:
    """The policy that a draft would make."""
    return base.within(_format(around), draft)
