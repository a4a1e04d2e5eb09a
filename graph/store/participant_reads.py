"""What the domain asks of the database about taking part; a part of the store, which lends it its reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.store.transported import instant_of, properties_of
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import NECESSITIES, OPEN_REQUEST_STATES, OPEN_STATES


@dataclass(frozen=True, slots=True)
class MattersOf:
    """What goes on with one person.

    Attributes:
        pairings: uids of their open pairings, in whichever role.
        asked: uids of the requests that wait for their answer.
        asking: uids of the requests that they made and that wait.
    """

    pairings: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    asking: tuple[str, ...] = ()


class ParticipantReads:
    """Reads of steps of onboarding, trainings that expire, the silent, and what goes on with people."""

    async def _read(self, name: str, /, *, budget_s: float | None = None, **parameters: Any) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def read_viewer(self, person: str, now: datetime) -> tuple[Viewer, bool] | None:
        """On whose behalf a person asks, and whether they have left; None for who does not exist."""
        for row in await self._read("read_viewer", person=person, now=now):
            found = (frozenset(row[name]) for name in ("roles", "programmes", "acquaintances"))
            return Viewer(person, *found), row["has_left"]
        return None

    async def read_onboarding(self) -> list[Record]:
        """All steps of onboarding, ended or not, in their order."""
        found = []
        for row in await self._read("read_onboarding", necessities=list(NECESSITIES)):
            properties = properties_of(row["properties"])
            properties.pop("changed")
            links = {"programme": row["programme"]} if row["programme"] else {}
            found.append(Record("onboarding_steps", properties["uid"], properties, links))
        return found

    async def read_expiring(self, by: datetime, now: datetime) -> list[dict[str, Any]]:
        """The last completions of trainings that expire by an instant: person, training, since and until."""
        rows = await self._read("read_expiring", by=by, now=now)
        return [{**row, "since": instant_of(row["since"]), "until": instant_of(row["until"])} for row in rows]

    async def find_consenting(self, people: Iterable[str], purpose: str, now: datetime) -> frozenset[str]:
        """Those of some people who agree to a purpose."""
        rows = await self._read("find_consenting", people=sorted(set(people)), purpose=purpose, now=now)
        return frozenset(row["uid"] for row in rows)

    async def read_silent(self, waiting: Sequence[str], heard: datetime, now: datetime) -> list[dict[str, Any]]:
        """The mentors of whom nothing was heard since an instant, though somebody waits for them: person and last."""
        rows = await self._read(
            "read_silent", open=list(OPEN_REQUEST_STATES), waiting=list(waiting), heard=heard, now=now
        )
        return [{**row, "last": instant_of(row["last"])} for row in rows]

    async def page_catalogue(
        self, after: str, limit: int, now: datetime, wanted: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """A page of mentors after a uid, with what the catalogue tells; what is wanted as the statement says."""
        return await self._read(
            "page_catalogue", after=after, limit=limit, now=now, open=list(OPEN_STATES), wanted=dict(wanted)
        )

    async def read_loads(self, people: Iterable[str], now: datetime) -> list[dict[str, Any]]:
        """Places, limits by programme and what is taken of some people: uid, places, limits and parts by programme."""
        return await self._read("read_loads", people=sorted(set(people)), now=now, open=list(OPEN_STATES))

    async def read_matters_of(self, person: str) -> MattersOf:
        """What goes on with one person; nothing where there is none with this uid."""
        rows = await self._read(
            "read_matters_of", person=person, pairings=list(OPEN_STATES), requests=list(OPEN_REQUEST_STATES)
        )
        for row in rows:
            return MattersOf(*(tuple(row[name]) for name in ("pairings", "asked", "asking")))
        return MattersOf()
