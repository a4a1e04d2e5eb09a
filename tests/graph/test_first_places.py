"""The first places of lists of a generated community: mixes, differing mentors, exploration, pages, cursors, replay."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.graph.columns.proficiency import person_levels
from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.keys import Keys
from mentorgraph.graph.decisions.log import KEYS, DecisionLog
from mentorgraph.graph.decisions.reading import Records
from mentorgraph.graph.decisions.replay import replay
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.options import Filter, Mix, Options
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import Exploration, load_policy
from mentorgraph.graph.viewer import COORDINATOR

from .conftest import NOW

POLICY = load_policy()
EXPLORING = replace(POLICY, version="exploring@1", exploration=Exploration(0.4, 9.0))
Community = Any  # the class of the fixture, which is in conftest.py


# --- mixes ----------------------------------------------------------------------------------------------------------


def test_a_mix_is_met_from_the_whole_list(community: Community) -> None:
    whole, lifted = community.everybody(), 0
    for place in range(12):
        whole = community.everybody(place)
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
        for each in community.facts("successions")
        if each.properties["how"] == "merged"
    }

    def counted(skill: str) -> str:
        while skill in merged:
            skill = merged[skill]
        return skill

    expert = set()
    for each in community.facts("offers"):
        skill, person = counted(each.links["skill"]), each.links["person"]
        if skill in wishes:
            levels = {one.skill: one.level for one in person_levels(community.columns, person, NOW.timestamp())}
            known = levels.get(skill)
            if (level if known is None else known) >= wishes[skill]:
                expert.add(person)
    units: dict[str, set[str]] = {}
    for each in community.facts("unit_membership"):
        units.setdefault(each.links["person"], set()).add(each.links["unit"])
    own = units.get(community.askers[place][0], set())
    return expert, {person for person, theirs in units.items() if own and not theirs & own}


def paged(recommender: Recommender, community: Community, place: int, **options: Any) -> tuple[list[Slate], list[str]]:
    mentee, goal = community.askers[place]
    slates: list[Slate] = []
    while not slates or slates[-1].has_next:
        after = slates[-1].cursors[-1] if slates else None
        work = recommender.recommend(COORDINATOR, mentee, goal, first=4, after=after, with_paths=False, **options)
        slates.append(community.run(work))
    return slates, [each.mentor for slate in slates for each in slate.recommendations]


@pytest.mark.parametrize(
    "options", [Options(mix=Mix(3, 3)), Options(diversity=0.8), Options(diversity=0.5, mix=Mix(2, 2)), Options()]
)
def test_pages_after_shaped_places_hold_everybody_once_by_score(community: Community, options: Options) -> None:
    policy = EXPLORING if options == Options() else POLICY
    recommender = Recommender(community.store, RulesScorer(policy), columns=community.columns, clock=lambda: NOW)
    whole = [each.mentor for each in community.everybody(3)]
    slates, found = paged(recommender, community, 3, options=options)
    assert len(found) == len(set(found))
    assert sorted(found) == sorted(whole)
    head = found[:4]
    assert found[4:] == [mentor for mentor in whole if mentor not in head]
    assert head != whole[:4] or options.mix == Mix(2, 2)
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
    return await recommender.recommend(COORDINATOR, mentee, goal, first=4, options=options)


def test_a_cursor_of_a_list_with_other_options_is_refused(community: Community) -> None:
    asked = [
        Options(),
        Options(filter=Filter(is_new=False)),
        Options(excluded=frozenset({community.everybody()[5].mentor})),
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
        found: Slate = community.run(
            recommender.recommend(COORDINATOR, mentee, goal, first=3, with_paths=False, **options)
        )
        return found

    def mentors(slate: Slate) -> list[str]:
        return [each.mentor for each in slate.recommendations]

    first = of(NOW)
    assert mentors(of(NOW + timedelta(hours=11))) == mentors(first)
    assert len({tuple(mentors(of(NOW + timedelta(days=day)))) for day in range(6)}) >= 4
    explored = [each for each in first.recommendations if each.is_explored]
    assert explored
    assert {each.propensity for each in explored} == {0.4 / 6}
    assert {each.propensity for each in first.recommendations if not each.is_explored} == {0.6}
    plain = of(NOW, explores=False)
    assert plain.uid != first.uid
    assert [each.mentor for each in plain.recommendations] == [each.mentor for each in community.everybody(4)[:3]]
    assert {each.propensity for each in plain.recommendations} == {1.0}
    assert not any(each.is_explored for each in of(NOW, as_of=NOW).recommendations)


def test_kept_lists_of_all_kinds_replay_and_what_was_changed_is_named(community: Community, tmp_path: Path) -> None:
    recommender = Recommender(community.store, RulesScorer(EXPLORING), columns=community.columns, clock=lambda: NOW)
    out = frozenset(each.mentor for each in community.everybody()[:2])
    asked = [
        Options(),
        Options(filter=Filter(is_new=False), excluded=out, ignored=frozenset({"load", "unit"})),
        Options(horizon_days=60),
        Options(mix=Mix(2, 4)),
        Options(diversity=0.7),
        Options(diversity=0.7, mix=Mix(1, 1)),
    ]
    mentee, goal = community.askers[5]

    async def keep() -> list[Slate]:
        async with DecisionLog(tmp_path) as log:
            return [
                await log.keep(await recommender.recommend(COORDINATOR, mentee, goal, first=4, options=each))
                for each in asked
            ]

    slates = community.run(keep())
    records = Records(tmp_path, Keys(tmp_path / KEYS))
    decisions, policies = [each for each in records.all() if isinstance(each, Decision)], records.policies()
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
