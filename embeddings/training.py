"""Teaches a model from the pairings of earlier windows, each seen with what was known when it began.

A rehearsal comes first: a network that is taught without the last window shows on it when to stop and how much the
network is worth beside the plain signals. Then the networks that will serve are taught with all windows.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.utils import scatter

from mentorgraph.embeddings.evidence import Evidence, evidence
from mentorgraph.embeddings.fusion import (
    DOUBTED,
    OF_RULES,
    OF_SIGN,
    Choice,
    Fusion,
    blend,
    differing,
    fit_listwise,
    proven,
    signals_of,
)
from mentorgraph.embeddings.inference import Weights
from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.message_graph import MessageGraph
from mentorgraph.embeddings.metrics import ndcg, places
from mentorgraph.embeddings.model import Model, rows_of, together
from mentorgraph.embeddings.network import Batch, Network, hetero_data
from mentorgraph.embeddings.tasks import Setting, Task, questions, window_starts, windows
from mentorgraph.embeddings.texts import Floats, GoalTexts, Projection
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.table import Numbers, Reals
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.rules.policy import Policy

LEAST_DEVIATION = 0.1
"""Of an edge feature, for the reason of `inference.NORM_EPSILON`."""

SAMPLE = 600
"""Of those who were not chosen, so many of a list are looked at when the weights of the signals are found."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the lessons.

    Attributes:
        network: 0 for the rehearsal, which is judged on the last window, then 1 for the first network, and so on.
        number: Counted from 1.
        loss: Mean of `listwise_loss`, in nats.
        ndcg: NDCG@10 on the last window; None for networks that are taught with it.
    """

    network: int
    number: int
    loss: float
    ndcg: float | None


Record = Callable[[Epoch], None]


@dataclass(frozen=True)
class Recipe:
    """How a model is taught.

    Attributes:
        windows: Number of windows.
        fewest_asks: Goals that found a mentor with experience, in all windows together; fewer teach nothing.
        most_asks: Goals of one window, more are thinned out by chance.
        everybody: All candidates are ranked where there are at most so many; else those that some precedent leads to
            and `others` by chance.
        others: See `everybody`.
        epochs: At most so many passes; the rehearsal shows after how many to stop.
        questions: Questions of one step.
        rate: Highest learning rate.
        decay: Weight decay.
        messages: Share of the past pairings that carry messages in the encoder, drawn anew for each epoch.
        seeds: Number of networks.
    """

    windows: int = 3
    fewest_asks: int = 100
    most_asks: int = 800
    everybody: int = 2_000
    others: int = 64
    epochs: int = 3
    questions: int = 16
    rate: float = 1e-3
    decay: float = 0.05
    messages: float = 0.5
    seeds: int = 3


@dataclass(frozen=True)
class Lesson:
    """One question and who was chosen.

    Attributes:
        found: The evidence, its features in half precision.
        relevant: Places of the chosen among `found.people`.
        worth: How much each of them counts, see `Task.worth`.
    """

    found: Evidence
    relevant: Numbers
    worth: Reals


@dataclass(frozen=True)
class Course:
    """The lessons of one window and the graph as it was when the window began."""

    lessons: list[Lesson]
    graph: MessageGraph


def train(
    columns: Columns,
    now: datetime,
    setting: Setting,
    policy: Policy,
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
    progress: Progress = lambda _step: None,
    record: Record = lambda _epoch: None,
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
    progress("texts")
    known = columns.tables["goals"].begun(starts[0].timestamp())
    projection = Projection.fit(GoalTexts.of(columns, setting.unit_names).full, known, seed)
    courses = []
    for number, each in enumerate(tasks, start=1):
        progress(f"evidence of window {number} of {len(tasks)}")
        courses.append(_course(columns, each, setting, policy, projection, recipe, seed))
    skills, units = _vocabulary(columns, now, setting)
    rows = [
        torch.from_numpy(rows_of(known_uids, columns.numberings[kind]))
        for known_uids, kind in ((skills, "skills"), (units, "units"))
    ]
    school = _School(rows[0], rows[1], recipe, progress, record)
    rehearsal = school.teach(courses[:-1], recipe.epochs, seed, judge=courses[-1])
    progress("signals")
    fusion, plain, linear = _rankings(courses, rehearsal.network, school, policy, seed)
    networks = tuple(
        _weights(school.teach(courses, recipe.epochs, seed + number, number + 1, until=rehearsal.epochs).network)
        for number in range(recipe.seeds)
    )
    return Model(
        setting,
        projection,
        skills,
        units,
        networks,
        fusion,
        plain,
        linear,
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


def _vocabulary(columns: Columns, now: datetime, setting: Setting) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The uids of the skills and units that facts had named before an instant; no units where they may not be used."""
    named = []
    for numbering, link, kinds in (
        (columns.skills, "skill", ("goal_skills", "wants", "offers")),
        (columns.numberings["units"], "unit", ("goals", "pairings", "unit_membership")),
    ):
        used = np.zeros(len(numbering) + 1, bool)
        for kind in kinds:
            begun = columns.tables[kind].begun(now.timestamp())
            numbers = columns.tables[kind].numbers(link)
            used[(columns.merges(now.timestamp()).of(numbers) if link == "skill" else numbers)[begun]] = True
        named.append(tuple(sorted(numbering.uids[number] for number in np.flatnonzero(used[:-1]))))
    return named[0], named[1] if setting.unit else ()


def _course(
    columns: Columns, asked: Task, setting: Setting, policy: Policy, projection: Projection, recipe: Recipe, seed: int
) -> Course:
    known = Knowledge.of(columns, asked.now, setting, policy, projection)
    asked = _thinned(asked, recipe.most_asks, seed)
    others = None if len(asked.candidates) <= recipe.everybody else recipe.others
    lessons = []
    asks = questions(columns, asked, setting, policy.signals)
    for each, relevant, worth in zip(asks, asked.relevant, asked.worth, strict=True):
        chosen = asked.candidates[relevant]
        found = evidence(known, each, asked.candidates, others=others, always=chosen, seed=seed)
        small = replace(found, edges=found.edges.astype(np.float16), pairs=found.pairs.astype(np.float16))
        lessons.append(Lesson(small, np.searchsorted(found.people, chosen), worth))
    return Course(lessons, MessageGraph.of(known))


def _rankings(
    courses: Sequence[Course], rehearsed: Network, school: "_School", policy: Policy, seed: int
) -> tuple[Fusion, Fusion, Fusion]:
    """The final ranking, the same without the network, and that of all signals.

    What the rules' signals and the network count beside each other is judged on the last window, by a sum that was
    fitted without it and the rehearsed network; the weights that are given back are fitted to all windows. Those of the
    rules' signals keep their sign, and the later ones have to prove themselves. A signal that nobody differed in taught
    nothing and counts as the policy says.
    """
    chance = np.random.default_rng([seed, 1])
    kept = [[_sample(lesson, chance) for lesson in course.lessons] for course in courses]
    choices = [
        [_choice(lesson, people) for lesson, people in zip(course.lessons, own, strict=True)]
        for course, own in zip(courses, kept, strict=True)
    ]
    before = [each for window in choices[:-1] for each in window]
    earlier = fit_listwise(before, fitted=proven(before, OF_RULES, DOUBTED, OF_SIGN), signs=OF_SIGN)
    opinions = school.opinions(rehearsed, courses[-1].lessons, courses[-1].graph)
    of_some = [opinion[people] for opinion, people in zip(opinions, kept[-1], strict=True)]
    of_signals, of_network = blend(earlier, choices[-1], of_some)
    everything = [each for window in choices for each in window]
    plain = fit_listwise(everything, fitted=proven(everything, OF_RULES, DOUBTED, OF_SIGN), signs=OF_SIGN)
    taught = differing(everything)
    of_policy = Fusion.of_rules(policy).weights
    return (
        Fusion(np.where(taught, plain * of_signals, of_policy), of_network),
        Fusion(np.where(taught, plain, of_policy), 0.0),
        Fusion(fit_listwise(everything), 0.0),
    )


def _sample(lesson: Lesson, chance: np.random.Generator) -> Numbers:
    """Places of the chosen and of `SAMPLE` others: a uniform sample, which needs no correction (McFadden 1978)."""
    others = np.setdiff1d(np.arange(len(lesson.found.people)), lesson.relevant)
    drawn = chance.choice(others, min(SAMPLE, len(others)), replace=False)
    return np.union1d(lesson.relevant, drawn)


def _choice(lesson: Lesson, people: Numbers) -> Choice:
    values = signals_of(lesson.found)[people].astype(np.float16)
    relevant = np.searchsorted(people, lesson.relevant)
    return Choice(values, relevant, lesson.worth, lesson.found.correction[people])


def _weights(network: Network) -> Weights:
    return {name: array.detach().numpy().copy() for name, array in network.state_dict().items() if array.ndim}


@dataclass(frozen=True)
class _Taught:
    """A network and after how many epochs it was best."""

    network: Network
    epochs: int


@dataclass(frozen=True)
class _School:
    """What all networks of one training share.

    Attributes:
        skills: Row of each skill among the id embeddings: `int64[skills]`.
        units: The same of units.
        recipe: How to teach.
        progress: Told of each epoch in words.
        record: Told of each epoch.
    """

    skills: Tensor
    units: Tensor
    recipe: Recipe
    progress: Progress
    record: Record

    def teach(
        self,
        courses: Sequence[Course],
        epochs: int,
        seed: int,
        network_number: int = 0,
        *,
        until: int | None = None,
        judge: Course | None = None,
    ) -> _Taught:
        """Teaches a network.

        Args:
            courses: With what.
            epochs: For how many passes the learning rate is planned.
            seed: Decides the beginning, the order and what is left out.
            network_number: See `Epoch.network`.
            until: After how many passes to stop.
            judge: A later window that tells which pass was best; that pass's network is returned.
        """
        with torch.random.fork_rng(devices=[]), one_thread():
            torch.manual_seed(seed)
            chance = np.random.default_rng([seed, 2])
            network = Network(
                _edge_scale(courses),
                _rows(self.skills),
                _rows(self.units),
                courses[0].graph.text.shape[1],
            )
            optimizer = torch.optim.AdamW(network.parameters(), lr=self.recipe.rate, weight_decay=self.recipe.decay)
            steps = epochs * sum(-(-len(each.lessons) // self.recipe.questions) for each in courses)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.recipe.rate, total_steps=steps)
            best, found = -1.0, _Taught(network, epochs)
            for epoch in range(1, (until or epochs) + 1):
                network.train()
                graphs = [
                    hetero_data(each.graph, self.skills, self.units, kept=self.recipe.messages) for each in courses
                ]
                losses = []
                for number, lessons in self._steps(courses, chance):
                    batch = Batch.of([each.found for each in lessons], len(self.units))
                    loss = listwise_loss(network(batch, graphs[number]), batch, lessons)
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
                    optimizer.step()
                    schedule.step()
                    losses.append(loss.item())
                told, figure = f"epoch {epoch}: loss {np.mean(losses):.3f}", None
                if judge is not None:
                    figure = self._ndcg(network, judge)
                    told += f", NDCG@10 on the last window {figure:.4f}"
                    if figure > best:
                        best, found = figure, _Taught(_copy(network), epoch)
                self.progress(told)
                self.record(Epoch(network_number, epoch, float(np.mean(losses)), figure))
            return found

    def _steps(self, courses: Sequence[Course], chance: np.random.Generator) -> Iterator[tuple[int, list[Lesson]]]:
        """The lessons of one pass, mixed; those of one step belong to one window."""
        steps = []
        for number, course in enumerate(courses):
            order = chance.permutation(len(course.lessons))
            steps += [
                (number, part)
                for part in np.split(order, range(self.recipe.questions, len(order), self.recipe.questions))
            ]
        for place in chance.permutation(len(steps)):
            number, part = steps[place]
            yield number, [courses[number].lessons[lesson] for lesson in part]

    def opinions(self, network: Network, lessons: Sequence[Lesson], graph: MessageGraph) -> list[Floats]:
        """What a network says to some lessons, as logarithms of shares: `float32[people]` each."""
        network.eval()
        data = hetero_data(graph, self.skills, self.units)
        found: list[Floats] = []
        with torch.no_grad():
            for start in range(0, len(lessons), self.recipe.questions):
                part = [each.found for each in lessons[start : start + self.recipe.questions]]
                scores = network(Batch.of(part, len(self.units)), data).numpy()
                ends = np.cumsum([len(each.people) for each in part])[:-1]
                found += [
                    together([own], each.correction) for own, each in zip(np.split(scores, ends), part, strict=True)
                ]
        return found

    def _ndcg(self, network: Network, judge: Course) -> float:
        opinions = self.opinions(network, judge.lessons, judge.graph)
        found = [places(own, each.relevant) for own, each in zip(opinions, judge.lessons, strict=True)]
        return float(ndcg(found, 10).mean())


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order, so that a seed repeats; steps this small gain little from more threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def listwise_loss(scores: Tensor, batch: Batch, lessons: Sequence[Lesson]) -> Tensor:
    """Mean of −ln of the share of the chosen in a softmax over people, each counted by worth / number of the chosen.

    The softmax is corrected for people who were left out, see `Evidence.correction`.
    """
    corrected = scores + batch.correction
    highest = scatter(corrected.detach(), batch.pair_question, dim_size=batch.questions, reduce="max")
    odds = torch.exp(corrected - highest[batch.pair_question])
    total = torch.log(scatter(odds, batch.pair_question, dim_size=batch.questions, reduce="sum")) + highest
    starts = np.cumsum([0, *(len(each.found.people) for each in lessons)])
    chosen = np.concatenate([each.relevant + start for each, start in zip(lessons, starts, strict=False)])
    weight = torch.from_numpy(np.concatenate([each.worth / len(each.relevant) for each in lessons]).astype(np.float32))
    places_chosen = torch.from_numpy(chosen)
    own = total[batch.pair_question[places_chosen]] - corrected[places_chosen]
    mean: Tensor = (weight * own).sum() / (weight.sum() + 1e-6)
    return mean


def _edge_scale(courses: Sequence[Course]) -> Tensor:
    """Mean and deviation of the edge features, from a part of the lessons."""
    some: NDArray[np.float32] = np.concatenate(
        [lesson.found.edges[::5].astype(np.float32) for course in courses for lesson in course.lessons[::4]]
    )
    return torch.from_numpy(np.stack([some.mean(axis=0), np.maximum(some.std(axis=0), LEAST_DEVIATION)]))


def _rows(numbers: Tensor) -> int:
    return int(numbers.max()) if len(numbers) else 0


def _copy(network: Network) -> Network:
    copied = deepcopy(network)
    copied.eval()
    return copied
