"""What rules say of a pair, in several languages: by rule, from the values that it was judged by.

The wording stands in `refusals.toml`. A refusal holds a name and values; it is put into words for whoever reads it.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from mentorgraph.graph.vocabulary import ENGLISH, GERMAN


@dataclass(frozen=True, slots=True)
class Counted:
    """A number with what it counts.

    Attributes:
        number: The number.
        noun: One of the nouns of `refusals.toml`.
    """

    number: float
    noun: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a closed set, such as a role.

    Attributes:
        name: The word, as facts have it.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that forbids a pair.

    Attributes:
        rule: Its name, for programs.
        case: Which of the things that it says it says here; empty where it says but one.
        values: What it was judged by, by the name of the gap in the wording.
    """

    rule: str
    case: str = ""
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def fact(self) -> str:
        """What is the case, for people, in English."""
        return self.fact_in(ENGLISH)

    @property
    def remedy(self) -> str:
        """What would lift it; empty where nothing would."""
        return self.remedy_in(ENGLISH)

    def fact_in(self, language: str) -> str:
        """What is the case, in one of `vocabulary.LANGUAGES`."""
        return _told(self, "fact", language)

    def remedy_in(self, language: str) -> str:
        """What would lift it, likewise; empty where nothing would."""
        return _told(self, "remedy", language)


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A rule that could not be judged and so forbids nobody.

    Attributes:
        rule: Its name.
        case: What is not known.
        values: As in `Refusal`.
    """

    rule: str
    case: str = "unknown"
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def fact(self) -> str:
        """What is not known, in English."""
        return self.fact_in(ENGLISH)

    def fact_in(self, language: str) -> str:
        """What is not known, in one of `vocabulary.LANGUAGES`."""
        return _told(self, "fact", language)


def refused(rule: str, case: str = "", **values: Any) -> Refusal:
    """A refusal with its values by name."""
    return Refusal(rule, case, tuple(values.items()))


@cache
def wording(language: str) -> Mapping[str, Any]:
    """The words of a language."""
    found: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("refusals.toml").read_text("utf-8"))[language]
    return found


def _told(said: Refusal | Unjudged, part: str, language: str) -> str:
    words = wording(language)
    text: str = words["rules"][f"{said.rule} {said.case}".rstrip()].get(part, "")
    return text.format(**{name: _value(value, part, language) for name, value in said.values})


def _value(value: Any, part: str, language: str) -> str:
    """A value in words."""
    words = wording(language)
    if isinstance(value, Counted):
        one, many = words["nouns"][value.noun]
        return str(one if value.number == 1 else many).format(_number(value.number, language))
    if isinstance(value, Word):
        return str(words["words"].get(value.name, value.name.replace("_", " ")))
    if isinstance(value, datetime):
        return f"{value:%d.%m.%Y}" if language == GERMAN else value.date().isoformat()
    if isinstance(value, int | float):
        return _number(value, language)
    if isinstance(value, tuple):
        return _list(value, part, language)
    return str(value)


def _list(values: tuple[Any, ...], part: str, language: str) -> str:
    """Several values; of refusals what is asked for of them, in a row."""

    def told() -> Iterator[str]:
        for each in values:
            if isinstance(each, Refusal):
                yield each.fact_in(language) if part == "fact" else each.remedy_in(language)
            else:
                yield _value(each, part, language)

    of_refusals = any(isinstance(each, Refusal) for each in values)
    return ("; " if of_refusals else ", ").join(filter(None, told()))


def _number(number: float, language: str) -> str:
    return f"{number:g}".replace(".", "," if language == GERMAN else ".")
