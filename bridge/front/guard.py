"""The two outer checks of every request, in this order: may it speak at all, and who is the caller."""

from collections.abc import Callable

from aiohttp import web

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
    may_speak,
    may_speak_natively,
)
from bridge.front.problems import problem_response
from bridge.front.refusals import Refusals
from bridge.front.route import Need, Route
from bridge.messages import Caller

_CHALLENGE_ERRORS = {"token_invalid": "invalid_token", "proof_invalid": "invalid_dpop_proof"}
"""Our codes as RFC 6750 section 3.1 and RFC 9449 section 7.1 name them."""


class Guard:
    """Both checks. They never wait: a request that may not speak costs next to nothing."""

    def __init__(self, place: Callable[[], Place], callers: Callers, refusals: Refusals) -> None:
        self._place = place
        self._callers = callers
        self._refusals = refusals
        metadata = f'resource_metadata="{place().base}/.well-known/oauth-protected-resource"'
        self._challenge = f'DPoP algs="ES256", {metadata}'

    def check(self, request: web.Request, route: Route) -> None:
        """Let the request on only if it may speak and its caller may use ``route``; both stand in the request then.

        Raises:
            Refused: it may not speak.
            BridgeError: it has no valid token, or not the scope.
        """
        speaker = request[SPEAKER] = self._speaker(request, route.kind)
        need = route.need
        if need is Need.NONE or need is Need.TICKET:
            return
        caller = OWNER if speaker.is_unix else self._verify(request, speaker)
        if need is Need.OWNER and not caller.owner:
            raise ScopeMissing("only the owner may ask this; over the Unix socket no token is needed", scope="owner")
        request[CALLER] = caller

    def refuse(self, request: web.Request, refused: Refused) -> web.Response:
        """Note a refusal and return how it looks from outside."""
        origin = request.headers.get("Origin")
        self._refusals.note(refused.reason, method=request.method, target=request.raw_path, origin=origin)
        return _ANSWERS[refused.answer](request, refused, self._place())

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


def _close(request: web.Request, refused: Refused, place: Place) -> web.Response:
    del refused, place
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=400)  # never written: the connection is gone


def _empty(request: web.Request, refused: Refused, place: Place) -> web.Response:
    del request, refused, place
    return web.Response(status=403)


def _misdirected(request: web.Request, refused: Refused, place: Place) -> web.Response:
    del request, refused
    return web.Response(status=421, text=f"Use {place.base} instead.\n")


def _not_approved(request: web.Request, refused: Refused, place: Place) -> web.Response:
    del place
    request[SPEAKER] = Speaker(
        refused.origin, sent=True
    )  # the answer carries CORS headers, so that the page can read it
    return problem_response(OriginNotApproved(REMEDIES[refused.reason]).problem())


def _unregister(request: web.Request, refused: Refused, place: Place) -> web.Response:
    del request, refused, place
    return web.Response(text=UNREGISTER, content_type="text/javascript")


def _how_to_open(request: web.Request, refused: Refused, place: Place) -> web.Response:
    del refused
    if request.path == "/":
        return web.Response(
            text="This is Tollbridge, the native half of the web apps that you approved.\n"
            "It is opened in a browser with: tollbridge open\n"
            f"Programs start at {place.base}/v1/hello\n"
        )
    return web.Response(status=400, text="This page is opened by a site, in a browser, to ask the owner.\n")


_ANSWERS: dict[Answer, Callable[[web.Request, Refused, Place], web.Response]] = {
    Answer.CLOSE: _close,
    Answer.EMPTY: _empty,
    Answer.MISDIRECTED: _misdirected,
    Answer.NOT_APPROVED: _not_approved,
    Answer.HOW_TO_OPEN: _how_to_open,
    Answer.UNREGISTER: _unregister,
}
