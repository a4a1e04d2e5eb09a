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


COLUMNS_2: dict[str, tuple[str, ...]] = {
    "units": COLUMNS["units"],
    "skills": COLUMNS["skills"],
    "broader": COLUMNS["broader"],
    "skill_states": ("skill_id", "state", "reason", "since", "until"),
    "successions": ("skill_id", "successor_id", "how", "reason", "since"),
    "skill_relations": ("skill_id", "related_id", "relation", "since"),
    "programmes": ("id", "name", "format", "check_in_days", "since", "until"),
    "phases": ("unit_id", "programme_id", "name", "since", "until"),
    "trainings": ("id", "name", "description", "minutes", "valid_days", "link", "since"),
    "tiers": (
        "id",
        "programme_id",
        "name",
        "role",
        "rank",
        "least_days",
        "least_completed",
        "least_level",
        "hours_per_month",
        "since",
        "until",
    ),
    "tier_trainings": ("tier_id", "training_id", "since", "until"),
    "onboarding_steps": ("id", "programme_id", "name", "description", "role", "necessity", "position", "since"),
    "scripts": ("programme_id", "title", "text", "format", "since", "until"),
    "priorities": COLUMNS["priorities"],
    "people": COLUMNS["people"],
    "charters": (
        "programme_id",
        "owner_id",
        "why",
        "for_whom",
        "how_measured",
        "skill_weight",
        "confidence_weight",
        "delivery_weight",
        "success_threshold",
        "survey_days",
        "stall_days",
        "since",
        "until",
    ),
    "profiles": (
        "person_id",
        "job_title",
        "grade",
        "experience_years",
        "about",
        "pace",
        "communication",
        "coaching_style",
        "formats",
        "languages",
        "since",
        "until",
    ),
    "roles": COLUMNS["roles"],
    "unit_membership": COLUMNS["unit_membership"],
    "memberships": (*COLUMNS["memberships"], "max_mentees", "hours_per_month"),
    "completions": ("person_id", "training_id", "since", "until"),
    "steps_done": ("person_id", "step_id", "since"),
    "consents": COLUMNS["consents"],
    "availability": COLUMNS["availability"],
    "absences": (*COLUMNS["absences"], "cause"),
    "busy_times": ("person_id", "since", "until"),
    "person_skills": COLUMNS["person_skills"],
    "skill_ratings": ("person_id", "skill_id", "level", "rated_by", "since", "until"),
    "goals": COLUMNS["goals"],
    "goal_skills": COLUMNS["goal_skills"],
    "requests": (
        "id",
        "mentor_id",
        "mentee_id",
        "goal_id",
        "programme_id",
        "asked_on",
        "answered_on",
        "answer_within_days",
        "status",
    ),
    "pairings": (*COLUMNS["pairings"], "check_in_days"),
    "co_mentors": ("person_id", "pairing_id", "share", "since", "until"),
    "moves": ("request_id", "pairing_id", "person_id", "moved_on", "state", "reason", "cause", "note"),
    "signatures": ("pairing_id", "person_id", "signed_on", "text_version"),
    "milestones": (
        "id",
        "pairing_id",
        "title",
        "expected",
        "due_on",
        "planned_on",
        "closed_on",
        "state",
        "evidence",
    ),
    "sessions": (*COLUMNS["sessions"], "link"),
    "notes": ("session_id", "person_id", "written_on", "agreed", "next_step"),
    "feedback": (
        "id",
        "pairing_id",
        "person_id",
        "given_on",
        "rating",
        "round",
        "skill",
        "confidence",
        "delivery",
        "comment",
    ),
    "blocks": COLUMNS["blocks"],
}
"""The same for version 2, which tells more."""


class Tables:
    """Rows being collected, as tuples: a dictionary per row would take three times the memory.

    Args:
        columns: The files and their columns.
    """

    def __init__(self, columns: Mapping[str, tuple[str, ...]] = COLUMNS) -> None:
        self.columns = columns
        self.rows: dict[str, list[tuple[str, ...]]] = {name: [] for name in columns}

    def add(self, table: str, *values: str) -> None:
        """Adds one row; its values in the order of the columns."""
        if len(values) != len(self.columns[table]):
            raise ValueError(f"{table} has {len(self.columns[table])} columns, not {len(values)}")
        self.rows[table].append(values)


class Rows(Mapping[str, list[dict[str, str]]]):
    """File name → its rows as dictionaries, made when they are asked for."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> list[dict[str, str]]:
        return [dict(zip(self._tables.columns[name], row, strict=True)) for row in self._tables.rows[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables.columns)

    def __len__(self) -> int:
        return len(self._tables.columns)


@dataclass(frozen=True)
class World:
    """A generated community.

    Attributes:
        first_day: When its history begins; a few people joined earlier.
        last_day: The day up to which things have happened; only planned absences lie later.
        tables: Its rows, compactly.
        truth: What no model may see: hidden qualities, needs, parameters, stalls; ready for JSON.
        version: 1, or 2 for a world that tells of requests, surveys and onboarding too.
    """

    people: int
    months: int
    seed: int
    first_day: date
    last_day: date
    tables: Tables = field(repr=False)
    truth: dict[str, Any] = field(repr=False)
    version: int = 1

    @property
    def rows(self) -> Rows:
        """File name, without `.csv` → its rows, column → text."""
        return Rows(self.tables)


def write(world: World, directory: Path) -> None:
    """Writes the world as a bundle of version 1, one CSV file per table, into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, columns in world.tables.columns.items():
        with (directory / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(world.tables.rows[name])
