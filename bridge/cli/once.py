"""One page, served once, on a port of its own, to whoever of this user's knows its path; all else gets an empty 404."""

import http.server
import io
import os
import secrets
import socket
import threading
import time
from types import TracebackType
from typing import Self

from bridge.front.peer import open_lookup
from bridge.front.policy import may_connect
from bridge.front.reasons import Refused

MOST_CONNECTIONS = 16
"""A browser opens a few, also some that it never uses."""
HEAD_SECONDS = 5.0
"""How long a connection may take for its whole request, however it drips."""

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Connection": "close",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Once:
    """Serves ``page`` with ``csp`` as its Content-Security-Policy, from being entered to being left, the first time.

    The path is a secret of 256 bits. Only a person's browser that navigates gets the page: no worker, script or frame,
    no other page on this computer, and nothing that a browser loads in case it might be wanted. Whoever connects passes
    the daemon's own first step (`bridge.front.policy.may_connect`): another user's program is closed before it can ask,
    or take the room of those who may.
    """

    def __init__(self, page: str, *, csp: str) -> None:
        self._server = _Server(page.encode(), _HEADERS | {"Content-Security-Policy": csp})
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="once", daemon=True)

    @property
    def url(self) -> str:
        """Where the page is; whoever knows it gets the page."""
        return f"http://{self._server.host}{self._server.path}"

    def wait(self, seconds: float) -> bool:
        """Return once the page has been sent, or False after ``seconds``."""
        return self._server.sent.wait(seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server.forget()


class _Server(http.server.ThreadingHTTPServer):
    # Whoever connects and says nothing is waited for by nobody.
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # a burst of another user's must not keep the browser waiting for its turn

    def __init__(self, page: bytes, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.path = f"/{secrets.token_urlsafe(32)}"
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self.headers = headers
        self.sent = threading.Event()
        self._page: bytes | None = page
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._lookup = open_lookup()

    def take(self) -> bytes | None:
        """Return the page, the first time."""
        with self._lock:
            page, self._page = self._page, None
        return page

    def forget(self) -> None:
        """Let go of the way to the kernel."""
        if self._lookup is not None:
            self._lookup.close()

    def verify_request(self, request: object, client_address: object) -> bool:
        """Take a connection if it is this user's, and only while there is room."""
        return self._is_ours(request, client_address) and self._free.acquire(blocking=False)

    def _is_ours(self, request: object, client_address: object) -> bool:
        if not (isinstance(request, socket.socket) and isinstance(client_address, tuple)):
            return False
        try:
            if self._lookup is None:
                may_connect(client_address[0], None, uid=None)
            else:
                may_connect(
                    client_address[0], self._lookup.peer(client_address, request.getsockname()), uid=os.getuid()
                )
        except (Refused, OSError):
            return False
        return True

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Give the room back when the connection has ended."""
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]  # as it came
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing in the person's terminal of a connection that broke."""


class _Hurried(io.RawIOBase):
    """What comes on ``connection`` until ``HEAD_SECONDS`` from now; a timeout of the socket is one of each read."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._ends = time.monotonic() + HEAD_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, room: memoryview) -> int:  # type: ignore[override]  # as a buffered reader calls it
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(room)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = HEAD_SECONDS

    def setup(self) -> None:
        """Have the request come within its deadline."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Hurried(self.connection))

    def do_GET(self) -> None:
        """Send the page to the one who may have it."""
        page = self.server.take() if self._may_have_it() else None
        if page is None:
            self.send_error(404)
            return
        self._send(200, page, self.server.headers)
        self.server.sent.set()

    def _may_have_it(self) -> bool:
        # A browser that navigates for a person, or a program that says nothing of the kind. A worker that somebody left
        # on this port as well asks with another destination, and a page that it shows would navigate from this site.
        is_navigation = self.headers.get("Sec-Fetch-Dest", "document") == "document"
        is_from_outside = self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "same-site")
        is_wanted = "Sec-Purpose" not in self.headers and "Origin" not in self.headers  # no navigation by GET has one
        is_host = self.headers.get_all("Host") == [self.server.host]
        asked = f"GET {self.server.path} HTTP/1.1"  # self.path is no longer as it came
        is_path = secrets.compare_digest(self.requestline.encode("latin-1", "replace"), asked.encode())
        return is_navigation and is_from_outside and is_wanted and is_host and is_path

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer whatever is wrong with nothing."""
        del code, message, explain
        self._send(404, b"", {"Cache-Control": "no-store", "Connection": "close"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.close_connection = True
        self.connection.settimeout(HEAD_SECONDS)
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the library calls it
        """Write no log: a path is a secret."""
