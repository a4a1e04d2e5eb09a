"""Policies: what is read, what is refused and why, and when two are the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.rules.policy import SIGNALS, chosen_policy, load_policy

OWN = Path(__file__).parents[2] / "graph" / "rules" / "policy.toml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(OWN.read_text("utf-8"), "utf-8")
    return path


def changed(file: Path, old: str, new: str) -> Path:
    content = file.read_text("utf-8")
    assert content.count(old) == 1
    file.write_text(content.replace(old, new), "utf-8")
    return file


def test_a_variable_names_a_policy_of_ones_own(file: Path) -> None:
    assert chosen_policy({}) is None
    named = chosen_policy({"MENTORGRAPH_POLICY": str(file)})
    assert named == file
    assert load_policy(named).version.startswith("default@")


def test_the_policy_that_comes_with_the_program_weighs_every_signal() -> None:
    policy = load_policy()
    assert tuple(policy.weights) == SIGNALS
    assert policy.version.startswith("default@")
    assert (policy.base, policy.weights["load"], policy.rules.max_mentees) == (0.0, -0.8, 3.0)


def test_equal_content_has_an_equal_version_and_other_content_another(file: Path) -> None:
    own = load_policy().version
    assert load_policy(file).version == own
    file.write_text("# a remark\n" + file.read_text("utf-8"), "utf-8")
    assert load_policy(file).version == own
    assert load_policy(changed(file, "skills = 2.0", "skills = 2.1")).version != own


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("skills = 2.0", "skils = 2.0\nskills = 2.0", "weights.skils is not known"),
        ("skills = 2.0", 'skills = "2"', "weights.skills is '2', not a number"),
        ("skills = 2.0", "skills = true", "weights.skills is True, not a number"),
        ("skills = 2.0", "skills = nan", "weights.skills is nan, not a number"),
        ("skills = 2.0", "skills = ", "is not TOML"),
        ("[rules]", "[rulez]", "rulez is not known"),
        ("half_life_years = 2.0", "half_life_years = 0", "signals.half_life_years must be above 0"),
        ("one_step_credit = 0.5", "one_step_credit = 1.5", "signals.one_step_credit must lie between 0 and 1"),
        ("outcome_unknown = 0.5", "outcome_unknown = -1", "signals.outcome_unknown must lie between 0 and 1"),
        ("max_mentees = 3", "max_mentees = 0", "rules.max_mentees must be at least 1"),
        ("base = 0.0", "base = 0.0\nbonus = 1", "bonus is not known"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_the_reason(file: Path, old: str, new: str, reason: str) -> None:
    with pytest.raises(DomainError, match=f"^policy policy.toml: {reason}") as caught:
        load_policy(changed(file, old, new))
    assert caught.value.code == "BAD_POLICY"


def test_a_file_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match=r"policy none.toml: cannot be read"):
        load_policy(tmp_path / "none.toml")


def of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(text, "utf-8")
    return path


def test_what_a_file_does_not_say_is_as_in_the_policy_that_comes_with_the_program(tmp_path: Path) -> None:
    shipped = load_policy()
    found = load_policy(
        of(tmp_path, "[weights]\nskills = 9\n[signals]\nsessions_enough = 5\n[rules]\nmax_mentees = 7\n")
    )
    assert dict(found.weights) == {**shipped.weights, "skills": 9.0}
    assert found.signals == replace(shipped.signals, sessions_enough=5.0)
    assert found.rules == replace(shipped.rules, max_mentees=7.0)
    assert found.formats == shipped.formats
    assert found.base == shipped.base
    assert found.version.startswith("own@")
    # The version stands for all of it: a file that says everything has the same digits.
    whole = of(
        tmp_path,
        shipped_text()
        .replace("skills = 2.0", "skills = 9")
        .replace("sessions_enough = 20", "sessions_enough = 5")
        .replace("max_mentees = 3", "max_mentees = 7"),
    )
    assert load_policy(whole).version.partition("@")[2] == found.version.partition("@")[2]
    assert found.content[1] == dict(found.weights)
    assert load_policy(of(tmp_path, "")).version.partition("@")[2] == shipped.version.partition("@")[2]
    assert load_policy(of(tmp_path, "[formats]\n")).formats == {}


def shipped_text() -> str:
    return OWN.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[weights]\nskils = 2\n", "weights.skils is not known"),
        ("[weights]\nskills = 'much'\n", "weights.skills is 'much', not a number"),
        ("[wieghts]\nskills = 2\n", "wieghts is not known"),
        ("weights = 2\n", r"lacks the table \[weights\]"),
        ("[rules]\nleast_level_distance = 2\nmost_level_distance = 1\n", "rules.least_level_distance is 2, above"),
        ("[rules]\nleast_level_distance = 2\n", "formats.peer|formats.reverse"),
        ("[signals]\nseniority_most_years = 1\n", "signals.seniority_most_years must be at least"),
        ("[exploration]\nshare = 2\n", "exploration.share must lie between 0 and 1"),
    ],
)
def test_a_part_of_a_policy_is_checked_as_a_whole_one_is(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(DomainError, match=f"^policy own.toml: ({reason})") as caught:
        load_policy(of(tmp_path, text))
    assert caught.value.code == "BAD_POLICY"
