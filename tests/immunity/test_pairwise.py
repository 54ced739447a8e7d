"""No two sites can find out that they speak to the same daemon: of all that each may read, nothing is equal (S-67).

What is equal for every daemon in the world tells nothing, so a third site at another daemon says what that is. What is
left besides: the address, the time, and what the app itself reports to both.
"""

import base64
import http.client
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.config import Limits
from oauth.dpop import thumbprint
from tests.bridge.amplifier import Amplifier, Heard
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.conftest import _front
from tests.bridge.front.visitor import Visitor
from tests.parts.daemon import Daemon

HELLO = b'{"service":"tollbridge","api":{"min":1,"max":1}}'

_PIECE = re.compile(r"[A-Za-z0-9_-]{6,}")
_DAY = re.compile(r"\d{4}-\d\d-\d\dT")


@pytest.fixture(name="other_amplifier")
def _other_amplifier() -> Amplifier:
    return Amplifier()


@pytest.fixture(name="neighbour")
async def _neighbour(
    tmp_path_factory: pytest.TempPathFactory, other_amplifier: Amplifier, limits: Limits
) -> AsyncIterator[Front]:
    """Another daemon, with the same app."""
    another = asynccontextmanager(_front._get_wrapped_function())
    async with another(tmp_path_factory.mktemp("neighbour"), other_amplifier, limits) as front:
        yield front


def pieces(text: str) -> Iterator[str]:
    """Every word of ``text`` that could tell one daemon from another; what is signed is read as well."""
    for piece in _PIECE.findall(text):
        if _DAY.match(piece) or (piece.isdigit() and abs(int(piece) - time.time()) < 3600):
            continue
        if piece.startswith("eyJ"):
            yield from pieces(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)).decode())
        else:
            yield piece


class Reader:
    """One site, and everything that it was told."""

    def __init__(self, front: Front, origin: str) -> None:
        self.visitor = Visitor(front, origin)
        self.told: list[str] = []
        self.nonces: set[str] = set()
        """The nonces for its proofs, which last for 10 minutes at most."""

    @property
    def words(self) -> set[str]:
        """What it could compare."""
        return {piece for text in self.told for piece in pieces(text)}

    def hears(self, answer: Answer, status: int) -> Answer:
        """Keep all of an answer."""
        assert status == answer.status, answer.body
        self.told += [answer.body.decode(), *answer.headers.values()]
        self.nonces.update(answer.headers.getall("DPoP-Nonce", []))
        return answer

    async def reads_everything(self, amplifier: Amplifier) -> None:
        """Pair, and read whatever a paired page may read, good answers and bad ones."""
        visitor, front = self.visitor, self.visitor.front
        bare = {"Origin": visitor.origin}
        form = {**bare, "Content-Type": "application/x-www-form-urlencoded"}
        self.hears(await front.send("GET", "/v1/apps", headers=bare), 403)
        self.hears(await front.send("POST", "/oauth/token", headers=form, body=b"grant_type=x"), 400)
        self.hears(await visitor.redeems(visitor.refresh_form("x" * 43)), 400)
        redirect = await visitor.is_answered(await visitor.asks())
        self.told.append(json.dumps({name: redirect[name] for name in ("code", "iss")}))
        visitor.tokens = self.hears(await visitor.redeems(visitor.code_form(redirect["code"][0])), 200).json
        visitor.tokens |= self.hears(
            await visitor.redeems(visitor.refresh_form(visitor.tokens["refresh_token"])), 200
        ).json
        self.hears(await front.send("GET", "/v1/apps", headers=bare), 401)
        self.hears(await front.send("OPTIONS", "/v1/apps", headers=bare), 204)
        await self.reads_the_api(amplifier)
        await self.hears_the_socket(amplifier)

    async def reads_the_api(self, amplifier: Amplifier) -> None:
        """Ask every route that a page may ask."""
        visitor = self.visitor
        pinned = thumbprint(visitor.tokens["daemon_key"])
        bare = {"Origin": visitor.origin}
        for path in (
            "/v1/hello",
            f"/v1/hello?nonce={'n' * 24}&key={pinned}",
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-protected-resource",
        ):
            self.hears(await visitor.front.send("GET", path, headers=bare), 200)
        for method, path, status in (
            ("GET", "/v1/apps", 200),
            ("GET", "/v1/apps/amp/state", 200),
            ("POST", "/v1/tickets", 200),
            ("GET", "/v1/status", 403),
            ("GET", "/v1/grants", 403),
            ("GET", "/v1/nothing", 404),
            ("POST", "/v1/apps/amp/nothing", 404),
        ):
            self.hears(await visitor.sends(method, path), status)
        first = self.hears(await visitor.sends("GET", "/v1/events?wait=0"), 200).json
        amplifier.topic.publish("changed", Heard(0.25))
        self.hears(await visitor.sends("GET", f"/v1/events?wait=5&after={first['cursor']}"), 200)

    async def hears_the_socket(self, amplifier: Amplifier) -> None:
        """Say hello over a WebSocket, call, and hear an event."""
        socket = await self.visitor.says_hello(nonce="n" * 24, topics=["amp"])
        frames: list[Any] = [await socket.receive_json(timeout=5)]
        await socket.send_json({"type": "call", "id": 1, "command": "amp.nothing", "params": {}})
        frames.append(await socket.receive_json(timeout=5))
        amplifier.topic.publish("changed", Heard(0.25))
        frames.append(await socket.receive_json(timeout=5))
        await socket.close()
        assert ["welcome", "reply", "event"] == [frame["type"] for frame in frames]
        self.told += [json.dumps(frame) for frame in frames]


async def test_two_sites_share_nothing_that_they_could_compare(
    front: Front, neighbour: Front, amplifier: Amplifier, other_amplifier: Amplifier
) -> None:
    here, there = Reader(front, "https://app.example"), Reader(front, "https://other.example")
    elsewhere = Reader(neighbour, "https://third.example")
    await here.reads_everything(amplifier)
    await there.reads_everything(amplifier)
    await elsewhere.reads_everything(other_amplifier)

    # Enough was read for the comparison to mean something.
    for reader in (here, there):
        tokens = reader.visitor.tokens
        assert {tokens["daemon_key"]["x"], tokens["access_token"], tokens["refresh_token"]} <= reader.words
        assert 10 < len(reader.words - elsewhere.words)
    assert set() == (here.words & there.words) - elsewhere.words


async def test_another_sites_cursor_opens_nothing(front: Front, amplifier: Amplifier) -> None:
    here = await Visitor(front, "https://app.example").pairs()
    there = await Visitor(front, "https://other.example").pairs()
    cursor = (await here.sends("GET", "/v1/events?wait=0")).json["cursor"]
    amplifier.topic.publish("changed", Heard(0.25))

    ours = (await here.sends("GET", f"/v1/events?wait=5&after={cursor}")).json["events"]
    theirs = (await there.sends("GET", f"/v1/events?wait=5&after={cursor}")).json["events"]

    assert ["changed"] == [event["name"] for event in ours]
    assert ["gap"] == [event["name"] for event in theirs]
    assert cursor.partition(".")[0] not in theirs[0]["data"]["to"]


async def test_a_site_that_was_forgotten_knows_nothing_again(
    front: Front, neighbour: Front, amplifier: Amplifier, other_amplifier: Amplifier
) -> None:
    before, after = Reader(front, "https://app.example"), Reader(front, "https://app.example")
    elsewhere = Reader(neighbour, "https://app.example")
    await before.reads_everything(amplifier)
    (grant,) = (await front.owner("GET", "/v1/grants")).json["grants"]
    assert 204 == (await front.owner("DELETE", f"/v1/grants/{grant['id']}")).status
    await after.reads_everything(amplifier)
    await elsewhere.reads_everything(other_amplifier)

    first, second = before.visitor.tokens["daemon_key"], after.visitor.tokens["daemon_key"]
    assert not set(first.values()) & set(second.values()) - {"EC", "P-256"}
    # The nonce of its proofs lasts for minutes; the epoch of its cursors until the daemon starts anew (section 5).
    epoch = (await after.visitor.sends("GET", "/v1/apps/amp/state")).json["cursor"].partition(".")[0]
    assert {epoch, *after.nonces} >= (before.words & after.words) - elsewhere.words


async def test_hello_is_the_same_for_every_stranger_at_every_daemon(front: Front, neighbour: Front) -> None:
    paired = await Visitor(front, "https://app.example").pairs()
    pinned = thumbprint(paired.tokens["daemon_key"])
    query = f"/v1/hello?nonce={'n' * 24}&key={pinned}"

    for headers in ({}, {"Origin": "https://stranger.example"}, {"Origin": "https://other.example"}):
        said = [
            await asked.send("GET", path, headers=headers)
            for asked in (front, neighbour)
            for path in ("/v1/hello", "/v1/hello?nonce=" + "n" * 24, query)
        ]
        assert {HELLO} == {answer.body for answer in said}
        assert 1 == len({tuple(pair for pair in answer.headers.items() if pair[0] != "Date") for answer in said})

    # Nor does a site that guesses, or that has kept a key from before it was forgotten, learn whether it is ours.
    guess = query.replace(pinned, "x" * 43)
    assert HELLO == (await front.send("GET", guess, headers={"Origin": "https://app.example"})).body


@pytest.mark.real
def test_hello_is_the_same_after_a_restart() -> None:
    with Daemon() as daemon:
        before = hello(daemon)
        daemon.kill()
        daemon.start()

        assert before == hello(daemon)
        assert HELLO == before[1]


def hello(daemon: Daemon) -> tuple[list[tuple[str, str]], bytes]:
    """What a stranger hears, but for the time."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    connection.request("GET", "/v1/hello", headers={"Origin": "https://stranger.example"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return [(name, value) for name, value in answer.getheaders() if name != "Date"], body
