"""The key of the audit's chain, made from the identity secret.

A process of the same user can read that secret, and thus make this key: see `bridge.audit.record` for what the chain
can show and what it cannot.
"""

from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge import paths
from bridge.errors import BridgeFault

_SECRET_BYTES = 32
_INFO = b"tollbridge audit chain\0"


class IdentityUnusable(BridgeFault):
    """There is no identity, or a damaged one, by which the audit could be verified."""

    code = "identity_unusable"
    title = "The audit cannot be verified"


def chain_key(secret: bytes) -> bytes:
    """Return the key (32 bytes) that belongs to an identity secret (HKDF-SHA256, RFC 5869)."""
    return HKDF(hashes.SHA256(), 32, None, _INFO).derive(secret)


def read_key(state: Path) -> bytes:
    """Return the key by the identity file of the state folder, which is never made here.

    Raises:
        FileNotFoundError: there is no such file.
        IdentityUnusable: it has another length.
        UnsafeFile: others may read it.
    """
    file = state / "identity"
    secret = paths.read_private(file)
    if len(secret) != _SECRET_BYTES:
        raise IdentityUnusable(
            f"{file} is damaged ({len(secret)} bytes instead of {_SECRET_BYTES}); put it back from a backup"
        )
    return chain_key(secret)
