"""The command line: one module per group of commands, collected here."""

import click

from mentorgraph.api.commands.bench import bench
from mentorgraph.api.commands.bundle import export, import_
from mentorgraph.api.commands.calendar import calendar
from mentorgraph.api.commands.database import database
from mentorgraph.api.commands.decisions import audit, replay
from mentorgraph.api.commands.demo import demo
from mentorgraph.api.commands.events import events
from mentorgraph.api.commands.explanations import explanations
from mentorgraph.api.commands.learning import evaluate, snapshot, train
from mentorgraph.api.commands.model import check, migrate
from mentorgraph.api.commands.models import models
from mentorgraph.api.commands.pairings import pairings
from mentorgraph.api.commands.people import people
from mentorgraph.api.commands.recommend import explain, recommend
from mentorgraph.api.commands.requests import requests
from mentorgraph.api.commands.rules import policy, why_not
from mentorgraph.api.commands.serve import serve
from mentorgraph.api.commands.taxonomy import taxonomy
from mentorgraph.api.commands.then_and_now import then_and_now
from mentorgraph.api.commands.world import world


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
    """  # noqa: D301 (click wants the backspace itself)


audit.add_command(explanations)
database.add_command(check)
database.add_command(migrate)
main.add_command(audit)
main.add_command(bench)
main.add_command(calendar)
main.add_command(database, name="db")
main.add_command(demo)
main.add_command(evaluate)
main.add_command(events)
main.add_command(explain)
main.add_command(export)
main.add_command(import_)
main.add_command(models)
main.add_command(pairings)
main.add_command(people)
main.add_command(policy)
main.add_command(recommend)
main.add_command(replay)
main.add_command(requests)
main.add_command(serve)
main.add_command(snapshot)
main.add_command(taxonomy)
main.add_command(then_and_now)
main.add_command(train)
main.add_command(why_not)
main.add_command(world)
