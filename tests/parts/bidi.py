"""WebDriver BiDi (W3C): one connection to a browser, on a loop and a thread of its own: tests stay synchronous."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import aiohttp

DEADLINE_SECONDS = 20.0
"""For one command; a page's own script may take as long."""

Result = TypeVar("Result")

Told = Callable[[str, dict[str, Any]], None]
"""Hears every event: its method and its parameters."""


class CommandFailed(Exception):
    """The browser answered with an error; ``code`` is the protocol's word for it, such as `no such frame`."""

    def __init__(self, method: str, code: str, message: str) -> None:
        super().__init__(f"{method}: {code}: {message[:500]}")
        self.code = code


class Connection:
    """Sends commands, one answer each, and hands every event to ``told``, on its own thread."""

    def __init__(self, url: str, told: Told) -> None:
        self._told = told
        self._number = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bidi")
        self._thread.start()
        try:
            self._run(self._open(url))
        except BaseException:
            self._end()
            raise

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Run a command and return its result.

        Raises:
            CommandFailed: the browser would not.
            TimeoutError: it gave no answer in time.
        """
        return self._run(self._command(method, params))

    def close(self) -> None:
        """Close the connection; the browser goes on."""
        try:
            self._run(self._close())
        finally:
            self._end()

    async def _open(self, url: str) -> None:
        self._http = aiohttp.ClientSession()
        try:
            self._socket = await self._http.ws_connect(url, max_msg_size=0)
        except BaseException:
            await self._http.close()
            raise
        self._reader = self._loop.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            told = message.json()
            if "id" not in told:
                self._told(told.get("method", ""), told.get("params", {}))
            elif (waiting := self._waiting.pop(told["id"], None)) is not None and not waiting.done():
                waiting.set_result(told)
        for waiting in self._waiting.values():
            waiting.cancel("the browser has gone")

    async def _command(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        number = self._number
        answer = self._waiting[number] = self._loop.create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(DEADLINE_SECONDS):
            told = await answer
        if told["type"] == "error":
            raise CommandFailed(method, told["error"], told["message"])
        result: dict[str, Any] = told["result"]
        return result

    async def _close(self) -> None:
        await self._http.close()
        await asyncio.wait((self._reader,), timeout=DEADLINE_SECONDS)

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_SECONDS + 5)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_SECONDS)
        self._loop.close()
