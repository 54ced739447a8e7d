"""The desktop's notification server on the session bus (Desktop Notifications Specification 1.2), for one connection.

Replies are matched here and not by dbus-fast: its ``call`` has no deadline, keeps the handler of a call that was given
up for ever, and after a lost connection waits for ever. Replies and signals are handed on at once, in the order in
which they came: a signal about a notification never overtakes the number that the server gave it.

A signal or an answer counts only from the connection that owns the server's name: anybody on the bus can send one that
looks alike, to all or to us. The bus writes the sender into each message, so that it cannot be forged; whoever can take
the name itself is the server. A message to the server is sent to that connection, and not to whoever has the name then.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

from dbus_fast import AuthError, InvalidAddressError, InvalidMessageError, Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus

from bridge.consent.notification_port import Listener, Refused
from bridge.consent.notification_text import Notice

CALL_SECONDS = 2.0
"""A server answers within 30 ms; one that was stopped never does."""
CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 1.0

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
BUS = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"

CONNECT_ERRORS = (OSError, EOFError, TimeoutError, ValueError, AuthError, InvalidAddressError)
"""No bus, a wrong address, or a bus that does not want us."""

NORMAL = 1
"""The urgency. Not critical: what any page can cause must not break through Do Not Disturb or a full screen."""

CATEGORY = "x-tollbridge.request"
"""For the owner's own rules, such as dunst's; none of the specification's categories fits."""

# Hints left out on purpose. "resident": it goes once it is answered. "transient": on GNOME it would be lost after four
# seconds, while the request still waits. "desktop-entry": we install none, and whoever did could dress us up.

GONE = frozenset(f"org.freedesktop.DBus.Error.{name}" for name in ("NoReply", "ServiceUnknown", "NameHasNoOwner"))
"""What the bus says in the place of a server that has ended; that it has is told to the listener as well."""

_MATCHES = (
    f"type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0='{NAME}'",
    f"type='signal',sender='{NAME}',interface='{NAME}',path='{PATH}'",
)


class _Awaited(NamedTuple):
    """An answer that ``sender`` owes; None stands for the end of the bus."""

    sender: str
    reply: Callable[[Message | None], None]


class Server:
    """Made by `connect`; ``owner`` is the server's unique name once it is found, ``capabilities`` what it can do."""

    def __init__(self, bus: MessageBus, listener: Listener) -> None:
        self.owner: str | None = None
        self.capabilities: frozenset[str] = frozenset()
        self._bus = bus
        self._listener = listener
        self._changes = 0
        # Bounded: `find` makes one call at a time, and a server that owes an answer is asked nothing more.
        self._replies: dict[int, _Awaited] = {}
        self._watching: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, address: str, listener: Listener) -> Self:
        """Connect to the bus.

        Raises:
            One of CONNECT_ERRORS, or Refused.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            bus = await MessageBus(bus_address=address).connect()
        server = cls(bus, listener)
        bus.add_message_handler(server.receive)
        server._watching = asyncio.create_task(server._watch())
        try:
            for match in _MATCHES:
                await server._call(BUS, BUS_PATH, f"{BUS}.AddMatch", "s", [match])
        except BaseException:
            await server.close()
            raise
        return server

    async def find(self, *, may_start: bool) -> bool:
        """See `Desktop.find`."""
        changes = self._changes
        try:
            owner = await self._owner()
        except Refused:
            if not may_start:
                raise
            await self._call(BUS, BUS_PATH, f"{BUS}.StartServiceByName", "su", [NAME, 0])
            changes = self._changes
            owner = await self._owner()
        (capabilities,) = _checked(await self._call(owner, PATH, f"{NAME}.GetCapabilities"), list)
        if changes != self._changes:
            return False  # another one by now; the listener has heard of it
        self.owner, self.capabilities = owner, frozenset(name for name in capabilities if isinstance(name, str))
        return True

    def notify(
        self, owner: str, notice: Notice, actions: Sequence[tuple[str, str]], reply: Callable[[int | None], None]
    ) -> None:
        """See `Desktop.notify`."""
        keys = [word for action in actions for word in action]
        hints = {"urgency": Variant("y", NORMAL), "category": Variant("s", CATEGORY)}
        # Always a new notification (0): one that replaced another would change under the pointer.
        body = ["Tollbridge", 0, "dialog-question", notice.summary, notice.body, keys, hints, notice.seconds * 1000]

        def answered(message: Message | None) -> None:
            if message is not None and message.error_name not in GONE:
                reply(_number(message))

        self._send(self._message(owner, PATH, f"{NAME}.Notify", "susssasa{sv}i", body), answered)

    def withdraw(self, owner: str, number: int) -> None:
        """See `Desktop.withdraw`."""
        flags = MessageFlag.NO_REPLY_EXPECTED
        self._send(self._message(owner, PATH, f"{NAME}.CloseNotification", "u", [number], flags), None)

    async def close(self) -> None:
        """See `Desktop.close`."""
        self._bus.disconnect()  # what was sent has been written already, unless the socket was full
        if self._watching is not None:
            await asyncio.wait([self._watching], timeout=CLOSE_SECONDS)
            self._watching.cancel()

    def receive(self, message: Message) -> bool:
        """Hand on what came from the bus; the value is dbus-fast's: whether nobody else need see it."""
        if message.message_type is MessageType.SIGNAL:
            self._heard(message)
            return False
        if message.message_type is MessageType.METHOD_CALL:
            return False  # dbus-fast answers pings
        serial = message.reply_serial or 0
        awaited = self._replies.get(serial)
        # The usual session bus lets anybody answer anybody, and serials count from one. The bus itself answers for
        # those who are gone.
        if awaited is None or message.sender not in (awaited.sender, BUS):
            return False
        del self._replies[serial]
        awaited.reply(message)
        return True

    def _heard(self, message: Message) -> None:
        if (message.sender, message.member) == (BUS, "NameOwnerChanged") and message.body[:1] == [NAME]:
            self._changes += 1
            self.owner = None
            self._listener.owner_changed()
        elif message.sender != self.owner or (message.interface, message.path) != (NAME, PATH):
            return
        elif (message.member, message.signature) == ("ActionInvoked", "us"):
            self._listener.invoked(*message.body)
        elif (message.member, message.signature) == ("NotificationClosed", "uu"):
            self._listener.closed(message.body[0])

    async def _owner(self) -> str:
        (owner,) = _checked(await self._call(BUS, BUS_PATH, f"{BUS}.GetNameOwner", "s", [NAME]), str)
        return str(owner)

    async def _call(
        self, destination: str, path: str, member: str, signature: str = "", body: Sequence[Any] = ()
    ) -> Message:
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def reply(message: Message | None) -> None:
            if answer.done():
                return
            if message is None:
                answer.set_exception(Refused("the bus is gone"))
            else:
                answer.set_result(message)

        message = self._message(destination, path, member, signature, body)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                self._send(message, reply)
                answered = await answer
        finally:
            self._replies.pop(message.serial, None)
        if answered.message_type is MessageType.ERROR:
            raise Refused(answered.error_name or "")
        return answered

    def _message(
        self,
        destination: str,
        path: str,
        member: str,
        signature: str,
        body: Sequence[Any],
        flags: MessageFlag = MessageFlag.NONE,
    ) -> Message:
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
        if not self._bus.connected:
            if reply is not None:
                reply(None)
            return
        if reply is not None:
            self._replies[message.serial] = _Awaited(message.destination or "", reply)
        self._bus.send(message).add_done_callback(_retrieved)  # a bus that is gone is heard of by `_watch`

    async def _watch(self) -> None:
        """Wait for the end of the connection, and tell those who wait for an answer."""
        with suppress(OSError, EOFError, InvalidMessageError):  # how it ended makes no difference: connect again
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast left it unannotated
        self.owner = None
        replies, self._replies = list(self._replies.values()), {}
        for awaited in replies:
            awaited.reply(None)
        self._listener.lost()


def session_bus(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of the user's session bus, None where there is none (XDG_RUNTIME_DIR/bus by systemd)."""
    address = environ.get("DBUS_SESSION_BUS_ADDRESS")
    if address:
        return address
    socket = Path(environ.get("XDG_RUNTIME_DIR") or "/nonexistent", "bus")
    return f"unix:path={socket}" if socket.exists() else None


def _number(message: Message) -> int | None:
    if message.message_type is MessageType.ERROR or message.signature != "u":
        return None
    return int(message.body[0])


def _checked(message: Message, kind: type) -> list[Any]:
    """Return the body of an answer that is one value of ``kind``; a server may answer anything."""
    if len(message.body) != 1 or not isinstance(message.body[0], kind):
        raise Refused("an answer of another shape")
    return message.body


def _retrieved(sent: "asyncio.Future[None]") -> None:
    if not sent.cancelled():
        sent.exception()
