"""Every kind of fact: its file, its label or type, its columns and its links.

Import, mutation and generator all turn rows into records by these descriptions, so the same fact has the same uid and
the same shape by whichever route it came.
"""

from collections.abc import Mapping
from types import MappingProxyType

from mentorgraph.graph.facts.identity_kind import IDENTITY
from mentorgraph.graph.facts.model import Field, Kind, Link
from mentorgraph.graph.facts.override_kind import OVERRIDE
from mentorgraph.graph.facts.pairing_kinds import MILESTONE, NOTE, SIGNATURE
from mentorgraph.graph.facts.values import choice, instant, items, link, number, text, time_of_day, whole, zone
from mentorgraph.graph.rules.policy import policy_text
from mentorgraph.graph.vocabulary import (
    ABSENCE_CAUSES,
    CHANNELS,
    NECESSITIES,
    PACES,
    PAIRING_STATES,
    PROGRAMME_FORMATS,
    PROGRAMME_ROLES,
    PURPOSES,
    RATERS,
    REASONS,
    REQUEST_STATES,
    ROLES,
    SESSION_KINDS,
    SKILL_RELATIONS,
    SKILL_STATES,
    STALL_CAUSES,
    SUCCESSIONS,
)

_SINCE = Field("since", instant, required=True)
_UNTIL = Field("until", instant)
_LEVEL = Field("level", whole(1, 5))


def _dated_relationship(
    name: str, label: str, start: Link, end: Link, *fields: Field, also: tuple[str, ...] = ()
) -> Kind:
    """A relationship kind: its ends, its beginning and the columns `also` tell one fact from another."""
    key = (start.column, end.column, *also, "since")
    return Kind(name, label, fields, (start, end), key, is_relationship=True, has_id=False)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("units", "OrganisationUnit", (Field("name", text(200), required=True), Field("category", text(200)))),
            Kind(
                "skills",
                "Skill",
                (
                    Field("name", text(200), required=True),
                    Field("kind", text(100)),
                    Field("tier", whole(1, 9)),
                    Field("cluster", text(100)),
                    Field("aliases", items),
                ),
            ),
            Kind(
                "programmes",
                "Programme",
                (
                    Field("name", text(200), required=True),
                    Field("format", choice(*PROGRAMME_FORMATS)),
                    Field("check_in_days", whole(1, 366)),
                    _SINCE,
                    _UNTIL,
                ),
            ),
            Kind(
                "phases",
                "Phase",
                (Field("name", text(200), required=True), _SINCE, Field("until", instant, required=True)),
                (
                    Link("unit_id", "units", "PHASE_OF", required=False),
                    Link("programme_id", "programmes", "PHASE_IN", required=False),
                ),
                key=("unit_id", "programme_id", "name", "since"),
                has_id=False,
            ),
            Kind(
                "trainings",
                "Training",
                (
                    Field("name", text(200), required=True),
                    Field("description", text(5_000)),
                    Field("minutes", whole(1, 10_000)),
                    Field("valid_days", whole(1, 36_500)),
                    Field("link", link),
                    _SINCE,
                    _UNTIL,
                ),
            ),
            Kind(
                "tiers",
                "Tier",
                (
                    Field("name", text(200), required=True),
                    Field("role", choice(*PROGRAMME_ROLES), required=True),
                    Field("rank", whole(1, 9), required=True),
                    Field("least_days", whole(0, 36_500)),
                    Field("least_completed", whole(0, 1_000)),
                    Field("least_level", whole(1, 5)),
                    Field("hours_per_month", number(0, 744)),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("programme_id", "programmes", "TIER_OF"),),
            ),
            _dated_relationship(
                "tier_trainings", "DEMANDS", Link("tier_id", "tiers"), Link("training_id", "trainings"), _SINCE, _UNTIL
            ),
            Kind(
                "onboarding_steps",
                "OnboardingStep",
                (
                    Field("name", text(200), required=True),
                    Field("description", text(5_000)),
                    Field("role", choice(*ROLES)),
                    Field("necessity", choice(*NECESSITIES), required=True),
                    Field("position", whole(1, 100), required=True),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("programme_id", "programmes", "STEP_OF", required=False),),
            ),
            Kind(
                "scripts",
                "Script",
                (
                    Field("title", text(200), required=True),
                    Field("text", text(20_000), required=True),
                    Field("format", choice(*PROGRAMME_FORMATS)),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("programme_id", "programmes", "SCRIPT_OF", required=False),),
                key=("programme_id", "format", "title", "since"),
                has_id=False,
            ),
            Kind(
                "priorities",
                "Priority",
                (Field("name", text(200), required=True), Field("description", text(5_000)), _SINCE, _UNTIL),
            ),
            Kind(
                "people",
                "Person",
                (
                    Field("name", text(200), required=True),
                    Field("joined_on", instant, "since", required=True),
                    Field("left_on", instant, "until"),
                    Field("zone", zone),
                ),
            ),
            Kind(
                "charters",
                "Charter",
                (
                    Field("why", text(5_000), required=True),
                    Field("for_whom", text(5_000), required=True),
                    Field("how_measured", text(5_000), required=True),
                    Field("skill_weight", number(0, 1)),
                    Field("confidence_weight", number(0, 1)),
                    Field("delivery_weight", number(0, 1)),
                    Field("success_threshold", number(0, 1)),
                    Field("survey_days", whole(1, 366)),
                    Field("stall_days", whole(1, 366)),
                    _SINCE,
                    _UNTIL,
                ),
                (
                    Link("programme_id", "programmes", "GOVERNS"),
                    Link("owner_id", "people", "OWNS", incoming=True, required=False),
                ),
                key=("programme_id", "since"),
                has_id=False,
            ),
            Kind(
                "profiles",
                "Profile",
                (
                    Field("job_title", text(200)),
                    Field("grade", text(100)),
                    Field("experience_years", number(0, 80)),
                    Field("about", text(5_000)),
                    Field("pace", choice(*PACES)),
                    Field("communication", choice(*CHANNELS)),
                    Field("coaching_style", text(100)),
                    Field("formats", items),
                    Field("languages", items),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("person_id", "people", "DESCRIBED_BY", incoming=True),),
                key=("person_id", "since"),
                has_id=False,
            ),
            Kind(
                "policies",
                "Policy",
                (Field("content", policy_text, required=True), _SINCE, _UNTIL),
                (Link("programme_id", "programmes", "SET_FOR"),),
                key=("programme_id", "since"),
                has_id=False,
            ),
            _dated_relationship(
                "reporting_lines",
                "REPORTS_TO",
                Link("person_id", "people"),
                Link("manager_id", "people"),
                _SINCE,
                _UNTIL,
            ),
            _dated_relationship(
                "completions",
                "COMPLETED",
                Link("person_id", "people"),
                Link("training_id", "trainings"),
                _SINCE,
                _UNTIL,
            ),
            _dated_relationship(
                "steps_done", "DID", Link("person_id", "people"), Link("step_id", "onboarding_steps"), _SINCE, _UNTIL
            ),
            _dated_relationship(
                "broader", "BROADER", Link("skill_id", "skills"), Link("broader_id", "skills"), _SINCE, _UNTIL
            ),
            Kind(
                "skill_states",
                "SkillState",
                (
                    Field("state", choice(*SKILL_STATES), required=True),
                    Field("reason", text(500)),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("skill_id", "skills", "IN_STATE", incoming=True),),
                key=("skill_id", "state", "since"),
                has_id=False,
            ),
            _dated_relationship(
                "successions",
                "BECAME",
                Link("skill_id", "skills"),
                Link("successor_id", "skills"),
                Field("how", choice(*SUCCESSIONS), required=True),
                Field("reason", text(500)),
                _SINCE,
                _UNTIL,
            ),
            _dated_relationship(
                "skill_relations",
                "RELATED",
                Link("skill_id", "skills"),
                Link("related_id", "skills"),
                Field("relation", choice(*SKILL_RELATIONS), required=True),
                _SINCE,
                _UNTIL,
                also=("relation",),
            ),
            Kind(
                "goals",
                "Goal",
                (
                    Field("title", text(500), required=True),
                    Field("description", text(20_000)),
                    Field("created_on", instant, "since", required=True),
                    Field("closed_on", instant, "until"),
                ),
                (
                    Link("person_id", "people", "HAS_GOAL", incoming=True),
                    Link("unit_id", "units", "IN_UNIT", required=False),
                    Link("priority_id", "priorities", "SERVES", required=False),
                ),
            ),
            Kind(
                "pairings",
                "Pairing",
                (
                    Field("started_on", instant, "since", required=True),
                    Field("ended_on", instant, "until"),
                    Field("status", choice(*PAIRING_STATES), required=True),
                    Field("outcome", number(0, 1)),
                    Field("check_in_days", whole(1, 366)),
                ),
                (
                    Link("mentor_id", "people", "MENTOR"),
                    Link("mentee_id", "people", "MENTEE"),
                    Link("goal_id", "goals", "FOR_GOAL", required=False),
                    Link("unit_id", "units", "IN_UNIT", required=False),
                    Link("programme_id", "programmes", "IN_PROGRAMME", required=False),
                ),
            ),
            _dated_relationship(
                "co_mentors",
                "HELPS",
                Link("person_id", "people"),
                Link("pairing_id", "pairings"),
                Field("share", number(0, 1), required=True),
                _SINCE,
                _UNTIL,
            ),
            Kind(
                "requests",
                "Request",
                (
                    Field("asked_on", instant, "since", required=True),
                    Field("answered_on", instant, "until"),
                    Field("answer_within_days", whole(1, 365), required=True),
                    Field("status", choice(*REQUEST_STATES), required=True),
                ),
                (
                    Link("mentor_id", "people", "ASKS"),
                    Link("mentee_id", "people", "ON_BEHALF_OF"),
                    Link("goal_id", "goals", "FOR_GOAL", required=False),
                    Link("programme_id", "programmes", "IN_PROGRAMME", required=False),
                ),
            ),
            Kind(
                "moves",
                "Move",
                (
                    Field("moved_on", instant, "since", required=True),
                    Field("state", choice(*dict.fromkeys(REQUEST_STATES + PAIRING_STATES)), required=True),
                    Field("reason", choice(*REASONS)),
                    Field("cause", choice(*STALL_CAUSES)),
                    Field("note", text(2_000)),
                ),
                (
                    Link("request_id", "requests", "OF_REQUEST", required=False),
                    Link("pairing_id", "pairings", "OF_PAIRING", required=False),
                    Link("person_id", "people", "MADE", incoming=True, required=False),
                ),
                key=("request_id", "pairing_id", "moved_on", "state"),
                has_id=False,
            ),
            SIGNATURE,
            OVERRIDE,
            _dated_relationship(
                "roles",
                "HAS_ROLE",
                Link("person_id", "people"),
                Link("role_id", "role_names"),
                _SINCE,
                _UNTIL,
                Field("max_mentees", whole(0, 1000)),
                Field("hours_per_month", number(0, 744)),
            ),
            _dated_relationship(
                "goal_skills", "NEEDS", Link("goal_id", "goals"), Link("skill_id", "skills"), _LEVEL, _SINCE, _UNTIL
            ),
            _dated_relationship(
                "offers", "OFFERS", Link("person_id", "people"), Link("skill_id", "skills"), _LEVEL, _SINCE, _UNTIL
            ),
            _dated_relationship(
                "wants", "WANTS", Link("person_id", "people"), Link("skill_id", "skills"), _LEVEL, _SINCE, _UNTIL
            ),
            _dated_relationship(
                "skill_ratings",
                "RATED",
                Link("person_id", "people"),
                Link("skill_id", "skills"),
                Field("level", whole(1, 5), required=True),
                Field("rated_by", choice(*RATERS), required=True),
                _SINCE,
                _UNTIL,
                also=("rated_by",),
            ),
            _dated_relationship(
                "unit_membership", "BELONGS_TO", Link("person_id", "people"), Link("unit_id", "units"), _SINCE, _UNTIL
            ),
            _dated_relationship(
                "memberships",
                "MEMBER_OF",
                Link("person_id", "people"),
                Link("programme_id", "programmes"),
                _SINCE,
                _UNTIL,
                Field("role", choice(*ROLES)),
                Field("max_mentees", whole(0, 1000)),
                Field("hours_per_month", number(0, 744)),
                also=("role",),
            ),
            _dated_relationship(
                "blocks", "BLOCKS", Link("person_id", "people"), Link("blocked_id", "people"), _SINCE, _UNTIL
            ),
            MILESTONE,
            Kind(
                "sessions",
                "Session",
                (
                    Field("started_at", instant, "since", required=True),
                    Field("minutes", whole(1, 24 * 60), required=True),
                    Field("kind", choice(*SESSION_KINDS)),
                    Field("link", link),
                ),
                (Link("pairing_id", "pairings", "PART_OF"),),
            ),
            NOTE,
            Kind(
                "feedback",
                "Feedback",
                (
                    Field("given_on", instant, "since", required=True),
                    Field("rating", number(0, 1), required=True),
                    Field("round", whole(1, 1_000)),
                    Field("skill", number(0, 1)),
                    Field("confidence", number(0, 1)),
                    Field("delivery", number(0, 1)),
                    Field("comment", text(5_000)),
                ),
                (Link("pairing_id", "pairings", "ABOUT"), Link("person_id", "people", "GAVE", incoming=True)),
            ),
            Kind(
                "availability",
                "Availability",
                (
                    Field("weekday", whole(1, 7), required=True),
                    Field("start", time_of_day, required=True),
                    Field("end", time_of_day, required=True),
                    Field("zone", zone, required=True),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("person_id", "people", "AVAILABLE", incoming=True),),
                key=("person_id", "weekday", "start", "end", "zone", "since"),
                has_id=False,
            ),
            Kind(
                "absences",
                "Absence",
                (_SINCE, Field("until", instant, required=True), Field("cause", choice(*ABSENCE_CAUSES))),
                (Link("person_id", "people", "ABSENT", incoming=True),),
                key=("person_id", "since"),
                has_id=False,
            ),
            Kind(
                "busy_times",
                "BusyTime",
                (_SINCE, Field("until", instant, required=True)),
                (Link("person_id", "people", "BUSY", incoming=True),),
                key=("person_id", "since"),
                has_id=False,
            ),
            Kind(
                "consents",
                "Consent",
                (
                    Field("purpose", choice(*PURPOSES), required=True),
                    Field("text_version", text(200), required=True),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("person_id", "people", "CONSENTED", incoming=True),),
                key=("person_id", "purpose", "text_version", "since"),
                has_id=False,
            ),
            IDENTITY,
        )
    }
)
"""Every kind by name, ordered so that what a kind refers to stands before it."""


def label_of(link: Link) -> str:
    """Label of the node that a link points to."""
    return "Role" if link.target == "role_names" else KINDS[link.target].label
