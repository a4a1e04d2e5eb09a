"""What the domain asks of the database about decisions and what came of them; a part of the store."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.paging import Found, Part, found_in
from mentorgraph.graph.store.transported import properties_of


class OverrideReads:
    """Reads of what coordinators have decided about recommendations."""

    async def _read(self, name: str, /, *, budget_s: float | None = None, **parameters: Any) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def read_overrides_of(self, mentee: str) -> list[Record]:
        """What was decided about recommendations to one person, ended or not, in the order of its beginning."""
        found = []
        for row in await self._read("read_overrides_of", mentee=mentee):
            properties = properties_of(row["properties"])
            properties.pop("changed")
            links = {name: uid for name, uid in row["links"].items() if uid is not None}
            found.append(Record("overrides", properties["uid"], properties, links))
        return found

    async def read_overrides_on(self, recommendations: Iterable[str]) -> dict[str, list[str]]:
        """Recommendation → uids of what was decided about it, in the order of its beginning."""
        found: dict[str, list[str]] = {}
        for row in await self._read("read_overrides_on", recommendations=sorted(set(recommendations))):
            found.setdefault(row["recommendation"], []).append(row["uid"])
        return found

    async def read_touched(
        self, uids: Iterable[str], labels: Iterable[str], change: int, then: datetime, now: datetime, limit: int
    ) -> dict[str, list[dict[str, Any]]]:
        """Facts of some people and goals that were written after a change, or began or ended between two instants."""
        rows = await self._read(
            "read_touched",
            uids=sorted(set(uids)),
            labels=list(labels),
            change=change,
            then=then,
            now=now,
            limit=limit,
        )
        return {row["uid"]: row["facts"] for row in rows}

    async def page_overrides_of(self, mentee: str, at: datetime | None, part: Part) -> Found:
        """Uids of what was decided about recommendations to a person."""
        return found_in(await self._read("page_overrides_of", mentee=mentee, at=at, **part.bounds))
