"""Pages say everything in every language, and nothing in a template is said in English alone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jinja2 import Environment

from mentorgraph.api import page_words, why_now
from mentorgraph.api.page_words import TEMPLATES, german, in_words, unit_in
from mentorgraph.graph.explaining.remedies import ACTORS
from mentorgraph.graph.ranking.scoring import LEARNED
from mentorgraph.graph.ranking.wishes import SHARED_IDENTITY, YOUR_REQUEST
from mentorgraph.graph.rules.policy import SIGNALS
from mentorgraph.graph.vocabulary import ROLES

PAGES = sorted(TEMPLATES.glob("*.html"))
NAMES = ("base", *SIGNALS, *LEARNED, SHARED_IDENTITY)
SAID_BY_CODE = (
    *why_now.ACTIONS.values(),
    *why_now.REASONS.values(),
    *why_now.DONE.values(),
    *why_now.VERBS.values(),
    *(name.replace("_", " ") for name in (*NAMES, *ROLES)),
    *(f"the {each}" for each in ACTORS),
    *("came in", "still in the list", "no list now", "others come first", "a coordinator", YOUR_REQUEST),
    "No recommendation has this id, or it is not yours to see. Ids come from recommendMentors.",
    "Only coordinators decide about recommendations.",
)


def said_in(source: str) -> set[str]:
    """What a template says through `_`."""
    jinja: Any = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 (nothing is rendered)
    found = jinja.extract_translations(source)
    texts = (message[0] if isinstance(message, tuple) else message for _, _, message in found)
    return {text for text in texts if isinstance(text, str)}


def unsaid_in(source: str) -> list[str]:
    """Words that a template holds as they are, in text or in what screen readers read."""
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', text)
    outside = re.sub(r"<!doctype html>|<title>.*?</title>|<code>.*?</code>|<[^>]*>", "\n", text, flags=re.DOTALL)
    found = (line.strip() for line in (*outside.splitlines(), *labels))
    return [line for line in found if re.search(r"[A-Za-z]", line) and line not in ("mentorgraph", "&amp;now=1")]


def lacking(texts: set[str]) -> list[str]:
    return sorted(texts - german()["words"].keys())


def test_all_that_pages_say_is_said_in_german() -> None:
    said = {text for page in PAGES for text in said_in(page.read_text("utf-8"))}
    assert len(said) > 90
    assert lacking(said | set(SAID_BY_CODE)) == []
    assert sorted(german()["words"].keys() - said - set(SAID_BY_CODE)) == []
    assert set(NAMES) == german()["units"].keys()
    assert lacking(said_in('<p>{{ _("Quite new") }}</p>')) == ["Quite new"]  # the control


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_no_template_says_anything_in_english_alone(page: str) -> None:
    assert unsaid_in((TEMPLATES / page).read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source", ["<p>Words</p>", '<p aria-label="Words">{{ _("x") }}</p>', "{% if x %}Words{% endif %}"]
)
def test_words_that_are_not_translated_would_be_seen(source: str) -> None:
    assert unsaid_in(source) == ["Words"]


def unescaped_in(source: str) -> list[str]:
    """What a template would take for HTML though it is no text of its own."""
    return re.findall(r"(?<!\w)_\((?!\")[^)]*\)", source)


def test_only_words_of_the_template_itself_are_taken_for_html() -> None:
    assert [found for page in PAGES for found in unescaped_in(page.read_text("utf-8"))] == []
    assert unescaped_in('{{ _("Why") }} {{ _(name) }} {{ say(name) }}') == ["_(name)"]


def places(text: str) -> Iterator[str]:
    yield from sorted(re.findall(r"%\((\w+)\)s", text))


def test_both_languages_fill_in_the_same() -> None:
    for english, told in german()["words"].items():
        assert list(places(english)) == list(places(told)), english
    assert in_words("What was never said", "de") == "What was never said"
    assert in_words("Why", "en") == "Why"
    assert unit_in("load", "share of places taken", "de") != unit_in("load", "share of places taken", "en")
    assert page_words.LANGUAGES.keys() == {"en", "de"}
