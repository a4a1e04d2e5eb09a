"""Migrations: applied once, recorded with their hash, and safe to repeat."""

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.store import migrate as migrate_module
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.store.migrate import migrate, migrations
from mentorgraph.graph.store.store import Changes, Store
from mentorgraph.graph.vocabulary import ROLES

pytestmark = pytest.mark.anyio

RESTORE = "MATCH (migration:Migration) DELETE migration"


def test_migrations_have_a_number_each() -> None:
    """Numbers may be left out, so that work that goes on side by side does not take the same one."""
    numbers = [int(each.name[:4]) for each in migrations()]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 1


async def test_a_second_time_nothing_is_applied(store: Store) -> None:
    recorded = await store.database.read("read_migrations")
    assert [(row["name"], row["sha256"]) for row in recorded] == [(each.name, each.sha256) for each in migrations()]
    assert await migrate(store.database) == []


async def test_a_migration_that_was_cut_short_is_applied_again(store: Store) -> None:
    await store.database.run_directly(RESTORE)
    assert await migrate(store.database) == [each.name for each in migrations()]
    assert await migrate(store.database) == []


async def test_a_changed_file_is_an_error(store: Store) -> None:
    await store.database.run_directly("MATCH (migration:Migration) SET migration.sha256 = 'another'")
    with pytest.raises(DomainError, match="migration 0001_model differs") as caught:
        await migrate(store.database)
    assert caught.value.code == "MIGRATION_CHANGED"
    await store.database.run_directly(RESTORE)
    await migrate(store.database)


async def test_a_database_of_a_newer_version_is_an_error(store: Store) -> None:
    await store.database.run_directly("CREATE (:Migration {name: '9999_future', sha256: ''})")
    with pytest.raises(DomainError, match="upgrade mentorgraph") as caught:
        await migrate(store.database)
    assert caught.value.code == "DATABASE_NEWER"
    await store.database.run_directly(RESTORE)
    await migrate(store.database)


async def test_a_server_that_is_too_old_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate_module, "OLDEST_SERVER", (9999, 0))
    with pytest.raises(DatabaseUnavailable, match=r"mentorgraph needs 5\.26 or newer"):
        await migrate(store.database)


async def test_roles_and_counters_exist_and_counters_keep_their_value(store: Store) -> None:
    await store.database.run_directly("MATCH (counter:ChangeCounter) SET counter.value = 7")
    before = await store.read_changes()
    await migrate(store.database)
    assert sorted(row["name"] for row in await store.read_roles()) == sorted(ROLES)
    assert await store.read_changes() == before == Changes(before.lineage, 7, dict.fromkeys(KINDS, 7))


async def test_every_label_and_type_of_the_model_has_unique_uids_and_an_order_of_changes(store: Store) -> None:
    constraints = await store.database.run_directly("SHOW CONSTRAINTS")
    unique = {(row["labelsOrTypes"][0], *row["properties"]) for row in constraints}
    indexes = await store.database.run_directly("SHOW INDEXES")
    ordered = {row["labelsOrTypes"][0] for row in indexes if row["properties"] == ["changed"]}
    types = {link.type for kind in KINDS.values() for link in kind.links if link.type}
    labels = {kind.label for kind in KINDS.values()}
    assert {(name, "uid") for name in labels | types} <= unique
    assert {(kind.label, "source", "external_id") for kind in KINDS.values() if kind.has_id} <= unique
    assert ordered == labels
