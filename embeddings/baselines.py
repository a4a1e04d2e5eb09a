"""Rankings that need no training: what a learned model has to beat.

All read only what had begun by the day asked about, and rank the same candidates.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.precedents import goal_needs, wants_when
from mentorgraph.graph.columns.question import YEAR_DAYS, Question, told_at
from mentorgraph.graph.columns.table import NONE, Numbers
from mentorgraph.graph.columns.text import smooth_idf, unit_rows, weighted
from mentorgraph.graph.signals.skills import skills

Scores = npt.NDArray[np.float64]

PAIRINGS_PER_NEIGHBOUR = 65
FEWEST_NEIGHBOURS = 20


@dataclass(frozen=True)
class PastPairings:
    """The pairings known so far, one row each.

    Attributes:
        mentors: Position of the mentor among the candidates.
        wants: Skills that the mentee wants; pairings × skills.
        ages_days: Days since the pairing began.
        candidates: How many mentors can be ranked.
    """

    mentors: npt.NDArray[np.int64]
    wants: sparse.csr_array
    ages_days: npt.NDArray[np.float64]
    candidates: int


def popularity(past: PastPairings, half_life_days: float = 180) -> Scores:
    """How often each mentor was paired, a pairing counting half as much after each `half_life_days`; one per mentor.

    Source: exponential decay as in Ding and Li 2005, "Time weight collaborative filtering".
    """
    weights = 0.5 ** (past.ages_days / half_life_days)
    counts: Scores = np.bincount(past.mentors, weights, past.candidates).astype(np.float64)
    return counts


def metapath_neighbours(asked: sparse.csr_array, past: PastPairings, neighbours: int | None = None) -> Scores:
    """Sums similarity along mentee – wants – skill – wants – past mentee – paired – mentor; queries × mentors.

    score(q, m) = Σ cos(q, p) over those of q's `neighbours` most alike past pairings p that have mentor m, where wanted
    skills are weighted by inverse document frequency, ln((1 + n) / (1 + df)) + 1 (Spärck Jones 1972, in scikit-learn's
    smooth form). Source of the metapath: Sun et al. 2011, "PathSim"; of the sum: user-based nearest neighbours,
    Sarwar et al. 2001.

    Args:
        asked: Skills that each asking mentee wants; queries × skills.
        past: The pairings known so far.
        neighbours: How many past pairings vote; equals at the limit vote too. By default one in 65, 20 at least, which
            came out best in generated worlds of 2,000 to 100,000 people.
    """
    rows = past.wants.shape[0]
    neighbours = neighbours or _voters(past, PAIRINGS_PER_NEIGHBOUR)
    idf = smooth_idf(np.bincount(past.wants.indices, minlength=past.wants.shape[1]), rows)
    pairing_mentor = sparse.csr_array((np.ones(rows), (np.arange(rows), past.mentors)), shape=(rows, past.candidates))
    scores = np.zeros((asked.shape[0], past.candidates))
    past_unit = unit_rows(weighted(past.wants, idf)).T.tocsr()
    asked_unit = unit_rows(weighted(asked, idf))
    for start in range(0, asked.shape[0], 256):
        alike = (asked_unit[start : start + 256] @ past_unit).tocsr()
        for row in range(alike.shape[0]):
            values = alike.data[alike.indptr[row] : alike.indptr[row + 1]]
            if len(values) > neighbours:
                limit = np.partition(values, -neighbours)[-neighbours]
                values[values < limit] = 0
        scores[start : start + 256] = (alike @ pairing_mentor).toarray()
    return scores


def _voters(past: PastPairings, per_neighbour: float) -> int:
    """How many past pairings vote where one in so many does."""
    return max(FEWEST_NEIGHBOURS, int(past.wants.shape[0] // per_neighbour))


def by_popularity(known: Knowledge, asked: Sequence[Question], candidates: Numbers, days: float) -> Scores:
    """Pairings counted with a half-life of some days: `float64[asked, candidates]`, as all that follow."""
    return np.tile(popularity(past_pairings(known, candidates), days), (len(asked), 1))


def by_skills(known: Knowledge, asked: Sequence[Question], candidates: Numbers, _: float) -> Scores:
    """The skills signal, and for what nobody offers the likeness to the needs of the goals that they have mentored."""
    precedents = known.precedents
    wishes = _wishes(known, asked)
    helped = sparse.csr_array(_links(known, candidates).T @ precedents.asks_needs.astype(np.float64))
    past = unit_rows(weighted(wishes, known.idf[2])) @ unit_rows(weighted(helped, known.idf[2])).T
    offered = [skills(known.columns, each, known.policy.signals).values[candidates] for each in asked]
    return np.asarray(past.toarray() + np.reshape(offered, (len(asked), len(candidates))))


def by_text_profile(known: Knowledge, asked: Sequence[Question], candidates: Numbers, _: float) -> Scores:
    """Cosine of the goal's words with all words of the goals that each candidate has mentored."""
    profiles = unit_rows(sparse.csr_array(_links(known, candidates).T @ known.vectors["full"]))
    return np.asarray((_texts(known, asked) @ profiles.T).toarray(), np.float64)


def by_text_neighbours(known: Knowledge, asked: Sequence[Question], candidates: Numbers, neighbours: float) -> Scores:
    """Sum of the cosines of the words over so many most alike precedents of the goal."""
    return _votes(known, asked, candidates, int(neighbours))


def by_unit_and_text(known: Knowledge, asked: Sequence[Question], candidates: Numbers, _: float) -> Scores:
    """Those who have mentored in the unit first, each group by the cosine with their most alike precedent."""
    scores = np.zeros((len(asked), len(candidates)))
    place, group = _places(known, candidates), known.precedents.pairing_precedent
    alike = (_texts(known, asked) @ known.vectors["full"].T).toarray()
    for row, each in enumerate(asked):
        np.maximum.at(scores[row], place, alike[row, group])
        scores[row, place[np.isin(known.precedents.unit, sorted(each.units))[group]]] += 1
    return scores


def by_metapath(known: Knowledge, asked: Sequence[Question], candidates: Numbers, per_neighbour: float) -> Scores:
    """`metapath_neighbours` over what mentees want, or over what goals need where nobody says what they want.

    One in `per_neighbour` past pairings votes.
    """
    past = past_pairings(known, candidates)
    return metapath_neighbours(_asked_skills(known, asked), past, _voters(past, per_neighbour))


@dataclass(frozen=True)
class Baseline:
    """A ranking that needs no training, with at most one number that is tuned.

    Attributes:
        rank: Ranks for some questions, given what is known, the candidates and the number.
        values: What the number is chosen from; first what it is where it is not tuned.
    """

    rank: Callable[[Knowledge, Sequence[Question], Numbers, float], Scores]
    values: tuple[float, ...] = (0.0,)


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "popularity": Baseline(by_popularity, (180, 60, 365, 730)),
        "skills overlap": Baseline(by_skills),
        "text profile": Baseline(by_text_profile),
        "text neighbours": Baseline(by_text_neighbours, (20, 10, 50, 100)),
        "unit and text": Baseline(by_unit_and_text),
        "metapath neighbours": Baseline(by_metapath, (PAIRINGS_PER_NEIGHBOUR, 30, 130, 260, 520)),
    }
)
"""Name → ranking; `linear`, the fusion of all signals without a network, belongs to a model."""

UNTUNED: Mapping[str, float] = MappingProxyType({name: each.values[0] for name, each in BASELINES.items()})
"""Name → what its number is where nothing tells better."""


def past_pairings(known: Knowledge, candidates: Numbers) -> PastPairings:
    """The pairings known, with what their mentees wanted, or with what their goals needed where nobody wants."""
    precedents = known.precedents
    skills_asked = precedents.asks_wants if precedents.asks_wants.nnz else precedents.asks_needs
    return PastPairings(
        _places(known, candidates),
        sparse.csr_array(skills_asked[precedents.pairing_precedent]).astype(np.float64),
        precedents.pairing_years.astype(np.float64) * YEAR_DAYS,
        len(candidates),
    )


def _asked_skills(known: Knowledge, asked: Sequence[Question]) -> sparse.csr_array:
    seconds = known.now.timestamp()
    told = [np.nextafter(told_at(known.columns, each.goal, known.now).timestamp(), -np.inf) for each in asked]
    if known.precedents.asks_wants.nnz:
        mentees = np.array([each.mentee for each in asked], np.int64)
        return wants_when(known.columns, mentees, np.array(told), seconds)
    if not known.setting.unit:
        return sparse.csr_array((len(asked), len(known.columns.skills)))
    goals = [
        goal_needs(known.columns, np.array([each.goal]), now + 1e-3, seconds)
        for each, now in zip(asked, told, strict=True)
    ]
    return sparse.csr_array(sparse.vstack(goals))


def _wishes(known: Knowledge, asked: Sequence[Question]) -> sparse.csr_array:
    rows = np.repeat(np.arange(len(asked)), [len(each.wishes) for each in asked])
    wished = np.array([wish.skill for each in asked for wish in each.wishes], np.int64)
    return sparse.csr_array((np.ones(len(rows)), (rows, wished)), shape=(len(asked), len(known.columns.skills)))


def _texts(known: Knowledge, asked: Sequence[Question]) -> sparse.csr_array:
    """The words of the asking goals: `float32[asked, words]`."""
    goals = np.array([each.goal for each in asked], np.int64)
    rows = sparse.csr_array(known.texts.full[np.maximum(goals, 0)])
    return sparse.csr_array(sparse.diags_array((goals != NONE).astype(np.float32)) @ rows)


def _places(known: Knowledge, candidates: Numbers) -> Numbers:
    """Place of the mentor of each past pairing among the candidates, who are everybody who has mentored."""
    return np.searchsorted(candidates, known.precedents.pairing_mentor)


def _links(known: Knowledge, candidates: Numbers) -> sparse.csr_array:
    """Who mentored in which precedent: `float64[precedents, candidates]`."""
    group = known.precedents.pairing_precedent
    shape = (len(known.precedents), len(candidates))
    return sparse.csr_array((np.ones(len(group)), (group, _places(known, candidates))), shape=shape)


def _votes(known: Knowledge, asked: Sequence[Question], candidates: Numbers, neighbours: int) -> Scores:
    links, texts = _links(known, candidates), _texts(known, asked)
    scores = np.zeros((len(asked), len(candidates)))
    for row in range(len(asked)):
        alike = np.asarray((known.vectors["full"] @ texts[[row]].T).toarray()[:, 0], np.float64)
        nearest = np.argsort(-alike, kind="stable")[:neighbours]
        scores[row] = alike[nearest] @ links[nearest]
    return scores
