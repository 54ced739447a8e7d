"""The shapes in which the player app speaks to pages: state, results, events."""

import msgspec

from bridge.apps.player.model import PlayerState
from bridge.apps.player.port import BackendState


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All players. ``chosen`` is the id of the one that commands without ``player`` mean, ``player`` that one whole.

    ``players`` are sorted by id and include the chosen one. ``backends`` says which kinds of players can be had here.
    """

    chosen: str | None
    player: PlayerState | None
    players: tuple[PlayerState, ...]
    backends: tuple[BackendState, ...]


class Accepted(msgspec.Struct, frozen=True):
    """The player with the id ``player`` accepted the command; what came of it is told by events and the state."""

    player: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``appeared`` and ``changed``: the player's whole new state, and whether it is the chosen one."""

    player: PlayerState
    chosen: bool


class Seeked(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``seeked``: the player ``id`` is not where its last state leads to, but at ``position`` seconds."""

    id: str
    position: float
    position_at: str
    chosen: bool


class Vanished(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``vanished``: the player ``id`` is gone. If another one is chosen now, its ``changed`` follows."""

    id: str


EVENTS: dict[str, type[msgspec.Struct]] = {
    "appeared": Told,
    "changed": Told,
    "seeked": Seeked,
    "vanished": Vanished,
}
