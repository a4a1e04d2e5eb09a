"""The list of mentors for a mentee: best first, in pages, each with the evidence behind it.

Later pages go on in the order of the first one; the rules look at the present on every page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.table import NONE, Mask
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.paging import Cursor, check_first, read_cursor, short
from mentorgraph.graph.ranking.asking import Asker, Asking, among_mentors, may_ask
from mentorgraph.graph.ranking.cautions import cautions_of
from mentorgraph.graph.ranking.filtering import Part, TierFilter, cross_functional, experts, parts_of, together, traits
from mentorgraph.graph.ranking.horizon import Horizon
from mentorgraph.graph.ranking.isolation import isolation
from mentorgraph.graph.ranking.meeting import modes_of
from mentorgraph.graph.ranking.notices import thin_question
from mentorgraph.graph.ranking.options import DEFAULT, NO_MIX, Mix, Options
from mentorgraph.graph.ranking.paths import shown_to
from mentorgraph.graph.ranking.pins import Standing, model_ranks, pinned_first, place_after
from mentorgraph.graph.ranking.reasons import SignalValue, measured, signal_values
from mentorgraph.graph.ranking.scoring import Chance, Scorer
from mentorgraph.graph.ranking.sentences import EvidencePath, Measured, sentences_of
from mentorgraph.graph.ranking.shaping import EXPLORATION, Candidate, Shaping, Slot, seed_of
from mentorgraph.graph.ranking.wishes import with_wish
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.viewer import Viewer

DETERMINISTIC = 1.0
"""Propensity of a place that is not drawn: the same question has the same answer."""


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
        measured: What is said that no path tells.
        available_from: From when on the pair may be made; None for now.
        lifted_by: One of `shaping.LIFTS` for who stands higher than the score alone would put them; else empty.
        propensity: The probability with which this mentor stood in this place.
        pin: uid of the override by which a coordinator put the mentor first; empty for none.
        model_rank: Place by score alone; None where the page does not tell, see `pins.model_ranks`.
        cautions: Names of `cautions.CAUTIONS`.
        mode: How the two can meet, one of `meeting.MODES`; empty where it is not known.
        chance: Of success, by the model's own score, whatever this list leaves out or wishes for; None if not known.
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
    measured: tuple[Measured, ...]
    available_from: datetime | None = None
    lifted_by: str = ""
    propensity: float = DETERMINISTIC
    pin: str = ""
    model_rank: int | None = None
    cautions: tuple[str, ...] = ()
    mode: str = ""
    chance: Chance | None = None

    @property
    def is_explored(self) -> bool:
        """Whether the place was drawn, to learn how mentors from further down do."""
        return self.lifted_by == EXPLORATION


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
        options: What the list was asked for with.
        shaping: How its first places were given; None where it was by score alone.
        candidates: Among whom they were given, best first.
        programme: uid of the programme that was named; empty for none.
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
    options: Options = DEFAULT
    shaping: Shaping | None = None
    candidates: tuple[Candidate, ...] = ()
    programme: str = ""


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
        lacking: Who is missing of a mix that cannot be met.
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
    lacking: Mix = NO_MIX


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A list that is asked for, made ready for one state of the graph.

    Attributes:
        asker: Whoever asks, with the scores that count for this list.
        options: What it is asked for with.
        shaping: How its first places are given.
        parts: What its filter asks for, but for the tier.
        tier: The tier that it asks for.
        ahead: How far it looks ahead; None where only the present counts.
        key: What tells the question from others.
        viewer: Who is shown it.
        mentors: All mentors, best first.
        order: Those of them whom filter and exclusion leave, whoever is pinned before all others.
    """

    asker: Asker
    options: Options
    shaping: Shaping
    parts: list[Part]
    tier: TierFilter | None
    ahead: Horizon | None
    key: str
    viewer: Viewer
    mentors: NDArray[np.int64]
    order: NDArray[np.int64]

    @property
    def uid(self) -> str:
        """Identity of the list."""
        shaped = "" if self.shaping.is_by_score else f" {self.shaping.first}"
        shaped += f" {sorted(self.asker.pins.values())}" if self.asker.pins else ""
        state = f"{self.asker.columns.change} {self.asker.scores.fingerprint()}"
        return uid_of("mentorgraph", "slates", f"{self.key} {state}{shaped}")


@dataclass(frozen=True, slots=True)
class _Page:
    """Who stands on a page, and how the first places were given.

    Attributes:
        people: Person → from when on they are free, None for now.
        has_next: Whether more follow.
        seen: Whoever is known to follow one another by score, after those who are pinned; none on a shaped page.
        slots: How each place was given, on a shaped page.
        candidates: Among whom they were given.
        lacking: Who is missing of a mix.
        shaping: How the places after the pinned ones were given.
    """

    people: Mapping[int, datetime | None]
    has_next: bool
    seen: Sequence[int] = ()
    slots: tuple[Slot, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    lacking: Mix = NO_MIX
    shaping: Shaping | None = None


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
        options: Options = DEFAULT,
        explores: bool = True,
        with_paths: bool = True,
        with_total: bool = False,
        as_of: datetime | None = None,
        scorer: Scorer | None = None,
        programme: str | None = None,
    ) -> Slate:
        """Ranks the mentors that a mentee may be paired with.

        Args:
            viewer: On whose behalf; participants may ask for themselves only.
            mentee: uid of the person who seeks a mentor.
            goal: uid of one of their goals; the latest open one if none is given.
            first: Length of the page, 1 to `paging.MOST`.
            after: Cursor of an earlier page of the same question.
            options: What the list is asked for with.
            explores: Whether places are explored as the policy says; never in lists as of a past instant.
            with_paths: Whether evidence is wanted.
            with_total: Whether the number of allowed mentors is wanted; it takes reading the facts of all of them.
            as_of: Judge mentors by what was known before this instant; now if none is given. A goal that was set later
                is taken as it was when it was set.
            scorer: What ranks; the one of this recommender if none is given.
            programme: uid of the programme whose rules count; the only one in which they are a mentee if none is given.

        Raises:
            DomainError: `BAD_USER_INPUT`, `FORBIDDEN`, `NOT_FOUND`, `CONSENT_REQUIRED` or `NOT_ONBOARDED`.
            DatabaseUnavailable: The graph cannot be asked.
        """
        check_first(first)
        options.check()
        if as_of is not None and options.horizon_days:
            told = "looks ahead of the present, which a past instant cannot be asked about; leave one of both out"
            raise DomainError(f"horizonDays {told}", code="BAD_USER_INPUT", field="horizonDays")
        may_ask(viewer, mentee)
        cursor = read_cursor(after, as_of or self.clock()) if after is not None else None
        scored_at, among = cursor.scored_at if cursor else None, among_mentors(options.horizon)
        scorer, in_place_of = scorer or self.scorer, options.in_place_of
        asker = await self._ask(
            mentee, goal, as_of, scorer, scored_at, programme=programme, among=among, in_place_of=in_place_of
        )
        wanted = await self._wanted(
            asker, viewer, options, cursor.first if cursor else first, explores and as_of is None
        )
        if cursor is not None and cursor.question != short(wanted.key):
            raise DomainError("after belongs to another question or version", code="BAD_USER_INPUT", field="after")
        everybody = await self._allowed_of(wanted, wanted.order, len(wanted.order)) if with_total else None
        if cursor is None:
            page = await self._first_page(wanted, first, everybody)
        else:
            page = await self._later_page(wanted, first, cursor, everybody)
        slate_uid, rank = wanted.uid, cursor.rank if cursor else 0
        evidence = await self._paths(wanted.asker, list(page.people)) if with_paths else {}
        by_score = _by_score(wanted.asker, page, rank)
        least_minutes = asker.scorer.policy.rules.least_overlap_minutes
        modes = modes_of(asker.columns, asker.asked, list(page.people), least_minutes)
        recommendations = []
        for place, (person, available_from) in enumerate(page.people.items()):
            mentor = asker.columns.people.uids[person]
            found = shown_to(viewer, evidence.get(mentor, ()), mentee, mentor)
            signals = signal_values(wanted.asker.scores, person)
            measured_words = measured(signals, asker.scorer, evidence.get(mentor, ()), modes[person])
            slot = page.slots[place] if page.slots else Slot(place)
            chance = asker.scorer.chance(asker.scores.of_person(person))
            recommendations.append(
                Recommendation(
                    uid_of("mentorgraph", "recommendations", slate_uid + mentor),
                    rank + place + 1,
                    mentor,
                    wanted.asker.scores.of_person(person),
                    asker.scores.base,
                    signals,
                    found,
                    sentences_of(found, measured_words),
                    evidence.get(mentor, ()),
                    measured_words,
                    available_from,
                    slot.lifted_by,
                    slot.propensity,
                    wanted.asker.pins.get(person, ""),
                    by_score.get(person),
                    cautions_of(
                        asker.columns,
                        asker.asked.seconds,
                        person,
                        explored=slot.lifted_by == EXPLORATION,
                        mode=modes[person],
                        chance=chance,
                    ),
                    modes[person],
                    chance,
                )
            )
        names = names_of(asker.columns, [mentee, *(each.mentor for each in recommendations)], [asker.goal])
        return Slate(
            slate_uid,
            asker.scorer.model_version,
            asker.scorer.policy.version,
            asker.goal,
            tuple(recommendations),
            _cursors(wanted, recommendations, cursor),
            page.has_next,
            None if everybody is None else len(everybody),
            _notice(wanted, is_empty=not recommendations and cursor is None),
            Asked(
                viewer,
                mentee,
                asker.now,
                asker.asked.now,
                as_of,
                asker.columns.change,
                rank,
                asker.scorer.policy,
                names,
                options,
                page.shaping if page.slots else None,
                page.candidates,
                programme or "",
            ),
            page.lacking,
        )

    async def _wanted(self, asker: Asker, viewer: Viewer, options: Options, first: int, explores: bool) -> _Wanted:
        columns, policy, asked = asker.columns, asker.scorer.policy, asker.asked
        scores = asker.scores.without(options.ignored)
        if options.wish.attribute:
            scores = await with_wish(self.store, columns, scores, options.wish, asker.now)
        asker = replace(asker, scores=scores)
        explored = policy.exploration.share if explores else 0.0
        day = asked.now.astimezone(UTC).date()
        shaping = Shaping(
            first,
            options.mix,
            options.diversity,
            explored,
            int(policy.exploration.within) if explored else 0,
            seed_of(asker.uid, day) if explored else "",
        )
        excluded = [columns.people.find(uid) for uid in sorted(options.excluded)]
        if NONE in excluded and viewer.sees_everybody:  # participants are told nothing of who exists
            raise DomainError("one of these ids is nobody's", code="NOT_FOUND", field="exclude")
        tier = await TierFilter.of(self.store, options.filter.tier) if options.filter.tier else None
        ahead = None
        if options.horizon_days:
            until, programme = asker.now + options.horizon, asker.seeker.frame.programme
            ahead = Horizon(columns, asked.mentee, asker.now, until, policy.rules, programme)
        parts = parts_of(columns, asked, options.filter, policy.signals)
        mentors = self._order(asker, options.horizon)
        passes = together(parts, len(columns.people))[mentors] & ~np.isin(mentors, excluded)
        on = f"explored {day}" if shaping.explores else ""
        key = " ".join(filter(None, (asker.key, options.key, on, isolation(columns, viewer, asker.now))))
        order = pinned_first(mentors[passes], asker.pins)
        return _Wanted(asker, options, shaping, parts, tier, ahead, key, viewer, mentors, order)

    async def _allowed_of(self, wanted: _Wanted, order: NDArray[np.int64], number: int) -> dict[int, datetime | None]:
        return await self._allowed(
            wanted.asker, order, number, tier=wanted.tier, ahead=wanted.ahead, viewer=wanted.viewer
        )

    async def _first_page(self, wanted: _Wanted, first: int, everybody: Mapping[int, datetime | None] | None) -> _Page:
        shaping = wanted.shaping
        number = max(first + 1, shaping.wanted + len(wanted.asker.pins))
        if everybody is None:
            allowed = await self._allowed_of(wanted, wanted.order, number)
        else:
            allowed = dict(list(everybody.items())[:number])
        if shaping.is_by_score:
            return _Page(dict(list(allowed.items())[:first]), len(allowed) > first, list(allowed))
        asker = wanted.asker
        pinned = {person: free for person, free in list(allowed.items())[:first] if person in asker.pins}
        if len(pinned) == first:
            return _Page(pinned, len(allowed) > first)
        shaping = replace(shaping, first=first - len(pinned))
        expert = experts(asker.columns, asker.asked, asker.scorer.policy.signals)
        cross = cross_functional(asker.columns, asker.asked)
        if shaping.is_mixed and len(allowed) == number:
            allowed |= await self._for_the_mix(wanted, list(allowed)[-1], expert, cross)
        free = [person for person in allowed if person not in pinned]
        people = sorted(free, key={int(each): place for place, each in enumerate(wanted.order)}.__getitem__)
        candidates = tuple(
            Candidate(
                asker.columns.people.uids[person],
                asker.scores.of_person(person),
                bool(expert[person]),
                bool(cross[person]),
                traits(asker.columns, asker.asked, person) if shaping.diversity else frozenset(),
            )
            for person in people
        )
        slots = tuple(shaping.places(candidates))
        page = pinned | {people[slot.place]: allowed[people[slot.place]] for slot in slots}
        slots = (*(Slot(place) for place in range(len(pinned))), *slots)
        has_next = len(allowed) > first
        return _Page(page, has_next, (), slots, candidates, shaping.lacking(candidates), shaping)

    async def _for_the_mix(self, wanted: _Wanted, last: int, expert: Mask, cross: Mask) -> dict[int, datetime | None]:
        """Those behind somebody in the order with whom a mix can be met: of each kind as many as it takes."""
        mix = wanted.shaping.mix
        rest = wanted.order[int(np.flatnonzero(wanted.order == last)[0]) + 1 :]
        found: dict[int, datetime | None] = {}
        for kind, number in (
            (expert & cross, min(mix.experts, mix.cross_functional)),
            (expert, mix.experts),
            (cross, mix.cross_functional),
        ):
            if number:
                found |= await self._allowed_of(wanted, rest[kind[rest]], number)
        return found

    async def _later_page(
        self, wanted: _Wanted, first: int, cursor: Cursor, everybody: Mapping[int, datetime | None] | None
    ) -> _Page:
        """A page that goes on by score, without those whom the first page has shown already."""
        uids, order = wanted.asker.columns.people.uids, wanted.order
        is_of_shaped_page = cursor.mentor in cursor.shown
        asker, start = wanted.asker, 0
        if not is_of_shaped_page:
            start = place_after(asker.scores, order, asker.pins, uids, cursor.score, cursor.mentor)
        shown = [wanted.asker.columns.people.find(uid) for uid in cursor.shown]
        order = order[start:]
        order = order[~np.isin(order, shown)]
        if everybody is None:
            allowed = await self._allowed_of(wanted, order, first + 1)
        else:
            later = set(order.tolist())
            allowed = {person: instant for person, instant in everybody.items() if person in later}
        return _Page(dict(list(allowed.items())[:first]), len(allowed) > first, list(allowed))


def _by_score(asker: Asker, page: _Page, offset: int) -> dict[int, int | None]:
    """Where score alone would put each of a page; nobody of a shaped one, whose places say how they were given."""
    uids, score = asker.columns.people.uids, asker.scores.of_person
    seen = [Standing(score(each), uids[each], each in asker.pins) for each in page.seen]
    return dict(zip(page.seen, model_ranks(seen, offset, bool(asker.pins), not page.has_next), strict=True))


def _cursors(wanted: _Wanted, page: Sequence[Recommendation], after: Cursor | None) -> tuple[str, ...]:
    """Where to go on after each recommendation of a page."""
    first = 0 if wanted.shaping.is_by_score else wanted.shaping.first
    found = []
    for place, each in enumerate(page, 1):
        shown: tuple[str, ...] = ()
        if first:
            shown = after.shown if after else tuple(one.mentor for one in page[:place])
        cursor = Cursor(short(wanted.key), wanted.asker.asked.now, each.rank, each.score, each.mentor, first, shown)
        found.append(cursor.write())
    return tuple(found)


def names_of(columns: Columns, people: Sequence[str], goals: Sequence[str]) -> dict[str, str]:
    """Names of people and titles of goals by uid, as far as they are known."""
    names, titles = columns.tables["people"].strings("name"), columns.tables["goals"].strings("title")
    found = {uid: names[columns.people.find(uid)] for uid in people}
    found |= {uid: titles[columns.goals.find(uid)] for uid in goals if uid}
    return {uid: name for uid, name in found.items() if name}


def _notice(wanted: _Wanted, *, is_empty: bool) -> str:
    said = list(filter(None, [thin_question(wanted.asker.columns, wanted.asker.asked)]))
    if not wanted.asker.scores.terms:
        said.append("All signals are left out, so the order is that of ids.")
    if is_empty and (wanted.parts or wanted.tier):
        told = ", ".join(f"{int(each.passes[wanted.mentors].sum())} {each.words}" for each in wanted.parts)
        told = f": of {len(wanted.mentors)} mentors {told}" if told else ""
        if not len(wanted.order):
            said.append(f"Nobody passes the filters{told}.")
        else:
            passed = f"{len(wanted.order)} pass {'the other filters' if wanted.tier else 'them all'}"
            eligible = " is eligible for the tier and" if wanted.tier else ""
            said.append(f"Filters leave nobody{told}; {passed}, and none of these{eligible} may be paired now.")
    return " ".join(said)
