"""Ten minutes of mixed load while the database is restarted twice and a worker is killed: true answers, flat memory."""

import asyncio
import random
import statistics
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psutil
import pytest

from mentorgraph.graph.embedded.database import EmbeddedDatabase

from .crowd import Client, Crowd
from .history import History
from .served import Service, serving
from .test_chaos import BUDGET_S, check_people, kill_database, kill_worker, mentee, told

__all__ = ["mentee"]

pytestmark = [pytest.mark.drill, pytest.mark.slow]

CLIENTS = 32
PAUSE_S = 0.5
MINUTES, MINUTE_S = 10, 60.0
FAULTS = {1.5: kill_worker, 4.0: kill_database, 7.0: kill_database}
"""What happens after how many minutes."""
GROWTH = 1.1

Weights = list[tuple[float, float]]


async def weigh(service: Service, weights: Weights, clock: Callable[[], float]) -> None:
    """Note every two seconds how many MiB the workers hold."""
    while True:
        with suppress(psutil.Error):  # one has just ended
            weights.append((clock(), sum(each.memory_info().rss for each in service.workers()) / 2**20))
        await asyncio.sleep(2)


def weight_of(weights: Weights, began: float, minute: int) -> float:
    """The mean of a minute."""
    since = began + (minute - 1) * MINUTE_S
    return statistics.mean(weight for at, weight in weights if since <= at < since + MINUTE_S)


async def load(service: Service, mentee: str) -> tuple[History, list[float], float, float]:
    """What clients noted, how long each fault was felt, and the memory of the third and the last minute."""
    history = History(2 * BUDGET_S)
    crowd = Crowd(history, service.port, mentee, pause_s=PAUSE_S)
    names = [f"round load client {each}" for each in range(CLIENTS)]
    weights: Weights = []
    felt: list[float] = []
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(Client(crowd, name, name))) for name in names]
        await asyncio.gather(*(client.come() for client in clients))
        began = history.clock()
        weighing = asyncio.create_task(weigh(service, weights, history.clock))
        async with asyncio.TaskGroup() as going_on:
            for client in clients:
                going_on.create_task(client.go_on())
            for minutes, fault in FAULTS.items():
                await until(history, began + minutes * MINUTE_S)
                await fault(service, random.Random(0))  # noqa: S311
                history.marks["well"] = history.clock()
                await until(history, history.clock() + MINUTE_S)
                felt.append(history.recovery_s())
            await until(history, began + MINUTES * MINUTE_S)
            crowd.is_over = True
        weighing.cancel()
        await asyncio.gather(*(client.leave() for client in clients))
    await check_people(history, service.database, names)
    return history, felt, weight_of(weights, began, 3), weight_of(weights, began, MINUTES)


async def until(history: History, time: float) -> None:
    await asyncio.sleep(time - history.clock())


def test_ten_minutes_of_mixed_load_with_faults(
    server: EmbeddedDatabase, mentee: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async def run() -> tuple[History, list[float], float, float]:
        async with serving(server, tmp_path) as service:
            return await load(service, mentee)

    history, felt, third, last = asyncio.run(run())
    line = told("ten minutes", history)
    line = f"{line}; felt for {[round(each, 1) for each in felt]} s; {third:.0f} MiB, then {last:.0f} MiB"
    print(line)
    record_property("load", line)
    assert history.faults() == []
    assert last <= GROWTH * third
