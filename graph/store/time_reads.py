"""What the domain asks of the database about people's time; a part of the store, which lends it its reading."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mentorgraph.graph.store.transported import instant_of, native, properties_of


@dataclass(frozen=True, slots=True)
class TimesOf:
    """What the graph knows of one person's time.

    Attributes:
        zone: Where they live; empty where that is not known.
        windows: Weekly windows of availability, each with since and perhaps until.
        absences: Their absences, as stored.
        busy_times: Their busy times, as stored.
        sessions: Their live sessions: uid, since, minutes.
        phases: When a unit of theirs has no time: since, until.
    """

    zone: str
    windows: tuple[Mapping[str, Any], ...]
    absences: tuple[Mapping[str, Any], ...]
    busy_times: tuple[Mapping[str, Any], ...]
    sessions: tuple[Mapping[str, Any], ...]
    phases: tuple[Mapping[str, Any], ...]


_TIMES = ("windows", "absences", "busy_times", "sessions", "phases")


class TimeReads:
    """Reads of times, sessions and check-ins."""

    async def _read(self, name: str, /, *, budget_s: float | None = None, **parameters: Any) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def read_time_of_pairing(self, pairing: str) -> dict[str, Any] | None:
        """Status, since, until, mentor, mentee, helpers, programme, format, phases of a pairing; None for none.

        A phase, in which its programme rests, is a pair of instants.
        """
        for row in await self._read("read_time_of_pairing", pairing=pairing):
            phases = [(instant_of(since), instant_of(until)) for since, until in row.pop("phases")]
            return properties_of(row) | {"phases": phases}
        return None

    async def read_notes(
        self, sessions: Iterable[str], viewer: str, now: datetime
    ) -> dict[str, list[Mapping[str, Any]]]:
        """Notes by session: uid, since, person, source, agreed, next_step; sessions not the viewer's are absent."""
        rows = await self._read("read_notes", sessions=sorted(set(sessions)), viewer=viewer, now=now)
        return {row["uid"]: [properties_of(each) for each in row["notes"]] for row in rows}

    async def read_sessions_of(self, pairings: Iterable[str]) -> dict[str, list[str]]:
        """Uids of the latest sessions of some pairings, the latest first."""
        rows = await self._read("read_sessions_of", pairings=sorted(set(pairings)))
        return {row["uid"]: row["sessions"] for row in rows}

    async def read_check_ins(self, states: Iterable[str], programme: str | None, now: datetime) -> list[dict[str, Any]]:
        """Pairings in some states: pairing, mentor, mentee, since, cadence_days, and last, the start of a session."""
        rows = await self._read("read_check_ins", states=list(states), programme=programme, now=now)
        return [
            {**row, "since": instant_of(row["since"]), "last": next(map(instant_of, row["last"]), None)} for row in rows
        ]

    async def read_minutes(self, months: Iterable[tuple[str, datetime, datetime]]) -> list[dict[str, Any]]:
        """Minutes used by role, and hours given by role, of people and months: person, begin and end of the month."""
        wanted = [{"person": person, "since": since, "until": until} for person, since, until in months]
        rows = await self._read("read_minutes", months=wanted)
        return [{**row, "since": native(row["since"])} for row in rows]

    async def read_times_of(self, people: Iterable[str], since: datetime, until: datetime) -> dict[str, TimesOf]:
        """The times of some people within a span, by uid; who does not exist is absent."""
        day_before = since - timedelta(days=1)
        rows = await self._read(
            "read_times_of", people=sorted(set(people)), since=since, until=until, day_before=day_before
        )
        return {
            row["uid"]: TimesOf(
                row["zone"] or "",
                *(tuple(map(properties_of, row[name])) for name in _TIMES),
            )
            for row in rows
        }
