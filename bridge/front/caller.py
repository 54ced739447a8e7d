"""Makes a Caller: from a verified token, a ticket or an offer, or from the Unix socket; nothing else can."""

from collections.abc import Callable, Sequence

import msgspec

from bridge.errors import OriginMismatch, ProofInvalid, TokenInvalid, Unauthorized, UseNonce
from bridge.front.policy import Speaker
from bridge.messages import Caller
from oauth import errors as oauth_errors
from oauth.models import Access, Offer
from oauth.server.verify import Verifier

OWNER = Caller(client="owner", scopes=frozenset(), owner=True)
"""Who stands behind the Unix socket: its folder is the owner's alone."""


class Ticket(msgspec.Struct, frozen=True):
    """What a socket ticket stands for; bound to grant, key and origin."""

    caller: Caller
    jkt: str | None


Allowed = Callable[[str, str], frozenset[str] | None]
"""Returns what a grant (id) allows a pairing (id) now; None: one of them has ended."""


class Callers:
    """Turns what a request brings into a Caller."""

    def __init__(self, verifier: Verifier, *, base: str, allowed: Allowed) -> None:
        self._verifier = verifier
        self._base = base
        self._allowed = allowed

    def nonce(self, speaker: Speaker) -> str:
        """Return the nonce for the next proof of whoever speaks."""
        return self._verifier.nonce(speaker.origin)

    def verify(
        self, speaker: Speaker, *, authorization: str | None, proofs: Sequence[str], method: str, path: str
    ) -> tuple[Caller, Access]:
        """Return the caller and what it was made from.

        Raises:
            Unauthorized: no token, or one that is not valid, or no valid proof, or one without our nonce.
            OriginMismatch: the token belongs to another client.
        """
        try:
            access = self._verifier.verify(
                authorization=authorization,
                proofs=proofs,
                method=method,
                url=self._base + path,
                origin=speaker.origin,
            )
        except oauth_errors.TokenRequired as error:
            raise Unauthorized(str(error)) from error
        except oauth_errors.TokenInvalid as error:
            raise TokenInvalid(str(error)) from error
        except oauth_errors.ProofInvalid as error:
            raise ProofInvalid(str(error)) from error
        except oauth_errors.UseNonce as error:
            raise UseNonce(str(error)) from error
        except oauth_errors.OriginMismatch as error:
            raise OriginMismatch(str(error)) from error
        return _caller(access), access

    def now(self, caller: Caller) -> Caller | None:
        """Return ``caller`` with the scopes that are still allowed; None once its pairing, or its grant, has ended.

        Read again at each call and event of a session, which lives as long as its pairing, not its token.
        """
        if caller.grant is None or caller.pairing is None:
            return caller
        allowed = self._allowed(caller.grant, caller.pairing)
        if allowed is None:
            return None
        if caller.scopes <= allowed:
            return caller
        return msgspec.structs.replace(caller, scopes=caller.scopes & allowed)


def holder(offer: Offer, origin: str | None) -> Caller:
    """Return who redeems ``offer``: whoever that is, with the scope of its command alone, and limits of his own."""
    name = f"offer:{offer.id}"
    return Caller(client=name, origin=origin, scopes=frozenset((offer.scope,)), grant=name)


def _caller(access: Access) -> Caller:
    return Caller(
        client=access.client_id,
        origin=access.origin,
        scopes=access.scopes,
        grant=access.grant,
        pairing=access.pairing,
        owner=access.is_owner,
    )
