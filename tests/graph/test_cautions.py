"""Cautions, each planted on one of twins who do not differ in anything else."""

from datetime import UTC, datetime, timedelta

import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.ranking.cautions import CAUTIONS, FEW_PAIRINGS, PROFILE_OLD_DAYS, cautions_of

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=2_000)


class Twins:
    """Ada and Bo, both mentors, and Cy, whom they mentor."""

    def __init__(self) -> None:
        self.columns = Columns()
        for name in ("ada", "bo", "cy"):
            self.tell("people", id=name, name=name, joined_on=LONG_AGO)
        self.tell("skills", id="sql", name="SQL")
        for name in ("ada", "bo"):
            self.tell("person_skills", person_id=name, skill_id="sql", stance="offers", since=NOW - timedelta(days=30))
            for number in range(FEW_PAIRINGS):
                self.pairing(name, number, outcome=0.5 + number / 10)

    def tell(self, file: str, **row: object) -> None:
        """Puts the facts of one row."""
        for record in facts_of(file, row, "test"):
            self.columns.put(record)

    def pairing(self, mentor: str, number: int, outcome: float | None) -> None:
        """Puts a pairing that has ended."""
        row = {"id": f"{mentor} {number}", "mentor_id": mentor, "mentee_id": "cy", "started_on": LONG_AGO}
        ended = {"ended_on": NOW - timedelta(days=400), "status": "completed"}
        self.tell("pairings", **row, **ended, **({} if outcome is None else {"outcome": outcome}))

    def of(self, name: str, at: datetime = NOW) -> tuple[str, ...]:
        """The cautions about somebody."""
        [record] = facts_of("people", {"id": name, "name": name, "joined_on": LONG_AGO}, "test")
        return cautions_of(self.columns, at.timestamp(), self.columns.people.find(record.uid))


@pytest.fixture
def twins() -> Twins:
    found = Twins()
    assert (found.of("ada"), found.of("bo")) == ((), ())
    return found


def test_a_mentor_who_has_told_nothing_for_long_has_an_old_profile(twins: Twins) -> None:
    later = NOW + timedelta(days=PROFILE_OLD_DAYS - 30, seconds=1)
    twins.tell("availability", person_id="bo", weekday=1, start="09:00", end="10:00", zone="UTC", since=NOW)
    assert (twins.of("ada", later), twins.of("bo", later)) == (("profile_old",), ())
    assert twins.of("ada", later - timedelta(seconds=2)) == ()


def test_a_changed_profile_is_something_told(twins: Twins) -> None:
    later = NOW + timedelta(days=PROFILE_OLD_DAYS)
    twins.tell("profiles", person_id="bo", about="On boats.", since=NOW + timedelta(days=1))
    assert (twins.of("ada", later), twins.of("bo", later)) == (("profile_old",), ())


def test_what_ends_was_told_when_it_ended_and_what_is_planned_is_not_told_yet(twins: Twins) -> None:
    later = NOW + timedelta(days=PROFILE_OLD_DAYS)
    plan = {"since": later + timedelta(days=9), "until": later + timedelta(days=10)}
    twins.tell("absences", person_id="ada", **plan)
    twins.tell("absences", person_id="bo", since=LONG_AGO, until=NOW + timedelta(days=9))
    assert (twins.of("ada", later), twins.of("bo", later)) == (("profile_old",), ())


def test_a_mentor_of_few_pairings_has_few_data(twins: Twins) -> None:
    few = Twins()
    few.tell("people", id="di", name="di", joined_on=LONG_AGO)
    few.tell("person_skills", person_id="di", skill_id="sql", stance="offers", since=NOW - timedelta(days=30))
    assert few.of("di") == ("few_data",)
    for number in range(FEW_PAIRINGS - 1):
        few.pairing("di", number, outcome=0.5)
    assert few.of("di") == ("few_data",)
    few.pairing("di", FEW_PAIRINGS, outcome=0.5)
    assert few.of("di") == ()


def test_a_mentor_of_whom_one_outcome_is_known_rests_on_one_survey(twins: Twins) -> None:
    twins.pairing("bo", 0, None)
    assert twins.of("bo") == ()
    twins.pairing("bo", 1, None)
    assert (twins.of("ada"), twins.of("bo")) == ((), ("one_survey_only",))
    twins.pairing("bo", 2, None)
    assert twins.of("bo") == ()


def test_who_stands_in_a_drawn_place_is_told_as_explored(twins: Twins) -> None:
    found = [cautions_of(twins.columns, NOW.timestamp(), 0, explored=drawn) for drawn in (True, False)]
    assert found == [("explored",), ()]


def test_every_caution_is_worded() -> None:
    assert list(CAUTIONS) == [
        "profile_old",
        "few_data",
        "one_survey_only",
        "asynchronous_only",
        "explored",
        "chance_uncertain",
    ]
    assert all(text.endswith(".") for text in CAUTIONS.values())
