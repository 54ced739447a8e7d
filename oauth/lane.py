"""Runs blocking calls one at a time in a thread that nobody has to wait for: not the event loop, not the process's end.

A call into a keyring may hang for good (a prompt that nobody answers), and cannot be cancelled. Whoever waits for it is
told after a deadline; the call itself goes on, and no other one starts beside it, so that prompts never pile up.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from oauth.errors import KeyringSilent

Result = TypeVar("Result")


class Lane:
    """One call at a time. Used on the event loop's thread.

    Queue at a call that hangs: whoever comes waits for its end, each no longer than its own deadline.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: asyncio.Future[Any] | None = None

    async def run(self, job: Callable[[], Result], seconds: float) -> Result:
        """Return what ``job`` returns, or raise what it raises.

        Raises:
            KeyringSilent: it, or the call before it, took longer than ``seconds``; what runs goes on.
        """
        try:
            async with asyncio.timeout(seconds):
                while self._running is not None and not self._running.done():
                    await asyncio.wait([self._running])  # waits without cancelling, whatever becomes of us
                running = self._start(job)
                return await asyncio.shield(running)
        except TimeoutError as error:
            raise KeyringSilent(
                f"the keyring did not answer within {seconds:g} s; if it asks for a password on your screen, answer it "
                "and try again"
            ) from error

    def _start(self, job: Callable[[], Result]) -> "asyncio.Future[Result]":
        loop = asyncio.get_running_loop()
        running: asyncio.Future[Result] = loop.create_future()
        running.add_done_callback(_look)
        self._running = running

        def work() -> None:
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever waits
                _tell(loop, _fail, running, error)
            else:
                _tell(loop, _finish, running, result)

        # A daemon thread: the interpreter does not join it at exit, as it does with those of an executor.
        threading.Thread(target=work, name=self._name, daemon=True).start()
        return running


def _tell(loop: asyncio.AbstractEventLoop, settle: Callable[..., None], running: object, outcome: object) -> None:
    try:
        loop.call_soon_threadsafe(settle, running, outcome)
    except RuntimeError:
        return  # the loop has ended, and with it everybody who waited


def _finish(running: "asyncio.Future[Result]", result: Result) -> None:
    if not running.done():
        running.set_result(result)


def _fail(running: "asyncio.Future[Any]", error: BaseException) -> None:
    if not running.done():
        running.set_exception(error)


def _look(running: "asyncio.Future[Any]") -> None:
    # Whoever gave up waiting will not read it; a failure that nobody read would be logged as a fault of ours.
    if not running.cancelled():
        running.exception()
