"""The check finds every planted fault and nothing else; the hash sees every fact and nothing else."""

import pytest

from mentorgraph.graph.exchange.check import check, count_facts, graph_hash
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Record, uid_of
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.store.store import Store

pytestmark = pytest.mark.anyio

ROWS = (
    ("skills", {"id": "a", "name": "A", "broader": "b"}),
    ("skills", {"id": "b", "name": "B", "tier": "1", "aliases": "bee|be"}),
    ("people", {"id": "p1", "name": "Ada", "roles": "mentor", "joined_on": "2024-01-01", "zone": "Europe/Paris"}),
    ("people", {"id": "p2", "name": "Bo", "joined_on": "2024-01-01"}),
    ("people", {"id": "p3", "name": "Cy", "joined_on": "2024-01-01"}),
    ("goals", {"id": "g", "person_id": "p2", "title": "Learn", "created_on": "2024-02-01"}),
    ("person_skills", {"person_id": "p1", "skill_id": "a", "stance": "offers", "level": "3", "since": "2024-01-01"}),
    (
        "pairings",
        {
            "id": "m",
            "mentor_id": "p1",
            "mentee_id": "p2",
            "started_on": "2024-03-01",
            "ended_on": "2024-09-01",
            "status": "completed",
            "outcome": "1",
        },
    ),
)
RECORDS = [record for file, row in ROWS for record in facts_of(file, row, "test")]
PERSON = "MATCH (fact:Person {external_id: 'p1'}) "
PAIRING = "MATCH (fact:Pairing) "
OFFERS = "MATCH ()-[fact:OFFERS]->() "
HAS_GOAL = "MATCH ()-[fact:HAS_GOAL]->() "

FAULTS = {
    PERSON + "REMOVE fact.name": [("name is missing", "people")],
    PERSON + "SET fact.zone = 'Mars'": [("zone is not an IANA time zone", "people")],
    PERSON + "SET fact.name = 5": [("name is stored in another form than the model's", "people")],
    PERSON + "SET fact.name = ' Ada'": [("name is stored in another form than the model's", "people")],
    PERSON + "SET fact.colour = 'blue'": [("colour is not a property of the model", "people")],
    PERSON + "REMOVE fact.source": [("source is missing", "people")],
    PERSON + "SET fact.since = date('2024-01-01')": [("has a date that is no instant", "people")],
    PERSON + "SET fact.until = 'soon'": [("has a date that is no instant", "people")],
    PERSON + "SET fact.since = datetime('1800-01-01')": [("joined_on lies outside the years 1900 to 2200", "people")],
    PERSON + "SET fact.changed = 1000000": [("changed after the last change that was counted", "people")],
    PERSON + "REMOVE fact.changed": [
        ("does not appear in listings", "people"),
        ("has no number of its last change", "people"),
    ],
    PERSON + "SET fact:Robot": [("is a label that the model does not know", "Person:Robot")],
    PERSON + "CREATE (fact)-[:LIKES {uid: 'x'}]->(fact)": [
        ("is a relationship that the model does not know", "(Person)-[LIKES]->(Person)")
    ],
    "MATCH (fact:Person {external_id: 'p3'}) REMOVE fact.uid": [("has no uid", "people")],
    "MATCH (fact:Person {external_id: 'p3'}) SET fact.uid = 'three'": [
        ("uid is stored in another form than the model's", "people")
    ],
    "MATCH (fact:Skill {external_id: 'b'}) SET fact.tier = 10": [("tier is not such a whole number", "skills")],
    "MATCH (fact:Skill {external_id: 'b'}) SET fact.aliases = ['bee', 'bee']": [
        ("aliases is stored in another form than the model's", "skills")
    ],
    OFFERS + "REMOVE fact.source": [("source is missing", "offers")],
    OFFERS + "REMOVE fact.since": [("since is missing", "offers")],
    OFFERS + "REMOVE fact.uid": [("has no uid", "offers")],
    OFFERS + "REMOVE fact.changed": [
        ("does not appear in listings", "offers"),
        ("has no number of its last change", "offers"),
    ],
    OFFERS + "SET fact.level = 'high'": [("level is not such a whole number", "offers")],
    HAS_GOAL + "DELETE fact": [("person_id is missing", "goals")],
    HAS_GOAL + "REMOVE fact.since": [("HAS_GOAL has no since", "goals")],
    HAS_GOAL + "REMOVE fact.source": [("HAS_GOAL has no source", "goals")],
    HAS_GOAL + "SET fact.source = 'rumour'": [("HAS_GOAL has another source than its fact", "goals")],
    HAS_GOAL + "SET fact.weight = 1": [("HAS_GOAL has another weight than its fact", "goals")],
    HAS_GOAL + "REMOVE fact.uid": [("has no uid", "HAS_GOAL")],
    PAIRING + "MATCH (p:Person {external_id: 'p3'}) "
    "CREATE (fact)-[:MENTOR {uid: 'x', since: fact.since, source: fact.source}]->(p)": [
        ("MENTOR has another uid than its fact", "pairings"),
        ("has MENTOR more than once", "pairings"),
    ],
    PAIRING + "MATCH (g:Goal) CREATE (g)-[:FOR_GOAL {uid: 'x'}]->(fact)": [
        ("is a relationship that the model does not know", "(Goal)-[FOR_GOAL]->(Pairing)")
    ],
    PAIRING + "SET fact.until = datetime('2024-01-01')": [("ended_on lies before started_on", "pairings")],
    PAIRING + "REMOVE fact.until": [("outcome is given without ended_on", "pairings")],
    PAIRING + "SET fact.outcome = 1.5": [("outcome is out of range", "pairings")],
    PAIRING + "SET fact.outcome = 1": [("outcome is stored in another form than the model's", "pairings")],
    PAIRING + "SET fact.status = 'great'": [("status is not one of the known values", "pairings")],
    "CREATE (:Robot {uid: 'x'})": [("is a label that the model does not know", "Robot")],
    "CREATE ({uid: 'x'})": [("is a label that the model does not know", "")],
    "MATCH (role:Role {name: 'auditor'}) DELETE role": [("is missing", "Role")],
    "CREATE (:Role {uid: 'x', name: 'king'})": [("is not one of the fixed roles", "Role")],
    "MATCH (counter:ChangeCounter {kind: 'absences'}) DELETE counter": [("is missing for absences", "ChangeCounter")],
    "MATCH (counter:ChangeCounter {kind: 'graph'}) SET counter.value = 1": [
        ("counts fewer changes of the graph than of one kind", "ChangeCounter")
    ],
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_found_and_nothing_else(store: Store, fault: str) -> None:
    await store.write(RECORDS)
    await store.database.run_directly(fault)
    found = await check(store)
    assert sorted((each.rule, each.kind) for each in found) == FAULTS[fault]
    assert {each.count for each in found} == {1}


async def test_a_graph_that_was_written_by_us_follows_the_model(store: Store) -> None:
    assert await check(store) == []
    await store.write(RECORDS)
    assert await check(store) == []
    counts = await count_facts(store)
    assert {kind: count for kind, count in counts.items() if count} == {
        "skills": 2,
        "people": 3,
        "broader": 1,
        "goals": 1,
        "pairings": 1,
        "roles": 1,
        "offers": 1,
    }


async def test_all_facts_that_break_a_rule_are_counted_with_one_as_example(store: Store) -> None:
    await store.write(RECORDS)
    await store.database.run_directly("MATCH (person:Person) SET person.colour = 'blue'")
    [found] = await check(store)
    assert found.count == 3
    assert found.example_uid in {uid_of("test", "people", key) for key in ("p1", "p2", "p3")}


def _broader(skill: str, broader: str, until: str = "") -> Record:
    row = {"skill_id": skill, "broader_id": broader, "since": "2024-01-01", "until": until}
    return record_of(KINDS["broader"], row, "test")


async def test_a_skill_is_not_broader_than_itself_by_way_of_others(store: Store) -> None:
    more = [record_of(KINDS["skills"], {"id": name, "name": name}, "test") for name in "cdef"]
    edges = [_broader(*each) for each in ("bc", "ca", "de", "ef")]
    await store.write([*RECORDS, *more, *edges, _broader("f", "d", "2025-01-01")])
    [found] = await check(store)
    assert (found.rule, found.kind, found.count) == ("is broader than itself, by way of others", "skills", 1)
    assert found.example_uid == min(uid_of("test", "skills", name) for name in "abc")
    await store.write([_broader("c", "a", "2025-01-01")])
    assert await check(store) == []


# --- the hash -------------------------------------------------------------------------------------------------------


async def test_equal_facts_have_one_hash_in_whatever_order_they_came(store: Store) -> None:
    await store.write(RECORDS)
    first = await graph_hash(store)
    assert len(first) == 64
    await store.database.run_directly(
        "MATCH (node) WHERE NOT node:Migration AND NOT node:Role AND NOT node:ChangeCounter DETACH DELETE node"
    )
    assert await graph_hash(store) == f"{0:064x}"
    for kind in KINDS:
        for record in reversed([each for each in RECORDS if each.kind == kind]):
            await store.write([record])
    assert await graph_hash(store) == first


@pytest.mark.parametrize(
    "change",
    [
        PERSON + "SET fact.name = 'Eve'",
        PERSON + "REMOVE fact.zone",
        PERSON + "SET fact.until = datetime('2025-01-01')",
        PERSON + "SET fact.source = 'another'",
        OFFERS + "SET fact.level = 4",
        OFFERS + "SET fact.since = datetime('2024-01-02')",
        OFFERS + "DELETE fact",
        HAS_GOAL + "SET fact.since = datetime('2024-02-02')",
        HAS_GOAL + "SET fact.source = 'another'",
        PAIRING + "SET fact.outcome = 1",
        "MATCH (b:Skill {external_id: 'b'}) SET b.aliases = ['be', 'bee']",
        "MATCH (g:Goal)<-[old:HAS_GOAL]-() MATCH (p:Person {external_id: 'p3'}) "
        "CREATE (p)-[new:HAS_GOAL]->(g) SET new.source = old.source, new.since = old.since "
        "WITH old, new, old.uid AS uid DELETE old SET new.uid = 'moved'",
        "MATCH (p:Person {external_id: 'p3'}) DELETE p",
    ],
)
async def test_whatever_changes_in_a_fact_changes_the_hash(store: Store, change: str) -> None:
    await store.write(RECORDS)
    before = await graph_hash(store)
    await store.database.run_directly(change)
    assert await graph_hash(store) != before


async def test_the_number_of_the_last_change_is_not_in_the_hash(store: Store) -> None:
    await store.write(RECORDS)
    before = await graph_hash(store)
    await store.database.run_directly("MATCH (person:Person) SET person.changed = person.changed + 100")
    assert await graph_hash(store) == before
