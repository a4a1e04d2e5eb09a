"""The skills of generated worlds."""

from dataclasses import replace

import pytest

from mentorgraph.graph.world.taxonomy import Skill, Taxonomy, taxonomy


def faults(skills: Taxonomy) -> list[str]:
    """What a taxonomy must not have: a skill that is not one tier below its broader one, or a name used twice."""
    found = []
    owners: dict[str, str] = {}
    for skill in skills.skills.values():
        above = skills.skills[skill.broader_id].tier if skill.broader_id else 0
        if skill.tier != above + 1:
            found.append(f"{skill.id}: tier {skill.tier} below {above}")
        for spelling in skill.spellings:
            owner = owners.setdefault(spelling.casefold(), skill.id)
            if owner != skill.id:
                found.append(f"{spelling}: {owner} and {skill.id}")
    return found


def with_skill(**changes: object) -> Taxonomy:
    skills = dict(taxonomy().skills)
    skills["rust"] = replace(skills["rust"], **changes)  # type: ignore[arg-type]
    return Taxonomy(skills)


def test_there_are_at_least_300_skills_of_three_kinds_in_four_tiers() -> None:
    skills = list(taxonomy().skills.values())
    assert len([skill for skill in skills if skill.tier >= 3]) == 388
    assert {skill.kind for skill in skills} == {"technical", "soft", "leadership"}
    assert {skill.tier for skill in skills} == {1, 2, 3, 4}
    assert sum(bool(skill.aliases) for skill in skills) > 60


def test_tiers_descend_one_by_one_and_no_name_is_used_twice() -> None:
    assert faults(taxonomy()) == []


@pytest.mark.parametrize("changes", [{"tier": 4}, {"aliases": ("golang",)}, {"broader_id": "python"}])
def test_a_wrong_tier_or_a_doubled_name_would_be_found(changes: dict[str, object]) -> None:
    assert faults(with_skill(**changes))


def test_near_skills_are_one_step_away_or_share_the_broader_skill() -> None:
    steps, siblings = taxonomy().near("neo4j")
    assert steps == ["graph-databases"]
    assert siblings == ["cypher"]
    steps, siblings = taxonomy().near("graph-databases")
    assert set(steps) == {"neo4j", "cypher"}
    assert "vector-search" in siblings
    assert "graph-databases" not in siblings


def test_every_field_has_skills_and_an_area() -> None:
    assert all(len(taxonomy().of_field(field)) >= 6 for field in taxonomy().fields())
    assert len(set(taxonomy().fields().values())) == 6
    assert isinstance(taxonomy().of_field("Statistics")[0], Skill)
