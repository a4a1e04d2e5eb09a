"""`import --guess` and `import --mapping` as a coordinator meets them, and the page that teaches them."""

import csv
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.graph.embedded.database import EmbeddedDatabase

PAGE = (Path(__file__).parents[2] / "docs" / "spreadsheets.md").read_text("utf-8")
CONSENT = ("--consent", "matching", "--basis", "terms")
MENTORS = "Name,E-mail,Skills\nAda,ada@x.org,Excel\nBo,bo@x.org,Law\n"


def mentorgraph(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def last_line(result: Result) -> str:
    return result.stdout.splitlines()[-1]


def hash_of_graph() -> str:
    return last_line(mentorgraph("db", "check")).split()[-1]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, name: str, content: str) -> str:
    (folder / name).write_text(content, "utf-8")
    return name


def guessed(folder: Path, *files: str) -> str:
    return written(folder, "mapping.toml", mentorgraph("import", "--guess", *files).stdout)


def commands_of_page() -> list[list[str]]:
    blocks = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def run_as_in_a_shell(folder: Path, words: Sequence[str]) -> Result:
    """Runs a command of the page, its output into a file where it says so."""
    target = words[words.index(">") + 1] if ">" in words else ""
    result = mentorgraph(*words[1 : words.index(">") if target else None])
    if target:
        written(folder, target, result.stdout)
    return result


def test_the_page_works_as_it_stands(emptied: EmbeddedDatabase, folder: Path) -> None:
    for name, content in re.findall(r"`(\w+\.csv)`:\n\n```csv\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        written(folder, name, content)
    assert sorted(path.name for path in folder.glob("*.csv")) == ["mentees.csv", "mentors.csv"]
    before = hash_of_graph()
    guess, dry_run, real, roster = [run_as_in_a_shell(folder, words) for words in commands_of_page()]
    assert [each.exit_code for each in (guess, dry_run, real, roster)] == [0, 0, 0, 0]
    [shown] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert shown.strip() in guess.stdout
    assert before != hash_of_graph()
    assert dry_run.stdout.splitlines()[-2:] == ["Dry run: nothing was written.", last_line(real)]
    assert last_line(real) == "created 23, changed 0, ended 0, refused 0"
    assert last_line(roster) == "created 0, changed 0, ended 0, refused 0"
    assert {"0 join", "0 move", "0 leave"} <= set(roster.stdout.splitlines())
    assert [(row["person"], row["status"]) for row in rows_of(folder / "rows.csv")] == [
        ("cleo.lenz@example.org", "created"),
        ("bram.sommer@example.org", "created"),
        ("ada.winter@example.org", "created"),
        ("bram.sommer@example.org", "created"),
    ]


def test_refused_rows_and_warnings_are_shown_and_written(emptied: EmbeddedDatabase, folder: Path) -> None:
    mapping = guessed(folder, written(folder, "mentors.csv", MENTORS))
    written(folder, "mentors.csv", MENTORS + "Cy,cy,Law\n=Di(),,Law\n")
    result = mentorgraph(
        "import", "--mapping", mapping, "mentors.csv", *CONSENT, "--result", "rows.csv", "--report", "refused.csv"
    )
    assert (result.exit_code, last_line(result)) == (1, "created 14, changed 0, ended 0, refused 1")
    reason = "E-mail 'cy': is not one e-mail address; write it as name@example.org, or leave the cell empty"
    warning = "has no e-mail address: the person is known by the name, within this table only"
    assert f"mentors.csv:4 {reason}" in result.stdout
    assert f"Warning: mentors.csv:5 {warning}" in result.stdout
    assert [tuple(row.values()) for row in rows_of(folder / "rows.csv")] == [
        ("mentors.csv", "2", "ada@x.org", "created", "", ""),
        ("mentors.csv", "3", "bo@x.org", "created", "", ""),
        ("mentors.csv", "4", "", "refused", reason, ""),
        ("mentors.csv", "5", "mentors/=di()", "created", "", warning),
    ]
    assert [row["line"] for row in rows_of(folder / "refused.csv")] == ["4"]


def test_a_roster_that_lost_too_many_is_one_sentence_and_changes_nothing(
    emptied: EmbeddedDatabase, folder: Path
) -> None:
    mapping = guessed(folder, written(folder, "mentors.csv", MENTORS))
    mentorgraph("import", "--mapping", mapping, "mentors.csv", *CONSENT)
    before = hash_of_graph()
    written(folder, "mentors.csv", MENTORS.replace("Bo,bo@x.org,Law\n", ""))
    words = ("import", "--mapping", mapping, "mentors.csv", "--roster", *CONSENT)
    result = mentorgraph(*words)
    assert (result.exit_code, hash_of_graph()) == (1, before)
    assert result.stderr.splitlines()[-1] == (
        "Error: 1 of the 2 people of spreadsheet are not in this roster, more than --max-leavers 5%; "
        "see that the files are whole, or allow more. Nothing was written"
    )
    result = mentorgraph(*words, "--max-leavers", "50%")
    assert (result.exit_code, "1 leave: bo@x.org" in result.stdout) == (0, True)
    assert last_line(result) == "created 0, changed 0, ended 3, refused 0"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("import", "mentors.csv"), "run mentorgraph import --guess mentors.csv > mapping.toml"),
        (("import", "--guess", "--mapping", "m.toml", "mentors.csv"), "give one of them"),
        (("import", "--roster", "folder"), "give --mapping M.toml too"),
        (("import", "--mapping", "none.toml", "mentors.csv"), "none.toml cannot be read"),
        (("import", "--mapping", "m.toml", "mentors.csv"), "m.toml: version is not 1"),
        (("import", "--guess", "none.csv"), "none.csv cannot be read"),
        (("import", "--mapping", "m.toml", "mentors.csv", "--max-leavers", "many"), "write it as 5% or 12"),
        (
            ("import", "--mapping", "m.toml", "mentors.csv", "--consent", "matching"),
            "--consent and --basis go together",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(folder: Path, words: tuple[str, ...], message: str) -> None:
    written(folder, "mentors.csv", MENTORS)
    written(folder, "m.toml", "")
    result = mentorgraph(*words)
    assert result.exit_code in (1, 2)
    assert message in result.stderr.splitlines()[-1]


def test_the_help_teaches_the_way_of_a_spreadsheet() -> None:
    shown = mentorgraph("import", "--help").stdout
    assert "mentorgraph import --guess mentors.xlsx mentees.csv > mapping.toml\n" in shown
    assert "mentorgraph import --mapping hr.toml everybody.csv --roster --max-leavers 5%\n" in shown
