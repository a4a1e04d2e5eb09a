"""Settings: from the environment and from a file, all faults at once, secrets never shown."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mentorgraph.api.commands import main
from mentorgraph.api.settings import (
    ELSEWHERE,
    KNOWN,
    PREFIX,
    BadSettings,
    read_settings,
    shown,
    take_file,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def _nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for known in KNOWN.values():
        monkeypatch.setenv(known.variable, "")  # so that what a test sets is taken back
        monkeypatch.delenv(known.variable)
    monkeypatch.setenv("MENTORGRAPH_CONFIG", "")
    monkeypatch.chdir(tmp_path)


def faults(environment: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        read_settings(environment)
    return caught.value.faults


def faults_of_file(text: str | bytes) -> list[str]:
    Path("mentorgraph.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    environment: dict[str, str] = {}
    with pytest.raises(BadSettings) as caught:
        take_file(environment)
    assert environment == {}
    return caught.value.faults


def test_without_settings_every_default_holds() -> None:
    settings = read_settings({})
    assert {key: shown(settings, known) for key, known in KNOWN.items() if not known.is_secret} == {
        key: ",".join(known.default) if isinstance(known.default, tuple) else str(known.default)
        for key, known in KNOWN.items()
        if not known.is_secret
    }


def test_the_environment_is_read_and_wins_over_the_file() -> None:
    Path("mentorgraph.toml").write_text(
        '[serve]\nport = 9000\nworkers = 2\naccess_log = true\ncors_origins = ["https://a.example", "http://b:3000"]\n'
        '[limits]\nexecution_s = 2.5\n[database]\nuri = "bolt://db:7687"\n'
    )
    environment = {"MENTORGRAPH_PORT": "9001"}
    assert take_file(environment) == Path("mentorgraph.toml")
    settings = read_settings(environment)
    assert (settings.serve.port, settings.serve.workers, settings.serve.access_log) == (9001, 2, True)
    assert settings.serve.cors_origins == ("https://a.example", "http://b:3000")
    assert (settings.limits.execution_s, settings.limits.max_depth) == (2.5, 15)
    assert environment["NEO4J_URI"] == "bolt://db:7687"


def test_all_faults_of_the_environment_are_said_at_once() -> None:
    said = faults(
        {
            "MENTORGRAPH_PORT": "http",
            "MENTORGRAPH_WORKERS": "0",
            "MENTORGRAPH_EXECUTION_S": "nan",
            "MENTORGRAPH_DEMO": "maybe",
            "MENTORGRAPH_LOG_FORMAT": "xml",
            "MENTORGRAPH_CORS_ORIGINS": "*",
            "MENTORGRAPH_TRUSTED_DOCUMENT_ONLY": "1",
            "NEO4J_URI": "bolt://neo4j:hunter2@db:7687",
        }
    )
    assert len(said) == 8
    assert (
        "there is no setting MENTORGRAPH_TRUSTED_DOCUMENT_ONLY; did you mean MENTORGRAPH_TRUSTED_DOCUMENTS_ONLY?"
        in said
    )
    assert "MENTORGRAPH_PORT is 'http'; it has to be a whole number from 0 to 65535" in said


def test_all_faults_of_a_file_are_said_at_once_and_nothing_is_taken_from_it() -> None:
    said = faults_of_file('port = 1\n[serve]\nprot = 2\nworkers = 0\nhost = {}\n[limits]\nmax_depth = "deep"\n')
    assert len(said) == 5
    assert "mentorgraph.toml: there is no setting serve.prot; did you mean serve.port?" in said
    assert "mentorgraph.toml: limits.max_depth is 'deep'; it has to be a whole number from 1 to 1000000000000" in said


@pytest.mark.parametrize("text", ["[serve", b"\xff", "[serve]\nport = 1\nport = 2\n"])
def test_a_file_that_is_no_toml_is_one_fault(text: str | bytes) -> None:
    [said] = faults_of_file(text)
    assert said.startswith("mentorgraph.toml: it is no TOML")


def test_a_file_that_is_named_and_not_there_is_a_fault_and_none_named_is_not() -> None:
    assert take_file({}) is None
    with pytest.raises(BadSettings, match=r"none\.toml: cannot be read"):
        take_file({"MENTORGRAPH_CONFIG": "none.toml"})


def test_a_secret_is_shown_nowhere() -> None:
    settings = read_settings({"NEO4J_PASSWORD": "hunter2"})
    assert "hunter2" not in repr(settings)
    assert shown(settings, KNOWN["database.password"]) == "(set)"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    return result.exit_code, result.output.strip()


def test_config_show_lists_what_is_set_and_all_on_demand() -> None:
    assert run("config", "show") == (0, "Nothing is set; --all shows the defaults.")
    Path("mentorgraph.toml").write_text('[serve]\nport = 9000\n[database]\npassword = "hunter2"\n')
    code, said = run("config", "show")
    assert (code, "MENTORGRAPH_PORT" in said, "9000" in said) == (0, True, True)
    assert "hunter2" not in said
    assert "MENTORGRAPH_WORKERS" not in said
    assert "MENTORGRAPH_WORKERS" in run("config", "show", "--all")[1]


def test_config_check_says_whether_the_settings_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("config", "check") == (0, "The settings can be used.")
    monkeypatch.setenv("MENTORGRAPH_NOTHING_OF_OURS", "1")
    assert run("config", "check")[1].startswith("notice: MENTORGRAPH_NOTHING_OF_OURS is no setting")
    monkeypatch.setenv("NEO4J_URI", "bolt://db:7687")
    monkeypatch.setenv("MENTORGRAPH_POLICY", "none.toml")
    monkeypatch.setenv("MENTORGRAPH_HOME", str(PAGE / "home"))
    code, said = run("config", "check")
    assert (code, len(said.splitlines())) == (1, 4)


def test_a_command_refuses_a_bad_file_before_it_does_anything() -> None:
    Path("mentorgraph.toml").write_text("[serve]\nprot = 1\n")
    for words in (("serve", "--demo"), ("db", "check"), ("config", "check")):
        code, said = run(*words)
        assert (code, said.splitlines()) == (
            1,
            [
                "Error: the settings cannot be used:",
                "  mentorgraph.toml: there is no setting serve.prot; did you mean serve.port?",
            ],
        )


def test_serve_refuses_bad_settings_in_one_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENTORGRAPH_EXECUTION_S", "soon")
    code, said = run("serve", "--demo")
    assert (code, said.count("\n")) == (1, 1)
    assert "MENTORGRAPH_EXECUTION_S is 'soon'" in said


def test_every_variable_that_the_code_reads_is_a_setting() -> None:
    named = {
        name
        for folder in ("api", "graph", "embeddings")
        for file in (ROOT / folder).rglob("*.py")
        for name in re.findall(rf"\b{PREFIX}[A-Z0-9_]+\b", file.read_text("utf-8"))
    } - {PREFIX}
    assert named - {known.variable for known in KNOWN.values()} - ELSEWHERE == set()
    assert "MENTORGRAPH_HOME" in named


def test_the_page_lists_every_setting_with_its_variable_and_default() -> None:
    listed = re.findall(
        r"^\| `([a-z_.0-9]+)` \| `([A-Z0-9_]+)` \| (.*?) \| .+ \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert listed == [(key, known.variable, _default(known.default)) for key, known in KNOWN.items()]


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value}`" if value not in ("", ()) else ""
