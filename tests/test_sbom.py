"""The list of what a release is made of: valid, and with every package and archive that the locks name."""

import importlib.util
import json
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement

from mentorgraph.graph.embedded.jars import lock_file, read_lock
from mentorgraph.graph.embedded.lines import LINES

FOLDER = Path(__file__).parents[1] / "requirements"


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", FOLDER / "sbom.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(sbom: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("sbom") / "sbom.json"
    sbom.main(str(file))
    return file.read_text("utf-8")


@pytest.fixture(scope="module")
def components(written: str) -> dict[str, dict[str, Any]]:
    return {each["bom-ref"]: each for each in json.loads(written)["components"]}


def test_it_follows_the_standard(written: str) -> None:
    # Its grammars take seconds to build, which every process of a run would spend that only collects this test.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(written) is None
    assert validator.validate_str(written.replace('"type": "library"', '"type": "bookshelf"', 1)) is not None


@pytest.mark.parametrize(("name", "fewest"), [("serve", 20), ("demo", 20), ("train", 20), ("text", 1)])
def test_every_locked_package_is_in_it_with_its_hashes(
    name: str, fewest: int, components: dict[str, dict[str, Any]]
) -> None:
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    pinned = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.+!]+)", text, re.MULTILINE)
    assert len(pinned) >= fewest
    told = {(each["name"], each["version"]): {one["content"] for one in each["hashes"]} for each in components.values()}
    for package, version in pinned:
        [block] = re.findall(rf"^{package}(?:\[[\w,]+\])?=={re.escape(version)}\b.*(?:\n .*)*", text, re.MULTILINE)
        assert told[package, version] == set(re.findall(r"sha256:(\w{64})", block))


@pytest.mark.parametrize(("name", "extras"), [("serve", ()), ("demo", ("embedded",)), ("train", ("train",))])
def test_what_the_project_depends_on_is_locked(name: str, extras: tuple[str, ...]) -> None:
    """An image installs the lock and nothing else."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text("utf-8"))["project"]
    locked = set(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", (FOLDER / f"{name}.txt").read_text("utf-8"), re.MULTILINE))
    wanted = [*project["dependencies"], *(each for extra in extras for each in project["optional-dependencies"][extra])]
    assert {Requirement(each).name for each in wanted} - locked == set()


@pytest.mark.parametrize("line", LINES)
def test_every_archive_of_neo4j_is_in_it_with_its_hash(line: str, components: dict[str, dict[str, Any]]) -> None:
    jars = read_lock(lock_file(LINES[line]).read_text("utf-8"))
    assert len(jars) > 100
    for jar in jars:
        assert components[str(jar)]["purl"].startswith(f"pkg:maven/{jar.group}/{jar.artifact}@{jar.version}")
        assert [each["content"] for each in components[str(jar)]["hashes"]] == [jar.sha256]


@pytest.mark.parametrize("row", ["starlette>=1", "starlette==1.0.0", "starlette==1.0.0 \\\n    # via mentorgraph"])
def test_what_is_not_pinned_with_hashes_is_refused(sbom: ModuleType, row: str) -> None:
    with pytest.raises(ValueError, match="pin it to one version with its hashes"):
        list(sbom.wheels(f"anyio==4 \\\n    --hash=sha256:{'0' * 64}\n{row}\n"))
