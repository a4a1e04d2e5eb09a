"""The catalogue of mentors: who is in it, what is told of them, and that its filter is what a slow definition says."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.levels import Rating, level_of
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.pairings.load import loads
from mentorgraph.graph.people.eligibility import read_pairs, seeker_of
from mentorgraph.graph.people.participants import Participant, participants
from mentorgraph.graph.ranking.catalogue import LIKED, Entry, OfferedSkill, Wanted, page_of_catalogue
from mentorgraph.graph.rules.evaluator import may_be_shown
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.skills.taxonomy import Taxonomy
from mentorgraph.graph.store.database import round_trips
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

pytestmark = pytest.mark.anyio

SOURCE = "made"
SINCE = "2025-01-01"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
POLICY = load_policy()
PLACES = POLICY.rules.max_mentees
SKILLS = ("field", "kind", "part", "old", "older", "other")
"""`kind` is narrower than `field`, `part` than `kind`; `older` was merged into `old` and that into `kind`."""
PROGRAMMES = ("one", "two", "short")
"""Pairings in `short` take no place, since it is for single questions."""
MANDATORY = {"necessity": "mandatory", "since": SINCE}
STYLES = ("challenging", "Patient", "")
FORMATS = ("live", "Written", "ASYNC")
LANGUAGES = ("pt", "pt-BR", "EN", "ptx")


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


def crowd(seed: int, people: int = 60) -> dict[str, list[dict[str, str]]]:
    """People who differ in everything that the catalogue asks about, most of them mentors whom one may be shown."""
    random_ = random.Random(seed)  # noqa: S311

    def often(share: float) -> bool:
        return random_.random() < share

    names = [f"p{number:02d}" for number in range(people)]
    rows: dict[str, list[dict[str, str]]] = {
        "units": [],
        "skills": [{"id": each, "name": each} for each in SKILLS],
        "broader": [
            {"skill_id": low, "broader_id": high, "since": SINCE} for low, high in (("kind", "field"), ("part", "kind"))
        ],
        "successions": [
            {"skill_id": low, "successor_id": high, "how": "merged", "since": SINCE}
            for low, high in (("older", "old"), ("old", "kind"))
        ],
        "programmes": [
            {"id": "one", "name": "One", "since": SINCE},
            {"id": "two", "name": "Two", "since": SINCE},
            {"id": "short", "name": "Short", "since": SINCE, "format": "micro"},
        ],
        "onboarding_steps": [
            {"id": "all", "name": "All", "role": "mentor", **MANDATORY, "position": "1"},
            {"id": "one", "name": "One", "programme_id": "one", **MANDATORY, "position": "2"},
            {"id": "may", "name": "May", "necessity": "optional", "position": "3", "since": SINCE},
        ],
        "people": [
            {"id": each, "name": each, "joined_on": SINCE, "left_on": "2026-05-01" if often(0.06) else ""}
            for each in names
        ],
        "goals": [],
    }  # fmt: skip
    mentors = [each for each in names if often(0.85)]
    rows["roles"] = [
        {"person_id": each, "role_id": "mentor", "since": SINCE, "until": "2026-05-01" if often(0.06) else "",
         "max_mentees": random_.choice(("", "1", "2"))}
        for each in mentors
    ]  # fmt: skip
    rows["consents"] = [
        {"person_id": each, "purpose": "matching", "text_version": "1", "since": SINCE,
         "until": "2026-05-01" if often(0.06) else ""}
        for each in names if often(0.92)
    ]  # fmt: skip
    rows["memberships"] = [
        {"person_id": each, "programme_id": programme, "role": random_.choice(("mentor", "mentor", "mentee", "")),
         "since": SINCE, "max_mentees": random_.choice(("", "1"))}
        for each in names for programme in PROGRAMMES if often(0.4)
    ]  # fmt: skip
    rows["steps_done"] = [
        {"person_id": each, "step_id": step, "since": SINCE} for each in names for step in ("all", "one") if often(0.85)
    ]
    rows["blocks"] = [
        {"person_id": a, "blocked_id": b, "since": SINCE} for a, b in zip(names[:4], names[4:8], strict=True)
    ]
    rows["profiles"] = [
        {"person_id": each, "since": SINCE, "coaching_style": random_.choice(STYLES),
         "communication": random_.choice(("", "live", "asynchronous", "mixed")),
         "formats": "|".join(random_.sample(FORMATS, random_.randrange(3))),
         "languages": "|".join(random_.sample(LANGUAGES, random_.randrange(4)))}
        for each in names if often(0.8)
    ]  # fmt: skip
    rows["person_skills"] = [
        {"person_id": each, "skill_id": skill, "stance": random_.choice(("offers", "offers", "wants")),
         "level": random_.choice(("", "1", "2", "3", "4", "5")), "since": random_.choice((SINCE, "2026-02-01"))}
        for each in names for skill in SKILLS if often(0.4)
    ]  # fmt: skip
    rows["skill_ratings"] = [
        {"person_id": each, "skill_id": skill, "level": random_.choice("12345"), "since": "2025-08-01",
         "rated_by": random_.choice(("self", "mentor", "project", "certificate"))}
        for each in names for skill in SKILLS if often(0.25)
    ]  # fmt: skip
    pairs = [(random_.choice(mentors), random_.choice(names)) for _ in range(people)]
    rows["pairings"] = [
        {"id": f"q{number}", "mentor_id": mentor, "mentee_id": mentee, "started_on": SINCE,
         "programme_id": random_.choice(("", *PROGRAMMES)), "status": "active"}
        for number, (mentor, mentee) in enumerate(pairs) if mentor != mentee
    ]  # fmt: skip
    helpers = ((row, random_.choice(mentors)) for row in rows["pairings"] if often(0.3))
    rows["co_mentors"] = [
        {"person_id": helper, "pairing_id": row["id"], "share": "0.5", "since": SINCE}
        for row, helper in helpers if helper not in (row["mentor_id"], row["mentee_id"])
    ]  # fmt: skip
    rows["availability"] = [
        {"person_id": each, "weekday": "2", "start": "09:00", "end": "10:00", "zone": "Asia/Tokyo", "since": SINCE}
        for each in names if often(0.5)
    ]  # fmt: skip
    return rows


class Slow:
    """The catalogue by definition: everybody is looked at, by the code of other parts of the domain."""

    def __init__(self, store: Store, taxonomy: Taxonomy) -> None:
        self.store, self.taxonomy = store, taxonomy

    async def read(self, people: list[str]) -> None:
        """Reads all that there is to know of everybody."""
        self.people = people
        self.known = await participants(self.store, people, NOW)
        self.loads = await loads(self.store, people, NOW, PLACES)
        self.ratings = [each.record async for each in self.store.facts(KINDS["skill_ratings"])]

    async def fitting(self, viewer: Viewer, wanted: Wanted) -> list[str]:
        """Who is in the catalogue and fits."""
        nobody = uid("people", "p59")  # whom nobody blocks
        row = await self.store.read_asker(nobody if viewer.sees_everybody else viewer.person, None, NOW)
        assert row is not None
        pairs = await read_pairs(self.store, seeker_of(row, NOW, POLICY), self.people, NOW)
        return sorted(
            each
            for each in self.people
            if may_be_shown(pairs[each])
            and not self.known[each].missing_steps("mentor")
            and self._fits(each, self.known[each], wanted)
        )

    def skills(self, own: Participant) -> dict[str, float | None]:
        """What somebody offers, and at which level."""
        ratings: dict[str, list[Rating]] = {}
        for each in [
            *own.holding("offers"),
            *(each for each in self.ratings if each.links["person"] == own.person.uid),
        ]:
            properties: dict[str, Any] = dict(each.properties)
            told = ratings.setdefault(self.taxonomy.counts_as(each.links["skill"]), [])
            if properties.get("level") is not None:
                rated_by = properties.get("rated_by", "self")
                told.append(Rating(properties["level"], rated_by, properties["since"].timestamp()))
        offers = {self.taxonomy.counts_as(each.links["skill"]) for each in own.holding("offers")}
        return {each: level_of(ratings[each], NOW.timestamp()) for each in offers}

    def _fits(self, person: str, own: Participant, wanted: Wanted) -> bool:
        told: dict[str, Any] = dict(own.profile.properties) if own.profile else {}
        tags = [each.lower() for each in told.get("languages", [])]
        language = wanted.language.lower()
        aim = self.taxonomy.counts_as(wanted.skill)
        enrolled = [
            each
            for each in own.holding("memberships")
            if each.links["programme"] == wanted.programme and each.properties.get("role", "mentor") == "mentor"
        ]
        return (
            (
                not wanted.skill
                or any(
                    (each == aim or aim in self.taxonomy.ancestors(each))
                    and (wanted.least_level is None or (level is not None and level >= wanted.least_level - 1e-9))
                    for each, level in self.skills(own).items()
                )
            )
            and (not wanted.format or wanted.format.lower() in [each.lower() for each in told.get("formats", [])])
            and (not wanted.coaching_style or told.get("coaching_style", "").lower() == wanted.coaching_style.lower())
            and (not wanted.communication or told.get("communication") in LIKED[wanted.communication])
            and (not language or any(each == language or each.startswith(language + "-") for each in tags))
            and (not wanted.programme or bool(enrolled))
            and (wanted.has_free_places is None or self.is_free(person, wanted.programme) == wanted.has_free_places)
        )

    def is_free(self, person: str, programme: str) -> bool:
        """Whether one more pairing goes; the part of a programme is counted by its pairings, as the rules count it."""
        if programme == uid("programmes", "short"):
            return True
        load = self.loads[person]
        own = self.known[person]
        limits: list[Any] = [
            each.properties["max_mentees"]
            for each in own.holding("memberships")
            if each.links["programme"] == programme
            and each.properties.get("role", "mentor") == "mentor"
            and "max_mentees" in each.properties
        ]
        there = sum(each == (person, programme) for each in self.open_pairings)
        return load.left >= 1 - 1e-9 and (not limits or there < max(limits))

    open_pairings: list[tuple[str, str]]


@pytest.fixture
async def slow(store: Store) -> Slow:
    rows = crowd(1)
    result = await import_bundle(store, bundle_of(rows), source=SOURCE)
    assert set(result.total) == {"created"}
    found = Slow(store, await Taxonomy.of(store))
    await found.read([uid("people", row["id"]) for row in rows["people"]])
    found.open_pairings = [
        (uid("people", row["mentor_id"]), uid("programmes", row["programme_id"])) for row in rows["pairings"]
    ]
    return found


def every_part() -> Iterator[Wanted]:
    """Each part of a filter by itself, in each of its values."""
    for skill, level in itertools.product(SKILLS, (None, 1, 3, 5)):
        yield Wanted(skill=uid("skills", skill), least_level=level)
    yield from (Wanted(format=each.upper()) for each in FORMATS)
    yield from (Wanted(coaching_style=each.lower()) for each in STYLES)
    yield from (Wanted(communication=each) for each in LIKED)
    yield from (Wanted(language=each.lower()) for each in LANGUAGES)
    yield from (Wanted(programme=uid("programmes", each)) for each in PROGRAMMES)
    for programme, free in itertools.product(("", *PROGRAMMES), (True, False)):
        yield Wanted(programme=programme and uid("programmes", programme), has_free_places=free)


async def listed(slow: Slow, viewer: Viewer, wanted: Wanted, limit: int = 100, after: str = "") -> list[Entry]:
    return await page_of_catalogue(
        slow.store, viewer, slow.taxonomy, wanted, max_mentees=PLACES, after=after, limit=limit, now=NOW
    )


async def test_the_filter_is_equal_to_looking_at_everybody(slow: Slow) -> None:
    """Each part alone, and parts together; what is found for parts alone is neither nobody nor everybody."""
    everybody = await slow.fitting(COORDINATOR, Wanted())
    assert 20 < len(everybody) < 50
    parts = list(every_part())
    by_part = {}
    for wanted in [Wanted(), *parts]:
        found = [each.mentor for each in await listed(slow, COORDINATOR, wanted)]
        assert found == await slow.fitting(COORDINATOR, wanted), wanted
        by_part[wanted] = found
    assert sum(0 < len(each) < len(everybody) for each in by_part.values()) > 0.8 * len(parts)
    random_ = random.Random(2)  # noqa: S311
    together = 0
    for _ in range(60):
        first, second = random_.sample(parts, 2)
        fields = {name: getattr(second, name) or getattr(first, name) for name in Wanted.__slots__}
        wanted = replace(Wanted(**fields), least_level=fields["least_level"] if fields["skill"] else None)
        found = [each.mentor for each in await listed(slow, COORDINATOR, wanted)]
        assert found == await slow.fitting(COORDINATOR, wanted), wanted
        together += bool(found)
    assert together > 20


async def test_what_is_told_of_a_mentor_is_what_is_known_of_them(slow: Slow) -> None:
    for each in await listed(slow, COORDINATOR, Wanted()):
        own = slow.known[each.mentor]
        right = slow.skills(own)
        assert {skill.skill for skill in each.skills} == right.keys()
        assert all(skill.level == pytest.approx(right[skill.skill], abs=1e-9) for skill in each.skills)
        levels = [skill.level or 0 for skill in each.skills]
        assert levels == sorted(levels, reverse=True)
        assert each.has_free_places == slow.is_free(each.mentor, "")
        told: dict[str, Any] = dict(own.profile.properties) if own.profile else {}
        assert each.profile.get("coaching_style") == told.get("coaching_style")
        assert [(window.uid, window.properties) for window in each.windows] == [
            (window.uid, window.properties) for window in own.holding("availability")
        ]


async def test_pages_are_cut_without_gap_or_repetition_and_are_one_statement_each(slow: Slow) -> None:
    whole = [each.mentor for each in await listed(slow, COORDINATOR, Wanted())]
    found, after = [], ""
    while page := await listed(slow, COORDINATOR, Wanted(), 7, after):
        found += [each.mentor for each in page]
        after = found[-1]
    assert found == whole
    sent: list[str] = []
    round_trips.set(sent)
    await listed(slow, COORDINATOR, Wanted(), 7)
    assert sent == ["page_catalogue"]


async def test_who_blocks_whom_they_do_not_see_and_everybody_else_does(slow: Slow) -> None:
    less, everywhere = 0, frozenset(uid("programmes", each) for each in PROGRAMMES)
    for viewer in (
        Viewer(person=uid("people", f"p{number:02d}"), programmes=everywhere, roles=frozenset({"mentee"}))
        for number in range(8)
    ):
        found = {each.mentor for each in await listed(slow, viewer, Wanted())}
        assert found == set(await slow.fitting(viewer, Wanted()))
        less += found < set(await slow.fitting(COORDINATOR, Wanted()))
    assert less == 7  # the eighth is bound to somebody who is in nobody's catalogue
    assert len(await listed(slow, Viewer(programmes=everywhere), Wanted())) == len(
        await listed(slow, COORDINATOR, Wanted())
    )


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        (Wanted(skill=uid("programmes", "one")), "NOT_FOUND", "filter.skillId"),
        (Wanted(programme=uid("skills", "field")), "NOT_FOUND", "filter.programmeId"),
        (Wanted(least_level=3), "BAD_USER_INPUT", "filter.minLevel"),
        (Wanted(skill=uid("skills", "field"), least_level=0), "BAD_USER_INPUT", "filter.minLevel"),
        (Wanted(skill=uid("skills", "field"), least_level=6), "BAD_USER_INPUT", "filter.minLevel"),
        (Wanted(language="not a tag"), "BAD_USER_INPUT", "filter.language"),
        (Wanted(format="x" * 201), "BAD_USER_INPUT", "filter.format"),
        (Wanted(coaching_style="x" * 201), "BAD_USER_INPUT", "filter.coachingStyle"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(slow: Slow, wanted: Wanted, code: str, field: str) -> None:
    with pytest.raises(DomainError) as caught:
        await listed(slow, COORDINATOR, wanted)
    assert (caught.value.code, caught.value.field) == (code, field)


async def test_ratings_that_age_take_a_mentor_over_the_level_on_their_day(store: Store) -> None:
    """A mentor said 5 and she herself 2: as what she says fades faster, the level rises from 4 towards 5."""
    rows = crowd(1, 8) | {"blocks": [], "pairings": [], "co_mentors": [], "memberships": [], "onboarding_steps": []}
    ada = {"person_id": "p00", "since": SINCE}
    rows |= {
        "steps_done": [],
        "roles": [{**ada, "role_id": "mentor"}],
        "people": [{"id": each, "name": each, "joined_on": SINCE} for each in ("p00", "p01")],
        "consents": [{**ada, "purpose": "matching", "text_version": "1"}],
        "person_skills": [{**ada, "skill_id": "part", "stance": "offers", "level": "2"}],
        "skill_ratings": [{**ada, "skill_id": "part", "level": "5", "rated_by": "mentor"}],
    }
    await import_bundle(store, bundle_of(rows), source=SOURCE)
    taxonomy = await Taxonomy.of(store)

    async def at(days: int, least: int) -> list[Entry]:
        wanted = Wanted(skill=uid("skills", "field"), least_level=least)
        now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=days)
        return await page_of_catalogue(store, COORDINATOR, taxonomy, wanted, max_mentees=3, limit=9, now=now)

    [first] = await at(0, 4)
    assert first.skills == (OfferedSkill(uid("skills", "part"), 4.0),)  # (1 × 5 + ½ × 2) / 1½
    assert await at(0, 5) == []
    [later] = await at(6 * 365, 4)
    half = 0.5 ** (6 * 365 / 365.25 / 2), 0.5 ** (6 * 365 / 365.25 / 3)
    right = (half[1] * 5 + 0.5 * half[0] * 2) / (half[1] + 0.5 * half[0])
    assert 4.2 < right < 5
    assert later.skills[0].level == pytest.approx(right, abs=1e-9)
