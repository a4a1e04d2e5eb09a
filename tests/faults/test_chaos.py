"""Seeded rounds in which something breaks while clients write and read; what they were told has to be true."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from mentorgraph.graph.embedded import database as embedded
from mentorgraph.graph.embedded.database import EmbeddedDatabase, attach
from mentorgraph.graph.embedded.lines import LINES
from mentorgraph.graph.world.community import generate

from ..api.conftest import fill
from ..api.test_workers import mentee_of
from ..conftest import run_directly
from ..graph.embedded.test_running_database import fill_the_disk
from .crowd import Client, Crowd
from .history import History, Read
from .proxy import Loss
from .served import WORKERS, Service, eventually, serving

pytestmark = pytest.mark.drill

BUDGET_S = 5.0
CLIENTS = 6
PARTS = 10
"""The rounds are dealt out to so many tests, of which one is a sample."""

PEOPLE = """
MATCH (person:Person) WHERE person.name STARTS WITH 'round '
RETURN person.name AS name, COUNT {
  MATCH (person)-[:CONSENTED]->(consent:Consent) WHERE consent.purpose IN ['matching', 'training']
  RETURN DISTINCT consent.purpose
} AS purposes
"""

Fault = Callable[[Service, random.Random], Awaitable[None]]


async def kill_database(service: Service, _chance: random.Random) -> None:
    await service.restart_database()


async def pause_database(service: Service, chance: random.Random) -> None:
    os.kill(service.java(), signal.SIGSTOP)
    try:
        await asyncio.sleep(chance.uniform(1, 8))
    finally:
        os.kill(service.java(), signal.SIGCONT)


async def swallow_packets(service: Service, chance: random.Random) -> None:
    service.proxy.swallow()
    await asyncio.sleep(chance.uniform(1, 8))
    service.proxy.let_through()


async def cut_at_commit(service: Service, chance: random.Random) -> None:
    commits = chance.randint(3, 8)
    service.proxy.at_commits = [chance.choice((Loss.ANSWER, Loss.ANSWER, Loss.MESSAGE)) for _ in range(commits)]
    await eventually(lambda: not service.proxy.at_commits)


async def break_connections(service: Service, chance: random.Random) -> None:
    for _ in range(5):
        service.proxy.reset()
        await asyncio.sleep(chance.uniform(0.05, 0.3))


async def slow_down(service: Service, chance: random.Random) -> None:
    service.proxy.bytes_per_s = 20_000
    await asyncio.sleep(chance.uniform(2, 6))
    service.proxy.let_through()


async def kill_worker(service: Service, chance: random.Random) -> None:
    killed = chance.choice(service.workers())
    killed.kill()
    await eventually(lambda: killed not in (found := service.workers()) and len(found) == WORKERS)


async def pause_worker(service: Service, chance: random.Random) -> None:
    worker = chance.choice(service.workers())
    worker.suspend()
    await asyncio.sleep(chance.uniform(1, 4))
    worker.resume()


async def stop_worker(service: Service, chance: random.Random) -> None:
    worker = chance.choice(service.workers())
    worker.suspend()
    await eventually(lambda: worker not in (found := service.workers()) and len(found) == WORKERS)


FAULTS: dict[str, Fault] = {
    "connections are cut at COMMIT": cut_at_commit,
    "a worker is killed": kill_worker,
    "the database is killed": kill_database,
    "the database is paused": pause_database,
    "packets are swallowed": swallow_packets,
    "connections break": break_connections,
    "20 kB/s": slow_down,
    "a worker is paused": pause_worker,
    "a worker is stopped for good": stop_worker,
}


async def play(service: Service, mentee: str, number: object, fault: Fault, clients: int = CLIENTS) -> History:
    """One round: clients come, write and read, something breaks and is well again, and all is looked at once more."""
    chance = random.Random(f"round {number}")  # noqa: S311
    history = History(2 * BUDGET_S)
    crowd = Crowd(history, service.port, mentee)
    names = [f"round {number} client {each}" for each in range(clients)]
    with ExitStack() as stack:
        all_clients = [stack.enter_context(closing(Client(crowd, name, name))) for name in names]
        await asyncio.gather(*(client.come() for client in all_clients))
        async with asyncio.TaskGroup() as going_on:
            for client in all_clients:
                going_on.create_task(client.go_on())
            await asyncio.sleep(chance.uniform(0.3, 1))
            await fault(service, chance)
            history.marks["well"] = history.clock()
            await asyncio.sleep(1.5)
            crowd.is_over = True
        await asyncio.gather(*(client.leave() for client in all_clients))
    await check_people(history, service.database, names)
    return history


async def check_people(history: History, database: EmbeddedDatabase, names: Sequence[str]) -> None:
    """Note who is in the graph of those whom some clients have registered, and of whom only a part is."""
    asked = history.clock()
    rows = await asyncio.to_thread(run_directly, database, PEOPLE)
    own = [row for row in rows if row["name"].rpartition(" ")[0] in names]
    seen = Counter(row["name"] for row in own)
    halves = frozenset(row["name"] for row in own if row["purposes"] != 2)
    history.collection("people").reads.append(Read(asked, history.clock(), seen, halves))


def told(name: str, history: History) -> str:
    """A line about a round."""
    times = f"longest {history.longest_s:.1f} s, recovered in {history.recovery_s():.1f} s"
    return f"{name}: {history.counts} {dict(history.codes)}, {times}"


@pytest.fixture(scope="module")
def mentee(server: EmbeddedDatabase) -> str:
    """Somebody in a small community."""
    world = generate(people=50, months=6, seed=1)
    asyncio.run(fill(server, world))
    return mentee_of(world)


@pytest.mark.parametrize("part", [0, *(pytest.param(each, marks=pytest.mark.slow) for each in range(1, PARTS))])
def test_what_clients_were_told_is_true_whatever_breaks(
    part: int,
    server: EmbeddedDatabase,
    mentee: str,
    tmp_path: Path,
    count: Callable[[int, int], int],
    record_property: Callable[[str, object], None],
) -> None:
    numbers = range(part, part + PARTS * count(1, 100 // PARTS), PARTS)

    async def rounds() -> dict[str, list[str]]:
        faults: dict[str, list[str]] = {}
        async with serving(server, tmp_path) as service:
            if len(numbers) > 1:  # the database plans its statements, which is no part of the figures
                await play(service, mentee, f"{part} of warming up", nothing)
            for number in numbers:
                name, fault = [*FAULTS.items()][number % len(FAULTS)]
                history = await play(service, mentee, number, fault)
                line = told(name, history)
                print(line, flush=True)
                record_property(f"round {number}", line)
                if found := history.faults():
                    faults[f"{number} {name}"] = found
        return faults

    assert asyncio.run(rounds()) == {}
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")


async def lose_answers(service: Service, _chance: random.Random) -> None:
    service.proxy.at_commits = [Loss.ANSWER] * 10
    await eventually(lambda: not service.proxy.at_commits)


async def swallow_for_long(service: Service, _chance: random.Random) -> None:
    service.proxy.swallow()
    await asyncio.sleep(2 * BUDGET_S + 2)
    service.proxy.let_through()


async def nothing(_service: Service, _chance: random.Random) -> None:
    await asyncio.sleep(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("factory", "fault", "settings", "fault_told"),
    [
        ("unprotected:forgetful", lose_answers, {}, "is there 2 times"),
        ("unprotected:stale", nothing, {}, "where 'agreed' was acknowledged"),
        ("unprotected:patient", swallow_for_long, {"MENTORGRAPH_EXECUTION_S": "60"}, " took 1"),
    ],
)
def test_a_service_without_a_protection_is_caught(
    factory: str,
    fault: Fault,
    settings: dict[str, str],
    fault_told: str,
    server: EmbeddedDatabase,
    mentee: str,
    tmp_path: Path,
) -> None:
    async def one_round(factory: str) -> list[str]:
        async with serving(server, tmp_path, factory=factory, **settings) as service:
            return (await play(service, mentee, factory, fault)).faults()

    assert any(fault_told in each for each in asyncio.run(one_round(factory)))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root can mount a small disk, on Linux")
def test_what_clients_were_told_is_true_though_the_disk_of_the_database_is_full(
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: Callable[[int, int], int],
    record_property: Callable[[str, object], None],
) -> None:
    small, home = tmp_path / "small", tmp_path / "home"
    small.mkdir()
    home.mkdir()
    monkeypatch.setenv("MENTORGRAPH_DISK_RESERVE_MIB", "40")

    async def fill_up(service: Service, _chance: random.Random) -> None:
        filler = small / "filler"
        await asyncio.to_thread(fill_the_disk, filler, 2**16)
        await eventually(lambda: embedded.status(small).state in {"waiting", "restarting"})
        await asyncio.sleep(1)
        filler.unlink()
        await eventually(lambda: embedded.status(small).state == "ready")

    async def rounds(database: EmbeddedDatabase) -> list[str]:
        world = generate(people=50, months=6, seed=1)
        await fill(database, world)
        faults = []
        async with serving(database, home) as service:
            for number in range(count(1, 5)):
                history = await play(service, mentee_of(world), number, fill_up)
                line = told("the disk is full", history)
                print(line, flush=True)
                record_property(f"round {number}", line)
                faults += history.faults()
        return faults

    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", small], check=True)
    try:
        with attach(small, LINES[line]) as database:
            assert asyncio.run(rounds(database)) == []
        embedded.stop(small)
    finally:
        subprocess.run(["umount", "-l", small], check=True)
