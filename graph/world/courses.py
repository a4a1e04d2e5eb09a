"""The course of each pairing of a generated world: moves, signatures, sessions, co-mentors, and how it ended."""

from dataclasses import replace
from itertools import pairwise

from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.history import History, Life, Meeting, Move, words
from mentorgraph.graph.world.meetings import PACE_DAYS
from mentorgraph.graph.world.stalls import UNSIGNED_DAYS, cause_at, stall_days

AGREEMENT = "2024-06"
PAUSE_DAYS = 12
"""Between two sessions so many days apart the two may have paused."""
RESUMED_AFTER_DAYS = 8
"""Two who met again so long after they had stalled may have been marked as stalled, and have gone on."""
CO_MENTORED_DAYS = 60
REASONS_OF_CAUSES = {
    "not_signed": ("no_response",),
    "never_met": ("no_response", "goal_changed"),
    "mentor_away": ("no_capacity", "no_response"),
    "mentee_away": ("goal_changed", "no_response"),
    "no_shared_time": ("no_shared_time",),
    "hours_spent": ("no_capacity",),
    "poor_feedback": ("does_not_work_out", "not_my_field"),
    "stopped_meeting": ("does_not_work_out", "goal_changed", "goal_reached", "other"),
}


def begin(history: History) -> None:
    """Gives every pairing its moves until it stalls for good or ends."""
    draws = history.draws("courses")
    for life in history.lives:
        mentor, mentee = life.people
        life.moves.append(Move(life.begins, "accepted", mentor))
        if life.cause == "not_signed":
            continue
        first = life.meetings[0].day if life.meetings else life.begins + UNSIGNED_DAYS
        active = life.begins + draws.between(1, min(UNSIGNED_DAYS, max(1, first - life.begins)))
        if active <= history.last and not (life.ends and life.ends <= active):
            life.active = active
            life.moves.append(Move(active, "active", draws.pick((mentor, mentee))))
            _go_on(draws, life)


def _go_on(draws: Draws, life: Life) -> None:
    """Pauses and silences between the first session and the last one."""
    silence = stall_days(life.programme) + 1
    for day, following in pairwise([each.day for each in life.meetings]):
        by = draws.pick(life.people)
        if following - day > silence + RESUMED_AFTER_DAYS and draws.chance(0.3):
            note = draws.pick(words()["notes"]["stalled"])
            life.moves.append(Move(day + silence, "stalled", note=note))
            life.moves.append(Move(following, "active", by))
        elif following - day >= PAUSE_DAYS and draws.chance(0.06):
            life.moves.append(Move(day + 1, "paused", draws.pick(life.people)))
            life.moves.append(Move(following, "active", by))


def end(history: History) -> None:
    """Notes the stalls with their causes, as everything that was answered shows them, and ends what is over."""
    draws = history.draws("ends")
    told = {row[0] for row in history.made.tables.rows["availability"]}
    for life in history.lives:
        life.moves = [
            replace(move, cause=cause_at(history, life, move.day, told)) if move.state == "stalled" else move
            for move in life.moves
        ]
        if life.cause in ("never_met", "stopped_meeting", "poor_feedback"):
            life.cause = cause_at(history, life, life.seen or life.ends or history.last, told)
        if life.active:
            _come_to_rest(draws, history, life, told)
        if life.ends:
            life.moves.append(_end(draws, history, life))


def _come_to_rest(draws: Draws, history: History, life: Life, told: set[str]) -> None:
    """Pauses or stalls what has not moved on."""
    if not life.ends and not life.cause and life.is_paused and life.moves[-1].day < history.last:
        life.moves.append(Move(history.last, "paused", draws.pick(life.people)))
    elif not life.ends and not life.cause:
        quiet = max(life.last_met, life.moves[-1].day) + stall_days(life.programme) + 1
        if quiet <= history.last:
            life.stalled, life.seen = life.last_met, quiet
            life.cause = cause_at(history, life, quiet, told)
    if life.seen:
        life.moves.append(Move(life.seen, "stalled", cause=life.cause))


def _end(draws: Draws, history: History, life: Life) -> Move:
    coordinator = history.coordinator(draws, life.programme)
    mentor, mentee = life.people
    if life.pairing.left:
        return Move(life.ends, "ended", draws.pick((mentee, coordinator)), "left")
    if life.cause:
        reason = draws.pick(REASONS_OF_CAUSES[life.cause])
        return Move(life.ends, "ended", draws.pick((mentor, mentee, coordinator)), reason)
    if life.moves[-1].state == "active":
        return Move(life.ends, "completed", draws.pick((mentor, mentee)), "goal_reached")
    return Move(life.ends, "ended", draws.pick((mentor, mentee)), "goal_changed")  # it was accepted only


# --- telling ----------------------------------------------------------------------------------------------------------


def tell_courses(history: History, outcomes: dict[str, str]) -> None:
    """Writes pairings with their outcomes, moves and signatures, and who shares them."""
    draws = history.draws("signatures")
    for life, row in zip(history.lives, history.made.tables.rows["pairings"], strict=True):
        status = life.moves[-1].state
        every = str(PACE_DAYS[life.mentor.pace] + PACE_DAYS[life.mentee.pace]) if draws.chance(0.3) else ""
        outcome = outcomes.get(life.id, "")
        history.tables.add("pairings", *row[:7], iso(life.ends) if life.ends else "", status, outcome, every)
        for move in life.moves:
            tell_move(history, "", life.id, move)
        _sign(draws, history, life)
    _share(history)


def tell_move(history: History, request: str, pairing: str, move: Move) -> None:
    """Writes a move of a request or of a pairing."""
    row = (request, pairing, move.by, iso(move.day), move.state, move.reason, move.cause, move.note)
    history.tables.add("moves", *row)


def _sign(draws: Draws, history: History, life: Life) -> None:
    """Both sign between accepting and beginning; where that is why it stalls, at most one does."""
    signing = list(life.people)
    if not life.active:
        signing = signing[draws.below(2) :][:1] if draws.chance(0.7) else []
    for person in signing:
        day = life.begins if not life.active else draws.between(life.begins, life.active - 1)
        signed = f"{iso(day)}T{draws.between(7, 19):02d}:{draws.between(0, 59):02d}:00Z"
        history.tables.add("signatures", life.id, person, signed, AGREEMENT)


def _share(history: History) -> None:
    """Lets a few long pairings have a co-mentor who has a place to spare all the time."""
    draws = history.draws("co-mentors")
    taken: dict[str, list[tuple[int, int]]] = {}
    for life in history.lives:
        taken.setdefault(life.mentor.id, []).append((life.begins, life.ends or history.last + 1))
    mentors = history.made.appeal.mentors
    helping: set[str] = set()
    for life in history.lives:
        until = life.ends or history.last
        since = life.begins + draws.between(10, 30)
        other = draws.pick(mentors)
        is_wanted = until - life.begins >= CO_MENTORED_DAYS and draws.chance(0.2)
        if not is_wanted or other.id in (*life.people, *helping) or other.since > since:
            continue
        person = history.made.people[other.id]
        met = sum(begins < until and since < ends for begins, ends in taken.get(other.id, ()))
        if met >= person.places or not person.agrees or (other.until and other.until <= until):
            continue
        helping.add(other.id)
        share = draws.pick(("0.25", "0.5"))
        history.tables.add("co_mentors", other.id, life.id, share, iso(since), iso(life.ends) if life.ends else "")


def tell_sessions(history: History, recording: dict[str, list[tuple[int, int]]]) -> None:
    """Writes the sessions: what was recorded with its link and the consent of both, nobody at two live ones at once.

    Args:
        history: The world.
        recording: Person → the half-open spans of days in which they consent to recordings.
    """
    sessions = sorted(
        ((each.day, each.begins, each.id), each, life) for life in history.lives for each in life.meetings
    )
    draws = history.draws("session notes")
    busy_until: dict[str, int] = {}
    for _, each, life in sessions:
        if each.kind == "recorded" and not all(_consents(recording, person, each.day) for person in life.people):
            each.kind = "live"
        if each.kind == "live":
            _attend(busy_until, each, life)
    for life in history.lives:
        for each in life.meetings:
            link = f"https://recordings.example.org/{each.id}" if each.kind == "recorded" else ""
            history.tables.add("sessions", each.id, life.id, each.at, str(each.minutes), each.kind, link)
            if each.day <= history.last and draws.chance(0.2):
                words_of = words()["notes"]
                agreed, following = (draws.pick(words_of[name]) for name in ("agreed", "next_step"))
                told = agreed, following if draws.chance(0.7) else ""
                history.tables.add("notes", each.id, draws.pick(life.people), each.at, *told)


def _attend(busy_until: dict[str, int], each: Meeting, life: Life) -> None:
    """Makes a session one in writing where one of the two is still in another one."""
    begins = each.day * 24 * 60 + each.begins
    if any(busy_until.get(person, 0) > begins for person in life.people):
        each.kind = "written"
        return
    for person in life.people:
        busy_until[person] = begins + each.minutes


def _consents(recording: dict[str, list[tuple[int, int]]], person: str, day: int) -> bool:
    return any(since <= day < until for since, until in recording.get(person, ()))
