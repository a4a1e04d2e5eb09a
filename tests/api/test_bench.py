"""`mentorgraph bench`, on communities so small that the figures mean nothing but their form does."""

import gzip
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from mentorgraph.api.benchmarks import lists, recommend
from mentorgraph.api.benchmarks.figures import BASELINE, OURS, PEER, Findings, Target, absent, row, spread
from mentorgraph.api.benchmarks.gowalla import FUSED, SPECTRAL
from mentorgraph.api.benchmarks.recommend import FIRST, OVERLAP, ROUND_TRIP, TRUTH, gain
from mentorgraph.api.commands import main
from mentorgraph.graph.embedded.database import attach
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import write

from ..test_readme import commands_in

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text("utf-8")
DOCUMENTED = [words[1:] for words in commands_in(PAGE) if words[:2] == ["mentorgraph", "bench"]]
TINY = {"--people": "150", "--goals": "6", "--pairs": "2"}
KNOWN = {"recommend": "--goals", "explanations": "--pairs"}
OF_EVALUATE = {"name", "kind", "setting", "group"}


def tiny(words: list[str], folder: Path) -> list[str]:
    """A documented command with small numbers, and with files of its own."""
    found = []
    for before, word in zip(["", *words], words, strict=False):
        found.append(TINY.get(before, str(folder / word) if before in ("--keep", "--json") else word))
    for option, number in TINY.items():
        if option not in words and option in ("--people", KNOWN.get(words[1])):
            found += [option, number]
    return found


def told(folder: Path, *words: str) -> dict[str, Any]:
    file = folder / "figures.json"
    result = CliRunner().invoke(main, [*words, "--json", str(file)])
    assert result.exit_code == 0, result.output
    return dict(json.loads(file.read_bytes()))


def test_the_page_has_commands_of_every_benchmark() -> None:
    group = main.get_command(click.Context(main), "bench")
    assert isinstance(group, click.Group)
    assert {words[1] for words in DOCUMENTED} == set(group.list_commands(click.Context(group)))


@pytest.mark.parametrize("words", DOCUMENTED, ids=" ".join)
def test_every_command_of_the_page_is_understood(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "DIR").mkdir()
    monkeypatch.chdir(tmp_path)
    command: click.Command = main
    for word in words[:2]:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    words = [str(tmp_path) if before == "--apollo" else word for before, word in zip(["", *words], words, strict=False)]
    command.make_context(words[1], words[2:])
    with pytest.raises(click.NoSuchOption):
        command.make_context(words[1], [*words[2:], "--unheard-of"])


@pytest.mark.drill
def test_lists_are_measured_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://nowhere.example.org")  # the benchmark never asks this database
    monkeypatch.setattr(recommend, "WARM_UP", 2)
    [words] = [each for each in DOCUMENTED if each[1] == "recommend" and "--keep" in each]
    small = tiny(words, tmp_path)
    found = told(tmp_path, *small)
    rows = {each["name"]: each for each in found["rows"] if each["group"] == "all"}
    lists = [f"list of {FIRST} by rules", f"list of {FIRST} by rules, with paths"]
    assert list(rows) == [ROUND_TRIP, OVERLAP, *lists, TRUTH]
    assert [each["kind"] for each in rows.values()] == [BASELINE, PEER, OURS, OURS, BASELINE]
    truth = rows.pop(TRUTH)
    assert truth["ndcg@10"] > 0
    assert truth["low"] <= truth["ndcg@10"] <= truth["high"]
    # Where the query finds nothing in some draws of so few goals the ratio has no upper end, and JSON no infinity.
    assert truth["to_overlap_high"] is None or truth["to_overlap_low"] <= truth["to_overlap_high"]
    assert {each["group"] for each in found["rows"]} >= {"all", "newcomers"}
    assert all(set(each) >= OF_EVALUATE for each in rows.values())
    assert rows[ROUND_TRIP]["p50_in_round_trips"] == 1
    assert rows[OVERLAP]["p95_to_overlap"] == 1
    assert all(each["p95_ms"] >= each["p50_ms"] > 0 for each in rows.values())
    assert found["settings"]["people"] == 150
    assert len(found["targets"]) >= 4
    with attach(tmp_path / "big"):  # so that both find the database running
        again = told(tmp_path, *small)
        refused = CliRunner().invoke(main, [*small, "--people", "151"])
    assert again["settings"]["pairings"] == found["settings"]["pairings"]
    assert refused.exit_code == 1
    assert "holds another graph" in refused.output


@pytest.mark.drill
def test_reasons_are_measured_beside_gnn_explainer(tmp_path: Path) -> None:
    [words] = [each for each in DOCUMENTED if each[1] == "explanations"][:1]
    small = tiny(words, tmp_path)
    small[small.index("--people") + 1] = "600"
    found = told(tmp_path, *small)
    kinds = {each["name"]: each["kind"] for each in found["rows"]}
    assert kinds == {"paths ranked by deletion": OURS, "GNNExplainer": PEER, "by chance": BASELINE}
    assert found["settings"]["pairs"] == 2
    assert next(each for each in found["rows"] if each["kind"] == PEER)["times_ours"] > 1


def test_retrieval_is_exact_and_told_of_without_the_peer(tmp_path: Path) -> None:
    found = told(tmp_path, "bench", "retrieval", "--mentors", "3000", "--queries", "30")
    assert found["rows"][0]["recall"] == 1
    assert found["rows"][0]["times_ours"] == 1
    if find_spec("faiss") is None:
        assert found["notes"] == ["faiss FlatIP is left out: the package faiss is not installed."]
        assert len(found["rows"]) == 1


@pytest.mark.drill
def test_a_step_is_measured_beside_lightgcn_and_is_the_same_step(tmp_path: Path) -> None:
    small = ("--people", "200", "--pairings", "900", "--dimensions", "8", "--steps", "2")
    found = told(tmp_path, "bench", "training-step", *small)
    assert [each["kind"] for each in found["rows"]] == [OURS, PEER]
    assert found["targets"][1]["is_met"]
    assert found["targets"][1]["told"].startswith("vectors and gradients of the first step differ by ")


def planted(folder: Path) -> None:
    """People of six circles, each of whom chose twelve of the 25 things of their circle; four more are to be found."""
    draws = np.random.default_rng(0)
    lines: dict[str, list[str]] = {"train": [], "test": []}
    for user in range(150):
        own = (draws.choice(25, 16, replace=False) + 25 * (user % 6)).tolist()
        lines["train"].append(" ".join(map(str, [user, *own[:12]])))
        lines["test"].append(" ".join(map(str, [user, *own[12:]])))
    (folder / "test.txt").write_text("\n".join(lines["test"]))
    with gzip.open(folder / "train.txt.gz", "wt") as file:
        file.write("\n".join(lines["train"]))


def test_histories_of_choices_are_measured_on_a_folder_of_ones_own(tmp_path: Path) -> None:
    planted(tmp_path)
    found = told(tmp_path, "bench", "gowalla", "--data", str(tmp_path))
    figures = {each["name"]: each for each in found["rows"]}
    assert figures[SPECTRAL]["recall@20"] == 1  # 13 things are left in each circle
    assert figures[FUSED]["ndcg@20"] > 2 * figures["popularity"]["ndcg@20"]
    assert figures[SPECTRAL]["ndcg@20"] < 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("0 1 2\n1 x\n", "train.txt, line 2: a user and items are whole numbers"), ("", "train.txt holds no choice")],
)
def test_a_history_that_cannot_be_read_is_told_of(content: str, sentence: str, tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["bench", "gowalla", "--data", str(tmp_path)])
    assert (refused.exit_code, "holds neither train.txt nor train.txt.gz" in refused.output) == (1, True)
    (tmp_path / "train.txt").write_text(content)
    (tmp_path / "test.txt").write_text("0 3\n")
    refused = CliRunner().invoke(main, ["bench", "gowalla", "--data", str(tmp_path)])
    assert (refused.exit_code, sentence in refused.output) == (1, True)


@pytest.mark.drill
def test_one_list_is_measured_beside_other_servers(tmp_path: Path) -> None:
    found = told(tmp_path, "bench", "api", "--only", "list", "--requests", "40")
    rows = {each["name"]: each for each in found["rows"]}
    peers = {"strawberry", "ariadne"} & set(rows)
    assert set(rows) == {"mentorgraph", "starlette alone"} | peers
    assert {rows[name]["kind"] for name in peers} <= {PEER}
    assert rows["starlette alone"]["to_bare"] == 1
    assert rows["mentorgraph"]["to_ours"] == 1
    assert all(each["cpu_us"] > 0 and each["memory_mb"] > 10 for each in rows.values())
    assert len(found["notes"]) == 3 - len(peers)  # Apollo Server, and whoever is not installed
    assert len(found["targets"]) == 1 + len(peers)


def test_a_server_that_answers_something_else_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PEERS", {})
    monkeypatch.setattr(lists, "REQUEST", b'{"query": "{ mentors { id } }"}')
    result = CliRunner().invoke(main, ["bench", "api", "--only", "list", "--requests", "40"])
    assert result.exit_code == 1
    assert "other than the list" in result.output


def test_too_few_people_are_said_in_a_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["bench", "recommend", "--people", "10"])
    assert result.exit_code == 2
    assert "--people" in result.output


def test_a_list_that_lacks_the_mentor_gains_nothing() -> None:
    mentors = [f"m{place}" for place in range(FIRST)]
    assert gain(mentors, frozenset({"m0"})) == 1
    assert 0 < gain(mentors, frozenset({"m9"})) < gain(mentors, frozenset({"m1"})) < 1
    assert gain(mentors, frozenset({"nobody"})) == 0
    assert gain(mentors, frozenset({"m0", "nobody"})) < gain(mentors, frozenset({"m0", "m1"}))


def test_findings_are_written_in_the_form_of_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        row("ours", OURS, "rules", **spread([0.01, 0.02]), low=0.1, high=0.2),
        row("theirs", PEER, "", **spread([0.1, 0.2])),
    ]
    found = Findings("Title", rows, {"people": 3}, (Target("fast", True), Target("better", False)), ("A note.",))
    found.show()
    shown = capsys.readouterr().out
    assert "✓ fast" in shown
    assert "✗ better" in shown
    assert "0.100–0.200" in shown
    assert "A note." in shown
    assert "…" not in shown
    found.write(tmp_path / "figures.json")
    written: Mapping[str, Any] = json.loads((tmp_path / "figures.json").read_bytes())
    assert written["rows"] == rows
    assert written["targets"] == [{"told": "fast", "is_met": True}, {"told": "better", "is_met": False}]
    assert {"people", "machine"} == set(written["settings"])


def test_a_peer_that_is_not_installed_is_told() -> None:
    assert absent("numpy's", "numpy") is None
    assert absent("A peer", "no_such_package") == "A peer is left out: the package no_such_package is not installed."


@pytest.mark.slow
def test_a_bundle_is_ranked_in_a_past_time_without_a_database(tmp_path: Path) -> None:
    write(generate(600, months=18, seed=3), tmp_path / "bundle")
    found = told(tmp_path, "bench", "ranking", "--bundle", str(tmp_path / "bundle"), "--from", "2026-03-01")
    rows = {(each["name"], each["group"]): each for each in found["rows"]}
    assert {each["kind"] for each in found["rows"]} == {OURS, BASELINE}
    assert rows["served, roster known", "all"]["ndcg@10"] >= rows["served", "all"]["ndcg@10"] > 0
    assert [each["told"].startswith(("the network adds ", "the network alone is ")) for each in found["targets"]] == [
        True
    ] * len(found["targets"])
    assert found["settings"]["begin"].startswith("2026-03-01")
