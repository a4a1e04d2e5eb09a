"""How lists of mentors are asked for over GraphQL: filters, a mix, what is left out, and a wish."""

from collections.abc import Mapping
from typing import Any

import graphene

from mentorgraph.api.ids import read_global_id
from mentorgraph.api.programmes import ProgrammeFormat
from mentorgraph.api.types import enum_of
from mentorgraph.graph.ranking.options import Filter, Mix, Options, Wish
from mentorgraph.graph.ranking.scoring import LEARNED
from mentorgraph.graph.rules.policy import SIGNALS

SignalName = enum_of(
    "SignalName",
    {name: f"What answers call `{name}`." for name in (*SIGNALS, *LEARNED)},
    "A summand of scores; the network, or precedents in its place, is there where a learned model ranks by it.",
)


Seniority = enum_of(
    "Seniority",
    {
        "peer": "Fewer years apart than the policy's `seniority_least_years`, either way.",
        "near_peer": "More by at least these and at most `seniority_most_years`.",
        "senior": "More by more than these.",
    },
    "How the mentor's years of experience compare with the mentee's.",
)


class RecommendationFilter(graphene.InputObjectType):
    """Whom a list may hold at all; who has not told what is asked for does not pass."""

    skill_id = graphene.ID(description="A skill that they offer, it or a narrower one, merged ones included.")
    min_level = graphene.Int(description="Level from which on the skill counts, 1 to 5.")
    unit_id = graphene.ID(description="A unit that they belong to.")
    tier_id = graphene.ID(description="A tier of mentors that they are eligible for.")
    format = graphene.InputField(ProgrammeFormat, description="A format that they take part in.")
    language = graphene.String(description="A language that they speak; `pt` takes in `pt-BR`, not the reverse.")
    seniority = graphene.InputField(Seniority, description="How much more experienced than the mentee they are.")
    is_new = graphene.Boolean(description="Only who has never mentored so far, or only who has.")


class RecommendationMix(graphene.InputObjectType):
    """Who is to be among the first ones of a list at least."""

    experts = graphene.Int(description="So many who offer a wished skill at the wished level or above it.")
    cross_functional = graphene.Int(description="So many who belong to units of which none is the mentee's.")


IdentityAttribute = enum_of(
    "IdentityAttribute",
    {
        "gender": "Gender.",
        "ethnicity": "Ethnic group or origin.",
        "faith": "Faith or belief.",
        "disability": "A disability or chronic illness.",
        "orientation": "Sexual orientation.",
        "background": "Another background, such as being the first in the family to study.",
    },
    "A kind of identity by which mentors may have agreed to be found.",
)


class IdentityWish(graphene.InputObjectType):
    """An identity that is asked for in a mentor, for one list; it counts for those who agreed to be found by it."""

    attribute = graphene.InputField(IdentityAttribute, required=True, description="Which kind of identity.")
    value = graphene.String(required=True, description="The identity, as mentors tell it; in any letter case.")


LIST_ARGUMENTS: dict[str, Any] = {
    "filter": graphene.Argument(RecommendationFilter, description="Whom the list may hold."),
    "exclude": graphene.List(graphene.NonNull(graphene.ID), description="People whom it may not hold."),
    "ignore_signals": graphene.List(
        graphene.NonNull(SignalName), description="Signals to rank without, this time only; nothing is stored."
    ),
    "horizon_days": graphene.Int(description="Also list who becomes free within so many days, 0 to 180."),
    "mix": graphene.Argument(RecommendationMix, description="Who is to be among the first ones."),
    "diversity": graphene.Float(description="How much the first ones are to differ in units and skills, 0 to 1."),
    "wish": graphene.Argument(IdentityWish, description="An identity to prefer, this time only; nothing is stored."),
}
"""Arguments of a list of mentors beside whom it is for and its paging."""


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an input that are not null, enum values as the domain knows them."""
    return {name: getattr(value, "value", value) for name, value in fields.items() if value is not None}


def options_of(arguments: Mapping[str, Any]) -> Options:
    """What a list is asked for with.

    Raises:
        DomainError: `BAD_USER_INPUT`, an id is none of ours or one of something else.
    """
    asked = _given(arguments.get("filter") or {})
    ids = {"skill": "Skill", "unit": "OrganisationUnit", "tier": "Tier"}
    uids: dict[str, Any] = {
        name: read_global_id(asked.pop(f"{name}_id"), expected=kind, field=f"filter.{name}Id")[1]
        for name, kind in ids.items()
        if f"{name}_id" in asked
    }
    excluded = arguments.get("exclude") or ()
    return Options(
        filter=Filter(**uids, **asked),
        excluded=frozenset(read_global_id(each, expected="Person", field="exclude")[1] for each in excluded),
        ignored=frozenset(each.value for each in arguments.get("ignore_signals") or ()),
        horizon_days=arguments.get("horizon_days") or 0,
        mix=Mix(**_given(arguments.get("mix") or {})),
        diversity=arguments.get("diversity") or 0.0,
        wish=Wish(**_given(arguments.get("wish") or {})),
    )
