"""The whole table of states: every way there is, who may go it, and that there is no other."""

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.states import PAIRING, REQUEST, Moved
from mentorgraph.graph.vocabulary import OPEN_REQUEST_STATES, OPEN_STATES, PAIRING_STATES, REQUEST_STATES

# From, to: m the mentor, e the mentee, c a coordinator, t time.
OF_REQUESTS = """
proposed requested ec
proposed declined e
proposed withdrawn c
proposed released t
proposed expired t
requested accepted mc
requested more_information m
requested declined m
requested withdrawn ec
requested released t
requested expired t
more_information requested ec
more_information accepted mc
more_information declined m
more_information withdrawn ec
more_information released t
more_information expired t
"""
OF_PAIRINGS = """
accepted active mec
accepted ended mec
active paused mec
active stalled ct
active completed mec
active ended mec
paused active mec
paused completed c
paused ended mec
stalled active mec
stalled paused mec
stalled completed c
stalled ended mec
"""
MOVERS = {"m": "mentor", "e": "mentee", "c": "coordinator", "t": "clock", "-": ""}


def cases() -> list[tuple[Moved, str, str, str, str]]:
    """What is moved, from where, to where, by whom, and the code of the refusal; empty where it may be."""
    found = []
    for moved, states, table in ((REQUEST, REQUEST_STATES, OF_REQUESTS), (PAIRING, PAIRING_STATES, OF_PAIRINGS)):
        ways = {(before, after): who for before, after, who in map(str.split, table.strip().splitlines())}
        for before in states:
            for after in states:
                for letter, mover in MOVERS.items():
                    who = ways.get((before, after))
                    code = "FORBIDDEN_MOVE" if who is None else "" if letter in who else "FORBIDDEN"
                    found.append((moved, before, after, mover, code))
    return found


def outcome(moved: Moved, before: str, after: str, mover: str, reason: str = "other") -> str:
    try:
        moved.check(before, after, mover, reason)
    except DomainError as error:
        return error.code
    return ""


def test_the_whole_table_is_as_it_is_written_here() -> None:
    found = cases()
    assert len(found) == (len(REQUEST_STATES) ** 2 + len(PAIRING_STATES) ** 2) * len(MOVERS)
    assert [case for case in found if outcome(*case[:4]) != case[4]] == []
    assert {case[4] for case in found} == {"", "FORBIDDEN", "FORBIDDEN_MOVE"}


def test_what_is_final_stays_so_and_what_is_open_goes_on() -> None:
    for moved, states, still_open in (
        (REQUEST, REQUEST_STATES, OPEN_REQUEST_STATES),
        (PAIRING, PAIRING_STATES, OPEN_STATES),
    ):
        assert {state for state in states if moved.next_states(state)} == set(still_open)


def test_nobody_declines_or_ends_without_a_reason() -> None:
    for moved, before, after in ((REQUEST, "requested", "declined"), (PAIRING, "active", "ended")):
        assert outcome(moved, before, after, "mentor", "") == "REASON_REQUIRED"
        assert outcome(moved, before, after, "mentor", "no_capacity") == ""
    assert outcome(REQUEST, "requested", "accepted", "mentor", "") == ""


@pytest.mark.parametrize(
    ("state", "after", "mover", "said"),
    [
        ("declined", "accepted", "mentor", "this request is declined and cannot become accepted; that is final"),
        ("proposed", "accepted", "mentor", "it can become requested, declined, withdrawn, released, expired"),
        (
            "requested",
            "more_information",
            "mentee",
            "only the mentor makes a request that is requested more information",
        ),
        ("requested", "expired", "coordinator", "only time makes a request that is requested expired"),
    ],
)
def test_a_refusal_says_what_would_be_possible(state: str, after: str, mover: str, said: str) -> None:
    with pytest.raises(DomainError, match=said):
        REQUEST.check(state, after, mover, "other")
