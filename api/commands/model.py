"""`mentorgraph db migrate` and `mentorgraph db check`: the database and the model of mentorgraph."""

from collections import Counter
from collections.abc import Callable, Mapping

import click

from mentorgraph.api.commands.session import prepare_to_read, run
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.exchange.check import Violation, count_facts, graph_hash
from mentorgraph.graph.exchange.check import check as find_violations
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.migrate import migrate as apply_migrations
from mentorgraph.graph.store.store import Store


@click.command()
def migrate() -> None:
    """Bring the database to the model of this version.

    \b
    Example:
      mentorgraph db migrate

    Adds the constraints and indexes that are missing and changes no facts; done once, it does nothing. Commands that
    need it do it themselves.
    """  # noqa: D301 (click wants the backspace itself)

    async def work(database: Database, _show: Report) -> list[str]:
        return await apply_migrations(database)

    applied = run(work, if_interrupted="run it again to complete it")
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("The database is up to date; nothing was applied.")


@click.command()
def check() -> None:
    """Check every fact against the model and print the hash of the graph.

    \b
    Example:
      mentorgraph db check

    Reads everything: presence, type and range of every property, source and date of every relationship, links, dates
    that contradict each other, and whatever the model does not know. Two graphs with the same facts have the same hash.
    The exit status is 1 if anything is wrong.
    """  # noqa: D301 (click wants the backspace itself)

    async def work(database: Database, show: Report) -> tuple[list[Violation], dict[str, int], str]:
        await prepare_to_read(database)
        store = Store(database)
        counts = await count_facts(store)
        violations = await find_violations(store, on_progress=_facts_read(show, "Checking", counts))
        if violations:
            return violations, counts, ""
        return [], counts, await graph_hash(store, on_progress=_facts_read(show, "Hashing", counts))

    violations, counts, found_hash = run(work)
    if violations:
        click.echo(f"{'kind':<16} {'count':>10}  {'for example':<36}  what is wrong")
        for each in violations:
            click.echo(f"{each.kind:<16} {each.count:>10}  {each.example_uid:<36}  {each.rule}")
        raise click.ClickException(
            "the graph does not follow the model; each line says what is wrong with how many facts"
        )
    for kind, count in counts.items():
        click.echo(f"{kind:<16} {count:>10}")
    click.echo(f"{'facts':<16} {sum(counts.values()):>10}")
    click.echo(f"Every fact follows the model. Hash: {found_hash}")


def _facts_read(show: Report, doing: str, counts: Mapping[str, int]) -> Callable[[str, int], None]:
    """Adds up the facts of each kind that were read."""
    done: Counter[str] = Counter()

    def add(kind: str, facts: int) -> None:
        done[kind] += facts
        if done[kind] == counts[kind] or done[kind] % 1_000 == 0:
            show(f"{doing} {kind}", done[kind], counts[kind])

    return add
