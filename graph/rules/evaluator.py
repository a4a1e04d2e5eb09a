"""The hard rules: who may be recommended to whom. The one evaluator for every part that has to know.

Pure: it is given facts and limits, and answers with the rules that forbid the pair, none if it is allowed. A rule whose
facts are not known forbids nobody; that it could not be judged is said.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mentorgraph.graph.rules.refusals import Counted, Refusal, Unjudged, Word, refused

SHARE_ERROR = 1e-9
"""What shares of a place may be off by, being sums of fractions."""

WIDEST_ZONE_GAP = 12.0
"""Hours by which two clocks can differ at most, the days apart."""

ANY_LEVELS = 99.0
"""A distance of levels that nobody has."""


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """The limits that the rules keep, as a policy states them; units stand in the names.

    Attributes:
        switched_off: Names of the rules that forbid nobody.
        max_mentees: Places of a mentor who states none.
        counts_places: Whether a pair takes up a place; short questions take minutes alone.
        least_overlap_minutes: Shared time a week that both need.
        least_hours_per_month: Hours a month that a mentor has to give.
        least_minutes_left: Minutes that have to be left of the mentor's month.
        decline_cool_off_days: Days for which one who declined a pair for a goal is not proposed for it again.
        most_zone_gap_hours: Hours that the clocks of the two may differ by, 12 being the most there is.
        reporting_levels: Over so many levels nobody mentors whom they manage, or who manages them.
        grades: Grades from the lowest up; a grade that is not among them counts by the number in it.
        least_level_distance: Levels that the mentor has to stand above the mentee; below 0 for under.
        most_level_distance: Levels that the mentor may stand above the mentee.
        least_mentor_tier: Rank of the programme's tier for mentors for which the mentor has to be eligible; 0 for none.
        members_only: Whether the mentor has to be enrolled in the programme.
        most_mentors: Open pairings that a mentee may have; 0 for any number.
    """

    switched_off: tuple[str, ...]
    max_mentees: float
    counts_places: bool
    least_overlap_minutes: float
    least_hours_per_month: float
    least_minutes_left: float
    decline_cool_off_days: float
    most_zone_gap_hours: float
    reporting_levels: float
    grades: tuple[str, ...]
    least_level_distance: float
    most_level_distance: float
    least_mentor_tier: float
    members_only: bool
    most_mentors: float


@dataclass(frozen=True, slots=True)
class PairFacts:
    """What the rules need to know of one mentee and one mentor, as of one instant.

    Attributes:
        at: The instant.
        same_person: Whether both are one person.
        is_mentor: Whether the mentor has that role.
        left_on: When the mentor left the organisation, if they have.
        consented: Whether the mentor agreed to be matched.
        places: How many mentees the mentor takes at once.
        taken: How many of these places are taken; a pairing that is shared counts by shares.
        paired: Whether the two are a pair already.
        blocked: Whether one of them does not want to meet the other.
        away_until: End of the mentor's absence, if there is one now.
        shared_minutes: Minutes a week in which both are free; None where one has not said.
        missing_steps: Mandatory steps of onboarding that the mentor has not taken, by name, in their order.
        places_in_programme: How many the mentor takes in the programme that is meant; None where that is not limited.
        taken_in_programme: How many of these are taken.
        wanted: How much of a place the pair would take.
        in_programme: Whether a programme is meant.
        is_enrolled: Whether the mentor is enrolled in it.
        format: Its format; empty where it is not known.
        hours_per_month: Hours that the mentor gives over all programmes; None where they have not said.
        hours_in_programme: Hours that they give in the programme; likewise.
        used_minutes: Minutes of this month's sessions as a mentor, over all programmes.
        declined_on: When one of the two last declined the pair for this goal; None where nobody did.
        zone_gap_hours: Hours by which the clocks of the two differ, 0 to 12; None where a zone is not known.
        reports: Levels over which the mentee reports to the mentor, or below 0 the mentor to the mentee; 0 for neither.
        languages: Languages of mentor and mentee; empty where they are not known.
        formats: Formats of programmes in which mentor and mentee take part; empty where they are not known.
        asynchronous: Whether both said that they work together without meeting at the same time, too.
        levels: Levels of mentor and mentee, the higher the more senior; None where it is not known.
        tier: Name of the tier that is asked for; empty where the programme has none of that rank.
        unmet: What keeps the mentor from that tier.
        mentee_left_on: When the mentee left the organisation, if they have.
        mentee_consented: Whether the mentee agreed to be matched.
        mentee_missing_steps: Mandatory steps of onboarding that the mentee has not taken.
        mentors: Open pairings of the mentee.
        forbidden_until: Until when a coordinator has forbidden the pair, if one has.
        forbidden_for: Their reason, one of `vocabulary.OVERRIDE_REASONS`.
        programmes: uids of the running programmes in which the mentor takes part; no rule reads them, they say who may
            see the mentor.
    """

    at: datetime
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
    missing_steps: tuple[str, ...] = ()
    places_in_programme: int | None = None
    taken_in_programme: int = 0
    wanted: float = 1.0
    in_programme: bool = False
    is_enrolled: bool = False
    format: str = ""
    hours_per_month: float | None = None
    hours_in_programme: float | None = None
    used_minutes: int = 0
    declined_on: datetime | None = None
    zone_gap_hours: float | None = None
    reports: int = 0
    languages: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    formats: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    asynchronous: bool = False
    levels: tuple[int | None, int | None] = (None, None)
    tier: str = ""
    unmet: tuple[Refusal, ...] = ()
    mentee_left_on: datetime | None = None
    mentee_consented: bool = True
    mentee_missing_steps: tuple[str, ...] = ()
    mentors: int = 0
    forbidden_until: datetime | None = None
    forbidden_for: str = ""
    programmes: frozenset[str] = frozenset()


Outcome = Iterator[Refusal | Unjudged]


@dataclass(frozen=True, slots=True)
class Rule:
    """One hard rule.

    Attributes:
        name: Its name, for programs.
        judge: Tells what is the case with a pair; nothing where it keeps the rule.
        is_firm: Whether it holds under every policy.
    """

    name: str
    judge: Callable[[PairFacts, RuleSettings], Outcome]
    is_firm: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a pair.

    Attributes:
        refusals: The rules that forbid it, in a fixed order; none if it is allowed.
        unjudged: The rules of which nothing can be said, since facts are missing.
    """

    refusals: tuple[Refusal, ...]
    unjudged: tuple[Unjudged, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """Whether no rule forbids the pair."""
        return not self.refusals


def may_be_shown(pair: PairFacts) -> bool:
    """Whether the mentee of a pair may read of its mentor at all, or rather of anybody with that id."""
    return pair.is_mentor and pair.consented and pair.left_on is None and not pair.blocked


def judge(pair: PairFacts, settings: RuleSettings) -> Judgement:
    """What every rule says of a pair under some limits."""
    found = [
        outcome for rule in RULES if rule.name not in settings.switched_off for outcome in rule.judge(pair, settings)
    ]
    return Judgement(
        tuple(each for each in found if isinstance(each, Refusal)),
        tuple(each for each in found if isinstance(each, Unjudged)),
    )


# --- the rules --------------------------------------------------------------------------------------------------------


def _self(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if pair.same_person:
        yield refused("SELF")


def _not_a_mentor(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if not pair.is_mentor:
        yield refused("NOT_A_MENTOR")


def _left(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if pair.left_on is not None:
        yield refused("LEFT", day=pair.left_on)


def _no_consent(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if not pair.consented:
        yield refused("NO_CONSENT")


def _not_onboarded(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if pair.missing_steps:
        yield refused("NOT_ONBOARDED", steps=pair.missing_steps)


def _blocked(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if pair.blocked:
        yield refused("BLOCKED")


def _forbidden(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if pair.forbidden_until is not None:
        yield refused("FORBIDDEN_BY_COORDINATOR", day=pair.forbidden_until, reason=Word(pair.forbidden_for))


def _already_paired(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if pair.paired:
        yield refused("ALREADY_PAIRED")


def _reporting_line(pair: PairFacts, settings: RuleSettings) -> Outcome:
    if pair.reports and abs(pair.reports) <= settings.reporting_levels:
        far = "" if abs(pair.reports) == 1 else "far "
        yield refused("REPORTING_LINE", far + ("up" if pair.reports > 0 else "down"), levels=abs(pair.reports))


def _declined_before(pair: PairFacts, settings: RuleSettings) -> Outcome:
    if pair.declined_on is None:
        return
    over = pair.declined_on + timedelta(days=settings.decline_cool_off_days)
    if pair.at < over:
        yield refused("DECLINED_BEFORE", day=pair.declined_on, over=over)


def _no_capacity(pair: PairFacts, settings: RuleSettings) -> Outcome:
    if not settings.counts_places:
        return
    whole = max(pair.wanted, 1.0)
    taken, places = pair.taken_in_programme, pair.places_in_programme
    if pair.taken + pair.wanted > pair.places + SHARE_ERROR:
        yield refused("NO_CAPACITY", taken=pair.taken, places=pair.places)
    elif places is not None and taken + whole > places:
        yield refused("NO_CAPACITY", "in programme", taken=taken, places=places)


def _few_hours(pair: PairFacts, settings: RuleSettings) -> Outcome:
    given = [each for each in (pair.hours_per_month, pair.hours_in_programme) if each is not None]
    if not given:
        if settings.least_hours_per_month > 0:
            yield Unjudged("FEW_HOURS")
    elif min(given) < settings.least_hours_per_month:
        yield refused("FEW_HOURS", given=Counted(min(given), "hour"), needed=settings.least_hours_per_month)


def _no_hours(pair: PairFacts, settings: RuleSettings) -> Outcome:
    if pair.hours_per_month is None:
        if settings.least_minutes_left > 0:
            yield Unjudged("NO_HOURS")
        return
    given = round(pair.hours_per_month * 60)
    if given - pair.used_minutes < settings.least_minutes_left:
        yield refused("NO_HOURS", used=str(pair.used_minutes), given=str(given), needed=settings.least_minutes_left)


def _away(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if pair.away_until is not None:
        yield refused("AWAY", day=pair.away_until)


def _no_shared_time(pair: PairFacts, settings: RuleSettings) -> Outcome:
    if pair.asynchronous:
        return
    if pair.shared_minutes is None:
        yield Unjudged("NO_SHARED_TIME")
    elif pair.shared_minutes < settings.least_overlap_minutes:
        yield refused("NO_SHARED_TIME", minutes=str(pair.shared_minutes), needed=settings.least_overlap_minutes)


def _zone_gap(pair: PairFacts, settings: RuleSettings) -> Outcome:
    if pair.zone_gap_hours is None:
        if settings.most_zone_gap_hours < WIDEST_ZONE_GAP:
            yield Unjudged("ZONE_GAP")
    elif pair.zone_gap_hours > settings.most_zone_gap_hours:
        yield refused("ZONE_GAP", gap=Counted(pair.zone_gap_hours, "hour"), most=settings.most_zone_gap_hours)


def _no_language(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    mentor, mentee = pair.languages
    if not mentor or not mentee:
        yield Unjudged("NO_LANGUAGE")
    elif not mentor & mentee:
        yield refused("NO_LANGUAGE", mentor=tuple(sorted(mentor)), mentee=tuple(sorted(mentee)))


def _wrong_format(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if not pair.format:
        return
    sides = dict(zip(("mentor", "mentee"), pair.formats, strict=True))
    for side, own in sides.items():
        if own and pair.format not in own:
            yield refused("WRONG_FORMAT", side, own=tuple(sorted(own)), format=pair.format)
            return
    if unknown := [side for side, own in sides.items() if not own]:
        yield Unjudged("WRONG_FORMAT", f"{unknown[0]} unknown" if len(unknown) == 1 else "unknown")


def _level_distance(pair: PairFacts, settings: RuleSettings) -> Outcome:
    mentor, mentee = pair.levels
    if mentor is None or mentee is None:
        if min(-settings.least_level_distance, settings.most_level_distance) < ANY_LEVELS:
            yield Unjudged("LEVEL_DISTANCE")
        return
    distance, least, most = mentor - mentee, settings.least_level_distance, settings.most_level_distance
    if not least <= distance <= most:
        case = "above" if distance > 0 else "below" if distance else "same"
        yield refused("LEVEL_DISTANCE", case, levels=Counted(abs(distance), "level"), least=least, most=most)


def _tier(pair: PairFacts, settings: RuleSettings) -> Outcome:
    if not (pair.in_programme and settings.least_mentor_tier):
        return
    if not pair.tier:
        yield Unjudged("NOT_IN_TIER", values=(("rank", settings.least_mentor_tier),))
    elif pair.unmet:
        yield refused("NOT_IN_TIER", tier=pair.tier, unmet=pair.unmet)


def _not_enrolled(pair: PairFacts, settings: RuleSettings) -> Outcome:
    if settings.members_only and pair.in_programme and not pair.is_enrolled:
        yield refused("NOT_ENROLLED")


def _mentee_left(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if pair.mentee_left_on is not None:
        yield refused("MENTEE_LEFT", day=pair.mentee_left_on)


def _mentee_no_consent(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if not pair.mentee_consented:
        yield refused("MENTEE_NO_CONSENT")


def _mentee_not_onboarded(pair: PairFacts, _settings: RuleSettings) -> Outcome:
    if pair.mentee_missing_steps:
        yield refused("MENTEE_NOT_ONBOARDED", steps=pair.mentee_missing_steps)


def _mentee_full(pair: PairFacts, settings: RuleSettings) -> Outcome:
    if settings.most_mentors and pair.mentors >= settings.most_mentors:
        yield refused("MENTEE_FULL", mentors=Counted(pair.mentors, "mentor"), most=settings.most_mentors)


RULES = (
    Rule("SELF", _self, is_firm=True),
    Rule("NOT_A_MENTOR", _not_a_mentor, is_firm=True),
    Rule("LEFT", _left, is_firm=True),
    Rule("NO_CONSENT", _no_consent, is_firm=True),
    Rule("NOT_ONBOARDED", _not_onboarded),
    Rule("BLOCKED", _blocked, is_firm=True),
    Rule("FORBIDDEN_BY_COORDINATOR", _forbidden, is_firm=True),
    Rule("ALREADY_PAIRED", _already_paired, is_firm=True),
    Rule("REPORTING_LINE", _reporting_line),
    Rule("DECLINED_BEFORE", _declined_before),
    Rule("NO_CAPACITY", _no_capacity),
    Rule("FEW_HOURS", _few_hours),
    Rule("NO_HOURS", _no_hours),
    Rule("AWAY", _away),
    Rule("NO_SHARED_TIME", _no_shared_time),
    Rule("ZONE_GAP", _zone_gap),
    Rule("NO_LANGUAGE", _no_language),
    Rule("WRONG_FORMAT", _wrong_format),
    Rule("LEVEL_DISTANCE", _level_distance),
    Rule("NOT_IN_TIER", _tier),
    Rule("NOT_ENROLLED", _not_enrolled),
    Rule("MENTEE_LEFT", _mentee_left, is_firm=True),
    Rule("MENTEE_NO_CONSENT", _mentee_no_consent, is_firm=True),
    Rule("MENTEE_NOT_ONBOARDED", _mentee_not_onboarded, is_firm=True),
    Rule("MENTEE_FULL", _mentee_full),
)
"""Every rule, in the order in which answers name them."""

FIRM = frozenset(rule.name for rule in RULES if rule.is_firm)
"""Rules that no policy switches off."""

OF_THE_TIME_BEING = frozenset({"AWAY", "NO_SHARED_TIME"})
"""Rules about the time being, which do not keep a mentor from accepting what they were asked."""
