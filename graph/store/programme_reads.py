"""What the domain asks of the database about programmes; a part of the store, which lends it its reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mentorgraph.graph.facts.dated import holds, since_of, until_of
from mentorgraph.graph.facts.levels import Rating, level_of
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.paging import Found, Part, found_in
from mentorgraph.graph.rules.tiers import Demand, Standing, Tier
from mentorgraph.graph.store.transported import instant_of, properties_of
from mentorgraph.graph.vocabulary import OPEN_REQUEST_STATES, OPEN_STATES


@dataclass(frozen=True, slots=True)
class Configuration:
    """A programme with all that was ever laid down for it.

    Attributes:
        programme: The programme itself.
        charters: The versions of its charter, in the order in which they begin.
        tiers: Its tiers, by role and rank.
        demands: Which training which tier asks for.
        steps: Its own steps of onboarding, in their order.
        policies: The versions of its policy, in the order in which they begin.
    """

    programme: Record
    charters: tuple[Record, ...]
    tiers: tuple[Record, ...]
    demands: tuple[Record, ...]
    steps: tuple[Record, ...]
    policies: tuple[Record, ...] = ()

    def ended(self, at: datetime) -> datetime | None:
        """Since when the programme has ended by an instant, if it has; one that was archived before it began has."""
        until = until_of(self.programme)
        return until if until is not None and (until <= at or until <= since_of(self.programme)) else None

    def charter_at(self, at: datetime) -> Record | None:
        """The version of the charter that holds at an instant, or None where none does."""
        holding = [each for each in self.charters if holds(each, at)]
        return holding[-1] if holding else None

    def policy_at(self, at: datetime) -> Record | None:
        """The version of the policy that holds at an instant, or None where the programme has none of its own."""
        holding = [each for each in self.policies if holds(each, at)]
        return holding[-1] if holding else None

    def latest_charter(self, at: datetime) -> Record | None:
        """The version of the charter that holds at an instant, or held last where the programme has ended by then."""
        begun = [each for each in self.charters if since_of(each) <= at]
        return begun[-1] if begun else None


@dataclass(frozen=True, slots=True)
class Engagements:
    """What is going on in a programme.

    Attributes:
        pairings: How many of its pairings are open.
        requests: How many of its requests wait for an answer.
        memberships: Those that have not ended.
    """

    pairings: int
    requests: int
    memberships: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody who takes part in a programme.

    Attributes:
        uid: Their uid.
        roles: As what; empty text for an enrolment that names no role, which counts for each.
        pairings: uids of the open pairings of the programme that they are in, on either side.
        requests: uids of its requests that wait for an answer and that they are in, on either side.
    """

    uid: str
    roles: frozenset[str]
    pairings: tuple[str, ...]
    requests: tuple[str, ...]

    @property
    def is_free(self) -> bool:
        """Whether they are neither in a pairing nor in a request."""
        return not (self.pairings or self.requests)

    def is_enrolled_as(self, *roles: str) -> bool:
        """Whether they take part in one of some roles."""
        return bool(self.roles & {*roles, ""})


class ProgrammeReads:
    """Reads of programmes, tiers and trainings."""

    async def _read(self, name: str, /, *, budget_s: float | None = None, **parameters: Any) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def read_programmes(self, uids: Iterable[str]) -> dict[str, Configuration]:
        """Programmes with all that was ever laid down for them, by uid; what does not exist is absent."""
        found = {}
        for row in await self._read("read_programmes", uids=sorted(set(uids))):
            programme = _record("programmes", row["programme"], {})
            link = {"programme": programme.uid}
            found[programme.uid] = Configuration(
                programme,
                tuple(
                    _record("charters", each["properties"], link | _owner(each["owners"])) for each in row["charters"]
                ),
                tuple(_record("tiers", each, link) for each in row["tiers"]),
                _demands(row["demands"]),
                tuple(_record("onboarding_steps", each, link) for each in row["steps"]),
                tuple(_record("policies", each, link) for each in row["policies"]),
            )
        return found

    async def read_engagements(self, programme: str, at: datetime) -> Engagements:
        """What is going on in a programme that exists."""
        [row] = await self._read(
            "read_engagements",
            programme=programme,
            at=at,
            open=list(OPEN_STATES),
            waiting=list(OPEN_REQUEST_STATES),
        )
        memberships = (
            _record("memberships", each["properties"], {"person": each["person"], "programme": programme})
            for each in row["memberships"]
        )
        return Engagements(row["pairings"], row["requests"], tuple(memberships))

    async def read_enrolled(self, programme: str, now: datetime) -> list[Enrolled]:
        """Who takes part in a programme, in the order of their uids."""
        rows = await self._read(
            "read_enrolled", programme=programme, now=now, open=list(OPEN_STATES), waiting=list(OPEN_REQUEST_STATES)
        )
        return [
            Enrolled(row["uid"], frozenset(row["roles"]), tuple(row["pairings"]), tuple(row["requests"]))
            for row in rows
        ]

    async def read_standing(
        self, person: str, programme: str, role: str, now: datetime
    ) -> tuple[Standing, list[Tier]] | None:
        """What is the case with a person, and the tiers of a role in a programme; None where one of both is unknown."""
        asked = person, programme, role
        return (await self.read_standings([asked], now)).get(asked)

    async def read_standings(
        self, asked: Iterable[tuple[str, str, str]], now: datetime
    ) -> dict[tuple[str, str, str], tuple[Standing, list[Tier]]]:
        """As `read_standing`, of several people, programmes and roles; absent where one of them is unknown."""
        wanted = [{"person": person, "programme": programme, "role": role} for person, programme, role in asked]
        rows = await self._read("read_standings", asked=wanted, now=now)
        return {
            (row["person"], row["programme"], row["role"]): (
                _standing(row, now),
                [_tier(each) for each in row["tiers"]],
            )
            for row in rows
        }

    async def find_programme_of_tier(self, tier: str) -> str | None:
        """Uid of the programme that a tier belongs to, or None where there is no such tier."""
        rows = await self._read("find_programme_of_tier", tier=tier)
        return rows[0]["uid"] if rows else None

    async def read_demands(self, tiers: Iterable[str]) -> dict[str, list[str]]:
        """The trainings that some tiers ask for, or asked for when they ended: uid of the tier → uids, by name."""
        found: dict[str, list[str]] = {}
        for row in await self._read("read_demands", tiers=sorted(set(tiers))):
            found.setdefault(row["uid"], []).append(row["training"])
        return found

    async def read_training(self, training: str, at: datetime) -> tuple[Record, tuple[Record, ...]] | None:
        """A training and the open demands for it, or None where there is none with this uid."""
        rows = await self._read("read_training", uid=training, at=at)
        return (_record("trainings", rows[0]["training"], {}), _demands(rows[0]["demands"])) if rows else None

    async def page_programmes(
        self, archived: bool | None, now: datetime, part: Part, with_total: bool = False
    ) -> Found:
        """Uids of programmes; only of those that have ended, or only of the others, if asked."""
        return found_in(
            await self._read("page_programmes", archived=archived, now=now, with_total=with_total, **part.bounds)
        )

    async def find_programmes_of(self, format: str, now: datetime) -> list[str]:
        """Uids of programmes of a format that run at an instant, the first twenty."""
        return [row["uid"] for row in await self._read("find_programmes_of", format=format, now=now)]

    async def page_trainings(self, now: datetime, part: Part, with_total: bool = False) -> Found:
        """Uids of the trainings that have not ended."""
        return found_in(await self._read("page_trainings", now=now, with_total=with_total, **part.bounds))


def _record(kind: str, raw: Mapping[str, Any], links: Mapping[str, str]) -> Record:
    properties = properties_of(raw)
    del properties["changed"]
    return Record(kind, properties["uid"], properties, links)


def _owner(owners: Sequence[str]) -> dict[str, str]:
    return {"owner": owners[0]} if owners else {}


def _demands(rows: Sequence[Mapping[str, Any]]) -> tuple[Record, ...]:
    return tuple(
        _record("tier_trainings", each["properties"], {"tier": each["tier"], "training": each["training"]})
        for each in rows
    )


def _standing(row: Mapping[str, Any], now: datetime) -> Standing:
    left = instant_of(row["left"]) if row["left"] is not None else None
    return Standing(
        joined_on=instant_of(row["joined"]),
        left_on=left if left is not None and left <= now else None,
        completed=row["completed"],
        best_level=max(filter(None, (_level(each, now) for each in row["offers"])), default=None),
        hours_per_month=max(row["hours_here"] or row["hours"], default=None),
    )


def _level(offer: Mapping[str, Any], now: datetime) -> float | None:
    """How good somebody is at a skill that they offer, all ratings of it considered."""
    told = [(each["level"], each["rated_by"], each["since"]) for each in offer["ratings"]]
    if offer["level"] is not None:
        told.append((offer["level"], "self", offer["since"]))
    ratings = [Rating(level, rated_by, milliseconds / 1000) for level, rated_by, milliseconds in told]
    return level_of(ratings, now.timestamp())


def _tier(row: Mapping[str, Any]) -> Tier:
    own = properties_of(row["properties"])
    return Tier(
        uid=own["uid"],
        rank=own["rank"],
        name=own["name"],
        role=own["role"],
        least_days=own.get("least_days", 0),
        least_completed=own.get("least_completed", 0),
        least_level=own.get("least_level"),
        hours_per_month=own.get("hours_per_month"),
        demands=tuple(_demand(each) for each in row["trainings"]),
    )


def _demand(row: Mapping[str, Any]) -> Demand:
    """A training that is asked for, and until when the person has it."""
    valid = timedelta(days=row["valid_days"]) if row["valid_days"] is not None else None
    expiries: list[datetime | None] = []
    for each in row["taken"]:
        limits = [instant_of(each["until"])] if each["until"] is not None else []
        if valid is not None:
            limits.append(instant_of(each["since"]) + valid)
        expiries.append(min(limits, default=None))
    known = [each for each in expiries if each is not None]
    never_expires = len(known) < len(expiries)
    return Demand(row["name"], bool(expiries), None if never_expires else max(known, default=None), row["uid"])
