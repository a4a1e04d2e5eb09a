"""The kind of fact by which somebody agrees to be found by an identity of theirs."""

from mentorgraph.graph.facts.model import Field, Kind, Link
from mentorgraph.graph.facts.values import choice, instant, text
from mentorgraph.graph.vocabulary import IDENTITIES

IDENTITY = Kind(
    "identities",
    "Identity",
    (
        Field("attribute", choice(*IDENTITIES), required=True),
        Field("value", text(100), required=True),
        Field("text_version", text(200), required=True),
        Field("since", instant, required=True),
        Field("until", instant),
    ),
    (Link("person_id", "people", "DECLARED", incoming=True),),
    key=("person_id", "attribute", "value", "since"),
    has_id=False,
)
"""One row is one agreement to one use: that a mentee may ask for a mentor of this identity."""
