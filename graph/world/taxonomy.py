"""The skills of generated worlds: four tiers, read from `taxonomy.csv`.

Areas (tier 1) hold fields (tier 2), fields hold skills (tier 3), some skills hold specialised ones (tier 4).
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Skill:
    """One row of the taxonomy; `broader_id` is empty for an area, `field` too."""

    id: str
    name: str
    kind: str
    tier: int
    field: str
    broader_id: str
    aliases: tuple[str, ...]

    @property
    def spellings(self) -> tuple[str, ...]:
        """The names that people use for it."""
        return (self.name, *self.aliases)


@dataclass(frozen=True)
class Taxonomy:
    """All skills by id, and what lies around each of them."""

    skills: dict[str, Skill]

    def of_field(self, field: str) -> list[Skill]:
        """The skills that people can have in one field: tiers 3 and 4."""
        return [skill for skill in self.skills.values() if skill.field == field and skill.tier >= 3]

    def fields(self) -> dict[str, str]:
        """Every field and the name of its area."""
        return {s.name: self.skills[s.broader_id].name for s in self.skills.values() if s.tier == 2}

    def kind_of_field(self) -> dict[str, str]:
        """Every field and the kind of its skills."""
        return {s.name: s.kind for s in self.skills.values() if s.tier == 2}

    def near(self, skill_id: str) -> tuple[list[str], list[str]]:
        """The skills one `BROADER` step away, and those with the same broader skill; tiers 3 and 4 only."""
        skill = self.skills[skill_id]
        steps = [s.id for s in self.skills.values() if s.broader_id == skill_id]
        if self.skills[skill.broader_id].tier >= 3:
            steps.append(skill.broader_id)
        siblings = [s.id for s in self.skills.values() if s.broader_id == skill.broader_id and s.id != skill_id]
        return steps, siblings


@cache
def taxonomy() -> Taxonomy:
    """The taxonomy that comes with the package."""
    with Path(__file__).with_name("taxonomy.csv").open(encoding="utf-8", newline="") as file:
        return Taxonomy(
            {
                row["id"]: Skill(
                    row["id"],
                    row["name"],
                    row["kind"],
                    int(row["tier"]),
                    row["cluster"],
                    row["broader_id"],
                    tuple(filter(None, row["aliases"].split("|"))),
                )
                for row in csv.DictReader(file)
            }
        )
