"""A public benchmark of histories of choices: the LightGCN split of Gowalla, full ranking.

All numbers are chosen on a part of the training choices that is set aside; the test choices are looked at once.
"""

import gzip
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mentorgraph.api.benchmarks.figures import BASELINE, OURS, PEER, Findings, Target, absent, row
from mentorgraph.embeddings import metrics
from mentorgraph.embeddings.evaluation import bootstrap, peak_mb
from mentorgraph.embeddings.fusion import Choice, fit_listwise
from mentorgraph.embeddings.spectral import Spread, sharpened
from mentorgraph.graph.errors import DomainError

FIRST = 20
BLOCK = 256
SET_ASIDE = 0.1
TUNED_USERS = 3_000
RANKS, SPANS, LOW_PASS = (256, 448), (1.0, 2.5), (0.1, 0.2, 0.3)
CANDIDATES = 300
ALS = {"factors": 256, "regularization": 0.05, "alpha": 10.0, "iterations": 15}
SPECTRAL, FUSED, ALS_NAME = "spectral filter (closed form)", "fusion of filters (listwise)", "implicit ALS"
TARGETS = {"recall@20": 0.1921, "ndcg@20": 0.1617}
LONGEST_S, MOST_MB = 60, 3_000

Dense = NDArray[np.float32]
Users = NDArray[np.int64]
Scores = Callable[[Users], Mapping[str, Dense]]
"""Of some users, by the name of each ranking a score of each item: `float32[users, items]`."""
Show = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Split:
    """Who chose what, to learn from and to judge by: `float32[users, items]` each."""

    train: sparse.csr_array
    test: sparse.csr_array


def read_split(folder: Path) -> Split:
    """Reads `train.txt` and `test.txt`, each line a user and the items chosen; `.gz` is unpacked.

    Raises:
        DomainError: `BAD_USER_INPUT`, with file and line.
    """
    pairs = [np.array(list(_pairs(folder, name)), np.int64).reshape(-1, 2) for name in ("train.txt", "test.txt")]
    users, items = (int(max(each[:, end].max() for each in pairs)) + 1 for end in (0, 1))
    found = []
    for each in pairs:
        matrix = sparse.csr_array((np.ones(len(each), np.float32), each.T), shape=(users, items))
        matrix.sum_duplicates()
        matrix.data[:] = 1
        found.append(matrix)
    return Split(*found)


def _pairs(folder: Path, name: str) -> Iterator[tuple[int, int]]:
    file = next((each for each in (folder / name, folder / f"{name}.gz") if each.exists()), None)
    if file is None:
        raise DomainError(f"{folder} holds neither {name} nor {name}.gz", code="BAD_USER_INPUT")
    count = 0
    try:
        with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    user, *items = [int(word) for word in line.split() or ("0",)]
                except ValueError as error:
                    told = f"{file}, line {number}: a user and items are whole numbers"
                    raise DomainError(told, code="BAD_USER_INPUT") from error
                for item in items:
                    count += 1
                    yield user, item
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DomainError(f"{file} cannot be read", code="BAD_USER_INPUT") from error
    if not count:
        raise DomainError(f"{file} holds no choice", code="BAD_USER_INPUT")


def bench_gowalla(split: Split, most: int | None, seed: int, show: Show) -> Findings:
    """Fits, tunes and judges.

    Args:
        split: The choices.
        most: Judge on so many users, drawn by chance; on all if None.
        seed: Decides all that chance decides.
        show: Told how far it is.
    """
    can_judge = np.flatnonzero(np.diff(split.test.indptr))
    if most is not None and most < len(can_judge):
        can_judge = np.sort(np.random.default_rng(seed).choice(can_judge, most, replace=False))
    rows = []
    popular = np.asarray(split.train.sum(axis=0), np.float32)
    rows += _judged(
        BASELINE, split, can_judge, lambda users: {"popularity": np.tile(popular, (len(users), 1))}, 0.0, show
    )
    notes = [note] if (note := absent(ALS_NAME, "implicit")) else []
    if not notes:
        began = time.perf_counter()
        scores = _als(split.train, seed)
        rows += _judged(PEER, split, can_judge, scores, time.perf_counter() - began, show)
    show("Tuning on a part of the training choices", 0, 0)
    tuned, weights = _tune(split.train, seed)
    began = time.perf_counter()
    spread = Spread.of(split.train, tuned.rank, seed)
    fitted = time.perf_counter() - began
    rows += _judged(OURS, split, can_judge, _filters(spread, tuned, weights), fitted, show)
    return _findings(rows, split, len(can_judge), tuned, seed, notes)


def _findings(
    rows: Sequence[Mapping[str, Any]], split: Split, judged: int, tuned: "Tuned", seed: int, notes: Sequence[str]
) -> Findings:
    ours = [each for each in rows if each["kind"] == OURS]
    targets = [
        Target(
            f"best {name} of ours {max(each[name] for each in ours):.4f}, {wanted} is meant",
            max(each[name] for each in ours) >= wanted,
        )
        for name, wanted in TARGETS.items()
    ]
    slowest = max(each["fit_s"] for each in ours)
    targets.append(Target(f"fitting took {slowest:.0f} s, {LONGEST_S} s are meant", slowest <= LONGEST_S))
    targets.append(Target(f"peak {peak_mb():,.0f} MB, {MOST_MB:,} MB are meant", peak_mb() <= MOST_MB))
    users, items = split.train.shape
    settings = {"command": "gowalla", "users": users, "judged": judged, "items": items, "seed": seed, **tuned.__dict__}
    told = (
        f"Chosen on a tenth of the training choices of {TUNED_USERS:,} users: {tuned.rank} vectors, span {tuned.span}, "
        f"low pass {tuned.low_pass}."
    )
    return Findings(
        f"{items:,} items ranked for {judged:,} of {users:,} users", rows, settings, targets, [*notes, told]
    )


@dataclass(frozen=True)
class Tuned:
    """Numbers of the closed form, and how well they did where they were chosen.

    Attributes:
        rank: Number of singular vectors.
        span: How long choices are sharpened.
        low_pass: Weight of the low-pass part.
        recall: Recall@20 on what was set aside.
    """

    rank: int
    span: float
    low_pass: float
    recall: float


def _tune(train: sparse.csr_array, seed: int) -> tuple[Tuned, NDArray[np.float64]]:
    """Numbers of the closed form, and weights of all parts of the filters."""
    draws = np.random.default_rng(seed)
    whole = train.tocoo()
    aside = draws.random(whole.nnz) < SET_ASIDE
    users, items = whole.coords
    left, right = (
        sparse.csr_array((np.ones(mask.sum(), np.float32), (users[mask], items[mask])), shape=train.shape)
        for mask in (~aside, aside)
    )
    spread = Spread.of(left, max(RANKS), seed)
    can_judge = np.flatnonzero((np.diff(right.indptr) > 0) & (np.diff(left.indptr) > 0))
    asked = np.sort(draws.choice(can_judge, min(TUNED_USERS, len(can_judge)), replace=False))
    lows = {(rank, span): _low_pass(spread, rank, span) for rank in RANKS for span in SPANS}
    figures: dict[tuple[int, float, float], list[float]] = {}
    choices: list[Choice] = []
    for start in range(0, len(asked), BLOCK):
        block = asked[start : start + BLOCK]
        hops, chosen, wanted = spread.hops(block), left[block], right[block]
        for (rank, span), (one, other) in lows.items():
            high, low_part = _sharpened(hops, span), other @ (chosen @ one).T
            for low in LOW_PASS:
                scores = np.ascontiguousarray((high + np.float32(low) * low_part).T)
                figures.setdefault((rank, span, low), []).extend(_recalls(scores, chosen, wanted))
        choices += _choices(spread, hops, chosen, wanted, spread.low_pass(RANKS[0]))
    best = max(figures, key=lambda each: float(np.mean(figures[each])))
    weights = fit_listwise(choices)
    return Tuned(*best, float(np.mean(figures[best]))), weights


def _sharpened(hops: Sequence[Dense], span: float) -> Dense:
    found = np.zeros_like(hops[0])
    for coefficient, hop in zip(sharpened(span), hops, strict=False):
        found += np.float32(coefficient) * hop
    return found


def _choices(
    spread: Spread,
    hops: Sequence[Dense],
    chosen: sparse.csr_array,
    relevant: sparse.csr_array,
    low: tuple[Dense, Dense],
) -> list[Choice]:
    """What was set aside, chosen from the likeliest items, with the parts of the filters as signals."""
    parts = _parts(spread, hops, chosen, low)
    lead = parts[0] + 0.2 * parts[-2]
    found = []
    for number in range(chosen.shape[0]):
        own = lead[:, number].copy()
        own[chosen[[number]].indices] = -np.inf
        wanted = relevant[[number]].indices
        likely = np.union1d(metrics.first(own, CANDIDATES), wanted)
        values = np.stack([part[likely, number] for part in parts], axis=1)
        found.append(
            Choice(
                values,
                np.searchsorted(likely, np.sort(wanted)),
                np.ones(len(wanted)),
                np.zeros(len(likely), np.float32),
            )
        )
    return found


def _parts(spread: Spread, hops: Sequence[Dense], chosen: sparse.csr_array, low: tuple[Dense, Dense]) -> list[Dense]:
    """Hops, the low-pass part, and how often an item was chosen; each over its own largest value of a user."""
    one, other = low
    parts = [*hops, other @ (chosen @ one).T]
    scaled = [part / np.maximum(np.abs(part).max(axis=0), 1e-9) for part in parts]
    return [*scaled, np.repeat(np.log(spread.roots)[:, None], chosen.shape[0], axis=1)]


def _low_pass(spread: Spread, rank: int, span: float) -> tuple[Dense, Dense]:
    """The factors of the low-pass part, sharpened as all else is."""
    one, other = spread.low_pass(rank)
    total, last = np.zeros_like(other), other
    for coefficient in sharpened(span):
        if coefficient:
            total = total + np.float32(coefficient) * last
            last = spread.back @ (spread.normal @ last)
    return one, total


def _filters(spread: Spread, tuned: Tuned, weights: NDArray[np.float64]) -> Scores:
    """The closed form and the fusion, which look at the same hops."""
    one, other = _low_pass(spread, tuned.rank, tuned.span)
    low = spread.low_pass(RANKS[0])

    def scores(users: Users) -> Mapping[str, Dense]:
        hops, chosen = spread.hops(users), spread.chosen[users]
        closed = _sharpened(hops, tuned.span) + np.float32(tuned.low_pass) * (other @ (chosen @ one).T)
        fused = np.zeros_like(closed)
        for weight, part in zip(weights, _parts(spread, hops, chosen, low), strict=True):
            fused += np.float32(weight) * part
        return {SPECTRAL: np.ascontiguousarray(closed.T), FUSED: np.ascontiguousarray(fused.T)}

    return scores


def _als(train: sparse.csr_array, seed: int) -> Scores:
    model = import_module("implicit.cpu.als").AlternatingLeastSquares(**ALS, random_state=seed)
    with import_module("threadpoolctl").threadpool_limits(1, "blas"):  # it has threads of its own
        model.fit(sparse.csr_matrix(train), show_progress=False)
    users, items = (np.asarray(each, np.float32) for each in (model.user_factors, model.item_factors))
    return lambda asked: {ALS_NAME: users[asked] @ items.T}


def _recalls(scores: Dense, chosen: sparse.csr_array, relevant: sparse.csr_array) -> Iterator[float]:
    for number, found in enumerate(_first(scores, chosen)):
        wanted = relevant[[number]].indices
        yield len(np.intersect1d(found, wanted)) / len(wanted)


def _first(scores: Dense, chosen: sparse.csr_array) -> Iterator[NDArray[np.int64]]:
    """The first items of each user, without those chosen before."""
    for number in range(len(scores)):
        scores[number, chosen[[number]].indices] = -np.inf
        yield metrics.first(scores[number], FIRST)


def _judged(kind: str, split: Split, asked: Users, scores: Scores, fit_s: float, show: Show) -> list[dict[str, Any]]:
    """A row for each ranking, over some users who have test choices."""
    discount = 1 / np.log2(np.arange(2, FIRST + 2))
    best = np.cumsum(discount)
    recalls: dict[str, list[float]] = {}
    gains: dict[str, list[float]] = {}
    shown: dict[str, NDArray[np.int64]] = {}
    for start in range(0, len(asked), BLOCK):
        users = asked[start : start + BLOCK]
        chosen, relevant = split.train[users], split.test[users]
        for name, found in scores(users).items():
            counts = shown.setdefault(name, np.zeros(split.train.shape[1], np.int64))
            for number, listed in enumerate(_first(found, chosen)):
                wanted = relevant[[number]].indices
                hits = np.isin(listed, wanted)
                recalls.setdefault(name, []).append(hits.sum() / len(wanted))
                gain = (hits * discount[: len(listed)]).sum() / best[min(FIRST, len(wanted)) - 1]
                gains.setdefault(name, []).append(gain)
                counts[listed] += 1
            show(f"Ranking by {name}", min(start + BLOCK, len(asked)), len(asked))
    return [
        row(
            name,
            kind,
            "",
            **{"recall@20": float(np.mean(recalls[name])), "ndcg@20": interval.mean},
            **{"low": interval.low, "high": interval.high},
            **{"coverage@20": metrics.coverage(shown[name]), "gini@20": metrics.gini(shown[name])},
            fit_s=fit_s,
            peak_mb=peak_mb(),
        )
        for name, interval in ((name, bootstrap(np.array(each))) for name, each in gains.items())
    ]
