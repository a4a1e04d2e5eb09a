"""`mentorgraph world` on the command line."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mentorgraph.api.commands import main
from mentorgraph.embeddings.bands import Difficulty
from mentorgraph.graph.world.tables import COLUMNS, COLUMNS_2, World


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["world", *words])
    return result.exit_code, result.output


def test_generate_writes_the_bundle_and_the_truth_beside_it(tmp_path: Path) -> None:
    out, truth = tmp_path / "bundle", tmp_path / "truth.json"
    code, said = run("generate", "--people", "60", "--months", "3", "--out", str(out), "--truth", str(truth))
    assert code == 0, said
    assert {path.stem for path in out.iterdir()} == set(COLUMNS)
    assert "60 people" in said
    assert "from 2026-04-01 to 2026-06-30" in said
    assert json.loads(truth.read_text(encoding="utf-8"))["version"] == 1


def test_generate_writes_version_2_with_its_pattern(tmp_path: Path) -> None:
    out, truth = tmp_path / "bundle", tmp_path / "truth.json"
    words = ("--people", "60", "--months", "3", "--version", "2", "--pattern", "bad")
    code, said = run("generate", *words, "--out", str(out), "--truth", str(truth))
    assert code == 0, said
    assert {path.stem for path in out.iterdir()} == set(COLUMNS_2)
    told = json.loads(truth.read_text(encoding="utf-8"))
    assert (told["version"], told["pattern"]["outcomes"]) == (2, "bad")


def test_version_1_has_no_pattern(tmp_path: Path) -> None:
    code, said = run("generate", "--pattern", "bad", "--out", str(tmp_path / "bundle"))
    assert code == 2
    assert "add --version 2" in said
    assert not (tmp_path / "bundle").exists()


def test_the_truth_is_not_written_unless_it_is_asked_for(tmp_path: Path) -> None:
    code, _ = run("generate", "--people", "60", "--months", "3", "--out", str(tmp_path / "bundle"))
    assert code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_truth_inside_the_bundle_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    code, said = run("generate", "--people", "60", "--out", str(out), "--truth", str(out / "truth.json"))
    assert code == 2
    assert "a model could read it" in " ".join(said.split())
    assert not out.exists()


@pytest.mark.parametrize(("share", "code"), [(0.5, 0), (0.7, 1)])
def test_check_fails_when_a_figure_leaves_its_band(monkeypatch: pytest.MonkeyPatch, share: float, code: int) -> None:
    def measured(made: World) -> Difficulty:
        return Difficulty(len(made.tables.rows["goals"]), 7, 0.2, share, 0.1)

    monkeypatch.setattr(sys.modules["mentorgraph.api.commands.world"], "difficulty_of", measured)
    found, said = run("check", "--people", "60", "--seed", "3")
    assert found == code
    assert ("outside the bands with seed 3" in said) is (code == 1)
