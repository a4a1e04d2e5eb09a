"""Writes the lock of a Neo4j line anew: `python -m mentorgraph.graph.embedded.lock current lts`.

Run it after changing a version in `lines`, then run the tests of this package on that line: they start the server and
use its administration commands with nothing but what the lock lists.
"""

import hashlib
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mentorgraph.graph.embedded.jars import FETCH_THREADS, Jar, lock_file, maven, require_extra
from mentorgraph.graph.embedded.lines import LINES, Line

LEFT_OUT = (
    # HTTP server: only Bolt is switched on
    "org.eclipse.jetty",
    "org.glassfish",
    "jakarta.",
    "javax.annotation",
    "javax.xml.bind",
    "com.fasterxml.jackson.jaxrs",
    "com.fasterxml.jackson.module",
    "com.sun.",
    "org.jvnet.staxex",
    "org.javassist",
    # bulk import from Parquet files and uploads to a cloud service: administration commands that are not offered
    "blue.strategic.parquet",
    "org.apache.parquet",
    "org.apache.hadoop",
    "org.xerial.snappy",
    "org.neo4j:neo4j-import-tool",
    "org.neo4j:neo4j-push-to-cloud",
    "com.profesorfalken",
    "org.jprocesses",
    # TLS certificates: the server listens on loopback only
    "org.bouncycastle",
    # test tools that a dependency declares by mistake
    "junit",
    "org.hamcrest",
    "org.mockito",
    "org.objenesis",
    "net.bytebuddy",
)
"""Beginnings of `group:artifact` that running the server, dump, load and check do without, by reason."""


def resolve(line: Line, cache: Path) -> tuple[Jar, ...]:
    """All archives that the line's server needs at run time, fetched to learn their hashes."""
    context = maven(cache)
    wanted, transitive = context.resolver.resolve([context.create_dependency(f"org.neo4j:neo4j:{line.version}")])
    kept = [each for each in wanted + transitive if not f"{each.groupId}:{each.artifactId}".startswith(LEFT_OUT)]
    with ThreadPoolExecutor(FETCH_THREADS) as threads:
        jars = sorted(threads.map(_described, kept), key=str)
    twice = [name for name, count in Counter(jar.file_name for jar in jars).items() if count > 1]
    if twice:
        raise SystemExit(f"two archives would share a name in the cache: {', '.join(twice)}")
    return tuple(jars)


def _described(dependency: Any) -> Jar:
    content = Path(dependency.artifact.resolve()).read_bytes()
    return Jar(
        dependency.groupId,
        dependency.artifactId,
        dependency.version,
        dependency.classifier or "",
        hashlib.sha256(content).hexdigest(),
    )


def main(names: list[str]) -> None:
    """Write the locks of the lines with these names."""
    require_extra()
    for line in [LINES[name] for name in names]:
        with tempfile.TemporaryDirectory() as cache:
            jars = resolve(line, Path(cache))
        rows = [f"# {line}: written by python -m {__spec__.name} {line.name}"]
        rows += [f"{jar} {jar.sha256}" for jar in jars]
        lock_file(line).write_text("\n".join(rows) + "\n")
        sys.stdout.write(f"{lock_file(line).name}: {len(jars)} archives\n")


if __name__ == "__main__":
    main(sys.argv[1:] or list(LINES))
