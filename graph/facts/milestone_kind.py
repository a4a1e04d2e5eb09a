"""The kind of fact that a milestone is; `mentorgraph.graph.facts.kinds` lists it beside all others."""

from mentorgraph.graph.facts.model import Field, Kind, Link
from mentorgraph.graph.facts.values import choice, instant, text
from mentorgraph.graph.vocabulary import MILESTONE_STATES

MILESTONE = Kind(
    "milestones",
    "Milestone",
    (
        Field("title", text(200), required=True),
        Field("expected", text(2_000)),
        Field("due_on", instant, required=True),
        Field("planned_on", instant, "since", required=True),
        Field("closed_on", instant, "until"),
        Field("state", choice(*MILESTONE_STATES), required=True),
        Field("evidence", text(2_000)),
    ),
    (Link("pairing_id", "pairings", "MILESTONE_OF"),),
)
