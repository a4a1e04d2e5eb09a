"""`mentorgraph plan`: peers or circles for a whole programme, however long that takes."""

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mentorgraph.api.commands.answers import name_of, print_json
from mentorgraph.api.commands.asking import ask, nodes_of, uid_given
from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.people.programmes import configuration_of
from mentorgraph.graph.ranking.circles import LARGEST, SMALLEST, CirclePlan, plan_circles
from mentorgraph.graph.ranking.grouping import Hindrance
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.peers import PeerPlan, plan_peers
from mentorgraph.graph.store.store import NodeRecord
from mentorgraph.graph.viewer import COORDINATOR

_size = click.IntRange(SMALLEST, LARGEST)


@click.command()
@click.option("--programme", required=True, metavar="ID", help="The programme, of the format peer or cohort.")
@click.option("--least", type=_size, default=SMALLEST, show_default=True, metavar="N", help="Mentees a circle needs.")
@click.option("--most", type=_size, default=6, show_default=True, metavar="N", help="Mentees a circle has at most.")
@click.option(
    "--least-skills",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    metavar="N",
    help="Different skills that the mentees of a circle wish to learn at least.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option(
    "--source",
    default="bundle",
    show_default=True,
    metavar="NAME",
    help="The system that the key of the programme belongs to.",
)
def plan(programme: str, least: int, most: int, least_skills: int, as_json: bool, source: str) -> None:
    """Plan peers or circles for all of a programme who have nobody yet, and say why somebody is left out.

    \b
    Examples:
      mentorgraph plan --programme peers-2026
      mentorgraph plan --programme cohort-3 --least 3 --most 5 --least-skills 2 --json

    As many people as the rules allow are placed, with the highest sum of scores. Nothing is written; proposePairs, over
    GraphQL, proposes what you keep.
    """  # noqa: D301 (click wants the backspace itself)

    async def work(recommender: Recommender, _show: Report) -> tuple[PeerPlan | CirclePlan, dict[str, NodeRecord]]:
        uid = uid_given(programme, "programmes", source) or ""
        known = await configuration_of(recommender.store, uid)
        if known.programme.properties.get("format") == "cohort":
            circles = await plan_circles(
                recommender, COORDINATOR, uid, least=least, most=most, least_skills=least_skills
            )
            return circles, await nodes_of(recommender, _named(circles), None)
        found = await plan_peers(recommender, COORDINATOR, uid)
        return found, await nodes_of(recommender, _named(found), None)

    found, nodes = ask(work)
    if as_json:
        print_json(_as_json(found))
    elif isinstance(found, PeerPlan):
        _print_peers(found, nodes)
    else:
        _print_circles(found, nodes)


def _named(found: PeerPlan | CirclePlan) -> list[str]:
    """Uids of all whom a plan names."""
    if isinstance(found, PeerPlan):
        left = [uid for each in found.left_over for uid in (each.person, each.nearest, each.taken_by) if uid]
        return [uid for each in found.pairs for uid in (each.one, each.other)] + left
    seated = [uid for each in found.circles for uid in (each.leader, *(seat.mentee for seat in each.seats))]
    return [*seated, *(each.person for each in found.unseated), *found.idle]


def _print_peers(found: PeerPlan, nodes: dict[str, NodeRecord]) -> None:
    console, table = Console(highlight=False), Table()
    for heading in ("one", "other", "score"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "score" else "left")
    for each in found.pairs:
        table.add_row(Text(name_of(nodes, each.one)), Text(name_of(nodes, each.other)), f"{each.score:.4f}")
    console.print(table)
    for left in found.left_over:
        more = ""
        if left.nearest:
            more = f"; {name_of(nodes, left.nearest)} would fit best and is with {name_of(nodes, left.taken_by)}"
        _print_left(console, name_of(nodes, left.person), left.cause, left.hindrances, more)
    click.echo(f"pairs {len(found.pairs)}, left over {len(found.left_over)}, {_left_as_they_are(found)}")


def _print_circles(found: CirclePlan, nodes: dict[str, NodeRecord]) -> None:
    console, table = Console(highlight=False), Table()
    for heading in ("leader", "free at", "mentees"):
        table.add_column(heading, overflow="fold")
    for each in found.circles:
        mentees = ", ".join(name_of(nodes, seat.mentee) for seat in each.seats)
        table.add_row(Text(name_of(nodes, each.leader)), plain(each.starts), Text(mentees))
    console.print(table)
    for left in found.unseated:
        _print_left(console, name_of(nodes, left.person), left.cause, left.hindrances)
    if found.idle:
        console.print(Text(f"leads none: {', '.join(name_of(nodes, uid) for uid in found.idle)}"), soft_wrap=True)
    click.echo(f"circles {len(found.circles)}, without {len(found.unseated)}, {_left_as_they_are(found)}")


def _left_as_they_are(found: PeerPlan | CirclePlan) -> str:
    return f"paired already {len(found.paired)}, asked {len(found.waiting)}"


def _print_left(console: Console, name: str, cause: str, found: tuple[Hindrance, ...], more: str = "") -> None:
    console.print(Text(f"{name}: {cause.replace('_', ' ')}{more}"), soft_wrap=True)
    for each in found:
        console.print(Text(f"  {each.rule} forbids {each.others}, for instance: {each.example}"), soft_wrap=True)


def _as_json(found: PeerPlan | CirclePlan) -> dict[str, object]:
    """A plan under the names that GraphQL gives its parts, with ids in place of people."""

    def person(uid: str) -> str | None:
        return global_id("Person", uid) if uid else None

    def told(hindrances: tuple[Hindrance, ...]) -> list[dict[str, object]]:
        return [
            {"rule": each.rule, "others": each.others, "example": each.example, "remedy": each.remedy or None}
            for each in hindrances
        ]

    common: dict[str, object] = {
        "modelVersion": found.model_version,
        "total": found.total,
        "paired": [*map(person, found.paired)],
    }
    common["waiting"] = [*map(person, found.waiting)]
    if isinstance(found, PeerPlan):
        return {
            **common,
            "pairs": [
                {"one": person(each.one), "other": person(each.other), "score": each.score, "scores": each.scores}
                for each in found.pairs
            ],
            "leftOver": [
                {
                    "person": person(each.person),
                    "cause": each.cause.upper(),
                    "hindrances": told(each.hindrances),
                    "nearest": person(each.nearest),
                    "takenBy": person(each.taken_by),
                }
                for each in found.left_over
            ],
        }
    return {
        **common,
        "circles": [
            {
                "leader": person(each.leader),
                "startsAt": each.starts,
                "seats": [{"mentee": person(seat.mentee), "score": seat.score} for seat in each.seats],
                "wishes": [
                    {"skill": global_id("Skill", wish.skill), "wishing": wish.wishing, "isOffered": wish.is_offered}
                    for wish in each.wishes
                ],
            }
            for each in found.circles
        ],
        "unseated": [
            {"person": person(each.person), "cause": each.cause.upper(), "hindrances": told(each.hindrances)}
            for each in found.unseated
        ],
        "idle": [*map(person, found.idle)],
    }
