"""The report of a version: it opens offline, says what the manifest says, and is checked like everything else."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.embeddings.metrics import gini
from mentorgraph.embeddings.registry import REPORT, ModelRefused, Registry
from mentorgraph.embeddings.report import TICKS, Drawn, _round, report

ROW = {"mrr": 0.2, "hr@10": 0.4, "ndcg@10": 0.3, "recall@20": 0.5, "low": 0.25, "high": 0.35, "goals": 40}
ROW |= {"coverage@10": 0.6, "popularity@10": 1.4, "gini@10": 0.7}
PART = {"chance": 0.4, "succeeded": 0.45, "low": 0.3, "high": 0.6, "outcomes": 40}
ERROR = {"ece": 0.051, "floor": 0.048, "by_luck": 0.07, "debiased": 0.012, "low": 0.0, "high": 0.06, "outcomes": 80}
MANIFEST: dict[str, Any] = {
    "ranking": "served",
    "setting": "full",
    "taught_before": "2026-03-01T00:00:00+00:00",
    "judged_until": "2026-06-30T00:00:00+00:00",
    "asks": 300,
    "gate": {"verdict": "Nothing may serve: <script>alert(1)</script>"},
    "epochs": [
        {"network": 0, "number": 1, "loss": 4.5, "ndcg": 0.1},
        {"network": 0, "number": 2, "loss": 4.2, "ndcg": 0.12},
        {"network": 1, "number": 1, "loss": 4.4, "ndcg": None},
    ],
    "rows": [
        {"name": name, "kind": kind, "group": group, **ROW}
        for group in ("newcomers", "all", "unit Maps & <b>Routes", "rest")
        for name, kind in (("served", "model"), ("rules", "baseline"))
    ],
    "ablation": [
        {"name": "served", "part": part, "group": "all", "adds": adds, "low": adds - 0.01, "high": adds + 0.01}
        for part, adds in (("unit", 0.02), ("skills", 0.1))
    ],
    "chance": {
        "conditions": [{"name": "x", "holds": False, "told": "too few"}],
        "curve": [PART, PART],
        "errors": {"all": ERROR},
    },
}


def drawn(mentors: int) -> Drawn:
    draws = np.random.default_rng(1)
    return Drawn(draws.integers(0, 5, mentors), draws.integers(0, 9, mentors), draws.normal(size=(mentors, 8)))


def drawings(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(each) for each in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]  # noqa: S314


def test_it_loads_nothing_and_draws_everything() -> None:
    page = report(MANIFEST, drawn(60))
    assert not re.search(r"https?:|\bsrc=|\bhref=|url\(|@import|<script", page)
    assert "&lt;script&gt;" in page
    assert "<td>all</td><td>80</td><td>0.051</td><td>0.048</td><td>0.012</td><td>0.000</td><td>0.060</td>" in page
    assert ">1.5</text>" not in page  # there is no half epoch
    assert ">-0</text>" not in page
    assert "<td>unit Maps &amp; &lt;b&gt;Routes</td><td>40</td><td>0.300</td>" in page
    assert page.index("<td>skills</td><td>+0.1000</td>") < page.index("<td>unit</td><td>+0.0200</td>")
    found = drawings(page)
    captions = [each.attrib["aria-label"].split(",")[0].split(" by ")[0] for each in found]
    assert captions == [
        "loss", "NDCG@10 of the rehearsal on the last window that teaches", "NDCG@10 for all", "NDCG@10 for newcomers",
        "NDCG@10 for rest", "share that succeeded", "times among the first ten",
        "the first network's vectors of mentors on their two main axes",
    ]  # fmt: skip
    assert len(found[0].findall("polyline")) == 2
    assert len(found[1].findall("circle")) == 2
    assert [len(each.findall("circle")) for each in found[-2:]] == [60, 60]
    for each in found:
        _, _, width, height = map(float, each.attrib["viewBox"].split())
        for circle in each.findall("circle"):
            assert 0 <= float(circle.attrib["cx"]) <= width
            assert 0 <= float(circle.attrib["cy"]) <= height


def test_where_there_is_nothing_to_draw_it_says_so() -> None:
    page = report({**MANIFEST, "epochs": [], "chance": {"conditions": [], "curve": []}}, drawn(2))
    assert "Too few mentors for a map." in page
    assert len(drawings(page)) == 4


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_axes_have_round_numbers_within_their_ends(low: float, length: float) -> None:
    found = _round(low, low + length)
    assert 1 <= len(found) <= TICKS + 1
    assert all(low - 1e-6 * length <= each <= low + length * (1 + 1e-6) for each in found)
    steps = np.diff(found)
    assert np.allclose(steps, steps[:1])


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
def test_gini_is_half_the_relative_mean_difference(counts: list[int]) -> None:
    found = gini(np.array(counts))
    if not sum(counts):
        assert found == 0
        return
    differences = sum(abs(one - other) for one in counts for other in counts)
    assert found == pytest.approx(differences / (2 * len(counts) * sum(counts)))


def test_it_is_part_of_the_version_and_checked(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    arrays = {"one": np.ones(2)}
    without = registry.publish(arrays, {}, {"ranking": "served"}, "card")
    assert registry.report(without) is None
    version = registry.publish(arrays, {}, {"ranking": "served"}, "card", report(MANIFEST, drawn(9)))
    path = registry.report(version)
    assert path is not None
    assert path.read_text("utf-8").startswith("<!doctype html>")
    (registry.folder / version / REPORT).write_text("another")
    with pytest.raises(ModelRefused, match=r"report\.html of model .* is not the file that was published"):
        registry.report(version)
