"""What the README and docs/ promise: their commands exist, their examples are valid, their links lead somewhere."""

import re
import shlex
from itertools import chain, pairwise
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from graphql import GraphQLError, build_schema, parse, validate

from mentorgraph.api.commands import main
from mentorgraph.api.examples import Asker, ExampleError, examples_in, fill, values_of
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import write

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text("utf-8")
LONGEST_README = 200
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
ASKER = Asker("UGVyc29uOmE", "Ada", "R29hbDpi", "Learn to lead")


def commands_in(markdown: str) -> list[list[str]]:
    """The words of each `mentorgraph` and `make` command of the code blocks, without comments."""
    found = []
    for language, block in BLOCK.findall(markdown):
        if language in {"", "bash", "sh", "console"}:
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True)
                while words and "=" in words[0]:
                    words.pop(0)
                if words and words[0] in {"mentorgraph", "make"}:
                    found.append(words)
    return found


def fault_of(command: list[str]) -> str:
    """What is wrong with a command, or nothing. Nothing is run: only its names, options and arguments are read."""
    if command[0] == "make":
        targets = [word for word in command[1:] if "=" not in word]
        rules = re.findall(r"^([a-z][\w -]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        missing = set(targets) - {name for rule in rules for name in rule.split()}
        return f"no target {', '.join(sorted(missing))}" if missing else ""
    found: click.Command = main
    contexts: list[click.Context] = []
    words = command
    try:
        while True:
            context = found.make_context(words[0], list(words[1:]), parent=contexts[-1] if contexts else None)
            contexts.append(context)
            rest = [*context._protected_args, *context.args]
            if not isinstance(found, click.Group) or not rest:
                return ""
            name, sub_command, _ = found.resolve_command(context, rest)
            if name is None or sub_command is None:
                return "no such command"
            found, words = sub_command, rest
    except click.exceptions.Exit:
        return ""
    except click.ClickException as error:
        return error.format_message()
    finally:
        for context in contexts:
            context.close()


def broken_links_of(page: Path) -> list[str]:
    """The links of a page that name a file which is not there, or a heading that the page lacks."""
    broken = []
    for link in LINK.findall(page.read_text("utf-8")):
        if link.startswith(("https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    return broken


def anchors_of(page: Path) -> set[str]:
    """What a link can name within a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short() -> None:
    assert README.count("\n") <= LONGEST_README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_exists_with_its_options(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # an option that names a file to write opens it when it is read
    commands = commands_in(page.read_text("utf-8"))
    for before, word in chain.from_iterable(pairwise(command) for command in commands):
        if before in ("--bundle", "--data", "--apollo"):
            (tmp_path / word).mkdir(exist_ok=True)
        elif Path(word).suffix and not word.startswith("-"):
            (tmp_path / word).touch()
    assert {shlex.join(command): fault for command in commands if (fault := fault_of(command))} == {}


def filled_in(command: list[str], folder: Path, mentee: str, mentor: str) -> list[str]:
    """A command of the README with a folder and people in place of its DIR and IDs."""
    values = {"--mentee": mentee, "--mentor": mentor}
    words = [values.get(before, word) if word == "ID" else word for before, word in pairwise(["", *command])]
    return [str(folder) if word == "DIR" else word for word in words[1:]]


@pytest.mark.journey
def test_the_commands_of_the_readme_work_as_they_stand(
    emptied: EmbeddedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but `serve`, `demo` and `train`, which have tests of their own; imports first."""
    community = generate(60, months=6, seed=1)
    write(community, tmp_path / "in")
    goal = community.rows["goals"][-1]
    mentor = next(row["person_id"] for row in community.rows["roles"] if row["role_id"] == "mentor")
    commands = [command for command in commands_in(README) if command[0] == "mentorgraph"]
    commands = [command for command in commands if command[1] not in ("serve", "demo", "train", "--help")]
    assert len(commands) >= 7
    for command in sorted(commands, key=lambda command: command[1] != "import"):
        folder = tmp_path / ("out" if command[1] == "export" else "in")
        words = filled_in(command, folder, goal["person_id"], mentor)
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, (words, result.output)
    for name, value in (("URI", emptied.uri), ("USER", emptied.user), ("PASSWORD", emptied.password)):
        assert f"export NEO4J_{name}=" in README
        monkeypatch.setenv(f"NEO4J_{name}", value)
    assert CliRunner().invoke(main, ["db", "migrate"]).exit_code == 0


def test_the_readme_shows_the_two_commands_and_how_to_ask() -> None:
    shown = [" ".join(command[:2]) for command in commands_in(README)]
    assert {"make demo", "make test", "mentorgraph import", "mentorgraph recommend", "mentorgraph explain"} <= {*shown}


@pytest.mark.parametrize(
    "command",
    [
        "mentorgraph conjure",
        "mentorgraph db conjure",
        "mentorgraph demo --conjure",
        "mentorgraph import",
        "mentorgraph serve --port many",
        "make conjure",
    ],
)
def test_a_command_that_does_not_exist_is_seen(command: str) -> None:
    [found] = commands_in(f"```bash\n{command}  # a comment\n```\n")
    assert fault_of(found)


def test_the_graphql_examples_are_valid_and_can_be_filled() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text("utf-8"))
    examples = examples_in(README)
    assert len(examples) >= 3
    values = values_of(ASKER, mentor="UGVyc29uOmM", skill="U2tpbGw6ZA", recommendation="UmVjOmU")
    for example in examples:
        assert validate(schema, parse(example.text)) == [], example.name
        assert set(fill(example, values)) == set(example.variables)


def test_an_example_that_the_schema_does_not_allow_is_seen() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text("utf-8"))
    [example] = examples_in("```graphql\n{ conjure }\n```\n")
    assert validate(schema, parse(example.text))


def test_an_example_with_a_variable_that_has_no_value_is_refused() -> None:
    [example] = examples_in("```graphql\nquery Q($moon: ID!) { person(id: $moon) { name } }\n```\n")
    with pytest.raises(ExampleError, match=r"Q asks for \$moon"):
        fill(example, values_of(ASKER, mentor="", skill="", recommendation=""))


@pytest.mark.parametrize("text", ["fragment F on Person { name }", "query A { a } query B { b }"])
def test_an_example_is_one_operation(text: str) -> None:
    with pytest.raises(ExampleError, match="one operation"):
        examples_in(f"```graphql\n{text}\n```\n")


def test_an_example_that_is_not_graphql_is_refused() -> None:
    with pytest.raises(GraphQLError):
        examples_in("```graphql\nSELECT 1\n```\n")


def commands_below(group: click.Group, path: str = "mentorgraph") -> dict[str, click.Command]:
    """Every command by what is typed for it."""
    found: dict[str, click.Command] = {path: group}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        sub_path = f"{path} {name}"
        found |= commands_below(command, sub_path) if isinstance(command, click.Group) else {sub_path: command}
    return found


def test_every_command_shows_its_help_as_it_was_written() -> None:
    r"""A docstring with a `\b` that is not raw, or escaped, shows it and runs its examples together."""
    commands = commands_below(main)
    assert len(commands) > 10
    assert [path for path, command in commands.items() if not command.help or "\\b" in command.help] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_local_links_lead_somewhere(page: Path) -> None:
    assert broken_links_of(page) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One heading\n[a](page.md) [b](#one-heading) [c](#another) [d](none.md) [e](https://x.example)\n")
    assert broken_links_of(page) == ["#another", "none.md"]
