"""What docs/front-end.md shows: its operations are answered, and real clients ask, tell and follow with them."""

import asyncio
import json
import shutil
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import uvicorn
from graphql import OperationType, build_schema, get_operation_ast, parse, validate

from mentorgraph.api.app import app_of
from mentorgraph.api.context import Service, recommender_on
from mentorgraph.api.examples import Example, examples_in
from mentorgraph.api.limits import Limits
from mentorgraph.api.server import PunctualProtocol, PunctualWebSocket, listen
from mentorgraph.graph.decisions.log import FOLDER, DecisionLog
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.world.tables import World

from .conftest import Api, asked, connected, fill
from .test_subscriptions import mentee_of, subscriber

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "docs" / "front-end.md", ROOT / "docs" / "subscriptions.md")
EXAMPLES = [example for page in PAGES for example in examples_in(page.read_text("utf-8"))]
CLIENT = ROOT / "docs" / "examples" / "typescript"
OWN = shutil.ignore_patterns("node_modules", "build", "operations.ts")


def kind_of(example: Example) -> OperationType:
    operation = get_operation_ast(parse(example.text))
    assert operation
    return operation.operation


def named(*kinds: OperationType) -> pytest.MarkDecorator:
    found = [example for example in EXAMPLES if kind_of(example) in kinds]
    return pytest.mark.parametrize("example", found, ids=lambda example: example.name)


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase, world: World) -> Iterator[Api]:
    """A client of the application on a database that holds the world, of which tests here change something."""
    asyncio.run(fill(server, world))
    with asked(server) as asking:
        yield asking


@pytest.fixture(scope="module")
def values(api: Api, world: World, gid: Callable[[str, str], str]) -> dict[str, Any]:
    """A value for each variable of the examples."""
    mentee = mentee_of(world, gid)
    listed = api.data(
        "query ($id: ID!) { recommendMentors(menteeId: $id) { edges { node { mentor { id } } } } }", id=mentee
    )["recommendMentors"]["edges"]
    return {
        "menteeId": mentee,
        "personId": mentee,
        "id": mentee,
        "mentorId": listed[-1]["node"]["mentor"]["id"],
        "goalId": None,
        "first": 3,
        "after": None,
    }


def inputs(name: str, values: dict[str, Any]) -> dict[str, object]:
    """The input of each mutation of the page."""
    consent = {"consents": ["MATCHING"], "consentTextVersion": "1"}
    return {
        "RegisterMentor": {"name": "Rita", "roles": ["MENTOR"], **consent},
        "AskMentor": {"menteeId": values["menteeId"], "mentorId": values["mentorId"]},
    }[name]


def test_the_page_shows_each_kind_of_operation_and_all_fit_the_schema() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text("utf-8"))
    assert {kind_of(example) for example in EXAMPLES} == set(OperationType)
    assert [example.name for example in EXAMPLES if validate(schema, parse(example.text))] == []


@named(OperationType.QUERY, OperationType.MUTATION)
def test_a_query_or_mutation_of_the_page_is_answered(example: Example, api: Api, values: dict[str, Any]) -> None:
    given: dict[str, Any] = {
        name: inputs(example.name, values) if name == "input" else values[name] for name in example.variables
    }
    data = api.data(example.text, **given)
    [answer] = data.values()
    assert answer
    assert answer.get("userErrors", []) == []


@named(OperationType.SUBSCRIPTION)
def test_a_subscription_of_the_page_begins(example: Example, api: Api, values: dict[str, Any]) -> None:
    with subscriber(api) as own:
        own.follow(example.text, **{name: values[name] for name in example.variables})
        assert own.ask("{ __typename }") == {"__typename": "Query"}  # it was not refused


# --- with Node --------------------------------------------------------------------------------------------------------


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example client in a folder of its own, with the packages of its lock and the types of its operations."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    root = tmp_path_factory.mktemp("front-end")
    folder = root / "docs" / "examples" / "typescript"
    shutil.copytree(CLIENT, folder, ignore=OWN)
    shutil.copy(ROOT / "schema.graphql", root)
    shutil.copy(PAGES[0], root / "docs")
    fetched = run(folder, npm, "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
    if fetched.returncode and any(word in fetched.stderr for word in ("ENOTFOUND", "EAI_AGAIN", "ECONN", "ETIMEDOUT")):
        pytest.skip("the packages of the client cannot be fetched")
    assert fetched.returncode == 0, fetched.stderr
    generated = run(folder, npm, "run", "--silent", "generate")
    assert generated.returncode == 0, generated.stderr
    return folder


@pytest.fixture
def url(server: EmbeddedDatabase, world: World) -> Iterator[str]:
    """Where the application answers on a port, as `serve` sets it up."""
    asyncio.run(fill(server, world))

    @asynccontextmanager
    async def opening(_report: Report) -> AsyncIterator[Recommender]:
        async with connected(server) as database:
            yield await recommender_on(database)

    app = app_of(Service(opening), DecisionLog(server.home / FOLDER), Limits(execution_s=60))
    listener = listen("127.0.0.1", 0)
    served = uvicorn.Server(uvicorn.Config(app, http=PunctualProtocol, ws=PunctualWebSocket, log_config=None))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listener]})
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        deadline = time.monotonic() + 60
        while not is_ready(address):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield f"{address}/graphql"
    finally:
        served.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


def is_ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=10) as answer:  # noqa: S310 (our own loopback address)
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_example_client_is_typed_and_a_wrong_type_is_seen(client: Path) -> None:
    checked = run(client, "npx", "tsc", "--noEmit")
    assert checked.returncode == 0, checked.stdout
    wrong = client / "src" / "wrong.ts"
    wrong.write_text(
        "import { connect } from './client.js'\nimport { OneThingDocument } from './operations.js'\n"
        "await connect('').apollo.query({ query: OneThingDocument, variables: { id: 1 } })\n"
    )
    try:
        checked = run(client, "npx", "tsc", "--noEmit")
    finally:
        wrong.unlink()
    assert checked.returncode != 0
    assert "src/wrong.ts(3," in checked.stdout
    assert "Type 'number' is not assignable to type 'string'." in checked.stdout


def test_real_clients_ask_tell_and_follow_alike(
    client: Path, url: str, world: World, gid: Callable[[str, str], str]
) -> None:
    built = run(client, "npm", "run", "--silent", "build")
    assert built.returncode == 0, built.stdout
    toured = run(client, "node", "build/tour.js", url, mentee_of(world, gid))
    assert toured.returncode == 0, toured.stderr
    told = json.loads(toured.stdout)
    assert told["followed"] == ["apollo", "urql", "relay", "graphql-ws", "graphql-sse"]
    assert told["refused"] == ["CONFLICT"]
