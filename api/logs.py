"""How the log is written: lines for people, or one JSON object a line for programs that collect them."""

import logging
from datetime import UTC, datetime

import orjson

from mentorgraph.api.errors import without_texts
from mentorgraph.api.observing import asked


class JsonLines(logging.Formatter):
    """Writes `time`, `level`, `logger`, `message`, the id of the request that was being answered, and further fields.

    Of an exception it writes types and places, not the message, which may quote what people wrote.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        found = asked.get()
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            **({"request": found.request} if found else {}),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= fields
        else:
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            line["exception"] = without_texts(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()
