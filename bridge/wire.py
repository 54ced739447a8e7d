"""Reads JSON strictly (RFC 8259, and I-JSON, RFC 7493), as a declared type; every fault is a clear 400 with its place.

msgspec alone keeps the last of two equal keys and looks into nothing that stays raw. What is refused here: anything but
UTF-8, a byte order mark, a key twice, NaN and Infinity, a number that no double can hold, half a surrogate pair, more
than 32 levels. No message holds a byte of what was sent.
"""

import json
import re
from array import array
from collections.abc import Callable
from itertools import accumulate
from typing import NoReturn, TypeVar

import msgspec

from bridge.errors import InvalidParams, MalformedRequest

Kind = TypeVar("Kind")
Content = bytes | str | msgspec.Raw
"""JSON as it came, or, as ``msgspec.Raw``, JSON that is known to be strict: checked, or written by ourselves."""

NOT_JSON = "this is not JSON"
"""What is said of anything that the grammar does not allow."""
DEPTH = 32
"""How many arrays and objects may stand in each other."""

_INFINITIES = (float("inf"), float("-inf"))
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.ASCII)
_TOKEN = re.compile(rf"{_STRING.pattern}|[{{}}\[\]]|-?Infinity|NaN|-?[0-9][0-9.eE+-]*", re.ASCII)
_COLON = re.compile(r"[ \t\n\r]*:", re.ASCII)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One level deeper, one level up, as signed bytes."""
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[{]}")
_QUOTES = re.compile(r"(Object contains) unknown field|Invalid enum value|Invalid value", re.ASCII)


def read_json_as(content: Content, kind: type[Kind]) -> Kind:
    """Return ``content`` as the Struct ``kind``.

    Raises:
        MalformedRequest: not strict JSON.
        InvalidParams: JSON that does not fit; ``path`` names the fault (``$.volume``).
    """
    return read_json(content, lambda given: msgspec.json.decode(given, type=kind))


def read_json(content: Content, decode: Callable[[Content], Kind]) -> Kind:
    """Return what ``decode`` makes of ``content``; the errors are those of `read_json_as`.

    For a union, ``decode`` belongs to a `msgspec.json.Decoder` that was made once: msgspec keeps what it knows of a
    Struct, and works a union out anew at each call, which took a fifth of the time of a call over the WebSocket.
    """
    if not isinstance(content, msgspec.Raw):
        _check(content)
    try:
        return decode(content)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), content) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # raw JSON that nobody has checked after all
        raise MalformedRequest(NOT_JSON, path="$") from None


def strict(content: bytes) -> msgspec.Raw:
    """Return ``content`` for whoever reads it later, as JSON that needs no second check.

    Raises:
        MalformedRequest: not strict JSON.
    """
    _check(content)
    return msgspec.Raw(content)


def _check(content: bytes | str) -> None:
    """Let the scanner of the standard library, which is C, run over all of it; only what it finds odd is walked."""
    try:
        text = content if isinstance(content, str) else content.decode()
        if isinstance(content, str):
            content.encode()  # a str may hold half a surrogate pair
    except UnicodeError as error:
        place = error.start if isinstance(error, UnicodeDecodeError | UnicodeEncodeError) else 0
        raise MalformedRequest(f"the JSON is not UTF-8 (byte {place})", path="$") from None
    try:
        _scan(text)
    except json.JSONDecodeError as error:
        _refuse(NOT_JSON, text, error.pos)
    except (ValueError, RecursionError):
        _walk(text)
        _refuse(NOT_JSON, text, 0)  # not reached: the walk finds what the scanner found
    if "\\u" in text or (text.count("[") + text.count("{") > DEPTH and _depth(text) > DEPTH):
        _walk(text)


def _object(pairs: list[tuple[str, object]]) -> None:
    if len(pairs) > 1 and len(dict(pairs)) != len(pairs):
        raise ValueError


def _number(digits: str) -> None:
    if float(digits) in _INFINITIES:
        raise ValueError


def _constant(name: str) -> NoReturn:
    raise ValueError


_scan = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_number, parse_constant=_constant
).decode


def _depth(text: str) -> int:
    """Return how many levels ``text``, which is JSON, has: brackets in strings would add to them, or take away."""
    brackets = _STRING.sub("", text).encode().translate(_STEPS, _NO_BRACKETS)
    return max(accumulate(array("b", brackets)))


def _walk(text: str) -> None:
    """Refuse what JSON's grammar allows and we do not; ``text`` is JSON at least as far as its first such fault."""
    levels: list[set[str]] = []  # the keys so far of each open object; an array has none
    for token in _TOKEN.finditer(text):
        start, first = token.start(), token[0][0]
        if first == '"':
            _string(text, token, levels[-1] if levels else set())
        elif first in "{[":
            levels.append(set())
            if len(levels) > DEPTH:
                _refuse(f"the JSON is nested more than {DEPTH} levels deep", text, start)
        elif first in "}]":
            levels.pop()
        elif token[0] in ("NaN", "Infinity", "-Infinity"):
            _refuse("JSON has neither NaN nor Infinity", text, start)
        elif float(token[0]) in _INFINITIES:
            _refuse("a number is larger than a double can hold", text, start)


def _string(text: str, token: re.Match[str], keys: set[str]) -> None:
    """Check a string; ``keys`` are those before it in the same object, to which it may add one."""
    value = token[0][1:-1]
    if "\\" in value:
        value = json.loads(token[0])
        try:
            value.encode()
        except UnicodeEncodeError:
            _refuse("a string holds half a surrogate pair", text, token.start())
    if _COLON.match(text, token.end()) is not None:
        if value in keys:
            _refuse("an object holds a key twice", text, token.start())
        keys.add(value)


def _refuse(sentence: str, text: str, place: int) -> NoReturn:
    raise MalformedRequest(f"{sentence} (byte {len(text[:place].encode())})", path="$") from None


def _invalid(message: str, content: Content) -> InvalidParams:
    """Return msgspec's ``message`` as our error, without the name or value that some of its sentences quote."""
    sentence, mark, path = message.rpartition(" - at `")
    if not mark:
        sentence, path = message, ""
    quoting = _QUOTES.match(message)
    if quoting is not None:
        sentence = "Object contains an unknown field" if quoting[1] else quoting[0]
        given = content if isinstance(content, str) else bytes(content).decode(errors="replace")
        if "`" in given or "\\" in given:  # a name could pass for a path
            path = ""
    return InvalidParams(sentence, path=path.rstrip("`") or "$")
