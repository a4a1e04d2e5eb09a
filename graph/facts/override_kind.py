"""The kind of fact that an override is: what a coordinator decided about a recommendation; see `overriding`."""

from mentorgraph.graph.facts.model import Field, Kind, Link
from mentorgraph.graph.facts.values import choice, instant, text
from mentorgraph.graph.vocabulary import OVERRIDE_REASONS, OVERRIDES

OVERRIDE = Kind(
    "overrides",
    "Override",
    (
        Field("action", choice(*OVERRIDES), required=True),
        Field("reason", choice(*OVERRIDE_REASONS), required=True),
        Field("note", text(2_000), required=True),
        Field("recommendation", text(36)),
        Field("since", instant, required=True),
        Field("until", instant),
        Field("ended_by", text(36)),
        Field("end_note", text(2_000)),
    ),
    (
        Link("mentee_id", "people", "FOR_MENTEE"),
        Link("mentor_id", "people", "CHOOSES"),
        Link("proposed_id", "people", "INSTEAD_OF", required=False),
        Link("goal_id", "goals", "ABOUT_GOAL", required=False),
        Link("request_id", "requests", "LED_TO", required=False),
        Link("person_id", "people", "DECIDED", incoming=True, required=False),
    ),
)
