"""The request path on one screen: the route table and the order of the middlewares."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from aiohttp import web

from bridge.front.caller import Callers
from bridge.front.commands import Apps, Call, State
from bridge.front.consent import Consent
from bridge.front.guard import Guard
from bridge.front.hello import Hello
from bridge.front.owner import Owner
from bridge.front.pages import Pages
from bridge.front.policy import Kind, Place
from bridge.front.poll import Poll
from bridge.front.problems import answer_errors, stamp
from bridge.front.reading import BODY_BYTES
from bridge.front.refusals import Refusals
from bridge.front.route import Need, Route
from bridge.front.stream import Stream
from bridge.front.tickets import SocketTickets
from bridge.front.websocket import Socket
from oauth.server.routes import Endpoints

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, DPoP, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer"
    ),
    "Access-Control-Max-Age": "7200",
}


class Handlers(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that answers; built by `bridge.daemon`."""

    pages: Pages
    consent: Consent
    oauth: Endpoints
    hello: Hello
    tickets: SocketTickets
    apps: Apps
    state: State
    call: Call
    stream: Stream
    poll: Poll
    socket: Socket
    owner: Owner


def table(on: Handlers) -> list[Route]:
    """Return every route there is. A row without kind and need does not exist."""
    page, static, own, open_, api = Kind.PAGE, Kind.STATIC, Kind.OWN, Kind.OPEN, Kind.API
    none, any_, app, owner = Need.NONE, Need.ANY, Need.APP, Need.OWNER
    return [
        Route("GET", "/", page, none, on.pages.dashboard),
        Route("GET", "/oauth/authorize", page, none, on.pages.consent),
        Route("GET", "/static/{name:.+}", static, none, on.pages.static),
        Route("POST", "/oauth/requests", own, none, on.consent.open),
        Route("GET", "/oauth/requests/{handle}", own, none, on.consent.poll),
        Route("GET", "/oauth/requests", api, owner, on.consent.list),
        Route("POST", "/oauth/requests/{code}", api, owner, on.consent.answer),
        Route("POST", "/oauth/token", open_, none, on.oauth.token),
        Route("GET", "/.well-known/oauth-authorization-server", open_, none, on.oauth.authorization_server),
        Route("GET", "/.well-known/oauth-protected-resource", open_, none, on.oauth.protected_resource),
        Route("GET", "/v1/hello", open_, none, on.hello.answer),
        Route("POST", "/v1/tickets", api, any_, on.tickets.issue),
        Route("GET", "/v1/apps", api, any_, on.apps.list),
        Route("GET", "/v1/apps/{app}/state", api, app, on.state.read),
        Route("POST", "/v1/apps/{app}/{command}", api, app, on.call.run),
        Route("GET", "/v1/events", api, any_, _by_accept(on.stream, on.poll)),
        Route("GET", "/v1/socket", Kind.SOCKET, Need.TICKET, on.socket.open),
        Route("GET", "/v1/status", api, owner, on.owner.status),
        Route("GET", "/v1/refusals", api, owner, on.owner.refusals),
        Route("GET", "/v1/grants", api, owner, on.owner.grants),
        Route("DELETE", "/v1/grants/{id}", api, owner, on.owner.revoke),
        Route("POST", "/v1/activation-links", api, owner, on.owner.activation_link),
        Route("POST", "/v1/tokens", api, owner, on.owner.token),
    ]


def build(routes: Sequence[Route], place: Callable[[], Place], callers: Callers, refusals: Refusals) -> web.Application:
    """Return the application. Order matters: errors become answers, then the policy, then the caller."""
    rules: dict[web.AbstractRoute, Route] = {}
    guard = Guard(rules, place, callers, refusals)
    app = web.Application(
        middlewares=[answer_errors, guard.speak, guard.authenticate],
        client_max_size=BODY_BYTES,
    )
    for route in (*routes, *_preflights(routes)):
        rules[app.router.add_route(route.method, route.path, route.handler)] = route
    app.on_response_prepare.append(stamp)
    return app


def _preflights(routes: Sequence[Route]) -> list[Route]:
    """Return an OPTIONS route for each path that other origins may use; where one of ours stands, there is none."""
    kinds: dict[str, set[Kind]] = {}
    for route in routes:
        kinds.setdefault(route.path, set()).add(route.kind)
    return [
        Route("OPTIONS", path, Kind.OPEN, Need.NONE, _preflight)
        for path, found in kinds.items()
        if found <= {Kind.OPEN, Kind.API}
    ]


async def _preflight(request: web.Request) -> web.Response:
    """Answer a CORS preflight (Fetch section 4.8): without a token, for every well-formed origin."""
    del request
    return web.Response(status=204, headers=_PREFLIGHT)


def _by_accept(stream: Stream, poll: Poll) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def events(request: web.Request) -> web.StreamResponse:
        if "text/event-stream" in request.headers.get("Accept", ""):
            return await stream.open(request)
        return await poll.answer(request)

    return events
