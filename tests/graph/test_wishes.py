"""A wish for a mentor of some identity: consented, for one list, kept sealed, and unknown to every other answer."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.embeddings import snapshot
from mentorgraph.graph.columns.columns import LOADED
from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.decisions.replay import replay
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.ranking.options import Options, Wish
from mentorgraph.graph.ranking.wishes import SHARED_IDENTITY, WEIGHT, YOUR_REQUEST
from mentorgraph.graph.statements import FOLDER, statement

from .conftest import NOW, Community

WISHED = Options(wish=Wish("gender", "woman"))


def declare(community: Community, person: str, value: str = "Woman", attribute: str = "gender") -> Record:
    return community.write(
        "identities", person_id=person, attribute=attribute, value=value, text_version="1", since="2026-01-01"
    )


def plain(slate: Slate) -> list[tuple[Any, ...]]:
    return [(each.mentor, each.score, each.signals, each.sentences) for each in slate.recommendations]


@pytest.fixture
def declared(community: Community) -> Any:
    """The mentor who stands fifth and has agreed to be found, until the end of the test."""
    mentor = community.ask(0, first=5).recommendations[4].mentor
    fact = declare(community, mentor)
    yield mentor
    community.end(fact)


def test_a_wish_counts_for_who_agreed_and_is_told_of_nobody_else(community: Community, declared: str) -> None:
    before, after = community.ask(0, first=MOST), community.ask(0, first=MOST, options=WISHED)
    scores = {each.mentor: each.score for each in before.recommendations}
    for each in after.recommendations:
        told = [one for one in each.signals if one.source]
        assert each.base + sum(one.contribution for one in each.signals) == pytest.approx(each.score, abs=1e-6)
        if each.mentor == declared:
            assert [(one.name, one.value, one.contribution, one.source) for one in told] == [
                (SHARED_IDENTITY, 1.0, WEIGHT, YOUR_REQUEST)
            ]
            assert each.score == pytest.approx(scores[declared] + WEIGHT, abs=1e-9)
            assert any("You asked for a mentor of this identity" in one for one in each.sentences)
        else:
            assert told == []
            assert each.score == scores[each.mentor]
            assert not any("identity" in one for one in each.sentences)
    assert after.recommendations[0].mentor == declared
    assert after.uid != before.uid


def test_without_a_wish_no_list_depends_on_anybodys_identity(community: Community) -> None:
    before = [community.ask(place, first=MOST) for place in range(3)]
    mentors = [each.mentor for each in before[0].recommendations]
    facts = [declare(community, each, ("woman", "man")[place % 2]) for place, each in enumerate(mentors)]
    facts += [declare(community, each, "any", "faith") for each in mentors]
    community.ask(0, options=WISHED)
    assert [plain(community.ask(place, first=MOST)) for place in range(3)] == [plain(each) for each in before]
    assert plain(community.ask(0, first=MOST, options=WISHED)) != plain(before[0])
    for fact in facts:
        community.end(fact)


def test_nothing_but_a_wish_reads_identities() -> None:
    reading = {
        path.stem for path in FOLDER.rglob("*.cypher") if re.search(r"Identity|DECLARED", path.read_text("utf-8"))
    }
    assert reading == {"write_identities", "list_identities", "read_declared", "0240_identities"}
    assert "identities" not in LOADED
    assert "identities" not in Path(snapshot.__file__).read_text("utf-8")
    assert "Consent" in statement("read_asker")  # the search would find what is there


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish("gender", "nobody's"), "CONSENT_REQUIRED"),
        (Wish("faith", "woman"), "CONSENT_REQUIRED"),
        (Wish("gender", "  "), "BAD_USER_INPUT"),
        (Wish("gender", "w" * 101), "BAD_USER_INPUT"),
        (Wish("shoe size", "9"), "BAD_USER_INPUT"),
        (Wish("", "woman"), "BAD_USER_INPUT"),
    ],
)
def test_a_wish_that_nobody_agreed_to_or_that_cannot_be_meant_is_refused(
    community: Community, declared: str, wish: Wish, code: str
) -> None:
    assert declared
    assert community.refused(lambda: community.ask(0, options=Options(wish=wish))) == code


def test_an_agreement_that_is_taken_back_or_of_who_is_no_mentor_counts_no_more(community: Community) -> None:
    mentor, mentee = community.ask(0).recommendations[2].mentor, community.askers[0][0]
    declare(community, mentee)  # has no role as a mentor
    fact = declare(community, mentor)
    assert community.ask(0, options=WISHED).recommendations[0].mentor == mentor
    community.end(fact, NOW - timedelta(seconds=2))
    with pytest.raises(DomainError, match="no mentor has agreed to be found by the gender"):
        community.ask(0, options=WISHED)


def test_a_wish_is_kept_with_the_answer_its_value_sealed(community: Community, declared: str, tmp_path: Path) -> None:
    slate = community.ask(0, first=3, options=WISHED)

    async def keep() -> Decision | None:
        async with DecisionLog(tmp_path) as log:
            await log.keep(slate)
            return await log.find(slate.recommendations[0].uid)

    changes = community.run(community.store.read_changes())
    decision = community.run(keep())
    assert community.run(community.store.read_changes()) == changes
    assert decision is not None
    assert decision.options.wish == WISHED.wish
    [kept] = [one for one in decision.recommended if one.recommendation.mentor == declared]
    assert kept.recommendation.signals == slate.recommendations[0].signals
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if "sqlite" not in path.name)
    assert b"shared_identity" in written
    assert b"woman" not in written.lower()
    policies = {slate.policy_version: slate.asked.policy.content}
    assert replay(decision, policies) == []
    unasked = replace(decision, options=Options())
    assert [each.what for each in replay(unasked, policies)] == ["shared_identity counts, which nobody asked for"]
