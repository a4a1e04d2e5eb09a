"""The command line: one module per group of commands, each loaded when one of its commands is asked for."""

import os
from difflib import get_close_matches
from importlib import import_module

import click

COMMANDS = {
    "Recommendations": {
        "recommend": ("recommend:recommend", "Rank the mentors that a person may be paired with."),
        "explain": ("recommend:explain", "Say why a mentor fits a person."),
        "why-not": ("rules:why_not", "Say why a mentor is not in the list for a person."),
        "policy": ("rules:policy", "Set the rules' limits for a programme, and see whom another policy would allow."),
    },
    "Answers that were given": {
        "replay": ("decisions:replay", "Compute the score and the order of kept answers again."),
        "then-and-now": ("then_and_now:then_and_now", "Say what has changed since a kept answer."),
        "audit": ("decisions:audit", "Verify the decision log, erase from it, test the explanations."),
    },
    "Facts in and out": {
        "import": ("bundle:import_", "Read a bundle or spreadsheets into the graph."),
        "export": ("bundle:export", "Write the whole graph as a bundle."),
        "events": ("events:events", "Take events from other systems, late, doubled and in any order."),
        "calendar": ("calendar:calendar", "Read people's calendars and publish them."),
        "taxonomy": ("taxonomy:taxonomy", "Read skills that others publish."),
        "world": ("world:world", "Generate communities to try things on."),
    },
    "People and pairings": {
        "people": ("people:people", "Look after the people who take part."),
        "requests": ("requests:requests", "Look after requests for mentors."),
        "pairings": ("pairings:pairings", "Look after pairings."),
        "plan": ("plans:plan", "Plan peers or circles for a whole programme."),
    },
    "The learned part": {
        "snapshot": ("learning:snapshot", "Freeze the facts that training may use."),
        "train": ("learning:train", "Teach a model, judge it on later goals, let it serve if it is better."),
        "evaluate": ("learning:evaluate", "Judge how well mentors would have been ranked in a past time."),
        "drift": ("drift:drift", "Say whether goals, scores or outcomes have moved since the model was judged."),
        "models": ("models:models", "See, compare, promote and take back versions of the model."),
        "bench": ("bench:bench", "Measure mentorgraph beside what one would use instead."),
    },
    "Running it": {
        "demo": ("demo:demo", "See mentorgraph at work on people who are invented."),
        "serve": ("serve:serve", "Answer GraphQL on /graphql."),
        "documents": ("documents:documents", "Trust GraphQL documents, asked for by their hash."),
        "config": ("config:config", "See what is set, and check it."),
        "token": ("sign_in:token", "Print a token that serve --dev takes."),
        "keys": ("sign_in:keys", "Make, list and revoke the keys with which programs ask."),
        "db": ("database:database", "Start, stop, migrate, check, dump and load the database."),
    },
}
"""Section of the help → name of a command → where it stands, and what it does in one line."""


# Products of matrices are small here: a second thread gains little, and waits spinning where another process has its
# core. One thread also gives the same sums on every machine. numpy reads this when it is loaded, by a command.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class Commands(click.Group):
    """A group whose commands are loaded when they are asked for, so that the others cost nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return [name for section in COMMANDS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, if there is one."""
        for section in COMMANDS.values():
            if cmd_name in section:
                module, _, attribute = section[cmd_name][0].partition(":")
                command: click.Command = getattr(import_module(f"{__name__}.{module}"), attribute)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for; a name that is nearly one is told the right one."""
        names = self.list_commands(ctx)
        near = get_close_matches(args[0], names, 1) if args[0] not in names else []
        if near:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes every command with its line, section by section."""
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in section.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mentorgraph")
def main() -> None:
    """Ranked mentor recommendations with evidence that can be checked, on a Neo4j graph.

    \b
    See it at work, on people who are invented:
      mentorgraph demo
    Use it on your own:
      mentorgraph import DIR --consent matching,training --basis "terms of 2026"
      mentorgraph recommend --mentee ID
      mentorgraph explain --mentee ID --mentor ID
      mentorgraph serve --demo

    Everything is kept in the folder .mentorgraph, or the one that MENTORGRAPH_HOME names. MENTORGRAPH_POLICY names a
    file with other weights. Each command has its own --help, with examples.

    Settings come from the environment, and from mentorgraph.toml in the working folder or the file that
    MENTORGRAPH_CONFIG names; mentorgraph config show lists them.
    """  # noqa: D301 (click wants the backspace itself)
    take_settings_file()


def take_settings_file() -> None:
    """Takes the settings of the file, if there is one, into the environment, from which every module reads them.

    Raises:
        click.ClickException: With all that is wrong with the file.
    """
    if not os.environ.get("MENTORGRAPH_CONFIG") and not os.path.isfile("mentorgraph.toml"):
        return
    from mentorgraph.api.settings import BadSettings, take_file  # here, since most have no such file

    try:
        take_file(os.environ)
    except BadSettings as error:
        raise click.ClickException("\n  ".join(["the settings cannot be used:", *error.faults])) from None
