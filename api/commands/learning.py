"""`mentorgraph snapshot`, `train` and `evaluate`: from the graph to a model that was judged."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

import click
import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mentorgraph.api.commands.options import DATE
from mentorgraph.api.commands.session import prepare_to_read, run, sentences
from mentorgraph.api.commands.watching import FOLDER as SNAPSHOTS
from mentorgraph.api.commands.watching import look, watch
from mentorgraph.api.context import MODELS
from mentorgraph.embeddings import process as training_process
from mentorgraph.embeddings import snapshot as snapshots
from mentorgraph.embeddings.evaluation import SERVED
from mentorgraph.embeddings.progress import FILE as PROGRESS
from mentorgraph.embeddings.tasks import SETTINGS
from mentorgraph.graph.embedded.progress import Report, shown_on_terminal
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.rules.policy import chosen_policy
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.store import Store

FunctionT = TypeVar("FunctionT", bound=Callable[..., object])

LOG = "training.log"
ENOUGH_CHANGED = 100
LAST_WORDS_S = 10
COLUMNS = ("ndcg@10", "mrr", "hr@10")

_seed = click.option("--seed", default=0, show_default=True, help="Decides all that chance decides.")


def _setting(*names: str) -> Callable[[FunctionT], FunctionT]:
    return click.option(
        "--setting",
        type=click.Choice(names),
        default="full",
        show_default=True,
        help="What may be used: everything, nothing of units, or no unit names in texts either (masked).",
    )


_device = click.option(
    "--device",
    type=click.Choice(("cpu", "cuda")),
    default="cpu",
    show_default=True,
    help="Where to compute; cuda: a GPU.",
)
_processes = click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that share the goals to learn from, one core each.",
)
text_option = click.option(
    "--text",
    is_flag=True,
    help="Read goals with a sentence encoder, which knows what words mean; needs mentorgraph[text].",
)
_snapshot = click.option(
    "--snapshot", "name", metavar="NAME", help="A snapshot that was taken before; a new one if not given."
)


@click.command()
@click.option("--as-of", type=DATE, metavar="DATE", help="Only what was known before this day; now if not given.")
def snapshot(as_of: datetime | None) -> None:
    """Freeze the facts that training may use, of people who agreed to training.

    \b
    Example:
      mentorgraph snapshot
      mentorgraph snapshot --as-of 2026-01-01

    It goes to the folder snapshots of the home and is named by its day and its content: the same facts have the same
    name. Names of people, comments and keys of other systems are not in it.
    """  # noqa: D301 (click wants the backspace itself)
    folder = take_snapshot(as_of)
    manifest = snapshots.Manifest.read(folder)
    for kind, count in manifest.counts.items():
        click.echo(f"{kind:<16} {count:>10}")
    if manifest.without_consent:
        click.echo(f"{manifest.without_consent} people have not agreed to training; nothing about them is in it.")
    click.echo(f"{folder.name}: {folder}")


@click.command()
@_snapshot
@_setting("full", "no-unit")  # what serves reads whole texts, so masked is for judging only
@_seed
@click.option("--force", default="", metavar="REASON", help="Let it serve whatever the gate says; the reason is kept.")
@click.option(
    "--when-changed",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only if N pairings have begun or become known how they went, or drift is found; for a daily job.",
)
@click.option(
    "--watch",
    "minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Look again each so many minutes, until Ctrl-C; without --when-changed from 100 changes on.",
)
@text_option
@_device
@_processes
def train(
    name: str | None,
    setting: str,
    seed: int,
    force: str,
    when_changed: int | None,
    minutes: float | None,
    text: bool,
    device: str,
    processes: int,
) -> None:
    """Teach a model, judge it on later goals, and let it serve if it passes the gate.

    \b
    Example:
      mentorgraph train
      mentorgraph train --snapshot 20260101-0123456789ab --seed 1
      mentorgraph train --when-changed 100
      mentorgraph train --watch 60

    The last months are kept aside: the model is taught with what was known before them, and then ranks all mentors for
    their goals, beside rankings that need no training. It serves if it beats all of them, if the network itself adds
    something, and if it is no worse than the present version. Else the present version, or the rules, go on.

    Needs the extra mentorgraph[train].
    """  # noqa: D301 (click wants the backspace itself)
    if minutes is not None:
        if name or force:
            raise click.UsageError("--watch looks at new facts and through the gate: leave --snapshot and --force away")
        watch(
            minutes,
            when_changed or ENOUGH_CHANGED,
            take_snapshot,
            lambda taken: train_model(taken, setting, seed, "", device, processes, text),
        )
        return
    if when_changed is not None:
        name = name or take_snapshot().name
        seen = look(mentorgraph_home() / SNAPSHOTS / name, when_changed)
        click.echo(seen.told)
        if not seen.is_worth_it:
            return
    result = train_model(name, setting, seed, force, device, processes, text)
    print_figures(result)
    if result["untold"]:
        click.echo(f"{result['untold']}.", err=True)
    if result["version"]:
        click.echo(f"Model {result['version']} serves now.")
    else:
        click.echo("What served before goes on.")


@click.command()
@click.option("--from", "begin", type=DATE, required=True, metavar="DATE", help="Teach with what was known before.")
@click.option("--until", type=DATE, metavar="DATE", help="Ask for goals set before this day; all if not given.")
@_snapshot
@_setting(*SETTINGS)
@_seed
@text_option
@_device
@_processes
@click.option(
    "--json",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the figures as JSON, for programs.",
)
def evaluate(
    begin: datetime,
    until: datetime | None,
    name: str | None,
    setting: str,
    seed: int,
    text: bool,
    device: str,
    processes: int,
    output: Path | None,
) -> None:
    """Judge how well mentors would have been ranked in a past time; nothing is published.

    \b
    Example:
      mentorgraph evaluate --from 2026-01-01 --until 2026-04-01
      mentorgraph evaluate --from 2024-01-01 --setting no-unit --json figures.json

    A model is taught with what was known before the first day. Then it ranks everybody who had mentored before, for
    each goal that was set from then on and found such a mentor. Nobody is left out and no sample is drawn. Intervals
    are of 95 %, by bootstrap over goals.

    Needs the extra mentorgraph[train].
    """  # noqa: D301 (click wants the backspace itself)
    request = {
        "what": "evaluate",
        "begin": begin.isoformat(),
        "until": until.isoformat() if until else None,
        "setting": setting,
        "seed": seed,
        "text": text,
        "device": device,
        "processes": processes,
    }
    result = _ask_process(name, request)
    print_figures(result)
    if output is not None:
        settings = {key: request[key] for key in ("begin", "until", "setting", "seed", "text")}
        settings |= {"asks": result["asks"], "candidates": result["candidates"]}
        settings["tuned"] = result["tuned"]
        told = {
            "rows": result["rows"],
            "ablation": result["ablation"],
            "gate": result["gate"],
            "chance": result["chance"],
            "settings": settings,
        }
        with sentences():
            output.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def take_snapshot(as_of: datetime | None = None) -> Path:
    """Freeze the graph of this home, and return the folder of the snapshot."""

    async def work(database: Database, show: Report) -> Path:
        await prepare_to_read(database)
        done: Counter[str] = Counter()

        def add(kind: str, facts: int) -> None:
            done[kind] += facts
            if done[kind] % 1_000 == 0:
                show(f"Reading {kind}", done[kind], 0)

        return await snapshots.take(Store(database), mentorgraph_home() / SNAPSHOTS, as_of, on_progress=add)

    return run(work)


def train_model(
    name: str | None = None,
    setting: str = "full",
    seed: int = 0,
    force: str = "",
    device: str = "cpu",
    processes: int = 1,
    text: bool = False,
) -> dict[str, Any]:
    """Teach, judge and publish in processes of their own; what `process` says in the end."""
    request = {"what": "train", "setting": setting, "seed": seed, "force": force, "device": device, "text": text}
    return _ask_process(name, {**request, "processes": processes, "registry": str(mentorgraph_home() / MODELS)})


def print_figures(result: Mapping[str, Any]) -> None:
    """Print the rankings side by side, best first, and what the gate says and why."""
    for group in ("all", "newcomers"):
        title = f"{result['asks']} goals ({group}), {result['candidates']} people to choose from"
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
        table.add_column("ranking", no_wrap=True)
        for column in (*COLUMNS[:1], "95 %", *COLUMNS[1:]):
            table.add_column(column, justify="right", no_wrap=True)
        rows = [row for row in result["rows"] if row["group"] == group]
        for row in sorted(rows, key=lambda row: -row["ndcg@10"]):
            style = "bold" if row["kind"] == "model" else None
            first, *others = (f"{row[column]:.3f}" for column in COLUMNS)
            table.add_row(row["name"], first, f"{row['low']:.3f}–{row['high']:.3f}", *others, style=style)
        if rows:
            Console().print(table)
    click.echo("The ranking with the network, by NDCG@10 on the same goals:")
    for condition in result["gate"]["conditions"][SERVED]:
        click.echo(f"  {'✓' if condition['holds'] else '✗'} {condition['told']}")
    click.echo(result["gate"]["verdict"])
    if result.get("chance"):
        _print_chances(result["chance"])


def _print_chances(told: Mapping[str, Any]) -> None:
    """Print whether chances of success are stated, and why."""
    click.echo("Chances of success:")
    for condition in told["conditions"]:
        click.echo(f"  {'✓' if condition['holds'] else '✗'} {condition['told']}")
    if all(condition["holds"] for condition in told["conditions"]):
        losses = ", ".join(f"{name} {loss:.4f}" for name, loss in told["losses"].items())
        click.echo(f"They are stated, by the {told['method']} map; −ln likelihood of others' outcomes: {losses}.")
    else:
        click.echo("None are stated.")


def _ask_process(name: str | None, request: dict[str, Any]) -> dict[str, Any]:
    """Have the training process carry out a request on a snapshot, and show how far it is."""
    folder = mentorgraph_home() / SNAPSHOTS / name if name else take_snapshot()
    with sentences(if_interrupted="what serves is untouched"), shown_on_terminal() as show:
        snapshots.Manifest.read(folder)
        told = {**request, "snapshot": str(folder), "progress": str(mentorgraph_home() / PROGRESS)}
        return converse(told, show, mentorgraph_home() / LOG)


def converse(request: Mapping[str, Any], show: Callable[[str, int, int], None], log: Path) -> dict[str, Any]:
    """Start the training process, pass on what it says it is doing, and return its result.

    Args:
        request: What it is asked for; see `mentorgraph.embeddings.process`. The policy is the chosen one.
        show: Told how far it is.
        log: File for what it writes to standard error.

    Raises:
        DomainError: As the process says, or `INTERNAL` where it ended without a word.
    """
    processes = int(request.get("processes", 1))
    if processes > 1 and not find_spec("torch"):
        raise DomainError(training_process.MISSING, code="EXTRA_MISSING")
    # Threads that spin while they wait would take the second core from whatever serves beside.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONWARNINGS": "ignore", **os.environ, "PYTHONSAFEPATH": "1"}
    several = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    if processes > 1:
        environment = {"OMP_NUM_THREADS": "1", **environment}
    said: dict[str, Any] = {}
    policy = chosen_policy()
    # Several processes cannot share standard input, so the request is a file.
    with log.open("wb") as errors, NamedTemporaryFile(prefix="mentorgraph-", suffix=".json") as file:
        told = {**request, "policy": str(policy) if policy else None, "ends_with_input": True}
        file.write(orjson.dumps(told))
        file.flush()
        command = [
            sys.executable,
            "-m",
            *(several if processes > 1 else ()),
            "mentorgraph.embeddings.process",
            file.name,
        ]
        with subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,
        ) as process:
            try:
                assert process.stdout is not None  # noqa: S101
                for said in map(orjson.loads, process.stdout):
                    if "doing" in said:
                        show(said["doing"], said["done"], said["total"])
                process.wait()
            finally:
                _end(process)
    if "result" in said:
        return dict(said["result"])
    if "error" in said:
        raise DomainError(said["error"], code=said["code"])
    raise DomainError(
        f"the training process was ended from outside; what serves is untouched, and {log} may say more",
        code="INTERNAL",
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process, and give one that leads others the time to end them."""
    process.terminate()
    try:
        process.wait(LAST_WORDS_S)
    except subprocess.TimeoutExpired:
        process.kill()
