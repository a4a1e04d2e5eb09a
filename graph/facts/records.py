"""From a row to a record: the one check that every fact passes before it is written, by whichever route it came."""

from collections.abc import Callable, Mapping
from datetime import datetime

from mentorgraph.graph.facts.model import InvalidFact, Kind, Problem, Record, Row, is_uid, uid_of
from mentorgraph.graph.facts.values import Value, choice, plain, text
from mentorgraph.graph.vocabulary import OPEN_REQUEST_STATES, OPEN_STATES, PAIRING_STATES, REQUEST_STATES, ROLES


def record_of(kind: Kind, row: Row, source: str, *, key: str | None = None) -> Record:
    """Checks one row and makes it a record.

    Args:
        kind: What the row describes.
        row: Column → value; text as in a bundle or native values. Unknown columns are ignored. `source` and
            `external_id` columns, where present, stand in place of `source` and the row's `id`.
        source: Where the row came from.
        key: Identity in place of the kind's own key columns.

    Raises:
        InvalidFact: With every problem of the row.
    """
    problems: list[Problem] = []
    properties: dict[str, Value] = {}
    links: dict[str, str] = {}
    external_id = ""
    own_uid = ""

    def take(column: str, read: Callable[[object], Value], required: bool) -> Value | None:
        raw = row.get(column)
        value: Value | None = None
        if raw is not None and not (isinstance(raw, str) and not raw.strip()):
            try:
                value = read(raw)
            except ValueError as error:
                reason, _, remedy = str(error).partition("|")
                problems.append(Problem(column, str(raw)[:120], reason, remedy))
                return None
        if value is None or value in ("", []):
            if required:
                problems.append(Problem(column, "", "is missing", "fill it in"))
            return None
        return value

    source = str(take("source", text(100), False) or source)
    if kind.has_id:
        identity = str(take("id", text(300), True) or "")
        own_uid = uid_of(source, kind.name, identity)
        external_id = str(take("external_id", text(300), False) or ("" if is_uid(identity) else identity))
    else:
        own_uid = str(take("uid", text(300), False) or "").lower()
        if own_uid and not is_uid(own_uid):
            problems.append(Problem("uid", own_uid[:120], "is not a uid", "leave it empty or use an exported one"))
    for link in kind.links:
        names_role = link.target == "role_names"
        identity = str(take(link.column, choice(*ROLES) if names_role else text(300), link.required) or "")
        if identity:
            target_source = "mentorgraph" if names_role else source
            links[link.name] = uid_of(target_source, link.target, identity)
    for each in kind.fields:
        value = take(each.column, each.read, each.required)
        if value is not None:
            properties[each.name] = value
    if not problems:
        problems = _contradictions(kind, properties, links)
    if problems:
        raise InvalidFact(problems)
    if not own_uid:
        own_uid = uid_of(source, kind.name, key if key is not None else _natural_key(kind, properties, links))
    properties |= {"uid": own_uid, "source": source}
    if external_id:
        properties["external_id"] = external_id
    return Record(kind.name, own_uid, properties, links)


def _natural_key(kind: Kind, properties: Mapping[str, Value], links: Mapping[str, str]) -> str:
    names = {each.column: each.name for each in kind.fields}
    return "\x1f".join(
        links.get(column.removesuffix("_id"), "")
        if column.endswith("_id")
        else plain(properties.get(names.get(column, column)))
        for column in kind.key
    )


def _contradictions(kind: Kind, properties: Mapping[str, Value], links: Mapping[str, str]) -> list[Problem]:
    """What no single column can show to be wrong."""
    found = []
    columns = {each.name: each.column for each in kind.fields}
    since, until = properties.get("since"), properties.get("until")
    if isinstance(since, datetime) and isinstance(until, datetime) and until < since:
        found.append(Problem(columns["until"], plain(until), f"lies before {columns['since']}", "swap or correct them"))
    if kind.name in ("pairings", "requests") and links["mentor"] == links["mentee"]:
        found.append(Problem("mentee_id", "", "is the mentor", "a person cannot be paired with themselves"))
    if kind.name == "overrides":
        found += _contradictions_of_override(properties, links)
    if kind.name == "requests" and (until is None) != (properties["status"] in OPEN_REQUEST_STATES):
        is_open, remedy = ("is open but", "remove it") if until is not None else ("is an answer but no", "fill it in")
        found.append(Problem("status", plain(properties["status"]), f"{is_open} answered_on is given", remedy))
    if kind.name == "moves":
        if len(links.keys() & {"request", "pairing"}) != 1:
            found.append(Problem("pairing_id", "", "and request_id are not exactly one", "name what was moved"))
        elif properties["state"] not in (REQUEST_STATES if "request" in links else PAIRING_STATES):
            what = "request" if "request" in links else "pairing"
            found.append(Problem("state", plain(properties["state"]), f"is no state of a {what}", "correct it"))
    if kind.name == "pairings":
        if "outcome" in properties and until is None:
            found.append(
                Problem("outcome", plain(properties["outcome"]), "is given without ended_on", "add the day it ended")
            )
        if until is not None and properties["status"] in OPEN_STATES:
            found.append(
                Problem(
                    "status", plain(properties["status"]), "is open but ended_on is given", "use completed or ended"
                )
            )
    if kind.name == "milestones":
        found += _contradictions_of_milestone(properties)
    if kind.name == "sessions" and "link" in properties and properties.get("kind") != "recorded":
        found.append(Problem("link", "", "is given for a session that is not recorded", "remove it or use recorded"))
    if kind.name == "phases" and not links:
        found.append(Problem("programme_id", "", "and unit_id are both missing", "name whose phase it is"))
    if kind.name == "charters":
        weights = [properties[each] for each in properties if each.endswith("_weight")]
        if weights and not any(weights):
            found.append(Problem("skill_weight", "", "and the other weights are all 0", "give one of them weight"))
    if kind.name == "co_mentors" and not properties["share"]:
        found.append(Problem("share", plain(properties["share"]), "is no part", "give a number above 0"))
    if kind.name == "broader" and links["skill"] == links["broader"]:
        found.append(Problem("broader_id", "", "is the skill itself", "remove the row"))
    if kind.name == "successions" and links["skill"] == links["successor"]:
        found.append(Problem("successor_id", "", "is the skill itself", "remove the row"))
    if kind.name == "skill_relations" and links["skill"] == links["related"]:
        found.append(Problem("related_id", "", "is the skill itself", "remove the row"))
    if kind.name == "blocks" and links["person"] == links["blocked"]:
        found.append(Problem("blocked_id", "", "is the person", "remove the row"))
    if kind.name == "reporting_lines" and links["person"] == links["manager"]:
        found.append(Problem("manager_id", "", "is the person", "remove the row"))
    if kind.name == "availability" and str(properties["end"]) <= str(properties["start"]):
        found.append(Problem("end", str(properties["end"]), "does not lie after start", "split the window at midnight"))
    return found


def _contradictions_of_milestone(properties: Mapping[str, Value]) -> list[Problem]:
    found = []
    since, due, until = (properties.get(name) for name in ("since", "due_on", "until"))
    if isinstance(since, datetime) and isinstance(due, datetime) and due < since:
        found.append(Problem("due_on", plain(due), "lies before planned_on", "swap or correct them"))
    if (until is None) != (properties["state"] == "planned"):
        told = "is planned but closed_on is given" if until is not None else "is closed but no closed_on is given"
        found.append(Problem("state", plain(properties["state"]), told, "correct one of the two"))
    if "evidence" in properties and properties["state"] != "reached":
        found.append(Problem("evidence", "", "is given for what was not reached", "remove it"))
    return found


def _contradictions_of_override(properties: Mapping[str, Value], links: Mapping[str, str]) -> list[Problem]:
    found = []
    action, proposed = str(properties["action"]), links.get("proposed")
    if links["mentor"] == links["mentee"]:
        found.append(Problem("mentor_id", "", "is the mentee", "name somebody else"))
    if action == "swap" and proposed in (None, links["mentor"]):
        found.append(Problem("mentor_id", "", "is nobody else than who was recommended", "name another mentor"))
    if action == "accept" and proposed not in (None, links["mentor"]):
        found.append(Problem("mentor_id", "", "is not who was recommended", "leave it out, or swap"))
    if action in ("pin", "forbid") and "until" not in properties:
        found.append(Problem("until", "", "is missing", "say until when it holds"))
    return found
