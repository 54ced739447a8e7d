"""The door to the daemon: HTTP over the Unix socket that the runtime file names, with a deadline on every wait."""

import http.client
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from bridge import paths, runtime
from bridge.cli.failures import AnswerNotUnderstood, Failure, NotRunning, Refused, Said, ToldProblem, Unanswered
from bridge.cli.request import Request, curl_line
from bridge.listen import LONGEST_SOCKET_PATH

ANSWER_SECONDS = 10.0
"""How long an answer may take where the command names no deadline of its own."""
MOST_BYTES = 16 * 1024 * 1024
"""The longest answer that is read; the daemon's own messages are at most 1 MiB."""

Answer = TypeVar("Answer")


def socket_path() -> Path:
    """Return where the daemon listens, or would if it ran."""
    told = runtime.read(paths.runtime_file())
    return Path(told.socket) if told else paths.socket()


def print_curl(request: Request) -> None:
    """Print the curl line that does the same as ``request``."""
    click.echo(curl_line(request, socket_path()))


def send(request: Request, *, deadline: float = ANSWER_SECONDS, said: Said | None = None) -> bytes:
    """Send ``request`` and return the body of a good answer.

    Args:
        request: what to send.
        deadline: seconds that any single wait may take.
        said: what the command says of a code in place of the daemon's detail.

    Raises:
        NotRunning: nobody listens.
        Refused: the daemon answered with a problem.
        Unanswered: it took longer than ``deadline``, or broke off.
    """
    with opened(request, deadline=deadline, said=said) as response:
        return response.read(MOST_BYTES)


def ask(
    request: Request, answer: type[Answer], *, deadline: float = ANSWER_SECONDS, said: Said | None = None
) -> Answer:
    """Send ``request`` and return its answer as ``answer``; members that this version does not know are skipped.

    Raises:
        AnswerNotUnderstood: the answer has another form; else as ``send``.
    """
    return understood(send(request, deadline=deadline, said=said), answer)


def understood(body: bytes, answer: type[Answer]) -> Answer:
    """Return ``body`` read as ``answer``.

    Raises:
        AnswerNotUnderstood: it is not JSON of that form.
    """
    try:
        return msgspec.json.decode(body, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AnswerNotUnderstood(str(error)) from error


@contextmanager
def opened(request: Request, *, deadline: float, said: Said | None = None) -> Iterator[http.client.HTTPResponse]:
    """Send ``request`` and yield the good answer, open for reading; errors as in ``send``, also while reading."""
    connection = _UnixConnection(socket_path(), deadline)
    try:
        with _failures_said(deadline):
            content = request.content()
            connection.request(
                request.method, request.target(), body=content and content.encode(), headers=request.all_headers()
            )
            response = connection.getresponse()
            if response.status >= http.client.BAD_REQUEST:
                raise Refused(response.status, _problem(response.read(MOST_BYTES)), said)
            yield response
    finally:
        connection.close()


class _UnixConnection(http.client.HTTPConnection):
    """``http.client`` over a Unix socket instead of a host and port."""

    def __init__(self, path: Path, deadline: float) -> None:
        super().__init__("localhost", timeout=deadline)
        self._path = path

    def connect(self) -> None:
        if len(os.fsencode(self._path)) > LONGEST_SOCKET_PATH:
            raise NotRunning  # nor can one: its start says what to do
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning from error
        except PermissionError as error:
            raise Failure(f"This user may not open {self._path}; the daemon belongs to somebody else.") from error
        except TimeoutError:
            raise
        except OSError as error:
            raise Failure(f"{self._path} cannot be opened: {error}.") from error


@contextmanager
def _failures_said(deadline: float) -> Iterator[None]:
    """Turn what the connection raises into sentences."""
    try:
        yield
    except TimeoutError as error:
        raise Unanswered(
            f"The daemon did not answer within {deadline:g} s; whether it did what was asked is not known."
        ) from error
    except (ConnectionError, http.client.IncompleteRead, http.client.RemoteDisconnected) as error:
        raise Unanswered("The daemon broke off before it had answered; it may have been stopped.") from error
    except http.client.HTTPException as error:
        raise AnswerNotUnderstood(type(error).__name__) from error


def _problem(body: bytes) -> ToldProblem:
    """Read a refusal: RFC 9457, or the OAuth endpoints' own form (RFC 6749 section 5.2), or whatever text it is."""
    try:
        told = msgspec.json.decode(body, type=dict[str, object])
        if "error" in told:
            return ToldProblem(code=str(told["error"]), detail=str(told.get("error_description", "")))
        return msgspec.convert(told, ToldProblem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ToldProblem(detail=body[:500].decode(errors="replace"))
