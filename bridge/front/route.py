"""What a route declares: its kind and what it needs; neither has a default."""

import enum
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from bridge.front.policy import Kind


class Need(enum.StrEnum):
    """Which token a route needs."""

    NONE = "none"
    """None: said explicitly, listed in a test."""
    ANY = "any"
    """Any valid one; the handler shows what its scopes cover."""
    APP = "app"
    """The scope that the app declares for the command or the state; checked by the dispatch."""
    OWNER = "owner"
    """The owner's."""
    TICKET = "ticket"
    """A ticket or a bearer token, checked after the upgrade, where a page can read the answer."""


class Route(NamedTuple):
    """One row of the table."""

    method: str
    path: str
    kind: Kind
    need: Need
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
