"""Reads JSON as a declared type; every fault is a clear 400 that names its place."""

from typing import TypeVar

import msgspec

from bridge.errors import InvalidParams, MalformedRequest

Kind = TypeVar("Kind")


def read_json_as(content: bytes | str | msgspec.Raw, kind: type[Kind]) -> Kind:
    """Return ``content`` as ``kind``.

    Raises:
        MalformedRequest: not JSON, not UTF-8, or nested too deeply.
        InvalidParams: JSON that does not fit; ``path`` names the fault (``$.volume``).
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at `")
        raise InvalidParams(sentence, path=path.rstrip("`") or "$") from error
    except RecursionError:
        raise MalformedRequest("the JSON is nested too deeply", path="$") from None
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the JSON is not UTF-8 (byte {error.start})", path="$") from error
    except msgspec.DecodeError as error:
        raise MalformedRequest(str(error), path="$") from error
