"""Chances of success: true on outcomes that nobody knew, refused where nothing tells of them, without looking ahead."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binomtest

from mentorgraph.embeddings.calibration import (
    ALL,
    EARLIER_DAYS,
    METHODS,
    Outcomes,
    at_level,
    calibrate,
    known_outcomes,
    level,
    platt,
)
from mentorgraph.embeddings.calibration_error import error
from mentorgraph.embeddings.chance import WIDEST, Calibration, wilson
from mentorgraph.embeddings.gate import may_tell_chances
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import FULL
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.table import Reals
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import load_policy

POLICY = load_policy()
BEGIN, END = datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


def outcomes(number: int, seed: int, chance: Callable[[Reals], Reals], newcomers: float = 0.8) -> Outcomes:
    """Pairings that succeed with a chance that is known."""
    draws = np.random.default_rng(seed)
    scores = draws.normal(2, 2, number)
    succeeded = draws.random(number) < chance(scores)
    return Outcomes(scores, succeeded, np.arange(number), draws.random(number) < newcomers)


def logistic(scores: Reals) -> Reals:
    found: Reals = expit(scores - 2)
    return found


def stepped(scores: Reals) -> Reals:
    return np.where(scores < 2, 0.2, 0.85)


@pytest.mark.parametrize(("truth", "method"), [(logistic, "platt"), (stepped, "isotonic")])
def test_the_method_that_fits_is_taken_and_its_chances_are_true(truth: Callable[[Reals], Reals], method: str) -> None:
    found = calibrate(outcomes(4_000, 1, truth))
    assert found.method == method
    assert found.losses[method] == min(found.losses.values())
    assert found.map is not None
    later = outcomes(4_000, 2, truth)
    stated = np.interp(later.scores, found.map.knots, found.map.values)
    assert error(stated, later.succeeded).ece < 0.04
    assert all(each.holds for each in may_tell_chances(found))


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_outcomes_are_refused(seed: int) -> None:
    whole = outcomes(400, seed, logistic)
    assert all(each.holds for each in may_tell_chances(calibrate(whole)))
    shuffled = replace(whole, succeeded=np.random.default_rng(seed).permutation(whole.succeeded))
    found = calibrate(shuffled)
    failed = [each.name for each in may_tell_chances(found) if not each.holds]
    assert "the score tells of success" in failed
    assert found.map is not None
    assert np.ptp(found.map.values) < 0.3  # and what it would have said is nearly the same for everybody


def test_a_score_that_falls_where_success_rises_is_refused() -> None:
    whole = outcomes(400, 3, logistic)
    found = calibrate(replace(whole, scores=-whole.scores))
    assert found.gain == pytest.approx(0, abs=1e-6)
    assert not all(each.holds for each in may_tell_chances(found))


def test_without_failures_nothing_is_stated() -> None:
    whole = outcomes(400, 3, logistic)
    found = calibrate(replace(whole, succeeded=np.ones(400, bool)))
    assert found.map is None
    [condition] = may_tell_chances(found)
    assert not condition.holds
    assert condition.told.startswith("400 outcomes became known, 0 of them no success; 100 are needed, and 20")
    assert calibrate(outcomes(99, 3, logistic)).map is None


def test_chances_that_hold_for_one_group_only_are_seen() -> None:
    """Newcomers do far better than others of the same score: right in the mean, wrong for the few others."""
    draws = np.random.default_rng(5)
    whole = outcomes(1_500, 5, logistic, newcomers=0.9)
    failing = ~whole.newcomers & (draws.random(1_500) < 0.8)
    found = calibrate(replace(whole, succeeded=whole.succeeded & ~failing))
    failed = [each.name for each in may_tell_chances(found) if not each.holds]
    assert failed == ["true chances of rest"]


def test_the_error_is_that_of_the_definition() -> None:
    draws = np.random.default_rng(7)
    chances, succeeded = draws.random(200), draws.random(200) < 0.5
    order = np.argsort(chances)
    slow = 0.0
    for part in np.array_split(order, 5):
        slow += len(part) / 200 * abs(chances[part].mean() - succeeded[part].mean())
    found = error(chances, succeeded)
    assert found.ece == pytest.approx(slow)
    assert found.by_luck < found.ece
    assert error(chances, draws.random(200) < chances).ece < found.ece


@pytest.mark.parametrize("bias", [0.0, 0.05, 0.1])
def test_what_is_left_without_luck_is_the_bias_however_few_outcomes_there_are(bias: float) -> None:
    """The plain error of true chances is far from 0 where there are few; the debiased one is right in the mean."""
    draws = np.random.default_rng(11)
    chances = draws.uniform(0.35, 0.7, 480)
    found = [error(chances, draws.random(480) < chances - bias) for _ in range(60)]
    assert np.median([each.debiased for each in found]) == pytest.approx(bias, abs=0.02)
    assert np.mean([each.low <= bias <= each.high for each in found]) > 0.85
    plain = np.mean([each.ece for each in found])
    assert plain > max(bias, 0.04)  # even of chances that are exactly true
    if not bias:
        assert np.mean([each.floor for each in found]) == pytest.approx(plain, abs=0.01)


def test_the_level_is_that_of_a_year_unless_the_rate_has_moved() -> None:
    window = np.arange(200) < 120
    assert level(window, (0, 0)) == 0.6
    assert level(window, (440, 800)) == pytest.approx(560 / 1_000)
    assert level(window, (240, 800)) == 0.6  # 30 % before: that rate is no more


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_map_at_a_level_has_it_in_the_mean_and_keeps_its_order(method: str) -> None:
    known = outcomes(400, 13, logistic)
    knots, values = at_level(*METHODS[method](known.scores, known.succeeded), known.scores, 0.31)
    assert np.interp(known.scores, knots, values).mean() == pytest.approx(0.31)
    assert (np.diff(values) >= 0).all()


def test_a_year_makes_chances_truer_than_the_three_months_alone() -> None:
    """The rate is the same all year, and the window is a small sample of it."""
    later = outcomes(3_000, 999, logistic)
    alone: list[float] = []
    with_year: list[float] = []
    for seed in range(0, 60, 2):
        window, earlier = outcomes(120, seed, logistic), outcomes(900, seed + 1, logistic)
        told = replace(window, earlier=(int(earlier.succeeded.sum()), len(earlier)))
        for found, apart in ((window, alone), (told, with_year)):
            fitted = calibrate(found).map
            assert fitted is not None
            apart.append(np.interp(later.scores, fitted.knots, fitted.values).mean() - later.succeeded.mean())
    assert np.std(with_year) < 0.8 * np.std(alone)


def test_chances_that_are_off_beyond_their_bound_are_refused() -> None:
    """All else about them is in order: they rise with success, and are truer than one for everybody."""
    found = calibrate(outcomes(2_000, 3, logistic))
    assert all(each.holds for each in may_tell_chances(found))
    known = outcomes(2_000, 4, lambda scores: np.clip(logistic(scores) - 0.12, 0, 1))
    off = {ALL: error(logistic(known.scores), known.succeeded)}
    [failed] = [each for each in may_tell_chances(replace(found, errors=off)) if not each.holds]
    assert failed.name == "true chances of all"
    assert "0.05 is allowed" in failed.told


@given(st.floats(0, 1), st.integers(1, 5_000))
def test_the_interval_is_wilsons(share: float, number: int) -> None:
    successes = round(share * number)
    peer = binomtest(successes, number).proportion_ci(method="wilson")
    assert wilson(successes / number, number) == pytest.approx((peer.low, peer.high), abs=1e-6)


def map_of(method: str) -> Calibration:
    known = outcomes(300, 11, logistic)
    return Calibration(*METHODS[method](known.scores, known.succeeded), np.sort(known.scores))


MAPS = {method: map_of(method) for method in METHODS}


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=30), st.sampled_from(sorted(METHODS)))
def test_a_higher_score_never_has_a_lower_chance(asked: list[float], method: str) -> None:
    found = MAPS[method]
    chances = [found.chance(score) for score in sorted(asked)]
    values = [each.value for each in chances if each.value is not None]
    assert values == sorted(values)
    for each in chances:
        assert 0 <= each.low <= each.high <= 1
        assert (each.value is None) == (each.high - each.low > WIDEST)
        assert each.value is None or each.low <= each.value <= each.high


def test_where_no_outcome_is_known_no_value_is_named() -> None:
    known = outcomes(300, 11, logistic)
    found = Calibration(*platt(known.scores, known.succeeded), np.sort(known.scores))
    far = found.chance(known.scores.max() + 5)
    assert (far.value, far.low, far.high, far.outcomes) == (None, 0.0, 1.0, 0)
    just_above = found.chance(known.scores.max() + 0.01)
    assert just_above.high == 1.0
    assert found.chance(2.0).value is not None
    sparse = replace(found, scores=found.scores[::30])
    assert sparse.chance(2.0).value is None


def test_the_map_is_part_of_the_model(model: Model) -> None:
    known = outcomes(300, 11, logistic)
    calibration = Calibration(*platt(known.scores, known.succeeded), np.sort(known.scores))
    whole = replace(model, chance=calibration)
    read = Model.of(whole.arrays(), whole.texts())
    assert read.chance is not None
    for score in (-3.0, 0.5, 2.0, 7.0):
        assert read.chance.chance(score) == calibration.chance(score)
    assert Model.of(model.arrays(), model.texts()).chance is None
    scorer = LearnedScorer("x", POLICY, read, with_network=False)
    assert scorer.chance(2.0) == calibration.chance(2.0)
    assert LearnedScorer("x", POLICY, model, with_network=False).chance(2.0) is None
    falling = replace(calibration, values=calibration.values[::-1])
    with pytest.raises(ValueError, match="score to chance"):
        Model.of(replace(model, chance=falling).arrays(), model.texts())


def found_in(columns: Columns, model: Model, begin: datetime = BEGIN, end: datetime = END) -> Outcomes:
    return known_outcomes(LearnedScorer("", POLICY, model, with_network=False), FULL, columns, begin, end)


def test_only_outcomes_that_became_known_in_the_window_are_looked_at(
    model: Model, columns: Columns, new_community: Callable[[], Columns]
) -> None:
    before = found_in(columns, model)
    table = columns.tables["pairings"]
    ended, result = table.reals("until"), table.reals("outcome")
    inside = (ended >= BEGIN.timestamp()) & (ended < END.timestamp()) & ~np.isnan(result)
    assert len(before) == inside.sum() > 30
    assert before.succeeded.sum() == (result[inside] >= 0.6).sum()
    past = (ended < BEGIN.timestamp()) & (ended >= BEGIN.timestamp() - EARLIER_DAYS * 86_400) & ~np.isnan(result)
    assert before.earlier == ((result[past] >= 0.6).sum(), past.sum())
    assert before.earlier[1] > 20
    changed = new_community()
    for row in np.flatnonzero(~inside & (ended >= END.timestamp())):
        changed.tables["pairings"].strings("outcome")[row] = 0.0
    changed.tables["pairings"]._arrays.clear()
    after = found_in(changed, model)
    assert np.array_equal(before.scores, after.scores)
    assert np.array_equal(before.succeeded, after.succeeded)
    changed.tables["pairings"].strings("outcome")[int(np.flatnonzero(inside)[0])] = 0.0  # one inside does count
    changed.tables["pairings"]._arrays.clear()
    assert found_in(changed, model).succeeded.sum() <= before.succeeded.sum()


def test_a_pairing_is_scored_with_what_was_known_before_it_began(
    model: Model, columns: Columns, new_community: Callable[[], Columns]
) -> None:
    """What is said of its people after it began, and how it went, is in no score."""
    before = found_in(columns, model)
    changed, table = new_community(), columns.tables["pairings"]
    rows = np.flatnonzero((table.reals("until") >= BEGIN.timestamp()) & (table.reals("until") < END.timestamp()))
    last = table.reals("since")[rows].max()
    for row in rows:
        changed.tables["pairings"].strings("outcome")[row] = 1.0
    changed.tables["pairings"]._arrays.clear()
    skill = columns.skills.uids[0]
    for person in columns.people.uids[:200]:
        told = {"person_id": person, "skill_id": skill, "stance": "offers", "level": "5"}
        told["since"] = datetime.fromtimestamp(last + 86_400, UTC).date().isoformat()
        for record in facts_of("person_skills", told, "test"):
            changed.put(record)
    after = found_in(changed, model)
    assert np.array_equal(before.scores, after.scores)
    assert after.succeeded.all()


def test_the_threshold_is_that_of_the_charter_in_force(
    model: Model, columns: Columns, new_community: Callable[[], Columns]
) -> None:
    changed = new_community()
    table = changed.tables["pairings"]
    programmes = sorted({each for each in table.strings("programme") if each})
    told = {"why": "x", "for_whom": "x", "how_measured": "x", "success_threshold": "0"}
    for programme in programmes:
        for since, until, threshold in (("2020-01-01", "2021-01-01", "1"), ("2021-01-01", "", "0")):
            row = {**told, "programme_id": programme, "since": since, "until": until, "success_threshold": threshold}
            for record in facts_of("charters", row, "test"):
                changed.put(record)
    before, after = found_in(columns, model), found_in(changed, model)
    ended = table.reals("until")
    inside = (ended >= BEGIN.timestamp()) & (ended < END.timestamp()) & ~np.isnan(table.reals("outcome"))
    in_programme = np.array([bool(each) for each in table.strings("programme")])[inside]
    others = (table.reals("outcome")[inside] >= 0.6) & ~in_programme
    assert after.succeeded.sum() == in_programme.sum() + others.sum() > before.succeeded.sum()
    assert len(after) == len(before)
    assert ALL in calibrate(outcomes(200, 1, logistic)).errors
