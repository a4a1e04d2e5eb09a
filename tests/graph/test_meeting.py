"""How two people can meet: pure cases side by side, and a mentor with whom one can only work asynchronously."""

from datetime import UTC, datetime

import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import question
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.ranking.cautions import NAMES, caution_in_words
from mentorgraph.graph.ranking.meeting import modes_of
from mentorgraph.graph.ranking.sentences import sentences_of
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.vocabulary import ENGLISH, GERMAN

from .conftest import Community

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
JOINED = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = load_policy()
HOURS = {
    "same": ("09:00", "11:00"),
    "touching": ("10:45", "12:00"),
    "apart": ("15:00", "17:00"),
}


def mode(hours: str, mentee: str, mentor: str, least: float = 30) -> str:
    """How a mentee who is free from nine to eleven can meet a mentor; each tells how they like to talk."""
    columns = Columns()

    def tell(file: str, **row: object) -> None:
        for record in facts_of(file, {**row, "since": JOINED} if file != "people" else row, "test"):
            columns.put(record)

    for name, times, likes in (("mentee", "same", mentee), ("mentor", hours, mentor)):
        tell("people", id=name, name=name, joined_on=JOINED)
        if times:
            start, end = HOURS[times]
            tell("availability", person_id=name, weekday=1, start=start, end=end, zone="UTC")
        if likes:
            tell("profiles", person_id=name, communication=likes)
    asked = question(columns, 0, -1, NOW, POLICY.signals)
    return modes_of(columns, asked, [1], least)[1]


@pytest.mark.parametrize(
    ("hours", "mentee", "mentor", "least", "expected"),
    [
        ("same", "mixed", "mixed", 30, "live"),
        ("same", "asynchronous", "asynchronous", 30, "live"),
        ("apart", "mixed", "asynchronous", 30, "async"),
        ("touching", "mixed", "mixed", 30, "async"),
        ("touching", "mixed", "mixed", 15, "live"),
        ("apart", "mixed", "mixed", 0, "async"),
        ("apart", "live", "asynchronous", 30, ""),
        ("apart", "mixed", "", 30, ""),
        ("", "mixed", "mixed", 30, ""),
        ("same", "", "", 30, "live"),
    ],
)
def test_a_pair_meets_live_or_only_asynchronously(
    hours: str, mentee: str, mentor: str, least: float, expected: str
) -> None:
    assert mode(hours, mentee, mentor, least) == expected


def test_a_mentor_who_can_only_be_worked_with_asynchronously_is_listed_and_marked(community: Community) -> None:
    mentee, _ = community.askers[1]
    mentor = community.ask(1, first=1).recommendations[0].mentor
    for fact in community.facts("availability"):
        if fact.links["person"] in (mentee, mentor):
            community.end(fact)
    for person, start in ((mentee, "02:00"), (mentor, "04:00")):
        row = {"weekday": 1, "start": start, "end": f"{start[:1]}{int(start[1]) + 1}:00", "zone": "UTC"}
        community.write("availability", person_id=person, since="2026-01-01", **row)
    profiles = [
        community.write("profiles", person_id=each, communication="mixed", since="2026-01-02")
        for each in (mentee, mentor)
    ]
    [found] = [each for each in community.ask(1, first=100).recommendations if each.mentor == mentor]
    assert found.mode == "async"
    assert "asynchronous_only" in found.cautions
    assert [one.what for one in found.measured if one.what == "asynchronous_only"] == ["asynchronous_only"]
    told = {language: sentences_of(found.paths, found.measured, language) for language in (ENGLISH, GERMAN)}
    assert any("can only work together asynchronously" in each for each in told[ENGLISH])
    assert any("nur zeitversetzt zusammenarbeiten" in each for each in told[GERMAN])
    others = [each for each in community.ask(1, first=100).recommendations if each.mode != "async"]
    assert others
    assert not any("asynchronous_only" in each.cautions for each in others)
    community.end(profiles[1])
    assert mentor not in {each.mentor for each in community.ask(1, first=100).recommendations}


def test_cautions_are_worded_in_both_languages() -> None:
    for name in NAMES:
        english, german = caution_in_words(name), caution_in_words(name, GERMAN)
        assert english != german
        assert "{" not in english + german
    assert "365" in caution_in_words("profile_old", GERMAN)
