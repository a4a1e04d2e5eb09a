"""Sets up the environment in .venv from the locked requirements: python3 api/bootstrap.py demo|test.

The system's Python runs this file before anything is installed, so it uses the standard library only. Up to the check
of its version it must run, and as a whole it must parse, on any Python 3: no f-strings, no annotated variables.
"""
# ruff: noqa: E402, UP032

import sys

OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 14)

if sys.version_info < OLDEST_PYTHON:
    sys.exit(
        "mentorgraph needs Python 3.11 or newer, and {} is Python {}.{}: name another one, as in "
        "make demo PYTHON=python3.12.".format(sys.executable, sys.version_info[0], sys.version_info[1])
    )

import contextlib
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / "mentorgraph-setup.txt"

OLDEST_GLIBC = (2, 28)
MACHINES = ("x86_64", "amd64", "aarch64", "arm64")

# In MB, measured with empty caches on Linux x86_64.
PACKAGES_MB = {"demo": 3100, "test": 3240}  # 3,000 of them torch and what it brings
NEO4J_MB = {"demo": 135, "test": 240}  # one line, or both
QUICK_START_MB = {"demo": 165, "test": 330}  # what Java writes beside it
ENVIRONMENT_MB = {"demo": 5700, "test": 5900}
DATABASE_MB = 350  # most of it a reserve that the embedded database wants left free

BESIDE = {"demo": (), "test": ("text",)}
"""Requirements of a purpose that are wanted without what they ask for themselves."""

TORCH_INDEX = "MENTORGRAPH_TORCH_INDEX"
TORCH = ("torch", "torch-geometric")

PIP_SETTINGS_IN_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


class Refused(Exception):
    """The set-up cannot be; the message is one sentence that says why and what to do."""


def main() -> None:
    """Set up what the first argument names, unless that has been done, or say in one sentence why it cannot be."""
    purpose = "".join(sys.argv[1:])
    if purpose not in PACKAGES_MB:
        sys.exit("usage: python3 api/bootstrap.py demo|test")
    try:
        if not is_set_up(purpose):
            check_machine()
            with alone():
                set_up(purpose)
    except Refused as refused:
        sys.exit(str(refused))
    except KeyboardInterrupt:
        sys.exit("Stopped; the same command goes on from here.")


def is_set_up(purpose: str) -> bool:
    """Say whether the environment holds what the purpose needs; what the tests need is enough for the demo."""
    noted = noted_set_ups()
    return PYTHON.exists() and any(noted.get(name) == fingerprint(name) for name in (purpose, "test"))


def noted_set_ups() -> dict[str, str]:
    """Return what the environment was set up for and the fingerprints of that time; nothing where there is no note."""
    if not STAMP.exists():
        return {}
    return dict(line.split() for line in STAMP.read_text("utf-8").splitlines())


def fingerprint(purpose: str) -> str:
    """Return a hash of what decides on the content of the environment, and of its place, which its scripts name."""
    digest = hashlib.sha256(str(ROOT).encode())
    needed = [locked(name) for name in ("setup", purpose, "train") + BESIDE[purpose]]
    for file in [Path(__file__), ROOT / "pyproject.toml", *needed]:
        digest.update(file.read_bytes())
    digest.update(os.environ.get(TORCH_INDEX, "").encode())
    return digest.hexdigest()


def locked(purpose: str) -> Path:
    """Return the file of locked requirements for a purpose."""
    return ROOT / "requirements" / (purpose + ".txt")


def check_machine() -> None:
    """Check what the set-up or the demo would otherwise trip over half-way.

    Raises:
        Refused: This machine or its Python cannot run mentorgraph.
    """
    version = sys.version_info[:2]
    if version > NEWEST_PYTHON:
        raise Refused(
            "Some packages do not come ready-made for Python {}.{} yet: name an older one, as in "
            "make demo PYTHON=python{}.{}.".format(*version, *NEWEST_PYTHON)
        )
    if platform.python_implementation() != "CPython":
        raise Refused("mentorgraph needs CPython: name one, as in make demo PYTHON=python3.12.")
    if sys.platform not in ("linux", "darwin"):
        raise Refused("mentorgraph runs on Linux and macOS; on Windows use the Windows Subsystem for Linux.")
    if platform.machine().lower() not in MACHINES:
        raise Refused("mentorgraph runs on x86_64 and arm64, and this machine is {}.".format(platform.machine()))
    if sys.platform == "linux":
        check_c_library(*platform.libc_ver())
    if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        raise Refused(
            "This Python lacks its venv module, which makes virtual environments: install it "
            "(on Debian and Ubuntu: apt-get install python{}.{}-venv).".format(*version)
        )


def check_c_library(name: str, version: str) -> None:
    """Check the C library, by which packages are ready-made.

    Raises:
        Refused: It is another one than GNU's, such as musl, or an older one.
    """
    if name != "glibc":
        raise Refused(
            "mentorgraph needs a Linux with the GNU C library; this one has another, as Alpine has musl, "
            "and the Java runtime that Neo4j needs does not come ready-made for it."
        )
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_GLIBC:
        raise Refused("mentorgraph needs glibc {}.{} or newer, and this Linux has {}.".format(*OLDEST_GLIBC, version))


def check_room(needs_mb: Mapping[Path, int]) -> None:
    """Check that the disks have room for what will be written on them.

    Args:
        needs_mb: What each folder, which need not exist yet, will take. Folders on one disk are added up.

    Raises:
        Refused: A disk has less room than that.
    """
    needed_mb = dict.fromkeys((disk_of(folder)[1] for folder in needs_mb), 0)
    for folder, need_mb in needs_mb.items():
        place, disk = disk_of(folder)
        needed_mb[disk] += need_mb
        free_mb = shutil.disk_usage(place).free // 10**6
        if free_mb < needed_mb[disk]:
            raise Refused(
                "The disk of {} has {:,} MB left and {:,} MB are needed: make room there.".format(
                    place, free_mb, needed_mb[disk]
                )
            )


def disk_of(folder: Path) -> tuple[Path, int]:
    """Return the folder, or the nearest one above it that exists, and the number of its disk."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    return existing, existing.stat().st_dev


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait while another process sets up this folder."""
    import fcntl  # here, because Windows lacks it and is refused before

    lock = ROOT / "build" / "set-up.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def set_up(purpose: str) -> None:
    """Make the environment, or bring it up to the locked requirements.

    Raises:
        Refused: There is too little room, or a step failed.
    """
    noted = noted_set_ups()
    if is_set_up(purpose):  # by the process that we waited for
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    of_uv = Path(os.environ.get("UV_CACHE_DIR") or cache / "uv")
    needs_mb = {
        ENVIRONMENT: ENVIRONMENT_MB[purpose],
        ROOT / ".mentorgraph": DATABASE_MB,
        Path(os.environ.get("MENTORGRAPH_CACHE") or cache / "mentorgraph"): NEO4J_MB[purpose] + QUICK_START_MB[purpose],
        # uv links what its cache holds into .venv, and copies it only to another disk.
        of_uv: 0 if disk_of(of_uv)[1] == disk_of(ENVIRONMENT)[1] else ENVIRONMENT_MB[purpose],
    }
    say(
        "Setting up mentorgraph, once. It downloads up to {:,} MB: {:,} MB of Python packages, torch and a Java "
        "runtime among them, and, when the database first starts, {} MB of Neo4j. It needs up to {:.1f} GB of disk, "
        "in this folder and in your cache.".format(
            PACKAGES_MB[purpose] + NEO4J_MB[purpose],
            PACKAGES_MB[purpose],
            NEO4J_MB[purpose],
            sum(needs_mb.values()) / 1000,
        )
    )
    check_room(needs_mb)
    if not is_usable():
        say("1/3 Making the environment .venv")
        noted = {}
        run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)])
    STAMP.unlink(missing_ok=True)
    say("2/3 Fetching uv, which fetches the rest")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    only_these = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    run([*pip, "install", "--quiet", *only_these, "--requirement", str(locked("setup"))])
    say("3/3 Fetching the packages of requirements/{}.txt and train.txt".format(purpose))
    install = [str(PYTHON.with_name("uv")), "pip", "install", "--python", str(PYTHON)]
    # Without --no-build, a package that has no wheel for this machine would fetch tools that nobody locked.
    only_these = ["--require-hashes", "--no-build"]
    settings = own_index(pip)
    run([*install, *only_these, "--requirement", str(locked(purpose))], settings)
    if os.environ.get(TORCH_INDEX):
        say("{} is set: torch comes from there by its version, without a check of its hash.".format(TORCH_INDEX))
        run([*install, "--no-build", "--index", os.environ[TORCH_INDEX], *versions_of_torch()], settings)
    else:
        run([*install, *only_these, "--requirement", str(locked("train"))], settings)
    for name in BESIDE[purpose]:
        run([*install, *only_these, "--no-deps", "--requirement", str(locked(name))], settings)
    run([*install, "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    noted[purpose] = fingerprint(purpose)
    STAMP.write_text("".join("{} {}\n".format(*each) for each in noted.items()), "utf-8")


def versions_of_torch() -> list[str]:
    """Return the requirements of requirements/train.txt that another index is to serve, without their hashes."""
    lines = locked("train").read_text("utf-8").splitlines()
    return [line.split()[0] for line in lines if line.partition("==")[0] in TORCH]


def is_usable() -> bool:
    """Say whether the environment was made at this place, by a Python that is still there and has pip."""
    settings = ENVIRONMENT / "pyvenv.cfg"
    if not settings.exists() or not settings.read_text("utf-8").rstrip().endswith(str(ENVIRONMENT)):
        return False
    check = "import pip, sys; sys.exit(not {} <= sys.version_info[:2] <= {})".format(OLDEST_PYTHON, NEWEST_PYTHON)
    return PYTHON.exists() and subprocess.run([str(PYTHON), "-c", check], stderr=subprocess.DEVNULL).returncode == 0  # noqa: S603


def own_index(pip: list[str]) -> dict[str, str]:
    """Return the user's settings of pip for uv, which does not read them: somebody's only way out may be a mirror."""
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True).stdout  # noqa: S603
    found = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        variable = PIP_SETTINGS_IN_UV.get(name.rpartition(".")[2])
        if variable and variable not in os.environ:
            found[variable] = value.strip("'\"").replace("\\n", " ").strip()
    return found


def run(command: list[str], settings: Mapping[str, str] | None = None) -> None:
    """Run one step, whose output the user sees.

    Raises:
        Refused: The step failed.
    """
    if subprocess.run(command, env={**os.environ, **(settings or {})}).returncode != 0:  # noqa: S603
        raise Refused("The set-up stopped at this step, for the reason above; the same command goes on from here.")


def say(message: str) -> None:
    """Tell the user what happens."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
