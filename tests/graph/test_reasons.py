"""What is said in words beside the paths."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest

from mentorgraph.graph.ranking.reasons import SignalValue, measured
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.ranking.sentences import (
    EvidencePath,
    Measured,
    Step,
    in_language,
    reasons_of,
    sentence_of,
    sentences_of,
    wording,
)
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.vocabulary import ENGLISH, GERMAN, LANGUAGES

SCORER = RulesScorer(load_policy())


def signal(name: str, value: float | None, contribution: float) -> SignalValue:
    return SignalValue(name, value, "", 1.0, contribution)


def path(name: str, weight: float) -> EvidencePath:
    return EvidencePath(name, "similar_text", weight, f"{name} {weight}", (Step("Person"),))


@pytest.mark.parametrize(
    ("weights", "is_said"), [((0.09, 0.09), True), ((0.05,), True), ((0.2, 0.0), False), ((), False)]
)
def test_a_score_that_rests_on_many_facts_together_says_so(weights: tuple[float, ...], is_said: bool) -> None:
    signals = [signal("skills", 0.2, 0.5), signal("network", 1.0, 1.0)]
    paths = [path("network", weight) for weight in weights] + [path("skills", 0.01)]
    said = measured(signals, SCORER, paths)
    told = "No single path explains network, the largest part of the score; many facts together do."
    assert (told in [each.sentence() for each in said]) == is_said


def test_common_time_and_load_are_measured() -> None:
    said = measured([signal("time_overlap", 1.5, 0.4), signal("load", 0.5, -0.4)], SCORER, ())
    assert [each.sentence() for each in said] == [
        "Both are free at the same time for 1 hour and 30 minutes this week.",
        "50% of the mentor's places are taken.",
    ]
    assert [each.sentence(GERMAN) for each in said] == [
        "In dieser Woche sind beide 1 Stunde und 30 Minuten lang zur gleichen Zeit frei.",
        "50% der Plätze sind vergeben.",
    ]
    [enough] = measured([signal("time_overlap", 2.0, 0.5)], SCORER, ())
    assert enough.sentence() == "Both are free at the same time for at least 2 hours this week."
    [never] = measured([signal("time_overlap", 0.0, 0.0)], SCORER, ())
    assert never.sentence() == "Both are never free at the same time this week."
    assert measured([signal("time_overlap", None, 0.0), signal("load", 0.0, 0.0)], SCORER, ()) == ()


def test_the_heaviest_paths_are_said_once_and_then_what_is_measured() -> None:
    paths = [path("skills", 9.0), path("skills", 9.0), *(path("skills", float(number)) for number in range(8, 0, -1))]
    said = sentences_of(paths, [Measured("as_told", text="measured")])
    assert said == ("skills 9.0", "skills 8.0", "skills 7.0", "skills 6.0", "skills 5.0", "measured")


def test_each_sentence_names_the_paths_that_say_so_and_measured_ones_name_none() -> None:
    one = EvidencePath("skills", "goal_needs_skill", 2.0, "Same.", (GOAL, skill("SQL"), PERSON))
    two = replace(one, steps=(GOAL, skill("Go"), PERSON))
    other = replace(one, sentence="Other.", steps=(GOAL, skill("CSS"), PERSON))
    said = reasons_of([one, two, other], [Measured("load", 0.5)])
    assert [each.sentence for each in said] == list(sentences_of([one, two, other], [Measured("load", 0.5)]))
    assert [each.paths for each in said] == [(one.uid, two.uid), (other.uid,), ()]
    assert len({one.uid, two.uid, other.uid}) == 3
    assert replace(one, weight=1.0, sentence="", cypher="MATCH").uid == one.uid  # the facts alone make it
    assert replace(one, steps=(GOAL, replace(skill("SQL"), count=2), PERSON)).uid != one.uid


# --- in every language ----------------------------------------------------------------------------------------------

PERSON = Step("Person", "m", "Ada")


def skill(name: str, *, forward: bool = True) -> Step:
    return Step("Skill", name, name, "r", "BROADER", forward)


def goal(label: str = "", count: int | None = None) -> Step:
    return Step("Goal", "g" if label else "", label, count=count)


GOAL, BO, PAIRING = goal("Mine"), Step("Person", "p", "Bo"), Step("Pairing")
UNIT = Step("OrganisationUnit", "u", "Water")
SESSION = Step("Session", count=5)
ON = Step("Pairing", since=datetime(2026, 3, 4, 12, tzinfo=UTC))
PATHS: list[tuple[str, tuple[Step, ...], str, str]] = [
    (
        "goal_needs_skill", (GOAL, skill("SQL"), PERSON),
        "Ada offers SQL, which the goal needs.",
        "Ada bietet SQL an, und das Ziel braucht es.",
    ),
    (
        "mentee_wants_skill", (BO, skill("SQL"), PERSON),
        "Ada offers SQL, which Bo wants to learn.",
        "Ada bietet SQL an, und Bo möchte es lernen.",
    ),
    (
        "goal_needs_near_skill", (GOAL, skill("SQL"), skill("Data"), PERSON),
        "Ada offers Data, the wider field of SQL, which the goal needs.",
        "Ada bietet Data an, das weitere Gebiet von SQL, und das Ziel braucht dieses.",
    ),
    (
        "goal_needs_near_skill", (GOAL, skill("Data"), skill("SQL", forward=False), PERSON),
        "Ada offers SQL, a kind of Data, which the goal needs.",
        "Ada bietet SQL an, eine Art von Data, und das Ziel braucht dieses.",
    ),
    (
        "mentee_wants_near_skill", (BO, skill("SQL"), skill("Data"), PERSON),
        "Ada offers Data, the wider field of SQL, which Bo wants to learn.",
        "Ada bietet Data an, das weitere Gebiet von SQL, und Bo möchte dieses lernen.",
    ),
    (
        "mentee_wants_near_skill", (BO, skill("Data"), skill("SQL", forward=False), PERSON),
        "Ada offers SQL, a kind of Data, which Bo wants to learn.",
        "Ada bietet SQL an, eine Art von Data, und Bo möchte dieses lernen.",
    ),
    (
        "goal_needs_sibling_skill", (GOAL, skill("SQL"), skill("Data"), skill("Spark", forward=False), PERSON),
        "Ada offers Spark, a kind of Data like SQL, which the goal needs.",
        "Ada bietet Spark an, wie SQL eine Art von Data, und das Ziel braucht SQL.",
    ),
    (
        "mentee_wants_sibling_skill", (BO, skill("SQL"), skill("Data"), skill("Spark", forward=False), PERSON),
        "Ada offers Spark, a kind of Data like SQL, which Bo wants to learn.",
        "Ada bietet Spark an, wie SQL eine Art von Data, und Bo möchte SQL lernen.",
    ),
    (
        "goal_needs_similar_goal", (GOAL, skill("SQL"), goal("Wells"), PAIRING, PERSON),
        "Ada has helped with the goal “Wells” that needed SQL, as this goal does.",
        "Ada hat bei dem Ziel „Wells“ geholfen, wo wie bei diesem Ziel SQL gebraucht wurde.",
    ),
    (
        "mentee_wants_similar_goal", (BO, skill("SQL"), goal(count=3), PAIRING, PERSON),
        "Ada has helped with 3 goals that needed SQL, which Bo wants to learn.",
        "Ada hat bei 3 Zielen geholfen, wo SQL gebraucht wurde; Bo möchte es lernen.",
    ),
    (
        "similar_text", (GOAL, goal(count=1), PAIRING, PERSON),
        "Ada has helped with a goal in words that are 40% alike.",
        "Ada hat bei einem Ziel geholfen; die Worte ähneln sich zu 40%.",
    ),
    (
        "similar_text", (GOAL, goal(count=2), PAIRING, PERSON),
        "Ada has helped with 2 goals in words that are up to 40% alike.",
        "Ada hat bei 2 Zielen geholfen; die Worte ähneln sich zu bis zu 40%.",
    ),
    (
        "similar_meaning", (GOAL, goal("Wells"), PAIRING, PERSON),
        "Ada has helped with the goal “Wells” whose meaning is 40% alike.",
        "Ada hat bei dem Ziel „Wells“ geholfen; die Bedeutung ähnelt sich zu 40%.",
    ),
    (
        "similar_meaning", (GOAL, goal(count=2), PAIRING, PERSON),
        "Ada has helped with 2 goals whose meaning is up to 40% alike.",
        "Ada hat bei 2 Zielen geholfen; die Bedeutung ähnelt sich zu bis zu 40%.",
    ),
    (
        "goal_unit_member", (GOAL, UNIT, PERSON),
        "Ada belongs to Water, the goal's unit.",
        "Ada gehört zu Water, der Einheit des Ziels.",
    ),
    (
        "mentee_unit_member", (BO, UNIT, PERSON),
        "Ada belongs to Water, the unit of Bo.",
        "Ada gehört zu Water, der Einheit von Bo.",
    ),
    (
        "goal_unit_mentored", (GOAL, UNIT, PAIRING, PERSON),
        "Ada has mentored in Water, the goal's unit.",
        "Ada war in Water Mentor, der Einheit des Ziels.",
    ),
    (
        "mentee_unit_mentored", (BO, UNIT, PAIRING, PERSON),
        "Ada has mentored in Water, the unit of Bo.",
        "Ada war in Water Mentor, der Einheit von Bo.",
    ),
    (
        "sessions_held", (SESSION, PAIRING, PERSON),
        "Ada has held 5 sessions.",
        "Ada hat 5 Treffen gehalten.",
    ),
    (
        "sessions_held", (Step("Session", count=1), PAIRING, PERSON),
        "Ada has held 1 session.",
        "Ada hat 1 Treffen gehalten.",
    ),
    (
        "sessions_held", (SESSION, ON, PERSON),
        "Ada has held 5 sessions in one pairing, the last on 2026-03-04.",
        "Ada hat 5 Treffen in einer Paarung gehalten, das letzte am 04.03.2026.",
    ),
    (
        "sessions_held", (Step("Session"), ON, PERSON),
        "Ada has held 1 session in one pairing, the last on 2026-03-04.",
        "Ada hat 1 Treffen in einer Paarung gehalten, das letzte am 04.03.2026.",
    ),
    (
        "mentored_before", (BO, PAIRING, PERSON),
        "Ada has mentored Bo before.",
        "Ada hat Bo schon einmal begleitet.",
    ),
    (
        "mentored_before", (Step("Person", "p"), PAIRING, PERSON),
        "Ada has mentored the same person before.",
        "Ada hat dieselbe Person schon einmal begleitet.",
    ),
    (
        "goal_priority", (GOAL, Step("Priority", "y", "Safety"), goal(count=2), PAIRING, PERSON),
        "Ada has helped with 2 goals, for “Safety” as this goal is.",
        "Ada hat bei 2 Zielen geholfen, für „Safety“ wie dieses Ziel.",
    ),
    (
        "unit_phase", (Step("Phase", "h", "Launch"), UNIT, PERSON),
        "Ada belongs to Water, which has less time to meet in the phase “Launch”.",
        "Ada gehört zu Water, wo in der Phase „Launch“ weniger Zeit für Treffen ist.",
    ),
    (
        "request_accepted", (Step("Request", count=3), PERSON),
        "Ada has accepted 3 requests.",
        "Ada hat 3 Anfragen angenommen.",
    ),
    (
        "request_declined", (Step("Request", "q"), PERSON),
        "Ada has declined a request.",
        "Ada hat eine Anfrage abgelehnt.",
    ),
]  # fmt: skip
OF_PROFILES = {
    ("pace", 1): ("likes to go as fast as", "dasselbe Tempo"),
    ("pace", 0.4): ("likes to go nearly as fast as", "fast dasselbe Tempo"),
    ("communication", 1): ("in the same way as", "auf demselben Weg"),
    ("communication", 0.4): ("partly in the same way as", "zum Teil auf demselben Weg"),
    ("coaching_style", 1): ("coaches in the style", "begleitet in der Art"),
    ("coaching_style", 0.4): ("coaches in the style", "begleitet in der Art"),
    ("format", 1): ("likes the same formats as", "mag dieselben Formate"),
    ("format", 0.4): ("likes some of the formats", "mag einige der Formate"),
    ("seniority", 1): ("as far ahead of whoever asks", "so viele Jahre"),
    ("seniority", 0.4): ("by less or more than helps most", "weniger oder mehr Jahre"),
    ("asynchronous", 1): ("both work without it", "beide arbeiten auch ohne das"),
}


@pytest.mark.parametrize(("kind", "words"), OF_PROFILES.items())
def test_a_likeness_of_profiles_is_told_as_whole_or_as_partial(kind: tuple[str, float], words: tuple[str, str]) -> None:
    steps = (Step("Profile", "a"), Step("Profile", "b"), PERSON)
    told = [sentence_of(f"profile_{kind[0]}", kind[1], steps, language=language) for language in (ENGLISH, GERMAN)]
    assert all(part in sentence and sentence.startswith("Ada ") for part, sentence in zip(words, told, strict=True))


@pytest.mark.parametrize(("metapath", "steps", "english", "german"), PATHS)
def test_a_path_is_told_in_every_language(metapath: str, steps: tuple[Step, ...], english: str, german: str) -> None:
    count = max((step.count or 1 for step in steps if not step.node_uid), default=1)
    own = sentence_of(metapath, 0.4, steps, count)
    assert own == english
    path = EvidencePath("skills", metapath, 1.0, own, steps, strength=0.4)
    assert in_language(path, ENGLISH) == english
    assert in_language(path, GERMAN) == german


def test_every_language_has_words_for_everything_with_the_same_gaps() -> None:
    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    english = wording(ENGLISH)
    for language in LANGUAGES:
        words = wording(language)
        assert set(words) == set(english)
        assert {key: gaps(text) for key, text in words.items()} == {key: gaps(text) for key, text in english.items()}
    told = {metapath for metapath, *_ in PATHS} | {f"profile_{name}" for name, _ in OF_PROFILES}
    assert told == metapaths()


def metapaths() -> set[str]:
    """Every kind of path that signals give evidence of, and the one that only a learned ranking knows."""
    asking, skills = ("goal_needs", "mentee_wants"), ("skill", "near_skill", "sibling_skill", "similar_goal")
    units = {f"{whose}_unit_{how}" for whose in ("goal", "mentee") for how in ("member", "mentored")}
    signals = (Path(__file__).parents[2] / "graph" / "signals").glob("*.py")
    named = {name for file in signals for name in re.findall(r'"((?:[a-z]+_)*[a-z]+)"', file.read_text("utf-8"))}
    others = {"similar_text", "sessions_held", "mentored_before", "goal_priority", "unit_phase"}
    others |= {"request_accepted", "request_declined"}
    assert others <= named
    profiles = ("pace", "communication", "coaching_style", "format", "seniority", "asynchronous")
    told = {f"{one}_{other}" for one in asking for other in skills} | units | others | {"similar_meaning"}
    return told | {f"profile_{name}" for name in profiles}


def test_without_the_evidence_there_is_no_sentence_in_any_language() -> None:
    paths = [
        EvidencePath("skills", metapath, 1.0, sentence_of(metapath, 0.4, steps), steps, strength=0.4)
        for metapath, steps, *_ in PATHS[:4]
    ]
    for language in LANGUAGES:
        whole = sentences_of(paths, (), language)
        for gone in paths:
            left = sentences_of([path for path in paths if path is not gone], (), language)
            assert set(whole) - set(left) == {in_language(gone, language)}
        assert sentences_of((), (), language) == ()


def test_what_was_erased_is_not_told_in_another_language_either() -> None:
    path = EvidencePath("skills", "goal_needs_skill", 1.0, "(erased)", (GOAL, skill("SQL"), PERSON))
    assert in_language(path, GERMAN) == "(gelöscht)"
