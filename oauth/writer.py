"""Makes queued rows durable in one thread, many commits to one transaction; says so, or brings the old state back."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

from oauth.database import Database, Write
from oauth.errors import StorageFailed, StoreError

COMMIT_DEADLINE_SECONDS = 15.0
"""Longer than the file may be busy (``database.BUSY_SECONDS``) twice: a failed write, then the reload."""

Rows = Mapping[str, list[bytes]]

_logger = logging.getLogger(__name__)


class Writer:
    """The queue between the store's memory and its file.

    Bound of the queue: none of its own; every row in it belongs to an answer that waits in ``commit``, and the front
    bounds those. After a failed write all waiting commits fail and ``reload`` gets what the file holds.
    """

    def __init__(self, database: Database, thread: Executor, reload: Callable[[Rows], None]) -> None:
        self._database = database
        self._thread = thread
        self._reload = reload
        self._queue: list[Write] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._is_stale = False
        self._is_closed = False

    def queue(self, write: Write) -> None:
        """Add a row to the next transaction."""
        self._queue.append(write)

    async def commit(self) -> None:
        """Return once everything queued so far is durable.

        Raises:
            StorageFailed: it is not; memory holds again what the file holds (or the store is closed).
        """
        if self._is_closed:
            raise StorageFailed("the daemon is stopping")
        if not self._queue and self._flushing is None:
            return
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        try:
            async with asyncio.timeout(COMMIT_DEADLINE_SECONDS):
                await done
        except TimeoutError as error:
            raise StorageFailed("the file of grants did not answer in time") from error

    async def close(self) -> None:
        """Write what is still queued (things forgotten since the last commit) and end the flush."""
        try:
            await self.commit()
        except StorageFailed:
            _logger.warning("the last changes of the store were not written")
        self._is_closed = True
        if self._flushing is not None:
            await self._flushing

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch, self._queue = self._queue, []
                waiting, self._waiting = self._waiting, []
                try:
                    await self._write(batch)
                except (sqlite3.Error, StoreError) as error:
                    _logger.error("the store cannot be written", extra={"error": error})
                    await self._recover()
                    _settle(waiting + self._waiting, failed=True)
                    self._waiting = []
                else:
                    _settle(waiting, failed=False)
        finally:
            self._flushing = None

    async def _write(self, batch: list[Write]) -> None:
        loop = asyncio.get_running_loop()
        if self._is_stale:
            self._take(await loop.run_in_executor(self._thread, self._database.load))
            # What was asked meanwhile was asked of a memory that the file never confirmed.
            raise StorageFailed("memory was reloaded; ask again")
        if batch:
            await loop.run_in_executor(self._thread, self._database.write, batch)

    async def _recover(self) -> None:
        """Go back to what the file holds; where even reading fails, try again before the next write."""
        if not self._is_stale:
            self._is_stale = True
            loop = asyncio.get_running_loop()
            try:
                self._take(await loop.run_in_executor(self._thread, self._database.load))
            except (sqlite3.Error, StoreError) as error:
                _logger.error("the store cannot be read", extra={"error": error})
        self._queue = []

    def _take(self, rows: Rows) -> None:
        self._reload(rows)
        self._is_stale = False


def _settle(waiting: list[asyncio.Future[None]], *, failed: bool) -> None:
    for done in waiting:
        if done.done():
            continue
        if failed:
            done.set_exception(StorageFailed("the change could not be made durable and was undone"))
        else:
            done.set_result(None)
