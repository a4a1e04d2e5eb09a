"""What the people of a pairing tell: agreements, milestones, notes; `facts.kinds` lists them beside all others."""

from mentorgraph.graph.facts.model import Field, Kind, Link
from mentorgraph.graph.facts.values import choice, instant, text
from mentorgraph.graph.vocabulary import MILESTONE_STATES

SIGNATURE = Kind(
    "signatures",
    "Signature",
    (Field("signed_on", instant, "since", required=True), Field("text_version", text(200), required=True)),
    (Link("pairing_id", "pairings", "AGREES_TO"), Link("person_id", "people", "SIGNED", incoming=True)),
    key=("pairing_id", "person_id", "text_version"),
    has_id=False,
)

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

NOTE = Kind(
    "notes",
    "Note",
    (
        Field("written_on", instant, "since", required=True),
        Field("agreed", text(5_000)),
        Field("next_step", text(2_000)),
    ),
    (Link("session_id", "sessions", "NOTE_OF"), Link("person_id", "people", "WROTE", incoming=True)),
    key=("session_id", "person_id"),
    has_id=False,
)
