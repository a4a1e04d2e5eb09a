"""All signals for one question."""

from mentorgraph.graph.columns import Columns
from mentorgraph.graph.policy import Policy
from mentorgraph.graph.question import PastPairings, Question
from mentorgraph.graph.signals.experience import load, sessions, unit
from mentorgraph.graph.signals.goals import goal_text, similar_goals
from mentorgraph.graph.signals.signal import Signal
from mentorgraph.graph.signals.skills import skills
from mentorgraph.graph.signals.time import time_overlap


def all_signals(columns: Columns, asked: Question, policy: Policy) -> tuple[Signal, ...]:
    """Every signal for one question, in the order of `policy.SIGNALS`."""
    past = PastPairings.of(columns, asked)
    settings = policy.signals
    return (
        skills(columns, asked, settings),
        goal_text(columns, asked, past),
        similar_goals(columns, asked, settings, past),
        unit(columns, asked, settings, past),
        time_overlap(columns, asked, settings),
        sessions(columns, asked, settings, past),
        load(columns, asked, policy.rules.max_mentees),
    )
