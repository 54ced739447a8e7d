"""The outer checks of every request, in the policy's order: may it speak, may it send this, who is the caller."""

from collections.abc import Callable

from aiohttp import web

from bridge.errors import BridgeError, OriginNotApproved, ProofInvalid, UseNonce
from bridge.front.caller import OWNER, Callers
from bridge.front.keys import CALLER, CHALLENGE, KEY, NONCE, SPEAKER
from bridge.front.pages import UNREGISTER
from bridge.front.policy import Kind, Need, Place, Speaker, may_send, may_speak, may_speak_natively, may_use
from bridge.front.problems import problem_response
from bridge.front.reasons import REMEDIES, Answer, Refused
from bridge.front.refusals import Refusals
from bridge.front.route import Route, pattern
from bridge.messages import Caller

_CHALLENGE_ERRORS = {
    "token_invalid": "invalid_token",
    "proof_invalid": "invalid_dpop_proof",
    "use_dpop_nonce": "use_dpop_nonce",
}
"""Our codes as RFC 6750 section 3.1 and RFC 9449 sections 7.1 and 9 name them."""


class Guard:
    """All of them. They never wait and read no body: a request that may not speak costs next to nothing."""

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
            BridgeError: its body is none that the route reads, or it has no valid token, or not the scope.
        """
        speaker = request[SPEAKER] = self._speaker(request, route.kind)
        if request.body_exists:
            headers = request.headers
            may_send(
                route.body,
                media_type=headers.get("Content-Type", ""),
                encoding=headers.get("Content-Encoding"),
                length=request.content_length,
            )
        need = route.need
        if need is Need.NONE or need is Need.TICKET:
            return
        try:
            caller = OWNER if speaker.is_unix else self._verify(request, speaker)
            may_use(need, is_owner=caller.owner)
        except BridgeError as error:
            self._refusals.tell(error.code, speaker.origin)
            raise
        request[CALLER] = caller

    def refuse(self, request: web.Request, refused: Refused) -> web.Response:
        """Note a refusal and return how it looks from outside."""
        origin = request.headers.get("Origin")
        self._refusals.note(refused.reason, method=request.method, path=pattern(request), origin=origin)
        return _ANSWERS[refused.answer](request, refused, self._place())

    def _speaker(self, request: web.Request, kind: Kind) -> Speaker:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone")
        target, version, headers = request.raw_path, request.version, request.raw_headers
        if isinstance(transport.get_extra_info("sockname"), tuple):
            place = self._place()
            return may_speak(kind, place, method=request.method, target=target, version=version, headers=headers)
        return may_speak_natively(target=target, version=version, headers=headers)

    def _verify(self, request: web.Request, speaker: Speaker) -> Caller:
        headers = request.headers
        try:
            caller, access = self._callers.verify(
                speaker,
                authorization=headers.get("Authorization"),
                proofs=headers.getall("DPoP", ()),
                method=request.method,
                path=request.rel_url.raw_path,
            )
        except BridgeError as error:
            fault = _CHALLENGE_ERRORS.get(error.code)
            request[CHALLENGE] = f'{self._challenge}, error="{fault}"' if fault else self._challenge
            if isinstance(error, ProofInvalid | UseNonce):
                request[NONCE] = self._callers.nonce(speaker)
            raise
        if access.jkt is not None:
            request[KEY] = access.jkt
        if access.nonce is not None:
            request[NONCE] = access.nonce
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
    return web.Response(status=400, text="This page is for a person: open it in a browser.\n")


_ANSWERS: dict[Answer, Callable[[web.Request, Refused, Place], web.Response]] = {
    Answer.CLOSE: _close,
    Answer.EMPTY: _empty,
    Answer.MISDIRECTED: _misdirected,
    Answer.NOT_APPROVED: _not_approved,
    Answer.HOW_TO_OPEN: _how_to_open,
    Answer.UNREGISTER: _unregister,
}
