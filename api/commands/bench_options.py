"""What all benchmarks have in common: options, and how findings are told."""

from collections.abc import Sequence
from pathlib import Path

import click

from mentorgraph.api.benchmarks.figures import Findings
from mentorgraph.api.commands.session import sentences
from mentorgraph.graph.world.community import FEWEST_PEOPLE

people_option = click.option(
    "--people",
    type=click.IntRange(min=FEWEST_PEOPLE),
    default=2_000,
    show_default=True,
    metavar="N",
    help="Size of the generated community.",
)
bundle_option = click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Measure on this bundle in place of a generated community.",
)
seed_option = click.option("--seed", default=7, show_default=True, help="Decides all that chance decides.")
keep_option = click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the database in this folder and use what it holds; else it is gone afterwards.",
)
json_option = click.option(
    "--json",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the figures as JSON, for programs.",
)


def tell(found: Findings, output: Path | None, parts: Sequence[Findings] = ()) -> None:
    """Print findings, those of each part where there are several, and write all of them where a file is named."""
    for part in parts or [found]:
        part.show()
    if output is not None:
        with sentences():
            found.write(output)
