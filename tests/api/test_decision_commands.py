"""`mentorgraph replay` and `mentorgraph audit` on what `mentorgraph recommend` kept."""

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.api.ids import read_global_id
from mentorgraph.graph.decisions import entry
from mentorgraph.graph.decisions.log import FOLDER, NOT_KEPT
from mentorgraph.graph.decisions.segments import segments_in
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.world.tables import World

from .conftest import SOURCE, connected, fill


@pytest.fixture(scope="module")
def filled(server: EmbeddedDatabase, world: World) -> EmbeddedDatabase:
    asyncio.run(fill(server, world))
    return server


@pytest.fixture(autouse=True)
def log(filled: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty decision log in the home by which commands find the database."""
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("MENTORGRAPH_HOME", str(filled.home))
    monkeypatch.setenv("MENTORGRAPH_NEO4J_LINE", filled.line.name)
    folder = filled.home / FOLDER
    if folder.is_dir():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def recommend(person: str) -> dict[str, object]:
    result = run("recommend", "--mentee", person, "--source", SOURCE, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


@pytest.fixture(scope="module")
def people(world: World) -> list[str]:
    agreed = {row["person_id"] for row in world.rows["consents"] if row["purpose"] == "matching" and not row["until"]}
    return [row["person_id"] for row in world.rows["goals"] if row["person_id"] in agreed and not row["closed_on"]][:3]


def ids_of(answer: dict[str, object]) -> list[str]:
    found = answer["recommendations"]
    assert isinstance(found, list)
    return [each["id"] for each in found]


def test_each_recommend_for_a_person_is_kept_and_replays(people: list[str], log: Path) -> None:
    first, second = recommend(people[0]), recommend(people[1])
    shown = run("replay", "--all")
    total = len(ids_of(first)) + len(ids_of(second))
    assert shown.exit_code == 0, shown.output
    assert f"2 answers with {total} recommendations were computed again: all match." in shown.stdout
    one = run("replay", ids_of(second)[0])
    assert f"1 answers with {len(ids_of(second))} recommendations" in one.stdout
    assert run("replay", read_global_id(ids_of(first)[0])[1].upper()).exit_code == 0
    assert len(segments_in(log)) == 2


def test_many_goals_at_a_time_are_not_kept(people: list[str], world: World, log: Path, tmp_path: Path) -> None:
    (tmp_path / "goals.csv").write_text(f"goal_id\n{world.rows['goals'][0]['id']}\n")
    arguments = ["--goals", str(tmp_path / "goals.csv"), "--output", str(tmp_path / "ranks.csv"), "--source", SOURCE]
    run("recommend", *arguments)
    assert (tmp_path / "ranks.csv").exists()
    assert not log.exists()


def test_an_answer_that_was_changed_does_not_replay_and_is_named(people: list[str], log: Path) -> None:
    recommend(people[0])
    [segment] = segments_in(log)
    assert run("audit", "verify").exit_code == 0
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b'"rank":1', b'"rank":9', 1))
    refused = run("audit", "verify")
    assert refused.exit_code == 1
    [named] = [line for line in refused.stdout.splitlines() if "was changed" in line]
    assert named.startswith(f"{segment.stem}, line 3, answer ")
    assert "0 answers in 1 segments are as they were written." in refused.stdout
    assert "Error: the decision log was changed" in refused.output


def test_a_wrong_number_that_was_recorded_is_said(people: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the program that recorded it had computed wrongly: its chain is right, its sum is not."""
    real = entry.entry_of

    def wrong(*arguments: object) -> dict[str, object]:
        written = real(*arguments)  # type: ignore[arg-type]
        written["recommendations"][0]["score"] += 1e-6
        return written

    monkeypatch.setattr("mentorgraph.graph.decisions.log.entry_of", wrong)
    answer = recommend(people[0])
    shown = run("replay", "--all")
    assert shown.exit_code == 1
    assert f"{answer['slateId']} {ids_of(answer)[0]}: the score is " in shown.stdout
    assert "1 do not match" in shown.stdout
    assert run("audit", "verify").exit_code == 0


def test_what_has_ended_in_the_graph_since_is_told_and_is_no_difference(
    people: list[str], filled: EmbeddedDatabase, world: World
) -> None:
    answer = recommend(people[0])
    untouched = run("replay", "--all", "--against-now")
    assert "Evidence of 0 recommendations has changed in the graph since." in untouched.stdout
    steps = [
        step
        for each in answer["recommendations"]  # type: ignore[attr-defined]
        for path in each["paths"]
        for step in path["steps"]
        if step["relationshipType"] == "MENTOR"
    ]
    ended, gone = steps[0]["relationshipId"], steps[-1]["relationshipId"]
    assert ended != gone
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()

    async def edit() -> None:
        async with connected(filled) as database:
            await database.run_directly(
                f"MATCH ()-[edge:MENTOR {{uid: '{ended}'}}]->() SET edge.until = datetime('{yesterday}T00:00:00Z')"
            )
            await database.run_directly(f"MATCH ()-[edge:MENTOR {{uid: '{gone}'}}]->() DELETE edge")

    asyncio.run(edit())
    try:
        shown = run("replay", "--all", "--against-now")
        assert shown.exit_code == 0
        assert f"MENTOR {ended} has ended on {yesterday}" in shown.stdout
        assert f"MENTOR {gone} is no longer in the graph" in shown.stdout
        assert "all match" in shown.stdout
    finally:
        asyncio.run(fill(filled, world))


def test_an_erased_person_is_redacted_and_everything_else_holds(people: list[str], log: Path) -> None:
    answer = recommend(people[0])
    refused = run("audit", "erase", "nobody", "--yes")
    assert refused.exit_code == 1
    assert "no key of the person" in refused.output
    assert run("audit", "erase", people[0], "--source", SOURCE).exit_code == 1  # nobody said yes
    erased = run("audit", "erase", people[0], "--source", SOURCE, "--yes")
    assert erased.exit_code == 0, erased.output
    assert run("replay", ids_of(answer)[0]).exit_code == 0
    assert run("audit", "verify").exit_code == 0
    assert run("audit", "erase", people[0], "--source", SOURCE, "--yes").exit_code == 1


def test_an_anchor_that_was_kept_elsewhere_is_looked_for(people: list[str], log: Path) -> None:
    recommend(people[0])
    anchor = run("audit", "verify").stdout.split("anchor ")[1].strip()
    assert run("audit", "verify", "--anchor", anchor).exit_code == 0
    shutil.rmtree(log)
    recommend(people[0])
    assert run("audit", "verify").exit_code == 0
    assert run("audit", "verify", "--anchor", anchor).exit_code == 1


def test_a_log_that_cannot_be_written_is_said_with_the_answer(people: list[str], log: Path) -> None:
    log.write_text("in the way")
    shown = run("recommend", "--mentee", people[0], "--source", SOURCE)
    assert shown.exit_code == 0
    assert f"Notice: {NOT_KEPT}" in shown.stdout
    for command in (["replay", "--all"], ["audit", "verify"]):
        assert "Traceback" not in run(*command).output


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        pytest.param(["replay"], 2, "take --all", id="nothing"),
        pytest.param(["replay", "x", "--all"], 2, "take --all", id="both"),
        pytest.param(["replay", "nonsense"], 1, "ID is not one of our ids", id="no id"),
        pytest.param(["replay", "00000000-0000-5000-8000-000000000000"], 1, "no kept answer holds", id="unknown"),
        pytest.param(["audit", "erase"], 2, "PERSON", id="nobody"),
    ],
)
def test_mistakes_are_said_in_a_sentence(arguments: list[str], status: int, sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code == status
    assert sentence in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["replay", "audit", "audit verify", "audit erase"])
def test_help_teaches_by_example(command: str) -> None:
    shown = run(*command.split(), "--help").output
    assert f"Example:\n    mentorgraph {command}" in shown
