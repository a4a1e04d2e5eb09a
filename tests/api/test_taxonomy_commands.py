"""`taxonomy import` as a person at the keyboard meets it: ESCO's official files, and any tree."""

import csv
import gzip
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.table_files import BundleError
from mentorgraph.graph.exchange.taxonomy_files import ESCO_NOTICE, open_taxonomy
from mentorgraph.graph.facts.model import uid_of

from ..conftest import run_directly

SHARED = Path(__file__).parents[3] / "shared" / "data" / "skills"
ESCO = "http://data.europa.eu/esco/skill/"
ROOT, MANAGEMENT = ESCO + "335228d2-297d-4e0e-a6ee-bc6a8dc110d9", ESCO + "869fc2ce-478f-4420-8766-e1f02cec4fb2"
LEVELS = [f"Level {level} {name}" for level in range(4) for name in ("URI", "preferred term")]
SKILLS = (
    "conceptType,conceptUri,skillType,reuseLevel,preferredLabel,altLabels,hiddenLabels,status,modifiedDate,scopeNote,"
    "definition,inScheme,description"
)
TREE = """id;label;parent_id;aliases_en;note
it;IT;;info tech|IT;x
it/web;Web;it;;
it/web/html;HTML;it/web;HyperText|H.T.M.L.;
"""


def official(folder: Path) -> Path:
    """ESCO's files as they are downloaded, with three skills."""
    (folder / "skills_en.csv").write_text(
        SKILLS + "\n"
        f'KnowledgeSkillCompetence,{ESCO}1,skill/competence,cross-sector,lead a team,"guide staff\nlead people",,'
        "released,,,,,\n"
        f"KnowledgeSkillCompetence,{ESCO}2,knowledge,,Haskell,Haskell techniques,,released,,,,,\n"
        f"KnowledgeSkillCompetence,{ESCO}3,skill/competence,,motivate staff,,,released,,,,,\n"
    )
    with (folder / "skillsHierarchy_en.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*LEVELS, "Description", "Scope note", *(f"Level {level} code" for level in range(4))])
        writer.writerow([ROOT, "skills", *[""] * 6, "", "", "S", "", "", ""])
        writer.writerow([ROOT, "skills", MANAGEMENT, "management skills", *[""] * 4, "", "", "S", "S4", "", ""])
    (folder / "broaderRelationsSkillPillar_en.csv").write_text(
        "conceptType,conceptUri,conceptLabel,broaderType,broaderUri,broaderLabel\n"
        f"SkillGroup,{MANAGEMENT},management skills,SkillGroup,{ROOT},skills\n"
        f"KnowledgeSkillCompetence,{ESCO}1,lead a team,SkillGroup,{MANAGEMENT},management skills\n"
        f"KnowledgeSkillCompetence,{ESCO}3,motivate staff,KnowledgeSkillCompetence,{ESCO}1,lead a team\n"
    )
    (folder / "skillSkillRelations_en.csv").write_text(
        "originalSkillUri,originalSkillType,relationType,relatedSkillType,relatedSkillUri\n"
        f"{ESCO}3,skill/competence,optional,knowledge,{ESCO}2\n"
    )
    return folder


def taxonomy(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["taxonomy", "import", *map(str, arguments)])


def last_line(result: Result) -> str:
    return result.stdout.splitlines()[-1]


def graph_hash() -> str:
    result = CliRunner().invoke(main, ["db", "check"])
    assert result.exit_code == 0, result.output
    return last_line(result).split()[-1]


def skills(server: EmbeddedDatabase) -> dict[str, tuple[object, ...]]:
    rows = run_directly(
        server,
        "MATCH (s:Skill) RETURN s.name AS name, s.kind AS kind, s.tier AS tier, s.cluster AS cluster, "
        "s.aliases AS aliases, COLLECT { MATCH (s)-[:BROADER]->(b) RETURN b.name ORDER BY b.name } AS broader",
    )
    return {row["name"]: tuple(row[name] for name in ("kind", "tier", "cluster", "aliases", "broader")) for row in rows}


def test_escos_official_files_come_in_once_with_the_notice_that_its_use_asks_for(
    emptied: EmbeddedDatabase, tmp_path: Path
) -> None:
    folder = official(tmp_path)
    empty = graph_hash()
    result = taxonomy(folder, "--dry-run")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-2] == "Dry run: nothing was written."
    assert last_line(result) == "created 9, changed 0, ended 0, refused 0"
    assert graph_hash() == empty

    result = taxonomy(folder)
    assert (result.exit_code, last_line(result)) == (0, "created 9, changed 0, ended 0, refused 0")
    assert ESCO_NOTICE in result.stdout.splitlines()
    assert skills(emptied) == {
        "skills": ("group", 1, "technical", None, []),
        "management skills": ("group", 2, "leadership", None, ["skills"]),
        "lead a team": ("skill/competence", 3, "leadership", ["guide staff", "lead people"], ["management skills"]),
        "motivate staff": ("skill/competence", 4, "leadership", None, ["lead a team"]),
        "Haskell": ("knowledge", None, None, ["Haskell techniques"], []),
    }
    [related] = run_directly(emptied, "MATCH (a)-[r:RELATED]->(b) RETURN a.name AS a, r.relation AS how, b.name AS b")
    assert related == {"a": "motivate staff", "how": "optional", "b": "Haskell"}
    [row] = run_directly(emptied, "MATCH (s:Skill {name: 'Haskell'}) RETURN s.uid AS uid, s.external_id AS id")
    assert row == {"uid": uid_of("esco", "skills", ESCO + "2"), "id": ESCO + "2"}

    first = graph_hash()
    assert last_line(taxonomy(folder)) == "created 0, changed 0, ended 0, refused 0"
    assert graph_hash() == first
    (folder / "skills_en.csv").write_text((folder / "skills_en.csv").read_text().replace("Haskell,", "Haskell 98,"))
    assert last_line(taxonomy(folder)) == "created 0, changed 1, ended 0, refused 0"
    (folder / "broaderRelationsSkillPillar_en.csv").unlink()  # the hierarchy then tells of the groups alone
    assert last_line(taxonomy(folder)).startswith("created 0, changed ")


def test_a_tree_comes_in_once(emptied: EmbeddedDatabase, tmp_path: Path) -> None:
    file = tmp_path / "ours.csv"
    file.write_text(TREE)
    result = taxonomy(file, "--source", "ours", "--cluster", "technical")
    assert (result.exit_code, last_line(result)) == (0, "created 3, changed 0, ended 0, refused 0")
    assert "Notice: ours.csv: not read: note" in result.stdout
    assert ESCO_NOTICE not in result.stdout
    assert skills(emptied) == {
        "IT": (None, 1, "technical", ["info tech"], []),
        "Web": (None, 2, "technical", None, ["IT"]),
        "HTML": (None, 3, "technical", ["HyperText", "H.T.M.L."], ["Web"]),
    }
    assert last_line(taxonomy(file, "--source", "ours", "--cluster", "technical")).startswith("created 0, changed 0,")
    assert last_line(taxonomy(file, "--source", "theirs")).startswith("created 3,")


def test_rows_that_cannot_be_taken_are_told_by_the_names_of_their_file(
    emptied: EmbeddedDatabase, tmp_path: Path
) -> None:
    folder = official(tmp_path)
    with (folder / "broaderRelationsSkillPillar_en.csv").open("a") as stream:
        stream.write(f"SkillGroup,{ROOT},skills,KnowledgeSkillCompetence,{ESCO}3,motivate staff\n")
        stream.write(f"SkillGroup,{ESCO}9,nothing,SkillGroup,{ROOT},skills\n")
    with (folder / "skillSkillRelations_en.csv").open("a") as stream:
        stream.write(f"{ESCO}1,,perhaps,,{ESCO}2\n{ESCO}1,,optional\n")
    with (folder / "skills_en.csv").open("a") as stream:
        stream.write(f"KnowledgeSkillCompetence,{ESCO}4,,,,,,released,,,,,\n")
    result = taxonomy(folder, "--report", tmp_path / "refused.csv")
    assert result.exit_code == 1
    assert last_line(result) == "created 9, changed 0, ended 0, refused 5"
    with (tmp_path / "refused.csv").open(encoding="utf-8", newline="") as stream:
        rows = [
            (row["file"], row["line"], row["column"], row["value"], row["remedy"]) for row in csv.DictReader(stream)
        ]
    assert rows == [
        ("skills_en.csv", "6", "preferredLabel", "", "fill it in"),
        (
            "broaderRelationsSkillPillar_en.csv",
            "6",
            "conceptUri",
            ESCO + "9",
            "add it to skills_en.csv or correct the id",
        ),
        ("broaderRelationsSkillPillar_en.csv", "5", "broaderUri", ESCO + "3", "turn the row round or remove it"),
        ("skillSkillRelations_en.csv", "3", "relationType", "perhaps", "use essential, optional"),
        ("skillSkillRelations_en.csv", "4", "", "", "quote cells that hold the delimiter"),
    ]
    tree = tmp_path / "tree.csv"
    tree.write_text("id,name,parent_id\na,A,b\nb,B,a\nc,C,nowhere\n")
    result = taxonomy(tree)
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("tree.csv:")] == [
        "tree.csv:4 parent_id 'nowhere': is no known skill; add it to tree.csv or correct the id",
        "tree.csv:3 parent_id 'a': is itself a kind of the skill, by way of others; turn the row round or remove it",
        "tree.csv:2 parent_id 'b': is no known skill; add it to tree.csv or correct the id",
    ]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no skills_en.csv; name the folder of ESCO's files, or one CSV file"),
        ({"skills_en.csv": "a,b\n", "skills_de.csv": "a,b\n"}, "keep one language of each file"),
        (
            {"skills_en.csv": "conceptUri,b\n"},
            "skills_en.csv has no column for the name of a skill; call it one of name",
        ),
        ({"skills_en.csv": "id,name\n", "skillsHierarchy_en.csv": "a\n"}, "lacks the column Level 0 URI"),
        ({"skills_en.csv": "id,name\n", "skillSkillRelations_en.csv": "uri,relation\n"}, "for the related_id"),
        ({"skills_en.csv": ""}, "skills_en.csv has no header"),
    ],
)
def test_files_of_neither_form_are_refused_in_one_sentence(files: Mapping[str, str], said: str, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(BundleError, match=said):
        open_taxonomy(tmp_path)
    result = taxonomy(tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_what_does_not_exist_is_said_in_one_sentence(tmp_path: Path) -> None:
    assert "does not exist; name a CSV file" in taxonomy(tmp_path / "nothing.csv").stderr


def test_help_teaches_by_an_example() -> None:
    result = taxonomy("--help")
    assert "Example:\n    mentorgraph taxonomy import" in result.stdout


# --- the archive ------------------------------------------------------------------------------------------------------


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write(path: Path, rows: Iterable[Mapping[str, str]]) -> int:
    rows = list(rows)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the archive is not on this machine")
def test_published_taxonomies_come_in_whole_and_a_second_time_nothing_changes(
    emptied: EmbeddedDatabase, tmp_path: Path, count: Callable[[int, int], int]
) -> None:
    """The groups of ESCO with some skills, all of them at full counts, and a tree of technology skills."""
    related = [*rows_of(SHARED / "esco-related.csv.gz")]
    own = [row for row in related if row["uri"] == row["related_uri"]]
    assert len(own) == 1  # as ESCO has published it
    related = [*own, *(row for row in related[: count(40, len(related))] if row not in own)]
    wanted = {row[end] for row in related for end in ("uri", "related_uri")}
    everything = count(0, 1)
    chosen = [
        row
        for row in rows_of(SHARED / "esco-skills.csv.gz")
        if everything or row["kind"] == "group" or row["uri"] in wanted
    ]
    known = {row["uri"] for row in chosen}
    broader = [row for row in rows_of(SHARED / "esco-broader.csv.gz") if {row["uri"], row["broader_uri"]} <= known]
    esco = tmp_path / "esco"
    esco.mkdir()
    rows = write(esco / "skills_en.csv.gz", chosen)
    rows += write(esco / "broaderRelationsSkillPillar_en.csv.gz", broader)
    rows += write(esco / "skillSkillRelations_en.csv.gz", related) - len(own)
    tree = tmp_path / "structure.csv.gz"
    skills = write(tree, rows_of(SHARED / "structure-tech-skills.csv.gz")[: count(200, 1721)])
    result = taxonomy(esco)
    assert (result.exit_code, last_line(result)) == (0, f"created {rows}, changed 0, ended 0, refused 0")
    assert "left out 1 row that relates a skill to itself, on line 2" in result.stdout
    assert last_line(taxonomy(tree, "--source", "structure")) == f"created {skills}, changed 0, ended 0, refused 0"
    first = graph_hash()
    assert last_line(taxonomy(esco)) == "created 0, changed 0, ended 0, refused 0"
    assert last_line(taxonomy(tree, "--source", "structure")) == "created 0, changed 0, ended 0, refused 0"
    assert graph_hash() == first
    found = run_directly(emptied, "MATCH (s:Skill {source: 'esco'}) RETURN s.cluster AS name, count(*) AS skills")
    clusters = {row["name"]: row["skills"] for row in found}
    assert clusters.keys() - {None} == {"technical", "soft", "leadership", "languages"}


def test_a_relation_of_a_skill_to_itself_is_a_notice_and_no_refusal(emptied: EmbeddedDatabase, tmp_path: Path) -> None:
    folder = official(tmp_path)
    with (folder / "skillSkillRelations_en.csv").open("a") as stream:
        stream.write(
            f"{ESCO}2,knowledge,optional,knowledge,{ESCO}2\n{ESCO}1,skill/competence,essential,knowledge,{ESCO}2\n"
        )
    result = taxonomy(folder)
    assert (result.exit_code, last_line(result)) == (0, "created 10, changed 0, ended 0, refused 0")
    notice = "Notice: skillSkillRelations_en.csv: left out 1 row that relates a skill to itself, on line 3"
    assert notice in result.stdout.splitlines()
    assert run_directly(
        emptied, "MATCH (a)-[:RELATED]->(b) RETURN count(*) AS all, count(CASE WHEN a = b THEN 1 END) AS own"
    ) == [{"all": 2, "own": 0}]

    # What is wrong otherwise is refused as before, and so is a skill that would be broader than itself.
    with (folder / "skillSkillRelations_en.csv").open("a") as stream:
        stream.write(f"{ESCO}2,knowledge,optional,knowledge,{ESCO}unknown\n,knowledge,optional,knowledge,\n")
    with (folder / "broaderRelationsSkillPillar_en.csv").open("a") as stream:
        stream.write(f"KnowledgeSkillCompetence,{ESCO}2,Haskell,KnowledgeSkillCompetence,{ESCO}2,Haskell\n")
    result = taxonomy(folder)
    assert (result.exit_code, last_line(result)) == (1, "created 0, changed 0, ended 0, refused 3")
    assert notice in result.stdout.splitlines()
    assert "is the skill itself; remove the row" in result.stdout
    assert "is no known skill" in result.stdout
