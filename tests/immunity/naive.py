"""A server on this computer as the ones before us were: it answers everybody, with whatever they came for.

It shows that an attack of `hostile/attacks.js` is one: against this server each of them succeeds.
"""

import base64

from aiohttp import web

SECRET = "what no page should see"

_SCRIPT = f'self.canary = "{SECRET}";'
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_BY_DEST = {
    "image": ("image/gif", _PIXEL),
    "script": ("text/javascript", _SCRIPT.encode()),
    "worker": ("text/javascript", _SCRIPT.encode()),
    "style": ("text/css", b"body { color: red }"),
}


class Naive:
    """Remembers what reached it: (method, path with its query)."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, str]] = []
        self.app = web.Application()
        self.app.router.add_route("*", "/{path:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.reached.append((request.method, request.path_qs))
        headers = {
            "Access-Control-Allow-Origin": request.headers.get("Origin", "*"),
            "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, Service-Worker, X-Hostile",
            "Access-Control-Allow-Credentials": "true",
            "Timing-Allow-Origin": "*",
        }
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await _greet(request)
        if "text/event-stream" in request.headers.get("Accept", ""):
            return web.Response(text=f"data: {SECRET}\n\n", content_type="text/event-stream", headers=headers)
        kind, body = _BY_DEST.get(request.headers.get("Sec-Fetch-Dest", ""), ("text/html", f"<p>{SECRET}</p>".encode()))
        return web.Response(body=body, content_type=kind, headers=headers)


async def _greet(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(protocols=("tollbridge.v1",))
    await socket.prepare(request)
    await socket.send_str(SECRET)
    await socket.close()
    return socket
