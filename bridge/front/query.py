"""Reads the parameters of a query; a wrong one is a 400 that names it."""

from aiohttp import web

from bridge.errors import InvalidParams
from bridge.messages import Cursor


def cursor(request: web.Request) -> Cursor | None:
    """Return ``after``, else ``Last-Event-ID``, else None.

    Raises:
        MalformedRequest: it is not a cursor.
    """
    text = request.query.get("after") or request.headers.get("Last-Event-ID")
    return Cursor.parse(text) if text else None


def seconds(request: web.Request, name: str, *, most: float) -> float:
    """Return the parameter ``name`` in seconds, 0 where it is missing.

    Raises:
        InvalidParams: not a number from 0 to ``most``.
    """
    text = request.query.get(name, "0")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= most:
        raise InvalidParams(f"{name} is a number of seconds from 0 to {most:g}", path=name)
    return value
