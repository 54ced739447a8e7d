"""All players of all backends: which one is meant, and what pages are told when.

The law: what a page was told last (``told``) plus the passing of time is never wrong for longer than QUIET_SECONDS.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from bridge.apps.player import model
from bridge.apps.player.errors import NoPlayer, PlayerNotFound
from bridge.apps.player.model import Candidate, News, Player, PlayerState
from bridge.apps.player.port import Backend
from bridge.apps.player.state import Seeked, State, Told, Vanished
from bridge.clock import rfc3339

QUIET_SECONDS = 0.1
"""At most one event per player in this time, the newest state winning, unless its status, track or rate changed: VLC
signals Seeked every 0.1 s at start, and a volume wheel turned in any player signals at every notch."""

NEVER = float("-inf")


class Publish(Protocol):
    """Where events go: ``bridge.apps.port.Topic.publish``."""

    def __call__(self, name: str, data: msgspec.Struct) -> None:
        """Publish one event."""


class Clocks(msgspec.Struct, frozen=True):
    """The monotonic clock that positions are measured with, and the time of day; both in seconds."""

    monotonic: Callable[[], float]
    time: Callable[[], float]


class _Entry:
    __slots__ = ("active_at", "late", "now", "told", "told_at")

    def __init__(self, player: Player, *, at: float) -> None:
        self.now = player
        self.told = player
        self.told_at = at
        self.active_at = NEVER if player.kind == model.ENGINE and player.status is not model.Status.PLAYING else at
        self.late: asyncio.TimerHandle | None = None


class Roster:
    """The players there are. A ``bridge.apps.player.port.Listener``; lives on the event loop's thread."""

    def __init__(self, backends: Sequence[Backend], publish: Publish, clocks: Clocks) -> None:
        self._backends = {backend.name: backend for backend in backends}
        self._publish = publish
        self._clocks = clocks
        self._entries: dict[str, _Entry] = {}
        self._chosen: str | None = None

    def target(self, player: str | None, *, scheme: str | None = None) -> tuple[Backend, str]:
        """Return the backend and id of the player that a command means; ``scheme`` is what it has to open.

        Raises:
            PlayerNotFound: ``player`` is given and is none.
            NoPlayer: it is not given, and no player could be meant.
        """
        if player is None:
            meant = model.choose(
                Candidate(entry.now, entry.active_at)
                for entry in self._entries.values()
                if scheme is None or scheme in entry.now.capabilities.open_schemes
            )
        else:
            meant = self._entries[player].now if player in self._entries else None
        if meant is not None:
            return self._backends[meant.kind], meant.id
        if player is not None:
            raise PlayerNotFound("no player has this id now; the state lists them")
        raise NoPlayer("no player is running that can do this; start one on this computer")

    async def refreshed(self) -> State:
        """Return the state, the positions of playing players read anew."""
        await asyncio.gather(*(backend.refresh() for backend in self._backends.values()))
        return self.state()

    def state(self) -> State:
        """Return the state as it is known."""
        players = {id_: self._shown(self._entries[id_].now) for id_ in sorted(self._entries)}
        return State(
            chosen=self._chosen,
            player=None if self._chosen is None else players[self._chosen],
            players=tuple(players.values()),
            backends=tuple(backend.report() for backend in self._backends.values()),
        )

    def update(self, player: Player) -> None:
        """Take a player as it is now, and tell pages if that is news."""
        entry = self._entries.get(player.id)
        if entry is None:
            self._entries[player.id] = _Entry(player, at=self._clocks.monotonic())
            before = self._choose()
            self._publish("appeared", self._told(player))
            self._tell_choice(before, about=player.id)
            return
        if model.is_active_again(entry.now, player):
            entry.active_at = self._clocks.monotonic()
        entry.now = player
        before = self._choose()
        self._consider(entry)
        self._tell_choice(before, about=player.id)

    def remove(self, player: str) -> None:
        """Forget a player that is gone."""
        entry = self._entries.pop(player, None)
        if entry is None:
            return
        self._cancel_late(entry)
        before = self._choose()
        self._publish("vanished", Vanished(id=player))
        self._tell_choice(before, about=player)

    def close(self) -> None:
        """Forget all players without a word."""
        for entry in self._entries.values():
            self._cancel_late(entry)
        self._entries.clear()
        self._chosen = None

    def _choose(self) -> str | None:
        """Choose anew and return who was chosen before."""
        before = self._chosen
        chosen = model.choose(Candidate(entry.now, entry.active_at) for entry in self._entries.values())
        self._chosen = None if chosen is None else chosen.id
        return before

    def _tell_choice(self, before: str | None, *, about: str) -> None:
        """Tell of the players that became chosen, or are no longer, though nothing else happened to them."""
        if before == self._chosen:
            return
        for id_ in (before, self._chosen):
            entry = None if id_ is None else self._entries.get(id_)
            if entry is not None and id_ != about:
                self._tell(entry, News.CHANGED)

    def _consider(self, entry: _Entry) -> None:
        """Tell now, later, or not at all."""
        now = self._clocks.monotonic()
        news = model.news(entry.told, entry.now, at=now)
        if not news:
            return
        quiet = QUIET_SECONDS - (now - entry.told_at)
        if quiet <= 0 or _is_urgent(entry.told, entry.now):
            self._tell(entry, *news)
        elif entry.late is None:
            entry.late = asyncio.get_running_loop().call_later(quiet, self._tell_late, entry)

    def _tell_late(self, entry: _Entry) -> None:
        entry.late = None
        self._consider(entry)

    def _tell(self, entry: _Entry, *news: News) -> None:
        self._cancel_late(entry)
        entry.told = entry.now
        entry.told_at = self._clocks.monotonic()
        told = self._told(entry.now)
        player = told.player
        if News.CHANGED in news:
            self._publish("changed", told)
        if News.SEEKED in news:
            self._publish(
                "seeked",
                Seeked(id=player.id, position=player.position, position_at=player.position_at, chosen=told.chosen),
            )

    def _told(self, player: Player) -> Told:
        return Told(player=self._shown(player), chosen=player.id == self._chosen)

    def _shown(self, player: Player) -> PlayerState:
        return model.shown(player, at=self._clocks.monotonic(), time=rfc3339(self._clocks.time()))

    @staticmethod
    def _cancel_late(entry: _Entry) -> None:
        if entry.late is not None:
            entry.late.cancel()
            entry.late = None


def _is_urgent(told: Player, now: Player) -> bool:
    return model.is_active_again(told, now) or told.rate != now.rate
