"""The one door to D-Bus: a connection to the session bus, as long as it lasts; who answers and who signals is certain.

Replies are matched here and not by dbus-fast: its ``call`` has no deadline, keeps the handler of a call that was given
up for ever, and after a lost connection waits for ever and leaves an exception that nobody retrieves. Replies and
signals are handed on at once, in the order in which they came.

The usual session bus lets anybody answer anybody, and serials count from one: a reply counts only from the connection
that was asked. The bus writes the sender into each message, so that it cannot be forged; it writes there the unique
name (``:1.7``), and so only unique names are called here: whoever knows a well-known name asks for its ``owner`` first.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Self

from dbus_fast import (
    AuthError,
    InvalidAddressError,
    InvalidMessageError,
    Message,
    MessageFlag,
    MessageType,
    Variant,
    is_object_path_valid,
)
from dbus_fast.aio import MessageBus

__all__ = [
    "BUS",
    "CALL_SECONDS",
    "BusError",
    "Connection",
    "Failure",
    "Lost",
    "Message",
    "Unanswered",
    "Unreachable",
    "Variant",
    "is_object_path_valid",
    "session_bus",
    "stay_connected",
]

CALL_SECONDS = 2.0
"""A player or a server answers within 30 ms, a busy one within 0.1 s; one that was stopped by SIGSTOP never does."""

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 1.0

FIRST_RETRY_SECONDS = 0.25
LAST_RETRY_SECONDS = 5.0
"""Between attempts to find a bus the wait doubles from the first to the last; a session that starts later is found."""

BUS = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"

_CONNECT_ERRORS = (OSError, EOFError, TimeoutError, ValueError, AuthError, InvalidAddressError)


class BusError(Exception):
    """What can go wrong with a bus: one of the four below."""


class Unreachable(BusError):
    """No bus, a wrong address, or a bus that does not want us; ``reason`` is how it was found out."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Failure(BusError):
    """A D-Bus error reply; ``name`` like ``org.freedesktop.DBus.Error.UnknownMethod``."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name
        self.text = text


class Unanswered(BusError):
    """There was no reply within CALL_SECONDS; the call may take effect later."""


class Lost(BusError):
    """The connection has ended."""


class _Awaited(NamedTuple):
    """A reply that ``sender`` owes; None stands for the end of the connection."""

    sender: str
    reply: Callable[[Message | None], None]


class Connection:
    """Made by ``open``."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._on_signal: Callable[[Message], None] | None = None
        self._on_lost: Callable[[], None] | None = None
        self._waiting: dict[int, _Awaited] = {}  # bounded by the deadlines of `call`, and by whoever uses `ask`
        bus.add_message_handler(self._receive)
        self._watching = asyncio.create_task(self._watch())

    @classmethod
    async def open(cls, address: str) -> Self:
        """Connect.

        Raises:
            Unreachable: there is nothing to connect to.
        """
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                bus = await MessageBus(bus_address=address).connect()
        except _CONNECT_ERRORS as error:
            raise Unreachable(error) from None
        return cls(bus)

    async def call(
        self, destination: str, path: str, member: str, signature: str = "", body: Sequence[Any] = ()
    ) -> list[Any]:
        """Call ``member`` (``interface.Method``) of the connection ``destination`` and return the reply's body.

        Raises:
            Failure: the answer is an error.
            Unanswered: there is none within CALL_SECONDS.
            Lost: the connection is lost.
        """
        if not self._bus.connected:
            raise Lost("the session bus is gone")
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        message = self._message(destination, path, member, signature, body)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                self._send(message, lambda reply: _settle(answer, reply))
                answered = await answer
        except TimeoutError:
            raise Unanswered(f"no answer to {message.member} within {CALL_SECONDS:g} s") from None
        finally:
            self._waiting.pop(message.serial, None)
        if answered.message_type is MessageType.ERROR:
            text = answered.body[0] if answered.body and isinstance(answered.body[0], str) else ""
            raise Failure(answered.error_name or "", text)
        return answered.body

    async def call_bus(self, member: str, signature: str = "", body: Sequence[Any] = ()) -> list[Any]:
        """Call a method of the bus itself; errors as with ``call``."""
        return await self.call(BUS, BUS_PATH, f"{BUS}.{member}", signature, body)

    async def owner(self, name: str) -> str:
        """Return the unique name of the connection that has the well-known ``name``; errors as with ``call``."""
        (owner,) = await self.call_bus("GetNameOwner", "s", [name])
        return str(owner)

    def ask(
        self,
        destination: str,
        path: str,
        member: str,
        signature: str,
        body: Sequence[Any],
        reply: Callable[[Message | None], None],
    ) -> None:
        """Call as ``call`` does, without a deadline: ``reply`` gets the answer, or None once the connection is lost.

        It is called before any signal that came after the answer is handed on. The caller bounds how many it awaits.
        """
        if self._bus.connected:
            self._send(self._message(destination, path, member, signature, body), reply)
        else:
            reply(None)

    def tell(self, destination: str, path: str, member: str, signature: str, body: Sequence[Any]) -> None:
        """Call ``member`` of the connection ``destination``, and want no reply."""
        if self._bus.connected:
            self._send(self._message(destination, path, member, signature, body, MessageFlag.NO_REPLY_EXPECTED), None)

    async def subscribe(
        self, rules: Sequence[str], on_signal: Callable[[Message], None], on_lost: Callable[[], None] | None = None
    ) -> None:
        """Have signals that match one of ``rules`` handed to ``on_signal``; ``on_lost`` is called at the end.

        Anybody can send a signal that looks like another's, to all or to us: ``sender`` says whose it is. Neither may
        raise. Errors as with ``call``.
        """
        self._on_signal, self._on_lost = on_signal, on_lost
        for rule in rules:
            await self.call_bus("AddMatch", "s", [rule])

    async def lost(self) -> None:
        """Return when the connection has ended; calls under way have failed by then."""
        # Shielded: whoever stops waiting must not cancel the library's own future, or nobody can wait for the end.
        await asyncio.shield(self._watching)

    async def close(self) -> None:
        """End the connection; its socket is closed then."""
        self._bus.disconnect()  # what was sent has been written already, unless the socket was full
        # If it takes longer, the socket is shut down already.
        await asyncio.wait([self._watching], timeout=CLOSE_SECONDS)
        self._watching.cancel()

    def _message(
        self,
        destination: str,
        path: str,
        member: str,
        signature: str,
        body: Sequence[Any],
        flags: MessageFlag = MessageFlag.NONE,
    ) -> Message:
        if destination != BUS and not destination.startswith(":"):
            raise ValueError(f"{destination} is no unique name: no reply's sender would be known; ask for its owner")
        interface, _, method = member.rpartition(".")
        return Message(
            destination=destination,
            path=path,
            interface=interface,
            member=method,
            flags=flags,
            signature=signature,
            body=list(body),
            serial=self._bus.next_serial(),
        )

    def _send(self, message: Message, reply: Callable[[Message | None], None] | None) -> None:
        self._bus.send(message).add_done_callback(_retrieve)  # a bus that is gone is heard of by `_watch`
        if reply is not None:
            self._waiting[message.serial] = _Awaited(message.destination or "", reply)

    def _receive(self, message: Message) -> bool:
        """Hand on what came from the bus; the value is dbus-fast's: whether nobody else need see it."""
        if message.message_type is MessageType.SIGNAL:
            if self._on_signal is not None:
                self._on_signal(message)
            return False
        if message.message_type is MessageType.METHOD_CALL:
            return False  # dbus-fast answers pings
        serial = message.reply_serial or 0
        awaited = self._waiting.get(serial)
        # The bus itself answers for those who are gone.
        if awaited is None or message.sender not in (awaited.sender, BUS):
            return False
        del self._waiting[serial]
        awaited.reply(message)
        return True

    async def _watch(self) -> None:
        """Wait for the end of the connection, and tell those who wait for an answer."""
        with suppress(OSError, EOFError, InvalidMessageError):  # how it ended makes no difference: connect again
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast left it unannotated
        waiting, self._waiting = list(self._waiting.values()), {}
        for awaited in waiting:
            awaited.reply(None)
        if self._on_lost is not None:
            self._on_lost()


def session_bus(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of the user's session bus, None where there is none (XDG_RUNTIME_DIR/bus by systemd)."""
    address = environ.get("DBUS_SESSION_BUS_ADDRESS")
    if address:
        return address
    # A relative folder is ignored (XDG Base Directory Specification).
    socket = Path(environ.get("XDG_RUNTIME_DIR", ""), "bus")
    return f"unix:path={socket}" if socket.is_absolute() and socket.exists() else None


async def stay_connected(once: Callable[[], Awaitable[bool]]) -> NoReturn:
    """Call ``once`` for ever: it lives through one connection, and returns whether there was one."""
    wait = FIRST_RETRY_SECONDS
    while True:
        if await once():
            wait = FIRST_RETRY_SECONDS
        await asyncio.sleep(wait)
        wait = min(2 * wait, LAST_RETRY_SECONDS)


def _settle(answer: "asyncio.Future[Message]", reply: Message | None) -> None:
    if answer.done():
        return
    if reply is None:
        answer.set_exception(Lost("the session bus went away during the call"))
    else:
        answer.set_result(reply)


def _retrieve(sent: "asyncio.Future[None]") -> None:
    if not sent.cancelled():
        sent.exception()
