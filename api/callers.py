"""How often one caller may ask: a bucket of tokens for each, which fills as time passes.

Each worker counts for itself, so several workers together allow as many times more.
"""

import hashlib
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.requests import Request

from mentorgraph.api.errors import RequestRefused
from mentorgraph.api.headers import header
from mentorgraph.graph.errors import DomainError

BURST_S = 10
"""Whoever was silent for so long may ask at once for what the time allows."""

MOST_CALLERS = 10_000
"""Callers who are remembered; whoever asked longest ago is forgotten first."""

ROUNDING = 1e-6


class Rate:
    """Counts the requests of each caller."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepares the buckets.

        Args:
            per_minute: Requests that a caller may make in a minute, one after the other.
            clock: Seconds that only grow.
        """
        self._per_second = per_minute / 60
        self._most = max(1.0, self._per_second * BURST_S)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str, *, takes: bool = True) -> int:
        """Takes a token of a caller's; returns 0, or after how many whole seconds there is one again.

        Args:
            caller: Who.
            takes: Whether the token is taken, or only looked for.
        """
        now = self._clock()
        tokens, seen = self._buckets.pop(caller, (self._most, now))
        tokens = min(self._most, tokens + (now - seen) * self._per_second)
        is_allowed = tokens > 1 - ROUNDING
        self._buckets[caller] = (tokens - 1 if is_allowed and takes else tokens, now)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return 0 if is_allowed else math.ceil((1 - tokens) / self._per_second - ROUNDING)


def too_often(told: str, wait_s: int, limit: str) -> RequestRefused:
    """The refusal of whoever has no token left, see `Rate.wait_s`; `limit` is counted in the metrics."""
    return RequestRefused(
        f"{told} in {wait_s} s.",
        code="RATE_LIMITED",
        status=429,
        headers={"Retry-After": str(wait_s)},
        limit=limit,
    )


class FailedSignIns:
    """Turns away an address that has shown too many credentials that are none.

    What it showed and was accepted counts on, so that nobody is locked out by others who share the address, as behind a
    proxy; what was accepted is known by its hash.

    Args:
        per_minute: Failures of one address in a minute; as many as fit into ten seconds at once.
        clock: Seconds that only grow.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = Rate(per_minute, clock)
        self._accepted: OrderedDict[bytes, None] = OrderedDict()

    @contextmanager
    def counted(self, request: Request) -> Iterator[None]:
        """Around the check of what a request shows of who makes it.

        Raises:
            RequestRefused: Too many were refused before; nothing is checked.
        """
        shown = header(request.scope, b"authorization")
        hashed, address = hashlib.sha256(shown.encode()).digest(), address_of(request)
        if hashed not in self._accepted and (wait_s := self._failures.wait_s(address, takes=False)):
            raise too_often("Too many attempts to sign in failed; try again", wait_s, "sign_in")
        try:
            yield
        except DomainError as error:
            if error.code == "UNAUTHENTICATED" and shown:  # who shows nothing tries nothing
                self._accepted.pop(hashed, None)
                self._failures.wait_s(address)
            raise
        self._accepted[hashed] = None
        self._accepted.move_to_end(hashed)
        if len(self._accepted) > MOST_CALLERS:
            self._accepted.popitem(last=False)


def address_of(request: Request) -> str:
    """By what a caller is known who has not signed in: the address, of IPv6 the network that one household has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
