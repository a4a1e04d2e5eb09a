"""The import rules of pyproject.toml see every module, and a planted import that they forbid breaks them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("api", "graph", "embeddings", "cypher")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages, in which imports can be planted."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / "mentorgraph" / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def check(copy: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the copy."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    environment = {**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "300"}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)


def test_the_rules_hold_and_see_every_module(copy: Path) -> None:
    checked = check(copy)
    modules = [file for package in PACKAGES[:3] for file in (copy / "mentorgraph" / package).rglob("*.py")]
    assert checked.returncode == 0, checked.stdout
    seen = int(checked.stdout.split("Analyzed ")[1].split(" files")[0])
    assert seen >= len(modules)


@pytest.mark.parametrize(
    ("module", "forbidden", "rule"),
    [
        ("graph/rules/evaluator.py", "mentorgraph.api.errors", "imports go one way"),
        ("graph/rules/evaluator.py", "mentorgraph.embeddings.metrics", "imports go one way"),
        ("graph/embedded/folder.py", "starlette.requests", "only api knows GraphQL and HTTP"),
        ("embeddings/metrics.py", "graphql", "only api knows GraphQL and HTTP"),
        ("api/commands/serve.py", "torch", "nothing that serves reaches torch"),
        ("graph/world/draws.py", "torch_geometric.nn", "nothing that serves reaches torch"),
        ("graph/rules/evaluator.py", "mentorgraph.graph.store.store", "the model and the rules are pure"),
        ("graph/pairings/pairing.py", "neo4j", "only the modules of the database know the driver"),
        ("graph/ranking/matching.py", "neo4j", "only the modules of the database know the driver"),
        ("graph/columns/columns.py", "mentorgraph.graph.ranking.matching", "no cycles among the modules of a package"),
    ],
)
def test_a_forbidden_import_is_found(module: str, forbidden: str, rule: str, copy: Path) -> None:
    file = copy / "mentorgraph" / module
    file.write_text(f"{file.read_text('utf-8')}\nimport {forbidden}\n", "utf-8")
    checked = check(copy)
    assert checked.returncode == 1
    assert [line for line in checked.stdout.splitlines() if rule in line and "BROKEN" in line]
