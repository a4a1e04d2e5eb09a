"""Planning ahead: each statement once for all who need it, and anew after the database was away."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.statements import FOLDER, statement
from mentorgraph.graph.store import planning
from mentorgraph.graph.store.planning import Plans, example

pytestmark = pytest.mark.anyio

NAMES = ("read_nodes", "find_existing", "page_goals", "write_goals")


class Planner:
    """A database that plans one statement after the other, when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_away = False
        self._may_answer = asyncio.Semaphore(0)

    async def explain(self, text: str, parameters: Mapping[str, object]) -> None:
        """Note which statement is planned, and take until `answer` lets it."""
        [name] = [each for each in NAMES if text == f"EXPLAIN {statement(each)}"]
        self.asked.append(name)
        if self.is_away:
            raise DomainError("away", code="SERVICE_UNAVAILABLE")
        await self._may_answer.acquire()

    async def answer(self, times: int) -> None:
        """Let some plans get ready."""
        for _ in range(times):
            self._may_answer.release()
            await settled()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def planned() -> AsyncIterator[tuple[Planner, Plans]]:
    planner = Planner()
    plans = Plans(planner.explain)
    async with plans.being_made():
        yield planner, plans


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.cypher")))
async def test_an_example_has_every_parameter(name: str) -> None:
    assert set(example(name)) == set(re.findall(r"\$(\w+)", re.sub(r"^//.*$", "", statement(name), flags=re.M)))


async def test_a_plan_is_made_once_for_all_who_wait_and_goes_on_when_they_leave() -> None:
    async with planned() as (planner, plans):
        waiting = [asyncio.create_task(plans.made("read_nodes", {"uids": [str(each)]})) for each in range(5)]
        await settled()
        for each in waiting[:4]:
            each.cancel()
        await settled()
        assert (planner.asked, waiting[4].done()) == (["read_nodes"], False)
        await planner.answer(1)
        assert waiting[4].done()
        await plans.made("read_nodes", {"uids": ["another", "two"]})
        assert planner.asked == ["read_nodes"]


async def test_other_types_of_parameters_are_another_plan() -> None:
    async with planned() as (planner, plans):
        for uids in (["a"], [], [1], None, "a"):
            made = asyncio.create_task(plans.made("read_nodes", {"uids": uids}))
            await settled()
            await planner.answer(1)
            assert made.done()
        assert planner.asked == ["read_nodes"] * 5


async def test_what_was_sent_is_planned_anew_when_the_database_was_away_and_the_most_needed_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "LOOK_S", 0.01)
    async with planned() as (planner, plans):
        for times, name in ((1, "find_existing"), (3, "page_goals"), (2, "read_nodes")):
            for _ in range(times):
                made = asyncio.create_task(plans.made(name, example(name)))
                await settled()
                await planner.answer(not made.done())
        planner.asked.clear()
        plans.forget()
        await asyncio.sleep(planning.QUIET_S + 0.1)
        # Nobody waits, so one is made after the other; what somebody waits for overtakes them.
        assert planner.asked == ["page_goals"]
        made = asyncio.create_task(plans.made("find_existing", example("find_existing")))
        await settled()
        assert planner.asked == ["page_goals", "find_existing"]
        await planner.answer(2)
        assert made.done()
        # Who has waited for one plan will soon wait for the next, and is not to find the database busy.
        assert planner.asked == ["page_goals", "find_existing"]
        await asyncio.sleep(planning.QUIET_S + 0.1)
        await planner.answer(1)
        assert (planner.asked, plans.missing()) == (["page_goals", "find_existing", "read_nodes"], set())


async def test_a_plan_that_was_begun_before_the_database_was_away_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "QUIET_S", 0.01)
    monkeypatch.setattr(planning, "LOOK_S", 0.01)
    async with planned() as (planner, plans):
        made = asyncio.create_task(plans.made("read_nodes", example("read_nodes")))
        await settled()
        plans.forget()
        await planner.answer(1)
        assert (made.done(), plans.missing()) == (True, {"read_nodes"})
        await asyncio.sleep(0.1)
        await planner.answer(1)
        assert (planner.asked, plans.missing()) == (["read_nodes"] * 2, set())


async def test_nobody_waits_for_a_database_that_is_away_and_plans_are_made_once_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AGAIN_AFTER_S", "QUIET_S", "LOOK_S"):
        monkeypatch.setattr(planning, name, 0.01)
    async with planned() as (planner, plans):
        planner.is_away = True
        async with asyncio.timeout(5):
            await plans.expect(NAMES)
        assert plans.missing() == set(NAMES)
        planner.is_away = False
        async with asyncio.timeout(5):
            while plans.missing():
                await asyncio.sleep(0.01)
                await planner.answer(1)


async def test_a_database_that_was_away_while_nobody_asked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "LOOK_S", 0.01)
    monkeypatch.setattr(planning, "AGAIN_AFTER_S", 0.01)
    async with planned() as (planner, plans):
        made = asyncio.create_task(plans.made("read_nodes", example("read_nodes")))
        await settled()
        await planner.answer(1)
        assert (made.done(), plans.missing()) == (True, set())
        planner.is_away = True
        await planner.answer(2)  # it may be looked at already
        async with asyncio.timeout(5):
            while not plans.missing():
                await asyncio.sleep(0.01)
