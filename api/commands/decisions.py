"""`mentorgraph replay` and `mentorgraph audit`: answers that were kept, computed again, verified, made unreadable."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from mentorgraph.api.commands.explanations import explanations
from mentorgraph.api.commands.session import prepare_to_read, run, sentences
from mentorgraph.api.context import MODELS
from mentorgraph.api.ids import global_id, read_given_id, read_global_id
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.registry import ModelRefused, Registry
from mentorgraph.graph.clock import present
from mentorgraph.graph.decisions.decision import Decision, MenteeDecision
from mentorgraph.graph.decisions.log import FOLDER, DecisionLog
from mentorgraph.graph.decisions.replay import Difference, changes_since
from mentorgraph.graph.decisions.replay import replay as differences_of
from mentorgraph.graph.decisions.verify import verify as verify_log
from mentorgraph.graph.embedded.progress import Report, shown_on_terminal
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import is_uid
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.rules.policy import chosen_policy, load_policy
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.store import Store


def _folder() -> Path:
    return mentorgraph_home() / FOLDER


@click.command()
@click.argument("recommendation", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Every answer that is kept.")
@click.option(
    "--against-now", is_flag=True, help="Say what has become of the evidence since; reads the graph, changes nothing."
)
def replay(recommendation: str | None, everything: bool, against_now: bool) -> None:
    """Compute the score and the order of kept answers again, from what was recorded when they were given.

    \b
    Example:
      mentorgraph replay --all
      mentorgraph replay UmVjb21tZW5kYXRpb246ZTM0Yj…
      mentorgraph replay --all --against-now

    An ID is that of a recommendation, as GraphQL and mentorgraph recommend --json give it; the whole list that it
    stands in is computed. Everything must match to 1e-9. The exit status is 1 if anything differs; what has changed in
    the graph since is no difference.
    """  # noqa: D301 (click wants the backspace itself)
    if everything == (recommendation is not None):
        raise click.UsageError("name one recommendation by its ID, or take --all.")
    answers = recommendations = 0
    wrong: list[tuple[str, Difference]] = []
    with sentences(), shown_on_terminal() as show:
        policies = DecisionLog(_folder()).records.policies()
        scorers = _scorers()
        learned = {version: each.weights for version, each in scorers.items()}
        chances = {version: each.chance for version, each in scorers.items()}
        for decision in _asked_for(recommendation):
            answers, recommendations = answers + 1, recommendations + len(decision.recommended)
            wrong += [(decision.slate, each) for each in differences_of(decision, policies, learned, chances)]
            show("Computing again", answers, 0)
    for slate, difference in wrong:
        click.echo(_line(slate, difference))
    match = "all match" if not wrong else f"{len({slate for slate, _ in wrong})} do not match"
    click.echo(f"{answers} answers with {recommendations} recommendations were computed again: {match}.")
    if against_now:
        _tell_changes(recommendation)
    sys.exit(1 if wrong else 0)


def _scorers() -> dict[str, LearnedScorer]:
    """Every version of the model that kept answers name and that can be read."""
    registry, policy = Registry(mentorgraph_home() / MODELS), load_policy(chosen_policy())
    found = {}
    for version in DecisionLog(_folder()).records.versions_named() & {*registry.versions()}:
        try:
            found[version] = LearnedScorer.of(registry.load(version), policy)
        except ModelRefused as error:
            click.echo(f"{error.message}; its weights and chances are taken as they were recorded.", err=True)
    return found


def _asked_for(recommendation: str | None) -> Iterator[Decision | MenteeDecision]:
    """The kept answer that holds a recommendation, or all of them.

    Raises:
        DomainError: There is no such recommendation, or the log cannot be read.
    """
    records = DecisionLog(_folder()).records
    if recommendation is None:
        yield from records.all()
        return
    is_ours = is_uid(recommendation)
    uid = recommendation if is_ours else read_global_id(recommendation, expected="Recommendation", field="ID")[1]
    decision = records.find(uid.lower())
    if decision is None:
        raise DomainError("no kept answer holds this recommendation", code="NOT_FOUND")
    yield decision.whole


def _tell_changes(recommendation: str | None) -> None:
    async def work(database: Database, show: Report) -> list[tuple[str, Difference]]:
        await prepare_to_read(database)
        store, now = Store(database), present()
        changes: list[tuple[str, Difference]] = []
        for number, decision in enumerate(_asked_for(recommendation), 1):
            show("Comparing with the graph", number, 0)
            changes += [(decision.slate, each) for each in await changes_since(store, decision, now)]
        return changes

    changes = run(work)
    for slate, change in changes:
        click.echo(_line(slate, change))
    touched = len({change.recommendation for _, change in changes})
    click.echo(f"Evidence of {touched} recommendations has changed in the graph since.")


def _line(slate: str, difference: Difference) -> str:
    about = global_id("Recommendation", difference.recommendation) if difference.recommendation else "the list"
    return f"{slate} {about}: {difference.what}"


@click.group()
def audit() -> None:
    """Verify the decision log, make what it holds about a person unreadable, or examine the reasons of answers.

    \b
    Example:
      mentorgraph audit verify
      mentorgraph audit explanations
      mentorgraph audit erase p-0042
    """  # noqa: D301 (click wants the backspace itself)


@audit.command()
@click.option("--anchor", metavar="HASH", help="An anchor that you kept elsewhere and that must be there still.")
def verify(anchor: str | None) -> None:
    """Check every line of the decision log against its hash, its neighbours and the anchors.

    \b
    Example:
      mentorgraph audit verify
      mentorgraph audit verify --anchor 8f2c…

    Names each record that was changed, each line and each segment that is missing. A torn last line and a segment that
    was not closed are what a crash leaves; they are told and are no findings. The last line of the output is the newest
    anchor: kept where nobody who can write here can write, it shows even a log that was written anew as a whole. The
    exit status is 1 if anything is found.
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        verdict = verify_log(_folder(), anchor=anchor)
    for each in verdict.notes:
        click.echo(f"note: {each}")
    for each in verdict.findings:
        click.echo(str(each))
    click.echo(f"{verdict.answers} answers in {verdict.segments} segments are as they were written.")
    click.echo(f"anchor {verdict.anchor}")
    if verdict.findings:
        raise click.ClickException("the decision log was changed; each line above says what and where")


@audit.command()
@click.argument("person", metavar="PERSON")
@click.option(
    "--source",
    default="bundle",
    show_default=True,
    metavar="NAME",
    help="The system that the key of the person belongs to.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(person: str, source: str, yes: bool) -> None:
    """Destroy the keys of a person, so that names and sentences about them in the decision log are gone for good.

    \b
    Example:
      mentorgraph audit erase p-0042
      mentorgraph audit erase UGVyc29uOmI1… --yes

    PERSON is a global id, a uid or the key of a source, as for the other commands; the graph is not asked, so that
    somebody who is no longer in it can be erased. The numbers and the chain of the log stay and can be verified and
    replayed. Copies of the file decisions/keys.sqlite, in backups for example, still hold the keys.
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        uid = read_given_id(person, "people", source).uid
        if not yes:
            click.confirm(f"Destroy the keys of the person {uid}? This cannot be undone.", abort=True)
        destroyed = DecisionLog(_folder()).keys.destroy(uid)
    if not destroyed:
        raise click.ClickException(f"the decision log has no key of the person {uid}; nothing was changed.")
    click.echo(f"The keys of the person {uid} are destroyed. What they sealed can no longer be read.")


audit.add_command(explanations)
