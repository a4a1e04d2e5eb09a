"""Trusted documents: asked for by hash, kept in the home, and nothing else where an operator says so."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from mentorgraph.api.app import create_app
from mentorgraph.api.commands import main
from mentorgraph.api.trusted import FOLDER, TrustedDocument, TrustedDocuments, hash_of

from .test_endpoint import STANDARD, World, codes, no_context, ready, small_schema

HELLO = "query Hello($n: String) { hello(name: $n) }"
FAILS = "query Fails { hello missing }"
ADD = "mutation Add { add }"
KEY = hash_of(HELLO)


def client_of(folder: Path, *, locked: bool = False) -> TestClient:
    app = create_app(
        small_schema(World()),
        context=no_context,
        ready=ready,
        trusted=TrustedDocuments(folder),
        trusted_only=locked,
    )
    return TestClient(app, headers=STANDARD)


def trust(folder: Path, *texts: str) -> None:
    TrustedDocuments(folder).add([TrustedDocument.of(text) for text in texts])


def apollo(key: str) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": key}}


def test_a_trusted_document_is_asked_for_by_its_hash_in_both_forms_by_post_and_get(tmp_path: Path) -> None:
    trust(tmp_path, HELLO)
    client = client_of(tmp_path)
    variables = {"n": "Ada"}
    for named in ({"documentId": f"sha256:{KEY}"}, {"extensions": apollo(KEY)}):
        posted = client.post("/graphql", json={**named, "variables": variables})
        query = {name: value if isinstance(value, str) else json.dumps(value) for name, value in named.items()}
        got = client.get("/graphql", params={**query, "variables": json.dumps(variables)})
        assert (posted.status_code, posted.json()["data"]) == (200, {"hello": "Hello Ada"})
        assert (got.status_code, got.json()) == (200, posted.json())


@pytest.mark.parametrize("locked", [False, True])
def test_an_unknown_hash_is_told_so_in_the_words_of_apollo_and_is_not_registered(tmp_path: Path, locked: bool) -> None:
    client = client_of(tmp_path, locked=locked)
    for asked in ({"documentId": f"sha256:{KEY}"}, {"extensions": apollo(KEY)}):
        answer = client.post("/graphql", json=asked)
        assert (answer.status_code, codes(answer)) == (400, ["PERSISTED_QUERY_NOT_SUPPORTED"])
    sent = client.post("/graphql", json={"query": HELLO, "extensions": apollo(KEY)})
    assert ("data" in sent.json()) is not locked
    again = client.post("/graphql", json={"extensions": apollo(KEY)})
    assert codes(again) == ["PERSISTED_QUERY_NOT_SUPPORTED"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"documentId": KEY},
        {"documentId": f"sha256:{KEY.upper()}"},
        {"documentId": "sha256:../../secret"},
        {"documentId": f"md5:{KEY}"},
        {"documentId": 7},
        {"extensions": {"persistedQuery": KEY}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": KEY}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": None}}},
        {"query": "{ hello }", "documentId": f"sha256:{KEY}"},
        {"query": "{ hello }", "extensions": apollo(KEY)},
    ],
)
def test_a_hash_that_is_none_or_of_another_text_is_a_bad_request(tmp_path: Path, asked: dict[str, object]) -> None:
    trust(tmp_path, HELLO)
    answer = client_of(tmp_path).post("/graphql", json=asked)
    assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])


def test_a_locked_server_answers_what_is_trusted_and_nothing_else(tmp_path: Path) -> None:
    trust(tmp_path, HELLO)
    client = client_of(tmp_path, locked=True)
    for refused in ("{ hello }", HELLO + " ", "{ __schema { types { name } } }", "{"):
        assert codes(client.post("/graphql", json={"query": refused})) == ["DOCUMENT_NOT_TRUSTED"]
    assert client.post("/graphql", json={"query": HELLO}).json()["data"] == {"hello": "Hello you"}
    assert client_of(tmp_path).post("/graphql", json={"query": "{ hello }"}).status_code == 200


def test_what_one_process_adds_or_removes_holds_for_the_next_request_of_another(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    asked = {"documentId": f"sha256:{KEY}"}
    elsewhere = TrustedDocuments(tmp_path)
    assert codes(client.post("/graphql", json=asked)) == ["PERSISTED_QUERY_NOT_SUPPORTED"]
    assert [each.hash for each in elsewhere.add([TrustedDocument.of(HELLO)])] == [KEY]
    assert elsewhere.add([TrustedDocument.of(HELLO)]) == []
    assert "data" in client.post("/graphql", json=asked).json()
    elsewhere.remove(KEY[:8])
    assert codes(client.post("/graphql", json=asked)) == ["PERSISTED_QUERY_NOT_SUPPORTED"]


def test_a_file_that_does_not_hold_what_its_name_says_is_not_trusted(tmp_path: Path) -> None:
    trust(tmp_path, HELLO)
    [file] = tmp_path.iterdir()
    file.write_text(ADD)
    assert codes(client_of(tmp_path).post("/graphql", json={"documentId": f"sha256:{KEY}"})) == [
        "PERSISTED_QUERY_NOT_SUPPORTED"
    ]


def test_a_client_that_has_the_answer_to_a_trusted_query_is_told_that_it_still_holds(tmp_path: Path) -> None:
    trust(tmp_path, HELLO, FAILS, ADD)
    client = client_of(tmp_path)
    first = client.get("/graphql", params={"documentId": f"sha256:{KEY}"})
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert {"Accept", "Authorization"} <= {each.strip() for each in first.headers["vary"].split(",")}
    for known in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        again = client.get("/graphql", params={"documentId": f"sha256:{KEY}"}, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = client.get(
        "/graphql",
        params={"documentId": f"sha256:{KEY}", "variables": '{"n": "Ada"}'},
        headers={"if-none-match": tag},
    )
    assert (other.status_code, other.headers["etag"] == tag) == (200, False)
    # Neither a failure, nor a document that is no trusted one, nor a POST is kept by anybody.
    for answer in (
        client.get("/graphql", params={"documentId": f"sha256:{hash_of(FAILS)}"}),
        client.get("/graphql", params={"query": HELLO}),
        client.post("/graphql", json={"documentId": f"sha256:{KEY}"}),
    ):
        assert ("etag" in answer.headers, answer.headers["cache-control"]) == (False, "no-store")
    mutation = client.get("/graphql", params={"documentId": f"sha256:{hash_of(ADD)}"})
    assert (mutation.status_code, codes(mutation)) == (405, ["METHOD_NOT_ALLOWED"])


SKILLS = "query Skills { skills(first: 3) { edges { node { id name } } } }\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MENTORGRAPH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def run(*words: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, ["documents", *words])
    return result.exit_code, result.output.strip().splitlines()


def test_the_commands_add_list_and_remove(home: Path) -> None:
    Path("skills.graphql").write_text(SKILLS)
    key = hash_of(SKILLS)
    assert run("list") == (0, ["0 trusted"])
    assert run("add", "skills.graphql") == (0, [f"sha256:{key}  query Skills", "added 1, trusted already 0"])
    assert run("add", "skills.graphql")[1][-1] == "added 0, trusted already 1"
    assert run("list") == (0, [f"sha256:{key}  {len(SKILLS):>6}  query Skills", "1 trusted"])
    assert run("remove", "sha256:" + key[:10]) == (0, [f"removed sha256:{key}"])
    assert run("remove", key)[0] == 1
    assert list((home / FOLDER).iterdir()) == []


def test_manifests_of_apollo_and_of_relay_are_read(home: Path) -> None:
    key = hash_of(SKILLS)
    operation = {"id": key, "name": "Skills", "type": "query", "body": SKILLS}
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation]}
    Path("apollo.json").write_text(json.dumps(manifest))
    Path("relay.json").write_text(json.dumps({key: SKILLS}))
    assert run("add", "apollo.json")[1] == [f"sha256:{key}  query Skills", "added 1, trusted already 0"]
    assert run("add", "relay.json")[1][-1] == "added 0, trusted already 1"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.graphql", "query A { nothing }", "Cannot query field 'nothing'"),
        ("a.graphql", "{ skills { edges { cursor } } }", "has no name"),
        ("a.graphql", "query A { skills {", "Syntax Error"),
        ("a.graphql", "query A { __schema { types { name } } }", "introspection"),
        ("a.graphql", b"\xff", "not UTF-8"),
        ("a.json", "[1]", "neither Apollo's manifest"),
        ("a.json", '{"operations": 7}', "neither Apollo's manifest"),
        ("a.json", '{"operations": [7]}', "neither Apollo's manifest"),
        ("a.json", "{", "no JSON"),
        ("a.json", "[" * 100_000, "no JSON"),
        ("a.json", json.dumps({"5eb63bbbe01eeed093cb22bb8f5acdc3": SKILLS}), "is not the SHA-256"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_all_others(home: Path, name: str, content: str | bytes, said: str) -> None:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    Path("good.graphql").write_text(SKILLS)
    code, lines = run("add", "good.graphql", name)
    assert (code, len(lines)) == (1, 1)
    assert said in lines[0]
    assert f"{name}: " in lines[0]
    assert lines[0].endswith("nothing was added")
    assert not (home / FOLDER).exists()


def test_neither_an_event_stream_nor_a_websocket_gets_past_a_locked_server(tmp_path: Path) -> None:
    trust(tmp_path, HELLO)
    client = client_of(tmp_path, locked=True)
    for query, code in (("{ hello }", "DOCUMENT_NOT_TRUSTED"), (HELLO, "")):
        streamed = client.post("/graphql", json={"query": query}, headers={"accept": "text/event-stream"})
        assert ("DOCUMENT_NOT_TRUSTED" in streamed.text) == bool(code)
        with client.websocket_connect("/graphql", subprotocols=["graphql-transport-ws"]) as socket:
            socket.send_json({"type": "connection_init"})
            assert socket.receive_json()["type"] == "connection_ack"
            socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": query}})
            answer = socket.receive_json()
        assert answer["type"] == ("error" if code else "next")
        if code:
            assert answer["payload"][0]["extensions"]["code"] == code


def test_a_trusted_document_is_asked_for_by_its_hash_over_a_websocket_too(tmp_path: Path) -> None:
    trust(tmp_path, HELLO)
    with client_of(tmp_path).websocket_connect("/graphql", subprotocols=["graphql-transport-ws"]) as socket:
        socket.send_json({"type": "connection_init"})
        socket.receive_json()
        socket.send_json({"type": "subscribe", "id": "1", "payload": named_by_hash()})
        assert socket.receive_json()["payload"]["data"] == {"hello": "Hello you"}


def named_by_hash() -> dict[str, object]:
    return {"documentId": f"sha256:{KEY}"}
