"""What people answer in the surveys of a generated world, and the outcomes that follow from the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from mentorgraph.graph.world import truth_2
from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.history import History, Life, words
from mentorgraph.graph.world.meetings import share
from mentorgraph.graph.world.people import Ids
from mentorgraph.graph.world.programmes import Programme
from mentorgraph.graph.world.wording import comment

CADENCE_DAYS = 30
"""Days between two surveys of a pairing that belongs to no programme."""
EQUAL_WEIGHTS = (1, 1, 1)
DECIMALS = 12
"""Of an outcome: enough to be the label of the answers, whoever computes it."""


@dataclass(frozen=True, slots=True)
class Charter:
    """How a programme is measured from a day on; weights count hundredths."""

    since: int
    until: int
    weights: tuple[int, int, int]


Latest: TypeAlias = dict[tuple[str, str], int]
"""Person and scale → the latest answer on it, in hundredths."""
SCALES = ("skill", "confidence", "delivery")


def cadence(programme: Programme | None) -> int:
    """Days between two surveys."""
    return int(words()["charters"][programme.format]["survey_days"]) if programme else CADENCE_DAYS


def tell_surveys(
    history: History, losses: Mapping[str, int], charters: Mapping[str, list[Charter]]
) -> tuple[dict[str, str], dict[str, int]]:
    """Writes what people answer, round by round.

    Args:
        history: The world.
        losses: Pairing → what a planted pattern takes from its result, in thousandths.
        charters: Programme → its charters, one after the other.

    Returns:
        Pairing → its outcome as a cell, and the results before anybody was asked, for the truth.
    """
    draws = history.draws("surveys")
    ids = Ids("f", history.made.width + 1)
    outcomes: dict[str, str] = {}
    results: dict[str, int] = {}
    for life in history.lives:
        result = results[life.id] = max(0, history.made.results[life.id] - losses.get(life.id, 0))
        latest = _Rounds(history, draws, ids, life, result).tell()
        if life.ends:
            outcomes[life.id] = outcome_of(latest, weights_on(charters, life.programme, life.ends))
    return outcomes, results


def weights_on(charters: Mapping[str, list[Charter]], programme: Programme | None, day: int) -> tuple[int, int, int]:
    """The weights that a programme's charter gives on a day."""
    for each in charters[programme.id] if programme else ():
        if each.since <= day and (not each.until or day < each.until):
            return each.weights
    return EQUAL_WEIGHTS


def outcome_of(latest: Latest, weights: tuple[int, int, int]) -> str:
    """The outcome as a cell: the weighted mean over scales, of each the mean over people; empty where none is known.

    Computed with whole numbers, so that no machine rounds it otherwise; `mentorgraph.graph.facts.label` says the same.
    """
    total, counted = Fraction(0), 0
    for scale, weight in zip(SCALES, weights, strict=True):
        known = [value for (_, own), value in latest.items() if own == scale]
        if known and weight:
            total += weight * Fraction(sum(known), len(known))
            counted += weight
    if not counted:
        return ""
    scale_of_cell = 10**DECIMALS
    digits = int(total / counted / 100 * scale_of_cell + Fraction(1, 2))
    after = f"{digits % scale_of_cell:0{DECIMALS}d}".rstrip("0")
    return f"{digits // scale_of_cell}.{after or 0}"


def due_days(life: Life, by: int) -> list[int]:
    """When the rounds of a pairing fall due before a day: after every so many days together; pauses do not count."""
    every, worked = cadence(life.programme), 0
    found: list[int] = []
    begun = life.moves[1:] if life.active else []
    ends = [*(move.day for move in begun[1:]), by]
    for move, end in zip(begun, ends, strict=True) if begun else ():
        if move.state != "paused":
            own = range(move.day + every - worked, end, every)
            found += own
            worked = end - own[-1] if own else worked + end - move.day
    return found


@dataclass(slots=True)
class _Rounds:
    """The surveys of one pairing."""

    history: History
    draws: Draws
    ids: Ids
    life: Life
    result: int
    latest: Latest = field(default_factory=dict)

    def tell(self) -> Latest:
        """Writes them and returns the last answer of each person on each scale."""
        life, last = self.life, self.history.last
        due = due_days(life, life.ends or last + 1)
        for number, day in enumerate(due, start=1):
            before = due[number] if number < len(due) else life.ends or last + 1
            self._round(number, day, min(before, last + 1))
        if life.ends and life.active:
            self._round(len(due) + 2, life.ends, last + 1, is_closing=True)
        life.ratings.sort()
        return self.latest

    def _round(self, number: int, due: int, before: int, *, is_closing: bool = False) -> None:
        """One survey: whoever answers does so from its day on and before another one."""
        life, draws = self.life, self.draws
        is_unhappy = life.cause == "poor_feedback" and life.seen > due
        reached = self.result if is_closing else self._felt(due)
        for role, person in zip(("mentor", "mentee"), life.people, strict=True):
            rating = min(1000, max(0, reached + draws.bell(truth_2.SURVEY_NOISE)))
            if is_unhappy and role == "mentee":
                rating = draws.between(50, 300)
            is_bad = rating < truth_2.BAD
            answering = truth_2.ANSWERING[role] - truth_2.LESS_ANSWERING_WHEN_BAD * is_bad
            answers = draws.below(1000) < answering or (is_unhappy and role == "mentee")
            given = due + draws.between(0, truth_2.CLOSING_DAYS if is_closing else 8) * (1 + is_bad)
            parts = [min(1000, max(0, rating + draws.bell(truth_2.PART_NOISE))) for _ in SCALES]
            told = [share(part) if draws.chance(0.94) else "" for part in parts]
            said = comment(draws, rating) if draws.chance(0.4) else ""
            left = self.history.made.people[person].left
            if not answers or given >= before or (left and left <= given):
                continue
            row = (self.ids.next(), life.id, person, iso(given), share(rating), str(number), *told, said)
            self.history.tables.add("feedback", *row)
            life.ratings.append((given, person, _hundredths(share(rating))))
            for scale, cell in zip(SCALES, told, strict=True):
                if cell:
                    self.latest[person, scale] = _hundredths(cell)

    def _felt(self, day: int) -> int:
        """What seems to be reached on a day: less in the beginning."""
        life = self.life
        part = 1000 * (day - life.begins) // max(1, life.pairing.ends - life.begins)
        felt = truth_2.STARTS_AT + (1000 - truth_2.STARTS_AT) * part // 1000
        return self.result * felt // 1000


def _hundredths(cell: str) -> int:
    return int(cell.replace(".", ""))
