"""How complete a profile is: a share of what is asked, and exactly what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.people.profile import DEMANDS, TOLD, completeness
from mentorgraph.graph.vocabulary import ROLES

FIELDS = [each.field for each in DEMANDS]
VALUES = {each: 0.0 if each == "experience_years" else ["x"] for each in FIELDS}
facts = st.sets(st.sampled_from(FIELDS)).map(lambda names: {name: VALUES[name] for name in names})
roles = st.sets(st.sampled_from(ROLES)).map(tuple)


def test_who_told_nothing_is_asked_for_what_is_asked_of_their_role_the_weightiest_first() -> None:
    found = completeness({}, ("mentee",))
    assert found.share == 0
    assert [each.field for each in found.missing] == [
        "matching_consent", "wanted_skills", "availability", "zone", "about", "languages", "communication", "pace",
        "formats", "job_title",
    ]  # fmt: skip
    told = completeness({"matching_consent": ["1"], "availability": ["mornings"]}, ("mentee",))
    assert told.share == pytest.approx(8 / 25)


def test_no_years_of_experience_are_told_and_nothing_told_is_not() -> None:
    assert "experience_years" not in [each.field for each in completeness({"experience_years": 0.0}, ROLES).missing]
    empty: dict[str, object] = {"experience_years": None, "about": "", "formats": [], "offered_skills": []}
    assert completeness(empty, ROLES).missing == completeness({}, ROLES).missing


@given(facts, roles)
def test_the_share_is_what_is_not_missing(told: dict[str, object], held: tuple[str, ...]) -> None:
    found = completeness(told, held)
    assert 0 <= found.share <= 1
    assert (found.share == 1) == (not found.missing)
    assert not {each.field for each in found.missing} & told.keys()
    asked = sum(each.weight for each in completeness({}, held).missing)
    assert found.share == pytest.approx(1 - sum(each.weight for each in found.missing) / asked)


@given(facts, roles, st.sampled_from(FIELDS))
def test_telling_more_never_makes_it_less_complete(told: dict[str, object], held: tuple[str, ...], one: str) -> None:
    assert completeness({**told, one: VALUES[one]}, held).share >= completeness(told, held).share


@given(facts, roles, st.sampled_from(ROLES))
def test_a_further_role_asks_for_no_less(told: dict[str, object], held: tuple[str, ...], role: str) -> None:
    fewer = {each.field for each in completeness(told, held).missing}
    assert fewer <= {each.field for each in completeness(told, (*held, role)).missing}


def test_each_demand_is_a_field_of_the_profile_or_of_the_person_and_says_why() -> None:
    elsewhere = {"matching_consent", "offered_skills", "wanted_skills", "availability", "zone"}
    assert set(FIELDS) - elsewhere == set(TOLD) - {"grade"}
    assert set(TOLD) < {each.column for each in KINDS["profiles"].fields}
    assert len(FIELDS) == len(set(FIELDS))
    assert all(each.why and each.weight > 0 for each in DEMANDS)
