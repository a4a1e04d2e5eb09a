"""What happens in the pairings of a generated world: sessions, outcomes, surveys, and who wants no more of it."""

from dataclasses import dataclass, field
from functools import partial

from mentorgraph.graph.world import truth
from mentorgraph.graph.world.appeal import Appeal
from mentorgraph.graph.world.choices import Pairing
from mentorgraph.graph.world.clocks import SLOT_MINUTES, SLOTS, iso, meeting_slots, time_of_day
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.people import Ids, Period
from mentorgraph.graph.world.programmes import tell_membership
from mentorgraph.graph.world.tables import Tables
from mentorgraph.graph.world.wording import comment

PACE_DAYS = (7, 14, 30)
MINUTES = (25, 30, 45, 50, 60, 90)
KINDS = ("live", "live", "live", "live", "asynchronous", "written", "recorded")
SLOTS_A_DAY = SLOTS // 7
SEEN_AS_STALLED_DAYS = 21
"""How long after the last meeting somebody marks a pairing as stalled."""


@dataclass(slots=True)
class Chronicle:
    """Writes down pairing after pairing.

    Attributes:
        stalls: The stalled pairings so far, for the truth.
        expected: Pairing → its outcome without the noise, in thousandths, for the truth.
        results: The same with the noise, whether or not it is over.
        achieved: Goal → the day on which a pairing completed it.
    """

    tables: Tables
    appeal: Appeal
    period: Period
    draws: Draws
    pairing_ids: Ids
    session_ids: Ids
    feedback_ids: Ids
    stalls: list[dict[str, str]] = field(default_factory=list)
    expected: dict[str, int] = field(default_factory=dict)
    results: dict[str, int] = field(default_factory=dict)
    achieved: dict[str, str] = field(default_factory=dict)
    _members: set[tuple[str, str]] = field(default_factory=set)
    _last_start: dict[tuple[str, str], int] = field(default_factory=dict)
    _regrets: list[tuple[str, str, int]] = field(default_factory=list)

    @classmethod
    def begin(cls, seed: int, tables: Tables, appeal: Appeal, period: Period, width: int) -> "Chronicle":
        """An empty chronicle; `width` is that of the pairings' numbers."""
        ids = (Ids("m", width), Ids("s", width + 1), Ids("f", width + 1))
        return cls(tables, appeal, period, Draws(seed, "meetings"), *ids)

    def tell(self, pairing: Pairing) -> None:
        """Writes a pairing and all that belongs to it."""
        id = self.pairing_ids.next()
        hidden, mentee = pairing.goal.hidden, pairing.goal.person
        mentor = self.appeal.mentors[pairing.mentor]
        days, planned = self._meetings(pairing)
        for day in days:
            self._tell_session(id, pairing, day)
        outcome = partial(
            truth.outcome,
            topic=self.appeal.nearness(pairing.mentor, hidden.topic),
            coverages=self.appeal.coverages(pairing.mentor, hidden),
            time=pairing.fit.time,
            pace_gap=pairing.fit.pace_gap,
            quality=mentor.quality,
            motivation=hidden.motivation,
            held_permille=1000 * len(days) // max(1, planned),
            stalled=bool(pairing.stalled),
            left=pairing.left,
        )
        self.expected[id] = outcome(noise=0)
        result = self.results[id] = outcome(noise=self.draws.bell(truth.NOISE_OUTCOME))
        ended = pairing.ends <= self.period.last
        status = self._status(pairing, ended)
        programme = pairing.goal.programme
        self.tables.add(
            "pairings",
            id,
            mentor.id,
            mentee.id,
            hidden.id,
            mentee.unit.id,
            programme.id if programme else "",
            iso(pairing.starts),
            iso(pairing.ends) if ended else "",
            status,
            share(result) if ended else "",
        )
        if pairing.stalled and pairing.stalled <= self.period.last:
            self.stalls.append({"pairing_id": id, "on": iso(pairing.stalled)})
        if status == "completed":
            self.achieved.setdefault(hidden.id, iso(pairing.ends))
        if programme and (mentor.id, programme.id) not in self._members:
            self._members.add((mentor.id, programme.id))
            tell_membership(self.tables, programme, mentor.id, "mentor", pairing.starts, self.period.last)
        self._tell_surveys(id, pairing, (mentee.id, mentor.id), result)
        self._last_start[mentee.id, mentor.id] = pairing.starts
        if ended and result < 300 and self.draws.chance(0.25):
            self._regrets.append((mentee.id, mentor.id, pairing.ends))

    def tell_blocks(self) -> None:
        """Writes which mentees want no more of a mentor, after a pairing that went badly and was their last one."""
        for mentee, mentor, day in self._regrets:
            if self._last_start[mentee, mentor] < day:
                self.tables.add("blocks", mentee, mentor, iso(day), "")

    def _status(self, pairing: Pairing, ended: bool) -> str:
        if ended:
            return "ended" if pairing.stalled or pairing.left else "completed"
        if pairing.stalled and pairing.stalled + SEEN_AS_STALLED_DAYS <= self.period.last:
            return "stalled"
        return "paused" if self.draws.chance(0.03) else "active"

    def _meetings(self, pairing: Pairing) -> tuple[list[int], int]:
        """The days on which the two met so far, and how many meetings their rhythm would have given."""
        mentor, hidden = self.appeal.mentors[pairing.mentor], pairing.goal.hidden
        step = (PACE_DAYS[mentor.pace] + PACE_DAYS[hidden.pace]) // 2
        held = 0.5 + 0.08 * pairing.fit.time + 0.04 * hidden.motivation
        slots = meeting_slots(mentor.clock, hidden.clock)
        end = min(pairing.ends, self.period.last)
        days = []
        planned = 0
        for day in range(pairing.starts + self.draws.between(1, 9), end, step):
            planned += 1
            if (not pairing.stalled or day <= pairing.stalled) and self.draws.chance(held):
                weekday = self.draws.pick(slots) // SLOTS_A_DAY
                meets = day + (weekday - _weekday(day)) % 7
                if meets < end:
                    days.append(meets)
        return days, planned

    def _tell_session(self, pairing_id: str, pairing: Pairing, day: int) -> None:
        slots = meeting_slots(self.appeal.mentors[pairing.mentor].clock, pairing.goal.hidden.clock)
        today = [slot % SLOTS_A_DAY for slot in slots if slot // SLOTS_A_DAY == _weekday(day)]
        at = f"{iso(day)}T{time_of_day(self.draws.pick(today) * SLOT_MINUTES)}:00Z"
        minutes, kind = self.draws.pick(MINUTES), self.draws.pick(KINDS)
        self.tables.add("sessions", self.session_ids.next(), pairing_id, at, str(minutes), kind)

    def _tell_surveys(self, pairing_id: str, pairing: Pairing, people: tuple[str, str], result: int) -> None:
        """Surveys half-way and at the end; each side answers some of them."""
        surveys = [(pairing.ends + 3, 130, 0.55)]
        if pairing.starts + 45 < pairing.ends:
            surveys.insert(0, (pairing.starts + 45, 250, 0.25))
        for day, noise, answering in surveys:
            if day > self.period.last:
                continue
            for person in people:
                if self.draws.chance(answering):
                    rating = min(1000, max(0, result + self.draws.bell(noise)))
                    words = comment(self.draws, rating) if self.draws.chance(0.5) else ""
                    row = (self.feedback_ids.next(), pairing_id, person, iso(day), share(rating), words)
                    self.tables.add("feedback", *row)


def share(thousandths: int) -> str:
    """A share from 0 to 1 in two digits."""
    hundredths = (thousandths + 5) // 10
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _weekday(day: int) -> int:
    """0 for Monday: `date.toordinal` counts from a Monday, day 1."""
    return (day - 1) % 7
