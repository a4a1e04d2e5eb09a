"""What is said in words beside the paths."""

import pytest

from mentorgraph.graph.paths import EvidencePath, Step
from mentorgraph.graph.policy import load_policy
from mentorgraph.graph.reasons import SignalValue, measured, sentences_of
from mentorgraph.graph.scoring import RulesScorer

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
    assert (told in said) == is_said


def test_common_time_and_load_are_measured() -> None:
    said = measured([signal("time_overlap", 1.5, 0.4), signal("load", 0.5, -0.4)], SCORER, ())
    assert said == (
        "Both are free at the same time for 1 hour and 30 minutes this week.",
        "50% of the mentor's places are taken.",
    )
    assert measured([signal("time_overlap", None, 0.0), signal("load", 0.0, 0.0)], SCORER, ()) == ()


def test_the_heaviest_paths_are_said_once_and_then_what_is_measured() -> None:
    paths = [path("skills", 9.0), path("skills", 9.0), *(path("skills", float(number)) for number in range(8, 0, -1))]
    said = sentences_of(paths, ["measured"])
    assert said == ("skills 9.0", "skills 8.0", "skills 7.0", "skills 6.0", "skills 5.0", "measured")
