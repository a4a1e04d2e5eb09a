"""What each role may read and tell, field by field: one table, and the one place where it is enforced.

The table bounds which fields of an object somebody may read; which objects they are led to, the domain decides
(`graph.people.seeing`). A resolver is wrapped once, when the schema is built, and only where not everybody may read its
field, so that what is open to all costs nothing.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from io import StringIO
from pathlib import Path
from typing import Any

from graphene.utils.str_converters import to_snake_case
from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    default_field_resolver,
    is_introspection_type,
)

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.viewer import READ, WRITE, Viewer
from mentorgraph.graph.vocabulary import ROLES

TABLE = Path(__file__).with_name("access.csv")

ALL, REACHED, OWN = "all", "reached", "own"
"""Everybody who has signed in; everybody whom something leads to the object; whoever it is about."""

EVERY = "*"
"""Stands for every field of a type that carries others, and tells nothing itself."""

CARRIERS = ("Connection", "Edge", "Payload", "PageInfo", "UserError")
"""Ends of the names of such types."""

OWNERS: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "Person": lambda root: (root.uid,),
    "Profile": lambda root: (root.links["person"],),
    "Session": lambda root: (*root.parties.values(), *root.helpers),
    "SurveyAnswer": lambda root: (root["person"],),
}
"""Type → uids of the people whom an object of it is about. At the roots the domain knows whom a question is about."""


class AccessError(Exception):
    """The table and the schema do not fit; the message names the row or the field."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may read or tell one field.

    Attributes:
        roles: Roles that may in any case.
        is_for_all: Whether everybody may who comes as far.
        is_for_own: Whether those may whom it is about.
    """

    roles: frozenset[str]
    is_for_all: bool = False
    is_for_own: bool = False


def read_table(text: str, schema: GraphQLSchema) -> dict[tuple[str, str], Rights]:
    """The rights of every field of a schema.

    Args:
        text: CSV with the columns `type`, `field` (names with spaces between them, or `*`) and `roles` (names of roles,
            `all`, `reached`, `own`).
        schema: What the table is about.

    Raises:
        AccessError: A field has no row or two, or a row has no field.
    """
    types = {each.name: each for each in _object_types(schema)}
    found: dict[tuple[str, str], Rights] = {}
    for line, row in enumerate(csv.DictReader(StringIO(text)), 2):
        name, words = row["type"], row["roles"].split()
        if name not in types:
            raise AccessError(f"line {line}: the schema has no type {name}; remove the row")
        if row["field"] == EVERY and not name.endswith(CARRIERS):
            raise AccessError(f"line {line}: {name} tells something itself; name its fields one by one")
        for field in types[name].fields if row["field"] == EVERY else row["field"].split():
            if field not in types[name].fields:
                raise AccessError(f"line {line}: {name} has no field {field}; remove it")
            if (name, field) in found:
                raise AccessError(f"line {line}: {name}.{field} has a row already; keep one of them")
            found[name, field] = _rights(words, line)
            if found[name, field].is_for_own and not (name in OWNERS or types[name] in _roots(schema)):
                raise AccessError(f"line {line}: nobody owns a {name}; use {REACHED}, or say in OWNERS whose it is")
    missing = [f"{name}.{field}" for name, each in types.items() for field in each.fields if (name, field) not in found]
    if missing:
        raise AccessError(f"{', '.join(missing)}: no row says who may read it; add one to {TABLE.name}")
    return found


def _rights(words: list[str], line: int) -> Rights:
    special = {ALL, REACHED, OWN} & set(words)
    unknown = [each for each in words if each not in ROLES and each not in special]
    if unknown or not words or len(words) != len(set(words)):
        known = ", ".join((*ROLES, OWN))
        raise AccessError(
            f"line {line}: roles are {' '.join(words)!r}; choose of {known}, each once, or {ALL}, {REACHED}"
        )
    if {ALL, REACHED} & special and len(words) > 1:
        raise AccessError(f"line {line}: {ALL} and {REACHED} stand alone")
    return Rights(frozenset(words) - special, bool({ALL, REACHED} & special), OWN in special)


def guard(schema: GraphQLSchema, table: Mapping[tuple[str, str], Rights]) -> None:
    """Has a schema keep to the rights of a table."""
    roots = _roots(schema)
    for each in _object_types(schema):
        for name, field in each.fields.items():
            rights = table[each.name, name]
            if each in roots:
                _guard_root(field, rights, each is schema.mutation_type)
            elif not rights.is_for_all:
                field.resolve = _guarded(field, rights, OWNERS.get(each.name, lambda _root: ()))


def _guard_root(field: GraphQLField, rights: Rights, is_mutation: bool) -> None:
    """Bounds a field of a root: who may ask about themselves is let through, and the domain looks at whom they name."""
    scope, refused = WRITE if is_mutation else READ, _refused_payload(field) if is_mutation else None
    if field.subscribe is not None:
        field.subscribe = _checked(field.subscribe, rights, scope, None)
    else:
        field.resolve = _checked(field.resolve or default_field_resolver, rights, scope, refused)


def _checked(resolve: Any, rights: Rights, scope: str, refused: Callable[[DomainError], object] | None) -> Any:
    is_open = rights.is_for_all or rights.is_for_own

    @wraps(resolve)
    def checked(root: Any, info: Any, **arguments: Any) -> Any:
        viewer: Viewer = info.context.viewer
        if viewer.allows(scope) and (is_open or not rights.roles.isdisjoint(viewer.roles)):
            return resolve(root, info, **arguments)
        error = _error(viewer, rights, scope)
        if refused is None:
            raise error
        return refused(error)

    return checked


def _guarded(field: GraphQLField, rights: Rights, owners: Callable[[Any], Iterable[str]]) -> Any:
    """A resolver that gives null to who may not read a field; an error where the field cannot be null."""
    resolve, roles, is_for_own = field.resolve or default_field_resolver, rights.roles, rights.is_for_own
    is_required = isinstance(field.type, GraphQLNonNull)

    @wraps(resolve)
    def guarded(root: Any, info: Any, **arguments: Any) -> Any:
        viewer: Viewer = info.context.viewer
        if not roles.isdisjoint(viewer.roles) or (is_for_own and viewer.person and viewer.person in owners(root)):
            return resolve(root, info, **arguments)
        if is_required:
            raise _error(viewer, rights, READ)
        return None

    return guarded


def _error(viewer: Viewer, rights: Rights, scope: str) -> DomainError:
    if not viewer.allows(scope):
        return DomainError(f"these credentials do not allow to {scope}", code="FORBIDDEN")
    return DomainError(f"only these roles may: {', '.join(sorted(rights.roles))}", code="FORBIDDEN")


def _refused_payload(field: GraphQLField) -> Callable[[DomainError], object]:
    """What makes the payload of a mutation that was refused: nothing done, and why."""
    payload = field.type
    assert isinstance(payload, GraphQLObjectType)  # noqa: S101 (each mutation has a payload that may be null)
    lists = [name for name, each in payload.fields.items() if _is_required_list(each) and name != "userErrors"]

    def refused(error: DomainError) -> object:
        told = {"message": error.message, "field": ["input"], "code": error.code}
        return {**{to_snake_case(name): [] for name in lists}, "user_errors": [told]}

    return refused


def _is_required_list(field: GraphQLField) -> bool:
    return isinstance(field.type, GraphQLNonNull) and isinstance(field.type.of_type, GraphQLList)


def _roots(schema: GraphQLSchema) -> tuple[GraphQLObjectType | None, ...]:
    return (schema.query_type, schema.mutation_type, schema.subscription_type)


def _object_types(schema: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType) and not is_introspection_type(each):
            yield each
