"""What a client is told when something goes wrong: the one place where errors get their text and code.

Only two kinds of text leave the process: what graphql-core says about the client's own document and variables, and
what a `DomainError` says. Any other exception may carry an address, a password or a statement; the client gets a
reference instead, under which the log holds where the exception came from.
"""

import logging
import secrets
import traceback
from collections.abc import Iterable, Mapping

from graphql import FieldNode, GraphQLError, GraphQLFormattedError

from mentorgraph.graph.errors import DomainError

logger = logging.getLogger(__name__)

STATUS_OF_CODE = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "SERVICE_UNAVAILABLE": 503,
    "TIMEOUT": 504,
    "OUTCOME_UNKNOWN": 504,
}


AGAIN_AFTER_S = 2
"""After so many seconds it is worth asking again where the database or a place was not to be had."""

HEADERS_OF_CODE: Mapping[str, Mapping[str, str]] = {
    "SERVICE_UNAVAILABLE": {"Retry-After": str(AGAIN_AFTER_S)},
    "UNAUTHENTICATED": {"WWW-Authenticate": 'Bearer realm="mentorgraph"'},
}
"""What the status of a code calls for beside it."""


class Refused(Exception):
    """A request that gets errors and no data.

    Attributes:
        errors: The entries of the answer's `errors`.
        status: The HTTP status.
        headers: Headers that the status calls for.

    An entry that tells of a bound names it as `extensions.limit`.
    """

    def __init__(
        self, errors: list[GraphQLFormattedError], *, status: int, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors
        self.status = status
        self.headers = headers or {}


class RequestRefused(Refused):
    """The HTTP request is not one that can be answered."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "BAD_REQUEST",
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        limit: str = "",
    ) -> None:
        extensions = {"code": code, **({"limit": limit} if limit else {})}
        super().__init__([{"message": message, "extensions": extensions}], status=status, headers=headers)


class DocumentRefused(Refused):
    """The HTTP request is fine; its document or variables are not. As application/json this is answered with 200."""

    def __init__(self, reason: str | Iterable[GraphQLError], *, code: str, limit: str = "") -> None:
        if isinstance(reason, str):
            reason = [GraphQLError(reason)]
        errors = present(reason, code=code)
        for error in errors if limit else ():
            error["extensions"]["limit"] = limit
        super().__init__(errors, status=400)


def code_of(refused: Refused) -> str:
    """The code of the first error of a refusal."""
    return str(refused.errors[0]["extensions"]["code"])


def refusal_of(error: Exception) -> Refused:
    """Return what to answer when `error` ended a request before its fields were resolved."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, DomainError):
        status, headers = STATUS_OF_CODE.get(error.code, 400), HEADERS_OF_CODE.get(error.code)
        return Refused([_shown(error)], status=status, headers=headers)
    return Refused([_hidden(_log([error]))], status=500)


def present(errors: Iterable[GraphQLError], *, code: str) -> list[GraphQLFormattedError]:
    """Return the errors as a client may see them, each with `extensions.code`.

    Exceptions that are not for clients are logged under one reference.

    Args:
        errors: What parsing, validation or execution reported.
        code: The code of graphql-core's own complaints about the document or its variables.
    """
    errors = list(errors)
    causes = [_root_cause(error) for error in errors]
    unexpected = [cause for error, cause in zip(errors, causes, strict=True) if not _may_be_shown(error, cause)]
    reference = _log(unexpected) if unexpected else ""
    presented: list[GraphQLFormattedError] = []
    for error, cause in zip(errors, causes, strict=True):
        if isinstance(cause, DomainError):
            entry = _shown(cause)
        elif _may_be_shown(error, cause):
            # A scalar may raise any exception for a value that it cannot read; graphql-core appends its text.
            own_text = "" if isinstance(cause, GraphQLError) else str(cause)
            entry = {"message": error.message.removesuffix(own_text).rstrip("; "), "extensions": {"code": code}}
        else:
            entry = _hidden(reference)
        presented.append({**error.formatted, **entry})
    return presented


def _root_cause(error: GraphQLError) -> Exception:
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error:
        cause = cause.original_error
    return cause


def _may_be_shown(error: GraphQLError, cause: Exception) -> bool:
    """Tell a complaint about the request from an accident while a field was resolved.

    During execution graphql-core's complaints about arguments point at a value in the document, all others at a field.
    """
    is_about_the_request = error.path is None or any(not isinstance(node, FieldNode) for node in error.nodes or ())
    return isinstance(cause, DomainError) or is_about_the_request


def _shown(error: DomainError) -> GraphQLFormattedError:
    field = {"field": error.field} if error.field else {}
    return {"message": error.message, "extensions": {"code": error.code, **field}}


def _hidden(reference: str) -> GraphQLFormattedError:
    return {
        "message": f"Something went wrong on our side (reference {reference}).",
        "extensions": {"code": "INTERNAL", "reference": reference},
    }


def _log(unexpected: list[Exception]) -> str:
    """Log exceptions, the first one with where it came from, and return the reference under which they are found."""
    reference = secrets.token_hex(4).upper()
    logger.error("Reference %s: %d unexpected, first:\n%s", reference, len(unexpected), without_texts(unexpected[0]))
    return reference


def without_texts(error: BaseException) -> str:
    """An exception and its causes for the log: types, codes and lines of our code, but not the messages.

    A message may quote the value that it is about, and so what people wrote of themselves, or a password.
    """
    parts = []
    chain: BaseException | None = error
    while chain is not None:
        code = getattr(chain, "code", None)
        parts.append("".join(traceback.format_tb(chain.__traceback__)))
        parts.append(f"{type(chain).__qualname__}{f' ({code})' if isinstance(code, str) else ''}")
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
        parts.append("\ncaused by\n" if chain else "")
    return "".join(parts)
