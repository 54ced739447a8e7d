"""What a route declares: its kind and need, without a default, and what it reads: nothing, if it does not say."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from bridge.front.policy import Body, Kind, Need


class Route(NamedTuple):
    """One row of the table."""

    method: str
    path: str
    kind: Kind
    need: Need
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    body: Body = Body.NONE


def pattern(request: web.Request) -> str:
    """Return the path of the route that a request was led to, for the log: ``/oauth/requests/{handle}``.

    Never the path as it was sent, which may hold a handle, or anything at all where no route of ours stands.
    """
    if not request.raw_path.startswith("/"):
        return "-"  # it was led nowhere
    resource = request.match_info.route.resource
    return "-" if resource is None else resource.canonical
