"""Kinds and records: one identity by every route, and every wrong value named with its remedy."""

import uuid
from datetime import UTC, datetime

import pytest

from mentorgraph.graph.facts.kinds import KINDS, label_of
from mentorgraph.graph.facts.model import InvalidFact, Problem, Row, is_uid, link_uid, new_uid, role_uid, uid_of
from mentorgraph.graph.facts.records import record_of

PAIRING = {
    "id": "m1",
    "mentor_id": "p1",
    "mentee_id": "p2",
    "started_on": "2025-01-01",
    "ended_on": "2025-06-01",
    "status": "completed",
    "outcome": "0.5",
}


def problems(kind: str, row: Row) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFact) as caught:
        record_of(KINDS[kind], row, "test")
    assert all(problem.remedy for problem in caught.value.problems)
    return [(problem.column, problem.message) for problem in caught.value.problems]


def test_the_uid_of_a_source_key_is_that_of_rfc_9562() -> None:
    namespace = uuid.UUID("6d0f3a52-4b8e-5f3c-9a51-3f6f7a1f0c11")
    assert uid_of("hr", "people", "7") == str(uuid.uuid5(namespace, "hr\x1fpeople\x1f7"))
    assert len({uid_of(*key) for key in (("hr", "people", "7"), ("hr", "goals", "7"), ("lms", "people", "7"))}) == 3


def test_a_uid_stands_for_itself_and_only_our_versions_are_uids() -> None:
    uid = uid_of("hr", "people", "7")
    assert uid_of("anything", "people", uid.upper()) == uid
    assert not is_uid("6d0f3a52-4b8e-4f3c-9a51-3f6f7a1f0c11")  # version 4
    assert not is_uid(uid + "0")


def test_a_new_uid_is_a_uuid_of_version_7_that_sorts_by_time() -> None:
    first = new_uid(datetime(2026, 1, 1, tzinfo=UTC), b"\xff" * 10)
    second = new_uid(datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC), b"\x00" * 10)
    assert first < second
    assert {uuid.UUID(each).version for each in (first, second)} == {7}
    assert uuid.UUID(first).variant == uuid.RFC_4122


def test_every_kind_refers_only_to_kinds_before_it() -> None:
    known = {"role_names"}
    for kind in KINDS.values():
        assert {link.target for link in kind.links} <= known | {kind.name} - (
            {kind.name} if kind.is_relationship else set()
        )
        known.add(kind.name)


def test_every_kind_has_an_identity_and_relationships_have_two_ends() -> None:
    for kind in KINDS.values():
        assert kind.has_id != bool(kind.key)
        assert set(kind.key) <= set(kind.columns)
        if kind.is_relationship:
            assert len(kind.links) == 2
            assert not any(link.type for link in kind.links)
        else:
            assert all(link.type for link in kind.links)


def test_no_two_columns_of_a_kind_are_stored_under_one_name() -> None:
    for kind in KINDS.values():
        names = [each.name for each in kind.fields] + [link.name for link in kind.links]
        assert len(names) == len(set(names)), kind.name


def test_a_row_becomes_a_record_with_its_links_and_source() -> None:
    record = record_of(KINDS["pairings"], PAIRING, "test")
    assert record.uid == uid_of("test", "pairings", "m1")
    assert record.links == {"mentor": uid_of("test", "people", "p1"), "mentee": uid_of("test", "people", "p2")}
    assert record.properties == {
        "uid": record.uid,
        "source": "test",
        "external_id": "m1",
        "since": datetime(2025, 1, 1, tzinfo=UTC),
        "until": datetime(2025, 6, 1, tzinfo=UTC),
        "status": "completed",
        "outcome": 0.5,
    }


def test_the_source_of_a_row_stands_in_place_of_the_bundle_s() -> None:
    record = record_of(KINDS["pairings"], PAIRING | {"source": "hr"}, "test")
    assert record.uid == uid_of("hr", "pairings", "m1")
    assert record.links["mentor"] == uid_of("hr", "people", "p1")


def test_a_row_with_a_uid_keeps_it_and_its_source_key() -> None:
    uid = uid_of("hr", "people", "7")
    row = {"id": uid, "name": "Ada", "joined_on": "2025-01-01", "source": "hr", "external_id": "7"}
    record = record_of(KINDS["people"], row, "test")
    assert (record.uid, record.properties["source"], record.properties["external_id"]) == (uid, "hr", "7")
    assert "external_id" not in record_of(KINDS["people"], row | {"external_id": ""}, "test").properties


def test_a_fact_without_id_has_the_uid_of_its_key() -> None:
    row = {"person_id": "p1", "skill_id": "s1", "since": "2025-01-01", "level": "3"}
    uid = record_of(KINDS["offers"], row, "test").uid
    assert record_of(KINDS["offers"], row | {"level": "4", "until": "2026-01-01"}, "test").uid == uid
    assert record_of(KINDS["offers"], row | {"since": "2025-01-02"}, "test").uid != uid
    assert record_of(KINDS["wants"], row, "test").uid != uid
    assert record_of(KINDS["offers"], row | {"uid": uid, "since": "2025-01-02"}, "test").uid == uid


def test_all_problems_of_a_row_are_told_together() -> None:
    assert problems("pairings", {"id": "m1", "mentor_id": "p1", "started_on": "soon", "status": "open"}) == [
        ("mentee_id", "is missing"),
        ("started_on", "is not a date"),
        ("status", "is not one of the known values"),
    ]


@pytest.mark.parametrize(
    ("kind", "row", "column", "message"),
    [
        ("pairings", PAIRING | {"ended_on": "2024-12-31"}, "ended_on", "lies before started_on"),
        ("pairings", PAIRING | {"mentee_id": "p1"}, "mentee_id", "is the mentor"),
        ("pairings", PAIRING | {"ended_on": ""}, "outcome", "is given without ended_on"),
        ("pairings", PAIRING | {"status": "active"}, "status", "is open but ended_on is given"),
        ("broader", {"skill_id": "a", "broader_id": "a", "since": "2025-01-01"}, "broader_id", "is the skill itself"),
        ("blocks", {"person_id": "a", "blocked_id": "a", "since": "2025-01-01"}, "blocked_id", "is the person"),
        (
            "availability",
            {
                "person_id": "a",
                "weekday": "1",
                "start": "10:00",
                "end": "10:00",
                "zone": "Europe/Paris",
                "since": "2025-01-01",
            },
            "end",
            "does not lie after start",
        ),
        ("people", {"id": "\x00", "name": "Ada", "joined_on": "2025-01-01"}, "id", "is missing"),
        ("people", {"id": "p1", "name": "\x07", "joined_on": "2025-01-01"}, "name", "is missing"),
        ("offers", {"uid": "7", "person_id": "a", "skill_id": "b", "since": "2025-01-01"}, "uid", "is not a uid"),
        ("offers", {"person_id": "\x01", "skill_id": "b", "since": "2025-01-01"}, "person_id", "is missing"),
        (
            "roles",
            {"person_id": "a", "role_id": "king", "since": "2025-01-01"},
            "role_id",
            "is not one of the known values",
        ),
    ],
)
def test_a_contradiction_or_a_missing_value_is_refused(kind: str, row: Row, column: str, message: str) -> None:
    assert problems(kind, row) == [(column, message)]


def test_a_day_may_begin_and_end_a_fact() -> None:
    record_of(KINDS["pairings"], PAIRING | {"ended_on": PAIRING["started_on"]}, "test")


def test_an_empty_list_is_not_stored() -> None:
    assert "aliases" not in record_of(KINDS["skills"], {"id": "s", "name": "S", "aliases": " | "}, "test").properties


def test_a_problem_reads_as_one_line() -> None:
    assert str(Problem("level", "9", "is out of range", "use 1")) == "level '9': is out of range; use 1"
    assert str(Problem("", "", "has 2 cells", "quote them")) == "has 2 cells; quote them"


def test_links_and_roles_have_uids_of_their_own() -> None:
    link = next(link for link in KINDS["pairings"].links if link.name == "mentor")
    assert link_uid("a", link, "b") == uid_of("mentorgraph", "MENTOR", "ab")
    assert label_of(KINDS["roles"].links[1]) == "Role"
    assert is_uid(role_uid("mentor"))
