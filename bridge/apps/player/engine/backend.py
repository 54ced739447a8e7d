"""The built-in player as a backend: hands every command to one thread, and tells what became of it.

What is true lives in the deck, which that thread alone changes; a command that is given up in the middle still ends
there, and is still told of.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from bridge.apps.player import model
from bridge.apps.player.engine import device as sound
from bridge.apps.player.engine import playlist
from bridge.apps.player.engine.deck import Deck
from bridge.apps.player.errors import NotSupported, PlayerGone
from bridge.apps.player.model import Capabilities, Player, Reading, Status, Track
from bridge.apps.player.port import Action, BackendState, Listener, Source

logger = logging.getLogger(__name__)

PLAYER_ID = "tollbridge"
"""No MPRIS player has it: this daemon is none, and another program that took the name would be told by its kind."""


class Engine:
    """The backend of kind "engine": one player, over the files below ``folders``."""

    name = model.ENGINE

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        device: Literal["auto", "null"] = "auto",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folders = folders
        self._device = device
        self._clock = clock
        self._is_installed = sound.is_installed()
        self._deck: Deck | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._listener: Listener | None = None

    @asynccontextmanager
    async def run(self, listener: Listener) -> AsyncIterator[None]:
        """Live; no thread and no device before the first command."""
        if not self._is_installed:
            logger.info("no built-in player", extra={"reason": self.report().detail})
            yield
            return
        loop = asyncio.get_running_loop()
        deck = Deck(
            self._folders,
            null=self._device == "null",
            on_end=lambda loading: _call_soon(loop, self._ended, loading),
        )
        thread = ThreadPoolExecutor(1, thread_name_prefix="player-engine")
        self._deck, self._thread, self._listener = deck, thread, listener
        self._tell()
        try:
            yield
        finally:
            self._deck = self._thread = self._listener = None
            await loop.run_in_executor(thread, deck.close)
            thread.shutdown(wait=True)  # idle by now: it has one thread, and that has just closed the deck

    def report(self) -> BackendState:
        """Return whether miniaudio is installed."""
        detail = "ready" if self._is_installed else "miniaudio is not installed (pip install 'tollbridge[engine]')"
        return BackendState(name=self.name, is_available=self._is_installed, detail=detail)

    async def refresh(self) -> None:
        """Take a new reading: it costs nothing."""
        if self._deck is not None and self._deck.status is Status.PLAYING:
            self._tell()

    async def act(self, player: str, action: Action) -> None:
        """Do ``action``."""
        deck = self._deck_of(player)
        await self._do(
            {
                Action.PLAY: deck.play,
                Action.PAUSE: deck.pause,
                Action.PLAY_PAUSE: deck.play_pause,
                Action.STOP: deck.stop,
                Action.NEXT: deck.next,
                Action.PREVIOUS: deck.previous,
            }[action]
        )

    async def seek(self, player: str, offset: float) -> None:
        """Move by ``offset`` seconds."""
        await self._do(partial(self._deck_of(player).seek, offset))

    async def set_position(self, player: str, position: float) -> None:
        """Go to ``position`` seconds."""
        await self._do(partial(self._deck_of(player).set_position, position))

    async def set_volume(self, player: str, volume: float) -> None:
        """Set the volume."""
        await self._do(partial(self._deck_of(player).set_volume, volume))

    async def open(self, player: str, source: Source) -> None:
        """Play a file."""
        if not isinstance(source, Path):
            raise NotSupported("the built-in player plays files only")
        await self._do(partial(self._deck_of(player).open, source))

    def _deck_of(self, player: str) -> Deck:
        if self._deck is None or player != PLAYER_ID:
            raise PlayerGone("the built-in player has ended")
        return self._deck

    async def _do(self, work: Callable[[], None]) -> None:
        """Run ``work`` on the deck's thread; tell of the outcome even if the caller has gone by then."""
        if self._thread is None:
            raise PlayerGone("the built-in player has ended")
        loop = asyncio.get_running_loop()

        def run() -> None:
            try:
                work()
            finally:
                _call_soon(loop, self._tell)

        await loop.run_in_executor(self._thread, run)

    def _ended(self, loading: int) -> None:
        if self._deck is not None and self._thread is not None:
            deck = self._deck
            self._thread.submit(self._go_on, asyncio.get_running_loop(), deck, loading)

    def _go_on(self, loop: asyncio.AbstractEventLoop, deck: Deck, loading: int) -> None:
        try:
            deck.ended(loading)
        except Exception:
            logger.exception("the next track did not begin")
        _call_soon(loop, self._tell)

    def _tell(self) -> None:
        if self._listener is not None and self._deck is not None:
            self._listener.update(_player(self._deck, at=self._clock()))


def _player(deck: Deck, *, at: float) -> Player:
    return Player(
        id=PLAYER_ID,
        name="Tollbridge player" + (" (no sound card)" if deck.is_silent else ""),
        kind=model.ENGINE,
        status=deck.status,
        track=_track(deck),
        reading=Reading(deck.position, at),
        volume=deck.volume,
        capabilities=_capabilities(deck),
    )


def _track(deck: Deck) -> Track | None:
    tune = deck.tune
    if tune is None:
        return None
    tags = playlist.tags(tune.name)
    return Track(
        id=tune.name, title=tags.title, artists=tags.artists, album=tags.album, length=deck.length, uri=tune.name
    )


def _capabilities(deck: Deck) -> Capabilities:
    return Capabilities(
        can_play=True,
        can_pause=True,
        can_stop=True,
        can_seek=deck.tune is not None,
        can_next=True,
        can_previous=True,
        can_set_volume=True,
        can_open=True,
        open_schemes=("file",),
    )


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: int) -> None:
    """Call on the loop from another thread; a loop that has ended meanwhile wants nothing any more."""
    try:
        loop.call_soon_threadsafe(callback, *arguments)
    except RuntimeError:
        logger.debug("the event loop has ended before the sound did")
