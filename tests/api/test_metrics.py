"""Every figure about a person says what it is for: the table of figures and the schema hold each other."""

from pathlib import Path

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, get_named_type

from mentorgraph.api.metrics import METRICS
from mentorgraph.api.schema import schema

from .conftest import Api

SCHEMA = Path(__file__).parents[2] / "schema.graphql"
OF_NOBODY = {
    "Charter": "how a programme is laid down",
    "Programme": "how a programme is laid down",
    "Tier": "what a tier asks of anybody",
    "Training": "what a training is",
    "OnboardingStep": "the place of a step among others",
    "Skill": "a depth in the taxonomy",
    "SkillCandidate": "how well a text fits a name",
    "LeftOutComponents": "components of a file",
    "ImportCalendarPayload": "what of a file was taken in, told to whoever sent it",
    "MixShortfall": "how many of a sort a list lacks",
    "PolicyTest": "how many pairs a draft of a policy would concern",
    "TrainingProgress": "how far a training is",
}
"""Types whose numbers are about no person, and what they are about."""
ASK = "query ($id: ID!) { metric(id: $id) { name purpose audience retention fields } }"


def figures(schema: GraphQLSchema) -> set[str]:
    """Every numeric field that an answer may hold, but the lengths of lists and those of `OF_NOBODY`."""
    return {
        f"{name}.{key}"
        for name, each in schema.type_map.items()
        if isinstance(each, GraphQLObjectType) and not name.startswith("__") and name not in OF_NOBODY
        for key, field in each.fields.items()
        if get_named_type(field.type).name in ("Int", "Float")
        and not (name.endswith("Connection") and key == "totalCount")
    }


def explained() -> list[str]:
    return [field for each in METRICS for field in each.fields]


def test_every_figure_about_a_person_says_what_it_is_for() -> None:
    assert figures(schema) - set(explained()) == set()


def test_a_figure_that_says_nothing_is_found() -> None:
    taller = build_schema(
        SCHEMA.read_text("utf-8").replace("type Person implements Node {", "type Person {\n  height: Int")
    )
    assert figures(taller) - set(explained()) == {"Person.height"}


def test_no_figure_is_explained_twice_or_is_none() -> None:
    assert len(set(explained())) == len(explained())
    assert len({each.name for each in METRICS}) == len(METRICS)
    for each in explained():
        name, _, field = each.partition(".")
        found = schema.type_map[name]
        assert isinstance(found, GraphQLObjectType)
        assert field in found.fields, each
    assert set(OF_NOBODY) <= set(schema.type_map)


def test_each_is_found_by_its_name_and_by_its_field_with_all_that_it_says(api: Api) -> None:
    listed = api.data("{ metrics { name purpose audience retention fields } }")["metrics"]
    assert len(listed) == len(METRICS)
    for metric in listed:
        assert metric["purpose"].endswith(".")
        assert metric["retention"].endswith(".")
        assert metric["audience"]
        for key in (metric["name"], *metric["fields"]):
            assert api.data(ASK, id=key)["metric"] == metric
    assert api.statements == []


def test_who_may_see_it_is_who_does(api: Api) -> None:
    audiences = {name: set(api.data(ASK, id=name)["metric"]["audience"]) for name in ("outcome", "load", "free_places")}
    assert audiences == {
        "outcome": {"STAFF"},
        "load": {"PERSON", "STAFF"},
        "free_places": {"PARTICIPANTS", "STAFF"},
    }


@pytest.mark.parametrize("key", ["", "Person.height", "metrics"])
def test_what_is_no_figure_is_not_found(api: Api, key: str) -> None:
    assert api.refusal(ASK, id=key) == ("NOT_FOUND", "id")
