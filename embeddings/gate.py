"""The gate: which ranking of a trained model may serve, judged on goals that are later than all it was taught with.

The ranking with the network is published where it beats everything simpler, and beats even the fusion of all signals
that are not learned beyond doubt; where only the network adds too little, what ranks without it is published; and
else nothing, so that what serves goes on.

Few goals tell little about an order, and weights found by chance may order few signals well. The odds that a ranking
states tell more: whoever learned nothing states them far worse than the rules would.

No group may pay for the others: newcomers, people with a past pairing, each unit and each format of programme with
enough goals get lists that are no worse than what serves, but for a margin.

Chances of success are judged apart. A version whose chances are not true serves without them: they change no order, so
to refuse the version would give everybody a worse list for a number that can be left out.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mentorgraph.embeddings.calibration import (
    ALL,
    FEWEST_OF_A_KIND,
    FEWEST_OUTCOMES,
    LEAST_GAIN,
    Calibrated,
    is_enough,
)
from mentorgraph.embeddings.evaluation import (
    FEWEST_IN_GROUP,
    LINEAR,
    PLAIN,
    RULES,
    SERVED,
    Interval,
    Judged,
    bootstrap,
    gain,
    groups,
)
from mentorgraph.embeddings.tasks import Task

LARGEST_LOSS = 0.005
"""By how much NDCG@10 a new version may be worse than the present one, at the upper end of the interval."""

LARGEST_LOSS_OF_GROUP = 0.02
"""By how much it may be worse in one group: newcomers, the others, a unit, a format. Only luck excuses more."""

LARGEST_ERROR, LARGEST_ERROR_OF_GROUP = 0.05, 0.08
"""Calibration error that chances may have beyond what true ones show by luck, see `Error.debiased`."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that has to hold.

    Attributes:
        name: What.
        holds: Whether it does.
        told: The figures that say so.
    """

    name: str
    holds: bool
    told: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says.

    Attributes:
        ranking: Name of the ranking that may serve, `SERVED` or `PLAIN`; empty for none.
        conditions: Ranking → its conditions.
    """

    ranking: str
    conditions: Mapping[str, tuple[Condition, ...]]

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        if self.ranking == SERVED:
            return "The ranking with the network may serve: it beats everything simpler, and the network adds to it."
        if self.ranking == PLAIN:
            return (
                "The ranking without the network may serve: it beats everything simpler; the network adds too little."
            )
        failed = [each.told for each in self.conditions[PLAIN] if not each.holds]
        return f"Nothing may serve: {'; '.join(failed)}."

    def told(self) -> dict[str, Any]:
        """The verdict and every condition as plain values."""
        conditions = {name: [asdict(each) for each in found] for name, found in self.conditions.items()}
        return {"verdict": self.sentence, "conditions": conditions}


def decide(judged: Mapping[str, Judged], task: Task, current: Judged | None = None) -> Decision:
    """Judges the two rankings of a trained model.

    Args:
        judged: What the model's rankings and all baselines did in the task.
        task: The task, none of whose goals the model was taught with.
        current: What the version that serves did in it; None where rules alone serve.
    """
    everybody = groups(task)
    baselines = [each for each in judged.values() if each.kind == "baseline" and each.name != LINEAR]
    conditions: dict[str, tuple[Condition, ...]] = {}
    for name in (SERVED, PLAIN):
        own = judged[name]
        found = [_beats(own, each, task) for each in baselines]
        odds = bootstrap(own.likelihood - judged[RULES].likelihood)
        told = f"ln likelihood of a choice against {RULES}, scaled as suits them best, {_figures(odds)}"
        found.append(Condition("states truer odds", odds.mean > 0, told))
        if current is not None:
            loss = gain(current, own, everybody["all"])
            told = f"against the present version {_figures(gain(own, current, everybody['all']))}"
            found.append(Condition("no loss", loss.high <= LARGEST_LOSS, told))
        found += _no_group_pays(
            own, current or judged[RULES], "rules" if current is None else "the present version", task
        )
        conditions[name] = tuple(found)
    fusion = gain(judged[SERVED], judged[LINEAR], everybody["all"])
    told = f"against the fusion of all signals that are not learned {_figures(fusion)}"
    conditions[SERVED] += (Condition(f"beats {LINEAR}", fusion.low > 0, told),)
    conditions[SERVED] += (*_network(judged[SERVED], judged[PLAIN], task),)
    for name in (SERVED, PLAIN):
        if all(each.holds for each in conditions[name]):
            return Decision(name, conditions)
    return Decision("", conditions)


def may_tell_chances(found: Calibrated) -> tuple[Condition, ...]:
    """What has to hold before a version states chances of success."""
    failures = found.outcomes - found.successes
    told = (
        f"{found.outcomes} outcomes became known, {failures} of them no success; {FEWEST_OUTCOMES} are needed, and "
        f"{FEWEST_OF_A_KIND} of either kind"
    )
    conditions = [Condition("enough outcomes", is_enough(found.outcomes, found.successes), told)]
    if found.map is None:
        return tuple(conditions)
    told = f"the score raises the likelihood of all outcomes by {found.gain:.1f} nats, {LEAST_GAIN} is beyond doubt"
    is_told = found.gain > LEAST_GAIN and found.losses[found.method] < found.losses["base rate"]
    conditions.append(Condition("the score tells of success", is_told, told))
    for group, each in found.errors.items():
        bound = LARGEST_ERROR if group == ALL else LARGEST_ERROR_OF_GROUP
        told = (
            f"chances of {group} are off by {each.debiased:.3f} [{each.low:.3f}, {each.high:.3f}] beyond luck, "
            f"{bound} is allowed; by {each.ece:.3f} with it, in the mean of {each.outcomes} outcomes, which true ones "
            f"exceed in one of twenty samples only above {each.by_luck:.3f}"
        )
        holds = each.debiased <= bound or each.ece <= each.by_luck
        conditions.append(Condition(f"true chances of {group}", holds, told))
    return tuple(conditions)


def _beats(one: Judged, other: Judged, task: Task) -> Condition:
    found = gain(one, other, groups(task)["all"])
    return Condition(f"beats {other.name}", found.mean > 0, f"against {other.name} {_figures(found)}")


def _no_group_pays(own: Judged, present: Judged, name: str, task: Task) -> list[Condition]:
    """Whether no group gets a list that is worse than the present one by more than the margin, beyond doubt.

    The intervals are of 99 % for all groups together (Bonferroni): one group of a dozen is unlucky now and then.
    """
    asked = {group: asks for group, asks in groups(task).items() if group != "all" and asks.sum() >= FEWEST_IN_GROUP}
    level = 1 - 0.01 / max(1, len(asked))
    found = []
    for group, asks in asked.items():
        gained = gain(own, present, asks, level)
        told = (
            f"for {group} ({asks.sum()} goals) against {name} {_figures(gained)}; a loss of {LARGEST_LOSS_OF_GROUP} is "
            "allowed, or one that luck explains"
        )
        holds = gained.mean >= -LARGEST_LOSS_OF_GROUP or gained.high >= 0
        found.append(Condition(f"no loss for {group}", holds, told))
    return found


def _network(with_it: Judged, without: Judged, task: Task) -> list[Condition]:
    """What the network itself adds, to all and to newcomers."""
    added = {name: gain(with_it, without, asks) for name, asks in groups(task).items() if asks.any()}
    found = [Condition("network adds", added["all"].low > 0, f"the network adds {_figures(added['all'])}")]
    if "newcomers" in added:
        told = f"the network adds {_figures(added['newcomers'])} for newcomers"
        found.append(Condition("network does not harm newcomers", added["newcomers"].high >= 0, told))
    return found


def _figures(found: Interval) -> str:
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
