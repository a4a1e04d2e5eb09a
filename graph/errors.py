"""The one exception by which the domain tells a caller what went wrong.

Faces show its text and code as they are and hide every other exception, so a message names no address, statement or
person that the caller may not see.
"""


class DomainError(Exception):
    """A refusal or a failure that the caller may read.

    Args:
        message: One sentence for people.
        code: What programs switch on, in capitals: `NOT_FOUND`, `FORBIDDEN`, `BAD_USER_INPUT`, `SERVICE_UNAVAILABLE` …
        field: The input field that the message is about, if it is about one.
    """

    def __init__(self, message: str, *, code: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field
