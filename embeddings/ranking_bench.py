"""What is measured on the product's own data: how well mentors would have been ranked in a past time, of any bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from mentorgraph.embeddings.communities import community, of_bundle
from mentorgraph.embeddings.evaluation import (
    EVERYBODY,
    LINEAR,
    NETWORK,
    PLAIN,
    SERVED,
    Judged,
    gain,
    groups,
    judge,
    rows,
)
from mentorgraph.embeddings.parallel import Share
from mentorgraph.embeddings.runs import Progress, Run, evaluate, judging_window
from mentorgraph.embeddings.sentence_encoder import SentenceEncoder
from mentorgraph.embeddings.snapshot import Manifest, Snapshot
from mentorgraph.embeddings.tasks import PARTS, SETTINGS, Setting, Task
from mentorgraph.embeddings.teaching import Recipe
from mentorgraph.graph.rules.policy import Policy

ROSTER, WHOLE = "roster known", "all parts"
MEANING = "meaning"
"""The part that is only there where a sentence encoder reads goals."""


@dataclass(frozen=True)
class _Asked:
    """What a request asks for.

    Attributes:
        snapshot: The facts.
        begin: Teach with what was known before.
        until: Ask for goals set before this instant; all if None.
        setting: What may be used.
        encoder: What reads texts for their meaning.
        seed: Decides all that chance decides.
    """

    snapshot: Snapshot
    begin: datetime
    until: datetime | None
    setting: Setting
    encoder: SentenceEncoder | None
    seed: int

    @classmethod
    def of(cls, request: Mapping[str, Any], progress: Progress) -> "_Asked":
        """Reads the bundle of a request, or generates its community."""
        encoder = SentenceEncoder.installed() if request.get("text") else None
        columns, end = (
            of_bundle(Path(request["bundle"]))
            if request["bundle"]
            else community(request["people"], request["seed"], lambda doing: progress(doing, 0, 0))
        )
        snapshot = Snapshot(columns, Manifest(end, 0, {}, 0, ""))
        begin, until = (datetime.fromisoformat(each) if each else None for each in (request["begin"], request["until"]))
        setting = SETTINGS[request["setting"]]
        return cls(snapshot, begin or judging_window(snapshot), until, setting, encoder, request["seed"])


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
        Rows of all groups, those of everybody once more with the roster known, and what the network adds, in pairs, to
        rankings without it; and by how much it is better than those by itself.
    """
    asked = _Asked.of(request, progress)
    run = evaluate(
        asked.snapshot,
        asked.begin,
        asked.until,
        asked.setting,
        policy,
        recipe=recipe,
        seed=asked.seed,
        progress=progress,
        share=share,
        encoder=asked.encoder,
    )
    if run is None:
        return {}
    progress("Ranking those who mentor in this time", 0, 0)
    roster = run.task.of_roster()
    known = run.model.knowledge(asked.snapshot.columns, asked.begin, policy)
    among = judge(run.model, known, roster, baselines=run.tuned)
    of_roster = [
        {**row, "name": f"{row['name']}, {ROSTER}"}
        for row in rows(among, roster, asked.setting.name)
        if row["group"] == EVERYBODY[0]
    ]
    adds, alone = (
        [
            {"against": other, **told}
            for other in (PLAIN, LINEAR)
            for told in _gains(run.judged[name], run.judged[other], run.task)
        ]
        for name in (SERVED, NETWORK)
    )
    return {
        "rows": [*run.rows, *of_roster],
        "network_adds": adds,
        "network_alone": alone,
        "gate": run.decision.told(),
        "asks": len(run.task),
        "candidates": len(run.task.candidates),
        "roster": len(roster.candidates),
        "begin": asked.begin.isoformat(),
    }


def parts(
    request: Mapping[str, Any], policy: Policy, progress: Progress, share: Share, recipe: Recipe | None = None
) -> dict[str, Any]:
    """Teaches a network whole and once more without each of its parts, and judges all of them on the same goals.

    Args:
        request: As `ranking`.
        policy: Settings of the signals.
        progress: Told how far it is.
        share: Which part of the lessons this process has.
        recipe: How to teach.

    Returns:
        The figures of the whole and of what is left, and by how much the whole exceeds each, in pairs.
    """
    asked = _Asked.of(request, progress)
    teach = partial(
        evaluate, asked.snapshot, asked.begin, asked.until, policy=policy, recipe=recipe, seed=asked.seed, share=share
    )
    left: dict[str, tuple[Setting, SentenceEncoder | None]] = {
        part: (asked.setting.lacking(part), asked.encoder) for part in PARTS
    }
    if asked.encoder is not None:
        left[MEANING] = (asked.setting, None)
    whole = teach(setting=asked.setting, encoder=asked.encoder, progress=_saying(WHOLE, progress))
    found: dict[str, Run | None] = {
        part: teach(setting=setting, encoder=encoder, progress=_saying(f"without {part}", progress))
        for part, (setting, encoder) in left.items()
    }
    if whole is None:
        return {}
    told, adds = _of_parts(WHOLE, whole), []
    for part, run in found.items():
        assert run is not None  # noqa: S101
        told += _of_parts(f"without {part}", run)
        adds += [
            {"part": part, "ranking": ranking, **each}
            for ranking in (NETWORK, SERVED)
            for each in _gains(whole.judged[ranking], run.judged[ranking], whole.task)
        ]
    return {
        "rows": told,
        "adds": adds,
        "asks": len(whole.task),
        "candidates": len(whole.task.candidates),
        "begin": asked.begin.isoformat(),
    }


def _saying(taught: str, progress: Progress) -> Progress:
    return lambda doing, done, total: progress(f"{taught}: {doing}", done, total)


def _of_parts(taught: str, run: Run) -> list[dict[str, Any]]:
    """The rows of what a network was taught for, and of all that has nothing of it once."""
    wanted = {name: f"{name}, {taught}" for name in (NETWORK, SERVED)}
    wanted |= {PLAIN: PLAIN, LINEAR: LINEAR} if taught == WHOLE else {}
    rows_of_all = [row for row in run.rows if row["name"] in wanted and row["group"] == EVERYBODY[0]]
    return [{**row, "name": wanted[row["name"]]} for row in rows_of_all]


def _gains(one: Judged, other: Judged, asked: Task) -> list[dict[str, Any]]:
    """By how much one ranking exceeds another, for everybody, newcomers and the rest."""
    return [
        {"group": group, "adds": found.mean, "low": found.low, "high": found.high}
        for group, asks in groups(asked).items()
        if group in EVERYBODY and asks.any()
        for found in [gain(one, other, asks)]
    ]
