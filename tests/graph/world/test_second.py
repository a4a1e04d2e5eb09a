"""A generated community of version 2: everything that can be told occurs, in its time, and always in the same bytes."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.facts.rows import FILES
from mentorgraph.graph.vocabulary import (
    ABSENCE_CAUSES,
    MILESTONE_STATES,
    PAIRING_STATES,
    PROGRAMME_FORMATS,
    PURPOSES,
    RATERS,
    REASONS,
    REQUEST_STATES,
    SESSION_KINDS,
    SKILL_STATES,
    STALL_CAUSES,
    SUCCESSIONS,
)
from mentorgraph.graph.world import truth_2
from mentorgraph.graph.world.community import STEPS_2, generate
from mentorgraph.graph.world.tables import COLUMNS, COLUMNS_2, World, write

from .conftest import Row, Rows, by_id
from .test_community import dangling, digest, kind_of, late

SMALL_SHA256 = "5d0a691948df620a77b7d7cd2fa07e36b3a97f218304c62ac5248ae1db443d1b"
"""Of the files of 300 people, 12 months, seed 7, version 2, in the order of their names; the same on 3.11 and 3.13."""
FROZEN = "d38700c8e4d90301b2002008938f75d6b1bd91e5f7c8c02081fc7739e1879ef4"
"""SHA-256 of `truth_2.py`."""

PLANNED = {
    "absences.since",
    "absences.until",
    "busy_times.since",
    "busy_times.until",
    "completions.until",
    "milestones.due_on",
    "phases.since",
    "phases.until",
    "programmes.until",
    "scripts.until",
    "tier_trainings.until",
    "tiers.until",
}
"""What may lie after the last day, since somebody has planned it."""


# --- everything occurs ------------------------------------------------------------------------------------------------


def test_every_kind_of_fact_occurs(told: Rows) -> None:
    laid_down = {"overrides", "policies", "reporting_lines"}
    assert set(told) == set(FILES) - laid_down - {"identities"}  # nobody invented has one
    assert [file for file, each in told.items() if not each] == []


@pytest.mark.parametrize(
    ("file", "column", "words"),
    [
        ("requests", "status", REQUEST_STATES),
        ("pairings", "status", PAIRING_STATES),
        ("moves", "reason", REASONS),
        ("moves", "state", {*REQUEST_STATES, *PAIRING_STATES}),
        ("moves", "cause", set(STALL_CAUSES) - {"not_signed"}),  # those never begin, so they are never marked
        ("sessions", "kind", SESSION_KINDS),
        ("milestones", "state", MILESTONE_STATES),
        ("absences", "cause", ABSENCE_CAUSES),
        ("consents", "purpose", PURPOSES),
        ("skill_ratings", "rated_by", RATERS),
        ("skill_states", "state", SKILL_STATES),
        ("successions", "how", SUCCESSIONS),
        ("programmes", "format", PROGRAMME_FORMATS),
        ("tiers", "role", ("mentor", "mentee")),
        ("onboarding_steps", "necessity", ("mandatory", "optional")),
        ("profiles", "pace", ("gentle", "steady", "intensive")),
        ("profiles", "communication", ("live", "asynchronous", "mixed")),
    ],
)
def test_everything_that_can_be_said_is_said(told: Rows, file: str, column: str, words: tuple[str, ...]) -> None:
    assert {row[column] for row in told[file] if row[column]} == set(words)


def test_the_truth_knows_every_cause_of_a_stall(second: World) -> None:
    assert {each["cause"] for each in second.truth["stalled"]} == set(STALL_CAUSES)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_consents_to_every_purpose_are_taken_back_by_some(told: Rows, purpose: str) -> None:
    open_ones = {row["person_id"] for row in told["consents"] if row["purpose"] == purpose and not row["until"]}
    ended = {row["person_id"] for row in told["consents"] if row["purpose"] == purpose and row["until"]}
    assert len(ended - open_ones) >= 3


# --- nothing contradicts anything -------------------------------------------------------------------------------------


def test_every_row_is_a_valid_fact_with_an_identity_of_its_own(told: Rows) -> None:
    uids = Counter(
        record_of(KINDS[kind_of(file, row)], row, "world").uid for file, each in told.items() for row in each
    )
    assert [uid for uid, times in uids.items() if times > 1] == []
    assert len(uids) > 80_000


def test_every_reference_is_to_something_in_the_bundle(told: Rows) -> None:
    more = {"unit_id": "units", "tier_id": "tiers", "training_id": "trainings", "step_id": "onboarding_steps"}
    more |= {"request_id": "requests", "owner_id": "people", "successor_id": "skills", "related_id": "skills"}
    known = {file: {row["id"] for row in told[file]} for file in set(more.values())}
    assert [
        (file, column, row[column])
        for file, each in told.items()
        for column in set(COLUMNS_2[file]) & set(more)
        for row in each
        if row[column] and row[column] not in known[more[column]]
    ] == []
    assert dangling({file: told[file] for file in COLUMNS}) == []


def test_columns_are_those_that_the_kinds_have() -> None:
    for file, columns in COLUMNS_2.items():
        kind = KINDS["wants" if file == "person_skills" else file]
        assert set(columns) - set(kind.columns) == ({"stance"} if file == "person_skills" else set()), file


def test_nothing_but_what_is_planned_lies_after_the_last_day(second: World, told: Rows) -> None:
    assert late(told, second.last_day) == PLANNED


def test_a_date_after_the_last_day_would_be_found(second: World, told: Rows) -> None:
    found = late(told, second.last_day - timedelta(days=3))
    assert {"sessions.started_at", "moves.moved_on", "feedback.given_on", "requests.asked_on"} <= found


def test_people_pairings_and_goals_are_those_of_version_1(told: Rows) -> None:
    first = generate(people=2_000, seed=7)
    for file in ("people", "goals", "goal_skills", "units", "blocks"):
        assert told[file] == first.rows[file], file
    kept = ("id", "mentor_id", "mentee_id", "goal_id", "programme_id", "started_on", "ended_on")
    assert [[row[name] for name in kept] for row in told["pairings"]] == [
        [row[name] for name in kept] for row in first.rows["pairings"]
    ]


def outside_of_lives(rows: Rows) -> list[str]:
    """Facts about people that begin before they joined or go on after they left."""
    people = by_id(rows["people"])
    found = []
    for file in rows:
        for row in rows[file]:
            person = people.get(row.get("person_id", ""))
            if person is None or "since" not in row or file in ("absences", "busy_times"):
                continue
            begins, ends = row["since"][:10], row.get("until", "")[:10]
            if begins < person["joined_on"] or (person["left_on"] and begins > person["left_on"]):
                found.append(f"{file} since")
            if person["left_on"] and "until" in row and file != "blocks" and not "" < ends <= person["left_on"]:
                found.append(f"{file} until")
    return found


def test_facts_about_people_lie_within_their_time_in_the_organisation(told: Rows) -> None:
    assert outside_of_lives(told) == []


def test_a_fact_about_somebody_who_has_left_would_be_found(rows: Rows) -> None:
    gone = next(row for row in rows["people"] if row["left_on"])
    row = next(row for row in rows["profiles"] if row["person_id"] == gone["id"] and row["until"] == gone["left_on"])
    row["until"] = ""
    assert outside_of_lives(rows) == ["profiles until"]


def outside_of_programmes(rows: Rows) -> list[str]:
    """Charters, tiers, steps and memberships that begin outside of the time of their programme, and asked outside."""
    programmes = by_id(rows["programmes"])
    found = []
    for file, column in (
        ("charters", "since"),
        ("tiers", "since"),
        ("onboarding_steps", "since"),
        ("memberships", "since"),
        ("phases", "since"),
        ("goals", "created_on"),
    ):
        for row in rows[file]:
            programme = programmes.get(row.get("programme_id", ""))
            if programme and not programme["since"] <= row[column] < programme["until"]:
                found.append(file)
    return found


def test_what_belongs_to_a_programme_begins_while_it_runs(told: Rows) -> None:
    assert outside_of_programmes(told) == []


def test_a_membership_before_its_programme_would_be_found(rows: Rows) -> None:
    rows["memberships"][0]["since"] = "2020-01-01"
    assert outside_of_programmes(rows) == ["memberships"]


def test_charters_of_a_programme_follow_one_another(told: Rows) -> None:
    charters: dict[str, list[Row]] = defaultdict(list)
    for row in told["charters"]:
        charters[row["programme_id"]].append(row)
    assert {len(each) for each in charters.values()} == {1, 2}
    for each in charters.values():
        assert [row["until"] for row in each] == [*(row["since"] for row in each[1:]), ""]
        assert all(
            sum(float(row[f"{part}_weight"]) for part in ("skill", "confidence", "delivery")) == pytest.approx(1)
            for row in each
        )


# --- who is held back ------------------------------------------------------------------------------------------------


def test_whoever_is_held_back_lacks_a_mandatory_step_and_was_in_no_request(second: World, told: Rows) -> None:
    done = {(row["person_id"], row["step_id"]) for row in told["steps_done"]}
    asked = {row[side] for row in told["requests"] for side in ("mentor_id", "mentee_id")}
    mandatory = [row for row in told["onboarding_steps"] if row["necessity"] == "mandatory" and not row["programme_id"]]
    roles: dict[str, set[str]] = defaultdict(set)
    for row in told["roles"]:
        if not row["until"]:
            roles[row["person_id"]].add(row["role_id"])
    lacking = {
        (person, step["id"])
        for person, own in roles.items()
        for step in mandatory
        if (not step["role"] or step["role"] in own) and (person, step["id"]) not in done
    }
    assert lacking == {(each["person_id"], each["step_id"]) for each in second.truth["held_back"]}
    assert not {person for person, _ in lacking} & asked
    assert len(lacking) > 10


def test_whoever_asks_or_is_asked_has_taken_the_mandatory_steps_before(told: Rows) -> None:
    done = {(row["person_id"], row["step_id"]): row["since"] for row in told["steps_done"]}
    late_ones = 0
    for row in told["requests"]:
        for side in ("mentor", "mentee"):
            for step in ("step-welcome", "step-conduct"):
                late_ones += not done[row[f"{side}_id"], step] < row["asked_on"]
    assert late_ones <= 0.002 * len(told["requests"])


def test_the_trainings_of_mentors_are_taken_again_or_told_as_expired(second: World, told: Rows) -> None:
    last: dict[tuple[str, str], str] = {}
    for row in told["completions"]:
        key = row["person_id"], row["training_id"]
        last[key] = max(last.get(key, ""), row["until"] or "9")
    expired = {(each["person_id"], each["training_id"]) for each in second.truth["trainings_expired"]}
    left = {row["id"] for row in told["people"] if row["left_on"]}
    over = {
        key
        for key, until in last.items()
        if until <= second.last_day.isoformat() and key[1] == "training-listening" and key[0] not in left
    }
    assert over == expired
    assert len(expired) > 5


# --- bytes ------------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    write(generate(people=300, months=12, seed=7, version=2), tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(COLUMNS_2)
    assert digest(tmp_path) == SMALL_SHA256


def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    write(generate(people=300, months=12, seed=8, version=2), tmp_path)
    assert digest(tmp_path) != SMALL_SHA256


def test_the_truth_is_the_one_that_was_frozen(second: World) -> None:
    digest_of = hashlib.sha256(Path(truth_2.__file__).read_bytes()).hexdigest()
    assert digest_of == FROZEN == second.truth["second"]["sha256"]
    assert second.truth["version"] == second.version == truth_2.VERSION == 2


def test_each_step_is_told_as_it_begins() -> None:
    steps: list[str] = []
    generate(60, 3, version=2, progress=steps.append)
    assert len(steps) == STEPS_2


@pytest.mark.parametrize("make", [lambda: generate(60, version=3), lambda: generate(60, version=0)])
def test_another_version_is_refused(make: Callable[[], World]) -> None:
    with pytest.raises(ValueError, match="worlds of version 1 and 2"):
        make()
