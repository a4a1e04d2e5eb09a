"""How answers are shown in a shell: as tables and lines for people, as JSON for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mentorgraph.api.ids import global_id
from mentorgraph.graph.explaining.comparing import Compared
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.ranking.matching import Explanation
from mentorgraph.graph.ranking.mentees import MenteeList
from mentorgraph.graph.ranking.options import NO_MIX
from mentorgraph.graph.ranking.reasons import SignalValue
from mentorgraph.graph.ranking.scoring import Chance
from mentorgraph.graph.ranking.sentences import EvidencePath, Step
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.store.store import NodeRecord


def name_of(nodes: dict[str, NodeRecord], uid: str) -> str:
    """A person's name, or their uid where the name is not known."""
    return str(nodes[uid].properties["name"]) if uid in nodes else uid


def goal_line(goal: str, nodes: dict[str, NodeRecord]) -> str:
    """What is asked about, in one line."""
    return f"Goal: {nodes[goal].properties['title']}" if goal in nodes else ""


def contributions_table(found: Explanation) -> Table:
    """The score as a sum, with as many decimals as it takes to add it up by hand."""
    table = Table(show_footer=True)
    table.add_column("signal", footer="score")
    table.add_column("value", justify="right")
    table.add_column("weight", justify="right")
    table.add_column("contribution", footer=f"{found.score:.6f}", justify="right")
    table.add_column("a value of 1 means")
    table.add_row("base", "", "", f"{found.base:.6f}", "")
    for each in found.signals:
        table.add_row(
            each.name,
            "unknown" if each.value is None else f"{each.value:.6f}",
            "" if each.weight is None else f"{each.weight:g}",
            f"{each.contribution:z.6f}",
            Text(each.unit),
        )
    return table


def print_comparison(found: Sequence[Compared], nodes: dict[str, NodeRecord]) -> None:
    """Prints mentors side by side: what each signal adds to the score and to the gap to the first, and the reasons."""
    console = Console(highlight=False)
    table = Table(title=goal_line(found[0].explanation.goal, nodes), title_justify="left", show_footer=True)
    table.add_column("signal", footer="score")
    for each in found:
        footer = f"{each.explanation.score:.6f}" + (f" ({each.gap:+.6f})" if each is not found[0] else "")
        table.add_column(name_of(nodes, each.explanation.mentor), footer=footer, justify="right")
    for place, signal in enumerate(found[0].explanation.signals):
        cells = []
        for each in found:
            difference = next(one.amount for one in each.differences if one.signal == signal.name)
            more = f" ({difference:+.6f})" if each is not found[0] else ""
            cells.append(f"{each.explanation.signals[place].contribution:z.6f}{more}")
        table.add_row(signal.name, *cells)
    console.print(table)
    for each in found:
        console.print(Text(name_of(nodes, each.explanation.mentor), style="bold"))
        for sentence in each.strongest:
            console.print(Text(f"  {sentence}"), soft_wrap=True)
        for refusal in each.explanation.refusals:
            console.print(Text(f"  Forbidden by {refusal.rule}: {refusal.fact}."), soft_wrap=True)


def compared_as_json(found: Compared, nodes: dict[str, NodeRecord]) -> dict[str, Any]:
    """One of the mentors who are compared, under the names that GraphQL gives its parts."""
    return {
        "mentor": node_as_json("Person", found.explanation.mentor, nodes),
        "score": found.explanation.score,
        "gap": found.gap,
        "differences": [asdict(each) for each in found.differences],
        "strongest": found.strongest,
        "explanation": explanation_as_json(found.explanation, nodes),
    }


def chance_line(chance: Chance) -> str:
    """A chance of success as text."""
    value = "not known well" if chance.value is None else f"{chance.value:.2f}"
    return (
        f"Chance of success {value} ({chance.low:.2f}–{chance.high:.2f}), by {chance.outcomes} outcomes of like scores."
    )


def path_lines(number: int, path: EvidencePath) -> Iterator[str]:
    """One evidence path as text, with the query that returns it."""
    yield f"{number}. {path.sentence} ({path.signal}, weight {path.weight:.4f})"
    yield "   " + "".join(_step_text(step, place) for place, step in enumerate(path.steps))
    yield f"   {path.cypher}" if path.cypher else "   (no query: it would show third people)"


def _step_text(step: Step, place: int) -> str:
    name = f"{step.kind} “{step.label}”" if step.label else step.kind
    if step.count is not None:
        name = f"{step.count} × {name}"
    if place == 0:
        return name
    dated = f" since {plain(step.since)}" if step.since else ""
    ended = "" if step.holds_now else ", ended"
    edge = f"{step.relationship_type}{dated}{ended}"
    if step.relationship_type and not step.relationship_uid:
        return f" ~{edge}~ {name}"
    return f" –{edge}→ {name}" if step.forward else f" ←{edge}– {name}"


def print_json(content: object) -> None:
    """Prints what programs read."""
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))


def slate_as_json(slate: Slate, nodes: dict[str, NodeRecord]) -> dict[str, Any]:
    """The answer under the names that GraphQL gives its parts."""
    return {
        "slateId": slate.uid,
        "modelVersion": slate.model_version,
        "policyVersion": slate.policy_version,
        "goal": node_as_json("Goal", slate.goal, nodes),
        "notice": slate.notice or None,
        "hasNextPage": slate.has_next,
        "mixShortfall": (
            {"experts": slate.lacking.experts, "crossFunctional": slate.lacking.cross_functional}
            if slate.lacking != NO_MIX
            else None
        ),
        "recommendations": [
            {
                "id": global_id("Recommendation", each.uid),
                "rank": each.rank,
                "score": each.score,
                "base": each.base,
                "isPinned": bool(each.pin),
                "proposed": {"rank": each.model_rank, "score": each.score},
                "mentor": node_as_json("Person", each.mentor, nodes),
                "signals": [_signal_as_json(signal) for signal in each.signals],
                "paths": [_path_as_json(path) for path in each.paths],
                "sentences": each.sentences,
                "chance": asdict(each.chance) if each.chance else None,
                "cautions": [caution.upper() for caution in each.cautions],
                "mode": each.mode.upper() or None,
                "availableFrom": each.available_from,
                "liftedBy": each.lifted_by.upper() or None,
                "explored": each.is_explored,
                "propensity": each.propensity if slate.asked.viewer.sees_everybody else None,
            }
            for each in slate.recommendations
        ],
    }


def explanation_as_json(found: Explanation, nodes: dict[str, NodeRecord]) -> dict[str, Any]:
    """The explanation under the names that GraphQL gives its parts."""
    return {
        "modelVersion": found.model_version,
        "policyVersion": found.policy_version,
        "goal": node_as_json("Goal", found.goal, nodes),
        "mentor": node_as_json("Person", found.mentor, nodes),
        "score": found.score,
        "base": found.base,
        "signals": [_signal_as_json(signal) for signal in found.signals],
        "paths": [_path_as_json(path) for path in found.paths],
        "sentences": found.sentences,
        "chance": asdict(found.chance) if found.chance else None,
        "cautions": [caution.upper() for caution in found.cautions],
        "refusals": [refusal_as_json(each) for each in found.refusals],
        "unjudged": [{"rule": each.rule, "fact": each.fact} for each in found.unjudged],
    }


def refusal_as_json(found: Refusal) -> dict[str, str | None]:
    """A rule that forbids a pair, under the names that GraphQL gives its parts."""
    return {"rule": found.rule, "fact": found.fact, "remedy": found.remedy or None}


def mentees_as_json(found: MenteeList, nodes: dict[str, NodeRecord]) -> dict[str, Any]:
    """The mentor's side under the names that GraphQL gives its parts."""
    return {
        "slateId": found.uid,
        "modelVersion": found.model_version,
        "mentor": node_as_json("Person", found.mentor, nodes),
        "notice": found.notice or None,
        "totalCount": found.total,
        "hasNextPage": found.has_next,
        "recommendations": [
            {
                "recommendationId": global_id("Recommendation", each.uid),
                "rank": each.rank,
                "score": each.score,
                "base": each.base,
                "mentee": node_as_json("Person", each.mentee, nodes),
                "goal": node_as_json("Goal", each.goal, nodes),
                "policyVersion": each.policy_version,
                "chance": asdict(each.chance) if each.chance else None,
                "cautions": [caution.upper() for caution in each.cautions],
                "mode": each.mode.upper() or None,
                "signals": [_signal_as_json(signal) for signal in each.signals],
                "paths": [_path_as_json(path) for path in each.paths],
                "sentences": each.sentences,
            }
            for each in found.recommendations
        ],
    }


def print_mentees(found: MenteeList, nodes: dict[str, NodeRecord], reasons: int) -> None:
    """Prints the goals that a mentor could serve, each with its first reasons."""
    table = Table(title=f"Goals for {name_of(nodes, found.mentor)}", title_justify="left", show_lines=True)
    table.add_column("rank", justify="right")
    table.add_column("mentee and goal", overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("reasons", ratio=1)
    for each in found.recommendations:
        who = Text(f"{name_of(nodes, each.mentee)}\n{goal_line(each.goal, nodes)}")
        table.add_row(str(each.rank), who, f"{each.score:.4f}", Text("\n".join(each.sentences[:reasons])))
    if found.recommendations:
        Console().print(table)
    if found.notice:
        click.echo(f"Notice: {found.notice}")
    click.echo(f"{found.total} goals in all, model {found.model_version}, slate {found.uid}")


def _signal_as_json(signal: SignalValue) -> dict[str, Any]:
    return asdict(signal) | {"source": signal.source or None}


def _path_as_json(path: EvidencePath) -> dict[str, Any]:
    return {
        "pathId": path.uid,
        "signal": path.signal,
        "weight": path.weight,
        "sentence": path.sentence,
        "steps": [
            {
                "id": global_id(step.kind, step.node_uid) if step.node_uid else None,
                "kind": step.kind,
                "label": step.label or None,
                "relationshipId": step.relationship_uid or None,
                "relationshipType": step.relationship_type or None,
                "since": step.since,
                "source": step.source or None,
                "holdsNow": step.holds_now,
                "count": step.count,
            }
            for step in path.steps
        ],
        "cypher": path.cypher or None,
    }


def node_as_json(kind: str, uid: str, nodes: dict[str, NodeRecord]) -> dict[str, Any] | None:
    """A person or goal by its ids and its name or title; None where it is not known."""
    if uid not in nodes:
        return None
    properties = nodes[uid].properties
    shown = {"name": properties["name"]} if kind == "Person" else {"title": properties["title"]}
    return {"id": global_id(kind, uid), "uid": uid, "externalId": properties.get("external_id"), **shown}


# --- many goals -------------------------------------------------------------------------------------------------------
