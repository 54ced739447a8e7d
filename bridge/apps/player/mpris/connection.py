"""One connection to the session bus, as long as it lasts: calls with a deadline, signals to one listener.

Replies are matched here and not by dbus-fast: its ``call`` has no deadline, keeps the handler of a call that was given
up for ever, and after a lost connection waits for ever and leaves an exception that nobody retrieves.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from dbus_fast import AuthError, InvalidAddressError, InvalidMessageError, Message, MessageType
from dbus_fast.aio import MessageBus

from bridge.apps.player.errors import PlayerGone, PlayerTimeout

CALL_SECONDS = 2.0
"""A player answers within 2 ms, a busy one within 0.1 s; one that was stopped by SIGSTOP never does."""

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 1.0

BUS = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"

CONNECT_ERRORS = (OSError, EOFError, TimeoutError, ValueError, AuthError, InvalidAddressError)
"""No bus, a wrong address, or a bus that does not want us."""


class Failure(Exception):
    """A D-Bus error reply; ``name`` like ``org.freedesktop.DBus.Error.UnknownMethod``."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name
        self.text = text


class Connection:
    """Made by ``open``."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._on_signal: Callable[[Message], None] | None = None
        self._waiting: dict[int, asyncio.Future[list[Any]]] = {}  # bounded by the callers' own deadlines
        bus.add_message_handler(self._receive)

    @classmethod
    async def open(cls, address: str) -> "Connection":
        """Connect.

        Raises:
            One of CONNECT_ERRORS.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            bus = await MessageBus(bus_address=address).connect()
        return cls(bus)

    async def call(
        self, destination: str, path: str, member: str, signature: str = "", body: Sequence[Any] = ()
    ) -> list[Any]:
        """Call ``member`` (``interface.Method``) and return the reply's body.

        Raises:
            Failure: the answer is an error.
            PlayerTimeout: there is none within CALL_SECONDS.
            PlayerGone: the connection is lost.
        """
        if not self._bus.connected:
            raise PlayerGone("the session bus is gone")
        interface, _, method = member.rpartition(".")
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=method,
            signature=signature,
            body=list(body),
            serial=self._bus.next_serial(),
        )
        reply: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting[message.serial] = reply
        try:
            async with asyncio.timeout(CALL_SECONDS):
                self._bus.send(message).add_done_callback(lambda sent: _fail_unsent(sent, reply))
                return await reply
        except TimeoutError:
            raise PlayerTimeout(f"no answer to {method} within {CALL_SECONDS:g} s; it may take effect later") from None
        finally:
            self._waiting.pop(message.serial, None)

    async def call_bus(self, member: str, signature: str = "", body: Sequence[Any] = ()) -> list[Any]:
        """Call a method of the bus itself; errors as with ``call``."""
        return await self.call(BUS, BUS_PATH, f"{BUS}.{member}", signature, body)

    async def subscribe(self, rules: Sequence[str], on_signal: Callable[[Message], None]) -> None:
        """Have signals that match one of ``rules`` handed to ``on_signal``."""
        self._on_signal = on_signal
        for rule in rules:
            await self.call_bus("AddMatch", "s", [rule])

    async def lost(self) -> None:
        """Return when the connection has ended; calls under way have failed by then."""
        try:
            # Shielded: whoever stops waiting must not cancel the library's own future, or nobody can wait for the end.
            await asyncio.shield(self._bus.wait_for_disconnect())  # type: ignore[no-untyped-call]  # left unannotated
        except (OSError, EOFError, InvalidMessageError):
            pass  # how it ended makes no difference: connect again
        finally:
            for reply in self._waiting.values():
                _fail(reply)

    async def close(self) -> None:
        """End the connection."""
        self._bus.disconnect()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.lost()
        except TimeoutError:
            pass  # the socket is shut down already

    def _receive(self, message: Message) -> bool:
        if message.message_type is MessageType.SIGNAL:
            if self._on_signal is not None:
                self._on_signal(message)
            return False
        if message.message_type is MessageType.METHOD_CALL:
            return False  # dbus-fast answers pings
        reply = self._waiting.pop(message.reply_serial or 0, None)
        if reply is None or reply.done():
            return False
        if message.message_type is MessageType.ERROR:
            text = message.body[0] if message.body and isinstance(message.body[0], str) else ""
            reply.set_exception(Failure(message.error_name or "", text))
        else:
            reply.set_result(message.body)
        return True


def _fail_unsent(sent: "asyncio.Future[None]", reply: "asyncio.Future[list[Any]]") -> None:
    if not sent.cancelled() and sent.exception() is not None:
        _fail(reply)


def _fail(reply: "asyncio.Future[list[Any]]") -> None:
    if not reply.done():
        reply.set_exception(PlayerGone("the session bus went away during the command"))
