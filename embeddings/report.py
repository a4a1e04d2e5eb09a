"""The report of a version: one HTML file that opens offline, with its figures as drawings and the numbers beside them.

The drawings are SVG inside the page, which loads nothing. It holds figures only, and nobody's name or id.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from mentorgraph.embeddings.evaluation import EVERYBODY, RULES
from mentorgraph.embeddings.metrics import coverage, gini
from mentorgraph.graph.columns.table import Numbers, Reals

WIDTH, HEIGHT, LEFT, BELOW, MARGIN = 560, 300, 54, 40, 14
BAR, NAMES = 26, 210
TICKS = 5
EPOCH = "epoch"
MOST_POINTS = 800
FIGURES = {
    **{"ndcg@10": "NDCG@10", "mrr": "MRR", "hr@10": "HR@10", "recall@20": "Recall@20"},
    **{"coverage@10": "coverage", "popularity@10": "popularity", "gini@10": "Gini"},
}
"""Keys of a row and what they are called."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --quiet: #5d6678; --paper: #fff; --line: #d4d9e2; --one: #2458c5;
  --two: #b4530a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf2; --quiet: #a4adbd; --paper: #151923; --line: #39414f;
  --one: #86aeff; --two: #f0a35e; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: .2rem; } h2 { margin-top: 2.4rem; } .quiet, figcaption { color: var(--quiet); }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; } svg text { fill: var(--quiet); font: 12px system-ui; }
.axis { stroke: var(--line); } .one { stroke: var(--one); fill: var(--one); } .two { stroke: var(--two);
  fill: var(--two); } .path { fill: none; stroke-width: 2; } .dots { fill-opacity: .45; stroke: none; }
.ideal { stroke: var(--quiet); stroke-dasharray: 4 4; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } td, th { padding: .2rem .8rem .2rem 0;
  border-bottom: 1px solid var(--line); text-align: right; } td:first-child, th:first-child { text-align: left; }
"""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is drawn and is not in the manifest.

    Attributes:
        paired: How often each candidate had been paired before the judging window: `int64[candidates]`.
        shown: How often each stood among the first ten in it: `int64[candidates]`.
        vectors: The network's vector of each candidate: `float64[candidates, dimensions]`.
    """

    paired: Numbers
    shown: Numbers
    vectors: Reals


def report(manifest: Mapping[str, Any], drawn: Drawn) -> str:
    """The page.

    Args:
        manifest: That of the version.
        drawn: What else is drawn.
    """
    told = (
        f"{manifest['ranking']} ({manifest['setting']}), taught before {manifest['taught_before'][:10]}, judged on "
        f"{manifest['asks']:,} goals until {manifest['judged_until'][:10]}."
    )
    parts = [
        "<h1>Model report</h1>",
        f'<p class="quiet">{escape(told)}</p>',
        f"<p>{escape(manifest['gate']['verdict'])}</p>",
        _section("Teaching", _teaching(manifest["epochs"])),
        _section("Beside simple rankings", _ranking(manifest["rows"])),
        _section("What each part adds", _ablation(manifest.get("ablation", ()), manifest["ranking"])),
        _section("By unit and format of programme", _parts(manifest["rows"], manifest["ranking"])),
        _section("Chances of success", _chances(manifest["chance"])),
        _section("Popularity and exposure", _exposure(drawn)),
        _section("Map of mentors", _map(drawn)),
    ]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Model report</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n'
        f"<body>{body}</body></html>\n"
    )


def _teaching(epochs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    networks = sorted({each["network"] for each in epochs})
    lines = [[(each["number"], each["loss"]) for each in epochs if each["network"] == number] for number in networks]
    yield _plot("loss by epoch, in nats; the rehearsal in orange", lines, EPOCH, two=0)
    judged = [[(each["number"], each["ndcg"]) for each in epochs if each["ndcg"] is not None]]
    yield _plot("NDCG@10 of the rehearsal on the last window that teaches, which decides when to stop", judged, EPOCH)


def _ranking(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for group in EVERYBODY:
        found = sorted((row for row in rows if row["group"] == group), key=lambda row: -row["ndcg@10"])
        if not found:
            continue
        yield _bars(f"NDCG@10 for {group}, with its interval of 95 %", found)
        cells = [[row["name"], *(f"{row[name]:.3f}" for name in FIGURES)] for row in found]
        yield _table(["ranking", *FIGURES.values()], cells)
    yield (
        "<p>Of the first ten: coverage is the share of the mentors who are in some list, popularity how much more "
        "often than the mean mentor they had been paired, Gini how unequally lists are spread over mentors.</p>"
    )


def _ablation(rows: Sequence[Mapping[str, Any]], ranking: str) -> Iterator[str]:
    found = [row for row in rows if row["name"] == ranking and row["group"] == EVERYBODY[0]]
    if not found:
        yield "<p>The ranking has no parts.</p>"
        return
    yield "<p>Loss of NDCG@10 on the same goals when a part is left out of the sum, the others as they are.</p>"
    cells = [
        [row["part"], f"{row['adds']:+.4f}", f"{row['low']:+.4f} – {row['high']:+.4f}"]
        for row in sorted(found, key=lambda row: -row["adds"])
    ]
    yield _table(["part", "adds", "95 %"], cells)


def _parts(rows: Sequence[Mapping[str, Any]], ranking: str) -> Iterator[str]:
    """The groups of labels, with what was chosen to serve beside the rules."""
    by_rules = {row["group"]: row["ndcg@10"] for row in rows if row["name"] == RULES}
    found = [row for row in rows if row["name"] == ranking and row["group"] not in EVERYBODY]
    if not found:
        yield "<p>No unit and no format has enough goals to be judged apart.</p>"
        return
    cells = [
        [
            *(row["group"], str(row["goals"]), f"{row['ndcg@10']:.3f}", f"{row['low']:.3f}–{row['high']:.3f}"),
            *(f"{by_rules[row['group']]:.3f}", f"{row['coverage@10']:.3f}"),
        ]
        for row in found
    ]
    yield _table(["for", "goals", "NDCG@10", "95 %", "by rules", "coverage"], cells)


def _chances(told: Mapping[str, Any]) -> Iterator[str]:
    yield "<ul>"
    for each in told["conditions"]:
        yield f"<li>{'✓' if each['holds'] else '✗'} {escape(each['told'])}</li>"
    yield "</ul>"
    curve = told["curve"]
    if curve:
        points = [(each["chance"], each["succeeded"], each["low"], each["high"]) for each in curve]
        caption = (
            "share that succeeded by stated chance, of people to whom it was not fitted; true chances lie on the line"
        )
        yield _plot(caption, [], "stated chance", whiskers=points, box=(0, 1, 0, 1), diagonal=True)
        cells = [[f"{each['chance']:.2f}", f"{each['succeeded']:.2f}", str(each["outcomes"])] for each in curve]
        yield _table(["stated", "succeeded", "outcomes"], cells)
        figures = ("ece", "floor", "debiased", "low", "high")
        cells = [
            [group, str(each["outcomes"]), *(f"{each[name]:.3f}" for name in figures)]
            for group, each in told["errors"].items()
        ]
        yield (
            "<p>Expected calibration error, what it is in the mean for true chances, and what is left of it without "
            "luck, with its interval of 95 %.</p>"
        )
        yield _table(["for", "outcomes", "error", "of true chances", "without luck", "from", "to"], cells)


def _exposure(drawn: Drawn) -> Iterator[str]:
    # A little noise keeps points apart that would lie on each other.
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (2, len(drawn.shown)))
    points = list(zip((drawn.paired + noise[0]).tolist(), (drawn.shown + noise[1]).tolist(), strict=True))
    yield _plot(
        "times among the first ten, by earlier pairings; one point for a mentor", [], "earlier pairings", points
    )
    cells = [
        ["mentors who are shown at least once", f"{coverage(drawn.shown):.3f}"],
        ["Gini of exposure", f"{gini(drawn.shown):.3f}"],
        ["Gini of earlier pairings", f"{gini(drawn.paired):.3f}"],
    ]
    yield _table(["", ""], cells)


def _map(drawn: Drawn) -> Iterator[str]:
    if len(drawn.vectors) < 3:
        yield "<p>Too few mentors for a map.</p>"
        return
    centred = drawn.vectors - drawn.vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    places = (left * sizes)[:, :2]
    kept = float((sizes[:2] ** 2).sum() / max(1e-12, (sizes**2).sum()))
    caption = f"the first network's vectors of mentors on their two main axes, which hold {kept:.0%} of their variance"
    yield _plot(caption, [], "", [(float(x), float(y)) for x, y in places])


def _section(title: str, content: Iterator[str]) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(content)}</section>"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(each)}</td>" for each in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _figure(caption: str, height: float, content: Sequence[str]) -> str:
    drawing = f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" aria-label="{escape(caption)}">'
    return f"<figure>{drawing}{''.join(content)}</svg><figcaption>{escape(caption)}</figcaption></figure>"


def _plot(
    caption: str,
    lines: Sequence[Sequence[tuple[float, float]]],
    below: str,
    points: Sequence[tuple[float, float]] = (),
    *,
    whiskers: Sequence[tuple[float, float, float, float]] = (),
    box: tuple[float, float, float, float] | None = None,
    diagonal: bool = False,
    two: int | None = None,
) -> str:
    """Lines, points, and points with intervals, on axes that hold them all; `two` is the line in the other colour."""
    points = points[:: max(1, len(points) // MOST_POINTS)]
    everything = [place for line in lines for place in line] + list(points)
    if box is None and not everything:
        return "<p>Nothing to draw.</p>"
    x0, x1, y0, y1 = box or _box(everything)

    def x(value: float) -> float:
        return round(LEFT + (value - x0) / (x1 - x0) * (WIDTH - LEFT - MARGIN), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BELOW - (value - y0) / (y1 - y0) * (HEIGHT - BELOW - MARGIN), 1)

    drawn = [f'<text x="{(LEFT + WIDTH) // 2}" y="{HEIGHT - 4}" text-anchor="middle">{escape(below)}</text>']
    for value in _round(y0, y1):
        drawn.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - MARGIN}" y1="{y(value)}" y2="{y(value)}"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{y(value) + 4}" text-anchor="end">{value:.3g}</text>')
    for value in _round(x0, x1, whole=below == EPOCH):
        drawn.append(f'<text x="{x(value)}" y="{HEIGHT - BELOW + 16}" text-anchor="middle">{value:.3g}</text>')
    if diagonal:
        drawn.append(f'<line class="ideal" x1="{x(x0)}" y1="{y(y0)}" x2="{x(x1)}" y2="{y(y1)}"/>')
    for number, line in enumerate(lines):
        corners = " ".join(f"{x(one)},{y(other)}" for one, other in line)
        colour = "two" if number == two else "one"
        drawn.append(f'<polyline class="path {colour}" style="fill:none" points="{corners}"/>')
        drawn += [f'<circle class="{colour}" cx="{x(one)}" cy="{y(other)}" r="3"/>' for one, other in line]
    for one, other, low, high in whiskers:
        drawn.append(f'<line class="one" x1="{x(one)}" x2="{x(one)}" y1="{y(low)}" y2="{y(high)}"/>')
        drawn.append(f'<circle class="one" cx="{x(one)}" cy="{y(other)}" r="4"/>')
    drawn += [f'<circle class="one dots" cx="{x(one)}" cy="{y(other)}" r="3"/>' for one, other in points]
    return _figure(caption, HEIGHT, drawn)


def _round(low: float, high: float, whole: bool = False) -> list[float]:
    """About `TICKS` round values between two, 1, 2 or 5 times a power of ten apart; whole numbers if wanted."""
    step = 10 ** np.floor(np.log10((high - low) / TICKS))
    step *= next(each for each in (1, 2, 5, 10) if (high - low) / (each * step) <= TICKS)
    step = max(1.0, step) if whole else step
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(place * step) + 0.0 for place in np.arange(first, last + 1)]  # no −0


def _box(places: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    """Ends of the axes, a little apart even where all places are one."""
    (x0, y0), (x1, y1) = np.min(places, axis=0).tolist(), np.max(places, axis=0).tolist()
    return x0, x1 if x1 > x0 else x0 + 1, y0, y1 if y1 > y0 else y0 + 1


def _bars(caption: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """One bar for each ranking, those of the model in the other colour."""
    most = max(1e-9, *(row["high"] for row in rows))
    drawn = []
    for place, row in enumerate(rows):
        middle = place * BAR + BAR / 2
        low, width, high = (
            round(row[name] / most * (WIDTH - NAMES - MARGIN), 1) for name in ("low", "ndcg@10", "high")
        )
        colour = "two" if row["kind"] == "model" else "one"
        drawn += [
            f'<text x="{NAMES - 8}" y="{middle + 4}" text-anchor="end">{escape(row["name"])}</text>',
            f'<rect class="{colour} dots" x="{NAMES}" y="{middle - 8}" width="{width}" height="16"/>',
            f'<line class="{colour}" x1="{NAMES + low}" x2="{NAMES + high}" y1="{middle}" y2="{middle}"/>',
        ]
    return _figure(caption, len(rows) * BAR, drawn)
