"""The ten nearest of many vectors, exactly: a product and a bound, beside faiss's exact index."""

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mentorgraph.api.benchmarks.figures import OURS, PEER, Findings, Target, absent, row, spread
from mentorgraph.embeddings.metrics import first

FIRST = 10
TIMES_FASTER = 1.2
PEER_NAME = "faiss FlatIP"
WARMING_UP = 20

Vectors = NDArray[np.float32]
Search = Callable[[Vectors], NDArray[np.int64]]


def bench_retrieval(
    mentors: int, dimensions: int, queries: int, seed: int, show: Callable[[str, int, int], None]
) -> Findings:
    """Times one query at a time, in turns.

    Args:
        mentors: How many vectors.
        dimensions: Their length.
        queries: How many are asked, after some to warm up.
        seed: Decides the vectors.
        show: Told how far it is.
    """
    draws = np.random.default_rng(seed)
    vectors, asked = (_unit(draws.normal(size=(rows, dimensions))) for rows in (mentors, queries + WARMING_UP))
    by_column = np.asfortranarray(vectors)  # a product with one query reads it in two thirds of the time
    searches: dict[str, Search] = {"product and bound": lambda query: first(by_column @ query, FIRST)}
    notes = [note] if (note := absent(PEER_NAME, "faiss")) else []
    if not notes:
        searches[PEER_NAME] = _faiss(vectors)
    seconds: dict[str, list[float]] = {name: [] for name in searches}
    right = dict.fromkeys(searches, 0)
    for number, query in enumerate(asked):
        exact = set(np.argsort(-(vectors @ query), kind="stable")[:FIRST].tolist())
        for name, search in searches.items():
            began = time.perf_counter()
            found = search(query)
            if number >= WARMING_UP:
                seconds[name].append(time.perf_counter() - began)
                right[name] += len(exact & set(found.tolist()))
        show("Asking", number + 1, len(asked))
    p50 = {name: spread(each)["p50_ms"] for name, each in seconds.items()}
    rows = [
        row(
            name,
            PEER if name == PEER_NAME else OURS,
            "",
            **spread(seconds[name]),
            recall=right[name] / (queries * FIRST),
            times_ours=p50[name] / p50["product and bound"],
        )
        for name in searches
    ]
    targets = [Target(f"recall of ours {rows[0]['recall']:.3f}, 1 is meant", rows[0]["recall"] == 1)]
    if not notes:
        times = rows[1]["times_ours"]
        told = f"{PEER_NAME} takes {times:.2f} × our time at the median, {TIMES_FASTER} × are meant"
        targets.append(Target(told, times >= TIMES_FASTER))
    settings: dict[str, Any] = {"command": "retrieval", "mentors": mentors, "dimensions": dimensions, "seed": seed}
    return Findings(f"the first {FIRST} of {mentors:,} vectors", rows, {**settings, "queries": queries}, targets, notes)


def _unit(vectors: NDArray[np.float64]) -> Vectors:
    found: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return found


def _faiss(vectors: Vectors) -> Search:
    index = import_module("faiss").IndexFlatIP(vectors.shape[1])
    index.add(vectors)

    def search(query: Vectors) -> NDArray[np.int64]:
        found: NDArray[np.int64] = index.search(query[None], FIRST)[1][0]
        return found

    return search
