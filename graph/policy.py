"""The policy: which weight each signal has and which limits the rules keep, read from a TOML file and checked."""

import hashlib
import json
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mentorgraph.graph.errors import DomainError

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
class RuleSettings:
    """What the rules need to know."""

    max_mentees: float
    least_overlap_minutes: float


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy.

    Attributes:
        version: Name and the first digits of the hash of its content; equal content has an equal version.
        base: Where every score starts.
        weights: Signal → weight.
        signals: Settings of the signals.
        rules: Settings of the rules.
    """

    version: str
    base: float
    weights: Mapping[str, float]
    signals: SignalSettings
    rules: RuleSettings

    @property
    def content(self) -> list[Any]:
        """All that the version stands for, as plain values."""
        return [self.base, dict(self.weights), asdict(self.signals), asdict(self.rules)]


def chosen_policy(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The policy file that `MENTORGRAPH_POLICY` names; None for the one that comes with the program."""
    named = environment.get("MENTORGRAPH_POLICY")
    return Path(named).expanduser() if named else None


def load_policy(path: Path | None = None) -> Policy:
    """Reads a policy file, or the one that comes with the program.

    Raises:
        DomainError: `BAD_POLICY`, naming the file, the key and what is wrong with it.
    """
    path = path or Path(__file__).with_name("policy.toml")
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _bad(path, f"is not TOML: {error}") from error
    weights = _section(path, content, "weights", SIGNALS)
    signals = _section(path, content, "signals", tuple(each.name for each in fields(SignalSettings)))
    rules = _section(path, content, "rules", tuple(each.name for each in fields(RuleSettings)))
    for key in (
        "half_life_years",
        "overlap_enough_hours",
        "sessions_enough",
        "level_unknown",
        "seniority_least_years",
        "seniority_most_years",
        "acceptance_requests",
    ):
        if signals[key] <= 0:
            raise _bad(path, f"signals.{key} must be above 0")
    for key in (
        "one_step_credit",
        "two_steps_credit",
        "outcome_unknown",
        "open_week_share",
        "ongoing_share",
        "acceptance_usual",
    ):
        if not 0 <= signals[key] <= 1:
            raise _bad(path, f"signals.{key} must lie between 0 and 1")
    if signals["seniority_most_years"] < signals["seniority_least_years"]:
        raise _bad(path, "signals.seniority_most_years must be at least signals.seniority_least_years")
    if rules["max_mentees"] < 1:
        raise _bad(path, "rules.max_mentees must be at least 1")
    unknown = sorted(content.keys() - {"name", "base", "weights", "signals", "rules"})
    if unknown:
        raise _bad(path, f"{unknown[0]} is not known; the keys are name, base, weights, signals and rules")
    base = _number(path, "base", content.get("base", 0.0))
    version = version_of(str(content.get("name", path.stem)), [base, weights, signals, rules])
    return Policy(version, base, MappingProxyType(weights), SignalSettings(**signals), RuleSettings(**rules))


def version_of(name: str, content: list[Any]) -> str:
    """The version of a policy with this name and content.

    Args:
        name: What its file calls it.
        content: Base, weights, settings of the signals and of the rules.
    """
    canonical = json.dumps(content, sort_keys=True)
    return f"{name}@{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"


def _section(path: Path, content: Mapping[str, Any], name: str, keys: tuple[str, ...]) -> dict[str, float]:
    section = content.get(name)
    if not isinstance(section, dict):
        raise _bad(path, f"lacks the table [{name}]")
    unknown = sorted(section.keys() - set(keys))
    if unknown:
        raise _bad(path, f"{name}.{unknown[0]} is not known; the keys are {', '.join(keys)}")
    missing = [key for key in keys if key not in section]
    if missing:
        raise _bad(path, f"lacks {name}.{missing[0]}")
    return {key: _number(path, f"{name}.{key}", section[key]) for key in keys}


def _number(path: Path, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _bad(path, f"{key} is {value!r}, not a number")
    return float(value)


def _bad(path: Path, reason: str) -> DomainError:
    return DomainError(f"policy {path.name}: {reason}", code="BAD_POLICY")
