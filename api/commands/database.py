"""`mentorgraph db`: the database that answers come from."""

import click


@click.group()
def database() -> None:
    """Start, stop, migrate, check, dump and load the database."""
