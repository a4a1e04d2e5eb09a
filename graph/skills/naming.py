"""From free text to skills: one normal form for every name, and the skills that a text may mean.

Nothing is stored here: a text proposes skills with a score, and whoever wrote it confirms one of them.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

from mentorgraph.graph.skills.taxonomy import Taxonomy

BY_NAME, BY_ALIAS, BY_WORDS = 1.0, 0.9, 0.8
"""Scores of a text that is a skill's name, that is another name of it, and that lists it or has all words of a name.

A text that shares some words earns that share of `BY_WORDS`, by Dice's coefficient: twice the shared words over all
words of both.
"""
LEAST = 0.4
"""Score below which a skill is not proposed."""
ALIKE = 0.85
"""Likeness of two words (Ratcliff and Obershelp 1988, 0 to 1) from which one is taken for a slip of the other."""

_WORD = re.compile(r"[^\W_]+[+#]*")
_LISTED = re.compile(r"[,;|/&]|\band\b|\bor\b", re.IGNORECASE)
_ASIDE = re.compile(r"\([^()]*\)")


def words_of(text: str) -> tuple[str, ...]:
    """The normal form of a name: its words in NFKC and lower case, without punctuation and plural.

    `+` and `#` behind a word belong to it, as in C++ and C#. Names with equal words, run together, are the same name:
    “front-end”, “Front End” and “frontends” are one.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return tuple(map(_singular, _WORD.findall(folded)))


def key_of(text: str) -> str:
    """What names have in common that are the same name; empty for a text without letters and digits."""
    return "".join(words_of(text))


@lru_cache(maxsize=1 << 16)
def _singular(word: str) -> str:
    """An English word without the ending of its plural, as well as that shows in its letters."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A skill that a text may mean.

    Attributes:
        skill: uid of the skill.
        score: How well the text fits it, 0 to 1.
        spelling: The name of the skill that it fits.
    """

    skill: str
    score: float
    spelling: str


class SkillNames:
    """The names of all skills, found by their normal form; kept up to date one skill at a time."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._spellings: dict[str, dict[str, float]] = {}
        self._by_key: dict[str, set[str]] = defaultdict(set)
        self._by_word: dict[str, set[str]] = defaultdict(set)
        self._by_letter: dict[str, set[str]] = defaultdict(set)

    def put(self, skill: str, properties: Mapping[str, object]) -> None:
        """Takes in a skill with its `name` and `aliases`, or what it is called now."""
        name, aliases = str(properties.get("name", "")), properties.get("aliases")
        spellings = _spellings(name, aliases if isinstance(aliases, list) else [])
        self._names[skill] = name
        if self._spellings.get(skill) == spellings:
            return
        for spelling in self._spellings.get(skill, ()):
            self._by_key[key_of(spelling)].discard(skill)
            for word in words_of(spelling):
                self._by_word[word].discard(skill)
        self._spellings[skill] = spellings
        for spelling in spellings:
            self._by_key[key_of(spelling)].add(skill)
            for word in words_of(spelling):
                self._by_word[word].add(skill)
                self._by_letter[word[0]].add(word)

    def name_of(self, skill: str) -> str:
        """The name of a skill."""
        return self._names[skill]

    def candidates(self, text: str, taxonomy: Taxonomy, *, first: int = 5, least: float = LEAST) -> list[Candidate]:
        """The skills that a text may mean, best first.

        A skill that was merged stands for the one that it counts for, one that was split for its parts; one that is
        deprecated is not proposed.

        Args:
            text: What somebody wrote.
            taxonomy: The life of the skills.
            first: At most so many.
            least: Score below which a skill is left out; from `BY_ALIAS` on only whole names fit.
        """
        key, words = key_of(text), frozenset(words_of(text))
        if not key:
            return []
        found: dict[str, Candidate] = {}
        for each in self._called(key):
            _keep(found, taxonomy, each)
        if least <= BY_WORDS:
            for part in _LISTED.split(text):
                for each in self._called(key_of(part)):
                    _keep(found, taxonomy, replace(each, score=min(each.score, BY_WORDS)))
            alike = {word: near for word in words for near in [self._near(word)] if near}
            shared = {skill for near in alike.values() for each in near for skill in self._by_word[each]}
            for skill in shared:
                _keep(found, taxonomy, self._by_words(skill, words, alike))
        fitting = [each for each in found.values() if each.score >= least]
        order = sorted(
            fitting, key=lambda each: (-each.score, taxonomy.state(each.skill), len(each.spelling), each.skill)
        )
        return order[:first]

    def _called(self, key: str) -> Iterator[Candidate]:
        """The skills of which this is a name in its normal form."""
        for skill in self._by_key.get(key, ()):
            score, spelling = max((s, each) for each, s in self._spellings[skill].items() if key_of(each) == key)
            yield Candidate(skill, score, spelling)

    def _near(self, word: str) -> dict[str, float]:
        """The known words that a word may be, with their likeness: itself alone where it is known."""
        if self._by_word.get(word):
            return {word: 1.0}
        if len(word) < 4:
            return {}
        likeness = SequenceMatcher(b=word, autojunk=False)
        found = {}
        for other in self._by_letter.get(word[0], ()):
            if abs(len(other) - len(word)) <= 2 and self._by_word[other]:
                likeness.set_seq1(other)
                if likeness.quick_ratio() >= ALIKE and (ratio := likeness.ratio()) >= ALIKE:
                    found[other] = ratio
        return found

    def _by_words(self, skill: str, words: Iterable[str], alike: Mapping[str, Mapping[str, float]]) -> Candidate:
        """How well the words fit that one of a skill's names which they fit best."""
        asked = list(words)
        best = Candidate(skill, 0.0, "")
        for spelling in self._spellings[skill]:
            own = set(words_of(spelling))
            shared = sum(max((alike[w].get(o, 0.0) for o in own), default=0.0) for w in asked if w in alike)
            score = BY_WORDS * 2 * shared / (len(asked) + len(own)) if own else 0.0
            if score > best.score:
                best = Candidate(skill, score, spelling)
        return best


def _spellings(name: str, aliases: Iterable[str]) -> dict[str, float]:
    """The names of a skill with the score of a text that is one; without what stands in brackets it is another name."""
    found = {name: BY_NAME}
    for each in (_ASIDE.sub(" ", name), *aliases):
        found.setdefault(" ".join(each.split()), BY_ALIAS)
    return {each: score for each, score in found.items() if key_of(each)}


def _keep(found: dict[str, Candidate], taxonomy: Taxonomy, candidate: Candidate) -> None:
    """Notes a candidate, under the skills that may be named in its place, unless a better one is known."""
    skill = taxonomy.counts_as(candidate.skill)
    state = taxonomy.state(skill)
    score = candidate.score if skill == candidate.skill else min(candidate.score, BY_ALIAS)
    if state == "deprecated":
        return
    for each in taxonomy.parts(skill) if state == "split" else [skill]:
        points = score if state != "split" else score * BY_ALIAS
        if each not in found or found[each].score < points:
            found[each] = Candidate(each, points, candidate.spelling)
