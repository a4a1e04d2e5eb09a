"""How pairings of version 2 came about and went: every move, session, answer and stall agrees with every other one."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.label import Weights, outcome
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.facts.states import CLOCK, COORDINATOR, MENTEE, MENTOR, PAIRING, REQUEST, Moved
from mentorgraph.graph.vocabulary import (
    OPEN_STATES,
)
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import COLUMNS, World

from .conftest import Row, Rows, away_of, by_id, holds, moves_of
from .test_community import crowded, dangling, kind_of

# --- requests and pairings --------------------------------------------------------------------------------------------


def wrong_moves(rows: Rows, of: str, by: Moved) -> list[str]:
    """Moves that nobody may make in this order or as this person, and statuses that are not where they led."""
    coordinators = {row["person_id"] for row in rows["roles"] if row["role_id"] == "coordinator"}
    things = by_id(rows[f"{of}s"])
    moves = moves_of(rows, of)
    found = [f"{id} has no moves" for id in things.keys() - moves.keys()]
    for id, own in moves.items():
        thing = things[id]
        movers = {thing["mentor_id"]: MENTOR, thing["mentee_id"]: MENTEE, "": CLOCK}
        begin, state = own[0]["moved_on"], own[0]["state"]
        if begin != thing["asked_on" if of == "request" else "started_on"]:
            found.append(f"{id} begins otherwise than its first move")
        for before, move in itertools.pairwise(own):
            mover = movers.get(move["person_id"], COORDINATOR if move["person_id"] in coordinators else "")
            if mover not in by.moves.get((state, move["state"]), frozenset()) or before["moved_on"] >= move["moved_on"]:
                found.append(f"{id} {state} -> {move['state']} by {mover}")
            if (move["state"] in ("declined", "ended")) > bool(move["reason"]):
                found.append(f"{id} without a reason")
            if (move["state"] == "stalled") != bool(move["cause"]):
                found.append(f"{id} with a wrong cause")
            state = move["state"]
        end = thing["answered_on" if of == "request" else "ended_on"]
        if thing["status"] != state or end != ("" if state in by.open_states else own[-1]["moved_on"]):
            found.append(f"{id} stands elsewhere")
    return found


def test_every_move_of_a_request_may_be_made_by_who_made_it(told: Rows) -> None:
    assert wrong_moves(told, "request", REQUEST) == []


def test_every_move_of_a_pairing_may_be_made_by_who_made_it(told: Rows) -> None:
    assert wrong_moves(told, "pairing", PAIRING) == []


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("person_id", "p00001", "completed by "),
        ("moved_on", "2020-01-01", "begins otherwise"),
        ("state", "stalled", "stands elsewhere"),
    ],
)
def test_a_wrong_move_would_be_found(rows: Rows, column: str, value: str, said: str) -> None:
    row = next(row for row in rows["moves"] if row["state"] == "completed")
    row[column] = value
    assert any(said in each for each in wrong_moves(rows, "pairing", PAIRING))


def test_the_requests_that_were_accepted_are_the_pairings(told: Rows) -> None:
    names = ("mentor_id", "mentee_id", "goal_id", "programme_id")
    accepted = Counter(
        (*(row[name] for name in names), row["answered_on"]) for row in told["requests"] if row["status"] == "accepted"
    )
    pairings = Counter((*(row[name] for name in names), row["started_on"]) for row in told["pairings"])
    assert accepted == pairings


def test_requests_are_answered_in_time_or_expire_on_the_day(second: World, told: Rows) -> None:
    for row in told["requests"]:
        asked = date.fromisoformat(row["asked_on"])
        deadline = (asked + timedelta(days=int(row["answer_within_days"]))).isoformat()
        if row["status"] == "expired":
            assert row["answered_on"] == deadline
        else:
            assert (row["answered_on"] or second.last_day.isoformat()) < deadline


def test_a_mentor_who_goes_away_releases_what_waits(told: Rows) -> None:
    away = away_of(told)
    for row in told["requests"]:
        leaves = {each["since"] for each in away[row["mentor_id"]]}
        if row["status"] == "released":
            assert row["answered_on"] in leaves
        else:
            until = row["answered_on"] or "2026-06-30"
            assert not any(row["asked_on"] < day < until for day in leaves), row


def test_whom_somebody_asks_is_a_mentor_who_has_agreed_and_is_there(told: Rows) -> None:
    away = away_of(told)
    roles = {row["person_id"]: row for row in told["roles"] if row["role_id"] == "mentor"}
    agreed: dict[str, list[Row]] = defaultdict(list)
    for row in told["consents"]:
        if row["purpose"] == "matching":
            agreed[row["person_id"]].append(row)
    early = 0
    for row in told["requests"]:
        day, people = row["asked_on"], (row["mentor_id"], row["mentee_id"])
        assert all(any(holds(each, day) for each in agreed[person]) for person in people), row
        early += not holds(roles[row["mentor_id"]], day)
        assert row["status"] == "accepted" or not any(holds(each, day) for each in away[row["mentor_id"]])
    assert early <= 0.002 * len(told["requests"])  # who is paired on the day on which they become a mentor


def crowded_in_programmes(rows: Rows) -> list[str]:
    """Mentors with more open pairings in a programme than their membership allows."""
    limits = {
        (row["person_id"], row["programme_id"]): int(row["max_mentees"])
        for row in rows["memberships"]
        if row["role"] == "mentor"
    }
    changes = []
    for row in rows["pairings"]:
        key = row["mentor_id"], row["programme_id"]
        if key in limits:
            changes.append((row["started_on"], 1, key))
            if row["ended_on"]:
                changes.append((row["ended_on"], 0, key))
    count: Counter[tuple[str, str]] = Counter()
    found = []
    for _, begins, key in sorted(changes):
        count[key] += 1 if begins else -1
        if count[key] > limits[key]:
            found.append(key[0])
    return found


def with_co_mentors(rows: Rows) -> Rows:
    """The rows, with a pairing of their own for whoever shares one."""
    pairings = by_id(rows["pairings"])
    shared = [
        {**pairings[row["pairing_id"]], "mentor_id": row["person_id"], "started_on": row["since"]}
        for row in rows["co_mentors"]
    ]
    return {**rows, "pairings": [*rows["pairings"], *shared]}


def test_no_mentor_has_more_mentees_than_they_take_in_all_and_in_each_programme(told: Rows) -> None:
    assert crowded(told) == []
    assert crowded(with_co_mentors(told)) == []
    assert crowded_in_programmes(told) == []


def test_a_mentor_with_too_many_mentees_would_be_found(rows: Rows) -> None:
    in_programme = next(row for row in rows["pairings"] if row["programme_id"])
    rows["pairings"] += [{**in_programme, "ended_on": ""} for _ in range(10)]
    assert set(crowded(rows)) == {in_programme["mentor_id"]}
    assert in_programme["mentor_id"] in crowded_in_programmes(rows)


def unsigned(rows: Rows) -> list[str]:
    """Pairings that began without the signatures of both on one text, before that day."""
    signed: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows["signatures"]:
        signed[row["pairing_id"]][row["person_id"]] = row["signed_on"]
    pairings = by_id(rows["pairings"])
    found = []
    for id, moves in moves_of(rows, "pairing").items():
        begun = next((move["moved_on"] for move in moves if move["state"] == "active"), "")
        both = {pairings[id]["mentor_id"], pairings[id]["mentee_id"]}
        if begun and not (signed[id].keys() == both and max(signed[id].values()) < begun):
            found.append(id)
    return found


def test_a_pairing_begins_once_both_have_signed(told: Rows) -> None:
    assert unsigned(told) == []


def test_a_missing_signature_would_be_found(rows: Rows) -> None:
    row = rows["signatures"].pop(0)
    assert unsigned(rows) == [row["pairing_id"]]


# --- sessions and times -----------------------------------------------------------------------------------------------


def misplaced(rows: Rows) -> Iterator[str]:
    """Sessions before their pairing began, after it ended, in a pause, or while one of the two was away."""
    away = away_of(rows)
    pairings, moves = by_id(rows["pairings"]), moves_of(rows, "pairing")
    for row in rows["sessions"]:
        pairing, day = pairings[row["pairing_id"]], row["started_at"][:10]
        hour, minute = int(row["started_at"][11:13]), int(row["started_at"][14:16])
        state = [move["state"] for move in moves[pairing["id"]] if move["moved_on"] <= day][-1:]
        if state != ["active"] or (pairing["ended_on"] and day >= pairing["ended_on"]):
            yield row["id"]
        if hour * 60 + minute + int(row["minutes"]) > 24 * 60:
            yield row["id"]
        if any(holds(each, day) for side in ("mentor_id", "mentee_id") for each in away[pairing[side]]):
            yield row["id"]


def test_sessions_are_held_while_their_pairing_is_active_and_both_are_there(told: Rows) -> None:
    assert list(misplaced(told)) == []


def test_a_session_after_the_end_would_be_found(rows: Rows) -> None:
    ended = next(row["id"] for row in rows["pairings"] if row["ended_on"])
    row = next(row for row in rows["sessions"] if row["pairing_id"] == ended)
    row["started_at"] = "2026-06-29T12:00:00Z"
    assert row["id"] in misplaced(rows)


def test_nobody_is_in_two_live_sessions_at_once(told: Rows) -> None:
    pairings = by_id(told["pairings"])
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in told["sessions"]:
        if row["kind"] == "live":
            at = row["started_at"]
            begins = date.fromisoformat(at[:10]).toordinal() * 1440 + int(at[11:13]) * 60 + int(at[14:16])
            for side in ("mentor_id", "mentee_id"):
                spans[pairings[row["pairing_id"]][side]].append((begins, begins + int(row["minutes"])))
    for own in spans.values():
        own.sort()
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(own))


def test_what_is_recorded_has_a_link_and_the_consent_of_both(told: Rows) -> None:
    consents: dict[str, list[Row]] = defaultdict(list)
    for row in told["consents"]:
        if row["purpose"] == "recording":
            consents[row["person_id"]].append(row)
    pairings = by_id(told["pairings"])
    recorded = [row for row in told["sessions"] if row["kind"] == "recorded"]
    assert {row["id"] for row in recorded} == {row["id"] for row in told["sessions"] if row["link"]}
    for row in recorded:
        people = [pairings[row["pairing_id"]][side] for side in ("mentor_id", "mentee_id")]
        assert all(any(holds(each, row["started_at"][:10]) for each in consents[person]) for person in people)


def test_absences_of_a_person_do_not_overlap(told: Rows) -> None:
    for own in away_of(told).values():
        own.sort(key=lambda row: row["since"])
        assert all(row["until"] < after["since"] for row, after in itertools.pairwise(own))


# --- surveys and outcomes ---------------------------------------------------------------------------------------------


def outcomes_by_label(rows: Rows) -> dict[str, float]:
    """Pairing → the label of what was answered: of each person the latest on a scale, by the charter of the end."""
    latest: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in sorted(rows["feedback"], key=lambda row: (row["given_on"], int(row["round"]))):
        for scale in ("skill", "confidence", "delivery"):
            if row[scale]:
                latest[row["pairing_id"]][scale][row["person_id"]] = float(row[scale])
    found = {}
    for row in rows["pairings"]:
        if not row["ended_on"]:
            continue
        charters = [
            each
            for each in rows["charters"]
            if each["programme_id"] == row["programme_id"] and holds(each, row["ended_on"])
        ]
        weights = Weights.of(
            {f"{scale}_weight": float(charters[0][f"{scale}_weight"]) for scale in ("skill", "confidence", "delivery")}
            if charters
            else {}
        )
        means = {scale: sum(own.values()) / len(own) for scale, own in latest[row["id"]].items()}
        label = outcome(weights, means.get("skill"), means.get("confidence"), means.get("delivery"))
        if label is not None:
            found[row["id"]] = label
    return found


def differing(rows: Rows) -> list[str]:
    """Pairings whose outcome is not the label of what was answered."""
    labels = outcomes_by_label(rows)
    return [
        row["id"]
        for row in rows["pairings"]
        if (row["id"] in labels) != bool(row["outcome"])
        or (row["outcome"] and abs(float(row["outcome"]) - labels[row["id"]]) > 1e-9)
    ]


def test_outcomes_are_the_label_of_the_answers(told: Rows) -> None:
    assert differing(told) == []
    with_outcome = [row for row in told["pairings"] if row["outcome"]]
    ended = [row for row in told["pairings"] if row["ended_on"]]
    assert 0.9 < len(with_outcome) / len(ended) < 1  # of some nobody answered


def test_an_outcome_that_nobody_gave_would_be_found(rows: Rows) -> None:
    row = next(row for row in rows["pairings"] if row["outcome"])
    row["outcome"] = str(round(1 - float(row["outcome"]), 4))
    assert differing(rows) == [row["id"]]


def test_outcomes_scatter_around_the_results_of_the_truth(second: World, told: Rows) -> None:
    off = [
        float(row["outcome"]) - second.truth["results"][row["id"]] / 1_000
        for row in told["pairings"]
        if row["outcome"] and 200 < second.truth["results"][row["id"]] < 800
    ]
    assert abs(sum(off) / len(off)) < 0.03
    assert sum(abs(each) < 0.15 for each in off) > 0.85 * len(off)


def test_nobody_answers_a_survey_twice_or_before_it_is_due(told: Rows) -> None:
    pairings, moves = by_id(told["pairings"]), moves_of(told, "pairing")
    assert max(Counter((row["pairing_id"], row["person_id"], row["round"]) for row in told["feedback"]).values()) == 1
    for row in told["feedback"]:
        pairing = pairings[row["pairing_id"]]
        active = next(move["moved_on"] for move in moves[pairing["id"]] if move["state"] == "active")
        since = date.fromisoformat(active) + timedelta(days=20 * (int(row["round"]) - 1))
        assert row["person_id"] in (pairing["mentor_id"], pairing["mentee_id"])
        assert row["given_on"] >= min(since.isoformat(), pairing["ended_on"] or "9")
        assert not pairing["ended_on"] or date.fromisoformat(row["given_on"]) < date.fromisoformat(
            pairing["ended_on"]
        ) + timedelta(days=30)


def test_notes_are_written_by_one_of_the_two_on_a_session_that_was_held(told: Rows) -> None:
    pairings, sessions = by_id(told["pairings"]), by_id(told["sessions"])
    for row in told["notes"]:
        session = sessions[row["session_id"]]
        pairing = pairings[session["pairing_id"]]
        assert row["person_id"] in (pairing["mentor_id"], pairing["mentee_id"])
        assert row["written_on"] == session["started_at"]
    assert 0.15 < len(told["notes"]) / len(told["sessions"]) < 0.25
    assert {bool(row["next_step"]) for row in told["notes"]} == {True, False}


def test_milestones_lie_within_their_pairings_and_none_is_planned_in_one_that_was_completed(told: Rows) -> None:
    pairings = by_id(told["pairings"])
    formats = {row["id"]: row["format"] for row in told["programmes"]}
    active = {
        id: next(move["moved_on"] for move in moves if move["state"] == "active")[:10]
        for id, moves in moves_of(told, "pairing").items()
        if any(move["state"] == "active" for move in moves)
    }
    for row in told["milestones"]:
        pairing = pairings[row["pairing_id"]]
        assert formats[pairing["programme_id"]] == "long_term"
        assert row["planned_on"] == active[row["pairing_id"]] < row["due_on"]
        if row["closed_on"]:
            assert row["planned_on"] <= row["closed_on"]
            assert not pairing["ended_on"] or row["closed_on"] < pairing["ended_on"]
        assert bool(row["closed_on"]) == (row["state"] != "planned")
        assert not (pairing["status"] == "completed" and row["state"] == "planned")
        assert not row["evidence"] or row["state"] == "reached"
    assert len(told["milestones"]) > 100


def test_bad_answers_come_later_and_more_of_them_are_missing(told: Rows) -> None:
    ended = {row["id"]: row["ended_on"] for row in told["pairings"] if row["ended_on"] and row["ended_on"] < "2026-06"}
    days: dict[bool, list[int]] = {True: [], False: []}
    for row in told["feedback"]:
        if row["pairing_id"] in ended and row["given_on"] >= ended[row["pairing_id"]]:
            waited = date.fromisoformat(row["given_on"]) - date.fromisoformat(ended[row["pairing_id"]])
            days[float(row["rating"]) < 0.4].append(waited.days)
    assert min(map(len, days.values())) > 50
    means = {bad: sum(each) / len(each) for bad, each in days.items()}
    assert 1.6 < means[True] / means[False] < 2.4


# --- stalls and who is held back --------------------------------------------------------------------------------------


def test_the_facts_show_why_a_pairing_stalled(second: World, told: Rows) -> None:
    pairings, moves, away = by_id(told["pairings"]), moves_of(told, "pairing"), away_of(told)
    met = Counter(row["pairing_id"] for row in told["sessions"])
    signed = Counter(row["pairing_id"] for row in told["signatures"])
    ratings: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    for row in told["feedback"]:
        ratings[row["pairing_id"]].append((row["given_on"], row["person_id"], float(row["rating"])))
    for stall in second.truth["stalled"]:
        id, day = stall["pairing_id"], stall["seen_on"] or stall["on"]
        pairing, cause = pairings[id], stall["cause"]
        if cause == "not_signed":
            assert signed[id] < 2
            assert not any(move["state"] == "active" for move in moves[id])
        elif cause == "never_met":
            assert not met[id]
        elif cause in ("mentor_away", "mentee_away"):
            person = pairing[cause.replace("_away", "_id")]
            assert any(holds(each, day) for each in away[person])
        elif cause == "poor_feedback" and stall["seen_on"]:
            assert any(given <= day and rating < 0.4 for given, _, rating in ratings[id])
        if stall["seen_on"]:
            assert {"state": "stalled", "cause": cause, "moved_on": stall["seen_on"]}.items() <= next(
                move for move in moves[id] if move["moved_on"] == stall["seen_on"]
            ).items()
    marked = {(row["pairing_id"], row["moved_on"]) for row in told["moves"] if row["state"] == "stalled"}
    assert marked == {(each["pairing_id"], each["seen_on"]) for each in second.truth["stalled"] if each["seen_on"]}


def test_open_pairings_have_no_outcome(told: Rows) -> None:
    assert all(bool(row["ended_on"]) != (row["status"] in OPEN_STATES) for row in told["pairings"])
    assert all(row["ended_on"] for row in told["pairings"] if row["outcome"])


@pytest.mark.parametrize(("people", "months"), [(60, 1), (120, 5), (120, 40)])
def test_any_length_of_history_is_consistent(people: int, months: int) -> None:
    rows = dict(generate(people, months, 3, date(2025, 3, 30), version=2).rows)
    assert dangling({file: rows[file] for file in COLUMNS}) == []
    assert crowded(rows) == crowded_in_programmes(rows) == unsigned(rows) == list(misplaced(rows)) == []
    assert wrong_moves(rows, "request", REQUEST) == wrong_moves(rows, "pairing", PAIRING) == differing(rows) == []
    for file, each in rows.items():
        for row in each:
            record_of(KINDS[kind_of(file, row)], row, "world")
