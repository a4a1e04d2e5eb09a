"""The frame of every benchmark: rows of figures, ours and others' from one run, as a table and as JSON.

A row has the form of those that `mentorgraph evaluate --json` writes: `name`, `kind`, `setting` and `group` say whose
figures it holds, and every other key is a figure. Ratios compare with a named row of the same run, since seconds do not
carry over from one machine to another.
"""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

OURS, BASELINE, PEER = "model", "baseline", "peer"
"""Kinds of row: of mentorgraph, of something that is no rival but a measure, and of what one would use instead."""

LABELS = ("name", "kind", "setting", "group")
WIDEST = 1_000
HIDDEN = ("low", "high", "to_overlap_low", "to_overlap_high", "seconds", "peak_mb")


@dataclass(frozen=True)
class Target:
    """What is to be reached.

    Attributes:
        told: What, with the figure that was found.
        is_met: Whether it was reached.
    """

    told: str
    is_met: bool


@dataclass(frozen=True)
class Findings:
    """What one run of a benchmark found.

    Attributes:
        title: What was measured.
        rows: The figures.
        settings: All that a repetition has to be given.
        targets: What is to be reached.
        notes: What the reader should know, such as a peer that is not installed.
    """

    title: str
    rows: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    def show(self) -> None:
        """Prints the figures, the targets and the notes."""
        table = Table(title=self.title, title_justify="left", box=SIMPLE_HEAD)
        rows = [_shown(row) for row in self.rows]
        figures = list(dict.fromkeys(key for row in rows for key in row if key not in LABELS))
        groups = len({row["group"] for row in rows}) > 1
        for heading in ("name", *(("group",) if groups else ()), *figures):
            table.add_column(heading.replace("_", " "), justify="left" if heading in LABELS else "right", no_wrap=True)
        for row in rows:
            cells = [row["name"], *((row["group"],) if groups else ()), *(_short(row.get(key)) for key in figures)]
            table.add_row(*cells, style="bold" if row["kind"] == OURS else None)
        # A figure that is cut short says nothing, so lines may be longer than a narrow terminal.
        Console(width=Console(width=WIDEST).measure(table).maximum).print(table)
        for target in self.targets:
            click.echo(f"  {'✓' if target.is_met else '✗'} {target.told}")
        for note in self.notes:
            click.echo(note)

    def write(self, file: Path) -> None:
        """Writes all of it as JSON."""
        told = {
            "rows": list(self.rows),
            "settings": {**self.settings, "machine": machine()},
            "targets": [{"told": each.told, "is_met": each.is_met} for each in self.targets],
            "notes": list(self.notes),
        }
        file.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def joined(parts: Sequence[Findings]) -> Findings:
    """Several findings as one, for a file."""
    return Findings(
        "; ".join(part.title for part in parts),
        [row for part in parts for row in part.rows],
        {name: value for part in parts for name, value in part.settings.items()},
        [target for part in parts for target in part.targets],
        [note for part in parts for note in part.notes],
    )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the table has it: bounds in one cell, and without what is written for programs only."""
    found = {key: value for key, value in row.items() if key not in HIDDEN}
    if "low" in row:
        found["95 %"] = f"{row['low']:.3f}–{row['high']:.3f}"
    return found


def _short(figure: object) -> str:
    if figure is None:
        return ""
    if isinstance(figure, float):
        return f"{figure:,.1f}" if abs(figure) >= 10 else f"{figure:.3f}"
    return str(figure)


def row(name: str, kind: str, setting: str, group: str = "all", /, **figures: Any) -> dict[str, Any]:
    """One row; a figure of None is none."""
    return {"name": name, "kind": kind, "setting": setting, "group": group, **figures}


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile of some durations, in milliseconds."""
    p50, p95 = np.quantile(np.array(seconds) * 1e3, (0.5, 0.95))
    return {"p50_ms": float(p50), "p95_ms": float(p95)}


def machine() -> dict[str, Any]:
    """What it ran on."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    told = {"platform": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}
    return {**told, "load": load}


def absent(peer: str, package: str) -> str | None:
    """A note that a peer is left out since its package is not installed; None where it is."""
    return None if find_spec(package) else f"{peer} is left out: the package {package} is not installed."
