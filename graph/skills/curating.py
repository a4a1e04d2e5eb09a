"""What is told of skills themselves: proposals, approval, deprecation, merges and splits.

Everything is written as dated facts beside the skill, see `skills.taxonomy`; nothing that refers to it is
touched. Telling the same again changes nothing. All raise `InvalidFact` for values that cannot be taken, and
`DomainError` where the viewer may not say it, what it refers to does not exist (`NOT_FOUND`), or the taxonomy cannot
take it (`CONFLICT`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import ended
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Record, Row, uid_of
from mentorgraph.graph.facts.rows import facts_of, without_gaps
from mentorgraph.graph.people.recording import SOURCE, key_of
from mentorgraph.graph.skills.naming import BY_ALIAS, SkillNames
from mentorgraph.graph.skills.taxonomy import Taxonomy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer


async def propose_skill(
    store: Store,
    viewer: Viewer,
    skill: Row,
    *,
    broader: Sequence[str] = (),
    reason: str = "",
    source: str = SOURCE,
    external_id: str = "",
    now: datetime | None = None,
) -> str:
    """Records a skill that somebody misses; anybody may propose one.

    Args:
        store: The graph.
        viewer: On whose behalf.
        skill: `name`, and where known `kind`, `tier`, `cluster` and `aliases`.
        broader: uids of broader skills.
        reason: What it is needed for.
        source: System that `external_id` belongs to.
        external_id: The skill's key there; proposing the same key again changes nothing.
        now: The present instant.

    Returns:
        uid of the skill.

    Raises:
        DomainError: `CONFLICT`, a skill goes by one of its names already.
    """
    now = now or present()
    key = key_of(external_id, now)
    uid = uid_of(source, "skills", key)
    [own] = facts_of("skills", {**without_gaps(skill), "id": key, "source": source}, source)
    further = [fact for each in broader for fact in _told("broader", now, source, skill_id=uid, broader_id=each)]
    further += _told("skill_states", now, source, skill_id=uid, state="proposed", reason=reason)

    async def decide(known: Store) -> tuple[list[Record], str]:
        if uid in await known.find_existing([uid]):
            return [], uid
        await _refuse_unknown(known, "broaderIds", broader)
        names = SkillNames()
        taxonomy = await Taxonomy.of(known)
        async for fact in known.facts(KINDS["skills"]):
            names.put(fact.record.uid, fact.record.properties)
        for spelling in (str(own.properties["name"]), *_aliases(own)):
            for match in names.candidates(spelling, taxonomy, first=1, least=BY_ALIAS):
                shown = names.name_of(match.skill)
                raise DomainError(f"“{spelling}” is known already, as {shown}; use that", code="CONFLICT", field="name")
        return [own, *further], uid

    return await store.decide_and_write(decide)


async def approve_skill(
    store: Store, viewer: Viewer, skill: str, *, source: str = SOURCE, now: datetime | None = None
) -> None:
    """Approves a skill that was proposed, or one that was deprecated."""
    await _set_state(store, viewer, skill, "approved", "", source, now or present())


async def deprecate_skill(
    store: Store, viewer: Viewer, skill: str, reason: str, *, source: str = SOURCE, now: datetime | None = None
) -> None:
    """Says that a skill is to be named no longer; facts that name it go on to count."""
    await _set_state(store, viewer, skill, "deprecated", reason, source, now or present())


async def merge_skills(
    store: Store,
    viewer: Viewer,
    skill: str,
    into: str,
    *,
    reason: str = "",
    source: str = SOURCE,
    now: datetime | None = None,
) -> None:
    """Has one skill count for another one from now on; its uid goes on to be found.

    Args:
        store: The graph.
        viewer: On whose behalf.
        skill: uid of the skill that is given up.
        into: uid of the one that it counts for; neither merged, split nor deprecated.
        reason: Why.
        source: Where this is known from.
        now: The present instant.
    """
    now = now or present()

    def decide(taxonomy: Taxonomy) -> list[Record]:
        if taxonomy.merged_into(skill) == into:
            return []
        _refuse_state(taxonomy, skill, {"merged", "split"}, "skillId")
        _refuse_state(taxonomy, into, {"merged", "split", "deprecated"}, "intoId")
        if why := taxonomy.why_not_merged(skill, into):
            raise DomainError(f"the other one {why}; choose another one", code="CONFLICT", field="intoId")
        return _told("successions", now, source, skill_id=skill, successor_id=into, how="merged", reason=reason)

    await _curate(store, viewer, {"skillId": [skill], "intoId": [into]}, decide)


async def split_skill(
    store: Store,
    viewer: Viewer,
    skill: str,
    into: Sequence[str],
    *,
    reason: str = "",
    source: str = SOURCE,
    now: datetime | None = None,
) -> None:
    """Splits a skill into parts, each of which it is broader than from now on.

    Args:
        store: The graph.
        viewer: On whose behalf.
        skill: uid of the skill.
        into: uids of at least two others; none merged, split or deprecated.
        reason: Why.
        source: Where this is known from.
        now: The present instant.
    """
    now, parts = now or present(), sorted(set(into))
    if len(parts) < 2:
        raise DomainError("a skill is split into two others at least", code="BAD_USER_INPUT", field="intoIds")

    def decide(taxonomy: Taxonomy) -> list[Record]:
        if taxonomy.parts(skill) == parts:
            return []
        _refuse_state(taxonomy, skill, {"merged", "split"}, "skillId")
        written = []
        for part in parts:
            _refuse_state(taxonomy, part, {"merged", "split", "deprecated"}, "intoIds")
            if part == skill:
                raise DomainError("a part is the skill itself; choose others", code="CONFLICT", field="intoIds")
            if why := taxonomy.why_not_broader(part, skill):
                raise DomainError(
                    f"a part would be broader than itself, as the skill {why}", code="CONFLICT", field="intoIds"
                )
            written += _told("successions", now, source, skill_id=skill, successor_id=part, how="split", reason=reason)
            if skill not in taxonomy.broader(part):
                written += _told("broader", now, source, skill_id=part, broader_id=skill)
        return written

    await _curate(store, viewer, {"skillId": [skill], "intoIds": parts}, decide)


async def _set_state(
    store: Store, viewer: Viewer, skill: str, state: str, reason: str, source: str, now: datetime
) -> None:
    """Ends the states that a skill has and begins another one."""

    def decide(taxonomy: Taxonomy) -> list[Record]:
        if taxonomy.state(skill) == state:
            return []
        _refuse_state(taxonomy, skill, {"merged", "split"}, "skillId")
        begun = _told("skill_states", now, source, skill_id=skill, state=state, reason=reason)
        return [*(ended(each, now) for each in taxonomy.told_states(skill)), *begun]

    await _curate(store, viewer, {"skillId": [skill]}, decide)


async def _curate(
    store: Store,
    viewer: Viewer,
    named: dict[str, list[str]],
    decide: Callable[[Taxonomy], list[Record]],
) -> None:
    """Writes what a curator decides on the taxonomy as it is, between which and the writing nobody else writes."""
    if not viewer.coordinates:
        raise DomainError("only coordinators change the taxonomy; you may propose a skill", code="FORBIDDEN")

    async def work(known: Store) -> tuple[list[Record], None]:
        for field, uids in named.items():
            await _refuse_unknown(known, field, uids)
        return decide(await Taxonomy.of(known)), None

    await store.decide_and_write(work)


def _told(file: str, now: datetime, source: str, **row: object) -> list[Record]:
    return facts_of(file, {**row, "since": now}, source)


def _aliases(record: Record) -> list[str]:
    found = record.properties.get("aliases")
    return found if isinstance(found, list) else []


def _refuse_state(taxonomy: Taxonomy, skill: str, states: set[str], field: str) -> None:
    state = taxonomy.state(skill)
    if state in states:
        remedy = {
            "merged": "use the one that it was merged into",
            "split": "use its parts",
            "deprecated": "approve it first, or choose another one",
        }
        raise DomainError(f"this skill is {state}; {remedy[state]}", code="CONFLICT", field=field)


async def _refuse_unknown(store: Store, field: str, uids: Sequence[str]) -> None:
    found = await store.find_existing(uids)
    if any(found.get(uid) != "Skill" for uid in uids):
        raise DomainError("no skill has this id", code="NOT_FOUND", field=field)
