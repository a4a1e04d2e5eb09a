"""`mentorgraph token` and `mentorgraph keys`: what callers show of who they are."""

from datetime import timedelta

import click

from mentorgraph.api.api_keys import ApiKey, ApiKeys
from mentorgraph.api.commands.session import sentences
from mentorgraph.api.ids import read_given_id
from mentorgraph.api.tokens import DevelopmentKey
from mentorgraph.graph.clock import present
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.viewer import SCOPES
from mentorgraph.graph.vocabulary import ROLES

LONGEST_TTL_S = 30 * 86_400

_source = click.option(
    "--source",
    default="bundle",
    show_default=True,
    metavar="NAME",
    help="The system that a key given as ID belongs to.",
)


@click.command()
@click.option("--person", metavar="ID", help="As whom it asks, in the roles that they have in the graph.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
    help="In which role it asks instead, with --person or as nobody in particular; may be repeated.",
)
@click.option(
    "--ttl",
    default=3600,
    show_default=True,
    type=click.IntRange(1, LONGEST_TTL_S),
    metavar="S",
    help="Seconds for which it holds.",
)
@_source
def token(person: str | None, roles: tuple[str, ...], ttl: int, source: str) -> None:
    """Print a token for a server that runs with `serve --dev` on this home.

    \b
    Example:
      mentorgraph token --role coordinator
      mentorgraph token --person p0001 --ttl 600

    It is signed with the home's development key, which is made when it is first needed and is readable by you alone; no
    other server takes it. To make all tokens void, delete the file development.key in the home.
    """  # noqa: D301 (click wants the backspace itself)
    if not person and not roles:
        raise click.UsageError("say who asks: --person ID, --role ROLE, or both.")
    with sentences():
        uid = read_given_id(person, "people", source).uid if person else ""
        click.echo(DevelopmentKey(mentorgraph_home()).sign(uid, frozenset(roles), ttl))


@click.group()
def keys() -> None:
    """Look after the keys with which programs ask as a person.

    Servers read them anew with each request: a key holds from the moment it is made to the moment it is revoked.
    """


@keys.command()
@click.option("--person", required=True, metavar="ID", help="As whom it asks.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
    help="In which of that person's roles at most; in all of them if none is given. May be repeated.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What it may do at most, everything if none is given: read asks, write tells. May be repeated.",
)
@click.option("--days", type=click.IntRange(1, 3_650), help="After how many days it ends by itself.")
@click.option("--note", default="", metavar="TEXT", help="What it is for, shown by list.")
@_source
def add(person: str, roles: tuple[str, ...], scopes: tuple[str, ...], days: int | None, note: str, source: str) -> None:
    """Make a key and print it, once: only its hash is kept.

    \b
    Example:
      mentorgraph keys add --person p0001 --scope read --days 90 --note "the intranet"
    """  # noqa: D301 (click wants the backspace itself)
    now = present()
    with sentences():
        made = ApiKeys(mentorgraph_home()).add(
            read_given_id(person, "people", source).uid,
            now,
            roles=frozenset(roles),
            scopes=frozenset(scopes),
            expires_at=now + timedelta(days=days) if days else None,
            note=note,
        )
    click.echo(made)


@keys.command("list")
def list_() -> None:
    """Print each key's name, person, bounds, end and note; never the key itself."""
    now = present()
    with sentences():
        for each in ApiKeys(mentorgraph_home()).all():
            bounds = ",".join([*sorted(each.scopes), *sorted(each.roles)]) or "everything"
            state = "holds" if each.holds(now) else "ended"
            click.echo(f"{each.name} {each.person} {bounds} {state} {_end(each)} {each.note}".rstrip())


@keys.command()
@click.argument("name", metavar="NAME")
def revoke(name: str) -> None:
    """End the key of a name from now on."""
    with sentences():
        ended = ApiKeys(mentorgraph_home()).revoke(name, present())
    click.echo(f"revoked {ended.name}" if ended.revoked_at is None else f"{ended.name} was revoked before")


def _end(key: ApiKey) -> str:
    end = key.revoked_at or key.expires_at
    return end.isoformat(timespec="seconds") if end else "-"
