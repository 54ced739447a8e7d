"""What the desktop notification asks of consent and of the desktop, and what the desktop tells it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from bridge.consent.notification_text import Notice

Answer = Literal["allow", "deny"]


class Refused(Exception):
    """A D-Bus error in place of an answer; ``name`` like ``org.freedesktop.DBus.Error.ServiceUnknown``."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Asked(Protocol):
    """What is used of a pending request."""

    @property
    def code(self) -> str:
        """Its name among those that wait."""

    @property
    def is_quiet(self) -> bool:
        """Whether it must not raise a notification."""


P = TypeVar("P", bound=Asked)


class Consenting(Protocol[P]):
    """What is used of `bridge.consent.consent.Consent`."""

    def waiting(self) -> Sequence[P]:
        """Return what is unanswered, oldest first."""

    def view(self, pending: P, /) -> Mapping[str, Any]:
        """Return a request as JSON (protocol section 3)."""

    async def answer(
        self, code: str, answer: Answer, *, scopes: None, until: None, by: Literal["notification"]
    ) -> object:
        """Answer it: all that was asked, for the usual time.

        Raises:
            ClientError: it is over by now.
            BridgeError, OAuthError: the answer could not be kept.
        """

    def on_change(self, callback: Callable[[], None], /) -> object:
        """Have ``callback`` called whenever `waiting` changes."""


class Desktop(Protocol):
    """A connection to the desktop's notification server, for as long as the bus lasts."""

    owner: str | None
    """The unique name of the server that was found."""

    capabilities: frozenset[str]
    """What that server can do, in the specification's words."""

    async def find(self, *, may_start: bool) -> bool:
        """Find the server, ask what it can do, and say whether it is there; start it where the bus knows how.

        Raises:
            Refused: there is none.
            TimeoutError: it does not answer.
        """

    def notify(
        self, owner: str, notice: Notice, actions: Sequence[tuple[str, str]], reply: Callable[[int | None], None]
    ) -> None:
        """Have the server ``owner`` show ``notice`` with these ``(key, label)``.

        ``reply`` gets its number, None where the server refused. It has no deadline: a late number still says what to
        take back. It is never called once the bus is lost.
        """

    def withdraw(self, owner: str, number: int) -> None:
        """Take a notification back; nobody waits for the answer: if it is gone already, all is well."""

    async def close(self) -> None:
        """End the connection."""


class Listener(Protocol):
    """What hears of the server; called in the order in which it came, and nothing of it may raise."""

    def invoked(self, number: int, key: str) -> None:
        """A button of a notification was pressed."""

    def closed(self, number: int) -> None:
        """A notification is gone: dismissed, expired, taken back."""

    def owner_changed(self) -> None:
        """The server has ended, or another one has taken its place."""

    def lost(self) -> None:
        """The bus is gone."""
