"""How a client and a request are shown to people: pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bridge.consent.requests import CommandRequest, Pending, shown
from bridge.consent.site import registrable_domain
from oauth.models import Grant, Until
from oauth.server.answers import untils, usual


def client_view(client_id: str, *, is_development: bool, is_owner: bool = False) -> dict[str, Any]:
    """Return ``{"id","kind","origin","domain","development"}``; kind page, native or owner.

    Origin and domain are ASCII; ``domain`` is the registrable one, which people are to read.
    """
    is_native = client_id.startswith("native:")
    return {
        "id": client_id,
        "kind": "owner" if is_owner else "native" if is_native else "page",
        "origin": None if is_native else client_id,
        "domain": registrable_domain(client_id),
        "development": is_development,
    }


def request_view(pending: Pending, *, sentences: Mapping[str, str], grant: Grant | None, now: float) -> dict[str, Any]:
    """Return a request as every surface shows it; ``grant`` is what the owner has answered this client before."""
    asked = pending.asked
    granted = grant.scopes_at(now) if grant is not None and grant.is_allowed else frozenset()
    offered, default = choices(pending)
    return {
        "code": shown(pending.code),
        "kind": pending.kind,
        "status": pending.status,
        "client": client_view(
            asked.client_id,
            is_development=asked.is_development,
            is_owner=grant is not None and grant.is_owner,
        ),
        "scopes": [
            {"scope": scope, "sentence": sentences.get(scope, scope), "granted": scope in granted}
            for scope in sorted(asked.scopes)
        ],
        "untils": offered,
        "until": default,
        "denied_before": grant is not None and (asked.dpop_jkt or "") in grant.denied_keys,
        "quiet": pending.is_quiet,
        "command": _command(asked) if isinstance(asked, CommandRequest) else None,
    }


def choices(pending: Pending) -> tuple[tuple[Until, ...], Until]:
    """Return for how long a request may be allowed, and the usual answer."""
    if pending.kind == "command":
        return ("once",), "once"
    is_development = pending.asked.is_development
    return untils(is_development=is_development), usual(is_development=is_development)


def _command(asked: CommandRequest) -> dict[str, Any]:
    return {
        "app": asked.app,
        "name": asked.command,
        "summary": asked.summary,
        "params": msgspec.Raw(asked.params),
    }
