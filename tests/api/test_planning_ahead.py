"""What front ends ask most is planned before anybody is answered, and anew when the database is back."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mentorgraph.api.app import app_of
from mentorgraph.api.context import ASKED_MOST, Service, recommender_of
from mentorgraph.api.ids import global_id
from mentorgraph.api.limits import Limits
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.embedded import database as embedded
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.store.planning import Plans

from ..faults.crowd import CONSENTS, CREATE_GOAL, GOALS, MENTORS, RECORD_CONSENT, REGISTER

WITHIN_S = 120
LATE = Limits(execution_s=60)
"""As patient as a busy machine needs; what is judged is not how long it takes."""


def plans_of(service: Service) -> Plans:
    plans = service.recommender.store.database._plans
    assert plans
    return plans


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_is_asked_most_is_planned_before_and_nothing_of_it_later(
    emptied: EmbeddedDatabase, tmp_path: Path
) -> None:
    service = Service(partial(recommender_of, emptied.home))
    with TestClient(app_of(service, DecisionLog(tmp_path), LATE), base_url="http://localhost") as client:

        def ask(query: str, **variables: object) -> str:
            answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
            assert "errors" not in answer
            assert all(not payload.get("userErrors") for payload in answer["data"].values()), answer
            return str(answer["data"])

        def tell(mutation: str, key: str, **given: object) -> None:
            ask(mutation, input={**given, "idempotencyKey": key})

        eventually(lambda: client.get("/readyz").status_code == 200)
        plans = plans_of(service)
        ready = plans.needed()
        assert (ready, plans.missing()) == (sorted(ASKED_MOST), set())
        agreed = {"consents": ["MATCHING"], "consentTextVersion": "1"}
        tell(REGISTER, "1", name="Ada", externalId="ada", roles=["MENTOR"], **agreed)
        tell(REGISTER, "2", name="Bo", externalId="bo", roles=["MENTEE"], **agreed)
        ada, bo = (global_id("Person", uid_of("api", "people", key)) for key in ("ada", "bo"))
        tell(CREATE_GOAL, "3", personId=bo, title="A first talk")
        assert "A first talk" in ask(GOALS, id=bo)
        assert ada in ask(MENTORS, id=bo)
        tell(RECORD_CONSENT, "4", personId=ada, purpose="MATCHING", granted=False, textVersion="1")
        assert ada not in ask(MENTORS, id=bo)
        assert "MATCHING" in ask(CONSENTS, id=bo)
        assert plans.needed() == ready
        ask("{ skills(first: 3) { edges { node { id } } } }")  # negative control: it is asked seldom
        assert plans.needed() == sorted([*ready, "page_skills"])


@pytest.mark.drill
@pytest.mark.slow
def test_all_is_planned_anew_after_the_database_was_started_anew(emptied: EmbeddedDatabase) -> None:
    async def run() -> None:
        async with recommender_of(emptied.home, lambda *_: None) as recommender:
            plans = recommender.store.database._plans
            assert plans
            assert plans.missing() == set()
            killed = embedded.status(emptied.home).java_pid
            assert killed
            os.kill(killed, signal.SIGKILL)
            async with asyncio.timeout(WITHIN_S):  # nobody asks for anything meanwhile
                while not plans.missing():
                    await asyncio.sleep(0.05)
                while plans.missing():
                    await asyncio.sleep(0.05)
            assert (plans.needed(), embedded.status(emptied.home).state) == (sorted(ASKED_MOST), "ready")

    asyncio.run(run())
