"""Pages of docs/ are played as they stand; one that does not work is seen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from .conftest import Api
from .pages import DOCS, play
from .test_pairings import api, register

__all__ = ["api"]

REGISTER = """
```graphql
mutation Register($name: String!) {
  registerPerson(input: { name: $name, roles: [MENTOR] }) { person { id } userErrors { code } }
}
```
"""
PERSON = """
```graphql
query Read($id: ID!) { person(id: $id) { name } }
```
"""


def test_the_page_of_requests_and_pairings_works(api: Api) -> None:
    values = {
        "mentee": register(api, "Bo", "MENTEE"),
        "mentor": register(api, "Ada", "MENTOR"),
        "request": lambda answers: answers["Ask"]["requestMentor"]["request"]["id"],
        "pairing": lambda answers: answers["Accept"]["moveRequest"]["request"]["pairing"]["id"],
        "due": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        "milestone": lambda answers: answers["Plan"]["planMilestone"]["milestone"]["id"],
    }
    answers = play(api, DOCS / "pairings.md", values)
    assert answers["Accept"]["moveRequest"]["request"]["pairing"]["status"] == "ACCEPTED"
    [milestone] = answers["OnTheWay"]["node"]["milestones"]["nodes"]
    assert (milestone["title"], milestone["state"], milestone["isOverdue"]) == ("A first talk", "REACHED", False)
    assert answers["Overdue"]["overdueMilestones"] == []
    assert [each["title"] for each in answers["Scripts"]["scripts"]] == ["First meeting"]


def test_an_operation_may_use_what_an_earlier_one_was_answered(api: Api, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(REGISTER + PERSON, "utf-8")
    told = {"name": "Ada", "id": lambda answers: answers["Register"]["registerPerson"]["person"]["id"]}
    assert play(api, page, told)["Read"] == {"person": {"name": "Ada"}}


@pytest.mark.parametrize(
    ("text", "name"),
    [(REGISTER, ""), (PERSON.replace("name", "conjured"), "Ada"), (REGISTER + REGISTER, "Ada"), ("# Words", "")],
)
def test_a_page_that_does_not_work_is_seen(api: Api, tmp_path: Path, text: str, name: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    with pytest.raises(AssertionError):
        play(api, page, {"name": name, "id": register(api, "Bo", "MENTEE")})
