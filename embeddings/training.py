"""Teaches a model from the pairings of earlier windows, each seen with what was known when it began.

A rehearsal comes first: a network that is taught without the last window shows on it when to stop and how much the
network is worth beside the plain signals. Then the networks that will serve are taught with all windows.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import numpy as np

from mentorgraph.embeddings.evidence import evidence
from mentorgraph.embeddings.fusion import (
    DOUBTED,
    OF_RULES,
    OF_SIGN,
    RIDGES,
    Choice,
    Fusion,
    blend,
    differing,
    fit_listwise,
    joined,
    proven,
    sample,
    signals_of,
)
from mentorgraph.embeddings.inference import Weights
from mentorgraph.embeddings.knowledge import Knowledge, read_as
from mentorgraph.embeddings.message_graph import MessageGraph
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.network import Network
from mentorgraph.embeddings.parallel import ALONE, Share
from mentorgraph.embeddings.sentence_encoder import SentenceEncoder
from mentorgraph.embeddings.tasks import Setting, Task, questions, window_starts, windows
from mentorgraph.embeddings.teaching import Course, Epoch, Lesson, Progress, Recipe, School
from mentorgraph.embeddings.texts import Floats, GoalTexts, Projection
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.table import Mask, Numbers, Reals
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.rules.policy import Policy

SAMPLE, SAMPLE_OF_ALL = 200, 600
"""Of those who were not chosen, so many of a list are looked at when the weights of the rules' signals are found, and
when those of all signals are: four times as many weights, whose sum is .006 NDCG@10 worse when found from 200."""


def train(
    columns: Columns,
    now: datetime,
    setting: Setting,
    policy: Policy,
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
    progress: Progress = lambda _step: None,
    record: Callable[[Epoch], None] = lambda _epoch: None,
    share: Share = ALONE,
    encoder: SentenceEncoder | None = None,
) -> Model:
    """Teaches a model with what was known before an instant.

    Args:
        columns: The facts; those that began later are not looked at.
        now: The instant.
        setting: What may be used.
        policy: Settings of the signals.
        recipe: How.
        seed: Decides all that chance decides; the same seed, machine and number of threads repeat the model.
        progress: Told what is being done.
        record: Told of each epoch.
        share: Which part of the lessons this process has; all processes return the same model.
        encoder: What reads texts for their meaning; they are words alone without it.

    Raises:
        DomainError: `TOO_LITTLE_DATA`, with what is there and what is needed.
    """
    recipe = recipe or Recipe()
    starts = window_starts(columns, now, recipe.windows, recipe.fewest_asks)
    tasks = [each for each in windows(columns, now, starts) if len(each)]
    asks = sum(map(len, tasks))
    if asks < recipe.fewest_asks or len(tasks) < 2:
        raise DomainError(
            f"too little to learn from: {asks} goals found a mentor who had mentored before, "
            f"{recipe.fewest_asks} over several months are needed",
            code="TOO_LITTLE_DATA",
        )
    if min(map(len, tasks)) < share.size:
        raise DomainError(
            f"a window of {min(map(len, tasks))} goals cannot be shared by {share.size} processes; start fewer",
            code="TOO_LITTLE_DATA",
        )
    progress("texts")
    known = columns.tables["goals"].begun(starts[0].timestamp())
    projection = Projection.fit(GoalTexts.of(columns, setting.unit_names).full, known, seed)
    if encoder is not None:
        _read_all(encoder, columns, now, setting, progress)
    then = columns.supposed(())  # what is derived for past instants goes with it, before the teaching begins
    courses = []
    for number, each in enumerate(tasks, start=1):
        progress(f"evidence of window {number} of {len(tasks)}")
        # Lessons hold all that is needed of what was known; it goes before that of the next window is gathered.
        known_then = (then, each.now, setting, policy, projection, encoder)
        courses.append(_course(Knowledge.gather(*known_then), each, recipe, seed, share))
    del then, known_then
    school = School(recipe, progress, record, share)
    rehearsal = school.teach(courses[:-1], recipe.epochs, seed, judge=courses[-1])
    progress("signals")
    choices, opinions = _choices(courses, rehearsal.network, school, seed)
    with ThreadPoolExecutor(1) as beside:  # another core, where there is one: neither needs the other
        rankings = beside.submit(_rankings, choices, opinions, policy, seed)
        networks = tuple(
            _weights(school.teach(courses, recipe.epochs, seed + number, number + 1, until=rehearsal.epochs).network)
            for number in range(recipe.seeds)
        )
        fusion, plain, linear = rankings.result()
    return Model(
        setting,
        projection,
        networks,
        fusion,
        plain,
        linear,
        encoder=encoder,
    )


def last_window(columns: Columns, now: datetime, recipe: Recipe, most: int = 200) -> Task:
    """The last window that a model is taught with, thinned out by chance to at most so many goals."""
    starts = window_starts(columns, now, recipe.windows, recipe.fewest_asks)
    return _thinned([each for each in windows(columns, now, starts) if len(each)][-1], most, seed=0)


def _thinned(asked: Task, most: int, seed: int) -> Task:
    if len(asked) <= most:
        return asked
    chance = np.random.default_rng([seed, int(asked.now.timestamp())])
    return asked.only(np.sort(chance.choice(len(asked), most, replace=False)))


def _read_all(encoder: SentenceEncoder, columns: Columns, now: datetime, setting: Setting, progress: Progress) -> None:
    """Has all goals read that were set before an instant, which takes minutes the first time."""
    texts, titles = read_as(columns, setting, np.flatnonzero(columns.tables["goals"].begun(now.timestamp())))
    encoder([*texts, *titles], lambda done, total: progress(f"reading text {done} of {total}"))


def _course(known: Knowledge, asked: Task, recipe: Recipe, seed: int, share: Share) -> Course:
    asked = _thinned(asked, recipe.most_asks, seed)
    others = None if len(asked.candidates) <= recipe.everybody else recipe.others
    lessons = []
    own = asked.only(np.arange(len(asked))[share.rank :: share.size])
    among = Pool.of(known.columns, asked.candidates)
    asks = [replace(each, among=among) for each in questions(known.columns, own, known.setting, known.policy.signals)]
    for each, relevant, worth in zip(asks, own.relevant, own.worth, strict=True):
        chosen = asked.candidates[relevant]
        found = evidence(known, each, asked.candidates, others=others, always=chosen, seed=seed)
        small = {name: getattr(found, name).astype(np.float16) for name in ("edges", "pairs", "further")}
        lessons.append(Lesson(replace(found, **small), np.searchsorted(found.people, chosen), worth))
    return Course(lessons, MessageGraph.of(known), len(asked))


def _choices(
    courses: Sequence[Course], rehearsed: Network, school: School, seed: int
) -> tuple[list[list[Choice]], list[Floats]]:
    """What was chosen in each window, from samples of the lists, and the rehearsed network's opinion of the last."""
    chance = np.random.default_rng([seed, 1])
    share, kept, choices = school.share, [], []
    for course in courses:
        lists = share.gathered([(len(each.found.people), each.relevant) for each in course.lessons])
        kept.append(share.own([sample(*each, SAMPLE_OF_ALL, chance) for each in lists]))
        own = zip(course.lessons, kept[-1], strict=True)
        choices.append(share.gathered([_choice(lesson, people) for lesson, people in own]))
    opinions = school.opinions(rehearsed, courses[-1])
    return choices, share.gathered([opinion[people] for opinion, people in zip(opinions, kept[-1], strict=True)])


def _rankings(
    choices: Sequence[Sequence[Choice]], opinions: Sequence[Floats], policy: Policy, seed: int
) -> tuple[Fusion, Fusion, Fusion]:
    """The final ranking, what ranks without the network, and the sum of all signals.

    What the rules' signals and the network count beside each other is judged on the last window, by a sum that was
    fitted without it and the rehearsed network; so is whether the sum of all signals joins where no network does. The
    weights that are given back are fitted to all windows. Those of the rules' signals keep their sign, and the later
    ones have to prove themselves. A signal that nobody differed in taught nothing and counts as the policy says.
    """
    chance = np.random.default_rng([seed, 3])
    earlier, everything = ([each for window in some for each in window] for some in (choices[:-1], choices))
    rules_before, kept_before = _of_rules(earlier, chance)
    of_signals, of_network = blend([rules_before], choices[-1], opinions)
    all_before = [_of_all(earlier, kept_before, ridge) for ridge in RIDGES]
    best, counts = joined(rules_before, all_before, choices[-1])
    of_rules, kept = _of_rules(everything, chance)
    of_all = _of_all(everything, kept, RIDGES[best])
    taught, of_policy = differing(everything) | ~OF_RULES, Fusion.of_rules(policy).weights
    return (
        Fusion(np.where(taught, of_signals * of_rules, of_policy), of_network),
        Fusion(np.where(taught, counts[0] * of_rules + counts[1] * of_all, of_policy), 0.0),
        Fusion(of_all, 0.0),
    )


def _of_rules(choices: Sequence[Choice], chance: np.random.Generator) -> tuple[Reals, Mask]:
    """Weights of the rules' signals, and which of these choices tell of: `float64[FUSED]`, `bool[FUSED]`."""
    fewer = [each.narrowed(SAMPLE, chance) for each in choices]
    kept = proven(fewer, OF_RULES, DOUBTED, OF_SIGN)
    return fit_listwise(fewer, fitted=kept, signs=OF_SIGN), kept


def _of_all(choices: Sequence[Choice], kept: Mask, ridge: float) -> Reals:
    """Weights of all signals, of those of the rules only some: `float64[FUSED]`."""
    return fit_listwise(choices, ridge, fitted=kept | ~OF_RULES, signs=OF_SIGN)


def _choice(lesson: Lesson, people: Numbers) -> Choice:
    values = signals_of(lesson.found)[people].astype(np.float16)
    relevant = np.searchsorted(people, lesson.relevant)
    return Choice(values, relevant, lesson.worth, lesson.found.correction[people])


def _weights(network: Network) -> Weights:
    return {name: array.detach().cpu().numpy().copy() for name, array in network.state_dict().items() if array.ndim}
