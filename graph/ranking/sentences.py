"""What reasons say, in several languages: by rule, from the steps of a path and from what was measured alone.

The wording stands in `sentences.toml`. No sentence says what its path does not hold: without the path there is none.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.vocabulary import ENGLISH, GERMAN


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a path, with the relationship that leads to it.

    Attributes:
        kind: Label of the node.
        node_uid: The node; empty where the viewer may not see it.
        label: Its name or title, if it has one and the viewer may see it.
        relationship_uid: The relationship from the step before; empty for the first step and for a computed one.
        relationship_type: Its type.
        forward: Whether it points from the step before to this one.
        since: When it began.
        source: Where it is known from.
        holds_now: Whether it holds still.
        count: Number of facts that the step stands for, where they are counted and not named.
        owner: uid of the person of whom the label tells; empty for nobody.
    """

    kind: str
    node_uid: str = ""
    label: str = ""
    relationship_uid: str = ""
    relationship_type: str = ""
    forward: bool = True
    since: datetime | None = None
    source: str = ""
    holds_now: bool = True
    count: int | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class EvidencePath:
    """One reason for a recommendation.

    Attributes:
        signal: The signal that it is evidence for.
        metapath: Its kind.
        weight: By how much the score would fall without its edge to the mentor; the sum where it stands for several.
        sentence: What it says, in English.
        steps: The path.
        cypher: A query that returns exactly this path; empty where the viewer may not see all of it.
        strength: How strong the likeness is that it tells of, 0 to 1.
    """

    signal: str
    metapath: str
    weight: float
    sentence: str
    steps: tuple[Step, ...]
    cypher: str = ""
    strength: float = 1.0

    @property
    def uid(self) -> str:
        """Its identity as it is shown: the same facts have the same one, in every language and at every time."""
        told = (f"{each.kind} {each.node_uid} {each.relationship_uid} {each.count or 1}" for each in self.steps)
        return uid_of("mentorgraph", "paths", f"{self.metapath} {' '.join(told)}")


@dataclass(frozen=True, slots=True)
class Measured:
    """What is said that no path tells.

    Attributes:
        what: `shared`, `shared_or_more`, `load`, `as_asked`, `asynchronous_only` or `no_single_path`; `as_told` for a
            sentence that was kept as such.
        number: Minutes of a week, or the share of places.
        text: The signal, or the sentence.
    """

    what: str
    number: float = 0.0
    text: str = ""

    def sentence(self, language: str = ENGLISH) -> str:
        """It in words."""
        words = wording(language)
        if self.what == "as_told":
            return self.text
        if self.what == "load":
            return words["load"].format(share=f"{self.number:.0%}")
        if self.what in ("as_asked", "asynchronous_only"):
            return words[self.what]
        if self.what == "no_single_path":
            return words["no_single_path"].format(signal=self.text)
        minutes = round(self.number)
        if not minutes:
            return words["never_shared"]
        parts = [("hours", minutes // 60), ("minutes", minutes % 60)]
        time = words["and"].join(_number(words, unit, count) for unit, count in parts if count)
        return words[self.what].format(time=time)


def _number(words: Mapping[str, str], unit: str, count: int) -> str:
    return words[f"{unit}_one" if count == 1 else f"{unit}_many"].format(count=count)


@cache
def wording(language: str) -> Mapping[str, str]:
    """The words of a language."""
    found: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text("utf-8"))
    return found[language]


def sentence_of(metapath: str, strength: float, steps: Sequence[Step], count: int = 1, language: str = ENGLISH) -> str:
    """What a path says, made from its steps alone; what has no label is not named.

    A skill that was merged goes by the name of the one that it counts for.

    Args:
        metapath: Its kind.
        strength: How strong the likeness is that it tells of, 0 to 1.
        steps: Its steps.
        count: How many alike paths it stands for.
        language: One of `vocabulary.LANGUAGES`.
    """
    words, steps = wording(language), _by_present_names(steps)
    key = metapath
    told = {"mentor": steps[-1].label, "mentee": steps[0].label, "likeness": f"{strength:.0%}"}
    if metapath.endswith("near_skill"):
        key += "_wider" if steps[2].forward else "_narrower"
    if metapath.endswith(("_skill", "similar_goal")):
        told |= {"wished": steps[1].label, "offered": steps[-2].label, "broader": steps[2].label}
    if metapath.endswith("similar_goal"):
        told["goals"] = _goals(words, steps[2], count)
    if metapath in ("similar_text", "similar_meaning"):
        told["goals"] = _goals(words, steps[1], count)
        key += "_many" if count > 1 else ""
    if metapath.endswith(("_unit_member", "_unit_mentored")):
        told["unit"] = steps[1].label
    if metapath.startswith("profile_") and strength != 1:
        key += "_less" if f"{key}_less" in words else ""
    if metapath == "mentored_before":
        told["mentee"] = steps[0].label or words["same_person"]
    if metapath == "goal_priority":
        told |= {"goals": _goals(words, steps[2], count), "priority": steps[1].label}
    if metapath == "unit_phase":
        told |= {"unit": steps[1].label, "phase": steps[0].label}
    if metapath.startswith("request_"):
        told["count"] = str(count)
        key += "_one" if count == 1 else "_many"
    if metapath == "sessions_held":
        times = max(count, steps[0].count or 1)
        since = steps[1].since
        told |= {"times": str(times), "last": _day(since, language) if since else ""}
        key += ("_last" if since else "") + ("_one" if times == 1 else "_many")
    return words[key].format(**told)


def in_language(path: EvidencePath, language: str) -> str:
    """What a path that is shown says in a language."""
    if language == ENGLISH:
        return path.sentence
    if path.sentence == wording(ENGLISH)["erased"]:
        return wording(language)["erased"]
    hidden = [step.count for step in path.steps if not step.node_uid and step.count]
    return sentence_of(path.metapath, path.strength, path.steps, max(hidden, default=1), language)


def _by_present_names(steps: Sequence[Step]) -> list[Step]:
    """The steps without those from or to a skill that was merged."""
    shown: list[Step] = []
    for step in steps:
        if step.relationship_type != "BECAME":
            shown.append(step)
        elif step.forward:
            shown[-1] = replace(step, relationship_type=shown[-1].relationship_type, forward=shown[-1].forward)
    return shown


def _goals(words: Mapping[str, str], step: Step, count: int) -> str:
    if step.label:
        return words["goal_named"].format(title=step.label)
    return words["goal_one"] if count == 1 else words["goal_many"].format(count=count)


def _day(day: datetime, language: str) -> str:
    return f"{day:%d.%m.%Y}" if language == GERMAN else day.date().isoformat()


SHOWN_SENTENCES = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence, and where it comes from.

    Attributes:
        sentence: What is said.
        paths: Identities of the paths that say so; none where it is measured and no path tells it.
    """

    sentence: str
    paths: tuple[str, ...] = ()


def reasons_of(
    paths: Sequence[EvidencePath], measured: Iterable[Measured], language: str = ENGLISH
) -> tuple[Reason, ...]:
    """The reasons in words: those of the heaviest paths, then what is measured and has no path."""
    told: dict[str, list[str]] = {}
    for path in paths:
        told.setdefault(in_language(path, language), []).append(path.uid)
    found = [Reason(sentence, tuple(uids)) for sentence, uids in told.items()]
    return (*found[:SHOWN_SENTENCES], *(Reason(each.sentence(language)) for each in measured))


def sentences_of(
    paths: Sequence[EvidencePath], measured: Iterable[Measured], language: str = ENGLISH
) -> tuple[str, ...]:
    """The sentences of `reasons_of`."""
    told = dict.fromkeys(in_language(path, language) for path in paths)
    return (*list(told)[:SHOWN_SENTENCES], *(each.sentence(language) for each in measured))
