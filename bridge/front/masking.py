"""Holds a client's WebSocket frames to their masks (RFC 6455 section 5.1), which aiohttp's reader takes or leaves.

A mask keeps a page from writing bytes of its choice to whoever stands on the way. A client that leaves it out does not
follow the standard, and the connection is closed with 1002.
"""

from aiohttp.http_websocket import WebSocketReader

_LENGTHS = {126: 2, 127: 8}
"""By the 7 bits of a frame's own length (5.2): how many bytes more the length has."""


_NO_FRAME = b"\xff\x80"
"""The head of a frame that nobody may send (reserved bits, an unknown opcode): a reader ends at it, with 1002."""


class MaskedReader:
    """Hands on to ``inner`` what came as long as each frame is masked; in place of one that is not, no frame at all."""

    __slots__ = ("_ahead", "_head", "_inner", "_is_refused")

    def __init__(self, inner: WebSocketReader) -> None:
        self._inner = inner
        self._ahead = 0  # bytes until the next frame begins
        self._head = b""  # of a frame whose length has not all come; kept back until it has
        self._is_refused = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Read on; after the first frame without a mask nothing more is read."""
        if self._is_refused:
            return True, b""
        if self._head:
            data, self._head = self._head + data, b""
        at, size = self._ahead, len(data)
        while at < size:  # from frame to frame, without a look at what is in them
            end = _end(data, at)
            if end is None:
                data, self._head = data[:at], data[at:]
                break
            if end < 0:
                self._is_refused = True
                return self._inner.feed_data(data[:at] + _NO_FRAME)
            at = end
        self._ahead = at - len(data)
        return self._inner.feed_data(data)

    def feed_eof(self) -> None:
        """Hear that nothing more comes."""
        self._inner.feed_eof()


def _end(data: bytes, at: int) -> int | None:
    """Return where the frame at ``at`` ends; None where its length has not all come, -1 where it has no mask."""
    room = len(data) - at
    if room < 2:
        return None
    length = data[at + 1] - 0x80
    if length < 126:
        return at + 6 + length if length >= 0 else -1
    more = _LENGTHS[length]
    if room < 2 + more:
        return None
    return at + 6 + more + int.from_bytes(data[at + 2 : at + 2 + more], "big")
