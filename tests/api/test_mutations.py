"""What can be told: facts that the next question knows, and refusals that name the field to mend."""

import asyncio
from itertools import count
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, get_named_type

from mentorgraph.api.ids import global_id
from mentorgraph.api.schema import schema
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.store.store import Store

from .conftest import Api, connected

UNKNOWN = "00000000-0000-5000-8000-000000000000"
REGISTER = """
mutation ($input: RegisterPersonInput!) {
  told: registerPerson(input: $input) { person { id name zone roles joinedAt } userErrors { message field code } }
}
"""
CREATE_GOAL = """
mutation ($input: CreateGoalInput!) {
  told: createGoal(input: $input) { goal { id title person { id } } userErrors { message field code } }
}
"""
SET_AVAILABILITY = """
mutation ($input: SetAvailabilityInput!) {
  told: setAvailability(input: $input) { person { id } userErrors { message field code } }
}
"""
RECORD_CONSENT = """
mutation ($input: RecordConsentInput!) {
  told: recordConsent(input: $input) { person { id } userErrors { message field code } }
}
"""
MENTORS = """
query ($id: ID!) { recommendMentors(menteeId: $id) { edges { node { mentor { id } signals { name value } } } notice } }
"""
names = (f"Person {number}" for number in count(1))


def told(api: Api, mutation: str, viewer: str = "", **input: Any) -> dict[str, Any]:
    """The payload of a mutation."""
    payload: dict[str, Any] = api.data(mutation, viewer=viewer, input=input)["told"]
    assert (payload.get("person") or payload.get("goal") is not None) or payload["userErrors"]
    return payload


def person(api: Api, *roles: str, **input: Any) -> str:
    """The id of somebody new, who has agreed to be matched."""
    given = {"name": next(names), "roles": roles, "consents": ["MATCHING"], "consentTextVersion": "1", **input}
    payload = told(api, REGISTER, **given)
    assert payload["userErrors"] == []
    return str(payload["person"]["id"])


def refused(api: Api, mutation: str, viewer: str = "", **input: Any) -> list[tuple[str, str]]:
    """Code and field of each user error; nothing was recorded, and each field exists in the input."""
    before = counted(api)
    payload = told(api, mutation, viewer, **input)
    assert payload["userErrors"]
    assert not payload.get("person")
    assert not payload.get("goal")
    assert counted(api) == before
    field = mutation.split("told: ")[1].split("(")[0]
    assert schema.mutation_type is not None
    of_input = schema.mutation_type.fields[field].args["input"].type
    for error in payload["userErrors"]:
        assert error["message"][-1] != "."
        assert leads_somewhere(of_input, error["field"][1:]), error
    return [(error["code"], ".".join(error["field"])) for error in payload["userErrors"]]


def leads_somewhere(of_input: Any, path: list[str]) -> bool:
    """Whether a path of fields and places in lists exists in an input type."""
    for part in path:
        if part.isdigit():
            continue
        named = get_named_type(of_input)
        if not isinstance(named, GraphQLInputObjectType) or part not in named.fields:
            return False
        of_input = named.fields[part].type
    return True


def counted(api: Api) -> int:
    """How many changes the graph has seen."""
    assert api.client.portal is not None
    return api.client.portal.call(changes, api)


async def changes(api: Api) -> int:
    """The number of the last change, asked within the application's own loop."""
    return (await api.service.recommender.store.read_changes()).last


@pytest.fixture(scope="module")
def skill(empty_api: Api, server: EmbeddedDatabase) -> str:
    """The id of a skill in the graph."""

    async def write() -> str:
        async with connected(server) as database:
            [fact] = facts_of("skills", {"id": "s1", "name": "welding"}, "test")
            await Store(database).write([fact])
            return fact.uid

    return global_id("Skill", asyncio.run(write()))


# --- what is recorded -------------------------------------------------------------------------------------------------


def test_an_empty_graph_is_answered_with_empty_lists(empty_api: Api) -> None:
    query = "{ skills { edges { cursor } pageInfo { hasNextPage endCursor } } goals { edges { cursor } } }"
    empty: dict[str, Any] = {"edges": []}
    assert empty_api.data(query) == {
        "skills": {**empty, "pageInfo": {"hasNextPage": False, "endCursor": None}},
        "goals": empty,
    }
    alone = person(empty_api, "MENTEE")
    assert empty_api.data(MENTORS, id=alone)["recommendMentors"]["edges"] == []


def test_whoever_registers_is_known_to_the_next_question(empty_api: Api, skill: str) -> None:
    mentee = person(empty_api, "MENTEE", wants=[{"skillId": skill, "level": 3}])
    mentor = person(empty_api, "MENTOR", "MENTEE", offers=[{"skillId": skill, "level": 4}], zone="Europe/Lisbon")
    found = empty_api.data("query ($id: ID!) { person(id: $id) { zone roles } }", id=mentor)["person"]
    assert found == {"zone": "Europe/Lisbon", "roles": ["MENTEE", "MENTOR"]}
    assert mentors(empty_api, mentee)[mentor]["skills"] == 1.0
    assert mentee not in mentors(empty_api, mentee)


def mentors(api: Api, mentee: str) -> dict[str, dict[str, float]]:
    """Who is recommended to somebody, with their signals."""
    edges = api.data(MENTORS, id=mentee)["recommendMentors"]["edges"]
    return {
        edge["node"]["mentor"]["id"]: {each["name"]: each["value"] for each in edge["node"]["signals"]}
        for edge in edges
    }


def test_a_goal_is_the_latest_one_asked_about(empty_api: Api, skill: str) -> None:
    mentee, mentor = person(empty_api, "MENTEE"), person(empty_api, "MENTOR", offers=[{"skillId": skill, "level": 5}])
    assert mentors(empty_api, mentee)[mentor]["skills"] == 0.0
    goal = told(empty_api, CREATE_GOAL, mentee, personId=mentee, title="Weld a gate", needs=[{"skillId": skill}])[
        "goal"
    ]
    assert (goal["title"], goal["person"]["id"]) == ("Weld a gate", mentee)
    assert mentors(empty_api, mentee)[mentor]["skills"] == 1.0


def test_availability_takes_the_place_of_what_was_known(empty_api: Api) -> None:
    mentee, mentor = person(empty_api, "MENTEE"), person(empty_api, "MENTOR")
    morning, evening = (
        {"weekday": 2, "start": start, "end": end} for start, end in (("09:00", "11:00"), ("18:00", "20:00"))
    )
    for who in (mentee, mentor):
        assert told(empty_api, SET_AVAILABILITY, who, personId=who, zone="Asia/Tokyo", windows=[morning])["person"]
    assert mentors(empty_api, mentee)[mentor]["time_overlap"] == 2.0
    told(empty_api, SET_AVAILABILITY, personId=mentor, zone="Asia/Tokyo", windows=[evening])
    assert mentor not in mentors(empty_api, mentee)
    told(empty_api, SET_AVAILABILITY, personId=mentor, zone="Asia/Tokyo", windows=[])
    assert mentors(empty_api, mentee)[mentor]["time_overlap"] is None


def test_consent_is_given_and_withdrawn(empty_api: Api) -> None:
    mentee, mentor = person(empty_api, "MENTEE"), person(empty_api, "MENTOR")
    consent: dict[str, Any] = {"personId": mentor, "purpose": "MATCHING", "textVersion": "1"}
    for granted in (True, False, True):
        assert told(empty_api, RECORD_CONSENT, mentor, **consent, granted=granted)["userErrors"] == []
        assert (mentor in mentors(empty_api, mentee)) == granted
    told(empty_api, RECORD_CONSENT, personId=mentee, purpose="MATCHING", textVersion="1", granted=False)
    assert empty_api.refusal(MENTORS, id=mentee) == ("CONSENT_REQUIRED", "menteeId")


def test_telling_the_same_under_one_external_id_changes_nothing(empty_api: Api, skill: str) -> None:
    input: dict[str, Any] = {
        "name": "Ada",
        "roles": ["MENTOR"],
        "externalId": "hr-17",
        "source": "hr",
        "offers": [{"skillId": skill, "level": 2}],
        "consents": ["MATCHING"],
        "consentTextVersion": "1",
    }
    first = told(empty_api, REGISTER, **input)["person"]
    before = counted(empty_api)
    assert told(empty_api, REGISTER, **input)["person"] == first
    goal: dict[str, Any] = {
        "personId": first["id"],
        "title": "Lead",
        "externalId": "goal-1",
        "needs": [{"skillId": skill}],
    }
    assert counted(empty_api) == before
    told_first = told(empty_api, CREATE_GOAL, **goal)["goal"]
    after = counted(empty_api)
    assert told(empty_api, CREATE_GOAL, **goal)["goal"] == told_first
    assert (counted(empty_api), after > before) == (after, True)
    assert told(empty_api, REGISTER, **{**input, "name": "Ada L."})["person"]["name"] == "Ada L."
    assert counted(empty_api) > after
    assert told(empty_api, REGISTER, **{**input, "source": "other"})["person"]["id"] != first["id"]


# --- what is refused --------------------------------------------------------------------------------------------------

DAY = {"weekday": 1, "start": "09:00", "end": "11:00"}


@pytest.mark.parametrize(
    ("input", "field"),
    [
        pytest.param({"zone": "Mars/Base"}, "zone", id="zone"),
        pytest.param({"name": " "}, "name", id="no name"),
        pytest.param({"name": "x" * 201}, "name", id="long name"),
        pytest.param({"joinedAt": "2501-01-01"}, None, id="year"),
        pytest.param({"externalId": UNKNOWN}, "externalId", id="our own uid as key"),
        pytest.param({"source": "x" * 101}, "source", id="long source"),
        pytest.param({"consents": ["MATCHING"]}, "consentTextVersion", id="consent to no text"),
        pytest.param({"offers": [{"skillId": "nonsense"}]}, "offers.0.skillId", id="malformed skill"),
        pytest.param({"wants": [{"skillId": global_id("Goal", UNKNOWN)}]}, "wants.0.skillId", id="id of another kind"),
        pytest.param({"offers": [{"skillId": "SKILL", "level": 6}]}, "offers.0.level", id="level"),
        pytest.param({"wants": [{"skillId": "SKILL"}, {"skillId": "SKILL", "level": 0}]}, "wants.1.level", id="second"),
    ],
)
def test_bad_input_of_a_person_is_named(empty_api: Api, skill: str, input: dict[str, Any], field: str | None) -> None:
    for lists in ("offers", "wants"):
        for each in input.get(lists, []):
            if each["skillId"] == "SKILL":
                each["skillId"] = skill
    whole = {"name": "Bo", "roles": ["MENTOR"], **input}
    if field is None:  # a scalar refuses it before the mutation begins
        assert empty_api.ask(REGISTER, input=whole)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    else:
        assert refused(empty_api, REGISTER, **whole) == [("BAD_USER_INPUT", f"input.{field}")]


def test_every_bad_value_is_named_at_once(empty_api: Api) -> None:
    found = refused(empty_api, REGISTER, name="", roles=["MENTOR"], zone="Nowhere")
    assert found == [("BAD_USER_INPUT", "input.name"), ("BAD_USER_INPUT", "input.zone")]


def test_a_skill_that_does_not_exist_is_not_found(empty_api: Api, skill: str) -> None:
    unknown = [{"skillId": global_id("Skill", UNKNOWN)}]
    assert refused(empty_api, REGISTER, name="Bo", roles=["MENTOR"], offers=unknown) == [("NOT_FOUND", "input")]
    mentee = person(empty_api, "MENTEE")
    assert refused(empty_api, CREATE_GOAL, personId=mentee, title="T", needs=unknown) == [("NOT_FOUND", "input")]


@pytest.mark.parametrize(
    ("windows", "field"),
    [
        pytest.param([DAY, DAY], "windows.1", id="double"),
        pytest.param([DAY, {**DAY, "start": "10:30", "end": "12:00"}], "windows.1", id="overlap"),
        pytest.param([{**DAY, "start": "08:00", "end": "12:00"}, DAY], "windows.1", id="one in the other"),
        pytest.param([{**DAY, "start": "12:00"}], "windows.0.end", id="end before start"),
        pytest.param([{**DAY, "start": "11:00"}], "windows.0.end", id="no time at all"),
        pytest.param([DAY, {**DAY, "weekday": 8}], "windows.1.weekday", id="weekday"),
        pytest.param([{**DAY, "start": "9"}], "windows.0.start", id="no time"),
        pytest.param([{**DAY, "start": "09:03"}], "windows.0.start", id="not in steps"),
        pytest.param([{**DAY, "end": "25:00"}], "windows.0.end", id="hour"),
    ],
)
def test_bad_windows_are_named(empty_api: Api, windows: list[dict[str, object]], field: str) -> None:
    who = person(empty_api, "MENTOR")
    found = refused(empty_api, SET_AVAILABILITY, personId=who, zone="Europe/Oslo", windows=windows)
    assert found == [("BAD_USER_INPUT", f"input.{field}")]


def test_windows_that_only_touch_or_stand_on_other_days_are_taken(empty_api: Api) -> None:
    who = person(empty_api, "MENTOR")
    windows = [DAY, {**DAY, "start": "11:00", "end": "24:00"}, {**DAY, "weekday": 2}]
    assert told(empty_api, SET_AVAILABILITY, personId=who, zone="Europe/Oslo", windows=windows)["userErrors"] == []
    found = refused(empty_api, SET_AVAILABILITY, personId=who, zone="Oslo", windows=windows)
    assert found == [("BAD_USER_INPUT", "input.zone")]


def test_a_person_who_does_not_exist_is_not_found(empty_api: Api) -> None:
    nobody = global_id("Person", UNKNOWN)
    found = [("NOT_FOUND", "input.personId")]
    assert refused(empty_api, SET_AVAILABILITY, personId=nobody, zone="UTC", windows=[]) == found
    consent: dict[str, Any] = {"purpose": "TRAINING", "granted": True, "textVersion": "1"}
    assert refused(empty_api, RECORD_CONSENT, personId=nobody, **consent) == found
    assert refused(empty_api, CREATE_GOAL, personId=nobody, title="T")[0][0] == "NOT_FOUND"
    for mutation, further in ((CREATE_GOAL, {"title": "T"}), (RECORD_CONSENT, consent)):
        assert refused(empty_api, mutation, personId="x", **further) == [("BAD_USER_INPUT", "input.personId")]


def test_goals_and_consents_need_their_texts(empty_api: Api) -> None:
    who = person(empty_api, "MENTEE")
    assert refused(empty_api, CREATE_GOAL, personId=who, title="") == [("BAD_USER_INPUT", "input.title")]
    bad_unit = refused(empty_api, CREATE_GOAL, personId=who, title="T", unitId=who)
    assert bad_unit == [("BAD_USER_INPUT", "input.unitId")]
    consent: dict[str, Any] = {"personId": who, "purpose": "STORIES", "granted": True, "textVersion": ""}
    assert refused(empty_api, RECORD_CONSENT, **consent) == [("BAD_USER_INPUT", "input.textVersion")]


def test_participants_speak_for_themselves_only(empty_api: Api) -> None:
    own, other = person(empty_api, "MENTOR"), person(empty_api, "MENTOR")
    consent: dict[str, Any] = {"purpose": "TRAINING", "granted": True, "textVersion": "1"}
    for mutation, input in (
        (CREATE_GOAL, {"title": "T"}),
        (SET_AVAILABILITY, {"zone": "UTC", "windows": []}),
        (RECORD_CONSENT, consent),
    ):
        assert refused(empty_api, mutation, own, personId=other, **input) == [("FORBIDDEN", "input.personId")]
        assert told(empty_api, mutation, own, personId=own, **input)["userErrors"] == []
    assert refused(empty_api, REGISTER, own, name="Cy", roles=["MENTEE"]) == [("FORBIDDEN", "input")]


def test_one_external_id_is_one_goal_of_one_person(empty_api: Api) -> None:
    first, second = person(empty_api, "MENTEE"), person(empty_api, "MENTEE")
    goal: dict[str, Any] = {"title": "T", "externalId": "shared-key"}
    assert told(empty_api, CREATE_GOAL, personId=first, **goal)["userErrors"] == []
    assert refused(empty_api, CREATE_GOAL, personId=second, **goal) == [("CONFLICT", "input")]
    assert told(empty_api, CREATE_GOAL, personId=second, **goal, source="other")["userErrors"] == []


def test_a_field_that_the_input_does_not_have_is_noticed() -> None:
    of_input = schema.type_map["SetAvailabilityInput"]
    assert leads_somewhere(of_input, ["windows", "0", "weekday"])
    assert not leads_somewhere(of_input, ["windows", "0", "zone"])
    assert not leads_somewhere(of_input, ["weekday"])
