"""`import`, `export`, `db migrate` and `db check` as a person at the keyboard meets them."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import neo4j
import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import write

from ..conftest import run_directly

EVERY_COLUMN = Path(__file__).parents[1] / "every_column"
ROWS = 127


def mentorgraph(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def last_line(result: Result) -> str:
    return result.stdout.splitlines()[-1]


def hash_of_graph() -> str:
    result = mentorgraph("db", "check")
    assert result.exit_code == 0, result.output
    return last_line(result).split()[-1]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the bundle that has every column."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    for path in EVERY_COLUMN.glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize("command", [("import",), ("export",), ("db", "migrate"), ("db", "check")])
def test_help_teaches_by_an_example(command: tuple[str, ...]) -> None:
    result = mentorgraph(*command, "--help")
    assert result.exit_code == 0
    assert f"Example:\n    mentorgraph {' '.join(command)}" in result.stdout


def test_a_database_is_brought_to_the_model_once(emptied: EmbeddedDatabase) -> None:
    assert mentorgraph("db", "migrate").stdout == "The database is up to date; nothing was applied.\n"


def test_a_bundle_goes_in_and_out_and_in_again(emptied: EmbeddedDatabase, bundle: Path, tmp_path: Path) -> None:
    result = mentorgraph("import", bundle)
    assert (result.exit_code, result.stderr.count("\x1b")) == (0, 0)
    assert last_line(result) == f"created {ROWS}, changed 1, ended 0, refused 0"
    first = hash_of_graph()

    result = mentorgraph("export", tmp_path / "out")
    assert result.exit_code == 0
    assert last_line(result) == f"{tmp_path / 'out'}: {ROWS + 10} rows"

    result = mentorgraph("import", tmp_path / "out")
    assert last_line(result) == "created 0, changed 0, ended 0, refused 0"
    assert hash_of_graph() == first

    result = mentorgraph("export", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.endswith(f"Error: {tmp_path / 'out'} is not empty; name a new folder\n")


def test_a_dry_run_says_so_and_writes_nothing(emptied: EmbeddedDatabase, bundle: Path) -> None:
    before = hash_of_graph()
    result = mentorgraph("import", bundle, "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2] == "Dry run: nothing was written."
    assert last_line(result).startswith("created ")
    assert hash_of_graph() == before


def test_refused_rows_are_shown_reported_and_set_the_exit_status(
    emptied: EmbeddedDatabase, bundle: Path, tmp_path: Path
) -> None:
    with (bundle / "units.csv").open("a") as stream:
        stream.writelines(f"x{number},,,,\n" for number in range(25))
    (bundle / "priorities.csv").write_bytes(
        "id,name,since,until\no1,Zürich,2025-01-01,\no2,B,2026-01-01,\n".encode("cp1252")
    )
    result = mentorgraph("import", bundle, "--report", tmp_path / "refused.csv")
    assert result.exit_code == 1
    shown = [line for line in result.stdout.splitlines() if line.startswith("units.csv:")]
    assert len(shown) == 20
    assert shown[0] == "units.csv:4 name '': is missing; fill it in"
    assert "… and 5 more; --report FILE.csv writes all of them." in result.stdout
    assert "Notice: priorities.csv is not UTF-8; read as cp1252" in result.stdout
    assert last_line(result).endswith("refused 25")
    with (tmp_path / "refused.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 25
    assert rows[-1] == {
        "file": "units.csv",
        "line": "28",
        "column": "name",
        "value": "",
        "reason": "is missing",
        "remedy": "fill it in",
    }


def test_consent_that_is_vouched_for_needs_its_basis(emptied: EmbeddedDatabase, bundle: Path) -> None:
    for options in (["--consent", "matching"], ["--basis", "terms"], ["--consent", "matching", "--basis", " "]):
        result = mentorgraph("import", bundle, *options)
        assert result.exit_code == 2
        assert "--consent and --basis go together" in result.stderr
    result = mentorgraph("import", bundle, "--consent", "matching,sales", "--basis", "terms")
    assert (result.exit_code, "'sales': is not one of the known values" in result.stderr) == (2, True)

    (bundle / "consents.csv").unlink()
    result = mentorgraph("import", bundle)
    assert (result.exit_code, "use --consent matching,training --basis TEXT" in result.stderr) == (1, True)
    result = mentorgraph("import", bundle, "--consent", "matching,training", "--basis", "terms of 2026")
    assert result.exit_code == 0, result.output
    counts = dict(line.split() for line in mentorgraph("db", "check").stdout.splitlines()[:-1])
    assert counts["consents"] == "10"


def test_what_goes_wrong_is_one_sentence(
    emptied: EmbeddedDatabase, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = mentorgraph("import", bundle / "nowhere")
    assert result.stderr == f"Error: {bundle / 'nowhere'} is not a folder; name the folder that holds people.csv\n"
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    result = mentorgraph("db", "check")
    assert (result.exit_code, result.stderr) == (1, "Error: the database cannot be reached; try again\n")
    monkeypatch.setenv("NEO4J_URI", "postgres://127.0.0.1")
    assert mentorgraph("db", "migrate").stderr.startswith("Error: NEO4J_URI is not a Neo4j address")


def test_what_only_reads_does_not_change_a_server_of_somebody_else(
    emptied: EmbeddedDatabase, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_directly(emptied, "MATCH (node:Migration) DETACH DELETE node")
    for name, value in (("URI", emptied.uri), ("USER", emptied.user), ("PASSWORD", emptied.password)):
        monkeypatch.setenv(f"NEO4J_{name}", value)
    for words in (["import", bundle, "--dry-run"], ["export", tmp_path / "out"], ["db", "check"]):
        result = mentorgraph(*words)
        assert (result.exit_code, "run mentorgraph db migrate first" in result.stderr) == (1, True)
    assert run_directly(emptied, "MATCH (node:Migration) RETURN node") == []
    assert mentorgraph("db", "migrate").stdout.startswith("applied ")
    assert mentorgraph("import", bundle, "--dry-run").exit_code == 0


def test_what_the_operator_can_mend_is_one_sentence(emptied: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("URI", emptied.uri), ("USER", emptied.user), ("PASSWORD", emptied.password)):
        monkeypatch.setenv(f"NEO4J_{name}", value)
    monkeypatch.setenv("NEO4J_DATABASE", "nothere")
    said = "Error: the server has no database of this name; correct NEO4J_DATABASE\n"
    assert (mentorgraph("db", "check").exit_code, mentorgraph("db", "check").stderr) == (1, said)


def test_a_fault_in_the_graph_is_shown_and_sets_the_exit_status(emptied: EmbeddedDatabase, bundle: Path) -> None:
    mentorgraph("import", bundle)
    with neo4j.GraphDatabase.driver(emptied.uri, auth=(emptied.user, emptied.password)) as driver:
        driver.execute_query("MATCH (person:Person) SET person.colour = 'blue'")
    result = mentorgraph("db", "check")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1].startswith("people                    5  ")
    assert result.stdout.splitlines()[1].endswith("  colour is not a property of the model")
    assert result.stderr.endswith(
        "Error: the graph does not follow the model; each line says what is wrong with how many facts\n"
    )


# --- imports that are cut short -------------------------------------------------------------------------------------

IMPORT = "from mentorgraph.api.commands import main; main()"


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("community")
    write(generate(60, months=6, seed=1), folder)
    return folder


def interrupted(folder: Path, after: str) -> tuple[int, str]:
    """Imports in a process of its own and interrupts it once it has begun a file; gives status and last words."""
    command = [sys.executable, "-c", IMPORT, "import", str(folder)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=os.environ
    ) as process:
        assert process.stderr
        for said in process.stderr:
            if said.startswith(after):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
        return process.wait(60), rest


def test_an_import_that_was_interrupted_says_what_holds(emptied: EmbeddedDatabase, community: Path) -> None:
    status, words = interrupted(community, "people.csv")
    assert status == 1
    assert words.endswith("Error: interrupted; what was written is whole, and a repeated import completes it\n")
    assert "Traceback" not in words
