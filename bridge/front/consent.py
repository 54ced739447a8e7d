"""The consent page's own requests, and the owner's answers to them (protocol section 3)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from aiohttp import web

from bridge.audit.notes import Audit
from bridge.consent.requests import Pending, Requests, shown
from bridge.errors import ClientError, InvalidParams, NotFound
from bridge.front.audit import surface
from bridge.front.query import seconds
from bridge.front.reading import read_as
from oauth.errors import RequestRefused
from oauth.models import AuthorizationRequest
from oauth.secret import Secret, hidden
from oauth.server.flows import AuthorizationServer
from oauth.store import Store

MOST_WAIT_SECONDS = 20.0


class OpenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /oauth/requests``: the page's own query, as the client wrote it."""

    query: str

    __repr__ = hidden


class AnswerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /oauth/requests/{code}``; fewer scopes than were asked may be allowed."""

    answer: Literal["allow", "deny"]
    scopes: list[str] | None = None


class AuthorizeRefused(ClientError):
    """The authorization request is wrong in a way that its client must not be told by a redirect."""

    title = "The site's request is not valid"


class Consent:
    """Opens, shows and answers authorization requests."""

    def __init__(
        self,
        requests: Requests,
        server: AuthorizationServer,
        store: Store,
        sentences: Callable[[], Mapping[str, str]],
        audit: Audit,
    ) -> None:
        self._requests = requests
        self._server = server
        self._store = store
        self._sentences = sentences
        self._audit = audit

    async def open(self, request: web.Request) -> web.Response:
        """``POST /oauth/requests``: open this client's request, or replace it."""
        asked = await read_as(request, OpenRequest)
        try:
            authorization = self._server.authorization_request(asked.query)
        except RequestRefused as error:
            if error.redirect is not None:
                return _json({"status": "refused", "redirect": error.redirect})
            refused = AuthorizeRefused(error.description)
            refused.code = error.code  # type: ignore[misc]  # RFC 6749 codes are the stable codes here
            raise refused from error
        pending = self._requests.open(authorization)
        remembered = self._server.remembered(authorization)
        if remembered == "allowed":
            redirect = self._server.allow_again(authorization)
            await self._store.commit()
            pending.settle("allowed", redirect)
        self._audit.asked(authorization.client_id, authorization.scopes, is_remembered=remembered == "allowed")
        return _json({**self._asked(pending), "handle": pending.handle.reveal(), "remembered": remembered is not None})

    async def poll(self, request: web.Request) -> web.Response:
        """``GET /oauth/requests/{handle}``: the status, at once when it is answered or after ``wait`` seconds."""
        wait = seconds(request, "wait", most=MOST_WAIT_SECONDS)
        try:
            pending = self._requests.poll(request.match_info["handle"])
        except NotFound:
            self._audit.refused("request_unknown", request.headers.get("Origin"))
            raise
        pending.waiters += 1
        try:
            async with asyncio.timeout(wait):
                await pending.answered.wait()
        except TimeoutError:
            pass
        finally:
            pending.waiters -= 1
        return _json({"status": pending.status, "redirect": _revealed(pending.redirect)})

    async def list(self, request: web.Request) -> web.Response:
        """``GET /oauth/requests``: what is asked now."""
        del request
        waiting = self._requests.waiting()
        return _json(
            {"requests": [{**self._asked(item), "age": round(self._requests.age(item), 1)} for item in waiting]}
        )

    async def answer(self, request: web.Request) -> web.Response:
        """``POST /oauth/requests/{code}``: the owner's yes or no."""
        answer = await read_as(request, AnswerRequest)
        pending = self._requests.pending(request.match_info["code"])
        authorization = pending.request
        if answer.answer == "deny":
            redirect = self._server.deny(authorization)
            await self._store.commit()
            self._audit.answered(authorization.client_id, authorization.scopes, "denied", surface(request))
            pending.settle("denied", redirect)
        else:
            scopes = _allowed(authorization, answer.scopes)
            redirect = self._server.allow(authorization, scopes)
            await self._store.commit()
            self._audit.answered(authorization.client_id, scopes, "allowed", surface(request))
            pending.settle("allowed", redirect)
        return _json({"status": pending.status})

    def _asked(self, pending: Pending) -> dict[str, Any]:
        authorization = pending.request
        sentences = self._sentences()
        grant = self._store.grant_of(authorization.client_id)
        granted = grant.scopes if grant is not None and grant.is_allowed else frozenset()
        return {
            "code": shown(pending.code),
            "status": pending.status,
            "client": client_view(authorization.client_id, is_development=authorization.is_development),
            "scopes": [
                {"scope": scope, "sentence": sentences.get(scope, scope), "granted": scope in granted}
                for scope in sorted(authorization.scopes)
            ],
            "redirect": _revealed(pending.redirect),
            "redirect_denied": self._server.denied(authorization),
        }


def client_view(client_id: str, *, is_development: bool, is_owner: bool = False) -> dict[str, Any]:
    """Return a client as people are shown it: ``{"id","kind","origin","development"}``; kind page, native or owner."""
    is_native = client_id.startswith("native:")
    return {
        "id": client_id,
        "kind": "owner" if is_owner else "native" if is_native else "page",
        "origin": None if is_native else client_id,
        "development": is_development,
    }


def _allowed(authorization: AuthorizationRequest, scopes: list[str] | None) -> frozenset[str]:
    if scopes is None:
        return frozenset(authorization.scopes)
    allowed = frozenset(scopes)
    if not allowed or not allowed <= authorization.scopes:
        asked = ", ".join(sorted(authorization.scopes))
        raise InvalidParams(f"allow at least one of the scopes that were asked: {asked}", path="$.scopes")
    return allowed


def _revealed(redirect: Secret[str] | None) -> str | None:
    return None if redirect is None else redirect.reveal()


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
