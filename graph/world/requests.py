"""Whom the mentees of a generated world asked, and what became of it: what was accepted are its pairings."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from mentorgraph.graph.world.appeal import HiddenMentor
from mentorgraph.graph.world.clocks import iso, overlap_minutes
from mentorgraph.graph.world.courses import tell_move
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.goals import Goal
from mentorgraph.graph.world.history import History, Life, Move, words
from mentorgraph.graph.world.people import Ids
from mentorgraph.graph.world.programmes import ASSIGNED_FORMATS

ANSWER_WITHIN_DAYS = 14
LOOKS = 6
"""So many mentors are looked at before a mentee gives up asking another one."""
OPEN = ("proposed", "requested", "more_information")


@dataclass(slots=True)
class Requests:
    """All requests of a world, as they are made.

    Attributes:
        first: Person → the day on which they first asked or were asked.
        asked: Mentor and programme → the day on which they were first asked in it.
        silent: Mentors who let a request expire and were not heard of for a while, for the truth.
    """

    history: History
    draws: Draws
    ids: Ids
    first: dict[str, int] = field(default_factory=dict)
    asked: dict[tuple[str, str], int] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)
    _waiting: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _expired: list[tuple[int, HiddenMentor]] = field(default_factory=list)
    _taken: dict[str, list[Life]] = field(default_factory=dict)
    _by_topic: dict[int, list[HiddenMentor]] = field(default_factory=dict)
    _leaving: list[tuple[int, HiddenMentor]] = field(default_factory=list)
    _blocked: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def tell(cls, history: History) -> "Requests":
        """Makes and writes them all; mentors may turn out to be silent."""
        made = history.made
        told = cls(history, history.draws("requests"), Ids("r", made.width + 1))
        for life in history.lives:
            told._taken.setdefault(life.mentor.id, []).append(life)
        by_id = {mentor.id: mentor for mentor in made.appeal.mentors}
        for mentor in made.appeal.mentors:
            for topic in mentor.topics:
                told._by_topic.setdefault(topic, []).append(mentor)
        leaving = ((since, person) for person, since, _, _ in history.absences if since <= history.last)
        told._leaving = [(since, by_id[person]) for since, person in sorted(leaving) if person in by_id]
        told._blocked = {(row[0], row[1]) for row in made.tables.rows["blocks"]}
        lives: dict[str, list[Life]] = {}
        for life in history.lives:
            lives.setdefault(life.pairing.goal.hidden.id, []).append(life)
        for goal in made.goals:
            told._tell_goal(goal, lives.get(goal.hidden.id, []))
        told._fall_silent()
        return told

    def _tell_goal(self, goal: Goal, lives: list[Life]) -> None:
        """What one mentee did to find a mentor."""
        draws, own = self.draws, {life.mentor.id for life in lives}
        for life in lives:
            self._accepted(goal, life)
        if not goal.person.agrees:
            return
        until = min([life.asked for life in lives], default=self.history.last + 1)
        if draws.chance(0.3 if lives else 0.7):
            for _ in range(1 if lives or draws.chance(0.5) else 2):
                self._in_vain(goal, own, until)

    def _accepted(self, goal: Goal, life: Life) -> None:
        """The request that became a pairing."""
        draws, mentor = self.draws, life.mentor
        earliest = max(self._ready(goal), mentor.since + 1)
        days = min(ANSWER_WITHIN_DAYS - 1, max(1, life.begins - earliest))
        asked = life.begins - draws.between(1, days)
        if self.history.away.meets(mentor.id, asked, life.begins):
            asked = life.begins - 1
        life.asked = asked
        states = ["requested"]
        is_assigned = goal.programme is not None and goal.programme.format in ASSIGNED_FORMATS
        if is_assigned and life.begins - asked >= 2:
            states.insert(0, "proposed")
        if life.begins - asked > len(states) + 1 and draws.chance(0.25):
            states += ["more_information", "requested"]
        between = draws.some(range(asked + 1, life.begins), len(states) - 1)
        coordinator = self.history.coordinator(draws, goal.programme)
        moves = self._moves(goal, mentor, states, [asked, *sorted(between)], coordinator)
        moves.append(Move(life.begins, "accepted", coordinator if is_assigned and draws.chance(0.3) else mentor.id))
        self._tell(goal, mentor, moves)

    def _ready(self, goal: Goal) -> int:
        """When a mentee can ask: not on the day of joining, when nothing of the onboarding is done."""
        return max(goal.hidden.asked, goal.person.joined + 1, self.history.made.period.first + 1)

    def _in_vain(self, goal: Goal, own: set[str], until: int) -> None:
        """A request that became nothing, made between writing the goal down and a day; the mentor is added to `own`."""
        draws, last = self.draws, self.history.last
        window = min(until, last + 1) - self._ready(goal)
        if window < 2:
            return
        leaving = self._one_who_leaves(goal, own, until) if draws.chance(0.15) else None
        if leaving is not None:
            asked, mentor = leaving
        else:
            asked = self._ready(goal) + draws.below(min(window - 1, 20))
            found = self._somebody(goal, own, asked)
            if found is None:
                return
            mentor = found
        own.add(mentor.id)
        coordinator = self.history.coordinator(draws, goal.programme)
        is_proposed = goal.programme is not None and goal.programme.format in ASSIGNED_FORMATS and draws.chance(0.5)
        states = ["proposed" if is_proposed else "requested"]
        moves = self._moves(goal, mentor, states, [asked], coordinator)
        answer = self._answer(goal, mentor, moves, min(until, last + 1), coordinator)
        self._tell(goal, mentor, [*moves, *answer])

    def _answer(self, goal: Goal, mentor: HiddenMentor, moves: list[Move], until: int, coordinator: str) -> list[Move]:
        """What became of a request, before a day; nothing yet where that is the end of the world."""
        draws, asked = self.draws, moves[-1].day
        if until > self.history.last and asked + 4 > self.history.last:
            return []
        away = [since for since, other in self._leaves(asked, asked + ANSWER_WITHIN_DAYS) if other is mentor]
        deadline = asked + ANSWER_WITHIN_DAYS
        answered = draws.between(asked + 1, min(deadline - 1, max(asked + 1, until - 1)))
        if away and away[0] <= until:
            return [Move(away[0], "released")] if away[0] <= self.history.last else []
        if answered >= until or answered > self.history.last:
            return []
        found = []
        if moves[-1].state == "proposed":
            who = draws.pick((goal.person.id, coordinator))
            if draws.chance(0.4) or answered - asked < 2:
                state, reason = ("declined", "other") if who == goal.person.id else ("withdrawn", "")
                return [Move(answered, state, who, reason)]
            found.append(Move(draws.between(asked + 1, answered - 1), "requested", goal.person.id))
        elif answered - asked >= 2 and draws.chance(0.2):
            note = draws.pick(words()["notes"]["more"])
            found.append(Move(draws.between(asked + 1, answered - 1), "more_information", mentor.id, note=note))
        chance = draws.below(100)
        if chance < 30 and deadline < until:
            self._expired.append((deadline, mentor))
            return [*found, Move(deadline, "expired")]
        if until > self.history.last and deadline > self.history.last and chance < 70:
            return found
        if chance < 75:
            note = draws.pick(words()["notes"]["declined"])
            return [*found, Move(answered, "declined", mentor.id, self._why_not(goal, mentor), note=note)]
        return [*found, Move(answered, "withdrawn", draws.pick((goal.person.id, coordinator)))]

    def _why_not(self, goal: Goal, mentor: HiddenMentor) -> str:
        """Why a mentor declines: what is the case, as far as something is."""
        if not overlap_minutes(mentor.clock, goal.hidden.clock):
            return "no_shared_time"
        if goal.hidden.topic not in mentor.topics and self.draws.chance(0.6):
            return "not_my_field"
        if mentor.unit == goal.person.unit.id and self.draws.chance(0.8):
            return "conflict_of_interest"
        return self.draws.pick(("no_capacity", "no_capacity", "other"))

    def _somebody(self, goal: Goal, own: set[str], day: int) -> HiddenMentor | None:
        """A mentor whom one may ask on a day, rather one of the goal's topic."""
        near = self._by_topic.get(goal.hidden.topic, [])
        for _ in range(LOOKS):
            everybody = near if near and self.draws.chance(0.6) else self.history.made.appeal.mentors
            mentor = self.draws.pick(everybody)
            if self._may_be_asked(goal, mentor, own, day):
                return mentor
        return None

    def _one_who_leaves(self, goal: Goal, own: set[str], until: int) -> tuple[int, HiddenMentor] | None:
        """A mentor who goes away soon after having been asked, and the day of asking."""
        leaves = self._leaves(self._ready(goal), min(until, self._ready(goal) + 40))
        if not leaves:
            return None
        since, mentor = self.draws.pick(leaves)
        asked = max(self._ready(goal), since - self.draws.between(1, ANSWER_WITHIN_DAYS - 1))
        return (asked, mentor) if asked < since and self._may_be_asked(goal, mentor, own, asked) else None

    def _leaves(self, after: int, until: int) -> list[tuple[int, HiddenMentor]]:
        """Who goes away after a day and before another one."""
        low = bisect_right(self._leaving, after, key=lambda each: each[0])
        return self._leaving[low : bisect_left(self._leaving, until, key=lambda each: each[0])]

    def _may_be_asked(self, goal: Goal, mentor: HiddenMentor, own: set[str], day: int) -> bool:
        """Whether no rule forbids to ask a mentor on a day."""
        person = self.history.made.people[mentor.id]
        answers_until = day + ANSWER_WITHIN_DAYS
        stays = mentor.since < day and (not mentor.until or answers_until < mentor.until)
        taken = sum(each.begins <= day < (each.ends or day + 1) for each in self._taken.get(mentor.id, ()))
        return (
            mentor.id not in own
            and mentor.id != goal.person.id
            and person.agrees
            and stays
            and taken < person.places
            and (goal.person.id, mentor.id) not in self._blocked
            and not self.history.away.holds(mentor.id, day)
        )

    def _moves(
        self, goal: Goal, mentor: HiddenMentor, states: list[str], days: list[int], coordinator: str
    ) -> list[Move]:
        """The moves to some states, each by whoever makes it."""
        notes, found = words()["notes"], []
        for place, (state, day) in enumerate(zip(states, days, strict=True)):
            note = ""
            if state == "requested" and self.draws.chance(0.5):
                note = self.draws.pick(notes["answered" if "more_information" in states[:place] else "asked"])
            elif state == "more_information":
                note = self.draws.pick(notes["more"])
            by = {"proposed": coordinator, "more_information": mentor.id}.get(state, goal.person.id)
            found.append(Move(day, state, by, note=note))
        return found

    def _tell(self, goal: Goal, mentor: HiddenMentor, moves: list[Move]) -> None:
        """Writes a request and its moves."""
        id, status = self.ids.next(), moves[-1].state
        asked, programme = moves[0].day, goal.programme.id if goal.programme else ""
        answered = "" if status in OPEN else iso(moves[-1].day)
        row = (id, mentor.id, goal.person.id, goal.hidden.id, programme, iso(asked), answered)
        self.history.tables.add("requests", *row, str(ANSWER_WITHIN_DAYS), status)
        for move in moves:
            tell_move(self.history, id, "", move)
        for person in (mentor.id, goal.person.id):
            self.first[person] = min(asked, self.first.get(person, asked))
        if programme:
            self.asked[mentor.id, programme] = min(asked, self.asked.get((mentor.id, programme), asked))
        until = moves[-1].day if answered else self.history.last
        self._waiting.setdefault(mentor.id, []).append((asked, until))

    def _fall_silent(self) -> None:
        """Lets some who did not answer be away without a word, where nothing else was heard of them in that time."""
        draws, history = self.draws, self.history
        expired = sorted(self._expired, key=lambda each: (each[0], each[1].id))
        wanted = {mentor.id for _, mentor in expired}
        days: dict[str, list[int]] = {}
        for life in history.lives:
            for person in life.people:
                if person in wanted:
                    days.setdefault(person, []).extend(each.day for each in life.meetings)
        for since, mentor in expired:
            until = since + draws.between(14, 30)
            if not draws.chance(0.6) or (mentor.until and mentor.until <= until):
                continue
            is_heard = any(since <= day < until for day in days.get(mentor.id, ()))
            is_asked = any(since < answered and asked <= until for asked, answered in self._waiting.get(mentor.id, ()))
            if is_heard or is_asked or history.begins_within(mentor.id, since, until + 1):
                continue
            if not history.away.meets(mentor.id, since, until):
                history.put_away(mentor.id, since, until, "silent")
                self.silent.append(mentor.id)
