"""The languages of pages: templates that say everything in one of them, and the words for it.

Templates are written in English. What they say goes through gettext's `_`, as Jinja extracts it, and what code says
through `say`, since Jinja takes what `_` is given for HTML. The German words stand in `templates/german.toml`. What
rules and notices say, and what people wrote, stays as it was said.
"""

import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.vocabulary import ENGLISH, GERMAN

LANGUAGES = MappingProxyType({ENGLISH: "English", GERMAN: "Deutsch"})
"""Every language that pages have, by its own name."""

TEMPLATES = Path(__file__).with_name("templates")


def language_of(request: Request) -> str:
    """The language that a request asks a page in by `?language=`; English if it does not say.

    Raises:
        DomainError: `BAD_USER_INPUT`, pages are not told in it.
    """
    named = request.query_params.get("language", ENGLISH)
    if named not in LANGUAGES:
        raise DomainError(
            f"There is no page in the language {named[:20]!r}; choose one of {', '.join(LANGUAGES)}.",
            code="BAD_USER_INPUT",
            field="language",
        )
    return named


def templates_in(language: str, link_of: Callable[[str], str]) -> Environment:
    """The templates of all pages in a language.

    Args:
        language: One of `LANGUAGES`.
        link_of: Name of a file that pages load → its address.
    """
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )

    def say(text: str) -> str:
        return in_words(text, language)

    found.install_gettext_callables(say, lambda one, many, count: say(one if count == 1 else many), newstyle=True)  # type: ignore[attr-defined]
    found.globals |= {
        "link_of": link_of,
        "language": language,
        "languages": LANGUAGES,
        "say": say,
        "strong": lambda text: Markup("<strong>{}</strong>").format(text),
    }
    return found


def in_words(text: str, language: str) -> str:
    """What a page says in English, said in a language; as it is where there are no words for it."""
    return text if language == ENGLISH else german()["words"].get(text, text)


def unit_in(signal: str, unit: str, language: str) -> str:
    """What a value of 1 of a signal means, in a language."""
    return unit if language == ENGLISH else german()["units"].get(signal, unit)


def when(at: datetime, language: str) -> str:
    """An instant for people: a day where it is midnight, else to the minute."""
    day = f"{at:%d.%m.%Y}" if language == GERMAN else f"{at:%d %B %Y}"
    return day if (at.hour, at.minute) == (0, 0) else f"{day}, {at:%H:%M} UTC"


@cache
def german() -> Mapping[str, Mapping[str, str]]:
    """The German words, and the units of signals, by what they are in English."""
    return tomllib.loads((TEMPLATES / "german.toml").read_text("utf-8"))
