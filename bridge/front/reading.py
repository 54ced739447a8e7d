"""Reads a request's body: media type, size and deadline first, JSON by whoever knows the type."""

import asyncio
from typing import TypeVar

import msgspec
from aiohttp import web

from bridge.errors import BodyTooLarge, RequestTimeout, WrongMediaType
from bridge.wire import read_json_as

BODY_BYTES = 64 * 1024
"""The most a body may hold; also aiohttp's ``client_max_size``."""

BODY_DEADLINE_SECONDS = 10.0
"""How long a body may take to arrive."""

_JSON = ("application/json", "application/json;charset=utf-8")
_FORM = ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=utf-8")

Body = TypeVar("Body", bound=msgspec.Struct)


async def read_json(request: web.Request) -> bytes:
    """Return a JSON body as it came; an absent or empty one means ``{}`` and needs no Content-Type.

    Raises:
        WrongMediaType: it is not exactly ``application/json``, or is encoded.
        BodyTooLarge: over `BODY_BYTES`.
        RequestTimeout: it did not arrive in time.
    """
    return await _read(request, _JSON) or b"{}"


async def read_form(request: web.Request) -> bytes:
    """Return a form body as it came (RFC 6749 appendix B).

    Raises:
        WrongMediaType: it is not exactly ``application/x-www-form-urlencoded``, or is encoded.
        BodyTooLarge: over `BODY_BYTES`.
        RequestTimeout: it did not arrive in time.
    """
    return await _read(request, _FORM)


async def read_as(request: web.Request, kind: type[Body]) -> Body:
    """Return a JSON body as ``kind``.

    Raises:
        MalformedRequest: it is not JSON.
        InvalidParams: it does not fit; ``path`` names the fault.
    """
    return read_json_as(await read_json(request), kind)


async def _read(request: web.Request, types: tuple[str, str]) -> bytes:
    if not request.body_exists:
        return b""
    headers = request.headers
    if "Content-Encoding" in headers:
        raise WrongMediaType("send the body as it is, without Content-Encoding")
    length = request.content_length
    if length is not None and length > BODY_BYTES:
        raise BodyTooLarge(f"a body may hold {BODY_BYTES} bytes")
    given = headers.get("Content-Type", "")
    if given != types[0] and length != 0 and given.replace(" ", "").lower() not in types:
        raise WrongMediaType(f"send the body as Content-Type: {types[0]}")
    try:
        if request.content.is_eof() and length is not None:
            return request.content.read_nowait()  # it came along with the head, as small ones do: nothing to wait for
        async with asyncio.timeout(BODY_DEADLINE_SECONDS):
            return await request.read()
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within {BODY_DEADLINE_SECONDS:g} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise BodyTooLarge(f"a body may hold {BODY_BYTES} bytes") from None
