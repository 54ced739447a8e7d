"""Keeps what is known of one player fresh: reads it whole when it signals a change, and now and then while it plays."""

import asyncio
import logging
from collections.abc import Callable

from bridge.apps.player import model
from bridge.apps.player.errors import PlayerGone, PlayerTimeout
from bridge.apps.player.model import Player, Status
from bridge.apps.player.mpris.player import MprisPlayer
from bridge.apps.player.port import Listener
from bridge.errors import BridgeError

logger = logging.getLogger(__name__)

RECHECK_SECONDS = 5.0
"""How often a playing player's position is read without a signal: it may stall, or drift as VLC does (0.93 to 1.0)."""

RETRY_SECONDS = 5.0
"""When a player that did not answer is asked again."""

FRESH_SECONDS = 0.5
"""A position read so recently is not read again for a state request: extrapolation is as good."""


class Follower:
    """Tells ``listener`` about ``player``; ``follow`` runs as long as the player lives."""

    def __init__(self, player: MprisPlayer, listener: Listener, clock: Callable[[], float]) -> None:
        self.player = player
        self._listener = listener
        self._clock = clock
        self._known: Player | None = None
        self._is_silent = False
        self._touched = asyncio.Event()

    def touch(self) -> None:
        """Have the player read again soon; many calls at once make one reading."""
        self._touched.set()

    async def follow(self) -> None:
        """Introduce the player, then tell of it at every change; cancelled when it is gone."""
        is_introduced = False
        while True:
            self._touched.clear()
            try:
                if not is_introduced:
                    await self.player.introduce()
                    is_introduced = True
                await self._read()
            except (PlayerTimeout, PlayerGone):
                self._is_silent = True  # if it is gone, the bus says so, and this is cancelled
            except BridgeError as error:
                logger.warning("a player cannot be read", extra={"player": self.player.id, "error": error})
            await self._wait()

    async def refresh(self) -> None:
        """Read a playing player again, unless that was done just now or it does not answer."""
        known = self._known
        if known is None or self._is_silent or known.status is not Status.PLAYING:
            return
        if self._clock() - known.reading.at >= FRESH_SECONDS:
            await self._read()

    async def _read(self) -> None:
        at = self._clock()  # before the call: an answer that took long must not claim to be from its end
        player = await self.player.read(at=at)
        self._is_silent = False
        if self._known is not None:
            player = model.paced(self._known, player)
        self._known = player
        self._listener.update(player)

    async def _wait(self) -> None:
        playing = self._known is not None and self._known.status is Status.PLAYING
        waiting = RETRY_SECONDS if self._is_silent or self._known is None else RECHECK_SECONDS if playing else None
        try:
            async with asyncio.timeout(waiting):
                await self._touched.wait()
        except TimeoutError:
            pass  # time to look again
