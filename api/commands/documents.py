"""`mentorgraph documents`: the GraphQL that is asked for by its hash."""

import json
from pathlib import Path

import click

from mentorgraph.api.commands.session import sentences
from mentorgraph.api.trusted import FOLDER, TrustedDocument, TrustedDocuments, hash_of, operations_of
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.home import mentorgraph_home

MOST_BYTES = 20_000_000
"""Size of a file that is still read."""


@click.group()
def documents() -> None:
    """Trust GraphQL documents, which clients then ask for by their hash.

    \b
    Example:
      mentorgraph documents add operations/*.graphql
      mentorgraph documents list

    They are kept in the folder documents of the home; running servers know of a change with the next request.
    """  # noqa: D301 (click wants the backspace itself)


@documents.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
def add(files: tuple[Path, ...]) -> None:
    """Trust the documents in each FILE: GraphQL, or a manifest in JSON.

    \b
    Example:
      mentorgraph documents add operations/*.graphql
      mentorgraph documents add persisted-query-manifest.json

    A file of GraphQL is one document, as it stands, byte by byte. A manifest is Apollo's, or an object of hashes and
    documents as Relay's compiler writes it; its hashes have to be SHA-256. Every document is checked against the schema
    and the limits before the first one is added. Prints the hash and the operations of each.
    """  # noqa: D301 (click wants the backspace itself)
    from mentorgraph.api.schema import schema  # here, since it takes a moment to load

    with sentences():
        found: list[TrustedDocument] = []
        faults: list[str] = []
        names: dict[str, str] = {}
        for file in files:
            try:
                for each in _read(file):
                    names[each.hash] = ", ".join(operations_of(each, schema))
                    found.append(each)
            except DomainError as error:
                faults.append(f"{file}: {error.message}")
        if faults:
            raise click.ClickException("; ".join(faults) + "; nothing was added")
        new = _kept().add(found)
    for each in found:
        click.echo(f"sha256:{each.hash}  {names[each.hash]}")
    click.echo(f"added {len(new)}, trusted already {len(names) - len(new)}")


@documents.command("list")
def list_() -> None:
    """List the trusted documents: hash, size in bytes, operations.

    \b
    Example:
      mentorgraph documents list

    A document that the schema of this version does not allow any more is listed with what is wrong with it.
    """  # noqa: D301 (click wants the backspace itself)
    from mentorgraph.api.schema import schema

    with sentences():
        found = _kept().all()
    for each in found:
        try:
            said = ", ".join(operations_of(each, schema))
        except DomainError as error:
            said = f"refused: {error.message}"
        click.echo(f"sha256:{each.hash}  {len(each.text.encode()):>6}  {said}")
    click.echo(f"{len(found)} trusted")


@documents.command()
@click.argument("hashes", metavar="HASH...", nargs=-1, required=True)
def remove(hashes: tuple[str, ...]) -> None:
    """Trust the document with each HASH, or the beginning of one, no longer.

    \b
    Example:
      mentorgraph documents remove sha256:1f3a9c0e
    """  # noqa: D301 (click wants the backspace itself)
    with sentences():
        for start in hashes:
            click.echo(f"removed sha256:{_kept().remove(start).hash}")


def _kept() -> TrustedDocuments:
    return TrustedDocuments(mentorgraph_home() / FOLDER)


def _read(file: Path) -> list[TrustedDocument]:
    """The documents of a file.

    Raises:
        DomainError: `BAD_USER_INPUT`, it is not UTF-8, no manifest, or a hash in it is not that of its document.
    """
    if file.stat().st_size > MOST_BYTES:
        raise DomainError(f"it is larger than {MOST_BYTES} bytes", code="BAD_USER_INPUT")
    try:
        text = file.read_bytes().decode()
        if file.suffix != ".json":
            return [TrustedDocument.of(text)]
        manifest = json.loads(text)
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError):
        raise DomainError("it is not UTF-8, or no JSON although its name says so", code="BAD_USER_INPUT") from None
    pairs = _pairs_of(manifest)
    for key, document in pairs:
        if key != hash_of(document):
            raise DomainError(f"{key[:70]!r} is not the SHA-256 of its document", code="BAD_USER_INPUT")
    return [TrustedDocument.of(document) for _, document in pairs]


def _pairs_of(manifest: object) -> list[tuple[str, str]]:
    """Hash and text of each document of a manifest."""
    entries: object = manifest
    if isinstance(manifest, dict) and "operations" in manifest:
        operations = manifest["operations"]
        are_objects = isinstance(operations, list) and all(isinstance(each, dict) for each in operations)
        entries = {each.get("id"): each.get("body") for each in operations} if are_objects else None
    if not isinstance(entries, dict) or not all(isinstance(each, str) for pair in entries.items() for each in pair):
        raise DomainError(
            "it is neither Apollo's manifest nor an object of hashes and documents", code="BAD_USER_INPUT"
        )
    return list(entries.items())
