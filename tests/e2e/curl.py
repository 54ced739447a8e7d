"""curl, as anybody would use it: over the Unix socket as the owner, over TCP with a token from the command line."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.parts.daemon import Daemon

DEADLINE_SECONDS = 10


class Answer(NamedTuple):
    """curl's exit status, and what it printed: the answer's status, head and body."""

    exit: int
    status: int
    head: str
    body: str

    @property
    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)


class Curl:
    """Sends what a shell would. ``token``: a whole header line, over TCP; without ``is_unix`` none is sent."""

    def __init__(self, daemon: Daemon, *, is_unix: bool = False, token: str | None = None) -> None:
        self._daemon = daemon
        self._token = token
        self.base = "http://localhost" if is_unix else daemon.base
        self._way = ("--unix-socket", daemon.socket) if is_unix else ("--noproxy", "127.0.0.1")

    def __call__(self, path: str, *options: str) -> Answer:
        """Send one request and return what came."""
        form = "\n%{http_code}"
        command = self._command(path, "--include", "--max-time", str(DEADLINE_SECONDS), "--write-out", form, *options)
        done = subprocess.run(
            command,
            input=self._token,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS + 5,
            env=self._daemon.env,
            check=False,
        )
        text, _, status = done.stdout.replace("\r\n", "\n").rpartition("\n")
        head, _, body = text.partition("\n\n")
        return Answer(done.returncode, int(status or 0), head, body)

    @contextmanager
    def stream(self, path: str, *options: str) -> Iterator["Stream"]:
        """Open a stream of events (SSE)."""
        accept = ("-H", "Accept: text/event-stream", "--no-buffer", "--max-time", str(DEADLINE_SECONDS))
        process = subprocess.Popen(
            self._command(path, *accept, *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self._daemon.env,
        )
        with process:
            assert process.stdin is not None
            process.stdin.write(self._token or "")
            process.stdin.close()
            process.stdin = None
            try:
                yield Stream(process)
            finally:
                process.terminate()

    def _command(self, path: str, *options: str) -> list[str]:
        # The token comes by standard input: in the list of arguments any user of this machine could read it.
        token = () if self._token is None else ("-H", "@-")
        return ["curl", "--silent", "--show-error", *self._way, *token, *options, self.base + path]


class Stream:
    """What a stream brings; curl's own deadline ends the wait for it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def line(self) -> str:
        """Return the next line, without its end."""
        assert self._process.stdout is not None
        text = self._process.stdout.readline()
        assert text, "the stream has ended"
        return text.rstrip("\n")

    def event(self) -> dict[str, Any]:
        """Return the next event."""
        id_ = ""
        while True:
            line = self.line()
            if line.startswith("id:"):
                id_ = line.removeprefix("id:").strip()
            elif line.startswith("data:"):
                event: dict[str, Any] = json.loads(line.removeprefix("data:"))
                assert id_ == event["id"], "SSE's id is the event's"
                return event


def token(daemon: Daemon, *scopes: str) -> str:
    """Return what `tollbridge token --header` prints."""
    wanted = [option for scope in scopes for option in ("--scope", scope)]
    done = daemon.cli("token", *wanted, "--ttl", "10m", "--header")
    assert 0 == done.returncode, done.stderr
    return done.stdout


def sessions_are(daemon: Daemon, count: int) -> None:
    """Wait until the daemon counts so many live sessions."""
    end = time.monotonic() + DEADLINE_SECONDS
    while daemon.ask("GET", "/v1/status")["sessions"] != count:
        assert time.monotonic() < end, f"there are not {count} sessions"
        time.sleep(0.01)
