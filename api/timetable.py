"""What can be asked and told over GraphQL of people's time: calendars, time in common, sessions and who is to meet."""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.mutations import errors_field, names_of, payload, person_of, source_field, told_source
from mentorgraph.api.pairings import Pairing
from mentorgraph.api.types import DateTime, Info, Node, Person, Session, SessionKind
from mentorgraph.graph.calendar.reading import Span
from mentorgraph.graph.paging import MOST, check_first
from mentorgraph.graph.pairings import notes, sessions
from mentorgraph.graph.people import timetable
from mentorgraph.graph.people.timetable import MOST_HOLIDAYS, MOST_PEOPLE, MOST_SLOTS, MOST_WEEKS, ImportedTimes
from mentorgraph.graph.store.store import NodeRecord


class TimeSlot(graphene.ObjectType):
    """A time at which people can meet."""

    starts_at = graphene.Field(DateTime, required=True, description="When it begins.")
    ends_at = graphene.Field(DateTime, required=True, description="When it ends.")

    @staticmethod
    def resolve_starts_at(root: Span, _info: Info) -> datetime:
        """When it begins."""
        return root.since

    @staticmethod
    def resolve_ends_at(root: Span, _info: Info) -> datetime:
        """When it ends."""
        return root.until


class LeftOutComponents(graphene.ObjectType):
    """Components of a calendar that were not understood."""

    reason = graphene.String(required=True, description="Why.")
    count = graphene.Int(required=True, description="How many.")


class ImportCalendarInput(graphene.InputObjectType):
    """A person's calendar. Of it only times are kept: when they are busy, away, or available."""

    person_id = graphene.ID(required=True, description="Whose calendar it is.")
    text = graphene.String(required=True, description="The iCalendar file (RFC 5545), as text.")
    source = graphene.String(
        description="Name of the calendar, `calendar` if not given; it takes the place of what that one told before."
    )


class ImportCalendarPayload(graphene.ObjectType):
    """What a calendar told of the weeks to come."""

    person = graphene.Field(Person, description="Whose calendar it is.")
    busy_times = graphene.Int(description="Busy times that it tells.")
    absences = graphene.Int(description="Absences that it tells.")
    windows = graphene.Int(
        description="Weekly windows that it tells; null where it tells none and the known ones stay."
    )
    begun = graphene.Int(description="What of that was not known.")
    ended = graphene.Int(description="What was known and is not told any more.")
    left_out = graphene.List(
        graphene.NonNull(LeftOutComponents), description="What was not understood and therefore left out."
    )
    user_errors = errors_field()


class RecordSessionInput(graphene.InputObjectType):
    """A session of a pairing."""

    pairing_id = graphene.ID(required=True, description="The pairing.")
    kind = graphene.InputField(SessionKind, required=True, description="How it was held.")
    started_at = graphene.InputField(DateTime, required=True, description="When it began; a live one may be planned.")
    minutes = graphene.Int(required=True, description="How long it took, 1 to 1440.")
    link = graphene.String(description="Where a recorded one is; required for those, and only for those.")
    agreed = graphene.String(description="What was agreed, for the people of the pairing alone.")
    next_step = graphene.String(description="What comes next, for them alone.")
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class RecordSessionPayload(graphene.ObjectType):
    """The session that was recorded."""

    session = graphene.Field(Session, description="The session.")
    user_errors = errors_field()


class OverdueCheckIn(graphene.ObjectType):
    """A pairing in which nobody has met for too long."""

    pairing = graphene.Field(Pairing, description="The pairing.")
    mentor = graphene.Field(Person, description="The mentor.")
    mentee = graphene.Field(Person, description="The mentee.")
    last_session_at = graphene.Field(DateTime, description="When they last met; null where they never have.")
    due_at = graphene.Field(DateTime, required=True, description="By when they were to meet.")
    days_overdue = graphene.Int(required=True, description="Whole days since then.")

    @staticmethod
    def resolve_pairing(root: sessions.OverdueCheckIn, info: Info) -> Awaitable[NodeRecord | None]:
        """The pairing."""
        context: RequestContext = info.context
        return context.nodes.load(root.check_in.pairing)

    @staticmethod
    def resolve_mentor(root: sessions.OverdueCheckIn, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.check_in.mentor)

    @staticmethod
    def resolve_mentee(root: sessions.OverdueCheckIn, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentee."""
        context: RequestContext = info.context
        return context.nodes.load(root.check_in.mentee)

    @staticmethod
    def resolve_last_session_at(root: sessions.OverdueCheckIn, _info: Info) -> datetime | None:
        """When they last met."""
        return root.check_in.last

    @staticmethod
    def resolve_due_at(root: sessions.OverdueCheckIn, _info: Info) -> datetime:
        """By when they were to meet."""
        return root.due

    @staticmethod
    def resolve_days_overdue(root: sessions.OverdueCheckIn, _info: Info) -> int:
        """Days since then."""
        return root.days


class RecordPhaseInput(graphene.InputObjectType):
    """When a part of the organisation, or a programme, has no time for sessions."""

    name = graphene.String(required=True, description="What it is called, such as `Release` or `Exams`.")
    starts_at = graphene.InputField(DateTime, required=True, description="Its first instant.")
    ends_at = graphene.InputField(
        DateTime, required=True, description="The instant after it; told again as its first one, it is taken back."
    )
    unit_id = graphene.ID(description="The unit whose members have no time.")
    programme_id = graphene.ID(description="The programme whose pairings rest; this, a unit or both.")
    source = source_field()


class RecordPhasePayload(graphene.ObjectType):
    """Whose phase was recorded."""

    of = graphene.Field(Node, description="The programme, or else the unit.")
    user_errors = errors_field()


class TimetableMutations:
    """What can be told of people's time."""

    record_phase = graphene.Field(
        RecordPhasePayload,
        description="Records when a unit or a programme has no time for sessions; for coordinators.",
        input=RecordPhaseInput(required=True, description="The phase."),
    )

    import_calendar = graphene.Field(
        ImportCalendarPayload,
        description="Takes the times of a person's calendar, in place of what it told before.",
        input=ImportCalendarInput(required=True, description="Person and calendar."),
    )

    record_session = graphene.Field(
        RecordSessionPayload,
        description="Records a session of a pairing, by its people or a coordinator.",
        input=RecordSessionInput(required=True, description="The session."),
    )

    @staticmethod
    async def resolve_record_session(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Records a session."""
        context: RequestContext = info.context

        async def work() -> str:
            [kind] = names_of([input["kind"]])
            pairing = read_global_id(input["pairing_id"], expected="Pairing", field="pairingId")[1]
            row = {name: input.get(name) for name in ("started_at", "minutes", "link")}
            return await sessions.record_session(
                context.store,
                context.viewer,
                {**row, "pairing_id": pairing, "kind": kind},
                source=told_source(input),
                external_id=input.get("external_id") or "",
                note={name: input[name] for name in notes.TOLD if name in input},
            )

        return await payload(context, "session", work)

    @staticmethod
    async def resolve_record_phase(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Records a phase."""
        context: RequestContext = info.context

        async def work() -> str:
            row = {"name": input["name"], "since": input["starts_at"], "until": input["ends_at"]}
            for of, kind in (("unit", "OrganisationUnit"), ("programme", "Programme")):
                if input.get(f"{of}_id"):
                    row[f"{of}_id"] = read_global_id(input[f"{of}_id"], expected=kind, field=f"{of}Id")[1]
            await timetable.record_phase(context.store, context.viewer, row, source=told_source(input))
            return str(row.get("programme_id") or row["unit_id"])

        return await payload(context, "of", work, {"since": "startsAt", "until": "endsAt"})

    @staticmethod
    async def resolve_import_calendar(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Imports a calendar."""
        context: RequestContext = info.context
        found: dict[str, object] = {}

        async def work() -> str:
            person = person_of(input)
            source = (input.get("source") or "").strip() or timetable.SOURCE
            imported = await timetable.import_calendar(
                context.store, context.viewer, person, input["text"], source=source
            )
            found.update(_shown(imported))
            return person

        return {**await payload(context, "person", work), **found}


class TimetableQueries:
    """What can be asked of people's time."""

    propose_slots = graphene.List(
        graphene.NonNull(TimeSlot),
        description="The earliest times at which people can meet, whatever their zones, calendars and absences.",
        pairing_id=graphene.ID(description="The pairing whose people are to meet."),
        person_ids=graphene.List(
            graphene.NonNull(graphene.ID),
            description=f"In place of a pairing, for coordinators: 2 to {MOST_PEOPLE} people who are to meet.",
        ),
        minutes=graphene.Int(description="How long they meet, 5 to 480; 60 if not given."),
        weeks=graphene.Int(description=f"How far to look, 1 to {MOST_WEEKS}; 4 if not given."),
        first=graphene.Int(description=f"At most so many, 1 to {MOST_SLOTS}; 10 if not given."),
        holidays=graphene.List(
            graphene.NonNull(DateTime),
            description=f"Days on which nobody meets, each where they live; up to {MOST_HOLIDAYS}.",
        ),
    )
    calendar = graphene.String(
        description="A person's free and busy times, windows and live sessions as an iCalendar file, without names.",
        person_id=graphene.ID(required=True, description="The person: yourself, or anybody for coordinators."),
    )

    overdue_check_ins = graphene.List(
        graphene.NonNull(OverdueCheckIn),
        description="Pairings in which nobody has met for too long, the longest overdue first; for coordinators.",
        programme_id=graphene.ID(description="Of one programme; of all if none is given."),
        first=graphene.Int(description=f"At most so many, 1 to {MOST}; 50 if not given."),
    )

    @staticmethod
    async def resolve_overdue_check_ins(
        _root: None, info: Info, programme_id: str | None = None, first: int | None = None
    ) -> list[sessions.OverdueCheckIn]:
        """Lists who has not met."""
        context: RequestContext = info.context
        first = 50 if first is None else first
        check_first(first)
        programme = read_global_id(programme_id, expected="Programme", field="programmeId")[1] if programme_id else None
        return await sessions.list_overdue(context.store, context.viewer, programme, first=first)

    @staticmethod
    async def resolve_propose_slots(
        _root: None,
        info: Info,
        pairing_id: str | None = None,
        person_ids: list[str] | None = None,
        holidays: list[datetime] | None = None,
        minutes: int | None = None,
        weeks: int | None = None,
        first: int | None = None,
    ) -> list[Span]:
        """Proposes times."""
        context: RequestContext = info.context
        return await timetable.propose_times(
            context.store,
            context.viewer,
            [read_global_id(each, expected="Person", field="personIds")[1] for each in person_ids or []],
            pairing=read_global_id(pairing_id, expected="Pairing", field="pairingId")[1] if pairing_id else "",
            holidays=[each.date() for each in holidays or []],
            minutes=60 if minutes is None else minutes,
            weeks=4 if weeks is None else weeks,
            first=10 if first is None else first,
        )

    @staticmethod
    async def resolve_calendar(_root: None, info: Info, person_id: str) -> str:
        """Writes a calendar."""
        context: RequestContext = info.context
        person = read_global_id(person_id, expected="Person", field="personId")[1]
        return (await timetable.export_calendar(context.store, context.viewer, person)).decode()


def _shown(imported: ImportedTimes) -> Mapping[str, object]:
    return {
        "busy_times": imported.busy_times,
        "absences": imported.absences,
        "windows": imported.windows,
        "begun": imported.begun,
        "ended": imported.ended,
        "left_out": [{"reason": reason, "count": count} for reason, count in imported.left_out.items()],
    }
