"""Small random graphs, each a mentee with a few mentors in a programme, and a slow check of who may be paired there.

The check is written from the rows alone, without any of the program's code for rules, policies or eligibility; only the
numbers of the shipped policy file are read.
"""

import json
import random
import tomllib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LONG_AGO = "2025-01-01"
SOURCE = "islands"
MENTORS = ("a", "b", "c", "d")
SHIPPED: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[2] / "graph" / "rules" / "policy.toml").read_text("utf-8")
)
OFFSETS = {"UTC": 0, "Etc/GMT-3": 3, "Etc/GMT-9": 9, "Etc/GMT+8": -8}
"""Zones without daylight saving → hours ahead of UTC; the names count the other way."""

Rows = dict[str, list[dict[str, Any]]]


class Island:
    """One random graph.

    Attributes:
        key: What its ids begin with.
        rows: File → rows.
    """

    def __init__(self, number: int) -> None:
        self.key = f"i{number}-"
        self.rows: Rows = defaultdict(list)
        self._draws = random.Random(number)  # noqa: S311
        self._make()

    def id(self, name: str) -> str:
        """The id of somebody or something here."""
        return self.key + name

    def _chance(self, share: float) -> bool:
        return self._draws.random() < share

    def _add(self, file: str, **row: Any) -> None:
        self.rows[file].append(row)

    def _day(self, days_ago: float) -> str:
        return (NOW - timedelta(days=days_ago)).isoformat()

    def _span(self) -> dict[str, str]:
        """A time that holds, mostly; or one that is over, or has not begun."""
        kind = self._draws.choice(("open", "open", "open", "ends", "over", "later"))
        if kind == "over":
            return {"since": LONG_AGO, "until": self._day(3)}
        if kind == "later":
            return {"since": self._day(-3)}
        return {"since": LONG_AGO, **({"until": self._day(-5)} if kind == "ends" else {})}

    def _make(self) -> None:
        draws = self._draws
        programme = self.id("programme")
        form = draws.choice(("micro", "peer", "cohort", "long_term", "reverse", "sponsor", ""))
        self._add("programmes", id=programme, name="Programme", format=form, since=LONG_AGO)
        if self._chance(0.6):
            draft, span = self._draft(), self._span()
            if draft:  # a policy that says nothing is none
                self._add("policies", programme_id=programme, content=draft, **span)
        self._add("trainings", id=self.id("training"), name="Listen", valid_days="100", since=LONG_AGO)
        for rank in (1, 2):
            if self._chance(0.8):
                tier = self.id(f"tier{rank}")
                self._add(
                    "tiers", id=tier, programme_id=programme, name=f"Tier {rank}", role="mentor", rank=str(rank),
                    least_days=str(draws.choice((0, 100, 500))), since=LONG_AGO,
                )  # fmt: skip
                if self._chance(0.5):
                    self._add("tier_trainings", tier_id=tier, training_id=self.id("training"), since=LONG_AGO)
        if self._chance(0.3):
            self._add(
                "onboarding_steps", id=self.id("step"), programme_id=programme, name="Read", position="1",
                role=draws.choice(("mentor", "mentee", "")), necessity=draws.choice(("mandatory", "optional")),
                since=LONG_AGO,
            )  # fmt: skip
        for name in ("mentee", "other", *MENTORS):
            self._person(name)
        for goal in ("goal", "later"):
            self._add("goals", id=self.id(goal), person_id=self.id("mentee"), title="Learn", created_on=LONG_AGO)
        for mentor in MENTORS:
            self._between(mentor)
        for _ in range(draws.randrange(4)):
            lower, upper = draws.sample(("mentee", *MENTORS), 2)
            self._add("reporting_lines", person_id=self.id(lower), manager_id=self.id(upper), **self._span())
        self.rows["reporting_lines"] = list(
            {
                (each["person_id"], each["manager_id"], each["since"]): each for each in self.rows["reporting_lines"]
            }.values()
        )
        for pairing in self.rows["pairings"]:
            if self._chance(0.3):
                helper = self.id(draws.choice([each for each in MENTORS if self.id(each) != pairing["mentor_id"]]))
                share = str(draws.choice((0.25, 0.5)))
                self._add("co_mentors", pairing_id=pairing["id"], person_id=helper, share=share, **self._span())
        for name in ("mentee", *MENTORS):
            if self._chance(0.6):
                self._busy(name, *draws.choice(((2, 3), (0, 3), (9, 3))))  # Monday or Wednesday morning, or last week

    def _busy(self, name: str, days_ago: int, hours_before_noon: int) -> None:
        begun = NOW - timedelta(days=days_ago, hours=hours_before_noon)
        told = {"since": begun.isoformat(), "until": (begun + timedelta(minutes=75)).isoformat()}
        self._add("busy_times", person_id=self.id(name), **told)

    def _draft(self) -> str:
        draws = self._draws
        told: dict[str, Any] = {}
        for key, values in {
            "max_mentees": (1, 2), "counts_places": (True, False), "least_overlap_minutes": (0, 60),
            "least_hours_per_month": (0, 5), "least_minutes_left": (0, 200), "decline_cool_off_days": (0, 30),
            "most_zone_gap_hours": (2, 6), "reporting_levels": (0, 1, 3), "least_mentor_tier": (1, 2),
            "members_only": (True, False), "most_mentors": (0, 1, 2),
            "switched_off": (["AWAY"], ["NO_LANGUAGE", "WRONG_FORMAT"]), "grades": (["x", "senior", "y"],),
        }.items():  # fmt: skip
            if self._chance(0.3):
                told[key] = draws.choice(values)
        if self._chance(0.3):
            told |= {"least_level_distance": draws.choice((-1, 0)), "most_level_distance": draws.choice((0, 2))}
        rules = "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items())
        return f"[rules]\n{rules}" if rules else ""

    def _person(self, name: str) -> None:
        draws, person = self._draws, self.id(name)
        left = self._day(draws.choice((2, -9))) if self._chance(0.15) else ""
        zone = draws.choice(("", *OFFSETS))
        joined = self._day(draws.choice((50, 200, 700)))
        self._add("people", id=person, name=name, joined_on=joined, left_on=left, zone=zone)
        if name != "mentee" or self._chance(0.2):
            limits = {
                "max_mentees": draws.choice(("", "0", "1", "2")),
                "hours_per_month": draws.choice(("", "2", "4", "8")),
            }
            self._add("roles", person_id=person, role_id="mentor", **self._span(), **limits)
        if self._chance(0.9):
            self._add("consents", person_id=person, purpose="matching", text_version="1", **self._span())
        if self._chance(0.7):
            grade = draws.choice(("", "junior", "senior", "principal", "Band 2", "Band 3", "chief", "x"))
            languages = "|".join(draws.sample(("en", "pt-BR", "pt", "sv"), draws.randrange(3)))
            formats = "|".join(draws.sample(("micro", "Long-term", "peer", "written"), draws.randrange(3)))
            self._add(
                "profiles",
                person_id=person,
                grade=grade,
                languages=languages,
                formats=formats,
                communication=draws.choice(("", "live", "mixed", "asynchronous", "mixed")),
                about="x",
                **self._span(),
            )
        role = "mentee" if name == "mentee" else "mentor"
        if role == "mentee" or self._chance(0.7):
            limits = {"max_mentees": draws.choice(("", "1")), "hours_per_month": draws.choice(("", "2", "6"))}
            limits = limits if role == "mentor" else {}
            span = self._span() if role == "mentor" else {"since": LONG_AGO}
            self._add("memberships", person_id=person, programme_id=self.id("programme"), role=role, **span, **limits)
        if self._chance(0.6):
            start = draws.choice(("08:00", "09:00", "09:30"))
            weekly = {"weekday": str(draws.choice((1, 3))), "start": start, "end": "10:15", "zone": "UTC"}
            self._add("availability", person_id=person, **weekly, **self._span())
        if self._chance(0.25):
            since, until = draws.choice(((9, 2), (9, -2), (-1, -9), (2.1, 1.9)))
            self._add("absences", person_id=person, since=self._day(since), until=self._day(until))
        if self._chance(0.4):
            self._add(
                "completions",
                person_id=person,
                training_id=self.id("training"),
                since=self._day(draws.choice((50, 300))),
            )
        if self.rows["onboarding_steps"] and self._chance(0.6):
            self._add("steps_done", person_id=person, step_id=self.id("step"), since=LONG_AGO)

    def _between(self, mentor: str) -> None:
        draws, key = self._draws, self.id(mentor)
        if self._chance(0.1):
            ends = draws.sample((key, self.id("mentee")), 2)
            self._add("blocks", person_id=ends[0], blocked_id=ends[1], **self._span())
        if self._chance(0.1):
            told = {"action": draws.choice(("forbid", "forbid", "pin")), "reason": "other", "note": "So be it."}
            span = {"until": self._day(-9), **self._span()}
            self._add("overrides", id=f"{key}-override", mentee_id=self.id("mentee"), mentor_id=key, **told, **span)
        if self._chance(0.3):
            goal = draws.choice(("goal", "later", ""))
            answered = draws.choice((10, 50, 100))
            self._add(
                "requests", id=f"{key}-request", mentor_id=key, mentee_id=self.id("mentee"),
                goal_id=self.id(goal) if goal else "",
                asked_on=self._day(answered + 1), answered_on=self._day(answered),
                answer_within_days="14", status=draws.choice(("declined", "declined", "withdrawn")),
            )  # fmt: skip
        for number in range(draws.randrange(3)):
            pairing = f"{key}-pairing{number}"
            mentee = self.id("mentee" if self._chance(0.15) else "other")
            ended = self._chance(0.3)
            told = {"ended_on": self._day(5), "status": "completed"} if ended else {"status": "active"}
            programme = self.id("programme") if self._chance(0.6) else ""
            self._add(
                "pairings", id=pairing, mentor_id=key, mentee_id=mentee, programme_id=programme,
                started_on=self._day(30 + number), **told,
            )  # fmt: skip
            for session in range(draws.randrange(3)):
                at = self._day(draws.choice((10, 1, 0.5)) + session / 24)
                self._add("sessions", id=f"{pairing}-{session}", pairing_id=pairing, started_at=at, minutes="60")

    # --- the slow check -----------------------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """The limits that count: those of the file, changed by the format, changed by what the programme says."""
        [programme] = self.rows["programmes"]
        found = {**SHIPPED["rules"], **SHIPPED["formats"].get(programme["format"], {})}
        for each in self.rows["policies"]:
            if holds(each):
                found |= tomllib.loads(each["content"]).get("rules", {})
        return found

    def contradicts(self) -> bool:
        """Whether nobody could be paired since the limits contradict each other."""
        limits = self.settings()
        return bool(limits["least_level_distance"] > limits["most_level_distance"])

    def forbidden(self, mentor: str) -> set[str]:
        """Names of the rules that forbid the mentee and a mentor for the goal `goal`."""
        limits, mine, theirs = self.settings(), self.id("mentee"), self.id(mentor)
        found = {name for name, breaks in self._checks(limits, mine, theirs).items() if breaks}
        return found - set(limits["switched_off"])

    def _checks(self, limits: dict[str, Any], mine: str, theirs: str) -> dict[str, bool]:
        [programme] = self.rows["programmes"]
        roles = [each for each in self._of("roles", theirs) if holds(each)]
        enrolled = [each for each in self._of("memberships", theirs) if holds(each)]
        going_on = [each for each in self.rows["pairings"] if each["status"] == "active"]
        own = [each for each in going_on if each["mentor_id"] == theirs]
        of_programme = [each for each in own if each["programme_id"]]
        is_micro = programme["format"] == "micro"
        helps = [each for each in self.rows["co_mentors"] if holds(each)]
        whole = [each["id"] for each in going_on if not (is_micro and each["programme_id"])]
        own_whole = {each["id"] for each in own} & set(whole)
        taken = len(own_whole) - sum(float(each["share"]) for each in helps if each["pairing_id"] in own_whole)
        helping = [each for each in helps if each["person_id"] == theirs]
        taken += sum(float(each["share"]) for each in helping if each["pairing_id"] in whole)
        of_mentee = {each["id"] for each in going_on if each["mentee_id"] == mine}
        stated = [int(each["max_mentees"]) for each in roles if each["max_mentees"]]
        places = max(stated) if stated else limits["max_mentees"]
        here = [int(each["max_mentees"]) for each in enrolled if each["max_mentees"]]
        hours = [float(each["hours_per_month"]) for each in roles if each["hours_per_month"]]
        hours_here = [float(each["hours_per_month"]) for each in enrolled if each["hours_per_month"]]
        month = NOW.replace(day=1, hour=0)
        pairings = {each["id"] for each in self.rows["pairings"] if each["mentor_id"] == theirs}
        held = [at(each["started_at"]) for each in self.rows["sessions"] if each["pairing_id"] in pairings]
        used = 60 * len([begun for begun in held if month <= begun < NOW])
        goals = ("", self.id("goal"))
        declines = [
            at(each["answered_on"])
            for each in self.rows["requests"]
            if each["mentor_id"] == theirs and each["status"] == "declined" and each["goal_id"] in goals
        ]
        levels = [self._level(who, limits["grades"]) for who in (theirs, mine)]
        tongues = [{each.split("-")[0] for each in self._words(who, "languages")} for who in (theirs, mine)]
        shapes = [
            {each.lower().replace("-", "_") for each in self._words(who, "formats")} - {"written"}
            for who in (theirs, mine)
        ]
        zones = [OFFSETS[zone] for who in (theirs, mine) if (zone := self._person_row(who)["zone"])]
        gap = abs(zones[0] - zones[1]) if len(zones) == 2 else 0
        free = [self._free(who) for who in (theirs, mine)]
        blocks = [{each["person_id"], each["blocked_id"]} for each in self.rows["blocks"] if holds(each)]
        return {
            "NOT_A_MENTOR": not roles,
            "LEFT": self._has_left(theirs),
            "NO_CONSENT": not any(holds(each) for each in self._of("consents", theirs)),
            "NOT_ONBOARDED": self._lacks_step(theirs, "mentor", bool(enrolled)),
            "BLOCKED": {mine, theirs} in blocks,
            "FORBIDDEN_BY_COORDINATOR": any(
                each["mentor_id"] == theirs and each["action"] == "forbid" and holds(each)
                for each in self.rows["overrides"]
            ),
            "ALREADY_PAIRED": any(each["mentee_id"] == mine for each in own)
            or any(each["pairing_id"] in of_mentee for each in helping),
            "REPORTING_LINE": 0 < self._levels_between(mine, theirs) <= limits["reporting_levels"],
            "DECLINED_BEFORE": any(NOW < day + timedelta(limits["decline_cool_off_days"]) for day in declines),
            "NO_CAPACITY": limits["counts_places"]
            and (taken + 1 > places or bool(here and len(of_programme) >= max(here))),
            "FEW_HOURS": any(each < limits["least_hours_per_month"] for each in (*hours, *hours_here)),
            "NO_HOURS": bool(hours) and hours[0] * 60 - used < limits["least_minutes_left"],
            "AWAY": any(at(each["since"]) < NOW < at(each["until"]) for each in self._of("absences", theirs)),
            "NO_SHARED_TIME": None not in free
            and not all({"mixed", "asynchronous"} & set(self._words(who, "communication")) for who in (mine, theirs))
            and 5 * len((free[0] or set()) & (free[1] or set())) < limits["least_overlap_minutes"],
            "ZONE_GAP": min(gap, 24 - gap) > limits["most_zone_gap_hours"],
            "NO_LANGUAGE": bool(tongues[0] and tongues[1] and not tongues[0] & tongues[1]),
            "WRONG_FORMAT": bool(programme["format"])
            and any(bool(each) and programme["format"] not in each for each in shapes),
            "LEVEL_DISTANCE": None not in levels
            and not limits["least_level_distance"]
            <= (levels[0] or 0) - (levels[1] or 0)
            <= limits["most_level_distance"],
            "NOT_IN_TIER": self._lacks_tier(theirs, limits["least_mentor_tier"]),
            "NOT_ENROLLED": limits["members_only"] and not enrolled,
            "MENTEE_LEFT": self._has_left(mine),
            "MENTEE_NO_CONSENT": not any(holds(each) for each in self._of("consents", mine)),
            "MENTEE_NOT_ONBOARDED": self._lacks_step(mine, "mentee", True),
            "MENTEE_FULL": 0 < limits["most_mentors"] <= len([each for each in going_on if each["mentee_id"] == mine]),
        }

    def _of(self, file: str, person: str) -> list[dict[str, Any]]:
        return [each for each in self.rows[file] if each["person_id"] == person]

    def _person_row(self, person: str) -> dict[str, Any]:
        [row] = [each for each in self.rows["people"] if each["id"] == person]
        return row

    def _has_left(self, person: str) -> bool:
        left = self._person_row(person)["left_on"]
        return bool(left) and at(left) < NOW

    def _words(self, person: str, column: str) -> list[str]:
        return [
            word for each in self._of("profiles", person) if holds(each) for word in each[column].split("|") if word
        ]

    def _level(self, person: str, grades: list[str]) -> int | None:
        for each in self._of("profiles", person):
            if holds(each):
                if each["grade"] in grades:
                    return grades.index(each["grade"]) + 1
                if each["grade"].startswith("Band "):
                    return int(each["grade"][-1])
        return None

    def _lacks_step(self, person: str, role: str, is_enrolled: bool) -> bool:
        return any(
            each["necessity"] == "mandatory"
            and each["role"] in ("", role)
            and is_enrolled
            and not self._of("steps_done", person)
            for each in self.rows["onboarding_steps"]
        )

    def _lacks_tier(self, person: str, rank: int) -> bool:
        for tier in self.rows["tiers"]:
            if int(tier["rank"]) == rank:
                joined = at(self._person_row(person)["joined_on"])
                asks = any(each["tier_id"] == tier["id"] for each in self.rows["tier_trainings"])
                taken = any(at(each["since"]) + timedelta(100) > NOW for each in self._of("completions", person))
                left = self._has_left(person)
                return left or (NOW - joined).days < int(tier["least_days"]) or (asks and not taken)
        return False

    def _levels_between(self, one: str, other: str) -> int:
        """Levels over which one of two reports to the other, the mentee's line first; 0 for neither."""
        edges = [(each["person_id"], each["manager_id"]) for each in self.rows["reporting_lines"] if holds(each)]
        for lower, upper in ((one, other), (other, one)):
            reached = {lower}
            for levels in range(1, 6):
                reached = {manager for person, manager in edges if person in reached}
                if upper in reached:
                    return levels
        return 0

    def _free(self, person: str) -> set[datetime] | None:
        """The beginnings of the free five minutes of the week; None where the person has not said."""
        windows = [each for each in self._of("availability", person) if holds(each)]
        if not windows:
            return None
        monday = datetime(2026, 3, 2, tzinfo=UTC)
        found = set()
        for number in range(7 * 24 * 12):
            slot = monday + timedelta(minutes=5 * number)
            clock = slot.strftime("%H:%M")
            if any(
                slot.isoweekday() == int(each["weekday"]) and each["start"] <= clock < each["end"] for each in windows
            ):
                found.add(slot)
        for each in self._of("absences", person) + self._of("busy_times", person):
            if at(each["since"]) < NOW or each in self.rows["busy_times"]:
                ends = at(each["since"]), at(each["until"])
                found = {slot for slot in found if slot + timedelta(minutes=5) <= ends[0] or slot >= ends[1]}
        return found


def at(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def holds(row: dict[str, Any]) -> bool:
    return at(row["since"]) < NOW and (not row.get("until") or NOW < at(row["until"]))
