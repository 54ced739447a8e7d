"""Listens for the front: whom each listener admits, and how many connections it holds."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from bridge.config import Limits
from bridge.front import peer
from bridge.front.connection import Admit, Connection
from bridge.front.connections import Connections
from bridge.front.house import House
from bridge.front.policy import may_connect, may_connect_natively
from bridge.front.reasons import Answer, Reason, Refused
from bridge.listen import BACKLOG

logger = logging.getLogger(__name__)

CLEANUP_SECONDS = 1.0
"""What is left to requests once every session was told and every command has ended."""

TCP_SHARE = 0.8
UNIX_SHARE = 0.1
"""Of the descriptors that the system grants: the rest is for files, the apps, and for accepting at all."""


class Site(web.SockSite):
    """A listening socket whose connections are `Connection`."""

    def __init__(
        self, runner: web.AppRunner, sock: socket.socket, *, admit: Admit, most: int, limits: Limits, house: House
    ) -> None:
        super().__init__(runner, sock, backlog=BACKLOG)
        self._admit = admit
        self._house = house
        self._connections: Connections[Connection] = Connections(most=most, most_silent=limits.silent_connections)

    async def start(self) -> None:
        """Accept connections."""
        await web.BaseSite.start(self)
        loop = asyncio.get_running_loop()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner was not set up")
        admit, connections, refusals = self._admit, self._connections, self._house.refusals
        self._server = await loop.create_server(
            lambda: Connection(server, admit=admit, connections=connections, refusals=refusals, loop=loop),
            sock=self._sock,
            backlog=BACKLOG,
        )


@asynccontextmanager
async def serving(house: House, listeners: Iterable[socket.socket], limits: Limits) -> AsyncIterator[None]:
    """Answer on ``listeners``; at the end take no new connection, tell every session, let commands end, and close."""
    runner = web.AppRunner(
        house.application,
        access_log=None,
        handler_cancellation=True,  # a stream ends with its reader; commands are shielded in the dispatch
        shutdown_timeout=CLEANUP_SECONDS,
    )
    await runner.setup()
    server = house.server = runner.server
    if server is None:
        raise RuntimeError("the runner was not set up")
    server.request_handler = house.entrance(server.request_handler)  # type: ignore[assignment]  # it gets a Request
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        lookup = peer.open_lookup()
        if lookup is not None:
            stack.callback(lookup.close)
        sites = [_site(runner, listener, lookup, limits, house) for listener in listeners]
        for site in sites:
            await site.start()
        yield
        for site in sites:
            await site.stop()
        await house.stop()


def _site(
    runner: web.AppRunner, listener: socket.socket, lookup: peer.SockDiag | None, limits: Limits, house: House
) -> Site:
    is_unix = listener.family != socket.AF_INET
    admit = _native_admission() if is_unix else _admission(lookup)
    most = min(limits.connections, int(_descriptors() * (UNIX_SHARE if is_unix else TCP_SHARE)))
    return Site(runner, listener, admit=admit, most=most, limits=limits, house=house)


def _admission(lookup: peer.SockDiag | None) -> Admit:
    """Return step 1 of the policy for TCP; without ``lookup`` the address is all that can be checked."""
    uid = None if lookup is None else os.getuid()

    def admit(link: asyncio.Transport) -> None:
        client, server = link.get_extra_info("peername"), link.get_extra_info("sockname")
        if client is None or server is None:
            raise Refused(Reason.PEER_UNKNOWN, Answer.CLOSE)
        may_connect(client[0], None if lookup is None else lookup.peer(client, server), uid=uid)

    return admit


def _native_admission() -> Admit:
    """Return step 1 for the Unix socket."""
    uid = os.getuid() if peer.TELLS_UNIX_UID else None

    def admit(link: asyncio.Transport) -> None:
        may_connect_natively(peer.unix_uid(link.get_extra_info("socket")), uid=uid)

    return admit


def _descriptors() -> int:
    """Return how many descriptors the daemon may have; it has raised its limit at the start."""
    if sys.platform == "win32":
        return 8192  # no such limit there
    import resource  # not there on Windows

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
