"""Sessions and the notes on them over GraphQL, which only the people of a pairing read."""

from collections.abc import Awaitable, Mapping
from typing import Any

import graphene

from mentorgraph.api.connections import Connection, listed, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.mutations import errors_field, payload, person_of, told_source
from mentorgraph.api.types import DateTime, Info, Person, Session, SessionConnection
from mentorgraph.graph.pairings import notes
from mentorgraph.graph.store.store import NodeRecord


def _of_note(name: str) -> Any:
    def resolve(root: Mapping[str, Any], _info: Info) -> Any:
        return root.get(name)

    return resolve


class SessionNote(graphene.ObjectType):
    """What somebody noted on a session."""

    person = graphene.Field(Person, description="Who.")
    written_at = graphene.Field(
        DateTime, required=True, description="When, as it reads now.", resolver=_of_note("since")
    )
    agreed = graphene.String(description="What was agreed.", resolver=_of_note("agreed"))
    next_step = graphene.String(description="What comes next.", resolver=_of_note("next_step"))

    @staticmethod
    def resolve_person(root: Mapping[str, Any], info: Info) -> Awaitable[NodeRecord | None]:
        """Who."""
        context: RequestContext = info.context
        return context.nodes.load(root["person"])


def sessions_field() -> graphene.Field:
    """The sessions of a pairing."""

    async def resolve(root: NodeRecord, info: Info, **paging: Any) -> Connection:
        context: RequestContext = info.context
        return listed("Session", await context.sessions.load(root.uid), context.nodes.load, paging)

    return graphene.Field(
        SessionConnection,
        required=True,
        description="Its sessions, the latest first.",
        resolver=resolve,
        **paging_arguments(),
    )


class WriteNoteInput(graphene.InputObjectType):
    """Your own note on a session. What is left out stays as it was; null takes it back."""

    session_id = graphene.ID(required=True, description="The session.")
    agreed = graphene.String(description="What was agreed.")
    next_step = graphene.String(description="What comes next.")
    source = graphene.String(description="Where this is known from; `api` if none is given.")


class WriteNotePayload(graphene.ObjectType):
    """The session that was noted on."""

    session = graphene.Field(Session, description="The session.")
    user_errors = errors_field()


class EraseNotesInput(graphene.InputObjectType):
    """Whose notes are to be erased."""

    person_id = graphene.ID(required=True, description="Who wrote them: yourself, or anybody for coordinators.")


class EraseNotesPayload(graphene.ObjectType):
    """What was erased."""

    person = graphene.Field(Person, description="Whose notes they were.")
    erased = graphene.Int(description="How many notes there were; null where nothing was erased for a reason.")
    user_errors = errors_field()


class NoteMutations:
    """What can be noted, and erased."""

    write_note = graphene.Field(
        WriteNotePayload,
        description="Writes your note on a session, or writes it anew; for the people of the pairing alone.",
        input=WriteNoteInput(required=True, description="Session and note."),
    )

    erase_notes = graphene.Field(
        EraseNotesPayload,
        description="Erases all notes on sessions that one person wrote, for good; other people's stay.",
        input=EraseNotesInput(required=True, description="Whose."),
    )

    @staticmethod
    async def resolve_erase_notes(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Erases notes."""
        context: RequestContext = info.context
        found: dict[str, object] = {"erased": None}

        async def work() -> str:
            person = person_of(input)
            found["erased"] = await notes.erase_notes(context.store, context.viewer, person)
            context.notes.clear_all()
            return person

        return {**await payload(context, "person", work), **found}

    @staticmethod
    async def resolve_write_note(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Writes a note."""
        context: RequestContext = info.context

        async def work() -> str:
            session = read_global_id(input["session_id"], expected="Session", field="sessionId")[1]
            told = {name: input[name] for name in notes.TOLD if name in input}
            return await notes.write_note(context.store, context.viewer, session, told, source=told_source(input))

        return await payload(context, "session", work)
