"""The HTTP face of the authorization server: its endpoints, the cleaning before an activation, and the metadata.

Host, Origin, CORS, media type and size are the front's; so are the consent page and everything that answers 401.
"""

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from oauth.errors import EndpointError, InvalidRequest
from oauth.server.forms import read_form
from oauth.server.results import TokenResult, refusal
from oauth.server.server import Ask, AuthorizationServer

CLEAN = {"Clear-Site-Data": '"cache", "storage"'}
"""What a browser keeps of this origin goes: workers, databases, files in its cache. No cookies: those are shared by all
ports of 127.0.0.1, so that other people's would go and ours, which do not exist, would not."""


class Endpoints:
    """aiohttp handlers, listed in the front's route table.

    ``read_body`` returns a form body as it came; ``ask`` has the owner asked about a device.
    """

    def __init__(
        self, server: AuthorizationServer, read_body: Callable[[web.Request], Awaitable[bytes]], ask: Ask
    ) -> None:
        self._server = server
        self._read_body = read_body
        self._ask = ask

    async def token(self, request: web.Request) -> web.Response:
        """``POST /oauth/token``: a form in, the JSON of RFC 6749 5.1 or 5.2 out."""
        answer = await self._server.token(
            await self._read_body(request),
            origin=request.headers.get("Origin"),
            proofs=request.headers.getall("DPoP", ()),
        )
        return _told(answer)

    async def revoke(self, request: web.Request) -> web.Response:
        """``POST /oauth/revoke``: a form in; 200, whatever became of it (RFC 7009 2.2)."""
        answer = await self._server.revoke(
            await self._read_body(request),
            origin=request.headers.get("Origin"),
            proofs=request.headers.getall("DPoP", ()),
        )
        return _told(answer)

    async def device_authorization(self, request: web.Request) -> web.Response:
        """``POST /oauth/device_authorization``: a form in, the JSON of RFC 8628 3.2 out."""
        answer = await self._server.device_authorization(
            await self._read_body(request),
            origin=request.headers.get("Origin"),
            proofs=request.headers.getall("DPoP", ()),
            ask=self._ask,
        )
        return _told(answer)

    async def clean(self, request: web.Request) -> web.Response:
        """``POST /oauth/clean``: have the browser forget all that it keeps of this origin (Clear Site Data); 204.

        A form with ``link``, the secret of an activation link that has not been used: it stays good, and nobody else
        may empty the owner's browser. Browsers heed the answer only where the request was sent with credentials.
        """
        try:
            link = read_form(await self._read_body(request)).single().get("link", "")
            if not self._server.is_activation_link(link):
                raise InvalidRequest("link is the secret of an activation link that has not been used")
        except EndpointError as error:
            return _told(refusal(error))
        return web.Response(status=204, headers=CLEAN)

    async def authorization_server(self, request: web.Request) -> web.Response:
        """``GET /.well-known/oauth-authorization-server`` (RFC 8414)."""
        del request
        return _json(self._server.metadata())

    async def protected_resource(self, request: web.Request) -> web.Response:
        """``GET /.well-known/oauth-protected-resource`` (RFC 9728)."""
        del request
        return _json(self._server.protected_resource())


def _told(answer: TokenResult) -> web.Response:
    return web.Response(
        status=answer.status,
        body=msgspec.json.encode(answer.body) if answer.body else None,
        content_type="application/json",
        headers=answer.headers,
    )


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
