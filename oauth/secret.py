"""What must not be shown, in a wrapper that shows nothing: no text, log line, pickle or JSON gets it by accident.

`reveal` is the one way out; ``grep -rn 'reveal()'`` lists every place where a secret is used.
"""

import hmac
from typing import Generic, NoReturn, TypeVar, final

Kind = TypeVar("Kind", str, bytes)

_SHOWN = "Secret(...)"


@final
class Secret(Generic[Kind]):
    """A text or some bytes; cannot be changed, printed, pickled, copied or hashed; compared in constant time."""

    __slots__ = ("_value",)
    _value: Kind

    __hash__ = None  # type: ignore[assignment]  # a look-up tells by its time; what is looked up is kept as a digest

    def __init__(self, value: Kind) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> Kind:
        """Return what is hidden, for the one expression that needs it."""
        return self._value

    def __repr__(self) -> str:
        return _SHOWN

    def __format__(self, spec: str) -> str:
        return _SHOWN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret) or type(self._value) is not type(other._value):
            return False
        return hmac.compare_digest(_bytes(self._value), _bytes(other._value))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret cannot be changed; make another one")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a secret cannot be changed; make another one")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied; hand it on, or reveal() it where it is used")


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


def hidden(self: object) -> str:
    """Return the name of an object's type alone: the ``__repr__`` of a struct that holds a secret in plain text."""
    return f"{type(self).__name__}(...)"
