"""The README's GraphQL examples: read, given values from the graph, sent to a server.

What a stranger reads first must be true, so `mentorgraph demo --once` asks exactly what the README shows.
"""

import importlib.metadata
import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, cast

from graphql import OperationDefinitionNode, get_operation_ast, parse

from mentorgraph.api.ids import global_id
from mentorgraph.graph.clock import present
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.store.store import Store

_BLOCK = re.compile(r"^```graphql\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ANSWER_WITHIN_S = 30.0
_TRIED = 20


class ExampleError(Exception):
    """An example that cannot be asked, or was not answered; the message says why in a sentence."""


class NotAnswered(ExampleError):
    """The server answered with errors, or not at all."""


@dataclass(frozen=True, slots=True)
class Example:
    """One GraphQL operation of the README.

    Attributes:
        name: The name of the operation, or its first field where it has none.
        text: The operation as the README shows it.
        variables: The names of its variables.
    """

    name: str
    text: str
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asker:
    """A mentee with an open goal, to ask for.

    Attributes:
        person: Global id of the mentee.
        name: The mentee's name.
        goal: Global id of the goal.
        title: The goal's title.
    """

    person: str
    name: str
    goal: str
    title: str


def readme() -> str:
    """Return the README: the file beside the packages in a checkout, else the copy that an installation keeps."""
    file = Path(__file__).parents[1] / "README.md"
    if file.exists():
        return file.read_text("utf-8")
    return str(importlib.metadata.metadata("mentorgraph").json["description"])


def examples_in(markdown: str) -> list[Example]:
    """Return the GraphQL examples of a text, in its order.

    Raises:
        GraphQLSyntaxError: One is not GraphQL.
        ExampleError: One holds no operation, or more than one.
    """
    return [_example(block) for block in _BLOCK.findall(markdown)]


def _example(text: str) -> Example:
    operation = get_operation_ast(parse(text))
    if not isinstance(operation, OperationDefinitionNode):
        raise ExampleError(f"an example must hold one operation: {text}")
    name = operation.name.value if operation.name else text.split("{")[1].split("(")[0].strip()
    variables = tuple(each.variable.name.value for each in operation.variable_definitions or ())
    return Example(name, text, variables)


async def askers_in(store: Store) -> list[Asker]:
    """Return some mentees with an open goal on which they have had no pairing, the newest goals first.

    They are the people who would ask for a mentor today.
    """
    now = present()

    def holds(properties: Mapping[str, Any]) -> bool:
        return properties.get("until") is None or properties["until"] >= now

    paired = {fact.record.links.get("goal") async for fact in store.facts(KINDS["pairings"])}
    people = {fact.record.uid: fact.record async for fact in store.facts(KINDS["people"])}
    goals = [
        fact.record
        async for fact in store.facts(KINDS["goals"])
        if holds(fact.record.properties) and fact.record.uid not in paired
    ]
    goals.sort(key=attrgetter("uid"))
    goals.sort(key=lambda goal: cast(datetime, goal.properties["since"]), reverse=True)
    askers = []
    for goal in goals:
        person = people[goal.links["person"]]
        if holds(person.properties):
            askers.append(
                Asker(
                    global_id("Person", person.uid),
                    str(person.properties["name"]),
                    global_id("Goal", goal.uid),
                    str(goal.properties["title"]),
                )
            )
    return askers[:_TRIED]


_FIND_MENTOR = """
query FindMentor($menteeId: ID!, $goalId: ID) {
  recommendMentors(menteeId: $menteeId, goalId: $goalId, first: 1) { edges { node { id mentor { id } } } }
}
"""
_FIND_SKILL = "{ skills(first: 1) { edges { node { id } } } }"


def values_for(url: str, askers: list[Asker]) -> tuple[Asker, dict[str, object]]:
    """Choose who asks and return a value for each name that a variable of an example may have.

    The mentee is the first of the askers to whom somebody can be recommended: an example without an answer teaches
    nothing. The mentor is the one who is recommended first, because that is whose reasons one would ask for next.

    Raises:
        NotAnswered: The server has no answer, such as while it is starting.
        ExampleError: Nobody can be recommended to any of the askers.
    """
    for asker in askers:
        found = ask(url, _FIND_MENTOR, {"menteeId": asker.person, "goalId": asker.goal})["recommendMentors"]["edges"]
        if found:
            [skill] = ask(url, _FIND_SKILL, {})["skills"]["edges"]
            best = found[0]["node"]
            return asker, values_of(
                asker, mentor=best["mentor"]["id"], skill=skill["node"]["id"], recommendation=best["id"]
            )
    raise ExampleError("nobody in this graph has an open goal that a mentor can be recommended for")


def values_of(asker: Asker, *, mentor: str, skill: str, recommendation: str) -> dict[str, object]:
    """Return the value of each name that a variable of an example may have.

    Args:
        asker: The mentee.
        mentor: Global id of a mentor.
        skill: Global id of a skill.
        recommendation: Global id of a recommendation.
    """
    return {
        "menteeId": asker.person,
        "personId": asker.person,
        "goalId": asker.goal,
        "mentorId": mentor,
        "skillId": skill,
        "recommendationId": recommendation,
        "id": asker.person,
        "ids": [asker.person, asker.goal],
        "first": 3,
    }


def fill(example: Example, values: Mapping[str, object]) -> dict[str, object]:
    """Return the example's variables with their values.

    Raises:
        ExampleError: A variable has a name for which there is no value.
    """
    unknown = [name for name in example.variables if name not in values]
    if unknown:
        raise ExampleError(f"{example.name} asks for ${unknown[0]}, for which the demonstration has no value")
    return {name: values[name] for name in example.variables}


def ask(url: str, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
    """Send one operation and return its data.

    Raises:
        NotAnswered: The server answered with errors, or not at all.
    """
    request = urllib.request.Request(  # noqa: S310 (an address of our own)
        url,
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN_S) as response:  # noqa: S310
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
    except OSError as error:
        raise NotAnswered(f"{url} did not answer: {error}") from error
    if answer.get("errors"):
        raise NotAnswered("; ".join(each["message"] for each in answer["errors"]))
    return cast(dict[str, Any], answer["data"])
