"""Reads tests/vectors/routes.json and says what it expects; knows nothing of the code that it is about."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).parents[1] / "vectors/routes.json"
TABLE: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))

ROUTES: list[dict[str, Any]] = TABLE["routes"]
SPEAKERS: dict[str, dict[str, str]] = {row["speaker"]: row for row in TABLE["speakers"]}
CALLERS: dict[str, dict[str, str]] = {row["caller"]: row for row in TABLE["callers"]}

_ELSEWHERE = {"kind": "api", "need": "none"}
"""What holds where nothing is: the same rule as for the API."""


class Case(NamedTuple):
    """One request of one caller; ``row`` is the route's, None where path and method have none."""

    method: str
    target: str
    row: dict[str, Any] | None
    answer: str


def cases(caller: str) -> Iterator[Case]:
    """Yield every route and every unknown path by every method, with the answer that ``caller`` gets."""
    targets = dict.fromkeys([*(_target(row) for row in ROUTES), *TABLE["unknown"]])
    for target in targets:
        at = [row for row in ROUTES if _target(row) == target]
        for method in TABLE["methods"]:
            row = next((row for row in at if row["method"] == method), None)
            yield Case(method, target, row, _answer(caller, method, at, row))


def _target(row: dict[str, Any]) -> str:
    return str(row.get("ask", row["path"]))


def _answer(caller: str, method: str, at: list[dict[str, Any]], row: dict[str, Any] | None) -> str:
    if method in TABLE["unknown_to_http"]:
        return "close"
    answer = _reached(caller, method, at, row)
    status, _, rest = answer.partition(" ")
    return f"{status} empty{' cors' if rest.endswith(' cors') else ''}" if method == "HEAD" and rest else answer


def _reached(caller: str, method: str, at: list[dict[str, Any]], row: dict[str, Any] | None) -> str:
    then = "405 method_not_allowed" if at else "404 not_found"
    held = _ELSEWHERE
    if row is not None:
        then, held = row.get("but", {}).get(caller, row["then"]), row
    elif method == "OPTIONS" and any(other.get("preflight") for other in at):
        then, held = "204 empty", {"kind": "open", "need": "none"}
    speaker = SPEAKERS[CALLERS[caller]["speaker"]]
    says = speaker.get(f"{held['kind']} {method}", speaker[held["kind"]])
    if says == "told":
        assert row is not None
        return str(row["told"])
    passes, _, cors = says.partition(" ")
    if passes != "pass":
        return says
    need = held["need"]
    may = "pass" if need in ("none", "ticket") else CALLERS[caller][need]
    return " ".join(filter(None, (then if may == "pass" else may, cors)))
