"""Codes are the same in Python, TypeScript and the protocol's description."""

import re
from collections.abc import Iterator
from pathlib import Path

from bridge import errors
from bridge.apps.player import errors as player_errors

ROOT = Path(__file__).resolve().parents[2]


def wire_codes(root: type[errors.BridgeError], module: str) -> set[str]:
    def below(kind: type[errors.BridgeError]) -> Iterator[type[errors.BridgeError]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return {kind.code for kind in below(root) if kind.__module__ == module}


def test_the_sdk_knows_the_daemons_codes() -> None:
    source = (ROOT / "web_client/src/errors.ts").read_text(encoding="utf-8")
    listed = re.search(r"export const codes = \[(.*?)\]", source, re.DOTALL)

    assert listed is not None
    assert wire_codes(errors.BridgeError, errors.__name__) == set(re.findall(r'"([a-z_]+)"', listed[1]))


def test_the_protocol_lists_every_code() -> None:
    text = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    codes = wire_codes(errors.BridgeError, errors.__name__) | wire_codes(errors.BridgeError, player_errors.__name__)

    assert [] == sorted(code for code in codes if f"| `{code}` |" not in text)


def test_the_error_tree_in_the_docstring_is_the_tree() -> None:
    drawn = errors.__doc__ or ""

    assert [] == sorted(code for code in wire_codes(errors.BridgeError, errors.__name__) if code not in drawn)
