"""The key of the audit's chain, made from the identity secret.

A process of the same user can read that secret, and thus make this key: see `bridge.audit.record` for what the chain
can show and what it cannot.
"""

from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge import paths

_INFO = b"tollbridge audit chain\0"


def chain_key(secret: bytes) -> bytes:
    """Return the key (32 bytes) that belongs to an identity secret (HKDF-SHA256, RFC 5869)."""
    return HKDF(hashes.SHA256(), 32, None, _INFO).derive(secret)


def read_key(state: Path) -> bytes:
    """Return the key by the identity file of the state folder, which is never made here.

    Raises:
        FileNotFoundError: there is no such file.
        UnsafeFile: others may read it.
    """
    return chain_key(paths.read_private(state / "identity"))
