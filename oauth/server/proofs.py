"""The proofs of the OAuth endpoints: who holds which key is known before anything is looked up or spent."""

from collections.abc import Sequence

from oauth.dpop import Proof, ProofVerifier
from oauth.errors import InvalidClient
from oauth.models import Clock
from oauth.nonces import Nonces
from oauth.server.clients import Client

PROOFS_PER_KEY = 256
PROOF_KEYS = 4096
"""Used proofs only: anybody may show a key here, and what was refused is not remembered."""


class TokenProofs:
    """Reads the proofs of requests to the OAuth endpoints of the daemon at ``base``."""

    def __init__(self, base: str, nonces: Nonces, clock: Clock) -> None:
        self._base = base
        self._nonces = nonces
        self._verifier = ProofVerifier(clock=clock, nonces=nonces, per_key=PROOFS_PER_KEY, keys=PROOF_KEYS)

    def nonce(self, origin: str | None) -> str:
        """Return the nonce for the next proof of a page of ``origin``, or of a program."""
        return self._nonces.current(origin)

    def read(self, client: Client, proofs: Sequence[str], path: str) -> Proof | None:
        """Return the proof of a request of ``client`` to ``path``; None where none was sent.

        Raises:
            ProofInvalid: it does not fit this request.
            UseNonce: it has no nonce of ours, or an old one.
        """
        if not proofs:
            return None
        return self._verifier.verify(proofs, client=client.origin, method="POST", url=self._base + path)

    def needed(self, client: Client, proofs: Sequence[str], path: str) -> Proof | None:
        """Return the proof as ``read`` does; a page has to send one.

        Raises:
            InvalidClient: a page sends none.
        """
        if not proofs and client.needs_proof:
            raise InvalidClient("a page sends a DPoP proof with every token request")
        return self.read(client, proofs, path)

    def use(self, proof: Proof | None) -> None:
        """Remember the proof of a request that got what it asked for."""
        if proof is not None:
            self._verifier.use(proof)
