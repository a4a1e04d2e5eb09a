"""Overrides and kept answers over GraphQL: who may decide, what stands beside the model's answer, and who reads it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase

from .conftest import Api, asked, fill
from .pages import DOCS, play
from .test_pairings import ASK, ERRORS, REGISTER, UNKNOWN, code, tell

FOUND = """
  id action reason note isInForce until
  mentee { name } mentor { name } proposed { name } goal { title } by { name } request { state }
  recommendation { rank } refusals { rule } endNote
"""
OVERRIDE = f"""
mutation ($input: OverrideMatchInput!) {{ told: overrideMatch(input: $input) {{ override {{ {FOUND} }} {ERRORS} }} }}
"""
END = (
    f"mutation ($input: EndOverrideInput!) {{ told: endOverride(input: $input) {{ override {{ {FOUND} }} {ERRORS} }} }}"
)
LIST = """
query ($id: ID!, $isInForce: Boolean, $first: Int, $after: String) {
  overrides(menteeId: $id, isInForce: $isInForce, first: $first, after: $after) {
    edges { node { action mentor { name } isInForce } } pageInfo { hasNextPage endCursor }
  }
}
"""
MENTORS = """
query ($id: ID!, $first: Int) {
  recommendMentors(menteeId: $id, first: $first) {
    edges { node { id rank score isPinned proposed { rank score } mentor { id name } overrides { nodes { action } } } }
  }
}
"""
DECISION = """
query ($id: ID!) {
  decision(recommendationId: $id) {
    modelVersion policyVersion codeVersion mentee { name } goal { title }
    proposed { rank score mentor { name } proposed { rank score } }
    chosen { name } by { name } reason note overrides { nodes { action isInForce } }
    changes { what kind of { __typename ... on Person { name } } about at fields { name before after } }
    today {
      modelVersion policyVersion notAnswered
      mentors {
        mentor { name } rankThen rankNow scoreThen scoreNow isIn refusals { rule fact }
        signals { name valueThen valueNow contributionThen contributionNow }
      }
    }
  }
}
"""
CONSENT = f"mutation ($input: RecordConsentInput!) {{ told: recordConsent(input: $input) {{ {ERRORS} }} }}"
LEAVING = "mutation ($input: RecordLeavingInput!) { told: recordLeaving(input: $input) { userErrors { code } } }"
SKILLED = ("Ada", "Ben", "Cal")


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    """An application on a database that holds whom the tests register; those of earlier tests have left."""
    asyncio.run(fill(server, None))
    with asked(server) as asking:
        yield asking


@pytest.fixture(scope="module")
def skills(api: Api) -> list[dict[str, str]]:
    """Three skills."""
    mutation = "mutation ($input: ProposeSkillInput!) { told: proposeSkill(input: $input) { skill { id } } }"
    return [{"skillId": tell(api, mutation, name=name)["skill"]["id"]} for name in ("Go", "SQL", "CSS")]


@pytest.fixture
def people(api: Api, skills: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Three mentors of whom each offers one of the skills fewer that Bo wants, Bo, and Eve, who is somebody else."""
    found = {}
    for place, name in enumerate(SKILLED):
        given: dict[str, Any] = {"roles": ["MENTOR"], "consents": ["MATCHING"], "consentTextVersion": "1"}
        given["offers"] = skills[place:]
        found[name] = tell(api, REGISTER, name=name, **given)["person"]["id"]
    given = {"roles": ["MENTEE"], "consents": ["MATCHING"], "consentTextVersion": "1"}
    found["Bo"] = tell(api, REGISTER, name="Bo", wants=skills, **given)["person"]["id"]
    found["Eve"] = tell(api, REGISTER, name="Eve", **given)["person"]["id"]
    yield found
    for mentor in SKILLED:
        tell(api, LEAVING, personId=found[mentor], leftAt=datetime.now(UTC).isoformat())


def recommended(api: Api, id: str, viewer: str = "") -> dict[str, dict[str, Any]]:
    edges = api.data(MENTORS, viewer=viewer, id=id, first=5)["recommendMentors"]["edges"]
    return {edge["node"]["mentor"]["name"]: edge["node"] for edge in edges}


def pinned(people: dict[str, str], found: dict[str, Any], name: str, **told: Any) -> dict[str, Any]:
    given = {"action": "PIN", "reason": "ASKED_FOR", "note": "Bo asked for it.", "until": "2190-01-01"}
    return {"recommendationId": found[name]["id"], **given, **told}


def test_a_pin_comes_first_and_the_models_answer_stays_beside_it(api: Api, people: dict[str, str]) -> None:
    before = recommended(api, people["Bo"])
    assert list(before) == list(SKILLED)
    told = tell(api, OVERRIDE, **pinned(people, before, "Cal"))
    assert told["userErrors"] == []
    assert told["override"] | {"id": ""} == {
        "id": "",
        "action": "PIN",
        "reason": "ASKED_FOR",
        "note": "Bo asked for it.",
        "isInForce": True,
        "until": "2190-01-01T00:00:00Z",
        "mentee": {"name": "Bo"},
        "mentor": {"name": "Cal"},
        "proposed": {"name": "Cal"},
        "goal": None,
        "by": None,
        "request": None,
        "recommendation": {"rank": 3},
        "refusals": [],
        "endNote": None,
    }
    after = recommended(api, people["Bo"])
    assert [(name, each["rank"], each["proposed"]["rank"], each["isPinned"]) for name, each in after.items()] == [
        ("Cal", 1, 3, True),
        ("Ada", 2, 1, False),
        ("Ben", 3, 2, False),
    ]
    assert [after[name]["proposed"]["score"] for name in SKILLED] == [before[name]["score"] for name in SKILLED]
    tell(api, CONSENT, personId=people["Cal"], purpose="MATCHING", granted=False, textVersion="1")
    assert list(recommended(api, people["Bo"])) == ["Ada", "Ben"]
    again = tell(api, OVERRIDE, **pinned(people, before, "Cal"))["override"]
    assert (again["id"], again["refusals"]) == (told["override"]["id"], [{"rule": "NO_CONSENT"}])
    ended = tell(api, END, overrideId=again["id"], note="Cal does not want to.")["override"]
    assert (ended["isInForce"], ended["endNote"]) == (False, "Cal does not want to.")


def test_a_swap_asks_the_other_and_the_decision_shows_both(api: Api, people: dict[str, str]) -> None:
    found = recommended(api, people["Bo"])["Ada"]["id"]
    plain = api.data(DECISION, id=found)["decision"]
    assert (plain["chosen"], plain["reason"], plain["overrides"]["nodes"]) == (None, None, [])
    given = {"recommendationId": found, "action": "SWAP", "reason": "BALANCE", "mentorId": people["Ben"]}
    told = tell(api, OVERRIDE, note="Ada has many.", **given)["override"]
    assert (told["request"], told["mentor"], told["proposed"]) == (
        {"state": "REQUESTED"},
        {"name": "Ben"},
        {"name": "Ada"},
    )
    kept = api.data(DECISION, id=found)["decision"]
    assert kept["proposed"]["mentor"] == {"name": "Ada"}
    assert kept["proposed"]["proposed"] == {"rank": 1, "score": kept["proposed"]["score"]}
    assert (kept["chosen"], kept["by"], kept["reason"], kept["note"]) == (
        {"name": "Ben"},
        None,
        "BALANCE",
        "Ada has many.",
    )
    assert kept["overrides"]["nodes"] == [{"action": "SWAP", "isInForce": True}]
    assert [each["action"] for each in recommended(api, people["Bo"])["Ada"]["overrides"]["nodes"]] == []
    assert sorted((each["what"], each["kind"]) for each in kept["changes"]) == [
        ("BEGAN", "overrides"),
        ("BEGAN", "requests"),
    ]


def test_then_and_now_names_who_went_and_by_which_rule(api: Api, people: dict[str, str]) -> None:
    found = recommended(api, people["Bo"])["Ada"]["id"]
    same = api.data(DECISION, id=found)["decision"]
    assert same["changes"] == []
    assert [(each["rankThen"], each["rankNow"]) for each in same["today"]["mentors"]] == [(1, 1), (2, 2), (3, 3)]
    assert (same["modelVersion"], same["today"]["modelVersion"]) == ("rules", "rules")
    assert same["policyVersion"] == same["today"]["policyVersion"]
    tell(api, CONSENT, personId=people["Ada"], purpose="MATCHING", granted=False, textVersion="1")
    given: dict[str, Any] = {"roles": ["MENTOR"], "consents": ["MATCHING"], "consentTextVersion": "1"}
    dot = tell(api, REGISTER, name="Dot", **given)["person"]["id"]
    kept = api.data(DECISION, id=found)["decision"]
    [change] = kept["changes"]
    assert change["at"].endswith("Z")
    assert change | {"at": ""} == {
        "what": "ENDED",
        "kind": "consents",
        "of": {"__typename": "Person", "name": "Ada"},
        "about": [],
        "at": "",
        "fields": [
            {"name": "purpose", "before": "matching", "after": None},
            {"name": "text_version", "before": "1", "after": None},
        ],
    }
    assert [
        (
            each["mentor"]["name"],
            each["rankThen"],
            each["rankNow"],
            each["isIn"],
            [it["rule"] for it in each["refusals"]],
        )
        for each in kept["today"]["mentors"]
    ] == [
        ("Ada", 1, None, False, ["NO_CONSENT"]),
        ("Ben", 2, 1, True, []),
        ("Cal", 3, 2, True, []),
        ("Dot", None, 3, True, []),
    ]
    tell(api, LEAVING, personId=dot, leftAt=datetime.now(UTC).isoformat())
    [new] = [each for each in kept["today"]["mentors"] if each["mentor"]["name"] == "Dot"]
    assert (new["scoreThen"], new["signals"][0]["contributionThen"], new["signals"][0]["contributionNow"]) == (
        None,
        None,
        0.0,
    )


@pytest.mark.parametrize("who", ["Bo", "Ada", "Eve"])
def test_participants_neither_decide_nor_read_what_was_decided(api: Api, people: dict[str, str], who: str) -> None:
    found = recommended(api, people["Bo"])
    secret = "They are married."
    given = pinned(people, found, "Ben", action="FORBID", reason="CONFLICT_OF_INTEREST", note=secret)
    override = tell(api, OVERRIDE, **given)["override"]["id"]
    viewer = people[who]
    assert code(api, OVERRIDE, viewer, **pinned(people, found, "Cal")) == "FORBIDDEN"
    assert code(api, END, viewer, overrideId=override, note="No.") == "FORBIDDEN"
    assert api.refusal(LIST, viewer=viewer, id=people["Bo"]) == ("FORBIDDEN", None)
    assert api.data("query ($id: ID!) { node(id: $id) { id } }", viewer=viewer, id=override)["node"] is None
    if who != "Bo":
        assert api.refusal(DECISION, viewer=viewer, id=found["Ben"]["id"]) == ("NOT_FOUND", "recommendationId")
        return
    own = api.data(DECISION, viewer=viewer, id=found["Ben"]["id"])
    assert (own["decision"]["overrides"], own["decision"]["chosen"], own["decision"]["changes"]) == (None, None, [])
    refusals = [each["refusals"] for each in own["decision"]["today"]["mentors"]]
    assert refusals == [[], [{"rule": "NOT_AVAILABLE", "fact": "this pair cannot be made now"}], []]
    asked = api.ask(ASK, viewer=viewer, input={"menteeId": viewer, "mentorId": people["Ben"]})
    for answer in (own, recommended(api, viewer, viewer), asked):
        for word in (secret, "CONFLICT_OF_INTEREST", "conflict of interest", "FORBIDDEN_BY_COORDINATOR"):
            assert word not in str(answer)
    named = api.data(DECISION, id=found["Ben"]["id"])
    assert "FORBIDDEN_BY_COORDINATOR" in str(named)  # the control: the same question asked by a coordinator


def test_nothing_is_decided_without_a_reason_or_about_what_is_not_kept(api: Api, people: dict[str, str]) -> None:
    found = recommended(api, people["Bo"])
    for told, expected in (
        ({"reason": None}, "REASON_REQUIRED"),
        ({"note": None}, "REASON_REQUIRED"),
        ({"until": None}, "BAD_USER_INPUT"),
        ({"until": "2020-01-01"}, "BAD_USER_INPUT"),
        ({"note": "x" * 2_001}, "BAD_USER_INPUT"),
        ({"recommendationId": global_id("Recommendation", UNKNOWN)}, "NOT_FOUND"),
        ({"mentorId": global_id("Person", UNKNOWN)}, "NOT_FOUND"),
        ({"mentorId": people["Bo"]}, "BAD_USER_INPUT"),
    ):
        assert code(api, OVERRIDE, **pinned(people, found, "Cal", **told)) == expected, told
    assert api.data(LIST, id=people["Bo"])["overrides"]["edges"] == []
    assert code(api, END, overrideId=global_id("Override", UNKNOWN), note="No.") == "NOT_FOUND"


def test_the_list_of_overrides_has_pages_and_asks_little(api: Api, people: dict[str, str]) -> None:
    found = recommended(api, people["Bo"])
    first = tell(api, OVERRIDE, **pinned(people, found, "Cal"))["override"]["id"]
    tell(api, OVERRIDE, **pinned(people, found, "Ben"))
    tell(api, END, overrideId=first, note="Over.")
    whole = api.data(LIST, id=people["Bo"])["overrides"]["edges"]
    assert sorted((each["node"]["mentor"]["name"], each["node"]["isInForce"]) for each in whole) == [
        ("Ben", True),
        ("Cal", False),
    ]
    assert len(api.statements) <= 4
    page = api.data(LIST, id=people["Bo"], first=1)["overrides"]
    rest = api.data(LIST, id=people["Bo"], first=1, after=page["pageInfo"]["endCursor"])["overrides"]
    assert [*page["edges"], *rest["edges"]] == whole
    assert not rest["pageInfo"]["hasNextPage"]
    [open_one] = api.data(LIST, id=people["Bo"], isInForce=True)["overrides"]["edges"]
    assert open_one["node"]["mentor"]["name"] == "Ben"
    assert read_global_id(first)[0] == "Override"


def test_the_page_of_decisions_works(api: Api, people: dict[str, str]) -> None:
    found = recommended(api, people["Bo"])["Ben"]["id"]
    values = {
        "recommendation": found,
        "override": lambda answers: answers["Pin"]["overrideMatch"]["override"]["id"],
    }
    answers = play(api, DOCS / "decisions.md", values)
    assert [each["rankThen"] for each in answers["ThenAndNow"]["decision"]["today"]["mentors"]] == [1, 2, 3]
    assert answers["Chosen"]["decision"]["overrides"]["nodes"][0]["mentor"] == {"name": "Ben"}
    assert answers["Undo"]["endOverride"]["override"] == {"isInForce": False, "endNote": "They have found each other."}
