"""What the player app asks of a backend, and what a backend tells it; the backends do not know each other."""

import enum
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from bridge.apps.player.model import Player

Source = Path | str
"""What ``open`` hands over once it was checked: a resolved file below a music folder, or an http(s) URI."""


class Action(enum.Enum):
    """The commands without parameters."""

    PLAY = "play"
    PAUSE = "pause"
    PLAY_PAUSE = "play_pause"
    STOP = "stop"
    NEXT = "next"
    PREVIOUS = "previous"


class BackendState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a kind of player is offered, and if not why, in words for the owner."""

    name: str
    is_available: bool
    detail: str


class Listener(Protocol):
    """Hears about players; implemented by the roster, called by backends on the event loop's thread."""

    def update(self, player: Player) -> None:
        """Take a player as it is now: a new one, a changed one, or the same again."""

    def remove(self, player: str) -> None:
        """Forget a player that is gone; an unknown id is ignored."""


class Backend(Protocol):
    """One kind of players. Commands raise the errors of ``bridge.apps.player.errors``, each within a deadline.

    A command is done when the player has accepted it; what came of it is told to the listener.
    """

    name: str
    """The ``kind`` of its players."""

    def run(self, listener: Listener) -> AbstractAsyncContextManager[None]:
        """Live: tell ``listener`` about players until left."""

    def report(self) -> BackendState:
        """Return whether players of this kind can be had."""

    async def refresh(self) -> None:
        """Read the positions of playing players again, within half a second; never raises."""

    async def act(self, player: str, action: Action) -> None:
        """Do ``action``."""

    async def seek(self, player: str, offset: float) -> None:
        """Move by ``offset`` seconds, backwards if negative."""

    async def set_position(self, player: str, position: float) -> None:
        """Go to ``position`` seconds of the track."""

    async def set_volume(self, player: str, volume: float) -> None:
        """Set the volume, 0 to 1."""

    async def open(self, player: str, source: Source) -> None:
        """Play ``source``."""
