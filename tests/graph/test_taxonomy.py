"""The taxonomy as a rule: what counts for what, what stands above what, and what it cannot take."""

from graphlib import CycleError, TopologicalSorter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.facts.model import Record, uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.skills.taxonomy import Taxonomy


def uid(key: str) -> str:
    return uid_of("test", "skills", key)


def key(skill: str) -> str:
    return next(each for each in map(chr, range(ord("a"), ord("z") + 1)) if uid(each) == skill)


def told(file: str, **row: Any) -> Record:
    [record] = facts_of(file, {"since": "2026-01-01", **row}, "test")
    return record


def broader(skill: str, other: str, **row: Any) -> Record:
    return told("broader", skill_id=skill, broader_id=other, **row)


def became(skill: str, other: str, how: str = "merged", **row: Any) -> Record:
    return told("successions", skill_id=skill, successor_id=other, how=how, **row)


def taken(*records: Record) -> Taxonomy:
    taxonomy = Taxonomy()
    assert [taxonomy.takes(each) for each in records] == [""] * len(records)
    return taxonomy


def ancestors(taxonomy: Taxonomy, skill: str) -> str:
    return "".join(sorted(map(key, taxonomy.ancestors(uid(skill)))))


def test_a_merged_skill_counts_for_the_last_of_those_that_it_was_merged_into() -> None:
    taxonomy = taken(became("a", "b"), became("b", "c"))
    assert [key(taxonomy.counts_as(uid(each))) for each in "abcd"] == ["c", "c", "c", "d"]
    assert [taxonomy.state(uid(each)) for each in "abc"] == ["merged", "merged", "approved"]


def test_what_stands_above_a_merged_skill_stands_above_the_other_one() -> None:
    taxonomy = taken(broader("a", "x"), broader("b", "y"), broader("c", "a"), became("a", "b"))
    assert ancestors(taxonomy, "b") == ancestors(taxonomy, "a") == "xy"
    assert ancestors(taxonomy, "c") == "bxy"
    assert ancestors(taken(broader("a", "x"), broader("b", "y")), "b") == "y"


def test_a_step_between_the_two_of_a_merge_falls_together() -> None:
    taxonomy = taken(broader("a", "b"), broader("b", "c"), became("a", "b"))
    assert ancestors(taxonomy, "a") == ancestors(taxonomy, "b") == "c"


HIDDEN_CIRCLE = [became("a", "c"), became("b", "c"), broader("a", "b"), broader("b", "a")]
"""Steps that say nothing while both of their skills count for a third one."""


@pytest.mark.parametrize(
    ("known", "step", "why"),
    [
        ([broader("b", "a")], became("a", "b"), "is a kind of the skill"),
        ([broader("c", "b"), broader("b", "a")], became("a", "c"), "is a kind of the skill"),
        ([broader("a", "b"), broader("b", "c")], became("a", "c"), "is broader than the skill by way of others"),
        ([became("a", "b")], became("b", "a"), "was merged into the skill"),
        ([became("a", "b"), became("b", "c")], became("c", "a"), "was merged into the skill"),
        ([became("a", "b")], became("a", "c"), "is not what the skill was merged into already"),
        ([broader("a", "b")], broader("b", "a"), "is itself a kind of the skill"),
        ([broader("a", "b"), became("c", "a")], broader("b", "c"), "is itself a kind of the skill"),
        (HIDDEN_CIRCLE, became("a", "c", "split"), "would leave the skill broader than itself"),
        (HIDDEN_CIRCLE, became("a", "c", until="2026-02-01"), "would leave the skill broader than itself"),
    ],
)
def test_a_circle_is_refused_and_nothing_of_it_taken(known: list[Record], step: Record, why: str) -> None:
    taxonomy = taken(*known)
    before = taxonomy.steps(), dict(taxonomy.merged())
    assert taxonomy.takes(step).startswith(why)
    assert (taxonomy.steps(), taxonomy.merged()) == before
    assert Taxonomy().takes(step) == ""


def test_what_has_ended_stands_in_nothing_s_way() -> None:
    taxonomy = taken(became("a", "b"), became("a", "b", until="2026-02-01"), became("a", "c"))
    assert key(taxonomy.counts_as(uid("a"))) == "c"
    taken(broader("a", "b"), broader("a", "b", until="2026-02-01"), broader("b", "a"))


def test_merges_that_go_round_leave_each_skill_to_itself() -> None:
    taxonomy = Taxonomy()
    for step in (became("a", "b"), became("b", "a")):
        taxonomy.put(step)
    assert [key(taxonomy.counts_as(uid(each))) for each in "ab"] == ["a", "b"]


def test_the_state_that_was_told_last_holds() -> None:
    proposed, approved = (told("skill_states", skill_id="a", state=each) for each in ("proposed", "approved"))
    later = told("skill_states", skill_id="a", state="deprecated", since="2026-03-01")
    assert Taxonomy().state(uid("a")) == "approved"
    assert taken(proposed).state(uid("a")) == "proposed"
    assert taken(later, approved).state(uid("a")) == "deprecated"
    assert taken(became("a", "b", "split"), became("a", "c", "split"), later).state(uid("a")) == "split"


steps = st.lists(
    st.builds(
        lambda pair, how: (
            broader(pair[0], pair[1])
            if how == "broader"
            else became(pair[0], pair[1], until="2026-02-01")
            if how == "taken back"
            else became(pair[0], pair[1], how)
        ),
        st.permutations("abcdef").map(lambda each: (each[0], each[1])),
        st.sampled_from(["broader", "merged", "split", "taken back"]),
    ),
    max_size=25,
)


def in_order(taxonomy: Taxonomy) -> list[str]:
    """The skills, each after what it is broader than.

    Raises:
        CycleError: One is broader than itself.
    """
    order: TopologicalSorter[str] = TopologicalSorter()
    for low, high in taxonomy.steps():
        order.add(high, low)
    return list(order.static_order())


@given(steps)
def test_whatever_is_taken_nothing_is_broader_than_itself_and_merges_end(told_steps: list[Record]) -> None:
    taxonomy = Taxonomy()
    for step in told_steps:
        taxonomy.takes(step)
    in_order(taxonomy)
    for each in map(uid, "abcdef"):
        last = taxonomy.counts_as(each)
        assert taxonomy.merged_into(last) is None
        assert taxonomy.ancestors(each) == taxonomy.ancestors(last)
    assert all(len(others) == 1 for others in taxonomy.merged().values())


def test_the_property_fails_where_everything_is_taken() -> None:
    taxonomy = Taxonomy()
    for step in (broader("a", "b"), broader("b", "c"), broader("c", "a")):
        taxonomy.put(step)
    with pytest.raises(CycleError):
        in_order(taxonomy)
