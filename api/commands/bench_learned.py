"""`mentorgraph bench`, on what learns and what it rests on: vectors, steps, newcomers, chances and public histories."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from mentorgraph.api.benchmarks.figures import LABELS, OURS, PEER, Findings, Target, row, spread
from mentorgraph.api.benchmarks.gowalla import bench_gowalla, read_split
from mentorgraph.api.benchmarks.retrieval import bench_retrieval
from mentorgraph.api.commands.bench_options import bundle_option, json_option, people_option, seed_option, tell
from mentorgraph.api.commands.learning import LOG, FunctionT, converse, text_option
from mentorgraph.api.commands.options import DATE
from mentorgraph.api.commands.scratch import scratch_home
from mentorgraph.api.commands.session import sentences
from mentorgraph.embeddings.evaluation import PLAIN, SERVED
from mentorgraph.embeddings.gate import LARGEST_ERROR, LARGEST_ERROR_OF_GROUP
from mentorgraph.embeddings.tasks import SETTINGS
from mentorgraph.graph.embedded.progress import shown_on_terminal

TIMES_FASTER_STEP = 5
LARGE = 50_000


@click.command()
@click.option(
    "--mentors", type=click.IntRange(min=10), default=100_000, show_default=True, metavar="N", help="Vectors."
)
@click.option("--dimensions", type=click.IntRange(min=1), default=64, show_default=True, help="Length of a vector.")
@click.option("--queries", type=click.IntRange(min=1), default=500, show_default=True, metavar="N", help="Questions.")
@seed_option
@json_option
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
    tell(found, output)


@click.command("training-step")
@people_option
@click.option("--pairings", type=click.IntRange(min=1), default=800_000, show_default=True, metavar="N", help="Edges.")
@click.option("--dimensions", type=click.IntRange(min=1), default=64, show_default=True, help="Size of the embeddings.")
@click.option("--layers", type=click.IntRange(min=1), default=3, show_default=True, help="Hops.")
@click.option("--steps", type=click.IntRange(min=1), default=10, show_default=True, help="Timed steps of each.")
@seed_option
@json_option
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
    tell(Findings(title, rows, settings, targets), output)


def _past(command: FunctionT) -> FunctionT:
    """The options of what is measured in a past time."""
    options = (
        people_option,
        bundle_option,
        click.option(
            "--from",
            "begin",
            type=DATE,
            metavar="DATE",
            help="Teach with what was known before; the last months judge if not given.",
        ),
        click.option("--until", type=DATE, metavar="DATE", help="Ask for goals set before this day; all if not given."),
        click.option(
            "--setting", type=click.Choice([*SETTINGS]), default="full", show_default=True, help="What may be used."
        ),
        text_option,
        seed_option,
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def _measure(what: str, told: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the training process finds for the options of `_past`, and the settings to be told beside it."""
    bundle, begin, until = (told[name] for name in ("bundle", "begin", "until"))
    request = {**told, "bundle": str(bundle.resolve()) if bundle else ""}
    request |= {"begin": begin.isoformat() if begin else "", "until": until.isoformat() if until else ""}
    with sentences(), shown_on_terminal() as show, scratch_home() as home:
        found = converse({"what": what, **request}, show, home / LOG)
    return found, {"command": what, **request, "begin": found["begin"]}


def _of_past(
    found: Mapping[str, Any],
    figures: Sequence[str],
    settings: Mapping[str, Any],
    targets: Sequence[Target],
    notes: Sequence[str] = (),
) -> Findings:
    """The findings in a past time, with some figures of each ranking."""
    rows = [{name: each[name] for name in (*LABELS, *figures)} for each in found["rows"]]
    title = f"{found['asks']} goals from {found['begin'][:10]} on, {found['candidates']} people to choose from"
    return Findings(title, rows, settings, targets, notes)


def _added(gain: Mapping[str, Any], told: str) -> Target:
    """A target that is met where something adds beyond doubt; `{gain}` of the sentence is by how much."""
    return Target(told.format(gain=f"{gain['adds']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"), gain["low"] > 0)


@click.command()
@_past
def ranking(output: Path | None, **options: Any) -> None:
    """Measure lists in a past time of any bundle, beside all rankings that need no network.

    \b
    Example:
      mentorgraph bench ranking --bundle DIR --from 2024-01-01 --until 2025-01-01
      mentorgraph bench ranking --people 2000 --setting no-unit --json figures.json

    All who had mentored before are ranked for each goal, and once more those alone who mentor in that time, as a
    programme that knows its roster would. It needs no database, and looks at nobody's consent: whoever runs it has it.

    Needs the extra mentorgraph[train].
    """  # noqa: D301 (click wants the backspace itself)
    found, settings = _measure("ranking", options)
    figures = (
        "ndcg@10",
        "low",
        "high",
        "mrr",
        "hr@10",
        "recall@20",
        "coverage@10",
        "gini@10",
        "goals",
        "seconds",
        "peak_mb",
    )
    targets = [
        _added(each, f"the network adds {{gain}} for {each['group']} to {each['against']}")
        for each in found["network_adds"]
    ]
    targets += [
        _added(each, f"the network alone is {{gain}} better than {each['against']}")
        for each in found["network_alone"]
        if each["group"] == "all"
    ]
    notes = (found["gate"]["verdict"], f"{found['roster']} people are on the roster.")
    tell(_of_past(found, figures, settings, targets, notes), output)


@click.command()
@_past
def parts(output: Path | None, **options: Any) -> None:
    """Measure what each part of the network adds: it is taught whole, and once more without each of them.

    \b
    Example:
      mentorgraph bench parts --people 2000
      mentorgraph bench parts --bundle DIR --from 2024-01-01 --setting no-unit --text --json figures.json

    The parts are the encoder's messages, the attention that flows from past goals to their mentors and, with --text,
    what a sentence encoder reads. All are judged on the same goals, and compared in pairs. It takes as long as so many
    trainings.

    Needs the extra mentorgraph[train].
    """  # noqa: D301 (click wants the backspace itself)
    found, settings = _measure("parts", options)
    targets = [
        _added(each, f"{each['part']}: {{gain}} to {each['ranking']} for {each['group']}") for each in found["adds"]
    ]
    figures = ("ndcg@10", "low", "high", "mrr", "hr@10", "goals")
    tell(_of_past(found, figures, settings, targets), output)


@click.command()
@people_option
@seed_option
@json_option
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
        found = converse({"what": "newcomers", "people": people, "seed": seed}, show, home / LOG)
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
    tell(Findings(f"newcomers of {people:,} people", rows, settings, targets, (note,)), output)


@click.command()
@people_option
@click.option("--network", "with_network", is_flag=True, help="Of the ranking with the network, else signals alone.")
@seed_option
@json_option
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
    request = {"what": "calibration", "people": people, "seed": seed, "with_network": with_network}
    with sentences(), shown_on_terminal() as show, scratch_home() as home:
        found = converse(request, show, home / LOG)
    if not found["rows"]:
        raise click.ClickException(
            f"{found['outcomes']} outcomes, {found['successes']} of them successes, are too few; take more people"
        )
    targets = [
        Target(
            f"{each['name']}, {each['group']}: {each['debiased']:.3f} beyond luck, {_allowed(each)} is meant",
            each["debiased"] <= _allowed(each),
        )
        for each in found["rows"]
    ]
    note = (
        f"Fitted to {found['outcomes']} outcomes by the {found['method']} map, taught before "
        f"{found['taught_before'][:10]}; of the later pairings {found['known_later']:.1%} have ended. ece is of parts "
        "of equally many outcomes, floor what it is for true chances in the mean, by luck what they exceed in one of "
        "twenty samples, debiased what is left without luck, low and high its interval of 95 %."
    )
    settings = {"command": "calibration", "people": people, "seed": seed, "with_network": with_network}
    tell(Findings(f"expected calibration error, {people:,} people", found["rows"], settings, targets, (note,)), output)


@click.command()
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
@seed_option
@json_option
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
    tell(found, output)


def _allowed(found: Mapping[str, Any]) -> float:
    return LARGEST_ERROR if found["group"] == "all" else LARGEST_ERROR_OF_GROUP
