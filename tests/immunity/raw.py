"""A client without manners: sends bytes as they are, when it likes, and keeps whatever comes back."""

import select
import socket
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

DEADLINE_SECONDS = 15.0
CHUNK_BYTES = 256 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Heard(NamedTuple):
    """What came back until the other side closed, or until one whole answer was there; ``seconds`` as it took."""

    content: bytes
    is_closed: bool
    seconds: float

    @property
    def statuses(self) -> list[int]:
        """Return the status of every answer in it."""
        return [answer.status for answer in answers(self.content)]


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    head: bytes
    body: bytes


def connect(address: tuple[str, int] | str) -> socket.socket:
    """Connect to a TCP address, or to the Unix socket of that path."""
    if isinstance(address, tuple):
        return socket.create_connection(address, DEADLINE_SECONDS)
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(DEADLINE_SECONDS)
    link.connect(address)
    return link


def ask(address: tuple[str, int] | str, *pieces: bytes, deadline: float = DEADLINE_SECONDS) -> Heard:
    """Send ``pieces`` on a connection of their own, and listen as `exchange` does."""
    with connect(address) as link:
        return exchange(link, pieces, deadline=deadline)


def ask_late(address: tuple[str, int] | str, head: bytes, body: bytes) -> Heard:
    """Send ``body`` once the other side has said that it waits for it (``Expect: 100-continue`` stands in ``head``).

    What comes back starts behind that word; without it ``body`` is not sent.
    """
    with connect(address) as link:
        first = exchange(link, [head], is_enough=lambda content: content == CONTINUE or is_whole(content))
        return exchange(link, [body]) if first.content == CONTINUE and not first.is_closed else first


def exchange(
    link: socket.socket,
    pieces: Iterable[bytes],
    *,
    is_enough: Callable[[bytes], bool] | None = None,
    deadline: float = DEADLINE_SECONDS,
) -> Heard:
    """Send ``pieces``, each as a segment of its own, reading all the while.

    Ends when the other side closes, when everything is sent and what came ``is_enough`` (one whole answer, where it is
    not given), or after ``deadline`` seconds.
    """
    is_enough = is_enough or is_whole
    link.setblocking(False)
    if link.family is socket.AF_INET:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    begun = time.monotonic()
    queue = iter(pieces)
    out, heard = memoryview(next(queue, b"")), bytearray()
    while (left := begun + deadline - time.monotonic()) > 0:
        readable, writable, _ = select.select([link], [link] if out else [], [], left)
        try:
            if writable:
                out = out[link.send(out) :] or memoryview(next(queue, b""))
            if readable:
                came = link.recv(CHUNK_BYTES)
                if not came:
                    return Heard(bytes(heard), True, time.monotonic() - begun)
                heard += came
        except (ConnectionError, BlockingIOError) as error:
            if isinstance(error, ConnectionError):
                heard += _rest(link)
                return Heard(bytes(heard), True, time.monotonic() - begun)
        if not out and is_enough(bytes(heard)):
            break
    return Heard(bytes(heard), False, time.monotonic() - begun)


def answers(content: bytes) -> list[Answer]:
    """Cut what was heard into answers; ValueError where it is none."""
    found, start = [], 0
    while start < len(content):
        gap = content.find(b"\r\n\r\n", start)
        if gap < 0 or not content.startswith(b"HTTP/1.1 ", start):
            raise ValueError(f"no answer: {content[start : start + 80]!r}")
        head = content[start:gap]
        status = int(head[9:12])
        size = 0 if status < 200 or status in (204, 304) else _length(head)
        start = gap + 4 + (size or 0)
        if size is None or len(content) < start:
            raise ValueError(f"half an answer: {head!r}")
        found.append(Answer(status, head, content[gap + 4 : start]))
    return found


def is_whole(content: bytes) -> bool:
    """Say whether a final answer is there, and nothing of a next one."""
    try:
        return any(answer.status >= 200 for answer in answers(content))
    except ValueError:
        return False


def _length(head: bytes) -> int | None:
    for line in head.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return None


def _rest(link: socket.socket) -> bytes:
    """Return what had arrived before the other side broke off."""
    try:
        return link.recv(CHUNK_BYTES)
    except OSError:
        return b""
