"""The way of a record to the disk: noted on the event loop without waiting, chained and written by one thread.

Records are written in batches, at most one transaction every `BATCH_SECONDS`: what was noted in the last tenth of a
second is lost when the process is killed; what was written is whole and chained.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from bridge.audit.file import AuditFile
from bridge.audit.record import AFTER_LOSS, Kind, Link, Mark, Record
from bridge.audit.rows import AuditUnusable

BATCH_SECONDS = 0.1
RETRY_SECONDS = 1.0
"""How long after a write that failed the next is tried."""
QUEUE = 10_000
"""Records that may wait for the disk. Beyond it they are not kept but counted, and the count becomes a record."""
DEADLINE_SECONDS = 15.0
"""Longer than the file may be busy (``file.BUSY_SECONDS``) twice."""

Clock = Callable[[], float]
Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class Page(msgspec.Struct, frozen=True):
    """Records as they were kept, oldest first; ``anchor`` is where the kept ones begin, ``head`` where they end."""

    links: list[Link]
    anchor: Mark
    head: Mark


class Trail:
    """The queue between the event loop and the file. Made by ``open``; used on the event loop's thread.

    A disk that is full stops no command: what cannot be written waits, then is counted, and the count is written as
    soon as something can be.
    """

    def __init__(self, file: AuditFile, thread: ThreadPoolExecutor, clock: Clock, queue: int) -> None:
        self.clock = clock
        self._file = file
        self._thread = thread
        self._queue = queue
        self._waiting: deque[Record] = deque()
        self._lost = 0
        # Both below are the thread's: what it has taken and not yet written, and how many lost ones it has told of.
        self._unwritten: list[Record] = []
        self._told = 0
        self._flushing: asyncio.Task[None] | None = None
        self._is_closed = False

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, key: bytes, *, clock: Clock, queue: int = QUEUE) -> AsyncIterator[Self]:
        """Open, or make, the file (0600), and look in the background whether its chain holds; close it at the end.

        A damaged file is renamed and kept; a log line and the first record of the new one say so. So they do where
        there is none any more.

        Raises:
            AuditTooNew: the file has a newer schema; it is left untouched.
            AuditUnusable: it cannot be opened.
            UnsafeFile: it is not the user's alone.
        """
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit") as thread:
            file, kept = await loop.run_in_executor(thread, lambda: AuditFile.open(path, key, now=clock()))
            try:
                trail = cls(file, thread, clock, queue)
                trail._begin(path, kept)
                checking = asyncio.create_task(trail._check())
                try:
                    yield trail
                finally:
                    await checking
                    await trail._close()
            finally:
                await loop.run_in_executor(thread, file.close)

    def note(self, record: Record) -> None:
        """Queue a record; it never waits, and one that finds the queue full is counted instead."""
        if len(self._waiting) + len(self._unwritten) >= self._queue:
            self._lost += 1
        else:
            self._waiting.append(record)
        if self._flushing is None and not self._is_closed:
            self._flushing = asyncio.create_task(self._flush())

    async def page(self, after: int | None, limit: int) -> Page:
        """Return ``limit`` records behind the index ``after``, or the last ones, with all that was noted so far.

        Raises:
            AuditUnusable: the file cannot be written or read now.
        """
        return await self._in_thread(partial(self._read, after, limit))

    def _begin(self, path: Path, kept: Path | None) -> None:
        if kept is not None:
            logger.error(
                "the audit was damaged, or of another identity; it is kept aside, and a new one begins",
                extra={"file": kept.name},
            )
            self._note_audit("set_aside", kept.name)
        elif self._file.is_after_loss:
            logger.warning(
                "the audit is gone, though the daemon has run here before; a new one begins", extra={"file": path}
            )
            self._note_audit(AFTER_LOSS)
        elif not self._file.head.index:
            self._note_audit("begun")

    async def _check(self) -> None:
        try:
            broken = await self._in_thread(self._file.broken)
        except AuditUnusable as error:
            logger.error("the audit could not be checked", extra={"error": error})
            return
        if broken is not None:
            logger.error(
                "the audit is broken; run tollbridge audit verify",
                extra={"index": broken.index, "reason": broken.found},
            )
            self._note_audit("broken", str(broken.index))

    def _note_audit(self, outcome: str, subject: str | None = None, count: int = 1) -> None:
        self.note(Record(time=self.clock(), kind=Kind.AUDIT, outcome=outcome, subject=subject, count=count))

    async def _close(self) -> None:
        """Write what still waits; one attempt, for nobody can wait for a disk at the end."""
        self._is_closed = True
        if self._flushing is not None:
            self._flushing.cancel()
        try:
            await self._in_thread(self._write)
        except AuditUnusable as error:
            logger.error("the last records of the audit were not written", extra={"error": error})

    async def _flush(self) -> None:
        try:
            while self._waiting or self._unwritten or self._lost > self._told:
                await asyncio.sleep(BATCH_SECONDS)
                try:
                    await asyncio.get_running_loop().run_in_executor(self._thread, self._write)
                except AuditUnusable as error:
                    logger.error("the audit cannot be written; it is tried again", extra={"error": error})
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._flushing = None

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        """Run ``work`` on the file's thread; one that does not end in time goes on there.

        Raises:
            AuditUnusable: it failed, or did not end in time.
        """
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except TimeoutError:
            raise AuditUnusable("the disk did not answer in time") from None

    # On the file's thread.

    def _write(self) -> None:
        while self._waiting:
            self._unwritten.append(self._waiting.popleft())
        records = self._unwritten
        now = self.clock()
        lost = self._lost - self._told
        if lost:
            records = [*records, Record(time=now, kind=Kind.AUDIT, outcome="lost", count=lost)]
        if records:
            self._file.append(records, now=now)
        self._told += lost
        self._unwritten = []

    def _read(self, after: int | None, limit: int) -> Page:
        self._write()
        return Page(self._file.page(after, limit), self._file.anchor, self._file.head)
