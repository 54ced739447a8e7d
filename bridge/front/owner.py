"""What only the owner may ask: status, grants, refusals, activation links, tokens for native programs."""

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec
from aiohttp import web

from bridge import __version__
from bridge.audit.notes import Audit
from bridge.broker.port import Broker
from bridge.clock import rfc3339
from bridge.consent.view import client_view
from bridge.errors import BridgeError, InvalidParams, NotFound
from bridge.events.journal import Journal
from bridge.front.audit import surface
from bridge.front.keys import SPEAKER
from bridge.front.reading import read_as
from bridge.front.refusals import Refusals
from bridge.front.sessions import Sessions
from bridge.front.tally import Tally
from oauth.models import Grant, Pairing
from oauth.server.server import AuthorizationServer
from oauth.store import Store

LONGEST_TTL_SECONDS = 180 * 24 * 3600
_NAME = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/tokens``: scopes separated by spaces, ``ttl`` in seconds."""

    scope: str
    ttl: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_TTL_SECONDS)] = 3600
    name: str = "cli"


class Facts(msgspec.Struct, frozen=True):
    """What does not change while the daemon runs; ``started`` in seconds since the epoch."""

    base: str
    socket: str
    started: float


class Owner:
    """The owner's routes."""

    def __init__(
        self,
        facts: Facts,
        *,
        broker: Broker,
        journal: Journal,
        sessions: Sessions,
        refusals: Refusals,
        server: AuthorizationServer,
        store: Store,
        sentences: Callable[[], Mapping[str, str]],
        connections: Callable[[], int],
        audit: Audit,
        tally: Tally,
    ) -> None:
        self._facts = facts
        self._broker = broker
        self._journal = journal
        self._sessions = sessions
        self._refusals = refusals
        self._server = server
        self._store = store
        self._sentences = sentences
        self._connections = connections
        self._audit = audit
        self._tally = tally

    async def status(self, request: web.Request) -> web.Response:
        """``GET /v1/status``: who I am, where I listen, how busy I am."""
        del request
        facts = self._facts
        return _json(
            {
                "version": __version__,
                "pid": os.getpid(),
                "base": facts.base,
                "socket": facts.socket,
                "started": rfc3339(facts.started),
                "uptime": round(time.time() - facts.started, 1),
                "connections": self._connections(),
                "sessions": len(self._sessions),
                "events": self._journal.seq,
                "apps": [{"name": app.name, "title": app.title} for app in self._broker.apps.values()],
                "grants": len(self._store.grants()),
            }
        )

    async def activation_link(self, request: web.Request) -> web.Response:
        """``POST /v1/activation-links``: a single-use link that makes a browser the owner's."""
        secret, expires_in = self._server.activation_link()
        self._audit.link("made", surface(request))
        return _json({"link": f"{self._facts.base}/#activate={secret}", "expires_in": expires_in})

    async def token(self, request: web.Request) -> web.Response:
        """``POST /v1/tokens``: a bearer token for a native program of the owner's; what is asked wrong is recorded."""
        try:
            asked = self._checked(await read_as(request, TokenRequest))
        except BridgeError as error:
            self._audit.refused(error.code, request[SPEAKER].origin)
            raise
        scopes = frozenset(asked.scope.split())
        token = self._server.issue_native(asked.name, scopes, asked.ttl)
        await self._store.commit()
        self._audit.token_made(f"native:{asked.name}", scopes, surface(request))
        return _json(token)

    def _checked(self, asked: TokenRequest) -> TokenRequest:
        if _NAME.fullmatch(asked.name) is None:
            raise InvalidParams("a name is 1 to 32 of a-z, 0-9 and -", path="$.name")
        scopes = frozenset(asked.scope.split())
        known = self._sentences().keys()
        if not scopes or not scopes <= known:
            raise InvalidParams(f"scopes are some of {', '.join(sorted(known))}", path="$.scope")
        return asked

    async def grants(self, request: web.Request) -> web.Response:
        """``GET /v1/grants``: every answer that is remembered."""
        del request
        return _json({"grants": [self._shown(grant) for grant in self._store.grants()]})

    async def grant(self, request: web.Request) -> web.Response:
        """``GET /v1/grants/{id}``: one of them, with its keys."""
        grant = self._grant(request)
        return _json({**self._shown(grant), "keys": [self._key(pairing) for pairing in self._store.pairings(grant.id)]})

    async def revoke(self, request: web.Request) -> web.Response:
        """``DELETE /v1/grants/{id}``: forget an answer; its pairings and live sessions end at once."""
        grant = self._grant(request)
        self._store.revoke(grant.id)
        await self._store.commit()
        self._audit.grant_revoked(grant.client_id, grant.id, surface(request))
        return web.Response(status=204)

    async def forget_denials(self, request: web.Request) -> web.Response:
        """``DELETE /v1/grants/{id}/denials``: forget the keys that were told no; what was allowed stays."""
        grant = self._grant(request)
        self._server.forget_denials(grant)
        await self._store.commit()
        self._audit.denials_forgotten(grant.client_id, grant.id, surface(request))
        return web.Response(status=204)

    async def refusals(self, request: web.Request) -> web.Response:
        """``GET /v1/refusals``: the last requests that were closed or answered with nothing."""
        del request
        return _json({"refusals": self._refusals.list()})

    def _grant(self, request: web.Request) -> Grant:
        grant = self._store.grant(request.match_info["id"])
        if grant is None:
            raise NotFound("there is no such grant; `tollbridge grants` lists them")
        return grant

    def _key(self, pairing: Pairing) -> dict[str, object]:
        sessions = [each for each in self._sessions.of_grant(pairing.grant_id) if each.caller.pairing == pairing.id]
        return {
            "id": pairing.id,
            "thumbprint": pairing.jkt,
            "scopes": sorted(pairing.scopes),
            "created": rfc3339(pairing.created_at),
            "consented": rfc3339(pairing.consented_at),
            "until": None if pairing.ends_at is None else rfc3339(pairing.ends_at),
            "sessions": len(sessions),
        }

    def _shown(self, grant: Grant) -> dict[str, object]:
        scopes = sorted(grant.scopes_at(self._store.clock()))
        return {
            "id": grant.id,
            "client": client_view(grant.client_id, is_development=grant.is_development, is_owner=grant.is_owner),
            "answer": "allowed" if grant.is_allowed else "denied",
            "scopes": scopes,
            "sentences": [self._sentences().get(scope, scope) for scope in scopes],
            "limits": {scope: rfc3339(grant.limits[scope]) for scope in scopes if scope in grant.limits},
            "created": rfc3339(grant.created_at),
            "until": None if grant.ends_at is None else rfc3339(grant.ends_at),
            "pairings": len(self._store.pairings(grant.id)),
            "denied_keys": len(grant.denied_keys),
            "sessions": len(self._sessions.of_grant(grant.id)),
            "commands_today": self._tally.today(grant.id),
        }


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
