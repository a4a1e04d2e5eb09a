"""The GraphQL operations of a page of docs/, asked in their order of the real application."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse, print_ast

from .conftest import Api

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```graphql\n(.*?)^```$", re.DOTALL | re.MULTILINE)

Answers: TypeAlias = dict[str, dict[str, Any]]
"""Name of an operation → the data that it was answered with."""

Value: TypeAlias = object | Callable[[Answers], object]
"""The value of a variable, or what makes it of the answers so far."""


def play(api: Api, page: Path, values: Mapping[str, Value], viewers: Mapping[str, str] | None = None) -> Answers:
    """Asks every GraphQL operation of a page, from top to bottom.

    Args:
        api: The application.
        page: The page.
        values: Name of a variable → its value. All variables of the page are to be named.
        viewers: Name of an operation → id of the person who asks it; a coordinator asks the others.

    Raises:
        AssertionError: An operation is answered with errors, or refused.
    """
    answers: Answers = {}
    for name, text, variables in operations_of(page.read_text("utf-8")):
        assert name not in answers, f"{page.name} has two operations of the name {name}"
        given = {each: values[each] for each in variables}
        filled = {each: value(answers) if callable(value) else value for each, value in given.items()}
        answer = api.ask(text, viewer=(viewers or {}).get(name, ""), **filled)
        assert "errors" not in answer, f"{page.name}, {name}: {answer['errors']}"
        assert list(_refusals(answer["data"])) == [], f"{page.name}, {name}"
        answers[name] = answer["data"]
    assert answers, f"{page.name} has no operations"
    return answers


def operations_of(markdown: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name, text and variables of each operation of a page, which all have names; a block may hold several."""
    for block in BLOCK.findall(markdown):
        definitions = parse(block).definitions
        fragments = [print_ast(each) for each in definitions if isinstance(each, FragmentDefinitionNode)]
        for each in definitions:
            if isinstance(each, OperationDefinitionNode):
                assert each.name, f"an operation has no name: {print_ast(each)}"
                used = tuple(variable.variable.name.value for variable in each.variable_definitions or ())
                yield each.name.value, "\n".join((print_ast(each), *fragments)), used


def _refusals(data: object) -> Iterator[object]:
    """What stands in any `userErrors` of an answer."""
    if isinstance(data, dict):
        yield from data.get("userErrors", ())
        for each in data.values():
            yield from _refusals(each)
    elif isinstance(data, list):
        for each in data:
            yield from _refusals(each)
