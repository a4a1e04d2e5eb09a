"""Fits what a score says of success to outcomes that nobody knew while the model was taught, and says how true that is.

Looked at are the pairings that ended in the window on which the model is judged: their outcomes became known after all
that it was taught with. Pairings that both began and ended in it would not do: they are few, and those that go badly
end early, so they would tell of failures. Each pairing is scored as it would have been when it began. How chances rise
with the score is learned from these alone; at what level they stand, from the outcomes of a whole year.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from scipy.optimize import brentq, isotonic_regression, minimize
from scipy.special import expit, log_expit, logit, xlog1py, xlogy

from mentorgraph.embeddings.calibration_error import Error, Part, curve, error, parts_of
from mentorgraph.embeddings.chance import Calibration
from mentorgraph.embeddings.tasks import Setting, allowed
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import DAY_S, question
from mentorgraph.graph.columns.table import NONE, Mask, Numbers, Reals
from mentorgraph.graph.facts.label import SUCCESS_THRESHOLD
from mentorgraph.graph.ranking.scoring import Scorer

FEWEST_OUTCOMES = 100
FEWEST_OF_A_KIND = 20
"""Successes, and failures, that it takes: where all went well, or nothing is said of what did not, no score tells."""
MOST_OUTCOMES, MOST_OF_A_NETWORK = 1_000, 400
"""More are thinned out by chance. To ask the network takes ten times as long as the signals alone."""
STEP_DAYS = 30
"""Pairings are scored with what was known at the last of these steps before they began; each step takes a second."""
FOLDS = 5
LEAST_GAIN = 2.0
"""By how much a slope has to raise the logarithm of the likelihood: a test at 5 % (Wilks 1938)."""
PLATT_KNOTS = 33
EARLIER_DAYS = 274
"""Outcomes that became known in so many days before the window tell of the level of chances too, a year with it."""
FURTHEST_APART = 2.576
"""Deviations by which two shares of successes may differ and still be those of one rate (1 %)."""
UNSURE = 1e-9
FURTHEST = 30.0
"""Log-odds."""

ALL, NEWCOMERS, REST = "all", "newcomers", "rest"


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Pairings whose outcomes are known, one row each.

    Attributes:
        scores: What the ranking said before they began: `float64[pairings]`.
        succeeded: Whether the outcome reached the threshold of the programme: `bool[pairings]`.
        mentees: Number of the mentee: `int64[pairings]`.
        newcomers: Whether the mentee had never been paired before: `bool[pairings]`.
        earlier: Successes among the outcomes of the `EARLIER_DAYS` before the window, and their number.
    """

    scores: Reals
    succeeded: Mask
    mentees: Numbers
    newcomers: Mask
    earlier: tuple[int, int] = (0, 0)

    def __len__(self) -> int:
        return len(self.scores)

    def groups(self) -> dict[str, Mask]:
        """Everybody, those who had never been paired, and the others: `bool[pairings]` each."""
        return {ALL: np.ones(len(self), bool), NEWCOMERS: self.newcomers, REST: ~self.newcomers}


@dataclass(frozen=True, eq=False)
class Calibrated:
    """What was found.

    Attributes:
        map: The map; None where there are too few outcomes to fit one.
        method: `isotonic` or `platt`, whichever states truer chances of outcomes that it was not fitted to.
        outcomes: Number of outcomes.
        successes: How many of them were successes.
        losses: Method, and `base rate` for the same chance for everybody → mean −ln likelihood of outcomes that it was
            not fitted to, in nats.
        gain: By how much a slope raises the logarithm of the likelihood of all outcomes over none, in nats.
        errors: Group → how far the chances, each stated by a map that was not fitted to it, are from what happened.
        curve: The same chances, in parts.
    """

    map: Calibration | None
    method: str
    outcomes: int
    successes: int
    losses: Mapping[str, float]
    gain: float
    errors: Mapping[str, Error]
    curve: tuple[Part, ...]

    def told(self) -> dict[str, Any]:
        """All but the map, as plain values."""
        return {
            "method": self.method,
            "outcomes": self.outcomes,
            "successes": self.successes,
            "losses": dict(self.losses),
            "gain": self.gain,
            "errors": {group: asdict(each) for group, each in self.errors.items()},
            "curve": [asdict(each) for each in self.curve],
        }


def known_outcomes(
    scorer: Scorer,
    setting: Setting,
    columns: Columns,
    begin: datetime,
    until: datetime,
    *,
    most: int = MOST_OUTCOMES,
    began: datetime | None = None,
    begun_by: datetime | None = None,
) -> Outcomes:
    """The pairings for a goal that ended in a window, as a ranking would have scored them when they began.

    Args:
        scorer: The ranking, which was taught with nothing that became known in the window.
        setting: What it may use.
        columns: The facts.
        begin: Begin of the window.
        until: Its end, exclusive.
        most: Look at so many at most.
        began: Pairings that began before this instant are left out.
        begun_by: Those that began from this instant on are, too.
    """
    table = columns.tables["pairings"]
    since, ended, result = (table.reals(name) for name in ("since", "until", "outcome"))
    mentee, mentor, goal = (table.numbers(name) for name in ("mentee", "mentor", "goal"))
    known = ~np.isnan(result) & (goal != NONE)
    told = (ended >= begin.timestamp()) & (ended < until.timestamp()) & known
    before = np.flatnonzero((ended >= begin.timestamp() - EARLIER_DAYS * DAY_S) & (ended < begin.timestamp()) & known)
    earlier = int((result[before] >= _thresholds(columns, before)).sum()), len(before)
    if began is not None:
        told &= since >= began.timestamp()
    if begun_by is not None:
        told &= since < begun_by.timestamp()
    rows = np.flatnonzero(told)
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    first = np.full(len(columns.people), np.inf)
    np.minimum.at(first, mentee, since)
    rows = rows[np.argsort(since[rows], kind="stable")]  # by time, so that what is known is gathered once for a step
    step = STEP_DAYS * DAY_S
    scores = np.zeros(len(rows))
    for place, row in enumerate(rows):
        now = datetime.fromtimestamp(since[row] // step * step, UTC)
        asked = allowed(question(columns, int(mentee[row]), int(goal[row]), now, scorer.policy.signals), setting)
        one = replace(asked, among=Pool.of(columns, [int(mentor[row])]))
        scores[place] = scorer.score(columns, one).of_person(int(mentor[row]))
    return Outcomes(
        scores,
        result[rows] >= _thresholds(columns, rows),
        mentee[rows],
        since[rows] <= first[mentee[rows]],
        earlier,
    )


def _thresholds(columns: Columns, rows: Numbers) -> Reals:
    """From which outcome on each pairing is a success, by the charter of its programme when it ended."""
    pairings, charters = columns.tables["pairings"], columns.tables["charters"]
    since, until, said = (charters.reals(name) for name in ("since", "until", "success_threshold"))
    by_programme: dict[str, list[int]] = {}
    for charter in np.argsort(since, kind="stable"):
        by_programme.setdefault(charters.strings("programme")[charter], []).append(int(charter))
    found = np.full(len(rows), SUCCESS_THRESHOLD)
    for place, row in enumerate(rows):
        ended = pairings.reals("until")[row]
        for charter in by_programme.get(pairings.strings("programme")[row], ()):
            if since[charter] <= ended < until[charter]:
                found[place] = SUCCESS_THRESHOLD if np.isnan(said[charter]) else said[charter]
    return found


def calibrate(found: Outcomes, seed: int = 0) -> Calibrated:
    """Fits a map from score to chance, by the method that does better on outcomes that it was not fitted to.

    Nobody's pairings are both fitted to and judged by.

    Args:
        found: The outcomes.
        seed: Decides who is left out together.
    """
    successes = int(found.succeeded.sum())
    if not is_enough(len(found), successes):
        return Calibrated(None, "", len(found), successes, {}, 0.0, {}, ())
    people, fold = np.unique(found.mentees, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(people))[fold] % FOLDS
    stated: dict[str, Reals] = {name: np.zeros(len(found)) for name in METHODS} | {"base rate": np.zeros(len(found))}
    for number in range(FOLDS):
        own = fold == number
        scores, succeeded = found.scores[~own], found.succeeded[~own]
        rate = level(succeeded, found.earlier)
        for name, fit in METHODS.items():
            stated[name][own] = np.interp(found.scores[own], *at_level(*fit(scores, succeeded), scores, rate))
        stated["base rate"][own] = rate
    losses = {name: _loss(each, found.succeeded) for name, each in stated.items()}
    method = min(METHODS, key=losses.__getitem__)
    errors = {
        group: error(stated[method][mask], found.succeeded[mask])
        for group, mask in found.groups().items()
        if mask.any()
    }
    fitted = METHODS[method](found.scores, found.succeeded)
    fitted = at_level(*fitted, found.scores, level(found.succeeded, found.earlier))
    return Calibrated(
        Calibration(*fitted, np.sort(found.scores)),
        method,
        len(found),
        successes,
        losses,
        _gain(found.scores, found.succeeded),
        errors,
        tuple(curve(stated[method], found.succeeded)),
    )


def level(succeeded: Mask, earlier: tuple[int, int]) -> float:
    """The rate of success that chances should have in the mean.

    Three months tell little of a rate, a year more. The outcomes before the window count beside those in it, unless
    the two shares differ by more than luck explains: then the rate has moved, and the window alone says where to.

    Args:
        succeeded: Of the window.
        earlier: See `Outcomes.earlier`.
    """
    own, (successes, outcomes) = float(succeeded.mean()), earlier
    both = (successes + succeeded.sum()) / (outcomes + len(succeeded))
    deviation = np.sqrt(both * (1 - both) * (1 / max(1, outcomes) + 1 / len(succeeded)))
    if not outcomes or abs(successes / outcomes - own) > FURTHEST_APART * deviation:
        return own
    return float(both)


def at_level(knots: Reals, values: Reals, scores: Reals, rate: float) -> tuple[Reals, Reals]:
    """A map moved in log-odds by as much as makes its mean over some scores a rate; it rises where it rose."""
    odds = logit(np.clip(values, UNSURE, 1 - UNSURE))
    moved = brentq(lambda step: float(np.interp(scores, knots, expit(odds + step)).mean()) - rate, -FURTHEST, FURTHEST)
    return knots, expit(odds + moved)


def is_enough(outcomes: int, successes: int) -> bool:
    """Whether so many outcomes, and so many of them successes, can tell of chances at all."""
    return outcomes >= FEWEST_OUTCOMES and FEWEST_OF_A_KIND <= successes <= outcomes - FEWEST_OF_A_KIND


def isotonic(scores: Reals, succeeded: Mask) -> tuple[Reals, Reals]:
    """A step for each part of the scores, never falling: knots and values: `float64[knots]` each.

    The shares of a part with n outcomes are (successes + ½) / (n + 1), so that no chance is 0 or 1 (Barlow et al. 1972,
    "Statistical inference under order restrictions"; Jeffreys' prior).
    """
    parts = parts_of(scores)
    counts = np.array([len(each) for each in parts])
    shares = np.array([(succeeded[each].sum() + 0.5) / (len(each) + 1) for each in parts])
    knots = np.array([scores[each].mean() for each in parts])
    return knots, isotonic_regression(shares, weights=counts).x


def platt(scores: Reals, succeeded: Mask) -> tuple[Reals, Reals]:
    """A logistic curve that does not fall: knots and values: `float64[knots]` each (Platt 1999)."""
    successes, others = succeeded.sum(), (~succeeded).sum()
    targets = np.where(succeeded, (successes + 1) / (successes + 2), 1 / (others + 2))
    middle, scale = scores.mean(), scores.std() or 1.0
    start, slope = _logistic((scores - middle) / scale, targets)
    knots = np.linspace(scores.min(), scores.max(), PLATT_KNOTS)
    return knots, expit(start + slope * (knots - middle) / scale)


METHODS: Mapping[str, Callable[[Reals, Mask], tuple[Reals, Reals]]] = {"isotonic": isotonic, "platt": platt}


def _logistic(values: Reals, targets: Reals) -> tuple[float, float]:
    """Intercept and slope of the logistic curve that makes the targets likeliest; the slope is not below 0."""

    def loss(line: Reals) -> tuple[float, Reals]:
        odds = line[0] + line[1] * values
        rest = expit(odds) - targets
        likelihood = targets @ log_expit(odds) + (1 - targets) @ log_expit(-odds)
        return -float(likelihood), np.array([rest.sum(), rest @ values])

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(None, None), (0, None)])
    return float(found.x[0]), float(found.x[1])


def _gain(scores: Reals, succeeded: Mask) -> float:
    """By how much a slope raises the logarithm of the likelihood, in nats."""
    values = (scores - scores.mean()) / (scores.std() or 1.0)
    start, slope = _logistic(values, succeeded.astype(np.float64))
    flat = np.full(len(scores), succeeded.mean())
    return len(scores) * (_loss(flat, succeeded) - _loss(expit(start + slope * values), succeeded))


def _loss(chances: Reals, succeeded: Mask) -> float:
    """Mean −ln likelihood, in nats."""
    kept = np.clip(chances, UNSURE, 1 - UNSURE)
    return -float((xlogy(succeeded, kept) + xlog1py(~succeeded, -kept)).mean())
