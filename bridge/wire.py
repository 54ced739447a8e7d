"""Reads JSON as a declared type; every fault is a clear 400 that names its place."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from bridge.errors import InvalidParams, MalformedRequest

Kind = TypeVar("Kind")
Content = bytes | str | msgspec.Raw


def read_json_as(content: Content, kind: type[Kind]) -> Kind:
    """Return ``content`` as the Struct ``kind``.

    Raises:
        MalformedRequest: not JSON, not UTF-8, or nested too deeply.
        InvalidParams: JSON that does not fit; ``path`` names the fault (``$.volume``).
    """
    return read_json(content, lambda given: msgspec.json.decode(given, type=kind))


def read_json(content: Content, decode: Callable[[Content], Kind]) -> Kind:
    """Return what ``decode`` makes of ``content``; the errors are those of `read_json_as`.

    For a union, ``decode`` belongs to a `msgspec.json.Decoder` that was made once: msgspec keeps what it knows of a
    Struct, and works a union out anew at each call, which took a fifth of the time of a call over the WebSocket.
    """
    try:
        return decode(content)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at `")
        raise InvalidParams(sentence, path=path.rstrip("`") or "$") from error
    except RecursionError:
        raise MalformedRequest("the JSON is nested too deeply", path="$") from None
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the JSON is not UTF-8 (byte {error.start})", path="$") from error
    except msgspec.DecodeError as error:
        raise MalformedRequest(str(error), path="$") from error
