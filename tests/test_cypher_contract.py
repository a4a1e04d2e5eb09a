"""Statements: one per file, described, used, understood by both Neo4j lines, and found by indexes."""

import ast
import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import neo4j
import pytest

from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.kinds import KINDS, label_of
from mentorgraph.graph.statements import FOLDER, statement
from mentorgraph.graph.store.migrate import migrations
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.world.community import generate

from .conftest import connection, empty

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in FOLDER.glob("*.cypher"))
SCANS = {
    "AllNodesScan",
    "NodeByLabelScan",
    "UnionNodeByLabelsScan",
    "IntersectionNodeByLabelsScan",
    "DirectedAllRelationshipsScan",
    "UndirectedAllRelationshipsScan",
    "DirectedRelationshipTypeScan",
    "UndirectedRelationshipTypeScan",
    "NodeIndexScan",
}
COUNTING = {"count_nodes", "count_relationships"}
"""Statements of `db check`, which look at everything."""
FEW = re.compile(r"\w+:(?:Role|ChangeCounter|Migration)\b")
"""Labels of which there is a handful of nodes, so that reading all of them is right."""


def header_and_text(content: str) -> tuple[list[str], str]:
    lines = content.splitlines()
    header = [line for line in lines if line.startswith("//")]
    assert lines[: len(header)] == header, "comments stand at the top only"
    return header, "\n".join(lines[len(header) :])


def documented_parameters(header: list[str]) -> list[str]:
    return [match[1] for line in header[1:] if (match := re.match(r"// \$(\w+): \S", line))]


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_says_in_a_sentence_what_it_does_and_names_its_parameters(name: str) -> None:
    header, text = header_and_text(statement(name))
    assert re.fullmatch(r"// [A-Z].*\.", header[0])
    for line in header[1:]:
        assert re.match(r"// (\$\w+: |  )\S", line), line
    assert documented_parameters(header) == list(dict.fromkeys(documented_parameters(header)))
    assert set(documented_parameters(header)) == set(re.findall(r"\$(\w+)", text))


def test_parameters_that_differ_from_their_description_are_seen() -> None:
    header, text = header_and_text("// Reads.\n// $uid: string\nRETURN $uids")
    assert set(documented_parameters(header)) != set(re.findall(r"\$(\w+)", text))


def test_every_kind_has_its_two_statements() -> None:
    pairs = {f"{verb}_{kind}" for verb in ("write", "list") for kind in KINDS}
    assert {name for name in NAMES if name.startswith(("write_", "list_"))} == pairs


def test_whatever_a_fact_may_refer_to_is_looked_for() -> None:
    [labels] = re.findall(r"MATCH \(node:([\w|]+) ", statement("find_existing"))
    assert set(labels.split("|")) == {label_of(link) for kind in KINDS.values() for link in kind.links}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in ("api", "graph", "embeddings"):
        for path in (ROOT / package).rglob("*.py"):
            yield path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def test_every_other_statement_is_sent_by_name() -> None:
    texts = {
        node.value
        for path, tree in sources()
        if path.parts[0] == "graph"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert [name for name in NAMES if not name.startswith(("write_", "list_")) and name not in texts] == []
    assert "no_such_statement" not in texts


OF_SQLITE = r"(?! (?:TABLE|INDEX) IF NOT EXISTS \w+ (?:ON \w+ )?\()"
CLAUSE = re.compile(rf"\b(MATCH|MERGE|UNWIND|DETACH DELETE|CREATE{OF_SQLITE})\b.*[({{]", re.DOTALL)
"""What is Cypher; the tables of the index of the decision log are SQL, for SQLite."""


def cypher_in(tree: ast.Module) -> list[str]:
    """Texts in a module that look like Cypher."""
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [text for text in texts if isinstance(text, str) and CLAUSE.search(text)]


def test_no_cypher_is_built_from_strings() -> None:
    assert {str(path): cypher_in(tree) for path, tree in sources() if cypher_in(tree)} == {}
    for text in (
        "MATCH (n) RETURN n",
        "CREATE (n:TABLE)",
        "MERGE (n)",
        "CREATE INDEX x IF NOT EXISTS FOR (n:P) ON (n.uid)",
    ):
        assert cypher_in(ast.parse(f"run({text!r})")) == [text]


# --- on the engine --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session(server: EmbeddedDatabase) -> Iterator[neo4j.Session]:
    """A session on a small community, of which the server has counted the statistics.

    A plan is a choice by what was counted last, and what earlier tests left may have been counted when it was empty.
    """
    asyncio.run(fill(server))
    with (
        neo4j.GraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver,
        driver.session(database=server.database) as session,
    ):
        session.run("CALL db.prepareForReplanning(60)").consume()
        yield session


async def fill(server: EmbeddedDatabase) -> None:
    await empty(server)
    async with connection(server) as database:
        result = await import_bundle(Store(database), bundle_of(generate(60, months=6).rows), source="test")
    assert set(result.total) == {"created"}


def plan_of(session: neo4j.Session, text: str) -> Mapping[str, Any]:
    plan = session.run("EXPLAIN " + text).consume().plan
    assert plan
    return plan


def operators(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and details of every operator of a plan."""
    yield plan["operatorType"].split("@")[0], str(plan.get("args", {}).get("Details", ""))
    for child in plan.get("children", ()):
        yield from operators(child)


def scans_in(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What reads all nodes of a label, or all relationships of a type, of which there may be many."""
    return [(name, details) for name, details in operators(plan) if name in SCANS and not FEW.match(details)]


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_is_understood_and_finds_what_it_reads_by_an_index(
    session: neo4j.Session, server: EmbeddedDatabase, name: str
) -> None:
    text = statement(name)
    dialects = ["", "CYPHER 5 ", "CYPHER 25 "] if server.line.name == "current" else [""]
    for dialect in dialects:
        plan = session.run(f"{dialect}EXPLAIN {text}").consume().plan
        assert plan
        if name not in COUNTING:
            assert scans_in(plan) == []


def test_a_scan_is_seen(session: neo4j.Session) -> None:
    assert scans_in(plan_of(session, "MATCH (person:Person {name: 'Ada'}) RETURN person"))
    assert scans_in(plan_of(session, "MATCH ()-[offer:OFFERS {level: 5}]->() RETURN offer"))
    assert not scans_in(plan_of(session, "MATCH (role:Role) RETURN role"))
    for name in COUNTING:
        assert scans_in(plan_of(session, statement(name)))


def test_migrations_are_understood(session: neo4j.Session, server: EmbeddedDatabase) -> None:
    for migration in migrations():
        for text in migration.statements:
            for dialect in ("CYPHER 5 ", "CYPHER 25 ") if server.line.name == "current" else ("",):
                session.run(f"{dialect}EXPLAIN {text}").consume()
