"""docs/errors.md lists every code that the code can send, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mentorgraph.api.endpoint import CLIENT_LEFT
from mentorgraph.api.errors import STATUS_OF_CODE
from mentorgraph.api.mutations import SHOWN_CODES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text("utf-8")
CODE = re.compile(r"[A-Z][A-Z_]{4,}")


def constants(node: ast.AST | None) -> Iterator[str]:
    for each in ast.walk(node) if node else ():
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and CODE.fullmatch(each.value):
            yield each.value


def codes_in(tree: ast.AST) -> Iterator[str]:
    """What is given as `code`: as an argument, its default, an entry of a dict, or a variable of that name."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="code"):
                yield from constants(node.value)
            case ast.arguments():
                for argument, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
                    if argument.arg == "code":
                        yield from constants(default)
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "code":
                        yield from constants(value)
            case ast.Assign() if "code" in {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}:
                yield from constants(node.value)


def documented(page: str) -> list[str]:
    return re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)


def sent() -> set[str]:
    files = [file for folder in ("api", "graph", "embeddings") for file in (ROOT / folder).rglob("*.py")]
    found = {code for file in files for code in codes_in(ast.parse(file.read_text("utf-8")))}
    return found | SHOWN_CODES | set(STATUS_OF_CODE) | {CLIENT_LEFT}


def test_the_page_lists_every_code_once_and_no_other() -> None:
    listed = documented(PAGE)
    assert len(listed) == len(set(listed))
    assert set(listed) ^ sent() == set()


@pytest.mark.parametrize(
    "text",
    [
        'raise DomainError("x", code="BRAND_NEW")',
        'raise DomainError("x", code="BRAND_NEW" if full else "OTHER_ONE")',
        'def refuse(*, code="BRAND_NEW"): ...',
        'say({"code": "BRAND_NEW"})',
        'message, code = "text", "BRAND_NEW"',
    ],
)
def test_a_code_is_seen_wherever_it_is_given(text: str) -> None:
    assert "BRAND_NEW" in set(codes_in(ast.parse(text)))


def test_what_stands_elsewhere_is_no_code() -> None:
    assert set(codes_in(ast.parse('f("BRAND_NEW", rule="BRAND_NEW")'))) == set()


def test_the_statuses_of_the_page_are_those_that_are_sent() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([0-9, ]+) \|", PAGE, re.MULTILINE))
    for code in STATUS_OF_CODE.keys() & rows.keys():
        assert str(STATUS_OF_CODE[code]) in rows[code].split(", ")
    assert "UNAUTHENTICATED" in rows
