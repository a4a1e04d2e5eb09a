"""Finds the Cypher statements, which lie one per file in the folder `cypher/`."""

from functools import cache
from pathlib import Path

import mentorgraph.cypher

FOLDER = Path(mentorgraph.cypher.__file__).parent
"""Where the statements lie; the same code finds it from an editable install and from a wheel."""


@cache
def statement(name: str) -> str:
    """The text of `cypher/<name>.cypher`.

    Raises:
        FileNotFoundError: There is no such statement.
    """
    return (FOLDER / f"{name}.cypher").read_text("utf-8")
