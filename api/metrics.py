"""What every figure about a person is for, who may see it and for how long it is kept: one table, and its queries.

A test over the schema fails where a numeric field about a person stands in no row.
"""

from dataclasses import dataclass

import graphene

from mentorgraph.api.types import Info, enum_of
from mentorgraph.graph.errors import DomainError

COMPUTED = "Computed when it is asked for; nothing of it is kept."
TOLD = "Kept as it was told, with the time for which it held."
LOGGED = (
    "Kept in the decision log with the answer that it belongs to, until the key of a person is destroyed, after which "
    "nothing in it can be read of them."
)

MetricAudience = enum_of(
    "MetricAudience",
    {
        "person": "Whom it is about.",
        "mentee": "The mentee to whom a mentor is recommended.",
        "pairing": "The people of the pairing, co-mentors too.",
        "participants": "Everybody who takes part.",
        "staff": "Coordinators, auditors and data scientists.",
    },
    "Who may see a figure.",
)


@dataclass(frozen=True, slots=True)
class Known:
    """One figure about a person, or several that belong together.

    Attributes:
        name: Its name.
        purpose: What it is for, in a sentence.
        audience: Who may see it; values of `MetricAudience`.
        retention: For how long it is kept, in a sentence.
        fields: Where it stands in answers, as `Type.field`.
    """

    name: str
    purpose: str
    audience: tuple[str, ...]
    retention: str
    fields: tuple[str, ...]


_OWN = ("person", "staff")

METRICS = (
    Known(
        "completeness",
        "It tells a person what they should still say of themselves to be matched well.",
        _OWN,
        COMPUTED,
        ("Completeness.share",),
    ),
    Known(
        "cost_on_rank",
        "It shows mentors what to tell of themselves first to be found by those whom they can help.",
        _OWN,
        COMPUTED,
        ("MissingField.costOnRank",),
    ),
    Known(
        "load",
        "It keeps mentors from taking on more than they have places for.",
        _OWN,
        COMPUTED,
        (
            "MentorLoad.taken",
            "MentorLoad.places",
            "MentorLoad.left",
            "MentorLoad.isNearLimit",
            "ProgrammeLoad.taken",
            "ProgrammeLoad.places",
        ),
    ),
    Known(
        "free_places",
        "It spares mentees asking a mentor who can take nobody.",
        ("participants", "staff"),
        COMPUTED,
        ("MentorEntry.hasFreePlaces",),
    ),
    Known(
        "plan",
        "It tells coordinators how well those whom a plan puts together fit, and what keeps others from anybody.",
        ("staff",),
        COMPUTED,
        (
            "PeerPlan.total",
            "PeerPair.score",
            "PeerPair.scores",
            "CirclePlan.total",
            "CircleSeat.score",
            "SharedWish.wishing",
            "Hindrance.others",
        ),
    ),
    Known(
        "format_choice",
        "It shows by which facts a format of programmes is suggested for a goal.",
        _OWN,
        COMPUTED,
        (
            "FormatPoints.points",
            "FormatSuggestion.freeMinutes",
            "NeededSkill.needed",
            "NeededSkill.own",
            "NeededSkill.learners",
        ),
    ),
    Known(
        "overdue_milestone",
        "It leads coordinators to pairs who have lost sight of what they wanted to reach.",
        ("staff",),
        COMPUTED,
        ("OverdueMilestone.daysOverdue",),
    ),
    Known(
        "erased_notes",
        "It tells whoever had notes erased that they are.",
        _OWN,
        COMPUTED,
        ("EraseNotesPayload.erased",),
    ),
    Known(
        "share",
        "It says how much of a pairing a co-mentor takes over, so that it counts for their places.",
        ("pairing", "staff"),
        TOLD,
        ("CoMentor.share",),
    ),
    Known(
        "minutes",
        "It shows how much of a month's time is used and left, so that nobody is asked for too much.",
        _OWN,
        COMPUTED,
        ("Person.minutesUsed", "Person.minutesLeft"),
    ),
    Known(
        "session_minutes",
        "It counts a session towards the time that its people give.",
        ("pairing", "staff"),
        TOLD,
        ("Session.minutes",),
    ),
    Known(
        "limits",
        "It says how many mentees and hours somebody takes in a programme, so that nobody plans beyond it.",
        _OWN,
        TOLD,
        ("Enrolment.maxMentees", "Enrolment.hoursPerMonth"),
    ),
    Known(
        "skill_level",
        "It tells how good somebody is at a skill, to lead mentees to them and to see whether they stand in a tier.",
        _OWN,
        "Computed from ratings, which are kept as they were told and weigh less as they age.",
        ("SkillLevel.level", "SkillRating.level", "SkillRating.weight"),
    ),
    Known(
        "offered_level",
        "It lets mentees find a mentor who knows enough of what they want to learn.",
        ("participants", "staff"),
        COMPUTED,
        ("OfferedSkill.level",),
    ),
    Known(
        "experience",
        "It tells for how long somebody has done what they do; no ranking looks at it.",
        _OWN,
        TOLD,
        ("Profile.experienceYears",),
    ),
    Known(
        "availability",
        "It says on which days somebody is free, so that two people find a time in common.",
        ("participants", "staff"),
        TOLD,
        ("AvailabilityWindow.weekday",),
    ),
    Known(
        "training_days",
        "It reminds of trainings that have to be taken again.",
        ("staff",),
        COMPUTED,
        ("ExpiringTraining.daysLeft",),
    ),
    Known(
        "eligibility",
        "It says whether somebody may stand in a tier of a programme, and what would help.",
        _OWN,
        COMPUTED,
        ("TierEligibility.isEligible",),
    ),
    Known(
        "answers",
        "It tells how a pairing goes and what came of it; by it pairings are helped, and models learn.",
        _OWN,
        "Kept as it was answered; a model learns from it only while both agree to training.",
        (
            "SurveyAnswer.round",
            "SurveyAnswer.rating",
            "SurveyAnswer.skill",
            "SurveyAnswer.confidence",
            "SurveyAnswer.delivery",
        ),
    ),
    Known(
        "survey_due",
        "It asks people for what they have not answered yet.",
        _OWN,
        COMPUTED,
        ("DueSurvey.round", "DueSurvey.daysDue"),
    ),
    Known(
        "outcome",
        "It says what came of a pairing by the weights of its programme; models learn from it whom to recommend.",
        ("staff",),
        "Kept with the pairing; a model learns from it only while both agree to training.",
        ("Pairing.outcome",),
    ),
    Known(
        "check_in",
        "It shows coordinators which pairs have not met for too long, so that they can ask how it goes.",
        ("staff",),
        COMPUTED,
        ("OverdueCheckIn.daysOverdue",),
    ),
    Known(
        "stall",
        "It shows coordinators which pairs do not move and why, so that they can help.",
        ("staff",),
        "Kept with the moves of the pairing once it was written down; until then computed when it is asked for.",
        ("StalledPairing.since", "StalledPairing.cause", "StalledPairing.furtherCauses"),
    ),
    Known(
        "score",
        "It puts the mentors of one answer in their order; of two people in different answers it says nothing.",
        ("mentee", "staff"),
        LOGGED,
        (
            "Recommendation.rank",
            "Recommendation.score",
            "Recommendation.base",
            "ModelAnswer.rank",
            "ModelAnswer.score",
            "Explanation.score",
            "Explanation.base",
        ),
    ),
    Known(
        "score_for_a_mentor",
        "It puts the goals that a mentor could serve in their order; in the list of the mentee it is the same.",
        ("person", "staff"),
        COMPUTED,
        ("MenteeRecommendation.rank", "MenteeRecommendation.score", "MenteeRecommendation.base"),
    ),
    Known(
        "propensity",
        "It says how likely a mentor stood in their place of a list, so that what lists lead to can be judged fairly.",
        ("staff",),
        LOGGED,
        ("Recommendation.propensity",),
    ),
    Known(
        "why_not",
        "It says how far a mentor is from the list that somebody asked for, and by what.",
        ("mentee", "staff"),
        COMPUTED,
        ("WhyNot.score", "WhyNot.rank", "WhyNot.first", "SignalGap.missing"),
    ),
    Known(
        "comparison",
        "It says by what one mentor comes before another.",
        ("mentee", "staff"),
        COMPUTED,
        ("ComparedMentor.score", "ComparedMentor.gap", "SignalDifference.amount"),
    ),
    Known(
        "what_would_change",
        "It says what the least is that would bring a mentor into the list.",
        ("mentee", "staff"),
        COMPUTED,
        ("WhatWouldChange.rank", "WhatWouldChange.rankAfter", "WhatWouldChange.tried"),
    ),
    Known(
        "then_and_now",
        "It shows how an answer that was given would be another today, and so whether to decide anew.",
        ("mentee", "staff"),
        COMPUTED,
        (
            "MentorThenAndNow.rankThen",
            "MentorThenAndNow.rankNow",
            "MentorThenAndNow.scoreThen",
            "MentorThenAndNow.scoreNow",
            "SignalThenAndNow.valueThen",
            "SignalThenAndNow.valueNow",
            "SignalThenAndNow.contributionThen",
            "SignalThenAndNow.contributionNow",
        ),
    ),
    Known(
        "exposure",
        "It shows coordinators who is recommended to many and who to nobody, so that a few do not carry everything.",
        ("staff",),
        COMPUTED,
        (
            "MentorExposure.days",
            "MentorExposure.answers",
            "MentorExposure.shown",
            "MentorExposure.share",
            "MentorExposure.meanRank",
            "MentorExposure.examined",
            "Counted.count",
        ),
    ),
    Known(
        "signals",
        "It says what a score is the sum of, so that it can be checked.",
        ("mentee", "staff"),
        LOGGED,
        ("Signal.value", "Signal.weight", "Signal.contribution"),
    ),
    Known(
        "evidence",
        "It says how much a fact of the graph counts for a score.",
        ("mentee", "staff"),
        LOGGED,
        ("EvidencePath.weight", "PathStep.count"),
    ),
    Known(
        "chance",
        "It estimates how likely a pairing is to succeed, where past outcomes allow that.",
        ("mentee", "staff"),
        LOGGED,
        ("Chance.value", "Chance.low", "Chance.high", "Chance.outcomes"),
    ),
)
"""Every figure about a person that can be asked for."""


class Metric(graphene.ObjectType):
    """What a figure about people is for."""

    name = graphene.String(required=True, description="Its name.")
    purpose = graphene.String(required=True, description="What it is for.")
    audience = graphene.List(graphene.NonNull(MetricAudience), required=True, description="Who may see it.")
    retention = graphene.String(required=True, description="For how long it is kept.")
    fields = graphene.List(
        graphene.NonNull(graphene.String), required=True, description="Where it stands in answers, as `Type.field`."
    )


class MetricQueries:
    """What can be asked of figures."""

    metrics = graphene.List(
        graphene.NonNull(Metric),
        required=True,
        description="Every figure about people that can be asked for here, with what it is for.",
    )
    metric = graphene.Field(
        Metric,
        required=True,
        description="What one figure about people is for.",
        id=graphene.ID(required=True, description="Its name, or the field in which it stands, as `MentorLoad.taken`."),
    )

    @staticmethod
    def resolve_metrics(_root: None, _info: Info) -> tuple[Known, ...]:
        """Every figure."""
        return METRICS

    @staticmethod
    def resolve_metric(_root: None, _info: Info, id: str) -> Known:
        """One figure."""
        found = next((each for each in METRICS if id == each.name or id in each.fields), None)
        if found is None:
            raise DomainError("no figure has this name; see metrics", code="NOT_FOUND", field="id")
        return found
