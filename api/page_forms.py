"""Forms of pages: what was filled in, and that it was filled in on a page of ours.

Another site can have a browser send a form here, yet it can neither read nor set the cookie of this one; the same token
stands in the cookie and in the form, and a browser that says where a form comes from has to say that it is from here.
"""

import hmac
import secrets
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from mentorgraph.graph.errors import DomainError

COOKIE = "mentorgraph-form"
FIELD = "token"
TOKEN_BYTES = 32
LONGEST_FORM = 64 * 1024
"""Bytes of a form at most."""


def token_of(request: Request) -> str:
    """The token of whoever asks, new where they have none."""
    held = request.cookies.get(COOKIE, "")
    return held if len(held) >= TOKEN_BYTES else secrets.token_urlsafe(TOKEN_BYTES)


def remember(response: Response, request: Request, token: str, path: str) -> None:
    """Has the browser keep a token for the forms below a path."""
    is_secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, path=path, httponly=True, samesite="strict", secure=is_secure)


async def filled_in(request: Request) -> dict[str, str]:
    """The fields of a form that was sent from a page of ours; of several of one name the first.

    Raises:
        DomainError: `FORBIDDEN`, it comes from elsewhere; `BAD_USER_INPUT`, it is no form, or too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise DomainError("This is not a form of this page.", code="BAD_USER_INPUT")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_FORM:
            raise DomainError("This form is too long.", code="BAD_USER_INPUT")
    try:
        found = {name: values[0] for name, values in parse_qs(body.decode(), max_num_fields=50).items()}
    except ValueError:
        raise DomainError("This form cannot be read.", code="BAD_USER_INPUT") from None
    if not _is_from_here(request, found.get(FIELD, "")):
        raise DomainError("This form does not come from this page. Load the page and send it again.", code="FORBIDDEN")
    return found


def _is_from_here(request: Request, token: str) -> bool:
    held = request.cookies.get(COOKIE, "")
    if len(held) < TOKEN_BYTES or not hmac.compare_digest(held.encode(), token.encode()):
        return False
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin", "null")  # "null" where the page tells nobody where it is
    return origin == "null" or urlsplit(origin).netloc == request.headers.get("host", "")
