"""A life of grants and tokens on a real store, which kills itself at a chosen step of its storage.

Run as a program, it lives one life for each line of its standard input (``FOLDER STEP``), in a process of its own, and
answers with a line: how that process ended (a wait status). A life that is not killed leaves the number of its steps
in the journal. What is begun and what was answered stands there, line by line, as it happened: whoever has an answer
may rely on it, whatever becomes of the daemon a moment later.
"""

import asyncio
import hashlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from oauth.models import Until
from oauth.server.results import TokenResult
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import Desk, answer_of
from tests.oauth.page import Page

START = 1_800_000_000.0
READ = "player:read"
BOTH = "player:control player:read"
WEB, TV, GONE, DENIED, ONCE = (f"https://{name}.example" for name in ("web", "tv", "gone", "denied", "once"))


def page_of(origin: str, desk: Desk) -> Page:
    """Return the page of ``origin``; its key is the same in every process."""
    seed = int.from_bytes(hashlib.sha256(origin.encode()).digest()) >> 1
    key = ec.derive_private_key(seed, ec.SECP256R1())
    return Page(origin, clock=desk.clock, nonce=lambda: desk.nonces.current(origin), key=key)


class Connection:
    """The store's connection, which counts the statements of transactions and dies before one of them.

    Between a COMMIT and the answer that waited for it lies a step of its own.
    """

    def __init__(self, connection: Any, step: int) -> None:
        self._connection = connection
        self._step = step
        self.steps = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, *given: Any) -> Any:
        self._comes_to_a_step()
        told = self._connection.execute(statement, *given)
        if statement == "COMMIT":
            self._comes_to_a_step()
        return told

    def _comes_to_a_step(self) -> None:
        self.steps += 1
        if self.steps == self._step:
            os.kill(os.getpid(), signal.SIGKILL)


class Life:
    """What clients and the owner do, and the journal of it."""

    def __init__(self, store: Store, journal: int) -> None:
        self._store = store
        self._journal = journal
        self.desk = Desk(store, FakeClock(START))

    def _notes(self, what: str, **facts: Any) -> None:
        os.write(self._journal, json.dumps({"what": what, **facts}).encode() + b"\n")

    async def lives(self) -> None:
        """Do everything, one after the other."""
        web, tv, gone, denied, once = (page_of(origin, self.desk) for origin in (WEB, TV, GONE, DENIED, ONCE))
        first = await self._pairs(web, READ)
        second = await self._refreshes(web, first)
        await asyncio.gather(*(self._refreshes(web, second) for _ in range(3)))
        await self._pairs_by_device(tv)
        await self._answers(denied, "deny")
        await self._pairs(once, BOTH, until="once")
        await self._pairs(web, BOTH, until="day")
        await self._pairs(gone, BOTH)
        await self._revokes(tv)
        await self._is_forgotten(gone)

    async def _answers(self, page: Page, answer: str, scope: str = BOTH, until: Until | None = None) -> str:
        """Return where the answer is told; it is told once it is durable."""
        request = self.desk.server.authorization_request(page.authorize_query(scope=scope))
        self._notes(f"{answer} begun", client=page.origin)
        server = self.desk.server
        redirect = server.allow(request, request.scopes, until) if answer == "allow" else server.deny(request)
        await self._store.commit()
        self._notes(answer, client=page.origin, scope=scope, until=until)
        return redirect

    async def _pairs(self, page: Page, scope: str, until: Until | None = None) -> str:
        code = answer_of(await self._answers(page, "allow", scope, until))["code"]
        self._notes("code", client=page.origin, form=page.code_form(code).decode())
        return self._takes(page, await self.desk.redeem(page, code))

    async def _pairs_by_device(self, page: Page) -> None:
        told = await self.desk.start_device(page)
        code, request = told.body["device_code"], self.desk.asked[-1]
        self._notes("code", client=page.origin, form=self.desk.poll_form(page, code).decode())
        tell = self.desk.server.allow_device(request, request.scopes)
        await self._store.commit()
        tell()
        self._notes("allow", client=page.origin, scope=BOTH, until=None)
        self._takes(page, await self.desk.poll(page, code))

    async def _refreshes(self, page: Page, token: str) -> str:
        self._notes("refresh begun", client=page.origin, token=token)
        answer = await self.desk.refresh(page, token)
        return self._takes(page, answer, used=token)

    def _takes(self, page: Page, answer: TokenResult, used: str | None = None) -> str:
        assert answer.status == 200, answer.body
        body = answer.body
        self._notes("tokens", client=page.origin, used=used, **body)
        self._tokens = {**getattr(self, "_tokens", {}), page.origin: body.get("refresh_token", "")}
        return str(body.get("refresh_token", ""))

    async def _revokes(self, page: Page) -> None:
        self._notes("revoke begun", client=page.origin)
        answer = await self.desk.revoke(page, self._tokens[page.origin])
        assert (200, {}) == (answer.status, answer.body)
        self._notes("revoke", client=page.origin)

    async def _is_forgotten(self, page: Page) -> None:
        grant = self._store.grant_of(page.origin)
        assert grant is not None
        self._notes("forget begun", client=page.origin)
        self._store.revoke(grant.id)
        await self._store.commit()
        self._notes("forget", client=page.origin)


async def live(folder: Path, step: int) -> None:
    """Live a life in ``folder``; it ends before its ``step``-th step (0: by itself)."""
    journal = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    async with Store.open(folder / "grants.sqlite", clock=FakeClock(START)) as store:
        database = store._writer._database
        connection = Connection(database._connection, step)
        database._connection = connection  # type: ignore[assignment]  # all that the store asks of it
        await Life(store, journal).lives()
        os.write(journal, json.dumps({"what": "lived", "steps": connection.steps}).encode() + b"\n")


def main() -> None:
    """Live the lives that are asked for."""
    for line in sys.stdin:
        folder, step = line.split()
        child = os.fork()  # this process has one thread
        if child == 0:
            try:
                asyncio.run(live(Path(folder), int(step)))
            except BaseException as error:  # noqa: BLE001  # told to the test, whatever it is
                os.write(2, f"{error!r}\n".encode())
                os._exit(1)
            os._exit(0)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
