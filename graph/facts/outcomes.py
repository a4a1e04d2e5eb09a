"""How far a pairing got, by the label of its programme: computed from what its people answered, and nothing else.

Pure. Of each person the latest answer on a scale counts, and the mean over people; the charter in force when the
pairing ended says how the scales weigh. The order in which answers become known does not matter. What an import says
stays where nobody answered on a scale.
"""

import math
from dataclasses import replace

from mentorgraph.graph.facts.course import Course
from mentorgraph.graph.facts.label import Weights, outcome
from mentorgraph.graph.facts.model import Record

SCALES = ("skill", "confidence", "delivery")
"""What surveys ask for beside the rating, each 0 to 1."""
SCALES_OF_OTHERS = ("delivery",)
"""What a coordinator who closes a pairing may say for it."""
CLOSE_ENOUGH = 1e-9


def outcome_of(course: Course) -> float | None:
    """The outcome of a pairing that is over, 0 to 1.

    Returns:
        None while it goes on, and where nobody answered on a scale that its programme gives weight.
    """
    if course.ended is None:
        return None
    insiders = {*course.people, *(each.links["person"] for each in course.helpers)}
    means = {}
    for scale in SCALES:
        latest: dict[str, float] = {}
        for answer in course.answers:
            person, value = answer.links["person"], answer.properties.get(scale)
            if isinstance(value, float) and (person in insiders or scale in SCALES_OF_OTHERS):
                latest[person] = value
        means[scale] = math.fsum(latest.values()) / len(latest) if latest else None
    charter = course.charter_at(course.ended)
    return outcome(Weights.of(charter.properties if charter else {}), **means)


def settled(course: Course) -> Record:
    """The pairing with the outcome that its answers say; as it is where they say none."""
    found = outcome_of(course)
    known = course.pairing.properties.get("outcome")
    if found is None or (isinstance(known, float) and abs(known - found) <= CLOSE_ENOUGH):
        return course.pairing
    return replace(course.pairing, properties={**course.pairing.properties, "outcome": found})
