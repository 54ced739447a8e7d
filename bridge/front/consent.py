"""The routes of consent: the consent page's own requests, and the owner's answers to them (protocol section 3)."""

import asyncio
from typing import Any, Literal

import msgspec
from aiohttp import web

from bridge.audit.notes import Audit
from bridge.consent.consent import Consent
from bridge.consent.requests import Pending
from bridge.errors import ClientError, NotFound
from bridge.front.audit import surface
from bridge.front.query import seconds, whole
from bridge.front.reading import read_as
from oauth.errors import RequestRefused
from oauth.models import AuthorizationRequest, Until
from oauth.secret import Secret, hidden
from oauth.server.server import AuthorizationServer

MOST_WAIT_SECONDS = 20.0
MOST_CHANGES = 2**53


class OpenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /oauth/requests``: the page's own query, as the client wrote it."""

    query: str

    __repr__ = hidden


class AnswerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /oauth/requests/{code}``; less than was asked may be allowed, and for a shorter time."""

    answer: Literal["allow", "deny"]
    scopes: list[str] | None = None
    until: Until | None = None


class AuthorizeRefused(ClientError):
    """The authorization request is wrong in a way that its client must not be told by a redirect."""

    title = "The site's request is not valid"


class ConsentRoutes:
    """Opens, shows and answers requests over HTTP."""

    def __init__(self, consent: Consent, server: AuthorizationServer, audit: Audit) -> None:
        self._consent = consent
        self._server = server
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
        pending, is_remembered = await self._consent.open_page(authorization)
        return _json({**self._shown(pending), "handle": pending.handle.reveal(), "remembered": is_remembered})

    async def poll(self, request: web.Request) -> web.Response:
        """``GET /oauth/requests/{handle}``: the status, at once when it is answered or after ``wait`` seconds."""
        wait = seconds(request, "wait", most=MOST_WAIT_SECONDS)
        try:
            pending = self._consent.poll(request.match_info["handle"])
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

    async def withdraw(self, request: web.Request) -> web.Response:
        """``DELETE /oauth/requests/{handle}``: its page was left; whatever became of the request, there is no more."""
        self._consent.withdraw(request.match_info["handle"])
        return web.Response(status=204)

    async def list(self, request: web.Request) -> web.Response:
        """``GET /oauth/requests?wait=&after=``: what is asked now, and the number of this change.

        With ``wait``, once there is another change than ``after`` (without it: than now), or after so long.
        """
        wait = seconds(request, "wait", most=MOST_WAIT_SECONDS)
        await self._consent.changed(wait, whole(request, "after", 0, MOST_CHANGES))
        waiting = self._consent.waiting()
        shown = [{**self._shown(item), "age": round(self._consent.age(item), 1)} for item in waiting]
        return _json({"requests": shown, "change": self._consent.change})

    async def answer(self, request: web.Request) -> web.Response:
        """``POST /oauth/requests/{code}``: the owner's yes or no."""
        answer = await read_as(request, AnswerRequest)
        pending = await self._consent.answer(
            request.match_info["code"],
            answer.answer,
            scopes=None if answer.scopes is None else frozenset(answer.scopes),
            until=answer.until,
            by=surface(request),
        )
        return _json({"status": pending.status})

    def _shown(self, pending: Pending) -> dict[str, Any]:
        asked = pending.asked
        denied = self._server.denied(asked) if isinstance(asked, AuthorizationRequest) else None
        return {
            **self._consent.view(pending),
            "redirect": _revealed(pending.redirect),
            "redirect_denied": denied,
        }


def _revealed(redirect: Secret[str] | None) -> str | None:
    return None if redirect is None else redirect.reveal()


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
