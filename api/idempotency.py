"""Mutations that may be sent again: every input takes an `idempotencyKey`, under which the first answer is kept.

A client whose connection breaks does not know whether its mutation took place. It sends the same again, with the same
key, and gets the answer that it missed; nothing is written twice, whichever worker it reaches. The key is claimed in
the transaction that writes (`graph.store.once`), so this holds also where a process dies before it has answered.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from inspect import isawaitable
from typing import Any, cast

import orjson
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    get_named_type,
    print_ast,
)
from graphql.execution.execute import get_field_def
from graphql.execution.values import get_argument_values
from graphql.pyutils import AwaitableOrValue, Path

from mentorgraph.api.context import RequestContext
from mentorgraph.api.execution import FlatExecution
from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.store.once import Claim, claiming

NAME, OUT_NAME = "idempotencyKey", "idempotency_key"
KEPT_FOR = timedelta(hours=24)
LONGEST = 200
LARGEST_ANSWER = 100_000
"""Characters of JSON that are kept; of a larger answer a repetition learns only that it was given."""

KEPT_WITHIN_S = 1.0
WAIT_S, TRIES = 0.1, 20
"""How a request waits for the answer to another one with the same key that is being carried out."""

DESCRIPTION = (
    "A key of your own, such as a UUID: the same mutation sent again with it writes nothing and gets the first answer, "
    "for 24 hours."
)


def add_keys(schema: GraphQLSchema) -> None:
    """Give the input of every mutation the field for a key, which its resolver never sees."""
    for field in schema.mutation_type.fields.values() if schema.mutation_type else ():
        given = cast(GraphQLInputObjectType, get_named_type(field.args["input"].type))
        given.fields[NAME] = GraphQLInputField(GraphQLString, description=DESCRIPTION, out_name=OUT_NAME)
        if field.resolve is not None:
            field.resolve = _without_key(field.resolve)


def _without_key(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def resolve_without_key(root: object, info: object, input: dict[str, Any], **others: object) -> Any:
        input.pop(OUT_NAME, None)
        return resolve(root, info, input=input, **others)

    return resolve_without_key


class OnceExecution(FlatExecution):
    """Executes operations, and of those mutations that have a key each one once."""

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Path
    ) -> AwaitableOrValue[Any]:
        """Return the answer of a field, for a mutation that was carried out already the first one."""
        if parent_type is self.schema.mutation_type:
            arguments = self._arguments(parent_type, field_nodes[0])
            key = arguments.get("input", {}).get(OUT_NAME)
            if key is not None:
                return self._once(key, arguments, parent_type, source, field_nodes, path)
        return super().execute_field(parent_type, source, field_nodes, path)

    def _arguments(self, parent_type: GraphQLObjectType, node: FieldNode) -> Mapping[str, Any]:
        field = get_field_def(self.schema, parent_type, node)
        with suppress(GraphQLError):  # whoever executes the field says what is wrong with them
            return get_argument_values(field, node, self.variable_values) if field else {}
        return {}

    async def _once(
        self,
        key: str,
        arguments: Mapping[str, Any],
        parent_type: GraphQLObjectType,
        source: Any,
        field_nodes: list[FieldNode],
        path: Path,
    ) -> Any:
        context: RequestContext = self.context_value
        errors = self.collected_errors.errors
        try:
            claim = _claim(context, key, self._digest(arguments, field_nodes))
            found = await _first_answer(context, claim)
        except DomainError as error:
            located = GraphQLError(error.message, field_nodes, path=path.as_list(), original_error=error)
            self.collected_errors.add(located, path)
            return None
        if found is not None:
            return orjson.loads(found)
        before = len(errors)
        with claiming(claim):
            answer = super().execute_field(parent_type, source, field_nodes, path)
            answer = await answer if isawaitable(answer) else answer
        if claim.is_lost:
            found = await _answer_to_another(context, claim)
            if found is not None:
                del errors[before:]
                return orjson.loads(found)
        elif claim.is_made and len(errors) == before:
            await _keep(context, claim, answer)
        return answer

    def _digest(self, arguments: Mapping[str, Any], field_nodes: list[FieldNode]) -> str:
        """A hash of a mutation, its input, and what is selected of its answer."""
        shown = [print_ast(node) for node in (*field_nodes, *self.fragments.values())]
        asked = orjson.dumps([shown, arguments, self.variable_values], default=str, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(asked).hexdigest()


def _claim(context: RequestContext, key: str, digest: str) -> Claim:
    """What a request claims. Everybody has keys of their own: nobody gets what another one was answered."""
    if not 1 <= len(key) <= LONGEST:
        told = f"{NAME} has {len(key)} characters; give 1 to {LONGEST}, such as those of a UUID"
        raise DomainError(told, code="BAD_USER_INPUT", field=NAME)
    viewer = context.viewer
    owner = orjson.dumps([viewer.person, sorted(viewer.roles), key]).decode()
    now = present()
    return Claim(uid_of("mentorgraph", "idempotency keys", owner), digest, now, now - KEPT_FOR)


async def _first_answer(context: RequestContext, claim: Claim) -> str | None:
    """The answer to an earlier request with the same key; None where there was none.

    Raises:
        DomainError: `IDEMPOTENCY_KEY_REUSED`, it asked for something else; `ANSWER_LOST`, its answer is not known.
    """
    found = await context.store.read_key(claim)
    if found is None:
        return None
    digest, answer = found
    if digest != claim.digest:
        told = "this key was used for another mutation, input or selection of fields; take a new key for a new one"
        raise DomainError(told, code="IDEMPOTENCY_KEY_REUSED", field=NAME)
    if answer is None:
        answer = await _answer_to_another(context, claim)
    if answer is None:
        told = "this was recorded under the same key before, but the answer was lost; look how things are"
        raise DomainError(told, code="ANSWER_LOST", field=NAME)
    return answer


async def _answer_to_another(context: RequestContext, claim: Claim) -> str | None:
    """The answer to the request that holds a key for the same, as soon as it is kept."""
    for _ in range(TRIES):
        digest, answer = await context.store.read_key(claim) or ("", None)
        if answer is not None and digest == claim.digest:
            return answer
        await asyncio.sleep(WAIT_S)
    return None


async def _keep(context: RequestContext, claim: Claim, answer: object) -> None:
    text = orjson.dumps(answer).decode()
    if len(text) <= LARGEST_ANSWER:
        with suppress(DomainError, TimeoutError):  # what was told is told, and whoever asks hears it
            async with asyncio.timeout(KEPT_WITHIN_S):
                await context.store.keep_answer(claim, text)
