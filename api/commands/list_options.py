"""How a list of mentors is asked for from a shell: the same as GraphQL's arguments, as options of a command."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from mentorgraph.api.ids import read_given_id
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking.options import MOST_DAYS_AHEAD, SENIORITIES, Filter, Mix, Options, Wish
from mentorgraph.graph.ranking.scoring import LEARNED
from mentorgraph.graph.rules.policy import SIGNALS
from mentorgraph.graph.vocabulary import PROGRAMME_FORMATS

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--skill", metavar="ID", help="Only who offers this skill or a narrower one."),
    click.option("--min-level", type=click.IntRange(1, 5), metavar="N", help="At this level or above, with --skill."),
    click.option("--unit", metavar="ID", help="Only who belongs to this unit."),
    click.option("--tier", metavar="ID", help="Only who is eligible for this tier."),
    click.option(
        "--format", "format_", type=click.Choice(PROGRAMME_FORMATS), help="Only who takes part in this format."
    ),
    click.option("--language", metavar="TAG", help="Only who speaks it; pt takes in pt-BR."),
    click.option("--seniority", type=click.Choice(SENIORITIES), help="Only who has so much more experience."),
    click.option("--new/--not-new", "is_new", default=None, help="Only who has never mentored, or only who has."),
    click.option("--exclude", multiple=True, metavar="ID", help="Leave this person out; may be given again."),
    click.option(
        "--ignore",
        multiple=True,
        type=click.Choice((*SIGNALS, *LEARNED)),
        help="Rank without this signal; may be given again.",
    ),
    click.option(
        "--horizon-days",
        type=click.IntRange(0, MOST_DAYS_AHEAD),
        default=0,
        metavar="N",
        help="Also list who becomes free within so many days.",
    ),
    click.option("--experts", type=click.IntRange(0, MOST), default=0, metavar="N", help="At least so many experts."),
    click.option(
        "--cross-functional",
        type=click.IntRange(0, MOST),
        default=0,
        metavar="N",
        help="At least so many of other units.",
    ),
    click.option(
        "--diversity", type=click.FloatRange(0, 1), default=0.0, metavar="X", help="How much they are to differ."
    ),
    click.option(
        "--wish", metavar="ATTRIBUTE=VALUE", help="Prefer mentors who agreed to be found by it, such as gender=woman."
    ),
)


def list_options(command: Command) -> Command:
    """Gives a command the options of a list."""
    for each in reversed(_OPTIONS):
        command = each(command)
    return command


def options_of(given: Mapping[str, Any], source: str) -> Options:
    """What a list is asked for with.

    Args:
        given: The parameters of the command.
        source: The system that keys among ids belong to.

    Raises:
        DomainError: `BAD_USER_INPUT`, a global id of another kind.
    """

    def uid(name: str, kind: str) -> str:
        return read_given_id(given[name], kind, source).uid if given[name] else ""

    return Options(
        filter=Filter(
            uid("skill", "skills"),
            given["min_level"],
            uid("unit", "units"),
            uid("tier", "tiers"),
            given["format_"] or "",
            given["language"] or "",
            given["is_new"],
            given["seniority"] or "",
        ),
        excluded=frozenset(read_given_id(each, "people", source).uid for each in given["exclude"]),
        ignored=frozenset(given["ignore"]),
        horizon_days=given["horizon_days"],
        mix=Mix(given["experts"], given["cross_functional"]),
        diversity=given["diversity"],
        wish=_wish(given["wish"]),
    )


def _wish(text: str | None) -> Wish:
    if text is None:
        return Wish()
    attribute, _, value = text.partition("=")
    return Wish(attribute.strip().lower(), value.strip())
