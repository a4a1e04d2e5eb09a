"""All time comes from one clock, which tests and rehearsals can put at another time."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mentorgraph.graph.clock import present, set_to
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.people import recording
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR

ROOT = Path(__file__).parents[2]
THEN = datetime(2031, 5, 6, 7, tzinfo=UTC)
OF_THE_MACHINE = {"now", "utcnow", "today", "time", "time_ns"}
"""Methods of datetime, date and time that read the machine's clock; durations are measured by `time.monotonic`."""


def reads_of_the_machine(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in {"datetime", "date", "time"}
            and node.func.attr in OF_THE_MACHINE
        ):
            yield f"{node.func.value.id}.{node.func.attr}"


def test_only_the_clock_reads_the_machines() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in ("api", "graph", "embeddings")
        for path in (ROOT / package).rglob("*.py")
        if list(reads_of_the_machine(ast.parse(path.read_text("utf-8"))))
    }
    assert found == {"graph/clock.py"}


@pytest.mark.parametrize("text", ["datetime.now(UTC)", "date.today()", "time.time()"])
def test_a_reading_of_the_machines_clock_is_seen(text: str) -> None:
    assert list(reads_of_the_machine(ast.parse(text)))
    assert not list(reads_of_the_machine(ast.parse("time.monotonic(); present()")))


def test_another_clock_holds_for_as_long_as_it_is_set() -> None:
    with set_to(lambda: THEN):
        assert present() == THEN
        with set_to(lambda: THEN + timedelta(days=1)):
            assert present() == THEN + timedelta(days=1)
        assert present() == THEN
    assert abs(present() - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.anyio
async def test_what_is_told_and_asked_happens_when_the_clock_says(store: Store) -> None:
    recommender = Recommender(store, RulesScorer(load_policy()))
    roles = {"mentor": "Ada", "mentee": "Bo"}
    with set_to(lambda: THEN):
        ada, bo = [
            await recording.register_person(
                store, COORDINATOR, {"name": name, "roles": role}, consents=["matching"], text_version="1"
            )
            for role, name in roles.items()
        ]
    assert {fact.record.properties["since"] async for fact in store.facts(KINDS["people"])} == {THEN}
    with set_to(lambda: THEN + timedelta(days=1)):
        slate = await recommender.recommend(COORDINATOR, bo)
    assert [each.mentor for each in slate.recommendations] == [ada]
    assert slate.asked.at == THEN + timedelta(days=1)
