"""What an operator may set: one dataclass per table of the file, each field a setting.

A setting is a variable of the environment, or a line of a TOML file that stands for it; the variable wins. The file is
`mentorgraph.toml` of the working folder, or the one that `MENTORGRAPH_CONFIG` names. All that is wrong is said at once.
To add a setting, add a field; to add a table, add a dataclass and a field of `Settings`.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mentorgraph.api.limits import Limits, StreamLimits

FILE_VARIABLE = "MENTORGRAPH_CONFIG"
FILE = "mentorgraph.toml"
PREFIX = "MENTORGRAPH_"
ELSEWHERE = frozenset({FILE_VARIABLE, "MENTORGRAPH_DISK_RESERVE_MIB", "MENTORGRAPH_TORCH_INDEX"})
"""Variables that are no settings of a file: they concern the set-up, or the file itself."""

Read = Callable[[str], object]


class BadSettings(Exception):
    """Settings that cannot be used.

    Attributes:
        faults: One sentence for each.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def whole(least: int, most: int) -> Read:
    """Reads a whole number within bounds."""

    def read(text: str) -> object:
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def seconds(text: str) -> object:
    """Reads a time in seconds."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 < value <= 86_400:
        raise ValueError("a number of seconds, more than 0 and at most 86400")
    return value


def yes_or_no(text: str) -> object:
    """Reads a choice of two."""
    if text.lower() not in {"1", "0", "true", "false", "yes", "no"}:
        raise ValueError("1 or 0 (true or false in a file)")
    return text.lower() in {"1", "true", "yes"}


def one_of(*choices: str) -> Read:
    """Reads one of some words."""

    def read(text: str) -> object:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return read


def words(pattern: str, wanted: str) -> Read:
    """Reads a list, in the environment with commas between."""

    def read(text: str) -> object:
        found = tuple(word.strip() for word in text.split(",") if word.strip())
        if not all(re.fullmatch(pattern, word) for word in found):
            raise ValueError(wanted)
        return found

    return read


def matching(pattern: str, wanted: str) -> Read:
    """Reads a text of some form."""

    def read(text: str) -> object:
        if not re.fullmatch(pattern, text):
            raise ValueError(wanted)
        return text

    return read


def setting(default: object, read: Read | None = None, *, variable: str = "", secret: bool = False) -> Any:
    """A field of a table.

    Args:
        default: What holds if nothing is set.
        read: Turns a text into the value, and raises `ValueError` with what is wanted; by the kind of the default if
            not given.
        variable: Name in the environment; `MENTORGRAPH_` and the name of the field if not given.
        secret: Whether the value is never shown.
    """
    return field(default=default, repr=not secret, metadata={"read": read, "variable": variable, "secret": secret})


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie."""

    home: str = setting(".mentorgraph")
    policy: str = setting("")
    cache: str = setting("")


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Which Neo4j is used; the embedded one where there is no URI."""

    uri: str = setting(
        "",
        matching(r"((bolt|neo4j)(\+s|\+ssc)?://[^\s@]+)?", "an address such as bolt://HOST:7687, without a password"),
        variable="NEO4J_URI",
    )
    user: str = setting("neo4j", variable="NEO4J_USER")
    password: str = setting("", variable="NEO4J_PASSWORD", secret=True)
    name: str = setting("", variable="NEO4J_DATABASE")
    line: str = setting("current", one_of("current", "lts"), variable="MENTORGRAPH_NEO4J_LINE")
    java_options: str = setting("", variable="MENTORGRAPH_JAVA_OPTIONS")
    neo4j_settings: str = setting("", variable="MENTORGRAPH_NEO4J_SETTINGS")


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How GraphQL is served."""

    host: str = setting("127.0.0.1", matching(r"[\w.:-]+", "a name or an address"))
    port: int = setting(8000, whole(0, 65_535))
    workers: int = setting(1, whole(1, 64))
    demo: bool = setting(False)
    dev: bool = setting(False)
    access_log: bool = setting(False)
    log_format: str = setting("text", one_of("text", "json"))
    metrics_token: str = setting("", matching(r"[\x21-\x7e]{16,200}", "16 to 200 signs without spaces"), secret=True)
    trusted_documents_only: bool = setting(False)
    allowed_hosts: tuple[str, ...] = setting(
        (), words(r"\*|(\*\.)?[\w.-]+|\[[0-9a-fA-F:]+\]", "names without port, such as api.example.org")
    )
    cors_origins: tuple[str, ...] = setting(
        (), words(r"https?://[\w.-]+(:\d+)?", "origins, such as https://app.example.org, each written out")
    )


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """Whose tokens count; `tokens.IssuerSettings` says what the values may be, and which belong together."""

    issuer: str = setting("")
    audience: str = setting("")
    jwks: str = setting("")
    algorithms: str = setting("")
    subject_claim: str = setting("")
    subject_source: str = setting("")
    roles_claim: str = setting("")
    clock_skew_s: str = setting("")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, table by table."""

    places: Places
    database: DatabaseSettings
    serve: ServeSettings
    sign_in: SignInSettings
    limits: Limits
    streams: StreamLimits


@dataclass(frozen=True, slots=True)
class Known:
    """One setting that there is.

    Attributes:
        key: Its name in the file, `table.field`.
        variable: Its name in the environment.
        default: What holds if nothing is set.
        read: Turns a text into its value, or raises `ValueError` with what is wanted.
        is_secret: Whether its value is never shown.
    """

    key: str
    variable: str
    default: object
    read: Read
    is_secret: bool


def _known(table: str, each: Field[Any]) -> Known:
    by_kind: dict[type, Read] = {bool: yes_or_no, int: whole(1, 10**12), float: seconds, str: str}
    variable = each.metadata.get("variable") or PREFIX + each.name.upper()
    read = each.metadata.get("read") or by_kind[type(each.default)]
    return Known(f"{table}.{each.name}", variable, each.default, read, bool(each.metadata.get("secret")))


TABLES: dict[str, Any] = {table.name: table.type for table in fields(Settings)}
KNOWN = {known.key: known for name, table in TABLES.items() for each in fields(table) for known in [_known(name, each)]}
"""Every setting, by its key."""


def take_file(environment: MutableMapping[str, str]) -> Path | None:
    """Puts what the file says into the environment, where that does not say it already; returns the file, if any.

    Raises:
        BadSettings: The file cannot be read, or says what nobody asks for; nothing is taken from it then.
    """
    named = environment.get(FILE_VARIABLE)
    path = Path(named or FILE)
    if not named and not path.is_file():
        return None
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadSettings([f"{path}: cannot be read ({error.strerror}); correct {FILE_VARIABLE}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings([f"{path}: it is no TOML ({error})"]) from None
    faults: list[str] = []
    said: dict[str, str] = {}
    for table, content in tables.items():
        if not isinstance(content, dict):
            faults.append(f"{path}: {table} stands outside of a table; the tables are {', '.join(TABLES)}")
            continue
        for name, value in content.items():
            key = f"{table}.{name}"
            if key not in KNOWN:
                faults.append(f"{path}: there is no setting {key}{_near(key, list(KNOWN))}")
                continue
            text = _as_text(value)
            if text is None:
                faults.append(f"{path}: {key} is neither a text, a number, true or false, nor a list of texts")
                continue
            said[KNOWN[key].variable] = text
            if fault := _fault(KNOWN[key], text, f"{path}: {key}"):
                faults.append(fault)
    if faults:
        raise BadSettings(faults)
    for variable, text in said.items():
        environment.setdefault(variable, text)
    return path


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Returns what is set, and the default where nothing is.

    Raises:
        BadSettings: A variable has a value that it cannot have, or a name that is nearly a setting's.
    """
    variables = {known.variable: known for known in KNOWN.values()}
    faults = [
        f"there is no setting {name}{near}"
        for name in unknown_variables(environment)
        if (near := _near(name, list(variables)))
    ]
    values: dict[str, object] = {}
    for key, known in KNOWN.items():
        text = environment.get(known.variable, "")
        fault = _fault(known, text, known.variable) if text else ""
        if fault:
            faults.append(fault)
        else:
            values[key] = known.read(text) if text else known.default
    if faults:
        raise BadSettings(faults)
    tables = {
        name: table(**{each.name: values[f"{name}.{each.name}"] for each in fields(table)})
        for name, table in TABLES.items()
    }
    return Settings(**tables)


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Names of variables that look like settings and are none."""
    known = {known.variable for known in KNOWN.values()} | ELSEWHERE
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def shown(settings: Settings, known: Known) -> str:
    """The value of a setting as an operator may read it; secrets are only said to be set."""
    table, _, name = known.key.partition(".")
    value = getattr(getattr(settings, table), name)
    if known.is_secret:
        return "(set)" if value else "(not set)"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _fault(known: Known, text: str, name: str) -> str:
    try:
        known.read(text)
    except ValueError as error:
        return f"{name} is {'not right' if known.is_secret else repr(text)}; it has to be {error}"
    return ""


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list) and all(isinstance(each, str) and "," not in each for each in value):
        return ",".join(value)
    return str(value) if isinstance(value, str | int | float) else None


def _near(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, 1, 0.8)
    return f"; did you mean {near[0]}?" if near else ""
