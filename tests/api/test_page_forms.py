"""Forms of the page are taken from the page alone, and from coordinators alone."""

import re
from typing import Any

import pytest

from mentorgraph.api.identity import VIEWER_HEADER
from mentorgraph.api.page_forms import COOKIE, LONGEST_FORM

from .conftest import Api
from .test_overrides import LIST, api, people, recommended, skills

__all__ = ["api", "people", "skills"]

FILLED = {"action": "pin", "reason": "asked_for", "note": "Bo asked for it.", "until": "2190-01-01"}


def send(api: Api, path: str, told: dict[str, str], **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.post(path, data=told, headers=names, follow_redirects=False)


def loaded(api: Api, path: str) -> str:
    """The token of a page that was loaded, which its cookie holds as well."""
    page = api.client.get(path)
    [token] = set(re.findall(r'name="token" value="([^"]+)"', page.text))
    assert api.client.cookies[COOKIE] == token
    cookie = page.headers["set-cookie"]
    for part in ("HttpOnly", "Path=/why", "SameSite=strict"):
        assert part in cookie
    return str(token)


@pytest.fixture
def path(api: Api, people: dict[str, str]) -> str:
    api.client.cookies.clear()
    return f"/why/{recommended(api, people['Bo'])['Ben']['id']}"


def decided(api: Api, people: dict[str, str]) -> list[dict[str, Any]]:
    return list(api.data(LIST, id=people["Bo"])["overrides"]["edges"])


def test_a_form_of_the_page_is_taken_once(api: Api, people: dict[str, str], path: str) -> None:
    token = loaded(api, path)
    answer = send(api, path, FILLED | {"token": token}, origin="http://localhost", sec_fetch_site="same-origin")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}#decided")
    assert send(api, path, FILLED | {"token": token}).status_code == 303
    assert len(decided(api, people)) == 1
    assert loaded(api, path) == token


def test_a_form_from_elsewhere_is_refused(api: Api, people: dict[str, str], path: str) -> None:
    assert send(api, path, FILLED).status_code == 403  # without a page
    token = loaded(api, path)
    for told, headers in (
        ({}, {}),
        ({"token": "x" * 43}, {}),
        ({"token": token}, {"origin": "http://evil.example"}),
        ({"token": token}, {"origin": "http://localhost:8080"}),
        ({"token": token}, {"sec_fetch_site": "cross-site"}),
        ({"token": token}, {"sec_fetch_site": "same-site"}),
    ):
        answer = send(api, path, FILLED | told, **headers)
        assert answer.status_code == 403, (told, headers)
        assert "does not come from this page" in answer.text
    api.client.cookies.clear()
    assert send(api, path, FILLED | {"token": token}).status_code == 403
    assert decided(api, people) == []


def test_whoever_is_no_coordinator_finds_no_form_and_sends_none(api: Api, people: dict[str, str], path: str) -> None:
    token = loaded(api, path)
    own = api.client.get(path, headers={VIEWER_HEADER: people["Bo"]})
    assert 'name="action"' not in own.text
    assert "Decided by people" not in own.text
    assert send(api, path, FILLED | {"token": token}, **{VIEWER_HEADER: people["Bo"]}).status_code == 403
    assert send(api, path, FILLED | {"token": token}, **{VIEWER_HEADER: people["Eve"]}).status_code == 404
    assert decided(api, people) == []


def test_what_is_no_form_is_refused(api: Api, people: dict[str, str], path: str) -> None:
    token = loaded(api, path)
    assert api.client.post(path, json=FILLED | {"token": token}).status_code == 400
    assert send(api, path, FILLED | {"token": token, "note": "x" * LONGEST_FORM}).status_code == 400
    wrong = send(api, path, FILLED | {"token": token, "until": "soon"})
    assert wrong.status_code == 422
    assert "The day is no date; write it like 2026-01-31." in wrong.text
    assert decided(api, people) == []
