"""The one exception of the embedded database."""

from typing import Literal

Code = Literal[
    "another_line",
    "disk_full",
    "dump_failed",
    "extra_missing",
    "file_exists",
    "guardian_silent",
    "hash_mismatch",
    "load_refused",
    "no_database",
    "no_network",
    "port_taken",
    "start_failed",
    "stopped",
    "store_locked",
    "wrong_password",
]


class EmbeddedDatabaseError(Exception):
    """What went wrong and what to do about it, in words for the person at the keyboard.

    Attributes:
        message: One or two sentences that name the remedy.
        code: The kind of failure, for programs.
    """

    def __init__(self, message: str, code: Code) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
