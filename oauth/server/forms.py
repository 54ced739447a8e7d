"""Reads queries and form bodies strictly (RFC 6749 3.1 and 3.2): nothing twice, empty means omitted, UTF-8 alone."""

import re
from urllib.parse import parse_qsl

import msgspec

from oauth.errors import InvalidRequest

MAX_FIELDS = 64

_HALF_ESCAPED = re.compile(r"%(?![0-9A-Fa-f]{2})", re.ASCII)


class Form(msgspec.Struct, frozen=True):
    """The fields of a form; ``repeated`` names those that came more than once."""

    fields: dict[str, str]
    repeated: frozenset[str]

    def get(self, name: str) -> str | None:
        """Return a field, None where it was omitted, empty, or sent more than once."""
        return self.fields.get(name)

    def single(self) -> dict[str, str]:
        """Return the fields.

        Raises:
            InvalidRequest: one came more than once.
        """
        if self.repeated:
            raise InvalidRequest("a parameter was sent more than once")
        return self.fields


def read_form(body: bytes | str) -> Form:
    """Read ``application/x-www-form-urlencoded``; unknown fields are kept, for they are ignored later.

    Raises:
        InvalidRequest: it is not UTF-8, has a percent sign that escapes nothing, or more than 64 fields.
    """
    try:
        text = body if isinstance(body, str) else body.decode()
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS) if text else []
    except ValueError as error:
        raise InvalidRequest("the parameters are not a form of at most 64 UTF-8 fields") from error
    if _HALF_ESCAPED.search(text) is not None:
        raise InvalidRequest("a percent sign is followed by two hexadecimal digits")
    names = [name for name, _ in pairs]
    repeated = frozenset(name for name in names if names.count(name) > 1)
    return Form({name: value for name, value in pairs if value and name not in repeated}, repeated)
