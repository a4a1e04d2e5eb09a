"""What can be asked and told over GraphQL of scripts, which mentor and mentee read alike."""

from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.api.mutations import answered, errors_field, names_of, source_field, told_source
from mentorgraph.api.programmes import ProgrammeFormat
from mentorgraph.api.types import DateTime, Info
from mentorgraph.graph.people import scripts
from mentorgraph.graph.store.store import Script as StoredScript


class Script(graphene.ObjectType):
    """A version of a text that mentor and mentee read alike, such as an agenda or a handbook."""

    title = graphene.String(required=True, description="What it is called.")
    text = graphene.String(required=True, description="What it says.")
    format = graphene.Field(ProgrammeFormat, description="For programmes of which format; null for all.")
    programme_id = graphene.ID(description="For which programme; null for all.")
    since = graphene.Field(DateTime, required=True, description="When this version began.")

    @staticmethod
    def resolve_format(root: StoredScript, _info: Info) -> str | None:
        """For programmes of which format."""
        return root.format or None

    @staticmethod
    def resolve_programme_id(root: StoredScript, _info: Info) -> str | None:
        """For which programme."""
        return global_id("Programme", root.programme) if root.programme else None


class SetScriptInput(graphene.InputObjectType):
    """What a script says from now on. Title, programme and format tell one script from another."""

    title = graphene.String(required=True, description="What it is called.")
    text = graphene.String(description="What it says; left out, the script ends.")
    format = graphene.InputField(ProgrammeFormat, description="For programmes of one format; for all if not given.")
    programme_id = graphene.ID(description="For one programme; for all if not given.")
    source = source_field()


class SetScriptPayload(graphene.ObjectType):
    """The script as it is from now on."""

    script = graphene.Field(Script, description="The version that holds; null where it has ended.")
    user_errors = errors_field()


class ScriptMutations:
    """What can be told of scripts."""

    set_script = graphene.Field(
        SetScriptPayload,
        description="Has a script say something from now on, or ends it; for coordinators.",
        input=SetScriptInput(required=True, description="The script."),
    )

    @staticmethod
    async def resolve_set_script(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Writes a script."""
        context: RequestContext = info.context

        async def work() -> StoredScript | None:
            programme = input.get("programme_id")
            return await scripts.set_script(
                context.store,
                context.viewer,
                input["title"],
                input.get("text") or "",
                format="".join(names_of([input["format"]])) if input.get("format") else "",
                programme=read_global_id(programme, expected="Programme", field="programmeId")[1] if programme else "",
                source=told_source(input),
            )

        return await answered(context, "script", work)


class ScriptQueries:
    """What can be asked of scripts."""

    scripts = graphene.List(
        graphene.NonNull(Script),
        description="What the two of a pairing read: scripts of its programme, of the format of that one, and of all.",
        pairing_id=graphene.ID(required=True, description="The pairing."),
    )

    @staticmethod
    async def resolve_scripts(_root: None, info: Info, pairing_id: str) -> list[StoredScript]:
        """Reads the scripts of a pairing."""
        context: RequestContext = info.context
        pairing = read_global_id(pairing_id, expected="Pairing", field="pairingId")[1]
        return await scripts.scripts_of_pairing(context.store, context.viewer, pairing)
