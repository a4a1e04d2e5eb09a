"""The ASGI application: which paths there are, and what each answer carries.

The middleware is plain ASGI: starlette's BaseHTTPMiddleware would put a task and two queues between a request and its
endpoint, and hide from the endpoint that its client has left.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from mentorgraph.api.callers import FailedSignIns, address_of
from mentorgraph.api.context import MODELS, RequestContext, Service, recommender_of
from mentorgraph.api.endpoint import COMPRESSED_FROM_BYTES, COMPRESSION, Admission, GraphQLEndpoint
from mentorgraph.api.errors import HEADERS_OF_CODE, STATUS_OF_CODE, Refused
from mentorgraph.api.graphiql import graphiql
from mentorgraph.api.identity import VIEWER_HEADER, Credentials, SignIn
from mentorgraph.api.limits import Limits, StreamLimits
from mentorgraph.api.observing import REQUEST_ID, MetricsPage, ModelInUse, Observed
from mentorgraph.api.schema import schema
from mentorgraph.api.settings import KNOWN, ServeSettings, read_settings
from mentorgraph.api.streaming import ContextFactory
from mentorgraph.api.tracing import tracing_of
from mentorgraph.api.trusted import FOLDER as TRUSTED
from mentorgraph.api.trusted import TrustedDocuments
from mentorgraph.api.websocket import GraphQLSocket
from mentorgraph.api.why import pages
from mentorgraph.embeddings.progress import FILE as TRAINING
from mentorgraph.embeddings.registry import Registry
from mentorgraph.embeddings.reloading import Reloading
from mentorgraph.graph.decisions.log import FOLDER, DecisionLog
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import Scorer
from mentorgraph.graph.rules.policy import chosen_policy, load_policy
from mentorgraph.graph.viewer import Viewer

logger = logging.getLogger(__name__)

READY_WITHIN_S = 2.0
DEMO_VARIABLE = KNOWN["serve.demo"].variable
CREDENTIALS = "mentorgraph.credentials"
"""Where the ASGI scope of a request holds what it has shown of who makes it."""

# A page of another site can make its own name point to this machine; the demo, which asks nobody to sign in, and what a
# developer serves answer to their own names only.
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
REQUESTS_PER_MINUTE = 600
"""Of one caller to one worker, where nothing is set and callers sign in."""
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_SECURITY_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

ReadyCheck = Callable[[], Awaitable[Mapping[str, object]]]


class GraphQLFirst:
    """Middleware that sends what is for `/graphql`, which is nearly everything, there without looking for its route."""

    def __init__(self, endpoint: ASGIApp, socket: ASGIApp, others: ASGIApp) -> None:
        self._endpoint, self._socket, self._others = endpoint, socket, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one connection."""
        app = self._others
        if scope["type"] != "lifespan" and scope["path"] == "/graphql":
            app = self._endpoint if scope["type"] == "http" else self._socket
        await app(scope, receive, send)


class ReadyPage:
    """Answers `/readyz`. The log hears of each change once, however often somebody asks."""

    def __init__(self, ready: ReadyCheck) -> None:
        self._ready = ready
        self._logged = ""

    async def answer(self, request: Request) -> JSONResponse:
        """200 while the database answers, else 503 with what is known of the reason."""
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                found = await self._ready()
        except Exception as error:
            said = error.message if isinstance(error, DomainError) else ""
            if isinstance(error, TimeoutError):
                said = f"the database did not answer within {READY_WITHIN_S:g} seconds"
            self._log(f"Not ready: {said or type(error).__name__}", logging.WARNING)
            told = {"status": "unavailable", **({"reason": said} if said else {})}
            return JSONResponse(told, 503, HEADERS_OF_CODE["SERVICE_UNAVAILABLE"])
        self._log("Ready.", logging.INFO)
        return JSONResponse({"status": "ready", **found})

    def _log(self, line: str, level: int) -> None:
        if line != self._logged:
            logger.log(level, line)
            self._logged = line


def create_app(
    schema: GraphQLSchema,
    *,
    context: ContextFactory,
    ready: ReadyCheck,
    lifespan: Lifespan[Starlette] | None = None,
    limits: Limits | None = None,
    stream_limits: StreamLimits | None = None,
    allowed_hosts: Sequence[str] = ("*",),
    pages: Sequence[BaseRoute] = (),
    trusted: TrustedDocuments | None = None,
    trusted_only: bool = False,
    cors_origins: Sequence[str] = (),
    caller: Callable[[Request], str] = address_of,
    logs_requests: bool = False,
    admit: Admission | None = None,
    tracing: Callable[[ASGIApp], ASGIApp] | None = None,
) -> ASGIApp:
    """Return the application: `/graphql`, `/healthz` (the process lives) and `/readyz` (it can answer), and pages.

    Args:
        schema: What can be asked.
        context: Makes `info.context` for each request; finds what the lifespan yielded in `request.state`.
        ready: Returns what to report when the database answers, raises when it does not.
        lifespan: Opens what the process keeps open, and closes it. It must come up while the database is away: a worker
            whose lifespan fails ends the whole server.
        limits: The bounds of one GraphQL request.
        stream_limits: The bounds of subscriptions.
        allowed_hosts: The names by which clients may call this server, without port.
        pages: What else is served.
        trusted: The documents that may be asked for by their hash.
        trusted_only: Whether all other documents are refused.
        cors_origins: The origins whose pages may ask.
        caller: By what a caller is known whose requests are counted.
        logs_requests: Whether each request is logged.
        admit: Checks who makes a GraphQL request before anything else of it is read.
        tracing: Makes spans of requests and statements.
    """

    async def healthz(request: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"})

    limits, stream_limits = limits or Limits(), stream_limits or StreamLimits()
    endpoint = GraphQLEndpoint(
        schema,
        context=context,
        limits=limits,
        stream_limits=stream_limits,
        trusted=trusted,
        trusted_only=trusted_only,
        caller=caller,
        admit=admit,
    )
    socket = GraphQLSocket(
        endpoint.counted_answers, context=context, limits=limits, streams=stream_limits, origins=cors_origins
    )
    others = Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", ReadyPage(ready).answer), *pages],
        middleware=[Middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM_BYTES, compresslevel=COMPRESSION)],
        lifespan=lifespan,
    )
    others.router.redirect_slashes = False  # a redirected POST loses its body in many clients
    app: ASGIApp = GraphQLFirst(endpoint, socket, others)
    if cors_origins:
        app = cross_origin(app, cors_origins)
    app = TrustedHostMiddleware(app, allowed_hosts=allowed_hosts, www_redirect=False)
    return Observed(tracing(app) if tracing else app, logs=logs_requests, headers=_SECURITY_HEADERS)


def cross_origin(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Return an application that pages of other origins may ask; they send tokens, never cookies."""
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=("Authorization", "Content-Type", VIEWER_HEADER, REQUEST_ID),
        expose_headers=("ETag", "Retry-After", REQUEST_ID),
    )


def from_environment() -> ASGIApp:
    """Return the application that `mentorgraph serve` runs, as the environment describes it.

    Raises:
        DomainError: `BAD_CONFIGURATION`, no way to sign in is configured, or one badly, or traces are wanted
            and what sends them is not installed.
    """
    settings = read_settings()
    home = mentorgraph_home()
    signing_in = sign_in_of(home, settings.serve, os.environ)
    reloading = Reloading(Registry(home / MODELS), load_policy(chosen_policy()))
    service = Service(partial(recommender_of, home), reloading, home / TRAINING)
    trusted = TrustedDocuments(home / TRUSTED)
    return app_of(
        service,
        DecisionLog(home / FOLDER),
        settings.limits,
        settings.streams,
        sign_in=signing_in,
        serving=settings.serve,
        trusted=trusted,
        tracing=tracing_of(os.environ),
    )


def sign_in_of(home: Path, serving: ServeSettings, environment: Mapping[str, str]) -> SignIn:
    """Return how callers of a server sign in.

    Args:
        home: Where keys are kept.
        serving: The settings of the server.
        environment: Names the service whose tokens are taken.

    Raises:
        DomainError: `BAD_CONFIGURATION`.
    """
    if serving.demo:
        return SignIn(is_demo=True)
    if serving.dev:
        return SignIn.development(home)
    found = SignIn.configured(home, environment)
    if found is None:
        raise DomainError(
            "nobody could sign in: set MENTORGRAPH_ISSUER, MENTORGRAPH_AUDIENCE and MENTORGRAPH_JWKS, or make a key "
            "with mentorgraph keys add; on this machine alone, --dev takes tokens of mentorgraph token, and --demo "
            "asks nobody to sign in",
            code="BAD_CONFIGURATION",
        )
    return found


def app_of(
    service: Service,
    decisions: DecisionLog,
    limits: Limits | None = None,
    streams: StreamLimits | None = None,
    *,
    sign_in: SignIn | None = None,
    serving: ServeSettings | None = None,
    trusted: TrustedDocuments | None = None,
    tracing: Callable[[ASGIApp], ASGIApp] | None = None,
) -> ASGIApp:
    """Return the application that answers from a service and keeps its answers in a log; it opens and closes both.

    Args:
        service: What answers.
        decisions: Where answers are kept.
        limits: The bounds of one GraphQL request.
        streams: The bounds of subscriptions.
        sign_in: How callers sign in; the demonstration's, which asks nobody to, unless given.
        serving: What else is set.
        trusted: The documents that may be asked for by their hash.
        tracing: Makes spans of requests and statements.
    """
    signing_in = sign_in or SignIn(is_demo=True)
    serving = serving or ServeSettings()
    # What can be asked is no secret in development; elsewhere front-end teams have the file.
    limits = limits or Limits()
    if not signing_in.is_for_others:
        limits = replace(limits, allows_introspection=True)
    elif not limits.requests_per_minute:
        limits = replace(limits, requests_per_minute=REQUESTS_PER_MINUTE)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with decisions, service:
            yield

    failures = FailedSignIns(limits.failed_sign_ins_per_minute)

    async def admit(request: Request) -> Credentials:
        with failures.counted(request):
            found = request.scope[CREDENTIALS] = await signing_in.credentials(request.headers)
        return found

    def caller(request: Request) -> str:
        shown = request.scope.get(CREDENTIALS)
        return (shown.person if shown else "") or address_of(request)

    async def viewer(request: Request) -> Viewer:
        # Taken once: a stream that renews its context shows its credentials anew, which may have ended meanwhile.
        shown = request.scope.pop(CREDENTIALS, None) or await admit(request)
        return await signing_in.viewer(shown, lambda: service.recommender.store)

    model = ModelInUse()

    async def context(request: Request) -> RequestContext:
        await service.tried()
        renew = partial(context, request)
        scorer = await service.scorer()
        with suppress(DomainError):  # nothing ranks while the database is away
            model.note((scorer or service.recommender.scorer).model_version)
        return RequestContext(await viewer(request), service, decisions, scorer, renew)

    async def graph() -> tuple[Recommender, Scorer | None]:
        await service.tried()
        return service.recommender, await service.scorer()

    async def card(request: Request) -> PlainTextResponse:
        try:
            await admit(request)
        except DomainError as error:
            return PlainTextResponse(
                f"{error.message}\n", STATUS_OF_CODE.get(error.code, 400), HEADERS_OF_CODE.get(error.code)
            )
        except Refused as refused:
            return PlainTextResponse(f"{refused}\n", refused.status, refused.headers)
        found = service.card(request.path_params["version"])
        return PlainTextResponse(found or "No such model.\n", 200 if found else 404, media_type="text/plain")

    return create_app(
        schema,
        context=context,
        ready=service.ready,
        lifespan=lifespan,
        limits=limits,
        stream_limits=streams,
        allowed_hosts=serving.allowed_hosts or ("*",) if signing_in.is_for_others else LOOPBACK_HOSTS,
        admit=admit,
        caller=caller,
        cors_origins=serving.cors_origins,
        trusted=trusted,
        trusted_only=serving.trusted_documents_only,
        logs_requests=serving.access_log,
        tracing=tracing,
        pages=[
            *pages(decisions, viewer, card_link=service.card_link, graph=graph),
            Route("/models/{version}", card),
            *(() if signing_in.is_for_others else graphiql()),
            Route("/metrics", MetricsPage(serving.metrics_token, is_open=not signing_in.is_for_others).answer),
        ],
    )
