"""The rungs of the ladder as a client sees them: what ranks in place of what, and never an empty list instead."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from mentorgraph.embeddings.registry import Registry
from mentorgraph.embeddings.reloading import Reloading
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.world.tables import World

from .conftest import asked, fill
from .test_workers import MENTORS, mentee_of

LOST = "20260101-0123456789ab"
SKILLS = "{ skills(first: 1) { edges { node { id } } } }"


def degraded() -> float:
    return REGISTRY.get_sample_value("mentorgraph_degraded_answers_total", {"ranks": "rules"}) or 0.0


@pytest.mark.anyio
async def test_an_answer_says_what_ranks_in_place_of_a_damaged_version(
    server: EmbeddedDatabase, world: World, tmp_path: Path
) -> None:
    await fill(server, world)
    mentee, registry = mentee_of(world), Registry(tmp_path)
    with asked(server, reloading=Reloading(registry, load_policy())) as api:
        well = api.ask(MENTORS, id=mentee)
        assert well["data"]["recommendMentors"]["edges"]
        assert "degraded" not in well["extensions"]
        before = degraded()
        registry.folder.mkdir(exist_ok=True)
        (registry.folder / "current").write_text(LOST)
        ill = api.ask(MENTORS, id=mentee)
        assert ill["extensions"]["degraded"] == {"wanted": LOST, "ranks": "rules"}
        assert ill["data"] == well["data"]
        assert degraded() == before + 1
        assert "degraded" not in api.ask(SKILLS)["extensions"]  # where nothing was ranked
        ready = api.client.get("/readyz")
        assert (ready.status_code, ready.json()["model"]) == (200, "rules")
        assert LOST in ready.json()["refused"]
        (registry.folder / "current").unlink()
        assert "degraded" not in api.ask(MENTORS, id=mentee)["extensions"]
