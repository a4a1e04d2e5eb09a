"""Lists asked for with more than a goal: filters, exclusions, signals left out, the days ahead, the first places."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.explaining.why_not import why_not
from mentorgraph.graph.facts.model import Record, role_uid
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.options import Filter, Mix, Options
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import SIGNALS, Exploration, load_policy
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .conftest import NOW

POLICY = load_policy()
EXPLORING = replace(POLICY, version="exploring@1", exploration=Exploration(0.4, 9.0))
Community = Any  # the class of the fixture, which is in conftest.py


# --- filters ----------------------------------------------------------------------------------------------------------


def below(community: Community, skill: str) -> set[str]:
    """A skill and all narrower ones, found by going round until nothing is added."""
    found = {skill}
    while (
        more := {each.links["skill"] for each in community.facts("broader") if each.links["broader"] in found} - found
    ):
        found |= more
    return found


def people(records: Iterable[Record], link: str = "person") -> set[str]:
    return {each.links[link] for each in records}


def listed(record: Record, name: str) -> list[str]:
    found = record.properties.get(name)
    return found if isinstance(found, list) else []


def brazilians(community: Community) -> set[str]:
    return people(each for each in community.facts("profiles") if "pt-BR" in listed(each, "languages"))


TONGUES = (("en", "micro"), ("en|pt", "peer|micro"), ("pt-BR", "peer"), ("ptx|de", ""), ("", "cohort"))


@pytest.fixture(scope="module")
def profiled(community: Community) -> Community:
    """The community, in which everybody has told languages and formats, or some of them."""
    community.ask()  # which reads the graph
    for number, person in enumerate(sorted(mentor_uids(community))):
        languages, formats = TONGUES[number % len(TONGUES)]
        told = {"languages": languages, "formats": formats, "experience_years": number % 20}
        community.write("profiles", person_id=person, since=NOW - timedelta(days=3), **told)
    for person, _ in community.askers:
        if person not in mentor_uids(community):
            community.write("profiles", person_id=person, experience_years=4, since=NOW - timedelta(days=3))
    return community


def right_filters(community: Community) -> list[tuple[Filter, set[str]]]:
    """Filters, each with everybody who passes it by going through the facts one by one."""
    offers, profiles = community.facts("offers"), community.facts("profiles")
    broad = next(each.links["broader"] for each in community.facts("broader"))
    offered = next(each.links["skill"] for each in offers if each.links["skill"] not in below(community, broad))
    unit = community.facts("unit_membership")[0].links["unit"]
    mentored = people(
        (community.columns.tables["pairings"].record(row) for row in range(len(community.columns.tables["pairings"]))),
        "mentor",
    ) | people(
        community.columns.tables["co_mentors"].record(row) for row in range(len(community.columns.tables["co_mentors"]))
    )
    years = {
        each.links["person"]: float(str(each.properties["experience_years"]))
        for each in profiles
        if "experience_years" in each.properties
    }
    experience = {each: number - years[community.askers[0][0]] for each, number in years.items()}
    named = set(community.columns.people.uids)
    by_skill = {
        skill: people(each for each in offers if each.links["skill"] in below(community, skill))
        for skill in (broad, offered)
    }
    in_unit = people(each for each in community.facts("unit_membership") if each.links["unit"] == unit)
    speaking = people(each for each in profiles if {"pt", "pt-BR"} & {*listed(each, "languages")})
    peers = people(each for each in profiles if "peer" in listed(each, "formats"))
    return [
        (Filter(skill=broad), by_skill[broad]),
        (Filter(skill=offered), by_skill[offered]),
        (Filter(unit=unit), in_unit),
        (Filter(language="PT"), speaking),
        (Filter(language="pt-br"), {each for each in speaking if each in brazilians(community)}),
        (Filter(format="peer"), peers),
        (Filter(is_new=True), named - mentored),
        (Filter(seniority="peer"), {each for each, more in experience.items() if -2 < more < 2}),
        (Filter(seniority="near_peer"), {each for each, more in experience.items() if 2 <= more <= 12}),
        (Filter(seniority="senior"), {each for each, more in experience.items() if more > 12}),
        (Filter(is_new=False), mentored),
        (Filter(skill=broad, format="peer", is_new=False), by_skill[broad] & peers & mentored),
    ]


def test_a_filtered_list_is_the_whole_list_without_who_does_not_pass(profiled: Community) -> None:
    community = profiled
    whole = community.everybody()
    seen = []
    for wanted, passing in right_filters(community):
        found = community.everybody(options=Options(filter=wanted))
        right = [(each.mentor, each.score, each.signals) for each in whole if each.mentor in passing]
        assert [(each.mentor, each.score, each.signals) for each in found] == right, wanted
        assert [each.rank for each in found] == list(range(1, len(found) + 1))
        assert community.ask(options=Options(filter=wanted), with_total=True, first=1).total == len(found)
        seen.append(0 < len(right) < len(whole))
    assert seen.count(True) >= 7, seen


def test_a_level_is_asked_of_the_skill_or_of_a_narrower_one(community: Community) -> None:
    mentor = community.everybody()[-1].mentor
    wide = community.write("skills", id="pottery", name="Pottery")
    narrow = community.write("skills", id="raku", name="Raku firing")
    old = community.write("skills", id="raku-yaki", name="Raku yaki")
    step = community.write("broader", skill_id=narrow.uid, broader_id=wide.uid, since="2024-01-01")
    merge = community.write(
        "successions", skill_id=old.uid, successor_id=narrow.uid, how="merged", since="2024-01-01", reason="same"
    )
    offer = community.write(
        "person_skills", person_id=mentor, skill_id=old.uid, stance="offers", level=3, since="2024-01-01"
    )

    def found(skill: Record, level: int | None) -> list[str]:
        wanted = Filter(skill=skill.uid, min_level=level)
        return [each.mentor for each in community.everybody(options=Options(filter=wanted))]

    assert [found(skill, 3) for skill in (wide, narrow, old)] == [[mentor]] * 3
    assert [found(skill, 4) for skill in (wide, narrow, old)] == [[]] * 3
    community.end(step)
    assert (found(wide, None), found(narrow, None)) == ([], [mentor])
    for each in (merge, offer):
        community.end(each)


def test_one_in_many_is_found_in_as_many_round_trips_as_the_first_page_takes(community: Community) -> None:
    last = community.everybody()[-1].mentor
    profile = community.write("profiles", person_id=last, languages="eo", since=NOW - timedelta(days=2))
    wanted = Options(filter=Filter(language="eo"))
    assert [each.mentor for each in community.everybody(options=wanted)] == [last]
    mentee, goal = community.askers[0]
    sent = community.sees(community.recommender.recommend(COORDINATOR, mentee, goal, options=wanted))
    assert sent == ["read_changes", "read_edges"]
    community.end(profile)
    assert community.everybody(options=wanted) == []


def test_a_tier_leaves_those_who_are_eligible_for_it(community: Community) -> None:
    programme = community.write("programmes", id="craft", name="Craft", format="long_term", since="2024-01-01")
    told: dict[str, Any] = {"programme_id": programme.uid, "role": "mentor", "since": "2024-01-01"}
    anybody = community.write("tiers", id="anybody", name="Guide", rank=1, least_days=0, **told)
    few = community.write("tiers", id="few", name="Senior guide", rank=2, least_completed=2, **told)
    pairings = [
        community.columns.tables["pairings"].record(row) for row in range(len(community.columns.tables["pairings"]))
    ]
    completed = [
        each.links["mentor"]
        for each in pairings
        if each.properties["status"] == "completed" and "until" in each.properties
    ]
    right = {mentor for mentor in completed if completed.count(mentor) >= 2}
    whole = community.everybody()
    found = community.everybody(options=Options(filter=Filter(tier=few.uid)))
    assert [each.mentor for each in found] == [each.mentor for each in whole if each.mentor in right]
    assert 0 < len(found) < len(whole)
    assert len(community.everybody(options=Options(filter=Filter(tier=anybody.uid)))) == len(whole)


def test_filters_that_leave_nobody_say_what_each_leaves(community: Community) -> None:
    mentors = len(set(people(each for each in community.facts("roles") if each.links["role"] == role_uid("mentor"))))
    slate = community.ask(options=Options(filter=Filter(language="tlh", is_new=False)))
    assert slate.recommendations == ()
    assert slate.notice.startswith("Nobody passes the filters: of ")
    assert "0 speak tlh, " in slate.notice
    assert f"of {mentors - (community.askers[0][0] in mentor_uids(community))} mentors" in slate.notice
    unit = community.facts("unit_membership")[0].links["unit"]
    alone = Options(filter=Filter(unit=unit), excluded=frozenset(mentor_uids(community)))
    assert "belong to the unit" in community.ask(options=alone).notice
    assert not community.ask(options=Options(filter=Filter(is_new=False))).notice


def mentor_uids(community: Community) -> set[str]:
    return people(each for each in community.facts("roles") if each.links["role"] == role_uid("mentor"))


@pytest.mark.parametrize(
    ("options", "code", "field"),
    [
        (Options(filter=Filter(min_level=3)), "BAD_USER_INPUT", "filter.minLevel"),
        (Options(filter=Filter(skill="x", min_level=6)), "BAD_USER_INPUT", "filter.minLevel"),
        (Options(filter=Filter(format="speed")), "BAD_USER_INPUT", "filter.format"),
        (Options(filter=Filter(skill="unknown")), "NOT_FOUND", "filter.skillId"),
        (Options(filter=Filter(unit="unknown")), "NOT_FOUND", "filter.unitId"),
        (Options(filter=Filter(tier="unknown")), "NOT_FOUND", "filter.tierId"),
        (Options(excluded=frozenset({"unknown"})), "NOT_FOUND", "exclude"),
        (Options(filter=Filter(seniority="elder")), "BAD_USER_INPUT", "filter.seniority"),
    (Options(ignored=frozenset({"star_sign"})), "BAD_USER_INPUT", "ignoreSignals"),
        (Options(horizon_days=181), "BAD_USER_INPUT", "horizonDays"),
        (Options(horizon_days=-1), "BAD_USER_INPUT", "horizonDays"),
        (Options(mix=Mix(experts=-1)), "BAD_USER_INPUT", "mix.experts"),
        (Options(mix=Mix(cross_functional=101)), "BAD_USER_INPUT", "mix.crossFunctional"),
        (Options(diversity=1.01), "BAD_USER_INPUT", "diversity"),
        (Options(diversity=float("nan")), "BAD_USER_INPUT", "diversity"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name(community: Community, options: Options, code: str, field: str) -> None:
    with pytest.raises(DomainError) as caught:
        community.ask(options=options)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_participants_do_not_learn_who_exists_by_excluding_them(community: Community) -> None:
    mentee, goal = community.askers[0]
    viewer = Viewer(mentee, frozenset({"mentee"}))
    unknown = Options(excluded=frozenset({"unknown"}))
    slate = community.run(community.recommender.recommend(viewer, mentee, goal, options=unknown, with_paths=False))
    assert len(slate.recommendations) == 10


# --- what is left out -------------------------------------------------------------------------------------------------


def test_who_is_excluded_is_not_listed_and_the_others_stay(community: Community) -> None:
    whole = community.everybody()
    out = frozenset(each.mentor for each in whole[1::2])
    found = community.everybody(options=Options(excluded=out))
    assert [(each.mentor, each.score) for each in found] == [(each.mentor, each.score) for each in whole[::2]]


@pytest.mark.parametrize("ignored", [{"skills"}, {"time_overlap", "load"}, set(SIGNALS)])
def test_a_signal_that_is_ignored_is_in_no_score_and_no_list(community: Community, ignored: set[str]) -> None:
    whole = {each.mentor: each for each in community.everybody()}
    found = community.everybody(options=Options(ignored=frozenset(ignored)))
    assert found
    for each in found:
        assert [signal.name for signal in each.signals] == [name for name in SIGNALS if name not in ignored]
        kept = [signal for signal in whole[each.mentor].signals if signal.name not in ignored]
        assert each.signals == tuple(kept)
        assert each.score == pytest.approx(each.base + sum(signal.contribution for signal in kept), abs=1e-6)
    assert [each.mentor for each in found] == [
        each.mentor for each in sorted(found, key=lambda one: (-one.score, one.mentor))
    ]
    assert {each.mentor for each in found} == set(whole)
    assert community.everybody() == list(whole.values())  # nothing is stored


def test_evidence_of_an_ignored_signal_is_not_told(community: Community) -> None:
    told = {path.signal for each in community.ask(first=20).recommendations for path in each.paths}
    left = {
        path.signal
        for each in community.ask(first=20, options=Options(ignored=frozenset({"goal_text"}))).recommendations
        for path in each.paths
    }
    assert "goal_text" in told
    assert left
    assert "goal_text" not in left


# --- the days ahead ---------------------------------------------------------------------------------------------------


def first_allowed(community: Community, mentor: str, until: datetime, instants: Iterable[datetime]) -> datetime | None:
    """When the rules first allow a pair, asked of the database as of each instant; the present is given as None."""
    mentee, goal = community.askers[0]
    bare = Recommender(community.store, RulesScorer(POLICY), columns=community.columns, clock=lambda: NOW)
    for instant in sorted({each for each in instants if NOW < each <= until}):
        moment = instant + timedelta(milliseconds=1)
        if not community.run(bare.explain(COORDINATOR, mentee, mentor, goal, as_of=moment)).refusals:
            return instant
    return None


def test_who_becomes_free_is_listed_with_the_first_day_that_the_rules_allow(community: Community) -> None:
    mentee, _ = community.askers[0]
    whole = community.everybody()
    mentors = [each.mentor for each in whole[:6]]
    week = timedelta(days=7)
    monday = NOW - timedelta(days=NOW.weekday(), hours=NOW.hour)
    planted = [
        community.write("absences", person_id=mentors[0], since=NOW - week, until=NOW + 3 * week),
        community.write("absences", person_id=mentors[1], since=NOW - week, until=NOW + 8 * week),
    ]
    full = [
        community.write(
            "pairings", id=f"full{number}", mentor_id=mentors[2], mentee_id=community.askers[20][0], status="completed",
            started_on=NOW - week, ended_on=NOW + timedelta(days=4 + number),
        )
        for number in range(20)
    ]  # fmt: skip
    newcomer = community.write("people", id="soon", name="Soon", joined_on="2026-01-01")
    community.write("consents", person_id=newcomer.uid, purpose="matching", text_version="1", since="2026-01-01")
    community.write("roles", person_id=newcomer.uid, role_id="mentor", since=NOW + 2 * week, max_mentees=2)
    ahead = {each.mentor: each for each in community.everybody(options=Options(horizon_days=30))}
    now = {each.mentor for each in community.everybody()}
    assert not now & {*mentors[:3], newcomer.uid}
    assert mentors[1] not in ahead
    assert ahead[newcomer.uid].available_from == NOW + 2 * week
    assert mentors[2] in ahead
    ends = [NOW + timedelta(days=4 + number) for number in range(20)]
    mondays = [monday + number * week for number in range(1, 6)]
    instants = [*ends, *mondays, NOW + 2 * week, NOW + 3 * week]
    for mentor in (*mentors[:3], newcomer.uid):
        right = first_allowed(community, mentor, NOW + timedelta(days=30), instants)
        assert (ahead[mentor].available_from if mentor in ahead else None) == right
        asker = community.askers[0]
        said = community.run(why_not(community.recommender, COORDINATOR, asker[0], mentor, asker[1]))
        assert said.available_from == right or (right is None and said.available_from > NOW + timedelta(days=30))
    assert {ahead[mentor].available_from for mentor in now} == {None}
    assert set(ahead) >= now
    scores = [each.score for each in ahead.values()]
    assert scores == sorted(scores, reverse=True)
    assert mentee not in ahead
    for record in (*planted, *full):
        community.end(record)


def test_nobody_looks_ahead_from_a_past_day(community: Community) -> None:
    refused = community.refused(lambda: community.ask(as_of=NOW - timedelta(days=9), options=Options(horizon_days=9)))
    assert refused == "BAD_USER_INPUT"


def test_options_come_back_from_their_plain_values() -> None:
    wanted = Filter("a", 2, "b", "c", "peer", "pt", False, "senior")
    full = Options(wanted, frozenset({"y", "x"}), frozenset({"load"}), 9, Mix(1, 2), 0.5)
    for each in (Options(), full, Options(filter=Filter(is_new=False)), Options(mix=Mix(0, 1))):
        assert Options.of(each.content) == each
    assert (Options().content, Options().key) == ({}, "")
    assert Options(mix=Mix(0, 1)).content == {"mix": {"cross_functional": 1}}
    assert full.content["excluded"] == ["x", "y"]
