"""Who makes a request: from the Authorization header to the viewer of the domain.

First the credentials are checked, which costs no database and happens before anything else of a request is read; then
the graph is asked who that person is now, so that roles that ended and people who left count from the next request on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.datastructures import Headers

from mentorgraph.api.api_keys import PREFIX, ApiKeys
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.tokens import DevelopmentKey, Issuer, IssuerSettings, TokenRefused
from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, SCOPES, Viewer
from mentorgraph.graph.vocabulary import ROLES

VIEWER_HEADER = "Mentorgraph-Viewer"
SCOPE_PREFIX = "mentorgraph:"
"""Before the scopes of ours in the `scope` claim of a token."""


def unauthenticated(said: str) -> DomainError:
    """The refusal of a request that has not shown who makes it."""
    return DomainError(said, code="UNAUTHENTICATED")


SIGN_IN = "Sign in: send the header Authorization: Bearer with a token or a key."
UNKNOWN_PERSON = "You are signed in, but nobody who takes part here has your id."


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request has shown of who makes it.

    Attributes:
        person: uid of the person; empty where a role alone asks.
        roles: The roles in which they act; None for those that they have in the graph.
        at_most: The roles of theirs that count at most; None for all.
        scopes: What the credentials allow at most; empty for everything.
        needs_person: Whether the graph has to know the person; else who is unknown asks in their roles, as nobody.
    """

    person: str = ""
    roles: frozenset[str] | None = None
    at_most: frozenset[str] | None = None
    scopes: frozenset[str] = frozenset()
    needs_person: bool = True


class SignIn:
    """The ways to sign in that one server accepts.

    Args:
        is_demo: Whether everyone is a coordinator, or whoever the header `Mentorgraph-Viewer` names.
        development: Checks development tokens.
        issuer: Checks the tokens of the sign-in service.
        keys: The API keys.
    """

    def __init__(
        self,
        *,
        is_demo: bool = False,
        development: DevelopmentKey | None = None,
        issuer: Issuer | None = None,
        keys: ApiKeys | None = None,
    ) -> None:
        self._is_demo, self._development, self._issuer, self._keys = is_demo, development, issuer, keys

    @classmethod
    def configured(cls, home: Path, environment: Mapping[str, str]) -> "SignIn | None":
        """The sign-in of a server that others can reach; None where neither an issuer nor a key is configured.

        Raises:
            DomainError: `BAD_CONFIGURATION`.
            OSError: The keys cannot be read.
        """
        settings, keys = IssuerSettings.from_environment(environment), ApiKeys(home)
        if settings is None and not keys.all():
            return None
        return cls(issuer=Issuer(settings) if settings else None, keys=keys)

    @classmethod
    def development(cls, home: Path) -> "SignIn":
        """The sign-in of `serve --dev`: tokens that are signed with the home's own key, and API keys."""
        return cls(development=DevelopmentKey(home), keys=ApiKeys(home))

    async def credentials(self, headers: Headers) -> Credentials:
        """Checks what a request shows of who makes it.

        Raises:
            DomainError: `UNAUTHENTICATED`; or `SERVICE_UNAVAILABLE`, the sign-in service's keys cannot be had.
        """
        if self._is_demo:
            return _of_the_demo(headers.get(VIEWER_HEADER))
        shown = headers.getlist("authorization")
        if not shown:
            raise unauthenticated(SIGN_IN)
        scheme, _, text = shown[0].strip().partition(" ")
        text = text.strip()
        if len(shown) > 1 or scheme.lower() != "bearer" or not text:
            raise unauthenticated(f"The Authorization header cannot be read. {SIGN_IN}")
        if text.startswith(PREFIX):
            return self._of_key(text)
        try:
            if self._development:
                return _of_development(self._development.claims(text))
            if self._issuer:
                return _of_issuer(await self._issuer.claims(text), self._issuer.settings)
        except TokenRefused as error:
            raise unauthenticated(f"The token is not accepted: {error}.") from None
        raise unauthenticated("Tokens are not accepted here; send an API key.")

    def _of_key(self, text: str) -> Credentials:
        key = self._keys.find(text, present()) if self._keys else None
        if key is None:
            raise unauthenticated("The API key is not accepted: it is unknown, expired or revoked.")
        return Credentials(key.person, at_most=key.roles or None, scopes=key.scopes)

    @property
    def is_for_others(self) -> bool:
        """Whether others than this machine may call the server."""
        return not self._is_demo and self._development is None

    async def viewer(self, credentials: Credentials, store: Callable[[], Store]) -> Viewer:
        """On whose behalf a request is made, as the graph knows them now.

        Args:
            credentials: What the request has shown.
            store: Gives the graph; asked for only where the credentials are a person's.

        Raises:
            DomainError: `UNAUTHENTICATED`, nobody here is that person, or they have left.
            DatabaseUnavailable: The graph cannot be asked.
        """
        found, has_left = Viewer(), False
        if credentials.person:
            known = await store().read_viewer(credentials.person, present())
            if known is None and credentials.needs_person:
                raise unauthenticated(UNKNOWN_PERSON)
            found, has_left = known or (found, False)
        if has_left and not self._is_demo:
            raise unauthenticated(UNKNOWN_PERSON)
        roles = found.roles if credentials.roles is None else credentials.roles
        if credentials.at_most is not None:
            roles &= credentials.at_most
        return replace(found, roles=roles, scopes=credentials.scopes)


def _of_the_demo(header: str | None) -> Credentials:
    """A coordinator's credentials, or a person's through whose eyes somebody looks: no role of theirs counts."""
    if not header:
        return Credentials(roles=COORDINATOR.roles)
    _, uid = read_global_id(header, expected="Person", field=VIEWER_HEADER)
    return Credentials(uid, frozenset(), needs_person=False)


def _of_development(claims: Mapping[str, object]) -> Credentials:
    named = _words(claims.get("roles"))
    return Credentials(str(claims.get("sub") or ""), named & set(ROLES) if "roles" in claims else None)


def _of_issuer(claims: Mapping[str, object], settings: IssuerSettings) -> Credentials:
    """Who a token of the sign-in service names.

    Raises:
        TokenRefused: It names nobody.
    """
    subject = claims.get(settings.subject_claim)
    roles = None
    if settings.roles_claim:
        roles = _words(claims.get(settings.roles_claim)) & set(ROLES)
    if not isinstance(subject, str) or not subject.strip():
        raise TokenRefused(f"it has no {settings.subject_claim}")
    own = {each.removeprefix(SCOPE_PREFIX) for each in _words(claims.get("scope")) if each.startswith(SCOPE_PREFIX)}
    if own - set(SCOPES):
        raise TokenRefused(f"it has a scope {SCOPE_PREFIX} that is not known here")
    uid = uid_of(settings.source, "people", subject.strip())
    return Credentials(uid, roles, scopes=frozenset(own), needs_person=not roles)


def _words(told: object) -> frozenset[str]:
    """The words of a claim, which is a list or a text with spaces."""
    if isinstance(told, str):
        return frozenset(told.split())
    return frozenset(each for each in told if isinstance(each, str)) if isinstance(told, list) else frozenset()
