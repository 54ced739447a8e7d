"""The request path on one screen: the route table and the way of a request."""

import logging
import re
import time
from collections.abc import Sequence

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bridge.errors import MethodNotAllowed, NotFound, Problem
from bridge.front.audit import AuditRoute
from bridge.front.commands import Apps, Call, State
from bridge.front.consent import ConsentRoutes
from bridge.front.guard import Guard
from bridge.front.hello import Hello
from bridge.front.keyring import Keyring
from bridge.front.keys import CALLER
from bridge.front.offers import OfferRoutes
from bridge.front.owner import Owner
from bridge.front.pages import Pages
from bridge.front.policy import BODY_BYTES, Body, Kind, Need
from bridge.front.poll import Poll
from bridge.front.problems import PROBLEM_TYPE, answer_error, problem_response, stamp
from bridge.front.query import check as check_query
from bridge.front.reading import reading_nothing
from bridge.front.reasons import Answer, Reason, Refused
from bridge.front.route import Route, pattern
from bridge.front.stream import Stream
from bridge.front.tickets import SocketTickets
from bridge.front.websocket import Socket
from oauth.server.routes import Endpoints

logger = logging.getLogger(__name__)

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, DPoP, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer"
    ),
    "Access-Control-Max-Age": "7200",
}


_STATUS: web.RequestKey[int] = web.RequestKey("status", int)
"""That of an answer whose head is out, for the log: a stream ends by an exception."""


class Handlers(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that answers; built by `bridge.daemon`."""

    pages: Pages
    consent: ConsentRoutes
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
    audit: AuditRoute
    offers: OfferRoutes
    keyring: Keyring


def table(on: Handlers) -> list[Route]:
    """Return every route there is. A row without kind and need does not exist."""
    page, static, own, open_, api = Kind.PAGE, Kind.STATIC, Kind.OWN, Kind.OPEN, Kind.API
    none, any_, app, owner = Need.NONE, Need.ANY, Need.APP, Need.OWNER
    json, form = Body.JSON, Body.FORM
    return [
        Route("GET", "/", page, none, on.pages.dashboard, query=None),
        Route("GET", "/oauth/authorize", page, none, on.pages.consent, query=None),
        Route("GET", "/oauth/device", page, none, on.pages.device, query=None),
        Route("GET", "/offer", page, none, on.pages.offer, query=None),
        Route("GET", "/static/{name:.+}", static, none, on.pages.static, query=None),
        Route("POST", "/oauth/requests", own, none, on.consent.open, json),
        Route("GET", "/oauth/requests/{handle}", own, none, on.consent.poll, query=("wait",)),
        Route("DELETE", "/oauth/requests/{handle}", own, none, on.consent.withdraw),
        Route("GET", "/oauth/requests", api, owner, on.consent.list, query=("wait", "after")),
        Route("POST", "/oauth/requests/{code}", api, owner, on.consent.answer, json),
        Route("POST", "/oauth/token", open_, none, on.oauth.token, form, None),
        Route("POST", "/oauth/device_authorization", open_, none, on.oauth.device_authorization, form, None),
        Route("POST", "/oauth/revoke", open_, none, on.oauth.revoke, form, None),
        Route("POST", "/oauth/clean", open_, none, on.oauth.clean, form, None),
        Route("GET", "/.well-known/oauth-authorization-server", open_, none, on.oauth.authorization_server, query=None),
        Route("GET", "/.well-known/oauth-protected-resource", open_, none, on.oauth.protected_resource, query=None),
        Route("GET", "/v1/hello", open_, none, on.hello.answer, query=("nonce", "key")),
        Route("POST", "/v1/tickets", api, any_, reading_nothing(on.tickets.issue), json),
        Route("GET", "/v1/apps", api, any_, on.apps.list),
        Route("GET", "/v1/apps/{app}/state", api, app, on.state.read, query=("returnon", "returnafter")),
        Route("POST", "/v1/apps/{app}/{command}", api, app, on.call.run, json),
        Route("GET", "/v1/events", api, any_, _by_accept(on.stream, on.poll), query=("topics", "after", "wait")),
        Route("GET", "/v1/socket", Kind.SOCKET, Need.TICKET, on.socket.open),
        Route("GET", "/v1/status", api, owner, on.owner.status),
        Route("GET", "/v1/refusals", api, owner, on.owner.refusals),
        Route("POST", "/v1/keyring", api, owner, on.keyring.check),
        Route("GET", "/v1/audit", api, owner, on.audit.list, query=("after", "limit")),
        Route("GET", "/v1/grants", api, owner, on.owner.grants),
        Route("GET", "/v1/grants/{id}", api, owner, on.owner.grant),
        Route("DELETE", "/v1/grants/{id}", api, owner, on.owner.revoke),
        Route("DELETE", "/v1/grants/{id}/denials", api, owner, on.owner.forget_denials),
        Route("POST", "/v1/activation-links", api, owner, reading_nothing(on.owner.activation_link), json),
        Route("POST", "/v1/tokens", api, owner, on.owner.token, json),
        Route("POST", "/v1/offers", api, owner, on.offers.make, json),
        Route("GET", "/v1/offers", api, owner, on.offers.list),
        Route("POST", "/v1/offers/redeem", open_, none, on.offers.redeem, json),
        Route("DELETE", "/v1/offers/{id}", api, owner, on.offers.revoke),
    ]


def build(routes: Sequence[Route], guard: Guard) -> web.Application:
    """Return the application that answers ``routes`` and nothing else, each behind the guard."""
    app = web.Application(client_max_size=BODY_BYTES)
    others = Route("*", "/{path:.*}", Kind.API, Need.NONE, _missing(routes), Body.UNREAD, None)
    for route in (*routes, *_preflights(routes), others):
        app.router.add_route(route.method, route.path, _guarded(route, guard), expect_handler=_answer_first)

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        stamp(request, response)
        if logger.isEnabledFor(logging.DEBUG):
            request[_STATUS] = response.status

    app.on_response_prepare.append(prepare)
    return app


def entrance(inner: Handler, guard: Guard) -> Handler:
    """Return ``inner``, the application's own handler, behind what comes before any route.

    A target that no path of ours can match (`*`, an authority) would come past every route to an answer of aiohttp's.
    """

    async def enter(request: web.Request) -> web.StreamResponse:
        if not request.raw_path.startswith("/"):
            return guard.refuse(request, Refused(Reason.TARGET_FORM, Answer.CLOSE))
        return await inner(request)

    return enter


async def _answer_first(request: web.Request) -> None:
    """Leave ``Expect: 100-continue`` (RFC 9110 10.1.1) to whoever reads the body, behind the guard.

    aiohttp's own answer to it goes out before any handler runs: to everybody, whatever the Host.
    """
    del request


def _guarded(route: Route, guard: Guard) -> Handler:
    """Return the way of a request: may it speak, who is the caller, then the handler; errors become answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            guard.check(request, route)
            if route.query is not None and "?" in request.raw_path:
                check_query(request, route.query)
            return await route.handler(request)
        except Refused as refused:
            return guard.refuse(request, refused)
        except ConnectionError:
            raise  # nobody is there to be told
        except Exception as error:  # noqa: BLE001  # the one place where every error becomes an answer
            return answer_error(request, error)

    return _told(answer)


def _told(answer: Handler) -> Handler:
    """Return ``answer`` with a line of the log at its end (DEBUG), for whoever wonders what came of a request."""

    async def told(request: web.Request) -> web.StreamResponse:
        if not logger.isEnabledFor(logging.DEBUG):
            return await answer(request)
        begun, status, code = time.perf_counter(), None, None
        try:
            response = await answer(request)
            if request.transport is not None and not request.transport.is_closing():
                status, code = response.status, _code(response)
            return response
        finally:
            caller = request.get(CALLER)
            logger.debug(
                "a request has ended",
                extra={
                    "method": request.method if request.method in hdrs.METH_ALL else "-",
                    "path": pattern(request),
                    "client": None if caller is None else caller.client,
                    "status": request.get(_STATUS, status),
                    "outcome": code,
                    "milliseconds": round((time.perf_counter() - begun) * 1000, 1),
                },
            )

    return told


def _code(response: web.StreamResponse) -> str | None:
    """Return the code of a problem, None of any other answer."""
    if response.content_type != PROBLEM_TYPE or not isinstance(response, web.Response):
        return None
    return msgspec.json.decode(response.body or b"", type=Problem).code  # type: ignore[arg-type]  # ours are bytes


def _preflights(routes: Sequence[Route]) -> list[Route]:
    """Return an OPTIONS route for each path that other origins may use; where one of ours stands, there is none."""
    kinds: dict[str, set[Kind]] = {}
    for route in routes:
        kinds.setdefault(route.path, set()).add(route.kind)
    return [
        Route("OPTIONS", path, Kind.OPEN, Need.NONE, _preflight, Body.UNREAD, None)
        for path, found in kinds.items()
        if found <= {Kind.OPEN, Kind.API}
    ]


async def _preflight(request: web.Request) -> web.Response:
    """Answer a CORS preflight (Fetch section 4.8): without a token, for every well-formed origin."""
    del request
    return web.Response(status=204, headers=_PREFLIGHT)


def _missing(routes: Sequence[Route]) -> Handler:
    """Return the handler of all other paths and methods, which are held to the API's rule as well."""
    served = [(re.compile(re.sub(r"\{\w+(:[^}]+)?\}", "[^/]+", route.path)), route.method) for route in routes]

    async def missing(request: web.Request) -> web.Response:
        allowed = sorted({method for path, method in served if path.fullmatch(request.path)})
        if not allowed:
            raise NotFound("there is nothing at this path; GET /v1/apps lists the commands")
        response = problem_response(MethodNotAllowed(f"this path takes {', '.join(allowed)}").problem())
        response.headers["Allow"] = ", ".join(allowed)
        return response

    return missing


def _by_accept(stream: Stream, poll: Poll) -> Handler:
    async def events(request: web.Request) -> web.StreamResponse:
        if "text/event-stream" in request.headers.get("Accept", ""):
            return await stream.open(request)
        return await poll.answer(request)

    return events
