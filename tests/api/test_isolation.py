"""Programmes apart: whatever a participant asks, in any role and with anybody's ids, names nobody of another programme.

Documents are generated over the whole schema: each root field, fields at any depth, every argument with values that fit
and values that do not. They are executed as a request is, without HTTP around them.
"""

import asyncio
import base64
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

from mentorgraph.api import loaders
from mentorgraph.api.access import TABLE, guard, read_table
from mentorgraph.api.context import RequestContext
from mentorgraph.api.documents import Documents
from mentorgraph.api.errors import DocumentRefused, present
from mentorgraph.api.ids import global_id
from mentorgraph.api.limits import Limits
from mentorgraph.api.schema import schema, unguarded
from mentorgraph.graph.clock import present as now
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Row, uid_of
from mentorgraph.graph.people import seeing
from mentorgraph.graph.viewer import Viewer

from .conftest import Api, asked_about

SOURCE = "apart"
LONG_AGO = "2024-01-01"
PARTIES = ("mentee", "mentor", "second", "facilitator")
ROLE_OF = {"mentee": "mentee", "mentor": "mentor", "second": "mentor", "facilitator": "facilitator"}
COLOURS = ("red", "blue")
LONERS = {"uma": "mentor", "spo": "sponsor"}
"""Who takes part in no programme, with their roles; everybody of a programme is a stranger to them."""

OWNED = ("people", "goals", "requests", "pairings", "sessions", "milestones")
AT_ONCE = 16
FIRST_SEED, BLOCK = 7, 1_000
"""Questions are generated in blocks, each from a seed of its own."""


def key(kind: str, colour: str, party: str = "mentee") -> str:
    return f"{kind}-{colour}" if kind != "people" else f"{party}-{colour}"


def rows() -> dict[str, list[Row]]:
    """Two programmes that are alike, with people, goals, requests, pairings, sessions and milestones."""
    everybody = {f"{party}-{colour}": ROLE_OF[party] for colour in COLOURS for party in PARTIES} | LONERS
    found: dict[str, list[Row]] = {
        "people": [{"id": each, "name": f"Name of {each}", "joined_on": LONG_AGO} for each in everybody],
        "roles": [{"person_id": each, "role_id": role, "since": LONG_AGO} for each, role in everybody.items()],
        "consents": [
            {"person_id": each, "purpose": "matching", "text_version": "v1", "since": LONG_AGO} for each in everybody
        ],
        "programmes": [{"id": each, "name": each.title(), "since": LONG_AGO} for each in COLOURS],
        "skills": [{"id": "talk", "name": "Talking"}],
    }
    for name in ("memberships", "goals", "goal_skills", "requests", "pairings", "sessions", "milestones"):
        found[name] = []
    for colour in COLOURS:
        for party in PARTIES:
            member = {"person_id": f"{party}-{colour}", "programme_id": colour, "role": ROLE_OF[party]}
            found["memberships"].append({**member, "since": LONG_AGO})
        mentee, mentor, second = (f"{party}-{colour}" for party in PARTIES[:3])
        goal, pairing = key("goals", colour), key("pairings", colour)
        found["goals"].append(
            {"id": goal, "person_id": mentee, "title": f"Dream of {colour}", "created_on": "2025-01-01"}
        )
        found["goal_skills"].append({"goal_id": goal, "skill_id": "talk", "since": "2025-01-01"})
        both = {"mentee_id": mentee, "goal_id": goal, "programme_id": colour}
        found["requests"].append(
            {
                **both,
                "id": key("requests", colour),
                "mentor_id": second,
                "status": "requested",
                "asked_on": "2026-01-01",
                "answer_within_days": 30,
            }
        )
        found["pairings"].append(
            {**both, "id": pairing, "mentor_id": mentor, "status": "active", "started_on": "2025-02-01"}
        )
        session = {"id": key("sessions", colour), "pairing_id": pairing, "minutes": 60, "kind": "live"}
        found["sessions"].append({**session, "started_at": "2025-02-10T10:00:00Z"})
        found["milestones"].append(
            {
                "id": key("milestones", colour),
                "pairing_id": pairing,
                "title": f"Step of {colour}",
                "planned_on": "2025-03-01",
                "due_on": "2025-06-01",
                "state": "planned",
            }
        )
    return {name: told for name, told in found.items() if told}


def uid(kind: str, name: str) -> str:
    return uid_of(SOURCE, kind, name)


def gid(kind: str, name: str) -> str:
    return global_id(KINDS[kind].label, uid(kind, name))


def secrets_of(colour: str) -> list[str]:
    """What names the people of a programme, and what is theirs."""
    people = [f"{party}-{colour}" for party in PARTIES]
    uids = [uid("people", each) for each in people] + [uid(kind, key(kind, colour)) for kind in OWNED[1:]]
    return [*uids, *(f"Name of {each}" for each in people), f"Dream of {colour}", f"Step of {colour}"]


@dataclass(frozen=True)
class Asker:
    """Who asks.

    Attributes:
        name: Of the person.
        own: The programme that they take part in; empty for none.
        role: Their role.
    """

    name: str
    own: str
    role: str

    @property
    def hidden(self) -> list[str]:
        """What must not be told to them."""
        return [each for colour in COLOURS if colour != self.own for each in secrets_of(colour)]


ASKERS = [Asker(f"{party}-{colour}", colour, ROLE_OF[party]) for colour in COLOURS for party in PARTIES] + [
    Asker(each, "", role) for each, role in LONERS.items()
]
SELDOM = {"after", "before", "last", "first", "filter", "draft", "at", "mix", "wish"}
"""Arguments that lead to no answer as a rule where chance fills them in."""


class Writer:
    """Writes questions.

    Args:
        draws: Decides all that chance decides.
        schema: What can be asked.
    """

    def __init__(self, draws: random.Random, schema: GraphQLSchema) -> None:
        self._draws, self._schema = draws, schema
        self._values: dict[str, Any] = {}
        self._types: dict[str, str] = {}
        self._aliases = 0
        self._asker = ASKERS[0]

    def question(self, root: str, name: str, asker: Asker) -> tuple[str, dict[str, Any]]:
        """A document that asks for one root field, and the values of its variables."""
        self._values, self._types, self._aliases, self._asker = {}, {}, 0, asker
        kind: Any = self._schema.type_map[root]
        field = self._field(name, kind.fields[name], 4)
        declared = ", ".join(f"${each}: {told}" for each, told in self._types.items())
        return f"{root.lower()}{f'({declared})' if declared else ''} {{ {field} }}", self._values

    def _field(self, name: str, field: Any, depth: int) -> str:
        given = []
        for each, argument in field.args.items():
            if is_required_argument(argument) or self._draws.random() < (0.06 if each in SELDOM else 0.3):
                variable = f"v{len(self._values)}"
                self._values[variable] = self._value(argument.type, each)
                self._types[variable] = str(argument.type)
                given.append(f"{each}: ${variable}")
        inner = (
            self._selection(get_named_type(field.type), depth) if is_composite_type(get_named_type(field.type)) else ""
        )
        return f"{name}{'(' + ', '.join(given) + ')' if given else ''} {inner}"

    def _selection(self, kind: Any, depth: int) -> str:
        leaves = [name for name, each in kind.fields.items() if not is_composite_type(get_named_type(each.type))]
        inner = [name for name in kind.fields if name not in leaves]
        chosen = ["__typename", *self._draws.sample(leaves, min(len(leaves), self._draws.randint(1, 5)))]
        if "id" in kind.fields:
            chosen.append("id")
        fields = [self._alias(self._field(name, kind.fields[name], 0)) for name in dict.fromkeys(chosen[1:])]
        if depth:
            for name in self._draws.sample(inner, min(len(inner), self._draws.randint(1, 3))):
                fields.append(self._alias(self._field(name, kind.fields[name], depth - 1)))
        if is_abstract_type(kind) and depth:
            possible = list(self._schema.get_possible_types(kind))
            fields += [
                f"... on {each.name} {self._selection(each, depth - 1)}"
                for each in self._draws.sample(possible, min(len(possible), 8))
            ]
        return "{ __typename " + " ".join(fields) + " }"

    def _alias(self, field: str) -> str:
        """Fields of the same name may have other arguments, or another type in another fragment."""
        self._aliases += 1
        return f"a{self._aliases}: {field}"

    def _value(self, kind: Any, name: str) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type, name)
        if isinstance(kind, GraphQLList):
            return [self._value(kind.of_type, name) for _ in range(self._draws.randint(1, 3))]
        if isinstance(kind, GraphQLInputObjectType):
            return {
                each: self._value(field.type, each)
                for each, field in kind.fields.items()
                if is_required_input_field(field) or self._draws.random() < 0.3
            }
        if isinstance(kind, GraphQLEnumType):
            return self._draws.choice(list(kind.values))
        draw = self._draws.choice
        if kind.name == "ID" or name in ("after", "before"):
            return self._id(name)
        values: dict[str, list[Any]] = {
            "Int": [1, 2, 5, 20, 100],
            "Float": [0.0, 0.5, 1.0],
            "Boolean": [True, False],
            "DateTime": ["2025-03-01T00:00:00Z", "2026-06-01T00:00:00Z"],
        }
        return draw(values.get(kind.name, ["2026-01", "talk", "Name of mentor-blue", "Dream of red", SOURCE, "x"]))

    def _id(self, name: str) -> str:
        """An id of what the name of an argument asks for, or of anything; of any programme, or of nobody."""
        draw = self._draws.choice
        fitting = [each for each in (*OWNED, "programmes", "skills") if each.rstrip("s") in name.lower()]
        if "person" in name.lower() or "mente" in name.lower() or "mentor" in name.lower():
            fitting = ["people"]
        kind = draw(fitting or [*OWNED, "programmes", "skills"]) if self._draws.random() < 0.85 else draw(OWNED)
        if self._draws.random() < 0.05:
            return draw(["", "x", "é", gid(kind, "nothing"), "UGVyc29u"])
        if kind == "people" and self._draws.random() < 0.4:
            return gid(kind, self._asker.name)
        colour = draw(COLOURS) if not self._asker.own or self._draws.random() < 0.5 else self._asker.own
        if kind == "people" and self._draws.random() < 0.15:
            return gid(kind, draw(list(LONERS)))
        return gid(kind, {"programmes": colour, "skills": "talk"}.get(kind, key(kind, colour, draw(PARTIES))))


def opened(text: str) -> str:
    """A text and whatever in it is base64, read, twice over."""
    parts = [text]
    for each in re.findall(r"[A-Za-z0-9_-]{20,}", text):
        whole = each[: len(each) - (len(each) % 4 == 1)]
        parts.append(base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4)).decode("latin-1"))
    return "\n".join(parts)


@dataclass
class Found:
    """What came of many questions.

    Attributes:
        leaks: Who asked what, and what of others the answer told.
        broken: What was answered with an accident.
        answers: Root field → answers that told something.
        asked: Root field → questions.
    """

    leaks: list[tuple[str, str, Mapping[str, Any], list[str]]]
    broken: list[tuple[str, str, Mapping[str, Any], object]]
    answers: Counter[str]
    asked: Counter[str]


async def ask_many(
    api: Api, built: GraphQLSchema, seed: int, number: int, root: str = "Query", only: Sequence[str] = ()
) -> Found:
    """Ask generated questions of one kind of root, of some of its fields or of all."""
    draws = random.Random(seed)  # noqa: S311 (questions that repeat)
    writer, names = Writer(draws, built), list(only or built.type_map[root].fields)  # type: ignore[attr-defined]
    limits = Limits(max_tokens=20_000, max_depth=99, max_fields=5_000, max_aliases=5_000, max_kept_documents=1)
    documents, store = Documents(built, limits), api.service.recommender.store
    rights = read_table(TABLE.read_text("utf-8"), built)
    open_to = {
        asker.role: [
            name
            for name in names
            if (own := rights[root, name]).is_for_all or own.is_for_own or asker.role in own.roles
        ]
        + [name for name in ("node", "nodes", "person", "recommendMentors", "mentorCatalogue") * 2 if name in names]
        for asker in ASKERS
    }
    viewers: dict[str, Viewer] = {}
    for each in ASKERS:
        known = await store.read_viewer(uid("people", each.name), now())
        assert known is not None
        viewers[each.name] = known[0]
    found = Found([], [], Counter(), Counter())

    async def ask() -> None:
        asker = draws.choice(ASKERS)
        name = draws.choice(open_to[asker.role] or names if draws.random() < 0.85 else names)
        query, values = writer.question(root, name, asker)
        found.asked[name] += 1
        context = RequestContext(viewers[asker.name], api.service, api.decisions)
        answer: dict[str, Any] = {}
        try:
            executing = documents.prepare(query).compiled.execute(context_value=context, variable_values=values)
            result = await executing if isawaitable(executing) else executing
            answer["data"] = result.data
            answer["errors"] = present(result.errors, code="BAD_USER_INPUT") if result.errors else []
        except DocumentRefused as refused:
            pytest.fail(f"the question is not valid: {refused}: {query}")
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        if "INTERNAL" in codes:
            found.broken.append((asker.name, query, values, answer["errors"]))
        found.answers[name] += bool(answer["data"] and any(answer["data"].values()))
        text, told = opened(orjson.dumps(answer).decode()), opened(orjson.dumps(values).decode())
        # What somebody named themselves may be named back.
        leaked = [each for each in asker.hidden if each in text and each not in told]
        if leaked:
            found.leaks.append((asker.name, query, values, leaked))

    for done in range(0, number, AT_ONCE):
        await asyncio.gather(*(ask() for _ in range(min(AT_ONCE, number - done))))
    return found


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    with asked_about(server, rows(), SOURCE) as api:
        yield api


def asked_of(
    api: Api, built: GraphQLSchema, seed: int, number: int, root: str = "Query", only: Sequence[str] = ()
) -> Found:
    assert api.client.portal is not None
    return api.client.portal.call(ask_many, api, built, seed, number, root, only)


def test_no_question_names_what_belongs_to_another_programme(api: Api, count: Callable[[int, int], int]) -> None:
    number = count(100, 100_000)
    answers = 0
    for seed, done in enumerate(range(0, number, BLOCK), FIRST_SEED):
        found = asked_of(api, schema, seed, min(BLOCK, number - done))
        assert (seed, found.leaks[:1], found.broken[:1]) == (seed, [], [])
        answers += sum(found.answers.values())
    assert answers > number / 4  # there is something in which others could have been seen


def table_without(row: str, roles: str) -> GraphQLSchema:
    """The schema, with a right that everybody has."""
    opened_schema = unguarded()
    text = "\n".join(
        f"{each.rpartition(',')[0]},{roles}" if each.startswith(row) else each
        for each in TABLE.read_text().splitlines()
    )
    guard(opened_schema, read_table(text, opened_schema))
    return opened_schema


def test_a_right_that_the_table_gives_to_too_many_is_found(api: Api) -> None:
    only = ["people"]
    assert asked_of(api, schema, 9, 30, only=only).leaks == []
    assert len(asked_of(api, table_without("Query,people,", "all"), 9, 30, only=only).leaks) > 3


def test_a_node_that_is_shown_to_whoever_is_led_to_it_is_found(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    only = ["node", "nodes"]
    assert asked_of(api, schema, 10, 60, only=only).leaks == []
    for module in (loaders, seeing):
        monkeypatch.setattr(module, "may_see", lambda _viewer, _node: True)
    assert len(asked_of(api, schema, 10, 60, only=only).leaks) >= 3


def test_telling_things_about_others_names_nobody_either(api: Api, count: Callable[[int, int], int]) -> None:
    # Comes last in its file: what people tell of themselves is written.
    found = asked_of(api, schema, 8, count(40, 5_000), "Mutation")
    assert found.leaks[:1] == []
    assert found.broken[:1] == []
