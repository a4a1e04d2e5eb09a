"""GraphQL documents, made ready for execution once and kept.

Parsing and validating a document costs several times what executing it does, and clients send few different ones.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

from mentorgraph.api.cost import Plan, plans_of
from mentorgraph.api.errors import DocumentRefused
from mentorgraph.api.execution import Compiled, operations_of
from mentorgraph.api.idempotency import OnceExecution
from mentorgraph.api.limits import Limits, check_size

BYTES_PER_TOKEN = 600  # tokens, nodes and locations together: 570 measured on graphql-core 3.2.14


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that can be executed.

    Attributes:
        document: What the text says.
        compiled: The same, ready for execution.
        operations: Each of its operations by its name, and the only one also by None.
        plans: What each of its operations costs, by name.
    """

    document: DocumentNode
    compiled: Compiled
    operations: Mapping[str | None, OperationDefinitionNode]
    plans: Mapping[str, Plan]


class Documents:
    """Parses and validates documents against one schema and keeps the valid ones; the least recently used go first.

    Documents that are refused are not kept, so that nobody can push out good ones with nonsense.
    """

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        # The specified rules bound the depth of introspection. The other one leaves __typename, which clients live on.
        self._rules = (
            specified_rules if limits.allows_introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        )
        self._kept: OrderedDict[str, Prepared] = OrderedDict()
        self._kept_bytes = 0

    def __contains__(self, text: str) -> bool:
        """Say whether the document is kept."""
        return text in self._kept

    def prepare(self, text: str) -> Prepared:
        """Return the parsed and validated document.

        Raises:
            DocumentRefused: The text is no GraphQL, asks for too much, or does not fit the schema.
        """
        if kept := self._kept.get(text):
            self._kept.move_to_end(text)
            return kept
        document = self._parse(text)
        check_size(document, self._limits)
        errors = validate(
            self._schema, document, self._rules, max_errors=20, hide_suggestions=self._limits.hides_suggestions
        )
        if errors:
            raise DocumentRefused(errors, code="GRAPHQL_VALIDATION_FAILED")
        compiled = Compiled(self._schema, document, OnceExecution)
        prepared = Prepared(document, compiled, operations_of(document), plans_of(self._schema, document))
        self._keep(text, prepared)
        return prepared

    def _parse(self, text: str) -> DocumentNode:
        tokens = self._limits.max_tokens
        try:
            return parse(text, max_lexical_tokens=tokens, max_comments=tokens)
        except GraphQLError as error:
            # graphql-core raises one class for both; only its messages about limits end so.
            is_limit = error.message.endswith("Parsing aborted.")
            if is_limit:
                raise DocumentRefused([error], code="LIMIT_EXCEEDED", limit="tokens") from None
            raise DocumentRefused([error], code="GRAPHQL_PARSE_FAILED") from None

    def _keep(self, text: str, prepared: Prepared) -> None:
        self._kept[text] = prepared
        self._kept_bytes += _weight(text, prepared)
        while len(self._kept) > self._limits.max_kept_documents or self._kept_bytes > self._limits.max_kept_bytes:
            self._kept_bytes -= _weight(*self._kept.popitem(last=False))


def _weight(text: str, prepared: Prepared) -> int:
    """Return about how many bytes a kept document takes."""
    return 4 * len(text) + BYTES_PER_TOKEN * (prepared.document.token_count or 0)
