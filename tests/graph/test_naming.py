"""Free text to skills: one normal form, candidates with a score, and how much of a real archive they cover."""

import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.skills.naming import BY_ALIAS, SkillNames, key_of, words_of
from mentorgraph.graph.skills.taxonomy import Taxonomy

SHARED = Path(__file__).parents[3] / "shared" / "data"
NAMES = SkillNames()
for uid, name, aliases in (
    ("cpp", "C++", []),
    ("c", "C", []),
    ("js", "JavaScript", ["ECMAScript", "JS"]),
    ("java", "Java (computer programming)", []),
    ("ml", "Machine learning", ["ML", "statistical learning"]),
    ("front", "Front-end development", ["frontends"]),
    ("db", "Databases", []),
):
    NAMES.put(uid, {"name": name, "aliases": aliases})


def found(text: str, taxonomy: Taxonomy | None = None) -> list[tuple[str, float]]:
    return [(each.skill, round(each.score, 3)) for each in NAMES.candidates(text, taxonomy or Taxonomy())]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Front End", "front-end"),
        ("front_ends", "FRONT END"),
        ("ﬁle systems", "File-System"),
        ("Straße", "STRASSE"),
        ("#python", "Python"),
        ("libraries", "library"),
        ("classes", "class"),
        ("searches", "search"),
        ("Ｃ＋＋", "c++"),
    ],
)
def test_spellings_of_one_name_have_one_normal_form(text: str, same: str) -> None:
    assert key_of(text) == key_of(same)


@pytest.mark.parametrize(("text", "other"), [("C", "C++"), ("C#", "C++"), ("class", "clas"), ("virus", "viru")])
def test_different_names_keep_different_forms(text: str, other: str) -> None:
    assert key_of(text) != key_of(other)


@given(st.text())
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    words = words_of(text)
    assert words_of(" ".join(words)) == words


@given(st.text(alphabet=st.characters(max_codepoint=127, exclude_characters="+#")))
def test_case_and_punctuation_around_it_make_no_difference(text: str) -> None:
    assert key_of(f" -{text.swapcase()}. ") == key_of(text)


def test_a_name_an_alias_and_shared_words_earn_what_is_documented() -> None:
    assert found("c++") == [("cpp", 1.0)]
    assert found("ecma-script")[0] == ("js", 0.9)
    assert found("java") == [("java", 0.9)]
    assert found("Machine Learning") == [("ml", 1.0)]
    assert found("machine learning engineer") == [("ml", round(0.8 * 4 / 5, 3))]
    assert found("Javascritp")[0][0] == "js"
    assert found("Java, JS and databases") == [("js", 0.8), ("java", 0.8), ("db", 0.8)]


def test_what_means_nothing_proposes_nothing() -> None:
    assert found("") == found("?!") == found("welding") == found("☃") == []
    assert found("xavascript") == []


def test_candidates_stand_for_what_skills_became() -> None:
    taxonomy = Taxonomy()
    for file, row in (
        ("successions", {"skill_id": "ml", "successor_id": "db", "how": "merged"}),
        ("successions", {"skill_id": "front", "successor_id": "js", "how": "split"}),
        ("successions", {"skill_id": "front", "successor_id": "c", "how": "split"}),
        ("skill_states", {"skill_id": "cpp", "state": "deprecated"}),
    ):
        for record in facts_of(file, {**row, "since": "2026-01-01"}, "test"):
            taxonomy.put(record)
    names = SkillNames()
    for key, name in (("ml", "Machine learning"), ("db", "Databases"), ("front", "Front-end"), ("js", "JavaScript")):
        names.put(uid_of("test", "skills", key), {"name": name})
    names.put(uid_of("test", "skills", "c"), {"name": "C"})
    names.put(uid_of("test", "skills", "cpp"), {"name": "C++"})

    def asked(text: str) -> dict[str, float]:
        keys = {uid_of("test", "skills", key): key for key in ("ml", "db", "front", "js", "c", "cpp")}
        return {keys[each.skill]: round(each.score, 3) for each in names.candidates(text, taxonomy)}

    assert asked("machine learning") == {"db": 0.9}
    assert asked("front end") == {"js": 0.9, "c": 0.9}
    assert asked("C++") == {}
    assert [each.skill for each in names.candidates("C++", Taxonomy())] == [uid_of("test", "skills", "cpp")]


def test_a_renamed_skill_is_found_by_its_present_name_only() -> None:
    names = SkillNames()
    names.put("a", {"name": "Welding", "aliases": ["joining"]})
    names.put("a", {"name": "Soldering"})
    assert [each.skill for each in names.candidates("soldering", Taxonomy())] == ["a"]
    assert names.candidates("welding", Taxonomy()) == names.candidates("joining", Taxonomy()) == []


# --- the archive ------------------------------------------------------------------------------------------------------


def rows_of(name: str) -> Iterable[dict[str, str]]:
    with gzip.open(SHARED / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def structure(names: SkillNames) -> None:
    for row in rows_of("skills/structure-tech-skills"):
        aliases = list(filter(None, [row["full_name"], *row["aliases_en"].split("|")]))
        names.put(row["id"], {"name": row["label"], "aliases": aliases})


def esco(names: SkillNames) -> None:
    for row in rows_of("skills/esco-skills"):
        names.put(row["uri"], {"name": row["label"], "aliases": list(filter(None, row["alt_labels"].split("|")))})


@pytest.mark.skipif(not SHARED.is_dir(), reason="the archive is not on this machine")
@pytest.mark.parametrize(
    ("sources", "share"), [((structure,), 0.475), ((esco,), 0.398), ((structure, esco), 0.564), ((), 0.0)]
)
def test_tags_of_an_archive_are_named_by_public_taxonomies(
    sources: tuple[Callable[[SkillNames], None], ...], share: float
) -> None:
    """Share of tag uses that are a name or an alias of a skill; words that are shared do not count."""
    names = SkillNames()
    for fill in sources:
        fill(names)
    uses = Counter(tag.strip() for row in rows_of("gsoc/goals") for tag in row["skills"].split("|") if tag.strip())
    covered = sum(n for tag, n in uses.items() if names.candidates(tag, Taxonomy(), first=1, least=BY_ALIAS))
    assert round(covered / uses.total(), 3) == share
