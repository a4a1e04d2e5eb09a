"""`mentorgraph demo`: a community to try everything on, from nothing to an answer in one command."""

import asyncio
import errno
import json
import os
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count

import click
from rich.console import Console

from mentorgraph.api.commands.learning import print_figures, train_model
from mentorgraph.api.commands.session import run, sentences
from mentorgraph.api.context import MODELS
from mentorgraph.api.examples import (
    Asker,
    Example,
    ExampleError,
    NotAnswered,
    ask,
    askers_in,
    examples_in,
    fill,
    readme,
    values_for,
)
from mentorgraph.embeddings.registry import Registry
from mentorgraph.graph.embedded import database as embedded
from mentorgraph.graph.embedded.progress import Report, shown_on_terminal
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import FIXED_LABELS
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.store.database import Address, Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.world.community import FEWEST_PEOPLE, STEPS, generate

HOST = "127.0.0.1"
READY_WITHIN_S = 90.0
STOPPED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Community:
    """Which generated community the demonstration shows."""

    people: int
    months: int
    seed: int

    def __str__(self) -> str:
        return f"{self.people:,} generated people with {self.months} months behind them"


@click.command()
@click.option("--once", is_flag=True, help="Ask the README's questions, print the answers and end.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@click.option(
    "--people", default=2_000, show_default=True, type=click.IntRange(min=FEWEST_PEOPLE), help="How many are generated."
)
@click.option("--months", default=24, show_default=True, type=click.IntRange(min=1), help="How long their history is.")
@click.option("--seed", default=7, show_default=True, help="Which community; the same seed gives the same one.")
def demo(once: bool, port: int, people: int, months: int, seed: int) -> None:
    """Show mentorgraph at work: a generated community, served on this machine.

    \b
    Example:
      mentorgraph demo
      mentorgraph demo --once

    Starts the database, fills it with generated people where it is empty, and answers GraphQL until Ctrl-C. What is
    there already is used: a second start takes seconds. With --once it takes another port where its own is taken.
    """  # noqa: D301 (click wants the backspace itself)
    community = Community(people, months, seed)
    with _listen(port, or_any=once) as listener:
        with _database_kept_running():
            askers = run(
                lambda database, show: _prepare(database, show, community),
                if_interrupted="the same command completes what was begun",
            )
            _teach()
            guide = _Guide(f"http://{HOST}:{listener.getsockname()[1]}/graphql", askers, once)
            status = guide.accompany(listener)
    if once and guide.failures:
        raise click.ClickException("; ".join(guide.failures))
    sys.exit(status)


def _listen(port: int, *, or_any: bool) -> socket.socket:
    """Take the port before anything else is done, so that a taken one shows at once."""
    from mentorgraph.api import server  # here, so that the other commands start without a web server

    try:
        return server.listen(HOST, port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise click.ClickException(f"cannot listen on port {port}: {error.strerror}.") from error
        if or_any:
            return server.listen(HOST, 0)
        raise click.ClickException(f"port {port} is taken; choose another one with --port.") from error


@contextmanager
def _database_kept_running() -> Iterator[None]:
    """Keep the embedded database up between filling it and serving it, and leave only when it has stopped.

    It goes on for its other users, if there are any.
    """
    if Address.from_environment() is not None:
        yield
        return
    with sentences(), shown_on_terminal() as report:
        server = embedded.attach(progress=report)
    try:
        yield
    finally:
        server.close()
        deadline = time.monotonic() + STOPPED_WITHIN_S
        while time.monotonic() < deadline:
            found = embedded.status()
            if found.guardian_pid is None or found.is_kept or set(found.user_pids) - {os.getpid()}:
                break
            time.sleep(0.1)


# --- the community ---------------------------------------------------------------------------------------------------


async def _prepare(database: Database, show: Report, asked_for: Community) -> list[Asker]:
    """Bring the database to the model, fill it where it is empty, and find whom to ask for."""
    show("Preparing the database", 0, 0)
    await migrate(database)
    store = Store(database)
    begun = _Begun(database.address.uri if Address.from_environment() else "")
    community = begun.community() or (asked_for if await _is_empty(store) else None)
    if community is None:
        click.echo("Using the people that the database holds already.", err=True)
    else:
        click.echo(f"Filling the database with {community} (seed {community.seed}).", err=True)
        begun.note(community)
        await _fill(store, community, show)
        begun.forget()
    return await askers_in(store)


class _Begun:
    """A note in the home that an import was begun, so that one that was cut short is completed and not served.

    Args:
        database: Address of an external database, which the note is about; empty for the embedded one.
    """

    def __init__(self, database: str) -> None:
        self._database = database
        self._file = mentorgraph_home() / "demo-begun.json"

    def community(self) -> Community | None:
        """Return what was begun on this database and not completed."""
        if not self._file.exists():
            return None
        noted = json.loads(self._file.read_text("utf-8"))
        return Community(**noted["community"]) if noted["database"] == self._database else None

    def note(self, community: Community) -> None:
        """Write the note."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps({"database": self._database, "community": asdict(community)}), "utf-8")

    def forget(self) -> None:
        """Take the note away: all is there."""
        self._file.unlink()


async def _is_empty(store: Store) -> bool:
    """Whether the database holds nothing but what every database of ours has, not even facts of another program."""
    return all(set(row["labels"]) & set(FIXED_LABELS) for row in await store.count_nodes())


async def _fill(store: Store, community: Community, show: Report) -> None:
    """Generate the community and import it."""
    steps = count(1)
    world = await asyncio.to_thread(
        generate,
        community.people,
        community.months,
        community.seed,
        progress=lambda step: show("Generating people", next(steps), STEPS),
    )
    bundle = bundle_of(world.rows)
    total = sum(file.count for file in bundle.values())
    done = 0

    def add(_file: str, rows: int) -> None:
        nonlocal done
        done += rows
        show("Importing rows", done, total)

    await import_bundle(store, bundle, source="demo", on_progress=add)


def _teach() -> None:
    """Teach and judge a model, once, and say what the gate decided."""
    registry = Registry(mentorgraph_home() / MODELS)
    if registry.versions():
        click.echo(f"Model {registry.current() or '(none)'} ranks; see mentorgraph models list.", err=True)
        return
    click.echo("Teaching a model with the past pairings, and judging it on later goals.", err=True)
    try:
        result = train_model()
    except click.ClickException as error:
        click.echo(f"{error.message}. The rules rank.", err=True)
        return
    print_figures(result)
    click.echo(f"Model {result['version']} ranks." if result["version"] else "The rules rank.", err=True)


# --- the server ------------------------------------------------------------------------------------------------------


class _Guide:
    """Shows what can be asked, from a thread beside the server.

    Attributes:
        failures: What went wrong, in sentences.
    """

    def __init__(self, url: str, askers: list[Asker], once: bool) -> None:
        self.failures: list[str] = []
        self._url = url
        self._askers = askers
        self._once = once

    def accompany(self, listener: socket.socket) -> int:
        """Serve until Ctrl-C, or until the questions are asked, and return the exit status."""
        from mentorgraph.api import server
        from mentorgraph.api.app import DEMO_VARIABLE

        os.environ[DEMO_VARIABLE] = "1"
        threading.Thread(target=self._speak, name="guide", daemon=True).start()
        return server.serve("mentorgraph.api.app:from_environment", listener, workers=1)

    def _speak(self) -> None:
        try:
            asker, values = self._values()
            examples = examples_in(readme())
            if self._once:
                self._ask(examples, values)
            else:
                self._invite(examples[0], asker, values)
        except ExampleError as error:
            self.failures.append(str(error))
            click.echo(f"No example can be shown: {error}.", err=True)
        except BaseException as error:
            self.failures.append(f"the demonstration failed: {error!r}")
            raise
        finally:
            if self._once:
                # What Ctrl-C sends: the server ends in its own time, and this process with it.
                os.kill(os.getpid(), signal.SIGINT)

    def _values(self) -> tuple[Asker, dict[str, object]]:
        """Choose who asks as soon as the server answers, which it does not do at once."""
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                return values_for(self._url, self._askers)
            except NotAnswered:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _ask(self, examples: list[Example], values: Mapping[str, object]) -> None:
        """Ask every example and print the answers; go on after one that fails."""
        console = Console()
        for number, example in enumerate(examples, 1):
            console.rule(f"{number} of {len(examples)}: {example.name}")
            try:
                variables = fill(example, values)
                console.print(example.text, markup=False, highlight=False, style="dim")
                console.print_json(data=variables)
                console.print_json(data=ask(self._url, example.text, variables))
            except ExampleError as error:
                self.failures.append(f"{example.name}: {error}")
                console.print(f"FAILED: {error}", markup=False)
        console.rule(f"{len(examples) - len(self.failures)} of {len(examples)} examples of the README were answered")

    def _invite(self, example: Example, asker: Asker, values: Mapping[str, object]) -> None:
        """Print where the server is and a question that it will answer."""
        request = json.dumps({"query": example.text, "variables": fill(example, values)})
        page = f"{self._url.removesuffix('/graphql')}/why/{values['recommendationId']}"
        click.echo(
            f"\nGraphQL on {self._url} (Ctrl-C ends it)\n\n"
            f"A person to ask for: {asker.name}, whose goal is “{asker.title}”\n"
            f"  menteeId {asker.person}\n  goalId   {asker.goal}\n\n"
            f"{example.text}\n"
            f"The same from another terminal:\n"
            f"  curl {self._url} -H 'content-type: application/json' -d {shlex.quote(request)}\n"
            f"Why the first mentor of the list is recommended, as a page for coordinators:\n  {page}\n"
        )
