"""What one serving process keeps open, and what each request gets of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from mentorgraph.api.errors import without_texts
from mentorgraph.api.events import Feed, Turn
from mentorgraph.api.loaders import (
    CoursesLoader,
    DemandsLoader,
    EndingsLoader,
    LoadLoader,
    MilestonesLoader,
    MinutesLoader,
    MovesLoader,
    NodeLoader,
    NotesLoader,
    OverridesLoader,
    PairingChangesLoader,
    ParticipantLoader,
    ProgrammesLoader,
    RankCostsLoader,
    RefusalsLoader,
    SessionsLoader,
)
from mentorgraph.embeddings.progress import Told, read_told
from mentorgraph.embeddings.registry import Registry
from mentorgraph.embeddings.reloading import Reloading
from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.pairings.load import Load
from mentorgraph.graph.pairings.sessions import Minutes, month_of
from mentorgraph.graph.people.participants import Participant
from mentorgraph.graph.people.seeing import may_look_up
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer, Scorer
from mentorgraph.graph.rules.policy import chosen_policy, load_policy
from mentorgraph.graph.skills.taxonomy import Taxonomy
from mentorgraph.graph.store.database import Database, DatabaseUnavailable, open_database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Changes, NodeRecord, Store
from mentorgraph.graph.viewer import Viewer

logger = logging.getLogger(__name__)

AGAIN_AFTER_S = 2.0
OPENED_WITHIN_S = 3.0
"""For how long a question waits for a service that has only begun to open; part of its time for execution."""

PLANNED_WITHIN_S = 30.0
ASKED_MOST = (
    *("read_changes", "read_viewer", "read_asker", "read_candidates", "read_edges", "read_nodes"),
    *("next_change", "find_existing", "write_goals", "list_goals", "page_goals_of", "read_open_facts_of"),
    *("read_key", "claim_key", "keep_answer", "write_consents", "list_consents", "read_facts_of_people"),
    *("write_people", "write_roles", "list_people", "list_roles", "read_onboarding", "page_catalogue"),
)
"""Statements that the database plans before anybody is answered, the first ones first."""

Opening: TypeAlias = Callable[[Report], AbstractAsyncContextManager[Recommender]]
"""Opens what answers, tells what it is doing meanwhile, and closes it in the end."""


MODELS = "models"
"""Folder of a home in which the versions of the model lie."""


async def recommender_on(database: Database, home: Path | None = None) -> Recommender:
    """Brings a database to the model of this version and returns what answers from it, with all that it has to know.

    Args:
        database: The database.
        home: Where the model lies that ranks; rules alone rank if none is given.

    Raises:
        DomainError: The database cannot be brought to the model, or not be read.
    """
    await migrate(database)
    policy = load_policy(chosen_policy())
    scorer = await Reloading(Registry(home / MODELS), policy).scorer() if home else RulesScorer(policy)
    recommender = Recommender(Store(database), scorer)
    await recommender.columns.refresh(recommender.store)
    return recommender


@asynccontextmanager
async def recommender_of(home: Path, report: Report) -> AsyncIterator[Recommender]:
    """What answers from the database of a home, or from the one that `NEO4J_URI` names, while the block runs."""
    async with open_database(home, progress=report) as database:
        report("Reading the graph", 0, 0)
        recommender = await recommender_on(database, home)
        async with database.planning_ahead() as plans:
            report("Preparing to answer", 0, 0)
            with suppress(TimeoutError):  # what is not planned by then is planned beside the first requests
                async with asyncio.timeout(PLANNED_WITHIN_S):
                    await plans.expect(ASKED_MOST)
            yield recommender


class Service:
    """What answers in one process, opened in the background.

    It comes up while the database is away and goes on trying, so that a worker never fails to start for that reason.
    Nothing is answered before the database has the model of this version.
    """

    def __init__(self, opening: Opening, reloading: Reloading | None = None, training: Path | None = None) -> None:
        """Prepares a service.

        Args:
            opening: Opens what answers.
            reloading: Follows the version of the model that is current; what was opened ranks if none is given.
            training: The file in which training tells how far it is; none is followed if none is given.
        """
        self._opening = opening
        self._reloading = reloading
        self._recommender: Recommender | None = None
        self._reason = "the database is being opened; try again in a moment"
        self._closing = asyncio.Event()
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._training = training
        self.graph_feed = Feed("graph", self._graph_state)
        """Tells when the graph or the model has changed."""
        self.training_feed = Feed("training", self.training_progress)
        """Tells when training has got further."""
        self.turn = Turn()
        """For what subscriptions compute."""

    async def __aenter__(self) -> "Service":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._closing.set()
        if self._task is not None:
            if self._recommender is None:
                self._task.cancel()  # what is being opened is not waited for
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def recommender(self) -> Recommender:
        """What answers.

        Raises:
            DatabaseUnavailable: The database was not reached so far.
        """
        if self._recommender is None:
            raise DatabaseUnavailable(self._reason)
        return self._recommender

    @cached_property
    def pairing_changes(self) -> PairingChangesLoader:
        """How far pairings have come."""
        return PairingChangesLoader(lambda: self.recommender.store)

    async def tried(self) -> None:
        """Waits a moment for the first attempt to open it.

        Of several workers one may be ready before the other; whoever reaches the other should not be turned away.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(OPENED_WITHIN_S):
                await self._tried.wait()

    async def scorer(self) -> Scorer | None:
        """What ranks from now on, to be kept for the whole of a request; None for what the recommender has."""
        return await self._reloading.scorer() if self._reloading else None

    def degraded(self, scorer: Scorer | None) -> Mapping[str, str] | None:
        """What ranks in place of which version that is damaged, and when it was promoted; None if nothing does."""
        if scorer is None or self._reloading is None or not self._reloading.wanted:
            return None
        promoted = self._reloading.promoted_at
        age = {"promotedAt": promoted.isoformat().replace("+00:00", "Z")} if promoted else {}
        return {"wanted": self._reloading.wanted, "ranks": scorer.model_version, **age}

    def card(self, version: str) -> str | None:
        """The card of a version of the model, in Markdown; None where there is no such version."""
        return self._reloading.card(version) if self._reloading else None

    def card_link(self, version: str) -> str | None:
        """Where the card of a version stands; None where there is none."""
        return f"/models/{version}" if self.card(version) else None

    async def ready(self) -> Mapping[str, object]:
        """Asks the database and tells which model answers.

        Raises:
            DatabaseUnavailable: The database does not answer.
        """
        await self.recommender.store.read_changes()
        scorer = await self.scorer() or self.recommender.scorer
        refused = {"refused": self._reloading.refused} if self._reloading and self._reloading.refused else {}
        return {"model": scorer.model_version, **refused}

    async def training_progress(self) -> Told | None:
        """What the last training in this home has told of itself; None where there was none."""
        return await asyncio.to_thread(read_told, self._training) if self._training else None

    async def _graph_state(self) -> tuple[Changes, str]:
        """What lists depend on, but for the time."""
        changes = await self.recommender.store.read_changes()
        scorer = await self.scorer() or self.recommender.scorer
        return changes, scorer.model_version

    async def _run(self) -> None:
        logged = ""
        while not self._closing.is_set():
            try:
                async with self._opening(self._opening_now) as recommender:
                    self._recommender, logged = recommender, ""
                    self._tried.set()
                    await self._closing.wait()
            except Exception as error:
                known = isinstance(error, DomainError)
                self._reason = error.message if isinstance(error, DomainError) else "the database cannot be opened"
                # The next attempt may fail in the same way every two seconds for hours; that is said once.
                if (seen := f"{type(error).__name__} {self._reason}") != logged:
                    logger.warning("Not open: %s%s", self._reason, "" if known else f"\n{without_texts(error)}")
                    logged = seen
            finally:
                self._recommender = None
                self._tried.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_AFTER_S):
                    await self._closing.wait()

    def _opening_now(self, doing: str, done: int = 0, total: int = 0) -> None:
        share = f" ({done} of {total})" if total else ""
        self._reason = f"the database is being opened: {doing}{share}; try again in a moment"


class RequestContext:
    """What resolvers find as `info.context`.

    Attributes:
        viewer: On whose behalf the request is made.
        decisions: Where answers are kept.
        service: What it is answered from.
        renewed: Makes the context anew, as for a request that comes now from the same client.
    """

    def __init__(
        self,
        viewer: Viewer,
        service: Service,
        decisions: DecisionLog,
        scorer: Scorer | None = None,
        renewed: "Callable[[], Awaitable[RequestContext]] | None" = None,
    ) -> None:
        self.viewer = viewer
        self.decisions = decisions
        self._scorer = scorer
        self._has_ranked = False
        self.service = service
        self.renewed = renewed or self._itself
        self._taxonomy: asyncio.Task[Taxonomy] | None = None

    async def _itself(self) -> "RequestContext":
        return self

    @property
    def scorer(self) -> Scorer | None:
        """What ranks throughout the request; None for what the recommender has."""
        self._has_ranked = True
        return self._scorer

    @property
    def degraded(self) -> Mapping[str, str] | None:
        """How the answer is less than it should be, where something was ranked for it; see `Service.degraded`."""
        return self.service.degraded(self._scorer) if self._has_ranked else None

    async def taxonomy(self) -> Taxonomy:
        """The taxonomy as it is now, read once for all that a request asks of it."""
        if self._taxonomy is None:
            self._taxonomy = asyncio.create_task(self._read_taxonomy())
        return await self._taxonomy

    async def _read_taxonomy(self) -> Taxonomy:
        columns = await self.recommender.fresh_columns()
        return columns.taxonomy(self.recommender.clock().timestamp())

    def forget_taxonomy(self) -> None:
        """Has the taxonomy read anew, since the request has changed it."""
        self._taxonomy = None

    @property
    def recommender(self) -> Recommender:
        """What answers.

        Raises:
            DatabaseUnavailable: The database was not reached so far.
        """
        return self.service.recommender

    @property
    def store(self) -> Store:
        """The graph."""
        return self.recommender.store

    @cached_property
    def nodes(self) -> NodeLoader:
        """Nodes by uid, as far as the viewer may see them."""
        return NodeLoader(self.store, self.viewer)

    @cached_property
    def overrides(self) -> OverridesLoader:
        """What was decided about recommendations, by their uid; not for participants."""
        return OverridesLoader(self.store)

    @cached_property
    def refusals(self) -> RefusalsLoader:
        """Which rules forbid a pair, by the uids of mentee and mentor; not for participants."""
        return RefusalsLoader(self.recommender)

    @cached_property
    def moves(self) -> MovesLoader:
        """Moves by the uid of what was moved."""
        return MovesLoader(self.store)

    @cached_property
    def programmes(self) -> ProgrammesLoader:
        """How programmes are laid down, by uid."""
        return ProgrammesLoader(self.store)

    @cached_property
    def demands(self) -> DemandsLoader:
        """Trainings by the uid of the tier that asks for them."""
        return DemandsLoader(self.store)

    def forget_programmes(self) -> None:
        """Has programmes, tiers and trainings read anew, since the request has changed one."""
        for loader in (self.programmes, self.demands, self.nodes):
            loader.clear_all()

    @cached_property
    def courses(self) -> CoursesLoader:
        """What happened in pairings, by their uid."""
        return CoursesLoader(self.store)

    @cached_property
    def notes(self) -> NotesLoader:
        """Notes by the uid of the session that they are on."""
        return NotesLoader(self.store, self.viewer)

    @cached_property
    def milestones(self) -> MilestonesLoader:
        """Milestones by the uid of the pairing that they are of."""
        return MilestonesLoader(self.store)

    @cached_property
    def sessions(self) -> SessionsLoader:
        """Sessions by the uid of a pairing and their greatest number."""
        return SessionsLoader(self.store)

    @cached_property
    def _minutes(self) -> "MinutesLoader":
        return MinutesLoader(self.store)

    async def minutes_of(self, person: str, month: str) -> Minutes | None:
        """What a month took of somebody, if the viewer may see it: they themselves and coordinators.

        Raises:
            DomainError: `BAD_USER_INPUT`, it is no month.
        """
        month_of(month)
        if not self.viewer.sees_everybody and self.viewer.person != person:
            return None
        return await self._minutes.load((person, month))

    @cached_property
    def loads(self) -> LoadLoader:
        """What mentors have taken on, by uid; see `load_of` for who may read of whom."""
        return LoadLoader(self.recommender)

    async def load_of(self, person: str) -> Load | None:
        """What a mentor has taken on, if the viewer may see it: they themselves and coordinators."""
        if not self.viewer.sees_everybody and self.viewer.person != person:
            return None
        return await self.loads.load(person)

    @cached_property
    def costs_on_rank(self) -> RankCostsLoader:
        """What it costs mentors in the lists that they have not told something, by what they have told."""
        return RankCostsLoader(self.recommender, self.scorer)

    @cached_property
    def participants(self) -> ParticipantLoader:
        """What is known of people, by uid; see `participant` for who may read of whom."""
        return ParticipantLoader(self.store)

    @cached_property
    def endings(self) -> EndingsLoader:
        """Tiers that people will lose, by uid; see `participant` for who may read of whom."""
        return EndingsLoader(self.store, self.participants)

    async def participant(self, person: str) -> Participant | None:
        """What is known of a person, if the viewer may see it: they themselves and coordinators."""
        if not self.viewer.sees_everybody and self.viewer.person != person:
            return None
        return await self.participants.load(person)

    async def decision(self, recommendation: str) -> Decision | None:
        """The kept answer that holds a recommendation, if there is one and the viewer may see it."""
        found = await self.decisions.find(recommendation)
        return found if found is not None and found.may_be_seen_by(self.viewer) else None

    async def visible(self, uid: str) -> NodeRecord | None:
        """A node, if it exists and the viewer may ask for it by its id."""
        node = await self.nodes.load(uid)
        return node if node is not None and may_look_up(self.viewer, node) else None
