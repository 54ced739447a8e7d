"""The HTTP face of the authorization server: the token endpoint and the two metadata documents.

Host, Origin, CORS, media type and size are the front's; so are the consent page and everything that answers 401.
"""

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from oauth.server.flows import AuthorizationServer


class Endpoints:
    """aiohttp handlers, listed in the front's route table; ``read_form`` returns a checked form body as it came."""

    def __init__(self, server: AuthorizationServer, read_form: Callable[[web.Request], Awaitable[bytes]]) -> None:
        self._server = server
        self._read_form = read_form

    async def token(self, request: web.Request) -> web.Response:
        """``POST /oauth/token``: a form in, the JSON of RFC 6749 5.1 or 5.2 out."""
        answer = await self._server.token(
            await self._read_form(request),
            origin=request.headers.get("Origin"),
            proofs=request.headers.getall("DPoP", ()),
        )
        return web.Response(
            status=answer.status,
            body=msgspec.json.encode(answer.body),
            content_type="application/json",
            headers=answer.headers,
        )

    async def authorization_server(self, request: web.Request) -> web.Response:
        """``GET /.well-known/oauth-authorization-server`` (RFC 8414)."""
        del request
        return _json(self._server.metadata())

    async def protected_resource(self, request: web.Request) -> web.Response:
        """``GET /.well-known/oauth-protected-resource`` (RFC 9728)."""
        del request
        return _json(self._server.protected_resource())


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
