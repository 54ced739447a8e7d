"""Scope strings (RFC 6749 section 3.3): read strictly, written in one order."""

import re
from collections.abc import Iterable

from oauth.errors import InvalidScope

OWNER = "owner"
"""The scope of the daemon's own dashboard; it comes from an activation link alone."""

MAX_CHARS = 2048

_SCOPES = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*", re.ASCII)


def parse_scopes(text: str) -> frozenset[str]:
    """Return the scopes in ``text``: tokens separated by single spaces.

    Raises:
        InvalidScope: the text is empty, too long or of another form.
    """
    if len(text) > MAX_CHARS or _SCOPES.fullmatch(text) is None:
        raise InvalidScope("scope is one or more names separated by single spaces (RFC 6749 3.3)")
    return frozenset(text.split(" "))


def format_scopes(scopes: Iterable[str]) -> str:
    """Return ``scopes`` as one string, sorted, so that equal sets read equally."""
    return " ".join(sorted(scopes))
