"""Lists of mentors over GraphQL: what can be asked for, what is answered, what is refused, who sees propensities."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mentorgraph.api.examples import askers_in
from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.replay import replay
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import Exploration
from mentorgraph.graph.store.store import Store

from .conftest import Api, connected
from .pages import DOCS, play

UNKNOWN = "00000000-0000-5000-8000-000000000000"
LIST = """
query ($mentee: ID!, $first: Int, $after: String, $filter: RecommendationFilter, $exclude: [ID!],
       $ignore: [SignalName!], $days: Int, $mix: RecommendationMix, $diversity: Float, $wish: IdentityWish) {
  recommendMentors(menteeId: $mentee, first: $first, after: $after, filter: $filter, exclude: $exclude,
                   ignoreSignals: $ignore, horizonDays: $days, mix: $mix, diversity: $diversity, wish: $wish) {
    slateId notice mixShortfall { experts crossFunctional }
    edges { cursor node {
      id rank score base availableFrom liftedBy explored propensity mentor { id } signals { name contribution }
    } }
  }
}
"""
NODE = "query ($id: ID!) { node(id: $id) { ... on Recommendation { rank liftedBy explored propensity } } }"


@pytest.fixture(scope="module")
def mentee(api: Api, server: EmbeddedDatabase) -> str:
    """Global id of a mentee to whom many mentors can be recommended, but no more than one page."""

    async def find() -> list[str]:
        async with connected(server) as database:
            return [each.person for each in await askers_in(Store(database))]

    def allowed(person: str) -> int:
        answer = api.ask(LIST, mentee=person, first=100)
        found = len(answer["data"]["recommendMentors"]["edges"]) if "errors" not in answer else 0
        return found if found < 100 else 0

    return max(asyncio.run(find()), key=allowed)


def listed(api: Api, mentee: str, viewer: str = "", **options: object) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = api.data(LIST, viewer=viewer, mentee=mentee, **options)["recommendMentors"]
    return found, [edge["node"] for edge in found["edges"]]


def test_what_is_excluded_or_ignored_is_not_there_and_scores_add_up(api: Api, mentee: str) -> None:
    _, whole = listed(api, mentee, first=100)
    _, found = listed(api, mentee, first=100, exclude=[whole[0]["mentor"]["id"]], ignore=["LOAD", "NETWORK"])
    assert {each["mentor"]["id"] for each in found} == {each["mentor"]["id"] for each in whole[1:]}
    for each in found:
        names = [signal["name"] for signal in each["signals"]]
        assert "load" not in names
        assert len(names) == len(whole[0]["signals"]) - 1
        total = each["base"] + sum(signal["contribution"] for signal in each["signals"])
        assert each["score"] == pytest.approx(total, abs=1e-6)
    assert listed(api, mentee, first=100)[1] == whole


def test_enums_reach_the_domain(api: Api, mentee: str) -> None:
    asked = {"format": "PEER", "seniority": "NEAR_PEER"}
    answer, found = listed(api, mentee, filter=asked)
    assert found == []  # nobody of this world has a profile
    assert (
        "0 take part in the format peer, 0 stand to the mentee (whose years of experience are not known)"
        in answer["notice"]
    )


def test_filters_and_null_filters(api: Api, mentee: str) -> None:
    whole = listed(api, mentee, first=100)[1]
    assert listed(api, mentee, first=100, filter={"language": None, "isNew": None}, mix={}, exclude=[])[1] == whole
    new, old = (listed(api, mentee, first=100, filter={"isNew": each})[1] for each in (True, False))
    assert {each["mentor"]["id"] for each in [*new, *old]} == {each["mentor"]["id"] for each in whole}
    assert old
    nobody, found = listed(api, mentee, filter={"language": "tlh"})
    assert found == []
    assert "0 speak tlh" in nobody["notice"]
    count = 'query ($mentee: ID!) { recommendMentors(menteeId: $mentee, filter: { language: "tlh" }) { totalCount } }'
    assert api.data(count, mentee=mentee) == {"recommendMentors": {"totalCount": 0}}


def test_a_mix_says_whom_it_lifts_and_what_it_lacks(api: Api, mentee: str) -> None:
    answer, found = listed(api, mentee, first=4, mix={"experts": 4, "crossFunctional": 4})
    by_score = [each["mentor"]["id"] for each in listed(api, mentee, first=100)[1]]
    for each in found:
        assert (each["liftedBy"] == "MIX") == (by_score.index(each["mentor"]["id"]) + 1 > each["rank"])
    assert answer["mixShortfall"] is None or set(answer["mixShortfall"]) == {"experts", "crossFunctional"}
    most = listed(api, mentee, first=1, mix={"experts": 50})[0]["mixShortfall"]
    assert most["experts"] >= 49


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"filter": {"minLevel": 3}}, ("BAD_USER_INPUT", "filter.minLevel")),
        ({"filter": {"skillId": "x"}}, ("BAD_USER_INPUT", "filter.skillId")),
        ({"filter": {"skillId": global_id("Person", UNKNOWN)}}, ("BAD_USER_INPUT", "filter.skillId")),
        ({"filter": {"skillId": global_id("Skill", UNKNOWN)}}, ("NOT_FOUND", "filter.skillId")),
        ({"filter": {"unitId": global_id("OrganisationUnit", UNKNOWN)}}, ("NOT_FOUND", "filter.unitId")),
        ({"filter": {"tierId": global_id("Tier", UNKNOWN)}}, ("NOT_FOUND", "filter.tierId")),
        ({"exclude": [global_id("Person", UNKNOWN)]}, ("NOT_FOUND", "exclude")),
        ({"exclude": ["x"]}, ("BAD_USER_INPUT", "exclude")),
        ({"days": 181}, ("BAD_USER_INPUT", "horizonDays")),
        ({"mix": {"experts": -1}}, ("BAD_USER_INPUT", "mix.experts")),
        ({"diversity": 1.5}, ("BAD_USER_INPUT", "diversity")),
        ({"wish": {"attribute": "GENDER", "value": " "}}, ("BAD_USER_INPUT", "wish.value")),
        ({"wish": {"attribute": "FAITH", "value": "nobody's"}}, ("CONSENT_REQUIRED", "wish")),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_argument(
    api: Api, mentee: str, options: dict[str, Any], refusal: tuple[str, str]
) -> None:
    assert api.refusal(LIST, mentee=mentee, **options) == refusal


def test_a_cursor_of_another_list_is_refused_and_pages_go_on(api: Api, mentee: str) -> None:
    first, found = listed(api, mentee, first=3, diversity=0.9)
    cursor = first["edges"][-1]["cursor"]
    later, rest = listed(api, mentee, first=100, diversity=0.9, after=cursor)
    assert later["slateId"] == first["slateId"]
    assert [each["rank"] for each in rest] == list(range(4, len(rest) + 4))
    everybody = {each["mentor"]["id"] for each in listed(api, mentee, first=100)[1]}
    assert sorted(each["mentor"]["id"] for each in [*found, *rest]) == sorted(everybody)
    assert api.refusal(LIST, mentee=mentee, diversity=0.8, after=cursor) == ("BAD_USER_INPUT", "after")
    assert api.refusal(LIST, mentee=mentee, after=cursor) == ("BAD_USER_INPUT", "after")


@pytest.fixture
def exploring(api: Api) -> Iterator[None]:
    """The application with a policy that explores."""
    recommender = api.service.recommender
    before = recommender.scorer
    policy = replace(before.policy, version="exploring@1", exploration=Exploration(0.5, 12.0))
    recommender.scorer = RulesScorer(policy)
    yield
    recommender.scorer = before


def test_coordinators_see_propensities_and_participants_that_a_place_was_explored(
    api: Api, mentee: str, exploring: None
) -> None:
    _, seen = listed(api, mentee, first=4)
    _, own = listed(api, mentee, first=4, viewer=mentee)
    assert [each["mentor"] for each in seen] == [each["mentor"] for each in own]
    assert [each["explored"] for each in seen] == [each["explored"] for each in own]
    assert {each["propensity"] for each in own} == {None}
    for each in seen:
        assert each["explored"] == (each["liftedBy"] == "EXPLORATION")
        node = api.data(NODE, id=each["id"])["node"]
        assert node == {name: each[name] for name in ("rank", "liftedBy", "explored", "propensity")}
        assert api.data(NODE, viewer=mentee, id=each["id"])["node"]["propensity"] is None
    kept = [each for each in answers_in(api) if each.policy_version == "exploring@1"]
    assert [each.recommendation.propensity for each in kept[0].recommended] == [each["propensity"] for each in seen]
    policies = api.decisions.records.policies()
    assert [each.what for each in replay(kept[0], policies) if "policy recorded as" not in each.what] == []


async def declare(server: EmbeddedDatabase, mentor: str, value: str) -> None:
    _, person = read_global_id(mentor)
    row = {"person_id": person, "attribute": "gender", "value": value, "text_version": "1", "since": "2026-01-01"}
    async with connected(server) as database:
        await Store(database).write(facts_of("identities", row, "test"))


def test_the_page_of_lists_works(api: Api, mentee: str, server: EmbeddedDatabase) -> None:
    columns = api.service.recommender.columns
    values = {
        "mentee": mentee,
        "skill": global_id("Skill", columns.skills.uids[0]),
        "unit": global_id("OrganisationUnit", columns.numberings["units"].uids[0]),
        "mentor": listed(api, mentee)[1][0]["mentor"]["id"],
    }
    asyncio.run(declare(server, values["mentor"], "Woman"))
    answers = play(api, DOCS / "recommendations.md", values)
    shared = [edge["node"] for edge in answers["Shared"]["recommendMentors"]["edges"]]
    told = {node["mentor"]["id"]: [one for one in node["signals"] if one["source"]] for node in shared}
    assert {
        mentor: [(one["name"], one["source"]) for one in signals] for mentor, signals in told.items() if signals
    } == {values["mentor"]: [("shared_identity", "your request")]}
    left = answers["Without"]["recommendMentors"]["edges"]
    assert values["mentor"] not in [edge["node"]["mentor"]["id"] for edge in left]
    assert {signal["name"] for edge in left for signal in edge["node"]["signals"]}.isdisjoint({"load", "pace"})
    assert len(answers["Mixed"]["recommendMentors"]["edges"]) == 5
    served = answers["WhomCouldIHelp"]["recommendMentees"]
    assert served["edges"]
    assert served["totalCount"] >= len(served["edges"])


def answers_in(api: Api) -> list[Decision]:
    return [each for each in api.decisions.records.all() if isinstance(each, Decision)]


MENTEES = """
query ($mentor: ID!, $first: Int, $after: String) {
  recommendMentees(mentorId: $mentor, first: $first, after: $after) {
    slateId totalCount notice edges { cursor node {
      recommendationId rank score cautions mentee { id name } goal { id title } sentences(language: DE)
      paths { steps { node { id } label count } }
    } }
  }
}
"""


def test_a_mentor_finds_the_goals_in_whose_lists_they_stand(api: Api, mentee: str) -> None:
    mentor = listed(api, mentee)[1][0]["mentor"]["id"]
    found = api.data(MENTEES, mentor=mentor, first=100)["recommendMentees"]
    assert api.statements.count("read_changes") == api.statements.count("read_edges") == 1
    scores = [edge["node"]["score"] for edge in found["edges"]]
    assert scores == sorted(scores, reverse=True)
    [own] = [edge["node"] for edge in found["edges"] if edge["node"]["mentee"]["id"] == mentee][:1]
    lists = [each["score"] for each in listed(api, mentee, first=100)[1] if each["mentor"]["id"] == mentor]
    assert own["score"] in [pytest.approx(each, abs=1e-9) for each in lists]
    rest = api.data(MENTEES, mentor=mentor, first=100, after=found["edges"][0]["cursor"])["recommendMentees"]
    assert [edge["node"]["rank"] for edge in rest["edges"]] == [edge["node"]["rank"] for edge in found["edges"][1:]]
    assert api.data(MENTEES, viewer=mentor, mentor=mentor)["recommendMentees"]["totalCount"] == found["totalCount"]
    assert api.refusal(MENTEES, viewer=mentee, mentor=mentor) == ("FORBIDDEN", None)
    assert api.refusal(MENTEES, mentor=global_id("Person", UNKNOWN)) == ("NOT_FOUND", "mentorId")
    assert api.refusal(MENTEES, mentor=own["goal"]["id"]) == ("BAD_USER_INPUT", "mentorId")
    assert api.refusal(MENTEES, mentor=mentor, after="x") == ("BAD_USER_INPUT", "after")


KEPT_PAIR = """
query ($id: ID!) {
  explainRecommendation(recommendationId: $id) { score answeredAt sentences(language: DE) mentor { id } }
  node(id: $id) { ... on Recommendation { rank score mentor { id } } }
  decision(recommendationId: $id) {
    mentee { id } goal { id title } changes { what }
    today { mentors { isIn rankThen rankNow scoreThen scoreNow mentor { id } mentee { id } goal { title } } }
  }
}
"""


def test_a_pair_of_a_mentors_list_can_be_asked_about_again(api: Api, mentee: str) -> None:
    mentor = listed(api, mentee)[1][0]["mentor"]["id"]
    found = [edge["node"] for edge in api.data(MENTEES, mentor=mentor, first=3)["recommendMentees"]["edges"]]
    first = found[0]
    told = api.data(KEPT_PAIR, id=first["recommendationId"])
    explained, decision = told["explainRecommendation"], told["decision"]
    assert told["node"] == {"rank": 1, "score": first["score"], "mentor": {"id": mentor}}
    assert (explained["score"], explained["sentences"]) == (first["score"], first["sentences"])
    assert (decision["mentee"]["id"], decision["goal"]) == (first["mentee"]["id"], first["goal"])
    assert decision["changes"] == []
    assert [(each["goal"]["title"], each["rankThen"], each["isIn"]) for each in decision["today"]["mentors"]] == [
        (each["goal"]["title"], each["rank"], True) for each in found
    ]
    assert api.data(KEPT_PAIR, viewer=mentor, id=first["recommendationId"])["decision"]["goal"] == first["goal"]
    refused = api.ask(KEPT_PAIR, viewer=first["mentee"]["id"], id=first["recommendationId"])
    assert refused["data"] == {"explainRecommendation": None, "node": None, "decision": None}
    page = api.client.get(f"/why/{first['recommendationId']}?now=1&language=de")
    assert page.status_code == 200
    assert all(each["goal"]["title"] in page.text for each in found)
