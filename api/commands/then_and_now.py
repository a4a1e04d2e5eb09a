"""`mentorgraph then-and-now`: a kept answer beside what the graph says now, as tables or as JSON."""

from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mentorgraph.api.commands.answers import print_json
from mentorgraph.api.commands.session import run
from mentorgraph.api.context import recommender_on
from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.graph.decisions.log import FOLDER, DecisionLog
from mentorgraph.graph.decisions.then_and_now import Change, Compared, Today, changes_of, today_of
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import is_uid
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.store import NodeRecord
from mentorgraph.graph.viewer import COORDINATOR


@click.command(name="then-and-now")
@click.argument("recommendation", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def then_and_now(recommendation: str, as_json: bool) -> None:
    """Say what has changed in the graph since a kept answer, and what would be answered now.

    \b
    Example:
      mentorgraph then-and-now UmVjb21tZW5kYXRpb246ZTM0Yj…
      mentorgraph then-and-now UmVjb21tZW5kYXRpb246ZTM0Yj… --json

    An ID is that of a recommendation, as GraphQL and mentorgraph recommend --json give it. Changes are those of the
    facts of mentee, mentor and goal and of the evidence; the list is the whole one that the recommendation stands in.
    Today's answer is not kept.
    """  # noqa: D301 (click wants the backspace itself)

    async def work(database: Database, show: Report) -> dict[str, Any]:
        given = recommendation if is_uid(recommendation) else ""
        uid = given.lower() or read_global_id(recommendation, expected="Recommendation", field="ID")[1]
        decision = await DecisionLog(mentorgraph_home() / FOLDER).find(uid)
        if decision is None:
            raise DomainError("no kept answer holds this recommendation", code="NOT_FOUND")
        show("Reading the graph", 0, 0)
        recommender = await recommender_on(database, mentorgraph_home())
        store, now = recommender.store, recommender.clock()
        changes = await changes_of(store, decision, uid, COORDINATOR, now)
        today = await today_of(recommender, COORDINATOR, decision)
        uids = {each.owner for each in changes if each.owner} | {
            uid for each in today.compared for uid in (each.mentor, each.mentee, each.goal) if uid
        }
        nodes = await store.read_nodes(uids, now)
        return {
            "answeredAt": decision.recorded_at,
            "modelVersion": decision.model_version,
            "policyVersion": decision.policy_version,
            "codeVersion": decision.code_version,
            "changes": [_change_as_json(each, nodes) for each in changes],
            "today": _today_as_json(today, nodes),
        }

    found = run(work)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _change_as_json(change: Change, nodes: dict[str, NodeRecord]) -> dict[str, Any]:
    owner = nodes.get(change.owner)
    return {
        "what": change.what.upper(),
        "kind": change.kind,
        "of": {"id": global_id(owner.kind, owner.uid), "name": _name(owner)} if owner else None,
        "about": [each.name for each in change.ends if each.name],
        "fields": [
            {"name": each.name, "before": _plain(each.before), "after": _plain(each.after)} for each in change.fields
        ],
        "at": change.at,
    }


def _today_as_json(today: Today, nodes: dict[str, NodeRecord]) -> dict[str, Any]:
    return {
        "modelVersion": today.model_version,
        "policyVersion": today.policy_version,
        "notAnswered": today.refusal.message if today.refusal else None,
        "mentors": [_compared_as_json(each, nodes) for each in today.compared],
    }


def _compared_as_json(each: Compared, nodes: dict[str, NodeRecord]) -> dict[str, Any]:
    of = {name: nodes.get(getattr(each, name)) for name in ("mentor", "mentee", "goal")}
    return {
        **{name: {"id": global_id(it.kind, it.uid), "name": _name(it)} if it else None for name, it in of.items()},
        "rankThen": each.rank_then,
        "rankNow": each.rank_now,
        "scoreThen": each.score_then,
        "scoreNow": each.score_now,
        "isIn": each.is_in,
        "signals": [
            {
                "name": name,
                "valueThen": then.value if then else None,
                "valueNow": now.value if now else None,
                "contributionThen": then.contribution if then else None,
                "contributionNow": now.contribution if now else None,
            }
            for name, then, now in each.by_signal()
        ],
        "refusals": [{"rule": it.rule, "fact": it.fact, "remedy": it.remedy or None} for it in each.refusals],
    }


def _name(node: NodeRecord) -> str:
    return str(node.properties.get("name") or node.properties.get("title") or node.uid)


def _who(each: dict[str, Any]) -> str:
    told = [each["mentee"], each["goal"]] if each["mentee"] or each["goal"] else [each["mentor"]]
    return "\n".join(one["name"] for one in told if one) or "–"


def _plain(value: Any) -> str | None:
    return None if value is None else plain(value)


def _print(found: dict[str, Any]) -> None:
    console, today = Console(highlight=False), found["today"]
    console.print(f"Answered on {plain(found['answeredAt'])}", soft_wrap=True)
    for name in ("modelVersion", "policyVersion"):
        then, now = found[name], today[name]
        told = f"{then}, the same now" if then == now else f"{then} then, {now} now"
        console.print(Text(f"{name.removesuffix('Version')} {told}"), soft_wrap=True)
    for each in found["changes"]:
        about = f" ({', '.join(each['about'])})" if each["about"] else ""
        dated = f" on {plain(each['at'])}" if each["at"] else ""
        fields = ", ".join(f"{it['name']} {it['before'] or '–'} → {it['after'] or '–'}" for it in each["fields"])
        of = f"{each['of']['name']}: " if each["of"] else ""
        line = f"{of}{each['kind']}{about} {each['what'].lower()}{dated}{'; ' if fields else ''}{fields}"
        console.print(Text(line), soft_wrap=True)
    if not found["changes"]:
        console.print("Nothing that touches this answer has changed in the graph.")
    if today["notAnswered"]:
        console.print(Text(f"Today this question is not answered: {today['notAnswered']}."), soft_wrap=True)
    table = Table(title="The list", title_justify="left")
    table.add_column("mentor, or mentee and goal", overflow="fold")
    for name in ("rank then", "rank now", "score then", "score now"):
        table.add_column(name, justify="right")
    table.add_column("rules that forbid it now", overflow="fold")
    for each in today["mentors"]:
        scores = [each["scoreThen"], each["scoreNow"]]
        table.add_row(
            Text(_who(each)),
            *("–" if rank is None else str(rank) for rank in (each["rankThen"], each["rankNow"])),
            *("–" if score is None else f"{score:.4f}" for score in scores),
            Text(", ".join(it["rule"] for it in each["refusals"])),
        )
    console.print(table)
