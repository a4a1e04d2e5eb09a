"""What mentors have taken on: over all programmes and in each, by shares, with a warning before the limit."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.pairings.load import Load, ProgrammeLoad, loads
from mentorgraph.graph.store.store import Store

SOURCE = "hr"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MENTOR = {"role_id": "mentor", "since": "2026-01-05"}
ACTIVE = {"started_on": "2026-02-01", "status": "active"}
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [],
    "programmes": [{"id": each, "name": each, "since": "2026-01-01"} for each in ("one", "two")],
    "people": [{"id": each, "name": each, "joined_on": "2026-01-05"} for each in ("ada", "bea", "bo", "cy", "dee")],
    "consents": [],
    "goals": [],
    "roles": [{"person_id": "ada", **MENTOR, "max_mentees": "5"}, {"person_id": "bea", **MENTOR}],
    "memberships": [
        {"person_id": "ada", "programme_id": "one", "role": "mentor", "since": "2026-01-05", "max_mentees": "4"},
        {"person_id": "ada", "programme_id": "two", "role": "mentor", "since": "2026-01-05"},
        {"person_id": "bea", "programme_id": "two", "role": "mentor", "since": "2026-01-05", "max_mentees": "1"},
    ],
    "pairings": [
        {"id": "a", "mentor_id": "ada", "mentee_id": "bo", "programme_id": "one", **ACTIVE},
        {"id": "b", "mentor_id": "ada", "mentee_id": "cy", "programme_id": "two", **ACTIVE},
        {"id": "c", "mentor_id": "ada", "mentee_id": "dee", **ACTIVE},
        {"id": "d", "mentor_id": "ada", "mentee_id": "dee", **ACTIVE, "status": "ended", "ended_on": "2026-03-01"},
    ],
    "co_mentors": [{"person_id": "bea", "pairing_id": "b", "share": "0.25", "since": "2026-05-01"}],
}
ADA, BEA, BO = (uid_of(SOURCE, "people", each) for each in ("ada", "bea", "bo"))
ONE, TWO = (uid_of(SOURCE, "programmes", each) for each in ("one", "two"))


@pytest.mark.anyio
async def test_two_programmes_add_up_and_a_shared_pairing_counts_by_shares(store: Store) -> None:
    await import_bundle(store, bundle_of(WORLD), source=SOURCE)
    found = await loads(store, [ADA, BEA, BO], NOW, max_mentees=3)
    by_programme = sorted([ProgrammeLoad(ONE, 1.0, 4), ProgrammeLoad(TWO, 0.75, None)], key=lambda each: each.programme)
    assert found == {
        ADA: Load(2.75, 5.0, (ProgrammeLoad("", 1.0, None), *by_programme)),
        BEA: Load(0.25, 3, (ProgrammeLoad(TWO, 0.25, 1),)),
    }
    assert (found[ADA].left, found[ADA].is_near_limit, found[BEA].is_near_limit) == (2.25, False, True)
    before = await loads(store, [ADA], datetime(2026, 4, 1, tzinfo=UTC), max_mentees=3)
    assert before[ADA].taken == 3.0
    assert await loads(store, [ADA], NOW - timedelta(days=3650), max_mentees=3) == {}


@given(st.integers(0, 6), st.integers(0, 6))
def test_the_limit_is_near_where_something_is_taken_and_at_most_one_more_goes(taken: int, places: int) -> None:
    load = Load(taken, places, ())
    assert load.is_near_limit == (taken > 0 and places - taken <= 1)
    assert Load(0, 9, (ProgrammeLoad(ONE, taken, places),)).is_near_limit == load.is_near_limit
