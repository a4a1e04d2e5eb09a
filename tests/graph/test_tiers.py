"""What tiers ask for, rule by rule, and that each remedy lifts what it stands beside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.rules.tiers import Demand, Ending, Standing, Tier, ending, unmet

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
JOINED = datetime(2025, 3, 15, tzinfo=UTC)
LISTENING = Demand("Listening well", True, None)
TIER = Tier("t", "Senior guide", "mentor", 365, 2, 4, 5.0, (LISTENING,))
FIT = Standing(JOINED, None, 2, 4.0, 5.0)


def expired(on: datetime) -> Tier:
    return replace(TIER, demands=(replace(LISTENING, expires=on),))


@pytest.mark.parametrize(
    ("tier", "standing", "expected"),
    [
        (TIER, FIT, []),
        (Tier("t", "Guide", "mentor"), Standing(NOW), []),
        (TIER, replace(FIT, left_on=NOW), [("LEFT", "left on 2026-03-15", "")]),
        (
            replace(TIER, least_days=366),
            FIT,
            [("TOO_NEW", "joined 365 days ago; 366 are needed", "wait until 2026-03-16")],
        ),
        (
            TIER,
            replace(FIT, completed=1),
            [("TOO_FEW_COMPLETED", "has completed 1 pairing as a mentor; 2 needed", "complete 1 pairing more")],
        ),
        (
            TIER,
            replace(FIT, best_level=3.99),
            [
                (
                    "LEVEL_TOO_LOW",
                    "offers skills up to level 3.9; level 4 is needed",
                    "offer a skill at level 4, or have one rated so",
                )
            ],
        ),
        (
            TIER,
            replace(FIT, best_level=None),
            [
                (
                    "LEVEL_TOO_LOW",
                    "offers no skill at a known level; level 4 is needed",
                    "offer a skill at level 4, or have one rated so",
                )
            ],
        ),
        (
            replace(TIER, demands=(Demand("Safeguarding", False, None), LISTENING)),
            FIT,
            [("TRAINING_MISSING", "has not taken 'Safeguarding'", "take 'Safeguarding'")],
        ),
        (
            expired(datetime(2026, 3, 1, tzinfo=UTC)),
            FIT,
            [
                (
                    "TRAINING_EXPIRED",
                    "'Listening well' expired on 2026-03-01",
                    "take 'Listening well' again: it expired on 2026-03-01",
                )
            ],
        ),
        (expired(NOW + timedelta(seconds=1)), FIT, []),
        (
            TIER,
            replace(FIT, hours_per_month=2.5),
            [("TOO_FEW_HOURS", "gives 2.5 hours a month; 5 are asked for", "give 5 hours a month")],
        ),
        (TIER, replace(FIT, hours_per_month=None), []),
    ],
)
def test_what_is_not_met_is_named_with_its_remedy(
    tier: Tier, standing: Standing, expected: list[tuple[str, str, str]]
) -> None:
    assert [(each.rule, each.fact, each.remedy) for each in unmet(tier, standing, NOW)] == expected


def test_everything_that_is_not_met_is_named_in_a_fixed_order() -> None:
    found = unmet(replace(expired(NOW), least_days=400), Standing(JOINED, NOW, 0, None, 1.0), NOW)
    assert [each.rule for each in found] == [
        "LEFT",
        "TOO_NEW",
        "TOO_FEW_COMPLETED",
        "LEVEL_TOO_LOW",
        "TRAINING_EXPIRED",
        "TOO_FEW_HOURS",
    ]


EXPIRY = datetime(2026, 4, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "is_warned"),
    [
        (timedelta(days=15), False),
        (timedelta(days=14, milliseconds=1), False),
        (timedelta(days=14), True),
        (timedelta(days=13), True),
        (timedelta(milliseconds=1), True),
        (timedelta(0), False),  # now it is lost, and `unmet` says so
        (timedelta(days=-1), False),
    ],
)
def test_who_will_lose_a_tier_is_warned_from_14_days_before_until_it_is_lost(
    before: timedelta, is_warned: bool
) -> None:
    tier, now = expired(EXPIRY), EXPIRY - before
    found = ending(tier, FIT, now)
    assert found == (Ending(tier, EXPIRY, tier.demands) if is_warned else None)
    assert bool(unmet(tier, FIT, now)) == (before <= timedelta(0))


def test_a_warning_names_all_that_has_to_be_taken_again_the_most_urgent_first() -> None:
    days = {"Late": 15, "Second": 9, "First": 2}
    demands = [Demand(name, True, NOW + timedelta(days=each)) for name, each in days.items()]
    tier = replace(TIER, demands=(*demands, LISTENING))
    found = ending(tier, FIT, NOW)
    assert found is not None
    assert (found.until, [each.name for each in found.refreshers]) == (NOW + timedelta(days=2), ["First", "Second"])
    assert found.message == (
        "holds until 2026-03-17; to stay, take 'First' before 2026-03-17 and 'Second' before 2026-03-24 again"
    )


def test_who_does_not_hold_a_tier_cannot_lose_it() -> None:
    assert ending(expired(EXPIRY), replace(FIT, completed=0), EXPIRY - timedelta(days=1)) is None
    assert ending(TIER, FIT, NOW) is None


tiers = st.builds(
    Tier,
    uid=st.just("t"),
    name=st.just("Tier"),
    role=st.sampled_from(("mentor", "mentee")),
    least_days=st.integers(0, 1_000),
    least_completed=st.integers(0, 5),
    least_level=st.none() | st.integers(1, 5),
    hours_per_month=st.none() | st.floats(0, 20),
)
standings = st.builds(
    Standing,
    joined_on=st.integers(0, 1_200).map(lambda days: NOW - timedelta(days=days)),
    completed=st.integers(0, 6),
    best_level=st.none() | st.floats(1, 5),
    hours_per_month=st.none() | st.floats(0, 20),
)


@given(tiers, standings)
def test_whoever_does_all_that_the_remedies_say_is_eligible(tier: Tier, standing: Standing) -> None:
    rules = {each.rule for each in unmet(tier, standing, NOW)}
    later = NOW
    if "TOO_NEW" in rules:
        later = standing.joined_on + timedelta(days=tier.least_days)
    if "TOO_FEW_COMPLETED" in rules:
        standing = replace(standing, completed=tier.least_completed)
    if "LEVEL_TOO_LOW" in rules:
        standing = replace(standing, best_level=float(tier.least_level or 0))
    if "TOO_FEW_HOURS" in rules:
        standing = replace(standing, hours_per_month=tier.hours_per_month)
    assert unmet(tier, standing, later) == []


@given(tiers, standings, st.integers(0, 3))
def test_who_is_eligible_stays_so_with_more_of_everything(tier: Tier, standing: Standing, more: int) -> None:
    better = replace(standing, completed=standing.completed + more, joined_on=standing.joined_on - timedelta(days=more))
    before, after = ({each.rule for each in unmet(tier, each, NOW)} for each in (standing, better))
    assert after <= before
