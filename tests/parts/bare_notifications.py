"""A notification server that says what the test wants it to say, and nothing where it is told to be silent."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"


class BareNotifications:
    """``answers`` holds ``(signature, body)`` by method; a missing method is not answered; ``calls`` is what it heard.

    ``follows`` are signals, ``(member, signature, body)``, that it sends in one breath with its answer to Notify.
    """

    def __init__(self, address: str) -> None:
        self.answers: dict[str, tuple[str, list[Any]]] = {
            "GetCapabilities": ("as", [["actions", "body"]]),
            "Notify": ("u", [1]),
        }
        self.follows: list[tuple[str, str, list[Any]]] = []
        self.calls: list[Message] = []
        self._address = address

    async def __aenter__(self) -> Self:
        self.bus = await MessageBus(bus_address=self._address).connect()
        self.bus.add_message_handler(self._answer)
        await self.bus.request_name(NAME)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bus.disconnect()
        with suppress(OSError, EOFError):  # the bus was there no more
            await self.bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast left it unannotated

    @property
    def methods(self) -> list[str]:
        return [str(call.member) for call in self.calls]

    def tell(self, member: str, signature: str, body: list[Any], *, path: str = PATH, to: str | None = None) -> None:
        """Send a signal to all, or to one."""
        signal = Message.new_signal(path, NAME, member, signature, body)
        signal.destination = to
        self.bus.send(signal)

    async def reaches(self, destination: str) -> None:
        """Return when all that was sent so far has got there."""
        ping = Message(destination=destination, path="/", interface="org.freedesktop.DBus.Peer", member="Ping")
        async with asyncio.timeout(10):
            await self.bus.call(ping)

    def _answer(self, message: Message) -> bool:
        if message.message_type is not MessageType.METHOD_CALL or message.interface != NAME:
            return False
        self.calls.append(message)
        answer = self.answers.get(str(message.member))
        if answer is not None and answer[0] == "error":
            self.bus.send(Message.new_error(message, str(answer[1][0]), "as the test wants it"))
        elif answer is not None:
            self.bus.send(Message.new_method_return(message, *answer))
        if message.member == "Notify":
            for member, signature, body in self.follows:
                self.tell(member, signature, body)
        return True
