"""What all tests share: the Neo4j line that they run on."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--line", choices=("current", "lts"), default="current", help="the Neo4j line to test on")


@pytest.fixture(scope="session")
def line(request: pytest.FixtureRequest) -> str:
    """The name of the Neo4j line under test."""
    return str(request.config.getoption("--line"))
