"""One list of 20 items with 5 fields: what answering it costs here, and what it costs in other servers.

All servers hold the same list in memory, so what is measured is the way from a request to its answer: HTTP, JSON,
GraphQL. They run at the same time and are asked in turns, by clients of one process.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson

from mentorgraph.api.benchmarks import servers
from mentorgraph.api.benchmarks.clients import Broken, Client, Server, all_at_once, served
from mentorgraph.api.benchmarks.figures import BASELINE, OURS, PEER, Findings, Target, absent, row
from mentorgraph.api.benchmarks.servers import ARIADNE, BARE, MENTORGRAPH, STRAWBERRY
from mentorgraph.graph.embedded.progress import Report

APOLLO = "Apollo Server"
PEERS = {STRAWBERRY: "strawberry", ARIADNE: "ariadne"}
"""Peers in Python, and the packages that they need."""

CLIENTS, TURNS = 4, 10
TIMES_BARE, TIMES_LESS = 2.5, 10
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
"""In such steps a system counts processor time; who spent less than one is taken to have spent one."""

REQUEST = orjson.dumps({"query": servers.QUERY})
_APOLLO = Path(__file__).with_name("apollo.mjs")


def bench_lists(requests: int, apollo: Path | None, settings: Mapping[str, Any], show: Report) -> Findings:
    """Measures every server that can be had.

    Args:
        requests: How often each of them is asked.
        apollo: The folder in which npm has installed Apollo Server; it is left out if none is given.
        settings: What is to be written down beside the figures.
        show: Told how far it is.

    Raises:
        DomainError: `SERVICE_UNAVAILABLE`, a server does not answer, or not what it should.
    """
    commands = {MENTORGRAPH: python(MENTORGRAPH), BARE: python(BARE)}
    notes = [note for peer, package in PEERS.items() if (note := absent(peer, package))]
    commands |= {peer: python(peer) for peer, package in PEERS.items() if not absent(peer, package)}
    if why := _lacks(apollo):
        notes.append(f"{APOLLO} is left out: {why}.")
    else:
        commands[APOLLO] = _node(str(apollo))
    with ExitStack() as stack:
        running = {name: stack.enter_context(served(command)) for name, command in commands.items()}
        measured = asyncio.run(_measured(running, requests, show))
    kinds, bare, ours = {MENTORGRAPH: OURS, BARE: BASELINE}, measured[BARE], measured[MENTORGRAPH]
    rows = [
        row(
            name,
            kinds.get(name, PEER),
            "list",
            **figures,
            to_bare=figures["cpu_us"] / bare["cpu_us"],
            to_ours=figures["cpu_us"] / ours["cpu_us"],
        )
        for name, figures in measured.items()
    ]
    title = f"A list of {servers.ITEMS} × {servers.FIELDS}, {requests:,} requests to each server, {CLIENTS} clients"
    targets = tuple(_targets({name: figures["cpu_us"] for name, figures in measured.items()}))
    return Findings(title, rows, {**settings, "requests": requests}, targets, notes)


def python(name: str) -> Callable[[int], Sequence[str]]:
    """What starts one of the servers of `servers`."""
    return lambda descriptor: [sys.executable, "-m", servers.__name__, name, str(descriptor)]


def _node(folder: str) -> Callable[[int], Sequence[str]]:
    data = orjson.dumps({"schema": servers.SCHEMA, "mentors": servers.mentors()}).decode()
    return lambda descriptor: ["node", str(_APOLLO), folder, str(descriptor), data]


def _lacks(apollo: Path | None) -> str:
    """What is missing for Apollo Server; nothing if it can be had."""
    if apollo is None:
        return "name the folder in which npm has installed @apollo/server and graphql with --apollo"
    if shutil.which("node") is None:
        return "node is not installed"
    if not (apollo / "node_modules" / "@apollo" / "server").is_dir():
        return f"run npm install @apollo/server graphql in {apollo}"
    return ""


async def _measured(running: Mapping[str, Server], requests: int, show: Report) -> dict[str, dict[str, float]]:
    """Processor time of each server, and how fast it answered."""
    cpu_s, wall_s, asked = dict.fromkeys(running, 0.0), dict.fromkeys(running, 0.0), 0
    share = max(1, requests // (TURNS * CLIENTS))

    async def work(client: Client) -> None:
        for _ in range(share):
            await client.ask(REQUEST)

    for name, server in running.items():
        show("Starting servers", 0, 0)
        await _warmed_up(name, server, max(1, requests // 10))
    for turn in range(TURNS):
        show("Asking in turns", turn, TURNS)
        asked += share * CLIENTS
        for name, server in running.items():
            async with server.clients(CLIENTS) as clients:
                before = server.cpu_s
                wall_s[name] += await all_at_once(work, clients)
                cpu_s[name] += server.cpu_s - before
    return {
        name: {
            "cpu_us": max(cpu_s[name], TICK_S) / asked * 1e6,
            "requests_per_s": asked / wall_s[name],
            "memory_mb": server.memory_mb,
        }
        for name, server in running.items()
    }


async def _warmed_up(name: str, server: Server, times: int) -> None:
    """Asks a server until it is as fast as it gets, and sees that it answers as all do."""
    expected = {"mentors": servers.mentors()}
    async with server.clients(1) as [client]:
        for _ in range(times):
            answer = await client.ask(REQUEST)
        if answer.status != 200 or orjson.loads(answer.body).get("data") != expected:
            raise Broken(f"{name} answers {answer.status} with other than the list: {answer.body[:200]!r}")


def _targets(cpu_us: Mapping[str, float]) -> Iterable[Target]:
    ours = cpu_us[MENTORGRAPH]
    ratio = ours / cpu_us[BARE]
    yield Target(f"{ratio:.2f} × the processor time of {BARE}, at most {TIMES_BARE} × is meant", ratio <= TIMES_BARE)
    for peer in PEERS.keys() & cpu_us.keys():
        times = cpu_us[peer] / ours
        yield Target(f"{peer} takes {times:.1f} × ours, {TIMES_LESS} × are meant", times >= TIMES_LESS)
    if APOLLO in cpu_us:
        times = cpu_us[APOLLO] / ours
        yield Target(f"{APOLLO} takes {times:.2f} × ours, more than 1 × is meant", times > 1)
