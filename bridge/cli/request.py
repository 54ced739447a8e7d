"""A request to the daemon as a value: sent by the client, or written as the equal curl line."""

import shlex
from pathlib import Path
from urllib.parse import quote, urlencode

import click
import msgspec

from bridge.cli.terminal import compact_json

SSE = "text/event-stream"
JSON = "application/json"


class Request(msgspec.Struct, frozen=True):
    """One HTTP request: ``path`` already percent-encoded, ``query`` not yet, ``body`` a JSON object or None."""

    method: str
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: dict[str, object] | None = None

    def target(self) -> str:
        """Return path and query as they stand in the request line; commas stay, being allowed and readable there."""
        return self.path if not self.query else f"{self.path}?{urlencode(self.query, safe=',:', quote_via=quote)}"

    def content(self) -> str | None:
        """Return the body as JSON on one line."""
        return None if self.body is None else compact_json(self.body)

    def all_headers(self) -> dict[str, str]:
        """Return the headers, with the media type that a body needs."""
        return self.headers if self.body is None else {**self.headers, "Content-Type": JSON}


def curl_line(request: Request, socket: Path) -> str:
    """Return the command line that sends ``request``, quoted for a POSIX shell.

    The Unix socket needs no token: it is the owner's alone, so that no secret can stand in the line.
    """
    words = ["curl", "-sS"]
    content = request.content()
    if request.headers.get("Accept") == SSE:
        words.append("-N")  # lines as they come, not when a buffer is full
    if request.method != ("GET" if content is None else "POST"):
        words += ["-X", request.method]
    words += ["--unix-socket", str(socket)]
    for name, value in request.all_headers().items():
        words += ["-H", f"{name}: {value}"]
    if content is not None:
        words += ["--data-raw", content]
    # Ends with the one thing a person changes first.
    words.append(f"http://localhost{request.target()}")
    return shlex.join(words)


curl_option = click.option(
    "--curl", is_flag=True, help="Print the equal curl line instead of sending the request; it holds no secret."
)
"""The option of every command that talks to the daemon."""
