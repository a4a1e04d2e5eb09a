"""Clients that write and read over GraphQL all the while, and note what they were told.

Each client is a task with a connection, a person who mentors and a person with goals of its own. Whatever it wants to
write it sends again under the same idempotency key, until it is told that it is done.
"""

import asyncio
import json
import random
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mentorgraph.api.ids import global_id
from mentorgraph.graph.facts.model import uid_of

from .history import Attempt, History, Outcome, Read, Write

REGISTER = """
mutation ($input: RegisterPersonInput!) {
  done: registerPerson(input: $input) { person { id } userErrors { code message } }
}
"""
CREATE_GOAL = """
mutation ($input: CreateGoalInput!) { done: createGoal(input: $input) { goal { id } userErrors { code message } } }
"""
RECORD_CONSENT = """
mutation ($input: RecordConsentInput!) {
  done: recordConsent(input: $input) { person { id } userErrors { code message } }
}
"""
GOALS = "query ($id: ID!) { goals(personId: $id, first: 100) { edges { node { title } } pageInfo { hasNextPage } } }"
CONSENTS = "query ($id: ID!) { person(id: $id) { consents { purpose } } }"
MENTORS = "query ($id: ID!) { recommendMentors(menteeId: $id, first: 100) { edges { node { mentor { id } } } } }"

MAY_BE_DONE = {"OUTCOME_UNKNOWN", "IDEMPOTENCY_KEY_IN_USE", "LOST"}
NOT_DONE = {"SERVICE_UNAVAILABLE", "TIMEOUT", "OVERLOADED"}
DONE = {"OK", "ANSWER_LOST"}
TYPE = "Content-Type: application/json"
AGREED, NOT_AGREED = "agreed", "not agreed"
GOALS_OF_ONE = 90
"""So that a page holds them all."""


class Lost(Exception):
    """The connection could not be had, or broke."""


class Connection:
    """One connection of HTTP, made again after it broke."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """The answer to a request, however long it takes.

        Raises:
            Lost: There is none.
        """
        body = json.dumps({"query": query, "variables": variables}).encode()
        head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n{TYPE}\r\n\r\n"
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self._streams
            writer.write(head.encode() + body)
            answered = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(answered.split(b"content-length:")[1].split(b"\r\n")[0])
            return dict(json.loads(await reader.readexactly(length)))
        except (OSError, EOFError, IndexError) as error:
            self.close()
            raise Lost from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


def code_of(answer: Mapping[str, Any]) -> str:
    """The code of the first error, or of the first thing that was refused; `OK` where there is none."""
    for error in answer.get("errors", ()):
        return str(error["extensions"]["code"])
    for payload in (answer.get("data") or {}).values():
        for error in payload.get("userErrors", ()) if isinstance(payload, Mapping) else ():
            return str(error["code"])
    return "OK"


@dataclass
class Crowd:
    """What the clients of one run share.

    Attributes:
        history: What they note.
        mentee: Somebody in the community whose list they read.
        pause_s: How long a client rests after each thing that it does.
        uses_keys: Whether what is sent again has the key of the first attempt.
        is_over: Whether they begin nothing new.
        patience_s: How long they go on to send one thing again once it is over.
    """

    history: History
    port: int
    mentee: str
    pause_s: float = 0.0
    uses_keys: bool = True
    is_over: bool = False
    patience_s: float = 60.0


class Client:
    """One of them."""

    def __init__(self, crowd: Crowd, name: str, seed: str, first_goal: int = 0) -> None:
        self.name = name
        self._crowd = crowd
        self._history = crowd.history
        self._chance = random.Random(seed)  # noqa: S311
        self._connection = Connection(crowd.port)
        self._mentor, self._mentee = (
            global_id("Person", uid_of("api", "people", f"{name} {role}")) for role in ("mentor", "mentee")
        )
        self._goals = first_goal

    async def come(self) -> None:
        """Register both people."""
        for role in ("mentor", "mentee"):
            write = Write(f"{self.name} {role}")
            self._history.collection("people").writes.append(write)
            own = {"name": write.value, "externalId": write.value, "roles": [role.upper()]}
            await self._tell(write, REGISTER, {**own, "consents": ["MATCHING", "TRAINING"], "consentTextVersion": "1"})

    async def go_on(self) -> None:
        """Write and read until it is over."""
        doing = [
            (self._agree, 3),
            (self._add_goal, 3),
            (self._see_list, 4),
            (self._see_goals, 3),
            (self._see_consent, 3),
        ]
        acts, weights = zip(*doing, strict=True)
        while not self._crowd.is_over:
            [act] = self._chance.choices(acts, weights)
            await act()
            await asyncio.sleep(self._crowd.pause_s)

    async def leave(self) -> None:
        """Take back the consent, and read once more all that this client has written."""
        writes = self._history.register(f"consent of {self.name}", AGREED).writes
        if not writes or writes[-1].value == AGREED:
            await self._agree()
        await self._see_goals(insists=True)
        await self._see_consent(insists=True)
        await self._see_list(insists=True)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    async def _agree(self) -> None:
        register = self._history.register(f"consent of {self.name}", AGREED)
        agreed = len(register.writes) % 2 == 1
        write = Write(AGREED if agreed else NOT_AGREED)
        register.writes.append(write)
        given = {"personId": self._mentor, "purpose": "MATCHING", "granted": agreed, "textVersion": "1"}
        await self._tell(write, RECORD_CONSENT, given)

    async def _add_goal(self) -> None:
        if self._goals >= GOALS_OF_ONE:
            return await self._see_goals()
        self._goals += 1
        write = Write(f"goal {self._goals} of {self.name}")
        self._history.collection(f"goals of {self.name}").writes.append(write)
        await self._tell(write, CREATE_GOAL, {"personId": self._mentee, "title": write.value})
        return None

    async def _see_goals(self, *, insists: bool = False) -> None:
        if found := await self._look("goals", GOALS, self._mentee, insists=insists):
            asked, answered, data = found
            seen = Counter(edge["node"]["title"] for edge in data["goals"]["edges"])
            self._history.collection(f"goals of {self.name}").reads.append(Read(asked, answered, seen))

    async def _see_consent(self, *, insists: bool = False) -> None:
        if found := await self._look("consent", CONSENTS, self._mentor, insists=insists):
            asked, answered, data = found
            holds = any(each["purpose"] == "MATCHING" for each in data["person"]["consents"])
            register = self._history.register(f"consent of {self.name}", AGREED)
            register.reads.append(Read(asked, answered, AGREED if holds else NOT_AGREED))

    async def _see_list(self, *, insists: bool = False) -> None:
        """A mentor is in the list exactly if they agree."""
        if found := await self._look("list", MENTORS, self._crowd.mentee, insists=insists):
            asked, answered, data = found
            listed = {edge["node"]["mentor"]["id"] for edge in data["recommendMentors"]["edges"]}
            if not listed:
                self._history.odd("a list is empty, as if no mentor fitted")
            register = self._history.register(f"consent of {self.name}", AGREED)
            register.reads.append(Read(asked, answered, AGREED if self._mentor in listed else NOT_AGREED))

    async def _look(
        self, what: str, query: str, id: str, *, insists: bool
    ) -> tuple[float, float, dict[str, Any]] | None:
        """The data of an answer, and when it was asked for and there; None where there is none."""
        patience = self._history.clock() + self._crowd.patience_s
        while True:
            asked, answered, code, data = await self._ask(what, query, {"id": id})
            if code == "OK":
                return asked, answered, data
            if code not in NOT_DONE | {"LOST"}:
                self._history.odd(f"{what} was answered with {code}")
            if not insists or self._history.clock() > patience:
                return None
            await asyncio.sleep(0.2)

    async def _tell(self, write: Write, mutation: str, given: Mapping[str, object]) -> None:
        """Have something written, however often it has to be sent."""
        key = str(uuid.UUID(int=self._chance.getrandbits(128)))
        patience = self._history.clock() + self._crowd.patience_s
        while True:
            attempt = Attempt(self._history.clock())
            write.attempts.append(attempt)
            own = {"idempotencyKey": key} if self._crowd.uses_keys else {}
            _, attempt.answered, code, _ = await self._ask(str(write.value), mutation, {"input": {**given, **own}})
            if code in DONE:
                attempt.outcome = Outcome.DONE
                return
            if code in NOT_DONE:
                attempt.outcome = Outcome.REFUSED
            elif code not in MAY_BE_DONE:
                self._history.odd(f"{write.value} was answered with {code}")
            if not self._crowd.is_over:
                patience = self._history.clock() + self._crowd.patience_s
            if self._history.clock() > patience:
                return
            await asyncio.sleep(0.1 + 0.2 * self._chance.random())

    async def _ask(
        self, what: str, query: str, variables: Mapping[str, object]
    ) -> tuple[float, float, str, dict[str, Any]]:
        number, asked = self._history.begin(what)
        answer: dict[str, Any] = {}
        code = "LOST"
        with suppress(Lost):
            answer = await self._connection.ask(query, variables)
            code = code_of(answer)
        answered = self._history.end(number, code)
        return asked, answered, code, answer.get("data") or {}
