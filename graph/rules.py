"""The hard rules: who may be recommended to whom. The one evaluator for every part that has to know.

Pure: it is given facts and answers with the rules that forbid the pair, none if it is allowed.
"""

from dataclasses import dataclass
from datetime import datetime

SHARE_ERROR = 1e-9
"""What shares of a place may be off by, being sums of fractions."""


@dataclass(frozen=True, slots=True)
class PairFacts:
    """What the rules need to know of one mentee and one mentor, as of one instant.

    Attributes:
        same_person: Whether both are one person.
        is_mentor: Whether the mentor has that role.
        left_on: When the mentor left the organisation, if they have.
        consented: Whether the mentor agreed to be matched.
        missing_steps: Mandatory steps of onboarding that the mentor has not taken, by name, in their order.
        places: How many mentees the mentor takes at once.
        taken: How many of these places are taken; a pairing that is shared counts by shares.
        places_in_programme: How many the mentor takes in the programme that is meant; None where that is not limited.
        taken_in_programme: How many of these are taken.
        paired: Whether the two are a pair already.
        blocked: Whether one of them does not want to meet the other.
        away_until: End of the mentor's absence, if there is one now.
        shared_minutes: Minutes a week in which both are free; None where one has not said.
        least_shared_minutes: What the programme asks for.
        wanted: How much of a place the pair would take.
        forbidden_until: Until when a coordinator has forbidden the pair, if one has.
        forbidden_for: Their reason, one of `vocabulary.OVERRIDE_REASONS`.
    """

    same_person: bool
    is_mentor: bool
    left_on: datetime | None
    consented: bool
    places: float
    taken: float
    paired: bool
    blocked: bool
    away_until: datetime | None
    shared_minutes: int | None
    least_shared_minutes: float
    missing_steps: tuple[str, ...] = ()
    places_in_programme: int | None = None
    taken_in_programme: int = 0
    wanted: float = 1.0
    forbidden_until: datetime | None = None
    forbidden_for: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that forbids a pair.

    Attributes:
        rule: Its name, for programs.
        fact: What is the case, for people.
        remedy: What would lift it; empty where nothing would.
    """

    rule: str
    fact: str
    remedy: str = ""


def may_be_shown(pair: PairFacts) -> bool:
    """Whether the mentee of a pair may read of its mentor at all, or rather of anybody with that id."""
    return pair.is_mentor and pair.consented and pair.left_on is None and not pair.blocked


def refusals(pair: PairFacts) -> list[Refusal]:
    """Every rule that forbids a pair, in a fixed order; none if it is allowed."""
    found = []
    if pair.same_person:
        found.append(Refusal("SELF", "mentee and mentor are the same person"))
    if not pair.is_mentor:
        found.append(Refusal("NOT_A_MENTOR", "has no role as a mentor now", "give them the role of mentor"))
    if pair.left_on is not None:
        found.append(Refusal("LEFT", f"left on {pair.left_on.date().isoformat()}"))
    if not pair.consented:
        found.append(Refusal("NO_CONSENT", "has not agreed to be matched", "ask for their consent to matching"))
    if pair.missing_steps:
        fact = f"has not taken these steps of onboarding: {', '.join(pair.missing_steps)}"
        found.append(Refusal("NOT_ONBOARDED", fact, "wait until they are done"))
    if pair.blocked:
        found.append(Refusal("BLOCKED", "one of the two does not want to be paired with the other"))
    if pair.forbidden_until is not None:
        day, reason = pair.forbidden_until.date().isoformat(), pair.forbidden_for.replace("_", " ")
        fact = f"a coordinator has forbidden this pair until {day} ({reason})"
        found.append(Refusal("FORBIDDEN_BY_COORDINATOR", fact, "a coordinator ends that"))
    if pair.paired:
        found.append(Refusal("ALREADY_PAIRED", "the two are a pair already"))
    if pair.taken + pair.wanted > pair.places + SHARE_ERROR:
        fact = f"{pair.taken:g} of {pair.places:g} places are taken"
        found.append(Refusal("NO_CAPACITY", fact, "wait until a pairing ends, or raise their number of places"))
    elif pair.places_in_programme is not None and pair.taken_in_programme >= pair.places_in_programme:
        fact = f"{pair.taken_in_programme} of {pair.places_in_programme} places in this programme are taken"
        found.append(Refusal("NO_CAPACITY", fact, "wait until a pairing ends, or change their enrolment"))
    if pair.away_until is not None:
        fact = f"is away until {pair.away_until.date().isoformat()}"
        found.append(Refusal("AWAY", fact, f"ask again on {pair.away_until.date().isoformat()}"))
    if pair.shared_minutes is not None and pair.shared_minutes < pair.least_shared_minutes:
        fact = f"both are free in {pair.shared_minutes} minutes of this week; {pair.least_shared_minutes:g} are needed"
        found.append(Refusal("NO_SHARED_TIME", fact, "one of the two adds a time of availability"))
    return found
