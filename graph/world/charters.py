"""The programmes of a generated world as they are set up: charters, tiers, trainings, steps of onboarding, rests."""

from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.history import History, words
from mentorgraph.graph.world.programmes import Programme
from mentorgraph.graph.world.surveys import Charter
from mentorgraph.graph.world.truth_2 import STALL_DAYS

TRAININGS_BEGAN_DAYS = 120
"""Trainings could be taken so many days before the first day of the world."""
TIERS = (
    # Name, role, rank, days since joining, pairings completed, level, hours a month, places of its trainings.
    ("Guide", "mentor", 1, "30", "", "3", "3", (0,)),
    ("Senior guide", "mentor", 2, "180", "2", "4", "5", (0, 1)),
    ("Learner", "mentee", 1, "", "", "", "2", ()),
    ("Learner with a project", "mentee", 2, "90", "1", "", "4", (3,)),
)
REVISED = 3
"""Every so many programmes have a second charter, from the middle of their time on."""


def tell_charters(history: History) -> dict[str, list[Charter]]:
    """Writes programmes, and what they are for and how they are measured; returns the charters of each."""
    draws = history.draws("charters")
    found: dict[str, list[Charter]] = {}
    for number, programme in enumerate(history.made.programmes):
        told = words()["charters"][programme.format]
        dates = (iso(programme.since), iso(programme.until))
        history.tables.add(
            "programmes", programme.id, programme.name, programme.format, str(told["check_in_days"]), *dates
        )
        weights: tuple[int, int, int] = tuple(told["weights"])
        changed = (programme.since + programme.until) // 2 if number % REVISED == 0 else 0
        changed = changed if changed <= history.last else 0
        found[programme.id] = [Charter(programme.since, changed, weights)]
        if changed:
            found[programme.id].append(Charter(changed, 0, (weights[1], weights[2], weights[0])))
        owner = history.coordinator(draws, programme)
        for place, each in enumerate(found[programme.id]):
            threshold = ("0.6", "0.55")[place]
            history.tables.add(
                "charters",
                programme.id,
                owner,
                told["why"],
                told["for_whom"],
                told["how_measured"],
                *(f"{weight / 100:g}" for weight in each.weights),
                threshold,
                str(told["survey_days"]),
                str(STALL_DAYS),
                iso(each.since),
                iso(each.until) if each.until else "",
            )
    return found


def tell_set_up(history: History) -> None:
    """Writes trainings, tiers and what they demand, steps of onboarding, and the times in which nobody meets."""
    trainings = words()["trainings"]
    first = history.made.period.first
    for each in trainings:
        days = str(each["valid_days"]) if each["valid_days"] else ""
        link = f"https://learning.example.org/{each['id']}"
        row = (each["id"], each["name"], each["description"], str(each["minutes"]), days, link)
        history.tables.add("trainings", *row, iso(first - TRAININGS_BEGAN_DAYS))
    for position, step in enumerate(words()["steps"], start=1):
        told = (step["role"], step["necessity"], str(position), iso(first))
        history.tables.add("onboarding_steps", step["id"], "", step["name"], "", *told)
    for programme in history.made.programmes:
        _tell_programme(history, programme)
    _tell_scripts(history)
    _tell_phases(history)


def _tell_programme(history: History, programme: Programme) -> None:
    since, until = iso(programme.since), iso(programme.until)
    for number, (name, role, rank, days, completed, level, hours, demanded) in enumerate(TIERS, start=1):
        id = f"{programme.id}-tier-{number}"
        row = (id, programme.id, name, role, str(rank), days, completed, level, hours)
        history.tables.add("tiers", *row, since, until)
        for place in demanded:
            history.tables.add("tier_trainings", id, words()["trainings"][place]["id"], since, until)
    for position, step in enumerate(words()["programme_steps"], start=1):
        told = (step["role"], step["necessity"], str(position), since)
        history.tables.add("onboarding_steps", step_of(programme, step["key"]), programme.id, step["name"], "", *told)


def _tell_scripts(history: History) -> None:
    """Writes what both sides of a pairing read: for all, for programmes of a format, and for every third programme."""
    first = history.made.period.first
    changed = (first + history.last) // 2
    for number, each in enumerate(words()["scripts"]):
        row = ("", each["title"], each["text"], each["format"])
        if number == 0:
            history.tables.add("scripts", *row, iso(first), iso(changed))
            history.tables.add("scripts", "", each["title"], each["later"], each["format"], iso(changed), "")
        else:
            history.tables.add("scripts", *row, iso(first), "")
    told = words()["scripts"][0]
    for programme in history.made.programmes[::3]:
        dates = (iso(programme.since), iso(programme.until))
        history.tables.add("scripts", programme.id, told["title"], told["later"], "", *dates)


def step_of(programme: Programme, key: str) -> str:
    """The id of one of the steps of a programme."""
    return f"{programme.id}-{key}"


def _tell_phases(history: History) -> None:
    """Writes a rest for every second programme, and one or two busy times a year for every third unit."""
    draws, first, last = history.draws("phases"), history.made.period.first, history.last
    named = words()["phases"]
    for programme in history.made.programmes[::2]:
        since = draws.between(programme.since + 20, programme.until - 20)
        row = ("", programme.id, draws.pick(named["programmes"]), iso(since), iso(since + 7))
        history.tables.add("phases", *row)
    for unit in history.made.units[::3]:
        for name in draws.some(named["units"], draws.between(1, 2)):
            since = draws.between(first, last + 60)
            history.tables.add("phases", unit.id, "", name, iso(since), iso(since + draws.between(5, 14)))
