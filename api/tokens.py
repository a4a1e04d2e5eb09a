"""Signed tokens (JSON Web Tokens): those of the organisation's sign-in service, and those of a developer's home.

The algorithms are an explicit list, never what a token says of itself; a set of public keys checks no symmetric
signature, so that nobody signs with what everybody can read.
"""

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import jwt
import orjson

from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError

PUBLIC_KEY_ALGORITHMS = (
    *(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)),
    "EdDSA",
)
DEFAULT_ALGORITHMS = ("RS256", "ES256")
LONGEST_TOKEN = 8 * 1024
"""Characters of a token at most."""

DEVELOPMENT_KEY = "development.key"
DEVELOPMENT = "mentorgraph-development"
"""Issuer and audience of development tokens."""

CLOCK_SKEW_S = 60
FRESH_S = 600.0
"""For how long fetched keys are used unasked."""

STALE_S = 86_400.0
"""For how long they are used while nothing can be fetched."""

AGAIN_AFTER_S = 30.0
"""Nobody causes more than one fetch in this time, whatever keys their tokens name."""

FETCHED_WITHIN_S = 5.0
MOST_BYTES = 256 * 1024
MOST_KEYS = 100


class TokenRefused(Exception):
    """A token that proves nothing; the message says why, in words that quote nothing of it."""


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """Whose tokens count.

    Attributes:
        issuer: Their `iss`, to the letter.
        audience: What their `aud` has to name.
        keys: Where the public keys are: the URL or the file of a JWK set.
        algorithms: With which they may be signed, of `PUBLIC_KEY_ALGORITHMS`.
        subject_claim: The claim that names the person.
        source: The system whose key of a person that is, as an import names it.
        roles_claim: The claim that names roles, which then count instead of those in the graph; empty for none.
        skew_s: Seconds by which clocks may differ.
    """

    issuer: str
    audience: str
    keys: str
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    subject_claim: str = "sub"
    source: str = "bundle"
    roles_claim: str = ""
    skew_s: float = CLOCK_SKEW_S

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "IssuerSettings | None":
        """What the environment says; None where it names no issuer.

        Raises:
            DomainError: `BAD_CONFIGURATION`, something is missing or wrong.
        """
        told = {name: environment.get(f"MENTORGRAPH_{name}", "").strip() for name in ISSUER_VARIABLES}
        if not told["ISSUER"]:
            orphan = next((name for name in ("AUDIENCE", "JWKS") if told[name]), "")
            if orphan:
                raise _wrong(orphan, "needs MENTORGRAPH_ISSUER; name whose tokens count")
            return None
        for name in ("AUDIENCE", "JWKS"):
            if not told[name]:
                raise _wrong(name, "is not set; MENTORGRAPH_ISSUER needs it")
        where = urlsplit(told["JWKS"])
        if where.scheme == "http" and where.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise _wrong("JWKS", "is not encrypted; keys are fetched by https")
        algorithms = tuple(told["ALGORITHMS"].replace(",", " ").split()) or DEFAULT_ALGORITHMS
        for each in algorithms:
            if each not in PUBLIC_KEY_ALGORITHMS:
                raise _wrong("ALGORITHMS", f"names {each}; choose of {', '.join(PUBLIC_KEY_ALGORITHMS)}")
        try:
            skew_s = float(told["CLOCK_SKEW_S"] or CLOCK_SKEW_S)
        except ValueError:
            skew_s = -1.0
        if not 0 <= skew_s <= 300:
            raise _wrong("CLOCK_SKEW_S", "is not a number of seconds from 0 to 300")
        return cls(
            told["ISSUER"],
            told["AUDIENCE"],
            told["JWKS"],
            algorithms,
            told["SUBJECT_CLAIM"] or "sub",
            told["SUBJECT_SOURCE"] or "bundle",
            told["ROLES_CLAIM"],
            skew_s,
        )


ISSUER_VARIABLES = (
    "ISSUER",
    "AUDIENCE",
    "JWKS",
    "ALGORITHMS",
    "SUBJECT_CLAIM",
    "SUBJECT_SOURCE",
    "ROLES_CLAIM",
    "CLOCK_SKEW_S",
)
"""Names of the variables that say whose tokens count, without MENTORGRAPH_ before them."""


def _wrong(name: str, said: str) -> DomainError:
    return DomainError(f"MENTORGRAPH_{name} {said}.", code="BAD_CONFIGURATION")


class Issuer:
    """Checks the tokens of one sign-in service."""

    def __init__(self, settings: IssuerSettings) -> None:
        self.settings = settings
        self._keys = KeySet(settings.keys)

    async def claims(self, token: str) -> dict[str, Any]:
        """What a token says.

        Raises:
            TokenRefused: It proves nothing.
            DomainError: `SERVICE_UNAVAILABLE`, the keys cannot be had.
        """
        head = _head_of(token)
        algorithm = head.get("alg")
        if algorithm not in self.settings.algorithms:
            raise TokenRefused("it is signed with an algorithm that does not count here")
        found = await self._keys.find(head.get("kid"))
        try:
            key = jwt.PyJWK(found, algorithm=found.get("alg") or str(algorithm))
        except jwt.PyJWTError:
            raise TokenRefused("its key does not fit its algorithm") from None
        return _checked(
            token,
            key,
            self.settings.algorithms,
            issuer=self.settings.issuer,
            audience=self.settings.audience,
            skew_s=self.settings.skew_s,
        )


class KeySet:
    """The public keys of a sign-in service, fetched anew when they age and when a token names an unknown one."""

    def __init__(self, where: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepares it; nothing is fetched before the first token.

        Args:
            where: URL or file of a JWK set.
            clock: Tells seconds since any instant.
        """
        self._where, self._clock = where, clock
        self._keys: dict[str | None, dict[str, Any]] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: object) -> dict[str, Any]:
        """The key of a name; a set of one key serves tokens that name none.

        Raises:
            TokenRefused: There is none.
            DomainError: `SERVICE_UNAVAILABLE`, nothing was fetched for too long.
        """
        now = self._clock()
        if now - self._fetched_at > FRESH_S or self._known(kid) is None:
            async with self._lock:
                if self._clock() - self._tried_at > AGAIN_AFTER_S:
                    await self._fetch()
        if self._clock() - self._fetched_at > STALE_S:
            raise DomainError(
                "the keys of the sign-in service cannot be fetched; try again in a moment", code="SERVICE_UNAVAILABLE"
            )
        found = self._known(kid)
        if found is None:
            raise TokenRefused("it is signed with a key that is not known here")
        return found

    def _known(self, kid: object) -> dict[str, Any] | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid) if isinstance(kid, str) else None

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(2 * FETCHED_WITHIN_S):
                body = await asyncio.to_thread(_read_keys, self._where)
            self._keys = _public_keys(body)
            self._fetched_at = self._clock()
        except (OSError, ValueError, TimeoutError, URLError):
            return  # what is known is used until it is stale


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
        """Follows nothing: keys come from where they were said to be, and from nowhere else."""


def _read_keys(where: str) -> bytes:
    if urlsplit(where).scheme not in ("http", "https"):
        with Path(where).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    asked = Request(where, headers={"Accept": "application/json"})  # noqa: S310 (http or https)
    with build_opener(_NoRedirect()).open(asked, timeout=FETCHED_WITHIN_S) as answer:
        found: bytes = answer.read(MOST_BYTES + 1)
        return found


def _public_keys(body: bytes) -> dict[str | None, dict[str, Any]]:
    """The keys of a JWK set that check signatures, by their names.

    Raises:
        ValueError: It is no JWK set, or too large.
    """
    if len(body) > MOST_BYTES:
        raise ValueError("too large")
    told = orjson.loads(body)
    keys = told.get("keys") if isinstance(told, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise ValueError("no JWK set")
    return {
        each.get("kid"): each
        for each in keys
        if isinstance(each, dict)
        and each.get("kty") in ("RSA", "EC", "OKP")
        and each.get("use", "sig") == "sig"
        and isinstance(each.get("kid"), str | None)
    }


class DevelopmentKey:
    """The key of a home, with which a developer signs tokens for `serve --dev`."""

    def __init__(self, home: Path) -> None:
        self._file = home / DEVELOPMENT_KEY

    def sign(self, person: str, roles: frozenset[str], ttl_s: int) -> str:
        """A token of a person, in roles that they act in instead of their own, or of a role alone.

        Raises:
            OSError: The key cannot be read or written.
        """
        now = int(present().timestamp())
        told = {"iss": DEVELOPMENT, "aud": DEVELOPMENT, "iat": now, "exp": now + ttl_s, "sub": person}
        return jwt.encode({**told, **({"roles": sorted(roles)} if roles else {})}, self._secret(), "HS256")

    def claims(self, token: str) -> dict[str, Any]:
        """What a token says.

        Raises:
            TokenRefused: It proves nothing.
            OSError: The key cannot be read or written.
        """
        _head_of(token)
        return _checked(token, self._secret(), ("HS256",), issuer=DEVELOPMENT, audience=DEVELOPMENT, skew_s=0)

    def _secret(self) -> bytes:
        """The key; made on first use, so that only its owner reads it."""
        if not self._file.exists():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            new = self._file.with_name(f"{self._file.name}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
                opened.write(secrets.token_bytes(32))
            try:
                os.link(new, self._file)  # of two that make one at a time, the first has made it
            except FileExistsError:
                pass
            finally:
                new.unlink()
        return self._file.read_bytes()


def _head_of(token: str) -> dict[str, Any]:
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("it is too long")
    try:
        return jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise TokenRefused("it cannot be read") from None


def _checked(
    token: str, key: jwt.PyJWK | bytes, algorithms: tuple[str, ...], *, issuer: str, audience: str, skew_s: float
) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            key,
            algorithms,
            {"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            audience=audience,
            issuer=issuer,
            leeway=skew_s,
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused("it has expired") from None
    except jwt.ImmatureSignatureError:
        raise TokenRefused("it does not hold yet") from None
    except (jwt.InvalidIssuerError, jwt.InvalidAudienceError):
        raise TokenRefused("it was issued by or for somebody else") from None
    except jwt.PyJWTError:
        raise TokenRefused("its signature or its claims are not in order") from None
