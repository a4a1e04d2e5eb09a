"""Which way requests and pairings go: from which state to which, who may move them, and what a move needs.

Pure. A request is proposed or asked for and answered; the one that is accepted becomes a pairing, which is agreed to,
lived and ended. What is final stays final.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.vocabulary import OPEN_REQUEST_STATES, OPEN_STATES

MENTOR, MENTEE, COORDINATOR, CLOCK = "mentor", "mentee", "coordinator", "clock"
"""Who moves; the clock is nobody in particular: time that ran out, a mentor who went away."""
BOTH = frozenset({MENTOR, MENTEE, COORDINATOR})

WITH_REASON = frozenset({"declined", "ended"})
"""States that nobody is moved to without a reason."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What is moved, for messages.

    Attributes:
        name: What it is called.
        open_states: States from which it can still go on.
        moves: State, next state → who may move it.
    """

    name: str
    open_states: tuple[str, ...]
    moves: Mapping[tuple[str, str], frozenset[str]]

    def next_states(self, state: str) -> tuple[str, ...]:
        """Where it can go from a state, whoever moves it."""
        return tuple(after for before, after in self.moves if before == state)

    def check(self, state: str, after: str, mover: str, reason: str) -> None:
        """Whether a move may be made.

        Args:
            state: Where it stands.
            after: Where it is to go.
            mover: Who moves it: one of `MENTOR`, `MENTEE`, `COORDINATOR`, `CLOCK`; empty for anybody else.
            reason: Why, where a reason is needed.

        Raises:
            DomainError: `FORBIDDEN_MOVE` for a way that does not exist, `FORBIDDEN` for one that is not this mover's,
                `REASON_REQUIRED`.
        """
        if (state, after) not in self.moves:
            ways = ", ".join(self.next_states(state))
            told = f"it can become {ways}" if ways else "that is final"
            raise DomainError(
                f"this {self.name} is {_plain(state)} and cannot become {_plain(after)}; {_plain(told)}",
                code="FORBIDDEN_MOVE",
                field="to",
            )
        allowed = self.moves[state, after]
        if mover not in allowed:
            told = " or ".join(f"the {each}" for each in (MENTEE, MENTOR, COORDINATOR) if each in allowed) or "time"
            raise DomainError(
                f"only {told} makes a {self.name} that is {_plain(state)} {_plain(after)}", code="FORBIDDEN", field="to"
            )
        if after in WITH_REASON and not reason:
            raise DomainError(
                f"a {self.name} is not {_plain(after)} without a reason; choose one, only coordinators will see it",
                code="REASON_REQUIRED",
                field="reason",
            )


def _plain(state: str) -> str:
    return state.replace("_", " ")


def _ways(told: Mapping[str, Mapping[str, frozenset[str]]]) -> Mapping[tuple[str, str], frozenset[str]]:
    return MappingProxyType({(before, after): who for before, ways in told.items() for after, who in ways.items()})


_ANSWERED = {"released": frozenset({CLOCK}), "expired": frozenset({CLOCK})}

REQUEST = Moved(
    "request",
    OPEN_REQUEST_STATES,
    _ways(
        {
            "proposed": {
                "requested": frozenset({MENTEE, COORDINATOR}),
                "declined": frozenset({MENTEE}),
                "withdrawn": frozenset({COORDINATOR}),
                **_ANSWERED,
            },
            "requested": {
                "accepted": frozenset({MENTOR, COORDINATOR}),
                "more_information": frozenset({MENTOR}),
                "declined": frozenset({MENTOR}),
                "withdrawn": frozenset({MENTEE, COORDINATOR}),
                **_ANSWERED,
            },
            "more_information": {
                "requested": frozenset({MENTEE, COORDINATOR}),
                "accepted": frozenset({MENTOR, COORDINATOR}),
                "declined": frozenset({MENTOR}),
                "withdrawn": frozenset({MENTEE, COORDINATOR}),
                **_ANSWERED,
            },
        }
    ),
)

PAIRING = Moved(
    "pairing",
    OPEN_STATES,
    _ways(
        {
            "accepted": {"active": BOTH, "ended": BOTH},
            "active": {
                "paused": BOTH,
                "stalled": frozenset({COORDINATOR, CLOCK}),
                "completed": BOTH,
                "ended": BOTH,
            },
            "paused": {"active": BOTH, "completed": frozenset({COORDINATOR}), "ended": BOTH},
            "stalled": {"active": BOTH, "paused": BOTH, "completed": frozenset({COORDINATOR}), "ended": BOTH},
        }
    ),
)
