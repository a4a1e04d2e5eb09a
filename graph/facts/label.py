"""The label of a pairing: how far it got, by the weights that its programme's charter gives to what is known of it.

The one definition for surveys, reports and training. Pure: a charter's properties and three numbers in, a number out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SUCCESS_THRESHOLD = 0.6
"""Outcome from which on a pairing was a success where the charter does not say."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts in the outcome of a pairing, and how much; the sum stands for the whole, whatever it is.

    Attributes:
        skill: Weight of the skill gained.
        confidence: Weight of the confidence gained.
        delivery: Weight of what was delivered.
        success_threshold: Outcome from which on a pairing was a success.
    """

    skill: float = 1.0
    confidence: float = 1.0
    delivery: float = 1.0
    success_threshold: float = SUCCESS_THRESHOLD

    @classmethod
    def of(cls, charter: Mapping[str, object]) -> "Weights":
        """The weights of a charter: one that is missing counts 0, and all count alike where none is given.

        Args:
            charter: Its properties; none where a programme has no charter.
        """
        names = ("skill_weight", "confidence_weight", "delivery_weight")
        missing = 0.0 if any(name in charter for name in names) else 1.0
        skill, confidence, delivery = (_number(charter.get(name), missing) for name in names)
        threshold = _number(charter.get("success_threshold"), SUCCESS_THRESHOLD)
        return cls(skill, confidence, delivery, threshold)


def outcome(weights: Weights, skill: float | None, confidence: float | None, delivery: float | None) -> float | None:
    """The outcome of a pairing, 0 to 1: the weighted mean of the parts that are known.

    Args:
        weights: What counts how much.
        skill: Skill gained, 0 to 1; None where it is not known, as for the others.
        confidence: Confidence gained.
        delivery: What was delivered.

    Returns:
        None where no part that counts is known.
    """
    parts = ((weights.skill, skill), (weights.confidence, confidence), (weights.delivery, delivery))
    known = [(weight, value) for weight, value in parts if value is not None and weight > 0]
    if not known:
        return None
    # By the greatest weight first: a tiny one alone would lose its digits in the products.
    greatest = max(weight for weight, _ in known)
    known = [(weight / greatest, value) for weight, value in known]
    mean = sum(weight * value for weight, value in known) / sum(weight for weight, _ in known)
    values = [value for _, value in known]
    return min(max(mean, min(values)), max(values))


def is_success(weights: Weights, result: float | None) -> bool | None:
    """Whether an outcome is a success by the charter's threshold; None where there is no outcome."""
    return None if result is None else result >= weights.success_threshold


def _number(value: object, missing: float) -> float:
    return float(value) if isinstance(value, int | float) else missing
