"""Limits on whoever asks: what an answer may cost, how often and how much at once, and what others may read."""

import threading
from typing import Any

import pytest
from graphql import build_schema, parse
from starlette.requests import Request
from starlette.testclient import TestClient

from mentorgraph.api.app import create_app
from mentorgraph.api.callers import BURST_S, MOST_CALLERS, FailedSignIns, Rate, address_of
from mentorgraph.api.cost import DEFAULT_ROWS, MUTATION_COST, UNPAGED_ROWS, plans_of
from mentorgraph.api.errors import RequestRefused
from mentorgraph.api.limits import Limits
from mentorgraph.api.schema import schema as real_schema
from mentorgraph.graph.errors import DomainError

from .test_endpoint import STANDARD, World, ask, codes, no_context, ready, small_app, small_schema, told

SCHEMA = build_schema("""
interface Node { id: ID! }
type PageInfo { hasNextPage: Boolean! }
type Person implements Node {
  id: ID! name: String friends(first: Int, last: Int): PersonConnection tags: [Tag!]! boss: Person names: [String!]!
}
type Tag { name: String }
type PersonEdge { cursor: String! node: Person }
type PersonConnection { edges: [PersonEdge!]! nodes: [Person!]! pageInfo: PageInfo! }
type Query { hello: String people(first: Int, after: String): PersonConnection me: Person nodes(ids: [ID!]!): [Node]! }
type Payload { person: Person }
type Mutation { add(name: String): Payload! }
""")
IN_LIST = "{ edges { cursor node { name %s } } pageInfo { hasNextPage } }"


def cost(query: str, variables: dict[str, object] | None = None, operation: str = "") -> int:
    return plans_of(SCHEMA, parse(query))[operation].cost(variables or {})


@pytest.mark.parametrize(
    ("query", "variables", "rows"),
    [
        ("{ hello __typename }", {}, 0),
        ("{ me { id name names } }", {}, 1),
        ("{ me { boss { boss { name } } } }", {}, 3),
        ("{ me { tags { name } } }", {}, 1 + UNPAGED_ROWS),
        ("{ people(first: 7) " + IN_LIST % "" + " }", {}, 7),
        ("{ people " + IN_LIST % "" + " }", {}, DEFAULT_ROWS),
        ("{ people(first: 7) " + IN_LIST % "boss { name }" + " }", {}, 14),
        ("{ people(first: 7) " + IN_LIST % "friends(last: 3) { nodes { name } }" + " }", {}, 7 + 7 * 3),
        ("{ people(first: 1000000) { nodes { name } } }", {}, 100),
        ("query ($f: Int, $l: Int) { me { friends(first: $f, last: $l) { nodes { name } } } }", {"l": 90}, 1 + 90),
        ("query ($f: Int, $l: Int) { me { friends(first: $f, last: $l) { nodes { name } } } }", {}, 1 + DEFAULT_ROWS),
        ("{ people(first: -5) { nodes { name } } }", {}, 0),
        ("query ($n: Int) { people(first: $n) { nodes { name } } }", {"n": 9}, 9),
        ("query ($n: Int = 8) { people(first: $n) { nodes { name } } }", {}, 8),
        ("query ($n: Int = 8) { people(first: $n) { nodes { name } } }", {"n": None}, DEFAULT_ROWS),
        ("query ($n: Int) { people(first: $n) { nodes { name } } }", {"n": True}, DEFAULT_ROWS),
        ("query ($n: Int) { people(first: $n) { nodes { name } } }", {"n": "x"}, DEFAULT_ROWS),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', {}, 3),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": list("abcd")}, 4),
        ("{ me { ...F } } fragment F on Person { boss { ...G } } fragment G on Person { boss { name } }", {}, 3),
        ('{ nodes(ids: ["a"]) { ... on Person { boss { name } } ... { id } } }', {}, 2),
        ("{ a: me { name } b: me { name } }", {}, 2),
        ('mutation { add(name: "x") { person { name } } }', {}, MUTATION_COST + 2),
        ("{ __schema { types { fields { name } } } }", {}, 0),
    ],
)
def test_the_cost_is_the_number_of_objects_that_are_asked_for(
    query: str, variables: dict[str, object], rows: int
) -> None:
    assert cost(query, variables) == rows


def test_each_operation_of_a_document_has_its_own_cost() -> None:
    two = "query A { me { name } } query B { people(first: 5) { nodes { name } } }"
    assert (cost(two, operation="A"), cost(two, operation="B")) == (1, 5)


def test_the_largest_list_with_all_its_reasons_may_be_asked_and_a_list_of_lists_may_not() -> None:
    reasons = "mentor { name } signals { name value } paths(first: 3) { sentence steps { label } } sentences"
    listed = f'{{ recommendMentors(menteeId: "x", first: 100) {{ edges {{ node {{ rank {reasons} }} }} }} }}'
    assert plans_of(real_schema, parse(listed))[""].cost({}) <= Limits().max_cost
    bomb = "{ people(first: 100) { nodes { friends(first: 100) { nodes { friends(first: 100) { nodes { id } } } } } } }"
    assert cost(bomb) > Limits().max_cost


def test_an_answer_tells_what_it_cost_and_one_that_costs_too_much_is_refused() -> None:
    client = TestClient(small_app(max_cost=6), headers=STANDARD)
    good = ask(client, "{ me { friends { name } } }")  # a list without pages
    assert good.json()["extensions"] == {"cost": {"requested": 6, "limit": 6}}
    refused = ask(client, "{ me { friends { name } friend { name } } }")
    assert (refused.status_code, codes(refused)) == (400, ["LIMIT_EXCEEDED"])
    assert refused.json()["errors"][0]["extensions"]["limit"] == "cost"


@pytest.mark.parametrize(
    ("limits", "query", "limit"),
    [
        ({"max_tokens": 5}, "{ hello hello hello hello }", "tokens"),
        ({"max_depth": 1}, "{ me { name } }", "depth"),
        ({"max_fields": 1}, "{ hello me { name } }", "fields"),
        ({"max_aliases": 1}, "{ a: hello b: hello }", "aliases"),
        ({"max_directives": 1}, "{ hello @skip(if: false) @include(if: true) }", "directives"),
        ({"max_body_bytes": 10}, "{ hello }", "body"),
        ({"execution_s": 0.05}, "{ slow(seconds: 30) }", "execution"),
    ],
)
def test_a_refusal_names_the_limit(limits: dict[str, Any], query: str, limit: str) -> None:
    error = ask(TestClient(small_app(**limits), headers=STANDARD), query).json()["errors"][0]
    assert error["extensions"]["limit"] == limit


def test_a_body_may_reach_its_bound_and_not_pass_it() -> None:
    client = TestClient(small_app(), headers=STANDARD)

    def body(size: int) -> bytes:
        start = b'{"query": "{ hello }", "extensions": {"padding": "'
        return start + b"x" * (size - len(start) - 3) + b'"}}'

    assert client.post("/graphql", content=body(100_000)).status_code == 200
    answer = client.post("/graphql", content=body(100_001))
    assert (answer.status_code, codes(answer)) == (413, ["LIMIT_EXCEEDED"])


class Clock:
    """Time that a test lets pass."""

    now = 1000.0

    def __call__(self) -> float:
        """What the time is."""
        return self.now


def test_a_caller_has_a_burst_and_then_as_much_as_the_time_allows() -> None:
    clock = Clock()
    rate = Rate(60, clock)  # one a second
    assert [rate.wait_s("a") for _ in range(BURST_S + 2)] == [0] * BURST_S + [1, 1]
    assert rate.wait_s("b") == 0
    clock.now += 1
    assert [rate.wait_s("a"), rate.wait_s("a")] == [0, 1]
    clock.now += 3600
    assert [rate.wait_s("a") for _ in range(BURST_S + 1)] == [0] * BURST_S + [1]


def test_a_rate_of_less_than_one_in_ten_seconds_lets_one_pass() -> None:
    clock = Clock()
    rate = Rate(1, clock)
    assert [rate.wait_s("a"), rate.wait_s("a")] == [0, 60]
    clock.now += 59
    assert rate.wait_s("a") == 1
    clock.now += 1
    assert rate.wait_s("a") == 0


def test_so_many_callers_are_remembered_and_no_more() -> None:
    rate = Rate(1, Clock())
    for each in range(MOST_CALLERS + 10):
        rate.wait_s(str(each))
    assert len(rate._buckets) == MOST_CALLERS


def test_addresses_of_one_household_are_one_caller() -> None:
    def caller(host: str) -> str:
        return address_of(Request({"type": "http", "client": (host, 5), "headers": []}))

    assert caller("2001:db8::1") == caller("2001:db8::ffff") != caller("2001:db8:0:1::1")
    assert caller("192.0.2.1") != caller("192.0.2.2")
    assert address_of(Request({"type": "http", "client": None, "headers": []})) == ""


def test_a_caller_who_asks_too_often_is_told_when_to_come_back_and_others_are_answered() -> None:
    app = create_app(
        small_schema(World()),
        context=no_context,
        ready=ready,
        limits=Limits(requests_per_minute=6),
        caller=lambda request: request.headers["x-name"],
    )
    client = TestClient(app, headers=STANDARD)
    answers = [client.post("/graphql", json={"query": "{ hello }"}, headers={"x-name": "a"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert (codes(answers[1]), answers[1].headers["retry-after"]) == (["RATE_LIMITED"], "10")
    assert client.post("/graphql", json={"query": "{ hello }"}, headers={"x-name": "b"}).status_code == 200


def test_so_many_requests_run_at_once_and_the_next_is_turned_away_until_one_has_ended() -> None:
    with TestClient(small_app(max_concurrent=2), headers=STANDARD) as client:
        slow = [threading.Thread(target=ask, args=(client, "{ slow(seconds: 1) }")) for _ in range(2)]
        for thread in slow:
            thread.start()
        threading.Event().wait(0.4)
        refused = ask(client, "{ hello }")
        for thread in slow:
            thread.join()
        assert (refused.status_code, codes(refused), refused.headers["retry-after"]) == (503, ["OVERLOADED"], "1")
        assert told(ask(client, "{ hello }")) == {"data": {"hello": "Hello you"}}


def test_a_request_that_fails_gives_its_place_back() -> None:
    with TestClient(small_app(max_concurrent=1, execution_s=0.05), headers=STANDARD) as client:
        for query in ("{ broken }", "{ slow(seconds: 30) }", "{ brokenAndRequired }"):
            assert ask(client, query).status_code in {200, 504}
        assert ask(client, "{ hello }").status_code == 200


def test_long_answers_are_compressed_for_those_who_can_read_that() -> None:
    client = TestClient(small_app(), headers=STANDARD)
    long = ask(client, "{ repeat(times: 5000) }")
    assert (long.headers["content-encoding"], told(long)["data"]["repeat"]) == ("gzip", "x" * 5000)
    assert int(long.headers["content-length"]) < 200
    assert "Accept-Encoding" in long.headers["vary"]
    assert "content-encoding" not in ask(client, "{ hello }").headers
    plain = client.post("/graphql", json={"query": "{ repeat(times: 5000) }"}, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


def test_pages_of_listed_origins_may_ask_and_of_no_others() -> None:
    ours, theirs = "https://app.example.org", "https://evil.example"
    app = create_app(small_schema(World()), context=no_context, ready=ready, cors_origins=(ours,))
    client = TestClient(app, headers=STANDARD)

    def preflight(origin: str) -> Any:
        return client.options(
            "/graphql",
            headers={
                "origin": origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": "content-type, authorization",
            },
        )

    assert (preflight(ours).status_code, preflight(ours).headers["access-control-allow-origin"]) == (200, ours)
    assert preflight(theirs).status_code == 400
    assert "access-control-allow-origin" not in preflight(theirs).headers
    for origin, allowed in ((ours, ours), (theirs, None)):
        answer = client.post("/graphql", json={"query": "{ hello }"}, headers={"origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert "access-control-allow-credentials" not in answer.headers
    without = TestClient(small_app(), headers=STANDARD)
    asked = without.post("/graphql", json={"query": "{ hello }"}, headers={"origin": ours})
    assert "access-control-allow-origin" not in asked.headers


def signing_in(text: str, host: str = "10.0.0.1") -> Request:
    headers = [(b"authorization", f"Bearer {text}".encode())] if text else []
    return Request({"type": "http", "headers": headers, "client": (host, 1)})


def test_an_address_whose_attempts_to_sign_in_fail_is_turned_away_and_nobody_who_shares_it() -> None:
    time_s = 0.0
    failures = FailedSignIns(60, lambda: time_s)  # ten of them at once
    away = "RATE_LIMITED by sign_in, again in 1 s"

    def show(text: str, host: str = "10.0.0.1", *, is_good: bool = False) -> str:
        try:
            with failures.counted(signing_in(text, host)):
                if not is_good:
                    raise DomainError("no", code="UNAUTHENTICATED")
        except RequestRefused as refused:
            told = refused.errors[0]["extensions"]
            return f"{told['code']} by {told['limit']}, again in {refused.headers['Retry-After']} s"
        except DomainError:
            return "refused"
        return "signed in"

    assert show("known", is_good=True) == "signed in"
    assert [show("") for _ in range(20)] == ["refused"] * 20  # who shows nothing tries nothing
    assert [show(f"guess {number}") for number in range(12)] == ["refused"] * 10 + [away] * 2
    assert show("good, yet new", is_good=True) == away
    assert show("known", is_good=True) == "signed in"
    assert show("known") == "refused"  # it has ended, and counts for nothing from now on
    assert show("known", is_good=True) == away
    assert show("good, yet new", "10.0.0.2", is_good=True) == "signed in"
    time_s += 1
    assert show("good, yet new", is_good=True) == "signed in"
    assert show("a guess") == "refused"
    assert show("a guess") == away


def test_a_failure_that_is_not_the_callers_is_not_counted_as_theirs() -> None:
    failures = FailedSignIns(6)
    for _ in range(5):
        with pytest.raises(DomainError, match="away"), failures.counted(signing_in("x")):
            raise DomainError("away", code="SERVICE_UNAVAILABLE")
