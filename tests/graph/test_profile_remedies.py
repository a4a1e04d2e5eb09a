"""What would change it where profiles, hours, an enrolment or a ban stand between two: tried for real."""

from typing import Any

import pytest

from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import graph_hash
from mentorgraph.graph.explaining.remedies import ACTORS, MENTEE, MENTOR, Change, records_of
from mentorgraph.graph.explaining.remedies import COORDINATOR as COORDINATING
from mentorgraph.graph.explaining.what_would_change import WhatWouldChange, _Search, what_would_change
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR

from .people import ADA, BO, JOINED, POLICY, SOURCE, Clock, clock, facts, filled

__all__ = ["clock", "filled"]

pytestmark = pytest.mark.anyio


async def tell(store: Store, *, ada: str = "", bo: str = "", ada_formats: str = "", bo_formats: str = "") -> None:
    """Has both tell languages and formats; Bo is a mentee of a programme for peers."""
    rows: dict[str, list[dict[str, str]]] = {
        "programmes": [{"id": "peers", "name": "Peers", "format": "peer", "since": "2026-02-01"}],
        "memberships": [{"person_id": "bo", "programme_id": "peers", "role": "mentee", "since": "2026-02-02"}],
        "profiles": [
            {"person_id": who, "languages": languages, "formats": formats, "pace": "steady", "since": JOINED}
            for who, languages, formats in (("ada", ada, ada_formats), ("bo", bo, bo_formats))
        ],
        "consents": [],
    }
    rows["profiles"] = [{name: value for name, value in row.items() if value} for row in rows["profiles"]]
    result = await import_bundle(store, bundle_of(rows), source=SOURCE)
    assert set(result.total) == {"created"}


async def asked(store: Store, clock: Clock, **options: Any) -> WhatWouldChange:
    """What would bring Ada into the list of Bo; each set is made for real here, too, and asked from nothing."""
    clock.pass_by()
    recommender = Recommender(store, RulesScorer(POLICY), clock=clock)
    before = await graph_hash(store)
    found = await what_would_change(recommender, COORDINATOR, BO, ADA, top=5, **options)
    assert await graph_hash(store) == before
    return found


def told(found: WhatWouldChange) -> list[tuple[str, str]]:
    return sorted((each.action, each.words) for each in found.changes)


async def does_it(store: Store, clock: Clock, found: WhatWouldChange) -> int | None:
    """The place of Ada once the changes are written."""
    await store.write(records_of(found.changes))
    clock.pass_by()
    slate = await Recommender(store, RulesScorer(POLICY), clock=clock).recommend(COORDINATOR, BO, first=50)
    return {each.mentor: each.rank for each in slate.recommendations}.get(ADA)


@pytest.mark.parametrize(
    ("by", "words"), [(MENTEE, "add de to their languages"), (MENTOR, "add en to their languages")]
)
async def test_a_language_of_the_other_is_added(filled: Store, clock: Clock, by: str, words: str) -> None:
    await tell(filled, ada="de-AT|fr", bo="en")
    found = await asked(filled, clock, by=(by,))
    assert (found.rank, told(found)) == (None, [("add_language", words)])
    assert found.rank_after is not None
    assert await does_it(filled, clock, found) == found.rank_after
    profile = (await facts(filled, "profiles", BO if by == MENTEE else ADA))[-1].properties
    assert profile["pace"] == "steady"  # what they told otherwise stays
    assert profile["languages"] == (["en", "de"] if by == MENTEE else ["de-AT", "fr", "en"])


@pytest.mark.parametrize("by", [MENTEE, MENTOR])
async def test_the_format_of_the_programme_is_added(filled: Store, clock: Clock, by: str) -> None:
    formats = {"bo_formats" if by == MENTEE else "ada_formats": "micro"}
    await tell(filled, **formats)
    found = await asked(filled, clock, by=(by,))
    assert told(found) == [("add_format", "add peer to their formats")]
    assert await does_it(filled, clock, found) == found.rank_after
    other = await asked(filled, clock)
    assert (other.rank, other.changes) == (found.rank_after, ())


async def test_the_other_one_cannot_add_it_for_them(filled: Store, clock: Clock) -> None:
    await tell(filled, bo_formats="micro")
    found = await asked(filled, clock, by=(MENTOR,))
    assert (found.changes, found.blocked_by, found.tried) == ((), ("WRONG_FORMAT",), 0)


async def test_language_and_format_of_one_person_are_added_together(filled: Store, clock: Clock) -> None:
    await tell(filled, ada="de", bo="en", bo_formats="micro")
    found = await asked(filled, clock, by=(MENTEE,))
    assert [action for action, _ in told(found)] == ["add_format", "add_language"]
    assert await does_it(filled, clock, found) == found.rank_after


async def test_nothing_is_added_where_both_have_it_or_nothing_is_told(filled: Store, clock: Clock) -> None:
    await tell(filled, ada="en-GB", bo="en", ada_formats="peer")
    found = await asked(filled, clock, by=ACTORS)
    assert found.rank is not None
    assert found.changes == ()


# --- what programmes and coordinators ask for -------------------------------------------------------------------------


async def in_programme(store: Store, rules: str, **more: list[dict[str, str]]) -> None:
    """Bo is a mentee of a programme with limits of its own."""
    rows: dict[str, list[dict[str, str]]] = {
        "programmes": [{"id": "own", "name": "Own", "since": "2026-02-01"}],
        "memberships": [{"person_id": "bo", "programme_id": "own", "role": "mentee", "since": "2026-02-02"}],
        "policies": [{"programme_id": "own", "content": f"[rules]\n{rules}\n", "since": "2026-02-01"}],
        "consents": [],
    }
    for file, further in more.items():
        rows[file] = [*rows.get(file, []), *further]
    result = await import_bundle(store, bundle_of(rows), source=SOURCE)
    assert "refused" not in result.total


async def test_a_mentor_of_another_programme_is_enrolled(filled: Store, clock: Clock) -> None:
    await in_programme(filled, "members_only = true")
    assert (await asked(filled, clock, by=(MENTOR,))).blocked_by == ("NOT_ENROLLED",)
    found = await asked(filled, clock, by=(COORDINATING,))
    assert told(found) == [("enrol", "enrol them in the programme")]
    assert await does_it(filled, clock, found) == found.rank_after == 1


async def test_hours_are_raised_to_what_is_needed_beside_a_place_more(filled: Store, clock: Clock) -> None:
    role = {"person_id": "ada", "role_id": "mentor", "since": JOINED, "max_mentees": "1", "hours_per_month": "2"}
    enrolled = {"person_id": "ada", "programme_id": "own", "role": "mentor", "since": "2026-02-02"}
    paired = {"id": "p", "mentor_id": "ada", "mentee_id": "ben", "started_on": "2026-02-01", "status": "active"}
    await in_programme(
        filled,
        "least_hours_per_month = 3",
        roles=[role],
        memberships=[{**enrolled, "hours_per_month": "2"}],
        pairings=[paired],
    )
    found = await asked(filled, clock, by=(COORDINATING,))
    assert told(found) == [("add_place", "take 2 mentees at once"), ("raise_hours", "give 3 hours a month")]
    assert await does_it(filled, clock, found) == found.rank_after is not None
    [held] = [each for each in await facts(filled, "roles", ADA) if "until" not in each.properties]
    assert (held.properties["max_mentees"], held.properties["hours_per_month"]) == (2, 3)  # neither undoes the other


async def test_a_ban_is_ended_by_coordinators_alone(filled: Store, clock: Clock) -> None:
    ban = {"id": "ban", "mentee_id": "bo", "mentor_id": "ada", "action": "forbid", "reason": "other", "note": "No."}
    await in_programme(filled, "most_mentors = 2", overrides=[{**ban, "since": "2026-02-03", "until": "2190-01-01"}])
    assert (await asked(filled, clock, by=(MENTEE, MENTOR))).blocked_by == ("FORBIDDEN_BY_COORDINATOR",)
    found = await asked(filled, clock)
    assert told(found) == [("end_ban", "end the ban on this pair")]
    assert await does_it(filled, clock, found) == found.rank_after == 1


async def with_tier(store: Store, **tier: str) -> None:
    """Ada, who offers Go at level 2, is to stand in a tier of the programme that asks for the training Listen."""
    asks = {"id": "first", "programme_id": "own", "name": "First", "role": "mentor", "rank": "1", "since": "2026-02-01"}
    await in_programme(
        store,
        "least_mentor_tier = 1",
        memberships=[
            {"person_id": "ada", "programme_id": "own", "role": "mentor", "hours_per_month": "2", "since": JOINED}
        ],
        person_skills=[{"person_id": "ada", "skill_id": "go", "stance": "offers", "level": "2", "since": JOINED}],
        tiers=[{**asks, **tier}],
        tier_trainings=[{"tier_id": "first", "training_id": "listen", "since": "2026-02-01"}],
    )


async def test_what_a_tier_asks_for_is_given_by_the_mentor(filled: Store, clock: Clock) -> None:
    await with_tier(filled, least_level="3", hours_per_month="4")
    assert (await asked(filled, clock, by=(COORDINATING,))).blocked_by == ()  # hours help, and do not suffice
    found = await asked(filled, clock, by=(MENTOR,))
    assert told(found) == [
        ("offer_skill", "offer Go at level 3"),
        ("raise_hours", "give 4 hours a month"),
        ("train", "take these trainings: Listen"),
    ]
    assert await does_it(filled, clock, found) == found.rank_after == 1


async def test_a_training_that_has_expired_is_taken_again(filled: Store, clock: Clock) -> None:
    await with_tier(filled)
    done = [{"person_id": "ada", "training_id": "listen", "since": JOINED, "until": "2026-01-31"}]
    await import_bundle(filled, bundle_of({"completions": done, "consents": []}), source=SOURCE)
    found = await asked(filled, clock)
    assert told(found) == [("train", "take these trainings: Listen")]
    assert await does_it(filled, clock, found) == found.rank_after == 1


async def test_no_training_is_proposed_to_whom_it_would_not_help(filled: Store, clock: Clock) -> None:
    await with_tier(filled, least_completed="2")
    found = await asked(filled, clock)
    assert (found.changes, found.blocked_by, found.tried) == ((), ("NOT_IN_TIER",), 0)


async def test_a_place_more_in_the_programme_is_given_where_only_there_all_are_taken(
    filled: Store, clock: Clock
) -> None:
    enrolled = {"person_id": "ada", "programme_id": "own", "role": "mentor", "since": "2026-02-02", "max_mentees": "1"}
    paired = {"id": "p", "mentor_id": "ada", "mentee_id": "ben", "started_on": "2026-02-03", "status": "active"}
    await in_programme(filled, "most_mentors = 2", memberships=[enrolled], pairings=[{**paired, "programme_id": "own"}])
    found = await asked(filled, clock)
    assert told(found) == [("add_place", "take 2 mentees at once")]
    assert await does_it(filled, clock, found) == found.rank_after == 2
    [role] = [each for each in await facts(filled, "roles", ADA) if "until" not in each.properties]
    assert role.properties["max_mentees"] == 3  # there were places enough in all


async def test_who_shares_no_time_may_both_work_asynchronously(filled: Store, clock: Clock) -> None:
    window = {"person_id": "bo", "weekday": "2", "start": "09:00", "end": "10:00", "zone": "UTC", "since": JOINED}
    profiles = [{"person_id": who, "communication": "live", "since": JOINED} for who in ("ada", "bo")]
    await in_programme(filled, "most_mentors = 2", availability=[window], profiles=profiles)
    assert told(await asked(filled, clock, by=(MENTEE,)))[0][0] == "add_time"
    found = await asked(filled, clock, by=(MENTOR,))
    assert [action for action, _ in told(found)] == ["add_time"]  # one change is less than two
    await filled.write(records_of(each := (await changes_of(filled, clock, "work_apart"))))
    clock.pass_by()
    assert len(each) == 2
    assert (await asked(filled, clock)).rank == 1


async def changes_of(store: Store, clock: Clock, action: str) -> list[Change]:
    """All changes of an action that are considered for Bo and Ada."""
    clock.pass_by()
    recommender = Recommender(store, RulesScorer(POLICY), clock=clock)
    found = await _Search.begin(recommender, recommender.scorer, BO, ADA, None, 5, ACTORS, None, None)
    return [each for each in found.changes if each.action == action]
