"""One app, run as the worker runs it: commands by name, and its events in the order they were published."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import msgspec

from bridge.apps.port import App
from bridge.messages import Caller

OWNER = Caller(client="owner", scopes=frozenset(), owner=True)


class RunningApp:
    """An app between start and stop; ``events`` are (name, data) pairs."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.events: list[tuple[str, Any]] = []
        self._news = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def run(cls, app: App) -> AsyncIterator[Self]:
        """Run ``app``; fails if an exception was left that nobody retrieved."""
        running = cls(app)
        loop = asyncio.get_running_loop()
        lost: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: lost.append(context))
        async with app.run(running._publish):
            yield running
        gc.collect()
        assert not lost, lost

    async def call(self, name: str, **params: object) -> Any:
        """Run a command."""
        command = self.app.commands[name]
        result = command.call(msgspec.convert(params, command.params), OWNER)
        return await result if command.is_async else result

    async def state(self) -> Any:
        """Read the state."""
        return await self.app.read_state()

    async def until(self, name: str, holds: Callable[[Any], bool] = lambda _: True, *, seconds: float = 8.0) -> Any:
        """Return the data of the first event ``name`` for which ``holds``, dropping those before it."""
        async with asyncio.timeout(seconds):
            while True:
                while self.events:
                    event, data = self.events.pop(0)
                    if event == name and holds(data):
                        return data
                self._news.clear()
                await self._news.wait()

    async def until_state(self, holds: Callable[[Any], bool], *, seconds: float = 8.0) -> Any:
        """Return the first state for which ``holds``."""
        async with asyncio.timeout(seconds):
            while not holds(state := await self.state()):  # noqa: ASYNC110  # a position moves without an event
                await asyncio.sleep(0.01)
        return state

    def _publish(self, topic: str, name: str, data: msgspec.Struct) -> None:
        self.events.append((name, data))
        self._news.set()
