"""What people write into cells: yes and no in all their forms, lists, ranges, days, addresses.

What cannot be read raises `ValueError("reason|remedy")`, as the readers of `graph.values` do.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime

from mentorgraph.graph.facts.values import zone

NO = frozenset({"", "0", "0.0", "no", "n", "false", "f", "none", "n/a", "na", "-", "–", "✗", "✘", "☐", "off", "never"})
YES = frozenset({"1", "1.0", "yes", "y", "true", "t", "x", "✓", "✔", "☑", "✅", "on", "agree", "i agree", "i consent"})
DAY_FORMS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %I:%M:%S %p",
    "%Y/%m/%d",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%m/%d/%y %H:%M:%S",
    "%d/%m/%y %H:%M:%S",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d %B %Y",
)
"""How days are written besides 2026-01-31, as `strptime` says it."""

_ROLES = (
    ("mentor", re.compile(r"\b(mentors?|coach(es)?|guides?)\b")),
    ("mentee", re.compile(r"\b(mentees?|prot[eé]g[eé]e?s?|learners?)\b")),
)


def folded(text: str) -> str:
    """A text as it is compared: lower case, single spaces, NFC."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


def address(text: str) -> str:
    """An e-mail address in lower case; empty for none."""
    found = unicodedata.normalize("NFC", text).strip().removeprefix("mailto:").strip("<>").strip().lower()
    if found in NO:
        return ""
    if not re.fullmatch(r"[^\s@,;<>|]+@[^\s@,;<>|]+", found):
        raise ValueError("is not one e-mail address|write it as name@example.org, or leave the cell empty")
    return found


def is_yes(text: str) -> bool:
    """Whether a box is ticked, in whatever way: any text but a plain no counts."""
    return folded(text) not in NO


def agrees(text: str) -> bool | None:
    """A clear yes or no to a question of consent; None where the cell is empty."""
    clean = folded(text)
    if not clean:
        return None
    if clean in NO or re.match(r"no\b|i do not\b|i don['’]t\b|disagree", clean):
        return False
    if clean in YES or re.match(r"yes\b|i (agree|consent|do)\b", clean):
        return True
    raise ValueError("is neither yes nor no|write yes or no")


def entries(text: str, separators: Sequence[str] | None = None) -> list[str]:
    """The entries of a list, none empty, none twice.

    Args:
        text: The cell.
        separators: What parts them; if None, line ends, `;` and `|` where there are any, else commas. Empty for a cell
            that is one entry whatever stands in it.
    """
    if separators is None:
        separators = ("\n", ";", "|") if re.search(r"[\n;|]", text) else (",",)
    parts = re.split("|".join(map(re.escape, separators)), text) if separators else [text]
    found: dict[str, str] = {}
    for part in parts:
        clean = " ".join(part.split())
        if folded(clean) not in {"", "n/a", "none", "-"}:
            found.setdefault(folded(clean), clean)
    return list(found.values())


def at_most(text: str) -> float | None:
    """The number of a cell such as `3`, `up to 3`, `1-3` or `10+`: of several the last; None where it is empty."""
    clean = folded(text)
    if clean in {"", "-", "n/a", "na"}:
        return None
    if clean == "none":
        return 0
    found = re.findall(r"\d+(?:\.\d+)?", clean)
    if not found or re.match(r"[-−]\s*\d", clean):
        raise ValueError("is not a number|write it as 3, or as a range such as 1-3")
    return float(found[-1])


def day(text: str, form: str = "") -> datetime | None:
    """The day of a date or an instant, as its midnight in UTC; None where the cell is empty.

    Args:
        text: The cell.
        form: How it is written, as `strptime` says it; if empty, as 2026-01-31 with or without a time.
    """
    clean = re.sub(r" (GMT|UTC)([+-]\d{1,2}(:\d\d)?)?$", "", text.strip())
    if not clean:
        return None
    try:
        found: date = datetime.strptime(clean, form) if form else datetime.fromisoformat(clean)
    except ValueError:
        wanted = f"write it as {form}" if form else 'write it as 2026-01-31, or say its form, such as form = "%d/%m/%Y"'
        raise ValueError(f"is not such a date|{wanted}") from None
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def roles(text: str, separators: Sequence[str] | None = None) -> list[str] | None:
    """The mentoring roles that a cell names; None where it names none that is known."""
    clean = folded(text)
    if clean in NO or clean == "disabled":
        return []
    if re.match(r"both\b", clean) or clean in {"peer", "peers"}:
        return ["mentor", "mentee"]
    found = []
    for entry in entries(clean, separators):
        named = [role for role, words in _ROLES if words.search(entry)]
        if not named:
            return None
        found += named
    return list(dict.fromkeys(found))


def zone_of(text: str, zones: Sequence[str]) -> str:
    """The IANA time zone that a cell names, whole or by its city; raises where it names none or several."""
    clean = text.strip()
    wanted = folded(clean).replace(" ", "_")
    found = [each for each in zones if wanted in (each.casefold(), each.casefold().rsplit("/", 1)[-1])]
    return zone(found[0] if len(found) == 1 else clean)
