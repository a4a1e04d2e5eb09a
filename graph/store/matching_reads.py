"""What matching asks of the database: whoever asks, what the hard rules need to know of mentors, and the evidence.

A part of the store, which lends it its reading.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import fsum
from typing import Any

from mentorgraph.graph.calendar.availability import monday_of, month_of
from mentorgraph.graph.store.transported import instant_of
from mentorgraph.graph.vocabulary import OPEN_STATES

NOTHING = "00000000-0000-0000-0000-000000000000"
"""A uid that nothing has. The database plans anew for text of another length, and for null; this one has the usual."""


class MatchingReads:
    """Reads of the facts that every answer begins with."""

    async def _read(self, name: str, /, *, budget_s: float | None = None, **parameters: Any) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def read_asker(
        self,
        mentee: str,
        goal: str | None,
        now: datetime,
        programme: str | None = None,
        pinned_at: datetime | None = None,
    ) -> dict[str, Any] | None:
        """Whoever asks and the goal asked about, in a programme; None where there is no such person.

        Where no programme is given, it is the only one that they are enrolled in as a mentee, if that is one. Pins are
        those that held at `pinned_at`, or `now` if none is given.
        """
        rows = await self.read_askers([(mentee, goal)], now, programme, pinned_at)
        return rows[0] if rows else None

    async def read_askers(
        self,
        asked: Iterable[tuple[str, str | None]],
        now: datetime,
        programme: str | None = None,
        pinned_at: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """As `read_asker`, of many mentees and goals in one round trip; people who do not exist are absent."""
        return await self._read(
            "read_asker",
            asked=[{"mentee": mentee, "goal": goal} for mentee, goal in asked],
            now=now,
            pinned_at=pinned_at or now,
            week=monday_of(now),
            next_week=monday_of(now) + timedelta(days=7),
            programme=programme or NOTHING,
            is_meant=programme is not None,
            open=list(OPEN_STATES),
        )

    async def read_candidates(
        self, mentee: str, mentors: Sequence[str], now: datetime, programme: str | None = None
    ) -> list[dict[str, Any]]:
        """What the hard rules need to know of some mentors, in a programme if one is meant."""
        return await self.read_candidates_of([([mentee], mentors, programme or "")], now)

    async def read_candidates_of(
        self, asked: Iterable[tuple[Sequence[str], Sequence[str], str]], now: datetime
    ) -> list[dict[str, Any]]:
        """As `read_candidates`, of each of some mentees with each of some mentors, in one round trip.

        Args:
            asked: Mentees, mentors and the programme that is meant for them; empty for none.
            now: The instant as of which facts count.
        """
        [row] = await self._read(
            "read_candidates",
            asked=[
                {"mentees": list(mentees), "mentors": list(mentors), "programme": programme or NOTHING}
                for mentees, mentors, programme in asked
            ],
            now=now,
            open=list(OPEN_STATES),
            week=monday_of(now),
            next_week=monday_of(now) + timedelta(days=7),
            month=month_of(now),
        )
        return [{**each, "taken": fsum(each["taken"])} for each in row["rows"]]

    async def read_declared(self, attribute: str, value: str, now: datetime) -> list[str]:
        """Uids of the mentors who have agreed to be found by an identity, whatever its letter case."""
        rows = await self._read("read_declared", attribute=attribute, value=value, now=now)
        return [row["uid"] for row in rows]

    async def read_edges(self, uids: Mapping[str, Iterable[str]], starts: Iterable[str]) -> list[dict[str, Any]]:
        """Relationships by type and uid with both ends, and goals and profiles that stand alone."""
        # One map, since the database plans anew for every combination of lengths of lists that are parameters.
        alone = sorted(starts)
        wanted = {edge_type.lower(): sorted(each) for edge_type, each in uids.items()}
        wanted |= {"goals": alone, "profiles": alone}
        # Many facts in one row, since the driver takes longer over a row than over all that is in it.
        [found] = await self._read("read_edges", uids=wanted)
        return [_edge(*row) for row in found["rows"]]


def _edge(
    edge_type: str, uid: str, since: int | None, until: int | None, source: str | None, *ends: str
) -> dict[str, Any]:
    """A relationship with its ends, or a node that stands alone as the start of nothing."""
    start, end = (dict(zip(("uid", "kind", "name"), each, strict=False)) for each in (ends[:3], ends[3:]))
    return {
        "type": edge_type,
        "uid": uid,
        "since": None if since is None else instant_of(since),
        "until": None if until is None else instant_of(until),
        "source": source,
        "start": start,
        "end": end or None,
    }
