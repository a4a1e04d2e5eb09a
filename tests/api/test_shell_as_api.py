"""What the shell prints for programs is what GraphQL answers, and its tables show the same."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.api.examples import askers_in
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.world.tables import World

from .conftest import Api, asked, connected, fill

PARTS = """
  score base mentor { id } sentences
  signals { name value unit weight contribution source }
  paths { pathId signal weight sentence cypher steps {
    kind label relationshipId relationshipType since source holdsNow count
  } }
"""
RECOMMEND = f"""
query ($mentee: ID!, $goal: ID) {{
  recommendMentors(menteeId: $mentee, goalId: $goal, first: 4) {{
    slateId modelVersion policyVersion notice pageInfo {{ hasNextPage }}
    edges {{ node {{ id rank mode cautions isPinned proposed {{ rank score }} {PARTS} }} }}
  }}
}}
"""
EXPLAIN = f"""
query ($mentee: ID!, $mentor: ID!, $goal: ID) {{
  explainMatch(menteeId: $mentee, mentorId: $mentor, goalId: $goal) {{
    modelVersion policyVersion {PARTS} cautions refusals {{ rule fact remedy }} unjudged {{ rule fact }}
  }}
}}
"""
WHY_NOT = """
query ($mentee: ID!, $mentor: ID!, $goal: ID) {
  whyNot(menteeId: $mentee, mentorId: $mentor, goalId: $goal, first: 2) {
    verdict blockers { rule fact remedy } unjudged { rule fact } mentor { id name } score rank lastShown { id name }
    gap { signal missing } modelVersion policyVersion availableFrom
  }
}
"""
MENTEES = f"""
query ($mentor: ID!) {{
  recommendMentees(mentorId: $mentor, first: 4) {{
    slateId modelVersion totalCount notice pageInfo {{ hasNextPage }}
    edges {{ node {{
      recommendationId rank mode cautions policyVersion mentee {{ id name }} goal {{ id title }} {PARTS}
    }} }}
  }}
}}
"""
DECISION = """
query ($id: ID!) {
  decision(recommendationId: $id) {
    answeredAt modelVersion policyVersion codeVersion
    changes {
      what kind of { id ... on Person { name } ... on Goal { name: title } } about at fields { name before after }
    }
    today {
      modelVersion policyVersion notAnswered
      mentors {
        mentor { id name } rankThen rankNow scoreThen scoreNow isIn refusals { rule fact remedy }
        signals { name valueThen valueNow contributionThen contributionNow }
      }
    }
  }
}
"""


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase, world: World) -> Iterator[Api]:
    """The application on the database of the world, with the decision log of the home that commands use."""
    asyncio.run(fill(server, world))
    with asked(server) as asking:
        yield asking


@pytest.fixture(autouse=True)
def here(server: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the database by the environment."""
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("MENTORGRAPH_HOME", str(server.home))
    monkeypatch.setenv("MENTORGRAPH_NEO4J_LINE", server.line.name)
    monkeypatch.setenv("COLUMNS", "220")


@pytest.fixture(scope="module")
def asker(api: Api, server: EmbeddedDatabase) -> tuple[str, str]:
    """Global ids of a mentee and of their goal."""

    async def find() -> tuple[str, str]:
        async with connected(server) as database:
            first = next(iter(await askers_in(Store(database))))
            return first.person, first.goal

    return asyncio.run(find())


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0, result.output
    return result


def printed(*arguments: str) -> dict[str, Any]:
    return dict(json.loads(run(*arguments, "--json").stdout))


def alike(shell: Any, api: Any) -> bool:
    """Whether the API's values stand in what the shell prints; that may say more, such as ids of steps."""
    if isinstance(api, dict):
        return isinstance(shell, dict) and all(name in shell and alike(shell[name], api[name]) for name in api)
    if isinstance(api, list):
        return isinstance(shell, list) and len(shell) == len(api) and all(map(alike, shell, api))
    if isinstance(api, str) and api.endswith("Z") and isinstance(shell, str):
        return datetime.fromisoformat(shell).astimezone(UTC) == datetime.fromisoformat(api)
    return bool(shell == api)


def test_a_list_in_the_shell_is_that_of_the_api(api: Api, asker: tuple[str, str]) -> None:
    mentee, goal = asker
    answer = api.data(RECOMMEND, mentee=mentee, goal=goal)["recommendMentors"]
    found = printed("recommend", "--mentee", mentee, "--goal", goal, "--first", "4")
    assert len(answer["edges"]) == 4
    nodes = [edge["node"] for edge in answer["edges"]]
    assert alike(found["recommendations"], [{name: node[name] for name in node if name != "id"} for node in nodes])
    for name in ("modelVersion", "policyVersion", "notice"):
        assert found[name] == answer[name]
    assert found["hasNextPage"] == answer["pageInfo"]["hasNextPage"]
    table = run("recommend", "--mentee", mentee, "--goal", goal, "--first", "4").stdout
    for node in nodes:
        assert f"{node['score']:.4f}" in table
    nodes[0]["signals"][0]["contribution"] += 1e-9
    assert not alike(found["recommendations"][0], nodes[0])  # the control


def test_an_explanation_in_the_shell_is_that_of_the_api(api: Api, asker: tuple[str, str]) -> None:
    mentee, goal = asker
    mentor = api.data(RECOMMEND, mentee=mentee, goal=goal)["recommendMentors"]["edges"][1]["node"]["mentor"]["id"]
    for other in (mentor, mentee):
        answer = api.data(EXPLAIN, mentee=mentee, mentor=other, goal=goal)["explainMatch"]
        found = printed("explain", "--mentee", mentee, "--mentor", other, "--goal", goal)
        assert alike(found, answer)
        assert bool(answer["refusals"]) == (other == mentee)


def test_why_not_in_the_shell_is_that_of_the_api(api: Api, asker: tuple[str, str]) -> None:
    mentee, goal = asker
    edges = api.data(RECOMMEND, mentee=mentee, goal=goal)["recommendMentors"]["edges"]
    verdicts = []
    for other in (edges[0]["node"]["mentor"]["id"], edges[3]["node"]["mentor"]["id"], mentee):
        answer = api.data(WHY_NOT, mentee=mentee, mentor=other, goal=goal)["whyNot"]
        asked = ["why-not", "--mentee", mentee, "--mentor", other, "--goal", goal, "--first", "2"]
        assert alike(printed(*asked), answer)
        shown = run(*asked).stdout
        assert all(each["rule"] in shown for each in answer["blockers"])
        assert not answer["gap"] or f"{answer['gap'][0]['missing']:z.6f}" in shown
        verdicts.append(answer["verdict"])
    assert verdicts == ["RECOMMENDED", "RANKED_LOWER", "FORBIDDEN"]


def test_the_mentors_side_in_the_shell_is_that_of_the_api(api: Api, asker: tuple[str, str]) -> None:
    mentee, goal = asker
    mentor = api.data(RECOMMEND, mentee=mentee, goal=goal)["recommendMentors"]["edges"][0]["node"]["mentor"]["id"]
    answer = api.data(MENTEES.replace("mentor { id }", ""), mentor=mentor)["recommendMentees"]
    found = printed("recommend", "--mentor", mentor, "--first", "4")
    nodes = [edge["node"] for edge in answer["edges"]]
    assert nodes
    assert alike(
        found["recommendations"], [{key: node[key] for key in node if key != "recommendationId"} for node in nodes]
    )
    assert (found["totalCount"], found["hasNextPage"]) == (answer["totalCount"], answer["pageInfo"]["hasNextPage"])
    assert alike(
        printed("then-and-now", nodes[0]["recommendationId"]),
        api.data(DECISION, id=nodes[0]["recommendationId"])["decision"],
    )


def test_then_and_now_in_the_shell_is_that_of_the_api(api: Api, asker: tuple[str, str], world: World) -> None:
    mentee, goal = asker
    first = api.data(RECOMMEND, mentee=mentee, goal=goal)["recommendMentors"]["edges"][0]["node"]
    before = printed("then-and-now", first["id"])
    assert before["changes"] == []
    assert "Nothing that touches this answer has changed" in run("then-and-now", first["id"]).stdout
    mutation = "mutation ($input: RecordConsentInput!) { told: recordConsent(input: $input) { userErrors { code } } }"
    given = {"purpose": "MATCHING", "granted": False, "textVersion": "2"}
    told = api.data(mutation, input={"personId": first["mentor"]["id"], **given})["told"]
    assert told["userErrors"] == []
    answer = api.data(DECISION, id=first["id"])["decision"]
    found = printed("then-and-now", first["id"])
    assert alike(found, answer)
    assert [(each["what"], each["kind"]) for each in answer["changes"]] == [("ENDED", "consents")]
    shown = run("then-and-now", first["id"]).stdout
    assert "consents ended on" in shown
    assert "NO_CONSENT" in shown
    result = CliRunner().invoke(main, ["then-and-now", "nonsense"])
    assert (result.exit_code, "Traceback" in result.output) == (1, False)
