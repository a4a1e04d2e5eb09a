"""The closed sets of words that facts are told in."""

ENGLISH, GERMAN = "en", "de"
LANGUAGES = {ENGLISH: "English.", GERMAN: "German."}
"""The languages that reasons and rules are told in, and what they are."""
ROLES = ("mentor", "mentee", "coordinator", "facilitator", "sponsor", "data_scientist", "auditor")
PURPOSES = ("matching", "training", "audit_attributes", "stories", "recording")
IDENTITIES = ("gender", "ethnicity", "faith", "disability", "orientation", "background")
"""Kinds of identity that somebody may agree to be found by; nothing that ranks by itself reads them."""
OPEN_REQUEST_STATES = ("proposed", "requested", "more_information")
REQUEST_STATES = (*OPEN_REQUEST_STATES, "accepted", "declined", "withdrawn", "expired", "released")
"""States of what may become a pairing; one that was accepted has become it."""
OPEN_STATES = ("accepted", "active", "paused", "stalled")
"""States of a pairing that takes up one of the mentor's places."""
PAIRING_STATES = (*OPEN_STATES, "completed", "ended")
REASONS = (
    "no_capacity",
    "not_my_field",
    "no_shared_time",
    "conflict_of_interest",
    "no_response",
    "goal_reached",
    "goal_changed",
    "does_not_work_out",
    "left",
    "other",
)
"""Why a request was declined or a pairing ended; only coordinators see it."""
OVERRIDES = ("accept", "swap", "pin", "forbid", "end")
"""What a coordinator may decide about a recommendation, beside the model's own answer."""
OVERRIDE_REASONS = (
    "asked_for",
    "better_fit",
    "experience",
    "balance",
    "conflict_of_interest",
    "wrong_facts",
    "does_not_work_out",
    "other",
)
"""Why a coordinator decides so; whoever sees everybody reads it, and nobody else."""
MILESTONE_STATES = ("planned", "reached", "dropped")
"""Where a milestone of a pairing stands; the last two close it."""
SESSION_KINDS = ("live", "asynchronous", "recorded", "written")
SKILL_STATES = ("proposed", "approved", "deprecated")
"""What may be said of a skill; one of which nothing is said is approved."""
SUCCESSIONS = ("merged", "split")
"""How one skill gives way to others: to one that it counts for from then on, or to several that are part of it."""
RATERS = ("self", "mentor", "project", "certificate")
"""Where a rating of somebody's skill may come from."""
SKILL_RELATIONS = ("essential", "optional")
"""How much a skill asks for another one."""
PROGRAMME_FORMATS = ("micro", "peer", "cohort", "long_term", "reverse", "sponsor")
PROGRAMME_ROLES = ("mentor", "mentee")
"""Roles that tiers of a programme are for."""
NECESSITIES = ("mandatory", "optional")
"""Whether a step of onboarding has to be taken before anybody is recommended."""
PACES = ("gentle", "steady", "intensive")
"""How fast somebody likes to go."""
CHANNELS = ("live", "asynchronous", "mixed")
"""How somebody likes to talk."""
ABSENCE_CAUSES = ("told", "silent")
"""Why somebody counts as away: they or a coordinator said so, or nothing was heard of them."""
STALL_CAUSES = (
    "not_signed",
    "mentor_away",
    "mentee_away",
    "no_shared_time",
    "hours_spent",
    "never_met",
    "poor_feedback",
    "stopped_meeting",
)
"""Why a pairing does not move, the one that explains most first.

That two have never met explains less than that one is away, that they share no time or that the hours are spent: then
it would not help to propose a first time to them.
"""
