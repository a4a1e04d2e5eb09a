"""The hidden truth that version 2 of generated worlds adds to version 1: what stalls, what surveys answer, the pattern.

Frozen like `truth`: a test holds the hash of this file, and a changed truth is another version.
"""

VERSION = 2

# Why a pairing stalls, as weights among the causes that its people make possible.
STALL_WEIGHTS = {
    "not_signed": 2,
    "never_met": 3,
    "mentor_away": 3,
    "mentee_away": 3,
    "no_shared_time": 6,
    "hours_spent": 3,
    "poor_feedback": 9,
    "stopped_meeting": 4,
}
FEW_SESSIONS = 3
"""Two who held at most so many sessions before they stalled may as well have held none."""
STALL_DAYS = 21
"""Days without a session after which a pairing of a programme has stalled."""
STALL_DAYS_ALONE = 45
"""The same for one that belongs to no programme."""

# Surveys, in thousandths.
CLOSING_DAYS = 12
"""The last survey is answered within so many days after the end."""
ANSWERING = {"mentee": 800, "mentor": 650}
"""How likely somebody answers a survey that goes well."""
BAD = 400
"""From here downwards it goes badly: the answer takes twice as long, and fewer come."""
LESS_ANSWERING_WHEN_BAD = 250
SURVEY_NOISE = 90
PART_NOISE = 130
"""How far skill, confidence and delivery lie from each other."""
STARTS_AT = 550
"""Share of what will be reached that is felt in the beginning."""

# The pattern, which is planted on demand.
PATTERN_APPEAL = 150
"""Hundredths of a logit that its mentors have for its goals: its pairings are frequent."""
PATTERN_LOSS = 600
"""Thousandths that the outcomes of its pairings lose."""
