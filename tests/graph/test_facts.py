"""Rows that state several facts, and rows that an export writes."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import ALWAYS, InvalidFact, role_uid, uid_of
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.facts.rows import (
    FILES,
    LIST_COLUMNS,
    REQUIRED_FILES,
    STANCES,
    columns_of,
    consents_of,
    facts_of,
    purposes_of,
    required_columns,
    row_of,
)

EVERY_COLUMN = Path(__file__).parents[1] / "every_column"
PERSON = {"id": "p1", "name": "Ada", "joined_on": "2024-01-01"}


def test_every_kind_belongs_to_a_file() -> None:
    assert set(FILES) - {"person_skills"} | set(STANCES) == set(KINDS)
    assert set(REQUIRED_FILES) <= set(FILES)


def test_a_file_refers_only_to_files_before_it() -> None:
    for file in FILES:
        for kind in STANCES if file == "person_skills" else [file]:
            for link in KINDS[kind].links:
                assert link.target == "role_names" or FILES.index(link.target) < FILES.index(file)


def test_an_export_writes_every_column_that_is_required() -> None:
    for file in FILES:
        assert set(required_columns(file)) <= set(columns_of(file))


def test_a_person_row_states_the_person_and_their_roles_from_the_day_they_joined() -> None:
    person, *roles = facts_of("people", PERSON | {"roles": "mentor|Mentor| data scientist"}, "test")
    assert person.kind == "people"
    assert [role.links["role"] for role in roles] == [role_uid("mentor"), role_uid("data_scientist")]
    assert {role.properties["since"] for role in roles} == {person.properties["since"]}
    assert {role.properties["source"] for role in roles} == {"test"}


def test_an_undated_role_begins_with_the_first_pairing_that_shows_it_and_keeps_its_uid() -> None:
    shown = datetime(2025, 5, 1, tzinfo=UTC)
    first = {(uid_of("test", "people", "p1"), "mentor"): shown}
    row = PERSON | {"roles": "mentor|mentee"}
    _, *roles = facts_of("people", row, "test", first_pairing=lambda uid, role: first.get((uid, role)))
    assert [role.properties["since"] for role in roles] == [shown, datetime(2024, 1, 1, tzinfo=UTC)]
    assert [role.uid for role in roles] == [role.uid for role in facts_of("people", row, "test")[1:]]


def test_an_undated_broader_skill_holds_always() -> None:
    skill, edge = facts_of("skills", {"id": "python", "name": "Python", "broader": "programming|programming"}, "test")
    assert edge.properties["since"] == ALWAYS
    assert edge.links == {"skill": skill.uid, "broader": uid_of("test", "skills", "programming")}
    dated = {"skill_id": "python", "broader_id": "programming", "since": "1970-01-01"}
    assert record_of(KINDS["broader"], dated, "test") == edge


def test_a_skill_cannot_be_broader_than_itself() -> None:
    with pytest.raises(InvalidFact, match="is the skill itself"):
        facts_of("skills", {"id": "python", "name": "Python", "broader": "python"}, "test")


def test_a_goal_row_needs_its_skills_from_its_first_day_and_each_once() -> None:
    row = {"id": "g1", "person_id": "p1", "title": "T", "created_on": "2025-01-01"}
    java = uid_of("test", "skills", "java")
    goal, *needs = facts_of("goals", row | {"skills": f"java|{java}|go"}, "test")
    assert [need.links["skill"] for need in needs] == [java, uid_of("test", "skills", "go")]
    assert {need.properties["since"] for need in needs} == {goal.properties["since"]}


def test_an_unknown_role_or_stance_is_refused_by_its_column() -> None:
    with pytest.raises(InvalidFact, match=r"roles 'king': is not one of the known values; use mentor, "):
        facts_of("people", PERSON | {"roles": "mentor|king"}, "test")
    with pytest.raises(InvalidFact, match="stance '': is not one"):
        facts_of("person_skills", {"person_id": "p1", "skill_id": "s1", "since": "2025-01-01"}, "test")


def test_consent_that_is_vouched_for_begins_on_the_day_of_joining() -> None:
    person = record_of(KINDS["people"], PERSON, "test")
    [matching, training] = consents_of(person, ("matching", "training"), "terms 3")
    assert matching.properties["since"] == person.properties["since"]
    assert matching.properties["text_version"] == "terms 3"
    assert matching.links == {"person": person.uid}
    assert matching.uid != training.uid


def test_purposes_are_read_from_one_text() -> None:
    assert purposes_of("Matching, training,matching") == ("matching", "training")
    assert purposes_of("none") == ()
    with pytest.raises(InvalidFact, match="--consent 'sales'"):
        purposes_of("matching,sales")


def test_the_hand_made_bundle_has_every_file_and_every_column() -> None:
    for file in FILES:
        with (EVERY_COLUMN / f"{file}.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        columns = {*columns_of(file)} | {LIST_COLUMNS[file]} if file in LIST_COLUMNS else {*columns_of(file)}
        assert set(rows[0]) == columns, file
        empty = columns - {column for row in rows for column, value in row.items() if value} - {"uid"}
        assert not empty, file


@pytest.mark.parametrize("file", FILES)
def test_the_row_of_an_export_states_the_same_fact(file: str) -> None:
    with (EVERY_COLUMN / f"{file}.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            for record in facts_of(file, row, "test"):
                exported = row_of(record)
                named = "person_skills" if record.kind in STANCES else record.kind
                assert set(exported) == set(columns_of(named))
                assert facts_of(named, exported, "another") == [record]
