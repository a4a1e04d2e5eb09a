"""The sentence encoder: it is BERT, it reads what texts mean, and a model that was taught with it carries it."""

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mentorgraph.embeddings import process, sentence_encoder, tasks
from mentorgraph.embeddings.evaluation import LINEAR, NETWORK, judge
from mentorgraph.embeddings.evidence import EDGE_FEATURES, MEANING_FEATURES, evidence
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.metrics import ndcg
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.registry import Registry
from mentorgraph.embeddings.reloading import Reloading
from mentorgraph.embeddings.runs import evaluate, publish
from mentorgraph.embeddings.sentence_encoder import (
    AT_ONCE,
    DIMENSIONS,
    HEADS,
    LAYERS,
    RECENT,
    SentenceEncoder,
    word_pieces,
)
from mentorgraph.embeddings.snapshot import Manifest, Snapshot
from mentorgraph.embeddings.tasks import FULL, questions
from mentorgraph.embeddings.teaching import Recipe
from mentorgraph.embeddings.training import train
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import link_uid
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import load_policy

POLICY = load_policy()
GOAL = next(link for link in KINDS["pairings"].links if link.name == "goal")
NOW, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
RECIPE = Recipe(fewest_asks=50, seeds=1)
INNER = 1536

# Two ways or more to say the same, which share no word with one another; the last three are asked about later.
TOPICS = (
    "Freeze on stage|Talk without fear|Address audiences calmly|Nervous whenever presenting|Deliver keynotes|"
    "Lecture confidently before crowds|Overcome dread of podiums|Better orator",
    "Slow SQL|Index tables properly|Design relational schemas|Tune Postgres|Normalise records, joins|"
    "MySQL lookups|Entities for Oracle database|Write SELECT statements",
    "Interview candidates|Recruit engineers|Read CVs fairly|Find talent for vacancies|Build job postings|"
    "Screen applicants|Employ new staff|Whom to hire",
    "Manager of people|Guide a group of colleagues|Delegate|Motivate my reports|Become boss|"
    "Supervise employees|Step up to leadership|Run the department",
    "Train neural networks|Classify images with deep learning|Fit gradient boosting|Churn prediction|Backpropagation|"
    "Artificial intelligence basics|Transformer language models|Regression and clustering algorithms",
    "Burnout|Sleep after long shifts|Say no to overtime|Parental leave|Keep weekends free|"
    "Balance family with career|Avoid exhaustion|Recover wellbeing, less stress",
    "Publish in journals|Edit manuscripts|Draft thesis|Answer peer reviewers|Structure scientific papers|"
    "Write up research results|Get articles accepted|Finish dissertation",
    "Find vulnerabilities|Stop phishing|Encrypt traffic|Penetration testing|Harden servers against hackers|"
    "Protect passwords from attackers|Respond to malware|Cyber defence",
)
TOLD, MENTORS = 5, 3


@pytest.fixture(scope="session")
def installed() -> SentenceEncoder:
    return SentenceEncoder.installed()


@pytest.fixture
def encoder(installed: SentenceEncoder) -> SentenceEncoder:
    """The encoder, before it has read anything."""
    return SentenceEncoder(installed.vocabulary, installed.arrays)


@pytest.fixture(scope="module")
def world() -> Columns:
    """Mentors of one topic each, and newcomers whose goals say it in words that no earlier goal had."""
    columns = Columns()
    chance = np.random.default_rng(5)
    rows = [
        ("people", {"id": f"m{each}", "name": "M", "joined_on": "2020-01-01"}) for each in range(len(TOPICS) * MENTORS)
    ]
    for number in range(420):
        day = datetime(2024, 7, 1, tzinfo=UTC) + timedelta(days=number * 1.7)
        topic = int(chance.integers(len(TOPICS)))
        ways = TOPICS[topic].split("|")
        title = str(chance.choice(ways[:TOLD] if day < NOW else ways[TOLD:]))
        mentor = topic * MENTORS + int(chance.integers(MENTORS))
        on = day.date().isoformat()
        rows += [
            ("people", {"id": f"p{number}", "name": "P", "joined_on": "2024-01-01"}),
            ("goals", {"id": f"g{number}", "person_id": f"p{number}", "title": title, "created_on": on}),
            (
                "pairings",
                {
                    "id": f"x{number}",
                    "mentor_id": f"m{mentor}",
                    "mentee_id": f"p{number}",
                    "goal_id": f"g{number}",
                    "started_on": on,
                    "status": "active",
                },
            ),
        ]
    for file, row in rows:
        for record in facts_of(file, row, "test"):
            columns.put(record)
    return columns


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    pytest.fail("it never was")


def topic_of(title: str) -> int:
    return next(number for number, topic in enumerate(TOPICS) if title in topic.split("|"))


def figures(columns: Columns, model: Model) -> dict[str, float]:
    """Mean NDCG@10 of later goals."""
    asked = tasks.task(columns, NOW, UNTIL)
    judged = judge(model, model.knowledge(columns, NOW, POLICY), asked, baselines={})
    return {name: float(ndcg(each.places, 10).mean()) for name, each in judged.items()}


# --- the encoder ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Unaffable résumé, naïve!", "una ##ffa ##ble resume , naive !"),
        ("C++ & GraphQL-APIs (2026)", "c + + & graph ##q ##l - api ##s ( 202 ##6 )"),
        ("  one\ttwo\nthree\x00\x0b ", "one two three"),
        ("機械学習 is fun", "[UNK] [UNK] 学 [UNK] is fun"),
        ("a" * 101, "[UNK]"),
        ("🦀 rust", "[UNK] rust"),
        ("", ""),
    ],
)
def test_words_are_cut_as_the_encoder_was_trained_with(text: str, pieces: str, encoder: SentenceEncoder) -> None:
    numbers = {piece: number for number, piece in enumerate(encoder.vocabulary)}
    assert " ".join(encoder.vocabulary[number] for number in word_pieces(text, numbers)) == pieces


def of_torch(encoder: SentenceEncoder, numbers: list[int]) -> NDArray[np.float32]:
    """The same by torch's own layers."""
    weights = {name: torch.from_numpy(np.array(each, np.float32)) for name, each in encoder.arrays.items()}
    words = weights["embeddings.word_embeddings.weight"][numbers]
    places = weights["embeddings.position_embeddings.weight"][: len(numbers)]
    scale, shift = (weights[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias"))
    values = words + places + weights["embeddings.token_type_embeddings.weight"][0]
    values = torch.nn.functional.layer_norm(values, (DIMENSIONS,), scale, shift, 1e-12)[None]
    for number in range(LAYERS):
        layer = torch.nn.TransformerEncoderLayer(
            DIMENSIONS, HEADS, INNER, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True
        )
        name = f"encoder.layer.{number}"
        attention = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        state = {
            f"self_attn.in_proj_{part}": torch.cat([weights[f"{each}.{part}"] for each in attention])
            for part in ("weight", "bias")
        }
        for theirs, ours in {
            "self_attn.out_proj": "attention.output.dense",
            "norm1": "attention.output.LayerNorm",
            "linear1": "intermediate.dense",
            "linear2": "output.dense",
            "norm2": "output.LayerNorm",
        }.items():
            state |= {f"{theirs}.{part}": weights[f"{name}.{ours}.{part}"] for part in ("weight", "bias")}
        layer.load_state_dict(state)
        with torch.no_grad():
            values = layer.eval()(values)
    mean = values[0].mean(dim=0)
    return np.asarray((mean / mean.norm()).numpy(), np.float32)


@pytest.mark.parametrize("text", ["Lead a team", "x", "Build a parser for GraphQL in Rust, with tests. " * 40])
def test_numpy_equals_torch(text: str, encoder: SentenceEncoder) -> None:
    numbers = {piece: number for number, piece in enumerate(encoder.vocabulary)}
    own = [numbers["[CLS]"], *word_pieces(text, numbers)[:126], numbers["[SEP]"]]
    assert np.abs(encoder([text])[0] - of_torch(encoder, own)).max() < 2e-4  # half precision has that many digits


def test_texts_that_mean_the_same_are_alike_though_they_share_no_word(encoder: SentenceEncoder) -> None:
    vectors = encoder([way for topic in TOPICS for way in topic.split("|")])
    topic = np.repeat(np.arange(len(TOPICS)), 8)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1)
    assert (topic[alike.argmax(axis=1)] == topic).mean() > 0.75  # an eighth by chance


def test_a_text_has_one_vector_whatever_is_read_beside_it(encoder: SentenceEncoder) -> None:
    texts = ["Lead a team", "", "Learn Rust", "Lead a team"]
    told: list[tuple[int, int]] = []
    together = encoder(texts, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert not together[1].any()
    assert np.array_equal(together[0], together[3])
    alone = SentenceEncoder(encoder.vocabulary, encoder.arrays)
    for place in (2, 0):
        assert np.array_equal(alone([texts[place]])[0], together[place])
    assert encoder([]).shape == (0, DIMENSIONS)


def test_what_was_read_once_is_not_read_again(encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    read = encoder(["Lead a team"])
    other = SentenceEncoder(encoder.vocabulary, encoder.arrays).knowing(encoder)
    stranger = SentenceEncoder(encoder.vocabulary[:-1], encoder.arrays).knowing(encoder)
    monkeypatch.setattr(SentenceEncoder, "_encode", lambda _self, _text: np.zeros(DIMENSIONS, np.float16))
    assert np.array_equal(other(["Lead a team"]), read)
    assert not stranger(["Lead a team"]).any()  # what another encoder made of it counts for nothing


def test_a_service_does_not_wait_for_many_new_texts_and_knows_them_soon(encoder: SentenceEncoder) -> None:
    encoder(["Lead a team"])
    encoder.hurry()
    few, many = [f"goal {number}" for number in range(AT_ONCE)], [f"aim {number}" for number in range(AT_ONCE + 1)]
    assert encoder.soon(few).any(axis=1).all()
    at_once = encoder.soon([*many, "Lead a team"])
    assert not at_once[:-1].any()
    assert at_once[-1].any()
    wait_until(lambda: encoder.rounds == 1)
    assert np.array_equal(encoder.soon(many), SentenceEncoder(encoder.vocabulary, encoder.arrays)(many))
    # Without a hurry, as training reads, everything is there at once.
    assert SentenceEncoder(encoder.vocabulary, encoder.arrays).soon(many).any(axis=1).all()


def test_what_a_service_keeps_is_bounded(encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_encoder, "RECENT", 2)
    encoder(["Lead a team"])
    encoder.hurry()
    assert encoder(["a", "b", "c"]).any(axis=1).all()
    assert len(encoder.known) == 3
    assert encoder(["c", "d"]).any(axis=1).all()
    assert not encoder.soon([f"aim {number}" for number in range(AT_ONCE + 1)]).any()
    assert (len(encoder.known), encoder.rounds) == (3, 0)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    spec = find_spec(sentence_encoder.PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    shutil.copytree(Path(spec.origin).parent / "model", tmp_path / "model")
    return tmp_path


def test_files_that_are_not_the_published_ones_are_refused(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(SentenceEncoder.read(copied).vocabulary) == 30_522
    with (copied / "model" / "vocab.txt").open("a") as file:
        file.write("more\n")
    with pytest.raises(DomainError, match=r"vocab\.txt is not the file that the authors .* published"):
        SentenceEncoder.read(copied)
    (copied / "model" / "vocab.txt").unlink()
    with pytest.raises(DomainError, match=r"install mentorgraph\[text\]") as refused:
        SentenceEncoder.read(copied)
    assert refused.value.code == "EXTRA_MISSING"
    monkeypatch.setattr(sentence_encoder, "find_spec", lambda _name: None)
    with pytest.raises(DomainError, match=r"install mentorgraph\[text\]"):
        SentenceEncoder.installed()


# --- a model that is taught with it -----------------------------------------------------------------------------------


def test_goals_in_new_words_find_the_mentors_of_their_meaning(world: Columns, encoder: SentenceEncoder) -> None:
    words = figures(world, train(world, NOW, FULL, POLICY, RECIPE))
    meant = figures(world, train(world, NOW, FULL, POLICY, RECIPE, encoder=encoder))
    for name in (NETWORK, LINEAR):
        assert meant[name] > words[name] + 0.2, (words, meant)
    # The same with the vectors of other texts: it is what they mean that helps.
    chance, keys = np.random.default_rng(1), list(encoder.known)
    shuffled = dict(zip(keys, (encoder.known[keys[place]] for place in chance.permutation(len(keys))), strict=True))
    wrong = SentenceEncoder(encoder.vocabulary, encoder.arrays, shuffled)
    assert figures(world, train(world, NOW, FULL, POLICY, RECIPE, encoder=wrong))[NETWORK] < words[NETWORK] + 0.1


def test_a_model_carries_its_encoder_and_what_it_has_read(
    world: Columns, encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = train(world, NOW, FULL, POLICY, RECIPE, encoder=encoder)
    again = Model.of(model.arrays(), model.texts())
    assert again.encoder is not None
    assert again.encoder.known.keys() == encoder.known.keys()
    asked = tasks.task(world, NOW, UNTIL)
    question = questions(world, asked, FULL, POLICY.signals)[0]
    monkeypatch.setattr(sentence_encoder, "find_spec", lambda _name: None)
    scores = []
    for each in (model, again):
        columns = world
        known = each.knowledge(columns, NOW, POLICY)
        found = evidence(known, question, asked.candidates)
        assert found.edges.shape[1] == len(EDGE_FEATURES) + len(MEANING_FEATURES)
        scores.append(each.scores(known, found))
    assert np.array_equal(scores[0], scores[1])


def test_a_published_version_reads_without_the_package_and_hands_on_what_it_has_read(
    world: Columns, encoder: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = Snapshot(world, Manifest(UNTIL, 0, {"pairings": 420}, 0, ""))
    run = evaluate(snapshot, NOW, UNTIL, FULL, POLICY, recipe=RECIPE, encoder=encoder)
    assert run is not None
    registry = Registry(tmp_path / "models")
    version = publish(run, registry, force="the test wants it")
    assert "Goals are read as words and by all-MiniLM-L6-v2." in registry.card(version)
    following = process.encoder_of({"text": True}, registry.load(version))
    assert following is not None
    assert following.known.keys() == encoder.known.keys() != set()
    assert process.encoder_of({}, registry.load(version)) is None
    serving = asyncio.run(Reloading(registry, POLICY).scorer())
    assert isinstance(serving, LearnedScorer)
    assert serving.model.encoder is not None
    assert serving.model.encoder.most == len(encoder.known) + RECENT
    monkeypatch.setattr(sentence_encoder, "find_spec", lambda _name: None)
    scorer = LearnedScorer.of(registry.load(version), POLICY)
    question = questions(world, run.task, FULL, POLICY.signals)[0]
    own = LearnedScorer("", POLICY, run.model, with_network=True)
    # No word of the goal was ever said before, so the reason is a goal of like meaning, by the one it means.
    best = int(run.task.candidates[own.score(world, question).total[run.task.candidates].argmax()])
    [network] = [each for each in own.score(world, question).terms if each.name == NETWORK]
    first = network.explain(best)[0]
    assert first.metapath == "similar_meaning"
    assert first.start == world.goals.uids[question.goal]
    assert first.drop > 0
    title = world.tables["goals"].strings("title")[question.goal]
    [past] = [
        number
        for number, uid in enumerate(world.tables["pairings"].rows.uids)
        if link_uid(uid, GOAL, world.goals.uids[world.tables["pairings"].numbers("goal")[number]]) == first.edges[0].uid
    ]
    helped = world.tables["goals"].strings("title")[world.tables["pairings"].numbers("goal")[past]]
    assert first.strength == pytest.approx(float(encoder([title])[0] @ encoder([helped])[0]), abs=1e-3)
    assert topic_of(helped) == topic_of(title)
    assert np.array_equal(scorer.score(world, question).total, own.score(world, question).total)


def test_texts_that_were_read_beside_count_from_then_on(world: Columns, encoder: SentenceEncoder) -> None:
    model = train(world, NOW, FULL, POLICY, RECIPE, encoder=encoder)
    asked = tasks.task(world, NOW, UNTIL)
    question = questions(world, asked, FULL, POLICY.signals)[0]
    before = SentenceEncoder(encoder.vocabulary, encoder.arrays)
    before.hurry()
    served = replace(model, encoder=before)

    def likeness() -> NDArray[np.float32]:
        found = evidence(served.knowledge(world, NOW, POLICY), question, asked.candidates)
        return found.edges[:, len(EDGE_FEATURES)]

    assert not likeness().any()
    wait_until(lambda: before.rounds == 1)
    whole = evidence(model.knowledge(world, NOW, POLICY), question, asked.candidates)
    assert np.array_equal(likeness(), whole.edges[:, len(EDGE_FEATURES)])


def test_a_version_that_reads_words_alone_goes_on_as_it_was(world: Columns) -> None:
    model = train(world, NOW, FULL, POLICY, RECIPE)
    texts = {name: value for name, value in model.texts().items() if name != "pieces"}  # as earlier versions told
    arrays = model.arrays()
    assert not any(name.startswith(("sentences.", "read.")) for name in arrays)
    before = Model.of(arrays, texts)
    assert before.encoder is None
    assert figures(world, before) == figures(world, model)
