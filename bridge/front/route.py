"""What a route declares: its kind and need, without a default, and what it reads: nothing, if it does not say."""

from collections.abc import Awaitable, Callable, Collection
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
    query: Collection[str] | None = ()
    """The parameters that the query may have, each at most once; None: it is not looked at, or by the handler itself,
    as in OAuth, where unknown ones are to be ignored (RFC 6749 3.1)."""


def pattern(request: web.Request) -> str:
    """Return the path of the route that a request was led to, for the log: ``/oauth/requests/{handle}``.

    Never the path as it was sent, which may hold a handle, or anything at all where no route of ours stands.
    """
    if not request.raw_path.startswith("/"):
        return "-"  # it was led nowhere
    resource = request.match_info.route.resource
    return "-" if resource is None else resource.canonical
