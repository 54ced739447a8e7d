"""A player that speaks MPRIS as badly as a test needs: what it says and what it lacks is set by the test."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

PREFIX = "org.mpris.MediaPlayer2."
PATH = "/org/mpris/MediaPlayer2"
PLAYER = "org.mpris.MediaPlayer2.Player"
PROPERTIES = "org.freedesktop.DBus.Properties"
TRACK = {
    "mpris:trackid": Variant("o", "/1"),
    "xesam:title": Variant("s", "One"),
    "mpris:length": Variant("x", 60_000_000),
}


class BarePlayer:
    """``org.mpris.MediaPlayer2.NAME`` with ``properties`` of its Player interface and ``methods``; ``calls`` it heard.

    By default it can play and pause and nothing else: no OpenUri (as Audacious), no seeking, no volume.
    """

    def __init__(self, address: str, name: str = "bare") -> None:
        self.name = PREFIX + name
        self.root: dict[str, Variant] = {
            "Identity": Variant("s", "Bare"),
            "SupportedUriSchemes": Variant("as", ["file", "http"]),
        }
        self.properties: dict[str, Variant] = {
            "PlaybackStatus": Variant("s", "Playing"),
            "Metadata": Variant("a{sv}", TRACK),
            "Position": Variant("x", 1_000_000),
            "CanControl": Variant("b", True),
            "CanPlay": Variant("b", True),
            "CanPause": Variant("b", True),
            "CanSeek": Variant("b", False),
        }
        self.error = "org.freedesktop.DBus.Error.UnknownMethod"
        self.methods = {"Play", "Pause", "PlayPause", "Stop"}
        self.calls: list[tuple[str, list[Any]]] = []
        self._address = address
        self._bus: MessageBus | None = None

    async def __aenter__(self) -> Self:
        self._bus = await MessageBus(bus_address=self._address).connect()
        self._bus.add_message_handler(self._answer)
        await self._bus.request_name(self.name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._bus is not None
        self._bus.disconnect()
        await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast left it unannotated

    async def take(self, name: str) -> None:
        """Take another name on the same connection."""
        assert self._bus is not None
        await self._bus.request_name(PREFIX + name)

    async def give_up(self, name: str) -> None:
        """Give a name up."""
        assert self._bus is not None
        await self._bus.release_name(PREFIX + name)

    async def change(self, **properties: Variant) -> None:
        """Set properties and signal them; none at all sends VLC's empty signal."""
        self.properties.update(properties)
        await self.signal(PROPERTIES, "PropertiesChanged", "sa{sv}as", [PLAYER, properties, []])

    async def seeked(self, position: float) -> None:
        """Say that it has moved to ``position`` seconds."""
        micros = int(position * 1_000_000)
        self.properties["Position"] = Variant("x", micros)
        await self.signal(PLAYER, "Seeked", "x", [micros])

    async def signal(self, interface: str, member: str, signature: str = "", body: Sequence[Any] = ()) -> None:
        """Send any signal, well-formed or not."""
        assert self._bus is not None
        message = Message(
            message_type=MessageType.SIGNAL,
            path=PATH,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        async with asyncio.timeout(2):
            await self._bus.send(message)

    def _answer(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.path != PATH:
            return None
        if message.member == "GetAll":
            values = self.properties if message.body[0] == PLAYER else self.root
            return Message.new_method_return(message, "a{sv}", [values])
        if message.member == "Introspect":
            listed = "".join(f'<method name="{method}"/>' for method in sorted(self.methods))
            return Message.new_method_return(
                message, "s", [f'<node><interface name="{PLAYER}">{listed}</interface></node>']
            )
        self.calls.append((message.member or "", message.body))
        if message.member in self.methods:
            return Message.new_method_return(message)
        return Message.new_error(message, self.error, f"no {message.member}")
