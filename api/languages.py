"""The languages that reasons and rules are told in, as an argument of fields."""

from typing import Any

from mentorgraph.api.types import enum_of
from mentorgraph.graph.vocabulary import ENGLISH, LANGUAGES

Language = enum_of("Language", dict(LANGUAGES), "A language that reasons and rules are told in.")


def language_argument() -> Any:
    """The argument that asks for words in a language."""
    return Language(description="In which language; in English if none is given.")


def named(language: Any) -> str:
    """The language that an argument names; English where none is given."""
    return ENGLISH if language is None else str(language.value)
