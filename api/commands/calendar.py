"""`mentorgraph calendar`: a person's calendar into the graph, and their times out of it."""

import sys
from pathlib import Path

import click

from mentorgraph.api.commands.session import prepare_to_read, run, sentences
from mentorgraph.api.ids import read_given_id
from mentorgraph.graph.calendar.components import MOST_BYTES
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.people import timetable
from mentorgraph.graph.people.timetable import ImportedTimes
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR

_person = click.option("--person", required=True, metavar="ID", help="Whose calendar it is.")
_id_source = click.option(
    "--source",
    default="bundle",
    show_default=True,
    metavar="NAME",
    help="The system that a key given as ID belongs to.",
)


@click.group()
def calendar() -> None:
    """Read people's calendars, of which only times are kept, and publish them."""


@calendar.command("import")
@_person
@_id_source
@click.option(
    "--name",
    default=timetable.SOURCE,
    show_default=True,
    metavar="NAME",
    help="Name of the calendar; a person may have several. It takes the place of what that one told before.",
)
@click.argument("file", metavar="FILE.ics", type=click.Path(path_type=Path))
def import_(person: str, source: str, name: str, file: Path) -> None:
    """Take the times of the calendar FILE.ics: when the person is busy or away, and availability (RFC 7953).

    \b
    Example:
      mentorgraph calendar import --person p-0042 work.ics
      mentorgraph calendar import --person p-0042 --name private private.ics

    Nothing but times is kept: no title, place, note or name. What lies within the next 13 weeks is taken; what the
    calendar told before and does not tell any more ends. An ID is a global id as GraphQL gives it, one of our own uids,
    or the key that a source knows the person by.
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        uid = read_given_id(person, "people", source).uid
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)

    async def work(database: Database, _show: Report) -> ImportedTimes:
        await migrate(database)
        return await timetable.import_calendar(Store(database), COORDINATOR, uid, data, source=name)

    found = run(work)
    for reason, count in found.left_out.items():
        click.echo(f"Notice: {count} left out: {reason}")
    windows = "" if found.windows is None else f", weekly windows {found.windows}"
    click.echo(
        f"busy times {found.busy_times}, absences {found.absences}{windows}; new {found.begun}, ended {found.ended}"
    )


@calendar.command()
@_person
@_id_source
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.ics", help="Where it goes, if to a file."
)
def export(person: str, source: str, output: Path | None) -> None:
    """Write the times of a person as an iCalendar file: free and busy, live sessions, availability; no names.

    \b
    Example:
      mentorgraph calendar export --person p-0042 --output p-0042.ics
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        uid = read_given_id(person, "people", source).uid

    async def work(database: Database, _show: Report) -> bytes:
        await prepare_to_read(database)
        return await timetable.export_calendar(Store(database), COORDINATOR, uid)

    data = run(work)
    with sentences():
        if output is None:
            sys.stdout.buffer.write(data)
        else:
            output.write_bytes(data)
            click.echo(f"{output}: {len(data)} bytes")
