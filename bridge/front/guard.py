"""The two outer checks of every request, in this order: may it speak at all, and who is the caller."""

from collections.abc import Callable, Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.errors import BridgeError, OriginNotApproved, ScopeMissing
from bridge.front.caller import OWNER, Callers
from bridge.front.keys import CALLER, CHALLENGE, KEY, SPEAKER
from bridge.front.pages import UNREGISTER
from bridge.front.policy import (
    REMEDIES,
    Answer,
    Kind,
    Place,
    Refused,
    Speaker,
    is_worker_script,
    may_speak,
    may_speak_natively,
)
from bridge.front.problems import problem_response
from bridge.front.refusals import Refusals
from bridge.front.route import Need, Route
from bridge.messages import Caller

Rules = Mapping[web.AbstractRoute, Route]

_CHALLENGE_ERRORS = {"token_invalid": "invalid_token", "proof_invalid": "invalid_dpop_proof"}
"""Our codes as RFC 6750 section 3.1 and RFC 9449 section 7.1 name them."""


class Guard:
    """Both middlewares; ``rules`` is the route table, looked up by route, never by handler."""

    def __init__(self, rules: Rules, place: Callable[[], Place], callers: Callers, refusals: Refusals) -> None:
        self._rules = rules
        self._place = place
        self._callers = callers
        self._refusals = refusals
        metadata = f'resource_metadata="{place().base}/.well-known/oauth-protected-resource"'
        self._challenge = f'DPoP algs="ES256", {metadata}'

    @web.middleware
    async def speak(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the request on only if it may speak; a path that does not exist is held to the API's rule."""
        rule = self._rules.get(request.match_info.route)
        kind = rule.kind if rule is not None else Kind.API
        try:
            request[SPEAKER] = self._speaker(request, kind)
        except Refused as refused:
            return self._refuse(request, refused)
        if "Service-Worker" in request.headers and is_worker_script(request.raw_headers):
            return web.Response(text=UNREGISTER.decode(), content_type="text/javascript")
        return await handler(request)

    @web.middleware
    async def authenticate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Make the caller of a route that needs one, and hold it to the route's scope."""
        rule = self._rules.get(request.match_info.route)
        if rule is None or rule.need is Need.NONE or rule.need is Need.TICKET:
            return await handler(request)
        speaker = request[SPEAKER]
        caller = OWNER if speaker.is_unix else self._verify(request, speaker)
        if rule.need is Need.OWNER and not caller.owner:
            raise ScopeMissing("only the owner may ask this; over the Unix socket no token is needed", scope="owner")
        request[CALLER] = caller
        return await handler(request)

    def _speaker(self, request: web.Request, kind: Kind) -> Speaker:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone")
        if isinstance(transport.get_extra_info("sockname"), tuple):
            return may_speak(
                kind,
                self._place(),
                method=request.method,
                target=request.raw_path,
                version=request.version,
                headers=request.raw_headers,
            )
        return may_speak_natively(request.raw_headers)

    def _verify(self, request: web.Request, speaker: Speaker) -> Caller:
        headers = request.headers
        try:
            caller, key = self._callers.verify(
                speaker,
                authorization=headers.get("Authorization"),
                proofs=headers.getall("DPoP", ()),
                method=request.method,
                path=request.rel_url.raw_path,
            )
        except BridgeError as error:
            fault = _CHALLENGE_ERRORS.get(error.code)
            request[CHALLENGE] = f'{self._challenge}, error="{fault}"' if fault else self._challenge
            raise
        if key is not None:
            request[KEY] = key
        return caller

    def _refuse(self, request: web.Request, refused: Refused) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        self._refusals.note(refused.reason, method=request.method, target=request.raw_path, origin=origin)
        return _ANSWERS[refused.answer](request, refused, self._place())


def _close(request: web.Request, refused: Refused, place: Place) -> web.StreamResponse:
    del refused, place
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=400)  # never written: the connection is gone


def _empty(request: web.Request, refused: Refused, place: Place) -> web.StreamResponse:
    del request, refused, place
    return web.Response(status=403)


def _misdirected(request: web.Request, refused: Refused, place: Place) -> web.StreamResponse:
    del request, refused
    return web.Response(status=421, text=f"Use {place.base} instead.\n")


def _not_approved(request: web.Request, refused: Refused, place: Place) -> web.StreamResponse:
    del place
    request[SPEAKER] = Speaker(
        refused.origin, sent=True
    )  # the answer carries CORS headers, so that the page can read it
    return problem_response(OriginNotApproved(REMEDIES[refused.reason]).problem())


def _how_to_open(request: web.Request, refused: Refused, place: Place) -> web.StreamResponse:
    del refused
    if request.path == "/":
        return web.Response(
            text="This is Tollbridge, the native half of the web apps that you approved.\n"
            "It is opened in a browser with: tollbridge open\n"
            f"Programs start at {place.base}/v1/hello\n"
        )
    return web.Response(status=400, text="This page is opened by a site, in a browser, to ask the owner.\n")


_ANSWERS: dict[Answer, Callable[[web.Request, Refused, Place], web.StreamResponse]] = {
    Answer.CLOSE: _close,
    Answer.EMPTY: _empty,
    Answer.MISDIRECTED: _misdirected,
    Answer.NOT_APPROVED: _not_approved,
    Answer.HOW_TO_OPEN: _how_to_open,
}
