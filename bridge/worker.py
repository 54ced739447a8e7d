"""Hosts apps: reads parameters as their own types, runs commands within their deadlines, turns errors into problems."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

from bridge.apps.port import App, AppCommand
from bridge.clock import now
from bridge.errors import AppFailed, BridgeError, CommandTimeout, Internal, NotFound
from bridge.messages import AppDescription, Command, Event, Reply
from bridge.wire import read_json_as

logger = logging.getLogger(__name__)

STATE_DEADLINE_SECONDS = 5.0
"""How long an app may take to tell its state."""

_ENDINGS = (SystemExit, KeyboardInterrupt)
"""What ends a whole program; of an app that raises one (``sys.exit()`` of a library), only the command ends.

A signal of the system never comes as one: the daemon has handlers for those.
"""

EVENT_BYTES = 512 * 1024
"""The most that one event's data may hold: it has to fit a message of 1 MiB with room to spare, and many an outbox."""


class Worker:
    """Runs the commands of ``apps``; keeps no state of its own."""

    def __init__(self, apps: Sequence[App]) -> None:
        self._apps = {app.name: app for app in apps}
        self._listeners: list[Callable[[Event], None]] = []

    def describe(self) -> list[AppDescription]:
        """Return what this worker hosts."""
        return [app.describe() for app in self._apps.values()]

    def hear(self, listener: Callable[[Event], None]) -> None:
        """Hand every event of the hosted apps to ``listener``."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Live: every app started, in order; stopped in reverse."""
        async with AsyncExitStack() as stack:
            for app in self._apps.values():
                await stack.enter_async_context(app.run(self._publish))
            yield

    async def call(self, command: Command) -> Reply:
        """Run ``command``; whatever goes wrong comes back as the reply's problem."""
        try:
            return Reply(result=await self._run(command))
        except BridgeError as error:
            return Reply(problem=error.problem())
        except Exception:
            logger.exception("a command failed", extra={"app": command.app, "command": command.name})
            return Reply(problem=Internal("the daemon's log has the trace").problem())
        except _ENDINGS:
            logger.exception("a command tried to end the daemon", extra={"app": command.app, "command": command.name})
            return Reply(problem=AppFailed("the command tried to end the daemon; its log has the trace").problem())

    def check(self, command: Command) -> None:
        """Read the parameters of ``command`` as its own type, and run nothing.

        Raises:
            NotFound: there is no such command.
            InvalidParams: they do not fit.
        """
        read_json_as(command.params, self._declared(command).params)

    async def state(self, app: str) -> msgspec.Raw | None:
        """Return the state of ``app`` as JSON, or None where it declares none.

        Raises:
            BridgeError: the app cannot tell.
        """
        try:
            async with asyncio.timeout(STATE_DEADLINE_SECONDS):
                state = await self._apps[app].read_state()
        except TimeoutError:
            raise CommandTimeout(f"{app} did not tell its state within {STATE_DEADLINE_SECONDS:g} s") from None
        except _ENDINGS:
            logger.exception("a state tried to end the daemon", extra={"app": app})
            raise AppFailed(f"the state of {app} tried to end the daemon; its log has the trace") from None
        return None if state is None else msgspec.Raw(msgspec.json.encode(state))

    async def _run(self, command: Command) -> msgspec.Raw:
        declared = self._declared(command)
        params = read_json_as(command.params, declared.params)
        result: Any = declared.call(params, command.caller)
        if declared.is_async:
            deadline = declared.description.deadline
            try:
                async with asyncio.timeout(deadline):
                    result = await result
            except TimeoutError:
                raise CommandTimeout(
                    f"{command.app}.{command.name} did not end within {deadline:g} s; it may have taken effect"
                ) from None
        return msgspec.Raw(msgspec.json.encode(result))

    def _declared(self, command: Command) -> AppCommand:
        app = self._apps.get(command.app)
        declared = app.commands.get(command.name) if app else None
        if declared is None:
            raise NotFound("there is no such command; GET /v1/apps lists them")
        return declared

    def _publish(self, topic: str, name: str, data: msgspec.Struct) -> None:
        content = msgspec.json.encode(data)
        if len(content) > EVENT_BYTES:
            raise ValueError(f"an event of {topic} holds {len(content)} bytes, at most {EVENT_BYTES} are told")
        event = Event(topic=topic, name=name, time=now(), data=msgspec.Raw(content))
        for listener in self._listeners:
            listener(event)
