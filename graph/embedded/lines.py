"""The two Neo4j lines that mentorgraph runs: the current one and the long-term one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError


@dataclass(frozen=True)
class Line:
    """One Neo4j line, pinned to a version.

    Attributes:
        name: How people choose it.
        version: The Neo4j version that its lock holds.
        main_class: The Java class that runs the server.
        settings: What only this line knows, as a server refuses to start on a name it does not know: stop at once
            instead of after 10 s, report nothing to anybody.
    """

    name: str
    version: str
    main_class: str
    settings: tuple[str, ...]

    def __str__(self) -> str:
        return f"Neo4j {self.version} ({self.name})"


CURRENT: Final = Line(
    "current",
    "2026.09.0",
    "org.neo4j.server.Neo4jCommunity",
    (
        "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration=0s",
        "dbms.fleet_manager.enabled=false",
        "server.fleet_discovery.enabled=false",
    ),
)
LTS: Final = Line(
    "lts",
    "5.26.31",
    "org.neo4j.server.CommunityEntryPoint",
    ("internal.dbms.bolt.netty_server_shutdown_quiet_period=0",),
)
LINES: Final = {line.name: line for line in (CURRENT, LTS)}


def chosen_line(environment: Mapping[str, str] = os.environ) -> Line:
    """The line that `MENTORGRAPH_NEO4J_LINE` names, the current one unless set.

    Raises:
        EmbeddedDatabaseError: If it names no line.
    """
    name = environment.get("MENTORGRAPH_NEO4J_LINE") or CURRENT.name
    if name not in LINES:
        raise EmbeddedDatabaseError(
            f"MENTORGRAPH_NEO4J_LINE is {name!r}; set it to one of {', '.join(LINES)}.", "start_failed"
        )
    return LINES[name]
