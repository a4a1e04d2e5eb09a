"""The registry: versions are whole or not there, changed ones are refused, and what serves moves at once."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mentorgraph.embeddings.registry import ARRAYS, CARD, MANIFEST, TEXTS, ModelRefused, Registry

NUMBERS = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array(0.5)}
WORDS = {"terms": ["water", "größe"], "setting": ["full"]}


def published(registry: Registry, note: str = "first") -> str:
    return registry.publish(NUMBERS, WORDS, {"note": note}, "# Card\n")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def test_nothing_serves_before_anything_is_published(registry: Registry) -> None:
    assert (registry.versions(), registry.current(), registry.previous(), registry.history()) == ([], "", None, [])
    assert registry.state() == (0, 0)
    assert not registry.folder.exists()


def test_a_version_is_read_as_it_was_published(registry: Registry) -> None:
    version = published(registry)
    found = registry.load(version)
    assert found.version == version
    assert found.manifest["note"] == "first"
    assert found.texts == WORDS
    assert sorted(found.arrays) == sorted(NUMBERS)
    for name, array in NUMBERS.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert (found.arrays[name].dtype, found.arrays[name].shape) == (array.dtype, array.shape)
    assert registry.card(version) == "# Card\n"
    assert registry.current() == ""
    assert registry.folder.stat().st_mode & 0o777 == 0o700


def test_the_same_content_is_published_once(registry: Registry) -> None:
    assert published(registry) == published(registry)
    assert published(registry, "second") not in {published(registry)}
    assert len(registry.versions()) == 2


def flipped(content: bytes) -> bytes:
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit": lambda file: file.write_bytes(flipped(file.read_bytes())),
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "more at the end": lambda file: file.write_bytes(file.read_bytes() + b" "),
    "empty": lambda file: file.write_bytes(b""),
    "gone": lambda file: file.unlink(),
    "a link": lambda file: os.symlink(file.rename(file.parent.parent / "elsewhere"), file),
}


@pytest.mark.parametrize("name", [ARRAYS, TEXTS, MANIFEST])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_version_that_was_changed_is_refused_and_what_serves_goes_on(
    name: str, damage: str, registry: Registry
) -> None:
    serves, damaged = published(registry), published(registry, "second")
    registry.promote(serves)
    DAMAGES[damage](registry.folder / damaged / name)
    with pytest.raises(ModelRefused, match=damaged):
        registry.load(damaged)
    with pytest.raises(ModelRefused):
        registry.promote(damaged)
    assert registry.current() == serves
    assert registry.load(serves).manifest["note"] == "first"


def test_a_changed_card_is_refused(registry: Registry) -> None:
    version = published(registry)
    (registry.folder / version / CARD).write_text("# Better than it is\n")
    with pytest.raises(ModelRefused, match="not the file that was published"):
        registry.card(version)


def test_files_of_two_versions_do_not_go_together(registry: Registry) -> None:
    one, other = published(registry), registry.publish({"a": np.ones(3)}, WORDS, {"note": "other"}, "")
    (registry.folder / one / ARRAYS).write_bytes((registry.folder / other / ARRAYS).read_bytes())
    with pytest.raises(ModelRefused, match="not the file that was published"):
        registry.load(one)


def test_numbers_that_are_not_finite_are_refused(registry: Registry) -> None:
    version = registry.publish({"a": np.array([1.0, np.nan])}, WORDS, {}, "")
    with pytest.raises(ModelRefused, match="a has a number that is not finite"):
        registry.promote(version)


@pytest.mark.parametrize("name", ["", "x", "../models", "20260101-0123456789ab", "20260101-0123456789ab/../x"])
def test_a_version_that_does_not_exist_is_said(name: str, registry: Registry) -> None:
    with pytest.raises(ModelRefused, match="models list"):
        registry.load(name)


def test_what_serves_goes_forward_and_back(registry: Registry) -> None:
    first, second = published(registry), published(registry, "second")
    states = [registry.state()]
    registry.promote(first)
    states.append(registry.state())
    registry.promote(second, expected=first, reason="better")
    states.append(registry.state())
    assert len(set(states)) == 3
    assert (registry.current(), registry.previous()) == (second, first)
    registry.promote(first, expected=second, reason="odd lists")
    assert registry.current() == first
    registry.promote("")
    assert (registry.current(), registry.previous()) == ("", first)
    told = [(each.version, each.previous, each.reason) for each in registry.history()]
    assert told == [(first, "", ""), (second, first, "better"), (first, second, "odd lists"), ("", first, "")]


def test_a_decision_about_what_no_longer_serves_is_not_carried_out(registry: Registry) -> None:
    first, second, third = (published(registry, note) for note in ("1", "2", "3"))
    registry.promote(first)
    registry.promote(second)
    with pytest.raises(ModelRefused, match=f"{second} serves now, not {first}"):
        registry.promote(third, expected=first)
    assert registry.current() == second


def test_of_many_who_promote_at_once_one_is_first(registry: Registry) -> None:
    versions = [published(registry, str(number)) for number in range(8)]
    refused: list[str] = []

    def promote(version: str) -> None:
        try:
            registry.promote(version, expected="")
        except ModelRefused:
            refused.append(version)

    threads = [threading.Thread(target=promote, args=(version,)) for version in versions]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(refused) == 7
    assert {registry.current()} == {*versions} - {*refused}
    assert len(registry.history()) == 1


def test_old_versions_go_and_needed_ones_stay(registry: Registry) -> None:
    versions = [published(registry, str(number)) for number in range(6)]
    for place, version in enumerate(versions):
        os.utime(registry.folder / version, (place, place))
    registry.promote(versions[0])
    registry.promote(versions[1])
    gone = registry.prune(1, frozenset({versions[3]}))
    assert gone == [versions[2], versions[4]]
    assert registry.versions() == [versions[0], versions[1], versions[3], versions[5]]


PUBLISH = """
import sys
from pathlib import Path
import numpy as np
from mentorgraph.embeddings.registry import Registry
registry = Registry(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(10_000):
    version = registry.publish({"a": np.full(50_000, number)}, {"t": []}, {"n": number}, "")
    registry.promote(version)
"""


def test_a_publisher_that_is_killed_leaves_whole_versions_only(registry: Registry, count: Callable[..., int]) -> None:
    for moment in range(count(4, 40)):
        command = [sys.executable, "-c", PUBLISH, str(registry.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05 + 0.013 * moment)
            process.send_signal(signal.SIGKILL)
        for version in registry.versions():
            registry.load(version)
        if registry.current():
            assert registry.current() in registry.versions()
        version = published(registry, f"after {moment}")
        registry.promote(version)
        assert registry.current() == version
        assert not list(registry.folder.glob(".staging-*"))


def test_a_full_disk_leaves_what_serves(registry: Registry) -> None:
    first = published(registry)
    registry.promote(first)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous: Any = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(ModelRefused, match="cannot be written"):
            registry.publish({"a": np.zeros(10_000)}, WORDS, {}, "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert (registry.versions(), registry.current()) == ([first], first)
    assert registry.load(first).manifest["note"] == "first"
