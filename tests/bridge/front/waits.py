"""Waits for a condition in the product, with a deadline."""

import asyncio
from collections.abc import Callable

DEADLINE = 5.0


async def until(is_so: Callable[[], bool]) -> None:
    """Return once ``is_so`` says so."""
    async with asyncio.timeout(DEADLINE):
        while not is_so():  # noqa: ASYNC110  # what is waited for happens in the product, which signals nobody
            await asyncio.sleep(0.001)
