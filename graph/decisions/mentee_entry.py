"""The entry of an answer to a mentor, a list of goals of several mentees, as plain values and back.

Each pair stands in it with the policy that counted in the mentee's programme, so that it can be explained, computed
again and compared with the present as if it had been answered to the mentee. What is personal is sealed pair by pair
with the keys of both: who is erased takes no other pair along.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from mentorgraph.graph.decisions.chain import MENTEES
from mentorgraph.graph.decisions.decision import MenteeDecision, RecommendedMentee
from mentorgraph.graph.decisions.entry import recommendation_entry, recommended_of
from mentorgraph.graph.decisions.keys import Key, seal, unseal
from mentorgraph.graph.ranking.mentees import MenteeList, MenteeRecommendation
from mentorgraph.graph.viewer import Viewer


def people_of_mentees(found: MenteeList) -> set[str]:
    """The people whose keys an entry needs."""
    owners = {step.owner for each in found.recommendations for path in each.evidence for step in path.steps}
    return {found.mentor, *(each.mentee for each in found.recommendations), *owners} - {""}


def entry_of_mentees(
    found: MenteeList, keys: Mapping[str, Key], code_version: str, recorded_at: datetime
) -> dict[str, Any]:
    """The entry of an answer.

    Args:
        found: The answer.
        keys: The keys of the people it is about, by uid.
        code_version: Version of mentorgraph.
        recorded_at: The present instant.
    """
    asked, mentor = found.asked, found.mentor
    return {
        "kind": MENTEES,
        "slate": found.uid,
        "at": recorded_at,
        "viewer": {"person": asked.viewer.person, "roles": sorted(asked.viewer.roles)},
        "question": {
            "mentor": mentor,
            "at": asked.at,
            "scoredAt": asked.scored_at,
            "rankOffset": asked.rank_offset,
            "change": asked.change,
        },
        "model": found.model_version,
        "code": code_version,
        "notice": found.notice,
        "recommendations": [_pair_entry(each, asked.names, keys) for each in found.recommendations],
        "sealed": seal([keys[mentor]], {uid: asked.names[uid] for uid in (mentor,) if uid in asked.names}, found.uid),
    }


def _pair_entry(pair: MenteeRecommendation, names: Mapping[str, str], keys: Mapping[str, Key]) -> dict[str, Any]:
    told = {"mentee": names.get(pair.mentee, ""), "title": names.get(pair.goal, "")}
    return {
        **recommendation_entry(pair, names, pair.mentee, keys, told),
        "mentee": pair.mentee,
        "goal": pair.goal,
        "policy": pair.policy_version,
        "base": pair.base,
    }


def mentee_decision_of(entry: Mapping[str, Any], secrets_by_name: Mapping[str, bytes]) -> MenteeDecision:
    """Reads an entry.

    Args:
        entry: The entry.
        secrets_by_name: The keys that still exist.

    Raises:
        DomainError: `DECISION_LOG_DAMAGED`.
    """
    asked = entry["question"]
    return MenteeDecision(
        entry["slate"],
        datetime.fromisoformat(entry["at"]),
        Viewer(entry["viewer"]["person"], frozenset(entry["viewer"]["roles"])),
        asked["mentor"],
        datetime.fromisoformat(asked["at"]),
        datetime.fromisoformat(asked["scoredAt"]),
        asked["change"],
        asked["rankOffset"],
        entry["model"],
        entry["code"],
        tuple(_pair(each, secrets_by_name) for each in entry["recommendations"]),
        entry["notice"],
        unseal(secrets_by_name, entry["sealed"], entry["slate"]) or {},
    )


def _pair(each: Mapping[str, Any], secrets_by_name: Mapping[str, bytes]) -> RecommendedMentee:
    personal = unseal(secrets_by_name, each["sealed"], each["uid"])
    found = recommended_of(each, each["base"], personal, secrets_by_name).recommendation
    pair = MenteeRecommendation(
        *(getattr(found, one.name) for one in fields(found)),
        mentee=each["mentee"],
        goal=each["goal"],
        policy_version=each["policy"],
    )
    told = {each["mentee"]: personal["mentee"], each["goal"]: personal["title"]} if personal else {}
    return RecommendedMentee(pair, personal is None, {uid: name for uid, name in told.items() if name})
