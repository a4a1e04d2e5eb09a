"""Has the database plan each statement once, for all who need it, and anew after the database was away.

A database that has just started plans a statement when it is first sent, which takes a tenth of a second, and several
seconds on a busy machine. A request whose time is over meanwhile takes its plan with it, and the next one begins anew;
inside a transaction all who write wait for that. So a plan is asked for beside the requests, by EXPLAIN, which carries
nothing out. It goes on when they leave, and is there for whoever comes next.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.statements import statement
from mentorgraph.graph.store.matching_reads import NOTHING

AT_ONCE = 2
"""Plans that are made at the same time."""
QUIET_S = 0.2
"""What nobody waits for is made, one by one, once nobody has waited for anything for so long: who waits for a plan will
soon wait for the next one."""
AGAIN_AFTER_S = 0.25
LOOK_S = 2.0
"""How often the database is asked for a plan that it should have, to see whether it was away."""

_OF_TYPE: Mapping[str, object] = {
    "boolean": False,
    "instant": datetime(2000, 1, 1, tzinfo=UTC),
    "integer": 0,
    "list of maps": [{}],
    "list of strings": [NOTHING],
    "map": {},
    "string": NOTHING,
}
"""What a parameter is described with in `cypher/` → a value of that type."""
_PARAMETER = re.compile(rf"^// \$(\w+): ({'|'.join(_OF_TYPE)})\b", re.MULTILINE)


def example(name: str) -> dict[str, object]:
    """Parameters of the types that a statement is described with."""
    return {parameter: _OF_TYPE[described] for parameter, described in _PARAMETER.findall(statement(name))}


@dataclass(slots=True)
class _Plan:
    """A plan for one statement with parameters of some types.

    Attributes:
        name: The statement.
        parameters: Values of these types that tell nothing.
        is_made: Whether the database has it, as far as is known.
        is_in_work: Whether it is being made.
        asked: How often it was needed.
        waiting: How many wait for it.
        tried: Set when an attempt to make it has ended.
    """

    name: str
    parameters: Mapping[str, object]
    is_made: bool = False
    is_in_work: bool = False
    asked: int = 0
    waiting: int = 0
    tried: asyncio.Event = field(default_factory=asyncio.Event)


class Plans:
    """The plans that one database has, or shall have.

    Args:
        explain: Sends a text with parameters; raises `DomainError` where the database does not answer.
    """

    def __init__(self, explain: Callable[[str, Mapping[str, object]], Awaitable[None]]) -> None:
        self._explain = explain
        self._plans: dict[tuple[object, ...], _Plan] = {}
        self._is_wanted = asyncio.Event()
        self._waited_at = 0.0
        self._forgotten = 0

    @asynccontextmanager
    async def being_made(self) -> AsyncIterator[None]:
        """Makes plans while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            making = [tasks.create_task(self._make_wanted()) for _ in range(AT_ONCE)]
            making.append(tasks.create_task(self._make_ahead()))
            try:
                yield
            finally:
                for each in making:
                    each.cancel()

    async def expect(self, names: Iterable[str]) -> None:
        """Has statements planned that will be sent, and waits for them; the database may fail to."""
        await asyncio.gather(*(self.made(name, example(name)) for name in names))

    async def made(self, name: str, parameters: Mapping[str, object]) -> None:
        """Waits until the database has a plan for a statement, or has failed to make one."""
        types = (name, *(_type(parameters[each]) for each in sorted(parameters)))
        plan = self._plans.get(types)
        if plan is None:
            told = {each: _telling_nothing(value) for each, value in parameters.items()}
            plan = self._plans[types] = _Plan(name, told)
        plan.asked += 1
        if plan.is_made:
            return
        plan.waiting += 1
        self._is_wanted.set()
        try:
            await plan.tried.wait()
        finally:
            plan.waiting -= 1
            self._waited_at = asyncio.get_running_loop().time()

    def forget(self) -> None:
        """Has all plans made anew, as the database may have been started anew."""
        self._forgotten += 1
        for plan in self._plans.values():
            plan.is_made = False
            if plan.tried.is_set():
                plan.tried = asyncio.Event()

    def needed(self) -> list[str]:
        """The statements that were needed, one of them for each combination of types."""
        return sorted(plan.name for plan in self._plans.values())

    def missing(self) -> set[str]:
        """The statements of which a plan is not made."""
        return {plan.name for plan in self._plans.values() if not plan.is_made}

    async def _make_wanted(self) -> None:
        """Makes what is waited for, by most first."""
        while True:
            plan = self._next(lambda plan: plan.waiting > 0)
            if plan is not None:
                await self._make(plan)
            else:
                self._is_wanted.clear()
                await self._is_wanted.wait()

    async def _make_ahead(self) -> None:
        """Makes what nobody waits for, what was needed most first, and looks after the database."""
        while True:
            await asyncio.sleep(QUIET_S if self.missing() else LOOK_S)
            if not self.missing():
                await self._look()
            while self._is_quiet() and (plan := self._next(lambda _plan: True)):
                await self._make(plan)

    def _is_quiet(self) -> bool:
        since = asyncio.get_running_loop().time() - self._waited_at
        return since >= QUIET_S and not any(plan.waiting or plan.is_in_work for plan in self._plans.values())

    def _next(self, counts: Callable[[_Plan], bool]) -> _Plan | None:
        left = (each for each in self._plans.values() if not each.is_made and not each.is_in_work and counts(each))
        return max(left, key=lambda plan: (plan.waiting, plan.asked), default=None)

    async def _make(self, plan: _Plan) -> None:
        forgotten, tried, plan.is_in_work = self._forgotten, plan.tried, True
        try:
            await self._explain(f"EXPLAIN {statement(plan.name)}", plan.parameters)
            plan.is_made = forgotten == self._forgotten
        except DomainError:
            for each in self._plans.values():  # who waits may see for themselves what is wrong
                each.tried.set()
            await asyncio.sleep(AGAIN_AFTER_S)
            self.forget()
        finally:
            plan.is_in_work = False
            tried.set()

    async def _look(self) -> None:
        made = (plan for plan in self._plans.values() if plan.is_made)
        plan = max(made, key=lambda plan: plan.asked, default=None)
        if plan is not None:
            try:
                await self._explain(f"EXPLAIN {statement(plan.name)}", plan.parameters)
            except DomainError:
                self.forget()


def _type(value: object) -> object:
    """What a plan depends on."""
    if isinstance(value, list | tuple):
        return list, _type(value[0]) if value else None
    return type(value)


def _telling_nothing(value: object) -> object:
    """A value of the same type."""
    if isinstance(value, list | tuple):
        return [_telling_nothing(value[0])] if value else []
    if isinstance(value, dict):
        return {}
    if isinstance(value, str):
        return NOTHING
    return value
