"""The hidden truth of generated worlds, version 1: what draws a mentee to a mentor, and what makes a pairing succeed.

Frozen: a test holds the hash of this file, and a changed truth is version 2 in a module of its own. No model may read
it. Everything is a whole number, so sums are exact and a world has the same bytes on every machine.

Who is paired follows a multinomial logit (McFadden 1974, "Conditional logit analysis of qualitative choice behavior"):
P(mentor) is proportional to exp(appeal / 100) among the mentors with a free place. `outcome` says how a pairing ends.
The two differ on purpose:

- fame draws motivated mentees, and does nothing for the outcome; quality makes outcomes, and draws nobody;
- motivation makes outcomes too: it confounds fame with success;
- a coordinator who assigns a mentor favours the mentee's own unit, and that does nothing for the outcome: the bias.
"""

from collections.abc import Sequence

VERSION = 1

TOPICS = 96
"""How many topics goals are about; a topic is a subject together with skills of one field."""

# Appeal, in hundredths of a logit.
TOPIC_APPEAL = {"main": 310, "second": 260, "subject": 70, "field": 60, "none": 0}
SKILL_APPEAL = (0, 12, 30, 55)
"""By `coverage`, for each needed skill."""
TIME_APPEAL = (-100, -35, 0, 20, 30)
"""By `time_level`."""
PACE_APPEAL = (20, 0, -30)
"""By the gap between two paces."""
FAME_APPEAL = (-12, -6, 3, 12, 18)
"""By the mentee's motivation, for each unit of fame."""
UNIT_BIAS = 150
"""For mentors of the mentee's unit, where a coordinator assigns."""

# Outcome, in thousandths.
OUTCOME_BASE = 255
TOPIC_OUTCOME = {"main": 160, "second": 130, "subject": 50, "field": 30, "none": 0}
SKILL_OUTCOME = (0, 40, 110, 200)
TIME_OUTCOME = (0, 25, 50, 75, 90)
PACE_OUTCOME = (60, 25, 0)
QUALITY_OUTCOME = 55
MOTIVATION_OUTCOME = 60
SESSIONS_OUTCOME = 100
NOISE_OUTCOME = 140
STALLED_LOSS = 320
LEAVING_LOSS = 120


def time_level(overlap_minutes: int) -> int:
    """How well two weeks fit: 0 never, 1 under an hour, 2 under two, 3 under five, 4 five hours or more."""
    return (overlap_minutes > 0) + (overlap_minutes >= 60) + (overlap_minutes >= 120) + (overlap_minutes >= 300)


def known_level(level: int, steps: int) -> int:
    """What a skill at `level` is worth for another skill of the taxonomy.

    Args:
        level: 1 to 5.
        steps: 0 the skill itself, 1 one `BROADER` step away, 2 the same broader skill.
    """
    return max(0, level - (0, 2, 3)[steps])


def coverage(known: int, needed: int) -> int:
    """How far a mentor's level covers a needed one: 3 fully, 2 one short, 1 two short, 0 not at all."""
    return max(0, 3 - max(0, needed - known)) if known else 0


def stall_permille(time: int, pace_gap: int, motivation: int, quality: int) -> int:
    """How likely a pairing stalls, in thousandths: no common time and unlike paces do it."""
    return max(10, 90 + 55 * (2 - time) + 60 * pace_gap - 20 * motivation - 20 * quality)


def outcome(
    *,
    topic: str,
    coverages: Sequence[int],
    time: int,
    pace_gap: int,
    quality: int,
    motivation: int,
    held_permille: int,
    noise: int,
    stalled: bool,
    left: bool,
) -> int:
    """How well a pairing went, in thousandths from 0 to 1000.

    Args:
        topic: How near the mentor is to the goal's topic, a key of `TOPIC_OUTCOME`.
        coverages: One `coverage` per needed skill.
        time: `time_level` of the two.
        pace_gap: 0 to 2, how far apart the rhythms are in which they like to meet.
        quality: The mentor's, -2 to 2.
        motivation: The mentee's, 0 to 4.
        held_permille: Sessions held per thousand planned.
        noise: -`NOISE_OUTCOME` to `NOISE_OUTCOME`.
        stalled: Whether they stopped meeting.
        left: Whether the mentor left before the end.
    """
    total = (
        OUTCOME_BASE
        + TOPIC_OUTCOME[topic]
        + sum(SKILL_OUTCOME[each] for each in coverages) // len(coverages)
        + TIME_OUTCOME[time]
        + PACE_OUTCOME[pace_gap]
        + QUALITY_OUTCOME * quality
        + MOTIVATION_OUTCOME * motivation
        + SESSIONS_OUTCOME * held_permille // 1000
        + noise
        - STALLED_LOSS * stalled
        - LEAVING_LOSS * left
    )
    return min(1000, max(0, total))
