"""What travels over the WebSocket (protocol section 6): frames in as types, frames out as ready bytes."""

from collections.abc import Callable
from typing import Literal

import msgspec

from bridge.errors import AppFailed, Problem
from bridge.events.journal import Entry
from bridge.messages import EMPTY_OBJECT, Reply
from bridge.wire import Content, read_json

INBOUND_BYTES = 64 * 1024
OUTBOUND_BYTES = 1024 * 1024
"""The most that one message may hold, either way."""


class HelloFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hello"):
    """The first frame: where to go on, and a nonce for the daemon's proof (16 to 64 base64url characters)."""

    nonce: str | None = None
    after: str | None = None
    topics: list[str] = []


class CallFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="call"):
    """A command; ``id`` is the page's own number for the reply."""

    id: int | str
    command: str
    params: msgspec.Raw = EMPTY_OBJECT
    key: str | None = None


class SubscribeFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="subscribe"):
    """More topics to hear, from now on."""

    topics: list[str]


class UnsubscribeFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="unsubscribe"):
    """Topics not to hear any more."""

    topics: list[str]


class CancelFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="cancel"):
    """Give up a call under way."""

    id: int | str


class PingFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ping"):
    """Is anybody there; ``t`` comes back."""

    t: msgspec.Raw = msgspec.Raw(b"null")


Frame = HelloFrame | CallFrame | SubscribeFrame | UnsubscribeFrame | CancelFrame | PingFrame


_decode: Callable[[Content], Frame] = msgspec.json.Decoder(Frame).decode


def read(text: str | bytes) -> Frame:
    """Return a frame of the other side.

    Raises:
        MalformedRequest: it is not JSON.
        InvalidParams: it is no frame of ours; ``path`` names the fault.
    """
    return read_json(text, _decode)


def event(entry: Entry, epoch: str) -> bytes:
    """Write an event as one ready text frame."""
    return text_frame(b'{"type":"event","event":%b}' % entry.json(epoch))


def reply(call: int | str, answer: Reply) -> bytes:
    """Write a command's reply as one ready text frame."""
    number = msgspec.json.encode(call)
    if answer.problem is None and len(answer.result or b"") > OUTBOUND_BYTES - 1024:
        answer = Reply(problem=AppFailed(f"the result is over {OUTBOUND_BYTES} bytes; ask over HTTP").problem())
    if answer.problem is not None:
        return text_frame(b'{"type":"reply","id":%b,"error":%b}' % (number, msgspec.json.encode(answer.problem)))
    return text_frame(b'{"type":"reply","id":%b,"result":%b}' % (number, bytes(answer.result or b"null")))


def error(problem: Problem) -> bytes:
    """Write a fault that belongs to no call."""
    return text_frame(b'{"type":"error","error":%b}' % msgspec.json.encode(problem))


def message(kind: Literal["welcome", "subscribed", "pong", "closing"], **fields: object) -> bytes:
    """Write one of the daemon's own messages as a ready text frame."""
    return text_frame(msgspec.json.encode({"type": kind, **fields}))


def text_frame(payload: bytes) -> bytes:
    """Frame ``payload`` as one unmasked text message (RFC 6455 section 5.2)."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)
