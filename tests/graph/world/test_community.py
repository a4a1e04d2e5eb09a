"""A generated community: valid, consistent, repeatable, and with the planted truth in it."""

import hashlib
import json
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.world import truth
from mentorgraph.graph.world.appeal import Appeal, goal_from
from mentorgraph.graph.world.choices import Fit
from mentorgraph.graph.world.clocks import offsets
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import COLUMNS, Tables, World, write

SMALL_SHA256 = "9bc03161a28ac160430c904d4f6a57aba9a5524600555117c94aaf9ffd755d76"
"""Of the files of 300 people, 12 months, seed 7, in the order of their names; the same on Python 3.11 and 3.13."""

REFERENCES = {
    "person_id": "people",
    "mentor_id": "people",
    "mentee_id": "people",
    "blocked_id": "people",
    "skill_id": "skills",
    "broader_id": "skills",
    "goal_id": "goals",
    "unit_id": "units",
    "priority_id": "priorities",
    "programme_id": "programmes",
    "pairing_id": "pairings",
}


@pytest.fixture(scope="module")
def world() -> World:
    return generate(people=2_000, seed=7)


@pytest.fixture(scope="module")
def large() -> World:
    """Large enough for small effects to show."""
    return generate(people=10_000, seed=0)


def kind_of(file: str, row: dict[str, str]) -> str:
    return row["stance"] if file == "person_skills" else file


def digest(directory: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(directory.iterdir()))).hexdigest()


def dangling(rows: dict[str, list[dict[str, str]]]) -> list[str]:
    """References to what is not there."""
    ids = {file: {row["id"] for row in rows[file]} for file in rows if "id" in COLUMNS[file]}
    return [
        f"{file}.{column} {row[column]}"
        for file, each in rows.items()
        for column in COLUMNS[file]
        if column in REFERENCES
        for row in each
        if row[column] and row[column] not in ids[REFERENCES[column]]
    ]


def late(rows: dict[str, list[dict[str, str]]], last_day: date) -> set[str]:
    """Columns with a date after the last day."""
    return {
        f"{file}.{column}"
        for file, each in rows.items()
        for row in each
        for column, value in row.items()
        if re.fullmatch(r"\d{4}-\d\d-\d\d.*", value) and value[:10] > last_day.isoformat()
    }


def crowded(rows: dict[str, list[dict[str, str]]]) -> list[str]:
    """Mentors who have more mentees at a time than they take."""
    limits = {row["person_id"]: int(row["max_mentees"]) for row in rows["roles"] if row["role_id"] == "mentor"}
    changes = []
    for row in rows["pairings"]:
        changes.append((row["started_on"], 1, row["mentor_id"]))
        if row["ended_on"]:
            changes.append((row["ended_on"], 0, row["mentor_id"]))
    count: Counter[str] = Counter()
    found = []
    for _, begins, mentor in sorted(changes):
        count[mentor] += 1 if begins else -1
        if count[mentor] > limits[mentor]:
            found.append(mentor)
    return found


# --- the bundle ---------------------------------------------------------------------------------------------------


def test_every_row_is_a_valid_fact_with_an_identity_of_its_own(world: World) -> None:
    uids = Counter(
        record_of(KINDS[kind_of(file, row)], row, "world").uid for file in world.rows for row in world.rows[file]
    )
    assert [uid for uid, times in uids.items() if times > 1] == []
    assert len(uids) > 40_000


def test_a_row_with_a_wrong_value_would_be_refused(world: World) -> None:
    row = {**world.rows["pairings"][0], "outcome": "1.2"}
    with pytest.raises(InvalidFact):
        record_of(KINDS["pairings"], row, "world")


def test_columns_are_those_that_the_kinds_have() -> None:
    for file, columns in COLUMNS.items():
        kind = KINDS["wants" if file == "person_skills" else file]
        assert set(columns) - set(kind.columns) == ({"stance"} if file == "person_skills" else set()), file


def test_every_reference_is_to_something_in_the_bundle(world: World) -> None:
    assert dangling(dict(world.rows)) == []


def test_a_reference_to_nobody_would_be_found(world: World) -> None:
    rows = dict(world.rows)
    rows["pairings"][3]["mentor_id"] = "p99999"
    assert dangling(rows) == ["pairings.mentor_id p99999"]


def test_a_person_has_a_row_in_no_table_twice(world: World) -> None:
    for file in COLUMNS:
        rows = world.tables.rows[file]
        assert len(set(rows)) == len(rows), file


def test_outcomes_belong_to_ended_pairings_only(world: World) -> None:
    pairings = world.rows["pairings"]
    assert all(bool(row["outcome"]) == bool(row["ended_on"]) for row in pairings)
    assert all((row["status"] in ("completed", "ended")) == bool(row["ended_on"]) for row in pairings)
    assert {row["status"] for row in pairings} == {"completed", "ended", "active", "paused", "stalled"}


def test_outcomes_spread_over_the_whole_range(world: World) -> None:
    outcomes = np.array([float(row["outcome"]) for row in world.rows["pairings"] if row["outcome"]])
    assert 0.55 < outcomes.mean() < 0.68
    assert 0.17 < outcomes.std() < 0.25


def test_pairings_are_spread_over_all_months(world: World) -> None:
    months = Counter(row["started_on"][:7] for row in world.rows["pairings"])
    assert len(months) == 24
    assert min(list(months.values())[1:]) > 30


def test_nothing_but_planned_absences_and_ends_of_programmes_lies_after_the_last_day(world: World) -> None:
    assert late(dict(world.rows), world.last_day) == {"absences.since", "absences.until", "programmes.until"}


def test_a_date_after_the_last_day_would_be_found(world: World) -> None:
    assert "sessions.started_at" in late(dict(world.rows), world.last_day - timedelta(days=2))


def test_mentors_are_paired_only_while_they_are_there_and_have_agreed(world: World) -> None:
    roles = {row["person_id"]: row for row in world.rows["roles"] if row["role_id"] == "mentor"}
    away: dict[str, list[tuple[str, str]]] = {}
    for row in world.rows["absences"]:
        away.setdefault(row["person_id"], []).append((row["since"], row["until"]))
    agreed = {row["person_id"] for row in world.rows["consents"] if row["purpose"] == "matching"}
    for row in world.rows["pairings"]:
        role, day = roles[row["mentor_id"]], row["started_on"]
        assert role["since"] <= day
        assert not role["until"] or day < role["until"]
        assert not any(since <= day < until for since, until in away.get(row["mentor_id"], []))
        assert {row["mentor_id"], row["mentee_id"]} <= agreed


def test_no_mentor_has_more_mentees_than_they_take(world: World) -> None:
    assert crowded(dict(world.rows)) == []


def test_a_mentor_with_too_many_mentees_would_be_found(world: World) -> None:
    rows = dict(world.rows)
    rows["pairings"] += [{**rows["pairings"][0], "ended_on": ""} for _ in range(10)]
    assert set(crowded(rows)) == {rows["pairings"][0]["mentor_id"]}


def test_sessions_lie_inside_their_pairing_and_mostly_when_the_mentor_is_free(world: World) -> None:
    pairings = {row["id"]: row for row in world.rows["pairings"]}
    zones = {row["id"]: row["zone"] for row in world.rows["people"]}
    windows: dict[str, list[tuple[int, int, int]]] = {}
    for row in world.rows["availability"]:
        start, end = ((int(row[side][:2]) * 60 + int(row[side][3:])) for side in ("start", "end"))
        windows.setdefault(row["person_id"], []).append((int(row["weekday"]), start, end))
    inside = total = 0
    for row in world.rows["sessions"]:
        pairing = pairings[row["pairing_id"]]
        day = row["started_at"][:10]
        assert pairing["started_on"] <= day <= (pairing["ended_on"] or world.last_day.isoformat())
        mentor = pairing["mentor_id"]
        if mentor not in windows:
            continue
        minute = int(row["started_at"][11:13]) * 60 + int(row["started_at"][14:16]) + offsets()[zones[mentor]]
        weekday = (date.fromisoformat(day) + timedelta(days=minute // 1440)).isoweekday()
        total += 1
        inside += any(w == weekday and start - 15 <= minute % 1440 <= end + 15 for w, start, end in windows[mentor])
    assert inside == total > 5_000


def test_most_mentees_are_new_when_they_ask(world: World) -> None:
    first_goal: dict[str, str] = {}
    for row in sorted(world.rows["goals"], key=lambda row: row["created_on"]):
        first_goal.setdefault(row["person_id"], row["id"])
    recent = [row for row in world.rows["goals"] if row["created_on"] >= "2026-03-01"]
    new = sum(first_goal[row["person_id"]] == row["id"] for row in recent)
    assert 0.8 < new / len(recent) < 0.97


def test_a_membership_does_not_tell_whether_its_goal_finds_a_mentor(world: World) -> None:
    paired = {row["mentee_id"] for row in world.rows["pairings"]}
    members = {row["person_id"] for row in world.rows["memberships"] if row["role"] == "mentee"}
    asking = {row["person_id"] for row in world.rows["goals"]}
    shares = [len(members & group) / len(group) for group in (paired, asking - paired)]
    assert shares == pytest.approx([0.86, 0.85], abs=0.04)


def test_every_programme_has_a_coordinator(world: World) -> None:
    coordinators = {row["person_id"] for row in world.rows["roles"] if row["role_id"] == "coordinator"}
    coordinated = [row for row in world.rows["memberships"] if row["role"] == "coordinator"]
    assert {row["programme_id"] for row in coordinated} == {row["id"] for row in world.rows["programmes"]}
    assert {row["person_id"] for row in coordinated} <= coordinators


def test_nearly_everybody_consents_to_matching_and_most_to_training(world: World) -> None:
    purposes = Counter(row["purpose"] for row in world.rows["consents"])
    assert 0.96 < purposes["matching"] / 2_000 < 1
    assert 0.85 < purposes["training"] / 2_000 < 0.95


def test_goals_are_told_in_a_title_and_one_to_three_sentences_and_differ(world: World) -> None:
    goals = world.rows["goals"]
    sentences = Counter(row["description"].count(".") - row["description"].count("e.js") for row in goals)
    assert set(sentences) <= {1, 2, 3, 4}
    assert sentences[4] < 0.03 * len(goals)  # Node.js and its kind
    assert len({row["title"] for row in goals}) > 0.85 * len(goals)
    assert len({row["description"] for row in goals}) > 0.95 * len(goals)
    assert not any("{" in row["title"] + row["description"] for row in goals)


def test_a_block_follows_the_last_pairing_of_the_two(world: World) -> None:
    starts: dict[tuple[str, str], list[str]] = {}
    for row in world.rows["pairings"]:
        starts.setdefault((row["mentee_id"], row["mentor_id"]), []).append(row["started_on"])
    blocks = world.rows["blocks"]
    assert 5 < len(blocks) < 100
    assert all(max(starts[row["person_id"], row["blocked_id"]]) < row["since"] for row in blocks)


def test_every_mentor_and_mentee_has_a_unit_a_zone_and_a_name_of_two_parts(world: World) -> None:
    assert all(" " in row["name"] and row["zone"] in offsets() for row in world.rows["people"])
    assert {row["person_id"] for row in world.rows["unit_membership"] if not row["until"]} >= {
        row["id"] for row in world.rows["people"] if not row["left_on"]
    }
    assert len({row["name"] for row in world.rows["people"]}) > 1_600


# --- the same bytes -----------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    write(generate(people=300, months=12, seed=7), tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(COLUMNS)
    assert digest(tmp_path) == SMALL_SHA256


def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    write(generate(people=300, months=12, seed=8), tmp_path)
    assert digest(tmp_path) != SMALL_SHA256


def test_files_hold_the_rows_that_the_world_has(tmp_path: Path) -> None:
    small = generate(people=60, months=3, seed=1)
    write(small, tmp_path)
    lines = (tmp_path / "units.csv").read_text(encoding="utf-8").splitlines()
    assert lines == ["id,name,category", *(",".join(row.values()) for row in small.rows["units"])]


@pytest.mark.parametrize(("people", "months"), [(49, 24), (100, 0)])
def test_a_world_that_is_too_small_is_refused(people: int, months: int) -> None:
    with pytest.raises(ValueError, match="at least 50 people and one month"):
        generate(people=people, months=months)


@pytest.mark.parametrize("months", [1, 5, 40])
def test_any_length_of_history_is_consistent(months: int) -> None:
    made = generate(people=120, months=months, seed=3, last_day=date(2025, 3, 30))
    rows = dict(made.rows)
    assert dangling(rows) == []
    assert crowded(rows) == []
    for file in rows:
        for row in rows[file]:
            record_of(KINDS[kind_of(file, row)], row, "world")


# --- the truth ----------------------------------------------------------------------------------------------------


def outcomes_and(world: World, column: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Outcome and a hidden value of the mentor or goal, over all ended pairings."""
    hidden = {row["id"]: row for row in (*world.truth["mentors"], *world.truth["goals"])}
    key = "mentor_id" if column in ("fame", "quality") else "goal_id"
    pairs = [(float(row["outcome"]), hidden[row[key]][column]) for row in world.rows["pairings"] if row["outcome"]]
    outcomes, values = zip(*pairs, strict=True)
    return np.array(outcomes), np.array(values, np.float64)


def own_unit_share(world: World, assigned: bool) -> float:
    """How often the mentor is of the mentee's unit."""
    units = {mentor["id"]: mentor["unit"] for mentor in world.truth["mentors"]}
    goals = {goal["id"]: bool(goal["assigned_in"]) for goal in world.truth["goals"]}
    same = [units[r["mentor_id"]] == r["unit_id"] for r in world.rows["pairings"] if goals[r["goal_id"]] is assigned]
    return float(np.mean(same))


def test_the_truth_is_not_in_the_bundle(world: World) -> None:
    hidden = {"quality", "fame", "topics", "topic", "motivation", "pace", "needs", "assigned_in"}
    assert not hidden & {column for columns in COLUMNS.values() for column in columns}


def test_the_truth_file_gives_the_appeal_back(world: World) -> None:
    told = json.loads(json.dumps(world.truth))
    direct, again = Appeal.from_truth(world.truth), Appeal.from_truth(told)
    assert direct.mentors == again.mentors
    for goal in told["goals"][:50]:
        assert np.array_equal(direct.of(goal_from(goal)), again.of(goal_from(goal)))


def test_the_appeal_of_a_mentor_is_the_sum_that_the_truth_describes(world: World) -> None:
    appeal = Appeal.from_truth(world.truth)
    for told in world.truth["goals"][:20]:
        goal = goal_from(told)
        found = appeal.of(goal)
        for number, mentor in enumerate(appeal.mentors):
            fit = Fit.of(mentor, goal)
            assert found[number] == (
                truth.TOPIC_APPEAL[appeal.nearness(number, goal.topic)]
                + sum(truth.SKILL_APPEAL[each] for each in appeal.coverages(number, goal))
                + truth.TIME_APPEAL[fit.time]
                + truth.PACE_APPEAL[fit.pace_gap]
                + truth.FAME_APPEAL[goal.motivation] * mentor.fame
                + truth.UNIT_BIAS * (mentor.unit == goal.assigned_in)
            )


def test_popular_is_not_the_same_as_good(large: World) -> None:
    counts = Counter(row["mentor_id"] for row in large.rows["pairings"])
    mentors = large.truth["mentors"]
    popular = np.array([counts[mentor["id"]] for mentor in mentors])
    assert abs(np.corrcoef(popular, [mentor["quality"] for mentor in mentors])[0, 1]) < 0.1
    assert np.corrcoef(*outcomes_and(large, "quality"))[0, 1] > 0.15


def test_motivation_makes_fame_look_as_if_it_helped(large: World) -> None:
    outcomes, fame = outcomes_and(large, "fame")
    _, motivation = outcomes_and(large, "motivation")
    ones = np.ones(len(outcomes))
    alone = np.linalg.lstsq(np.column_stack([ones, fame]), outcomes, rcond=None)[0]
    beside = np.linalg.lstsq(np.column_stack([ones, fame, motivation]), outcomes, rcond=None)[0]
    assert alone[1] > 0.003
    assert beside[1] < 0.001
    assert beside[2] > 0.05


def test_coordinators_favour_the_own_unit_and_mentees_do_not(large: World) -> None:
    assert own_unit_share(large, assigned=True) > 2.5 * own_unit_share(large, assigned=False)


def test_known_stalls_end_badly(world: World) -> None:
    stalled = {each["pairing_id"] for each in world.truth["stalled"]}
    ended = [row for row in world.rows["pairings"] if row["outcome"]]
    gone = np.mean([float(row["outcome"]) for row in ended if row["id"] in stalled])
    kept = np.mean([float(row["outcome"]) for row in ended if row["id"] not in stalled])
    assert 0.04 < len(stalled) / len(world.rows["pairings"]) < 0.2
    assert gone < kept - 0.25
    assert {row["id"] for row in world.rows["pairings"] if row["status"] == "stalled"} <= stalled


def test_outcomes_scatter_around_the_expected_ones(world: World) -> None:
    expected = world.truth["expected_outcomes"]
    off = [
        float(row["outcome"]) - expected[row["id"]] / 1_000
        for row in world.rows["pairings"]
        if row["outcome"] and 200 < expected[row["id"]] < 800
    ]
    assert max(map(abs, off)) <= 0.145
    assert abs(np.mean(off)) < 0.01


def test_future_leaves_are_the_absences_after_the_last_day(world: World) -> None:
    planned = [row for row in world.rows["absences"] if row["since"] > world.last_day.isoformat()]
    assert world.truth["future_leaves"] == planned
    assert len(planned) > 5


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="units has 3 columns, not 2"):
        Tables().add("units", "u1", "Data Office")
