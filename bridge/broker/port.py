"""What the front asks of the workers, whoever carries it."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from bridge.messages import AppDescription, Command, Event, Reply


class Broker(Protocol):
    """Commands one way, events the other. Called by the front; implemented beside this file."""

    @property
    def apps(self) -> Mapping[str, AppDescription]:
        """What the workers have announced, by name."""

    async def call(self, command: Command) -> Reply:
        """Run ``command`` where its app lives; errors come back inside the reply."""

    async def check(self, command: Command) -> None:
        """Read the parameters of ``command`` as its app does, and run nothing.

        Raises:
            BridgeError: they do not fit, or there is no such command.
        """

    async def state(self, app: str) -> msgspec.Raw | None:
        """Return the app's state (JSON) as it is now; None where it has none.

        Raises:
            BridgeError: the app cannot tell.
        """

    def hear(self, listener: Callable[[Event], None]) -> None:
        """Hand every event of every app to ``listener``, in order."""
