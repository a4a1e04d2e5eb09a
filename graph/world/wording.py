"""How people of generated worlds write: goals that tell their topic and rhythm only in part, and comments."""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.taxonomy import taxonomy


@cache
def wording() -> dict[str, Any]:
    """The templates and word lists of `wording.toml`."""
    return tomllib.loads(Path(__file__).with_name("wording.toml").read_text(encoding="utf-8"))


def goal_text(
    draws: Draws, kind: str, subject: str, needs: Sequence[str], pace: int, motivation: int
) -> tuple[str, str]:
    """A title and a description of one to three sentences.

    Args:
        draws: Where chance comes from.
        kind: Kind of the topic's skills.
        subject: The topic's subject; one goal in eight speaks of another one.
        needs: Ids of the skills it needs.
        pace: The mentee's; seven in ten descriptions tell it.
        motivation: The mentee's; told by some of the very eager and the unsure.
    """
    subjects = wording()["subjects"]
    if draws.chance(0.125):
        subject = draws.pick(list(subjects))
    words = (subject, *subjects[subject])
    names = [draws.pick(taxonomy().skills[skill].spellings) for skill in draws.some(needs, 2)]
    if len(names) < 2:
        names.append("writing things down")
    sentences = wording()["sentences"]

    def fill(template: str) -> str:
        subject, detail = draws.some(words, 2)
        text = template.format(subject=subject, detail=detail, skill=names[0], other=names[1])
        return text[0].upper() + text[1:]

    title = fill(draws.pick(wording()["titles"][kind]))
    parts = []
    if draws.chance(0.8):
        parts.append(fill(draws.pick(sentences["context"])))
    if draws.chance(0.7) or not parts:
        parts.append(fill(draws.pick(sentences["skills"])))
    if motivation in (0, 4) and draws.chance(0.5):
        parts.append(draws.pick(sentences["eager" if motivation == 4 else "unsure"]))
    elif draws.chance(0.7):
        parts.append(draws.pick(sentences[("weekly", "fortnightly", "monthly")[pace]]))
    return title, " ".join(parts)


def comment(draws: Draws, rating: int) -> str:
    """What somebody writes who gives this rating, in thousandths."""
    comments = wording()["comments"]
    return str(draws.pick(comments["good" if rating >= 650 else "fair" if rating >= 400 else "poor"]))
