"""`mentorgraph why-not` and `mentorgraph policy`: which rules forbid a pair, and the limits that they keep."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mentorgraph.api.commands.answers import goal_line, name_of, node_as_json, print_json, refusal_as_json
from mentorgraph.api.commands.asking import ask, nodes_of, person_of, uid_given, viewer_of
from mentorgraph.api.commands.options import DATE
from mentorgraph.api.commands.session import sentences
from mentorgraph.api.ids import read_given_id
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.explaining.policies import PolicyTest, ProgrammePolicy, policy_of, set_policy, try_policy
from mentorgraph.graph.explaining.why_not import RANKED_LOWER, RECOMMENDED, WhyNot
from mentorgraph.graph.explaining.why_not import why_not as say_why_not
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.rules.policy import chosen_policy, draft_text, load_policy, read_draft, settings_of
from mentorgraph.graph.store.store import NodeRecord
from mentorgraph.graph.viewer import COORDINATOR

SHOWN_CHANGES = 20

_source = click.option(
    "--source",
    default="bundle",
    show_default=True,
    metavar="NAME",
    help="The system that the keys among ids belong to.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_programme = click.option("--programme", required=True, metavar="ID", help="The programme.")
_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command("why-not")
@click.option("--mentee", required=True, metavar="ID", help="The person who seeks a mentor.")
@click.option("--mentor", required=True, metavar="ID", help="The mentor in question.")
@click.option("--goal", metavar="ID", help="One of the mentee's goals; the latest open one if not given.")
@click.option("--programme", metavar="ID", help="The programme whose rules count; the mentee's only one if not given.")
@click.option(
    "--first", type=click.IntRange(1, MOST), default=10, show_default=True, metavar="N", help="Length of the list."
)
@click.option("--as-of", type=DATE, metavar="DATE", help="Judge by what was known before this day, not by now.")
@_as_json
@click.option("--viewer", metavar="ID", help="Answer as this person may see it.")
@_source
def why_not(
    mentee: str,
    mentor: str,
    goal: str | None,
    programme: str | None,
    first: int,
    as_of: datetime | None,
    as_json: bool,
    viewer: str | None,
    source: str,
) -> None:
    """Say why a mentor is not in the list for a person: the rules that forbid the pair, or the rank and the gap.

    \b
    Example:
      mentorgraph why-not --mentee p-0042 --mentor p-0007
      mentorgraph why-not --mentee "Ada Lind" --mentor "Bo Ek" --goal g-0107 --json

    Whom no rule forbids has a rank among all who may be recommended; the gap to the last one in the list is told signal
    by signal. A rule whose facts are not known forbids nobody and is listed as not judged.
    """  # noqa: D301 (click wants the backspace itself)

    async def work(recommender: Recommender, _show: Report) -> tuple[str, WhyNot, dict[str, NodeRecord]]:
        who = await person_of(recommender, mentee, source, "--mentee")
        found = await say_why_not(
            recommender,
            await viewer_of(recommender, viewer, source),
            who,
            await person_of(recommender, mentor, source, "--mentor"),
            uid_given(goal, "goals", source),
            first=first,
            as_of=as_of,
            programme=uid_given(programme, "programmes", source),
        )
        return who, found, await nodes_of(recommender, [who, found.goal, found.mentor, found.last_shown], as_of)

    who, found, nodes = ask(work)
    if as_json:
        print_json(_why_not_as_json(found, nodes))
        return
    console = Console(highlight=False)
    console.print(Text(f"{name_of(nodes, found.mentor)} for {name_of(nodes, who)}", style="bold"), soft_wrap=True)
    if found.goal:
        console.print(Text(goal_line(found.goal, nodes)), soft_wrap=True)
    if found.blockers:
        console.print(
            _rows(
                ("forbidden by", "what is the case", "what would lift it"),
                [(each.rule, each.fact, each.remedy) for each in found.blockers],
            )
        )
        if found.available_from is not None:
            console.print(f"Free from {plain(found.available_from)} on, as far as is known.", soft_wrap=True)
    elif found.verdict == RECOMMENDED:
        console.print(f"Recommended: rank {found.rank}, score {found.score:.4f}.")
    elif found.verdict == RANKED_LOWER:
        last = name_of(nodes, found.last_shown)
        console.print(f"Allowed: rank {found.rank}, score {found.score:.4f}.", soft_wrap=True)
        console.print(Text(f"Missing to {last}, the last of {found.first}:"), soft_wrap=True)
        rows = [(each.signal, f"{each.missing:z.6f}") for each in found.gap]
        console.print(_rows(("signal", "missing"), [*rows, ("sum", f"{sum(each.missing for each in found.gap):.6f}")]))
    for each in found.unjudged:
        console.print(Text(f"Not judged: {each.rule}, since {each.fact}."), soft_wrap=True)
    console.print(f"model {found.model_version}, policy {found.policy_version}", soft_wrap=True)


@click.group()
def policy() -> None:
    """Set the rules' limits for a programme, and see whom a draft would allow."""


@policy.command()
@_file
def check(file: Path) -> None:
    """Check the policy file of a programme, without a database.

    \b
    Example:
      mentorgraph policy check peers.toml

    Says what is wrong with it in one sentence that names the key, or prints it in the form in which it is kept.
    """  # noqa: D301
    with sentences():
        draft = read_draft(_text(file), file.name)
        load_policy(chosen_policy()).within("", draft)
    click.echo(draft_text(draft), nl=False)


@policy.command("set")
@_file
@_programme
@_source
def set_(file: Path, programme: str, source: str) -> None:
    """Set the policy of a programme from a file; the version that holds ends, and stays readable.

    \b
    Example:
      mentorgraph policy set peers.toml --programme pr-03

    An empty file takes the programme's own policy away.
    """  # noqa: D301

    async def work(recommender: Recommender, _show: Report) -> ProgrammePolicy:
        uid, base = _programme_uid(programme, source), recommender.scorer.policy
        await set_policy(recommender.store, COORDINATOR, uid, _text(file), base, source=source)
        return await policy_of(recommender.store, uid, base)

    click.echo(f"policy {ask(work).policy.version}")


@policy.command()
@_programme
@_source
def show(programme: str, source: str) -> None:
    """Show all limits that count in a programme.

    \b
    Example:
      mentorgraph policy show --programme pr-03
    """  # noqa: D301
    found = ask(lambda recommender, _show: _read(recommender, programme, source))
    own = read_draft(found.draft).rules
    console = Console(highlight=False)
    rows = [(key, value, "this programme" if key in own else "") for key, value in settings_of(found.policy.rules)]
    console.print(_rows(("setting", "value", "set by"), rows))
    console.print(f"policy {found.policy.version}", soft_wrap=True)


@policy.command()
@_programme
@_source
def history(programme: str, source: str) -> None:
    """Show all versions of the policy of a programme, the oldest first.

    \b
    Example:
      mentorgraph policy history --programme pr-03
    """  # noqa: D301
    found = ask(lambda recommender, _show: _read(recommender, programme, source))
    for each in found.versions:
        until = each.properties.get("until")
        click.echo(f"# from {plain(each.properties['since'])}" + (f" to {plain(until)}" if until else ""))
        click.echo(each.properties["content"])
    click.echo(f"versions {len(found.versions)}")


@policy.command("dry-run")
@_file
@_programme
@_as_json
@_source
def dry_run(file: Path, programme: str, as_json: bool, source: str) -> None:
    """Tell which pairs a policy file would allow or forbid in a programme; nothing is written.

    \b
    Example:
      mentorgraph policy dry-run peers.toml --programme pr-03

    Judged are all mentees of the programme with all mentors.
    """  # noqa: D301

    async def work(recommender: Recommender, show: Report) -> tuple[list[PolicyTest], dict[str, NodeRecord]]:
        uid, text, after = _programme_uid(programme, source), _text(file), ""
        pages: list[PolicyTest] = []
        while not pages or pages[-1].has_next:
            pages.append(await try_policy(recommender, COORDINATOR, uid, text, after=after))
            after = pages[-1].mentees[-1] if pages[-1].mentees else ""
            show("Judging pairs", sum(len(each.mentees) for each in pages), 0)
        people = {uid for each in pages for change in each.changes for uid in (change.mentee, change.mentor)}
        return pages, await nodes_of(recommender, people, None)

    pages, nodes = ask(work)
    changes = [change for each in pages for change in each.changes]
    counted = {name: sum(getattr(each, name) for each in pages) for name in ("pairs", "gained", "lost")}
    if as_json:
        told = [{**asdict(each), "rules": [refusal_as_json(rule) for rule in each.rules]} for each in changes]
        print_json({**counted, "policyVersion": pages[0].policy_version, "changes": told})
        return
    rows = [
        (
            "gains" if each.gains else "loses",
            name_of(nodes, each.mentee),
            name_of(nodes, each.mentor),
            ", ".join(rule.rule for rule in each.rules),
        )
        for each in changes[:SHOWN_CHANGES]
    ]
    if rows:
        Console(highlight=False).print(_rows(("", "mentee", "mentor", "rules"), rows))
    click.echo(f"pairs {counted['pairs']}, gained {counted['gained']}, lost {counted['lost']}; nothing was written")


async def _read(recommender: Recommender, programme: str, source: str) -> ProgrammePolicy:
    return await policy_of(recommender.store, _programme_uid(programme, source), recommender.scorer.policy)


def _programme_uid(text: str, source: str) -> str:
    return read_given_id(text, "programmes", source).uid


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise DomainError(f"policy {file.name}: is not UTF-8", code="BAD_POLICY") from error


def _rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold", justify="right" if heading == "missing" else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _why_not_as_json(found: WhyNot, nodes: dict[str, NodeRecord]) -> dict[str, object]:
    """The answer under the names that GraphQL gives its parts."""
    return {
        "verdict": found.verdict.upper(),
        "blockers": [refusal_as_json(each) for each in found.blockers],
        "unjudged": [{"rule": each.rule, "fact": each.fact} for each in found.unjudged],
        "goal": node_as_json("Goal", found.goal, nodes),
        "mentor": node_as_json("Person", found.mentor, nodes),
        "score": found.score,
        "rank": found.rank,
        "first": found.first,
        "lastShown": node_as_json("Person", found.last_shown, nodes),
        "gap": [asdict(each) for each in found.gap],
        "modelVersion": found.model_version,
        "policyVersion": found.policy_version,
        "availableFrom": found.available_from,
    }
