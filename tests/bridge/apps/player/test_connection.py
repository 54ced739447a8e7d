"""The connection to a real session bus ends when it is closed, not some time later."""

import asyncio
from pathlib import Path

import pytest

from bridge.apps.player.mpris.connection import Connection
from tests.parts.bus import PrivateBus

pytestmark = pytest.mark.real


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_connection_whose_end_was_waited_for_and_given_up_still_closes_whole() -> None:
    with PrivateBus() as bus:
        before = open_files()
        connection = await Connection.open(bus.address)
        waiting = asyncio.create_task(connection.lost())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        await connection.close()

        assert before == open_files()
