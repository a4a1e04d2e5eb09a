"""`mentorgraph taxonomy`: skills as others publish them."""

from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from mentorgraph.api.commands.bundle import outcomes_of
from mentorgraph.api.commands.refusals import Refusals, rows_done
from mentorgraph.api.commands.session import prepare_to_read, run, sentences
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.exchange.bundle import ImportResult
from mentorgraph.graph.exchange.taxonomy_files import import_taxonomy, open_taxonomy
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store


@click.group()
def taxonomy() -> None:
    """Read skills that others publish.

    Coordinators change the taxonomy over GraphQL: propose, approve, merge, split and deprecate skills.
    """


@taxonomy.command("import")
@click.argument("path", metavar="FILE_OR_DIR", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@click.option(
    "--report",
    type=click.File("w", encoding="utf-8", lazy=True),
    metavar="FILE.csv",
    help="Write every refused row with its reason and remedy to FILE.csv.",
)
@click.option(
    "--source", default="", metavar="NAME", help="The system that the ids belong to; esco or taxonomy if not given."
)
@click.option("--cluster", default="", metavar="NAME", help="Cluster of the skills of which the file tells none.")
def import_(path: Path, dry_run: bool, report: TextIO | None, source: str, cluster: str) -> None:
    """Read a taxonomy: the folder of ESCO's files, or one CSV file that states a tree.

    \b
    Example:
      mentorgraph taxonomy import esco --dry-run
      mentorgraph taxonomy import our-skills.csv --source ours --cluster technical

    A folder holds skills_en.csv and, where wanted, skillGroups_en.csv, skillsHierarchy_en.csv,
    broaderRelationsSkillPillar_en.csv and skillSkillRelations_en.csv, in any language, plain or as .csv.gz. A CSV file
    has a column for the id and one for the name of a skill, and may have parent_id, aliases, kind, tier and cluster.
    Importing again changes only what differs.

    The last line counts the rows that were created, changed, ended and refused; the exit status is 1 if any was
    refused.
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        opened = open_taxonomy(path, source=source, cluster=cluster)
    tables = {each.table.name: each.table for each in opened.tables}
    totals = {name: sum(each.table.count for each in opened.tables if each.table.name == name) for name in tables}
    refusals = Refusals(report)

    async def work(database: Database, show: Report) -> ImportResult:
        await (prepare_to_read(database) if dry_run else migrate(database))
        return await import_taxonomy(
            Store(database),
            opened,
            dry_run=dry_run,
            on_refusal=refusals.add,
            on_progress=rows_done(show, totals, ending=""),
        )

    result = run(work, if_interrupted="what was written is whole, and a repeated import completes it")
    Console().print(outcomes_of(tables, result))
    for notice in dict.fromkeys(notice for each in opened.tables for notice in each.table.notices):
        click.echo(f"Notice: {notice}")
    refusals.show()
    if opened.notice:
        click.echo(opened.notice)
    if dry_run:
        click.echo("Dry run: nothing was written.")
    total = result.total
    click.echo(", ".join(f"{outcome} {total[outcome]}" for outcome in ("created", "changed", "ended", "refused")))
    if total["refused"]:
        click.get_current_context().exit(1)
