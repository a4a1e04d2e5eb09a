"""Kinds of values that options of several commands take."""

from datetime import datetime

import click

from mentorgraph.graph.facts.values import instant


class _Instant(click.ParamType[datetime]):
    """A day or an instant, as bundles write them."""

    name = "date"

    def convert(self, value: object, parameter: click.Parameter | None, context: click.Context | None) -> datetime:
        """Reads what was written."""
        try:
            return instant(value)
        except ValueError as error:
            reason, _, remedy = str(error).partition("|")
            self.fail(f"{value!r} {reason}; {remedy}", parameter, context)


DATE = _Instant()
