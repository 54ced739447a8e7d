"""The desktop's notification server on the session bus (Desktop Notifications Specification 1.2), for one connection.

Replies and signals are handed on at once, in the order in which they came: a signal about a notification never
overtakes the number that the server gave it.

A signal or an answer counts only from the connection that owns the server's name: anybody on the bus can send one that
looks alike, to all or to us. Whose answer it is is `bridge.bus`'s to know; whoever can take the name itself is the
server. A message to the server is sent to that connection, and not to whoever has the name then.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from bridge.bus import BUS, Connection, Failure, Lost, Message, Unanswered, Variant
from bridge.consent.notification_port import Listener, Refused
from bridge.consent.notification_text import Notice

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"

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


class Server:
    """Made by `connect`; ``owner`` is the server's unique name once it is found, ``capabilities`` what it can do."""

    def __init__(self, connection: Connection, listener: Listener) -> None:
        self.owner: str | None = None
        self.capabilities: frozenset[str] = frozenset()
        self._connection = connection
        self._listener = listener
        self._changes = 0

    @classmethod
    async def connect(cls, address: str, listener: Listener) -> Self:
        """Connect to the bus.

        Raises:
            Unreachable (`bridge.bus`), Refused or TimeoutError.
        """
        server = cls(await Connection.open(address), listener)
        try:
            with _in_words_of_the_port():
                await server._connection.subscribe(_MATCHES, server._heard, server._lost)
        except BaseException:
            await server.close()
            raise
        return server

    async def find(self, *, may_start: bool) -> bool:
        """See `Desktop.find`."""
        with _in_words_of_the_port():
            changes = self._changes
            try:
                owner = await self._connection.owner(NAME)
            except Failure:
                if not may_start:
                    raise
                await self._connection.call_bus("StartServiceByName", "su", [NAME, 0])
                changes = self._changes
                owner = await self._connection.owner(NAME)
            capabilities = _listed(await self._connection.call(owner, PATH, f"{NAME}.GetCapabilities"))
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

        # Bounded: a server that owes an answer is asked nothing more.
        self._connection.ask(owner, PATH, f"{NAME}.Notify", "susssasa{sv}i", body, answered)

    def withdraw(self, owner: str, number: int) -> None:
        """See `Desktop.withdraw`."""
        self._connection.tell(owner, PATH, f"{NAME}.CloseNotification", "u", [number])

    async def close(self) -> None:
        """See `Desktop.close`."""
        await self._connection.close()

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

    def _lost(self) -> None:
        self.owner = None
        self._listener.lost()


@contextmanager
def _in_words_of_the_port() -> Iterator[None]:
    try:
        yield
    except Failure as failure:
        raise Refused(failure.name) from None
    except Unanswered as error:
        raise TimeoutError(str(error)) from None
    except Lost as error:
        raise Refused(str(error)) from None


def _number(message: Message) -> int | None:
    if message.error_name is not None or message.signature != "u":
        return None
    return int(message.body[0])


def _listed(body: list[Any]) -> list[Any]:
    """Return the list that an answer is; a server may answer anything."""
    if len(body) != 1 or not isinstance(body[0], list):
        raise Refused("an answer of another shape")
    return body[0]
