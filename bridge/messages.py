"""What travels between front, broker, worker and app: commands, replies, events, descriptions, callers, cursors.

JSON that only passes through (parameters, results, state, event data) stays ``msgspec.Raw``: it is read once, by the
side that knows its type.
"""

import enum
import re
from typing import Any, Self

import msgspec

from bridge.errors import MalformedRequest, Problem

Schema = dict[str, Any]
"""A JSON Schema (2020-12) object."""

EMPTY_OBJECT = msgspec.Raw(b"{}")


class Effect(enum.StrEnum):
    """What a command does to the world: nothing, something, or something that needs a fresh yes."""

    READ = "read"
    ACT = "act"
    DANGEROUS = "dangerous"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking, after verification; ``bridge.front.caller`` alone makes one from a verified token or socket.

    ``client`` is an origin (``https://app.example``), ``native:NAME`` or ``owner``; ``origin`` is None for native
    clients; ``grant`` is None for the owner on the Unix socket; ``owner`` callers may do everything.
    """

    client: str
    scopes: frozenset[str]
    origin: str | None = None
    grant: str | None = None
    pairing: str | None = None
    owner: bool = False

    def may(self, scope: str) -> bool:
        """Say whether ``scope`` is covered."""
        return self.owner or scope in self.scopes


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One request to an app: ``app`` "player", ``name`` "play", ``params`` a JSON object."""

    app: str
    name: str
    caller: Caller
    params: msgspec.Raw = EMPTY_OBJECT


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A command's result (JSON) or its problem; exactly one of the two is set."""

    result: msgspec.Raw | None = None
    problem: Problem | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact an app publishes: ``topic`` "player", ``name`` "changed", ``time`` RFC 3339 UTC, ``data`` JSON."""

    topic: str
    name: str
    time: str
    data: msgspec.Raw


class CommandDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What the front knows of a command; ``deadline`` in seconds; ``instant``: answers without ever waiting."""

    name: str
    summary: str
    effect: Effect
    scope: str
    params: Schema
    result: Schema
    deadline: float
    instant: bool = False


class TopicDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A topic with the scope that hears it and the schema of each event's data, by event name."""

    name: str
    scope: str
    events: dict[str, Schema]


class StateDescription(msgspec.Struct, frozen=True, kw_only=True):
    """The scope that reads an app's state, and the state's schema."""

    scope: str
    schema: Schema


class AppDescription(msgspec.Struct, frozen=True, kw_only=True):
    """All that the front knows of an app; ``scopes`` maps each scope to its sentence for people."""

    name: str
    title: str
    scopes: dict[str, str]
    commands: dict[str, CommandDescription]
    topics: dict[str, TopicDescription]
    state: StateDescription | None = None


_CURSOR = re.compile(r"([A-Za-z0-9_-]{8})\.(0|[1-9][0-9]{0,17})", re.ASCII)


class Cursor(msgspec.Struct, frozen=True):
    """A position in the daemon's one event sequence, written ``EPOCH.SEQ``; EPOCH as this client sees it."""

    epoch: str
    seq: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``EPOCH.SEQ``.

        Raises:
            MalformedRequest: the text has another form.
        """
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise MalformedRequest("a cursor is EPOCH.SEQ, as given in an event's id; leave it out to start from now")
        return cls(match[1], int(match[2]))

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"
