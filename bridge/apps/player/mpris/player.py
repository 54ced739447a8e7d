"""One MPRIS player: the commands as D-Bus calls, one call each (MPRIS 2.2, interface MediaPlayer2.Player)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bridge.apps.player.errors import NotSupported, PlayerFailed, PlayerGone, PlayerTimeout
from bridge.apps.player.model import Player
from bridge.apps.player.mpris import values
from bridge.apps.player.mpris.values import MICROSECONDS, Properties, Root
from bridge.apps.player.port import Action, Source
from bridge.bus import Connection, Failure, Lost, Unanswered, Variant
from bridge.errors import BridgeError, InvalidParams

PATH = "/org/mpris/MediaPlayer2"
ROOT = "org.mpris.MediaPlayer2"
PLAYER = "org.mpris.MediaPlayer2.Player"
PROPERTIES = "org.freedesktop.DBus.Properties"

_METHODS = {
    Action.PLAY: ("Play", "CanPlay"),
    Action.PAUSE: ("Pause", "CanPause"),
    Action.PLAY_PAUSE: ("PlayPause", "CanPause"),
    Action.STOP: ("Stop", "CanControl"),
    Action.NEXT: ("Next", "CanGoNext"),
    Action.PREVIOUS: ("Previous", "CanGoPrevious"),
}

_ERROR = "org.freedesktop.DBus.Error."
_GONE = {_ERROR + name for name in ("NoReply", "ServiceUnknown", "NameHasNoOwner", "Disconnected")}
_UNSUPPORTED = {
    _ERROR + name
    for name in ("UnknownMethod", "UnknownInterface", "UnknownProperty", "PropertyReadOnly", "NotSupported")
}


class MprisPlayer:
    """The player ``id`` at the unique bus name ``owner``; calls never start a program, as names of programs might.

    Errors of the commands: PlayerGone, PlayerTimeout, NotSupported, PlayerFailed.
    """

    def __init__(self, connection: Connection, owner: str, id_: str, folders: Sequence[Path]) -> None:
        self.id = id_
        self._connection = connection
        self._owner = owner
        self._folders = folders
        self._root = Root({}, fallback=id_, has_open_uri=False)
        self._properties: Properties = {}

    async def introduce(self) -> None:
        """Read what does not change while the player lives."""
        root = await self._get_all(ROOT)
        xml = await self._introspect()
        self._root = Root(root, fallback=self.id, has_open_uri='name="OpenUri"' in xml.replace("'", '"'))

    async def read(self, *, at: float) -> Player:
        """Read all properties; the position counts as read at ``at``."""
        self._properties = await self._get_all(PLAYER)
        return values.read(self.id, self._root, self._properties, at=at, folders=self._folders)

    async def act(self, action: Action) -> None:
        """Do ``action``."""
        method, capability = _METHODS[action]
        await self._require(capability)
        await self._call(f"{PLAYER}.{method}")

    async def seek(self, offset: float) -> None:
        """Move by ``offset`` seconds."""
        await self._require("CanSeek")
        await self._call(f"{PLAYER}.Seek", "x", [round(offset * MICROSECONDS)])

    async def set_position(self, position: float) -> None:
        """Go to ``position`` seconds; beyond the end is refused here, MPRIS would ignore it silently."""
        await self._require("CanSeek")
        track = values.track_object(self._properties)
        if track is None:
            raise NotSupported("nothing is loaded, or the player does not say what")
        micros = round(position * MICROSECONDS)
        length = self._properties["Metadata"].get("mpris:length")
        if isinstance(length, int) and 0 < length < micros:
            raise InvalidParams(f"the track ends at {length / MICROSECONDS:g} s", path="$.position")
        await self._call(f"{PLAYER}.SetPosition", "ox", [track, micros])

    async def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        if "Volume" not in self._properties:
            raise NotSupported("this player has no volume of its own")
        await self._require("CanControl")
        await self._call(f"{PROPERTIES}.Set", "ssv", [PLAYER, "Volume", Variant("d", volume)])

    async def open(self, source: Source) -> None:
        """Play ``source``."""
        scheme = "file" if isinstance(source, Path) else source.partition(":")[0].lower()
        if scheme not in self._root.open_schemes:
            raise NotSupported(f"this player does not open {scheme}: URIs")
        await self._call(f"{PLAYER}.OpenUri", "s", [source.as_uri() if isinstance(source, Path) else source])

    async def _require(self, capability: str) -> None:
        """Believe a yes; ask again before a no is passed on, for not every player signals that it can now."""
        if self._properties.get(capability) is True:
            return
        self._properties = await self._get_all(PLAYER)
        if self._properties.get(capability) is not True:
            raise NotSupported(f"the player says {capability}: no")

    async def _get_all(self, interface: str) -> Properties:
        (properties,) = await self._call(f"{PROPERTIES}.GetAll", "s", [interface])
        return values.plain(properties) if isinstance(properties, dict) else {}

    async def _introspect(self) -> str:
        try:
            (xml,) = await self._call("org.freedesktop.DBus.Introspectable.Introspect")
        except (NotSupported, PlayerFailed):
            return ""
        return str(xml)

    async def _call(self, member: str, signature: str = "", body: Sequence[Any] = ()) -> list[Any]:
        try:
            return await self._connection.call(self._owner, PATH, member, signature, body)
        except Failure as failure:
            raise _error(failure, member.rpartition(".")[2]) from None
        except Unanswered as error:
            raise PlayerTimeout(f"{error}; it may take effect later") from None
        except Lost as error:
            raise PlayerGone(str(error)) from None


def _error(failure: Failure, method: str) -> BridgeError:
    if failure.name in _GONE:
        return PlayerGone(f"the player ended before it answered {method}")
    if failure.name in _UNSUPPORTED:
        return NotSupported(f"this player has no {method}")
    return PlayerFailed(f"{method}: {failure.text[: values.MAX_TEXT] or failure.name}")
