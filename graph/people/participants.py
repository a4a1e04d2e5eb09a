"""What the graph knows of people who take part: profile, enrolments, consents, onboarding, trainings and absences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import holds, since_of, until_of
from mentorgraph.graph.facts.model import Record, role_uid
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.vocabulary import ROLES


@dataclass(frozen=True, slots=True)
class Step:
    """A step of onboarding as one person stands to it.

    Attributes:
        record: The step.
        done: When they took it; None where they have not.
    """

    record: Record
    done: datetime | None

    @property
    def is_missing(self) -> bool:
        """Whether they have to take it before they are recommended."""
        return self.done is None and self.record.properties["necessity"] == "mandatory"


@dataclass(frozen=True, slots=True)
class Participant:
    """One person and what is known of them.

    Attributes:
        person: The person.
        facts: What they are and did, ended or not, but for their pairings.
        steps: All steps of onboarding, in their order, whether or not they are for this person.
        now: The instant as of which facts hold.
    """

    person: Record
    facts: tuple[Record, ...]
    steps: tuple[Record, ...]
    now: datetime

    def all_of(self, kind: str) -> list[Record]:
        """Their facts of a kind, ended or not, the earliest first."""
        return sorted((each for each in self.facts if each.kind == kind), key=since_of)

    def holding(self, kind: str) -> list[Record]:
        """Their facts of a kind that hold, the earliest first."""
        return [each for each in self.all_of(kind) if holds(each, self.now)]

    @property
    def has_left(self) -> bool:
        """Whether they have left the organisation."""
        left = until_of(self.person)
        return left is not None and left <= self.now

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that they have."""
        held = {each.links["role"] for each in self.holding("roles")}
        return tuple(role for role in ROLES if role_uid(role) in held)

    @property
    def profile(self) -> Record | None:
        """What they tell of themselves, if they do."""
        held = self.holding("profiles")
        return held[-1] if held else None

    @property
    def absence(self) -> Record | None:
        """Their absence, if they are away; of several the one that lasts longest."""
        return max(self.holding("absences"), key=lambda each: until_of(each) or self.now, default=None)

    def onboarding(self, role: str | None = None) -> list[Step]:
        """The steps that are in use and for this person, in their order.

        A step is for whoever has its role; one of a programme is for whoever is enrolled there in that role. An
        enrolment that names no role counts for every role.

        Args:
            role: Only those that they have to take as this; as anything that they are if none is given.
        """
        done = {each.links["step"]: since_of(each) for each in self.holding("steps_done")}
        return [
            Step(each, done.get(each.uid))
            for each in self.steps
            if holds(each, self.now) and any(self._is_for(each, own) for own in ([role] if role else self.roles))
        ]

    def missing_steps(self, role: str) -> tuple[str, ...]:
        """Names of the mandatory steps that they have not taken yet, as the hard rules see it."""
        return tuple(str(each.record.properties["name"]) for each in self.onboarding(role) if each.is_missing)

    def _is_for(self, step: Record, role: str) -> bool:
        if step.properties.get("role", role) != role:
            return False
        programme = step.links.get("programme")
        return programme is None or any(
            each.links["programme"] == programme and each.properties.get("role", role) == role
            for each in self.holding("memberships")
        )


async def participants(store: Store, people: Iterable[str], now: datetime) -> dict[str, Participant]:
    """Some people, by uid; who does not exist is absent. Two round trips, however many they are."""
    steps = tuple(await store.read_onboarding())
    found = await store.read_facts_of_people(people)
    return {uid: Participant(own, tuple(facts), steps, now) for uid, (own, *facts) in found.items()}


async def participant(store: Store, person: str, now: datetime) -> Participant:
    """One person.

    Raises:
        DomainError: `NOT_FOUND`.
    """
    found = (await participants(store, [person], now)).get(person)
    if found is None:
        raise DomainError("no person has this id", code="NOT_FOUND", field="personId")
    return found
