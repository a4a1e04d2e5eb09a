"""All signals for one question."""

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import PastPairings, Question
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.signals.experience import acceptance, load, sessions, shared_history, unit
from mentorgraph.graph.signals.goals import goal_text, priority, similar_goals
from mentorgraph.graph.signals.profiles import (
    Profiles,
    coaching_style,
    communication,
    format_of_meeting,
    pace,
    seniority,
)
from mentorgraph.graph.signals.signal import Signal
from mentorgraph.graph.signals.skills import skills
from mentorgraph.graph.signals.time import asynchronous, availability_pattern, shared_hours, time_overlap


def all_signals(columns: Columns, asked: Question, policy: Policy) -> tuple[Signal, ...]:
    """Every signal for one question, in the order of `policy.SIGNALS`."""
    past = PastPairings.of(columns, asked)
    settings, profiles, shared = policy.signals, Profiles.of(columns, asked), shared_hours(columns, asked)
    return (
        skills(columns, asked, settings),
        goal_text(columns, asked, past),
        similar_goals(columns, asked, settings, past),
        unit(columns, asked, settings, past),
        time_overlap(columns, asked, settings, shared),
        sessions(columns, asked, settings, past),
        load(columns, asked, policy.rules.max_mentees),
        asynchronous(asked, profiles, shared),
        availability_pattern(columns, asked, settings),
        pace(profiles),
        communication(profiles),
        coaching_style(profiles),
        format_of_meeting(profiles),
        seniority(profiles, settings),
        shared_history(columns, asked, settings, past),
        acceptance(columns, asked, settings),
        priority(columns, asked, settings, past),
    )
