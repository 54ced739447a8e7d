"""Base64url without padding (RFC 7515 section 2), read strictly: one text for one value."""

from base64 import b64decode, urlsafe_b64encode


def encode(value: bytes) -> str:
    """Return ``value`` as base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of ``text``.

    Raises:
        ValueError: there is padding, a foreign character, or a bit set beyond the last byte.
    """
    value = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    # The library accepts "+", "/", padding of its own and stray last bits; the way back knows one form only.
    if encode(value) != text:
        raise ValueError("not canonical base64url")
    return value
