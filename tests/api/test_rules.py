"""Why not and policies over GraphQL and from the shell: the page as it stands, and what is refused."""

import asyncio
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.rules.evaluator import FIRM, RULES
from mentorgraph.graph.rules.policy import load_policy, read_draft, settings_of
from mentorgraph.graph.store.store import Store

from .conftest import Api, asked, connected, fill
from .pages import DOCS, play
from .test_pairings import register, tell
from .test_programmes import create, error, mutation

PAGE = (DOCS / "rules.md").read_text("utf-8")
ENROL = mutation("enrol", "person { id }")
SET = mutation("setPolicy", "policy { version draft history { draft since until } }")
WHY = (
    "query ($mentee: ID!, $mentor: ID!) { whyNot(menteeId: $mentee, mentorId: $mentor) { verdict blockers { rule } } }"
)
MATCH = """
query ($mentee: ID!, $mentor: ID!, $programme: ID) {
  explainMatch(menteeId: $mentee, mentorId: $mentor, programmeId: $programme) {
    policyVersion refusals { rule fact } unjudged { rule fact }
  }
}
"""
TRY = "query ($id: ID!, $draft: String!) { testPolicy(programmeId: $id, draft: $draft) { pairs } }"
DRAFT = "[rules]\nmembers_only = true\n"
SINCE = "2025-01-01"


@pytest.fixture
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    """An application on an empty database."""
    asyncio.run(fill(server, None))
    with asked(server) as asking:
        yield asking


def test_the_page_of_rules_names_every_rule_setting_and_star() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)`( \*)? \|", PAGE, re.MULTILINE)
    assert [name for name, _ in rows] == [rule.name for rule in RULES]
    assert {name for name, star in rows if star} == FIRM
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {name for name, _ in settings_of(load_policy().rules)} - named == {"max_mentees"}
    [example] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert read_draft(example).name == tomllib.loads(example)["name"] == "peers"


def test_the_page_of_rules_works(api: Api) -> None:
    ada, ben, bo = register(api, "Ada", "MENTOR"), register(api, "Ben", "MENTOR"), register(api, "Bo", "MENTEE")
    programme = create(api)
    for person, role in ((bo, "MENTEE"), (ada, "MENTOR")):
        assert tell(api, ENROL, personId=person, programmeId=programme, role=role)["userErrors"] == []
    values = {"programme": programme, "draft": DRAFT, "mentee": bo, "mentor": ben}
    answers = play(api, DOCS / "rules.md", values)
    tried = answers["TryIt"]["testPolicy"]
    assert (tried["pairs"], tried["gained"], tried["lost"], tried["hasNext"], tried["endCursor"]) == (
        2,
        0,
        1,
        False,
        bo,
    )
    assert [(each["gains"], each["mentor"]["name"], each["rules"][0]["rule"]) for each in tried["changes"]] == [
        (False, "Ben", "NOT_ENROLLED")
    ]
    assert [each["name"] for each in tried["mentorsLost"]["nodes"]] == ["Ben"]
    version = answers["SetIt"]["setPolicy"]["policy"]["version"]
    read = answers["ReadIt"]["policy"]
    assert (tried["policyVersion"], read["version"], read["draft"]) == (version, version, DRAFT)
    assert {"name": "members_only", "value": "true"} in read["settings"]
    found = answers["WhyNotHim"]["whyNot"]
    assert (found["verdict"], found["policyVersion"], found["rank"], found["gap"]) == ("FORBIDDEN", version, None, [])
    assert found["blockers"] == [
        {"rule": "NOT_ENROLLED", "fact": "is not enrolled in this programme as a mentor", "remedy": "enrol them"}
    ]
    assert "NO_LANGUAGE" in [each["rule"] for each in found["unjudged"]]
    match = api.data(MATCH, mentee=bo, mentor=ben)["explainMatch"]
    assert (match["policyVersion"], [each["rule"] for each in match["refusals"]]) == (version, ["NOT_ENROLLED"])
    own = api.data(MATCH, viewer=bo, mentee=bo, mentor=ben)["explainMatch"]
    assert ([each["rule"] for each in own["refusals"]], own["unjudged"]) == (["NOT_AVAILABLE"], [])
    assert api.data(WHY, viewer=bo, mentee=bo, mentor=ben)["whyNot"]["blockers"] == [{"rule": "NOT_AVAILABLE"}]
    assert api.refusal(WHY, viewer=ada, mentee=bo, mentor=ben) == ("FORBIDDEN", None)
    assert api.data(WHY, mentee=bo, mentor=ada)["whyNot"] == {"verdict": "RECOMMENDED", "blockers": []}
    api.data(WHY, mentee=bo, mentor=ada)
    assert api.statements == ["read_changes"]


def test_a_policy_that_cannot_be_is_an_error_of_the_input_and_the_old_one_stays(api: Api) -> None:
    programme = create(api)
    assert tell(api, SET, programmeId=programme, draft=DRAFT)["userErrors"] == []
    told = tell(api, SET, programmeId=programme, draft="[rules]\nmax_mentes = 1")
    [refused] = told["userErrors"]
    assert (told["policy"], refused["code"], refused["field"]) == (None, "BAD_POLICY", ["input", "draft"])
    assert refused["message"].startswith("policy draft: rules.max_mentes is not known; the keys are ")
    read = "query ($id: ID!) { policy(programmeId: $id) { draft history { draft until } } }"
    assert api.data(read, id=programme)["policy"] == {"draft": DRAFT, "history": [{"draft": DRAFT, "until": None}]}
    bo = register(api, "Bo", "MENTEE")
    assert error(api, SET, bo, programmeId=programme, draft="") == ("FORBIDDEN", "input")

    assert api.refusal(TRY, id=programme, draft="x") == ("BAD_POLICY", "draft")
    assert api.refusal(TRY, viewer=bo, id=programme, draft="x")[0] == "FORBIDDEN"


# --- from the shell ---------------------------------------------------------------------------------------------------

ROWS = {
    "units": [{"id": "u", "name": "Unit"}],
    "skills": [{"id": "s", "name": "Skill"}],
    "programmes": [{"id": "pr-01", "name": "Peers", "format": "peer", "since": SINCE}],
    "people": [{"id": f"p-0{n}", "name": name, "joined_on": SINCE} for n, name in ((1, "Bo"), (2, "Ben"), (3, "Ada"))],
    "roles": [{"person_id": person, "role_id": "mentor", "since": SINCE} for person in ("p-02", "p-03")],
    "consents": [
        {"person_id": f"p-0{n}", "purpose": "matching", "text_version": "1", "since": SINCE} for n in (1, 2, 3)
    ],
    "goals": [{"id": "g", "person_id": "p-01", "title": "Learn", "created_on": SINCE}],
    "pairings": [],
    "profiles": [
        {"person_id": "p-01", "grade": "junior", "since": SINCE},
        {"person_id": "p-02", "grade": "principal", "since": SINCE},
        {"person_id": "p-03", "grade": "senior", "since": SINCE},
    ],
    "memberships": [
        {"person_id": "p-01", "programme_id": "pr-01", "role": "mentee", "since": SINCE},
        {"person_id": "p-03", "programme_id": "pr-01", "role": "mentor", "since": SINCE},
    ],
}


@pytest.fixture
def shell(emptied: EmbeddedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the file of the page, and a database with three people."""

    async def put() -> None:
        async with connected(emptied) as database:
            await import_bundle(Store(database), bundle_of(ROWS), source="bundle")

    asyncio.run(put())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    [example] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "peers.toml").write_text(example, "utf-8")
    return tmp_path


def run(line: str) -> Result:
    return CliRunner().invoke(main, shlex.split(line)[1:])


def test_the_commands_of_the_page_work(shell: Path) -> None:
    [block] = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    results = [run(line) for line in block.splitlines()]
    assert [each.exit_code for each in results] == [0] * 6, [each.output for each in results]
    check, dry_run, _, show, history, why = [each.stdout for each in results]
    assert check == (shell / "peers.toml").read_text("utf-8")
    # Ada stands two levels above Bo, and one is allowed among peers until the file allows two; Ben stands four above.
    assert "pairs 2, gained 1, lost 0; nothing was written" in dry_run
    assert re.search(r"gains.*Bo.*Ada.*LEVEL_DISTANCE", dry_run)
    assert re.search(r"most_level_distance.*2.*this programme", show)
    assert history.startswith("# from ")
    assert history.endswith("versions 1\n")
    assert "NOT_ENROLLED" in why
    assert "the mentor stands 4 levels above the mentee" in why.replace("\n", " ")
    found = json.loads(run("mentorgraph why-not --mentee p-01 --mentor p-03 --json").stdout)
    assert (found["verdict"], found["rank"], found["blockers"]) == ("RECOMMENDED", 1, [])
    assert found["policyVersion"].startswith("peers@")
    told = json.loads(run("mentorgraph policy dry-run peers.toml --programme pr-01 --json").stdout)
    assert (told["pairs"], told["gained"], told["lost"], told["changes"]) == (2, 0, 0, [])


def test_a_file_that_cannot_be_is_said_in_one_sentence(shell: Path) -> None:
    (shell / "peers.toml").write_text("[rules]\nleast_mentor_tier = 10", "utf-8")
    for line in ("check peers.toml", "set peers.toml --programme pr-01", "dry-run peers.toml --programme pr-01"):
        result = run(f"mentorgraph policy {line}")
        assert result.exit_code == 1
        assert result.stderr.endswith(": rules.least_mentor_tier must be at most 9\n"), result.stderr
    assert run("mentorgraph policy history --programme pr-01").stdout == "versions 0\n"
