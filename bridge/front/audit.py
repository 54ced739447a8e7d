"""The audit over HTTP, and what the token endpoint has to say to it."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from bridge.audit.file import read
from bridge.audit.notes import Audit, By
from bridge.audit.record import Link
from bridge.clock import rfc3339
from bridge.front.keys import SPEAKER
from bridge.front.query import whole
from bridge.front.route import pattern
from oauth.models import Grant, Pairing
from oauth.server.routes import Endpoints
from oauth.server.server import Ask, AuthorizationServer
from oauth.store import PairingChange, Store

logger = logging.getLogger(__name__)

MOST_RECORDS = 1000
USUAL_RECORDS = 100


class AuditRoute:
    """``GET /v1/audit``."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def list(self, request: web.Request) -> web.Response:
        """Answer ``{"first","head","records":[...]}``: ``limit`` records behind the index ``after``, or the newest."""
        after = whole(request, "after", 0, 2**62)
        limit = whole(request, "limit", 1, MOST_RECORDS)
        page = await self._audit.page(after, USUAL_RECORDS if limit is None else limit)
        body = {
            "first": page.anchor.index + 1,
            "head": str(page.head),
            "records": [_shown(link) for link in page.links],
        }
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")


class AuditedEndpoints(Endpoints):
    """The OAuth endpoints, whose refusals are recorded: who guesses codes or tokens, or brings used ones, is seen."""

    def __init__(
        self, audit: Audit, server: AuthorizationServer, read_body: Callable[[web.Request], Awaitable[bytes]], ask: Ask
    ) -> None:
        super().__init__(server, read_body, ask)
        self._audit = audit

    async def token(self, request: web.Request) -> web.Response:
        """See `oauth.server.routes.Endpoints.token`."""
        return self._recorded(request, await super().token(request))

    async def revoke(self, request: web.Request) -> web.Response:
        """See `oauth.server.routes.Endpoints.revoke`."""
        return self._recorded(request, await super().revoke(request))

    async def device_authorization(self, request: web.Request) -> web.Response:
        """See `oauth.server.routes.Endpoints.device_authorization`."""
        return self._recorded(request, await super().device_authorization(request))

    async def clean(self, request: web.Request) -> web.Response:
        """See `oauth.server.routes.Endpoints.clean`."""
        return self._recorded(request, await super().clean(request))

    def _recorded(self, request: web.Request, response: web.Response) -> web.Response:
        if response.status >= 400 and isinstance(response.body, bytes):
            code = msgspec.json.decode(response.body, type=_Told).error
            self._audit.refused(code, request.headers.get("Origin"))
            logger.debug("an OAuth request was refused", extra={"path": pattern(request), "code": code})
        return response


class _Told(msgspec.Struct):
    error: str


def follow(store: Store, audit: Audit) -> None:
    """Have the audit told what happens in the store without the owner: keys that come, answers that end."""

    def paired(grant: Grant, pairing: Pairing, change: PairingChange) -> None:
        if grant.is_owner and change == "begun":
            audit.link("used", "page")
        elif change != "ended":
            audit.pairing(grant.client_id, pairing.id, change)

    def revoked(grant: Grant) -> None:
        if grant.ends_at is not None and grant.ends_at <= store.clock():
            audit.grant_expired(grant.client_id, grant.id)

    store.on_paired(paired)
    store.on_revoked(revoked)


def surface(request: web.Request) -> By:
    """Return where the owner acts who sends ``request``."""
    return "terminal" if request[SPEAKER].is_unix else "page"


def _shown(link: Link) -> dict[str, Any]:
    record = read(link)
    shown = {"index": link.index, **msgspec.to_builtins(record), "time": _time(record.time)}
    if record.since is not None:
        shown["since"] = _time(record.since)
    return shown


def _time(at: float) -> str:
    try:
        return rfc3339(at)
    except (ValueError, OverflowError, OSError):
        return ""  # no time that was ever written: somebody has edited the file
