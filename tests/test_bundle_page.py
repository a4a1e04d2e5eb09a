"""The page on the bundle names the files and columns that the code reads."""

import re
from pathlib import Path

from mentorgraph.graph.facts.rows import FILES, LIST_COLUMNS, columns_of, required_columns

PAGE = (Path(__file__).parents[1] / "docs" / "bundle.md").read_text("utf-8")


def documented() -> dict[str, dict[str, str]]:
    """File → column → what its second cell says."""
    sections = re.split(r"^### (\w+)$", PAGE, flags=re.MULTILINE)[1:]
    return {
        name: dict(re.findall(r"^\| `(\w+)` \| ?([^|]*?) ?\|", text, flags=re.MULTILINE))
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }


def test_every_file_is_described_in_the_order_of_reading() -> None:
    assert tuple(documented()) == FILES


def test_every_column_is_described_and_nothing_else() -> None:
    for file, columns in documented().items():
        known = {*columns_of(file), *filter(None, [LIST_COLUMNS.get(file)])}
        assert set(columns) == known, file


def test_required_columns_are_marked() -> None:
    for file, columns in documented().items():
        marked = {column for column, mark in columns.items() if mark.startswith("yes")}
        assert marked == set(required_columns(file)), file
