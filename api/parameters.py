"""What a GraphQL request asks for, read from HTTP and checked for its shape.

JSON is read by orjson, which refuses what makes other parsers fall over later: lone surrogates, bytes that are not
UTF-8, NaN, a hundred thousand brackets.
"""

import asyncio
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from mentorgraph.api.begun import Begun
from mentorgraph.api.errors import RequestRefused
from mentorgraph.api.headers import header
from mentorgraph.api.limits import Limits
from mentorgraph.api.trusted import HASH, hash_of

T = TypeVar("T")


class Parameters(NamedTuple):
    """The parameters of one GraphQL request.

    Attributes:
        query: The document; empty where only its hash is told.
        document_hash: SHA-256 of the trusted document that is told in place of it, else None.
        operation_name: Which operation of the document is meant.
        variables: Values of its variables.
        extensions: What else was sent.
    """

    query: str
    document_hash: str | None
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]


async def read_parameters(request: Request, limits: Limits) -> Parameters:
    """Return the parameters that a request carries in its query string (GET, HEAD) or in its body (POST).

    Raises:
        RequestRefused: The request is not as the GraphQL-over-HTTP specification wants it.
        ClientDisconnect: The client left before the end of its body.
    """
    sent: object
    if request.method in {"GET", "HEAD"}:
        sent = _query_string(request)
    elif request.method == "POST":
        scope = request.scope
        _check_content_type(header(scope, b"content-type"), header(scope, b"content-encoding") or "identity")
        sent = _json(await _body(request, limits), "body")
    else:
        raise RequestRefused(
            "GraphQL is answered on GET and POST.",
            code="METHOD_NOT_ALLOWED",
            status=405,
            headers={"Allow": "GET, HEAD, POST"},
        )
    return parameters_of(sent, "body")


def parameters_of(sent: object, where: str) -> Parameters:
    """Return the parameters that stand in a JSON value, which `where` names in messages.

    Raises:
        RequestRefused: It is not as the GraphQL-over-HTTP specification wants it.
    """
    if isinstance(sent, list):
        raise RequestRefused("Several requests in one array are not answered: send them one by one.")
    if not isinstance(sent, dict):
        raise RequestRefused(f"The {where} is not a JSON object.")
    query = _typed(sent, "query", str)
    extensions = _typed(sent, "extensions", dict) or {}
    document_hash = _document_hash(_typed(sent, "documentId", str), extensions)
    if query is None and document_hash is None:
        raise RequestRefused("The parameter 'query' is missing.")
    if query is not None and document_hash is not None and hash_of(query) != document_hash:
        raise RequestRefused("The hash is not that of the query: send one of them.")
    return Parameters(
        query=query or "",
        document_hash=document_hash if query is None else None,
        operation_name=_typed(sent, "operationName", str),
        variables=_typed(sent, "variables", dict) or {},
        extensions=extensions,
    )


def _document_hash(document_id: str | None, extensions: dict[str, Any]) -> str | None:
    """Return the hash by which a request names its document, if it does: as documentId, or in Apollo's form."""
    if document_id is not None:
        scheme, _, found = document_id.partition(":")
        if scheme != "sha256" or not HASH.fullmatch(found):
            raise RequestRefused("A documentId is sha256: and 64 digits of lower-case hexadecimal.")
        return found
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise RequestRefused("The extension 'persistedQuery' is not an object of version 1.")
    named = persisted.get("sha256Hash")
    if not isinstance(named, str) or not HASH.fullmatch(named):
        raise RequestRefused("The sha256Hash of the extension 'persistedQuery' is 64 digits of lower-case hexadecimal.")
    return named


def _typed(sent: dict[str, object], name: str, wanted: type[T]) -> T | None:
    """Return a parameter that is of the wanted type, or null, or absent."""
    value = sent.get(name)
    if value is not None and not isinstance(value, wanted):
        raise RequestRefused(f"The parameter '{name}' is not {'a string' if wanted is str else 'an object'}.")
    return value


def _query_string(request: Request) -> dict[str, object]:
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode(), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        raise RequestRefused("The query string is not valid UTF-8, or has too many parameters.") from None
    sent: dict[str, object] = dict(pairs)
    if len(sent) < len(pairs):
        raise RequestRefused("A parameter stands more than once in the query string.")
    for name in sent.keys() & {"variables", "extensions"}:
        sent[name] = _json(str(sent[name]), f"parameter '{name}'")
    return sent


@lru_cache(maxsize=64)
def _check_content_type(content_type: str, encoding: str) -> None:
    """Let JSON in UTF-8 pass: browsers ask permission before they send that to another origin."""
    media_type, *parameters = (part.strip() for part in content_type.lower().split(";"))
    charsets = {part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")}
    if media_type != "application/json" or charsets - {"utf-8", "utf8"} or encoding.lower() != "identity":
        raise RequestRefused(
            "Send the request as application/json in UTF-8, not compressed.",
            code="UNSUPPORTED_MEDIA_TYPE",
            status=415,
            headers={"Accept": "application/json"},
        )


async def _body(request: Request, limits: Limits) -> bytes:
    begun = Begun(_received(request.receive, limits.max_body_bytes))
    if begun.is_over:
        return begun.result
    try:
        async with asyncio.timeout(limits.receipt_s):
            return await begun
    except TimeoutError:
        raise RequestRefused(
            f"The body did not arrive within {limits.receipt_s:g} seconds.",
            code="TIMEOUT",
            status=408,
            headers={"Connection": "close"},
            limit="receipt",
        ) from None


async def _received(receive: Receive, most: int) -> bytes:
    body, is_whole = bytearray(), False
    while not is_whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > most:
            raise RequestRefused(
                f"The body is larger than {most} bytes.", code="LIMIT_EXCEEDED", status=413, limit="body"
            )
        is_whole = not message.get("more_body", False)
    return bytes(body)


def _json(text: str | bytes, where: str) -> object:
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RequestRefused(f"The {where} is not valid JSON in UTF-8.") from None
    return value
