"""GraphiQL in Chromium: it reads the schema and asks, under a policy that lets nothing else run."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import sync_playwright
from starlette.testclient import TestClient

from mentorgraph.api.app import app_of, create_app
from mentorgraph.api.context import Service, recommender_of
from mentorgraph.api.graphiql import FILES, graphiql
from mentorgraph.api.limits import Limits
from mentorgraph.api.settings import ServeSettings
from mentorgraph.graph.decisions.log import DecisionLog

from .test_endpoint import World, no_context, ready, small_schema
from .test_why_in_a_browser import CHROMIUM, chromium_or_skip


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = create_app(
        small_schema(World()),
        context=no_context,
        ready=ready,
        limits=Limits(allows_introspection=True, execution_s=60),
        pages=graphiql(),
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_a_query_is_asked_and_the_schema_is_read_without_any_other_host(address: str) -> None:
    executable = chromium_or_skip(CHROMIUM, os.environ)
    troubles: list[str] = []
    loaded: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: loaded.append(request.url))
        page.goto(f"{address}/graphiql?query=" + "%7B%20hello%20%7D")
        editor = page.locator(".graphiql-query-editor .CodeMirror")
        editor.wait_for()
        page.evaluate(
            "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror"
            ".setValue('{ hello(name: \"Ada\") }')"
        )
        page.get_by_role("button", name="Execute query").click()
        page.locator(".result-window", has_text="Hello Ada").wait_for()
        page.get_by_role("button", name="Show Documentation Explorer").click()
        page.locator(".graphiql-doc-explorer", has_text="Query").wait_for()
        browser.close()
    assert troubles == []
    assert {url.split("/")[2] for url in loaded if not url.startswith("data:")} == {address.split("/")[2]}
    assert {url.rpartition("/")[2] for url in loaded} > set(FILES)


@pytest.mark.parametrize(("demo", "status"), [(True, 200), (False, 404)])
def test_it_is_there_in_development_only(demo: bool, status: int, tmp_path: Path) -> None:
    service = Service(partial(recommender_of, tmp_path))
    app = app_of(service, DecisionLog(tmp_path), serving=ServeSettings(demo=demo))
    client = TestClient(app, base_url="http://localhost")  # not entered: no database is started
    assert client.get("/graphiql").status_code == status
    assert client.get("/graphiql/graphiql.min.js").status_code == status
    assert client.get("/graphiql/checksums.sha256").status_code == 404
