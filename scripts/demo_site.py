"""The demo page's own web site: static files from another origin than the daemon's, as any integrator's would be."""

from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

HOST = "127.0.0.1"
"""Where the site listens. Its origin says `localhost`, which browsers resolve to this without asking a name server."""


def content_policy(bases: Iterable[str]) -> str:
    """Return the Content-Security-Policy of a page that uses the SDK: only `connect-src` is about Tollbridge.

    Args:
        bases: the daemon's possible bases, `http://127.0.0.1:PORT`; the SDK looks at each, by HTTP and WebSocket.
    """
    daemon = " ".join(f"{base} {base.replace('http:', 'ws:', 1)}" for base in bases)
    rules = {
        "default-src": "'none'",
        "connect-src": f"'self' {daemon}",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: https:",  # a track's picture may lie anywhere
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def application(folder: Path, bases: Iterable[str]) -> web.Application:
    """Return the site: the files of ``folder``, `index.html` for a folder, never stored by the browser."""
    root = folder.resolve()
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": content_policy(bases),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

    async def serve(request: web.Request) -> web.StreamResponse:
        file = (root / request.match_info["path"]).resolve()
        if file.is_dir():
            file /= "index.html"
        if not (file.is_relative_to(root) and file.is_file()):
            raise web.HTTPNotFound(headers=headers)
        return web.FileResponse(file, headers=headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    return app
