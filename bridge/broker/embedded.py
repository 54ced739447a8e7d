"""Front and worker in one process: a call is a call."""

from collections.abc import Callable, Mapping

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

    async def call(self, command: Command) -> Reply:
        """See `bridge.broker.port.Broker`."""
        return await self._worker.call(command)

    async def state(self, app: str) -> msgspec.Raw | None:
        """See `bridge.broker.port.Broker`."""
        return await self._worker.state(app)

    def hear(self, listener: Callable[[Event], None]) -> None:
        """See `bridge.broker.port.Broker`."""
        self._worker.hear(listener)
