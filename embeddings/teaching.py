"""Teaches one network: passes over lessons that are mixed anew each time, judged on a later window where there is one.

Several processes may teach it together, see `parallel`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mentorgraph.embeddings.evidence import Evidence
from mentorgraph.embeddings.message_graph import MessageGraph
from mentorgraph.embeddings.metrics import ndcg, places
from mentorgraph.embeddings.model import together
from mentorgraph.embeddings.network import Batch, Graph, Network, Part, maxima, sums
from mentorgraph.embeddings.parallel import ALONE, Share
from mentorgraph.embeddings.texts import Floats
from mentorgraph.graph.columns.table import Numbers, Reals

LEAST_DEVIATION = 0.1
"""Of an edge feature, for the reason of `inference.NORM_EPSILON`."""

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
    most_asks: int = 600
    everybody: int = 400
    others: int = 64
    epochs: int = 3
    questions: int = 16
    rate: float = 1e-3
    decay: float = 0.05
    messages: float = 0.5
    seeds: int = 1


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
    """The lessons of one window, or of one process its share, and the graph as it was when the window began.

    Attributes:
        lessons: Those of this process.
        graph: The graph.
        count: Number of lessons of all processes.
    """

    lessons: list[Lesson]
    graph: MessageGraph
    count: int


@dataclass(frozen=True)
class Taught:
    """A network and after how many epochs it was best."""

    network: Network
    epochs: int


@dataclass(frozen=True)
class School:
    """What all networks of one training share.

    Attributes:
        recipe: How to teach.
        progress: Told of each epoch in words.
        record: Told of each epoch.
        share: Which part of the lessons this process has.
    """

    recipe: Recipe
    progress: Progress
    record: Record
    share: Share = ALONE

    def teach(
        self,
        courses: Sequence[Course],
        epochs: int,
        seed: int,
        network_number: int = 0,
        *,
        until: int | None = None,
        judge: Course | None = None,
    ) -> Taught:
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
            scale, dimensions = _edge_scale(courses, self.share), courses[0].graph.text.shape[1]
            network = Network(scale, dimensions, self.share)
            network.to(self.share.device)
            optimizer = torch.optim.AdamW(
                network.parameters(), lr=self.recipe.rate, weight_decay=self.recipe.decay, fused=True
            )
            steps = epochs * sum(-(-each.count // self.recipe.questions) for each in courses)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.recipe.rate, total_steps=steps)
            best, found = -1.0, Taught(network, epochs)
            for epoch in range(1, (until or epochs) + 1):
                network.train()
                graphs = [self._graph(each, kept=self.recipe.messages) for each in courses]
                losses = []
                for number, step in self._steps(courses, chance):
                    batch, lessons = self._batch(courses[number], step)
                    loss = listwise_loss(network(batch, graphs[number]), batch, lessons, self.share)
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    self.share.sum_gradients(network)
                    torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
                    optimizer.step()
                    schedule.step()
                    losses.append(self.share.sum(loss.detach()).item())
                told, figure = f"epoch {epoch}: loss {np.mean(losses):.3f}", None
                if judge is not None:
                    figure = self._ndcg(network, judge)
                    told += f", NDCG@10 on the last window {figure:.4f}"
                    if figure > best:
                        best, found = figure, Taught(_copy(network), epoch)
                self.progress(told)
                self.record(Epoch(network_number, epoch, float(np.mean(losses)), figure))
            return found

    def _graph(self, course: Course, *, kept: float = 1.0) -> Graph:
        people = [each.found.people for each in course.lessons]
        among = np.unique(np.concatenate(self.share.gathered([np.unique(np.concatenate(people))])))
        return Graph.of(course.graph, among=among, kept=kept).to(self.share.device)

    def _steps(self, courses: Sequence[Course], chance: np.random.Generator) -> Iterator[tuple[int, Numbers]]:
        """The places of the lessons of one pass, mixed; those of one step belong to one window."""
        steps = []
        for number, course in enumerate(courses):
            order = chance.permutation(course.count)
            steps += [
                (number, part)
                for part in np.split(order, range(self.recipe.questions, len(order), self.recipe.questions))
            ]
        for place in chance.permutation(len(steps)):
            yield steps[place]

    def _batch(self, course: Course, step: Numbers) -> tuple[Batch, list[Lesson]]:
        """What this process has of a step; where it has nothing, a lesson that does not count."""
        own = [number for number, lesson in enumerate(step) if self.share.owns(lesson)]
        lessons = [course.lessons[step[number] // self.share.size] for number in own] or course.lessons[:1]
        part = Part(len(step), tuple(own) or (0,), bool(own))
        batch = Batch.of([each.found for each in lessons], len(course.graph.unit), part)
        return batch.to(self.share.device), lessons

    def opinions(self, network: Network, course: Course) -> list[Floats]:
        """What a network says to the lessons of this process, as logarithms of shares: `float32[people]` each."""
        network.eval()
        graph, lessons = self._graph(course), course.lessons
        found: list[Floats] = []
        with torch.no_grad(), one_thread():
            for start in range(0, len(lessons), self.recipe.questions):
                part = [each.found for each in lessons[start : start + self.recipe.questions]]
                scores = network(Batch.of(part, len(course.graph.unit)).to(self.share.device), graph).cpu().numpy()
                ends = np.cumsum([len(each.people) for each in part])[:-1]
                found += [
                    together([own], each.correction) for own, each in zip(np.split(scores, ends), part, strict=True)
                ]
        return found

    def _ndcg(self, network: Network, judge: Course) -> float:
        opinions = zip(self.opinions(network, judge), judge.lessons, strict=True)
        found = self.share.gathered([places(own, each.relevant) for own, each in opinions])
        return float(ndcg(found, 10).mean())


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order, so that a seed repeats; steps this small gain little from more threads.

    Nor do they gain from oneDNN, which makes code for each size of a step anew, as no two are of one size.
    """
    threads, is_enabled = torch.get_num_threads(), torch.backends.mkldnn.enabled
    torch.set_num_threads(1)
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]  # a property of a module, which mypy does not see
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.mkldnn.enabled = is_enabled


def listwise_loss(scores: Tensor, batch: Batch, lessons: Sequence[Lesson], share: Share = ALONE) -> Tensor:
    """Mean of −ln of the share of the chosen in a softmax over people, each counted by worth / number of the chosen.

    The softmax is corrected for people who were left out, see `Evidence.correction`. Of several processes each gives
    its part of the mean; the sum of all parts is the mean.
    """
    corrected = (scores + batch.correction)[:, None]
    highest = maxima(corrected.detach(), batch.pair_question, batch.questions)
    odds = torch.exp(corrected - highest.index_select(0, batch.pair_question))
    total = torch.log(sums(odds, batch.pair_question, batch.questions)) + highest
    starts = np.cumsum([0, *(len(each.found.people) for each in lessons)])
    chosen = np.concatenate([each.relevant + start for each, start in zip(lessons, starts, strict=False)])
    weight = torch.from_numpy(np.concatenate([each.worth / len(each.relevant) for each in lessons]).astype(np.float32))
    weight = (weight if batch.part.counts else 0 * weight).to(scores.device)
    places_chosen = torch.from_numpy(chosen).to(scores.device)
    own = (total[batch.pair_question[places_chosen]] - corrected[places_chosen])[:, 0]
    mean: Tensor = (weight * own).sum() / (share.sum(weight.sum()) + 1e-6)
    return mean


def _edge_scale(courses: Sequence[Course], share: Share) -> Tensor:
    """Mean and deviation of the edge features, from a part of the lessons."""
    some: NDArray[np.float32] = np.concatenate([each for course in courses for each in _some_edges(course, share)])
    return torch.from_numpy(np.stack([some.mean(axis=0), np.maximum(some.std(axis=0), LEAST_DEVIATION)]))


def _some_edges(course: Course, share: Share) -> list[NDArray[np.float32]]:
    """Features of a fifth of the edges of every fourth lesson."""
    places = share.own(range(course.count))
    own = [
        lesson.found.edges[: 0 if place % 4 else None : 5].astype(np.float32)
        for place, lesson in zip(places, course.lessons, strict=True)
    ]
    return share.gathered(own)


def _copy(network: Network) -> Network:
    copied = deepcopy(network)
    copied.eval()
    return copied
