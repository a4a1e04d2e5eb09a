"""Values as the database sends them, made plain Python ones: its own instants, and milliseconds since 1970."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from neo4j.time import DateTime

from mentorgraph.graph.facts.model import ALWAYS


def properties_of(listed: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as a listing gives them, with instants made from their milliseconds, which are cheaper to send."""
    properties = {name: value for name, value in listed.items() if value is not None}
    for name in ("since", "until", "due_on"):
        if name in properties:
            properties[name] = instant_of(properties[name])
    return properties


def instant_of(milliseconds: int) -> datetime:
    """An instant that came as milliseconds since 1970, which is cheaper to send and to read than the driver's own."""
    return ALWAYS + timedelta(milliseconds=milliseconds)


def native(value: Any) -> Any:
    """A value of the driver as a plain Python one."""
    if isinstance(value, DateTime):
        result: datetime = value.to_native()
        return result
    return value
