"""A plain HTTP/1.1 client over one kept connection: sends exactly the headers it is given, and tells a close apart."""

import asyncio
from typing import NamedTuple

DEADLINE_SECONDS = 30.0


class Seen(NamedTuple):
    """What came back; ``status`` 0 is a closed connection without a byte. Header names are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for found, value in self.headers if found == name]

    def one(self, name: str) -> str | None:
        """Return a header that comes at most once."""
        values = self.all(name)
        assert len(values) <= 1, (name, values)
        return values[0] if values else None


CLOSED = Seen(0)


class KeptConnection:
    """Sends one request after the other; connects again where the daemon has closed."""

    def __init__(self, *, port: int | None = None, path: str | None = None) -> None:
        self._port = port
        self._path = path
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"") -> Seen:
        """Send one request and return the whole answer."""
        head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        if body:
            head.append(f"Content-Length: {len(body)}")
        async with asyncio.timeout(DEADLINE_SECONDS):
            reader, writer = await self._connected()
            try:
                writer.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
                seen = await _read(reader, has_body=method != "HEAD")
            except ConnectionError:
                seen = CLOSED
        if seen is CLOSED or (seen.one("connection") or "").lower() == "close":
            self.close()
        return seen

    def close(self) -> None:
        """End the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            if self._path is not None:
                self._reader, self._writer = await asyncio.open_unix_connection(self._path)
            else:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self._reader, self._writer


async def _read(reader: asyncio.StreamReader, *, has_body: bool) -> Seen:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise AssertionError("an answer that was cut off") from error
        return CLOSED
    seen = parsed(head)
    if not has_body or seen.status in (204, 304):
        return seen
    assert seen.one("transfer-encoding") is None, "no answer of the table is a stream"
    return seen._replace(body=await reader.readexactly(int(seen.one("content-length") or 0)))


def parsed(head: bytes) -> Seen:
    """Return the head of an answer, without a body."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    pairs = [line.partition(":") for line in lines]
    return Seen(int(first.split(" ")[1]), tuple((name.lower(), value.strip()) for name, _, value in pairs))
