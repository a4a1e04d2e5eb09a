"""Whether what a model sees has moved since it was judged: what goals are like, what it scores them, how pairings end.

Two windows of one snapshot are compared: that on which the version was judged, and the time since. A distribution has
moved where its population stability index is large and larger than luck explains.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from scipy.stats import ks_2samp

from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.registry import Registry
from mentorgraph.embeddings.snapshot import Snapshot
from mentorgraph.embeddings.tasks import FULL, Setting, allowed
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import question
from mentorgraph.graph.columns.table import Numbers, Reals
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.scoring import Scorer
from mentorgraph.graph.rules.policy import Policy

FEWEST = 50
"""Facts that each window has to have before anything is said of them."""
LARGEST_INDEX = 0.2
"""A usual bound, see Siddiqi 2006, "Credit risk scorecards": from .1 on a shift is moderate, from .25 on large."""
LUCK = 0.01
PARTS = 10
MOST_ASKED = 150
"""Of each window so many goals are scored."""
LEAST_SHARE = 1e-3


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one distribution has moved.

    Attributes:
        kind: `features`, `scores` or `outcomes`.
        what: What is distributed.
        then: Its median in the earlier window; NaN where there is too little.
        now: Its median in the later one.
        facts: Number of facts in the later window.
        index: Population stability index, Σ (now − then) · ln(now / then) over tenths of the earlier window; NaN where
            there is too little to say.
        probability: How likely luck alone parts two samples as far (Kolmogorov and Smirnov; for numbers with few values
            it is less likely still).
    """

    kind: str
    what: str
    then: float
    now: float
    facts: int
    index: float
    probability: float

    @property
    def has_moved(self) -> bool:
        """Whether it has moved, beyond luck."""
        return self.index > LARGEST_INDEX and self.probability < LUCK


def shift(kind: str, what: str, then: Reals, now: Reals) -> Shift:
    """Compares two samples of a number."""
    nothing = float("nan")
    if min(len(then), len(now)) < FEWEST:
        return Shift(kind, what, nothing, nothing, len(now), nothing, 1.0)
    edges = np.unique(np.quantile(then, np.linspace(0, 1, PARTS + 1)[1:-1]))
    shares = []
    for values in (then, now):
        counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
        shares.append(np.maximum(counts / len(values), LEAST_SHARE))
    index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    probability = float(ks_2samp(then, now).pvalue)
    return Shift(kind, what, float(np.median(then)), float(np.median(now)), len(now), index, probability)


@dataclass(frozen=True, slots=True)
class Found:
    """What has happened since the version that serves was judged.

    Attributes:
        version: The version.
        since: When it was judged.
        changed: Number of pairings that began and outcomes that became known since.
        shifts: What may have moved.
    """

    version: str
    since: datetime
    changed: int
    shifts: tuple[Shift, ...]


def since_judged(registry: Registry, snapshot: Snapshot, policy: Policy) -> Found:
    """What has happened by a snapshot since the version that serves was judged.

    Args:
        registry: The versions.
        snapshot: The facts.
        policy: Settings of the signals.

    Raises:
        DomainError: `NO_MODEL`, none serves.
        ModelRefused: As `Registry.load`.
    """
    version = registry.current()
    if not version:
        raise DomainError("no model serves, so nothing can have moved since one was judged", code="NO_MODEL")
    published = registry.load(version)
    scorer = LearnedScorer.of(published, policy)
    begin, since = (datetime.fromisoformat(published.manifest[each]) for each in ("taught_before", "judged_until"))
    columns, end = snapshot.columns, snapshot.manifest.as_of
    shifts = drift(columns, scorer, begin, since, end, scorer.model.setting)
    return Found(version, since, changed_since(columns, since), tuple(shifts))


def drift(
    columns: Columns, scorer: Scorer, begin: datetime, middle: datetime, end: datetime, setting: Setting = FULL
) -> list[Shift]:
    """What has moved between two windows.

    Args:
        columns: The facts.
        scorer: What ranks.
        begin: Begin of the window on which it was judged.
        middle: Its end, and the begin of the time since.
        end: The end of that.
        setting: What the ranking may use.
    """
    windows = ((begin, middle), (middle, end))
    goals, pairings = columns.tables["goals"], columns.tables["pairings"]
    asked = [_within(goals.reals("since"), *window) for window in windows]
    ended = [_within(pairings.reals("until"), *window) for window in windows]
    needs = np.bincount(columns.tables["goal_skills"].numbers("goal") + 1, minlength=len(goals) + 1)[1:]
    texts = zip(goals.strings("title"), goals.strings("description"), strict=True)
    words = np.array([len(f"{title or ''} {description or ''}".split()) for title, description in texts], float)
    first = np.full(len(columns.people), np.inf)
    np.minimum.at(first, pairings.numbers("mentee"), pairings.reals("since"))
    before = first[goals.numbers("person")] < goals.reals("since")
    results = [pairings.reals("outcome")[rows] for rows in ended]
    lengths = (pairings.reals("until") - pairings.reals("since")) / 86_400
    scores = [_scores(columns, scorer, setting, rows, window[0]) for rows, window in zip(asked, windows, strict=True)]
    return [
        shift("features", "words of a goal", *(words[rows] for rows in asked)),
        shift("features", "skills that a goal needs", *(needs[rows].astype(float) for rows in asked)),
        shift("features", "goals of people with a past pairing", *(before[rows].astype(float) for rows in asked)),
        shift("features", "days of a pairing that ended", *(lengths[rows] for rows in ended)),
        shift("scores", "best score for a goal", *scores),
        shift("outcomes", "outcome of a pairing", *(each[~np.isnan(each)] for each in results)),
    ]


def changed_since(columns: Columns, then: datetime) -> int:
    """Number of pairings that began, and of outcomes that became known, from an instant on."""
    table = columns.tables["pairings"]
    told = ~np.isnan(table.reals("outcome")) & np.isfinite(table.reals("until"))
    began = table.reals("since") >= then.timestamp()
    return int(began.sum() + (told & (table.reals("until") >= then.timestamp())).sum())


def moved(shifts: Sequence[Shift]) -> list[str]:
    """What has moved, in words."""
    return [
        f"{each.what}: the median went from {each.then:.3g} to {each.now:.3g} (index {each.index:.2f})"
        for each in shifts
        if each.has_moved
    ]


def _within(instants: Reals, begin: datetime, end: datetime) -> Numbers:
    return np.flatnonzero((instants >= begin.timestamp()) & (instants < end.timestamp()))


def _scores(columns: Columns, scorer: Scorer, setting: Setting, goals: Numbers, now: datetime) -> Reals:
    """The best score for each of some goals among those who had mentored, by what was known when the window began."""
    if len(goals) > MOST_ASKED:
        goals = np.sort(np.random.default_rng(0).choice(goals, MOST_ASKED, replace=False))
    pairings = columns.tables["pairings"]
    mentors = np.unique(pairings.numbers("mentor")[pairings.begun(now.timestamp())])
    if not len(mentors):
        return np.zeros(0)
    people = columns.tables["goals"].numbers("person")
    found, pool = [], Pool.of(columns, mentors)
    for goal in goals:
        asked = allowed(question(columns, int(people[goal]), int(goal), now, scorer.policy.signals), setting)
        scores = scorer.score(columns, replace(asked, among=pool))
        found.append(float(scores.total[scores.places(mentors)].max()))
    return np.array(found)
