"""Lists in a past time of a bundle as it lies in its folder."""

from pathlib import Path

import numpy as np
import pytest

from mentorgraph.embeddings.communities import of_bundle, told
from mentorgraph.embeddings.evidence import evidence
from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.message_graph import MessageGraph
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.parallel import ALONE
from mentorgraph.embeddings.ranking_bench import MEANING, parts, ranking
from mentorgraph.embeddings.sentence_encoder import DIMENSIONS, SentenceEncoder
from mentorgraph.embeddings.tasks import FULL, MESSAGES, PRECEDENTS, Setting, Task, questions
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import write

from .conftest import POLICY, QUICK


def test_a_bundle_is_read_as_the_world_that_it_states(tmp_path: Path) -> None:
    world = generate(people=300, months=18, seed=3)
    write(world, tmp_path)
    (columns, until), (same, _) = of_bundle(tmp_path), told(world)
    assert sorted(columns.people.uids) == sorted(same.people.uids)
    assert (columns.tables["pairings"].reals("outcome") >= 0.6).sum() == (
        same.tables["pairings"].reals("outcome") >= 0.6
    ).sum()
    assert until.timestamp() == columns.tables["pairings"].reals("since").max() + 86_400


def test_a_row_that_cannot_be_read_is_named_with_its_file_and_line(tmp_path: Path) -> None:
    write(generate(people=300, months=18, seed=3), tmp_path)
    file = tmp_path / "pairings.csv"
    lines = file.read_text("utf-8").splitlines()
    lines[4] = lines[4].replace("20", "xx")
    file.write_text("\n".join(lines), "utf-8")
    with pytest.raises(DomainError, match=r"pairings\.csv, line 5: .*--dry-run"):
        of_bundle(tmp_path)
    file.write_text(lines[0], "utf-8")
    with pytest.raises(DomainError, match="no pairing"):
        of_bundle(tmp_path)


@pytest.mark.slow
def test_rankings_are_told_with_and_without_the_roster(tmp_path: Path) -> None:
    write(generate(people=600, months=18, seed=3), tmp_path)
    request = {"bundle": str(tmp_path), "begin": "2026-03-01T00:00:00+00:00", "until": "", "setting": "full", "seed": 0}
    found = ranking(request, POLICY, lambda _doing, _done, _total: None, ALONE, QUICK)
    rows = {(row["name"], row["group"]): row for row in found["rows"]}
    for name in ("served", "network", "rules", "popularity"):
        assert rows[f"{name}, roster known", "all"]["ndcg@10"] >= rows[name, "all"]["ndcg@10"]
    assert found["roster"] < found["candidates"]
    for key in ("network_adds", "network_alone"):
        assert {each["group"] for each in found[key]} == {"all", "newcomers", "rest"}
    [alone] = [each for each in found["network_alone"] if (each["against"], each["group"]) == ("linear fusion", "all")]
    difference = rows["network", "all"]["ndcg@10"] - rows["linear fusion", "all"]["ndcg@10"]
    assert alone["adds"] == pytest.approx(difference)


def known_to(model: Model, columns: Columns, task: Task, setting: Setting) -> Knowledge:
    return Knowledge.of(columns, task.now, setting, POLICY, model.projection)


def test_without_messages_nobody_sends_any_and_all_else_stays(columns: Columns, task: Task, model: Model) -> None:
    whole, less = (known_to(model, columns, task, setting) for setting in (FULL, FULL.lacking(MESSAGES)))
    links = ("broader", "wishes", "units", "offers", "members", "pairings")
    for known, is_silent in ((whole, False), (less, True)):
        graph = MessageGraph.of(known)
        assert [getattr(graph, name).nnz == 0 for name in links] == [is_silent] * len(links)
        assert graph.text.any() != is_silent
    asked = questions(columns, task, FULL, POLICY.signals)[0]
    found = [evidence(known, asked, task.candidates) for known in (whole, less)]
    assert found[0].mentor_arcs.size
    for name in ("edges", "pairs", "mentor_arcs"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(found[1], name))


def test_without_precedents_nothing_flows_from_them_and_all_else_stays(
    columns: Columns, task: Task, model: Model
) -> None:
    less = known_to(model, columns, task, FULL.lacking(PRECEDENTS))
    found = evidence(less, questions(columns, task, FULL, POLICY.signals)[0], task.candidates)
    assert found.mentor_arcs.shape == found.mentee_arcs.shape == (2, 0)
    assert MessageGraph.of(less).pairings.nnz
    thought = model.attentions(less, found)
    assert all(not each.mass.any() for each in thought)


def test_each_part_is_told_with_what_it_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = SentenceEncoder.installed()
    monkeypatch.setattr(SentenceEncoder, "installed", lambda: encoder)
    monkeypatch.setattr(SentenceEncoder, "_encode", lambda _self, _text: np.zeros(DIMENSIONS, np.float16))
    request = {"bundle": "", "people": 400, "begin": "2026-03-01T00:00:00+00:00", "until": "", "setting": "full"}
    request_of = {**request, "seed": 3, "text": True}
    said: list[str] = []
    found = parts(request_of, POLICY, lambda doing, _done, _total: said.append(doing), ALONE, QUICK)
    taught = ("all parts", *(f"without {part}" for part in (MESSAGES, PRECEDENTS, MEANING)))
    assert {each.partition(":")[0] for each in said} >= set(taught)
    figures = {row["name"]: row["ndcg@10"] for row in found["rows"]}
    names = {f"{ranking}, {each}" for ranking in ("network", "served") for each in taught}
    assert figures.keys() == names | {"served without the network", "linear fusion"}
    adds = {(each["part"], each["ranking"]): each["adds"] for each in found["adds"] if each["group"] == "all"}
    for (part, name), added in adds.items():
        assert added == pytest.approx(figures[f"{name}, all parts"] - figures[f"{name}, without {part}"], abs=1e-9)
    # What reads nothing adds nothing beyond luck; without all past goals the network is another one.
    assert abs(adds[MEANING, "network"]) < 0.03
    assert figures["network, without precedents"] != figures["network, all parts"]
