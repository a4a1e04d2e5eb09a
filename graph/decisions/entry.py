"""One entry of the decision log: an answer as plain values, with what is personal in it sealed, and back.

An entry holds all that the score and the order are made of, so that both can be computed again without the graph.
People and facts stand in it by uid. Names, titles and sentences are sealed: those about the mentee with the mentee's
key, those about a recommended mentor with the keys of both, and what tells of third people with theirs as well.
"""

from collections.abc import Mapping, Set
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType
from typing import Any

from mentorgraph.graph.decisions.chain import ANSWER
from mentorgraph.graph.decisions.decision import ERASED, Decision, Recommended
from mentorgraph.graph.decisions.keys import Key, seal, unseal
from mentorgraph.graph.ranking.listing import Asked, Recommendation, Slate
from mentorgraph.graph.ranking.options import Options
from mentorgraph.graph.ranking.reasons import SignalValue
from mentorgraph.graph.ranking.scoring import Chance
from mentorgraph.graph.ranking.sentences import (
    EvidencePath,
    Measured,
    Step,
    sentence_of,
    sentences_of,
)
from mentorgraph.graph.ranking.shaping import Candidate, Shaping
from mentorgraph.graph.viewer import Viewer


def people_of(slate: Slate) -> set[str]:
    """The people whose keys an entry needs."""
    owners = {step.owner for each in slate.recommendations for path in each.evidence for step in path.steps}
    return {slate.asked.mentee, *(each.mentor for each in slate.recommendations), *owners} - {""}


def entry_of(slate: Slate, keys: Mapping[str, Key], code_version: str, recorded_at: datetime) -> dict[str, Any]:
    """The entry of an answer.

    Args:
        slate: The answer.
        keys: The keys of the people it is about, by uid.
        code_version: Version of mentorgraph.
        recorded_at: The present instant.
    """
    asked = slate.asked
    own = {uid: asked.names[uid] for uid in (asked.mentee, slate.goal) if uid in asked.names}
    options = asked.options.content
    if "wish" in options:  # which identity somebody asked for is theirs to know; that they asked for one is not hidden
        own["wish"] = options["wish"].pop("value")
    return {
        "kind": ANSWER,
        "slate": slate.uid,
        "at": recorded_at,
        "viewer": {"person": asked.viewer.person, "roles": sorted(asked.viewer.roles)},
        "question": {
            "mentee": asked.mentee,
            "goal": slate.goal,
            "at": asked.at,
            "scoredAt": asked.scored_at,
            "asOf": asked.as_of,
            "rankOffset": asked.rank_offset,
            "change": asked.change,
            "options": options,
            "programme": asked.programme,
        },
        "shaping": _shaping_entry(asked),
        "model": slate.model_version,
        "policy": slate.policy_version,
        "code": code_version,
        "base": slate.recommendations[0].base if slate.recommendations else asked.policy.base,
        "notice": slate.notice,
        "recommendations": [
            recommendation_entry(each, asked.names, asked.mentee, keys) for each in slate.recommendations
        ],
        "sealed": seal([keys[asked.mentee]], own, slate.uid),
    }


def _shaping_entry(asked: Asked) -> dict[str, Any] | None:
    """How the first places were given, and among whom; people stand in it by uid, as everywhere."""
    if asked.shaping is None:
        return None
    candidates = [
        [each.uid, each.score, each.is_expert, each.is_cross_functional, sorted(each.traits)]
        for each in asked.candidates
    ]
    return {**asked.shaping.content, "candidates": candidates}


def _shaping(entry: Mapping[str, Any] | None) -> tuple[Shaping | None, tuple[Candidate, ...]]:
    if entry is None:
        return None, ()
    candidates = (
        Candidate(uid, score, is_expert, is_cross_functional, frozenset(traits))
        for uid, score, is_expert, is_cross_functional, traits in entry["candidates"]
    )
    return Shaping.of(entry), tuple(candidates)


def recommendation_entry(
    found: Recommendation,
    names: Mapping[str, str],
    mentee: str,
    keys: Mapping[str, Key],
    more: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """One recommendation as plain values.

    Args:
        found: The recommendation.
        names: Names by uid.
        mentee: uid of the person who is to have the mentor.
        keys: The keys of the people whom it tells of, by uid.
        more: What else is sealed with the keys of the two.
    """
    both = {mentee, found.mentor}
    personal = {
        **more,
        "name": names.get(found.mentor, ""),
        "measured": [[each.what, each.number, each.text] for each in found.measured],
        "paths": [_words(path, both) for path in found.evidence],
    }
    paths = []
    for place, path in enumerate(found.evidence):
        people = {step.owner for step in path.steps} - {""}
        paths.append(_path_entry(path))
        if not people <= both:
            of_all = [keys[uid] for uid in people | both]
            paths[-1]["sealed"] = seal(of_all, _words(path, people), _context(found.uid, place))
    return {
        "uid": found.uid,
        "rank": found.rank,
        "mentor": found.mentor,
        "score": found.score,
        "cautions": list(found.cautions),
        "mode": found.mode,
        "chance": asdict(found.chance) if found.chance else None,
        "propensity": found.propensity,
        "pin": found.pin,
        "modelRank": found.model_rank,
        "availableFrom": found.available_from,
        "liftedBy": found.lifted_by,
        "signals": [
            {
                "name": each.name,
                "value": each.value,
                "unit": each.unit,
                "weight": each.weight,
                "contribution": each.contribution,
                **({"source": each.source} if each.source else {}),
            }
            for each in found.signals
        ],
        "paths": paths,
        "sealed": seal([keys[uid] for uid in sorted(both)], personal, found.uid),
    }


def _words(path: EvidencePath, people: Set[str]) -> list[str]:
    """Its sentence and labels; without the sentence and the labels that tell of others than some people."""
    tells_of_others = any(step.owner and step.owner not in people for step in path.steps)
    labels = (step.label if not step.owner or step.owner in people else "" for step in path.steps)
    return ["" if tells_of_others else path.sentence, *labels]


def _context(recommendation: str, place: int) -> str:
    return f"{recommendation} {place}"


def _path_entry(path: EvidencePath) -> dict[str, Any]:
    return {
        "signal": path.signal,
        "metapath": path.metapath,
        "weight": path.weight,
        "strength": path.strength,
        "cypher": path.cypher,
        "steps": [
            {
                "kind": step.kind,
                "uid": step.node_uid,
                "relationship": step.relationship_uid,
                "type": step.relationship_type,
                "forward": step.forward,
                "since": step.since,
                "source": step.source,
                "holdsNow": step.holds_now,
                "count": step.count,
                "owner": step.owner,
            }
            for step in path.steps
        ],
    }


def keys_named_in(entry: Mapping[str, Any]) -> set[str]:
    """The names of all keys that an entry needs."""
    boxes = [entry["sealed"]]
    for each in entry["recommendations"]:
        boxes += [each["sealed"], *(path["sealed"] for path in each["paths"] if "sealed" in path)]
    return {name for box in boxes for name in box["keys"]}


def decision_of(entry: Mapping[str, Any], secrets_by_name: Mapping[str, bytes]) -> Decision:
    """Reads an entry.

    Args:
        entry: The entry.
        secrets_by_name: The keys that still exist.

    Raises:
        DomainError: `DECISION_LOG_DAMAGED`.
    """
    asked = entry["question"]
    own = unseal(secrets_by_name, entry["sealed"], entry["slate"])
    names: dict[str, str] = dict(own or {})
    options = dict(asked.get("options", {}))
    if "wish" in options:
        options["wish"] = {**options["wish"], "value": names.pop("wish", "")}
    recommended = []
    for each in entry["recommendations"]:
        personal = unseal(secrets_by_name, each["sealed"], each["uid"])
        if personal is not None and personal["name"]:
            names[each["mentor"]] = personal["name"]
        recommended.append(recommended_of(each, entry["base"], personal, secrets_by_name))
    return Decision(
        entry["slate"],
        datetime.fromisoformat(entry["at"]),
        Viewer(entry["viewer"]["person"], frozenset(entry["viewer"]["roles"])),
        asked["mentee"],
        asked["goal"],
        datetime.fromisoformat(asked["at"]),
        datetime.fromisoformat(asked["scoredAt"]),
        datetime.fromisoformat(asked["asOf"]) if asked["asOf"] else None,
        asked["change"],
        asked["rankOffset"],
        entry["model"],
        entry["policy"],
        entry["code"],
        entry["base"],
        tuple(recommended),
        entry["notice"],
        names,
        own is None,
        Options.of(options),
        *_shaping(entry.get("shaping")),
        asked.get("programme", ""),
    )


def recommended_of(
    each: Mapping[str, Any], base: float, personal: Mapping[str, Any] | None, secrets_by_name: Mapping[str, bytes]
) -> Recommended:
    """Reads one recommendation.

    Args:
        each: Its part of an entry.
        base: Where its score starts.
        personal: What was sealed in it; None where that can no longer be read.
        secrets_by_name: The keys that still exist.
    """
    texts: list[list[str] | None] = list(personal["paths"]) if personal else [None] * len(each["paths"])
    for place, path in enumerate(each["paths"]):
        if "sealed" in path:
            texts[place] = unseal(secrets_by_name, path["sealed"], _context(each["uid"], place)) or texts[place]
    evidence = tuple(_path(path, text) for path, text in zip(each["paths"], texts, strict=True))
    signals = tuple(
        SignalValue(one["name"], one["value"], one["unit"], one["weight"], one["contribution"], one.get("source", ""))
        for one in each["signals"]
    )
    measured = tuple(map(_measured, personal["measured"])) if personal else ()
    found = Recommendation(
        each["uid"],
        each["rank"],
        each["mentor"],
        each["score"],
        base,
        signals,
        evidence,
        sentences_of(evidence, measured) if personal else (),
        evidence,
        measured,
        datetime.fromisoformat(each["availableFrom"]) if each.get("availableFrom") else None,
        each.get("liftedBy", ""),
        each["propensity"],
        each.get("pin", ""),
        each.get("modelRank"),
        tuple(each.get("cautions", ())),
        each.get("mode", ""),
        Chance(**each["chance"]) if each.get("chance") else None,
    )
    return Recommended(found, personal is None)


def _measured(kept: str | list[Any]) -> Measured:
    """What is said that no path tells; entries of earlier versions hold the sentence itself."""
    return Measured("as_told", text=kept) if isinstance(kept, str) else Measured(*kept)


def _path(path: Mapping[str, Any], texts: list[str] | None) -> EvidencePath:
    sentence, *labels = texts or [ERASED, *[""] * len(path["steps"])]
    steps = tuple(
        Step(
            step["kind"],
            step["uid"],
            label,
            step["relationship"],
            step["type"],
            step["forward"],
            datetime.fromisoformat(step["since"]) if step["since"] else None,
            step["source"],
            step["holdsNow"],
            step["count"],
            step.get("owner", ""),
        )
        for step, label in zip(path["steps"], labels, strict=True)
    )
    sentence = sentence or sentence_of(path["metapath"], path["strength"], steps)
    return EvidencePath(
        path["signal"], path["metapath"], path["weight"], sentence, steps, path["cypher"], path["strength"]
    )
