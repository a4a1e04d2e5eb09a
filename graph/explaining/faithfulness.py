"""The audit of the explainer: whether the reasons that are shown are there, add up, and are what the ranking rests on.

Each check has a target and can fail. Deletion and sufficiency test an explanation without a model of the model: take
away what is shown and the score has to fall; leave nothing else and it has to stay (Samek et al. 2017, "Evaluating the
visualization of what a deep neural network has learned"; DeYoung et al. 2020, "ERASER", call the two comprehensiveness
and sufficiency). Nothing is written: edges are taken away from columns in memory.
"""

import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.neighbourhood import Neighbourhood
from mentorgraph.graph.columns.question import Edge, question
from mentorgraph.graph.columns.supposing import without
from mentorgraph.graph.columns.table import NONE, Reals
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.explaining.leaks import Shown, leaks_in
from mentorgraph.graph.ranking.listing import Recommendation, Slate
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.paths import COMPUTED, EDGE_TYPES, steps_hold
from mentorgraph.graph.ranking.scoring import Scores
from mentorgraph.graph.ranking.sentences import EvidencePath
from mentorgraph.graph.rules.policy import SIGNALS
from mentorgraph.graph.viewer import COORDINATOR, Viewer
from mentorgraph.graph.world.planted import PlantedReasons

LISTED = 10
PER_LIST = 4
"""So many recommendations of one list are examined."""
SHOWN_PATHS = 5
"""So many paths, the heaviest, count as shown: as many as there are sentences."""
DRAWS = 3
"""Random deletions for each one of what is shown."""
ADDS_UP_TO = 1e-6
LEAST_RATIO = 3.0
LEAST_SUFFICIENCY = 0.8
LEAST_PLANTED = 0.9
RESAMPLES = 2_000
MOST_FAULTS = 5

Answer = Callable[[Viewer, str, str], Awaitable[Slate]]
"""What is audited: viewer, uid of the mentee and of the goal → the list with its reasons."""

REFUSED = frozenset({"CONSENT_REQUIRED", "NOT_ONBOARDED", "NOT_FOUND"})
"""Codes with which somebody is refused a list; they are passed over."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Attributes:
        name: What it is called.
        target: What has to be the case, in words.
        tried: Number of cases.
        found: What was found, in words.
        value: The same as a number.
        is_met: Whether the target is met; not where nothing could be tried.
        low: Lower end of a 95 % interval of the value by bootstrap over recommendations; None without one.
        high: Its upper end.
        faults: Some of the cases that are not as they should be.
    """

    name: str
    target: str
    tried: int
    found: str
    value: float
    is_met: bool
    low: float | None = None
    high: float | None = None
    faults: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tally:
    """What is counted while recommendations are examined."""

    recommendations: int = 0
    paths: int = 0
    missing: list[str] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    drops: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    kept: list[tuple[float, float]] = field(default_factory=list)
    planted: list[bool] = field(default_factory=list)
    answers: int = 0
    leaks: list[str] = field(default_factory=list)


async def audit_explanations(
    recommender: Recommender,
    *,
    sample: int = 100,
    seed: int = 0,
    planted: PlantedReasons | None = None,
    answer: Answer | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Check]:
    """Examines the reasons of some recommendations, drawn from the lists for goals that are open.

    Args:
        recommender: What answers; the graph must not change meanwhile.
        sample: How many recommendations are examined; a participant's view is taken of as many.
        seed: Decides which.
        planted: The planted reasons, where the graph holds a generated world.
        answer: What is audited; that of the recommender if none is given.
        on_progress: Told how many have been examined, and of how many.

    Returns:
        One check each; all of them are met where the explainer is faithful.

    Raises:
        DomainError: `BAD_USER_INPUT`, there is nobody to recommend anybody to.
        DatabaseUnavailable: The graph cannot be asked.
    """
    audit = _Audit(recommender, answer or _answer_of(recommender), planted, random.Random(seed))  # noqa: S311
    await recommender.fresh_columns()
    goals = audit.goals(recommender.clock())
    tally = _Tally()
    for mentee, goal in goals:
        try:
            await audit.examine(tally, mentee, goal, sample)
        except DomainError as error:
            if error.code not in REFUSED:
                raise
        on_progress(min(tally.recommendations, sample), sample)
        if tally.recommendations >= sample:
            break
    if not tally.recommendations:
        raise DomainError("nobody here has an open goal and gets recommendations", code="BAD_USER_INPUT")
    is_learned = recommender.scorer.model_version != "rules"
    return list(_checks(tally, seed, has_truth=planted is not None, is_learned=is_learned))


def _answer_of(recommender: Recommender) -> Answer:
    async def answer(viewer: Viewer, mentee: str, goal: str) -> Slate:
        return await recommender.recommend(viewer, mentee, goal, first=LISTED)

    return answer


@dataclass(slots=True)
class _Audit:
    recommender: Recommender
    answer: Answer
    planted: PlantedReasons | None
    chance: random.Random

    def goals(self, now: datetime) -> list[tuple[str, str]]:
        """Everybody's open goals in a random order: uid of the person, uid of the goal."""
        columns = self.recommender.columns
        table = columns.tables["goals"]
        owners = table.numbers("person")
        rows = [int(row) for row in np.flatnonzero(table.valid(now.timestamp()))]
        found = sorted((columns.people.uids[owners[row]], columns.goals.uids[row]) for row in rows)
        self.chance.shuffle(found)
        return found

    async def examine(self, tally: _Tally, mentee: str, goal: str, sample: int) -> None:
        """Examines some of the recommendations for one goal, and what the mentee would be shown."""
        slate = await self.answer(COORDINATOR, mentee, goal)
        some = self.chance.sample(slate.recommendations, min(PER_LIST, len(slate.recommendations)))
        for each in some[: sample - tally.recommendations]:
            tally.recommendations += 1
            await self._exists(tally, each)
            tally.gaps.append(abs(each.base + sum(signal.contribution for signal in each.signals) - each.score))
            tally.gaps += [
                abs(signal.weight * signal.value - signal.contribution)
                for signal in each.signals
                if signal.weight is not None and signal.value is not None
            ]
            self._delete(tally, slate, each)
        if self.planted is not None:
            for each in slate.recommendations:
                if reasons := self.planted.of(goal, each.mentor):
                    tally.planted.append(any(reasons & self._told(goal, each, path) for path in each.evidence[:1]))
        shown = await self.answer(Viewer(person=mentee), mentee, goal)
        for each in shown.recommendations:
            tally.answers += 1
            to_whom = Shown(self.recommender.columns, mentee, each.mentor, goal)
            tally.leaks += leaks_in(to_whom, each)

    def _told(self, goal: str, found: Recommendation, path: EvidencePath) -> set[str]:
        assert self.planted is not None  # noqa: S101 - asked only where it is there
        return self.planted.tells(goal, found.mentor, path.metapath, [step.node_uid for step in path.steps])

    async def _exists(self, tally: _Tally, found: Recommendation) -> None:
        """Whether every edge is in the graph, between the nodes that the path names, and its query returns the path."""
        rows = await self.recommender.store.read_edges(
            _by_type(edge for path in found.evidence for edge in edges_of(path)),
            {path.steps[0].node_uid for path in found.evidence if path.steps[0].kind in COMPUTED},
        )
        edges = {row["uid"]: row for row in rows if row["type"]}
        starts = {row["uid"] for row in rows if not row["type"]}
        for path in found.evidence:
            tally.paths += 1
            is_there = steps_hold(path.steps, edges, starts) and path.steps[-1].node_uid == found.mentor
            if not is_there or not await self._query_returns(path):
                tally.missing.append(f"{found.uid}: {path.cypher}")

    async def _query_returns(self, path: EvidencePath) -> bool:
        rows = await self.recommender.store.database.run_directly(path.cypher)
        return len(rows) == 1 and all(
            rows[0][f"n{place}"]["uid"] == step.node_uid
            and (not step.relationship_uid or rows[0][f"r{place}"][1] == step.relationship_type)
            for place, step in enumerate(path.steps)
        )

    def _delete(self, tally: _Tally, slate: Slate, found: Recommendation) -> None:
        """By how much the score falls without what is shown, without as many other edges, and with nothing else."""
        columns, person = self.recommender.columns, self.recommender.columns.people.find(found.mentor)
        near = Neighbourhood.of(columns, slate.asked.mentee, slate.goal, found.mentor, slate.asked.scored_at)
        whole = self._scored(columns, slate)
        learned = [term.name for term in whole.terms if term.name not in SIGNALS]
        for name in ("", *learned):
            paths = [path for path in found.evidence if not name or path.signal == name][:SHOWN_PATHS]
            shown = sorted({edge for path in paths for edge in edges_of(path)})
            if not shown:
                continue
            before = _read(whole, name, person)
            drop = before - _read(self._scored(without(columns, shown), slate), name, person)
            others = []
            for _ in range(DRAWS):
                some = self.chance.sample(near.edges, min(len(shown), len(near.edges)))
                others.append(before - _read(self._scored(without(columns, some), slate), name, person))
            tally.drops.setdefault(name, []).append((drop, float(np.mean(others))))
        shown_edges = {edge for path in found.evidence[:SHOWN_PATHS] for edge in edges_of(path)}
        if found.evidence and near.to_mentor:
            nothing = _read(self._scored(without(columns, near.to_mentor), slate), "", person)
            others_gone = [edge for edge in near.to_mentor if edge not in shown_edges]
            kept = _read(self._scored(without(columns, others_gone), slate), "", person)
            tally.kept.append((kept - nothing, _read(whole, "", person) - nothing))

    def _scored(self, columns: Columns, slate: Slate) -> Scores:
        scorer = self.recommender.scorer
        mentee, goal = columns.people.find(slate.asked.mentee), columns.goals.find(slate.goal)
        asked = question(columns, mentee, goal if slate.goal else NONE, slate.asked.scored_at, scorer.policy.signals)
        return scorer.score(columns, asked)


def edges_of(path: EvidencePath) -> list[Edge]:
    """The relationships that a path runs along."""
    return [Edge(step.relationship_type, step.relationship_uid) for step in path.steps if step.relationship_uid]


def _by_type(edges: Iterator[Edge]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in EDGE_TYPES}
    for edge in edges:
        found.setdefault(edge.type, set()).add(edge.uid)
    return found


def _read(scores: Scores, name: str, person: int) -> float:
    """The score of somebody, or what one term of it adds."""
    if not name:
        return scores.of_person(person)
    return next(float(term.contributions[scores.place(person)]) for term in scores.terms if term.name == name)


# --- what was found -------------------------------------------------------------------------------------------------


def _checks(tally: _Tally, seed: int, *, has_truth: bool, is_learned: bool) -> Iterator[Check]:
    missing = len(tally.missing)
    yield Check(
        "existence",
        "every edge is in the graph, and the query of each path returns exactly it",
        tally.paths,
        f"{missing} of {tally.paths} paths are not",
        missing,
        not missing and tally.paths > 0,
        faults=tuple(tally.missing[:MOST_FAULTS]),
    )
    widest = max(tally.gaps)
    yield Check(
        "additivity",
        f"base and contributions sum to the score within {ADDS_UP_TO:g}",
        tally.recommendations,
        f"off by {widest:.1e} at most",
        widest,
        widest <= ADDS_UP_TO,
    )
    for name, drops in sorted(tally.drops.items()):
        value, low, high = _ratio(drops, seed)
        yield Check(
            f"deletion, {name}" if name else "deletion",
            f"without the shown edges it falls at least {LEAST_RATIO:g} × as far as without as many others near them",
            len(drops),
            f"{value:.1f} × ({low:.1f}–{high:.1f}); {np.mean([each for each, _ in drops]):.3f} against "
            f"{np.mean([each for _, each in drops]):.3f}",
            value,
            low >= LEAST_RATIO,
            low,
            high,
        )
    if tally.kept:
        value, low, high = _ratio(tally.kept, seed)
        yield Check(
            "sufficiency",
            f"the shown evidence alone carries at least {LEAST_SUFFICIENCY:.0%} of what all evidence carries",
            len(tally.kept),
            f"{value:.0%} ({low:.0%}–{high:.0%})",
            value,
            low >= LEAST_SUFFICIENCY,
            low,
            high,
        )
    if has_truth:
        share = float(np.mean(tally.planted)) if tally.planted else 0.0
        # Weights that a policy sets tell what its authors value, which need not be what was planted.
        target = f"the first path tells a planted reason in at least {LEAST_PLANTED:.0%}"
        yield Check(
            "planted reason",
            target if is_learned else f"{target}; not asked of weights that a policy sets",
            len(tally.planted),
            f"{share:.1%}",
            share,
            share >= LEAST_PLANTED or not is_learned,
        )
    yield Check(
        "third people",
        "a mentee is shown no id, name or goal of a third person",
        tally.answers,
        f"{len(tally.leaks)} in {tally.answers} answers",
        len(tally.leaks),
        not tally.leaks and tally.answers > 0,
        faults=tuple(tally.leaks[:MOST_FAULTS]),
    )


def _ratio(pairs: Sequence[tuple[float, float]], seed: int) -> tuple[float, float, float]:
    """The ratio of the means of two columns, and its 95 % interval by bootstrap over the rows."""
    values = np.array(pairs, np.float64)
    rows = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    means = values[rows].mean(axis=1)
    ratios = _divided(means[:, 0], means[:, 1])
    [value] = _divided(values[:, 0].mean(keepdims=True), values[:, 1].mean(keepdims=True))
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(value), float(low), float(high)


def _divided(first: Reals, second: Reals) -> Reals:
    """A ratio that is very large, not negative, where nothing is lost by chance, and none where nothing is lost."""
    ratios: Reals = np.where(first <= 0, np.minimum(first, 0), first / np.maximum(second, 1e-3))
    return ratios


def as_json(checks: Sequence[Check]) -> list[Mapping[str, object]]:
    """The checks as plain values."""
    return [
        {
            "name": each.name,
            "target": each.target,
            "tried": each.tried,
            "found": each.found,
            "value": each.value,
            "low": each.low,
            "high": each.high,
            "isMet": each.is_met,
            "faults": list(each.faults),
        }
        for each in checks
    ]
