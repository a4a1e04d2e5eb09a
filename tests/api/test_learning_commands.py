"""From a graph to a model that serves, and back, as a person at the keyboard does it."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.api.context import MODELS
from mentorgraph.embeddings.baselines import BASELINES
from mentorgraph.embeddings.chance import PREFIX, Calibration
from mentorgraph.embeddings.evaluation import EVERYBODY
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.progress import FAILED, FILE, INTERRUPTED, JUDGED, RUNNING, read_told
from mentorgraph.embeddings.registry import ARRAYS, Registry
from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.log import FOLDER, DecisionLog
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import World, write

from ..conftest import WIPE, run_directly
from .server_of_its_own import COMMAND, ask_patiently, mentee_of, serving

pytestmark = pytest.mark.journey

POLICY_TEXT = (Path(__file__).parents[2] / "graph" / "rules" / "policy.toml").read_text("utf-8")


QUIET = """
import sys, time
from mentorgraph.embeddings import process

def work(request, progress):
    print("begun", flush=True)
    time.sleep(600)

process.WORK = {"generate nothing": work}
process.main()
"""


def mentorgraph(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> World:
    """As small as can be learned from, but with enough facts to edit where full counts are tried."""
    people = 600 if request.config.getoption("--prove") is None else 1_000
    return generate(people, months=24, seed=3)


@pytest.fixture(scope="module")
def home(
    server: EmbeddedDatabase, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[pytest.MonkeyPatch]:
    """A home without models whose database holds a community."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MENTORGRAPH_HOME", str(tmp_path_factory.mktemp("learning")))
        for name, value in (("URI", server.uri), ("USER", server.user), ("PASSWORD", server.password)):
            patch.setenv(f"NEO4J_{name}", value)
        run_directly(server, WIPE)
        assert mentorgraph("db", "migrate").exit_code == 0
        folder = tmp_path_factory.mktemp("world")
        write(world, folder)
        assert mentorgraph("import", folder).exit_code == 0
        yield patch


def models() -> Path:
    return Path(os.environ["MENTORGRAPH_HOME"]) / MODELS


@pytest.fixture(scope="module")
def trained(home: pytest.MonkeyPatch) -> str:
    """The version that a first training made serve."""
    result = mentorgraph("train", "--force", "the tests want a network")
    assert result.exit_code == 0, result.output
    assert "served without the network" in result.output
    assert "metapath neighbours" in result.output
    version = result.output.splitlines()[-1].split()[1]
    assert result.output.endswith(f"Model {version} serves now.\n")
    return version


def served(world: World) -> dict[str, object]:
    goal = world.rows["goals"][-1]
    result = mentorgraph("recommend", "--mentee", goal["person_id"], "--goal", goal["id"], "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_answers_carry_the_version_and_the_network_is_one_of_the_signals(trained: str, world: World) -> None:
    answer = served(world)
    assert answer["modelVersion"] == trained
    for each in answer["recommendations"]:  # type: ignore[attr-defined]
        total = sum(signal["contribution"] for signal in each["signals"])
        assert each["score"] == pytest.approx(total, abs=1e-6)
        assert each["signals"][-1]["name"] == "network"


def test_the_card_the_report_and_the_list_tell_of_the_version(trained: str, world: World) -> None:
    card = mentorgraph("models", "show", trained).stdout
    assert card.startswith("# Model card\n")
    assert "Reason given: the tests want a network" in card
    page = Path(card.splitlines()[-1].removeprefix("Report with plots: ")).read_text("utf-8")
    assert page.count("<svg") == 8
    people = {row["name"] for row in world.rows["people"]} | {row["id"] for row in world.rows["people"]}
    assert not any(each in page for each in people)
    listed = mentorgraph("models", "list").stdout
    assert trained in listed
    assert listed.endswith(f"{trained} serves.\n")


def test_what_served_before_gives_the_older_answers_exactly(trained: str, world: World) -> None:
    before = served(world)
    result = mentorgraph("models", "promote", "rules", "--reason", "a test")
    assert result.stdout == "rules serves now.\n"
    by_rules = served(world)
    assert by_rules["modelVersion"] == "rules"
    assert by_rules["recommendations"] != before["recommendations"]
    result = mentorgraph("models", "rollback")
    assert result.stdout == f"{trained} serves now, in place of rules.\n"
    assert served(world) == before
    reasons = [each.reason for each in Registry(models()).history()]
    assert reasons[-3:] == ["the tests want a network", "a test", ""]


def test_kept_answers_of_a_version_replay_with_its_weights(trained: str, world: World) -> None:
    served(world)
    result = mentorgraph("replay", "--all")
    assert (result.exit_code, "all match" in result.output) == (0, True), result.output
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LearnedScorer, "weights", {"skills": 1e6})
        result = mentorgraph("replay", "--all")
    assert (result.exit_code, "do not match" in result.output) == (1, True)


def test_a_calibrated_version_states_chances_which_are_kept_and_replay(trained: str, world: World) -> None:
    registry = Registry(models())
    published = registry.load(trained)
    calibration = Calibration.of(published.arrays)
    assert calibration is not None
    told = published.manifest["chance"]
    assert len(calibration.scores) == told["outcomes"]
    assert "| newcomers |" in registry.card(trained).split("## Chances of success")[1]
    uncalibrated = {name: each for name, each in published.arrays.items() if not name.startswith(PREFIX)}
    registry.promote(registry.publish(uncalibrated, published.texts, published.manifest, "# Model card\n"))
    try:
        found: Any = served(world)["recommendations"]
        assert all(each["chance"] is None for each in found)
    finally:
        registry.promote(trained)
    goal, found = world.rows["goals"][-1], served(world)["recommendations"]
    for each in found:
        expected = calibration.chance(each["score"])
        assert each["chance"] == asdict(expected)
        assert ("CHANCE_UNCERTAIN" in each["cautions"]) == (expected.value is None)
    mentor = found[0]["mentor"]["id"]
    result = mentorgraph("explain", "--mentee", goal["person_id"], "--mentor", mentor, "--goal", goal["id"])
    assert f"({found[0]['chance']['low']:.2f}–{found[0]['chance']['high']:.2f}), by " in result.output
    query = "query ($mentee: ID!) { one: recommendMentors(menteeId: $mentee, first: 1) { edges { node { "
    query += "id chance { value low high outcomes } } } } }"
    with serving() as address:
        [edge] = ask_patiently(address, mentee_of(goal), query)["data"]["one"]["edges"]
        with urlopen(f"{address}/why/{edge['node']['id']}", timeout=60) as page:  # noqa: S310
            assert "Chance of success" in page.read().decode()
        query = f'{{ explainRecommendation(recommendationId: "{edge["node"]["id"]}") '
        query += "{ chance { value low high outcomes } } }"
        kept = ask_patiently(address, "", query)["data"]["explainRecommendation"]
        assert kept["chance"] == edge["node"]["chance"] is not None
    result = mentorgraph("replay", "--all")
    assert (result.exit_code, "all match" in result.output) == (0, True), result.output
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LearnedScorer, "chance", lambda _self, _score: None)
        result = mentorgraph("replay", "--all")
    assert (result.exit_code, "the chance is None, recorded Chance(" in result.output) == (1, True), result.output


@pytest.mark.drill
def test_versions_change_under_load_without_an_error_and_each_answer_is_of_one(
    trained: str, world: World, count: Callable[[int, int], int]
) -> None:
    requests, versions = count(36, 10_000), ["", trained] * 6
    mentee = mentee_of(world.rows["goals"][-1])
    answers: list[dict[str, Any]] = []
    is_over = threading.Event()

    def go_on_asking(address: str) -> None:
        while not is_over.is_set():
            answers.append(ask_patiently(address, mentee))

    with serving() as address:
        threads = [threading.Thread(target=go_on_asking, args=(address,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + max(120, requests / 4)
        for version in versions:
            Registry(models()).promote(version)
            time.sleep(0.5)
            enough = len(answers) + max(len(threads), -(-requests // len(versions)))  # each of them was asked since
            while len(answers) < enough:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        is_over.set()
        for thread in threads:
            thread.join()
    assert len(answers) >= requests
    assert [answer["errors"] for answer in answers if "errors" in answer] == []
    seen = set()
    for answer in answers:
        one, other = answer["data"]["one"], answer["data"]["other"]
        assert one == other
        seen.add(one["modelVersion"])
        for edge in one["edges"]:
            signals = [signal["name"] for signal in edge["node"]["signals"]]
            assert ("network" in signals) == (one["modelVersion"] == trained)
            total = sum(signal["contribution"] for signal in edge["node"]["signals"])
            assert edge["node"]["score"] == pytest.approx(total, abs=1e-6)
    assert seen == {"rules", trained}


def test_the_page_shows_the_part_of_the_network_its_evidence_and_the_card(trained: str, world: World) -> None:
    query = "query ($mentee: ID!) { one: recommendMentors(menteeId: $mentee, first: 1) { edges { node { id } } } }"
    with serving() as address:
        for goal in world.rows["goals"][-20:]:
            answer = ask_patiently(address, mentee_of(goal), query)
            codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
            assert codes <= {"CONSENT_REQUIRED"}, answer
            for edge in (answer["data"]["one"] or {"edges": []})["edges"]:
                with urlopen(f"{address}/why/{edge['node']['id']}", timeout=60) as page:  # noqa: S310
                    shown = page.read().decode()
                assert '<th scope="row">network<span class="unit">times likelier than chance' in shown
                assert f"<dd>{trained} · <a href" in shown
                if ">network · without it the score would be " in shown.replace('<p class="quiet">', ">"):
                    with urlopen(f"{address}/models/{trained}", timeout=60) as page:  # noqa: S310
                        assert "NDCG@10" in page.read().decode()
                    return
    pytest.fail("no path explains what the network said to any of them")


def test_nothing_is_taught_again_before_enough_has_changed(trained: str) -> None:
    found = mentorgraph("drift", "--json")
    told = json.loads(found.stdout)
    assert (found.exit_code, told["version"], told["moved"]) == (0, trained, [])
    assert {each["kind"] for each in told["shifts"]} == {"features", "scores", "outcomes"}
    assert "Nothing has moved." in mentorgraph("drift").stdout
    result = mentorgraph("train", "--when-changed", str(told["changed"] + 1))
    assert (result.exit_code, f"{trained} goes on." in result.output) == (0, True), result.output
    assert len(Registry(models()).versions()) >= 1
    assert Registry(models()).current() == trained


def test_a_loop_looks_tells_a_line_and_ends_on_an_interrupt(trained: str) -> None:
    """What was looked at and not taught with is not kept."""
    snapshots = models().parent / "snapshots"
    before = {each.name for each in snapshots.iterdir()}
    command: list[str | Path] = [COMMAND, "train", "--watch", "0.02", "--when-changed", "1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        last = process.stdout.read()
        assert process.wait(60) == 0
    for line in lines:
        assert line.endswith(f"fewer than 1000000, and nothing has moved; {trained} goes on.\n")
    assert last.endswith("Stopped watching; what serves goes on.\n")
    assert {each.name for each in snapshots.iterdir()} == before
    assert Registry(models()).current() == trained


def test_a_damaged_version_does_not_serve_and_the_rules_do(trained: str, world: World) -> None:
    for version in ("", trained):  # what served before goes on
        Registry(models()).promote(version)
    file = models() / trained / ARRAYS
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    try:
        assert served(world)["modelVersion"] == "rules"
        refused = mentorgraph("models", "promote", trained)
        assert (refused.exit_code, "not the file that was published" in refused.output) == (1, True)
    finally:
        file.write_bytes(whole)
    assert served(world)["modelVersion"] == trained


def test_a_past_time_is_judged_and_written_as_json(trained: str, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    result = mentorgraph(
        *("evaluate", "--from", "2026-03-01", "--setting", "no-unit", "--processes", "2", "--json", file)
    )
    assert result.exit_code == 0, result.output
    told = json.loads(file.read_text())
    assert {"served", "network", "linear fusion", "popularity"} <= {row["name"] for row in told["rows"]}
    for row in told["rows"]:
        assert row["kind"] in ("model", "baseline", "peer")
        assert row["setting"] == "no-unit"
        assert row["group"] in ("all", "newcomers", "rest") or row["group"].split()[0] in ("unit", "format")
        assert 0 <= row["low"] <= row["ndcg@10"] <= row["high"] <= 1
        assert {"mrr", "hr@10", "recall@20", "ndcg@20", "seconds", "peak_mb"} <= row.keys()
        assert {"coverage@10", "popularity@10", "gini@10"} <= row.keys()
    assert {each["group"] for each in told["ablation"]} == {row["group"] for row in told["rows"]} & {*EVERYBODY}
    assert told["settings"]["begin"].startswith("2026-03-01")
    assert told["settings"]["tuned"].keys() == BASELINES.keys()
    for condition in told["gate"]["conditions"]["served"]:
        assert f"  {'✓' if condition['holds'] else '✗'} {condition['told']}\n" in result.output
    assert f"{told['gate']['verdict']}\n" in result.output
    for condition in told["chance"]["conditions"]:
        assert f"  {'✓' if condition['holds'] else '✗'} {condition['told']}\n" in result.output
    progress = read_told(models().parent / FILE)
    assert progress
    assert (progress.what, progress.state, progress.verdict) == ("evaluate", JUDGED, told["gate"]["verdict"])
    assert Registry(models()).current() == trained


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
def test_without_a_gpu_nothing_is_taught_on_one(trained: str) -> None:
    result = mentorgraph("evaluate", "--from", "2026-03-01", "--device", "cuda")
    assert (result.exit_code, result.output.splitlines()[-1]) == (
        1,
        "Error: there is no GPU that this torch can use, so nothing can be taught on cuda; leave --device away",
    )


def test_too_little_data_is_said_and_changes_nothing(trained: str, tmp_path: Path) -> None:
    result = mentorgraph("evaluate", "--from", "2025-02-01")
    assert result.exit_code == 1
    assert "Error: too little to learn from: " in result.output
    assert "Traceback" not in result.output
    result = mentorgraph("evaluate", "--from", "2030-01-01")
    assert "choose an earlier day" in result.output
    progress = read_told(models().parent / FILE)
    assert progress
    assert progress.state == FAILED
    assert f"Error: {progress.verdict}\n" in result.output
    result = mentorgraph("train", "--snapshot", "20200101-000000000000")
    assert "holds no snapshot; make one with mentorgraph snapshot" in result.output
    assert Registry(models()).current() == trained


def test_what_would_serve_otherwise_than_it_was_judged_is_not_trained() -> None:
    assert mentorgraph("train", "--setting", "masked").exit_code == 2


def training_processes() -> list[int]:
    """Those of this home; other tests may be training as well."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        try:
            is_training = "mentorgraph.embeddings.process" in (process.info["cmdline"] or ())
            if is_training and process.environ().get("MENTORGRAPH_HOME") == os.environ["MENTORGRAPH_HOME"]:
                found.append(process.info["pid"])
        except psutil.Error:
            continue
    return found


@pytest.mark.drill
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_training_that_is_cut_short_leaves_what_serves(trained: str, how: signal.Signals) -> None:
    before = Registry(models()).versions()
    with subprocess.Popen([COMMAND, "train"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for said in process.stderr:
            if said.startswith("epoch"):
                assert training_processes()
                progress = read_told(models().parent / FILE)
                assert progress
                assert (progress.what, progress.state) == ("train", RUNNING)
                process.send_signal(how)
                break
        rest = process.stderr.read()
        process.wait(60)
    assert process.returncode != 0
    if how == signal.SIGINT:
        assert rest.endswith("Error: interrupted; what serves is untouched\n")
    assert Registry(models()).versions() == before
    assert Registry(models()).current() == trained
    deadline = time.monotonic() + 30
    while not ((told := read_told(models().parent / FILE)) and told.state == INTERRUPTED and not training_processes()):
        assert time.monotonic() < deadline, "a training process was left behind"
        time.sleep(0.2)


@pytest.mark.drill
def test_a_training_process_ends_with_whoever_started_it_also_while_it_says_nothing(tmp_path: Path) -> None:
    def begin(*, ends_with_input: bool) -> "subprocess.Popen[bytes]":
        file = tmp_path / f"{ends_with_input}.json"
        file.write_text(json.dumps({"what": "generate nothing", "ends_with_input": ends_with_input}))
        command: list[str | Path] = [sys.executable, "-c", QUIET, file]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    with begin(ends_with_input=True) as held, begin(ends_with_input=False) as other:
        for process in (held, other):
            assert process.stdout
            assert process.stdout.readline() == b"begun\n"
            assert process.stdin
            process.stdin.close()
        assert held.wait(30) == 1
        assert other.poll() is None
        other.kill()


def edited(world: World, edits: int, folder: Path, turn: int = 1) -> None:
    """Writes a bundle in which so many levels and descriptions are others than those of every other turn."""
    write(world, folder)
    for name in ("person_skills", "goals"):
        rows = world.rows[name]
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, rows[0].keys())
            out.writeheader()
            for row in rows:
                changed = dict(row)
                if edits and name == "goals":
                    changed["description"] += f" Evening {turn} suits me best."
                elif edits:
                    changed["level"] = str((int(row["level"] or 0) + turn - 1) % 5 + 1)
                edits -= changed != row
                out.writerow(changed)
    assert edits <= 0


def kept() -> list[Decision]:
    """All answers that this home has kept, with everything that was shown."""
    kept = DecisionLog(Path(os.environ["MENTORGRAPH_HOME"]) / FOLDER).records.all()
    return [each for each in kept if isinstance(each, Decision)]


@pytest.mark.drill
def test_kept_answers_replay_after_retrainings_many_edits_and_another_policy(
    trained: str,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: Callable[[int, int], int],
) -> None:
    answers, edits, retrainings = count(20, 500), count(200, 10_000), count(1, 3)
    other = tmp_path / "policy.toml"
    other.write_text(POLICY_TEXT.replace("max_mentees = 3 ", "max_mentees = 4 "), "utf-8")
    assert other.read_text("utf-8") != POLICY_TEXT
    goals, of_policy = reversed(world.rows["goals"]), 0
    for policy in (None, other):
        if policy:
            monkeypatch.setenv("MENTORGRAPH_POLICY", str(policy))
        with serving() as address:
            for goal in goals:
                errors = ask_patiently(address, mentee_of(goal)).get("errors", [])
                assert {error["extensions"]["code"] for error in errors} <= {"CONSENT_REQUIRED"}
                of_policy += 0 if errors else 2
                if of_policy >= answers / (1 if policy else 2):
                    break
    before, told = mentorgraph("replay", "--all"), kept()
    assert (before.exit_code, "all match" in before.stdout) == (0, True), before.output
    assert int(before.stdout.split(" answers", maxsplit=1)[0]) >= answers
    assert len({decision.policy_version for decision in told}) == 2
    assert any(each.recommendation.evidence for decision in told for each in decision.recommended)

    for turn in range(1, retrainings + 1):
        edited(world, -(-edits // retrainings), tmp_path / str(turn), turn)
        assert mentorgraph("import", tmp_path / str(turn)).exit_code == 0
        result = mentorgraph("train", "--seed", str(turn), "--force", "the same once more")
        assert result.exit_code == 0, result.output
    assert Registry(models()).current() != trained
    after = mentorgraph("replay", "--all")
    assert (after.exit_code, after.stdout) == (0, before.stdout)
    assert kept() == told
    served(world)
    assert mentorgraph("replay", "--all").stdout != before.stdout
    for _ in range(retrainings):
        assert mentorgraph("models", "rollback").exit_code == 0


def test_old_versions_are_deleted(trained: str) -> None:
    """But not the one that serves, nor one by which a kept answer was made."""
    kept = Registry(models()).versions()
    Registry(models()).publish({}, {"t": []}, {"created": "2026-01-01", "rows": []}, "")
    result = mentorgraph("models", "prune", "--keep", "0")
    assert result.stdout.endswith("1 versions deleted.\n")
    assert Registry(models()).versions() == kept
    assert trained in kept


@pytest.mark.parametrize("command", [("snapshot",), ("train",), ("evaluate",), ("models", "list")])
def test_help_teaches_by_an_example(command: tuple[str, ...]) -> None:
    result = mentorgraph(*command, "--help")
    assert f"Example:\n    mentorgraph {' '.join(command)}" in result.stdout
