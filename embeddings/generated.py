"""What is measured on generated communities: newcomers beside the truth, and chances beside what happened later.

Both teach a model as a training does, but publish nothing. Of a generated community everything is known, so the truth
itself can rank: an oracle that knows the noise-free appeal of every mentor.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from mentorgraph.embeddings import metrics
from mentorgraph.embeddings.calibration import (
    MOST_OF_A_NETWORK,
    MOST_OUTCOMES,
    Outcomes,
    calibrate,
    known_outcomes,
)
from mentorgraph.embeddings.calibration_error import Error, error
from mentorgraph.embeddings.communities import Truth, community, read_of, world_of
from mentorgraph.embeddings.evaluation import PLAIN, SERVED, Judged, judge, peak_mb, rows, tune
from mentorgraph.embeddings.gate import decide
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import FULL, Task, task
from mentorgraph.embeddings.teaching import Recipe
from mentorgraph.embeddings.training import last_window, train
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.world.tables import World

ORACLE = "oracle"
JUDGED_DAYS = 122
"""The goals of so many last days judge newcomers' lists."""

CALIBRATED_DAYS, LATER_DAYS, LEFT_DAYS = 91, 44, 198
"""Chances are fitted to what ended in so many days; checked on what began in so many days after them; and so many days
are left after those, in which nearly all of it ends."""

Progress = Callable[[str], None]


def newcomers(
    people: int, seed: int, policy: Policy, progress: Progress, recipe: Recipe | None = None
) -> dict[str, Any]:
    """Teaches a model without the last months of a community, and judges it on their goals.

    Args:
        people: How many live in it.
        seed: Which community, and all that chance decides in the teaching.
        policy: Settings of the signals.
        progress: Told what is being done.
        recipe: How to teach.
    """
    columns, end = read_of(people, seed, progress)
    begin = end - timedelta(days=JUDGED_DAYS)
    began = time.perf_counter()
    model = train(columns, begin, FULL, policy, recipe, seed=seed, progress=progress)
    taught_s, taught_mb = time.perf_counter() - began, peak_mb()
    progress("Ranking")
    asked = task(columns, begin, end)
    earlier = last_window(columns, begin, recipe or Recipe())
    tuned = tune(model.knowledge(columns, earlier.now, policy), earlier)
    judged = judge(model, model.knowledge(columns, begin, policy), asked, baselines=tuned)
    may_serve = decide(judged, asked).ranking
    judged[ORACLE] = oracle(world_of(people, seed, progress), columns, asked)
    found = [row for row in rows(judged, asked, FULL.name) if row["group"] == "newcomers"]
    return {"rows": found, "may_serve": may_serve, "taught_s": taught_s, "taught_mb": taught_mb}


def oracle(world: World, columns: Columns, asked: Task) -> Judged:
    """What the truth of a world ranks, in a task of its columns: by appeal alone, without the noise of choices."""
    truth, mentors = Truth.of(world), [columns.people.uids[person] for person in asked.candidates]
    began, places, shown = time.perf_counter(), [], []
    for goal, relevant in zip(asked.goals, asked.relevant, strict=True):
        scores = truth.scores(columns.goals.uids[goal], mentors)
        places.append(metrics.places(scores, relevant))
        shown.append(metrics.first(scores, 10))
    return Judged(ORACLE, "baseline", places, time.perf_counter() - began, shown=np.array(shown))


def calibration(
    people: int, seed: int, policy: Policy, with_network: bool, progress: Progress, recipe: Recipe | None = None
) -> dict[str, Any]:
    """Fits chances to what ended in a window after the teaching, and checks them on pairings that began later.

    Args:
        people: How many live in the community.
        seed: Which one, and all that chance decides in the teaching.
        policy: Settings of the signals.
        with_network: Whether the ranking has the network, else signals alone.
        progress: Told what is being done.
        recipe: How to teach.
    """
    columns, end = community(people, seed, progress)
    later_until = end - timedelta(days=LEFT_DAYS)
    fitted_until = later_until - timedelta(days=LATER_DAYS)
    begin = fitted_until - timedelta(days=CALIBRATED_DAYS)
    taught = recipe or (Recipe() if with_network else Recipe(seeds=0, epochs=1))
    model = train(columns, begin, FULL, policy, taught, seed=seed, progress=progress)
    progress("Asking for chances")
    fitted = _outcomes(model, policy, with_network, columns, begin, fitted_until)
    found = calibrate(fitted)
    if found.map is None:
        return {"rows": [], "outcomes": found.outcomes, "successes": found.successes}
    later = _outcomes(model, policy, with_network, columns, fitted_until, end, fitted_until, later_until)
    stated = np.interp(later.scores, found.map.knots, found.map.values)
    name = SERVED if with_network else PLAIN
    table = [_row(f"{name}, in its window", group, each) for group, each in found.errors.items()]
    for group, mask in later.groups().items():
        if mask.any():
            means = {"succeeded": float(later.succeeded[mask].mean()), "stated": float(stated[mask].mean())}
            table.append(_row(f"{name}, later", group, error(stated[mask], later.succeeded[mask])) | means)
    since, until = (columns.tables["pairings"].reals(each) for each in ("since", "until"))
    began = (since >= fitted_until.timestamp()) & (since < later_until.timestamp())
    known = float((until[began] < end.timestamp()).mean()) if began.any() else 0.0
    return {
        "rows": table,
        "outcomes": found.outcomes,
        "successes": found.successes,
        "method": found.method,
        "known_later": known,
        "taught_before": begin.isoformat(),
    }


def _row(name: str, group: str, found: Error) -> dict[str, Any]:
    return {"name": name, "kind": "model", "setting": FULL.name, "group": group, **asdict(found)}


def _outcomes(
    model: Model,
    policy: Policy,
    with_network: bool,
    columns: Columns,
    begin: datetime,
    until: datetime,
    began: datetime | None = None,
    begun_by: datetime | None = None,
) -> Outcomes:
    scorer = LearnedScorer("", policy, model, with_network)
    most = MOST_OF_A_NETWORK if with_network else MOST_OUTCOMES
    return known_outcomes(scorer, FULL, columns, begin, until, most=most, began=began, begun_by=begun_by)
