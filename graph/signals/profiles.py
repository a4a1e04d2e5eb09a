"""Signals of how two people like to work together: what the profile of each tells, side by side.

What one of the two does not tell is unknown and adds nothing. No value is below 0, so that telling more never costs a
place in the list. Whoever asks tells what they would like, whoever mentors what they do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mentorgraph.graph.columns import text
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import Edge, Question
from mentorgraph.graph.columns.table import NONE, Numbers, Reals
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import link_uid
from mentorgraph.graph.rules.policy import SignalSettings
from mentorgraph.graph.signals.signal import Evidence, Signal
from mentorgraph.graph.vocabulary import PACES

LINK = KINDS["profiles"].links[0]


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles that hold for one question.

    Attributes:
        columns: Where they come from.
        asked: The question.
        pool: Who is ranked.
        rows: Row of everybody's profile, `NONE` for who has told nothing: `int64[people]`.
        uids: Uid of each row.
    """

    columns: Columns
    asked: Question
    pool: Pool
    rows: Numbers
    uids: Sequence[str]

    @classmethod
    def of(cls, columns: Columns, asked: Question) -> "Profiles":
        """Those that held just before the instant of a question."""
        table = columns.tables["profiles"]
        key = (table.state(asked.seconds), len(columns.people))
        rows = columns.remember("profiles", key, lambda: _latest(columns, asked.seconds))
        return cls(columns, asked, asked.pool(columns), rows, table.rows.uids)

    def scale(self, field: str, words: tuple[str, ...]) -> Reals:
        """A field that names a place on a scale, as a number from 0 to 1: `float64[people]`, NaN where not told."""
        places = {word: place / (len(words) - 1) for place, word in enumerate(words)}
        told = self.columns.tables["profiles"].strings(field)
        return self._of_people(field, lambda: np.array([places.get(each, np.nan) for each in told], np.float64))

    def numbers(self, field: str) -> Reals:
        """A field that is a number: `float64[people]`, NaN where it is not told."""
        return self._of_people(field, lambda: self.columns.tables["profiles"].reals(field))

    def words(self, field: str) -> sparse.csr_array:
        """What words people have told in a field, upper and lower case alike: `float64[people, words]` of 0 and 1."""
        table = self.columns.tables["profiles"]
        key = (table.state(self.asked.seconds), len(self.columns.people))
        return self.columns.remember(f"words of {field}", key, lambda: _words(table.strings(field), self.rows))

    def signal(self, name: str, unit: str, values: Reals) -> Signal:
        """A signal whose value, `float64[pool]`, is made of the mentor's profile and that of whoever asks."""
        rows, uids, people, pool = self.rows, self.uids, self.columns.people.uids, self.pool
        mentee = int(rows[self.asked.mentee])

        def explain(mentor: int) -> list[Evidence]:
            value = float(values[pool.place(mentor)])
            if np.isnan(value) or not value:
                return []
            profile = uids[int(rows[mentor])]
            edge = Edge(LINK.type, link_uid(profile, LINK, people[mentor]))
            return [Evidence(f"profile_{name}", (edge,), value, start=uids[mentee], strength=value)]

        return Signal(name, unit, values, explain)

    def compared(self, told: Reals) -> tuple[Reals, float]:
        """What all who are ranked have told, `float64[pool]`, and what whoever asks has."""
        return self.pool.take(told), float(told[self.asked.mentee])

    def _of_people(self, field: str, told: Callable[[], Reals]) -> Reals:
        key = (self.columns.tables["profiles"].state(self.asked.seconds), len(self.columns.people))
        return self.columns.remember(f"{field} of people", key, lambda: np.append(told(), np.nan)[self.rows])


def _latest(columns: Columns, now: float) -> Numbers:
    table = columns.tables["profiles"]
    rows, uids = np.full(len(columns.people), NONE, np.int64), table.rows.uids
    since, person = table.reals("since"), table.numbers("person")
    for row in sorted(np.flatnonzero(table.valid(now)), key=lambda row: (since[row], uids[row])):
        rows[person[row]] = row
    return rows


def _words(told: Sequence[object], rows: Numbers) -> sparse.csr_array:
    """Words of some rows, which hold a text, a list of texts or nothing; a row may be `NONE`."""
    lists = [[each] if isinstance(each, str) else each if isinstance(each, list | tuple) else [] for each in told]
    folded = [sorted({" ".join(str(word).split()).casefold() for word in each}) for each in lists]
    numbers = {word: number for number, word in enumerate(sorted({word for each in folded for word in each}))}
    flat = np.array([numbers[word] for each in folded for word in each], np.int64)
    ends = np.cumsum([0, *map(len, folded)])
    of_rows = sparse.csr_array((np.ones(len(flat)), flat, ends), shape=(len(folded), max(1, len(numbers))))
    empty = sparse.csr_array((1, of_rows.shape[1]))
    return sparse.csr_array(sparse.vstack([of_rows, empty], format="csr")[rows])


def pace(profiles: Profiles) -> Signal:
    """How near the paces at which both like to go are: 1 for the same, ½ for neighbours, 0 for gentle and intensive."""
    told, own = profiles.compared(profiles.scale("pace", PACES))
    return profiles.signal("pace", "same pace", 1 - np.abs(told - own))


def communication(profiles: Profiles) -> Signal:
    """How alike both like to talk: 1 for the same way, ½ where one likes both, 0 for live and asynchronous."""
    told, own = profiles.compared(profiles.scale("communication", ("live", "mixed", "asynchronous")))
    return profiles.signal("communication", "same way to talk", 1 - np.abs(told - own))


def coaching_style(profiles: Profiles) -> Signal:
    """Whether the mentor coaches in the style that the mentee names, in the same words: 1, else 0."""
    return profiles.signal("coaching_style", "same style of coaching", _share(profiles, "coaching_style"))


def format_of_meeting(profiles: Profiles) -> Signal:
    """Share of the formats that the mentee likes which the mentor likes too, 0 to 1."""
    return profiles.signal("format", "share of the formats that are liked", _share(profiles, "formats"))


def seniority(profiles: Profiles, settings: SignalSettings) -> Signal:
    """How well the distance in years of experience suits mentoring, 0 to 1.

    1 from `seniority_least_years` to `seniority_most_years` more than the mentee has; below it falls to 0 at no
    distance, above to 0 at twice the most.
    """
    years, own = profiles.compared(profiles.numbers("experience_years"))
    ahead = years - own
    rising = ahead / settings.seniority_least_years
    falling = 2 - ahead / settings.seniority_most_years
    values = np.clip(np.minimum(rising, falling), 0, 1)
    return profiles.signal("seniority", "as far ahead in years as helps", values)


def _share(profiles: Profiles, field: str) -> Reals:
    """Share of what the mentee tells in a field that others tell too; NaN where either tells nothing."""
    told, pool = profiles.words(field), profiles.pool
    own = text.row_of(told, profiles.asked.mentee)
    wished = own.sum()
    if not wished:
        return np.full(len(pool), np.nan)
    found: Reals = np.where(np.diff(told.indptr) > 0, (told @ own) / wished, np.nan)
    return pool.take(found)
