"""Taking part on the real graph: enrolments, profiles, onboarding, trainings, silence and leaving, kept as facts."""

import itertools
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph import away, enrolment, onboarding, pairing, profile
from mentorgraph.graph.bundle import bundle_of, import_bundle
from mentorgraph.graph.check import check, graph_hash
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts import facts_of
from mentorgraph.graph.kinds import KINDS
from mentorgraph.graph.leaving import ENDING, LeftBehind, record_leaving
from mentorgraph.graph.matching import Recommender
from mentorgraph.graph.model import InvalidFact, Record, uid_of
from mentorgraph.graph.participants import participant
from mentorgraph.graph.policy import load_policy
from mentorgraph.graph.recording import record_consent
from mentorgraph.graph.scoring import RulesScorer
from mentorgraph.graph.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

pytestmark = pytest.mark.anyio

POLICY = load_policy()
SOURCE = "test"
JOINED = "2026-01-01"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("ada", "ben", "bo", "cy")
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [{"id": "lab", "name": "Lab"}],
    "skills": [{"id": "go", "name": "Go"}],
    "programmes": [
        {"id": "one", "name": "One", "since": "2026-02-01"},
        {"id": "two", "name": "Two", "since": "2026-02-01"},
        {"id": "old", "name": "Old", "since": "2025-01-01", "until": "2026-02-01"},
    ],
    "trainings": [
        {"id": "listen", "name": "Listen", "since": JOINED, "valid_days": "30"},
        {"id": "once", "name": "Once", "since": JOINED},
        {"id": "gone", "name": "Gone", "since": JOINED, "until": "2026-02-01"},
    ],
    "people": [{"id": each, "name": each.title(), "joined_on": JOINED} for each in NAMES],
    "roles": [
        {"person_id": "ada", "role_id": "mentor", "since": JOINED, "max_mentees": "3"},
        {"person_id": "ben", "role_id": "mentor", "since": JOINED, "max_mentees": "3"},
    ],
    "consents": [
        {"person_id": each, "purpose": "matching", "text_version": "1", "since": JOINED} for each in NAMES
    ],
    "goals": [
        {"id": f"of {each}", "person_id": each, "title": "Learn", "created_on": JOINED} for each in ("bo", "cy")
    ],
    "person_skills": [{"person_id": "ada", "skill_id": "go", "stance": "offers", "since": JOINED}],
    "unit_membership": [{"person_id": "ada", "unit_id": "lab", "since": JOINED}],
    "availability": [
        {"person_id": "ada", "weekday": "1", "start": "09:00", "end": "10:00", "zone": "UTC", "since": JOINED}
    ],
    "pairings": [],
}  # fmt: skip


class Clock:
    """A clock that only tests move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def pass_by(self, time: timedelta = timedelta(milliseconds=1)) -> None:
        """Lets time pass."""
        self.now += time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def filled(store: Store) -> Store:
    result = await import_bundle(store, bundle_of(WORLD), source=SOURCE)
    assert set(result.total) == {"created"}
    return store


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


def viewer(key: str) -> Viewer:
    return Viewer(person=uid("people", key))


ADA, BEN, BO = (uid("people", each) for each in ("ada", "ben", "bo"))
ONE, TWO, OLD = (uid("programmes", each) for each in ("one", "two", "old"))
LISTEN = uid("trainings", "listen")


async def facts(store: Store, kind: str, person: str) -> list[Record]:
    """The facts of a kind of a person, in the order of their beginning."""
    found = [each.record async for each in store.facts(KINDS[kind])]
    return sorted((each for each in found if each.links["person"] == person), key=lambda each: each.properties["since"])


async def spans(store: Store, kind: str, person: str) -> list[tuple[object, object]]:
    return [(each.properties["since"], each.properties.get("until")) for each in await facts(store, kind, person)]


async def refused(store: Store, work: Awaitable[object]) -> str:
    """Code of a refusal, or the column that it is about; nothing was written."""
    before = await store.read_changes()
    with pytest.raises((DomainError, InvalidFact)) as caught:
        await work
    assert await store.read_changes() == before
    error = caught.value
    if isinstance(error, InvalidFact):
        return error.problems[0].column
    assert isinstance(error, DomainError)
    return error.code


async def ask(store: Store, clock: Clock, mentor: str = ADA, mentee: str = "bo", **more: Any) -> str:
    row = {"mentee_id": uid("people", mentee), "mentor_id": mentor, "goal_id": uid("goals", f"of {mentee}"), **more}
    return await pairing.request_mentor(store, COORDINATOR, row, POLICY.rules, clock=clock)


async def paired(store: Store, clock: Clock, mentor: str = ADA, mentee: str = "bo", **more: Any) -> str:
    request = await ask(store, clock, mentor, mentee, **more)
    await pairing.move_request(store, COORDINATOR, request, "accepted", POLICY.rules, clock=clock)
    return pairing.pairing_of(request)


async def mentors(store: Store, clock: Clock, mentee: str = "bo") -> set[str]:
    """Keys of the mentors who are recommended to somebody."""
    recommender = Recommender(store, RulesScorer(POLICY), clock=clock)
    slate = await recommender.recommend(COORDINATOR, uid("people", mentee))
    keys = {uid("people", each): each for each in NAMES}
    return {keys[each.mentor] for each in slate.recommendations}


# --- enrolments -------------------------------------------------------------------------------------------------------


async def test_enrolling_changing_and_leaving_end_facts_and_never_overwrite_them(filled: Store, clock: Clock) -> None:
    limits = {"max_mentees": 2, "hours_per_month": 4.5}
    for _ in range(2):
        await enrolment.enrol(filled, COORDINATOR, BO, ONE, "mentor", limits=limits, clock=clock)
    await enrolment.enrol(filled, COORDINATOR, BO, ONE, "mentor", clock=clock)
    await enrolment.enrol(filled, COORDINATOR, BO, ONE, "mentee", clock=clock)
    own = await participant(filled, BO, clock.now)
    assert own.roles == ("mentor", "mentee")
    assert len(own.holding("memberships")) == 2
    clock.pass_by(DAY)
    for _ in range(2):
        changed = {"max_mentees": 1}
        await enrolment.change_enrolment(filled, viewer("bo"), BO, ONE, "mentor", changed, clock=clock)
    await enrolment.change_enrolment(filled, viewer("bo"), BO, ONE, "mentor", {"hours_per_month": None}, clock=clock)
    clock.pass_by(DAY)
    for _ in range(2):
        await enrolment.leave_programme(filled, viewer("bo"), BO, ONE, "mentor", clock=clock)
    held = [each.properties for each in await facts(filled, "memberships", BO) if each.properties["role"] == "mentor"]
    assert [(each["since"], each["until"], each["max_mentees"], each.get("hours_per_month")) for each in held] == [
        (START, START + DAY, 2, 4.5),
        (START + DAY, START + 2 * DAY, 1, None),
    ]
    assert (await participant(filled, BO, clock.now)).roles == ("mentor", "mentee")
    clock.pass_by(DAY)
    await enrolment.enrol(filled, viewer("bo"), BO, ONE, "mentor", clock=clock)
    assert await check(filled) == []


async def test_an_enrolment_that_cannot_be_is_refused_and_nothing_is_written(filled: Store, clock: Clock) -> None:
    def enrol(programme: str, role: str = "mentor", by: Viewer = COORDINATOR, **more: Any) -> Awaitable[None]:
        return enrolment.enrol(filled, by, ADA, programme, role, clock=clock, **more)

    assert await refused(filled, enrol(OLD)) == "PROGRAMME_ENDED"
    assert await refused(filled, enrol(uid("programmes", "none"))) == "NOT_FOUND"
    assert await refused(filled, enrol(ADA)) == "NOT_FOUND"
    assert await refused(filled, enrol(ONE, since=START - 40 * DAY)) == "since"
    assert await refused(filled, enrol(ONE, limits={"max_mentees": -1})) == "max_mentees"
    assert await refused(filled, enrol(ONE, limits={"hours_per_month": 745})) == "hours_per_month"
    assert await refused(filled, enrol(ONE, "king")) == "role"
    assert await refused(filled, enrol(ONE, by=viewer("bo"))) == "FORBIDDEN"
    assert await refused(filled, enrol(ONE, "coordinator", by=viewer("ada"))) == "FORBIDDEN"
    for change in (enrolment.change_enrolment(filled, COORDINATOR, ADA, ONE, "mentor", {}, clock=clock),
                   enrolment.leave_programme(filled, COORDINATOR, ADA, ONE, "mentor", clock=clock)):  # fmt: skip
        assert await refused(filled, change) == "NOT_FOUND"
    await enrol(ONE, by=viewer("ada"), limits={"max_mentees": 1})
    assert await refused(filled, enrol(ONE, limits={"max_mentees": 2})) == "CONFLICT"


async def test_the_places_of_a_programme_count_there_and_those_of_the_role_over_all(
    filled: Store, clock: Clock
) -> None:
    await enrolment.enrol(filled, COORDINATOR, ADA, ONE, "mentor", limits={"max_mentees": 1}, clock=clock)
    await enrolment.enrol(filled, COORDINATOR, ADA, TWO, "mentor", limits={"max_mentees": 1}, clock=clock)
    clock.pass_by(DAY)
    second = await ask(filled, clock, mentee="cy", programme_id=ONE)
    await paired(filled, clock, programme_id=ONE)
    accept = pairing.move_request(filled, COORDINATOR, second, "accepted", POLICY.rules, clock=clock)
    assert await refused(filled, accept) == "NO_CAPACITY"
    clock.pass_by(DAY)
    assert await refused(filled, ask(filled, clock, mentee="cy", programme_id=uid("programmes", "x"))) == "NOT_FOUND"
    await pairing.move_request(filled, COORDINATOR, second, "withdrawn", POLICY.rules, clock=clock)
    assert await refused(filled, ask(filled, clock, mentee="cy", programme_id=ONE)) == "NO_CAPACITY"
    assert "ada" in await mentors(filled, clock, "cy")
    await paired(filled, clock, mentee="cy", programme_id=TWO)
    assert await check(filled) == []


# --- profiles ---------------------------------------------------------------------------------------------------------


async def test_what_is_told_of_a_person_is_kept_version_by_version(filled: Store, clock: Clock) -> None:
    async def tell(**told: object) -> None:
        await profile.tell_profile(filled, viewer("ada"), ADA, told, clock=clock)

    await tell(job_title="Engineer", pace="steady", languages=["sv", "pt-BR"])
    clock.pass_by(DAY)
    await tell(pace="gentle", formats=["live"])
    await tell(pace="gentle")
    clock.pass_by(DAY)
    await tell(job_title=None)
    clock.pass_by(DAY)
    await tell(pace=None, formats=[], languages=None)
    versions = [each.properties for each in await facts(filled, "profiles", ADA)]
    assert [[each.get(name) for name in ("job_title", "pace", "formats", "languages")] for each in versions] == [
        ["Engineer", "steady", None, ["sv", "pt-BR"]],
        ["Engineer", "gentle", ["live"], ["sv", "pt-BR"]],
        [None, "gentle", ["live"], ["sv", "pt-BR"]],
    ]
    assert await spans(filled, "profiles", ADA) == [(START + day * DAY, START + (day + 1) * DAY) for day in range(3)]
    assert (await participant(filled, ADA, START + DAY / 2)).profile == (await facts(filled, "profiles", ADA))[0]
    assert (await participant(filled, ADA, clock.now)).profile is None
    for told in ({"languages": ["Swedish!"]}, {"pace": "furious"}, {"experience_years": -1}):
        [column] = told
        assert await refused(filled, profile.tell_profile(filled, COORDINATOR, ADA, told, clock=clock)) == column
    told = {"about": "x"}
    assert await refused(filled, profile.tell_profile(filled, viewer("bo"), ADA, told, clock=clock)) == "FORBIDDEN"
    found = profile.completeness_of(await participant(filled, ADA, clock.now))
    assert [each.field for each in found.missing[:2]] == ["zone", "about"]
    assert await check(filled) == []


async def test_the_same_profile_gives_the_same_fact_by_mutation_and_by_bundle(filled: Store, clock: Clock) -> None:
    told = {"job_title": "Engineer", "formats": ["live"]}
    await profile.tell_profile(filled, COORDINATOR, ADA, told, source=SOURCE, clock=clock)
    before = await graph_hash(filled)
    row = {"person_id": "ada", "since": "2026-03-01T09:00:00Z", "job_title": "Engineer", "formats": "live"}
    assert await filled.write(facts_of("profiles", row, SOURCE)) == {
        (await facts(filled, "profiles", ADA))[0].uid: "same"
    }
    assert await graph_hash(filled) == before


# --- onboarding -------------------------------------------------------------------------------------------------------


async def test_nobody_is_recommended_before_the_mandatory_steps(filled: Store, clock: Clock) -> None:
    async def define(name: str, necessity: str = "mandatory", **more: object) -> str:
        row = {"name": name, "necessity": necessity, "position": 1, **more}
        return await onboarding.define_step(filled, COORDINATOR, row, external_id=name, source=SOURCE, clock=clock)

    await enrolment.enrol(filled, COORDINATOR, ADA, ONE, "mentor", clock=clock)
    waiting = await ask(filled, clock)
    clock.pass_by(DAY)
    assert await mentors(filled, clock) == {"ada", "ben"}
    steps = [await define("Charter", role="mentor", programme_id=ONE), await define("Handbook", role="mentor")]
    assert await define("Charter") == steps[0]
    await define("Tour", "optional")
    await define("Other", role="mentor", programme_id=TWO)
    await define("Judge", role="sponsor")
    clock.pass_by()
    assert await mentors(filled, clock) == set()
    recommender = Recommender(filled, RulesScorer(POLICY), clock=clock)
    [refusal] = (await recommender.explain(COORDINATOR, BO, ADA)).refusals
    assert (refusal.rule, refusal.fact) == (
        "NOT_ONBOARDED",
        "has not taken these steps of onboarding: Charter, Handbook",
    )
    accept = pairing.move_request(filled, viewer("ada"), waiting, "accepted", POLICY.rules, clock=clock)
    assert await refused(filled, accept) == "NOT_ALLOWED"
    assert await refused(filled, ask(filled, clock, BEN)) == "NOT_ALLOWED"
    for _ in range(2):
        await onboarding.mark_done(filled, viewer("ada"), ADA, steps[0], clock=clock)
        await onboarding.mark_done(filled, COORDINATOR, ADA, steps[1], clock=clock)
    assert len(await facts(filled, "steps_done", ADA)) == 2
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada"}
    await onboarding.end_step(filled, COORDINATOR, steps[1], clock=clock)
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada", "ben"}
    await pairing.move_request(filled, viewer("ada"), waiting, "accepted", POLICY.rules, clock=clock)
    assert await check(filled) == []


async def test_a_mentee_is_onboarded_before_mentors_are_sought(filled: Store, clock: Clock) -> None:
    row = {"name": "Etiquette", "necessity": "mandatory", "position": 1, "role": "mentee"}
    step = await onboarding.define_step(filled, COORDINATOR, row, clock=clock)
    clock.pass_by()
    assert await refused(filled, mentors(filled, clock)) == "NOT_ONBOARDED"
    assert await refused(filled, ask(filled, clock)) == "NOT_ONBOARDED"
    await onboarding.mark_done(filled, viewer("bo"), BO, step, clock=clock)
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada", "ben"}
    assert await ask(filled, clock)


async def test_what_cannot_be_of_onboarding_is_refused(filled: Store, clock: Clock) -> None:
    step = {"name": "Step", "necessity": "mandatory", "position": 1}

    def define(by: Viewer = COORDINATOR, **more: object) -> Awaitable[str]:
        return onboarding.define_step(filled, by, {**step, **more}, clock=clock)

    assert await refused(filled, define(viewer("ada"))) == "FORBIDDEN"
    assert await refused(filled, define(position=0)) == "position"
    assert await refused(filled, define(programme_id=OLD)) == "PROGRAMME_ENDED"
    assert await refused(filled, define(programme_id=ADA)) == "NOT_FOUND"
    assert await refused(filled, define(programme_id=ONE, since="2026-01-01")) == "since"
    known = await define()
    clock.pass_by(DAY)

    def done(step: str = known, by: Viewer = COORDINATOR, person: str = ADA, **more: Any) -> Awaitable[None]:
        return onboarding.mark_done(filled, by, person, step, clock=clock, **more)

    assert await refused(filled, done(uid("onboarding_steps", "none"))) == "NOT_FOUND"
    assert await refused(filled, done(person=ONE)) == "NOT_FOUND"
    assert await refused(filled, done(by=viewer("bo"))) == "FORBIDDEN"
    assert await refused(filled, done(at=clock.now + DAY)) == "at"
    assert await refused(filled, done(at=START - DAY)) == "at"
    assert await refused(filled, onboarding.end_step(filled, viewer("ada"), known, clock=clock)) == "FORBIDDEN"


async def test_what_the_rules_find_missing_is_what_a_person_is_shown(filled: Store, clock: Clock) -> None:
    """The statements that the rules read and the plain reading of a person's facts agree, over all ways to belong."""
    rows: list[tuple[str, dict[str, object]]] = []
    for number, (role, programme, until) in enumerate(
        itertools.product(("mentor", "mentee", None), ("one", "two", None), (None, "2026-02-20"))
    ):
        step = {"id": f"s{number}", "name": f"S{number}", "role": role, "programme_id": programme, "until": until}
        rows.append(("onboarding_steps", step | {"necessity": "mandatory", "position": number + 1, "since": JOINED}))
    rows += [
        ("memberships", {"person_id": "ada", "programme_id": "one", "role": "mentor", "since": "2026-02-01"}),
        ("memberships", {"person_id": "ada", "programme_id": "two", "role": "mentee", "since": "2026-02-01"}),
        ("memberships", {"person_id": "ben", "programme_id": "two", "since": "2026-02-01"}),
        ("memberships", {"person_id": "bo", "programme_id": "one", "since": "2026-02-01", "until": "2026-02-10"}),
        ("steps_done", {"person_id": "ada", "step_id": "s0", "since": "2026-02-02"}),
        ("steps_done", {"person_id": "ben", "step_id": "s4", "since": "2026-02-02", "until": "2026-02-03"}),
    ]
    told = [({name: value for name, value in row.items() if value is not None}, file) for file, row in rows]
    await filled.write([each for row, file in told for each in facts_of(file, row, SOURCE)])
    found = {}
    for key in NAMES:
        own = await participant(filled, uid("people", key), clock.now)
        [row] = await filled.read_candidates("", [own.person.uid], clock.now)
        asker = await filled.read_asker(own.person.uid, None, clock.now)
        assert asker is not None
        assert tuple(row["missing_steps"]) == own.missing_steps("mentor")
        assert tuple(asker["missing_steps"]) == own.missing_steps("mentee")
        found[key] = (row["missing_steps"], asker["missing_steps"])
    assert found["ada"] == (["S4", "S12", "S16"], ["S8", "S10", "S14", "S16"])
    assert found["ben"] == (["S2", "S4", "S14", "S16"], ["S8", "S10", "S14", "S16"])
    assert found["bo"] == (["S4", "S16"], ["S10", "S16"])


# --- trainings --------------------------------------------------------------------------------------------------------


async def test_a_training_holds_until_it_expires_or_is_taken_again_in_whatever_order_it_is_told(
    filled: Store, clock: Clock
) -> None:
    clock.pass_by(60 * DAY)
    times = [START, START + 10 * DAY, START + 45 * DAY]
    expected = [(times[0], times[1]), (times[1], times[1] + 30 * DAY), (times[2], times[2] + 30 * DAY)]
    for person, order in zip((ADA, BEN, BO), ((0, 1, 2), (2, 0, 1), (1, 2, 0)), strict=True):
        for place in (*order, *order):
            await onboarding.record_completion(filled, COORDINATOR, person, LISTEN, at=times[place], clock=clock)
        assert await spans(filled, "completions", person) == expected
    await onboarding.record_completion(filled, viewer("ada"), ADA, uid("trainings", "once"), clock=clock)
    assert (await spans(filled, "completions", ADA))[-1] == (clock.now, None)

    def take(training: str = LISTEN, by: Viewer = COORDINATOR, **more: Any) -> Awaitable[None]:
        return onboarding.record_completion(filled, by, ADA, training, clock=clock, **more)

    assert await refused(filled, take(at=clock.now + DAY)) == "at"
    assert await refused(filled, take(at=START - 90 * DAY)) == "at"
    assert await refused(filled, take(uid("trainings", "gone"))) == "at"
    assert await refused(filled, take(ONE)) == "NOT_FOUND"
    assert await refused(filled, take(by=viewer("bo"))) == "FORBIDDEN"
    assert await check(filled) == []


async def test_coordinators_see_who_has_to_take_a_training_again(filled: Store, clock: Clock) -> None:
    for person, day in ((ADA, 0), (BEN, 10), (BO, 20)):
        at = START - 25 * DAY + day * DAY
        await onboarding.record_completion(filled, COORDINATOR, person, LISTEN, at=at, clock=clock)
    clock.pass_by(6 * DAY)

    async def expiring(days: int, by: Viewer = COORDINATOR) -> list[tuple[str, int]]:
        found = await onboarding.list_expiring(filled, by, days, now=clock.now)
        return [(each.person, each.days) for each in found]

    assert await expiring(0) == [(ADA, -1)]
    assert await expiring(9) == [(ADA, -1), (BEN, 9)]
    assert await expiring(366) == [(ADA, -1), (BEN, 9), (BO, 19)]
    await onboarding.record_completion(filled, COORDINATOR, ADA, LISTEN, clock=clock)
    await record_leaving(filled, COORDINATOR, BEN, clock.now, clock=clock)
    assert await expiring(20) == [(BO, 19)]
    assert await refused(filled, expiring(5, viewer("ada"))) == "FORBIDDEN"
    assert await refused(filled, expiring(367)) == "BAD_USER_INPUT"


# --- consent ----------------------------------------------------------------------------------------------------------


async def test_a_consent_that_is_withdrawn_acts_in_the_next_request(filled: Store, clock: Clock) -> None:
    async def withdraw(person: str, purpose: str) -> None:
        await record_consent(filled, Viewer(person=person), person, purpose, False, "1", since=clock.now)
        clock.pass_by()

    await withdraw(ADA, "training")
    assert await mentors(filled, clock) == {"ada", "ben"}
    await withdraw(ADA, "matching")
    assert await mentors(filled, clock) == {"ben"}
    assert await refused(filled, ask(filled, clock)) == "NOT_ALLOWED"
    await withdraw(BO, "matching")
    assert await refused(filled, mentors(filled, clock)) == "CONSENT_REQUIRED"


# --- away -------------------------------------------------------------------------------------------------------------


async def silent(store: Store, clock: Clock, days: int = 60) -> list[str]:
    return [each.person for each in await away.find_silent(store, days, now=clock.now)]


async def test_a_mentor_who_lets_a_request_expire_and_says_nothing_is_set_away_and_comes_back_by_saying_anything(
    filled: Store, clock: Clock
) -> None:
    request = await ask(filled, clock, answer_within_days=90)
    clock.pass_by(59 * DAY)
    assert await silent(filled, clock) == []
    clock.pass_by(2 * DAY)
    assert await silent(filled, clock) == [ADA]
    [found] = await away.set_silent_away(filled, clock=clock)
    assert (found.person, found.last) == (ADA, datetime(2026, 1, 1, tzinfo=UTC))
    assert [(each.request, each.mentee) for each in found.released] == [(request, BO)]
    assert await away.set_silent_away(filled, clock=clock) == []
    clock.pass_by()
    assert await mentors(filled, clock) == {"ben"}
    assert await away.sign_of_life(filled, COORDINATOR, clock=clock) is False
    assert await away.sign_of_life(filled, viewer("ben"), clock=clock) is False
    clock.pass_by(DAY)
    assert await away.sign_of_life(filled, viewer("ada"), clock=clock) is True
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada", "ben"}
    assert await silent(filled, clock) == []
    [absence] = await facts(filled, "absences", ADA)
    assert (absence.properties["cause"], absence.properties["until"]) == ("silent", START + 62 * DAY + 1 * MS)
    assert await check(filled) == []


MS = timedelta(milliseconds=1)


async def test_whom_nobody_waits_for_or_who_was_heard_of_is_not_silent(filled: Store, clock: Clock) -> None:
    clock.pass_by(100 * DAY)
    assert await silent(filled, clock) == []  # nobody has asked them anything
    own = await paired(filled, clock)
    clock.pass_by(61 * DAY)
    assert await silent(filled, clock) == [ADA]
    assert await silent(filled, clock, 62) == []
    row = {"id": "s", "pairing_id": own, "started_at": clock.now - 5 * DAY, "minutes": 30, "kind": "live"}
    await filled.write(facts_of("sessions", row, SOURCE))
    assert await silent(filled, clock) == []
    clock.pass_by(60 * DAY)
    assert await silent(filled, clock) == [ADA]
    await profile.tell_profile(filled, viewer("ada"), ADA, {"about": "Busy"}, clock=clock)
    assert await silent(filled, clock) == []
    clock.pass_by(61 * DAY)
    await away.set_away(filled, COORDINATOR, ADA, clock.now, clock.now + DAY, clock=clock)
    assert await silent(filled, clock) == []
    clock.pass_by(30 * DAY)
    assert await silent(filled, clock) == []
    await pairing.move_pairing(filled, COORDINATOR, own, "ended", reason="other", clock=clock)
    clock.pass_by(90 * DAY)
    assert await silent(filled, clock) == []  # nobody waits any more
    for days in (0, 367):
        assert await refused(filled, away.find_silent(filled, days)) == "days"


async def test_an_old_request_that_somebody_has_outlived_does_not_make_them_silent(filled: Store, clock: Clock) -> None:
    await ask(filled, clock)
    clock.pass_by(20 * DAY)
    await pairing.expire_requests(filled, clock=clock)
    await profile.tell_profile(filled, viewer("ada"), ADA, {"about": "Back"}, clock=clock)
    clock.pass_by(90 * DAY)
    assert await silent(filled, clock) == []


async def test_an_absence_that_was_told_ends_early_and_does_not_overlap_another(filled: Store, clock: Clock) -> None:
    def set_away(since: timedelta, until: timedelta, by: Viewer = COORDINATOR) -> Awaitable[object]:
        return away.set_away(filled, by, ADA, START + since, START + until, clock=clock)

    await set_away(0 * DAY, 10 * DAY)
    await set_away(0 * DAY, 10 * DAY)
    await set_away(20 * DAY, 30 * DAY)
    for span in ((9, 11), (-1, 1), (2, 3), (0, 9), (15, 21)):
        assert await refused(filled, set_away(span[0] * DAY, span[1] * DAY)) == "CONFLICT"
    assert await refused(filled, set_away(12 * DAY, 11 * DAY)) == "until"
    clock.pass_by(2 * DAY)
    assert await mentors(filled, clock) == {"ben"}
    assert await refused(filled, away.come_back(filled, viewer("bo"), ADA, clock=clock)) == "FORBIDDEN"
    assert await away.come_back(filled, viewer("ada"), ADA, clock=clock) is True
    assert await away.come_back(filled, viewer("ada"), ADA, clock=clock) is False
    clock.pass_by()
    assert await mentors(filled, clock) == {"ada", "ben"}
    assert await spans(filled, "absences", ADA) == [
        (START, START + 2 * DAY),
        (START + 20 * DAY, START + 30 * DAY),
    ]


async def test_somebody_silent_who_says_that_they_are_away_is_away_as_told(filled: Store, clock: Clock) -> None:
    await ask(filled, clock, answer_within_days=10)
    clock.pass_by(61 * DAY)
    await away.set_silent_away(filled, clock=clock)
    clock.pass_by(DAY)
    await away.set_away(filled, viewer("ada"), ADA, clock.now, clock.now + 5 * DAY, clock=clock)
    assert [(each.properties["cause"], each.properties["until"]) for each in await facts(filled, "absences", ADA)] == [
        ("silent", clock.now),
        ("told", clock.now + 5 * DAY),
    ]
    clock.pass_by(6 * DAY)
    assert "ada" in await mentors(filled, clock)


# --- leaving ----------------------------------------------------------------------------------------------------------


async def test_who_leaves_leaves_nothing_open_and_nobody_without_others(filled: Store, clock: Clock) -> None:
    await enrolment.enrol(filled, COORDINATOR, ADA, ONE, "mentor", clock=clock)
    await enrolment.enrol(filled, COORDINATOR, ADA, TWO, "mentee", clock=clock)
    clock.pass_by(DAY)
    as_mentor = await paired(filled, clock)
    released = await ask(filled, clock, mentee="cy")
    own_row = {"mentee_id": ADA, "mentor_id": BEN}
    asking = await pairing.request_mentor(filled, COORDINATOR, own_row, POLICY.rules, clock=clock)
    goal = facts_of("goals", {"id": "g", "person_id": "ada", "title": "Rest", "created_on": JOINED}, SOURCE)
    await filled.write(goal)
    await profile.tell_profile(filled, COORDINATOR, ADA, {"about": "Hello"}, clock=clock)
    clock.pass_by(DAY)
    on = START + DAY
    left = await record_leaving(filled, COORDINATOR, ADA, on, clock=clock)
    assert [(each.request, each.mentee) for each in left.released] == [(released, uid("people", "cy"))]
    assert left.left_behind == (LeftBehind(as_mentor, BO, uid("goals", "of bo")),)
    own = await participant(filled, ADA, clock.now)
    assert own.person.properties["until"] == on
    assert {kind for kind in ENDING if own.all_of(kind)} == set(ENDING) - {"wants", "blocks"}
    assert [each for kind in ENDING for each in own.all_of(kind) if each.properties["until"] != on] == []
    assert own.holding("consents")
    ended = await filled.read_pairing(as_mentor)
    assert ended is not None
    assert (ended.record.properties["status"], ended.record.properties["until"]) == ("ended", clock.now)
    [*_, move] = (await filled.read_moves([as_mentor]))[as_mentor]
    assert (move.state, move.reason) == ("ended", "left")
    states = {each: (await filled.read_request(each)) for each in (released, asking)}
    assert [each.record.properties["status"] for each in states.values() if each] == ["released", "withdrawn"]
    before = await graph_hash(filled)
    await record_leaving(filled, COORDINATOR, ADA, on, clock=clock)
    assert await graph_hash(filled) == before
    clock.pass_by()
    assert await mentors(filled, clock) == {"ben"}
    assert await check(filled) == []


async def test_a_leaving_that_cannot_be_is_refused(filled: Store, clock: Clock) -> None:
    def leave(on: datetime, by: Viewer = COORDINATOR, person: str = ADA) -> Awaitable[object]:
        return record_leaving(filled, by, person, on, clock=clock)

    assert await refused(filled, leave(START - 60 * DAY)) == "left_on"
    assert await refused(filled, leave(START + DAY)) == "left_on"
    assert await refused(filled, leave(START, viewer("ada"))) == "FORBIDDEN"
    assert await refused(filled, leave(START, person=ONE)) == "NOT_FOUND"
    await leave(START)
    assert await refused(filled, leave(START - DAY)) == "CONFLICT"
