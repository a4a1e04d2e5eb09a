"""How people of a generated world come in: memberships, steps of onboarding, trainings, and who has not finished."""

from datetime import date
from typing import Any

from mentorgraph.graph.world.charters import TIERS, step_of
from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.history import History, words
from mentorgraph.graph.world.people import Person
from mentorgraph.graph.world.requests import Requests

RENEWING = 0.7
"""Share of those who renew a training that they do not need for a request just then."""
STRAGGLING = 0.25
"""Share of those who were in no request yet, and have left out a mandatory step."""


def tell_onboarding(history: History, requests: Requests) -> dict[str, Any]:
    """Writes memberships, steps and trainings; returns who is held back, for the truth."""
    tell_memberships(history, requests)
    return {
        "held_back": _tell_steps(history, requests),
        "trainings_expired": _tell_trainings(history, requests),
    }


# --- memberships ------------------------------------------------------------------------------------------------------


def tell_memberships(history: History, requests: Requests) -> None:
    """Writes who takes part in which programme; mentors since they were asked in it, with the places they give."""
    draws, made = history.draws("memberships"), history.made
    programmes = {each.id: each for each in made.programmes}
    for person, programme, role, since, until in made.tables.rows["memberships"]:
        if role != "mentor":
            hours = str(draws.between(2, 4)) if role == "mentee" and draws.chance(0.6) else ""
            history.tables.add("memberships", person, programme, role, since, until, "", hours)
    peaks = _peaks(history)
    mentors = {mentor.id: mentor for mentor in made.appeal.mentors}
    for (person, programme), asked in sorted(requests.asked.items()):
        own, mentor = programmes[programme], mentors[person]
        begins = max(own.since, mentor.since, asked - draws.between(0, 5))
        if begins >= own.until:
            continue
        ends = own.until if own.until <= history.last else 0
        places = max(peaks.get((person, programme), 1), draws.between(1, made.people[person].places))
        hours = str(places * draws.between(1, 3)) if draws.chance(0.8) else ""
        row = (person, programme, "mentor", iso(begins), history.alive(person, ends))
        history.tables.add("memberships", *row, str(places), hours)


def _peaks(history: History) -> dict[tuple[str, str], int]:
    """Mentor and programme → the most pairings that they had open in it at a time."""
    changes: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for life in history.lives:
        if life.programme:
            own = changes.setdefault((life.mentor.id, life.programme.id), [])
            own.append((life.begins, 1))
            if life.ends:
                own.append((life.ends, -1))
    peaks = {}
    for key, own in changes.items():
        open_now = most = 0
        for _, change in sorted(own):
            open_now += change
            most = max(most, open_now)
        peaks[key] = most
    return peaks


# --- steps ------------------------------------------------------------------------------------------------------------


def _tell_steps(history: History, requests: Requests) -> list[dict[str, str]]:
    """Writes the steps that people did, all mandatory ones before they first ask or are asked."""
    draws, made = history.draws("steps"), history.made
    held = []
    general = words()["steps"]
    for person in made.people.values():
        active = requests.first.get(person.id, 0)
        left_out = _left_out(draws, person) if not active and draws.chance(STRAGGLING) else ""
        if left_out:
            held.append({"person_id": person.id, "step_id": left_out})
        begins = max(made.period.first, person.joined)
        for step in general:
            roles = _roles(person)
            if step["id"] == left_out or (step["role"] and step["role"] not in roles):
                continue
            # Whoever was a mentee first talks with a coordinator before they mentor.
            own = max(begins, person.mentors_from) if step["role"] == "mentor" else begins
            limit = max(own, min(active - 1 if active else own + 9, history.last))
            if step["necessity"] == "mandatory" or draws.chance(0.6):
                done = draws.between(own, min(limit, own + 9))
                if not person.left or done < person.left:
                    history.tables.add("steps_done", person.id, step["id"], iso(done))
    programmes = {each.id: each for each in made.programmes}
    for row in history.tables.rows["memberships"]:
        for step in words()["programme_steps"]:
            if step["role"] and step["role"] != row[2]:
                continue
            if step["necessity"] == "mandatory" or draws.chance(0.5):
                history.tables.add("steps_done", row[0], step_of(programmes[row[1]], step["key"]), row[3])
    history.tables.rows["steps_done"] = list(dict.fromkeys(history.tables.rows["steps_done"]))
    return held


def _roles(person: Person) -> set[str]:
    return {person.role} | ({"mentee"} if person.asks else set())


def _left_out(draws: Draws, person: Person) -> str:
    """A mandatory step that somebody has not taken."""
    own = [
        step["id"]
        for step in words()["steps"]
        if step["necessity"] == "mandatory" and (not step["role"] or step["role"] in _roles(person))
    ]
    return draws.pick(own) if person.role in ("mentor", "mentee") else ""


# --- trainings --------------------------------------------------------------------------------------------------------


def _tell_trainings(history: History, requests: Requests) -> list[dict[str, str]]:
    """Writes who took which training; returns those of mentors that are over and were not taken again."""
    draws, made = history.draws("trainings"), history.made
    trainings = words()["trainings"]
    needed = {place for *_, role, _, _, _, _, _, places in TIERS if role == "mentor" for place in places[:1]}
    asked_last: dict[str, int] = {}
    for row in history.tables.rows["requests"]:
        asked_last[row[1]] = max(asked_last.get(row[1], 0), _day(row[6] or row[5]))
    expired = []
    for mentor in made.appeal.mentors:
        person = made.people[mentor.id]
        for place, training in enumerate(trainings):
            if place not in needed and not draws.chance((1, 0.5, 0.3, 0.15)[place]):
                continue
            done = max(person.joined, mentor.since - draws.between(0, 20))
            until = asked_last.get(mentor.id, 0) if place in needed else 0
            over = _renew(history, draws, person, training, done, until)
            if over and place in needed:
                expired.append({"person_id": person.id, "training_id": training["id"], "since": iso(over)})
    for person in made.people.values():
        if person.asks and not person.mentors_from and draws.chance(0.2):
            training = trainings[3]
            history.tables.add("completions", person.id, training["id"], iso(person.joined), "")
    return expired


def _renew(history: History, draws: Draws, person: Person, training: dict[str, Any], done: int, until: int) -> int:
    """Writes a training and its repetitions; returns the day from which it is over, 0 where it is not.

    Args:
        history: The world.
        draws: Where chance comes from.
        person: Who takes it.
        training: What.
        done: When they first do.
        until: The last day on which they need it.
    """
    while True:
        valid = training["valid_days"]
        over = done + valid if valid else 0
        history.tables.add("completions", person.id, training["id"], iso(done), history.alive(person.id, over))
        if not over or over > history.last or (person.left and person.left <= over):
            return 0
        if over > until and not draws.chance(RENEWING):
            return over
        done = over - draws.between(0, 14)


def _day(cell: str) -> int:
    return date.fromisoformat(cell).toordinal()
