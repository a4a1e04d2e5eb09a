"""GraphQL over Server-Sent Events, in "distinct connections" mode (github.com/enisdenjo/graphql-sse, PROTOCOL.md).

One request, one stream: each answer is a `next` event, and `complete` ends it. Where the server closes, the stream
breaks off without `complete`, so that clients connect again.
"""

import asyncio
from collections.abc import AsyncGenerator
from functools import lru_cache

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Send

from mentorgraph.api.errors import DocumentRefused, refusal_of
from mentorgraph.api.streaming import Answer

EVENT_STREAM = "text/event-stream"
HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events back until its buffer is full
)
ALIVE = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"


@lru_cache(maxsize=64)
def is_event_stream(accept: str) -> bool:
    """Tell whether an Accept header names event streams."""
    return any(entry.partition(";")[0].strip() == EVENT_STREAM for entry in accept.lower().split(","))


async def send_events(answers: AsyncGenerator[Answer, None], send: Send, heartbeat_s: float) -> None:
    """Send answers as a stream of events, and a sign of life wherever none comes for some time.

    What is wrong with the document is sent as an event, since a browser's `EventSource` shows no other answer.

    Raises:
        Exception: Whatever else refuses the request, as long as nothing has been sent.
    """
    coming = asyncio.ensure_future(anext(answers))
    is_begun = is_over = False
    try:
        while not is_over:
            await asyncio.wait({coming}, timeout=heartbeat_s)
            chunk = ALIVE
            if coming.done():
                chunk, is_over = _chunk(coming, is_begun)
                if not is_over:
                    coming = asyncio.ensure_future(anext(answers))
            if not is_begun:
                await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
                is_begun = True
            await send({"type": "http.response.body", "body": chunk, "more_body": not is_over})
    finally:
        if not coming.done():
            coming.cancel()
            await asyncio.wait({coming})
        await answers.aclose()


def _chunk(coming: "asyncio.Future[Answer]", is_begun: bool) -> tuple[bytes, bool]:
    """What to send of an answer that has come, and whether it is the last."""
    try:
        return _event(coming.result()), False
    except StopAsyncIteration:
        return COMPLETE, True
    except ClientDisconnect:
        return b"", True
    except Exception as error:
        if not (is_begun or isinstance(error, DocumentRefused)):
            raise
        return _event({"errors": refusal_of(error).errors}) + COMPLETE, True


def _event(answer: Answer) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(answer) + b"\n\n"
