"""The time of a fact: when it began, when it ends, whether it holds, and the same fact once it has ended.

Valid time is half-open: the end of a fact is the first instant at which it does not hold.
"""

from dataclasses import replace
from datetime import datetime

from mentorgraph.graph.facts.model import Record


def since_of(record: Record) -> datetime:
    """When a fact began."""
    since = record.properties["since"]
    assert isinstance(since, datetime)  # noqa: S101 - every dated fact has a beginning
    return since


def until_of(record: Record) -> datetime | None:
    """When a fact ended, or will; None where it is open."""
    until = record.properties.get("until")
    return until if isinstance(until, datetime) else None


def holds(record: Record, at: datetime) -> bool:
    """Whether a fact holds at an instant."""
    until = until_of(record)
    return since_of(record) <= at and (until is None or at < until)


def ended(record: Record, until: datetime) -> Record:
    """A fact that ends at an instant, or when it began if that is later."""
    return replace(record, properties={**record.properties, "until": max(until, since_of(record))})
