"""Replaying answers of a real graph after that graph has changed: what was kept does not change with it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.decisions.replay import changes_since, replay
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from ..conftest import NOW, Community

EDITED = ("offers", "wants", "goal_skills", "unit_membership", "sessions")


def test_kept_answers_replay_after_the_graph_was_edited(
    community: Community, folder: Path, count: Callable[[int, int], int]
) -> None:
    answers, edits = count(20, 500), count(200, 5_000)

    async def ask_and_keep() -> list[Slate]:
        async with DecisionLog(folder) as log:
            slates: list[Slate] = []
            for number in range(answers):
                mentee, goal = community.askers[number % len(community.askers)]
                as_of = NOW - timedelta(days=number // len(community.askers))
                viewer = Viewer(person=mentee) if number % 2 else COORDINATOR
                answer = await community.recommender.recommend(viewer, mentee, goal, first=10, as_of=as_of)
                slates.append(await log.keep(answer))
            return slates

    slates = community.run(ask_and_keep())
    assert community.run(edit(community, edits)) == edits
    log = DecisionLog(folder)
    policies = log.records.policies()
    decisions = [each for each in log.records.all() if isinstance(each, Decision)]
    assert len(decisions) == answers
    assert [difference for each in decisions for difference in replay(each, policies)] == []
    for slate, decision in zip(slates, decisions, strict=True):
        shown = [each.shown_to(slate.asked.viewer, decision.mentee) for each in decision.recommended]
        assert shown == list(slate.recommendations)
    again = community.ask(0, first=10, as_of=None)
    assert again.uid != slates[0].uid  # the control: asked now, the answer is another one
    assert any(community.run(changed(community, decisions)))
    wrong = replace(decisions[0], base=decisions[0].base + 1e-6)
    assert replay(wrong, policies)


async def edit(community: Community, edits: int) -> int:
    """Ends facts until there were so many edits, beginning anew with another end where all have one."""
    done = 0
    for days in range(1, edits):
        for kind in EDITED:
            found = [fact.record async for fact in community.store.facts(KINDS[kind])]
            until = NOW - timedelta(hours=days)
            ended = [
                Record(each.kind, each.uid, {**each.properties, "until": until}, each.links)
                for each in found
                if isinstance(since := each.properties["since"], datetime) and since < until
            ][: edits - done]
            done += len(ended)
            for start in range(0, len(ended), 500):
                await community.store.write(ended[start : start + 500])
            if done == edits:
                return done
    return done


async def changed(community: Community, decisions: list[Decision]) -> list[bool]:
    found = await asyncio.gather(*(changes_since(community.store, each, NOW) for each in decisions[:20]))
    return [bool(each) for each in found]
