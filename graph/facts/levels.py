"""How good somebody is at a skill, from several dated ratings: a mean in which trust fades with age.

A rating weighs its source's trust × ½^(age / half-life of the source). A mentor or a project has seen the person at
work; a certificate attests less of practice, but holds longer; what people say of themselves is trusted least and fades
fastest. The level that an offer states counts as what the person says. One rating alone is the level, whatever its
weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

DAY_S = 24 * 3600
YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class Trust:
    """How a source of ratings is trusted.

    Attributes:
        at_first: Weight of a rating of today, more than 0 to 1.
        half_life_years: Time in which it halves.
    """

    at_first: float
    half_life_years: float


TRUST = MappingProxyType(
    {
        "self": Trust(0.5, 2.0),
        "mentor": Trust(1.0, 3.0),
        "project": Trust(0.9, 3.0),
        "certificate": Trust(0.8, 5.0),
    }
)
"""Source of a rating → how it is trusted."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating of one person in one skill.

    Attributes:
        level: 1 to 5.
        rated_by: One of `vocabulary.RATERS`.
        since: Seconds since 1970.
    """

    level: float
    rated_by: str
    since: float


def weight_of(rating: Rating, now: float) -> float:
    """How much a rating weighs at an instant, above 0 and at most 1; by whole days, so that a level holds for a day."""
    return float(TRUST[rating.rated_by].at_first * 0.5 ** _half_lives(rating, now))


def level_of(ratings: Sequence[Rating], now: float) -> float | None:
    """The level that some ratings come to at an instant, 1 to 5; None without any.

    It lies between the lowest and the highest of them, and on the level that they agree on, if they do.
    """
    if not ratings:
        return None
    levels = [rating.level for rating in ratings]
    weights = [weight_of(rating, now) for rating in ratings]
    mean = sum(weight * level for weight, level in zip(weights, levels, strict=True)) / sum(weights)
    return min(max(mean, min(levels)), max(levels))


def _half_lives(rating: Rating, now: float) -> float:
    """Age in half-lives of its source."""
    days = max(0.0, now // DAY_S - rating.since // DAY_S)
    return days / YEAR_DAYS / TRUST[rating.rated_by].half_life_years
