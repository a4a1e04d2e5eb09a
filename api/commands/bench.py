"""`mentorgraph bench`: ours beside named alternatives, from one run on this machine."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
import orjson

from mentorgraph.api.benchmarks.clients import served
from mentorgraph.api.benchmarks.figures import OURS, PEER, Findings, Target, joined
from mentorgraph.api.benchmarks.lists import bench_lists, python
from mentorgraph.api.benchmarks.load import bench_load
from mentorgraph.api.benchmarks.recommend import JUDGED_DAYS, Asks, bench_recommend
from mentorgraph.api.benchmarks.servers import HOME
from mentorgraph.api.commands.bench_learned import (
    calibration,
    gowalla,
    newcomers,
    parts,
    ranking,
    retrieval,
    training_step,
)
from mentorgraph.api.commands.bench_options import (
    bundle_option,
    json_option,
    keep_option,
    people_option,
    seed_option,
    tell,
)
from mentorgraph.api.commands.learning import LOG, converse
from mentorgraph.api.commands.scratch import database_of, fill, scratch_home
from mentorgraph.api.commands.session import sentences
from mentorgraph.api.commands.watching import FOLDER as SNAPSHOTS
from mentorgraph.api.context import MODELS
from mentorgraph.api.ids import global_id
from mentorgraph.api.settings import KNOWN
from mentorgraph.embeddings import snapshot as snapshots
from mentorgraph.embeddings.communities import Truth
from mentorgraph.embeddings.registry import Published, Registry
from mentorgraph.graph.embedded.progress import Report, shown_on_terminal
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, open_bundle
from mentorgraph.graph.exchange.table_files import BundleFile
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import chosen_policy, load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.world.community import STEPS, generate
from mentorgraph.graph.world.tables import World

TIMES_FASTER = 100

HOLDS = "holds.json"
"""What the database of a kept folder was filled with; written when it is whole."""


@click.group()
def bench() -> None:
    """Measure mentorgraph beside what one would use instead, in one run on this machine.

    Every benchmark prints ours and others' figures with ratios to a named one of them, since seconds differ from
    machine to machine, and --json writes the same rows as mentorgraph evaluate --json. docs/benchmarks.md says what
    each one measures, against whom, and what was found.
    """


for learned in (ranking, parts, retrieval, training_step, newcomers, calibration, gowalla):
    bench.add_command(learned)


@bench.command()
@people_option
@bundle_option
@keep_option
@click.option(
    "--goals",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="N",
    help="How many goals lists are asked for, and by how many past ones they are judged.",
)
@click.option("--train", "with_model", is_flag=True, help="Teach a model first, and measure its lists too.")
@seed_option
@json_option
def recommend(
    people: int, bundle: Path | None, keep: Path | None, seed: int, output: Path | None, goals: int, with_model: bool
) -> None:
    """Measure lists of ten mentors, without and with evidence, for one client on a warm database.

    \b
    Example:
      mentorgraph bench recommend
      mentorgraph bench recommend --people 100000 --keep big --json figures.json

    Beside them, in turns, an empty round trip to the database and the query by overlap of skills that a Neo4j user
    would write; and NDCG@10 of that query and of our lists, for goals that have found a mentor since the day as of
    which they are asked.
    """  # noqa: D301 (click wants the backspace itself)
    told = {"command": "recommend", "people": people, "bundle": str(bundle) if bundle else None, "seed": seed}
    with sentences(), shown_on_terminal() as show, nullcontext(keep) if keep else scratch_home() as home:
        found = asyncio.run(_recommend(home, people, bundle, seed, goals, with_model, told, show))
    tell(found, output)


@bench.command()
@people_option
@click.option(
    "--pairs",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="N",
    help="How many pairs of a goal and a mentor are explained.",
)
@seed_option
@json_option
def explanations(people: int, pairs: int, seed: int, output: Path | None) -> None:
    """Measure our reasons beside torch-geometric's GNNExplainer, for the same pairs and the same model.

    \b
    Example:
      mentorgraph bench explanations
      mentorgraph bench explanations --people 10000 --json figures.json

    A model is taught on a generated community without its last three months. For goals of those months and mentors
    near the top of their lists, both rank the mentor's past pairings; then the first ones of each order are taken away,
    and the model tells how far its opinion falls: the farther, the better the explanation.

    Needs the extra mentorgraph[train].
    """  # noqa: D301 (click wants the backspace itself)
    told = {"command": "explanations", "people": people, "seed": seed}
    request = {"what": "explain", "people": people, "seed": seed, "pairs": pairs, "days": JUDGED_DAYS}
    with sentences(), shown_on_terminal() as show, scratch_home() as home:
        found = converse(request, show, home / LOG)
    ours, peer = (next(row for row in found["rows"] if row["kind"] == kind) for kind in (OURS, PEER))
    mean, low, high = found["advantage"]
    targets = (
        Target(
            f"area under our deletion curve {ours['area']:.4f}, GNNExplainer's {peer['area']:.4f}; pair by pair ours "
            f"is {mean:+.4f} [{low:+.4f}, {high:+.4f}]: better or equal is meant",
            mean >= 0,
        ),
        Target(
            f"GNNExplainer takes {peer['times_ours']:,.0f} × our time, {TIMES_FASTER} × are meant",
            peer["times_ours"] >= TIMES_FASTER,
        ),
    )
    settings = {**told, "pairs": found["pairs"], "taught_before": found["taught_before"]}
    title = f"ln(share) lost without the first past pairings, {found['pairs']} pairs, {people:,} people"
    tell(Findings(title, found["rows"], settings, targets), output)


@bench.command()
@people_option
@click.option(
    "--requests",
    type=click.IntRange(min=40),
    default=10_000,
    show_default=True,
    metavar="N",
    help="How often each server is asked for the list.",
)
@click.option(
    "--apollo",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder in which npm has installed @apollo/server and graphql, to measure Apollo Server too.",
)
@click.option(
    "--clients",
    default="1,4,16,32",
    show_default=True,
    metavar="N,N",
    callback=lambda _context, _option, text: _numbers(text),
    help="How many ask the service at the same time.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    metavar="S",
    help="For how long, each kind of work with each number of clients.",
)
@keep_option
@click.option("--only", type=click.Choice(["list", "load"]), help="Measure only the list, or only the load.")
@seed_option
@json_option
def api(
    people: int,
    requests: int,
    apollo: Path | None,
    clients: Sequence[int],
    seconds: float,
    keep: Path | None,
    only: str | None,
    seed: int,
    output: Path | None,
) -> None:
    """Measure the GraphQL endpoint: one list beside other servers, and the service under load.

    \b
    Example:
      mentorgraph bench api
      mentorgraph bench api --only list --apollo ~/apollo --json figures.json

    First a list of 20 items with 5 fields that every server holds in memory: processor time of the server for each
    request, beside starlette without GraphQL, Strawberry, Ariadne (extra mentorgraph[bench]) and Apollo Server. Then
    this service on a generated community: lists of ten mentors, without and with their paths, and a mixture with
    writes.
    """  # noqa: D301 (click wants the backspace itself)
    told = {"command": "api", "seed": seed}
    parts = []
    with sentences(), shown_on_terminal() as show:
        if only != "load":
            parts.append(bench_lists(requests, apollo, told, show))
        if only != "list":
            with nullcontext(keep) if keep else scratch_home() as home:
                parts.append(asyncio.run(_load(home, people, clients, seconds, seed, {**told, "people": people}, show)))
    tell(joined(parts), output, parts)


def _numbers(text: str) -> Sequence[int]:
    try:
        found = [int(each) for each in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(1 <= each <= 256 for each in found):
        raise click.BadParameter("give numbers from 1 to 256 with commas between them, such as 1,8,32")
    return found


async def _recommend(
    home: Path,
    people: int,
    bundle: Path | None,
    seed: int,
    goals: int,
    with_model: bool,
    told: Mapping[str, Any],
    show: Report,
) -> Findings:
    async with _filled(home, people, bundle, seed, show) as store:
        published = await _published(home, store, seed, show) if with_model else None
        policy = load_policy(chosen_policy())
        truth = None if bundle else Truth.of(await asyncio.to_thread(_world, people, seed, show))
        return await bench_recommend(store, policy, published, truth, goals=goals, seed=seed, settings=told, show=show)


async def _load(
    home: Path, people: int, clients: Sequence[int], seconds: float, seed: int, told: Mapping[str, Any], show: Report
) -> Findings:
    async with _filled(home, people, None, seed, show) as store:
        recommender = Recommender(store, RulesScorer(load_policy(chosen_policy())))
        columns = await recommender.fresh_columns()
        askers = [
            (global_id("Person", mentee), global_id("Goal", goal)) for mentee, goal in Asks.of(columns, None, seed).open
        ]
        # The server finds the database of this home, whichever one the environment names.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NEO4J_")}
        environment |= {"MENTORGRAPH_HOME": str(home), KNOWN["serve.demo"].variable: "1"}
        show("Starting the server", 0, 0)
        with served(python(HOME), environment) as server:
            return await bench_load(
                server, askers, clients=clients, seconds=seconds, seed=seed, settings=told, show=show
            )


@asynccontextmanager
async def _filled(home: Path, people: int, bundle: Path | None, seed: int, show: Report) -> AsyncIterator[Store]:
    """The graph of a home, filled now if the home is new."""
    async with database_of(home, show) as database:
        holds = home / HOLDS
        wanted = {"bundle": str(bundle.resolve())} if bundle else {"people": people, "seed": seed}
        if not holds.exists():
            await fill(database, _bundle(people, bundle, seed, show), "bench", show)
            holds.write_bytes(orjson.dumps(wanted))
        elif orjson.loads(holds.read_bytes()) != wanted:
            raise DomainError(f"{home} holds another graph; name another folder or remove it", code="BAD_USER_INPUT")
        yield Store(database)


def _bundle(people: int, bundle: Path | None, seed: int, show: Report) -> Mapping[str, BundleFile]:
    if bundle is not None:
        return open_bundle(bundle)
    return bundle_of(_world(people, seed, show).rows)


def _world(people: int, seed: int, show: Report) -> World:
    done = iter(range(1, STEPS + 1))
    return generate(people, seed=seed, progress=lambda _step: show("Generating people", next(done), STEPS))


async def _published(home: Path, store: Store, seed: int, show: Report) -> Published:
    """The model of a home, taught now where it has none; it need not pass the gate, since it is only measured."""
    registry = Registry(home / MODELS)
    if not registry.current():
        folder = await snapshots.take(store, home / SNAPSHOTS)
        request = {
            **{"what": "train", "setting": "full", "seed": seed, "force": "measured only"},
            **{"registry": str(registry.folder), "snapshot": str(folder)},
        }
        await asyncio.to_thread(converse, request, show, home / LOG)
    return registry.load(registry.current())
