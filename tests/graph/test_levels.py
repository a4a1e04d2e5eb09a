"""Levels from several dated ratings: what each weighs, what they come to, and that one alone changes nothing."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.proficiency import offer_levels, person_levels
from mentorgraph.graph.columns.question import question
from mentorgraph.graph.facts.levels import DAY_S, TRUST, YEAR_DAYS, Rating, Trust, level_of, weight_of
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.signals.skills import skills
from mentorgraph.graph.vocabulary import RATERS

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECONDS = NOW.timestamp()
YEAR_S = YEAR_DAYS * DAY_S


def rating(level: float, rated_by: str, years: float) -> Rating:
    return Rating(level, rated_by, SECONDS - years * YEAR_S)


ratings = st.builds(rating, st.integers(1, 5).map(float), st.sampled_from(RATERS), st.floats(0, 60))
several = st.lists(ratings, min_size=1, max_size=8)


def test_every_source_is_trusted_in_some_way() -> None:
    assert tuple(TRUST) == RATERS


def test_the_page_on_skills_tells_the_trust_that_counts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "taxonomy.md").read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \| ([\d.]+) \|$", page, flags=re.MULTILINE)
    assert {name: Trust(float(first), float(years)) for name, first, years in rows} == TRUST


@pytest.mark.parametrize(
    ("rated_by", "years", "weight"),
    [
        ("self", 0, 0.5),
        ("self", 2, 0.25),
        ("self", 4, 0.125),
        ("mentor", 0, 1),
        ("mentor", 3, 0.5),
        ("certificate", 5, 0.4),
    ],
)
def test_a_rating_weighs_its_trust_halved_with_every_half_life(rated_by: str, years: float, weight: float) -> None:
    assert weight_of(rating(3, rated_by, years), SECONDS) == pytest.approx(weight, rel=1e-3)


def test_a_self_rating_of_four_years_ago_weighs_less_than_a_mentors_of_last_month() -> None:
    old, new = rating(5, "self", 4), rating(2, "mentor", 1 / 12)
    assert weight_of(new, SECONDS) / weight_of(old, SECONDS) == pytest.approx(7.85, abs=0.01)
    assert level_of([old, new], SECONDS) == pytest.approx((5 * 0.125 + 2 * 0.981) / (0.125 + 0.981), abs=1e-3)
    assert level_of([rating(5, "self", 0), rating(2, "mentor", 30)], SECONDS) == pytest.approx(5, abs=0.01)


@given(ratings)
def test_one_rating_alone_is_the_level_exactly(one: Rating) -> None:
    assert level_of([one], SECONDS) == one.level
    assert level_of([], SECONDS) is None


@given(several)
def test_a_level_lies_between_the_ratings_in_whatever_order_they_come(some: list[Rating]) -> None:
    level = level_of(some, SECONDS)
    assert level is not None
    assert min(each.level for each in some) <= level <= max(each.level for each in some)
    assert level_of(some[::-1], SECONDS) == pytest.approx(level, rel=1e-12)


@given(several, ratings)
def test_another_rating_draws_the_level_towards_itself(some: list[Rating], further: Rating) -> None:
    before, after = level_of(some, SECONDS), level_of([*some, further], SECONDS)
    assert before is not None
    assert after is not None
    assert abs(after - further.level) <= abs(before - further.level) + 1e-12


@given(ratings, st.floats(0, 20))
def test_a_rating_never_gains_weight(one: Rating, years: float) -> None:
    assert 0 < weight_of(one, SECONDS + years * YEAR_S) <= weight_of(one, SECONDS) <= 1


def test_a_weight_that_grew_with_age_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        assert weight_of(rating(3, "self", 1), SECONDS) >= weight_of(rating(3, "self", 0), SECONDS)


# --- in columns -------------------------------------------------------------------------------------------------------


def columns_of(*rows: tuple[str, dict[str, Any]]) -> Columns:
    columns = Columns()
    for file, row in (
        ("skills", {"id": "sql", "name": "SQL"}),
        ("skills", {"id": "old", "name": "Sequel"}),
        ("people", {"id": "m", "name": "Mo", "joined_on": "2020-01-01"}),
        ("people", {"id": "n", "name": "Nu", "joined_on": "2020-01-01"}),
        ("people", {"id": "a", "name": "Ada", "joined_on": "2020-01-01"}),
        ("person_skills", offers("m", level=4)),
        ("person_skills", offers("n")),
        ("person_skills", {**offers("a", level=4), "stance": "wants"}),
        *rows,
    ):
        for record in facts_of(file, row, "test"):
            columns.put(record)
    return columns


def offers(person: str, **row: Any) -> dict[str, Any]:
    return {"person_id": person, "skill_id": "sql", "stance": "offers", "since": "2022-07-01", **row}


def rated(person: str, level: int, **row: Any) -> tuple[str, dict[str, Any]]:
    told = {"person_id": person, "skill_id": "sql", "level": level, "rated_by": "mentor", "since": "2026-06-01"}
    return "skill_ratings", {**told, **row}


def signal(columns: Columns, now: datetime = NOW) -> list[float]:
    asked = question(columns, columns.people.find(uid_of("test", "people", "a")), -1, now, load_policy().signals)
    values = skills(columns, asked, load_policy().signals).values
    return [round(float(values[columns.people.find(uid_of("test", "people", each))]), 3) for each in "mn"]


def test_without_ratings_offers_keep_the_level_that_they_state() -> None:
    columns = columns_of()
    np.testing.assert_array_equal(offer_levels(columns, SECONDS), columns.tables["offers"].reals("level"))
    assert signal(columns) == [1.0, 0.75]
    of_others = columns_of(rated("a", 1), rated("m", 1, skill_id="old"), rated("m", 1, since="2026-07-02"))
    np.testing.assert_array_equal(offer_levels(of_others, SECONDS), columns.tables["offers"].reals("level"))
    assert signal(of_others) == [1.0, 0.75]


def test_ratings_change_what_the_skills_of_somebody_are_worth() -> None:
    columns = columns_of(rated("m", 2), rated("n", 4))
    levels = offer_levels(columns, SECONDS).tolist()
    assert [round(each, 2) for each in levels] == [2.23, 4.0]
    assert signal(columns) == [round(levels[0] / 4, 3), 1.0]
    assert signal(columns, NOW - timedelta(days=60)) == [1.0, 0.75]
    ended = columns_of(rated("m", 2, until="2026-06-15"))
    assert signal(ended) == [1.0, 0.75]


def test_a_rating_in_a_merged_skill_counts_for_the_other_one() -> None:
    merge = {"skill_id": "old", "successor_id": "sql", "how": "merged", "since": "2026-01-01"}
    apart = columns_of(rated("n", 4, skill_id="old"))
    together = columns_of(rated("n", 4, skill_id="old"), ("successions", merge))
    assert (signal(apart), signal(together)) == ([1.0, 0.75], [1.0, 1.0])


def test_the_levels_of_a_person_name_their_sources() -> None:
    columns = columns_of(rated("m", 2), rated("m", 3, skill_id="old", rated_by="project"))
    found = {each.skill: each for each in person_levels(columns, uid_of("test", "people", "m"), SECONDS)}
    sql, old = found[uid_of("test", "skills", "sql")], found[uid_of("test", "skills", "old")]
    assert [(each.rated_by, each.level) for each in sql.ratings] == [("mentor", 2), ("self", 4)]
    assert sql.level == offer_levels(columns, SECONDS)[0]
    assert (old.level, len(old.ratings)) == (3, 1)
    [bare] = person_levels(columns, uid_of("test", "people", "n"), SECONDS)
    assert (bare.level, bare.ratings) == (None, ())
    assert person_levels(columns, uid_of("test", "people", "x"), SECONDS) == []
