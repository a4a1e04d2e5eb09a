"""Milestones of a generated world: what pairs of long programmes wanted to have reached by when, and what they have."""

from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.history import History, Life, words

APART_DAYS = 45
"""A milestone is due so many days after the one before, give or take `EITHER_WAY_DAYS`."""
EITHER_WAY_DAYS = 10


def tell_milestones(history: History) -> None:
    """Writes one to three milestones for most pairings of long programmes, once it is known how these ended."""
    draws = history.draws("milestones")
    for life in history.lives:
        if life.active and life.programme and life.programme.format == "long_term" and draws.chance(0.8):
            for number in range(draws.between(1, 3)):
                _tell(draws, history, life, number)


def _tell(draws: Draws, history: History, life: Life, number: int) -> None:
    due = life.active + (number + 1) * APART_DAYS + draws.between(-EITHER_WAY_DAYS, EITHER_WAY_DAYS)
    done = due + draws.between(-EITHER_WAY_DAYS, EITHER_WAY_DAYS)
    title, expected, evidence = (draws.pick(words()["milestones"][name]) for name in ("title", "expected", "evidence"))
    is_dropped = draws.chance(0.1)
    over = min(life.ends or history.last + 1, history.last + 1)
    # Who stops meeting reaches nothing any more, and who completes has closed whatever is still on the way.
    if life.ends and life.moves[-1].state == "completed":
        done = min(done, life.ends - 1)
        is_dropped = is_dropped or done < life.active
    elif life.stalled and done >= life.stalled:
        done = over
    state = "planned" if done >= over else "dropped" if is_dropped else "reached"
    closed = "" if state == "planned" else iso(max(done, life.active))
    history.tables.add(
        "milestones",
        f"{life.id}-{number + 1}",
        life.id,
        title,
        expected if draws.chance(0.6) else "",
        iso(due),
        iso(life.active),
        closed,
        state,
        evidence if state == "reached" and draws.chance(0.7) else "",
    )
