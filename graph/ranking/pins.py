"""Pins: mentors whom a coordinator puts first in somebody's list, and where the model alone would have put everybody.

Pure. A pin changes the order and nothing else: scores stay, and whom a rule forbids is not shown, pinned or not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.ranking.scoring import Scores


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody in a list.

    Attributes:
        score: Their score.
        uid: Their uid, which parts equal scores.
        is_pinned: Whether a coordinator put them first.
    """

    score: float
    uid: str
    is_pinned: bool

    @property
    def place(self) -> tuple[float, str]:
        """What the model orders by."""
        return -self.score, self.uid


def pinned_first(order: NDArray[np.int64], pins: Mapping[int, str]) -> NDArray[np.int64]:
    """An order with those who are pinned before all others, each group in the order that it had: `int64[n]`."""
    if not pins:
        return order
    is_pinned = np.isin(order, list(pins))
    return np.concatenate((order[is_pinned], order[~is_pinned]))


def place_after(
    scores: Scores, order: NDArray[np.int64], pins: Mapping[int, str], uids: Sequence[str], score: float, uid: str
) -> int:
    """The place in an order of `pinned_first` of whoever comes after a score and uid."""
    front = int(np.isin(order, list(pins)).sum()) if pins else 0
    for place in range(front):
        if uids[order[place]] == uid:
            return place + 1
    return front + scores.place_after(order[front:], uids, score, uid)


def model_ranks(seen: Sequence[Standing], offset: int, has_pins: bool, is_whole: bool) -> list[int | None]:
    """The place that each of a list would have by score alone, among those who may be recommended.

    Args:
        seen: A page and whatever is known of what follows it, in its order.
        offset: Place of the last of the page before.
        has_pins: Whether anybody is pinned in the whole list, shown or not.
        is_whole: Whether nobody comes after them.

    Returns:
        One place for each; None where those who were seen do not tell: whoever is pinned may stand below all of
        them, and of a later page it is not known who was put before it.
    """
    if not has_pins:
        return list(range(offset + 1, offset + 1 + len(seen)))
    if offset:
        return [None] * len(seen)
    others = [each.place for each in seen if not each.is_pinned]
    if not others and not is_whole:
        return [None] * len(seen)
    last = max(others, default=(float("-inf"), ""))
    ranks: list[int | None] = []
    for each in seen:
        is_known = is_whole or each.place <= last
        ranks.append(1 + sum(other.place < each.place for other in seen) if is_known else None)
    return ranks
