"""Who may stand in which tier of a programme: the one evaluator of what tiers ask for.

Pure: it is given facts and answers with what is not met, each with its remedy; nothing where somebody is eligible.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mentorgraph.graph.rules.refusals import Counted, Refusal, Word, refused


@dataclass(frozen=True, slots=True)
class Demand:
    """A training that a tier asks for, and how one person stands to it.

    Attributes:
        name: Name of the training.
        taken: Whether they have taken it at all.
        expires: Until when what they took last is valid; None where that does not expire, or was never taken.
        uid: uid of the training.
    """

    name: str
    taken: bool
    expires: datetime | None
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Tier:
    """What a tier asks for.

    Attributes:
        uid: Its uid.
        name: Its name.
        role: The role that it is for.
        least_days: Days since somebody joined the organisation.
        least_completed: Completed pairings in that role.
        least_level: Level of the best skill that somebody offers; None for any, or for none at all.
        hours_per_month: Hours that it commits to; None where nothing is said.
        demands: Trainings.
        rank: Its place among the tiers of the role, from 1.
    """

    uid: str
    name: str
    role: str
    least_days: int = 0
    least_completed: int = 0
    least_level: int | None = None
    hours_per_month: float | None = None
    demands: tuple[Demand, ...] = ()
    rank: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What is the case with one person in one role, as of one instant.

    Attributes:
        joined_on: When they joined the organisation.
        left_on: When they left it, if they have.
        completed: Their completed pairings in the role, over all programmes.
        best_level: Level of the best skill that they offer; None where none has a level.
        hours_per_month: Hours that they give in the role; None where they have not said.
    """

    joined_on: datetime
    left_on: datetime | None = None
    completed: int = 0
    best_level: float | None = None
    hours_per_month: float | None = None


WARN_BEFORE = timedelta(days=14)
"""How long before they lose a tier people are warned."""


@dataclass(frozen=True, slots=True)
class Ending:
    """That somebody will lose a tier unless they take trainings again.

    Attributes:
        tier: The tier.
        until: The first instant at which they are not eligible any more.
        refreshers: What they have to take again to stay, the most urgent first: all that expires within `WARN_BEFORE`.
    """

    tier: Tier
    until: datetime
    refreshers: tuple[Demand, ...]

    @property
    def message(self) -> str:
        """What to do by when, in words."""
        todo = " and ".join(f"'{each.name}' before {_day(each.expires or self.until)}" for each in self.refreshers)
        return f"holds until {_day(self.until)}; to stay, take {todo} again"


def ending(tier: Tier, standing: Standing, now: datetime) -> Ending | None:
    """Whether somebody who is eligible for a tier loses it within `WARN_BEFORE`, as a training of theirs expires."""
    if unmet(tier, standing, now):
        return None
    soon = [(each.expires, each) for each in tier.demands if each.expires is not None]
    urgent = sorted((pair for pair in soon if pair[0] <= now + WARN_BEFORE), key=lambda pair: (pair[0], pair[1].name))
    return Ending(tier, urgent[0][0], tuple(each for _, each in urgent)) if urgent else None


def unmet(tier: Tier, standing: Standing, now: datetime) -> list[Refusal]:
    """Everything that keeps somebody from a tier, in a fixed order; nothing if they are eligible."""
    found = []
    if standing.left_on is not None:
        found.append(refused("LEFT", day=standing.left_on))
    days = max((now - standing.joined_on) // timedelta(days=1), 0)
    if days < tier.least_days:
        day = standing.joined_on + timedelta(tier.least_days)
        found.append(refused("TOO_NEW", days=Counted(days, "day"), needed=tier.least_days, day=day))
    if standing.completed < tier.least_completed:
        completed = Counted(standing.completed, "pairing")
        more, role = Counted(tier.least_completed - standing.completed, "pairing"), Word(tier.role)
        needed = tier.least_completed
        found.append(refused("TOO_FEW_COMPLETED", completed=completed, role=role, needed=needed, more=more))
    if tier.least_level is not None and standing.best_level is None:
        found.append(refused("LEVEL_TOO_LOW", "unknown", needed=tier.least_level))
    elif tier.least_level is not None and (standing.best_level or 0) < tier.least_level:
        found.append(refused("LEVEL_TOO_LOW", best=_floor(standing), needed=tier.least_level))
    for each in tier.demands:
        if not each.taken:
            found.append(refused("TRAINING_MISSING", training=each.name))
        elif each.expires is not None and each.expires <= now:
            found.append(refused("TRAINING_EXPIRED", training=each.name, day=each.expires))
    given, asked = standing.hours_per_month, tier.hours_per_month
    if given is not None and asked is not None and given < asked:
        found.append(refused("TOO_FEW_HOURS", given=given, needed=asked))
    return found


def _floor(standing: Standing) -> float:
    """A level to a tenth, never rounded up to what it does not reach."""
    return int((standing.best_level or 0) * 10) / 10


def _day(instant: datetime) -> str:
    return instant.date().isoformat()
