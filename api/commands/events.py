"""`mentorgraph events`: what happened, as other systems tell it, into the graph."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import orjson

from mentorgraph.api.commands.session import run, sentences
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.events import EVENT_FILES, Event, take_events
from mentorgraph.graph.facts.model import InvalidFact
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR


@click.command()
@click.option("--source", default="bundle", show_default=True, metavar="NAME", help="The system that tells them.")
@click.argument("file", metavar="FILE.jsonl", type=click.Path(path_type=Path))
def events(source: str, file: Path) -> None:
    """Take events: sessions, answers, moves, signatures, consents, absences and ratings, in any order.

    \b
    Example:
      mentorgraph events --source hr news.jsonl

    A line is an object with `file`, the name of a file of the bundle, and the columns of one of its rows:
    {"file": "sessions", "id": "s-1", "pairing_id": "m-1", "started_at": "2026-03-01T09:00:00Z", "minutes": 45}.
    Telling an event again changes nothing, and what is told late counts as if it had been told in time. Prints how many
    were new, known, early (what they refer to is not known yet; tell them again) and other (something else is known
    under their key, and stays).
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        told = list(_read(file))

    async def work(database: Database, _show: Report) -> list[str]:
        await migrate(database)
        return await take_events(Store(database), COORDINATOR, told, source)

    try:
        found = run(work)
    except InvalidFact as error:
        first = error.problems[0]
        # What people wrote is not shown to whoever runs this.
        is_private = first.column in ("comment", "note")
        reason = f"{first.column} {first.message}; {first.remedy}" if is_private else str(first)
        raise click.ClickException(reason) from None
    for number, status in enumerate(found, 1):
        if status in ("early", "other"):
            click.echo(f"event {number}: {status}")
    counts = Counter(found)
    click.echo(", ".join(f"{status} {counts[status]}" for status in ("new", "known", "early", "other")))


def _read(file: Path) -> Iterator[Event]:
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                row = orjson.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict) or row.get("file") not in EVENT_FILES:
                raise DomainError(
                    f"line {number} is no event; write an object whose file is {', '.join(EVENT_FILES)}",
                    code="BAD_USER_INPUT",
                )
            yield Event(row.pop("file"), row)
