"""`mentorgraph recommend` and `mentorgraph explain`: what GraphQL answers, asked from a shell."""

import csv
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mentorgraph.api.commands.answers import (
    chance_line,
    compared_as_json,
    contributions_table,
    explanation_as_json,
    goal_line,
    mentees_as_json,
    name_of,
    path_lines,
    print_comparison,
    print_json,
    print_mentees,
    slate_as_json,
)
from mentorgraph.api.commands.asking import ask, nodes_of, person_of, uid_given, viewer_of
from mentorgraph.api.commands.list_options import list_options, options_of
from mentorgraph.api.commands.options import DATE
from mentorgraph.api.commands.session import sentences
from mentorgraph.api.ids import GivenId, read_given_id
from mentorgraph.graph.decisions.log import FOLDER, DecisionLog
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.exchange.table_files import BundleError, open_table
from mentorgraph.graph.explaining.comparing import Compared, compare
from mentorgraph.graph.facts.model import InvalidFact
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking.batch import RankedGoal, rank_for_goals
from mentorgraph.graph.ranking.cautions import CAUTIONS
from mentorgraph.graph.ranking.listing import Recommendation, Slate
from mentorgraph.graph.ranking.matching import Explanation, Recommender
from mentorgraph.graph.ranking.meeting import ASYNC
from mentorgraph.graph.ranking.mentees import MenteeList, recommend_mentees
from mentorgraph.graph.ranking.options import DEFAULT, NO_MIX
from mentorgraph.graph.store.store import NodeRecord
from mentorgraph.graph.viewer import COORDINATOR

SHOWN_REASONS = 3
SHOWN_PATHS = 5
ID_COLUMNS = ("goal_id", "id")
OUTPUT_COLUMNS = ("goal_id", "rank", "mentor_id", "score")

_as_of = click.option(
    "--as-of", type=DATE, metavar="DATE", help="Judge mentors by what was known before this day, not by now."
)
_source = click.option(
    "--source",
    default="bundle",
    show_default=True,
    metavar="NAME",
    help="The system that the keys among ids belong to.",
)
_goal = click.option("--goal", metavar="ID", help="One of the mentee's goals; the latest open one if not given.")
_programme = click.option(
    "--programme", metavar="ID", help="The programme whose rules count; the mentee's only one if not given."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_viewer = click.option(
    "--viewer", metavar="ID", help="Answer as this person may see it: third people are counted, not named."
)


@click.command()
@click.option("--mentee", metavar="ID", help="The person who seeks a mentor.")
@click.option("--mentor", metavar="ID", help="The other side: a mentor for whom goals of others are ranked.")
@_goal
@click.option(
    "--goals",
    "goals_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Rank for every goal of a CSV file, by its column goal_id or id. Needs --output.",
)
@click.option(
    "--first", type=click.IntRange(1, MOST), default=10, show_default=True, metavar="N", help="How many mentors a goal."
)
@list_options
@_programme
@_as_of
@_as_json
@_viewer
@_source
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Where the ranks for --goals go; the file appears when it is whole.",
)
@click.option("--force", is_flag=True, help="Replace the file of --output if it exists.")
def recommend(
    mentee: str | None,
    mentor: str | None,
    goal: str | None,
    goals_file: Path | None,
    first: int,
    programme: str | None,
    as_of: datetime | None,
    as_json: bool,
    viewer: str | None,
    source: str,
    output: Path | None,
    force: bool,
    **listed: Any,
) -> None:
    """Rank the mentors that a person may be paired with, and say why.

    \b
    Example:
      mentorgraph recommend --mentee p-0042
      mentorgraph recommend --mentee p-0042 --goal g-0107 --first 3 --json
      mentorgraph recommend --mentee "Ada Lind" --as-of 2026-01-31
      mentorgraph recommend --mentee p-0042 --skill s-0009 --min-level 3 --language pt --new
      mentorgraph recommend --mentee p-0042 --ignore load --exclude p-0007 --horizon-days 30
      mentorgraph recommend --mentee p-0042 --first 5 --experts 2 --cross-functional 1 --diversity 0.3
      mentorgraph recommend --goals goals.csv --first 20 --output ranks.csv
      mentorgraph recommend --mentor p-0007 --first 5

    An ID is a global id as GraphQL gives it, one of our own uids, or the key that a source knows it by; --source names
    that source. A person may also be called by their name, if only one has it.

    The answer is kept in the decision log; mentorgraph replay and mentorgraph audit work on that.

    With --mentor, the open goals that this mentor may be paired for are ranked by the mentor's score for each. That
    list is not kept in the decision log.

    With --goals, ranks go to a file with the columns goal_id, rank, mentor_id and score; mentors have ids of the form
    that the goal's id had, or uids where their source is another one. Goals without an answer are listed, and the exit
    status is then 1.
    """  # noqa: D301 (click wants the backspace itself)
    if mentor is not None:
        given = mentee or goal or goals_file or as_of or output or force
        _refuse(
            given or options_of(listed, source) != DEFAULT, "--mentor goes with --first, --json, --viewer and --source"
        )
        _recommend_mentees(mentor, first, as_json, viewer, source)
        return
    if goals_file is not None:
        _refuse(
            mentee or goal or programme or viewer or as_json or options_of(listed, source) != DEFAULT,
            "--goals goes with --first, --as-of, --source, --output and --force",
        )
        if output is None:
            raise click.UsageError("--goals needs --output FILE.csv for the ranks.")
        _recommend_for_all(goals_file, first, as_of, source, output, force)
        return
    _refuse(output or force, "--output and --force go with --goals")
    if mentee is None:
        raise click.UsageError(
            "name a person with --mentee ID, a mentor with --mentor ID, or a file of goals with --goals FILE.csv."
        )

    async def work(recommender: Recommender, _show: Report) -> tuple[Slate, dict[str, NodeRecord]]:
        who = await person_of(recommender, mentee, source, "--mentee")
        answer = await recommender.recommend(
            await viewer_of(recommender, viewer, source),
            who,
            uid_given(goal, "goals", source),
            first=first,
            options=options_of(listed, source),
            as_of=as_of,
            programme=uid_given(programme, "programmes", source),
        )
        async with DecisionLog(mentorgraph_home() / FOLDER) as decisions:
            slate = await decisions.keep(answer)
        mentors = [each.mentor for each in slate.recommendations]
        return slate, await nodes_of(recommender, [who, slate.goal, *mentors], as_of)

    slate, nodes = ask(work)
    if as_json:
        print_json(slate_as_json(slate, nodes))
        return
    table = Table(title=goal_line(slate.goal, nodes), title_justify="left", show_lines=True)
    table.add_column("rank", justify="right")
    table.add_column("mentor", overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("reasons", ratio=1)
    for each in slate.recommendations:
        reasons = "\n".join((*_place(each), *each.sentences[:SHOWN_REASONS]))
        table.add_row(str(each.rank), Text(name_of(nodes, each.mentor)), f"{each.score:.4f}", Text(reasons))
    if slate.recommendations:
        Console().print(table)
    elif not slate.notice:
        click.echo("No mentor may be recommended; mentorgraph explain says for a given one which rules forbid it.")
    if slate.notice:
        click.echo(f"Notice: {slate.notice}")
    if slate.lacking != NO_MIX:
        lacking = f"{slate.lacking.experts} experts and {slate.lacking.cross_functional} cross-functional mentors"
        click.echo(f"The mix cannot be met: {lacking} are missing.")
    click.echo(f"model {slate.model_version}, policy {slate.policy_version}, slate {slate.uid}")


@click.command()
@click.option("--mentee", required=True, metavar="ID", help="The person who seeks a mentor.")
@click.option("--mentor", required=True, metavar="ID", help="The mentor in question.")
@click.option(
    "--compare", "others", multiple=True, metavar="ID", help="Compare another mentor with this one; up to four times."
)
@_goal
@_programme
@_as_of
@_as_json
@_viewer
@_source
def explain(
    mentee: str,
    mentor: str,
    others: tuple[str, ...],
    goal: str | None,
    programme: str | None,
    as_of: datetime | None,
    as_json: bool,
    viewer: str | None,
    source: str,
) -> None:
    """Say why a mentor fits a person: the score and what it is made of, the evidence, the rules that forbid the pair.

    \b
    Example:
      mentorgraph explain --mentee p-0042 --mentor p-0007
      mentorgraph explain --mentee "Ada Lind" --mentor "Bo Ek" --goal g-0107 --json
      mentorgraph explain --mentee p-0042 --mentor p-0007 --compare p-0008

    Each path of evidence stands with the Cypher query that returns exactly it; mentorgraph db shell-info says where to
    run that. An ID is a global id as GraphQL gives it, one of our own uids, the key that a source knows it by (--source
    names that source), or the name of a person, if only one has it.

    With --compare, what each signal adds to the gap between the scores is printed instead.
    """  # noqa: D301 (click wants the backspace itself)
    if others:
        _compare(mentee, (mentor, *others), goal, programme, as_of, as_json, viewer, source)
        return

    async def work(recommender: Recommender, _show: Report) -> tuple[str, Explanation, dict[str, NodeRecord]]:
        who = await person_of(recommender, mentee, source, "--mentee")
        explanation = await recommender.explain(
            await viewer_of(recommender, viewer, source),
            who,
            await person_of(recommender, mentor, source, "--mentor"),
            uid_given(goal, "goals", source),
            as_of=as_of,
            programme=uid_given(programme, "programmes", source),
        )
        return who, explanation, await nodes_of(recommender, [who, explanation.goal, explanation.mentor], as_of)

    who, found, nodes = ask(work)
    if as_json:
        print_json(explanation_as_json(found, nodes))
        return
    console = Console(highlight=False)
    console.print(Text(f"{name_of(nodes, found.mentor)} for {name_of(nodes, who)}", style="bold"), soft_wrap=True)
    if found.goal:
        console.print(Text(goal_line(found.goal, nodes)), soft_wrap=True)
    console.print(contributions_table(found))
    console.print(Text(f"Evidence ({min(len(found.paths), SHOWN_PATHS)} of {len(found.paths)} paths)", style="bold"))
    for number, path in enumerate(found.paths[:SHOWN_PATHS], 1):
        for line in path_lines(number, path):
            console.print(Text(line), soft_wrap=True)
    if found.chance is not None:
        console.print(Text(chance_line(found.chance)), soft_wrap=True)
    for refusal in found.refusals:
        remedy = f"; {refusal.remedy}" if refusal.remedy else ""
        console.print(Text(f"Forbidden by {refusal.rule}: {refusal.fact}{remedy}."), soft_wrap=True)
    if not found.refusals:
        console.print("No rule forbids the pair.")
    for rule in found.unjudged:
        console.print(Text(f"Not judged: {rule.rule}, since {rule.fact}."), soft_wrap=True)
    for caution in found.cautions:
        console.print(f"Caution: {CAUTIONS[caution]}", soft_wrap=True)
    console.print(f"model {found.model_version}, policy {found.policy_version}", soft_wrap=True)


def _compare(
    mentee: str,
    mentors: Sequence[str],
    goal: str | None,
    programme: str | None,
    as_of: datetime | None,
    as_json: bool,
    viewer: str | None,
    source: str,
) -> None:
    async def work(recommender: Recommender, _show: Report) -> tuple[list[Compared], dict[str, NodeRecord]]:
        found = await compare(
            recommender,
            await viewer_of(recommender, viewer, source),
            await person_of(recommender, mentee, source, "--mentee"),
            [await person_of(recommender, each, source, "--compare") for each in mentors],
            uid_given(goal, "goals", source),
            as_of=as_of,
            programme=uid_given(programme, "programmes", source),
        )
        shown = [found[0].explanation.goal, *(each.explanation.mentor for each in found)]
        return found, await nodes_of(recommender, shown, as_of)

    found, nodes = ask(work)
    if as_json:
        print_json([compared_as_json(each, nodes) for each in found])
    else:
        print_comparison(found, nodes)


def _recommend_mentees(mentor: str, first: int, as_json: bool, viewer: str | None, source: str) -> None:
    async def work(recommender: Recommender, _show: Report) -> tuple[MenteeList, dict[str, NodeRecord]]:
        who = await person_of(recommender, mentor, source, "--mentor")
        answer = await recommend_mentees(recommender, await viewer_of(recommender, viewer, source), who, first=first)
        async with DecisionLog(mentorgraph_home() / FOLDER) as decisions:
            found = await decisions.keep(answer)
        named = [uid for each in found.recommendations for uid in (each.mentee, each.goal)]
        return found, await nodes_of(recommender, [who, *named], None)

    found, nodes = ask(work)
    if as_json:
        print_json(mentees_as_json(found, nodes))
    else:
        print_mentees(found, nodes, SHOWN_REASONS)


def _place(each: Recommendation) -> Iterator[str]:
    """What is to be said of a place in the list."""
    if each.available_from is not None:
        yield f"Free from {plain(each.available_from)} on."
    if each.mode == ASYNC:
        yield "Only asynchronously."
    if each.chance is not None:
        yield chance_line(each.chance)
    if each.lifted_by:
        yield f"Lifted by {each.lifted_by}."
    for caution in each.cautions:
        yield f"Caution: {CAUTIONS[caution]}"


def _refuse(given: object, sentence: str) -> None:
    if given:
        raise click.UsageError(f"{sentence}.")


# --- many goals -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tally:
    """How a batch went."""

    rows: int = 0
    problems: int = 0


def _recommend_for_all(
    goals_file: Path, first: int, as_of: datetime | None, source: str, output: Path, force: bool
) -> None:
    with sentences():
        goals = _read_goals(goals_file, source)
    if output.exists() and not force:
        raise click.ClickException(f"{output} exists already; name another file or add --force.")

    async def work(recommender: Recommender, show: Report) -> _Tally:
        tally = _Tally()
        with _appearing_whole(output) as stream:
            rows = csv.writer(stream, lineterminator="\n")
            rows.writerow(OUTPUT_COLUMNS)
            mentors = _Mentors(recommender)
            given_as = {each.uid: each for each in goals}
            ranked = rank_for_goals(recommender, COORDINATOR, list(given_as), first=first, as_of=as_of)
            done = 0
            async for answer in ranked:
                given = given_as[answer.goal]
                if answer.problem:
                    tally.problems += 1
                    click.echo(f"{given.text}: {answer.problem}")
                for rank, (mentor, score) in enumerate(await mentors.of(answer, given), 1):
                    rows.writerow((given.text, rank, mentor, repr(score)))
                    tally.rows += 1
                done += 1
                show("Ranking for goals", done, len(given_as))
        return tally

    tally = ask(work)
    click.echo(f"{output}: {tally.rows} ranks for {len(goals) - tally.problems} of {len(goals)} goals")
    if tally.problems:
        click.echo(f"{tally.problems} goals have no answer.")
        click.get_current_context().exit(1)


class _Mentors:
    """Writes mentors' ids in the form that a goal's id came in; each mentor is looked up once."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._known: dict[str, NodeRecord] = {}

    async def of(self, answer: RankedGoal, given: GivenId) -> Sequence[tuple[str, float]]:
        unknown = {each.mentor for each in answer.recommendations} - self._known.keys()
        if unknown and given.form == "key":
            self._known |= await nodes_of(self._recommender, unknown, None)
        return [(self._id(each.mentor, given), each.score) for each in answer.recommendations]

    def _id(self, uid: str, given: GivenId) -> str:
        return given.like(self._known.get(uid) or NodeRecord(uid, "Person", {}, "", ()))


def _read_goals(path: Path, source: str) -> list[GivenId]:
    """The goals that a CSV file names, each once, in the order of the file.

    Raises:
        DomainError: The file is no such CSV file.
    """
    table = open_table(path)
    column = next((name for name in ID_COLUMNS if name in table.columns), None)
    if column is None:
        raise BundleError(f"{path} has no column {' or '.join(ID_COLUMNS)} in its first line")
    goals: dict[str, GivenId] = {}
    for line, row in table.rows():
        if isinstance(row, InvalidFact):
            raise BundleError(f"{path}:{line} {row}")
        if text := str(row[column]).strip():
            given = read_given_id(text, "goals", source)
            goals[given.uid] = given
    if not goals:
        raise BundleError(f"{path} names no goals; give one a line in the column {column}")
    return list(goals.values())


@contextmanager
def _appearing_whole(output: Path) -> Iterator[TextIO]:
    """A file to write that takes its name when the block ends well, and is gone when it does not."""
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with open(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # mkstemp lets only the owner read
        os.replace(name, output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
