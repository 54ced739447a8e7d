"""The proofs of the token endpoint: who holds which key is known before anything is looked up or spent."""

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
    """Reads the proofs of requests to the token endpoint at ``url``."""

    def __init__(self, url: str, nonces: Nonces, clock: Clock) -> None:
        self._url = url
        self._nonces = nonces
        self._verifier = ProofVerifier(clock=clock, nonces=nonces, per_key=PROOFS_PER_KEY, keys=PROOF_KEYS)

    def nonce(self, origin: str | None) -> str:
        """Return the nonce for the next proof of a page of ``origin``, or of a program."""
        return self._nonces.current(origin)

    def read(self, client: Client, proofs: Sequence[str]) -> Proof | None:
        """Return the proof of a request of ``client``; None where a program sends none.

        Raises:
            InvalidClient: a page sends none.
            ProofInvalid: it does not fit this request.
            UseNonce: it has no nonce of ours, or an old one.
        """
        if proofs:
            return self._verifier.verify(proofs, client=client.origin, method="POST", url=self._url)
        if client.needs_proof:
            raise InvalidClient("a page sends a DPoP proof with every token request")
        return None

    def use(self, proof: Proof | None) -> None:
        """Remember the proof of a request that got tokens."""
        if proof is not None:
            self._verifier.use(proof)
