"""Writes what a release is made of, in CycloneDX 1.6: `python requirements/sbom.py build/sbom.json`, or `make sbom`.

The list is that of the locks, not of one machine: the wheels that the service and its extras install, and the archives
of each Neo4j line, with the hashes that are checked when they are fetched. A wheel has as many hashes as it has builds.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement

from mentorgraph.graph.embedded.jars import lock_file, read_lock
from mentorgraph.graph.embedded.lines import LINES

LOCKS = ("serve", "demo", "train", "text")
"""The requirement files of the service, with the embedded database, with what trains a model, and what reads texts."""


def wheels(text: str) -> Iterator[Component]:
    """The packages of a requirement file in which each is pinned with hashes.

    Raises:
        ValueError: A package is not pinned to one version, or has no hash.
    """
    for block in re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n?", "", text, flags=re.MULTILINE).strip()):
        pin, *hashes = re.split(r"\s*\\\n\s*--hash=sha256:", block.strip().rstrip("\\"))
        found = Requirement(pin)
        versions = [each.version for each in found.specifier if each.operator == "=="]
        if len(versions) != 1 or not hashes:
            raise ValueError(f"{pin}: pin it to one version with its hashes, as make lock does")
        yield Component(
            name=found.name,
            version=versions[0],
            type=ComponentType.LIBRARY,
            purl=PackageURL("pypi", None, found.name, versions[0]),
            bom_ref=f"{found.name}=={versions[0]}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each.strip()) for each in hashes],
        )


def archives(text: str) -> Iterator[Component]:
    """The Java archives of a lock of a Neo4j line."""
    for jar in read_lock(text):
        qualifiers = {"classifier": jar.classifier} if jar.classifier else None
        yield Component(
            group=jar.group,
            name=jar.artifact,
            version=jar.version,
            type=ComponentType.LIBRARY,
            purl=PackageURL("maven", jar.group, jar.artifact, jar.version, qualifiers),
            bom_ref=str(jar),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=jar.sha256)],
        )


def bill() -> Bom:
    """Everything that a release fetches, each once."""
    folder = Path(__file__).parent
    found = {each.bom_ref.value: each for name in LOCKS for each in wheels((folder / f"{name}.txt").read_text("utf-8"))}
    for line in LINES.values():
        found |= {each.bom_ref.value: each for each in archives(lock_file(line).read_text("utf-8"))}
    bom = Bom(components=found.values())
    bom.metadata.tools.components.add(this_component())
    bom.metadata.component = Component(
        name="mentorgraph",
        version=version("mentorgraph"),
        type=ComponentType.APPLICATION,
        purl=PackageURL("pypi", None, "mentorgraph", version("mentorgraph")),
        bom_ref="mentorgraph",
        licenses=[LicenseExpression("Apache-2.0")],
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    return bom


def main(file: str) -> None:
    """Write the bill."""
    bom = bill()
    out = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    out.output_to_file(file, allow_overwrite=True, indent=1)
    sys.stdout.write(f"{file}: {len(bom.components)} components\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
