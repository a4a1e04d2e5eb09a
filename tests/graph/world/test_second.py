"""A generated community of version 2: everything that can be told occurs, and nothing contradicts anything else."""

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from mentorgraph.graph.facts import FILES
from mentorgraph.graph.kinds import KINDS
from mentorgraph.graph.label import Weights, outcome
from mentorgraph.graph.records import record_of
from mentorgraph.graph.states import CLOCK, COORDINATOR, MENTEE, MENTOR, PAIRING, REQUEST, Moved
from mentorgraph.graph.vocabulary import (
    ABSENCE_CAUSES,
    OPEN_STATES,
    PAIRING_STATES,
    PROGRAMME_FORMATS,
    PURPOSES,
    RATERS,
    REASONS,
    REQUEST_STATES,
    SESSION_KINDS,
    SKILL_STATES,
    STALL_CAUSES,
    SUCCESSIONS,
)
from mentorgraph.graph.world import truth_2
from mentorgraph.graph.world.community import STEPS_2, generate
from mentorgraph.graph.world.tables import COLUMNS, COLUMNS_2, World, write

from .test_community import crowded, dangling, digest, kind_of, late

SMALL_SHA256 = "9ee9100e81dd50b2220f988bb2e8a3434aa88549e1d44aa0831d9b973a32848f"
"""Of the files of 300 people, 12 months, seed 7, version 2, in the order of their names; the same on 3.11 and 3.13."""
FROZEN = "d38700c8e4d90301b2002008938f75d6b1bd91e5f7c8c02081fc7739e1879ef4"
"""SHA-256 of `truth_2.py`."""

Row = dict[str, str]
Rows = dict[str, list[Row]]

PLANNED = {
    "absences.since",
    "absences.until",
    "busy_times.since",
    "busy_times.until",
    "completions.until",
    "phases.since",
    "phases.until",
    "programmes.until",
    "scripts.until",
    "tier_trainings.until",
    "tiers.until",
}
"""What may lie after the last day, since somebody has planned it."""


@pytest.fixture(scope="module")
def world() -> World:
    return generate(people=2_000, seed=7, version=2)


@pytest.fixture(scope="module")
def told(world: World) -> Rows:
    """All rows; not to be changed."""
    return dict(world.rows)


@pytest.fixture
def rows(world: World) -> Rows:
    """All rows, to be changed."""
    return dict(world.rows)


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def moves_of(rows: Rows, of: str) -> dict[str, list[Row]]:
    """Request or pairing → its moves, in the order of time."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows["moves"]:
        if row[f"{of}_id"]:
            found[row[f"{of}_id"]].append(row)
    return {id: sorted(moves, key=lambda move: move["moved_on"]) for id, moves in found.items()}


def holds(row: Row, day: str) -> bool:
    return row["since"] <= day and (not row["until"] or day < row["until"])


# --- everything occurs ------------------------------------------------------------------------------------------------


def test_every_kind_of_fact_occurs(told: Rows) -> None:
    assert set(told) == set(FILES)
    assert [file for file, each in told.items() if not each] == []


@pytest.mark.parametrize(
    ("file", "column", "words"),
    [
        ("requests", "status", REQUEST_STATES),
        ("pairings", "status", PAIRING_STATES),
        ("moves", "reason", REASONS),
        ("moves", "state", {*REQUEST_STATES, *PAIRING_STATES}),
        ("moves", "cause", set(STALL_CAUSES) - {"not_signed"}),  # those never begin, so they are never marked
        ("sessions", "kind", SESSION_KINDS),
        ("absences", "cause", ABSENCE_CAUSES),
        ("consents", "purpose", PURPOSES),
        ("skill_ratings", "rated_by", RATERS),
        ("skill_states", "state", SKILL_STATES),
        ("successions", "how", SUCCESSIONS),
        ("programmes", "format", PROGRAMME_FORMATS),
        ("tiers", "role", ("mentor", "mentee")),
        ("onboarding_steps", "necessity", ("mandatory", "optional")),
        ("profiles", "pace", ("gentle", "steady", "intensive")),
        ("profiles", "communication", ("live", "asynchronous", "mixed")),
    ],
)
def test_everything_that_can_be_said_is_said(told: Rows, file: str, column: str, words: tuple[str, ...]) -> None:
    assert {row[column] for row in told[file] if row[column]} == set(words)


def test_the_truth_knows_every_cause_of_a_stall(world: World) -> None:
    assert {each["cause"] for each in world.truth["stalled"]} == set(STALL_CAUSES)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_consents_to_every_purpose_are_taken_back_by_some(told: Rows, purpose: str) -> None:
    open_ones = {row["person_id"] for row in told["consents"] if row["purpose"] == purpose and not row["until"]}
    ended = {row["person_id"] for row in told["consents"] if row["purpose"] == purpose and row["until"]}
    assert len(ended - open_ones) >= 3


# --- nothing contradicts anything -------------------------------------------------------------------------------------


def test_every_row_is_a_valid_fact_with_an_identity_of_its_own(told: Rows) -> None:
    uids = Counter(
        record_of(KINDS[kind_of(file, row)], row, "world").uid for file, each in told.items() for row in each
    )
    assert [uid for uid, times in uids.items() if times > 1] == []
    assert len(uids) > 80_000


def test_every_reference_is_to_something_in_the_bundle(told: Rows) -> None:
    more = {"unit_id": "units", "tier_id": "tiers", "training_id": "trainings", "step_id": "onboarding_steps"}
    more |= {"request_id": "requests", "owner_id": "people", "successor_id": "skills", "related_id": "skills"}
    known = {file: {row["id"] for row in told[file]} for file in set(more.values())}
    assert [
        (file, column, row[column])
        for file, each in told.items()
        for column in set(COLUMNS_2[file]) & set(more)
        for row in each
        if row[column] and row[column] not in known[more[column]]
    ] == []
    assert _dangling_of_version_1(told) == []


def _dangling_of_version_1(rows: Rows) -> list[str]:
    return dangling({file: [{**row} for row in rows[file]] for file in COLUMNS})


def test_columns_are_those_that_the_kinds_have() -> None:
    for file, columns in COLUMNS_2.items():
        kind = KINDS["wants" if file == "person_skills" else file]
        assert set(columns) - set(kind.columns) == ({"stance"} if file == "person_skills" else set()), file


def test_nothing_but_what_is_planned_lies_after_the_last_day(world: World, told: Rows) -> None:
    assert late(told, world.last_day) == PLANNED


def test_a_date_after_the_last_day_would_be_found(world: World, told: Rows) -> None:
    found = late(told, world.last_day - timedelta(days=3))
    assert {"sessions.started_at", "moves.moved_on", "feedback.given_on", "requests.asked_on"} <= found


def test_people_pairings_and_goals_are_those_of_version_1(told: Rows) -> None:
    first = generate(people=2_000, seed=7)
    for file in ("people", "goals", "goal_skills", "units", "blocks"):
        assert told[file] == first.rows[file], file
    kept = ("id", "mentor_id", "mentee_id", "goal_id", "programme_id", "started_on", "ended_on")
    assert [[row[name] for name in kept] for row in told["pairings"]] == [
        [row[name] for name in kept] for row in first.rows["pairings"]
    ]


def outside_of_lives(rows: Rows) -> list[str]:
    """Facts about people that begin before they joined or go on after they left."""
    people = by_id(rows["people"])
    found = []
    for file in rows:
        for row in rows[file]:
            person = people.get(row.get("person_id", ""))
            if person is None or "since" not in row or file in ("absences", "busy_times"):
                continue
            begins, ends = row["since"][:10], row.get("until", "")[:10]
            if begins < person["joined_on"] or (person["left_on"] and begins > person["left_on"]):
                found.append(f"{file} since")
            if person["left_on"] and "until" in row and file != "blocks" and not "" < ends <= person["left_on"]:
                found.append(f"{file} until")
    return found


def test_facts_about_people_lie_within_their_time_in_the_organisation(told: Rows) -> None:
    assert outside_of_lives(told) == []


def test_a_fact_about_somebody_who_has_left_would_be_found(rows: Rows) -> None:
    gone = next(row for row in rows["people"] if row["left_on"])
    row = next(row for row in rows["profiles"] if row["person_id"] == gone["id"] and row["until"] == gone["left_on"])
    row["until"] = ""
    assert outside_of_lives(rows) == ["profiles until"]


def outside_of_programmes(rows: Rows) -> list[str]:
    """Charters, tiers, steps and memberships that begin outside of the time of their programme, and asked outside."""
    programmes = by_id(rows["programmes"])
    found = []
    for file, column in (
        ("charters", "since"),
        ("tiers", "since"),
        ("onboarding_steps", "since"),
        ("memberships", "since"),
        ("phases", "since"),
        ("goals", "created_on"),
    ):
        for row in rows[file]:
            programme = programmes.get(row.get("programme_id", ""))
            if programme and not programme["since"] <= row[column] < programme["until"]:
                found.append(file)
    return found


def test_what_belongs_to_a_programme_begins_while_it_runs(told: Rows) -> None:
    assert outside_of_programmes(told) == []


def test_a_membership_before_its_programme_would_be_found(rows: Rows) -> None:
    rows["memberships"][0]["since"] = "2020-01-01"
    assert outside_of_programmes(rows) == ["memberships"]


def test_charters_of_a_programme_follow_one_another(told: Rows) -> None:
    charters: dict[str, list[Row]] = defaultdict(list)
    for row in told["charters"]:
        charters[row["programme_id"]].append(row)
    assert {len(each) for each in charters.values()} == {1, 2}
    for each in charters.values():
        assert [row["until"] for row in each] == [*(row["since"] for row in each[1:]), ""]
        assert all(
            sum(float(row[f"{part}_weight"]) for part in ("skill", "confidence", "delivery")) == pytest.approx(1)
            for row in each
        )


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


def test_requests_are_answered_in_time_or_expire_on_the_day(world: World, told: Rows) -> None:
    for row in told["requests"]:
        asked = date.fromisoformat(row["asked_on"])
        deadline = (asked + timedelta(days=int(row["answer_within_days"]))).isoformat()
        if row["status"] == "expired":
            assert row["answered_on"] == deadline
        else:
            assert (row["answered_on"] or world.last_day.isoformat()) < deadline


def away_of(rows: Rows) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows["absences"]:
        found[row["person_id"]].append(row)
    return found


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


def test_outcomes_scatter_around_the_results_of_the_truth(world: World, told: Rows) -> None:
    off = [
        float(row["outcome"]) - world.truth["results"][row["id"]] / 1_000
        for row in told["pairings"]
        if row["outcome"] and 200 < world.truth["results"][row["id"]] < 800
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


def test_the_facts_show_why_a_pairing_stalled(world: World, told: Rows) -> None:
    pairings, moves, away = by_id(told["pairings"]), moves_of(told, "pairing"), away_of(told)
    met = Counter(row["pairing_id"] for row in told["sessions"])
    signed = Counter(row["pairing_id"] for row in told["signatures"])
    ratings: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    for row in told["feedback"]:
        ratings[row["pairing_id"]].append((row["given_on"], row["person_id"], float(row["rating"])))
    for stall in world.truth["stalled"]:
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
    assert marked == {(each["pairing_id"], each["seen_on"]) for each in world.truth["stalled"] if each["seen_on"]}


def test_whoever_is_held_back_lacks_a_mandatory_step_and_was_in_no_request(world: World, told: Rows) -> None:
    done = {(row["person_id"], row["step_id"]) for row in told["steps_done"]}
    asked = {row[side] for row in told["requests"] for side in ("mentor_id", "mentee_id")}
    mandatory = [row for row in told["onboarding_steps"] if row["necessity"] == "mandatory" and not row["programme_id"]]
    roles: dict[str, set[str]] = defaultdict(set)
    for row in told["roles"]:
        if not row["until"]:
            roles[row["person_id"]].add(row["role_id"])
    lacking = {
        (person, step["id"])
        for person, own in roles.items()
        for step in mandatory
        if (not step["role"] or step["role"] in own) and (person, step["id"]) not in done
    }
    assert lacking == {(each["person_id"], each["step_id"]) for each in world.truth["held_back"]}
    assert not {person for person, _ in lacking} & asked
    assert len(lacking) > 10


def test_whoever_asks_or_is_asked_has_taken_the_mandatory_steps_before(told: Rows) -> None:
    done = {(row["person_id"], row["step_id"]): row["since"] for row in told["steps_done"]}
    late_ones = 0
    for row in told["requests"]:
        for side in ("mentor", "mentee"):
            for step in ("step-welcome", "step-conduct"):
                late_ones += not done[row[f"{side}_id"], step] < row["asked_on"]
    assert late_ones <= 0.002 * len(told["requests"])


def test_the_trainings_of_mentors_are_taken_again_or_told_as_expired(world: World, told: Rows) -> None:
    last: dict[tuple[str, str], str] = {}
    for row in told["completions"]:
        key = row["person_id"], row["training_id"]
        last[key] = max(last.get(key, ""), row["until"] or "9")
    expired = {(each["person_id"], each["training_id"]) for each in world.truth["trainings_expired"]}
    left = {row["id"] for row in told["people"] if row["left_on"]}
    over = {
        key
        for key, until in last.items()
        if until <= world.last_day.isoformat() and key[1] == "training-listening" and key[0] not in left
    }
    assert over == expired
    assert len(expired) > 5


# --- bytes ------------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    write(generate(people=300, months=12, seed=7, version=2), tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(COLUMNS_2)
    assert digest(tmp_path) == SMALL_SHA256


def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    write(generate(people=300, months=12, seed=8, version=2), tmp_path)
    assert digest(tmp_path) != SMALL_SHA256


def test_the_truth_is_the_one_that_was_frozen(world: World) -> None:
    digest_of = hashlib.sha256(Path(truth_2.__file__).read_bytes()).hexdigest()
    assert digest_of == FROZEN == world.truth["second"]["sha256"]
    assert world.truth["version"] == world.version == truth_2.VERSION == 2


@pytest.mark.parametrize(("people", "months"), [(60, 1), (120, 5), (120, 40)])
def test_any_length_of_history_is_consistent(people: int, months: int) -> None:
    rows = dict(generate(people, months, 3, date(2025, 3, 30), version=2).rows)
    assert _dangling_of_version_1(rows) == []
    assert crowded(rows) == crowded_in_programmes(rows) == unsigned(rows) == list(misplaced(rows)) == []
    assert wrong_moves(rows, "request", REQUEST) == wrong_moves(rows, "pairing", PAIRING) == differing(rows) == []
    for file, each in rows.items():
        for row in each:
            record_of(KINDS[kind_of(file, row)], row, "world")


def test_each_step_is_told_as_it_begins() -> None:
    steps: list[str] = []
    generate(60, 3, version=2, progress=steps.append)
    assert len(steps) == STEPS_2


@pytest.mark.parametrize("make", [lambda: generate(60, version=3), lambda: generate(60, version=0)])
def test_another_version_is_refused(make: Callable[[], World]) -> None:
    with pytest.raises(ValueError, match="worlds of version 1 and 2"):
        make()


def test_open_pairings_have_no_outcome(told: Rows) -> None:
    assert all(bool(row["ended_on"]) != (row["status"] in OPEN_STATES) for row in told["pairings"])
    assert all(row["ended_on"] for row in told["pairings"] if row["outcome"])
