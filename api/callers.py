"""How often one caller may ask: a bucket of tokens for each, which fills as time passes.

Each worker counts for itself, so several workers together allow as many times more.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request

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

    def wait_s(self, caller: str) -> int:
        """Takes a token of a caller's; returns 0, or after how many whole seconds there is one again."""
        now = self._clock()
        tokens, seen = self._buckets.pop(caller, (self._most, now))
        tokens = min(self._most, tokens + (now - seen) * self._per_second)
        is_allowed = tokens > 1 - ROUNDING
        self._buckets[caller] = (tokens - 1 if is_allowed else tokens, now)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return 0 if is_allowed else math.ceil((1 - tokens) / self._per_second - ROUNDING)


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
