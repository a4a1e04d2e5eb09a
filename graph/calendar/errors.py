"""The one error with which a file that is no calendar, or asks for too much work, is refused."""

from mentorgraph.graph.errors import DomainError


class UnreadableCalendar(DomainError):
    """The file is refused as a whole; nothing of it was taken."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="BAD_USER_INPUT", field="text")


class LeftOut(Exception):
    """One component of a calendar cannot be understood; the others go on.

    Attributes:
        reason: Why, in words that hold nothing of the component itself.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
