"""Lists of mentors: how long they take and how good they are, beside the query that a Neo4j user would write.

Everything that is timed is asked by one client through one driver, in turns: for each goal an empty round trip, the
skills-overlap query, and our lists without and with evidence. So what slows the machine down slows all of them down.
Quality is judged on goals that were set in the last months and found a mentor: each ranking is asked as of the day
before those months, of which nothing later is known. Of a generated community the truth is known too, and ranks beside
them: what it reaches nobody can do much better than.
"""

import gc
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from mentorgraph.api.benchmarks.figures import BASELINE, OURS, PEER, Findings, Target, row, spread
from mentorgraph.embeddings.communities import Truth
from mentorgraph.embeddings.evaluation import EVERYBODY, Interval, bootstrap, peak_mb, ratio
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.metrics import Figures, first, ndcg
from mentorgraph.embeddings.registry import Published
from mentorgraph.embeddings.tasks import task
from mentorgraph.graph.clock import Clock
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import told_at
from mentorgraph.graph.columns.table import Mask
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer, Scorer
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR

FIRST = 10
WARM_UP = 20
"""Turns that are taken before anything is timed, so that plans, caches and Java's compiler are ready."""

FEWEST = 5
"""Fewer goals than these are not measured."""

REFUSED = frozenset({"CONSENT_REQUIRED", "NOT_ONBOARDED"})
"""Codes of refusals that are right: whoever asks may not be matched."""

JUDGED_DAYS = 91
"""Goals of so many last days judge the rankings, where no model says what it was taught before."""

ROUND_TRIP, OVERLAP = "empty round trip", "skills-overlap query"
TRUTH = "truth of the community"
WITHOUT_PATHS_MS, WITH_PATHS_MS = 30.0, 60.0
TIMES_NDCG = 5.0

Report = Callable[[str, int, int], None]
Asking = Callable[[str, str], Awaitable[object]]
"""Is given a mentee and one of their goals."""


@dataclass(frozen=True)
class Asks:
    """What is asked in one graph.

    Attributes:
        now: When all that the graph tells has happened.
        open: Mentee and goal, of goals that are open then, in a random order.
        begin: Nothing that began then or later is known to the rankings that are judged.
        judged: Mentee, goal, and the mentors whom it found.
        newcomers: uids of the goals among them of people who had never been paired by `begin`.
        candidates: uids of all who had mentored by then.
    """

    now: datetime
    open: Sequence[tuple[str, str]]
    begin: datetime
    judged: Sequence[tuple[str, str, frozenset[str]]]
    newcomers: frozenset[str] = frozenset()
    candidates: Sequence[str] = ()

    @classmethod
    def of(cls, columns: Columns, begin: datetime | None, seed: int) -> "Asks":
        """Draws them.

        Args:
            columns: The graph.
            begin: See `Asks.begin`; `JUDGED_DAYS` before the end if none is given.
            seed: Decides the order.

        Raises:
            DomainError: `BAD_USER_INPUT`, nobody asks for anything.
        """
        goals, pairings = columns.tables["goals"], columns.tables["pairings"]
        latest = max(float(each.reals("since").max(initial=-np.inf)) for each in (goals, pairings))
        if not np.isfinite(latest):
            raise DomainError("there is no goal to find a mentor for", code="BAD_USER_INPUT")
        midnight = datetime.fromtimestamp(latest, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        now = midnight + timedelta(days=1)
        begin = begin or now - timedelta(days=JUDGED_DAYS)
        chance = random.Random(seed)  # noqa: S311
        uids, owners, people = columns.goals.uids, goals.numbers("person"), columns.people.uids
        asked = [(people[owners[each]], uids[each]) for each in np.flatnonzero(goals.valid(now.timestamp()))]
        asked.sort()
        chance.shuffle(asked)
        window = task(columns, begin, now)
        judged = [
            (people[mentee], uids[goal], frozenset(people[each] for each in window.candidates[relevant]))
            for mentee, goal, relevant in zip(window.mentees, window.goals, window.relevant, strict=True)
        ]
        chance.shuffle(judged)
        newcomers = frozenset(uids[goal] for goal in window.goals[window.newcomers])
        return cls(now, asked, begin, judged, newcomers, [people[each] for each in window.candidates])


async def bench_recommend(
    store: Store,
    policy: Policy,
    published: Published | None,
    truth: Truth | None = None,
    *,
    goals: int,
    seed: int,
    settings: Mapping[str, Any],
    show: Report,
) -> Findings:
    """Measures on one graph.

    Args:
        store: The graph; nobody else uses it.
        policy: The rules.
        published: A model that ranks too.
        truth: What is true in the graph, where that is known.
        goals: How many goals are asked about, for time and for quality each.
        seed: Which ones.
        settings: What is to be written down beside the figures.
        show: Told how far it is.

    Raises:
        DomainError: `BAD_USER_INPUT`, there is nothing to ask.
        DatabaseUnavailable: The graph cannot be asked.
    """
    show("Reading the graph", 0, 0)
    recommender = Recommender(store, RulesScorer(policy))
    columns = await recommender.fresh_columns()
    taught_before = datetime.fromisoformat(published.manifest["taught_before"]) if published else None
    asks = Asks.of(columns, taught_before, seed)
    recommender.clock = _running_from(asks.now)
    scorers: dict[str, Scorer] = {"rules": RulesScorer(policy)}
    if published is not None:
        scorers["model"] = LearnedScorer.of(published, policy)
    if truth and not truth.knows((goal for _, goal, _ in asks.judged), asks.candidates):
        truth = None  # a folder that was filled by another version of the generator
    bench = _Bench(recommender, asks, scorers, truth)
    times = await bench.times(goals, show)
    quality = await bench.quality(goals, show)
    return _findings(times, quality, scorers, {**settings, **bench.told, "goals": goals, "seed": seed})


@dataclass(frozen=True)
class _Bench:
    recommender: Recommender
    asks: Asks
    scorers: Mapping[str, Scorer]
    truth: Truth | None

    @property
    def told(self) -> dict[str, Any]:
        """What was asked, for whoever repeats it."""
        counts = {
            name: len(self.recommender.columns.tables[name]) for name in ("people", "goals", "offers", "pairings")
        }
        return {**counts, "asked_at": self.asks.now.isoformat(), "judged_from": self.asks.begin.isoformat()}

    async def overlap(self, _mentee: str, goal: str, now: datetime) -> list[str]:
        """The mentors whom the skills-overlap query finds."""
        columns = self.recommender.columns
        rows = await self.recommender.store.database.run_directly(
            OVERLAP_TEXT, goal=goal, now=now, told=told_at(columns, columns.goals.find(goal), now), first=FIRST
        )
        return [each["mentor"] for each in rows]

    async def _overlap_now(self, mentee: str, goal: str) -> list[str]:
        return await self.overlap(mentee, goal, self.recommender.clock())

    async def ours(
        self, mentee: str, goal: str, scorer: Scorer, *, with_paths: bool, as_of: datetime | None = None
    ) -> list[str]:
        """The mentors whom we recommend."""
        slate = await self.recommender.recommend(
            COORDINATOR, mentee, goal, first=FIRST, with_paths=with_paths, scorer=scorer, as_of=as_of
        )
        return [each.mentor for each in slate.recommendations]

    def _timed(self) -> dict[str, Asking]:
        """What is timed, by name."""

        async def nothing(_mentee: str, _goal: str) -> object:
            return await self.recommender.store.database.run_directly("RETURN 1 AS one")

        def listing(scorer: Scorer, with_paths: bool) -> Asking:
            return lambda mentee, goal: self.ours(mentee, goal, scorer, with_paths=with_paths)

        found: dict[str, Asking] = {ROUND_TRIP: nothing, OVERLAP: self._overlap_now}
        for name, scorer in self.scorers.items():
            found[_list_name(name)] = listing(scorer, False)
            found[_list_name(name, with_paths=True)] = listing(scorer, True)
        return found

    async def times(self, goals: int, show: Report) -> dict[str, list[float]]:
        """Seconds that each of `_timed` took for each of some goals.

        They take turns, and no two of them ask about the same goal one after the other: the database would still hold
        what the first one has read.
        """
        timed, asked = self._timed(), await self._askable(goals, show)
        found: dict[str, list[float]] = {name: [] for name in timed}
        for number, warming in ((WARM_UP, True), (len(asked), False)):
            gc.collect()
            for turn in range(number):
                show("Warming up" if warming else "Asking for lists", turn + 1, number)
                for place, (name, ask) in enumerate(timed.items()):
                    mentee, goal = asked[(turn + place * len(asked) // len(timed)) % len(asked)]
                    began = time.perf_counter()
                    await ask(mentee, goal)
                    if not warming:
                        found[name].append(time.perf_counter() - began)
        return found

    async def _askable(self, goals: int, show: Report) -> list[tuple[str, str]]:
        """Mentee and goal, of as many open goals of people who may be matched."""
        found: list[tuple[str, str]] = []
        for mentee, goal in self.asks.open:
            show("Choosing goals", len(found), goals)
            if await self._answers(mentee, goal, None):
                found.append((mentee, goal))
            if len(found) == goals:
                break
        if len(found) < FEWEST:
            raise DomainError(
                f"only {len(found)} goals are open of people who may be matched, and {FEWEST} are needed; take more "
                "people",
                code="BAD_USER_INPUT",
            )
        return found

    async def _answers(self, mentee: str, goal: str, as_of: datetime | None) -> bool:
        """Whether we give a list at all: not to people who have not agreed to be matched, say."""
        try:
            await self.ours(mentee, goal, self.scorers["rules"], with_paths=False, as_of=as_of)
        except DomainError as error:
            if error.code not in REFUSED:
                raise
            return False
        return True

    async def quality(self, goals: int, show: Report) -> "Quality":
        """How good each ranking is on the same past goals."""
        truth = (TRUTH,) if self.truth else ()
        begin, found = self.asks.begin, {name: list[float]() for name in (OVERLAP, *self.scorers, *truth)}
        newcomers = []
        judged = self.asks.judged[:goals]
        for number, (mentee, goal, relevant) in enumerate(judged, 1):
            show("Judging lists by what came of the goals", number, len(judged))
            if not await self._answers(mentee, goal, begin):
                continue
            newcomers.append(goal in self.asks.newcomers)
            found[OVERLAP].append(gain(await self.overlap(mentee, goal, begin), relevant))
            for name, scorer in self.scorers.items():
                mentors = await self.ours(mentee, goal, scorer, with_paths=False, as_of=begin)
                found[name].append(gain(mentors, relevant))
            if self.truth:
                scores = self.truth.scores(goal, self.asks.candidates)
                found[TRUTH].append(gain([self.asks.candidates[each] for each in first(scores, FIRST)], relevant))
        return Quality({name: np.array(each) for name, each in found.items()}, np.array(newcomers, bool))


@dataclass(frozen=True)
class Quality:
    """How good rankings are on the same goals.

    Attributes:
        ndcg: Ranking → NDCG@10: `float64[goals]`.
        newcomers: Whose goals are those of people who had never been paired: `bool[goals]`.
    """

    ndcg: Mapping[str, Figures]
    newcomers: Mask

    def __len__(self) -> int:
        return len(self.newcomers)

    def groups(self) -> Iterator[tuple[str, Mask]]:
        """All goals, those of newcomers and the rest, as far as there are any."""
        masks = (np.ones(len(self), bool), self.newcomers, ~self.newcomers)
        yield from ((name, mask) for name, mask in zip(EVERYBODY, masks, strict=True) if mask.any())

    def figures(self, name: str, mask: Mask | None = None) -> dict[str, float]:
        """A ranking's figures, and how many times the query's they are; none where it was not judged."""
        if name not in self.ndcg or not len(self):
            return {}
        kept = np.ones(len(self), bool) if mask is None else mask
        own, times = bootstrap(self.ndcg[name][kept]), self.times(name, kept)
        found = {"ndcg@10": own.mean, "low": own.low, "high": own.high}
        return found | {"ndcg_to_overlap": times.mean, "to_overlap_low": times.low, "to_overlap_high": times.high}

    def times(self, name: str, mask: Mask) -> Interval:
        """How many times the query's NDCG@10 that of a ranking is."""
        return ratio(self.ndcg[name][mask], self.ndcg[OVERLAP][mask])

    def told(self, name: str, mask: Mask) -> str:
        """The same in words."""
        times = self.times(name, mask)
        return f"{times.mean:.2f} × [{times.low:.2f}, {times.high:.2f}]".replace("inf", "∞")


def _running_from(instant: datetime) -> Clock:
    """A clock that shows an instant now and goes on from it, as clocks do between two questions."""
    began = time.monotonic()
    return lambda: instant + timedelta(seconds=time.monotonic() - began)


def gain(mentors: Sequence[str], relevant: frozenset[str]) -> float:
    """NDCG@10 of a list; mentors whom it lacks count as if they stood behind its end."""
    places = sorted(mentors.index(each) + 1 if each in mentors else FIRST + 1 for each in relevant)
    return float(ndcg([np.array(places, np.int64)], FIRST)[0])


def _list_name(scorer: str, *, with_paths: bool = False) -> str:
    return f"list of {FIRST} by {scorer}" + (", with paths" if with_paths else "")


def _findings(
    times: Mapping[str, Sequence[float]],
    quality: Quality,
    scorers: Mapping[str, Scorer],
    settings: Mapping[str, Any],
) -> Findings:
    spreads = {name: spread(each) for name, each in times.items()}
    found, notes = [], []
    ranking = {_list_name(name, with_paths=paths): name for name in scorers for paths in (False, True)}
    for name, durations in spreads.items():
        found.append(
            row(
                name,
                OURS if name in ranking else BASELINE if name == ROUND_TRIP else PEER,
                ranking.get(name, ""),
                **durations,
                p50_in_round_trips=durations["p50_ms"] / spreads[ROUND_TRIP]["p50_ms"],
                p95_to_overlap=durations["p95_ms"] / spreads[OVERLAP]["p95_ms"],
                **quality.figures(ranking.get(name, name)),
                seconds=sum(times[name]),
                peak_mb=peak_mb(),
            )
        )
    kinds = {OVERLAP: (OVERLAP, PEER), TRUTH: (TRUTH, BASELINE)}
    kinds |= {name: (_list_name(name), OURS) for name in scorers}
    for group, mask in quality.groups():
        for name in quality.ndcg:
            if group != EVERYBODY[0] or name == TRUTH:
                shown, kind = kinds[name]
                setting = name if name in scorers else ""
                found.append(row(shown, kind, setting, group, **quality.figures(name, mask), goals=int(mask.sum())))
    if not len(quality):
        notes.append("No goal of the judged months found a mentor, so nothing is said of quality.")
    best = "model" if "model" in scorers else "rules"
    settings = {**settings, "asks": len(next(iter(times.values()))), "judged": len(quality)}
    return Findings(
        f"Lists of {FIRST} for {settings['asks']} open goals, {settings['people']:,} people, one client",
        found,
        settings,
        tuple(_targets(spreads, quality, best)),
        notes,
    )


def _targets(spreads: Mapping[str, Mapping[str, float]], quality: Quality, best: str) -> list[Target]:
    found = []
    peer = spreads[OVERLAP]["p95_ms"]
    for paths, most in ((False, WITHOUT_PATHS_MS), (True, WITH_PATHS_MS)):
        name = _list_name(best, with_paths=paths)
        p95 = spreads[name]["p95_ms"]
        found.append(Target(f"{name}: p95 {p95:.1f} ms, at most {most:g} ms are meant", p95 <= most))
        found.append(Target(f"{name}: p95 {p95 / peer:.2f} × that of the {OVERLAP}, at most 1 is meant", p95 <= peer))
    for group, mask in quality.groups():
        ours, theirs = (float(quality.ndcg[name][mask].mean()) for name in (best, OVERLAP))
        whose = "" if group == EVERYBODY[0] else f" of {group} ({int(mask.sum())} goals)"
        told = f"NDCG@10{whose} by {best}: {ours:.3f}, {quality.told(best, mask)} that of the {OVERLAP}"
        limit = f"; the truth itself comes to {quality.told(TRUTH, mask)}" if TRUTH in quality.ndcg else ""
        met = ours >= TIMES_NDCG * theirs and ours > 0
        found.append(Target(f"{told}, {TIMES_NDCG:g} × are meant{limit}", met))
    return found


OVERLAP_TEXT = Path(__file__).with_name("skills_overlap.cypher").read_text("utf-8")
