"""Makes an Access from a token and its proof; nothing else can."""

import re
from collections.abc import Sequence

from oauth.dpop import ProofVerifier
from oauth.errors import OriginMismatch, TokenInvalid, TokenRequired
from oauth.models import Access, Grant, Pairing, token_id
from oauth.nonces import Nonces
from oauth.store import Store

PROOFS_PER_KEY = 16_384
"""Proofs of one key within a generation of 66 s: twice the 100 commands a second that a grant may send."""
PROOF_KEYS = 1024
"""Keys with proofs at once; only keys of live pairings get here, so this is never met."""

_AUTHORIZATION = re.compile(r"(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)", re.ASCII | re.IGNORECASE)  # RFC 6750 2.1


class Verifier:
    """Verifies what comes with a request to the API of the daemon at ``base``."""

    def __init__(self, store: Store, *, base: str, nonces: Nonces) -> None:
        self._store = store
        self._base = base
        self._clock = clock = store.clock
        self._nonces = nonces
        self._proofs = ProofVerifier(clock=clock, nonces=nonces, per_key=PROOFS_PER_KEY, keys=PROOF_KEYS)

    def nonce(self, origin: str | None) -> str:
        """Return the nonce for the next proof of a page of ``origin``, or of a program."""
        return self._nonces.current(origin)

    def verify(
        self, *, authorization: str | None, proofs: Sequence[str], method: str, url: str, origin: str | None
    ) -> Access:
        """Return what the request may do.

        ``authorization`` and ``proofs`` are the header values as received; ``url`` is the canonical base and path,
        without query; ``origin`` is the one that a browser vouches for (our own base for a same-origin GET), None for a
        native client. The proof is checked last, so that it is remembered only for a token and key that fit.

        Raises:
            TokenRequired: there is no Bearer or DPoP token.
            TokenInvalid: it is unknown, out of time, or used with the wrong scheme or key.
            OriginMismatch: it belongs to another origin, or to a native client while a page sent it.
            ProofInvalid: the DPoP proof is missing or does not fit.
            UseNonce: it has no nonce of ours, or an old one.
        """
        scheme, text = _read(authorization)
        token = self._store.access_token(token_id(text))
        now = self._clock()
        if token is None or token.expires_at <= now:
            raise TokenInvalid("the token is unknown or out of time; refresh it")
        pairing, grant = self._above(token.pairing_id)
        scopes = token.scopes & pairing.scopes_at(now)
        if grant.origin != origin or (grant.is_owner and origin != self._base):
            raise OriginMismatch("the token belongs to another client; it works only from where it was issued to")
        if (scheme == "dpop") != (pairing.jkt is not None):
            raise TokenInvalid("send a token in the scheme of its token_type")
        nonce = None
        if pairing.jkt is not None:
            proof = self._proofs.verify(proofs, client=origin, method=method, url=url, token=text, jkt=pairing.jkt)
            self._proofs.use(proof)
            nonce = self._nonces.current(origin) if proof.is_late else None
        return Access(
            client_id=grant.client_id,
            origin=grant.origin,
            scopes=scopes,
            grant=grant.id,
            pairing=pairing.id,
            jkt=pairing.jkt,
            expires_at=token.expires_at,
            is_owner=grant.is_owner,
            nonce=nonce,
        )

    def _above(self, pairing_id: str) -> tuple[Pairing, Grant]:
        pairing = self._store.pairing(pairing_id)
        grant = None if pairing is None else self._store.grant(pairing.grant_id)
        if pairing is None or grant is None or not grant.is_allowed:
            raise TokenInvalid("the owner has taken the permission back")
        return pairing, grant


def _read(authorization: str | None) -> tuple[str, str]:
    """Return scheme, in lower case, and token."""
    match = None if authorization is None else _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        raise TokenRequired("send Authorization: DPoP TOKEN (pages) or Bearer TOKEN (native clients)")
    return match[1].lower(), match[2]
