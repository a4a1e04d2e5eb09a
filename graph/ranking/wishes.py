"""A mentee's wish for a mentor of some identity: for one list, and only where mentors agreed to be found by it.

It is added to finished scores and is part of the answer alone. No signal, no column and no model knows identities, so
whoever does not ask gets the list that they would get if nobody had told one. Of whom the wish is not known to hold
nothing is said: not that it does not hold, and not that it was asked.
"""

from datetime import datetime

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.options import Wish
from mentorgraph.graph.ranking.scoring import Scores, Term, contributions_of
from mentorgraph.graph.store.store import Store

SHARED_IDENTITY = "shared_identity"
"""The term that a wish adds."""

WEIGHT = 1.0
"""What it counts: as much as half of the wished skills do under the policy that comes with the program."""

YOUR_REQUEST = "your request"
"""Where the term comes from."""


async def with_wish(store: Store, columns: Columns, scores: Scores, wish: Wish, now: datetime) -> Scores:
    """The scores with what a wish adds to those of mentors who agreed to be found by it; one round trip.

    Args:
        store: The graph.
        columns: Who is numbered how.
        scores: The scores without it.
        wish: What is asked for.
        now: The instant as of which agreements count.

    Raises:
        DomainError: `CONSENT_REQUIRED`, no mentor has agreed to be found by it.
        DatabaseUnavailable: The graph cannot be asked.
    """
    value = wish.value.strip()
    people = [columns.people.find(uid) for uid in await store.read_declared(wish.attribute, value, now)]
    if not people:
        raise DomainError(
            f"no mentor has agreed to be found by the {wish.attribute} that you ask for; ask without the wish",
            code="CONSENT_REQUIRED",
            field="wish",
        )
    values = np.full(len(scores.total), np.nan)
    pool = scores.pool or Pool.everybody(columns)
    places = pool.places_of(np.array([each for each in people if each != NONE], np.int64))
    values[places[places < len(values)]] = 1.0
    told = Term(
        SHARED_IDENTITY,
        "as you asked, and as they agreed to be found",
        WEIGHT,
        values,
        contributions_of(values, WEIGHT),
        lambda _mentor: [],
        YOUR_REQUEST,
    )
    return Scores.of(scores.base, (*scores.terms, told), scores.pool)
