"""Is it the daemon I paired with? The same bytes for every stranger; a proof for the origin that pinned our key."""

import re
import time
from collections.abc import Callable

import msgspec
from aiohttp import web

from bridge.errors import InvalidParams
from bridge.front.keys import SPEAKER
from bridge.identity import DaemonKey, Identity, Purpose

_HELLO = b'{"service":"tollbridge","api":{"min":1,"max":1}}'
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


class Prover:
    """Proves, to the origin that knows the key, that it is this daemon and this port."""

    def __init__(self, identity: Identity, *, salt: Callable[[str], bytes | None], port: int) -> None:
        self._identity = identity
        self._salt = salt
        self._port = port

    def key(self, origin: str) -> DaemonKey | None:
        """Return the key that ``origin`` knows us by; None where it has no grant."""
        salt = self._salt(origin)
        return None if salt is None else self._identity.key(origin, salt)

    def prove(self, origin: str | None, nonce: str, purpose: Purpose) -> str | None:
        """Return the JWS for ``origin``; None where it has no key of ours.

        Raises:
            InvalidParams: the nonce is not 16 to 64 base64url characters.
        """
        if _NONCE.fullmatch(nonce) is None:
            raise InvalidParams("a nonce is 16 to 64 base64url characters", path="nonce")
        key = None if origin is None else self.key(origin)
        if origin is None or key is None:
            return None
        return key.prove(nonce=nonce, origin=origin, port=self._port, purpose=purpose, issued_at=int(time.time()))


class Hello:
    """``GET /v1/hello``."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover

    async def answer(self, request: web.Request) -> web.Response:
        """Answer the fixed bytes, and the proof only where the pinned thumbprint is this origin's key now."""
        origin = request[SPEAKER].origin
        nonce, thumbprint = request.query.get("nonce"), request.query.get("key")
        body = _HELLO
        if origin is not None and nonce is not None and thumbprint is not None:
            key = self._prover.key(origin)
            if key is not None and key.thumbprint == thumbprint:
                proof = self._prover.prove(origin, nonce, "hello")
                body = b'%b,"proof":%b}' % (_HELLO[:-1], msgspec.json.encode(proof))
        return web.Response(body=body, content_type="application/json")
