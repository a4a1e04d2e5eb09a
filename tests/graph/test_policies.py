"""Policies of programmes, why not, and what rules do to requests, on the real engine."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.explaining.policies import policy_of, set_policy, try_policy
from mentorgraph.graph.explaining.why_not import WhyNot, why_not
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.pairings import pairing
from mentorgraph.graph.people.enrolment import enrol
from mentorgraph.graph.people.programmes import clone_programme, config_hash
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .people import ADA, BEN, BO, DAY, ONE, POLICY, START, TWO, Clock, ask, clock, filled, mentors, refused, uid, viewer

__all__ = ["clock", "filled"]

pytestmark = pytest.mark.anyio

MEMBERS = "[rules]\nmembers_only = true\n"
CY = uid("people", "cy")


@pytest.fixture
async def store_of_one(filled: Store, clock: Clock) -> Store:
    """Bo seeks in the programme One, in which Ada is a mentor and Ben is not."""
    await enrol(filled, COORDINATOR, BO, ONE, "mentee", clock=clock)
    await enrol(filled, COORDINATOR, ADA, ONE, "mentor", clock=clock)
    clock.pass_by()
    return filled


def recommender(store: Store, clock: Clock) -> Recommender:
    return Recommender(store, RulesScorer(POLICY), clock=clock)


async def why(store: Store, clock: Clock, mentor: str, by: Viewer = COORDINATOR, **more: object) -> WhyNot:
    return await why_not(recommender(store, clock), by, BO, mentor, **more)  # type: ignore[arg-type]


async def told(store: Store, clock: Clock, text: str, programme: str = ONE) -> None:
    await set_policy(store, COORDINATOR, programme, text, POLICY, clock=clock)


async def test_a_policy_counts_from_when_it_is_set_and_the_past_stays(store_of_one: Store, clock: Clock) -> None:
    before = clock.now
    assert await mentors(store_of_one, clock) == {"ada", "ben"}
    clock.pass_by(DAY)
    await told(store_of_one, clock, MEMBERS)
    assert await mentors(store_of_one, clock) == {"ada"}
    ranks = recommender(store_of_one, clock)
    slate = await ranks.recommend(COORDINATOR, BO)
    assert slate.policy_version == (await policy_of(store_of_one, ONE, POLICY, now=clock.now)).policy.version
    assert slate.policy_version != POLICY.version
    assert slate.asked.policy.content[3]["members_only"] is True
    past = await ranks.recommend(COORDINATOR, BO, as_of=before)
    assert ([each.mentor for each in past.recommendations], past.policy_version) == (
        [each.mentor for each in past.recommendations if each.mentor in (ADA, BEN)],
        POLICY.version,
    )
    assert len(past.recommendations) == 2


async def test_another_version_ends_the_one_before_and_no_text_goes_back(store_of_one: Store, clock: Clock) -> None:
    await told(store_of_one, clock, MEMBERS)
    changes = await store_of_one.read_changes()
    clock.pass_by(DAY)
    await told(store_of_one, clock, "# a remark\n" + MEMBERS)
    assert await store_of_one.read_changes() == changes
    await told(store_of_one, clock, "name = 'loose'\n[rules]\nmost_mentors = 2\n[weights]\nunit = 3")
    assert await mentors(store_of_one, clock) == {"ada", "ben"}
    found = await policy_of(store_of_one, ONE, POLICY, now=clock.now)
    assert found.policy.version.startswith("loose@")
    assert (found.policy.rules.most_mentors, found.policy.weights["unit"], found.policy.rules.members_only) == (
        2,
        3,
        False,
    )
    clock.pass_by(DAY)
    await told(store_of_one, clock, "")
    found = await policy_of(store_of_one, ONE, POLICY, now=clock.now)
    assert (found.policy.version, found.draft) == (POLICY.version, "")
    spans = [(each.properties["since"], each.properties.get("until")) for each in found.versions]
    first = START + timedelta(milliseconds=1)
    assert spans == [(first, first + DAY), (first + DAY, first + 2 * DAY)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[rules]\nmost_mentor = 1", "rules.most_mentor is not known; the keys are switched_off, max_mentees"),
        ("[rulez]", "rulez is not known; the keys are name, rules, weights"),
        ("[rules]\nmembers_only = 1", "rules.members_only is 1, not true or false"),
        ("[rules]\nmost_zone_gap_hours = 13", "rules.most_zone_gap_hours must be at most 12"),
        ("[rules]\nmax_mentees = 0", "rules.max_mentees must be at least 1"),
        ("[rules]\nswitched_off = ['AWAI']", "rules.switched_off: AWAI is no rule; the rules are SELF"),
        ("[rules]\nswitched_off = ['NO_CONSENT']", "rules.switched_off: NO_CONSENT holds under every policy"),
        ("[rules]\ngrades = ['a', 'A']", "rules.grades names a grade twice"),
        (
            "[rules]\nleast_level_distance = 2\nmost_level_distance = 1",
            "rules.least_level_distance is 2, above most_level_distance, which is 1; nobody could be paired",
        ),
        ("[weights]\nunits = 1", "weights.units is not known"),
        ("[rules", "is not TOML"),
    ],
)
async def test_a_policy_that_cannot_be_leaves_the_old_one(
    store_of_one: Store, clock: Clock, text: str, message: str
) -> None:
    await told(store_of_one, clock, MEMBERS)
    clock.pass_by(DAY)
    before = await store_of_one.read_changes()
    for work in (
        set_policy(store_of_one, COORDINATOR, ONE, text, POLICY, clock=clock),
        try_policy(recommender(store_of_one, clock), COORDINATOR, ONE, text),
    ):
        with pytest.raises(DomainError) as caught:
            await work
        assert (caught.value.code, caught.value.field) == ("BAD_POLICY", "draft")
        assert message in caught.value.message
    assert await store_of_one.read_changes() == before
    assert (await policy_of(store_of_one, ONE, POLICY, now=clock.now)).draft == MEMBERS


async def test_a_draft_that_contradicts_the_format_is_refused(store_of_one: Store, clock: Clock) -> None:
    row = {"id": "back", "name": "Back", "format": "reverse", "since": "2026-02-01"}
    await store_of_one.write(facts_of("programmes", row, "test"))
    with pytest.raises(DomainError, match="least_level_distance is 1, above most_level_distance, which is -1"):
        await told(store_of_one, clock, "[rules]\nleast_level_distance = 1", uid("programmes", "back"))


async def test_only_coordinators_set_and_try_policies_of_programmes_that_run(store_of_one: Store, clock: Clock) -> None:
    assert await refused(store_of_one, set_policy(store_of_one, viewer("bo"), ONE, MEMBERS, POLICY)) == "FORBIDDEN"
    ranks = recommender(store_of_one, clock)
    assert await refused(store_of_one, try_policy(ranks, viewer("bo"), ONE, MEMBERS)) == "FORBIDDEN"
    old, unknown = uid("programmes", "old"), uid("programmes", "unknown")
    assert await refused(store_of_one, told(store_of_one, clock, MEMBERS, old)) == "ARCHIVED"
    assert await refused(store_of_one, told(store_of_one, clock, MEMBERS, unknown)) == "NOT_FOUND"
    early = set_policy(store_of_one, COORDINATOR, ONE, MEMBERS, POLICY, since=START - 90 * DAY, clock=clock)
    assert await refused(store_of_one, early) == "BAD_USER_INPUT"


async def test_a_dry_run_names_who_would_gain_and_lose_and_writes_nothing(store_of_one: Store, clock: Clock) -> None:
    ranks, before = recommender(store_of_one, clock), await store_of_one.read_changes()
    lost = await try_policy(ranks, COORDINATOR, ONE, MEMBERS)
    assert (lost.mentees, lost.pairs, lost.gained, lost.lost, lost.has_next) == ((BO,), 2, 0, 1, False)
    [change] = lost.changes
    assert (change.mentee, change.mentor, change.gains) == (BO, BEN, False)
    assert [each.rule for each in change.rules] == ["NOT_ENROLLED"]
    assert (lost.mentors_lost, lost.mentors_gained, lost.without_mentor) == ((BEN,), (), ())
    nobody = await try_policy(ranks, COORDINATOR, ONE, "[rules]\nmembers_only = true\nleast_mentor_tier = 1")
    assert nobody.lost == 1  # the programme has no tiers, so none is asked for
    assert await store_of_one.read_changes() == before
    await told(store_of_one, clock, MEMBERS)
    clock.pass_by()
    gained = await try_policy(ranks, COORDINATOR, ONE, "")
    assert (gained.gained, gained.lost, gained.mentors_gained) == (1, 0, (BEN,))
    assert [each.rule for each in gained.changes[0].rules] == ["NOT_ENROLLED"]
    assert gained.policy_version == POLICY.version


async def test_a_dry_run_goes_on_after_a_page(store_of_one: Store, clock: Clock) -> None:
    await enrol(store_of_one, COORDINATOR, CY, ONE, "mentee", clock=clock)
    clock.pass_by()
    ranks = recommender(store_of_one, clock)
    first = await try_policy(ranks, COORDINATOR, ONE, MEMBERS, first=1)
    second = await try_policy(ranks, COORDINATOR, ONE, MEMBERS, first=1, after=first.mentees[0])
    assert (first.has_next, second.has_next) == (True, False)
    assert sorted([*first.mentees, *second.mentees]) == sorted([BO, CY])


async def test_a_copy_of_a_programme_has_its_policy(store_of_one: Store, clock: Clock) -> None:
    plain = config_hash((await store_of_one.read_programmes([ONE]))[ONE], clock.now)
    await told(store_of_one, clock, MEMBERS)
    clock.pass_by()
    copy = await clone_programme(store_of_one, COORDINATOR, ONE, {"name": "Next"}, clock=clock)
    assert (await policy_of(store_of_one, copy, POLICY, now=clock.now)).draft == MEMBERS
    found = await store_of_one.read_programmes([ONE, copy])
    hashes = {config_hash(each, clock.now) for each in found.values()}
    assert len(hashes) == 1
    assert hashes != {plain}


# --- requests ---------------------------------------------------------------------------------------------------------


async def test_a_request_is_judged_by_the_policy_of_its_programme(store_of_one: Store, clock: Clock) -> None:
    await told(store_of_one, clock, MEMBERS)
    clock.pass_by()
    assert await refused(store_of_one, ask(store_of_one, clock, BEN)) == "NOT_ALLOWED"
    assert await refused(store_of_one, ask(store_of_one, clock, BEN, programme_id=ONE)) == "NOT_ALLOWED"
    request = await ask(store_of_one, clock, BEN, programme_id=TWO)
    await pairing.move_request(store_of_one, COORDINATOR, request, "withdrawn", POLICY, clock=clock)
    request = await ask(store_of_one, clock, ADA)
    matter = await store_of_one.read_request(request, clock.now)
    assert matter is not None
    assert matter.record.links["programme"] == ONE


async def test_who_declined_is_not_proposed_until_the_cool_off_is_over_or_the_goal_is_another(
    filled: Store, clock: Clock
) -> None:
    request = await ask(filled, clock)
    clock.pass_by(DAY)
    await pairing.move_request(filled, viewer("ada"), request, "declined", POLICY, reason="not_my_field", clock=clock)
    assert await mentors(filled, clock) == {"ben"}
    [blocker] = (await why(filled, clock, ADA)).blockers
    assert (blocker.rule, blocker.fact) == ("DECLINED_BEFORE", "this pair was declined for this goal on 2026-03-02")
    assert await refused(filled, ask(filled, clock)) == "NOT_ALLOWED"
    row = {"id": "other", "person_id": BO, "title": "Lead", "created_on": START}
    await filled.write(facts_of("goals", row, "test"))
    assert await mentors(filled, clock) == {"ada", "ben"}  # the latest goal is the other one
    clock.pass_by(90 * DAY)
    assert await why(filled, clock, ADA, goal=uid("goals", "of bo")) == await why(
        filled, clock, ADA, goal=uid("goals", "of bo")
    )
    assert (await why(filled, clock, ADA, goal=uid("goals", "of bo"))).blockers == ()


async def test_a_short_question_takes_no_place(filled: Store, clock: Clock) -> None:
    row = {"id": "short", "name": "Short", "format": "micro", "since": "2026-02-01"}
    short = uid("programmes", "short")
    await filled.write(facts_of("programmes", row, "test"))
    pair = {"mentor_id": ADA, "mentee_id": CY, "started_on": START, "status": "active"}
    for number, programme in enumerate(["", "", short, short]):
        told = {**pair, "id": f"p{number}", **({"programme_id": programme} if programme else {})}
        await filled.write(facts_of("pairings", told, "test"))
    clock.pass_by()
    assert (await why(filled, clock, ADA)).blockers == ()
    await filled.write(facts_of("pairings", {**pair, "id": "p5"}, "test"))
    [blocker] = (await why(filled, clock, ADA)).blockers
    assert (blocker.rule, blocker.fact) == ("NO_CAPACITY", "3 of 3 places are taken")
    assert (await why(filled, clock, ADA, programme=short)).blockers == ()


# --- why not ----------------------------------------------------------------------------------------------------------


async def test_whoever_is_allowed_has_a_rank_and_a_gap_that_adds_up(filled: Store, clock: Clock) -> None:
    skill = {"person_id": BO, "skill_id": uid("skills", "go"), "stance": "wants", "since": START}
    await filled.write(facts_of("person_skills", skill, "test"))
    clock.pass_by()
    best, last = await why(filled, clock, ADA, first=1), await why(filled, clock, BEN, first=1)
    assert (best.verdict, best.rank, best.last_shown, best.gap) == ("recommended", 1, "", ())
    assert (last.verdict, last.rank, last.last_shown) == ("ranked_lower", 2, ADA)
    assert sum(each.missing for each in last.gap) == pytest.approx(best.score - last.score, abs=1e-9)
    assert {each.signal: each.missing for each in last.gap}["skills"] == pytest.approx(2.0)
    assert (await why(filled, clock, BEN, first=2)).verdict == "recommended"


async def test_what_is_unknown_is_said_and_forbids_nobody(filled: Store, clock: Clock) -> None:
    found = await why(filled, clock, ADA)
    assert (found.blockers, found.rank) == ((), 1)
    assert {each.rule: each.fact for each in found.unjudged} == {
        "FEW_HOURS": "the mentor has not said how many hours a month they give",
        "NO_HOURS": "the mentor has no budget of hours",
        "NO_SHARED_TIME": "not both have said when they are free",
        "NO_LANGUAGE": "not both have said which languages they speak",
    }


async def test_participants_learn_only_that_the_pair_cannot_be_made(store_of_one: Store, clock: Clock) -> None:
    await told(store_of_one, clock, MEMBERS)
    clock.pass_by()
    bo = replace(viewer("bo"), programmes=frozenset({ONE, TWO}))
    found = await why(store_of_one, clock, BEN, bo)
    assert (found.verdict, [each.rule for each in found.blockers], found.unjudged) == (
        "forbidden",
        ["NOT_AVAILABLE"],
        (),
    )
    assert (await why(store_of_one, clock, ADA, bo)).verdict == "recommended"
    for mentor, by in ((BEN, viewer("cy")), (BEN, viewer("ben"))):
        assert await refused(store_of_one, why(store_of_one, clock, mentor, by)) == "FORBIDDEN"
    assert await refused(store_of_one, why(store_of_one, clock, CY, bo)) == "NOT_FOUND"
    assert await refused(store_of_one, why(store_of_one, clock, ADA, programme=uid("programmes", "x"))) == "NOT_FOUND"
    assert await refused(store_of_one, why(store_of_one, clock, ADA, first=0)) == "BAD_USER_INPUT"


async def test_coordinators_are_told_why_a_mentee_has_no_list(filled: Store, clock: Clock) -> None:
    new = {"id": "eve", "name": "Eve", "joined_on": "2026-01-01"}
    await filled.write(facts_of("people", new, "test"))
    eve = uid("people", "eve")
    found = await why_not(recommender(filled, clock), COORDINATOR, eve, ADA)
    assert (found.verdict, [each.rule for each in found.blockers]) == ("forbidden", ["MENTEE_NO_CONSENT"])
    own = why_not(recommender(filled, clock), Viewer(eve), eve, ADA)
    assert await refused(filled, own) == "CONSENT_REQUIRED"
