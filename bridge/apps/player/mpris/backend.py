"""Players of the desktop (MPRIS 2.2): finds the session bus, comes back when it does, and passes commands on."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bridge.apps.player.errors import PlayerNotFound
from bridge.apps.player.mpris.follower import Follower
from bridge.apps.player.mpris.values import KIND
from bridge.apps.player.mpris.watch import Watch
from bridge.apps.player.port import Action, BackendState, Listener, Source
from bridge.bus import Connection, Unreachable, session_bus, stay_connected
from bridge.errors import BridgeError

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 0.4
"""How long a state request waits for players that do not answer."""


class Mpris:
    """The backend of kind "mpris"; ``folders`` are the music folders, to show files by their path within them."""

    name = KIND

    def __init__(
        self,
        folders: Sequence[Path] = (),
        *,
        address: Callable[[], str | None] = session_bus,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folders = folders
        self._address = address
        self._clock = clock
        self._watch: Watch | None = None
        self._detail = "not started"

    @asynccontextmanager
    async def run(self, listener: Listener) -> AsyncIterator[None]:
        """Live."""
        folders = await asyncio.to_thread(lambda: [folder.resolve() for folder in self._folders])
        task = asyncio.create_task(stay_connected(lambda: self._once(listener, folders)))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def report(self) -> BackendState:
        """Return whether there is a bus."""
        return BackendState(name=self.name, is_available=self._watch is not None, detail=self._detail)

    async def refresh(self) -> None:
        """Read playing players again."""
        if self._watch is None:
            return
        reading = [asyncio.create_task(_quietly(follower)) for follower in self._watch.followers()]
        if reading:
            _, late = await asyncio.wait(reading, timeout=REFRESH_SECONDS)
            for task in late:
                task.cancel()

    async def act(self, player: str, action: Action) -> None:
        """Do ``action``."""
        follower = self._follower(player)
        await follower.player.act(action)
        follower.touch()

    async def seek(self, player: str, offset: float) -> None:
        """Move by ``offset`` seconds."""
        follower = self._follower(player)
        await follower.player.seek(offset)
        follower.touch()

    async def set_position(self, player: str, position: float) -> None:
        """Go to ``position`` seconds."""
        follower = self._follower(player)
        await follower.player.set_position(position)
        follower.touch()

    async def set_volume(self, player: str, volume: float) -> None:
        """Set the volume."""
        follower = self._follower(player)
        await follower.player.set_volume(volume)
        follower.touch()

    async def open(self, player: str, source: Source) -> None:
        """Play ``source``."""
        follower = self._follower(player)
        await follower.player.open(source)
        follower.touch()

    def _follower(self, player: str) -> Follower:
        if self._watch is None:
            raise PlayerNotFound("the session bus is gone, and its players with it")
        return self._watch.follower(player)

    async def _once(self, listener: Listener, folders: Sequence[Path]) -> bool:
        """Live through one connection; return whether there was one."""
        address = self._address()
        if address is None:
            self._say("there is no session bus")
            return False
        try:
            connection = await Connection.open(address)
        except Unreachable as error:
            self._say(f"the session bus cannot be reached: {error}")
            return False
        self._say("connected to the session bus")
        self._watch = Watch(connection, listener, folders=folders, clock=self._clock)
        try:
            await self._watch.run()
        finally:
            self._watch = None
            await connection.close()
            self._say("the session bus is gone")
        return True

    def _say(self, detail: str) -> None:
        if detail != self._detail:
            self._detail = detail
            logger.info("the session bus", extra={"reason": detail})


async def _quietly(follower: Follower) -> None:
    with suppress(BridgeError):
        await follower.refresh()
