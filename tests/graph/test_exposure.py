"""How much a mentor is shown, and why one is shown to nobody."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from mentorgraph.graph import clock
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.decisions.reading import Records
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.explaining.exposure import Exposure, mentor_exposure
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.viewer import COORDINATOR, Viewer

Community = Any  # the class of the fixture, which is in conftest.py
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
LISTS = 12


class Logged:
    """A log of some answers, half of them given long ago."""

    def __init__(self, community: Community, folder: Path) -> None:
        self.community, self.folder = community, folder
        self.recent = self.kept(range(LISTS), NOW - timedelta(days=10))
        self.old = self.kept(range(LISTS, 2 * LISTS), NOW - timedelta(days=200))

    def kept(self, places: range, at: datetime) -> list[Slate]:
        """Lists that are kept as given at an instant."""
        slates = [self.community.ask(place, first=5) for place in places]

        async def keep() -> None:
            async with DecisionLog(self.folder) as log:
                for slate in slates:
                    await log.keep(slate)

        with clock.set_to(lambda: at):
            asyncio.run(keep())
        return slates

    @property
    def records(self) -> Records:
        """What reads the log."""
        return DecisionLog(self.folder).records

    def ask(self, mentor: str, days: int = 90, viewer: Viewer = COORDINATOR) -> Exposure:
        """How much a mentor is shown."""
        recommender = self.community.recommender
        found: Exposure = self.community.run(mentor_exposure(recommender, self.records, viewer, mentor, days))
        return found


@pytest.fixture(scope="module")
def logged(community: Community, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    return Logged(community, tmp_path_factory.mktemp("log"))


def shown_in(slates: list[Slate], mentor: str) -> list[Any]:
    return [each for slate in slates for each in slate.recommendations if each.mentor == mentor]


def test_lists_places_and_reasons_are_counted_as_they_were_answered(logged: Logged) -> None:
    shown = Counter(each.mentor for slate in logged.recent for each in slate.recommendations)
    mentor, number = shown.most_common(1)[0]
    own = shown_in(logged.recent, mentor)
    found = logged.ask(mentor)
    assert (found.days, found.answers, found.shown, found.share) == (90, LISTS, number, number / LISTS)
    assert found.mean_rank == pytest.approx(fmean(each.rank for each in own))
    first = Counter(each.evidence[0].signal for each in own if each.evidence)
    assert {each.name: each.count for each in found.reasons} == dict(first)
    assert [each.count for each in found.reasons] == sorted(first.values(), reverse=True)
    assert (found.examined, found.blockers, found.missing_fields) == (0, (), ())


def test_only_the_days_that_are_asked_about_count(logged: Logged) -> None:
    mentor = logged.old[0].recommendations[0].mentor
    both = logged.ask(mentor, 300)
    assert both.answers == 2 * LISTS
    assert both.shown == len(shown_in(logged.recent + logged.old, mentor))
    assert logged.ask(mentor, 90).shown == len(shown_in(logged.recent, mentor)) < both.shown
    nothing = logged.ask(mentor, 5)
    assert (nothing.answers, nothing.shown, nothing.share, nothing.mean_rank) == (0, 0, None, None)


def test_an_invisible_mentor_is_explained_by_what_is_missing(logged: Logged) -> None:
    joined = NOW - timedelta(days=40)
    [person, *roles] = facts_of("people", {"id": "ghost", "name": "Ghost", "joined_on": joined, "roles": "mentor"}, "t")
    logged.community.run(logged.community.store.write([person, *roles]))
    found = logged.ask(person.uid)
    assert (found.answers, found.shown, found.mean_rank) == (LISTS, 0, None)
    assert found.examined == 10
    assert [(each.name, each.count) for each in found.blockers] == [("NO_CONSENT", 10)]
    assert {"skills", "sessions", "similar_goals"} <= {each.name for each in found.missing_signals}
    assert "load" not in {each.name for each in found.missing_signals}
    assert {"matching_consent", "offered_skills", "availability"} <= set(found.missing_fields)
    [consent] = facts_of(
        "consents",
        {"person_id": person.uid, "purpose": "matching", "text_version": "1", "since": NOW - timedelta(days=1)},
        "t",
    )
    logged.community.run(logged.community.store.write([consent]))
    after = logged.ask(person.uid)
    assert after.blockers == ()
    assert "matching_consent" not in after.missing_fields


def test_only_coordinators_may_ask_and_bad_input_is_named(logged: Logged) -> None:
    mentor = logged.recent[0].recommendations[0].mentor
    for viewer in (Viewer(person=mentor), Viewer(roles=frozenset({"data_scientist"}))):
        with pytest.raises(DomainError, match="only coordinators"):
            logged.ask(mentor, viewer=viewer)
    for days in (0, 4_000):
        with pytest.raises(DomainError) as caught:
            logged.ask(mentor, days)
        assert (caught.value.code, caught.value.field) == ("BAD_USER_INPUT", "days")
    with pytest.raises(DomainError) as caught:
        logged.ask("unknown")
    assert (caught.value.code, caught.value.field) == ("NOT_FOUND", "mentorId")


def test_entries_that_were_changed_are_left_to_the_audit(logged: Logged, tmp_path: Path) -> None:
    [segment] = [each for each in logged.folder.glob("*.segment") if b"2026-06-21" in each.read_bytes()]
    whole = sum(1 for _ in logged.records.entries(NOW - timedelta(days=90)))
    text = segment.read_bytes()
    (tmp_path / segment.name).write_bytes(text.replace(b'"rank":1', b'"rank":9', 1))
    assert sum(1 for _ in DecisionLog(tmp_path).records.entries(NOW - timedelta(days=90))) == whole - 1
