"""Answers asked for again: over GraphQL and as a page, as they were given, and to whom."""

import asyncio
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from mentorgraph.api.app import SECURITY_HEADERS
from mentorgraph.api.examples import askers_in
from mentorgraph.api.identity import VIEWER_HEADER
from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.api.why import FILES, pages
from mentorgraph.graph.decisions.log import NOT_KEPT, DecisionLog
from mentorgraph.graph.decisions.segments import segments_in
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer
from mentorgraph.graph.world.tables import World

from ..graph.decisions.conftest import slate_of
from .conftest import Api, connected

CONTENT = """
  score base mentor { id }
  signals { name value unit weight contribution }
  paths { weight sentence signal cypher steps {
    kind label relationshipId relationshipType since source holdsNow count
  } }
  sentences
"""
RECOMMEND = f"""
query ($mentee: ID!, $goal: ID) {{
  recommendMentors(menteeId: $mentee, goalId: $goal, first: 5) {{
    slateId modelVersion policyVersion notice edges {{ node {{ id rank {CONTENT} }} }}
  }}
}}
"""
EXPLAIN = f"""
query ($id: ID!) {{
  explainRecommendation(recommendationId: $id) {{
    modelVersion policyVersion answeredAt isRedacted refusals {{ rule }} {CONTENT}
  }}
}}
"""
NODE = f"query ($id: ID!) {{ node(id: $id) {{ __typename id ... on Recommendation {{ rank {CONTENT} }} }} }}"
UNKNOWN = global_id("Recommendation", "00000000-0000-5000-8000-000000000000")


async def as_coordinator(_request: Request) -> Viewer:
    return COORDINATOR


@pytest.fixture(scope="module")
def asker(api: Api, server: EmbeddedDatabase) -> tuple[str, str]:
    """Global ids of a mentee whose evidence names third people, and of their goal."""

    async def find() -> list[tuple[str, str]]:
        async with connected(server) as database:
            return [(each.person, each.goal) for each in await askers_in(Store(database))]

    def foreign(pair: tuple[str, str]) -> int:
        answer = api.ask(RECOMMEND, mentee=pair[0], goal=pair[1])
        return 0 if "errors" in answer else str(answer).count("similar")

    return max(asyncio.run(find()), key=foreign)


def recommended(api: Api, asker: tuple[str, str], viewer: str = "") -> list[dict[str, Any]]:
    answer = api.data(RECOMMEND, viewer=viewer, mentee=asker[0], goal=asker[1])["recommendMentors"]
    return [edge["node"] for edge in answer["edges"]]


def without(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


OWN = ("modelVersion", "policyVersion", "answeredAt", "isRedacted", "refusals")


@pytest.mark.parametrize("as_participant", [False, True])
def test_an_answer_is_explained_and_is_a_node_as_it_was_given(
    api: Api, asker: tuple[str, str], as_participant: bool
) -> None:
    viewer = asker[0] if as_participant else ""
    given = recommended(api, asker, viewer)
    assert len(given) == 5
    for each in given:
        found = api.data(EXPLAIN, viewer=viewer, id=each["id"])["explainRecommendation"]
        assert without(found, *OWN) == without(each, "id", "rank")
        assert (found["modelVersion"], found["isRedacted"], found["refusals"]) == ("rules", False, [])
        assert found["answeredAt"].endswith("Z")
        node = api.data(NODE, viewer=viewer, id=each["id"])["node"]
        assert without(node, "__typename") == each
        assert node["__typename"] == "Recommendation"


def test_whoever_asked_the_mentee_gets_counts_and_the_coordinator_names(api: Api, asker: tuple[str, str]) -> None:
    """One entry, whoever asked: what is shown depends on who looks it up."""
    own, named = recommended(api, asker, asker[0]), recommended(api, asker)
    assert [each["id"] for each in own] == [each["id"] for each in named]
    assert own != named
    for mine, theirs in zip(own, named, strict=True):
        seen = api.data(EXPLAIN, viewer=asker[0], id=mine["id"])["explainRecommendation"]
        assert without(seen, *OWN) == without(mine, "id", "rank")
        seen = api.data(EXPLAIN, id=mine["id"])["explainRecommendation"]
        assert without(seen, *OWN) == without(theirs, "id", "rank")


def test_what_is_unknown_or_somebody_elses_is_not_there(
    api: Api, asker: tuple[str, str], world: World, gid: Callable[[str, str], str]
) -> None:
    found = recommended(api, asker)[0]
    other = next(gid("people", row["id"]) for row in world.rows["people"] if gid("people", row["id"]) != asker[0])
    for viewer, id in (("", UNKNOWN), (other, found["id"]), (found["mentor"]["id"], found["id"])):
        assert api.refusal(EXPLAIN, viewer=viewer, id=id) == ("NOT_FOUND", "recommendationId")
        assert api.data(NODE, viewer=viewer, id=id)["node"] is None
    nodes = api.data("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[UNKNOWN, found["id"], asker[0]])["nodes"]
    assert [each and each["id"] for each in nodes] == [None, found["id"], asker[0]]


def test_looking_up_asks_the_database_for_nothing_but_live_people(api: Api, asker: tuple[str, str]) -> None:
    id = recommended(api, asker)[0]["id"]
    api.data(EXPLAIN.replace("mentor { id }", ""), id=id)
    assert api.statements == []
    api.data(EXPLAIN, id=id)
    assert api.statements == ["read_nodes"]


def test_a_record_outlives_the_database(api: Api, asker: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    id = recommended(api, asker)[0]["id"]

    async def away(*_arguments: object) -> None:
        raise DatabaseUnavailable("the database is away")

    monkeypatch.setattr(Store, "read_nodes", away)
    answer = api.ask(EXPLAIN, id=id)
    assert [error["path"] for error in answer["errors"]] == [["explainRecommendation", "mentor"]]
    assert answer["data"]["explainRecommendation"]["sentences"]
    assert api.client.get(f"/why/{id}").status_code == 200


def test_an_answer_that_cannot_be_kept_says_so(
    api: Api, asker: tuple[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mentorgraph.graph.decisions.segments.Segment.write", full)
    answer = api.data(RECOMMEND, mentee=asker[0], goal=asker[1])["recommendMentors"]
    assert answer["notice"] == NOT_KEPT
    assert len(answer["edges"]) == 5
    assert "not kept in the decision log: No space left on device" in caplog.text
    monkeypatch.undo()
    assert api.data(RECOMMEND, mentee=asker[0], goal=asker[1])["recommendMentors"]["notice"] is None


# --- the page ---------------------------------------------------------------------------------------------------------


class Links(HTMLParser):
    """What a page loads and leads to, and what in it a strict policy would not let work."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.headings: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes down one tag."""
        found = dict(attrs)
        if tag in ("script", "link", "img"):
            self.loaded.append(found.get("src") or found.get("href") or "")
        if tag == "style" or (tag == "script" and "src" not in found):
            self.inline.append(tag)
        self.inline += [name for name in found if name.startswith("on") or name == "style"]
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)


def test_the_page_holds_what_was_answered(api: Api, asker: tuple[str, str]) -> None:
    first = recommended(api, asker)[0]
    page = api.client.get(f"/why/{first['id']}")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    text = page.text.replace("&#39;", "'").replace("&#34;", '"').replace("&gt;", ">").replace("&lt;", "<")
    for path in first["paths"]:
        assert path["sentence"] in text
        assert path["cypher"] in text
    for sentence in first["sentences"]:
        [number] = re.findall(rf'<li><a href="#path-(\d+)">{re.escape(sentence)}</a></li>', text) or [""]
        heading = f'<h3 id="path-{number}">{sentence}</h3>'
        assert (heading if number else f"<li>{sentence}</li>") in text  # what a path says leads to that path
    for signal in first["signals"]:
        assert (f"{signal['contribution']:+.6f}" if signal["contribution"] else '"number">0<') in text
    assert f"<strong>{first['score']:.4f}</strong>" in text
    assert '<html lang="en">' in text
    links = Links(page.text)
    assert links.inline == []
    assert links.headings[0] == "h1"
    assert links.headings.count("h1") == 1
    assert Links('<p style="x" onclick="y"><style></style><script></script>').inline == [
        "style",
        "onclick",
        "style",
        "script",
    ]


def test_the_page_counts_third_people_for_the_mentee(api: Api, asker: tuple[str, str]) -> None:
    first = recommended(api, asker)[0]
    mine = api.client.get(f"/why/{first['id']}", headers={VIEWER_HEADER: asker[0]})
    own = api.data(EXPLAIN, viewer=asker[0], id=first["id"])["explainRecommendation"]
    assert mine.status_code == 200
    hidden = [path["cypher"] for path in first["paths"]]
    shown = [path["cypher"] for path in own["paths"] if path["cypher"]]
    assert [
        cypher
        for cypher in hidden
        if cypher.replace("'", "&#39;").replace(">", "&gt;").replace("<", "&lt;") in mine.text
    ] == shown
    other = api.client.get(f"/why/{first['id']}", headers={VIEWER_HEADER: first["mentor"]["id"]})
    assert other.status_code == 404
    assert api.client.get(f"/why/{first['id']}", headers={VIEWER_HEADER: "nobody"}).status_code == 400


def test_the_policy_of_the_page_is_strict_and_the_other_headers_are_as_everywhere(
    api: Api, asker: tuple[str, str]
) -> None:
    id = recommended(api, asker)[0]["id"]
    for path in (f"/why/{id}", f"/why/{UNKNOWN}"):
        headers = api.client.get(path).headers
        policy = dict(part.strip().split(maxsplit=1) for part in headers["content-security-policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
        }
        assert {name: headers[name] for name in SECURITY_HEADERS if name != "Content-Security-Policy"} == without(
            SECURITY_HEADERS, "Content-Security-Policy"
        )


def test_files_of_the_page_are_kept_by_browsers_for_good_and_change_their_name(
    api: Api, asker: tuple[str, str]
) -> None:
    loaded = Links(api.client.get(f"/why/{recommended(api, asker)[0]['id']}").text).loaded
    assert {address.split("/")[-1].split(".")[0] for address in loaded} == {"why", "icon", "cytoscape"}
    static = Path(__file__).parents[2] / "api" / "static"
    for address in set(loaded):
        answer = api.client.get(address)
        [name] = [name for name in FILES if name[0] == address[8] and name.endswith(address.rpartition(".")[2])]
        assert answer.headers["content-type"].startswith(FILES[name])
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.content == (static / name).read_bytes()
        plain = api.client.get(address, headers={"accept-encoding": "identity"})
        assert plain.content == answer.content
        assert "content-encoding" not in plain.headers
    for missing in ("why.css", "why.000000000000.css", "../app.py", "checksums.sha256"):
        assert api.client.get(f"/static/{missing}").status_code == 404


def test_an_id_that_is_none_and_an_unknown_one_get_a_page_with_404(api: Api) -> None:
    for id in (UNKNOWN, "nonsense", global_id("Person", read_global_id(UNKNOWN)[1]), "%F0%9F%92%A5"):
        answer = api.client.get(f"/why/{id}")
        assert answer.status_code == 404
        assert "<h1>Not found</h1>" in answer.text


def site_of(folder: Path) -> TestClient:
    from starlette.applications import Starlette

    routes: list[Route] = pages(DecisionLog(folder), as_coordinator)
    return TestClient(Starlette(routes=routes))


def kept(folder: Path) -> Slate:
    async def keep() -> Slate:
        async with DecisionLog(folder) as log:
            return await log.keep(slate_of(1))

    return asyncio.run(keep())


def test_a_log_that_cannot_be_read_is_a_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    id = global_id("Recommendation", kept(tmp_path).recommendations[0].uid)
    client = site_of(tmp_path)
    assert client.get(f"/why/{id}").status_code == 200

    def unreadable(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", unreadable)
        answer = client.get(f"/why/{id}")
    assert answer.status_code == 503
    assert "the decision log cannot be read" in answer.text
    [segment] = segments_in(tmp_path)
    segment.write_bytes(segment.read_bytes().replace(b'"rank":1', b'"rank":3'))
    answer = client.get(f"/why/{id}")
    assert answer.status_code == 503
    assert "was changed or is gone" in answer.text


def test_an_erased_person_leaves_a_page_of_numbers(tmp_path: Path) -> None:
    slate = kept(tmp_path)
    DecisionLog(tmp_path).keys.destroy(slate.asked.mentee)
    text = site_of(tmp_path).get(f"/why/{global_id('Recommendation', slate.recommendations[0].uid)}").text
    assert "Somebody in this record was erased" in text
    assert f"{slate.recommendations[0].score:.6f}" in text
    for word in ("Number1", "Foreign", "Mentor of"):
        assert word not in text
