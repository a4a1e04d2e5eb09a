"""How the values of facts are read from text and written back."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import TypeAlias
from zoneinfo import available_timezones

Value: TypeAlias = str | int | float | bool | datetime | list[str]

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATES = re.compile("[\ud800-\udfff]")

SLOT_MINUTES = 5
"""Resolution of weekly availability: every zone's offset from UTC and every window is a multiple of it."""


def _refuse(reason: str, remedy: str) -> ValueError:
    return ValueError(f"{reason}|{remedy}")


def text(longest: int) -> Callable[[object], str]:
    """Reads text of at most `longest` characters in Unicode NFC, without surrounding space and control characters.

    Lines end with a line feed, however they ended before.
    """

    def read(value: object) -> str:
        clean = _CONTROLS.sub("", str(value).replace("\r\n", "\n").replace("\r", "\n"))
        clean = unicodedata.normalize("NFC", clean).strip()
        if len(clean) > longest:
            raise _refuse(f"has {len(clean)} characters", f"shorten it to {longest}")
        if _SURROGATES.search(clean):
            raise _refuse("holds half a character", "save the file as UTF-8")
        return clean

    return read


def choice(*allowed: str) -> Callable[[object], str]:
    """Reads one of a closed set, in any letter case, with space or hyphen for the underscore."""

    def read(value: object) -> str:
        clean = str(value).strip().lower().replace(" ", "_").replace("-", "_")
        if clean not in allowed:
            raise _refuse("is not one of the known values", "use " + ", ".join(allowed))
        return clean

    return read


def number(low: float, high: float) -> Callable[[object], float]:
    """Reads a finite number from `low` to `high`, both included."""

    def read(value: object) -> float:
        try:
            result = float(str(value))
        except ValueError:
            raise _refuse("is not a number", f"give a number from {low:g} to {high:g}") from None
        if not low <= result <= high:
            raise _refuse("is out of range", f"give a number from {low:g} to {high:g}")
        return result

    return read


def whole(low: int, high: int) -> Callable[[object], int]:
    """Reads a whole number from `low` to `high`, both included."""

    def read(value: object) -> int:
        clean = str(value).strip()
        if not re.fullmatch(r"[+-]?\d{1,12}", clean, re.ASCII) or not low <= int(clean) <= high:
            raise _refuse("is not such a whole number", f"give a whole number from {low} to {high}")
        return int(clean)

    return read


def instant(value: object) -> datetime:
    """Reads a day (its midnight in UTC) or an instant with its offset, as RFC 3339 writes them, to the millisecond."""
    if isinstance(value, datetime):
        result = value
    elif isinstance(value, date):
        result = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        clean = str(value).strip()
        try:
            result = datetime.fromisoformat(clean)
        except ValueError:
            raise _refuse("is not a date", "write it as 2026-01-31 or 2026-01-31T09:30:00Z") from None
        if len(clean) == len("2026-01-31"):
            result = result.replace(tzinfo=UTC)
    if result.tzinfo is None:
        raise _refuse("has no offset from UTC", "write it as 2026-01-31T09:30:00Z")
    try:
        result = result.astimezone(UTC)
    except OverflowError:
        result = datetime.min.replace(tzinfo=UTC)
    if not 1900 <= result.year <= 2200:
        raise _refuse("lies outside the years 1900 to 2200", "correct the year")
    return result.replace(microsecond=result.microsecond // 1000 * 1000)


def zone(value: object) -> str:
    """Reads the name of an IANA time zone."""
    clean = str(value).strip()
    if clean not in _known_zones():
        raise _refuse("is not an IANA time zone", "use a name such as Europe/Lisbon")
    return clean


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def time_of_day(value: object) -> str:
    """Reads a local time from 00:00 to 24:00 in steps of five minutes."""
    clean = str(value).strip()
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", clean, re.ASCII)
    minutes = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
    if not 0 <= minutes <= 24 * 60 or minutes % SLOT_MINUTES:
        raise _refuse("is not a time of day", "write it as 09:30, in steps of five minutes")
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def link(value: object) -> str:
    """Reads the address of a page, of at most 2,000 characters, that names neither user nor password."""
    clean = text(2_000)(value)
    if not re.fullmatch(r"https?://[^\s/@<>\"]+(/[^\s<>\"]*)?", clean, re.IGNORECASE):
        raise _refuse("is not the address of a page", "write it as https://example.org/talk")
    return clean


def items(value: object) -> list[str]:
    """Reads a list separated by `|`: no empty entries, none twice, order kept."""
    parts = value if isinstance(value, list | tuple) else [value]
    entries = (text(200)(entry) for part in parts for entry in str(part).split("|"))
    return list(dict.fromkeys(filter(None, entries)))


def plain(value: Value | None) -> str:
    """The text of a value as a bundle writes it."""
    match value:
        case None:
            return ""
        case datetime() if value == value.replace(hour=0, minute=0, second=0, microsecond=0):
            return value.date().isoformat()
        case datetime():
            return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds").replace("+00:00", "Z")
        case float() if value.is_integer() and abs(value) < 1e15:
            return f"{value:.1f}"
        case list():
            return "|".join(map(str, value))
        case _:
            return str(value)
