"""Which format of programmes suits a goal: by stated rules, each told with the facts by which it applies.

The rules stand in `format_choice.toml`. They look at what the goal asks for, how far the person is from it, who else
learns the same, and how much time there is; whoever doubts an answer can look the same facts up.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.free_time import week
from mentorgraph.graph.columns.proficiency import person_levels
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.values import SLOT_MINUTES
from mentorgraph.graph.people.eligibility import formats_of
from mentorgraph.graph.ranking.asking import owner
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.viewer import Viewer

SUGGESTED = ("micro", "peer", "cohort", "long_term")
"""Formats that are suggested, that which asks for the least time first."""


@dataclass(frozen=True, slots=True)
class SkillGap:
    """How far somebody is from what a goal needs in one skill.

    Attributes:
        skill: uid of the skill, by what it counts for.
        needed: Level that the goal needs, 1 to 5.
        is_stated: Whether the goal states that level.
        own: Level of the person, that of a beginner where nothing says that they know it; None where they know it at no
            stated level.
        learners: How many others who agreed to be matched have an open goal that needs it.
    """

    skill: str
    needed: float
    is_stated: bool
    own: float | None
    learners: int

    @property
    def steps(self) -> float:
        """Levels that are missing; one where the own level is not known."""
        return max(self.needed - self.own, 0.0) if self.own is not None else 1.0


@dataclass(frozen=True, slots=True)
class GoalFacts:
    """What the rules look at.

    Attributes:
        title: The goal in one line.
        description: In more words; empty for none.
        gaps: The skills that it needs.
        free_minutes: Free time of the person in the present week; None where they have not said.
        formats: Formats that the person takes part in; none for no wish.
    """

    title: str
    description: str
    gaps: tuple[SkillGap, ...]
    free_minutes: int | None
    formats: frozenset[str] = frozenset()

    @property
    def steps(self) -> float:
        """Levels that are missing in all."""
        return sum(each.steps for each in self.gaps)


@dataclass(frozen=True, slots=True)
class FormatReason:
    """A rule that applies to a goal.

    Attributes:
        rule: Its name.
        fact: By what it applies, in a sentence.
        points: Format → what it adds to it.
    """

    rule: str
    fact: str
    points: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FormatChoice:
    """The format that suits a goal.

    Attributes:
        format: One of `SUGGESTED`.
        reasons: All rules that apply.
        points: Format → sum of their points, the suggested one first; a format that the person leaves out is absent.
        facts: What the rules looked at.
        programmes: uids of the programmes of that format that run now.
    """

    format: str
    reasons: tuple[FormatReason, ...]
    points: Mapping[str, float]
    facts: GoalFacts
    programmes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rules:
    limits: Mapping[str, float]
    points: Mapping[str, Mapping[str, float]]
    question: re.Pattern[str]
    look: re.Pattern[str]
    role: re.Pattern[str]


async def suggest_format(recommender: Recommender, viewer: Viewer, goal: str) -> FormatChoice:
    """Suggests the format of programmes that suits a goal, and says why.

    Args:
        recommender: What knows the graph.
        viewer: On whose behalf: whose goal it is, or who sees everybody.
        goal: uid of the goal.

    Raises:
        DomainError: `NOT_FOUND`, also for goals of others.
        DatabaseUnavailable: The graph cannot be asked.
    """
    columns = await recommender.fresh_columns()
    person = owner(columns, goal)
    if not person or not (viewer.sees_everybody or viewer.person == person):
        raise DomainError("no goal has this id", code="NOT_FOUND", field="goalId")
    now = recommender.clock()
    row = await recommender.store.read_asker(person, goal, now)
    formats = formats_of(row) if row is not None else frozenset()
    gaps, others = _gaps(columns, person, goal, now.timestamp())
    agreed = await recommender.store.find_consenting({each for some in others for each in some}, "matching", now)
    counted = tuple(
        SkillGap(each.skill, each.needed, each.is_stated, each.own, len(some & agreed))
        for each, some in zip(gaps, others, strict=True)
    )
    goals, number = columns.tables["goals"], columns.goals.find(goal)
    free = week(columns, now)
    who = columns.people.find(person)
    minutes = int(np.bitwise_count(free.free[who]).sum()) * SLOT_MINUTES if free.stated[who] else None
    texts = (goals.strings("title")[number] or "", goals.strings("description")[number] or "")
    found = choose_format(GoalFacts(*texts, counted, minutes, formats))
    running = await recommender.store.find_programmes_of(found.format, now)
    return FormatChoice(found.format, found.reasons, found.points, found.facts, tuple(running))


def choose_format(facts: GoalFacts) -> FormatChoice:
    """The format that the rules give most points to.

    Raises:
        DomainError: `CONFLICT`, the person takes part in none of the formats that are suggested.
    """
    reasons = tuple(_reasons(facts))
    allowed = [each for each in SUGGESTED if not facts.formats or each in facts.formats]
    if not allowed:
        told = f"this person takes part in {', '.join(sorted(facts.formats))} only, which no goal decides"
        raise DomainError(f"{told}; add another format to their profile", code="CONFLICT", field="goalId")
    points = {each: sum(reason.points.get(each, 0.0) for reason in reasons) for each in allowed}
    order = sorted(allowed, key=lambda each: (-points[each], SUGGESTED.index(each)))
    return FormatChoice(order[0], reasons, {each: points[each] for each in order}, facts)


def _reasons(facts: GoalFacts) -> Iterator[FormatReason]:
    rules = _rules()
    told = [
        *_of_the_words(facts, rules),
        *_of_the_way(facts, rules.limits),
        *_of_the_others(facts, rules.limits),
        *_of_the_time(facts, rules.limits),
    ]
    if not any(rule != "LITTLE_TIME" for rule, _ in told):
        told.append(("NOTHING_KNOWN", "the goal names no skill, and its words tell of no question and no role"))
    for rule, fact in told:
        yield FormatReason(rule, fact, rules.points[rule])


def _of_the_words(facts: GoalFacts, rules: _Rules) -> Iterator[tuple[str, str]]:
    for rule, pattern in (
        ("ASKS_A_QUESTION", rules.question),
        ("ASKS_FOR_A_LOOK", rules.look),
        ("CHANGES_ROLE", rules.role),
    ):
        for where, text in (("title", facts.title), ("description", facts.description)):
            if (match := pattern.search(text)) is not None:
                yield rule, f"the {where} says '{match[0].strip()}'"
                break


def _of_the_way(facts: GoalFacts, limits: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    if not facts.gaps:
        return
    number, steps = len(facts.gaps), facts.steps
    told = f"the goal needs {_counted(number, 'skill')}, in which {_counted(steps, 'level')} in all are missing"
    if steps <= limits["few_steps"] and number < limits["many_skills"]:
        yield "FEW_STEPS", told
    elif steps < limits["many_steps"] and number < limits["many_skills"]:
        yield "SKILL_STEP", told
    if steps >= limits["many_steps"]:
        yield "MANY_STEPS", told
    if number >= limits["many_skills"]:
        yield "MANY_SKILLS", told


def _of_the_others(facts: GoalFacts, limits: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    most = max((each.learners for each in facts.gaps), default=0)
    if most:
        rule = "CIRCLE_LEARNS" if most >= limits["circle"] else "ONE_OTHER_LEARNS"
        yield rule, f"{_counted(most, 'other person', 'other people')} learn one of its skills now"


def _of_the_time(facts: GoalFacts, limits: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    if facts.free_minutes is not None and facts.free_minutes < limits["little_minutes"]:
        yield "LITTLE_TIME", f"{facts.free_minutes} minutes are free in the present week"


def _counted(number: float, one: str, many: str = "") -> str:
    return f"{number:g} {one if number == 1 else many or f'{one}s'}"


def _gaps(columns: Columns, person: str, goal: str, now: float) -> tuple[list[SkillGap], list[frozenset[str]]]:
    """What a goal needs, without the number of others who learn it, and who these are."""
    needs, number = columns.tables["goal_skills"], columns.goals.find(goal)
    skills, levels = columns.skills_of("goal_skills", "skill", now), needs.reals("level")
    valid, uids = needs.valid(now), columns.skills.uids
    own = {each.skill: each.level for each in person_levels(columns, person, now)}
    wanted: dict[int, float] = {}
    for row in columns.rows_by("goal_skills", "goal").of(number):
        if valid[row]:
            level = float(levels[row])
            known = wanted.get(int(skills[row]), np.nan)
            wanted[int(skills[row])] = float(np.fmax(known, level))
    goals = columns.tables["goals"]
    is_open, owners = goals.valid(now), goals.numbers("person")
    asking = needs.numbers("goal")
    gaps, others = [], []
    for skill, level in sorted(wanted.items(), key=lambda each: uids[each[0]]):
        stated = not np.isnan(level)
        needed = level if stated else _rules().limits["level_unknown"]
        gaps.append(SkillGap(uids[skill], needed, stated, own.get(uids[skill], _rules().limits["beginner"]), 0))
        rows = np.flatnonzero(valid & (skills == skill))
        rows = rows[is_open[asking[rows]]]
        learning = {columns.people.uids[each] for each in owners[asking[rows]] if each != NONE}
        others.append(frozenset(learning - {person}))
    return gaps, others


@cache
def _rules() -> _Rules:
    content = tomllib.loads(Path(__file__).with_name("format_choice.toml").read_text("utf-8"))
    words = content["words"]
    question = rf"[^.!?]*\?|^\s*(?:{_alternatives(words['question'])})\b[^.!]*"
    patterns = (question, *(rf"\b(?:{_alternatives(words[each])})\b" for each in ("look", "role")))
    return _Rules(content["limits"], content["points"], *(re.compile(each, re.IGNORECASE) for each in patterns))


def _alternatives(words: Sequence[str]) -> str:
    return "|".join(re.escape(each) for each in sorted(words, key=len, reverse=True))
