"""The life of the desktop notifications: finds the session bus, comes back when it does, never fails anybody else."""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from bridge.consent.notification_port import Consenting, P, Refused
from bridge.consent.notification_surface import Surface

logger = logging.getLogger(__name__)


@asynccontextmanager
async def notifying(
    consent: Consenting[P], bus_address: str | None = None, *, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[None]:
    """Show what waits as desktop notifications, as long as this lasts; what is shown at its end is taken back.

    ``bus_address`` is the session bus's, by default the one of this process's session, looked up each time. Without a
    bus or a server nothing is shown, and nothing fails.
    """
    if sys.platform != "linux":
        yield
        return
    surface = Surface(consent, clock)
    consent.on_change(surface.changed)
    task = asyncio.create_task(_live(surface, bus_address))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _live(surface: Surface[P], bus_address: str | None) -> None:
    try:
        # dbus-fast is a dependency on Linux only.
        from bridge.bus import stay_connected

        await stay_connected(lambda: _once(surface, bus_address))
    except Exception:  # the other surfaces go on, and so does the daemon
        logger.exception("notifications have ended; requests wait for an answer elsewhere")


async def _once(surface: Surface[P], bus_address: str | None) -> bool:
    """Live through one connection to the bus; return whether there was one."""
    from bridge.bus import Unreachable, session_bus
    from bridge.consent.notification_server import Server

    address = bus_address or session_bus()
    if address is None:
        surface.say("there is no session bus")
        return False
    try:
        server = await Server.connect(address, surface)
    except Unreachable as error:
        surface.say("the session bus cannot be reached", error.reason)
        return False
    except (Refused, TimeoutError) as error:
        surface.say("the session bus cannot be reached", error)
        return False
    try:
        await surface.tend(server)
    finally:
        await server.close()
    surface.say("the session bus is gone")
    return True
