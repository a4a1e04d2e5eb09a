"""Reasons over GraphQL: the page of the documentation as it stands, and who may ask what."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from mentorgraph.api.commands import main
from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.explaining import faithfulness
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.world.tables import World, write

from .conftest import SOURCE, Api
from .pages import DOCS, play

COMPARE = """
query ($mentee: ID!, $mentors: [ID!]!, $goal: ID) {
  compareMentors(menteeId: $mentee, mentorIds: $mentors, goalId: $goal) {
    mentor { id } gap differences { amount } explanation { paths { steps { kind node { id } } } }
  }
}
"""
CHANGE = """
query ($mentee: ID!, $mentor: ID!, $goal: ID, $topK: Int, $by: [ChangeActor!]) {
  whatWouldChange(menteeId: $mentee, mentorId: $mentor, goalId: $goal, topK: $topK, by: $by) {
    rank rankAfter changes { action by words }
  }
}
"""
EXPOSURE = "query ($mentor: ID!) { mentorExposure(mentorId: $mentor) { shown } }"
LISTED = """
query ($mentee: ID!, $goal: ID) {
  recommendMentors(menteeId: $mentee, goalId: $goal, first: 5) {
    edges { node { mentor { id } cautions english: sentences german: sentences(language: DE) } }
  }
}
"""


@pytest.fixture(scope="module")
def asker(api: Api, world: World) -> dict[str, Any]:
    """Somebody who gets a list of three or more, their goal, and the list."""
    for row in world.rows["goals"]:
        who, goal = (
            global_id("Person", uid_of(SOURCE, "people", row["person_id"])),
            global_id("Goal", uid_of(SOURCE, "goals", row["id"])),
        )
        answer = api.ask(LISTED, mentee=who, goal=goal)
        if "errors" not in answer and len(answer["data"]["recommendMentors"]["edges"]) >= 3:
            nodes = [edge["node"] for edge in answer["data"]["recommendMentors"]["edges"]]
            return {"mentee": who, "goal": goal, "nodes": nodes, "mentors": [each["mentor"]["id"] for each in nodes]}
    raise AssertionError("nobody gets three mentors")


def test_the_page_of_reasons_works(api: Api, asker: dict[str, Any]) -> None:
    values = {
        "menteeId": asker["mentee"],
        "goalId": asker["goal"],
        "mentorId": asker["mentors"][1],
        "mentorIds": asker["mentors"][:3],
    }
    answers = play(api, DOCS / "explanations.md", values)
    told = answers["InGerman"]["recommendMentors"]["edges"][0]["node"]["sentences"]
    assert all(any(word in each for word in (" bietet ", " hat ", " gehört ", " war ", " sind ")) for each in told)
    assert answers["WhatWouldItTake"]["whatWouldChange"]["rank"] == 2
    assert answers["HowOftenShown"]["mentorExposure"]["shown"] >= 1


def test_every_sentence_is_told_in_german_too(asker: dict[str, Any]) -> None:
    for each in asker["nodes"]:
        assert len(each["german"]) == len(each["english"]) >= 1
        assert not set(each["german"]) & set(each["english"])


REASONS = """
query ($mentee: ID!, $goal: ID!) {
  recommendMentors(menteeId: $mentee, goalId: $goal, first: 3) {
    edges { node {
      sentences paths { pathId sentence } reasons { sentence pathIds } german: reasons(language: DE) { pathIds }
    } }
  }
}
"""


def test_each_sentence_leads_to_the_paths_that_say_so(api: Api, asker: dict[str, Any]) -> None:
    with_paths = 0
    for viewer in ("", asker["mentee"]):
        answer = api.data(REASONS, viewer=viewer, mentee=asker["mentee"], goal=asker["goal"])["recommendMentors"]
        for node in (edge["node"] for edge in answer["edges"]):
            said = {path["pathId"]: path["sentence"] for path in node["paths"]}
            assert len(said) == len(node["paths"])
            assert [each["sentence"] for each in node["reasons"]] == node["sentences"]
            assert [each["pathIds"] for each in node["german"]] == [each["pathIds"] for each in node["reasons"]]
            for each in node["reasons"]:
                assert [said[path] for path in each["pathIds"]] == [each["sentence"]] * len(each["pathIds"])
                with_paths += bool(each["pathIds"])
    assert with_paths


def test_differences_sum_to_the_gap(api: Api, asker: dict[str, Any]) -> None:
    found = api.data(COMPARE, mentee=asker["mentee"], mentors=asker["mentors"], goal=asker["goal"])["compareMentors"]
    assert [each["mentor"]["id"] for each in found] == asker["mentors"]
    for each in found:
        assert sum(one["amount"] for one in each["differences"]) == pytest.approx(each["gap"], abs=1e-6)


def test_mentees_compare_for_themselves_and_ask_what_they_can_change(api: Api, asker: dict[str, Any]) -> None:
    uid = asker["mentee"]
    pair = {"mentee": asker["mentee"], "mentor": asker["mentors"][1], "goal": asker["goal"], "topK": 1}
    seen = api.data(COMPARE, viewer=uid, mentee=asker["mentee"], mentors=asker["mentors"], goal=asker["goal"])
    third = [
        step["node"]["id"]
        for each in seen["compareMentors"]
        for path in each["explanation"]["paths"]
        for step in path["steps"]
        if step["kind"] in ("Person", "Goal") and step["node"]
    ]
    assert set(third) <= {asker["mentee"], asker["goal"], *asker["mentors"]}
    own = api.data(CHANGE, viewer=uid, by=["MENTEE"], **pair)["whatWouldChange"]
    assert own["rank"] == 2
    assert all(each["by"] == ["MENTEE"] for each in own["changes"])
    assert api.refusal(CHANGE, viewer=uid, by=["MENTOR"], **pair) == ("FORBIDDEN", "by")
    assert api.refusal(CHANGE, viewer=uid, **pair) == ("FORBIDDEN", "by")
    other = asker["mentors"][0]
    assert api.refusal(CHANGE, viewer=other, by=["MENTEE"], **pair) == ("FORBIDDEN", "by")
    assert api.refusal(EXPOSURE, viewer=uid, mentor=asker["mentors"][0])[0] == "FORBIDDEN"


# --- from the shell ---------------------------------------------------------------------------------------------------


@pytest.fixture
def here(api: Api, server: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the database by the environment."""
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("MENTORGRAPH_HOME", str(server.home))
    monkeypatch.setenv("MENTORGRAPH_NEO4J_LINE", server.line.name)
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    return result.exit_code, result.output


@pytest.mark.usefixtures("here")
def test_mentors_are_compared_in_the_shell(asker: dict[str, Any]) -> None:
    pair = ["explain", "--mentee", asker["mentee"], "--mentor", asker["mentors"][0], "--goal", asker["goal"]]
    status, shown = run(*pair, "--compare", asker["mentors"][1])
    assert status == 0
    assert "(-" in shown
    status, told = run(*pair, "--compare", asker["mentors"][1], "--json")
    first, second = json.loads(told[told.index("[") :])
    assert first["gap"] == 0
    assert sum(each["amount"] for each in second["differences"]) == pytest.approx(second["gap"], abs=1e-6)
    status, said = run(*pair, "--compare", asker["mentors"][0])
    assert (status, "names a mentor twice" in said) == (1, True)


@pytest.mark.usefixtures("here")
def test_reasons_are_audited_from_the_shell(
    world: World, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, asker: dict[str, Any]
) -> None:
    truth, output = tmp_path / "truth.json", tmp_path / "audit.json"
    truth.write_text(json.dumps(world.truth), "utf-8")
    options = ["audit", "explanations", "--sample", 12, "--truth", truth, "--source", SOURCE, "--json", output]
    status, shown = run(*options)
    told = json.loads(output.read_text("utf-8"))
    assert (told["model"], told["sample"]) == ("rules", 12)
    checks = {each["name"]: each for each in told["checks"]}
    assert checks["existence"]["isMet"]
    assert checks["third people"]["isMet"]
    assert all(name in shown for name in checks)
    failed = [name for name, each in checks.items() if not each["isMet"]]
    assert status == (1 if failed else 0)
    monkeypatch.setattr(faithfulness, "LEAST_RATIO", 1e9)
    status, shown = run(*options)
    assert status == 1
    assert "not as they should be: deletion" in shown
    truth.write_text("{}", "utf-8")
    status, shown = run(*options)
    assert (status, "is not the truth of a generated world" in shown) == (1, True)


@pytest.mark.drill
@pytest.mark.usefixtures("here")
def test_a_bundle_is_audited_in_a_database_of_its_own(
    world: World, tmp_path: Any, api: Api, gid: Callable[[str, str], str], asker: dict[str, Any]
) -> None:
    write(world, tmp_path / "bundle")
    before = api.data("{ goals(first: 1) { edges { node { id } } } }")
    status, shown = run("audit", "explanations", "--bundle", tmp_path / "bundle", "--sample", 4, "--seed", 1)
    assert "existence" in shown, (status, shown)
    assert "0 of " in shown
    assert api.data("{ goals(first: 1) { edges { node { id } } } }") == before
