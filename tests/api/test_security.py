"""A probe in the manner of OWASP's GraphQL cheat sheet, graphql-cop and graphql-armor.

Each check is asked of our endpoint, which has to stand it, and of one that is written as tutorials write it, which must
not: so each check can fail.
"""

import json
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from graphql import GraphQLSchema, get_introspection_query, graphql
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from mentorgraph.api.app import LOOPBACK_HOSTS, create_app
from mentorgraph.api.limits import Limits
from mentorgraph.api.schema import schema as real_schema
from mentorgraph.api.trusted import TrustedDocuments

from .conftest import INNER
from .test_endpoint import SECRET, World, no_context, ready, small_schema

EVIL = "https://evil.example"
Probe = Callable[[TestClient], bool]


def our_app(folder: Path) -> ASGIApp:
    return create_app(
        small_schema(World()),
        context=no_context,
        ready=ready,
        limits=Limits(execution_s=0.3, requests_per_minute=100_000, max_concurrent=8),
        allowed_hosts=LOOPBACK_HOSTS,
        trusted=TrustedDocuments(folder),
    )


def naive_app(schema: GraphQLSchema) -> ASGIApp:
    """An endpoint as tutorials write it."""

    async def answer(request: Request) -> Response:
        try:
            if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
                return HTMLResponse("<title>GraphiQL</title>")
            if request.method == "GET":
                sent: Any = dict(request.query_params)
            elif request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
                sent = dict(parse_qsl((await request.body()).decode()))
            else:
                sent = json.loads(await request.body())
            results = [await execute(each) for each in (sent if isinstance(sent, list) else [sent])]
            told: Any = results if isinstance(sent, list) else results[0]
            status = 200
        except Exception:
            told, status = {"errors": [{"message": traceback.format_exc()}]}, 500
        return JSONResponse(
            told,
            status,
            {
                "Access-Control-Allow-Origin": request.headers.get("origin", "*"),
                "Access-Control-Allow-Credentials": "true",
                "Server": "naive/1.0",
            },
        )

    async def execute(sent: dict[str, Any]) -> dict[str, Any]:
        text = sent.get("query") or Path(sent["documentId"].removeprefix("sha256:")).read_text()
        variables = sent.get("variables")
        result = await graphql(schema, text, variable_values=variables, operation_name=sent.get("operationName"))
        errors = [{"message": f"{error.message} {error.original_error!r}"} for error in result.errors or []]
        return {"data": result.data, "errors": errors, "extensions": {"tracing": {"version": 1}}}

    return Starlette(routes=[Route("/graphql", answer, methods=["GET", "POST", "PUT", "DELETE", "TRACE", "OPTIONS"])])


def post(client: TestClient, sent: object, **headers: str) -> Any:
    return client.post("/graphql", json=sent, headers=headers)


def query(client: TestClient, text: str, **more: object) -> Any:
    return post(client, {"query": text, **more})


def refuses(answer: Any) -> bool:
    """Errors, no data, and nothing of the inside."""
    try:
        told = answer.json()
    except ValueError:
        return False
    is_refusal = isinstance(told, dict) and bool(told.get("errors")) and told.get("data") is None
    return is_refusal and answer.status_code < 500 and tells_nothing(answer)


def tells_nothing(answer: Any) -> bool:
    return INNER.search(answer.text) is None and "hunter2" not in answer.text and SECRET not in answer.text


def refuses_query(text: str, **more: object) -> Probe:
    return lambda client: refuses(query(client, text, **more))


def refuses_body(content: bytes, kind: str = "application/json") -> Probe:
    return lambda client: refuses(client.post("/graphql", content=content, headers={"content-type": kind}))


def bomb(levels: int) -> str:
    """Each fragment spreads the next one twice."""
    fragments = [f"fragment F{i} on Person {{ friend {{ ...F{i + 1} ...F{i + 1} }} }}" for i in range(levels)]
    return " ".join(["{ me { ...F0 } }", *fragments, f"fragment F{levels} on Person {{ name }}"])


def allows_no_credentials_elsewhere(client: TestClient) -> bool:
    answer = post(client, {"query": "{ hello }"}, origin=EVIL)
    return not any(name.startswith("access-control-allow") for name in answer.headers)


def preflights_nobody(client: TestClient) -> bool:
    headers = {"origin": EVIL, "access-control-request-method": "POST"}
    answer = client.request("OPTIONS", "/graphql", headers=headers)
    return (
        answer.status_code >= 400 and "allow" in answer.headers and "access-control-allow-origin" not in answer.headers
    )


def has_header(name: str, part: str) -> Probe:
    return lambda client: part in query(client, "{ hello }").headers.get(name, "")


def refuses_method(method: str) -> Probe:
    def probe(client: TestClient) -> bool:
        answer = client.request(method, "/graphql", json={"query": "{ hello }"})
        return answer.status_code == 405

    return probe


def complains_briefly(text: str) -> Probe:
    return lambda client: 0 < len(query(client, text).json()["errors"]) < 25


def refuses_path(client: TestClient) -> bool:
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("{ hello }")
        file.flush()
        return refuses(post(client, {"documentId": f"sha256:{file.name}"}))


def html_is_none(client: TestClient) -> bool:
    answer = client.get("/graphql", headers={"accept": "text/html"})
    return "text/html" not in answer.headers.get("content-type", "")


def masks(text: str) -> Probe:
    return lambda client: tells_nothing(query(client, text))


INTROSPECTION = get_introspection_query()
DEEP_LIST = "[" * 60_000 + "]" * 60_000
PROBES: dict[str, Probe] = {
    # graphql-cop
    "alias overloading": refuses_query("{ " + " ".join(f"a{i}: hello" for i in range(101)) + " }"),
    "aliases that guess": refuses_query("mutation { " + " ".join(f"a{i}: add" for i in range(101)) + " }"),
    "batched requests": lambda client: refuses(post(client, [{"query": "{ hello }"}] * 10)),
    "directive overloading": refuses_query("{ " + "...F @include(if: true) " * 60 + "} fragment F on Query { hello }"),
    "a complaint for each of many directives": complains_briefly("{ hello " + "@aa" * 100 + " }"),
    "field duplication": refuses_query("{ " + "hello " * 500 + "}"),
    "field suggestions": lambda client: "Did you mean" not in query(client, "{ helo }").text,
    "value suggestions": lambda client: "Did you mean" not in query(client, "{ hello(colour: REDD) }").text,
    "introspection": refuses_query(INTROSPECTION),
    "introspection of one type": refuses_query('{ __type(name: "Person") { fields { name } } }'),
    "introspection by GET": lambda client: refuses(client.get("/graphql", params={"query": INTROSPECTION})),
    "GraphiQL": html_is_none,
    "mutation by GET": lambda client: refuses(client.get("/graphql", params={"query": "mutation { add }"})),
    "form post": refuses_body(b"query=%7Bhello%7D", "application/x-www-form-urlencoded"),
    "text post": refuses_body(b'{"query": "{ hello }"}', "text/plain"),
    "post without a type": refuses_body(b'{"query": "{ hello }"}', ""),
    "multipart post": refuses_body(b'{"query": "{ hello }"}', "multipart/form-data; boundary=x"),
    "tracing": lambda client: "tracing" not in query(client, "{ hello }").text,
    "unhandled errors": masks("{ broken }"),
    # graphql-armor
    "depth": refuses_query("{ me " + "{ friend " * 30 + "{ name }" + "}" * 30 + "}"),
    "depth in fragments": refuses_query(
        "{ me { ...F } } fragment F on Person { friend " + "{ friend " * 16 + "{ name }" + "}" * 16 + "}"
    ),
    "cost": refuses_query("{ me " + "{ friends " * 7 + "{ name }" + "}" * 7 + "}"),
    "tokens": refuses_query(" ".join(f"query A{i} {{ hello }}" for i in range(700)), operationName="A0"),
    "comments": refuses_query("#\n" * 3000 + "{ hello }"),
    "fragment bomb": refuses_query(bomb(9)),
    "a complaint for each of many fields": complains_briefly("{ " + "nope " * 400 + "}"),
    # OWASP: input, resources, errors, configuration
    "null body": refuses_body(b"null"),
    "no JSON": refuses_body(b"{"),
    "no UTF-8": refuses_body(b'{"query": "{ hello(name: \\"\xff\\") }"}'),
    "half a character": refuses_body(
        b'{"query": "query ($n: String) { hello(name: $n) }", "variables": {"n": "\\ud800"}}'
    ),
    "deep JSON": refuses_body(b'{"query": "{ hello }", "variables": {"n": ' + DEEP_LIST.encode() + b"}}"),
    "large body": refuses_body(b'{"query": "{ hello }", "padding": "' + b"x" * 1_000_000 + b'"}'),
    "a value of another type": masks('{ hello(day: "secret") }'),
    "an answer of another type": masks("{ notANumber }"),
    "a query without an end": lambda client: query(client, "{ slow(seconds: 0.6) }").status_code == 504,
    "a query that is a list": lambda client: refuses(post(client, {"query": ["{ hello }"]})),
    "a path as document": refuses_path,
    "a name of another host": lambda client: (
        post(client, {"query": "{ hello }"}, host="evil.example").status_code == 400
    ),
    "any origin with credentials": allows_no_credentials_elsewhere,
    "preflight of any origin": preflights_nobody,
    "content sniffing": has_header("x-content-type-options", "nosniff"),
    "framing": has_header("content-security-policy", "frame-ancestors 'none'"),
    "scripts": has_header("content-security-policy", "default-src 'none'"),
    "kept by caches": has_header("cache-control", "no-store"),
    "referrers": has_header("referrer-policy", "no-referrer"),
    "name of the server": lambda client: "server" not in query(client, "{ hello }").headers,
    "PUT": refuses_method("PUT"),
    "DELETE": refuses_method("DELETE"),
    "TRACE": refuses_method("TRACE"),
}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return TestClient(our_app(tmp_path_factory.mktemp("documents")), base_url="http://localhost")


@pytest.fixture(scope="module")
def naive() -> TestClient:
    return TestClient(naive_app(small_schema(World())), base_url="http://localhost", raise_server_exceptions=False)


@pytest.mark.parametrize("name", PROBES)
def test_our_endpoint_stands_the_check_and_a_naive_one_does_not(name: str, ours: TestClient, naive: TestClient) -> None:
    assert PROBES[name](ours)
    assert not PROBES[name](naive)
    assert ours.post("/graphql", json={"query": "{ hello }"}).json()["data"] == {"hello": "Hello you"}


def test_there_are_at_least_forty_checks() -> None:
    assert len(PROBES) >= 40


@pytest.mark.parametrize(
    "text",
    [
        INTROSPECTION,
        "{ skil }",
        "{ skills(first: 100) { edges { node { id } } } " + "skills " * 100 + "}",
        'mutation { registerPerson(input: {name: "x", password: "y"}) { nope } }',
    ],
)
def test_the_real_schema_is_as_closed(text: str) -> None:
    client = TestClient(create_app(real_schema, context=no_context, ready=ready))
    answer = query(client, text)
    assert refuses(answer)
    assert "Did you mean" not in answer.text
    assert query(client, "{ __typename }").json()["data"] == {"__typename": "Query"}
