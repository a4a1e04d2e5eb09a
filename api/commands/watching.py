"""Teaching again when it is worth it: what a look at the graph says, and the loop that looks at intervals."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mentorgraph.api.commands.session import sentences
from mentorgraph.api.context import MODELS
from mentorgraph.embeddings import snapshot as snapshots
from mentorgraph.embeddings.drift import Found, changed_since, moved, since_judged
from mentorgraph.embeddings.registry import Registry
from mentorgraph.graph.clock import present
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.rules.policy import chosen_policy, load_policy

FOLDER = "snapshots"
"""Of the home, where snapshots lie."""

EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look says.

    Attributes:
        is_worth_it: Whether a model is to be taught.
        told: Why, or why not, in a sentence.
        found: What has happened since the version that serves was judged, or ever where none serves.
    """

    is_worth_it: bool
    told: str
    found: Found


def look(folder: Path, number: int, tried: Found | None = None) -> Look:
    """Whether so much has changed since the model was judged, or drifted, that it is to be taught again.

    Args:
        folder: A snapshot.
        number: Pairings that begin or become known how they went, from which on it is worth it.
        tried: What an earlier look found, after which the gate let nothing new through; it is worth it again when as
            much has changed since then, or something else has moved.
    """
    with sentences():
        registry = Registry(mentorgraph_home() / MODELS)
        snapshot = snapshots.load(folder)
        if registry.current():
            found = since_judged(registry, snapshot, load_policy(chosen_policy()))
        else:
            found = Found("rules", EVER, changed_since(snapshot.columns, EVER), ())
    return judged(found, number, tried if tried and tried.version == found.version else None)


def judged(found: Found, number: int, tried: Found | None) -> Look:
    """As `look`, of what has happened."""
    if found.since == EVER and not tried:
        return Look(True, "No model serves, so one is taught.", found)
    told = f"{found.changed} pairings began or became known how they went since {found.since:%Y-%m-%d}"
    earlier = {each.what for each in tried.shifts if each.has_moved} if tried else set()
    reasons = moved([each for each in found.shifts if each.what not in earlier])
    if found.changed - (tried.changed if tried else 0) >= number:
        return Look(True, f"{told}.", found)
    if reasons:
        return Look(True, f"Moved: {'; '.join(reasons)}.", found)
    if tried:
        rest = f"{tried.changed} of them before the last teaching, and nothing more has moved"
    else:
        rest = f"fewer than {number}, and nothing has moved"
    return Look(False, f"{told}, {rest}; {found.version} goes on.", found)


def watch(
    minutes: float, number: int, take_snapshot: Callable[[], Path], teach: Callable[[str], dict[str, Any]]
) -> None:
    """Looks at intervals until Ctrl-C, teaches when it is worth it, and tells of each look in a line.

    A look that fails is told of, and the next one is tried; a snapshot that nothing was taught with is not kept.

    Args:
        minutes: From one look to the next.
        number: See `look`.
        take_snapshot: Freezes the graph and returns the folder.
        teach: Teaches with the snapshot of a name.
    """
    tried: Found | None = None
    try:
        while True:
            try:
                tried = _look_once(number, tried, take_snapshot, teach)
            except click.ClickException as error:
                if isinstance(error.__context__, KeyboardInterrupt):
                    raise KeyboardInterrupt from None
                _tell(error.format_message())
            time.sleep(minutes * 60)
    except KeyboardInterrupt:
        _tell("Stopped watching; what serves goes on.")


def _look_once(
    number: int, tried: Found | None, take_snapshot: Callable[[], Path], teach: Callable[[str], dict[str, Any]]
) -> Found | None:
    """One look, and what follows from it; what the next one has to know."""
    kept = mentorgraph_home() / FOLDER
    before = {each.name for each in kept.glob("*")}
    folder = take_snapshot()
    seen = look(folder, number, tried)
    if not seen.is_worth_it:
        if folder.name not in before:
            shutil.rmtree(folder, ignore_errors=True)
        _tell(seen.told)
        return tried
    result = teach(folder.name)
    if result["version"]:
        _tell(f"{seen.told} Model {result['version']} serves now.")
        return None
    _tell(f"{seen.told} {result['gate']['verdict']} What served before goes on.")
    return seen.found


def _tell(sentence: str) -> None:
    click.echo(f"{present():%Y-%m-%d %H:%M} {sentence}")
