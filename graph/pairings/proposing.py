"""Proposing several pairs at once, such as those of a plan that a coordinator has looked through: all of them or none.

Each becomes a proposal like any other one: the mentee of it is asked first, then the mentor, and the rules are asked
whenever somebody answers.
"""

from collections import Counter
from collections.abc import Sequence

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.pairings.pairing import requested
from mentorgraph.graph.people.recording import key_of
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

MOST_PAIRS = 100
"""Pairs that are proposed at once at most."""


async def propose_pairs(
    store: Store,
    viewer: Viewer,
    programme: str,
    pairs: Sequence[tuple[str, str]],
    policy: Policy,
    *,
    note: str = "",
    answer_within_days: int | None = None,
    clock: Clock = present,
) -> list[str]:
    """Proposes pairs of a programme, in one transaction.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        programme: uid of the programme.
        pairs: uids of mentee and mentor; of peers, either way round.
        policy: The policy of the whole organisation.
        note: A word to both.
        answer_within_days: After so many days each of them expires.
        clock: The present instant.

    Returns:
        uids of the requests, in the order of the pairs.

    Raises:
        DomainError: As `request_mentor`, with the place of the pair in its field; `BAD_USER_INPUT`, there are no pairs,
            too many, or one of them twice.
        InvalidFact: A value cannot be taken.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators propose mentors", code="FORBIDDEN", field="pairs")
    if not 1 <= len(pairs) <= MOST_PAIRS:
        raise DomainError(
            f"pairs has {len(pairs)} entries; give 1 to {MOST_PAIRS}", code="BAD_USER_INPUT", field="pairs"
        )
    known_pairs: set[frozenset[str]] = set()
    for place, pair in enumerate(pairs):
        if frozenset(pair) in known_pairs:
            raise DomainError("this pair is named twice; leave one out", code="BAD_USER_INPUT", field=f"pairs.{place}")
        known_pairs.add(frozenset(pair))

    async def decide(known: Store) -> tuple[list[Record], list[str]]:
        now = clock()
        written: list[Record] = []
        uids: list[str] = []
        asked: Counter[str] = Counter()
        for place, (mentee, mentor) in enumerate(pairs):
            asked[mentor] += 1
            row = {
                "mentee_id": mentee,
                "mentor_id": mentor,
                "programme_id": programme,
                "answer_within_days": answer_within_days,
            }
            try:
                records, uid = await requested(
                    known,
                    viewer,
                    row,
                    policy,
                    now,
                    is_proposal=True,
                    note=note,
                    key=key_of("", now),
                    places=float(asked[mentor]),
                )
            except DomainError as error:
                field = (
                    error.field if error.field == "programmeId" else f"pairs.{place}.{error.field or ''}".rstrip(".")
                )
                raise DomainError(error.message, code=error.code, field=field) from error
            written += records
            uids.append(uid)
        return written, uids

    return await store.decide_and_write(decide)
