"""`mentorgraph recommend` and `mentorgraph explain`: tables, JSON, many goals at a time, and sentences for mistakes."""

import asyncio
import csv
import gzip
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.world.tables import World

from .conftest import SOURCE, connected, fill
from .pages import DOCS


@pytest.fixture(scope="module")
def filled(server: EmbeddedDatabase, world: World) -> EmbeddedDatabase:
    """The database with the world in it; the tests of this module only read."""
    asyncio.run(fill(server, world))
    return server


@pytest.fixture(autouse=True)
def here(filled: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the database by the environment."""
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("MENTORGRAPH_HOME", str(filled.home))
    monkeypatch.setenv("MENTORGRAPH_NEO4J_LINE", filled.line.name)
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments), "--source", SOURCE])


def answer(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


@pytest.fixture(scope="module")
def goal(world: World) -> dict[str, str]:
    """The row of a goal whose owner has agreed to be matched."""
    agreed = {row["person_id"] for row in world.rows["consents"] if row["purpose"] == "matching" and not row["until"]}
    return next(row for row in world.rows["goals"] if row["person_id"] in agreed and not row["closed_on"])


def test_a_person_is_found_by_key_uid_global_id_and_name(goal: dict[str, str], world: World) -> None:
    uid = uid_of(SOURCE, "people", goal["person_id"])
    name = next(row["name"] for row in world.rows["people"] if row["id"] == goal["person_id"])
    found = [
        answer("recommend", "--mentee", who, "--goal", goal["id"], "--first", 3)
        for who in (goal["person_id"], uid, uid.upper(), global_id("Person", uid), name)
    ]
    assert found[1:] == found[:-1]
    assert found[0]["recommendations"][0]["rank"] == 1
    assert found[0]["goal"]["title"] == goal["title"]


def test_an_explanation_adds_up_and_shows_its_queries(goal: dict[str, str], filled: EmbeddedDatabase) -> None:
    pair = ["--mentee", goal["person_id"], "--goal", goal["id"]]
    first = answer("recommend", *pair, "--first", 1)["recommendations"][0]
    found = answer("explain", *pair, "--mentor", first["mentor"]["uid"])
    assert found["score"] == first["score"]
    total = found["base"] + sum(each["contribution"] for each in found["signals"])
    assert found["score"] == pytest.approx(total, abs=1e-6)
    shown = run("explain", *pair, "--mentor", first["mentor"]["uid"]).stdout
    assert f"{found['score']:.6f}" in shown
    assert first["mentor"]["name"] in shown
    assert "No rule forbids the pair." in shown
    queries = [line.strip() for line in shown.splitlines() if line.strip().startswith("MATCH ")]
    assert queries == [path["cypher"] for path in found["paths"][:5]]

    async def rows_of(query: str) -> int:
        async with connected(filled) as database:
            return len(await database.run_directly(query))

    assert [asyncio.run(rows_of(query)) for query in queries[:2]] == [1] * len(queries[:2])
    forbidden = run("explain", *pair, "--mentor", goal["person_id"]).stdout
    assert "Forbidden by SELF: mentee and mentor are the same person." in forbidden


def test_the_table_names_mentors_with_their_reasons(goal: dict[str, str]) -> None:
    found = answer("recommend", "--mentee", goal["person_id"], "--first", 2)
    shown = run("recommend", "--mentee", goal["person_id"], "--first", 2).stdout
    for each in found["recommendations"]:
        assert each["mentor"]["name"] in shown
        assert f"{each['score']:.4f}" in shown
    assert found["slateId"] in shown


def write(path: Path, column: str, *ids: str) -> Path:
    path.write_text("\n".join([column, *ids]) + "\n", "utf-8")
    return path


def test_many_goals_are_ranked_as_each_alone(tmp_path: Path, world: World, goal: dict[str, str]) -> None:
    uid = uid_of(SOURCE, "goals", goal["id"])
    alone = answer("recommend", "--mentee", goal["person_id"], "--goal", goal["id"], "--first", 4)["recommendations"]
    for column, given, key in (
        ("goal_id", goal["id"], "externalId"),
        ("id", uid, "uid"),
        ("id", global_id("Goal", uid), "id"),
    ):
        out = tmp_path / f"{key}.csv"
        result = run("recommend", "--goals", write(tmp_path / "in.csv", column, given), "--first", 4, "--output", out)
        assert result.exit_code == 0, result.output
        with out.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert [(row["goal_id"], int(row["rank"]), row["mentor_id"], float(row["score"])) for row in rows] == [
            (given, each["rank"], each["mentor"][key], each["score"]) for each in alone
        ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["externalId.csv", "id.csv", "in.csv", "uid.csv"]


def test_a_spreadsheet_of_goals_is_read_and_a_broken_one_refused(tmp_path: Path, goal: dict[str, str]) -> None:
    file, out = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_bytes(f"goal_id;note\n{goal['id']};für später\n".encode("cp1252"))
    assert run("recommend", "--goals", file, "--output", out).exit_code == 0
    damaged = bytearray(gzip.compress(b"goal_id\n" + b"x\n" * 500))
    damaged[len(damaged) // 2] ^= 0xFF
    (tmp_path / "in.csv.gz").write_bytes(damaged)
    refused = run("recommend", "--goals", tmp_path / "in.csv.gz", "--output", out, "--force")
    assert refused.exit_code == 1
    assert "Error: in.csv.gz cannot be read: it is damaged" in refused.output


def test_goals_without_an_answer_are_said_and_counted(tmp_path: Path, goal: dict[str, str]) -> None:
    goals = write(tmp_path / "in.csv", "goal_id", goal["id"], "no-such", goal["id"], "nor-this")
    out = tmp_path / "out.csv"
    result = run("recommend", "--goals", goals, "--output", out)
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if "no goal" in line] == [
        "no-such: no goal has this id",
        "nor-this: no goal has this id",
    ]
    assert "for 1 of 3 goals" in result.stdout
    assert "2 goals have no answer." in result.stdout
    assert {line.split(",")[0] for line in out.read_text().splitlines()[1:]} == {goal["id"]}


def test_a_file_that_exists_is_kept_unless_forced(tmp_path: Path, goal: dict[str, str]) -> None:
    goals, out = write(tmp_path / "in.csv", "goal_id", goal["id"]), tmp_path / "out.csv"
    out.write_text("mine")
    refused = run("recommend", "--goals", goals, "--output", out)
    assert (refused.exit_code, out.read_text()) == (1, "mine")
    assert "exists already" in refused.output
    assert run("recommend", "--goals", goals, "--output", out, "--force").exit_code == 0
    assert out.read_text().startswith("goal_id,rank,mentor_id,score\n")


def test_a_past_day_is_answered_from_what_was_known_then(tmp_path: Path, world: World, goal: dict[str, str]) -> None:
    goals, day = write(tmp_path / "in.csv", "goal_id", goal["id"]), world.rows["goals"][0]["created_on"]
    before_all = f"{int(day[:4]) - 10}-01-01"
    for as_of, is_empty in ((before_all, True), ("2026-06-01", False)):
        out = tmp_path / f"{as_of}.csv"
        assert run("recommend", "--goals", goals, "--as-of", as_of, "--output", out).exit_code == 0
        assert (len(out.read_text().splitlines()) == 1) == is_empty


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        pytest.param(["recommend"], 2, "name a person", id="nobody"),
        pytest.param(["recommend", "--mentee", "nobody"], 1, "nobody has the id or the name nobody", id="unknown"),
        pytest.param(["recommend", "--mentee", "p001", "--as-of", "soon"], 2, "write it as 2026-01-31", id="date"),
        pytest.param(["recommend", "--mentee", "p001", "--first", "101"], 2, "1<=x<=100", id="first"),
        pytest.param(["recommend", "--mentee", "p001", "--output", "x"], 2, "go with --goals", id="output"),
        pytest.param(["recommend", "--goals", __file__], 2, "--output", id="no output"),
        pytest.param(["recommend", "--goals", __file__, "--output", "x.csv"], 1, "has no column goal_id", id="column"),
        pytest.param(["explain", "--mentee", "p001"], 2, "--mentor", id="no mentor"),
    ],
)
def test_mistakes_are_said_in_a_sentence(arguments: list[str], status: int, sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code == status
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_help_shows_examples() -> None:
    for command in ("recommend", "explain"):
        shown = CliRunner().invoke(main, [command, "--help"]).output
        assert f"  mentorgraph {command} --mentee" in shown


def test_the_page_of_lists_is_asked_from_the_shell_as_it_stands(goal: dict[str, str], world: World) -> None:
    blocks = re.findall(
        r"^```bash\n(.*?)^```$", (DOCS / "recommendations.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    commands = [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]
    assert len(commands) == 5
    mentor = answer("recommend", "--mentee", goal["person_id"], "--first", 1)["recommendations"][0]["mentor"]
    ids = {
        "--mentee": goal["person_id"],
        "--mentor": mentor["uid"],
        "--skill": world.rows["skills"][0]["id"],
        "--exclude": next(row["person_id"] for row in world.rows["roles"] if row["role_id"] == "mentor"),
    }
    for words in commands:
        given = [ids[before] if word == "ID" else word for before, word in zip(["", *words], words, strict=False)]
        result = run(*given)
        if "--wish" in given:  # nobody of this world has agreed to be found by it
            assert "no mentor has agreed to be found by the gender that you ask for" in result.output
            continue
        assert result.exit_code == 0, result.output
        assert "slate " in result.stdout


def test_the_shell_leaves_out_what_it_is_told_to(goal: dict[str, str]) -> None:
    whole = answer("recommend", "--mentee", goal["person_id"], "--first", 100)["recommendations"]
    first = whole[0]["mentor"]["uid"]
    asked = ["--exclude", first, "--ignore", "load", "--diversity", "0.5", "--experts", 1]
    found = answer("recommend", "--mentee", goal["person_id"], "--first", 5, *asked)["recommendations"]
    assert first not in [each["mentor"]["uid"] for each in found]
    assert {"load"}.isdisjoint(signal["name"] for each in found for signal in each["signals"])
    assert {each["propensity"] for each in found} <= {1.0}
    refused = run("recommend", "--mentee", goal["person_id"], "--min-level", 3)
    assert refused.exit_code == 1
    assert "filter.minLevel is the level of a skill" in refused.output
    empty = run("recommend", "--mentee", goal["person_id"], "--language", "tlh").stdout
    assert "0 speak tlh" in empty
    assert run("recommend", "--goals", __file__, "--output", "x.csv", "--ignore", "load").exit_code == 2


def test_the_help_shows_how_lists_are_asked_for() -> None:
    shown = CliRunner().invoke(main, ["recommend", "--help"]).stdout
    for option in ("--skill", "--language", "--exclude", "--ignore", "--horizon-days", "--experts", "--diversity"):
        assert option in shown
    assert "mentorgraph recommend --mentee p-0042 --ignore load --exclude p-0007 --horizon-days 30" in shown


def test_the_mentors_side_is_printed_and_goes_with_few_options(goal: dict[str, str]) -> None:
    asked = ["--mentee", goal["person_id"], "--goal", goal["id"], "--first", 1]
    mentor = answer("recommend", *asked)["recommendations"][0]["mentor"]
    found = answer("recommend", "--mentor", mentor["uid"], "--first", 3)
    assert found["mentor"] == mentor
    assert [each["rank"] for each in found["recommendations"]] == list(range(1, len(found["recommendations"]) + 1))
    assert found["totalCount"] >= len(found["recommendations"]) > 0
    one = found["recommendations"][0]["recommendationId"]
    replayed = CliRunner().invoke(main, ["replay", one])
    told = f"1 answers with {len(found['recommendations'])} recommendations were computed again: all match."
    assert told in replayed.output
    beside = json.loads(CliRunner().invoke(main, ["then-and-now", one, "--json"]).stdout)["today"]["mentors"]
    assert [each["goal"]["name"] for each in beside] == [each["goal"]["title"] for each in found["recommendations"]]
    shown = run("recommend", "--mentor", mentor["name"], "--first", 3).stdout
    assert found["recommendations"][0]["mentee"]["name"].split()[0] in shown
    assert f"{found['totalCount']} goals in all" in shown
    for more in (
        ["--mentee", "x"],
        ["--goals", __file__],
        ["--as-of", "2026-01-01"],
        ["--ignore", "load"],
        ["--force"],
    ):
        refused = run("recommend", "--mentor", mentor["uid"], *more)
        assert refused.exit_code == 2
        assert "--mentor goes with --first" in refused.output
    assert "nobody has the id or the name Nobody" in run("recommend", "--mentor", "Nobody").output
