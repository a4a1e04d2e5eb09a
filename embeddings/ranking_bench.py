"""What is measured on the product's own data: how well mentors would have been ranked in a past time, of any bundle."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mentorgraph.embeddings.communities import community, of_bundle
from mentorgraph.embeddings.evaluation import EVERYBODY, LINEAR, PLAIN, SERVED, gain, groups, judge, rows
from mentorgraph.embeddings.parallel import Share
from mentorgraph.embeddings.runs import Progress, evaluate, judging_window
from mentorgraph.embeddings.sentence_encoder import SentenceEncoder
from mentorgraph.embeddings.snapshot import Manifest, Snapshot
from mentorgraph.embeddings.tasks import SETTINGS
from mentorgraph.embeddings.teaching import Recipe
from mentorgraph.graph.rules.policy import Policy

ROSTER = "roster known"


def ranking(
    request: Mapping[str, Any],
    policy: Policy,
    progress: Progress,
    share: Share,
    recipe: Recipe | None = None,
) -> dict[str, Any]:
    """Teaches with what was known before a day, and judges all rankings on the goals of the time that follows.

    Args:
        request: `bundle`, or `people` of a generated community; `begin` and `until`, each empty for the usual one;
            `setting` and `seed`; `text`, whether a sentence encoder reads the goals.
        policy: Settings of the signals.
        progress: Told how far it is.
        share: Which part of the lessons this process has.
        recipe: How to teach.

    Returns:
        Rows of all groups, those of everybody once more with the roster known, and what the network adds, in pairs.
    """
    seed = request["seed"]
    columns, end = (
        of_bundle(Path(request["bundle"]))
        if request["bundle"]
        else community(request["people"], seed, lambda doing: progress(doing, 0, 0))
    )
    snapshot = Snapshot(columns, Manifest(end, 0, {}, 0, ""))
    begin, until = (datetime.fromisoformat(each) if each else None for each in (request["begin"], request["until"]))
    begin, setting = begin or judging_window(snapshot), SETTINGS[request["setting"]]
    run = evaluate(
        snapshot,
        begin,
        until,
        setting,
        policy,
        recipe=recipe,
        seed=seed,
        progress=progress,
        share=share,
        encoder=SentenceEncoder.installed() if request.get("text") else None,
    )
    if run is None:
        return {}
    progress("Ranking those who mentor in this time", 0, 0)
    roster = run.task.of_roster()
    among = judge(run.model, run.model.knowledge(columns, begin, policy), roster, baselines=run.tuned)
    known = [
        {**row, "name": f"{row['name']}, {ROSTER}"}
        for row in rows(among, roster, setting.name)
        if row["group"] == EVERYBODY[0]
    ]
    adds = [
        {"against": other, "group": group, "adds": found.mean, "low": found.low, "high": found.high}
        for other in (PLAIN, LINEAR)
        for group, asks in groups(run.task).items()
        if group in EVERYBODY and asks.any()
        for found in [gain(run.judged[SERVED], run.judged[other], asks)]
    ]
    return {
        "rows": [*run.rows, *known],
        "network_adds": adds,
        "gate": run.decision.told(),
        "asks": len(run.task),
        "candidates": len(run.task.candidates),
        "roster": len(roster.candidates),
        "begin": begin.isoformat(),
    }
