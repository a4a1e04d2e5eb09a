"""Scripts: texts that mentor and mentee of a pairing read alike, such as an agenda or a handbook, in dated versions."""

from dataclasses import replace
from datetime import datetime

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.values import instant
from mentorgraph.graph.people.recording import SOURCE
from mentorgraph.graph.store.store import Script, Store
from mentorgraph.graph.viewer import Viewer


async def set_script(
    store: Store,
    viewer: Viewer,
    title: str,
    text: str,
    *,
    format: str = "",
    programme: str = "",
    source: str = SOURCE,
    clock: Clock = present,
) -> Script | None:
    """Has a script say something from now on; the version that held until now ends, and stays readable as it was.

    Args:
        store: The graph.
        viewer: On whose behalf: coordinators.
        title: What it is called.
        text: What it says; empty to have it end.
        format: The format of programmes that it is for; empty for all.
        programme: uid of the programme that it is for; empty for all.
        source: Where this is known from.
        clock: The present instant.

    Returns:
        The version that holds from now on; None where it has ended.

    Raises:
        InvalidFact: A value cannot be taken.
        DomainError: `FORBIDDEN`, or `NOT_FOUND` where there is no such programme, or no such script to end.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators write scripts", code="FORBIDDEN")
    now = clock()
    row = {"title": title, "format": format, "programme_id": programme, "since": now}
    [told] = facts_of("scripts", {**row, "text": text or "-"}, source)

    async def decide(known: Store) -> tuple[list[Record], Script | None]:
        if programme and (await known.find_existing([programme])).get(programme) != "Programme":
            raise DomainError("no programme has this id", code="NOT_FOUND", field="programmeId")
        held = [
            each
            for each in await known.read_scripts(programme, str(told.properties.get("format", "")), now)
            if (each.title, each.format, each.programme)
            == (told.properties["title"], told.properties.get("format", ""), programme)
        ]
        if not held and not text:
            raise DomainError("no script has this title", code="NOT_FOUND", field="title")
        if [each.text for each in held] == [told.properties["text"]]:
            return [], held[0]
        ended = [_ended(each, now) for each in held]
        said = {name: str(told.properties.get(name, "")) for name in ("title", "text", "format", "source")}
        begun = Script(told.uid, **said, programme=programme, since=instant(now))
        return ended + ([told] if text else []), begun if text else None

    return await store.decide_and_write(decide)


def _ended(script: Script, now: datetime) -> Record:
    row = {"uid": script.uid, "title": script.title, "text": script.text, "format": script.format}
    row |= {"programme_id": script.programme}
    [fact] = facts_of("scripts", {**row, "since": script.since}, script.source)
    return replace(fact, properties={**fact.properties, "until": max(now, script.since)})


async def scripts_of_pairing(store: Store, viewer: Viewer, pairing: str, *, clock: Clock = present) -> list[Script]:
    """The scripts that the two of a pairing read, those of its programme, of the format of that one, and of all.

    Raises:
        DomainError: `NOT_FOUND`, also for whoever has no part in it.
    """
    found = await store.read_time_of_pairing(pairing)
    if found is None or not (viewer.sees_everybody or viewer.person in (found["mentor"], found["mentee"])):
        raise DomainError("no pairing has this id", code="NOT_FOUND", field="pairingId")
    return await store.read_scripts(found.get("programme") or "", found.get("format") or "", clock())
