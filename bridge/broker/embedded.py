"""Front and worker in one process: a call is a call."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from bridge.messages import AppDescription, Command, Event, Reply
from bridge.worker import Worker


class EmbeddedBroker:
    """Joins the front with one worker on the same event loop; nothing queues, so there is no bound to keep."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._apps = {app.name: app for app in worker.describe()}

    @property
    def apps(self) -> Mapping[str, AppDescription]:
        """See `bridge.broker.port.Broker`."""
        return self._apps

    def call(self, command: Command) -> Coroutine[Any, Any, Reply]:
        """See `bridge.broker.port.Broker`."""
        return self._worker.call(command)

    async def check(self, command: Command) -> None:
        """See `bridge.broker.port.Broker`."""
        self._worker.check(command)

    def state(self, app: str) -> Coroutine[Any, Any, msgspec.Raw | None]:
        """See `bridge.broker.port.Broker`."""
        return self._worker.state(app)

    def hear(self, listener: Callable[[Event], None]) -> None:
        """See `bridge.broker.port.Broker`."""
        self._worker.hear(listener)
