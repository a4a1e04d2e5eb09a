"""Published models: one folder per version, checked by hash when it is read, and one name that says which one serves.

A version appears whole or not at all, and is never changed. `current` moves by an atomic replace, forwards and back, so
a reader sees one version or the other. Arrays are safetensors and texts are JSON: reading a version runs nothing.

The hash in a version's name is that of its manifest, which holds the hashes of the other files.
"""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError

ARRAYS, TEXTS, MANIFEST, CARD = "model.safetensors", "texts.json", "manifest.json", "card.md"
REPORT = "report.html"
LARGEST_FILE = 2 << 30
_VERSION = re.compile(r"\d{8}-[0-9a-f]{12}")

Arrays = Mapping[str, NDArray[Any]]
Texts = Mapping[str, Sequence[str]]


class ModelRefused(DomainError):
    """A version that is not there, or not what was published."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="MODEL_REFUSED")


@dataclass(frozen=True, eq=False)
class Published:
    """A version as it was published.

    Attributes:
        version: Its name.
        manifest: What it was made from, how it was judged, and what the gate decided.
        arrays: Its numbers.
        texts: What else it consists of.
    """

    version: str
    manifest: Mapping[str, Any]
    arrays: Arrays
    texts: Texts


@dataclass(frozen=True, slots=True)
class Promotion:
    """A change of what serves.

    Attributes:
        at: When.
        version: What served from then on; empty for rules alone.
        previous: What had served before.
        reason: Why, where somebody said so.
    """

    at: datetime
    version: str
    previous: str
    reason: str


class Registry:
    """The versions below one folder.

    Args:
        folder: Where they are; it is made by the first publication, for its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- reading ------------------------------------------------------------------------------------------------------

    def versions(self) -> list[str]:
        """The names of all versions, oldest first."""
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if _VERSION.fullmatch(path.name) and path.is_dir()]
        return [path.name for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))]

    def current(self) -> str:
        """The version that serves; empty where rules alone do."""
        try:
            return (self.folder / "current").read_text("utf-8").strip()
        except FileNotFoundError:
            return ""

    def state(self) -> tuple[int, int]:
        """Differs whenever `current` was moved; cheap enough for every request."""
        try:
            found = (self.folder / "current").stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns

    def history(self) -> list[Promotion]:
        """What served when, oldest first."""
        try:
            lines = (self.folder / "history.jsonl").read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            told = orjson.loads(line)
            at = datetime.fromisoformat(told["at"])
            found.append(Promotion(at, told["version"], told["previous"], told["reason"]))
        return found

    def manifest(self, version: str) -> dict[str, Any]:
        """The manifest of a version, checked against its name.

        Raises:
            ModelRefused: There is no such version, or its manifest is another one.
        """
        content = self._content(version, MANIFEST)
        if hashlib.sha256(content).hexdigest()[:12] != version.partition("-")[2]:
            raise ModelRefused(f"the manifest of model {version} is not the one that was published")
        manifest: dict[str, Any] = orjson.loads(content)
        return manifest

    def card(self, version: str) -> str:
        """The model card of a version, in Markdown.

        Raises:
            ModelRefused: As `load`.
        """
        return self._checked(version, CARD, self.manifest(version)).decode()

    def report(self, version: str) -> Path | None:
        """Where the report of a version lies, which a browser opens; None for versions that have none.

        Raises:
            ModelRefused: As `load`.
        """
        manifest = self.manifest(version)
        if REPORT not in manifest["files"]:
            return None
        self._checked(version, REPORT, manifest)
        return self.folder / version / REPORT

    def load(self, version: str) -> Published:
        """Reads a version; each file is hashed before a byte of it is interpreted.

        Raises:
            ModelRefused: A file is missing or not the one that was published, or a number is not finite.
        """
        manifest = self.manifest(version)
        try:
            arrays = safetensors.numpy.load(self._checked(version, ARRAYS, manifest))
            texts = orjson.loads(self._checked(version, TEXTS, manifest))
        except (safetensors.SafetensorError, orjson.JSONDecodeError) as error:
            raise ModelRefused(f"model {version} cannot be read") from error
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ModelRefused(f"model {version}: {name} has a number that is not finite")
        return Published(version, manifest, arrays, texts)

    def _checked(self, version: str, name: str, manifest: Mapping[str, Any]) -> bytes:
        content = self._content(version, name)
        if hashlib.sha256(content).hexdigest() != manifest["files"].get(name):
            raise ModelRefused(f"{name} of model {version} is not the file that was published")
        return content

    def _content(self, version: str, name: str) -> bytes:
        if not _VERSION.fullmatch(version):
            raise ModelRefused(f"there is no model {version!r}; mentorgraph models list shows what there is")
        try:
            handle = os.open(self.folder / version / name, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            missing = f"model {version} lacks {name}" if (self.folder / version).exists() else f"no model {version}"
            raise ModelRefused(f"there is {missing}; mentorgraph models list shows what there is") from None
        except OSError as error:
            raise ModelRefused(f"{name} of model {version} cannot be read: {error.strerror}") from error
        with os.fdopen(handle, "rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ModelRefused(f"{name} of model {version} is too large")
        return content

    # --- writing ------------------------------------------------------------------------------------------------------

    def publish(self, arrays: Arrays, texts: Texts, manifest: Mapping[str, Any], card: str, report: str = "") -> str:
        """Adds a version; it does not serve before it is promoted.

        Args:
            arrays: Its numbers.
            texts: Its lists of texts, by name.
            manifest: What is known about it; the hashes of the files are added.
            card: Its model card, in Markdown.
            report: Its report, in HTML; it has none if empty.

        Returns:
            Its name. The same content on the same day has the same name and is published once.

        Raises:
            ModelRefused: The disk is full, or the folder cannot be written; nothing was added.
        """
        files = {
            ARRAYS: safetensors.numpy.save(
                {name: np.array(each, order="C", copy=None) for name, each in arrays.items()}
            ),
            TEXTS: orjson.dumps({name: list(each) for name, each in texts.items()}),
            CARD: card.encode(),
        }
        if report:
            files[REPORT] = report.encode()
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        files[MANIFEST] = orjson.dumps({**manifest, "files": hashes}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(files[MANIFEST]).hexdigest()[:12]
        version = f"{present():%Y%m%d}-{digest}"
        with self._alone():
            self._sweep()
            if not (self.folder / version).exists():
                self._put(version, files)
        return version

    def _put(self, version: str, files: Mapping[str, bytes]) -> None:
        staging = self.folder / f".staging-{secrets.token_hex(4)}"
        try:
            staging.mkdir(mode=0o700)
            for name, content in files.items():
                with (staging / name).open("xb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
            _sync(staging)
            staging.rename(self.folder / version)
            _sync(self.folder)
        except OSError as error:
            shutil.rmtree(staging, ignore_errors=True)
            raise ModelRefused(
                f"the model cannot be written to {self.folder}: {error.strerror}; the present one goes on"
            ) from error

    def promote(self, version: str, *, expected: str | None = None, reason: str = "") -> None:
        """Makes a version serve, or rules alone for an empty one.

        Args:
            version: The version; it is read and checked first.
            expected: What must serve at this moment; a decision that was made about another one is not carried out.
            reason: Why, where there is something to say.

        Raises:
            ModelRefused: It is not whole, or something else serves meanwhile.
        """
        if version:
            self.load(version)
        with self._alone():
            previous = self.current()
            if expected is not None and previous != expected:
                raise ModelRefused(f"{previous or 'rules'} serves now, not {expected or 'rules'}; compare again")
            if previous == version:
                return
            told = {"at": present().isoformat(), "version": version, "previous": previous, "reason": reason}
            try:
                with (self.folder / "history.jsonl").open("ab") as stream:
                    stream.write(orjson.dumps(told) + b"\n")
                    stream.flush()
                    os.fsync(stream.fileno())
                new = self.folder / f".current-{secrets.token_hex(4)}"
                with new.open("x") as text:
                    text.write(version + "\n")
                    text.flush()
                    os.fsync(text.fileno())
                new.replace(self.folder / "current")
                _sync(self.folder)
            except OSError as error:
                raise ModelRefused(f"{self.folder} cannot be written: {error.strerror}; nothing was changed") from error

    def previous(self) -> str | None:
        """What served before the version that serves; None where nothing did."""
        current = self.current()
        for each in reversed(self.history()):
            if each.version == current:
                return each.previous
        return None

    def prune(self, keep: int, named: frozenset[str] = frozenset()) -> list[str]:
        """Deletes old versions and returns their names.

        Args:
            keep: Number of the newest versions to keep.
            named: Versions that something else needs; they stay, like the one that serves and the one before it.
        """
        with self._alone():
            versions = self.versions()
            kept = {*versions[len(versions) - keep :], self.current(), self.previous() or "", *named}
            gone = [each for each in versions if each not in kept]
            for version in gone:
                # It vanishes at once: a reader finds all of it or nothing.
                away = self.folder / f".staging-{secrets.token_hex(4)}"
                (self.folder / version).rename(away)
                shutil.rmtree(away, ignore_errors=True)
        return gone

    def _sweep(self) -> None:
        """Removes what a killed publication left."""
        for left in self.folder.glob(".staging-*"):
            shutil.rmtree(left, ignore_errors=True)
        for left in self.folder.glob(".current-*"):
            left.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lets one process write at a time; the lock goes with the process that holds it."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("w")
        except OSError as error:
            raise ModelRefused(f"{self.folder} cannot be written: {error.strerror}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _sync(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
