"""Who makes a request: tokens of a sign-in service, development tokens, API keys, and all that is none of these."""

import hmac
import json
import logging
import stat
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.datastructures import Headers

from mentorgraph.api import tokens
from mentorgraph.api.api_keys import FILE, ApiKeys
from mentorgraph.api.app import sign_in_of
from mentorgraph.api.commands import main
from mentorgraph.api.identity import Credentials, SignIn
from mentorgraph.api.settings import read_settings
from mentorgraph.api.tokens import DEVELOPMENT_KEY, DevelopmentKey, Issuer, IssuerSettings, KeySet, TokenRefused
from mentorgraph.graph.clock import present
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import Row, uid_of

from .conftest import Api, asked_about

SOURCE = "staff"
ISSUER, AUDIENCE = "https://login.example.org/", "mentoring"
RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
MY_GOALS = "query ($id: ID) { goals(personId: $id) { edges { node { title } } } }"
EVERYBODYS_GOALS = "{ goals { edges { node { title } } } }"
ROWS: dict[str, list[Row]] = {
    "people": [
        {"id": "mia", "name": "Mia", "joined_on": "2024-01-01"},
        {"id": "cora", "name": "Cora", "joined_on": "2024-01-01"},
        {"id": "lee", "name": "Lee", "joined_on": "2024-01-01", "left_on": "2025-01-01"},
        {"id": "ed", "name": "Ed", "joined_on": "2024-01-01"},
    ],
    "roles": [
        {"person_id": "mia", "role_id": "mentee", "since": "2024-01-01"},
        {"person_id": "cora", "role_id": "coordinator", "since": "2024-01-01"},
        {"person_id": "lee", "role_id": "coordinator", "since": "2024-01-01"},
        {"person_id": "ed", "role_id": "coordinator", "since": "2024-01-01", "until": "2025-01-01"},
    ],
    "consents": [],
    "goals": [{"id": "g1", "person_id": "mia", "title": "Speak in public", "created_on": "2024-02-01"}],
}


def jwk(key: Any, kid: str, **more: str) -> dict[str, Any]:
    algorithm: Any = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


def signed(
    key: Any = RSA,
    algorithm: str = "RS256",
    kid: str | None = "one",
    headers: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    told = {"iss": ISSUER, "aud": AUDIENCE, "sub": "cora", "exp": time.time() + 300, **claims}
    told = {name: value for name, value in told.items() if value is not None}
    return jwt.encode(told, key, algorithm, {**({"kid": kid} if kid else {}), **(headers or {})})


def forged(header: dict[str, Any], signature: str = "") -> str:
    told = {"iss": ISSUER, "aud": AUDIENCE, "sub": "cora", "exp": time.time() + 300}
    parts = (jwt.utils.base64url_encode(json.dumps(each).encode()).decode() for each in (header, told))
    return ".".join((*parts, signature))


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "jwks.json"
    file.write_text(json.dumps({"keys": [jwk(RSA, "one"), jwk(CURVE, "two", alg="ES256")]}))
    return file


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> ApiKeys:
    return ApiKeys(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase, key_file: Path, keys: ApiKeys) -> Iterator[Api]:
    issuer = Issuer(IssuerSettings(ISSUER, AUDIENCE, str(key_file), source=SOURCE))
    with asked_about(server, ROWS, SOURCE, SignIn(issuer=issuer, keys=keys)) as asking:
        yield asking


def answer(api: Api, query: str, headers: dict[str, str], **variables: object) -> Any:
    return api.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)


def goals_of(found: Any) -> list[str]:
    assert found.status_code == 200
    return [each["node"]["title"] for each in found.json()["data"]["goals"]["edges"]]


def test_a_token_of_the_issuer_is_the_person_whom_its_subject_names(api: Api) -> None:
    """The last one has expired within the clock skew that is allowed."""
    for token in (signed(), signed(CURVE, "ES256", "two"), signed(exp=time.time() - 30)):
        assert goals_of(answer(api, EVERYBODYS_GOALS, bearer(token))) == ["Speak in public"]


@pytest.mark.parametrize("subject", ["mia", "ed"])
def test_roles_are_those_of_the_graph_now_and_not_of_the_token(api: Api, subject: str) -> None:
    """Mia never was a coordinator, Ed is none any more; both tokens say that they are."""
    found = answer(api, EVERYBODYS_GOALS, bearer(signed(sub=subject, roles=["coordinator"]))).json()
    assert found["data"] == {"goals": None}
    assert found["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def signed_with_the_public_key() -> str:
    """What everybody can make who has read the keys; PyJWT itself refuses to."""
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    told = forged({"alg": "HS256", "kid": "one"}).removesuffix(".")
    mac = hmac.digest(pem, told.encode(), "sha256")
    return f"{told}.{jwt.utils.base64url_encode(mac).decode()}"


def spliced(head: str | None = None, body: str | None = None, tail: str = "") -> str:
    """A good token with parts of others, and the end of its signature overwritten."""
    own_head, own_body, signature = signed().split(".")
    return ".".join((head or own_head, body or own_body, signature[: len(signature) - len(tail)] + tail))


REFUSED: dict[str, Callable[[], str]] = {
    "expired": lambda: signed(exp=time.time() - 120),
    "never expires": lambda: signed(exp=None),
    "not yet": lambda: signed(nbf=time.time() + 300),
    "foreign issuer": lambda: signed(iss="https://login.example.com/"),
    "no issuer": lambda: signed(iss=None),
    "wrong audience": lambda: signed(aud="payroll"),
    "no audience": lambda: signed(aud=None),
    "no subject": lambda: signed(sub=None),
    "unknown key": lambda: signed(OTHER, kid="three"),
    "key of somebody else under our name": lambda: signed(OTHER),
    "no key name, of which there are two": lambda: signed(kid=None),
    "another algorithm of the same key": lambda: signed(algorithm="RS512"),
    "algorithm of another key": lambda: signed(kid="two"),
    "none": lambda: forged({"alg": "none", "typ": "JWT"}),
    "None with a key": lambda: forged({"alg": "None", "kid": "one"}),
    "no algorithm": lambda: forged({"kid": "one"}, "c2lnbmF0dXJl"),
    "critical extension": lambda: signed(headers={"crit": ["x"], "x": 1}),
    "tampered body": lambda: spliced(body=signed(sub="mia").split(".")[1]),
    "tampered signature": lambda: spliced(tail="AAAAAA"),
    "signed with the public key as a secret": signed_with_the_public_key,
    "scope that nobody knows": lambda: signed(scope="mentorgraph:everything"),
    "too long": lambda: "x" * 9_000,
    "text": lambda: "let-me-in",
    "three dots": lambda: "...",
    "not base64": lambda: "é.é.é",
    "nobody here": lambda: signed(sub="nobody"),
    "somebody who left": lambda: signed(sub="lee"),
    "key of nobody": lambda: "mgk_0123456789ab_secret",
    "half a key": lambda: "mgk_",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_proves_nothing_is_answered_401_and_its_text_is_nowhere(
    api: Api, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = REFUSED[case]()
    caplog.set_level(logging.DEBUG)
    found = api.client.post(
        "/graphql", json={"query": EVERYBODYS_GOALS}, headers={b"authorization": f"Bearer {token}".encode("latin-1")}
    )
    assert found.status_code == 401
    assert found.headers["www-authenticate"] == 'Bearer realm="mentorgraph"'
    [error] = found.json()["errors"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "data" not in found.json()
    long_parts = [part for part in token.split(".") if len(part) > 8]
    told = [record.getMessage() for record in caplog.records if record.name.startswith("mentorgraph")]
    assert not any(part in text for part in long_parts for text in [found.text, *told])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Basic bWlhOng="},
        {"mentorgraph-viewer": "UGVyc29u"},
        [("authorization", "Bearer twice"), ("authorization", "Bearer twice")],
    ],
)
def test_who_shows_nothing_is_nobody(api: Api, headers: Any) -> None:
    assert api.client.post("/graphql", json={"query": "{ __typename }"}, headers=headers).status_code == 401


def test_of_two_good_tokens_none_counts(api: Api) -> None:
    twice = [("authorization", f"Bearer {signed()}"), ("authorization", f"Bearer {signed(sub='mia')}")]
    assert api.client.post("/graphql", json={"query": "{ __typename }"}, headers=twice).status_code == 401


def test_nothing_of_a_request_is_read_and_nothing_is_asked_of_the_database_before_somebody_has_signed_in(
    api: Api,
) -> None:
    found = api.client.post("/graphql", content=b"{nonsense", headers={"content-type": "application/json"})
    assert (found.status_code, api.statements, api.asked_who) == (401, [], False)
    signed_in = {**bearer(signed()), "content-type": "application/json"}
    assert api.client.post("/graphql", content=b"{nonsense", headers=signed_in).status_code == 400
    assert answer(api, "{ __typename }", bearer(signed())).status_code == 200
    assert api.asked_who


def test_health_needs_no_sign_in_and_the_page_for_coordinators_does(api: Api) -> None:
    assert api.client.get("/healthz").status_code == api.client.get("/readyz").status_code == 200
    page = api.client.get("/why/UmVjb21tZW5kYXRpb246eA")
    assert (page.status_code, page.headers["www-authenticate"]) == (401, 'Bearer realm="mentorgraph"')
    assert api.client.get("/models/any").status_code == 401
    assert api.client.get("/models/any", headers=bearer(signed())).status_code == 404
    assert api.client.get("/why/UmVjb21tZW5kYXRpb246eA", headers=bearer(signed())).status_code == 404


def test_a_key_acts_as_its_person_until_it_is_revoked(api: Api, keys: ApiKeys) -> None:
    key = keys.add(uid_of(SOURCE, "people", "cora"), present())
    assert goals_of(answer(api, EVERYBODYS_GOALS, bearer(key))) == ["Speak in public"]
    assert answer(api, EVERYBODYS_GOALS, bearer(key[:-1] + ("A" if key[-1] != "A" else "B"))).status_code == 401
    name = key.split("_")[1]
    keys.revoke(name, present())
    assert answer(api, EVERYBODYS_GOALS, bearer(key)).status_code == 401
    assert [each.revoked_at is not None for each in keys.all() if each.name == name] == [True]


def test_a_key_ends_by_itself_and_one_of_somebody_who_left_is_none(api: Api, keys: ApiKeys) -> None:
    cora, now = uid_of(SOURCE, "people", "cora"), present()
    ended = keys.add(cora, now - timedelta(days=2), expires_at=now - timedelta(seconds=1))
    holds = keys.add(cora, now, expires_at=now + timedelta(hours=1))
    left = keys.add(uid_of(SOURCE, "people", "lee"), now)
    assert [answer(api, "{ __typename }", bearer(each)).status_code for each in (ended, holds, left)] == [401, 200, 401]


def test_the_roles_of_a_key_are_a_ceiling(api: Api, keys: ApiKeys) -> None:
    key = keys.add(uid_of(SOURCE, "people", "cora"), present(), roles=frozenset({"mentee", "auditor"}))
    found = answer(api, EVERYBODYS_GOALS, bearer(key)).json()
    assert found["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_only_a_hash_of_a_key_is_kept_in_a_file_of_its_owner(tmp_path: Path) -> None:
    keys = ApiKeys(tmp_path)
    key = keys.add("x", present(), note="the intranet")
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key.split("_", 2)[2].encode() not in file.read_bytes()
    assert b"the intranet" in file.read_bytes()  # what is looked for would be found


def test_a_configured_claim_names_the_roles(server: EmbeddedDatabase, key_file: Path) -> None:
    settings = IssuerSettings(ISSUER, AUDIENCE, str(key_file), source=SOURCE, roles_claim="groups")
    with asked_about(server, ROWS, SOURCE, SignIn(issuer=Issuer(settings))) as api:
        for subject, groups, expected in (
            ("mia", ["coordinator", "chess"], 200),  # the token's roles count instead of the graph's
            ("cora", ["mentee"], "FORBIDDEN"),
            ("scientist", "auditor data_scientist", 200),  # nobody whom the graph knows
            ("scientist", ["chess"], 401),
            ("lee", ["coordinator"], 401),
        ):
            found = answer(api, EVERYBODYS_GOALS, bearer(signed(sub=subject, groups=groups)))
            errors = found.json().get("errors", [])
            assert (
                errors[0]["extensions"]["code"] if found.status_code == 200 and errors else found.status_code
            ) == expected


# --- development tokens and the command line --------------------------------------------------------------------------


def test_a_development_token_is_printed_by_the_command_and_taken_by_its_own_home_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORGRAPH_HOME", str(tmp_path))
    made = CliRunner().invoke(main, ["token", "--person", "mia", "--role", "auditor", "--source", SOURCE])
    assert made.exit_code == 0, made.output
    token = made.output.strip()
    claims = DevelopmentKey(tmp_path).claims(token)
    assert (claims["sub"], claims["roles"]) == (uid_of(SOURCE, "people", "mia"), ["auditor"])
    assert stat.S_IMODE((tmp_path / DEVELOPMENT_KEY).stat().st_mode) == 0o600
    with pytest.raises(TokenRefused):
        DevelopmentKey(tmp_path / "other").claims(token)
    (tmp_path / DEVELOPMENT_KEY).unlink()
    with pytest.raises(TokenRefused):
        DevelopmentKey(tmp_path).claims(token)


@pytest.mark.anyio
async def test_a_development_token_ends_and_has_the_roles_that_it_names(tmp_path: Path) -> None:
    signing_in, key = SignIn.development(tmp_path), DevelopmentKey(tmp_path)

    async def shown(text: str) -> Credentials:
        return await signing_in.credentials(Headers(bearer(text)))

    assert await shown(key.sign("", frozenset({"auditor"}), 60)) == Credentials("", frozenset({"auditor"}))
    assert await shown(key.sign("x", frozenset(), 60)) == Credentials("x")
    for text in (key.sign("x", frozenset(), 0), jwt.encode({"sub": "x"}, "", "none"), signed()):
        with pytest.raises(DomainError) as refused:
            await shown(text)
        assert refused.value.code == "UNAUTHENTICATED"


def test_keys_are_shown_once_listed_without_and_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENTORGRAPH_HOME", str(tmp_path))
    run = CliRunner()
    key = run.invoke(
        main, ["keys", "add", "--person", "mia", "--scope", "read", "--note", "the intranet"]
    ).output.strip()
    _, name, secret = key.split("_", 2)
    listed = run.invoke(main, ["keys", "list"]).output
    assert listed == f"{name} {uid_of('bundle', 'people', 'mia')} read holds - the intranet\n"
    assert run.invoke(main, ["keys", "revoke", name]).output == f"revoked {name}\n"
    assert "ended" in run.invoke(main, ["keys", "list"]).output
    unknown = run.invoke(main, ["keys", "revoke", secret])
    assert unknown.exit_code == 1
    assert unknown.output == f"Error: no key has the name {secret}; mentorgraph keys list shows them\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["serve"], "nobody could sign in: set MENTORGRAPH_ISSUER"),
        (["serve", "--demo", "--dev"], "choose one of them"),
        (["serve", "--dev", "--host", "0.0.0.0"], "--dev takes tokens that anybody with this home can make"),  # noqa: S104
        (["token"], "say who asks"),
        (["token", "--role", "king"], "'king' is not one of"),
    ],
)
def test_a_command_that_cannot_be_says_why(
    command: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "DEMO", "DEV"):
        monkeypatch.setenv(f"MENTORGRAPH_{name}", str(tmp_path) if name == "HOME" else "")
    done = CliRunner().invoke(main, command)
    assert done.exit_code != 0
    assert said in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"ISSUER": "x"}, "MENTORGRAPH_AUDIENCE is not set"),
        ({"ISSUER": "x", "AUDIENCE": "y"}, "MENTORGRAPH_JWKS is not set"),
        ({"AUDIENCE": "y"}, "MENTORGRAPH_AUDIENCE needs MENTORGRAPH_ISSUER"),
        ({"ISSUER": "x", "AUDIENCE": "y", "JWKS": "http://keys.example.org"}, "is not encrypted"),
        ({"ISSUER": "x", "AUDIENCE": "y", "JWKS": "f", "ALGORITHMS": "RS256,HS256"}, "names HS256"),
        ({"ISSUER": "x", "AUDIENCE": "y", "JWKS": "f", "ALGORITHMS": "none"}, "names none"),
        ({"ISSUER": "x", "AUDIENCE": "y", "JWKS": "f", "CLOCK_SKEW_S": "nan"}, "MENTORGRAPH_CLOCK_SKEW_S"),
    ],
)
def test_a_sign_in_that_is_configured_badly_is_refused(told: dict[str, str], said: str, tmp_path: Path) -> None:
    environment = {f"MENTORGRAPH_{name}": value for name, value in told.items()}
    with pytest.raises(DomainError, match=said) as refused:
        sign_in_of(tmp_path, read_settings(environment).serve, environment)
    assert refused.value.code == "BAD_CONFIGURATION"


# --- public keys by URL -----------------------------------------------------------------------------------------------


class KeyServer:
    """A sign-in service's address for its keys, which counts who asks."""

    def __init__(self) -> None:
        self.asked, self.body, self.status = 0, b"", 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(outer.status)
                if outer.status == 302:
                    self.send_header("Location", f"http://127.0.0.1:{outer.port}/elsewhere")
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def tell(self, *keys: dict[str, Any]) -> None:
        """Puts keys in the place of those that it told."""
        self.status, self.body = 200, json.dumps({"keys": keys}).encode()

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    running = KeyServer()
    yield running
    running.close()


class Watch:
    """A clock that the test puts forward."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@pytest.mark.anyio
async def test_keys_are_fetched_once_followed_when_they_rotate_and_kept_while_nobody_answers(
    key_server: KeyServer,
) -> None:
    watch = Watch()
    keys = KeySet(f"http://127.0.0.1:{key_server.port}/keys", watch)
    key_server.tell(jwk(RSA, "one"))
    assert [(await keys.find("one"))["kid"] for _ in range(3)] == ["one"] * 3
    assert key_server.asked == 1
    # A rotated key is found, but not sooner than somebody who names keys that do not exist could have asked.
    key_server.tell(jwk(OTHER, "two"))
    for _ in range(5):
        with pytest.raises(TokenRefused):
            await keys.find("two")
    assert key_server.asked == 1
    watch.now += 31
    assert (await keys.find("two"))["kid"] == "two"
    assert key_server.asked == 2
    with pytest.raises(TokenRefused):  # the old one was taken back
        await keys.find("one")
    # Nobody answers: what is known serves for a day, and not for longer.
    key_server.status = 500
    watch.now += tokens.FRESH_S + 1
    assert (await keys.find("two"))["kid"] == "two"
    watch.now += tokens.STALE_S
    with pytest.raises(DomainError) as refused:
        await keys.find("two")
    assert refused.value.code == "SERVICE_UNAVAILABLE"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"keys": 1}',
        b"{",
        b'{"keys": [' + b" " * 300_000 + b"]}",
        json.dumps({"keys": [{}] * 101}).encode(),
    ],
)
async def test_what_is_no_set_of_keys_is_none(key_server: KeyServer, body: bytes) -> None:
    key_server.body = body
    with pytest.raises(DomainError, match="cannot be fetched"):
        await KeySet(f"http://127.0.0.1:{key_server.port}/").find("one")


@pytest.mark.anyio
async def test_no_redirection_is_followed_and_secret_or_encrypting_keys_are_left_out(key_server: KeyServer) -> None:
    address = f"http://127.0.0.1:{key_server.port}/"
    key_server.tell(jwk(RSA, "one"))
    key_server.status = 302
    with pytest.raises(DomainError, match="cannot be fetched"):
        await KeySet(address).find("one")
    assert key_server.asked == 1
    secret = {"kty": "oct", "kid": "three", "k": "c2VjcmV0", "alg": "HS256"}
    key_server.tell(jwk(RSA, "one"), {**jwk(RSA, "two"), "use": "enc"}, secret)
    keys = KeySet(address)
    assert (await keys.find(None))["kid"] == "one"
    for kid in ("two", "three", 5, ["one"]):
        with pytest.raises(TokenRefused):
            await keys.find(kid)
