"""How a list of mentors may be asked for, beside whom and what it is for: filters, a mix, what is left out."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

import orjson

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking.scoring import LEARNED
from mentorgraph.graph.rules.policy import SIGNALS
from mentorgraph.graph.vocabulary import IDENTITIES, PROGRAMME_FORMATS

PEER, NEAR_PEER, SENIOR = SENIORITIES = ("peer", "near_peer", "senior")
"""Fewer years apart than `seniority_least_years` of the policy; more, up to `seniority_most_years`; still more."""

MOST_DAYS_AHEAD = 180
MOST_EXCLUDED = 1_000
LONGEST_VALUE = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """Whom a list may hold at all; what is not given filters nothing, and who has not told what is asked for is out.

    Attributes:
        skill: uid of a skill that the mentor offers, it or one that is narrower or was merged into one of these.
        min_level: Proficiency from which on the skill counts as offered, 1 to 5.
        unit: uid of a unit that the mentor belongs to.
        tier: uid of a tier of mentors that the mentor is eligible for.
        format: Format that the mentor takes part in, one of `PROGRAMME_FORMATS`.
        language: Language that the mentor speaks, as a range of RFC 4647: `pt` takes in `pt-BR`, not the reverse.
        is_new: Whether the mentor has never mentored anybody so far.
        seniority: One of `SENIORITIES`, how the mentor's years of experience compare with the mentee's.
    """

    skill: str = ""
    min_level: int | None = None
    unit: str = ""
    tier: str = ""
    format: str = ""
    language: str = ""
    is_new: bool | None = None
    seniority: str = ""


@dataclass(frozen=True, slots=True)
class Mix:
    """Who is to be among the first ones at least.

    Attributes:
        experts: So many who offer a wished skill at the wished level or above it.
        cross_functional: So many who belong to units of which none is the mentee's.
    """

    experts: int = 0
    cross_functional: int = 0


NO_MIX = Mix()


@dataclass(frozen=True, slots=True)
class Wish:
    """An identity that the mentee asks for in a mentor, for one list; see `ranking.wishes`.

    Attributes:
        attribute: One of `vocabulary.IDENTITIES`; empty for no wish.
        value: The identity, in any letter case.
    """

    attribute: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What a list is asked for with; those by default change nothing.

    Attributes:
        filter: Whom it may hold.
        excluded: uids of people whom it may not hold.
        ignored: Signals that are left out of this score; nothing of that is stored.
        horizon_days: Mentors who become free within so many days are listed too, see `ranking.horizon`.
        mix: Who is to be among the first ones.
        diversity: How much the first ones are to differ from each other, 0 to 1, see `ranking.shaping`.
        wish: An identity that is asked for, this time only.
        in_place_of: So many open pairings of the mentee would end for one with whoever is listed; they count as ended
            where a policy limits how many mentors somebody has.
    """

    filter: Filter = field(default_factory=Filter)
    excluded: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    horizon_days: int = 0
    mix: Mix = field(default_factory=Mix)
    diversity: float = 0.0
    wish: Wish = field(default_factory=Wish)
    in_place_of: int = 0

    @property
    def horizon(self) -> timedelta:
        """How far ahead the list looks."""
        return timedelta(days=self.horizon_days)

    @property
    def content(self) -> dict[str, Any]:
        """What differs from the default, as plain values."""
        found: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Filter | Mix | Wish):
                plain: Any = {one.name: getattr(value, one.name) for one in fields(value)}
                default = {one.name: one.default for one in fields(value)}
                plain = {name: given for name, given in plain.items() if given != default[name]}
            else:
                plain = sorted(value) if isinstance(value, frozenset) else value
            if plain:
                found[each.name] = plain
        return found

    @property
    def key(self) -> str:
        """What tells a question with these options from others; empty for the default."""
        return orjson.dumps(self.content, option=orjson.OPT_SORT_KEYS).decode() if self.content else ""

    @classmethod
    def of(cls, content: dict[str, Any]) -> "Options":
        """The options with some `content`."""
        return cls(
            filter=Filter(**content.get("filter", {})),
            excluded=frozenset(content.get("excluded", ())),
            ignored=frozenset(content.get("ignored", ())),
            horizon_days=content.get("horizon_days", 0),
            mix=Mix(**content.get("mix", {})),
            diversity=content.get("diversity", 0.0),
            wish=Wish(**content.get("wish", {})),
            in_place_of=content.get("in_place_of", 0),
        )

    def check(self) -> None:
        """Refuses what cannot be meant.

        Raises:
            DomainError: `BAD_USER_INPUT`, naming the option.
        """
        for name, problem in self._problems():
            raise DomainError(f"{name} {problem}", code="BAD_USER_INPUT", field=name)

    def _problems(self) -> Iterator[tuple[str, str]]:
        asked = self.filter
        if asked.min_level is not None and not asked.skill:
            yield "filter.minLevel", "is the level of a skill; name that with filter.skillId"
        if asked.min_level is not None and not 1 <= asked.min_level <= 5:
            yield "filter.minLevel", f"is {asked.min_level}; levels run from 1 to 5"
        if asked.format and asked.format not in PROGRAMME_FORMATS:
            yield "filter.format", f"is {asked.format!r}; the formats are {', '.join(PROGRAMME_FORMATS)}"
        if asked.seniority and asked.seniority not in SENIORITIES:
            yield "filter.seniority", f"is {asked.seniority!r}; it is one of {', '.join(SENIORITIES)}"
        if unknown := sorted(self.ignored - {*SIGNALS, *LEARNED}):
            yield "ignoreSignals", f"names {unknown[0]!r}, which is no signal"
        if len(self.excluded) > MOST_EXCLUDED:
            yield "exclude", f"has {len(self.excluded)} entries; name up to {MOST_EXCLUDED}"
        if not 0 <= self.horizon_days <= MOST_DAYS_AHEAD:
            yield "horizonDays", f"is {self.horizon_days}; look 0 to {MOST_DAYS_AHEAD} days ahead"
        for name, number in (("mix.experts", self.mix.experts), ("mix.crossFunctional", self.mix.cross_functional)):
            if not 0 <= number <= MOST:
                yield name, f"is {number}; ask for 0 to {MOST}"
        if not (math.isfinite(self.diversity) and 0 <= self.diversity <= 1):
            yield "diversity", f"is {self.diversity:g}; it runs from 0 to 1"
        if (self.wish.attribute or self.wish.value) and self.wish.attribute not in IDENTITIES:
            yield "wish.attribute", f"is {self.wish.attribute!r}; it is one of {', '.join(IDENTITIES)}"
        if self.wish.attribute and not 1 <= len(self.wish.value.strip()) <= LONGEST_VALUE:
            yield (
                "wish.value",
                f"is a text of 1 to {LONGEST_VALUE} characters; say which {self.wish.attribute} you ask for",
            )


DEFAULT = Options()
"""A list by score of all whom the rules allow now."""
