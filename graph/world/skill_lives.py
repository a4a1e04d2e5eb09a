"""What becomes of skills in a generated world: some were proposed, merged, split or given up, and people are rated."""

from datetime import date
from typing import Any

from mentorgraph.graph.facts.model import ALWAYS
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.history import History, copied, words
from mentorgraph.graph.world.taxonomy import taxonomy

OLDER_NAME = 0.1
"""Share of those who know a skill by a name that was merged into it later."""
SEES = {"mentor": 1, "project": 1, "certificate": 0, "self": 2}
"""By whom somebody is rated → how far off a rating may be."""
CERTIFICATE_DAYS = 730


def tell_skills(history: History) -> dict[str, Any]:
    """Writes skills, their states and successions, and what people offer and want; returns what was planted."""
    tables, made = history.tables, history.made
    copied(history, ("skills", "broader"))
    first, last = made.period.first, history.last
    merged: dict[str, tuple[str, int]] = {}
    planted: dict[str, Any] = {"duplicates": [], "orphans": []}
    for number, each in enumerate(words()["skills"]):
        like = taxonomy().skills[each["like"]]
        id, becomes = each["id"], each["becomes"]
        tables.add("skills", id, each["name"], like.kind, str(like.tier), like.field, "")
        tables.add("broader", id, like.broader_id, plain(ALWAYS))
        day = first + (number + 3) * (last - first) // 20
        if becomes == "merged":
            merged[like.id] = (id, day)
            tables.add("successions", id, like.id, "merged", "the same skill", iso(day))
        elif becomes == "split":
            for part in each["parts"]:
                tables.add("successions", id, part, "split", "two skills in one", iso(day))
        elif becomes == "deprecated":
            tables.add("skill_states", id, "approved", "", iso(first), iso(day))
            tables.add("skill_states", id, "deprecated", "nobody uses it any more", iso(day), "")
        elif becomes == "proposed":
            tables.add("skill_states", id, "proposed", "asked for in many goals", iso(day), "")
        elif becomes == "duplicate":
            planted["duplicates"].append([id, like.id])
        else:
            planted["orphans"].append(id)
    skills = list(taxonomy().skills.values())
    draws = history.draws("skills")
    for skill in skills[::9]:
        siblings = taxonomy().near(skill.id)[1] if skill.tier >= 3 else []
        if siblings:
            relation = draws.pick(("essential", "optional"))
            tables.add("skill_relations", skill.id, draws.pick(siblings), relation, iso(first))
    _tell_offers(history, merged)
    return planted


def _tell_offers(history: History, merged: dict[str, tuple[str, int]]) -> None:
    """Writes offers and wishes, some under the older name of a skill, and ratings of what is offered."""
    draws, tables, made = history.draws("ratings"), history.tables, history.made
    mentors = {mentor.id: dict(mentor.offers) for mentor in made.appeal.mentors}
    rated: set[tuple[str, str]] = set()
    for person, skill, stance, level, since, until in made.tables.rows["person_skills"]:
        older, day = merged.get(skill, ("", 0))
        named = older if older and since < iso(day) and draws.chance(OLDER_NAME) else skill
        tables.add("person_skills", person, named, stance, level, since, until)
        true = mentors.get(person, {}).get(skill)
        if stance == "offers" and true and not until and (person, skill) not in rated:
            rated.add((person, skill))
            _rate(history, person, named, true, since)


def _rate(history: History, person: str, skill: str, true: int, since: str) -> None:
    """Writes what some say of a skill of a mentor, since they offer it."""
    draws = history.draws(f"ratings of {person} {skill}")
    begins = date.fromisoformat(since).toordinal()
    until = history.made.people[person].left or history.last
    for by, spread in SEES.items():
        if begins >= until or not draws.chance(0.25):
            continue
        day = draws.between(begins, until - 1)
        level = str(min(5, max(1, true + draws.bell(spread))))
        ends = day + CERTIFICATE_DAYS if by == "certificate" else 0
        ends = ends if ends <= history.last else 0
        history.tables.add("skill_ratings", person, skill, level, by, iso(day), history.alive(person, ends))
