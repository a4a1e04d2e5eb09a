"""What answers follows what is current, between two questions, and a broken version changes nothing."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from mentorgraph.embeddings.evaluation import PLAIN
from mentorgraph.embeddings.fusion import Fusion
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.registry import ARRAYS, Registry
from mentorgraph.embeddings.reloading import Reloading
from mentorgraph.embeddings.tasks import FULL, Task, questions
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Question
from mentorgraph.graph.columns.table import Reals
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy

POLICY = load_policy()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


@pytest.fixture
def asked(columns: Columns, task: Task) -> Question:
    return questions(columns, task, FULL, POLICY.signals)[0]


def publish(registry: Registry, model: Model, factor: float) -> str:
    """A version whose scores are a multiple of the model's."""
    arrays = model.arrays()
    arrays["plain.weights"] = arrays["plain.weights"] * factor
    return registry.publish(arrays, model.texts(), {"ranking": PLAIN}, "")


def scores_of(model: Model, factor: float, columns: Columns, asked: Question) -> Reals:
    scaled = Model(**{**model.__dict__, "plain": Fusion(model.plain.weights * factor, 0.0)})
    return LearnedScorer("", POLICY, scaled, with_network=False).score(columns, asked).total


async def version(reloading: Reloading) -> str:
    return (await reloading.scorer()).model_version


def test_what_answers_follows_what_is_current(registry: Registry, model: Model) -> None:
    async def follow() -> None:
        reloading = Reloading(registry, POLICY)
        assert isinstance(await reloading.scorer(), RulesScorer)
        first = publish(registry, model, 1)
        assert await version(reloading) == "rules"  # published, not promoted
        registry.promote(first)
        assert await version(reloading) == first
        assert await reloading.scorer() is await reloading.scorer()
        registry.promote("")
        assert await version(reloading) == "rules"

    asyncio.run(follow())


def test_the_card_of_a_version_is_found_unless_it_was_changed(registry: Registry, model: Model) -> None:
    version = registry.publish(model.arrays(), model.texts(), {"ranking": PLAIN}, "# Card\n")
    reloading = Reloading(registry, POLICY)
    assert reloading.card(version) == "# Card\n"
    assert reloading.card("rules") is None
    (registry.folder / version / "card.md").write_text("# Better\n")
    assert reloading.card(version) is None


def test_a_broken_version_is_refused_and_the_last_good_one_answers(registry: Registry, model: Model) -> None:
    async def follow() -> None:
        first, second = publish(registry, model, 1), publish(registry, model, 2)
        registry.promote(first)
        reloading = Reloading(registry, POLICY)
        assert await version(reloading) == first
        registry.promote(second)
        file = registry.folder / second / ARRAYS
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        assert await version(reloading) == first
        assert second in reloading.refused
        assert reloading.promoted_at == registry.history()[0].at  # so old is what ranks
        registry.promote(first)
        assert await version(reloading) == first
        assert reloading.refused == ""
        assert not reloading.promoted_at
        file.write_bytes(whole)
        registry.promote(second)
        assert await version(reloading) == second

    asyncio.run(follow())


def spoil(registry: Registry, version: str) -> None:
    file = registry.folder / version / ARRAYS
    file.write_bytes(file.read_bytes()[:-1])


def test_a_process_that_begins_with_a_broken_version_goes_down_the_ladder_rung_by_rung(
    registry: Registry, model: Model
) -> None:
    async def begins() -> tuple[str, str]:
        reloading = Reloading(registry, POLICY)
        return await version(reloading), reloading.wanted

    async def follow() -> None:
        first, second, third = (publish(registry, model, factor) for factor in (1, 2, 3))
        for each in (first, second, third):
            registry.promote(each)
        assert await begins() == (third, "")
        spoil(registry, third)
        assert await begins() == (second, third)
        spoil(registry, second)
        assert await begins() == (first, third)
        spoil(registry, first)
        assert await begins() == ("rules", third)
        registry.promote("")
        assert await begins() == ("rules", "")

    asyncio.run(follow())


def test_rules_that_served_before_a_broken_version_are_its_last_good(registry: Registry, model: Model) -> None:
    async def follow() -> None:
        first, second = publish(registry, model, 1), publish(registry, model, 2)
        for each in (first, "", second):
            registry.promote(each)
        spoil(registry, second)
        reloading = Reloading(registry, POLICY)
        assert (await version(reloading), reloading.wanted) == ("rules", second)

    asyncio.run(follow())


def test_each_answer_is_wholly_of_one_version_while_versions_change(
    registry: Registry, model: Model, columns: Columns, asked: Question
) -> None:
    factors = (1.0, 2.0, 3.0)
    versions = {publish(registry, model, factor): factor for factor in factors}
    expected = {name: scores_of(model, factor, columns, asked) for name, factor in versions.items()}
    registry.promote(next(iter(versions)))
    seen: set[str] = set()

    async def promote() -> None:
        for turn in range(30):
            await asyncio.to_thread(registry.promote, [*versions][turn % 3])
            await asyncio.sleep(0.005)

    async def ask(reloading: Reloading, until: "asyncio.Task[None]") -> None:
        while not until.done():
            scorer = await reloading.scorer()
            before = scorer.model_version
            await asyncio.sleep(0)
            total = scorer.score(columns, asked).total
            assert scorer.model_version == before
            np.testing.assert_array_equal(total, expected[before])
            seen.add(before)

    async def together() -> None:
        reloading = Reloading(registry, POLICY)
        promoting = asyncio.create_task(promote())
        await asyncio.gather(promoting, *(ask(reloading, promoting) for _ in range(4)))

    asyncio.run(together())
    assert seen == {*versions}
