"""The best of all ways to put people together at once, which taking the best pair first and then the next one misses.

Both questions are integer programmes: 0 or 1 for each pair, or for each seat in a circle. HiGHS solves them exactly, by
way of SciPy (Huangfu and Hall 2018, doi:10.1007/s12532-017-0130-5). First as many people as possible are placed; of all
ways to place so many, the one with the highest sum of scores is chosen, to within 1e-6.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from mentorgraph.graph.errors import DomainError

LIMIT_S = 60.0
"""For so long the best way is looked for."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """A circle that could be: a leader, at a time at which some could come.

    Attributes:
        leader: uid of who would lead it.
        slot: Slot of the week at which it would begin.
        mentees: uids of those whom the rules allow with the leader and who are free then.
    """

    leader: str
    slot: int
    mentees: frozenset[str]


def best_pairs(scores: Mapping[tuple[str, str], float]) -> list[tuple[str, str]]:
    """The most pairs of a group in which nobody is in two, and of all such choices one with the highest sum of scores.

    This is maximum weight matching in a general graph (Edmonds 1965): anybody may be paired with anybody.

    Args:
        scores: Pair of uids → score; a pair that is absent may not be.

    Returns:
        Some of the pairs, in the order of their uids.

    Raises:
        DomainError: `TOO_LARGE`, none was proved to be the best in time.
    """
    if not scores:
        return []
    pairs = sorted(scores)
    values = np.array([scores[pair] for pair in pairs])
    once = _Rows(len(pairs))
    for person in sorted({each for pair in pairs for each in pair}):
        once.add([(place, 1.0) for place, pair in enumerate(pairs) if person in pair], most=1.0)
    chosen = _most(np.ones(len(pairs)), values, once)
    return [pair for pair, is_chosen in zip(pairs, chosen, strict=True) if is_chosen]


def best_circles(
    meetings: Sequence[Meeting],
    scores: Mapping[tuple[str, str], float],
    least: int,
    most: Mapping[str, int],
    *,
    skills: Mapping[str, frozenset[str]] | None = None,
    least_skills: int = 0,
) -> list[tuple[Meeting, tuple[str, ...]]]:
    """The circles that seat the most mentees, and of all such choices one with the highest sum of scores.

    Nobody sits in two circles, nobody leads two, and who leads one sits in none.

    Args:
        meetings: The circles that could be.
        scores: uids of mentee and leader → score.
        least: Mentees that a circle needs.
        most: Leader → mentees that they take at most.
        skills: Mentee → what they wish to learn.
        least_skills: Different ones of these that a circle brings together at least.

    Returns:
        Each circle that is held, with its mentees in the order of their uids.

    Raises:
        DomainError: `TOO_LARGE`, none was proved to be the best in time.
    """
    order = sorted(meetings, key=lambda each: (each.leader, each.slot))
    seats = [(held, mentee) for held, each in enumerate(order) for mentee in sorted(each.mentees)]
    if not seats:
        return []
    wished = skills if skills is not None and least_skills else {}
    learned = [
        (held, skill)
        for held, each in enumerate(order)
        for skill in sorted(frozenset().union(*(wished.get(mentee, frozenset()) for mentee in each.mentees)))
    ]
    # Columns: whether each meeting is held, who sits in it, and which skills it brings together.
    seat_of = {seat: len(order) + place for place, seat in enumerate(seats)}
    skill_of = {each: len(order) + len(seats) + place for place, each in enumerate(learned)}
    rows = _Rows(len(order) + len(seats) + len(learned))
    for held, each in enumerate(order):
        sitting = [(seat_of[held, mentee], 1.0) for mentee in sorted(each.mentees)]
        rows.add([*sitting, (held, -float(most[each.leader]))], most=0.0)
        rows.add([*sitting, (held, -float(least))], least=0.0)
        # Follows from the above, and brings the relaxed problem so close that it rarely has to branch.
        for column, _ in sitting:
            rows.add([(column, 1.0), (held, -1.0)], most=0.0)
        if least_skills:
            brought = [(skill_of[one], 1.0) for one in learned if one[0] == held]
            rows.add([*brought, (held, -float(least_skills))], least=0.0)
    for held, skill in learned:
        who = [mentee for mentee in sorted(order[held].mentees) if skill in wished.get(mentee, ())]
        rows.add([(skill_of[held, skill], 1.0), *((seat_of[held, mentee], -1.0) for mentee in who)], most=0.0)
    people = {each.leader for each in order} | {mentee for _, mentee in seats}
    for person in sorted(people):
        led = [(held, 1.0) for held, each in enumerate(order) if each.leader == person]
        rows.add([*led, *((seat_of[seat], 1.0) for seat in seats if seat[1] == person)], most=1.0)
    is_seat = np.zeros(rows.columns)
    values = np.zeros(rows.columns)
    for (held, mentee), column in seat_of.items():
        is_seat[column] = 1.0
        values[column] = scores[mentee, order[held].leader]
    chosen = _most(is_seat, values, rows)
    found = []
    for held, each in enumerate(order):
        if chosen[held] and (
            mentees := tuple(mentee for one, mentee in seats if one == held and chosen[seat_of[one, mentee]])
        ):
            found.append((each, mentees))
    return found


class _Rows:
    """Linear conditions, gathered one by one."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._cells: list[tuple[int, int, float]] = []
        self._least: list[float] = []
        self._most: list[float] = []

    def add(self, terms: Iterable[tuple[int, float]], *, least: float = -np.inf, most: float = np.inf) -> None:
        """Asks for `least` ≤ Σ factor × column ≤ `most`."""
        self._cells += [(len(self._least), column, factor) for column, factor in terms]
        self._least.append(least)
        self._most.append(most)

    def with_sum(self, terms: NDArray[np.float64], total: int) -> "_Rows":
        """The same conditions, and that a sum over all columns is so much."""
        more = _Rows(self.columns)
        more._cells, more._least, more._most = list(self._cells), list(self._least), list(self._most)
        more.add([(int(column), float(terms[column])) for column in np.flatnonzero(terms)], least=total, most=total)
        return more

    def solved(self, gain: NDArray[np.float64]) -> NDArray[np.float64]:
        """Columns of 0 and 1 that keep all conditions and have the highest sum of gains: `float64[columns]`."""
        # Only who plans needs the solver, and it takes long to load.
        from scipy.optimize import Bounds, LinearConstraint, milp

        rows, columns, factors = (np.array(each) for each in zip(*self._cells, strict=True))
        shape = (len(self._least), self.columns)
        matrix = coo_array((factors, (rows, columns)), shape=shape).tocsr()
        result = milp(
            -gain,
            integrality=np.ones(self.columns, np.int64),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, self._least, self._most),
            options={"mip_rel_gap": 0.0, "time_limit": LIMIT_S},
        )
        if result.status != 0:
            raise DomainError("the best way was not found in time; ask for fewer people at once", code="TOO_LARGE")
        solution: NDArray[np.float64] = result.x
        return solution


def _most(first: NDArray[np.float64], then: NDArray[np.float64], rows: _Rows) -> NDArray[np.bool_]:
    """Which columns are 1 where one sum is as large as can be, and another as that allows: `bool[columns]`."""
    number = round(float(first @ rows.solved(first)))
    found: NDArray[np.bool_] = rows.with_sum(first, number).solved(then) > 0.5
    return found
