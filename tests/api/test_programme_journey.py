"""One programme from its charter to completed pairings, through GraphQL alone, on a clock that is moved."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.clock import set_to
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.store.store import Store

from .conftest import Api, asked, connected, fill

pytestmark = pytest.mark.journey

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A Monday."""
INPUTS = {
    "registerPerson": ("RegisterPersonInput", "person { id }"),
    "proposeSkill": ("ProposeSkillInput", "skill { id }"),
    "approveSkill": ("ApproveSkillInput", "skill { state }"),
    "createGoal": ("CreateGoalInput", "goal { id }"),
    "createProgramme": ("CreateProgrammeInput", "programme { id charter { why successThreshold } }"),
    "reviseCharter": ("ReviseCharterInput", "programme { charters { surveyDays } }"),
    "cloneProgramme": (
        "CloneProgrammeInput",
        "programme { id name charter { why } tiers { nodes { name } } isArchived }",
    ),
    "archiveProgramme": ("ArchiveProgrammeInput", "programme { isArchived }"),
    "defineTraining": ("DefineTrainingInput", "training { id }"),
    "setTier": ("SetTierInput", "tier { id }"),
    "defineOnboardingStep": ("DefineStepInput", "step { id }"),
    "markStepDone": ("MarkStepDoneInput", "person { onboarding { isComplete } }"),
    "recordCompletion": ("RecordCompletionInput", "person { id }"),
    "enrol": ("EnrolInput", "person { enrolments { role } }"),
    "updateProfile": ("UpdateProfileInput", "person { profile { pace } completeness { share } }"),
    "setAvailability": ("SetAvailabilityInput", "person { id }"),
    "requestMentor": ("RequestMentorInput", "request { id state }"),
    "moveRequest": ("MoveRequestInput", "request { state pairing { id status } }"),
    "signAgreement": ("SignAgreementInput", "pairing { status }"),
    "movePairing": ("MovePairingInput", "pairing { status outcome moves { state by reason } }"),
    "planMilestone": ("PlanMilestoneInput", "milestone { id state }"),
    "closeMilestone": ("CloseMilestoneInput", "milestone { state }"),
    "recordSession": ("RecordSessionInput", "session { id minutes }"),
    "answerSurvey": ("AnswerSurveyInput", "pairing { id }"),
    "setAway": (
        "SetAwayInput",
        "released { id } offerOthers { mentee { id } alternatives { nodes { mentor { id } } } }",
    ),
}
"""Mutation → type of its input, and what is asked of its payload."""
MENTORS = """
query ($mentee: ID!, $goal: ID) {
  found: recommendMentors(menteeId: $mentee, goalId: $goal, first: 10) {
    notice edges { node { mentor { id name } paths { sentence } } }
  }
}
"""
WHY_NOT = "query ($mentee: ID!, $mentor: ID!) { found: explainMatch(menteeId: $mentee, mentorId: $mentor) { %s } }"
REFUSALS = WHY_NOT % "refusals { rule fact remedy }"
DUE = "query ($id: ID!) { found: dueSurveys(personId: $id) { pairing { id } round isClosing } }"
LATE = "query { found: overdueMilestones { milestone { id } pairing { id } daysOverdue } }"
OVERDUE = "query { found: overdueCheckIns { pairing { id } daysOverdue } }"
STALLED = "query { found: stalledPairings { pairing { id } cause alternatives { nodes { mentor { id } } } } }"
ELIGIBLE = """
query ($person: ID!, $programme: ID!) {
  found: eligibility(personId: $person, programmeId: $programme, role: MENTOR) {
    tier { name } isEligible unmet { rule remedy }
  }
}
"""
PROGRAMME = "query ($id: ID!) { found: programme(id: $id) { isArchived charter { why } tiers { nodes { name } } } }"


class Time:
    """A clock that goes on by a second whenever it is asked, so that what is told later counts later."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        """The next instant."""
        self.now += timedelta(seconds=1)
        return self.now

    def move_to(self, day: int, hour: int = 9) -> None:
        """Goes on to an hour of a day, counted from the first."""
        self.now = BEGIN + timedelta(days=day, hours=hour - 9)


@pytest.fixture
def time() -> Iterator[Time]:
    clock = Time()
    with set_to(clock):
        yield clock


@pytest.fixture
def api(server: EmbeddedDatabase, time: Time) -> Iterator[Api]:
    """An application on an empty database, asked by whoever is named as the viewer and else by a coordinator."""
    asyncio.run(fill(server, None))
    with asked(server) as asking:
        yield asking


class Programme:
    """What people do, each as one mutation."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def tell(self, mutation: str, viewer: str = "", **input: Any) -> Any:
        """The node of the payload, of a mutation that is not refused."""
        payload = self._payload(mutation, viewer, input)
        assert payload.pop("userErrors") == [], (mutation, input)
        return payload if len(payload) > 1 else next(iter(payload.values()))

    def refused(self, mutation: str, viewer: str = "", **input: Any) -> str:
        """The code of a mutation that is refused."""
        [error] = self._payload(mutation, viewer, input)["userErrors"]
        return str(error["code"])

    def _payload(self, mutation: str, viewer: str, input: dict[str, Any]) -> dict[str, Any]:
        kind, asked_for = INPUTS[mutation]
        text = (
            f"mutation ($input: {kind}!) {{ told: {mutation}(input: $input) "
            f"{{ {asked_for} userErrors {{ message field code }} }} }}"
        )
        payload: dict[str, Any] = self.api.data(text, viewer=viewer, input=input)["told"]
        return payload

    def ask(self, query: str, viewer: str = "", **variables: Any) -> Any:
        """What a query finds."""
        return self.api.data(query, viewer=viewer, **variables)["found"]

    def mentors_for(self, mentee: str, goal: str) -> list[str]:
        """Names of the mentors who are recommended to a mentee, in the order of the alphabet."""
        return sorted(
            edge["node"]["mentor"]["name"] for edge in self.ask(MENTORS, mentee, mentee=mentee, goal=goal)["edges"]
        )

    def person(self, name: str, role: str, **told: Any) -> str:
        """Registers somebody."""
        agreed: dict[str, Any] = {"consents": ["MATCHING", "TRAINING"], "consentTextVersion": "2026-1"}
        return str(self.tell("registerPerson", name=name, roles=[role], zone="Europe/Lisbon", **agreed, **told)["id"])

    def pair(self, mentee: str, mentor: str, goal: str, programme: str) -> str:
        """Asks, is accepted, has both sign, and begins."""
        request = self.tell(
            "requestMentor", mentee, menteeId=mentee, mentorId=mentor, goalId=goal, programmeId=programme
        )["id"]
        accepted = self.tell("moveRequest", mentor, requestId=request, to="ACCEPTED")
        assert accepted["state"] == "ACCEPTED"
        pairing = str(accepted["pairing"]["id"])
        assert self.refused("movePairing", mentee, pairingId=pairing, to="ACTIVE") == "NOT_SIGNED"
        for each in (mentee, mentor):
            self.tell("signAgreement", each, pairingId=pairing, textVersion="2026-1")
        assert self.tell("movePairing", mentee, pairingId=pairing, to="ACTIVE")["status"] == "ACTIVE"
        return pairing


async def problems(server: EmbeddedDatabase) -> list[object]:
    async with connected(server) as database:
        return [*await check(Store(database))]


def test_a_programme_is_played_from_charter_to_completed_pairings(
    api: Api, server: EmbeddedDatabase, time: Time
) -> None:
    it = Programme(api)
    # The programme is laid down: why, for whom, how measured; tiers, a training, what newcomers do first.
    charter = {
        "why": "More people lead.",
        "forWhom": "Everybody who asks.",
        "howMeasured": "By what they say they can do.",
        "skillWeight": 0.5,
        "confidenceWeight": 0.25,
        "deliveryWeight": 0.25,
        "successThreshold": 0.6,
        "surveyDays": 30,
        "stallDays": 21,
    }
    laid = it.tell("createProgramme", name="Leading 2026", format="LONG_TERM", checkInDays=14, charter=charter)
    programme = laid["id"]
    assert laid["charter"] == {"why": "More people lead.", "successThreshold": 0.6}
    training = it.tell("defineTraining", name="Listening well", validDays=365)["id"]
    it.tell("setTier", programmeId=programme, name="Guide", role="MENTOR", rank=1, trainingIds=[training])
    about = {"name": "Read the charter", "programmeId": programme, "role": "MENTOR"}
    step = it.tell("defineOnboardingStep", necessity="MANDATORY", position=1, **about)["id"]
    leading = it.tell("proposeSkill", name="Leading a team", reason="asked for in the programme")["id"]
    assert it.tell("approveSkill", skillId=leading)["state"] == "APPROVED"

    # People join it: three mentors and two mentees, who say what they offer and want.
    offers = {"offers": [{"skillId": leading, "level": 4}]}
    ada, bea, cal = (it.person(name, "MENTOR", **offers) for name in ("Ada", "Bea", "Cal"))
    mia, noa = (it.person(name, "MENTEE", wants=[{"skillId": leading}]) for name in ("Mia", "Noa"))
    for mentor in (ada, bea, cal):
        it.tell("enrol", mentor, personId=mentor, programmeId=programme, role="MENTOR", maxMentees=1)
    for mentee in (mia, noa):
        it.tell("enrol", mentee, personId=mentee, programmeId=programme, role="MENTEE")
    window = {"weekday": 1, "start": "09:00", "end": "12:00"}
    for each in (ada, bea, cal, mia, noa):
        it.tell("setAvailability", each, personId=each, zone="Europe/Lisbon", windows=[window])
    goals = {}
    for mentee in (mia, noa):
        needs = [{"skillId": leading, "level": 3}]
        goals[mentee] = it.tell("createGoal", mentee, personId=mentee, title="Lead my team", needs=needs)["id"]

    # Nobody is recommended before the mandatory step, and the reason is told.
    assert it.mentors_for(mia, goals[mia]) == []
    assert [each["rule"] for each in it.ask(REFUSALS, mentee=mia, mentor=ada)["refusals"]] == ["NOT_ONBOARDED"]
    for mentor in (ada, bea):
        assert it.tell("markStepDone", mentor, personId=mentor, stepId=step)["onboarding"] == {"isComplete": True}
    assert it.mentors_for(mia, goals[mia]) == ["Ada", "Bea"]
    [tier] = it.ask(ELIGIBLE, person=ada, programme=programme)
    assert (tier["isEligible"], [each["rule"] for each in tier["unmet"]]) == (False, ["TRAINING_MISSING"])
    it.tell("recordCompletion", ada, personId=ada, trainingId=training)
    [tier] = it.ask(ELIGIBLE, person=ada, programme=programme)
    assert tier == {"tier": {"name": "Guide"}, "isEligible": True, "unmet": []}

    # Mia and Ada become a pair; Ada has no second place in this programme, so Noa and Bea become the other one.
    first = it.pair(mia, ada, goals[mia], programme)
    in_it = {"menteeId": noa, "goalId": goals[noa], "programmeId": programme}
    assert it.refused("requestMentor", noa, mentorId=ada, **in_it) == "NO_CAPACITY"
    second = it.pair(noa, bea, goals[noa], programme)
    assert it.mentors_for(noa, goals[noa]) == []
    assert [each["rule"] for each in it.ask(REFUSALS, mentee=noa, mentor=ada)["refusals"]] == ["NO_CAPACITY"]
    assert it.refused("archiveProgramme", programmeId=programme) == "IN_USE"

    # Mia and Ada say what is to be there in two months.
    goal = {"title": "Lead a retrospective", "dueOn": (BEGIN + timedelta(days=60)).isoformat()}
    milestone = it.tell("planMilestone", mia, pairingId=first, **goal)["id"]
    assert it.refused("planMilestone", noa, pairingId=first, **goal) == "NOT_FOUND"
    assert it.ask(LATE) == []

    # They meet; nobody is overdue while they do, and then one of the two is.
    for day in (7, 14):
        time.move_to(day, hour=13)
        for pairing, mentor in ((first, ada), (second, bea)):
            held = {"kind": "LIVE", "startedAt": (BEGIN + timedelta(days=day)).isoformat(), "minutes": 60}
            it.tell("recordSession", mentor, pairingId=pairing, **held)
    assert it.ask(OVERDUE) == []
    time.move_to(27, hour=13)
    held = {"kind": "WRITTEN", "startedAt": (BEGIN + timedelta(days=27)).isoformat(), "minutes": 30}
    it.tell("recordSession", mia, pairingId=first, **held)
    time.move_to(29)
    assert [each["pairing"]["id"] for each in it.ask(OVERDUE)] == [second]

    # A month later a survey is due, is answered once, and not twice.
    time.move_to(31)
    assert it.ask(DUE, mia, id=mia) == [{"pairing": {"id": first}, "round": 1, "isClosing": False}]
    it.tell("answerSurvey", mia, pairingId=first, rating=0.75, skill=0.5, confidence=0.75, comment="I speak up.")
    assert it.ask(DUE, mia, id=mia) == []
    assert it.refused("answerSurvey", mia, pairingId=first, rating=0.1, round=1) == "CONFLICT"

    # Noa and Bea have stalled; the alternatives are never Bea, nor Ada, whose place in the programme is taken.
    time.move_to(40)
    [stalled] = it.ask(STALLED)
    assert (stalled["pairing"]["id"], stalled["cause"]) == (second, "STOPPED_MEETING")
    assert stalled["alternatives"]["nodes"] == []
    it.tell("markStepDone", cal, personId=cal, stepId=step)
    time.move_to(41)
    [stalled] = it.ask(STALLED)
    assert [each["mentor"]["id"] for each in stalled["alternatives"]["nodes"]] == [cal]
    ended = it.tell("movePairing", noa, pairingId=second, to="ENDED", reason="NO_SHARED_TIME")
    assert ended["status"] == "ENDED"
    assert [each["reason"] for each in ended["moves"]] == [None] * len(ended["moves"])

    # Noa asks Cal, who goes away before he answers; she is offered somebody else.
    asked_cal = it.tell("requestMentor", noa, mentorId=cal, **in_it)
    away = {"since": (BEGIN + timedelta(days=41)).isoformat(), "until": (BEGIN + timedelta(days=60)).isoformat()}
    released = it.tell("setAway", personId=cal, **away)
    assert [each["id"] for each in released["released"]] == [asked_cal["id"]]
    [offer] = released["offerOthers"]
    assert (offer["mentee"]["id"], {each["mentor"]["id"] for each in offer["alternatives"]["nodes"]}) == (noa, {bea})

    # The charter is revised; Mia and Ada come to their goal, and the outcome is what their answers say.
    it.tell("reviseCharter", programmeId=programme, surveyDays=60)
    time.move_to(90)
    assert it.ask(LATE) == [{"milestone": {"id": milestone}, "pairing": {"id": first}, "daysOverdue": 30}]
    assert it.refused("movePairing", mia, pairingId=first, to="COMPLETED") == "REASON_REQUIRED"
    held = {"milestoneId": milestone, "evidence": "She led it on Tuesday."}
    assert it.tell("closeMilestone", ada, state="REACHED", **held)["state"] == "REACHED"
    assert it.ask(LATE) == []
    done = it.tell("movePairing", mia, pairingId=first, to="COMPLETED")
    assert done["status"] == "COMPLETED"
    assert it.ask(DUE, ada, id=ada)[-1] == {"pairing": {"id": first}, "round": 3, "isClosing": True}
    it.tell("answerSurvey", mia, pairingId=first, rating=1, skill=1, confidence=0.75, delivery=1)
    it.tell("answerSurvey", ada, pairingId=first, rating=1, skill=0.5)
    outcome = api.data("query ($id: ID!) { found: node(id: $id) { ... on Pairing { outcome } } }", id=first)["found"]
    assert outcome == {"outcome": pytest.approx(0.5 * 0.75 + 0.25 * 0.75 + 0.25 * 1)}

    # The programme ends and begins anew; what it was stays to be read.
    assert it.tell("archiveProgramme", programmeId=programme) == {"isArchived": True}
    again = it.tell("cloneProgramme", programmeId=programme, name="Leading 2027")
    assert (again["charter"]["why"], again["tiers"]["nodes"], again["isArchived"]) == (
        "More people lead.",
        [{"name": "Guide"}],
        False,
    )
    assert it.ask(PROGRAMME, id=programme)["charter"] == {"why": "More people lead."}
    assert it.refused("requestMentor", noa, menteeId=noa, mentorId=bea, programmeId=programme) == "ARCHIVED"
    assert asyncio.run(problems(server)) == []
