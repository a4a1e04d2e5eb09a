"""A generated world as the files of a bundle."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

COLUMNS: dict[str, tuple[str, ...]] = {
    "units": ("id", "name", "category"),
    "skills": ("id", "name", "kind", "tier", "cluster", "aliases"),
    "broader": ("skill_id", "broader_id", "since"),
    "programmes": ("id", "name", "format", "since", "until"),
    "priorities": ("id", "name", "description", "since"),
    "people": ("id", "name", "joined_on", "left_on", "zone"),
    "roles": ("person_id", "role_id", "since", "until", "max_mentees", "hours_per_month"),
    "unit_membership": ("person_id", "unit_id", "since", "until"),
    "memberships": ("person_id", "programme_id", "role", "since", "until"),
    "consents": ("person_id", "purpose", "text_version", "since", "until"),
    "availability": ("person_id", "weekday", "start", "end", "zone", "since", "until"),
    "absences": ("person_id", "since", "until"),
    "person_skills": ("person_id", "skill_id", "stance", "level", "since", "until"),
    "goals": (
        "id",
        "person_id",
        "unit_id",
        "priority_id",
        "title",
        "description",
        "created_on",
        "closed_on",
    ),
    "goal_skills": ("goal_id", "skill_id", "level", "since"),
    "pairings": (
        "id",
        "mentor_id",
        "mentee_id",
        "goal_id",
        "unit_id",
        "programme_id",
        "started_on",
        "ended_on",
        "status",
        "outcome",
    ),
    "sessions": ("id", "pairing_id", "started_at", "minutes", "kind"),
    "feedback": ("id", "pairing_id", "person_id", "given_on", "rating", "comment"),
    "blocks": ("person_id", "blocked_id", "since", "until"),
}
"""The files of a bundle and their columns; a file refers only to those before it.

Roles and needed skills have files of their own, so people and goals do without the list columns.
"""


class Tables:
    """Rows being collected, as tuples: a dictionary per row would take three times the memory."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[str, ...]]] = {name: [] for name in COLUMNS}

    def add(self, table: str, *values: str) -> None:
        """Adds one row; its values in the order of `COLUMNS`."""
        if len(values) != len(COLUMNS[table]):
            raise ValueError(f"{table} has {len(COLUMNS[table])} columns, not {len(values)}")
        self.rows[table].append(values)


class Rows(Mapping[str, list[dict[str, str]]]):
    """File name → its rows as dictionaries, made when they are asked for."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> list[dict[str, str]]:
        return [dict(zip(COLUMNS[name], row, strict=True)) for row in self._tables.rows[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)


@dataclass(frozen=True)
class World:
    """A generated community.

    Attributes:
        first_day: When its history begins; a few people joined earlier.
        last_day: The day up to which things have happened; only planned absences lie later.
        tables: Its rows, compactly.
        truth: What no model may see: hidden qualities, needs, parameters, stalls; ready for JSON.
    """

    people: int
    months: int
    seed: int
    first_day: date
    last_day: date
    tables: Tables = field(repr=False)
    truth: dict[str, Any] = field(repr=False)

    @property
    def rows(self) -> Rows:
        """File name, without `.csv` → its rows, column → text."""
        return Rows(self.tables)


def write(world: World, directory: Path) -> None:
    """Writes the world as a bundle of version 1, one CSV file per table, into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, columns in COLUMNS.items():
        with (directory / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(world.tables.rows[name])
