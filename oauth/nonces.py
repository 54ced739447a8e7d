"""Server nonces of DPoP proofs (RFC 9449 sections 8 and 9): computed from the time, so that none of them is kept."""

import secrets
from hmac import compare_digest, digest

from oauth import base64url
from oauth.errors import UseNonce
from oauth.models import Clock

SLOT_SECONDS = 300.0
"""Each slot has its nonce; the one before it is taken too, so that a nonce is good for 5 to 10 minutes."""
MAX_STEP_BACK_SECONDS = 1.0
"""A clock that was set back further ends every nonce: what was proved in a time that comes again is worth nothing."""

_NONCE_BYTES = 16
_SECRET_BYTES = 32
_CLIENTS = 1024
"""Clients whose nonces are kept within a slot; beyond that all are computed anew, which takes microseconds."""


class Nonces:
    """The nonces of one run of the daemon; the API and the token endpoint share them, as they share an address.

    HMAC-SHA256 of slot and client under a secret that dies with the process: nobody can make a proof before its time,
    and two sites that compare what they are told learn nothing. They are no secret: whoever asks is told. A client is
    an origin; None is all programs of this computer, which need not be told apart.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(_SECRET_BYTES)
        self._latest = clock()
        self._begin(self._latest)

    def current(self, client: str | None) -> str:
        """Return the nonce for the proofs of ``client`` from now on: 22 base64url characters."""
        return self._told(client)[0].decode()

    def is_current(self, nonce: str | None, client: str | None) -> bool:
        """Say whether ``nonce`` is the current one; if not, it is the one before, and the client is told the newer.

        Raises:
            UseNonce: it is neither, or there is none.
        """
        current, previous = self._told(client)
        sent = (nonce or "").encode()
        if compare_digest(sent, current):
            return True
        if compare_digest(sent, previous):
            return False
        raise UseNonce("make a new proof with the nonce in the DPoP-Nonce header")

    def _told(self, client: str | None) -> tuple[bytes, bytes]:
        """Return the current nonce of ``client`` and the one before."""
        self._turn()
        told = self._of_client.get(client)
        if told is None:
            if len(self._of_client) >= _CLIENTS:
                self._of_client.clear()
            told = self._of_client[client] = (self._of(self._slot, client), self._of(self._slot - 1, client))
        return told

    def _turn(self) -> None:
        now = self._clock()
        if now < self._latest - MAX_STEP_BACK_SECONDS:
            self._secret = secrets.token_bytes(_SECRET_BYTES)
        elif now < self._ends_at:
            self._latest = max(self._latest, now)
            return
        self._latest = now
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._slot = int(now // SLOT_SECONDS)
        self._ends_at = (self._slot + 1) * SLOT_SECONDS
        self._of_client: dict[str | None, tuple[bytes, bytes]] = {}

    def _of(self, slot: int, client: str | None) -> bytes:
        text = f"{slot} {client or ''}".encode()  # a slot is digits, so that no two pairs make one text
        return base64url.encode(digest(self._secret, text, "sha256")[:_NONCE_BYTES]).encode()
