"""kill -9 between any two steps of the storage: nothing is usable twice, and nothing that was answered is lost."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oauth.errors import AccessRefused
from oauth.models import token_id
from oauth.server.issuer import ACCESS_SECONDS, REUSE_SECONDS
from oauth.server.results import TokenResult
from oauth.server.verify import Verifier
from oauth.store import Store
from tests.faults import oauth_life
from tests.faults.oauth_life import BOTH, GONE, ONCE, START, TV, WEB, page_of
from tests.oauth.clock import FakeClock
from tests.oauth.desk import BASE, Desk

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
URL = f"{BASE}/v1/apps"
Note = dict[str, Any]


class Lives:
    """The program that lives and dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, oauth_life.__file__],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ends(self, step: int) -> tuple[Path, int, list[Note]]:
        """Live a life that is killed before its ``step``-th step; return its folder, wait status and journal."""
        folder = self._folder / f"life-{step}"
        folder.mkdir()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{folder} {step}\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        journal = folder / "journal"
        return folder, status, [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]

    def close(self) -> None:
        """End the program."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(name="lives")
def _lives(tmp_path: Path) -> Iterator[Lives]:
    lives = Lives(tmp_path)
    yield lives
    lives.close()


class After:
    """The daemon after its death, with what its clients and its owner remember."""

    def __init__(self, store: Store, clock: FakeClock, notes: list[Note]) -> None:
        self.store, self.clock, self.notes = store, clock, notes
        self.desk = Desk(store, clock)
        self.verifier = Verifier(store, base=BASE, nonces=self.desk.nonces)

    def of(self, what: str, client: str | None = None) -> list[Note]:
        return [note for note in self.notes if note["what"] == what and client in (None, note["client"])]

    def has_begun_to_end(self, client: str) -> bool:
        return bool(self.of("revoke begun", client) or self.of("forget begun", client))

    def check_answers(self) -> None:
        """Whatever the owner was told to be kept is kept."""
        for told in self.of("allow"):
            grant = self.store.grant_of(told["client"])
            if self.of("forget begun", told["client"]):
                assert not (self.of("forget", told["client"]) and grant)
                continue
            assert grant is not None, told
            assert grant.is_allowed
            if told["until"] == "once":
                assert not grant.scopes
            else:
                assert set(told["scope"].split()) <= grant.scopes_at(self.clock()), told
        for told in self.of("deny"):
            grant = self.store.grant_of(told["client"])
            assert grant is not None, told
            page = page_of(told["client"], self.desk)
            assert (False, (page.jkt,)) == (grant.is_allowed, grant.denied_keys)

    def check_access(self) -> None:
        """Whoever has an access token can use it as long as it was said; what was ended is ended."""
        for told in self.of("tokens"):
            scopes = self.usable(told)
            if self.of("revoke", told["client"]) or self.of("forget", told["client"]):
                assert frozenset() == scopes, told
            elif not self.has_begun_to_end(told["client"]):
                assert frozenset(told["scope"].split()) == scopes, told

    def usable(self, told: Note) -> frozenset[str]:
        page = page_of(told["client"], self.desk)
        text = told["access_token"]
        proofs = [page.proof("GET", URL, text)]
        try:
            return self.verifier.verify(
                authorization=f"DPoP {text}", proofs=proofs, method="GET", url=URL, origin=page.origin
            ).scopes
        except AccessRefused:
            return frozenset()

    async def check_codes(self) -> None:
        """No code is good any more, whether it was used or not."""
        for told in self.of("code"):
            page = page_of(told["client"], self.desk)
            answer = await self.desk.ask(page, told["form"].encode())
            assert (400, "invalid_grant") == (answer.status, answer.body["error"]), told

    async def check_refreshing(self) -> None:
        """A token that was used has the successor that its client was told of; one that was not has a single one."""
        successors: dict[str, str] = {}
        for told in self.of("tokens"):
            if told["used"]:
                assert told["refresh_token"] == successors.setdefault(told["used"], told["refresh_token"])
        begun = {note["token"]: note["client"] for note in self.of("refresh begun")}
        for token, client in begun.items():
            answers = [await self.refresh(client, token) for _ in range(2)]
            assert [200, 200] == [answer.status for answer in answers]
            (successor,) = {answer.body["refresh_token"] for answer in answers}
            assert successor == successors.setdefault(token, successor)
        for told in self.of("tokens", WEB):
            last = told["refresh_token"]
            if last not in begun:
                assert 200 == (await self.refresh(WEB, last)).status, "nobody is logged out"

    async def check_reuse(self) -> None:
        """What was used long ago is not used again; it ends its pairing."""
        begun = [note["token"] for note in self.of("refresh begun")]
        if not begun:
            return
        pairing = self.store.refresh_token(token_id(begun[0]))
        assert pairing is not None
        token = (await self.refresh(WEB, begun[0])).body["refresh_token"]
        await self.refresh(WEB, token)
        self.clock.forward(REUSE_SECONDS + 1)
        assert 400 == (await self.refresh(WEB, begun[0])).status
        assert None is self.store.pairing(pairing.pairing_id)

    async def refresh(self, client: str, token: str) -> TokenResult:
        return await self.desk.refresh(page_of(client, self.desk), token)

    def check_form(self) -> None:
        """No row stands alone: tokens have pairings, pairings have grants, used tokens have their successors."""
        state = self.store._state
        assert {pairing.grant_id for pairing in state.pairings.values()} <= state.grants.keys()
        for token in (*state.access_tokens.values(), *state.refresh_tokens.values()):
            assert token.pairing_id in state.pairings
        for pairing in state.pairings.values():
            assert state.access(pairing.id), "a pairing comes with its first token"
            assert pairing.is_once != bool(state.refresh(pairing.id))
        successors = [token.successor for token in state.refresh_tokens.values() if token.successor is not None]
        assert len(successors) == len(set(successors))
        assert set(successors) <= state.refresh_tokens.keys()
        used = [token for token in state.refresh_tokens.values() if token.rotated_at is not None]
        assert len(used) == len(successors)

    def check_once(self) -> None:
        """A yes for once has left one access token at most, which ends."""
        self.clock.forward(ACCESS_SECONDS)
        for told in self.of("tokens", ONCE):
            assert frozenset() == self.usable(told)
        self.clock.forward(-ACCESS_SECONDS)


async def check(folder: Path, notes: list[Note]) -> None:
    clock = FakeClock(START + 10)
    async with Store.open(folder / "grants.sqlite", clock=clock) as store:
        after = After(store, clock, notes)
        after.check_form()
        after.check_answers()
        after.check_access()
        await after.check_codes()
        await after.check_refreshing()
        await after.check_reuse()
        after.check_once()


def test_kill_9_between_any_two_steps_of_the_storage(lives: Lives) -> None:
    folder, status, notes = lives.ends(0)
    assert 0 == status
    assert "lived" == notes[-1]["what"]
    assert {WEB, TV, GONE, ONCE} == {note["client"] for note in notes if note["what"] == "tokens"}
    assert BOTH in {note.get("scope") for note in notes}
    steps = notes.pop()["steps"]
    assert steps > 60
    asyncio.run(check(folder, notes))

    for step in range(1, steps + 1):
        folder, status, notes = lives.ends(step)
        assert signal.SIGKILL == os.WTERMSIG(status)
        try:
            asyncio.run(check(folder, notes))
        except BaseException as error:
            error.add_note(f"killed before step {step} of {steps}; the last note: {notes[-1] if notes else None}")
            raise
