"""`mentorgraph bench`: ours beside named alternatives, from one run on this machine."""

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
import orjson

from mentorgraph.api.benchmarks.figures import OURS, PEER, Findings, Target, row, spread
from mentorgraph.api.benchmarks.gowalla import bench_gowalla, read_split
from mentorgraph.api.benchmarks.recommend import JUDGED_DAYS, bench_recommend
from mentorgraph.api.benchmarks.retrieval import bench_retrieval
from mentorgraph.api.commands.learning import LOG, converse
from mentorgraph.api.commands.scratch import database_of, fill, scratch_home
from mentorgraph.api.commands.session import sentences
from mentorgraph.api.commands.watching import FOLDER as SNAPSHOTS
from mentorgraph.api.context import MODELS
from mentorgraph.embeddings import snapshot as snapshots
from mentorgraph.embeddings.evaluation import PLAIN, SERVED
from mentorgraph.embeddings.gate import LARGEST_ERROR, LARGEST_ERROR_OF_GROUP
from mentorgraph.embeddings.registry import Published, Registry
from mentorgraph.graph.embedded.progress import Report, shown_on_terminal
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, open_bundle
from mentorgraph.graph.exchange.table_files import BundleFile
from mentorgraph.graph.rules.policy import chosen_policy, load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.world.community import FEWEST_PEOPLE, STEPS, generate

TIMES_FASTER = 100
TIMES_FASTER_STEP = 5
LARGE = 50_000

HOLDS = "holds.json"
"""What the database of a kept folder was filled with; written when it is whole."""


@click.group()
def bench() -> None:
    """Measure mentorgraph beside what one would use instead, in one run on this machine.

    Every benchmark prints ours and others' figures with ratios to a named one of them, since seconds differ from
    machine to machine, and --json writes the same rows as mentorgraph evaluate --json. docs/benchmarks.md says what
    each one measures, against whom, and what was found.
    """


_people = click.option(
    "--people",
    type=click.IntRange(min=FEWEST_PEOPLE),
    default=2_000,
    show_default=True,
    metavar="N",
    help="Size of the generated community.",
)
_seed = click.option("--seed", default=7, show_default=True, help="Decides all that chance decides.")
_json = click.option(
    "--json",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the figures as JSON, for programs.",
)


@bench.command()
@_people
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Measure on this bundle in place of a generated community.",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the database in this folder and use what it holds; else it is gone afterwards.",
)
@click.option(
    "--goals",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="N",
    help="How many goals lists are asked for, and by how many past ones they are judged.",
)
@click.option("--train", "with_model", is_flag=True, help="Teach a model first, and measure its lists too.")
@_seed
@_json
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
    _tell(found, output)


@bench.command()
@_people
@click.option(
    "--pairs",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="N",
    help="How many pairs of a goal and a mentor are explained.",
)
@_seed
@_json
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
    policy = chosen_policy()
    told = {"command": "explanations", "people": people, "seed": seed}
    request = {"what": "explain", "people": people, "seed": seed, "pairs": pairs, "days": JUDGED_DAYS}
    with sentences(), shown_on_terminal() as show, scratch_home() as home:
        found = converse({**request, "policy": str(policy) if policy else None}, show, home / LOG)
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
    _tell(Findings(title, found["rows"], settings, targets), output)


@bench.command()
@click.option(
    "--mentors", type=click.IntRange(min=10), default=100_000, show_default=True, metavar="N", help="Vectors."
)
@click.option("--dimensions", type=click.IntRange(min=1), default=64, show_default=True, help="Length of a vector.")
@click.option("--queries", type=click.IntRange(min=1), default=500, show_default=True, metavar="N", help="Questions.")
@_seed
@_json
def retrieval(mentors: int, dimensions: int, queries: int, seed: int, output: Path | None) -> None:
    """Measure the exact ten nearest of many vectors, one query at a time, beside faiss's exact index.

    \b
    Example:
      mentorgraph bench retrieval
      mentorgraph bench retrieval --mentors 10000 --json figures.json

    The peer needs the extra mentorgraph[bench].
    """  # noqa: D301 (click wants the backspace itself)
    with sentences(), shown_on_terminal() as show:
        found = bench_retrieval(mentors, dimensions, queries, seed, show)
    _tell(found, output)


@bench.command("training-step")
@_people
@click.option("--pairings", type=click.IntRange(min=1), default=800_000, show_default=True, metavar="N", help="Edges.")
@click.option("--dimensions", type=click.IntRange(min=1), default=64, show_default=True, help="Size of the embeddings.")
@click.option("--layers", type=click.IntRange(min=1), default=3, show_default=True, help="Hops.")
@click.option("--steps", type=click.IntRange(min=1), default=10, show_default=True, help="Timed steps of each.")
@_seed
@_json
def training_step(
    people: int, pairings: int, dimensions: int, layers: int, steps: int, seed: int, output: Path | None
) -> None:
    """Measure a training step along sparse products beside torch-geometric's LightGCN along edge_index.

    \b
    Example:
      mentorgraph bench training-step --people 70000
      mentorgraph bench training-step --people 10000 --pairings 50000 --json figures.json

    Graph, beginning, layers, size, loss and optimizer are the same, and so are vectors and gradients.

    Needs the extra mentorgraph[train].
    """  # noqa: D301 (click wants the backspace itself)
    sizes = {"people": people, "pairings": pairings, "dimensions": dimensions, "layers": layers, "steps": steps}
    with sentences(), shown_on_terminal() as show, scratch_home() as home:
        found = converse({"what": "step", **sizes, "seed": seed}, show, home / LOG)
    ours, peer = spread(found["ours"]), spread(found["peer"])
    times = peer["p50_ms"] / ours["p50_ms"]
    rows = [
        row("along sparse products", OURS, "", **ours, times_ours=1.0),
        row("LightGCN along edge_index", PEER, "", **peer, times_ours=times),
    ]
    targets = (
        Target(
            f"LightGCN takes {times:.1f} × our time at the median, {TIMES_FASTER_STEP} × are meant",
            times >= TIMES_FASTER_STEP,
        ),
        Target(
            f"vectors and gradients of the first step differ by {found['apart']:.1e} of the largest, 1e-5 is meant",
            found["apart"] <= 1e-5,
        ),
    )
    settings = {"command": "training-step", **sizes, "seed": seed, "threads": found["threads"]}
    title = f"a step of {layers} layers over {found['edges']:,} directed edges, {dimensions} dimensions"
    _tell(Findings(title, rows, settings, targets), output)


@bench.command()
@_people
@_seed
@_json
def newcomers(people: int, seed: int, output: Path | None) -> None:
    """Measure lists for people who have never been paired, in a generated community whose truth is known.

    \b
    Example:
      mentorgraph bench newcomers --people 10000
      mentorgraph bench newcomers --people 2000 --seed 100 --json figures.json

    A model is taught without the last four months. Each ranking ranks all who had mentored, for the goals of those
    months; the oracle knows how well everybody suits every goal, and only the noise of choices is above it.

    Needs the extra mentorgraph[train].
    """  # noqa: D301 (click wants the backspace itself)
    with sentences(), shown_on_terminal() as show, scratch_home() as home:
        found = converse({"what": "newcomers", "people": people, "seed": seed, **_policy()}, show, home / LOG)
    figure = {each["name"]: each["ndcg@10"] for each in found["rows"]}
    best = max(figure[name] for name in (SERVED, PLAIN))
    times, share = best / max(1e-9, figure["metapath neighbours"]), best / max(1e-9, figure["oracle"])
    is_large = people >= LARGE
    wanted_s, wanted_times, wanted_share = (150, 1.5, 0.9) if is_large else (30, 1.35, 0.75)
    seconds, megabytes = found["taught_s"], found["taught_mb"]
    targets = (
        Target(f"NDCG@10 is {times:.2f} × metapath neighbours', {wanted_times} × are meant", times >= wanted_times),
        Target(f"and {share:.2f} of the oracle's, {wanted_share} are meant", share >= wanted_share),
        Target(f"teaching took {seconds:.0f} s, {wanted_s} s are meant", seconds <= wanted_s),
        Target(f"and {megabytes:,.0f} MB, 2,500 MB are meant", megabytes <= 2_500),
    )
    rows = [
        row(*(each[name] for name in ("name", "kind", "setting", "group")))
        | {name: each[name] for name in ("ndcg@10", "low", "high", "mrr", "hr@10", "coverage@10", "gini@10", "goals")}
        | {"to_oracle": each["ndcg@10"] / max(1e-9, figure["oracle"])}
        for each in found["rows"]
    ]
    note = f"The gate would let serve: {found['may_serve'] or 'nothing'}."
    settings = {"command": "newcomers", "people": people, "seed": seed}
    _tell(Findings(f"newcomers of {people:,} people", rows, settings, targets, (note,)), output)


@bench.command()
@_people
@click.option("--network", "with_network", is_flag=True, help="Of the ranking with the network, else signals alone.")
@_seed
@_json
def calibration(people: int, with_network: bool, seed: int, output: Path | None) -> None:
    """Measure how true chances of success are, in a generated community.

    \b
    Example:
      mentorgraph bench calibration --people 10000
      mentorgraph bench calibration --people 2000 --seed 100 --json figures.json

    They are fitted to outcomes that became known in three months after the teaching, and checked on outcomes that they
    were not fitted to, and on the pairings that began in the six weeks after.

    Needs the extra mentorgraph[train].
    """  # noqa: D301 (click wants the backspace itself)
    request = {"what": "calibration", "people": people, "seed": seed, "with_network": with_network, **_policy()}
    with sentences(), shown_on_terminal() as show, scratch_home() as home:
        found = converse(request, show, home / LOG)
    if not found["rows"]:
        raise click.ClickException(
            f"{found['outcomes']} outcomes, {found['successes']} of them successes, are too few; take more people"
        )
    targets = [
        Target(
            f"{each['name']}, {each['group']}: {each['ece']:.3f}, {_allowed(each)} is meant",
            each["ece"] <= _allowed(each),
        )
        for each in found["rows"]
    ]
    note = (
        f"Fitted to {found['outcomes']} outcomes by the {found['method']} map, taught before "
        f"{found['taught_before'][:10]}; of the later pairings {found['known_later']:.1%} have ended. by luck: what "
        "true chances exceed in one of twenty samples."
    )
    settings = {"command": "calibration", "people": people, "seed": seed, "with_network": with_network}
    _tell(Findings(f"expected calibration error, {people:,} people", found["rows"], settings, targets, (note,)), output)


@bench.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder with train.txt and test.txt: a user and the items chosen, a line each; .gz is unpacked.",
)
@click.option(
    "--users",
    type=click.IntRange(min=1),
    metavar="N",
    help="Judge on so many users drawn by chance, for a first look; on all if not given.",
)
@_seed
@_json
def gowalla(data: Path, users: int | None, seed: int, output: Path | None) -> None:
    """Measure spectral filters on a public benchmark of histories of choices, by full ranking.

    \b
    Example:
      mentorgraph bench gowalla --data DIR
      mentorgraph bench gowalla --data DIR --json figures.json

    Made for the LightGCN split of Gowalla, which is not part of mentorgraph. All numbers are chosen on a part of the
    training choices; the test choices are looked at once.

    The peer needs the extra mentorgraph[bench].
    """  # noqa: D301 (click wants the backspace itself)
    with sentences(), shown_on_terminal() as show:
        found = bench_gowalla(read_split(data), users, seed, show)
    _tell(found, output)


def _allowed(found: Mapping[str, Any]) -> float:
    return LARGEST_ERROR if found["group"] == "all" else LARGEST_ERROR_OF_GROUP


def _policy() -> dict[str, str | None]:
    """Of a request: where the policy is."""
    policy = chosen_policy()
    return {"policy": str(policy) if policy else None}


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
    async with database_of(home, show) as database:
        store, policy = Store(database), load_policy(chosen_policy())
        holds = home / HOLDS
        wanted = {"bundle": str(bundle.resolve())} if bundle else {"people": people, "seed": seed}
        if not holds.exists():
            await fill(database, _bundle(people, bundle, seed, show), "bench", show)
            holds.write_bytes(orjson.dumps(wanted))
        elif orjson.loads(holds.read_bytes()) != wanted:
            raise DomainError(f"{home} holds another graph; name another folder or remove it", code="BAD_USER_INPUT")
        published = await _published(home, store, seed, show) if with_model else None
        return await bench_recommend(store, policy, published, goals=goals, seed=seed, settings=told, show=show)


def _bundle(people: int, bundle: Path | None, seed: int, show: Report) -> Mapping[str, BundleFile]:
    if bundle is not None:
        return open_bundle(bundle)
    done = iter(range(1, STEPS + 1))
    return bundle_of(
        generate(people, seed=seed, progress=lambda _step: show("Generating people", next(done), STEPS)).rows
    )


async def _published(home: Path, store: Store, seed: int, show: Report) -> Published:
    """The model of a home, taught now where it has none; it need not pass the gate, since it is only measured."""
    registry = Registry(home / MODELS)
    if not registry.current():
        folder = await snapshots.take(store, home / SNAPSHOTS)
        policy = chosen_policy()
        request = {
            **{"what": "train", "setting": "full", "seed": seed, "force": "measured only"},
            **{"registry": str(registry.folder), "snapshot": str(folder), "policy": str(policy) if policy else None},
        }
        await asyncio.to_thread(converse, request, show, home / LOG)
    return registry.load(registry.current())


def _tell(found: Findings, output: Path | None) -> None:
    found.show()
    if output is not None:
        with sentences():
            found.write(output)
