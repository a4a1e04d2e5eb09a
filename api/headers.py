"""The head of a request, read where it stands: most requests need two or three of its fields, and no object for it."""

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str:
    """The value of a header; several of one name as one, with commas between; empty where there is none.

    Args:
        scope: The request.
        name: What the header is called, in lower case.
    """
    values = [value for each, value in scope["headers"] if each == name]
    return b",".join(values).decode("latin-1")
