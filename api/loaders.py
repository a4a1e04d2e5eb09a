"""What reads the facts that one answer mentions, all of a sort in one round trip, however deep they stand in it."""

from collections.abc import Callable, Mapping
from typing import Any

from aiodataloader import DataLoader

from mentorgraph.graph.clock import present
from mentorgraph.graph.facts.course import Course
from mentorgraph.graph.pairings.load import Load, loads
from mentorgraph.graph.pairings.sessions import Minutes, read_minutes
from mentorgraph.graph.people.admission import list_endings
from mentorgraph.graph.people.participants import Participant, participants
from mentorgraph.graph.people.profile import Completeness
from mentorgraph.graph.people.seeing import may_see
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import Scorer
from mentorgraph.graph.ranking.standing import costs_on_rank
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.rules.tiers import Ending
from mentorgraph.graph.store.pairing_reads import Move
from mentorgraph.graph.store.programme_reads import Configuration
from mentorgraph.graph.store.store import NodeRecord, Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer


class NodeLoader(DataLoader[str, NodeRecord | None]):
    """Reads the nodes that one answer mentions, as far as its viewer may see them, all wanted at a time at once.

    Resolvers hand its futures on and do not await them: what waits inside an `async def` is wanted later the deeper it
    stands in the answer, and each depth would be a round trip of its own.
    """

    def __init__(self, store: Store, viewer: Viewer) -> None:
        super().__init__()
        self._store, self._viewer = store, viewer

    async def batch_load_fn(self, uids: list[str]) -> list[NodeRecord | None]:
        """Reads some nodes, in the order of their uids; None for what does not exist or is not for the viewer."""
        found = await self._store.read_nodes(uids, present())
        return [node if (node := found.get(uid)) and may_see(self._viewer, node) else None for uid in uids]


class PairingChangesLoader(DataLoader[tuple[str, str], dict[str, int]]):
    """Reads how far pairings have come for all subscriptions that ask at a time; keeps nothing.

    A key is `Pairing` or `Person` and a uid; its value the pairings that it stands for, with the number of the last
    change of each.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        super().__init__(cache=False)
        self._store = store

    async def batch_load_fn(self, keys: list[tuple[str, str]]) -> list[dict[str, int]]:
        """Reads some, in the order of their keys."""
        asked = {kind: [uid for each, uid in keys if each == kind] for kind in ("Pairing", "Person")}
        found = await self._store().read_pairing_changes(asked["Pairing"], asked["Person"])
        return [found.get(uid, {}) for _, uid in keys]


class MovesLoader(DataLoader[str, list[Move]]):
    """Reads the moves of the requests and pairings that one answer mentions, all at once."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, uids: list[str]) -> list[list[Move]]:
        """Reads the moves of some, in the order of their uids."""
        found = await self._store.read_moves(uids)
        return [found.get(uid, []) for uid in uids]


class ProgrammesLoader(DataLoader[str, Configuration | None]):
    """Reads how the programmes that one answer mentions are laid down, all at once."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, uids: list[str]) -> list[Configuration | None]:
        """Reads some programmes, in the order of their uids."""
        found = await self._store.read_programmes(uids)
        return [found.get(uid) for uid in uids]


class DemandsLoader(DataLoader[str, list[str]]):
    """Reads the trainings that the tiers ask for that one answer mentions, all at once."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, uids: list[str]) -> list[list[str]]:
        """Reads the trainings of some tiers, in the order of their uids."""
        found = await self._store.read_demands(uids)
        return [found.get(uid, []) for uid in uids]


class CoursesLoader(DataLoader[str, Course | None]):
    """Reads what happened in the pairings that one answer mentions, all at once."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, uids: list[str]) -> list[Course | None]:
        """Reads some, in the order of their uids; None for what does not exist."""
        found = await self._store.read_courses(uids)
        return [found.get(uid) for uid in uids]


class NotesLoader(DataLoader[str, list[Mapping[str, Any]] | None]):
    """Reads the notes on the sessions that one answer mentions, as far as the viewer may read them, all at once."""

    def __init__(self, store: Store, viewer: Viewer) -> None:
        super().__init__()
        self._store, self._viewer = store, viewer

    async def batch_load_fn(self, uids: list[str]) -> list[list[Mapping[str, Any]] | None]:
        """Reads the notes on some sessions, in the order of their uids; None where they are not the viewer's."""
        found = await self._store.read_notes(uids, self._viewer.person, present()) if self._viewer.person else {}
        return [found.get(uid) for uid in uids]


class MilestonesLoader(DataLoader[str, list[str]]):
    """Reads which milestones the pairings have that one answer mentions, of all of them at once."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, uids: list[str]) -> list[list[str]]:
        """Reads the milestones of some pairings, in the order of their uids."""
        found = await self._store.read_milestones_of(uids)
        return [[each.uid for each in found.get(uid, ())] for uid in uids]


class SessionsLoader(DataLoader[str, list[str]]):
    """Reads which sessions the pairings have that one answer mentions, of all of them at once."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, uids: list[str]) -> list[list[str]]:
        """Reads the sessions of some pairings, the latest first, in the order of the pairings' uids."""
        found = await self._store.read_sessions_of(uids)
        return [found.get(uid, []) for uid in uids]


class MinutesLoader(DataLoader[tuple[str, str], Minutes | None]):
    """Reads the minutes that one answer mentions, of all people and months in one round trip."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, keys: list[tuple[str, str]]) -> list[Minutes | None]:
        """Reads some minutes, in the order of their keys: uid of a person and month."""
        found = await read_minutes(self._store, keys)
        return [found.get(key) for key in keys]


class ParticipantLoader(DataLoader[str, Participant | None]):
    """Reads what is known of the people that one answer mentions, of all of them at once."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, uids: list[str]) -> list[Participant | None]:
        """Reads some people, in the order of their uids; None for who does not exist."""
        found = await participants(self._store, uids, present())
        return [found.get(uid) for uid in uids]


class EndingsLoader(DataLoader[str, list[Ending]]):
    """Reads which tiers the people that one answer mentions will lose, of all of them at once."""

    def __init__(self, store: Store, people: ParticipantLoader) -> None:
        super().__init__()
        self._store, self._people = store, people

    async def batch_load_fn(self, uids: list[str]) -> list[list[Ending]]:
        """Reads what ends, in the order of the people's uids."""
        known = [each for each in await self._people.load_many(uids) if each is not None]
        found = await list_endings(self._store, known, present())
        return [found.get(uid, []) for uid in uids]


class LoadLoader(DataLoader[str, Load | None]):
    """Reads what the mentors that one answer mentions have taken on, of all of them at once."""

    def __init__(self, recommender: Recommender) -> None:
        super().__init__()
        self._recommender = recommender

    async def batch_load_fn(self, uids: list[str]) -> list[Load | None]:
        """Reads some loads, in the order of the people's uids; None for who is no mentor."""
        places = self._recommender.scorer.policy.rules.max_mentees
        found = await loads(self._recommender.store, uids, present(), places)
        return [found.get(uid) for uid in uids]


class RankCostsLoader(DataLoader[Completeness, dict[str, float]]):
    """Estimates what it costs the mentors that one answer mentions that they have not told something."""

    def __init__(self, recommender: Recommender, scorer: Scorer | None) -> None:
        super().__init__()
        self._recommender = recommender
        self._scorer = scorer

    async def batch_load_fn(self, known: list[Completeness]) -> list[dict[str, float]]:
        """Estimates some, in the order of whom they are about."""
        untold = {each.person: [demand.field for demand in each.missing] for each in known}
        columns = await self._recommender.fresh_columns()
        scorer = self._scorer or self._recommender.scorer
        found = await costs_on_rank(columns, scorer, untold, self._recommender.clock())
        return [found[each.person] for each in known]


class OverridesLoader(DataLoader[str, list[NodeRecord]]):
    """Reads what was decided about the recommendations that one answer mentions, all at once."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, uids: list[str]) -> list[list[NodeRecord]]:
        """Reads the overrides of some recommendations, in the order of their uids."""
        found = await self._store.read_overrides_on(uids)
        nodes = await self._store.read_nodes([uid for each in found.values() for uid in each], present())
        return [[nodes[override] for override in found.get(uid, ())] for uid in uids]


class RefusalsLoader(DataLoader[tuple[str, str], list[Refusal]]):
    """Reads which rules forbid the pairs that one answer mentions, all pairs of a mentee at once."""

    def __init__(self, recommender: Recommender) -> None:
        super().__init__()
        self._recommender = recommender

    async def batch_load_fn(self, pairs: list[tuple[str, str]]) -> list[list[Refusal]]:
        """Reads the refusals of some pairs, in their order: uids of mentee and mentor."""
        found: dict[tuple[str, str], list[Refusal]] = {}
        for mentee in dict.fromkeys(mentee for mentee, _ in pairs):
            mentors = [mentor for other, mentor in pairs if other == mentee]
            judged = await self._recommender.judge(COORDINATOR, mentee, mentors)
            found |= {(mentee, mentor): list(each.refusals) for mentor, each in judged.items()}
        return [found.get(pair, []) for pair in pairs]
