"""Reads a request's body once the policy has let its head through: size and deadline here, content by its reader."""

import asyncio
from typing import TypeVar

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from bridge.errors import BodyTooLarge, MalformedRequest, RequestTimeout
from bridge.front.policy import BODY_BYTES
from bridge.wire import read_json_as

BODY_DEADLINE_SECONDS = 10.0
"""How long a body may take to arrive."""

Kind = TypeVar("Kind", bound=msgspec.Struct)


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a route that takes no fields: ``{}``, or no body at all."""


def reading_nothing(handler: Handler) -> Handler:
    """Return ``handler``, which has no use for a body, behind the same strict look into it as everywhere."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await read_as(request, Nothing)
        return await handler(request)

    return answer


async def read_json(request: web.Request) -> bytes:
    """Return a JSON body as it came; an absent or empty one means ``{}``.

    Raises:
        BodyTooLarge: over `BODY_BYTES`.
        MalformedRequest: its chunks are none.
        RequestTimeout: it did not arrive in time.
    """
    return await read_body(request) or b"{}"


async def read_as(request: web.Request, kind: type[Kind]) -> Kind:
    """Return a JSON body as ``kind``.

    Raises:
        MalformedRequest: it is not JSON.
        InvalidParams: it does not fit; ``path`` names the fault.
    """
    return read_json_as(await read_json(request), kind)


async def read_body(request: web.Request) -> bytes:
    """Return a body as it came; the errors are those of `read_json`."""
    if not request.body_exists:
        return b""
    content = request.content
    try:
        if content.is_eof() and request.content_length is not None:
            return content.read_nowait()  # it came along with the head, as small ones do: nothing to wait for
        async with asyncio.timeout(BODY_DEADLINE_SECONDS):
            if "Expect" in request.headers:
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return await request.read()
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within {BODY_DEADLINE_SECONDS:g} s") from None
    # aiohttp's parser in Python hands a reader that already waits the parser's own error.
    except (web.RequestPayloadError, HttpProcessingError):
        raise MalformedRequest("the body is not framed as its head says (RFC 9112 7.1)") from None
    except web.HTTPRequestEntityTooLarge:
        raise BodyTooLarge(f"a body may hold {BODY_BYTES} bytes") from None
