"""Parameters as they are typed: `key=value` by the command's JSON Schema, `key:=JSON` exactly as written (pure)."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from bridge.errors import MalformedRequest
from bridge.messages import Schema
from bridge.wire import NOT_JSON, strict

_PARAMETER = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:=|=)(.*)", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_WORDS = {"string": "TEXT", "number": "NUMBER", "integer": "INTEGER", "boolean": "true|false"}


class NotAParameter(ValueError):
    """An argument cannot be read as a parameter; the text is a sentence for the person who typed it."""


def parameters(arguments: Iterable[str], schema: Schema | None) -> dict[str, object]:
    """Return the JSON object that ``arguments`` spell.

    ``key=value`` is a string where the schema takes a string, else the JSON that it is (a number, true, null), else a
    string again: then the daemon, which knows the type, names the fault. ``key:=JSON`` is that JSON, whatever the
    schema says.

    Raises:
        NotAParameter: an argument has neither form, holds no strict JSON after ``:=`` or a number that is too large, or
            repeats a key.
    """
    found: dict[str, object] = {}
    for argument in arguments:
        match = _PARAMETER.fullmatch(argument)
        if match is None:
            raise NotAParameter(f"{argument!r} is not a parameter. Write key=value, or key:=JSON.")
        key, sign, text = match.groups()
        if key in found:
            raise NotAParameter(f"The parameter {key!r} is given twice.")
        found[key] = _exact(key, text) if sign == ":=" else _typed(key, text, accepted_types(schema, key))
    return found


def accepted_types(schema: Schema | None, key: str) -> frozenset[str]:
    """Return the JSON types that ``schema`` accepts for ``key``; empty where it does not say."""
    if schema is None:
        return frozenset()
    parameter = _resolved(schema, schema).get("properties", {}).get(key)
    return frozenset() if parameter is None else frozenset(_types(schema, parameter))


def signature(schema: Schema) -> str:
    """Return what one would type for the parameters of ``schema``: ``volume=NUMBER [player=TEXT]``."""
    resolved = _resolved(schema, schema)
    required = frozenset(resolved.get("required", ()))
    words = {key: f"{key}={_word(accepted_types(schema, key))}" for key in resolved.get("properties", {})}
    return " ".join(word if key in required else f"[{word}]" for key, word in words.items())


def _word(types: frozenset[str]) -> str:
    return next((word for kind, word in _WORDS.items() if kind in types), "JSON")


def _typed(key: str, text: str, types: frozenset[str]) -> object:
    if "string" in types:
        return text
    try:
        return _json(key, text)
    except MalformedRequest:
        return text


def _exact(key: str, text: str) -> object:
    try:
        return _json(key, text)
    except MalformedRequest as error:
        why = error.detail.partition(" (byte")[0]
        if why != NOT_JSON:
            raise NotAParameter(f"What stands after {key}:= cannot be sent: {why}.") from error
        raise NotAParameter(
            f"After {key}:= stands no JSON: {text!r}. A text needs quotes there, or use {key}="
        ) from error


def _json(key: str, text: str) -> object:
    """Return ``text`` read as strictly as the daemon reads it, which then has nothing left to refuse."""
    if _NUMBER.fullmatch(text) and math.isinf(float(text)):
        raise NotAParameter(f"The number that you gave for {key} is too large: at most 1.797e308 can be sent.")
    strict(text.encode())
    value: object = json.loads(text)
    return value


def _types(root: Schema, schema: Mapping[str, Any]) -> Iterable[str]:
    schema = _resolved(root, schema)
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _types(root, choice)
    if any(isinstance(choice, str) for choice in schema.get("enum", ())):
        yield "string"
    kind = schema.get("type")
    if kind is not None:
        yield from [kind] if isinstance(kind, str) else kind


def _resolved(root: Schema, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow one ``$ref`` into ``$defs``, the only place where msgspec puts them."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    target: Mapping[str, Any] = root.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
    return target
