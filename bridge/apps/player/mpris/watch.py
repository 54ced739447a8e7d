"""The players on one connection: who comes, who goes, and which names are one player."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from bridge.apps.player.errors import PlayerNotFound
from bridge.apps.player.mpris import player as mpris
from bridge.apps.player.mpris import values
from bridge.apps.player.mpris.follower import Follower
from bridge.apps.player.mpris.player import MprisPlayer
from bridge.apps.player.port import Listener
from bridge.bus import BUS, BusError, Connection, Failure, Lost, Message

logger = logging.getLogger(__name__)

MAX_PLAYERS = 64
"""More names than this are ignored: any program on the bus may take as many as it likes."""

_RULES = (
    f"type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0namespace='{mpris.ROOT}'",
    f"type='signal',interface='{mpris.PROPERTIES}',member='PropertiesChanged',path='{mpris.PATH}'",
    f"type='signal',interface='{mpris.PLAYER}',member='Seeked',path='{mpris.PATH}'",
)


class _Present:
    """A name that is taken; ``follower`` is None while its process is asked for, and for a twin."""

    __slots__ = ("follower", "owner", "pid", "task")

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.pid: int | None = None
        self.follower: Follower | None = None
        self.task: asyncio.Task[None] | None = None


class Watch:
    """Follows every player of one connection and tells ``listener``; ``run`` ends with the connection."""

    def __init__(
        self, connection: Connection, listener: Listener, *, folders: Sequence[Path], clock: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._listener = listener
        self._folders = folders
        self._clock = clock
        self._names: dict[str, _Present] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Follow until the connection is lost; all players have vanished then."""
        try:
            await self._connection.subscribe(_RULES, self._hear)  # before the list is read: nobody slips through
            (names,) = await self._connection.call_bus("ListNames")
            for name in sorted(names):  # of twins the short name first, to be the player's id
                if name.startswith(values.PREFIX):
                    await self._greet(name)
            await self._connection.lost()
        except BusError as error:
            logger.warning("the session bus cannot be used", extra={"error": error})
        finally:
            await self._end()

    def follower(self, player: str) -> Follower:
        """Return the follower of the player with this id.

        Raises:
            PlayerNotFound: it is gone.
        """
        present = self._names.get(values.PREFIX + player)
        if present is None or present.follower is None:
            raise PlayerNotFound("this player is gone; the state lists those that are there")
        return present.follower

    def followers(self) -> list[Follower]:
        """Return those of all players."""
        return [present.follower for present in self._names.values() if present.follower is not None]

    def _hear(self, message: Message) -> None:
        """Take one signal."""
        if message.member == "NameOwnerChanged" and message.sender == BUS:
            name, _, new = message.body
            if name.startswith(values.PREFIX):
                self._owner_changed(name, new)
            return
        if message.signature == "sa{sv}as" and not (message.body[1] or message.body[2]):
            return  # an empty PropertiesChanged: VLC sends such
        for present in self._names.values():
            if present.owner == message.sender and present.follower is not None:
                present.follower.touch()

    async def _greet(self, name: str) -> None:
        try:
            owner = await self._connection.owner(name)
        except Failure:
            return  # gone since the list was made
        if name not in self._names:
            self._owner_changed(name, owner)

    def _owner_changed(self, name: str, owner: str) -> None:
        """A name was taken (by ``owner``), handed on, or given up (``owner`` is empty)."""
        left = self._names.pop(name, None)
        if left is not None:
            self._leave(name, left)
        if owner and len(self._names) < MAX_PLAYERS:
            self._names[name] = _Present(owner)
            self._names[name].task = self._spawn(self._meet(name, self._names[name]))
        if left is not None and left.follower is not None:
            self._look_at_twins()

    def _leave(self, name: str, present: _Present) -> None:
        if present.task is not None:
            present.task.cancel()
        if present.follower is not None:
            self._listener.remove(values.player_id(name))

    def _look_at_twins(self) -> None:
        """Another name of a player that gave up its first one may live on."""
        for name, present in self._names.items():
            if present.follower is None and present.pid is not None:
                present.task = self._spawn(self._meet(name, present))

    async def _meet(self, name: str, present: _Present) -> None:
        try:
            (pid,) = await self._connection.call_bus("GetConnectionUnixProcessID", "s", [present.owner])
        except Failure:
            pid = None  # in another namespace
        if self._names.get(name) is not present or present.follower is not None:
            return
        # No await from here on: of two twins that are met at once, the second must see the first.
        present.pid = pid
        if any(self._is_same(name, present, other, twin) for other, twin in self._names.items()):
            return
        player = MprisPlayer(self._connection, present.owner, values.player_id(name), self._folders)
        present.follower = Follower(player, self._listener, self._clock)
        await present.follower.follow()

    def _is_same(self, name: str, present: _Present, other: str, twin: _Present) -> bool:
        if twin.follower is None:
            return False
        same_process = present.pid is not None and present.pid == twin.pid
        return present.owner == twin.owner or (same_process and values.is_twin(name, other))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(_until_lost(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for name in list(self._names):
            self._leave(name, self._names.pop(name))


async def _until_lost(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Lost:
        pass  # the watch ends, too
    except Exception:
        logger.exception("following a player failed")
