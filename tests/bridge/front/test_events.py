"""Events by SSE and by long poll: exact resumption inside one run, a said gap outside it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from bridge.config import Limits
from tests.bridge.front.client import Front
from tests.bridge.front.visitor import Visitor
from tests.bridge.front.waits import DEADLINE, until

pytestmark = pytest.mark.broad


async def change(front: Front, *volumes: float) -> None:
    for volume in volumes:
        await front.owner("POST", "/v1/apps/amp/set_volume", json={"volume": volume})


class Stream:
    """A reader of Server-Sent Events."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def event(self) -> dict[str, Any]:
        """Return the next event; comments are passed over."""
        seen = ""
        async with asyncio.timeout(DEADLINE):
            while True:
                line = (await self.response.content.readline()).decode()
                if not line:
                    raise EOFError
                if line.startswith("id: "):
                    seen = line[4:].strip()
                if line.startswith("data: "):
                    event: dict[str, Any] = json.loads(line[6:])
                    assert seen == event["id"]
                    return event

    async def ends(self) -> None:
        """Wait until the daemon has ended the stream."""
        async with asyncio.timeout(DEADLINE):
            await self.response.content.read()


@asynccontextmanager
async def stream(front: Front, headers: dict[str, str], query: str = "?topics=amp") -> AsyncIterator[Stream]:
    async with (
        ClientSession() as session,
        session.get(f"{front.base}/v1/events{query}", headers={**headers, "Accept": "text/event-stream"}) as response,
    ):
        assert 200 == response.status, await response.text()
        assert "text/event-stream; charset=utf-8" == response.headers["Content-Type"]
        assert b":\n" == await response.content.readline()
        yield Stream(response)


async def test_an_event_arrives_with_its_one_shape(front: Front) -> None:
    async with stream(front, await front.bearer("amp:read")) as reader:
        await change(front, 0.25)
        event = await reader.event()

    assert ["id", "topic", "name", "time", "data"] == list(event)
    assert ("amp", "changed", {"volume": 0.25}) == (event["topic"], event["name"], event["data"])
    assert event["id"].endswith(".1")


async def test_a_stream_resumes_exactly_where_it_was(front: Front) -> None:
    headers = await front.bearer("amp:read")
    async with stream(front, headers) as reader:
        await change(front, 0.1)
        seen = (await reader.event())["id"]
    await change(front, 0.2, 0.3)

    async with stream(front, {**headers, "Last-Event-ID": seen}) as reader:
        await change(front, 0.4)
        volumes = [(await reader.event())["data"]["volume"] for _ in range(3)]

    assert [0.2, 0.3, 0.4] == volumes


async def test_a_long_past_is_resumed_whole(front: Front) -> None:
    headers = await front.bearer("amp:read")
    cursor = (await front.send("GET", "/v1/events?wait=0", headers=headers)).json["cursor"]
    await change(front, *[round(step / 1000, 3) for step in range(600)])  # far over what an outbox holds

    async with stream(front, {**headers, "Last-Event-ID": cursor}) as reader:
        volumes = [(await reader.event())["data"]["volume"] for _ in range(600)]

    assert [round(step / 1000, 3) for step in range(600)] == volumes


@pytest.mark.parametrize("cursor", ["AAAAAAAA.1", "AAAAAAAA.999999"])
async def test_a_cursor_of_another_run_is_told_as_a_gap(front: Front, cursor: str) -> None:
    await change(front, 0.1)
    async with stream(front, {**await front.bearer("amp:read"), "Last-Event-ID": cursor}) as reader:
        gap = await reader.event()
        await change(front, 0.2)
        after = await reader.event()

    assert ("tollbridge", "gap") == (gap["topic"], gap["name"])
    assert (cursor, gap["id"], ["/v1/apps/amp/state"]) == (
        gap["data"]["from"],
        gap["data"]["to"],
        gap["data"]["snapshot"],
    )
    assert 0.2 == after["data"]["volume"]


@pytest.mark.parametrize("cursor", ["1", "EPOCH.1", "EPOCH678.-1", "EPOCH678.01", "EPOCH678." + "9" * 30])
async def test_what_is_no_cursor_is_a_400(front: Front, cursor: str) -> None:
    headers = {**await front.bearer("amp:read"), "Last-Event-ID": cursor}

    answer = await front.send("GET", "/v1/events", headers=headers)

    assert (400, "malformed_request") == (answer.status, answer.code)


async def test_a_long_poll_answers_what_has_happened(front: Front) -> None:
    headers = await front.bearer("amp:read")
    cursor = (await front.send("GET", "/v1/events", headers=headers)).json["cursor"]
    await change(front, 0.1, 0.2)

    answer = (await front.send("GET", f"/v1/events?after={cursor}", headers=headers)).json

    assert [0.1, 0.2] == [event["data"]["volume"] for event in answer["events"]]
    assert answer["events"][-1]["id"] == answer["cursor"]
    empty = (await front.send("GET", f"/v1/events?after={answer['cursor']}", headers=headers)).json
    assert {"cursor": answer["cursor"], "events": []} == empty


async def test_a_long_poll_wakes_at_the_next_event(front: Front) -> None:
    headers = await front.bearer("amp:read")
    waiting = asyncio.create_task(front.send("GET", "/v1/events?wait=30&topics=amp", headers=headers))
    await until(lambda: len(front.house.sessions) == 1)

    await change(front, 0.7)

    async with asyncio.timeout(DEADLINE):
        assert [0.7] == [event["data"]["volume"] for event in (await waiting).json["events"]]


async def test_a_long_poll_from_another_run_is_told_as_a_gap(front: Front) -> None:
    answer = await front.send("GET", "/v1/events?after=AAAAAAAA.7&wait=30", headers=await front.bearer("amp:read"))

    assert ["gap"] == [event["name"] for event in answer.json["events"]]


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon"])
async def test_a_wait_out_of_bounds_is_a_400(front: Front, wait: str) -> None:
    answer = await front.send("GET", f"/v1/events?wait={wait}", headers=await front.bearer("amp:read"))

    assert (400, "wait") == (answer.status, answer.json["path"])


async def test_only_audible_topics_are_heard(front: Front) -> None:
    deaf = await front.bearer("amp:control")

    unknown = await front.send("GET", "/v1/events?topics=nobody", headers=deaf)
    refused = await front.send("GET", "/v1/events?topics=amp", headers=deaf)
    empty = await front.send("GET", "/v1/events?topics=,", headers=deaf)
    silent = await front.send("GET", "/v1/events", headers=deaf)

    assert [404, 403, 400, 200] == [unknown.status, refused.status, empty.status, silent.status]


async def test_revoking_ends_a_stream_and_a_poll_at_once(front: Front) -> None:
    headers = await front.bearer("amp:read")
    async with stream(front, headers) as reader:
        waiting = asyncio.create_task(front.send("GET", "/v1/events?wait=30", headers=headers))
        await until(lambda: len(front.house.sessions) == 2)
        (grant,) = front.store.grants()

        await front.owner("DELETE", f"/v1/grants/{grant.id}")

        await reader.ends()
        async with asyncio.timeout(DEADLINE):
            assert (401, "token_invalid") == ((await waiting).status, waiting.result().code)
    await until(lambda: len(front.house.sessions) == 0)


async def test_a_reader_that_goes_is_noticed_at_once(front: Front) -> None:
    async with stream(front, await front.bearer("amp:read")):
        await until(lambda: len(front.house.sessions) == 1)

    await until(lambda: len(front.house.sessions) == 0)


@pytest.mark.parametrize("limits", [Limits(streams=1)])
async def test_a_page_has_a_bound_of_streams(front: Front) -> None:
    visitor = await Visitor(front).pairs()
    async with stream(front, visitor.signs("GET", "/v1/events")):
        refused = await visitor.sends("GET", "/v1/events", headers={"Accept": "text/event-stream"})

        waiting = await visitor.sends("GET", "/v1/apps/amp/state?returnafter=1")
        polling = await visitor.sends("GET", "/v1/events?wait=1")

    assert [(429, "too_many")] * 3 == [(answer.status, answer.code) for answer in (refused, waiting, polling)]


async def test_a_stream_ends_when_the_daemon_stops(front: Front) -> None:
    async with stream(front, await front.bearer("amp:read")) as reader:
        await until(lambda: len(front.house.sessions) == 1)

        await front.house.stop()

        await reader.ends()
    answer = await front.owner("POST", "/v1/apps/amp/who")
    assert (503, "restarting") == (answer.status, answer.code)
