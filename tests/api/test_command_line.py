"""What the command line costs and says before a command runs."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from mentorgraph.api.commands import COMMANDS, main

WHAT_IS_HEAVY = ("graphql", "neo4j", "numpy", "scipy", "torch")


def loaded_after(*words: str) -> set[str]:
    """The modules that a process has loaded once it has run a command."""
    script = (
        "import sys\nfrom mentorgraph.api.commands import main\n"
        f"try: main({list(words)!r})\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(ran.stderr.split())


def test_help_loads_nothing_that_it_does_not_need() -> None:
    assert loaded_after("--help").isdisjoint(WHAT_IS_HEAVY)
    assert "neo4j" in loaded_after("db", "--help")


@pytest.mark.parametrize("title", COMMANDS)
def test_the_help_lists_every_command_in_its_section(title: str) -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=200).output
    section = shown.split(f"{title}:\n")[1].split("\n\n")[0]
    assert [row.split()[0] for row in section.splitlines()] == list(COMMANDS[title])


@pytest.mark.parametrize(
    ("word", "said"),
    [("recommand", "No such command 'recommand'. Did you mean 'recommend'?"), ("sing", "No such command 'sing'.")],
)
def test_a_command_that_there_is_not_is_named(word: str, said: str) -> None:
    result = CliRunner().invoke(main, [word])
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == f"Error: {said}"
