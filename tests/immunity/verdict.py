"""Judges an answer: what it is, in the words of tests/vectors/routes.json, and what no answer may be."""

import json
from typing import Any

from tests.immunity.keepalive import CLOSED, Seen


def shown(seen: Seen, origin: str | None) -> str:
    """Return an answer in the words of the table."""
    if seen is CLOSED:
        return "close"
    media_type = (seen.one("content-type") or "").partition(";")[0]
    read: Any = json.loads(seen.body) if seen.body and media_type.endswith("json") else None
    code = read.get("code", read.get("error")) if isinstance(read, dict) else None
    names = {"application/json": "json", "text/html": "html", "text/javascript": "script", "text/plain": "text"}
    is_fault = seen.status >= 400 and code is not None
    what = "empty" if not seen.body else str(code) if is_fault else names.get(media_type, media_type)
    allowed = seen.one("access-control-allow-origin")
    cors = "" if allowed is None else " cors" if allowed == origin else f" cors for {allowed}"
    return f"{seen.status} {what}{cors}"


def faults(seen: Seen, origin: str | None) -> list[str]:
    """Return what is wrong with an answer whatever it answers (protocol section 1)."""
    if seen is CLOSED:
        return []
    names = {name for name, _ in seen.headers}
    house = {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "vary": "Origin",
        "cross-origin-resource-policy": "same-origin",
    }
    found = [f"{name} is not {value}" for name, value in house.items() if seen.all(name) != [value]]
    found += [f"{name} is sent" for name in names & {"server", "set-cookie", "x-powered-by", "location"}]
    found += [f"{name} is sent" for name in names if name.startswith("access-control-allow-private")]
    found += ["credentials are allowed"] if "access-control-allow-credentials" in names else []
    found += ["any origin may read it"] if seen.one("access-control-allow-origin") not in (None, origin) else []
    found += [f"status {seen.status}"] if seen.status // 100 not in (2, 4) else []
    return found
