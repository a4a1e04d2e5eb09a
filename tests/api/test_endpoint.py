"""The GraphQL endpoint: what it answers, what it refuses, and what it never says."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSchema, build_schema
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from mentorgraph.api.app import create_app
from mentorgraph.api.endpoint import GRAPHQL_RESPONSE, JSON, negotiate
from mentorgraph.api.errors import RequestRefused
from mentorgraph.api.limits import Limits
from mentorgraph.graph.errors import DomainError

SDL = """
scalar Day
enum Colour { RED GREEN }
type Person { name: String! friend: Person friends: [Person!]! }
type Query {
  hello(name: String = "you", day: Day, colour: Colour): String!
  repeat(times: Int!): String
  me: Person
  slow(seconds: Float!): String
  missing: String
  broken: String
  brokenAndRequired: String!
  notANumber: Int
  halfACharacter: String
}
type Mutation { add(seconds: Float = 0): Int! }
type Subscription { ticks: Int }
"""
SECRET = "bolt://neo4j:hunter2@10.0.0.7:7687"
STANDARD = {"content-type": "application/json", "accept": GRAPHQL_RESPONSE}


@dataclass
class World:
    """What the resolvers change."""

    added: int = 0
    cancelled: int = 0


def small_schema(world: World) -> GraphQLSchema:
    async def missing(*_: object) -> str:
        raise DomainError("There is no such person.", code="NOT_FOUND", field="id")

    def broken(*_: object) -> str:
        raise RuntimeError(f"cannot reach {SECRET}")

    async def slow(_source: object, _info: object, seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            world.cancelled += 1
            raise
        return "done"

    async def add(_source: object, _info: object, seconds: float) -> int:
        await asyncio.sleep(seconds)
        world.added += 1
        return world.added

    def parse_day(value: object) -> object:
        if value == "never":
            raise GraphQLError("A Day is written YYYY-MM-DD.")
        if value == "secret":
            raise ValueError(SECRET)
        return value

    person: dict[str, object] = {"name": "Ada"}
    person |= {"friend": person, "friends": [person]}
    schema = build_schema(SDL)
    schema.type_map["Day"].parse_value = parse_day  # type: ignore[attr-defined]
    assert schema.query_type
    assert schema.mutation_type
    schema.mutation_type.fields["add"].resolve = add
    for name, resolve in {
        "hello": lambda _source, _info, name, **_: f"Hello {name}",
        "repeat": lambda _source, _info, times: "x" * times,
        "me": lambda *_: person,
        "slow": slow,
        "missing": missing,
        "broken": broken,
        "brokenAndRequired": broken,
        "notANumber": lambda *_: SECRET,
        "halfACharacter": lambda *_: "\ud800",
    }.items():
        schema.query_type.fields[name].resolve = resolve
    return schema


async def ready() -> Mapping[str, object]:
    return {"database": "up"}


async def no_context(request: Request) -> None:
    return None


def small_app(world: World | None = None, **limits: Any) -> ASGIApp:
    return create_app(small_schema(world or World()), context=no_context, ready=ready, limits=Limits(**limits))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(small_app(world, execution_s=0.3), headers=STANDARD, follow_redirects=False) as client:
        yield client


def codes(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


def told(answer: Any) -> Any:
    """An answer without what it cost."""
    return {name: value for name, value in answer.json().items() if name != "extensions"}


def ask(client: TestClient, query: str, **parameters: object) -> Any:
    return client.post("/graphql", json={"query": query, **parameters})


def test_a_query_is_answered_by_post_and_by_get(client: TestClient) -> None:
    posted = ask(client, "query Q($n: String) { hello(name: $n) }", variables={"n": "Ünï"}, operationName="Q")
    got = client.get(
        "/graphql", params={"query": "query Q($n: String) { hello(name: $n) }", "variables": '{"n":"Ünï"}'}
    )
    assert posted.status_code == got.status_code == 200
    assert told(posted) == told(got) == {"data": {"hello": "Hello Ünï"}}


def test_null_parameters_are_as_absent(client: TestClient) -> None:
    answer = ask(client, "{ hello }", variables=None, operationName=None, extensions=None)
    assert (answer.status_code, told(answer)) == (200, {"data": {"hello": "Hello you"}})


def test_a_mutation_runs_by_post_only(client: TestClient, world: World) -> None:
    got = client.get("/graphql", params={"query": "mutation { add }"})
    assert (got.status_code, got.headers["allow"], codes(got)) == (405, "POST", ["METHOD_NOT_ALLOWED"])
    assert world.added == 0
    assert told(ask(client, "mutation { add }")) == {"data": {"add": 1}}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused_with_the_allowed_ones(client: TestClient, method: str) -> None:
    answer = client.request(method, "/graphql", json={"query": "{ hello }"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert codes(answer) == ["METHOD_NOT_ALLOWED"]


def test_the_path_is_answered_without_redirects(client: TestClient) -> None:
    assert ask(client, "{ hello }").status_code == 200
    assert client.post("/graphql/", json={"query": "{ hello }"}).status_code == 404


def test_subscriptions_are_refused(client: TestClient) -> None:
    answer = ask(client, "subscription { ticks }")
    assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}; charset=utf-8", GRAPHQL_RESPONSE),
        (f"{JSON}, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, */*", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0.5, */*", JSON),
        (f"{JSON};q=0.5, {GRAPHQL_RESPONSE};q=0.9", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0.1, {JSON};q=0.9", JSON),
        (f"{GRAPHQL_RESPONSE};q=0, */*", JSON),
        ("Application/JSON", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
    ],
)
def test_the_answer_has_the_type_that_the_client_prefers(accept: str, chosen: str) -> None:
    assert negotiate(accept) == chosen


@pytest.mark.parametrize("accept", ["image/png", f"{JSON};q=0", "*/*;q=0", f"{JSON};q=nan", f"{JSON};q=x"])
def test_a_client_that_accepts_neither_type_gets_406(client: TestClient, accept: str) -> None:
    answer = client.post("/graphql", json={"query": "{ hello }"}, headers={"accept": accept})
    assert (answer.status_code, codes(answer)) == (406, ["NOT_ACCEPTABLE"])
    with pytest.raises(RequestRefused):
        negotiate(accept)


@pytest.mark.parametrize(
    ("query", "variables"), [("{", {}), ("{ nope }", {}), ("query ($n: Int!) { repeat(times: $n) }", {"n": None})]
)
def test_errors_of_a_document_are_400_but_200_for_clients_of_plain_json(
    client: TestClient, query: str, variables: dict[str, object]
) -> None:
    for accept, status in ((GRAPHQL_RESPONSE, 400), (JSON, 200)):
        answer = client.post("/graphql", json={"query": query, "variables": variables}, headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (status, f"{accept}; charset=utf-8")
        assert "data" not in answer.json()


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/graphql"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": ""},
        {"content-encoding": "gzip"},
    ],
)
def test_only_json_is_read_so_that_no_form_of_another_site_runs(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/graphql", content=b'{"query": "mutation { add }"}', headers=headers)
    assert (answer.status_code, codes(answer)) == (415, ["UNSUPPORTED_MEDIA_TYPE"])


def test_the_content_type_may_have_a_charset_and_capitals(client: TestClient) -> None:
    headers = {"content-type": 'Application/JSON; Charset="UTF-8"'}
    assert client.post("/graphql", content=b'{"query": "{ hello }"}', headers=headers).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'"x"',
        b"1",
        b"[]",
        b'[{"query": "{ hello }"}]',
        b'{"query":',
        b'{"query": "\xff"}',
        b'{"query": "{ hello }", "variables": {"n": "\\ud800"}}',
        b'{"query": "{ hello }", "variables": {"n": NaN}}',
        b'{"query": "{ hello }", "variables": {"n": ' + b"[" * 40_000 + b"]" * 40_000 + b"}}",
        b"{}",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ["{ hello }"]}',
        b'{"query": "{ hello }", "variables": "x"}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "variables": 0}',
        b'{"query": "{ hello }", "operationName": 0}',
        b'{"query": "{ hello }", "operationName": {}}',
        b'{"query": "{ hello }", "extensions": false}',
        b'{"query": "{ hello }", "extensions": "x"}',
    ],
)
def test_a_body_that_is_no_request_is_400_with_errors(client: TestClient, body: bytes) -> None:
    for accept in (GRAPHQL_RESPONSE, JSON):
        answer = client.post("/graphql", content=body, headers={"accept": accept})
        assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "variables={}",
        "query=%FF",
        "query=%ED%A0%80",
        "query={hello}&query={hello}",
        "query={hello}&variables=x",
        "query={hello}&variables=[]",
        "&".join(f"a{i}=" for i in range(60)),
    ],
)
def test_a_query_string_that_is_no_request_is_400(client: TestClient, query_string: str) -> None:
    answer = client.get(f"/graphql?{query_string}")
    assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])


def test_an_operation_that_is_not_in_the_document_is_refused(client: TestClient) -> None:
    two = "query A { hello } query B { hello }"
    assert codes(ask(client, two)) == codes(ask(client, two, operationName="C")) == ["BAD_REQUEST"]
    assert told(ask(client, two, operationName="B")) == {"data": {"hello": "Hello you"}}


def test_variables_nested_deeper_than_python_can_follow_are_no_accident(client: TestClient) -> None:
    nested = json.loads("[" * 900 + "]" * 900)
    answer = ask(client, "query ($c: Colour) { hello(colour: $c) }", variables={"c": nested})
    assert (answer.status_code, codes(answer)) == (400, ["BAD_USER_INPUT"])


def test_names_are_not_suggested_unless_wanted(client: TestClient) -> None:
    assert ask(client, "{ helo }").json()["errors"][0]["message"] == "Cannot query field 'helo' on type 'Query'."
    assert "Did you mean" not in ask(client, "query ($c: Colour) { hello(colour: $c) }", variables={"c": "REDD"}).text


def test_syntax_errors_say_where(client: TestClient) -> None:
    error = ask(client, "{ hello(").json()["errors"][0]
    assert error["locations"] == [{"line": 1, "column": 9}]
    assert error["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


def test_what_the_domain_says_is_shown(client: TestClient) -> None:
    answer = ask(client, "{ hello missing }")
    assert answer.status_code == 200
    assert told(answer) == {
        "data": {"hello": "Hello you", "missing": None},
        "errors": [
            {
                "message": "There is no such person.",
                "locations": [{"line": 1, "column": 9}],
                "path": ["missing"],
                "extensions": {"code": "NOT_FOUND", "field": "id"},
            }
        ],
    }


@pytest.mark.parametrize("field", ["broken", "notANumber"])
def test_what_a_failing_resolver_says_stays_inside_and_the_log_holds_where_it_failed(
    client: TestClient, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    answer = ask(client, f"{{ hello {field} }}")
    error = answer.json()["errors"][0]
    reference = error["extensions"]["reference"]
    assert answer.status_code == 200
    assert answer.json()["data"] == {"hello": "Hello you", field: None}
    assert error["message"] == f"Something went wrong on our side (reference {reference})."
    assert error["extensions"]["code"] == "INTERNAL"
    assert "hunter2" not in answer.text
    assert reference in caplog.text
    assert "Error" in caplog.text
    assert '.py", line ' in caplog.text
    assert "hunter2" not in caplog.text


def test_a_required_field_that_fails_makes_data_null(client: TestClient) -> None:
    answer = ask(client, "{ hello brokenAndRequired }")
    assert (answer.status_code, answer.json()["data"], codes(answer)) == (200, None, ["INTERNAL"])


def test_an_answer_that_is_no_json_is_hidden(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask(client, "{ halfACharacter }")
    assert (answer.status_code, codes(answer)) == (500, ["INTERNAL"])
    assert "orjson" in caplog.text


def test_many_accidents_of_one_request_share_one_reference(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(client, "{ a: broken b: broken }")
    assert len({error["extensions"]["reference"] for error in answer.json()["errors"]}) == 1
    assert [record.getMessage().split(": ")[1].split(":\n")[0] for record in caplog.records] == ["2 unexpected, first"]


def test_a_value_that_a_scalar_cannot_read_is_the_clients_error(client: TestClient) -> None:
    query = "query ($d: Day) { hello(day: $d) }"
    for given in (ask(client, query, variables={"d": "secret"}), ask(client, '{ hello(day: "secret") }')):
        assert given.status_code == 400
        assert "Day" in given.json()["errors"][0]["message"]
        assert "hunter2" not in given.text
    assert "YYYY-MM-DD" in ask(client, query, variables={"d": "never"}).text
    assert codes(ask(client, query, variables={"d": "secret"})) == ["BAD_USER_INPUT"]


def test_an_argument_that_becomes_null_at_run_time_is_the_clients_error(client: TestClient) -> None:
    answer = ask(client, "query ($n: Int = 1) { hello repeat(times: $n) }", variables={"n": None})
    assert (answer.status_code, answer.json()["data"]) == (200, {"hello": "Hello you", "repeat": None})
    assert codes(answer) == ["BAD_USER_INPUT"]
    directive = ask(client, "query ($b: Boolean = true) { hello @skip(if: $b) }", variables={"b": None})
    assert (directive.status_code, codes(directive)) == (400, ["BAD_USER_INPUT"])


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (DomainError("Sign in.", code="UNAUTHENTICATED"), 401, "UNAUTHENTICATED"),
        (DomainError("The database is away.", code="SERVICE_UNAVAILABLE"), 503, "SERVICE_UNAVAILABLE"),
        (RuntimeError(SECRET), 500, "INTERNAL"),
    ],
)
def test_a_context_that_cannot_be_made_ends_the_request(raised: Exception, status: int, code: str) -> None:
    async def context(request: Request) -> object:
        raise raised

    app = create_app(small_schema(World()), context=context, ready=ready)
    with TestClient(app, headers=STANDARD) as client:
        answer = ask(client, "{ hello }")
    assert (answer.status_code, codes(answer), "data" in answer.json()) == (status, [code], False)
    assert "hunter2" not in answer.text


def test_resolvers_get_the_context_of_their_request() -> None:
    async def context(request: Request) -> str:
        return request.headers["x-name"]

    schema = build_schema("type Query { name: String }")
    assert schema.query_type
    schema.query_type.fields["name"].resolve = lambda _source, info: info.context
    with TestClient(create_app(schema, context=context, ready=ready), headers=STANDARD) as client:
        answer = client.post("/graphql", json={"query": "{ name }"}, headers={"x-name": "Ada"})
    assert told(answer) == {"data": {"name": "Ada"}}


def test_a_query_that_takes_too_long_is_cut_and_a_short_one_is_not(client: TestClient, world: World) -> None:
    answer = ask(client, "{ slow(seconds: 30) }")
    assert (answer.status_code, codes(answer), world.cancelled) == (504, ["TIMEOUT"], 1)
    assert told(ask(client, "{ slow(seconds: 0.001) }")) == {"data": {"slow": "done"}}


def test_a_mutation_that_takes_too_long_says_that_its_outcome_is_unknown(client: TestClient) -> None:
    answer = ask(client, "mutation { add(seconds: 30) }")
    assert (answer.status_code, codes(answer)) == (504, ["OUTCOME_UNKNOWN"])


async def talk(app: ASGIApp, messages: list[Message | float]) -> list[Message]:
    """Send messages to the application, with pauses in seconds between them, and return what it sends."""
    sent: list[Message] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }

    async def receive() -> Message:
        while isinstance(messages[0], float):
            await asyncio.sleep(messages.pop(0))  # type: ignore[arg-type]
        return messages.pop(0)  # type: ignore[return-value]

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def body_message(query: str, *, more_body: bool = False) -> Message:
    return {"type": "http.request", "body": json.dumps({"query": query}).encode(), "more_body": more_body}


def test_a_body_that_does_not_arrive_is_given_up(world: World) -> None:
    app = small_app(world, receipt_s=0.1)
    sent = asyncio.run(talk(app, [{"type": "http.request", "body": b'{"que', "more_body": True}, 30.0]))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    slow_enough = asyncio.run(talk(app, [0.01, body_message("{ hello }"), 30.0]))
    assert slow_enough[0]["status"] == 200


def test_a_client_that_leaves_during_its_body_is_forgotten(world: World, caplog: pytest.LogCaptureFixture) -> None:
    half: Message = {"type": "http.request", "body": b'{"que', "more_body": True}
    assert asyncio.run(talk(small_app(world), [half, {"type": "http.disconnect"}])) == []
    assert caplog.records == []


def test_a_query_ends_when_its_client_leaves(world: World, caplog: pytest.LogCaptureFixture) -> None:
    messages: list[Message | float] = [body_message("{ slow(seconds: 30) }"), 0.05, {"type": "http.disconnect"}]
    assert asyncio.run(talk(small_app(world), messages)) == []
    assert (world.cancelled, caplog.records) == (1, [])


def test_a_mutation_goes_on_when_its_client_leaves(world: World) -> None:
    messages: list[Message | float] = [
        body_message("mutation { add(seconds: 0.1) }"),
        0.02,
        {"type": "http.disconnect"},
    ]
    asyncio.run(talk(small_app(world), messages))
    assert world.added == 1


def test_a_server_that_shuts_down_takes_the_query_with_it(world: World) -> None:
    async def cut() -> None:
        asking = asyncio.create_task(talk(small_app(world), [body_message("{ slow(seconds: 30) }"), 30.0]))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(cut())
    assert world.cancelled == 1
