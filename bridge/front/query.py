"""Reads the parameters of a query; a wrong one is a 400 that names it."""

import re
from collections.abc import Collection

from aiohttp import web

from bridge.errors import InvalidParams
from bridge.messages import Cursor

_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
"""What Python reads as a number is more: other scripts' digits, ``1_0``, ``1e1``, spaces."""


def check(request: web.Request, known: Collection[str]) -> None:
    """Check that the query has no parameter but ``known``, and each at most once.

    Raises:
        InvalidParams: it has another one, or one twice.
    """
    query = request.query
    for name in query:
        if name not in known:
            taken = f"takes {', '.join(known)} and nothing else" if known else "takes none"
            raise InvalidParams(f"a parameter of the query is unknown; this path {taken}")
        if len(query.getall(name)) > 1:
            raise InvalidParams(f"{name} stands in the query more than once", path=name)


def cursor(request: web.Request) -> Cursor | None:
    """Return ``after``, else ``Last-Event-ID``, else None.

    Raises:
        MalformedRequest: it is not a cursor.
    """
    text = request.query.get("after") or request.headers.get("Last-Event-ID")
    return Cursor.parse(text) if text else None


def whole(request: web.Request, name: str, least: int, most: int) -> int | None:
    """Return the parameter ``name`` as a whole number, None where it is missing.

    Raises:
        InvalidParams: not a number from ``least`` to ``most``.
    """
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise InvalidParams(f"{name} is a whole number from {least} to {most}", path=name)
    return int(text)


def seconds(request: web.Request, name: str, *, most: float) -> float:
    """Return the parameter ``name`` in seconds, 0 where it is missing.

    Raises:
        InvalidParams: not a number from 0 to ``most``.
    """
    text = request.query.get(name, "0")
    value = float(text) if _NUMBER.fullmatch(text) else -1.0
    if not 0.0 <= value <= most:
        raise InvalidParams(f"{name} is a number of seconds from 0 to {most:g}", path=name)
    return value
