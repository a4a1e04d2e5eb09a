"""The service itself under load: lists of mentors, the same with their reasons, and a mixture with writes.

The server is a process of its own, as `mentorgraph serve --demo` starts it. Its clients ask again as soon as they have
an answer, so what is measured is how long somebody waits while so many others ask too.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from mentorgraph.api.benchmarks.clients import Client, Server, all_at_once
from mentorgraph.api.benchmarks.figures import OURS, Findings, Target, row, spread
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.errors import DomainError

READY_WITHIN_S = 90.0
MOST_ASKERS = 50
UNAVAILABLE = "SERVICE_UNAVAILABLE"

LIST = """
query ($mentee: ID!, $goal: ID!) {
  recommendMentors(menteeId: $mentee, goalId: $goal, first: 10) {
    edges { node { rank score mentor { id name } } }
  }
}
"""
WITH_PATHS = """
query ($mentee: ID!, $goal: ID!) {
  recommendMentors(menteeId: $mentee, goalId: $goal, first: 10) {
    edges { node { rank score mentor { id name } sentences paths { sentence weight steps { kind label since } } } }
  }
}
"""
GOALS = "query ($mentee: ID!) { goals(personId: $mentee, first: 20) { edges { node { id title createdAt } } } }"
WRITE = """
mutation ($mentee: ID!, $title: String!) {
  createGoal(input: { personId: $mentee, title: $title }) { goal { id } userErrors { code } }
}
"""

Asker = tuple[str, str]
"""Global ids of a mentee and of one of their goals."""

MIXTURE = {LIST: 6, WITH_PATHS: 1, GOALS: 2, WRITE: 1}
"""Of ten requests, how many are which."""

WORK: Mapping[str, Mapping[str, int]] = {
    "list of 10": {LIST: 1},
    "list of 10 with paths": {WITH_PATHS: 1},
    "mixture with writes": MIXTURE,
}


@dataclass
class _Tally:
    """What clients have seen.

    Attributes:
        seconds: How long each request took that was answered without errors.
        errors: How often which code was answered.
    """

    seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


async def bench_load(
    server: Server,
    askers: Sequence[Asker],
    *,
    clients: Sequence[int],
    seconds: float,
    seed: int,
    settings: Mapping[str, Any],
    show: Report,
) -> Findings:
    """Measures each kind of work with each number of clients.

    Args:
        server: What answers.
        askers: For whom lists may be asked; those who get none are left out.
        clients: How many ask at the same time.
        seconds: For how long.
        seed: Decides who is asked for.
        settings: What is to be written down beside the figures.
        show: Told how far it is.

    Raises:
        DomainError: `SERVICE_UNAVAILABLE`, the server does not answer; `BAD_USER_INPUT`, nobody gets a list, which may
            be since it does not get ready.
    """
    answered = await _who_is_answered(server, askers, show)
    found, notes, step = [], [], 0
    for name, shares in WORK.items():
        for count in clients:
            show(f"{name}, {count} clients", step, len(WORK) * len(clients))
            step += 1
            tally, cpu_s = _Tally(), server.cpu_s
            async with server.clients(count) as connected:
                work = _asking(shares, answered, seconds, random.Random(seed), tally)  # noqa: S311
                took_s = await all_at_once(work, connected)
            asked = len(tally.seconds) + tally.errors.total()
            times = {**spread(tally.seconds), "p99_ms": _p99_ms(tally.seconds)} if tally.seconds else {}
            spent = {"cpu_ms": (server.cpu_s - cpu_s) / asked * 1e3, "memory_mb": server.memory_mb}
            counted = {"requests": asked, "errors": tally.errors.total()}
            group = f"{count} client{'s' if count > 1 else ''}"
            found.append(row(name, OURS, "", group, **times, requests_per_s=asked / took_s, **counted, **spent))
            if tally.errors:
                codes = ", ".join(f"{code} {times}" for code, times in tally.errors.most_common())
                notes.append(f"{name}, {group}: {codes}")
    failed = sum(each["errors"] for each in found)
    total = sum(each["requests"] for each in found)
    targets = (Target(f"{failed} of {total:,} requests were answered with errors, none is meant", not failed),)
    told = {**settings, "askers": len(answered), "seconds": seconds, "clients": list(clients)}
    return Findings(f"The service under load, {seconds:g} s each", found, told, targets, notes)


def _p99_ms(seconds: Sequence[float]) -> float:
    return float(np.quantile(seconds, 0.99) * 1e3)


def _asking(
    shares: Mapping[str, int], askers: Sequence[Asker], seconds: float, chance: random.Random, tally: _Tally
) -> Callable[[Client], Any]:
    """What one client does."""
    queries, weights, until = list(shares), list(shares.values()), time.perf_counter() + seconds

    async def work(client: Client) -> None:
        while (began := time.perf_counter()) < until:
            [query] = chance.choices(queries, weights)
            mentee, goal = chance.choice(askers)
            code = await _code(client, query, {"mentee": mentee, "goal": goal, "title": f"Goal {chance.random():.9f}"})
            if code:
                tally.errors[code] += 1
            else:
                tally.seconds.append(time.perf_counter() - began)

    return work


async def _code(client: Client, query: str, values: Mapping[str, str]) -> str:
    """Asks, and returns the code of the first error of the answer; nothing if it has none."""
    variables = {name: value for name, value in values.items() if f"${name}:" in query}
    answer = await client.ask(orjson.dumps({"query": query, "variables": variables}))
    told = orjson.loads(answer.body)
    for error in told.get("errors", ()):
        return str(error["extensions"]["code"])
    for payload in told["data"].values():
        for error in payload.get("userErrors", ()):
            return str(error["code"])
    return "" if answer.status == 200 else f"HTTP {answer.status}"


async def _who_is_answered(server: Server, askers: Sequence[Asker], show: Report) -> list[Asker]:
    """Those to whom mentors may be recommended, once the server is ready."""
    deadline, found, refused = time.monotonic() + READY_WITHIN_S, list[Asker](), Counter[str]()
    async with server.clients(1) as [client]:
        for place, (mentee, goal) in enumerate(askers[:MOST_ASKERS]):
            show("Warming up", place, min(len(askers), MOST_ASKERS))
            while (code := await _code(client, LIST, {"mentee": mentee, "goal": goal})) == UNAVAILABLE:
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(0.3)
            refused[code] += 1
            found += [] if code else [(mentee, goal)]
    if not found:
        raise DomainError(f"nobody gets a list: {dict(refused)}", code="BAD_USER_INPUT")
    return found
