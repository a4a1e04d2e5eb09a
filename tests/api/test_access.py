"""What each role may read and tell: the table against the schema, the roots against the server, programmes apart."""

import csv
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
)

from mentorgraph.api.access import CARRIERS, TABLE, AccessError, guard, read_table
from mentorgraph.api.identity import SignIn
from mentorgraph.api.ids import global_id
from mentorgraph.api.schema import schema, unguarded
from mentorgraph.api.tokens import DevelopmentKey
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Row, uid_of
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import ROLES

from .conftest import Api, asked_about, tells_nothing_inner

SOURCE = "staff"
TEXT = TABLE.read_text("utf-8")
ROOTS = ("Query", "Mutation", "Subscription")
OBJECTS = [each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType) and each.name[:2] != "__"]


def words_of_all() -> dict[tuple[str, str], set[str]]:
    """The table as this test reads it."""
    found = {}
    for row in csv.DictReader(TEXT.splitlines()):
        [each] = [each for each in OBJECTS if each.name == row["type"]]
        for field in each.fields if row["field"] == "*" else row["field"].split():
            found[row["type"], field] = set(row["roles"].split())
    return found


WORDS = words_of_all()


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_field_of_the_schema_has_a_row_and_those_that_tell_something_are_named() -> None:
    assert set(WORDS) == {(each.name, field) for each in OBJECTS for field in each.fields}
    wild = [row["type"] for row in csv.DictReader(TEXT.splitlines()) if row["field"] == "*"]
    assert [name for name in wild if not name.endswith(CARRIERS)] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",suggestFormat ", ",", None),
        ("Query,suggestFormat ", "Query,", "Query.suggestFormat: no row says who may read it"),
        ("PageInfo,*,all\n", "", "PageInfo.hasNextPage, .*: no row says"),
        ("Person,id name", "Person,id id name", "Person.id has a row already"),
        ("Person,id name", "Person,id nickname name", "Person has no field nickname"),
        ("PageInfo,*,all", "PageInfo,*,all\nPet,*,all", "no type Pet"),
        ("Chance,value low high outcomes", "Chance,*", "Chance tells something itself"),
        ("Mutation,signAgreement,own", "Mutation,signAgreement,owner", "roles are 'owner'"),
        ("Mutation,signAgreement,own", "Mutation,signAgreement,", "roles are ''"),
        ("Mutation,proposeSkill,all", "Mutation,proposeSkill,all mentor", "stand alone"),
        ("high outcomes,reached", "high outcomes,own", "nobody owns a Chance"),
    ],
)
def test_a_table_that_does_not_fit_the_schema_is_refused(old: str, new: str, said: str | None) -> None:
    if said is None:
        read_table(TEXT, schema)  # what is changed below fits as it is
        return
    assert old in TEXT
    with pytest.raises(AccessError, match=said):
        read_table(TEXT.replace(old, new, 1), schema)


def viewers() -> list[Viewer]:
    return [Viewer("me", frozenset({role})) for role in ROLES] + [Viewer("me"), Viewer("me", frozenset(ROLES))]


def root_of(name: str, person: str) -> object:
    """An object that is about a person, in the form in which resolvers hand it on."""
    return {
        "Person": SimpleNamespace(uid=person),
        "Profile": SimpleNamespace(links={"person": person}),
        "Session": SimpleNamespace(parties={"mentor": "x", "mentee": person}, helpers=()),
        "SurveyAnswer": {"person": person},
    }.get(name)


def test_every_field_is_open_to_every_role_as_the_table_says() -> None:
    probed = unguarded()
    for each in probed.type_map.values():
        if isinstance(each, GraphQLObjectType) and each.name[:2] != "__":
            for field in each.fields.values():
                field.resolve, field.subscribe = lambda _root, _info, **_arguments: "told", None
    guard(probed, read_table(TEXT, probed))
    tried = denied = 0
    for (name, field), viewer in itertools.product(WORDS, viewers()):
        owner: Any = probed.type_map[name]
        words = WORDS[name, field]
        for person in ("me", "another"):
            is_own = "own" in words and (name in ROOTS or person == "me")
            allowed = bool(words & {"all", "reached"} or words & viewer.roles or is_own)
            try:
                info = SimpleNamespace(context=SimpleNamespace(viewer=viewer))
                answer = owner.fields[field].resolve(root_of(name, person), info)
            except DomainError as error:
                fails = name in {"Query", "Subscription"} or isinstance(owner.fields[field].type, GraphQLNonNull)
                answer = None if fails and error.code == "FORBIDDEN" else error
            if name == "Mutation" and isinstance(answer, dict):
                assert [each["code"] for each in answer["user_errors"]] == ["FORBIDDEN"]
                answer = None
            assert (answer == "told") is allowed, (name, field, viewer, person)
            tried, denied = tried + 1, denied + (not allowed)
    assert tried == len(WORDS) * 9 * 2
    assert denied > 1_000


def test_credentials_that_may_only_read_tell_nothing_and_the_other_way_round() -> None:
    def answer(name: str, field: str, *scopes: str) -> object:
        viewer = Viewer("me", frozenset(ROLES), scopes=frozenset(scopes))
        owner: Any = probed.type_map[name]
        return owner.fields[field].resolve(None, SimpleNamespace(context=SimpleNamespace(viewer=viewer)))

    probed = unguarded()
    for field in ("Query", "node"), ("Mutation", "setAway"):
        probed.type_map[field[0]].fields[field[1]].resolve = lambda *_: "told"  # type: ignore[attr-defined]
    guard(probed, read_table(TEXT, probed))
    assert answer("Query", "node", "read") == answer("Mutation", "setAway", "write") == "told"
    assert answer("Query", "node", "read", "write") == answer("Query", "node") == "told"
    refused: Any = answer("Mutation", "setAway", "read")
    assert refused["user_errors"][0]["message"] == "these credentials do not allow to write"
    assert (refused["released"], refused["offer_others"]) == ([], [])  # what the payload may not leave out
    with pytest.raises(DomainError, match="do not allow to read"):
        answer("Query", "node", "write")


# --- the server -------------------------------------------------------------------------------------------------------

RED, BLUE = ("ann", "rob", "fay"), ("bea", "bob", "flo")
STAFF = {"cora": "coordinator", "dan": "data_scientist", "aud": "auditor", "spo": "sponsor"}
EVERYBODY = (*RED, *BLUE, "uma", *STAFF)
ROLE_OF = {"ann": "mentee", "bea": "mentee", "fay": "facilitator", "flo": "facilitator", **STAFF}


def rows() -> dict[str, list[Row]]:
    long_ago = "2024-01-01"
    found: dict[str, list[Row]] = {
        "people": [{"id": each, "name": f"{each.title()} Q", "joined_on": long_ago} for each in EVERYBODY],
        "roles": [{"person_id": each, "role_id": ROLE_OF.get(each, "mentor"), "since": long_ago} for each in EVERYBODY],
        "consents": [
            {"person_id": each, "purpose": "matching", "text_version": "v1", "since": long_ago} for each in EVERYBODY
        ],
        "programmes": [{"id": each, "name": each.title(), "since": long_ago} for each in ("red", "blue")],
        "skills": [{"id": "talk", "name": "Talking"}],
        "offers": [],
    }
    del found["offers"]
    for name in ("memberships", "goals", "goal_skills", "pairings", "sessions", "person_skills", "requests"):
        found[name] = []
    for colour, (mentee, mentor, facilitator) in (("red", RED), ("blue", BLUE)):
        for person in (mentee, mentor, facilitator):
            row = {"person_id": person, "programme_id": colour, "role": ROLE_OF.get(person, "mentor")}
            found["memberships"].append({**row, "since": long_ago})
        found["goals"].append(
            {"id": f"g-{colour}", "person_id": mentee, "title": f"{colour} dream", "created_on": "2025-01-01"}
        )
        found["pairings"].append(
            {
                "id": f"p-{colour}",
                "mentor_id": mentor,
                "mentee_id": mentee,
                "goal_id": f"g-{colour}",
                "status": "active",
            }
            | {"started_on": "2025-02-01", "programme_id": colour}
        )
        found["sessions"].append(
            {"id": f"s-{colour}", "pairing_id": f"p-{colour}", "started_at": "2025-02-10T10:00:00Z", "minutes": 60}
            | {"kind": "live"}
        )
    return {name: told for name, told in found.items() if told}


def gid(kind: str, key: str) -> str:
    return global_id(KINDS[kind].label, uid_of(SOURCE, kind, key))


@dataclass
class Server:
    """The application with sign-in.

    Attributes:
        api: A client of it.
        key: What signs the tokens of its callers.
    """

    api: Api
    key: DevelopmentKey

    def ask(self, person: str, query: str, **variables: object) -> dict[str, Any]:
        """The answer to a person, who acts in the roles that they have in the graph."""
        token = self.key.sign(uid_of(SOURCE, "people", person), frozenset(), 600)
        asked = {"query": query, "variables": variables}
        found = self.api.client.post("/graphql", json=asked, headers={"authorization": f"Bearer {token}"})
        answer: dict[str, Any] = found.json()
        assert tells_nothing_inner(answer.get("errors", []))
        return answer


@pytest.fixture(scope="module")
def served(server: EmbeddedDatabase) -> Iterator[Server]:
    with asked_about(server, rows(), SOURCE, SignIn.development(server.home)) as api:
        yield Server(api, DevelopmentKey(server.home))


def value_of(kind: Any, name: str, ids: Callable[[str], str]) -> Any:
    """A value that fits an input, made of its type and name."""
    if isinstance(kind, GraphQLNonNull):
        return value_of(kind.of_type, name, ids)
    if isinstance(kind, GraphQLList):
        return [value_of(kind.of_type, each, ids) for each in ((name, "personId") if name == "mentorIds" else (name,))]
    if isinstance(kind, GraphQLInputObjectType):
        needed = {each: field for each, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
        return {each: value_of(field.type, each, ids) for each, field in needed.items()}
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    given = {"ID": ids(name), "Int": 1, "Float": 0.5, "Boolean": True, "DateTime": "2026-01-01T00:00:00Z"}
    return given.get(kind.name, "2026-01" if name == "month" else "x")


def of_person(mentee: str, mentor: str, colour: str) -> Callable[[str], str]:
    """Ids for the arguments of questions about a mentee and what is theirs."""
    kinds = {"goal": ("goals", f"g-{colour}"), "pairing": ("pairings", f"p-{colour}"), "skill": ("skills", "talk")}
    kinds |= {
        "milestone": ("milestones", "none"),
        "step": ("onboarding_steps", "none"),
        "request": ("requests", "none"),
        "training": ("trainings", "none"),
    }
    kinds |= {"programme": ("programmes", colour), "session": ("sessions", f"s-{colour}"), "mentor": ("people", mentor)}

    def ids(name: str) -> str:
        if "recommendation" in name.lower():
            return global_id("Recommendation", uid_of(SOURCE, "recommendations", "none"))
        found = next((told for kind, told in kinds.items() if kind in name.lower()), ("people", mentee))
        return gid(*found)

    return ids


def document(root: str, name: str, ids: Callable[[str], str]) -> tuple[str, dict[str, object]]:
    """A question that gives every argument that the field needs, and those by which it says whom it is about."""
    parent: Any = schema.type_map[root]
    field = parent.fields[name]
    given = {
        each: value_of(argument.type, each, ids)
        for each, argument in field.args.items()
        if isinstance(argument.type, GraphQLNonNull) or each in ("personId", "programmeId", "pairingId", "goalId")
    }
    declared = ", ".join(f"${each}: {field.args[each].type}" for each in given)
    passed = ", ".join(f"{each}: ${each}" for each in given)
    kind = get_named_type(field.type)
    inner = "" if not hasattr(kind, "fields") else "{ __typename }"
    if root == "Mutation":
        inner = "{ userErrors { code } }"
    operation = root.lower()
    return f"{operation}{f'({declared})' if given else ''} {{ {name}{f'({passed})' if given else ''} {inner} }}", given


@pytest.mark.parametrize("name", list(schema.type_map["Query"].fields))  # type: ignore[attr-defined]
def test_every_question_is_answered_to_those_whom_the_table_names(served: Server, name: str) -> None:
    query, given = document("Query", name, of_person("ann", "rob", "red"))
    words = WORDS["Query", name]
    for person in ("bea", "uma", "fay", *STAFF):  # none of whom the question is about
        answer = served.ask(person, query, **given)
        codes = {each["extensions"]["code"] for each in answer.get("errors", ())}
        role = ROLE_OF.get(person, "mentor")
        if "all" in words or role in words:
            assert "FORBIDDEN" not in codes, (person, answer)
        else:
            assert codes & {"FORBIDDEN", "NOT_FOUND"}, (person, answer)
            assert not (answer["data"] or {}).get(name)


@pytest.mark.parametrize("name", list(schema.type_map["Mutation"].fields))  # type: ignore[attr-defined]
def test_nobody_tells_what_the_table_does_not_let_them(served: Server, name: str) -> None:
    query, given = document("Mutation", name, of_person("ann", "rob", "red"))
    if "all" in WORDS["Mutation", name]:
        return
    before = served.api.client.portal.call(served.api.service.recommender.store.read_changes)  # type: ignore[union-attr]
    for person in ("bea", "bob", "fay", "dan", "aud", "spo"):  # none of whom it is about, none a coordinator
        answer = served.ask(person, query, **given)
        assert "errors" not in answer, (person, answer)
        assert answer["data"][name]["userErrors"], (person, answer)
        assert {each["code"] for each in answer["data"][name]["userErrors"]} <= {"FORBIDDEN", "NOT_FOUND"}, (
            person,
            answer,
        )
    after = served.api.client.portal.call(served.api.service.recommender.store.read_changes)  # type: ignore[union-attr]
    assert before == after


def test_who_facilitates_a_programme_reads_what_is_overdue_in_it_and_nowhere_else(served: Server) -> None:
    query = "query ($id: ID) { overdueCheckIns(programmeId: $id) { pairing { id mentor { name } } mentee { name } } }"
    [own] = served.ask("fay", query, id=gid("programmes", "red"))["data"]["overdueCheckIns"]
    assert own == {
        "pairing": {"id": gid("pairings", "p-red"), "mentor": {"name": "Rob Q"}},
        "mentee": {"name": "Ann Q"},
    }
    for other in (gid("programmes", "blue"), None):
        [error] = served.ask("fay", query, id=other)["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
    assert len(served.ask("aud", query, id=None)["data"]["overdueCheckIns"]) == 2


def test_participants_meet_those_of_their_programmes_and_of_none(served: Server) -> None:
    listed = "query ($id: ID!) { recommendMentors(menteeId: $id) { edges { node { mentor { name } } } } }"
    catalogue = "{ mentorCatalogue { edges { node { mentor { name } } } } }"
    person = "query ($id: ID!) { person(id: $id) { name } }"

    def names(found: Any) -> set[str]:
        return {each["node"]["mentor"]["name"] for each in found["edges"]}

    assert names(served.ask("ann", listed, id=gid("people", "ann"))["data"]["recommendMentors"]) == {"Uma Q"}
    assert names(served.ask("cora", listed, id=gid("people", "ann"))["data"]["recommendMentors"]) == {"Uma Q", "Bob Q"}
    assert names(served.ask("ann", catalogue)["data"]["mentorCatalogue"]) == {"Uma Q", "Rob Q"}
    assert names(served.ask("cora", catalogue)["data"]["mentorCatalogue"]) == {"Uma Q", "Rob Q", "Bob Q"}
    for asker, expected in (("ann", None), ("bea", {"name": "Bob Q"}), ("uma", None), ("aud", {"name": "Bob Q"})):
        assert served.ask(asker, person, id=gid("people", "bob"))["data"]["person"] == expected
    ask = "mutation ($in: RequestMentorInput!) { requestMentor(input: $in) { userErrors { code field } } }"
    wanted = {"menteeId": gid("people", "ann"), "mentorId": gid("people", "bob")}
    assert served.ask("ann", ask, **{"in": wanted})["data"]["requestMentor"]["userErrors"] == [
        {"code": "NOT_FOUND", "field": ["input", "mentorId"]}
    ]
