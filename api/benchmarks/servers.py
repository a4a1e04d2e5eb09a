"""Servers that answer one list over GraphQL, each in the way of its library, and the one that answers without GraphQL.

Run as a program with the name of one of them and the number of a listening socket that it inherits: all are served by
uvicorn, without a log of requests. What they answer is the same, so that only the way there differs.
"""

import socket
import sys
from typing import Any

import graphene
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mentorgraph.api.app import create_app
from mentorgraph.api.limits import Limits
from mentorgraph.api.server import serve

ITEMS, FIELDS = 20, 5
QUERY = "{ mentors { id name zone mentees score } }"
SCHEMA = """
type Mentor { id: ID! name: String! zone: String mentees: Int! score: Float! }
type Query { mentors: [Mentor!]! }
"""

MENTORGRAPH, BARE, STRAWBERRY, ARIADNE = "mentorgraph", "starlette alone", "strawberry", "ariadne"
HOME = "home"
"""mentorgraph itself, as its environment sets it up, in place of one list."""


def mentors() -> list[dict[str, Any]]:
    """What every server answers: of each mentor the five fields, one of them null now and then."""
    return [
        {
            "id": f"UGVyc29uOm1lbnRvci0{number:02}",
            "name": f"Mentor {number}",
            "zone": "Europe/Lisbon" if number % 5 else None,
            "mentees": number % 4,
            "score": number / 8 + 0.0625,
        }
        for number in range(ITEMS)
    ]


def mentorgraph() -> ASGIApp:
    """The whole application of this project, with all its middleware and limits, on a schema of one list."""
    found = mentors()

    class Mentor(graphene.ObjectType):
        id = graphene.ID(required=True)
        name = graphene.String(required=True)
        zone = graphene.String()
        mentees = graphene.Int(required=True)
        score = graphene.Float(required=True)

    class Query(graphene.ObjectType):
        mentors = graphene.List(graphene.NonNull(Mentor), required=True)

        @staticmethod
        async def resolve_mentors(_root: None, _info: object) -> list[dict[str, Any]]:
            return found

    async def context(_request: Request) -> object:
        return None

    async def ready() -> dict[str, object]:
        return {}

    return create_app(graphene.Schema(query=Query).graphql_schema, context=context, ready=ready, limits=Limits())


def starlette_alone() -> ASGIApp:
    """What any answer over HTTP costs: the request is read as JSON, and the same list is written as JSON."""
    found = mentors()

    async def answer(request: Request) -> Response:
        orjson.loads(await request.body())
        return Response(orjson.dumps({"data": {"mentors": found}}), media_type="application/json")

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])


def strawberry() -> ASGIApp:
    """Strawberry's own application, with types as its documentation writes them."""
    import strawberry
    from strawberry.asgi import GraphQL

    @strawberry.type
    class Mentor:
        id: strawberry.ID
        name: str
        zone: str | None
        mentees: int
        score: float

    found = [Mentor(**each) for each in mentors()]

    @strawberry.type
    class Query:
        @strawberry.field
        async def mentors(self) -> list[Mentor]:
            return found

    return Starlette(routes=[Route("/graphql", GraphQL[None, None](strawberry.Schema(query=Query)))])


def ariadne() -> ASGIApp:
    """Ariadne's own application."""
    from ariadne import QueryType, make_executable_schema
    from ariadne.asgi import GraphQL

    found, query = mentors(), QueryType()

    @query.field("mentors")
    async def resolve_mentors(*_: object) -> list[dict[str, Any]]:
        return found

    return Starlette(routes=[Route("/graphql", GraphQL(make_executable_schema(SCHEMA, query)))])


FACTORIES = {MENTORGRAPH: mentorgraph, BARE: starlette_alone, STRAWBERRY: strawberry, ARIADNE: ariadne}


def main(name: str, descriptor: int) -> None:
    """Serve one of them until a signal says stop.

    Args:
        name: One of `FACTORIES`, or `HOME`.
        descriptor: Number of a listening socket.
    """
    listener = socket.socket(fileno=descriptor)
    if name in (MENTORGRAPH, HOME):
        app = f"{__spec__.name}:mentorgraph" if name == MENTORGRAPH else "mentorgraph.api.app:from_environment"
        sys.exit(serve(app, listener, workers=1))
    uvicorn.Server(uvicorn.Config(FACTORIES[name](), access_log=False, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
