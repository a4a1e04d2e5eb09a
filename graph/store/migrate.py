"""Brings the database to the model: numbered migrations, applied once, recorded with their hash.

Statements of one migration are separated by a line that holds nothing but a semicolon. Each is safe to repeat, so a
migration that was cut short is simply run again.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass

from neo4j.exceptions import ClientError

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import role_uid
from mentorgraph.graph.statements import FOLDER
from mentorgraph.graph.store.database import Database, DatabaseUnavailable, Transaction
from mentorgraph.graph.vocabulary import ROLES

OLDEST_SERVER = (5, 26)
ATTEMPTS = 8
WAIT_S = 0.1


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the model.

    Attributes:
        name: File name without its ending.
        statements: What it sends, in order.
        sha256: Hash of the file, in hexadecimal.
    """

    name: str
    statements: tuple[str, ...]
    sha256: str


def migrations() -> list[Migration]:
    """All migrations in the order in which they are applied."""
    found = []
    for path in sorted((FOLDER / "migrations").glob("*.cypher")):
        content = path.read_text("utf-8")
        parts = tuple(part.strip() for part in re.split(r"^;$", content, flags=re.MULTILINE))
        found.append(Migration(path.stem, parts, hashlib.sha256(content.encode()).hexdigest()))
    return found


async def _apply(database: Database, text: str) -> None:
    """Sends one statement of a migration, again where another process is just sending the same.

    Workers that start together all find the database empty. Neo4j then refuses what the other one does in this moment,
    `IF NOT EXISTS` or not.
    """
    for attempt in range(ATTEMPTS):
        try:
            await database.run_directly(text)
            return
        except (ClientError, DatabaseUnavailable) as error:
            of_schema = isinstance(error, DatabaseUnavailable) or str(error.code).startswith("Neo.ClientError.Schema")
            if not of_schema or attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(WAIT_S * (attempt + 1))


async def missing_migrations(database: Database) -> list[Migration]:
    """The migrations that a database lacks; nothing is changed.

    Raises:
        DomainError: `MIGRATION_CHANGED`, an applied file differs from the one that was recorded; `DATABASE_NEWER`, the
            database has a migration that this version does not know.
        DatabaseUnavailable: The server is older than Neo4j 5.26.
    """
    version = await database.server_version()
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST_SERVER:
        raise DatabaseUnavailable(f"the server is Neo4j {version}; mentorgraph needs 5.26 or newer")
    applied = {row["name"]: row["sha256"] for row in await database.read("read_migrations")}
    known = {each.name: each for each in migrations()}
    for name, sha256 in applied.items():
        if name not in known:
            raise DomainError(
                f"the database has migration {name}, which this version does not know; upgrade mentorgraph",
                code="DATABASE_NEWER",
            )
        if known[name].sha256 != sha256:
            raise DomainError(
                f"migration {name} differs from the one that was applied; restore its file and add a new migration",
                code="MIGRATION_CHANGED",
            )
    return [each for name, each in known.items() if name not in applied]


async def migrate(database: Database) -> list[str]:
    """Applies what is missing and returns the names of the migrations that were applied; none where all were.

    Raises:
        DomainError: As `missing_migrations`.
        DatabaseUnavailable: The server is older than Neo4j 5.26.
    """
    missing = await missing_migrations(database)
    for migration in missing:
        for text in migration.statements:
            await _apply(database, text)
    if missing:
        await database.run_directly("CALL db.awaitIndexes(120)", budget_s=130)

    async def record(transaction: Transaction) -> None:
        await transaction.run(
            "ensure_fixed_nodes",
            roles=[{"uid": role_uid(role), "name": role} for role in ROLES],
            kinds=["graph", *KINDS],
        )
        # Counting on by nothing locks the counter, so that processes that start together record a migration once.
        await transaction.run("next_change", count=0, kinds=["graph"])
        for migration in missing:
            await transaction.run("record_migration", name=migration.name, sha256=migration.sha256)

    await database.write(record)
    return [each.name for each in missing]
