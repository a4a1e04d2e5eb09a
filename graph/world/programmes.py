"""The programmes of a generated world: editions of the ones in `wording.toml`, one after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mentorgraph.graph.world.clocks import first_day_of, iso
from mentorgraph.graph.world.tables import Tables
from mentorgraph.graph.world.wording import wording

ASSIGNED_FORMATS = ("cohort", "long_term")
"""Formats in which coordinators assign mentors; in the others mentees choose."""


@dataclass(frozen=True, slots=True)
class Programme:
    """One edition; days count as `date.toordinal` does, `until` is the first day after it."""

    id: str
    name: str
    format: str
    since: int
    until: int


def make_programmes(first: date, last: date) -> list[Programme]:
    """All editions that run on some day of the period, counted back from its last day."""
    found = []
    for number, kind in enumerate(wording()["programmes"]):
        end = last
        while end >= first:
            start = first_day_of(end, kind["months"])
            id = f"{kind['format'].replace('_', '-')}-{start.year}-{start.month:02d}"
            name = f"{kind['name']} {start.year}/{start.month}"
            found.append((number, Programme(id, name, kind["format"], start.toordinal(), end.toordinal() + 1)))
            end = start - timedelta(days=1)
    return [programme for _, programme in sorted(found, key=lambda pair: (pair[0], pair[1].since))]


def tell_programmes(tables: Tables, programmes: Sequence[Programme]) -> None:
    """Writes the programmes."""
    for each in programmes:
        tables.add("programmes", each.id, each.name, each.format, iso(each.since), iso(each.until))


def tell_membership(tables: Tables, programme: Programme, person_id: str, role: str, since: int, last: int) -> None:
    """Writes that somebody belongs to a programme from a day on, open where its end lies ahead."""
    until = iso(programme.until) if programme.until <= last else ""
    tables.add("memberships", person_id, programme.id, role, iso(min(since, programme.until - 1)), until)
