"""Lists in a past time of a bundle as it lies in its folder."""

from pathlib import Path

import pytest

from mentorgraph.embeddings.communities import of_bundle, told
from mentorgraph.embeddings.parallel import ALONE
from mentorgraph.embeddings.ranking_bench import ranking
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
    assert {each["group"] for each in found["network_adds"]} == {"all", "newcomers", "rest"}
