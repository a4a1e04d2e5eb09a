"""What plans for whole programmes share: who takes part in them, and what keeps somebody from having anybody.

A plan writes nothing. It is made of the scores that a list of mentors has and judged by the same rules, so that each of
its pairs can be explained like a recommendation, and is judged again when it is proposed and when it is accepted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.people.programmes import configuration_of, refuse_ended
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.rules.evaluator import RULES
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.store.programme_reads import Enrolled
from mentorgraph.graph.viewer import Viewer

MOST_PLANNED = 200
"""People for whom one plan is made at most."""

_PLACE = {rule.name: place for place, rule in enumerate(RULES)}


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A rule that forbids somebody several others.

    Attributes:
        rule: Its name.
        others: How many others it forbids.
        example: What is the case with one of them.
        remedy: What would mend that; empty where nothing does.
    """

    rule: str
    others: int
    example: str
    remedy: str


async def enrolled_in(recommender: Recommender, viewer: Viewer, programme: str, format: str) -> list[Enrolled]:
    """Who takes part in a programme for which a plan is to be made.

    Args:
        recommender: What ranks.
        viewer: On whose behalf; not for participants, since a plan tells of everybody.
        programme: uid of the programme.
        format: The format that it has to have.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`, `ARCHIVED`, or `BAD_USER_INPUT`: it has another format, or too many
            people.
    """
    if not viewer.sees_everybody:
        raise DomainError("only coordinators plan for a programme", code="FORBIDDEN")
    configuration = await configuration_of(recommender.store, programme)
    now = recommender.clock()
    refuse_ended(configuration, now)
    own = configuration.programme.properties.get("format")
    if own != format:
        told = f"this programme is of the format {own}" if own else "this programme has no format"
        raise DomainError(f"{told}; name one of the format {format}", code="BAD_USER_INPUT", field="programmeId")
    found = await recommender.store.read_enrolled(programme, now)
    if len(found) > MOST_PLANNED:
        told = f"{len(found)} people take part in this programme; a plan is made for up to {MOST_PLANNED}"
        raise DomainError(f"{told}; split the programme", code="BAD_USER_INPUT", field="programmeId")
    return found


def hindrances(refused: Iterable[Sequence[Refusal]]) -> tuple[Hindrance, ...]:
    """Which rules forbid somebody others, that which forbids the most of them first.

    Args:
        refused: For each of the others, the refusals of the pair.
    """
    counted: Counter[str] = Counter()
    first: dict[str, Refusal] = {}
    for refusals in refused:
        for rule, refusal in {each.rule: each for each in reversed(refusals)}.items():
            counted[rule] += 1
            first.setdefault(rule, refusal)
    order = sorted(counted, key=lambda rule: (-counted[rule], _PLACE[rule]))
    return tuple(Hindrance(rule, counted[rule], first[rule].fact, first[rule].remedy) for rule in order)
