"""All live sessions: opened for a caller, ended with its grant, told when the daemon stops."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from aiohttp import web

from bridge.errors import Restarting, TokenInvalid
from bridge.events.hub import Hub, Shape, Subscriber
from bridge.front.caller import Callers
from bridge.front.dispatch import RESTART_RETRY_SECONDS
from bridge.front.session import TOKEN_ENDED, Session
from bridge.front.topics import Topics
from bridge.front.waiting import Waiting
from bridge.messages import Caller

RESTARTING = 1012


class Live(Subscriber, Protocol):
    """What the registry holds: a subscriber that can be asked to end. Implemented by the sessions of each transport."""

    caller: Caller

    def close(self, code: int) -> None:
        """Ask it to end; ``code`` is a WebSocket close code (protocol section 6)."""


class Sessions:
    """The registry; bounded by the limits per grant and by the connections that the daemon takes."""

    def __init__(self, hub: Hub, callers: Callers, topics: Topics) -> None:
        self._hub = hub
        self._callers = callers
        self._topics = topics
        self._open: set[Live] = set()
        self._handlers: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def open_now(self) -> tuple[Live, ...]:
        """Return the sessions that live now."""
        return tuple(self._open)

    def open(self, caller: Caller, request: web.Request, shape: Shape) -> Session:
        """Make the session of a request whose response is prepared.

        Raises:
            ConnectionError: the client has gone meanwhile.
        """
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone")
        session = Session(
            caller,
            hub=self._hub,
            callers=self._callers,
            topics=self._topics,
            shape=shape,
            transport=transport,
            drain=request.writer.drain,
        )
        self.add(session)
        return session

    def add(self, session: Live) -> None:
        """Count a session in; its handler is the task that runs now."""
        self._open.add(session)
        handler = asyncio.current_task()
        if handler is not None:
            self._handlers.add(handler)
            handler.add_done_callback(self._handlers.discard)

    def end(self, session: Live) -> None:
        """Let ``session`` hear nothing any more."""
        self._hub.unsubscribe(session)
        self._open.discard(session)

    async def wait(self, waiting: Waiting, topics: Iterable[str], seconds: float) -> bool:
        """Wait until ``waiting`` hears one of ``topics``; return False after ``seconds`` without one.

        Raises:
            TokenInvalid: its grant ended meanwhile.
            Restarting: the daemon is stopping.
        """
        self.add(waiting)
        self._hub.subscribe(waiting, topics)
        try:
            async with asyncio.timeout(seconds):
                await waiting.awake.wait()
        except TimeoutError:
            return False
        finally:
            self.end(waiting)
        if waiting.close_code == TOKEN_ENDED:
            raise TokenInvalid("the grant has ended; ask the owner again")
        if waiting.close_code == RESTARTING:
            raise Restarting("the daemon is stopping", retry_after=RESTART_RETRY_SECONDS)
        return True

    def close_grant(self, grant: str) -> None:
        """End every session of a grant that has ended, at once."""
        for session in self.of_grant(grant):
            session.close(TOKEN_ENDED)

    def close_pairing(self, pairing: str) -> None:
        """End every session of a pairing that has ended, at once."""
        for session in [session for session in self._open if session.caller.pairing == pairing]:
            session.close(TOKEN_ENDED)

    def of_grant(self, grant: str) -> list[Live]:
        """Return the live sessions under a grant."""
        return [session for session in self._open if session.caller.grant == grant]

    async def stop(self, seconds: float) -> None:
        """End every session because the daemon stops; wait until all are told and closed, ``seconds`` at most.

        The server drops what clients send once it shuts down, so their half of a closing handshake has to come before.
        """
        for session in list(self._open):
            session.close(RESTARTING)
        if self._handlers:
            await asyncio.wait(self._handlers, timeout=seconds)
