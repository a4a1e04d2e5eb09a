"""The policy: which weight each signal has and which limits the rules keep, read from a TOML file and checked."""

import hashlib
import json
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.rules.evaluator import ANY_LEVELS, FIRM, RULES, WIDEST_ZONE_GAP, RuleSettings
from mentorgraph.graph.vocabulary import PROGRAMME_FORMATS

SIGNS: Mapping[str, int] = MappingProxyType(
    {
        "skills": 1,
        "goal_text": 1,
        "similar_goals": 1,
        "unit": 1,
        "time_overlap": 1,
        "sessions": 1,
        "load": -1,
        "asynchronous": 1,
        "availability_pattern": 1,
        "pace": 1,
        "communication": 1,
        "coaching_style": 1,
        "format": 1,
        "seniority": 1,
        "shared_history": 1,
        "acceptance": 1,
        "priority": 1,
    }
)
"""Every signal, in the order in which answers list them, with the sign that common sense gives its weight.

A weight that is learned keeps this sign or is 0; one of a policy is what the policy says.
"""

MOST_EXPLORED = 1_000

SIGNALS = tuple(SIGNS)
"""Names of the signals."""


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """What the signals need to know; units stand in the names."""

    level_unknown: float
    one_step_credit: float
    two_steps_credit: float
    outcome_unknown: float
    half_life_years: float
    overlap_enough_hours: float
    sessions_enough: float
    seniority_least_years: float
    seniority_most_years: float
    open_week_share: float
    ongoing_share: float
    acceptance_usual: float
    acceptance_requests: float


@dataclass(frozen=True, slots=True)
class Draft:
    """What a policy says otherwise than the one that it stands on: for a format, or for a programme.

    Attributes:
        name: What its file calls it; empty for none.
        rules: Settings of the rules, by key.
        weights: Signal → weight.
    """

    name: str = ""
    rules: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exploration:
    """How much of the first places of a list is given to mentors from further down.

    Attributes:
        share: Expected share of the places, 0 to 1; 0 for none.
        within: They go to mentors among so many first ones.
    """

    share: float = 0.0
    within: float = 30.0


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy.

    Attributes:
        version: Name and the first digits of the hash of its content; equal content has an equal version.
        base: Where every score starts.
        weights: Signal → weight.
        signals: Settings of the signals.
        rules: Settings of the rules.
        formats: Format of programmes → what is otherwise there.
        exploration: How much is explored.
    """

    version: str
    base: float
    weights: Mapping[str, float]
    signals: SignalSettings
    rules: RuleSettings
    formats: Mapping[str, Draft] = field(default_factory=dict)
    exploration: Exploration = Exploration()

    @property
    def content(self) -> list[Any]:
        """All that the version stands for, as plain values; exploration only where there is any."""
        explored = [asdict(self.exploration)] if self.exploration.share else []
        rules = {name: list(each) if isinstance(each, tuple) else each for name, each in asdict(self.rules).items()}
        return [self.base, dict(self.weights), asdict(self.signals), rules, *explored]

    @property
    def name(self) -> str:
        """What its file calls it."""
        return self.version.rpartition("@")[0]

    def within(self, programme_format: str, draft: Draft | None = None) -> "Policy":
        """The policy in a programme: this one, changed by what its format and then its own draft say.

        Raises:
            DomainError: `BAD_POLICY`, the limits contradict each other once they come together.
        """
        found = self
        for each in (self.formats.get(programme_format), draft):
            if each is not None:
                found = found._changed_by(each)
        return found

    def _changed_by(self, draft: Draft) -> "Policy":
        rules = {**asdict(self.rules), **draft.rules}
        _refuse_contradictions(draft.name or self.name, rules)
        weights = {**self.weights, **draft.weights}
        changed = replace(self, weights=MappingProxyType(weights), rules=RuleSettings(**rules), formats={})
        return replace(changed, version=version_of(draft.name or self.name, changed.content))


def chosen_policy(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The policy file that `MENTORGRAPH_POLICY` names; None for the one that comes with the program."""
    named = environment.get("MENTORGRAPH_POLICY")
    return Path(named).expanduser() if named else None


SHIPPED = Path(__file__).with_name("policy.toml")
"""The policy that comes with the program, which says everything."""


def load_policy(path: Path | None = None) -> Policy:
    """Reads a policy file, or the one that comes with the program; what a file does not say is as in that one.

    Raises:
        DomainError: `BAD_POLICY`, naming the file, the key and what is wrong with it.
    """
    own, where = _content(path or SHIPPED), (path or SHIPPED).name
    _refuse_unknown(where, own, ("name", "base", *TABLES))
    content = own if path is None else _completed(where, own, _content(SHIPPED))
    weights = _numbers(where, content, "weights", SIGNALS)
    signals = _numbers(where, content, "signals", tuple(each.name for each in fields(SignalSettings)))
    rules = _rules(where, "rules", _table(where, content, "rules"))
    missing = [each.name for each in fields(RuleSettings) if each.name not in rules]
    if missing:
        raise _bad(where, f"lacks rules.{missing[0]}")
    for key in ABOVE_0:
        if signals[key] <= 0:
            raise _bad(where, f"signals.{key} must be above 0")
    for key in SHARES:
        if not 0 <= signals[key] <= 1:
            raise _bad(where, f"signals.{key} must lie between 0 and 1")
    if signals["seniority_most_years"] < signals["seniority_least_years"]:
        raise _bad(where, "signals.seniority_most_years must be at least signals.seniority_least_years")
    _refuse_contradictions(where, rules)
    base = _number(where, "base", content.get("base", 0.0))
    settings = RuleSettings(**rules)
    formats = _formats(where, content.get("formats", {}), weights, rules)
    explored = _exploration(where, content) if "exploration" in content else Exploration()
    found = Policy("", base, MappingProxyType(weights), SignalSettings(**signals), settings, formats, explored)
    return replace(found, version=version_of(str(own.get("name", Path(where).stem)), found.content))


def read_draft(text: str, where: str = "draft") -> Draft:
    """Reads the policy of a programme: a TOML text with any of `name`, `[rules]` and `[weights]`.

    Args:
        text: The text.
        where: What the message of a refusal calls it.

    Raises:
        DomainError: `BAD_POLICY`, naming the key and what is wrong with it.
    """
    content = _parsed(where, text)
    _refuse_unknown(where, content, ("name", "rules", "weights"))
    name = content.get("name", "")
    if not isinstance(name, str) or "@" in name or len(name) > 100:
        raise _bad(where, "name must be a text of at most 100 characters without @")
    return _draft(where, name, content)


def policy_text(value: object) -> str:
    """Reads the policy of a programme as a column of the bundle: TOML, brought into one form.

    Raises:
        ValueError: It cannot be taken.
    """
    try:
        return draft_text(read_draft(str(value)))
    except DomainError as error:
        reason = error.message.partition(": ")[2].replace("|", " ")
        raise ValueError(f"is no policy: {reason}|correct it") from error


def draft_text(draft: Draft) -> str:
    """A draft as TOML: what `read_draft` reads, the same text for the same content."""
    lines = [f"name = {_toml(draft.name)}"] if draft.name else []
    for table, keys, values in (
        ("rules", [each.name for each in fields(RuleSettings)], draft.rules),
        ("weights", SIGNALS, draft.weights),
    ):
        told = [f"{key} = {_toml(values[key])}" for key in keys if key in values]
        lines += [*([""] if lines else []), f"[{table}]", *told] if told else []
    return "".join(f"{line}\n" for line in lines)


def settings_of(rules: RuleSettings) -> list[tuple[str, str]]:
    """The settings of the rules in their order: key → value, as TOML writes it."""
    return [(name, _toml(value)) for name, value in asdict(rules).items()]


def _toml(value: Any) -> str:
    if isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f"{value:g}" if float(value).is_integer() else repr(value)


def version_of(name: str, content: list[Any]) -> str:
    """The version of a policy with this name and content.

    Args:
        name: What its file calls it.
        content: What `Policy.content` gives.
    """
    canonical = json.dumps(content, sort_keys=True)
    return f"{name}@{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"


TABLES = ("weights", "signals", "rules", "formats", "exploration")
"""The tables of a policy file."""


def _content(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise _bad(path.name, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _bad(path.name, f"is not TOML: {error}") from error
    return _parsed(path.name, text)


def _completed(where: str, own: Mapping[str, Any], shipped: Mapping[str, Any]) -> dict[str, Any]:
    """A file with what it does not say; a format that it names is its own, as far as it names any."""
    content = {**shipped, **own}
    for name in TABLES:
        if name in own:
            told = _table(where, own, name)
            content[name] = told if name == "formats" else {**shipped.get(name, {}), **told}
    return content


LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "max_mentees": (1, 1_000),
        "least_overlap_minutes": (0, 7 * 24 * 60),
        "least_hours_per_month": (0, 744),
        "least_minutes_left": (0, 744 * 60),
        "decline_cool_off_days": (0, 36_500),
        "most_zone_gap_hours": (0, WIDEST_ZONE_GAP),
        "reporting_levels": (0, 5),
        "least_level_distance": (-ANY_LEVELS, ANY_LEVELS),
        "most_level_distance": (-ANY_LEVELS, ANY_LEVELS),
        "least_mentor_tier": (0, 9),
        "most_mentors": (0, 1_000),
    }
)
"""Setting of the rules → its least and its greatest value."""

FLAGS = ("counts_places", "members_only")

ABOVE_0 = (
    "half_life_years",
    "overlap_enough_hours",
    "sessions_enough",
    "level_unknown",
    "seniority_least_years",
    "seniority_most_years",
    "acceptance_requests",
)
"""Settings of the signals that are above 0."""

SHARES = (
    "one_step_credit",
    "two_steps_credit",
    "outcome_unknown",
    "open_week_share",
    "ongoing_share",
    "acceptance_usual",
)
"""Settings of the signals that lie between 0 and 1."""


def _parsed(where: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(where, f"is not TOML: {error}") from error


def _table(where: str, content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = content.get(name)
    if not isinstance(section, dict):
        raise _bad(where, f"lacks the table [{name}]")
    return section


def _refuse_unknown(where: str, content: Mapping[str, Any], keys: tuple[str, ...], table: str = "") -> None:
    unknown = sorted(content.keys() - set(keys))
    if unknown:
        raise _bad(where, f"{table}{unknown[0]} is not known; the keys are {', '.join(keys)}")


def _numbers(where: str, content: Mapping[str, Any], name: str, keys: tuple[str, ...]) -> dict[str, float]:
    section = _table(where, content, name)
    _refuse_unknown(where, section, keys, f"{name}.")
    missing = [key for key in keys if key not in section]
    if missing:
        raise _bad(where, f"lacks {name}.{missing[0]}")
    return {key: _number(where, f"{name}.{key}", section[key]) for key in keys}


def _exploration(where: str, content: Mapping[str, Any]) -> Exploration:
    found = Exploration(**_numbers(where, content, "exploration", ("share", "within")))
    if not 0 <= found.share <= 1:
        raise _bad(where, "exploration.share must lie between 0 and 1")
    if not (1 <= found.within <= MOST_EXPLORED and found.within.is_integer()):
        raise _bad(where, f"exploration.within must be a whole number from 1 to {MOST_EXPLORED}")
    return found


def _rules(where: str, table: str, section: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings of the rules that a table has, checked one by one and against each other."""
    _refuse_unknown(where, section, tuple(each.name for each in fields(RuleSettings)), f"{table}.")
    found: dict[str, Any] = {}
    for key, value in section.items():
        name = f"{table}.{key}"
        if key in FLAGS:
            if not isinstance(value, bool):
                raise _bad(where, f"{name} is {value!r}, not true or false")
            found[key] = value
        elif key in LIMITS:
            low, high = LIMITS[key]
            found[key] = _number(where, name, value)
            if found[key] < low:
                raise _bad(where, f"{name} must be at least {low:g}")
            if found[key] > high:
                raise _bad(where, f"{name} must be at most {high:g}")
        else:
            found[key] = _texts(where, name, value)
    _refuse_wrong_names(where, f"{table}.", found)
    _refuse_contradictions(where, found, f"{table}.")
    return found


def _refuse_wrong_names(where: str, table: str, rules: Mapping[str, Any]) -> None:
    names = [rule.name for rule in RULES]
    for name in rules.get("switched_off", ()):
        if name not in names:
            raise _bad(where, f"{table}switched_off: {name} is no rule; the rules are {', '.join(names)}")
        if name in FIRM:
            raise _bad(where, f"{table}switched_off: {name} holds under every policy")
    grades = [each.casefold() for each in rules.get("grades", ())]
    if len(set(grades)) < len(grades):
        raise _bad(where, f"{table}grades names a grade twice")


def _refuse_contradictions(where: str, rules: Mapping[str, Any], table: str = "rules.") -> None:
    least, most = rules.get("least_level_distance", -ANY_LEVELS), rules.get("most_level_distance", ANY_LEVELS)
    if least > most:
        message = f"{table}least_level_distance is {least:g}, above most_level_distance, which is {most:g}"
        raise _bad(where, f"{message}; nobody could be paired")


def _formats(where: str, section: Any, weights: dict[str, float], rules: dict[str, Any]) -> Mapping[str, Draft]:
    if not isinstance(section, dict):
        raise _bad(where, "formats is no table")
    _refuse_unknown(where, section, PROGRAMME_FORMATS, "formats.")
    found = {}
    for name in section:
        table = _table(where, section, name)
        own = {key: value for key, value in table.items() if key != "weights"}
        changed = _rules(where, f"formats.{name}", own)
        _refuse_contradictions(where, {**rules, **changed}, f"formats.{name}.")
        found[name] = Draft("", MappingProxyType(changed), _weights(where, f"formats.{name}.weights", table))
    return MappingProxyType(found)


def _draft(where: str, name: str, content: Mapping[str, Any]) -> Draft:
    rules = _rules(where, "rules", _table(where, content, "rules")) if "rules" in content else {}
    return Draft(name, MappingProxyType(rules), _weights(where, "weights", content))


def _weights(where: str, name: str, content: Mapping[str, Any]) -> Mapping[str, float]:
    """Those weights that a table has."""
    section = _table(where, content, "weights") if "weights" in content else {}
    _refuse_unknown(where, section, SIGNALS, f"{name}.")
    return MappingProxyType({key: _number(where, f"{name}.{key}", value) for key, value in section.items()})


def _texts(where: str, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise _bad(where, f"{key} is {value!r}, not a list of texts")
    return tuple(each.strip() for each in value)


def _number(where: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _bad(where, f"{key} is {value!r}, not a number")
    return float(value)


def _bad(where: str, reason: str) -> DomainError:
    return DomainError(f"policy {where}: {reason}", code="BAD_POLICY", field="draft")
