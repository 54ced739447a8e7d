"""Another program of this user that holds a port where pages look for the daemon: it answers, relays, and remembers."""

import http.server
import re
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

DEADLINE_SECONDS = 10.0


class Heard(NamedTuple):
    """One request that came to the squatter; the names of the headers in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Said(NamedTuple):
    """What the squatter answers."""

    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


class _Holding:
    """A server in a thread, on a port of its own or one that the daemon has left."""

    def __init__(self, handler: type[socketserver.BaseRequestHandler], address: tuple[str, int]) -> None:
        self._links: list[socket.socket] = []
        links = self._links

        class Server(socketserver.ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

            def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
                link, client = super().get_request()
                links.append(link)
                return link, client

        self._server = Server(address, handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="squatter")

    @property
    def port(self) -> int:
        """Return the port that is held."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(DEADLINE_SECONDS)
        for link in self._links:  # a browser keeps spare connections, and would go on talking to who is gone
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)


class Squatter(_Holding):
    """Answers each request as ``says`` has it, to any origin, with everything a browser's CORS asks for."""

    def __init__(self, says: Callable[[Heard], Said], *, port: int = 0, host: str = "127.0.0.1") -> None:
        self.heard: list[Heard] = []
        heard = self.heard

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = DEADLINE_SECONDS

            def handle_one_request(self) -> None:
                try:
                    self.raw_requestline = self.rfile.readline(65537)
                except OSError:
                    self.raw_requestline = b""  # a browser's spare connection that nobody used
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Heard(self.command, self.path, headers, self.rfile.read(length))
                heard.append(asked)
                self._answer(asked, says(asked))

            def _answer(self, asked: Heard, said: Said) -> None:
                self.send_response(200)
                self.send_header("Content-Type", said.content_type)
                self.send_header("Content-Length", str(len(said.body)))
                self.send_header("Access-Control-Allow-Origin", asked.headers.get("origin", "*"))
                self.send_header("Access-Control-Allow-Methods", "GET, POST, DELETE")
                self.send_header("Access-Control-Allow-Headers", "authorization, content-type, dpop")
                self.send_header("Access-Control-Allow-Private-Network", "true")
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(Handler, (host, port))


class Relay(_Holding):
    """Carries every byte to the daemon at ``upstream`` and back; in heads, its own base becomes the daemon's."""

    def __init__(self, upstream: int) -> None:
        self.sent = bytearray()
        """What clients sent."""
        self.answered = bytearray()
        """What the daemon answered."""
        relay = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", upstream), DEADLINE_SECONDS) as daemon:
                    back = threading.Thread(target=_pump, args=(daemon, self.request, relay.answered, bytes))
                    back.start()
                    _pump(self.request, daemon, relay.sent, lambda piece: relay._changed(piece, upstream))
                    back.join(DEADLINE_SECONDS)

        super().__init__(Handler, ("127.0.0.1", 0))

    def _changed(self, piece: bytes, upstream: int) -> bytes:
        own = rb"(?i)(\r\n(?:host: |origin: http://)127\.0\.0\.1:)%d(?=\r\n)" % self.port
        return re.sub(own, rb"\g<1>%d" % upstream, piece)


def _pump(source: socket.socket, sink: socket.socket, seen: bytearray, change: Callable[[bytes], bytes]) -> None:
    try:
        while piece := source.recv(65536):
            seen += piece
            sink.sendall(change(piece))
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one side has gone
