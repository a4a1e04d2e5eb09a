"""What the page of a kept answer shows of the present: what was decided about it, and what has changed since.

The answer itself comes from the log and needs no database; all of this does, and is left out where it is away.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mentorgraph.api.ids import read_given_id
from mentorgraph.api.page_words import when
from mentorgraph.graph.decisions.decision import ERASED, Decision, MenteeDecision, Recommended, RecommendedMentee
from mentorgraph.graph.decisions.then_and_now import Change, Compared, Today, changes_of, today_of
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.explaining import overriding
from mentorgraph.graph.explaining.remedies import ACTORS, MENTEE
from mentorgraph.graph.explaining.what_would_change import what_would_change
from mentorgraph.graph.explaining.why_not import why_not
from mentorgraph.graph.facts.dated import holds
from mentorgraph.graph.facts.model import InvalidFact, Record, is_uid
from mentorgraph.graph.facts.values import instant, plain
from mentorgraph.graph.ranking.matching import Judged, Recommender
from mentorgraph.graph.ranking.reasons import apart
from mentorgraph.graph.ranking.scoring import Scorer
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.store.store import NodeRecord
from mentorgraph.graph.viewer import COORDINATOR, Viewer

FIRST = 10
"""Length of the list of the mentee in which a pair of a mentor's list is looked for."""

CHANGE_PATIENCE_S = 1.5
"""Seconds for which changes that would help are looked for."""
LONGEST_NUMBER = 4
"""Digits from which on a number is none that can be meant."""

Graph = Callable[[], Awaitable[tuple[Recommender, Scorer | None]]]
"""What answers now and what ranks; raises `DatabaseUnavailable` where it cannot."""

ACTIONS = {
    "accept": "Accept: ask the recommended mentor",
    "swap": "Swap: ask another mentor instead",
    "pin": "Pin: put a mentor first until a day",
    "forbid": "Forbid: do not recommend a mentor until a day",
    "end": "End: take back what was asked, or end the pairing",
}
REASONS = {
    "asked_for": "One of the two asked for it",
    "better_fit": "They fit better than the facts show",
    "experience": "One of the two should gain this experience",
    "balance": "Work should be shared out more evenly",
    "conflict_of_interest": "Conflict of interest",
    "wrong_facts": "The facts behind the answer are wrong",
    "does_not_work_out": "The two do not get on",
    "other": "Another reason",
}
DONE = {"accept": "Accepted", "swap": "Swapped", "pin": "Pinned", "forbid": "Forbidden", "end": "Ended"}
VERBS = {
    "began": "began",
    "ended": "ended",
    "changed": "changed",
    "corrected": "was recorded or written over afterwards",
    "gone": "is no longer in the graph",
}


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of a coordinator, for the page.

    Attributes:
        id: uid of the override.
        done: What was decided.
        mentor: Name of the mentor.
        reason: Why.
        note: Why, in words.
        by: Who decided.
        since: When.
        until: Until when it holds, or when it was ended; empty for what holds on.
        is_in_force: Whether it holds now.
        end_note: Why it was ended.
        refusals: Rules that keep a pin from its place now.
    """

    id: str
    done: str
    mentor: str
    reason: str
    note: str
    by: str
    since: str
    until: str
    is_in_force: bool
    end_note: str
    refusals: tuple[str, ...]


async def decided(graph: Graph, decision: Decision, recommendation: str, language: str) -> list[Decided]:
    """What coordinators decided about a recommendation, in order."""
    recommender, _ = await graph()
    store, now = recommender.store, recommender.clock()
    uids = (await store.read_overrides_on([recommendation])).get(recommendation, [])
    nodes = await store.read_nodes(uids, now) if uids else {}
    people = {uid for each in nodes.values() for name, uid in each.parties.items() if name in ("mentor", "by")}
    names = {uid: _name(node) for uid, node in (await store.read_nodes(people, now)).items()} if people else {}
    pinned = [each.parties["mentor"] for each in nodes.values() if each.properties["action"] == "pin"]
    judged = await recommender.judge(COORDINATOR, decision.mentee, pinned) if pinned else {}
    found = []
    for each in (nodes[uid] for uid in uids):
        told, mentor = each.properties, each.parties["mentor"]
        is_pin = told["action"] == "pin"
        found.append(
            Decided(
                each.uid,
                DONE[told["action"]],
                names.get(mentor, mentor),
                REASONS[told["reason"]],
                told["note"],
                names.get(each.parties.get("by", ""), "a coordinator"),
                when(told["since"], language),
                when(told["until"], language) if "until" in told else "",
                holds(Record("overrides", each.uid, told, {}), now),
                told.get("end_note", ""),
                _rules(judged[mentor], language) if is_pin and mentor in judged else (),
            )
        )
    return found


def _rules(judged: Judged, language: str) -> tuple[str, ...]:
    return tuple(f"{each.rule}: {each.fact_in(language)}" for each in judged.refusals)


async def since_then(
    graph: Graph, decision: Decision, recommendation: str, viewer: Viewer, language: str
) -> dict[str, Any]:
    """What has changed since an answer, and today's beside it."""
    recommender, scorer = await graph()
    store, now = recommender.store, recommender.clock()
    changes = await changes_of(store, decision, recommendation, viewer, now)
    today = await today_of(recommender, viewer, decision, scorer=scorer)
    uids = {each.owner for each in changes if each.owner}
    uids |= {uid for each in today.compared for uid in (each.mentor, each.mentee, each.goal) if uid}
    names = {uid: _name(node) for uid, node in (await store.read_nodes(uids, now)).items()}
    found = decision.find(recommendation)
    own = next((each for each in today.compared if found and _is_about(each, found)), None)
    return {
        "changes": [_sentence(each, names, language) for each in changes],
        "today": today,
        "rows": list(_rows(today, decision, names, language)),
        "signals": own.by_signal() if own else [],
    }


def _sentence(change: Change, names: Mapping[str, str], language: str) -> dict[str, Any]:
    """A change as the page tells it."""
    return {
        "kind": change.kind.replace("_", " "),
        "of": names.get(change.owner, ""),
        "about": ", ".join(each.name for each in change.ends if each.name),
        "verb": VERBS[change.what],
        "at": when(change.at, language) if change.at else "",
        "fields": [
            {"name": each.name.replace("_", " "), "before": _plain(each.before), "after": _plain(each.after)}
            for each in change.fields
        ],
    }


def _plain(value: Any) -> str:
    return "" if value is None else plain(value)


def _rows(today: Today, decision: Decision, names: Mapping[str, str], language: str) -> Iterator[dict[str, Any]]:
    for each in today.compared:
        of = (each.mentee, each.goal) if each.goal else (each.mentor,)
        yield {
            "name": " – ".join(names.get(uid) or decision.names.get(uid, ERASED) for uid in of),
            "then": each,
            "why": _why(each, today, language),
        }


def _is_about(each: Compared, found: Recommended) -> bool:
    if isinstance(found, RecommendedMentee):
        return each.goal == found.recommendation.goal
    return each.mentor == found.recommendation.mentor


def _why(each: Compared, today: Today, language: str) -> str:
    if each.rank_then is None:
        return "came in"
    if each.is_in:
        return "still in the list"
    if today.refusal is not None:
        return "no list now"
    if each.refusals:
        return "; ".join(f"{refusal.rule}: {refusal.fact_in(language)}" for refusal in each.refusals)
    return "others come first"


def _name(node: NodeRecord) -> str:
    return str(node.properties.get("name") or node.properties.get("title") or node.uid)


async def why_not_of(graph: Graph, decision: Decision, viewer: Viewer, text: str) -> dict[str, Any]:
    """Why somebody is not in the list, as of now; `wrong` says what is not right about the question."""
    try:
        recommender, scorer = await graph()
        mentor = named_in(recommender, decision, text)
        length = FIRST if decision.within else max(1, decision.rank_offset + len(decision.recommended))
        found = await why_not(
            recommender,
            viewer,
            decision.mentee,
            mentor,
            decision.goal or None,
            first=length,
            scorer=scorer,
            programme=decision.programme or None,
        )
    except DatabaseUnavailable:
        raise
    except DomainError as error:
        return {"wrong": _said(error.message)}
    uids = [uid for uid in (mentor, found.last_shown) if uid]
    names = {uid: _name(node) for uid, node in (await recommender.store.read_nodes(uids, recommender.clock())).items()}
    longest = max((abs(each.missing) for each in found.gap), default=0.0) or 1.0
    return {
        "wrong": "",
        "name": names.get(mentor, text),
        "last": names.get(found.last_shown, ""),
        "found": found,
        "rows": [{"gap": each, "width": abs(each.missing) / longest * 500} for each in found.gap],
        "total": sum(each.missing for each in found.gap),
    }


def subject(answer: Decision | MenteeDecision, each: Recommended) -> str:
    """By what somebody of a list goes: the mentor's name, in a mentor's list the mentee's and the goal's."""
    if isinstance(each, RecommendedMentee):
        return " – ".join(each.names.values()) or ERASED
    return answer.names.get(each.recommendation.mentor, ERASED)


def askable(decision: Decision, viewer: Viewer) -> tuple[str, ...]:
    """Whose changes a viewer may ask about: coordinators everybody's, mentees their own, all others nobody's."""
    if viewer.coordinates:
        return ACTORS
    return (MENTEE,) if viewer.person == decision.mentee else ()


async def what_it_takes(
    graph: Graph, decision: Decision, viewer: Viewer, asked: Mapping[str, str], language: str
) -> dict[str, Any]:
    """What would bring somebody among the first of the list, as of now; `wrong` says what is not right about it.

    Args:
        graph: What answers now.
        decision: The kept answer.
        viewer: Who asks.
        asked: `change`, whom, by id or name; `top`, among how many first ones; `by`, whose changes count, one of
            `remedies.ACTORS`, everybody's if it is empty.
        language: One of `vocabulary.LANGUAGES`.
    """
    try:
        recommender, scorer = await graph()
        mentor = named_in(recommender, decision, asked["change"])
        top, by = asked.get("top", ""), asked.get("by", "")
        found = await what_would_change(
            recommender,
            viewer,
            decision.mentee,
            mentor,
            decision.goal or None,
            top=int(top) if top.isdecimal() and len(top) < LONGEST_NUMBER else 0,
            by=[by] if by in ACTORS else ACTORS,
            scorer=scorer,
            programme=decision.programme or None,
            patience_s=CHANGE_PATIENCE_S,
        )
    except DatabaseUnavailable:
        raise
    except DomainError as error:
        return {"wrong": _said(error.message)}
    names = await recommender.store.read_nodes([mentor], recommender.clock())
    return {
        "wrong": "",
        "name": _name(names[mentor]) if mentor in names else asked["change"],
        "found": found,
        "changes": [
            {"by": [each for each in ACTORS if each in change.by], "words": change.words_in(language)}
            for change in found.changes
        ],
    }


def side_by_side(answer: Decision | MenteeDecision, one: str, other: str) -> dict[str, Any] | None:
    """Two of a list, signal by signal, as they were answered; None where they are not two of it."""
    found = [answer.find(each) if is_uid(each) else None for each in (one, other)]
    if found[0] is None or found[1] is None or found[0] is found[1]:
        return None
    first, second = found[0].recommendation, found[1].recommendation
    rows = apart(first.signals, second.signals)
    longest = max((abs(each.difference) for each in rows), default=0.0) or 1.0
    return {
        "names": [subject(answer, each) for each in found if each],
        "scores": (first.score, second.score),
        "rows": [{"part": each, "width": abs(each.difference) / longest * 500} for each in rows],
    }


# --- deciding ---------------------------------------------------------------------------------------------------------


async def decide(
    graph: Graph, viewer: Viewer, decision: Decision, recommendation: str, filled: Mapping[str, str]
) -> list[str]:
    """Does what the form of a coordinator says.

    Returns:
        What is wrong with it, in sentences; nothing where it was done.
    """
    try:
        recommender, _ = await graph()
        if filled.get("end"):
            await overriding.end_override(recommender.store, viewer, filled["end"], filled.get("note", ""))
            return []
        wanted = overriding.Override(
            filled.get("action", ""),
            filled.get("reason", ""),
            filled.get("note", ""),
            named_in(recommender, decision, filled.get("mentor", "")),
            _day(filled.get("until", "")),
            "for_all_goals" in filled,
            "is_proposal" in filled,
        )
        policy = recommender.scorer.policy
        await overriding.override_match(recommender.store, viewer, decision, recommendation, wanted, policy)
    except InvalidFact as error:
        return [_said(str(each)) for each in error.problems]
    except DomainError as error:
        return [_said(error.message)]
    return []


def named_in(recommender: Recommender, decision: Decision, text: str) -> str:
    """The uid of a person who is named by an id or by a name: one of the list, or one that only they have.

    Raises:
        DomainError: `NOT_FOUND`, or `BAD_USER_INPUT` where several people have that name.
    """
    text = text.strip()
    if not text:
        return ""
    columns = recommender.columns
    given = read_given_id(text, "people", "bundle")
    if columns.people.find(given.uid) >= 0:
        return given.uid
    listed = [each.recommendation.mentor for each in decision.recommended]
    people = columns.tables["people"]
    known = zip(people.rows.uids, people.strings("name"), strict=True)
    named = [uid for uid, name in known if name and name.casefold() == text.casefold()]
    named = [uid for uid in named if uid in listed] or named
    if len(named) > 1:
        raise DomainError(f"several people are called {text}; give the id of the one you mean", code="BAD_USER_INPUT")
    if not named:
        raise DomainError(f"nobody has the id or the name {text}", code="NOT_FOUND")
    return named[0]


def _day(text: str) -> datetime | None:
    try:
        return instant(text) if text.strip() else None
    except ValueError:
        raise DomainError("the day is no date; write it like 2026-01-31", code="BAD_USER_INPUT") from None


def _said(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}."
