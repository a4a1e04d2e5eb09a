"""Taxonomies as others publish them: ESCO's files under their official names, and any CSV file that states a tree.

Every row becomes rows of the bundle, so it is checked, compared and written like all others. Edges carry no date in
such files; they hold always. Columns and names of ESCO: its download page, classification 1.0 to 1.2.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mentorgraph.graph.exchange.bundle import ImportResult, Refusal, import_tables
from mentorgraph.graph.exchange.table_files import BundleError, BundleFile, open_table
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import ALWAYS, InvalidFact, Row
from mentorgraph.graph.store.store import Store

ESCO = "http://data.europa.eu/esco/"
ESCO_NOTICE = "This service uses the ESCO classification of the European Commission."
"""What whoever uses ESCO has to say: Commission Decision 2011/833/EU and ESCO's terms of use."""

ESCO_CLUSTERS = {
    "http://data.europa.eu/esco/skill/869fc2ce-478f-4420-8766-e1f02cec4fb2": "leadership",  # S4, management skills
    "http://data.europa.eu/esco/skill/dc06de9f-dd3a-4f28-b58f-b01b5ae72ab8": "soft",  # S1, communication, collaboration
    "http://data.europa.eu/esco/skill/04a13491-b58c-4d33-8b59-8fad0d55fe9e": "soft",  # T, transversal skills
    "http://data.europa.eu/esco/skill/e35a5936-091d-4e87-bafe-f264e55bd656": "languages",  # L
    "http://data.europa.eu/esco/skill/335228d2-297d-4e0e-a6ee-bc6a8dc110d9": "technical",  # S, all other skills
    "http://data.europa.eu/esco/skill/c46fcb45-5c14-4ffa-abed-5a43f104bb22": "technical",  # K, knowledge
}
"""Group of ESCO → cluster of what lies below it; the first one that lies above a skill tells its cluster."""

DEEPEST = 9
"""Tier of a skill that lies deeper than tiers go."""

_OFFICIAL = re.compile(
    r"(skills|skillGroups|skillsHierarchy|broaderRelationsSkillPillar|skillSkillRelations)_([a-z]{2})\.csv(\.gz)?"
)
_LINES_NAMED = 10
"""Lines that a notice names."""
_LEVELS = 4
"""Levels of groups in ESCO's hierarchy."""

_COLUMNS = {
    "id": ("id", "uri", "concepturi", "skill_id"),
    "name": ("name", "label", "preferredlabel", "title"),
    "broader": ("broader", "broader_id", "broader_uri", "broaderuri", "parent_id", "parent"),
    "aliases": ("aliases", "aliases_en", "alt_labels", "altlabels", "synonyms"),
    "full_name": ("full_name",),
    "kind": ("kind", "skill_type", "skilltype", "type"),
    "tier": ("tier",),
    "cluster": ("cluster", "category"),
    "skill_id": ("originalskilluri", "uri"),
    "related_id": ("relatedskilluri", "related_uri", "related_id"),
    "relation": ("relationtype", "relation"),
}
"""Column of ours → what others call it, in small letters."""


@dataclass(frozen=True, slots=True)
class TaxonomyTable:
    """One file of a taxonomy, in the terms of the bundle.

    Attributes:
        file: The file of the bundle that its rows belong to.
        table: Its rows.
        called: Column of the bundle → what the file calls it.
    """

    file: str
    table: BundleFile
    called: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TaxonomyFiles:
    """A taxonomy that can be read.

    Attributes:
        tables: Its files, each after those that it refers to.
        source: The system that its ids belong to.
        notice: What whoever uses it has to say; empty for nothing.
    """

    tables: tuple[TaxonomyTable, ...]
    source: str
    notice: str


async def import_taxonomy(
    store: Store,
    taxonomy: TaxonomyFiles,
    *,
    dry_run: bool = False,
    on_refusal: Callable[[Refusal], None] = lambda _refusal: None,
    on_progress: Callable[[str, int], None] = lambda _file, _rows: None,
) -> ImportResult:
    """Reads a taxonomy into the graph; what it says of a skill replaces what it said before.

    Args:
        store: Where the facts go.
        taxonomy: What `open_taxonomy` gives.
        dry_run: Tell what would happen and write nothing.
        on_refusal: Told of each problem of each refused row, by the names that the file uses.
        on_progress: Told how many more rows of a file are done.

    Returns:
        The counts by name of the file.
    """
    called = {each.table.name: each.called for each in taxonomy.tables}
    skills = taxonomy.tables[0].table.name

    def refused(refusal: Refusal) -> None:
        problem = refusal.problem
        column = called[refusal.file].get(problem.column, problem.column)
        remedy = problem.remedy.replace("skills.csv", skills)
        on_refusal(replace(refusal, problem=replace(problem, column=column, remedy=remedy)))

    tables = [(each.file, each.table) for each in taxonomy.tables]
    return await import_tables(
        store, tables, source=taxonomy.source, dry_run=dry_run, on_refusal=refused, on_progress=on_progress
    )


def open_taxonomy(path: Path, *, source: str = "", cluster: str = "") -> TaxonomyFiles:
    """Opens a folder of ESCO's files or one CSV file that states a tree, and checks that it can be read.

    Args:
        path: The folder or file.
        source: The system that the ids belong to; `esco` or `taxonomy` if none is given.
        cluster: Cluster of the skills of which the file tells none.

    Raises:
        BundleError: It cannot be read, or is of neither form.
    """
    if path.is_dir():
        return _esco(_official_files(path), source)
    if not path.exists():
        raise BundleError(f"{path} does not exist; name a CSV file, or the folder of ESCO's files")
    table = open_table(path)
    of_esco = any(str(_cell(row, _names(table), "id")).startswith(ESCO) for row in _good(table))
    return TaxonomyFiles(
        (_skills(table, _tree_of(table), {}, cluster),),
        source or ("esco" if of_esco else "taxonomy"),
        ESCO_NOTICE if of_esco else "",
    )


# --- ESCO -----------------------------------------------------------------------------------------------------------


def _official_files(folder: Path) -> dict[str, BundleFile]:
    """ESCO's files of a folder by the first part of their name."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if match := _OFFICIAL.fullmatch(path.name):
            if match[1] in found:
                raise BundleError(f"both {found[match[1]].name} and {path.name} exist; keep one language of each file")
            found[match[1]] = path
    if "skills" not in found:
        raise BundleError(f"{folder} holds no skills_en.csv; name the folder of ESCO's files, or one CSV file")
    return {name: open_table(path) for name, path in found.items()}


def _esco(files: Mapping[str, BundleFile], source: str) -> TaxonomyFiles:
    groups = _groups(files["skillsHierarchy"]) if "skillsHierarchy" in files else []
    if "broaderRelationsSkillPillar" in files:
        steps = [_edges(files["broaderRelationsSkillPillar"], "broader", {"skill_id": "id", "broader_id": "broader"})]
        above = _tree_of(files["broaderRelationsSkillPillar"])
    else:
        steps = [_steps(groups, files["skillsHierarchy"].name)] if groups else []
        above = defaultdict(list)
        for _, row in groups:
            above[str(row["id"])] += [row["broader"]] if row["broader"] else []
    skills = [_skills(files["skills"], above, ESCO_CLUSTERS, "")]
    known = _ids(files["skills"])
    if "skillGroups" in files:
        skills.append(_skills(files["skillGroups"], above, ESCO_CLUSTERS, ""))
        known |= _ids(files["skillGroups"])
    others = {str(row["id"]): (line, row) for line, row in groups if row["id"] not in known}
    if others:
        tiers = _tiers(above)
        rows = [
            (
                line,
                {
                    "id": uri,
                    "name": row["name"],
                    "kind": "group",
                    "tier": tiers.get(uri),
                    "cluster": _cluster(uri, above, ESCO_CLUSTERS),
                },
            )
            for uri, (line, row) in others.items()
        ]
        name = files["skillsHierarchy"].name
        table = BundleFile(name, ("id", "name", "kind", "tier", "cluster"), lambda: iter(rows), len(rows))
        skills.append(TaxonomyTable("skills", table, {}))
    if "skillSkillRelations" in files:
        wanted = {"skill_id": "skill_id", "related_id": "related_id", "relation": "relation"}
        steps.append(_without_itself(_edges(files["skillSkillRelations"], "skill_relations", wanted)))
    return TaxonomyFiles((*skills, *steps), source or "esco", ESCO_NOTICE)


def _groups(hierarchy: BundleFile) -> list[tuple[int, dict[str, str]]]:
    """The groups that ESCO's hierarchy names: each row is one, the last of its levels that is filled."""
    columns = [(f"Level {level} URI", f"Level {level} preferred term") for level in range(_LEVELS)]
    if missing := [name for pair in columns for name in pair if name not in hierarchy.columns]:
        raise BundleError(f"{hierarchy.name} lacks the column {missing[0]}; it is not ESCO's hierarchy")
    found = []
    for line, row in hierarchy.rows():
        if not isinstance(row, InvalidFact):
            filled = [(str(row[uri]).strip(), str(row[term]).strip()) for uri, term in columns if str(row[uri]).strip()]
            if filled:
                above = filled[-2][0] if len(filled) > 1 else ""
                found.append((line, {"id": filled[-1][0], "name": filled[-1][1], "broader": above}))
    return found


def _steps(groups: Sequence[tuple[int, Mapping[str, str]]], name: str) -> TaxonomyTable:
    """The steps between the groups of a hierarchy."""
    rows = [
        (line, {"skill_id": row["id"], "broader_id": row["broader"], "since": ALWAYS})
        for line, row in groups
        if row["broader"]
    ]
    return TaxonomyTable(
        "broader", BundleFile(name, ("skill_id", "broader_id", "since"), lambda: iter(rows), len(rows)), {}
    )


# --- any table --------------------------------------------------------------------------------------------------------


def _names(table: BundleFile) -> dict[str, str]:
    """Column of ours → what a table calls it."""
    given = {column.lower(): column for column in table.columns}
    return {
        ours: given[next(each for each in theirs if each in given)]
        for ours, theirs in _COLUMNS.items()
        if any(each in given for each in theirs)
    }


def _cell(row: Row, names: Mapping[str, str], column: str) -> str:
    return str(row.get(names.get(column, ""), "") or "").strip()


def _good(table: BundleFile) -> Iterator[Row]:
    return (row for _, row in table.rows() if not isinstance(row, InvalidFact))


def _ids(table: BundleFile) -> set[str]:
    names = _names(table)
    return {_cell(row, names, "id") for row in _good(table)}


def _tree_of(table: BundleFile) -> dict[str, list[str]]:
    """Id → ids of the broader ones that a table gives it."""
    names = _names(table)
    above: dict[str, list[str]] = defaultdict(list)
    for row in _good(table):
        above[_cell(row, names, "id")] += [each for each in _cell(row, names, "broader").split("|") if each]
    return above


def _tiers(above: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Id → 1 for what has nothing above it, one more for each step of the shortest way down from there."""
    below: dict[str, list[str]] = defaultdict(list)
    for low, others in above.items():
        for high in others:
            below[high].append(low)
    level = {*above, *below} - {low for low, others in above.items() if others}
    tiers: dict[str, int] = {}
    tier = 1
    while level:
        tiers |= dict.fromkeys(level, min(tier, DEEPEST))
        level, tier = {low for high in level for low in below[high]} - tiers.keys(), tier + 1
    return tiers


def _cluster(key: str, above: Mapping[str, Sequence[str]], clusters: Mapping[str, str]) -> str:
    """The cluster of the first of some groups that lies above a skill, or is it."""
    reached, ahead = {key}, [key]
    while ahead:
        further = set(above.get(ahead.pop(), ())) - reached
        reached |= further
        ahead += further
    return next((cluster for group, cluster in clusters.items() if group in reached), "")


def _skills(
    table: BundleFile, above: Mapping[str, Sequence[str]], clusters: Mapping[str, str], cluster: str
) -> TaxonomyTable:
    """A table of skills; where it tells of broader ones itself, its rows state them."""
    names = _names(table)
    for column in ("id", "name"):
        if column not in names:
            called = ", ".join(_COLUMNS[column])
            raise BundleError(f"{table.name} has no column for the {column} of a skill; call it one of {called}")
    tiers = _tiers(above)

    def told(row: Row) -> Row:
        key, name = _cell(row, names, "id"), _cell(row, names, "name")
        other = [_cell(row, names, "full_name"), *re.split(r"[|\n]", _cell(row, names, "aliases"))]
        return {
            "id": key,
            "name": name,
            "kind": _cell(row, names, "kind"),
            "tier": _cell(row, names, "tier") or tiers.get(key, ""),
            "cluster": _cell(row, names, "cluster") or _cluster(key, above, clusters) or cluster,
            "aliases": [alias for alias in map(str.strip, other) if alias not in ("", name)],
            "broader": _cell(row, names, "broader"),
        }

    columns = ("id", "name", "kind", "tier", "cluster", "aliases", *(["broader"] if "broader" in names else []))
    return TaxonomyTable("skills", _told(table, columns, told, names.values()), names)


def _edges(table: BundleFile, file: str, wanted: Mapping[str, str]) -> TaxonomyTable:
    """A table of steps between skills."""
    names = _names(table)
    for column, ours in wanted.items():
        if ours not in names:
            raise BundleError(
                f"{table.name} has no column for the {column}; call it one of {', '.join(_COLUMNS[ours])}"
            )
    called = {column: names[ours] for column, ours in wanted.items()}

    def told(row: Row) -> Row:
        return {**{column: _cell(row, names, ours) for column, ours in wanted.items()}, "since": ALWAYS}

    columns = tuple(column for column in KINDS[file].columns if column in (*wanted, "since"))
    return TaxonomyTable(file, _told(table, columns, told, called.values()), called)


def _without_itself(edges: TaxonomyTable) -> TaxonomyTable:
    """Relations without those of a skill to itself, which say nothing and are told in a notice.

    ESCO has published such a row; whoever imports it can neither mend it nor be hindered by it.
    """
    table = edges.table

    def is_itself(row: Row | InvalidFact) -> bool:
        return not isinstance(row, InvalidFact) and bool(row["skill_id"]) and row["skill_id"] == row["related_id"]

    lines = [line for line, row in table.rows() if is_itself(row)]
    if not lines:
        return edges
    named = ", ".join(map(str, lines[:_LINES_NAMED])) + (", …" if len(lines) > _LINES_NAMED else "")
    one = "1 row that relates" if len(lines) == 1 else f"{len(lines)} rows that relate"
    notice = f"{table.name}: left out {one} a skill to itself, on line {named}"

    def rows() -> Iterator[tuple[int, Row | InvalidFact]]:
        return ((line, row) for line, row in table.rows() if not is_itself(row))

    kept = BundleFile(table.name, table.columns, rows, table.count - len(lines), (*table.notices, notice))
    return replace(edges, table=kept)


def _told(table: BundleFile, columns: tuple[str, ...], told: Callable[[Row], Row], read: Iterable[str]) -> BundleFile:
    """A table with other columns, and a notice of those that were not read."""
    used = set(read)
    unread = [each for each in table.columns if each not in used]
    notices = (f"{table.name}: not read: {', '.join(unread)}",) if unread else ()

    def rows() -> Iterator[tuple[int, Row | InvalidFact]]:
        for line, row in table.rows():
            yield line, row if isinstance(row, InvalidFact) else told(row)

    return BundleFile(table.name, columns, rows, table.count, (*table.notices, *notices))
