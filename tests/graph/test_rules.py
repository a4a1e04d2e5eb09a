"""The hard rules: each blocks for its own reason only, and a pair that breaks several is told all of them."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.rules.evaluator import FIRM, RULES, PairFacts, RuleSettings, judge
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.rules.refusals import Refusal, refused, wording
from mentorgraph.graph.vocabulary import ENGLISH, GERMAN, OVERRIDE_REASONS

DAY = datetime(2026, 3, 4, tzinfo=UTC)
SHIPPED = load_policy().rules
STRICT = replace(
    SHIPPED,
    least_hours_per_month=3,
    least_level_distance=-1,
    most_level_distance=1,
    most_zone_gap_hours=3,
    least_mentor_tier=2,
    members_only=True,
    most_mentors=2,
)
"""Every limit limits something."""

ALLOWED = PairFacts(
    at=DAY,
    same_person=False,
    is_mentor=True,
    left_on=None,
    consented=True,
    places=3.0,
    taken=2,
    paired=False,
    blocked=False,
    away_until=None,
    shared_minutes=30,
    in_programme=True,
    is_enrolled=True,
    format="peer",
    hours_per_month=4,
    hours_in_programme=3,
    used_minutes=180,
    declined_on=DAY - timedelta(days=90),
    zone_gap_hours=3,
    reports=3,
    languages=(frozenset({"pt", "en"}), frozenset({"en", "sv"})),
    formats=(frozenset({"micro", "peer"}), frozenset({"peer"})),
    levels=(3, 2),
    tier="Senior",
    mentors=1,
)
"""Every fact is known, and where there is a limit it is just kept."""

LACKS = (
    refused("TRAINING_MISSING", training="Listen"),
    refused("LEFT", day=DAY),
)
BREAKING: dict[str, dict[str, Any]] = {
    "SELF": {"same_person": True},
    "NOT_A_MENTOR": {"is_mentor": False},
    "LEFT": {"left_on": DAY},
    "NO_CONSENT": {"consented": False},
    "NOT_ONBOARDED": {"missing_steps": ("Read the charter",)},
    "BLOCKED": {"blocked": True},
    "FORBIDDEN_BY_COORDINATOR": {"forbidden_until": DAY, "forbidden_for": "conflict_of_interest"},
    "ALREADY_PAIRED": {"paired": True},
    "REPORTING_LINE": {"reports": -2},
    "DECLINED_BEFORE": {"declined_on": DAY - timedelta(days=89)},
    "NO_CAPACITY": {"taken": 3},
    "FEW_HOURS": {"hours_in_programme": 2.5},
    "NO_HOURS": {"used_minutes": 181},
    "AWAY": {"away_until": DAY},
    "NO_SHARED_TIME": {"shared_minutes": 29},
    "ZONE_GAP": {"zone_gap_hours": 3.5},
    "NO_LANGUAGE": {"languages": (frozenset({"pt"}), frozenset({"sv"}))},
    "WRONG_FORMAT": {"formats": (frozenset({"micro"}), frozenset({"peer"}))},
    "LEVEL_DISTANCE": {"levels": (4, 2)},
    "NOT_IN_TIER": {"unmet": LACKS},
    "NOT_ENROLLED": {"is_enrolled": False},
    "MENTEE_LEFT": {"mentee_left_on": DAY},
    "MENTEE_NO_CONSENT": {"mentee_consented": False},
    "MENTEE_NOT_ONBOARDED": {"mentee_missing_steps": ("Say hello",)},
    "MENTEE_FULL": {"mentors": 2},
}
UNKNOWN: dict[str, dict[str, Any]] = {
    "FEW_HOURS": {"hours_per_month": None, "hours_in_programme": None},
    "NO_HOURS": {"hours_per_month": None},
    "NO_SHARED_TIME": {"shared_minutes": None},
    "ZONE_GAP": {"zone_gap_hours": None},
    "NO_LANGUAGE": {"languages": (frozenset(), frozenset({"sv"}))},
    "WRONG_FORMAT": {"formats": (frozenset(), frozenset({"peer"}))},
    "LEVEL_DISTANCE": {"levels": (None, 9)},
    "NOT_IN_TIER": {"tier": "", "unmet": ()},
}


def refusals(pair: PairFacts, settings: RuleSettings = STRICT) -> tuple[Refusal, ...]:
    return judge(pair, settings).refusals


def test_a_pair_that_breaks_no_rule_is_allowed_and_every_rule_can_be_judged() -> None:
    found = judge(ALLOWED, STRICT)
    assert (found.refusals, found.unjudged, found.is_allowed) == ((), (), True)


def test_each_rule_has_its_breach_and_is_known_by_name() -> None:
    assert [rule.name for rule in RULES] == list(BREAKING)


@pytest.mark.parametrize("rule", BREAKING)
def test_each_rule_blocks_for_its_own_reason_alone(rule: str) -> None:
    [refusal] = refusals(replace(ALLOWED, **BREAKING[rule]))
    assert refusal.rule == rule
    assert refusal.fact


@pytest.mark.parametrize("rule", [rule for rule in BREAKING if rule not in FIRM])
def test_a_rule_that_is_switched_off_blocks_nobody(rule: str) -> None:
    assert refusals(replace(ALLOWED, **BREAKING[rule]), replace(STRICT, switched_off=(rule,))) == ()


@given(st.sets(st.sampled_from(sorted(BREAKING))))
def test_every_broken_rule_is_told_in_one_order(broken: set[str]) -> None:
    pair = ALLOWED
    for rule in broken:
        pair = replace(pair, **BREAKING[rule])
    assert [refusal.rule for refusal in refusals(pair)] == [rule for rule in BREAKING if rule in broken]


@pytest.mark.parametrize("rule", UNKNOWN)
def test_a_rule_whose_facts_are_unknown_forbids_nobody_and_says_so(rule: str) -> None:
    found = judge(replace(ALLOWED, **UNKNOWN[rule]), STRICT)
    expected = ["FEW_HOURS", "NO_HOURS"] if rule == "FEW_HOURS" else [rule]
    assert (found.refusals, [each.rule for each in found.unjudged]) == ((), expected)
    assert all(each.fact for each in found.unjudged)


def test_what_limits_nobody_is_not_said_to_be_unknown() -> None:
    nothing = replace(ALLOWED, zone_gap_hours=None, levels=(None, None))
    assert judge(nothing, SHIPPED).unjudged == ()


@pytest.mark.parametrize(("minutes", "blocked"), [(None, False), (0, True), (29, True), (30, False), (31, False)])
def test_shared_time_counts_only_where_both_have_said_when_they_are_free(minutes: int | None, blocked: bool) -> None:
    assert bool(refusals(replace(ALLOWED, shared_minutes=minutes))) == blocked


def test_two_who_work_asynchronously_need_no_time_in_common() -> None:
    never = replace(ALLOWED, shared_minutes=0)
    assert [each.rule for each in refusals(never)] == ["NO_SHARED_TIME"]
    assert refusals(replace(never, asynchronous=True)) == ()


def test_a_mentor_without_places_has_no_capacity() -> None:
    [refusal] = refusals(replace(ALLOWED, places=0.0, taken=0))
    assert refusal.fact == "0 of 0 places are taken"


@pytest.mark.parametrize(("places", "taken", "full"), [(None, 9, False), (2, 1, False), (2, 2, True), (0, 0, True)])
def test_the_places_of_a_programme_count_beside_those_of_all(places: int | None, taken: int, full: bool) -> None:
    found = refusals(replace(ALLOWED, places_in_programme=places, taken_in_programme=taken))
    assert [each.rule for each in found] == ["NO_CAPACITY"] * full
    [both] = refusals(replace(ALLOWED, taken=3, places_in_programme=places, taken_in_programme=taken))
    assert both.fact == "3 of 3 places are taken"


def test_short_questions_take_minutes_and_no_place() -> None:
    micro = load_policy().within("micro").rules
    full = replace(ALLOWED, taken=3, places_in_programme=0, format="micro", formats=(frozenset(), frozenset()))
    few = replace(full, hours_per_month=2, hours_in_programme=None, used_minutes=90)
    assert [each.rule for each in refusals(full, SHIPPED)] == ["NO_CAPACITY"]
    assert refusals(full, micro) == refusals(few, micro) == ()
    [spent] = refusals(replace(few, used_minutes=91), micro)
    assert (spent.rule, spent.fact) == ("NO_HOURS", "91 of 120 minutes of this month are used; 30 have to be left")
    free = replace(few, taken=0, places_in_programme=None, used_minutes=0)
    assert refusals(free, SHIPPED) == ()
    [limit] = refusals(free, load_policy().within("long_term").rules)
    assert (limit.rule, limit.fact) == ("FEW_HOURS", "gives 2 hours a month; 3 are needed")
    assert limit.remedy == "ask them a short question (micro), or raise their hours"


@pytest.mark.parametrize(
    ("format", "distances"),
    [("peer", [-1, 0, 1]), ("reverse", [-3, -2, -1]), ("sponsor", [1, 2, 3]), ("long_term", list(range(-3, 4)))],
)
def test_formats_bound_how_far_above_the_mentee_the_mentor_stands(format: str, distances: list[int]) -> None:
    settings = load_policy().within(format).rules
    pairs = {distance: replace(ALLOWED, format="", levels=(5 + distance, 5)) for distance in range(-3, 4)}
    assert [distance for distance, pair in pairs.items() if not refusals(pair, settings)] == distances


def test_the_facts_of_a_distance_are_told() -> None:
    facts = [refusals(replace(ALLOWED, levels=(level, 4)))[0].fact for level in (6, 2)]
    assert facts == [
        "the mentor stands 2 levels above the mentee; from -1 to 1 above are allowed",
        "the mentor stands 2 levels below the mentee; from -1 to 1 above are allowed",
    ]


def test_a_decline_is_over_after_the_cool_off() -> None:
    [early] = refusals(replace(ALLOWED, declined_on=DAY - timedelta(days=1)))
    assert early.fact == "this pair was declined for this goal on 2026-03-03"
    assert early.remedy == "ask again on 2026-06-01, or for another goal"
    assert refusals(replace(ALLOWED, declined_on=DAY), replace(STRICT, decline_cool_off_days=0)) == ()


def test_a_line_is_told_with_its_direction_and_length() -> None:
    told = {reports: refusals(replace(ALLOWED, reports=reports)) for reports in (-3, -2, -1, 0, 1, 2, 3)}
    assert {reports: found[0].fact for reports, found in told.items() if found} == {
        -2: "the mentor reports to the mentee, over 2 levels",
        -1: "the mentor reports to the mentee",
        1: "the mentee reports to the mentor",
        2: "the mentee reports to the mentor, over 2 levels",
    }


def test_what_a_tier_asks_for_is_told_with_the_remedies() -> None:
    [refusal] = refusals(replace(ALLOWED, unmet=LACKS))
    assert refusal.fact == ("may not stand in the tier 'Senior': has not taken 'Listen'; left on 2026-03-04")
    assert refusal.remedy == "take 'Listen'"
    outside = replace(ALLOWED, unmet=LACKS, in_programme=False, is_enrolled=False)
    assert judge(outside, STRICT).refusals == ()


def test_missing_steps_are_named() -> None:
    [refusal] = refusals(replace(ALLOWED, missing_steps=("Read the charter", "Say who you are")))
    assert refusal.fact == "has not taken these steps of onboarding: Read the charter, Say who you are"


# --- in several languages ---------------------------------------------------------------------------------------------


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_says_everything_that_rules_say_with_the_same_gaps() -> None:
    english, german = wording(ENGLISH)["rules"], wording(GERMAN)["rules"]
    assert list(english) == list(german)
    for name, told in english.items():
        same = {part: gaps(text) for part, text in german[name].items()}
        assert same == {part: gaps(text) for part, text in told.items()}, name
        assert all(german[name][part] != text or text.startswith("{") for part, text in told.items()), name
    assert list(wording(ENGLISH)["nouns"]) == list(wording(GERMAN)["nouns"])
    assert set(wording(GERMAN)["words"]) >= {*OVERRIDE_REASONS, "mentor", "mentee"}
    with pytest.raises(KeyError):
        _ = refused("NO_CAPACITY", "nowhere").fact  # what has no words would be seen


@pytest.mark.parametrize("rule", BREAKING)
def test_each_breach_is_told_in_german_with_all_that_the_english_tells(rule: str) -> None:
    [refusal] = refusals(replace(ALLOWED, **BREAKING[rule]))
    fact, remedy = refusal.fact_in(GERMAN), refusal.remedy_in(GERMAN)
    assert fact != refusal.fact
    assert bool(remedy) == bool(refusal.remedy)
    assert not {"{", "}"} & {*fact, *remedy}
    assert bool(re.search(r"\d\d\.\d\d\.2026", fact + remedy)) == ("2026-" in refusal.fact + refusal.remedy)


@pytest.mark.parametrize("rule", UNKNOWN)
def test_what_could_not_be_judged_is_told_in_german(rule: str) -> None:
    for each in judge(replace(ALLOWED, **UNKNOWN[rule]), STRICT).unjudged:
        assert each.fact_in(GERMAN) not in ("", each.fact)


def test_german_has_its_own_dates_numbers_and_plurals() -> None:
    def told(rule: str, **facts: Any) -> tuple[str, str]:
        [refusal] = refusals(replace(ALLOWED, **{**BREAKING[rule], **facts}))
        return refusal.fact_in(GERMAN), refusal.remedy_in(GERMAN)

    assert told("AWAY") == ("ist bis zum 04.03.2026 abwesend", "am 04.03.2026 wieder anfragen")
    assert told("ZONE_GAP")[0] == "ihre Uhren gehen um 3,5 Stunden auseinander; erlaubt sind höchstens 3"
    assert told("LEVEL_DISTANCE", levels=(1, 3))[0].startswith("der Mentor steht 2 Stufen unter dem Mentee")
    assert told("FORBIDDEN_BY_COORDINATOR")[0].endswith("(Interessenkonflikt)")
    assert told("NOT_IN_TIER") == (
        "darf nicht in der Stufe „Senior“ stehen: hat „Listen“ nicht besucht; ist am 04.03.2026 ausgeschieden",
        "„Listen“ besuchen",
    )
    assert told("MENTEE_FULL") == (
        "der Mentee hat 2 Mentoren; erlaubt sind höchstens 2",
        "warten, bis eine Paarung endet",
    )
