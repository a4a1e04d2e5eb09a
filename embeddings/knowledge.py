"""All that a ranking knows at one instant, gathered once for the many questions that are asked then."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from scipy import sparse

from mentorgraph.embeddings.precedents import WORDED, Precedents, Texts
from mentorgraph.embeddings.sentence_encoder import DIMENSIONS, SentenceEncoder
from mentorgraph.embeddings.tasks import Setting
from mentorgraph.embeddings.texts import Floats, GoalTexts, Projection, word_parts, written
from mentorgraph.graph.columns import text
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import DAY_S
from mentorgraph.graph.columns.table import NONE, Mask, Numbers
from mentorgraph.graph.columns.text import TermCounts
from mentorgraph.graph.rules.policy import Policy

MENTOR_FEATURES = (
    "pairings",
    "pairings_decay_8",
    "pairings_decay_5",
    "last_year",
    "years_since_last",
    "years_since_first",
    "active_years",
    "units",
    "mean_team",
    "was_mentee",
    "mean_outcome",
    "outcomes_known",
)

MEANINGS = ("meaning", "title meaning")
"""What a sentence encoder reads of a goal: title with description, and the title alone."""


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is known as of an instant under a setting.

    Attributes:
        columns: Where it comes from.
        now: The instant.
        setting: What may be used.
        policy: Settings of the signals.
        precedents: Past mentoring.
        texts: Vectors of all goals' texts.
        vectors: Those of the precedents' texts, by name; a precedent without a goal has an empty row.
        by_term: The same by their columns, without `counts`.
        dense: `float32[precedents, dimensions]`.
        encoder: The sentence encoder; None where texts are words alone.
        meanings: What it makes of the precedents, by the names of `MEANINGS`: `float32[precedents, DIMENSIONS]` each;
            nothing without it.
        needs, wants, wishes: Skills of the precedents weighted by IDF, in rows of length 1; wishes are both together.
        idf: Weight of each skill in those: `float32[3, skills]`.
        co_mentors: `float32[people, people]`.
        mentors: Features of everybody as a mentor: `float32[people, MENTOR_FEATURES]`.
        category: Number of each unit's category: `int64[units]`.
        unit_names: TF-IDF of parts of the units' names: `float32[units, parts]`.
    """

    columns: Columns
    now: datetime
    setting: Setting
    policy: Policy
    precedents: Precedents
    texts: Texts
    vectors: dict[str, sparse.csr_array]
    by_term: dict[str, sparse.csc_array]
    dense: Floats
    encoder: SentenceEncoder | None
    meanings: Mapping[str, Floats]
    needs: sparse.csr_array
    wants: sparse.csr_array
    wishes: sparse.csr_array
    idf: Floats
    co_mentors: sparse.csr_array
    mentors: Floats
    category: Numbers
    unit_names: sparse.csr_array

    @classmethod
    def of(
        cls,
        columns: Columns,
        now: datetime,
        setting: Setting,
        policy: Policy,
        projection: Projection,
        encoder: SentenceEncoder | None = None,
    ) -> "Knowledge":
        """Gathers it; the last one of a setting is kept for as long as nothing changes."""
        seconds = now.timestamp()
        tables = ("goals", "pairings", "sessions", "goal_skills", "wants", "units", "broader", "successions")
        key = (
            columns,  # those that it tells of, not others that they were copied from
            int(seconds // DAY_S),
            *(columns.tables[name].state(seconds) for name in tables),
            len(columns.people),
            # All of a policy that is asked here; programmes differ in their rules, and share this.
            (policy.signals, policy.rules.max_mentees, policy.base, *policy.weights.items()),
            projection,
            encoder,
            encoder.rounds if encoder else 0,
        )
        return columns.remember(
            f"knowledge {setting.name}",
            key,
            lambda: cls.gather(columns, now, setting, policy, projection, encoder),
        )

    @classmethod
    def gather(
        cls,
        columns: Columns,
        now: datetime,
        setting: Setting,
        policy: Policy,
        projection: Projection,
        encoder: SentenceEncoder | None,
    ) -> "Knowledge":
        """Gathers it for once; `of` keeps what it gathers."""
        precedents = Precedents.of(columns, now, setting)
        known = columns.tables["goals"].begun(now.timestamp())
        vectors = Texts.of(GoalTexts.of(columns, setting.unit_names), known, projection)
        of_goals = {name: _rows(getattr(vectors, name), precedents.goal) for name in ("counts", *WORDED)}
        dense = vectors.dense[precedents.goal] if len(vectors.dense) else np.zeros((len(precedents), 1), np.float32)
        dense = np.where((precedents.goal != NONE)[:, None], dense, np.float32(0))
        both = sparse.csr_array(precedents.asks_needs + precedents.asks_wants)
        both.data[:] = 1
        idf, asks = [], []
        for matrix in (precedents.asks_needs, precedents.asks_wants, both):
            weight = text.smooth_idf(
                np.bincount(matrix.indices, minlength=matrix.shape[1]), int((np.diff(matrix.indptr) > 0).sum())
            ).astype(np.float32)
            idf.append(weight)
            asks.append(text.unit_rows(text.weighted(matrix, weight)))
        categories, units = _units(columns)
        return cls(
            columns,
            now,
            setting,
            policy,
            precedents,
            vectors,
            of_goals,
            {name: sparse.csc_array(of_goals[name]) for name in WORDED},
            dense,
            encoder,
            meanings(encoder.soon, columns, setting, precedents.goal) if encoder else {},
            asks[0],
            asks[1],
            asks[2],
            np.stack(idf),
            precedents.co_mentors(len(columns.people)),
            _mentors(columns, precedents),
            categories,
            units,
        )

    @property
    def has_mentored(self) -> Mask:
        """Who had mentored: `bool[people]`."""
        mask: Mask = self.mentors[:, 0] > 0
        return mask


def meanings(
    read: Callable[[Sequence[str]], Floats], columns: Columns, setting: Setting, goals: Numbers
) -> dict[str, Floats]:
    """What a reader of texts makes of some goals, by the names of `MEANINGS`; zeros for `NONE`."""
    some = goals != NONE
    found = {}
    for name, texts in zip(MEANINGS, read_as(columns, setting, goals[some]), strict=True):
        found[name] = np.zeros((len(goals), DIMENSIONS), np.float32)
        found[name][some] = read(texts)
    return found


def read_as(columns: Columns, setting: Setting, goals: Numbers) -> tuple[list[str], list[str]]:
    """Texts of some goals as an encoder reads them, see `MEANINGS`."""
    titles, bodies = written(columns, setting.unit_names, goals)
    return [f"{title}. {body}" if body else title for title, body in zip(titles, bodies, strict=True)], titles


def _rows(matrix: sparse.csr_array, rows: Numbers) -> sparse.csr_array:
    """Some rows; an empty one for `NONE`."""
    found = sparse.csr_array(matrix[np.maximum(rows, 0)]) if matrix.shape[0] else sparse.csr_array((len(rows), 1))
    if (rows == NONE).any():
        found.data *= np.repeat(rows != NONE, np.diff(found.indptr))
        found.eliminate_zeros()
    return found


def _units(columns: Columns) -> tuple[Numbers, sparse.csr_array]:
    table = columns.tables["units"]
    labels = [category or "" for category in table.strings("category")]
    numbers = {label: number for number, label in enumerate(sorted(set(labels)))}
    counts = TermCounts(word_parts)
    counts.update([str(name or "") for name in table.strings("name")])
    names = text.vectors(counts.counts(), np.ones(len(counts), bool), np.float32)
    return np.array([numbers[label] for label in labels], np.int64), names


def _mentors(columns: Columns, precedents: Precedents) -> Floats:
    """What everybody has done as a mentor, see `MENTOR_FEATURES`."""
    people = len(columns.people)
    mentor, years, group = precedents.pairing_mentor, precedents.pairing_years, precedents.pairing_precedent

    def total(weights: Floats) -> Floats:
        return np.bincount(mentor, weights, minlength=people).astype(np.float32)

    number = total(np.ones_like(years))
    some = np.maximum(number, 1)
    last, first = np.full(people, 20, np.float32), np.zeros(people, np.float32)
    np.minimum.at(last, mentor, years)
    np.maximum.at(first, mentor, years)
    active = np.unique(np.stack([mentor, np.floor(years).astype(np.int64)]), axis=1)[0]
    units = np.unique(np.stack([mentor, precedents.unit[group]]), axis=1)[0]
    was_mentee = np.bincount(precedents.mentee, minlength=people)[:people] > 0
    known = precedents.outcome_known[group]
    return np.stack(
        [
            np.log1p(number),
            np.log1p(total(np.float32(0.8) ** years)),
            np.log1p(total(np.float32(0.5) ** years)),
            np.log1p(total((years < 1).astype(np.float32))),
            np.log1p(last),
            np.log1p(first),
            np.log1p(np.bincount(active, minlength=people)),
            np.log1p(np.bincount(units, minlength=people)),
            np.log1p(total(precedents.team[group]) / some),
            was_mentee,
            (total(known * precedents.outcome[group]) + 1) / (total(known) + 2),
            np.log1p(total(known)),
        ],
        axis=1,
    ).astype(np.float32)
