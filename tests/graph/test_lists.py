"""Lists that are asked for with more than a goal: filters, exclusions, what is left out, the days ahead, first places."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.graph.decisions.keys import Keys
from mentorgraph.graph.decisions.log import KEYS, DecisionLog
from mentorgraph.graph.decisions.reading import Records
from mentorgraph.graph.decisions.replay import replay
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.listing import Recommendation, Slate
from mentorgraph.graph.matching import Recommender
from mentorgraph.graph.model import Record
from mentorgraph.graph.options import Filter, Mix, Options
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.policy import SIGNALS, Exploration, load_policy
from mentorgraph.graph.scoring import RulesScorer
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .conftest import NOW

POLICY = load_policy()
EXPLORING = replace(POLICY, version="exploring@1", exploration=Exploration(0.4, 30.0))
Community = Any  # the class of the fixture, which is in conftest.py


def everybody(community: Community, place: int = 0, **options: Any) -> list[Recommendation]:
    """The whole list, page by page."""
    found: list[Recommendation] = []
    after = None
    while True:
        slate = community.ask(place, first=MOST, after=after, with_paths=False, **options)
        found += slate.recommendations
        if not slate.has_next:
            return found
        after = slate.cursors[-1]


def facts(community: Community, kind: str) -> list[Record]:
    """The facts of a kind that hold now, each by itself."""
    table = community.columns.tables[kind]
    return [table.record(row) for row in range(len(table)) if table.valid(NOW.timestamp())[row]]


# --- filters ----------------------------------------------------------------------------------------------------------


def below(community: Community, skill: str) -> set[str]:
    """A skill and all narrower ones, found by going round until nothing is added."""
    found = {skill}
    while (
        more := {each.links["skill"] for each in facts(community, "broader") if each.links["broader"] in found} - found
    ):
        found |= more
    return found


def people(records: Iterable[Record], link: str = "person") -> set[str]:
    return {each.links[link] for each in records}


def right_filters(community: Community) -> list[tuple[Filter, set[str]]]:
    """Filters, each with everybody who passes it by going through the facts one by one."""
    offers, profiles = facts(community, "offers"), facts(community, "profiles")
    broad = next(each.links["broader"] for each in facts(community, "broader"))
    offered = next(each.links["skill"] for each in offers if each.links["skill"] not in below(community, broad))
    unit = facts(community, "unit_membership")[0].links["unit"]
    tongue = next(each for record in profiles for each in record.properties.get("languages", []) if each != "en")  # type: ignore[union-attr, attr-defined]
    mentored = people(
        (community.columns.tables["pairings"].record(row) for row in range(len(community.columns.tables["pairings"]))),
        "mentor",
    ) | people(
        community.columns.tables["co_mentors"].record(row) for row in range(len(community.columns.tables["co_mentors"]))
    )
    named = set(community.columns.people.uids)
    by_skill = {
        skill: people(each for each in offers if each.links["skill"] in below(community, skill))
        for skill in (broad, offered)
    }
    in_unit = people(each for each in facts(community, "unit_membership") if each.links["unit"] == unit)
    speaking = people(each for each in profiles if tongue in (each.properties.get("languages") or []))  # type: ignore[operator]
    peers = people(each for each in profiles if "peer" in (each.properties.get("formats") or []))  # type: ignore[operator]
    return [
        (Filter(skill=broad), by_skill[broad]),
        (Filter(skill=offered), by_skill[offered]),
        (Filter(unit=unit), in_unit),
        (Filter(language=tongue.upper()), speaking),
        (Filter(format="peer"), peers),
        (Filter(is_new=True), named - mentored),
        (Filter(is_new=False), mentored),
        (Filter(skill=broad, format="peer", is_new=False), by_skill[broad] & peers & mentored),
    ]


def test_a_filtered_list_is_the_whole_list_without_who_does_not_pass(community: Community) -> None:
    whole = everybody(community)
    seen = set()
    for wanted, passing in right_filters(community):
        found = everybody(community, options=Options(filter=wanted))
        right = [(each.mentor, each.score, each.signals) for each in whole if each.mentor in passing]
        assert [(each.mentor, each.score, each.signals) for each in found] == right, wanted
        assert [each.rank for each in found] == list(range(1, len(found) + 1))
        assert community.ask(options=Options(filter=wanted), with_total=True, first=1).total == len(found)
        seen.add(0 < len(right) < len(whole))
    assert True in seen


def test_a_level_is_asked_of_the_skill_or_of_a_narrower_one(community: Community) -> None:
    mentor = everybody(community)[-1].mentor
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
        return [each.mentor for each in everybody(community, options=Options(filter=wanted))]

    assert [found(skill, 3) for skill in (wide, narrow, old)] == [[mentor]] * 3
    assert [found(skill, 4) for skill in (wide, narrow, old)] == [[]] * 3
    community.end(step)
    assert (found(wide, None), found(narrow, None)) == ([], [mentor])
    for each in (merge, offer):
        community.end(each)


def test_one_in_many_is_found_in_as_many_round_trips_as_the_first_page_takes(community: Community) -> None:
    last = everybody(community)[-1].mentor
    profile = community.write("profiles", person_id=last, languages="eo", since=NOW - timedelta(days=2))
    wanted = Options(filter=Filter(language="eo"))
    assert [each.mentor for each in everybody(community, options=wanted)] == [last]
    mentee, goal = community.askers[0]
    sent = community.sees(community.recommender.recommend(COORDINATOR, mentee, goal, options=wanted))
    assert sent == ["read_changes", "read_asker", "read_candidates", "read_edges"]
    community.end(profile)
    assert everybody(community, options=wanted) == []


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
    whole = everybody(community)
    found = everybody(community, options=Options(filter=Filter(tier=few.uid)))
    assert [each.mentor for each in found] == [each.mentor for each in whole if each.mentor in right]
    assert 0 < len(found) < len(whole)
    assert len(everybody(community, options=Options(filter=Filter(tier=anybody.uid)))) == len(whole)


def test_filters_that_leave_nobody_say_what_each_leaves(community: Community) -> None:
    mentors = len(set(people(each for each in facts(community, "roles") if each.links["role"] == mentor_role())))
    slate = community.ask(options=Options(filter=Filter(language="tlh", is_new=False)))
    assert slate.recommendations == ()
    assert slate.notice.startswith("Nobody passes the filters: of ")
    assert "0 speak tlh, " in slate.notice
    assert f"of {mentors - (community.askers[0][0] in mentor_uids(community))} mentors" in slate.notice
    unit = facts(community, "unit_membership")[0].links["unit"]
    alone = Options(filter=Filter(unit=unit), excluded=frozenset(mentor_uids(community)))
    assert "belong to the unit" in community.ask(options=alone).notice
    assert not community.ask(options=Options(filter=Filter(is_new=False))).notice


def mentor_role() -> str:
    from mentorgraph.graph.model import role_uid

    return role_uid("mentor")


def mentor_uids(community: Community) -> set[str]:
    return people(each for each in facts(community, "roles") if each.links["role"] == mentor_role())


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
    whole = everybody(community)
    out = frozenset(each.mentor for each in whole[1::2])
    found = everybody(community, options=Options(excluded=out))
    assert [(each.mentor, each.score) for each in found] == [(each.mentor, each.score) for each in whole[::2]]


@pytest.mark.parametrize("ignored", [{"skills"}, {"time_overlap", "load"}, set(SIGNALS)])
def test_a_signal_that_is_ignored_is_in_no_score_and_no_list(community: Community, ignored: set[str]) -> None:
    whole = {each.mentor: each for each in everybody(community)}
    found = everybody(community, options=Options(ignored=frozenset(ignored)))
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
    assert everybody(community) == list(whole.values())  # nothing is stored


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
    whole = everybody(community)
    mentors = [each.mentor for each in whole[:6]]
    week = timedelta(days=7)
    monday = NOW - timedelta(days=NOW.weekday(), hours=NOW.hour)
    planted = [
        community.write("absences", person_id=mentors[0], since=NOW - week, until=NOW + 3 * week),
        community.write("absences", person_id=mentors[1], since=NOW - week, until=NOW + 8 * week),
    ]
    full = [
        community.write(
            "pairings", id=f"full{number}", mentor_id=mentors[2], mentee_id=community.askers[20][0], status="active",
            started_on=NOW - week, ended_on=NOW + timedelta(days=4 + number),
        )
        for number in range(20)
    ]  # fmt: skip
    newcomer = community.write("people", id="soon", name="Soon", joined_on="2026-01-01")
    community.write("consents", person_id=newcomer.uid, purpose="matching", text_version="1", since="2026-01-01")
    community.write("roles", person_id=newcomer.uid, role_id="mentor", since=NOW + 2 * week, max_mentees=2)
    ahead = {each.mentor: each for each in everybody(community, options=Options(horizon_days=30))}
    now = {each.mentor for each in everybody(community)}
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


# --- first places -----------------------------------------------------------------------------------------------------


def test_a_mix_is_met_from_the_whole_list(community: Community) -> None:
    whole, lifted = everybody(community), 0
    for place in range(12):
        whole = everybody(community, place)
        expert, cross = kinds(community, place)
        for experts, functional in ((2, 1), (1, 3), (5, 5)):
            slate = community.ask(place, first=5, options=Options(mix=Mix(experts, functional)), with_paths=False)
            shown = [each.mentor for each in slate.recommendations]
            missing = (slate.lacking.experts, slate.lacking.cross_functional)
            allowed = [each.mentor for each in whole]
            if missing == (0, 0):
                assert len(expert & set(shown)) >= experts
                assert len(cross & set(shown)) >= functional
            else:  # nothing more can be had
                assert experts + functional > 5 or len(expert & set(allowed)) < experts or (
                    len(cross & set(allowed)) < functional
                )  # fmt: skip
            scores = {each.mentor: each.score for each in whole}
            assert [each.score for each in slate.recommendations] == [scores[mentor] for mentor in shown]
            assert [each.rank for each in slate.recommendations] == [1, 2, 3, 4, 5]
            for each in slate.recommendations:
                assert (each.lifted_by == "mix") == (allowed.index(each.mentor) + 1 > each.rank)
                lifted += each.lifted_by == "mix"
    assert lifted > 0


def kinds(community: Community, place: int) -> tuple[set[str], set[str]]:
    """Who is an expert and who cross-functional for a mentee, by going through the facts one by one."""
    asked = community.question(place)
    level = POLICY.signals.level_unknown
    wishes = {community.columns.skills.uids[wish.skill]: wish.level for wish in asked.wishes}
    merged = {
        each.links["skill"]: each.links["successor"]
        for each in facts(community, "successions")
        if each.properties["how"] == "merged"
    }

    def counted(skill: str) -> str:
        while skill in merged:
            skill = merged[skill]
        return skill

    from mentorgraph.graph.proficiency import person_levels

    expert = set()
    for each in facts(community, "offers"):
        skill, person = counted(each.links["skill"]), each.links["person"]
        if skill in wishes:
            levels = {one.skill: one.level for one in person_levels(community.columns, person, NOW.timestamp())}
            known = levels.get(skill)
            if (level if known is None else known) >= wishes[skill]:
                expert.add(person)
    units: dict[str, set[str]] = {}
    for each in facts(community, "unit_membership"):
        units.setdefault(each.links["person"], set()).add(each.links["unit"])
    own = units.get(community.askers[place][0], set())
    return expert, {person for person, theirs in units.items() if own and not theirs & own}


def paged(recommender: Recommender, community: Community, place: int, **options: Any) -> tuple[list[Slate], list[str]]:
    mentee, goal = community.askers[place]
    slates: list[Slate] = []
    while not slates or slates[-1].has_next:
        after = slates[-1].cursors[-1] if slates else None
        work = recommender.recommend(COORDINATOR, mentee, goal, first=7, after=after, with_paths=False, **options)
        slates.append(community.run(work))
    return slates, [each.mentor for slate in slates for each in slate.recommendations]


@pytest.mark.parametrize(
    "options", [Options(mix=Mix(3, 3)), Options(diversity=0.8), Options(diversity=0.5, mix=Mix(2, 2)), Options()]
)
def test_pages_after_shaped_places_hold_everybody_once_by_score(community: Community, options: Options) -> None:
    policy = EXPLORING if options == Options() else POLICY
    recommender = Recommender(community.store, RulesScorer(policy), columns=community.columns, clock=lambda: NOW)
    whole = [each.mentor for each in everybody(community, 3)]
    slates, found = paged(recommender, community, 3, options=options)
    assert len(found) == len(set(found))
    assert sorted(found) == sorted(whole)
    head = found[:7]
    assert found[7:] == [mentor for mentor in whole if mentor not in head]
    assert head != whole[:7]
    assert len({slate.uid for slate in slates}) == 1
    ranks = [each.rank for slate in slates for each in slate.recommendations]
    assert ranks == list(range(1, len(found) + 1))
    # A client may also go on in the middle of the first page.
    mentee, goal = community.askers[3]
    work = recommender.recommend(
        COORDINATOR, mentee, goal, first=3, after=slates[0].cursors[1], with_paths=False, options=options
    )
    rest = [mentor for mentor in whole if mentor not in head[:2]]
    assert [each.mentor for each in community.run(work).recommendations] == rest[:3]
    assert community.run(work2(recommender, mentee, goal, options)).uid == slates[0].uid


async def work2(recommender: Recommender, mentee: str, goal: str, options: Options) -> Slate:
    return await recommender.recommend(COORDINATOR, mentee, goal, first=7, options=options)


def test_a_cursor_of_a_list_with_other_options_is_refused(community: Community) -> None:
    asked = [
        Options(),
        Options(filter=Filter(is_new=False)),
        Options(excluded=frozenset({everybody(community)[5].mentor})),
        Options(ignored=frozenset({"load"})),
        Options(horizon_days=7),
        Options(mix=Mix(1, 0)),
        Options(diversity=0.5),
    ]
    slates = [community.ask(options=options, with_paths=False) for options in asked]
    assert len({slate.uid for slate in slates}) == len(asked)
    for slate in slates:
        for options in asked:
            if slate.asked.options == options:
                assert community.ask(options=options, after=slate.cursors[0]).recommendations[0].rank == 2
            else:
                refused = community.refused(
                    lambda options=options, slate=slate: community.ask(options=options, after=slate.cursors[0])
                )
                assert refused == "BAD_USER_INPUT"


def test_what_was_explored_repeats_all_day_and_is_another_the_next(community: Community) -> None:
    mentee, goal = community.askers[4]

    def of(clock: datetime, **options: Any) -> Slate:
        recommender = Recommender(
            community.store, RulesScorer(EXPLORING), columns=community.columns, clock=lambda: clock
        )
        found: Slate = community.run(recommender.recommend(COORDINATOR, mentee, goal, with_paths=False, **options))
        return found

    def mentors(slate: Slate) -> list[str]:
        return [each.mentor for each in slate.recommendations]

    first = of(NOW)
    assert mentors(of(NOW + timedelta(hours=11))) == mentors(first)
    assert len({tuple(mentors(of(NOW + timedelta(days=day)))) for day in range(5)}) == 5
    explored = [each for each in first.recommendations if each.is_explored]
    assert explored
    assert {each.propensity for each in explored} == {0.4 / 20}
    assert {each.propensity for each in first.recommendations if not each.is_explored} == {0.6}
    plain = of(NOW, explores=False)
    assert plain.recommendations == community.ask(4, with_paths=False).recommendations or plain.uid != first.uid
    assert {each.propensity for each in plain.recommendations} == {1.0}
    assert not any(each.is_explored for each in of(NOW, as_of=NOW).recommendations)


def test_kept_lists_of_all_kinds_replay_and_what_was_changed_is_named(community: Community, tmp_path: Path) -> None:
    recommender = Recommender(community.store, RulesScorer(EXPLORING), columns=community.columns, clock=lambda: NOW)
    out = frozenset(each.mentor for each in everybody(community)[:2])
    asked = [
        Options(),
        Options(filter=Filter(is_new=False, language="en"), excluded=out, ignored=frozenset({"load", "unit"})),
        Options(horizon_days=60),
        Options(mix=Mix(2, 4)),
        Options(diversity=0.7),
        Options(diversity=0.7, mix=Mix(1, 1)),
    ]
    mentee, goal = community.askers[5]

    async def keep() -> list[Slate]:
        async with DecisionLog(tmp_path) as log:
            return [
                await log.keep(await recommender.recommend(COORDINATOR, mentee, goal, options=each)) for each in asked
            ]

    slates = community.run(keep())
    records = Records(tmp_path, Keys(tmp_path / KEYS))
    decisions, policies = list(records.all()), records.policies()
    assert [each.options for each in decisions] == asked
    assert [each.shaping for each in decisions] == [slate.asked.shaping for slate in slates]
    for decision, slate in zip(decisions, slates, strict=True):
        assert [each.recommendation for each in decision.recommended] == list(slate.recommendations)
    checked = [replay(each, {**policies, EXPLORING.version: EXPLORING.content}) for each in decisions]
    named = [[one.what for one in each if "policy recorded as" not in one.what] for each in checked]
    assert named == [[]] * len(asked)
    explored = decisions[0]
    assert explored.shaping is not None
    other_day = replace(explored, shaping=replace(explored.shaping, seed=f"{mentee} 2026-07-02"))
    more = replace(explored, shaping=replace(explored.shaping, share=0.5))
    mixed = replace(decisions[3], options=replace(decisions[3].options, mix=Mix(2, 3)))
    left_in = replace(decisions[1], options=replace(decisions[1].options, ignored=frozenset({"skills"})))
    let_in = replace(
        decisions[1], options=Options(excluded=frozenset({decisions[1].recommended[0].recommendation.mentor}))
    )
    for changed, said in (
        (other_day, "place "),
        (more, "explored were"),
        (mixed, "the first places were not given as the list was asked for"),
        (left_in, "skills was to be left out"),
        (let_in, "this mentor was to be left out"),
    ):
        found = [each.what for each in replay(changed, {**policies, EXPLORING.version: EXPLORING.content})]
        assert [each for each in found if each.startswith(said)], (said, found)


def test_options_come_back_from_their_plain_values() -> None:
    full = Options(
        Filter("a", 2, "b", "c", "peer", "pt", False), frozenset({"y", "x"}), frozenset({"load"}), 9, Mix(1, 2), 0.5
    )
    for each in (Options(), full, Options(filter=Filter(is_new=False)), Options(mix=Mix(0, 1))):
        assert Options.of(each.content) == each
    assert (Options().content, Options().key) == ({}, "")
    assert Options(mix=Mix(0, 1)).content == {"mix": {"cross_functional": 1}}
    assert full.content["excluded"] == ["x", "y"]
