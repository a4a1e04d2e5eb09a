"""Several processes teach the network that one alone would have taught."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mentorgraph.embeddings.parallel import Share, SharedNorm, shared
from mentorgraph.embeddings.tasks import FULL
from mentorgraph.embeddings.teaching import Epoch, Recipe
from mentorgraph.embeddings.training import train
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.errors import DomainError

from .conftest import NOW, POLICY

FEW = Recipe(windows=2, fewest_asks=20, most_asks=17, epochs=2, questions=8, seeds=0)
"""The last step of a pass has one question, so one process has nothing in it."""

SCRIPT = """
import json, sys
from tests.embeddings.conftest import community
from tests.embeddings.test_parallel import taught
from mentorgraph.embeddings.parallel import shared
with shared() as share:
    told = taught(community(), share)
if share.is_first:
    open(sys.argv[1], "w").write(json.dumps({**told, "size": share.size}))
"""


def taught(columns: Columns, share: Share, recipe: Recipe = FEW) -> dict[str, Any]:
    """The loss curve, the weights of the ranking and of the network."""
    epochs: list[Epoch] = []
    model = train(columns, NOW, FULL, POLICY, recipe, record=epochs.append, share=share)
    arrays = {name: float(np.abs(array).sum()) for name, array in model.arrays().items() if array.dtype.kind == "f"}
    return {"losses": [each.loss for each in epochs], "ndcg": [each.ndcg for each in epochs], "arrays": arrays}


def torchrun(script: str, folder: Path, processes: int) -> Mapping[str, Any]:
    (folder / "teach.py").write_text(script)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    told = folder / "told.json"
    run = subprocess.run(
        [*command, folder / "teach.py", told],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": ".", "PATH": "", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3_000:]
    found: Mapping[str, Any] = json.loads(told.read_text())
    return found


@pytest.mark.journey
def test_two_processes_repeat_the_loss_curve_of_one(columns: Columns, tmp_path: Path) -> None:
    alone, together = taught(columns, Share()), torchrun(SCRIPT, tmp_path, 2)
    assert together["size"] == 2
    assert together["losses"] == pytest.approx(alone["losses"], abs=1e-4)
    assert alone["losses"][0] - alone["losses"][1] > 1e-3  # else it would say little
    assert together["ndcg"] == pytest.approx(alone["ndcg"], abs=0.02)  # where two are nearly equal, either may be first
    # Of fifty signals, some of which say nearly the same, many sums of weights are as likely as the best one.
    assert together["arrays"].pop("linear.weights") == pytest.approx(alone["arrays"].pop("linear.weights"), rel=1e-2)
    assert together["arrays"] == pytest.approx(alone["arrays"], rel=1e-3, abs=1e-3)


def test_a_process_that_forgets_the_others_does_not_repeat_it(
    columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: half of the lessons, without a word from the other process, tells another curve."""
    monkeypatch.setattr(Share, "gathered", lambda _self, own: [each for each in own for _ in range(2)])
    for name in ("sum", "sum_gradients"):
        monkeypatch.setattr(Share, name, lambda _self, values: values)
    whole = replace(FEW, questions=FEW.most_asks)
    few = taught(columns, Share(0, 2), whole)
    monkeypatch.undo()
    alone = taught(columns, Share(), whole)
    assert abs(few["losses"][0] - alone["losses"][0]) > 1e-2


def test_each_lesson_belongs_to_one_process_and_all_come_back_in_order() -> None:
    places = list(range(11))
    shares = [Share(rank, 3) for rank in range(3)]
    parts = [share.own(places) for share in shares]
    assert sorted(place for part in parts for place in part) == places
    for share, part in zip(shares, parts, strict=True):
        assert [place for place in places if share.owns(place)] == list(part)
    assert Share().gathered(places) == places


def test_rows_that_do_not_count_change_no_statistic(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch's own normalisation of the rows that count, with the same running figures."""
    monkeypatch.setattr(Share, "sum", lambda _self, values: values)
    values = torch.randn(40, 3) * torch.tensor([1.0, 5.0, 0.1]) + 2
    ours, torchs = SharedNorm(3, affine=False), torch.nn.BatchNorm1d(3, affine=False)
    counted = (torch.arange(40) < 30).float()[:, None]
    found = ours.normalised(values, counted, Share(0, 2))
    torch.testing.assert_close(found[:30], torchs(values[:30]))
    torch.testing.assert_close(ours.running_var, torchs.running_var)
    torch.testing.assert_close(ours.running_mean, torchs.running_mean)


def test_where_there_is_no_gpu_it_is_said() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(DomainError, match="there is no GPU that this torch can use"), shared("cuda"):
        pass


def test_more_processes_than_goals_are_refused(columns: Columns) -> None:
    with pytest.raises(DomainError, match="cannot be shared by 1000 processes; start fewer"):
        train(columns, NOW, FULL, POLICY, FEW, share=Share(0, 1_000))
