"""The daemon's own pages, read into memory at start: no request ever names a path on the disk."""

import mimetypes
from pathlib import Path

import msgspec
from aiohttp import web

from bridge.errors import BridgeFault, NotFound

FOLDER = Path(__file__).parent.parent / "web"
"""Built from web_client by scripts/build, shipped in the wheel."""

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

DOCUMENTS = ("dashboard.html", "consent.html", "device.html", "offer.html")

UNREGISTER = """self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  await self.registration.unregister();
  for (const client of await self.clients.matchAll({ type: "window" })) client.navigate(client.url);
})()));
"""
"""Answers every service worker's update check: whatever once held this port must not stay in charge of our pages."""


class PagesMissing(BridgeFault):
    """The pages were not built into this installation."""

    code = "pages_missing"
    title = "The pages are missing"


class File(msgspec.Struct, frozen=True):
    """One file as it is served."""

    body: bytes
    content_type: str


class Pages:
    """Serves the documents and their parts."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): File(path.read_bytes(), _media_type(path))
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        for document in DOCUMENTS:
            if document not in self._files:
                raise PagesMissing(f"{folder} has no {document}; run scripts/build")

    async def dashboard(self, request: web.Request) -> web.Response:
        """``GET /``."""
        del request
        return self._document("dashboard.html", opener_policy="same-origin")

    async def consent(self, request: web.Request) -> web.Response:
        """``GET /oauth/authorize``; no opener policy: a page in a third-party frame hears its callback only by it."""
        del request
        return self._document("consent.html", opener_policy=None)

    async def device(self, request: web.Request) -> web.Response:
        """``GET /oauth/device``: the verification page of RFC 8628 section 3.3; its GET has no effect."""
        del request
        return self._document("device.html", opener_policy="same-origin")

    async def offer(self, request: web.Request) -> web.Response:
        """``GET /offer``: the offer stands in the fragment, which no request carries."""
        del request
        return self._document("offer.html", opener_policy="same-origin")

    async def static(self, request: web.Request) -> web.Response:
        """``GET /static/...``: what the documents load."""
        file = self._files.get(request.match_info["name"])
        if file is None or file.content_type == "text/html":
            raise NotFound("there is no such file")
        return web.Response(body=file.body, content_type=file.content_type, headers=_HEADERS)

    def _document(self, name: str, *, opener_policy: str | None) -> web.Response:
        file = self._files[name]
        response = web.Response(body=file.body, content_type="text/html", charset="utf-8", headers=_HEADERS)
        if opener_policy is not None:
            response.headers["Cross-Origin-Opener-Policy"] = opener_policy
        return response


def _media_type(path: Path) -> str:
    # Not the system's table alone: some machines call .js text/plain, which nosniff then refuses to run.
    known = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
    return known.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
