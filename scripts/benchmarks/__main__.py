"""Measures everything side by side, in turns, and prints medians and ratios.

    scripts/bench [--rounds N] [--quick]

A machine is noisy: one number means little, the ratio of two numbers of the same round means something.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
from collections.abc import Iterable
from itertools import count

import uvloop

from scripts.benchmarks import load
from scripts.benchmarks.pages import Tokens, pair
from scripts.benchmarks.servers import Reference, answers, memory_megabytes, place
from scripts.benchmarks.table import Figures
from tests.parts.daemon import Daemon

TEXT = "hello from the other side"
BODY = json.dumps({"text": TEXT}, separators=(",", ":")).encode()
CONNECTIONS = 32
STREAMS = 1000
LIMITS = "[limits]\ncommands_per_second = 100000\nburst = 200000\nrequests_in_flight = 4096\nsockets = 1024\n"


class Bench:
    """The servers of one run and the figures taken of them."""

    def __init__(self, daemon: Daemon, bare: Reference, fastapi: Reference, *, requests: int) -> None:
        self.daemon = daemon
        self.bare = bare
        self.fastapi = fastapi
        self.figures = Figures()
        self.requests = requests
        self.native = daemon.token("system:read publisher:use", ttl=3600)

    async def round(self) -> None:
        """Take every figure once, the servers in turn."""
        requests = self.requests
        tokens = pair(self.daemon, "system:read")
        for connections in (1, CONNECTIONS):
            how = "latency" if connections == 1 else "throughput"
            for name, port, messages in (
                ("bare aiohttp", self.bare.port, [_post(self.bare.port, "/echo")] * requests),
                ("daemon", self.daemon.port, [self._command(self.native)] * requests),
                ("daemon, DPoP", self.daemon.port, self._proved(tokens)),
                ("fastapi", self.fastapi.port, [_post(self.fastapi.port, "/echo")] * requests),
            ):
                self.figures.add(f"http {how}", name, await _http(port, messages, connections))
            calls = count(1)
            for name, port in (("bare aiohttp", self.bare.port), ("fastapi", self.fastapi.port)):
                frames = [load.frame(_call(next(calls))) for _ in range(requests)]
                self.figures.add(f"socket {how}", name, await self._socket(port, "/socket", frames, connections))
            frames = [load.frame(_call(next(calls))) for _ in range(requests)]
            value = await self._socket(self.daemon.port, "/v1/socket", frames, connections)
            self.figures.add(f"socket {how}", "daemon", value)

    async def fan_out(self, events: int) -> None:
        """Deliver ``events`` of equal size to a thousand streams of each server."""
        ask = (
            "GET /v1/events?topics=publisher HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {self.native}\r\n\r\n"
        )
        said = _post(self.daemon.port, "/v1/apps/publisher/say", json.dumps({"text": "x" * 400}).encode(), self.native)
        size = await _event_bytes(self.daemon.port, ask.format(port=self.daemon.port).encode(), said)
        await self._fan("daemon", self.daemon.port, ask, [said] * events)
        ask = "GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"
        for name, server in (("bare aiohttp", self.bare), ("fastapi", self.fastapi)):
            await self._fan(name, server.port, ask, [_post(server.port, "/publish", b"x" * size)] * events)

    async def _fan(self, name: str, port: int, ask: str, messages: list[bytes]) -> None:
        listeners = await load.listen(port, ask.format(port=port).encode(), STREAMS)
        publisher = await load.connect(port)
        try:
            self.figures.add("fan-out", name, await load.fan_out(listeners, publisher, messages))
        finally:
            publisher.close()
            for listener in listeners:
                listener.transport.abort()
        await asyncio.sleep(0.5)  # the servers notice that a thousand clients went

    def _command(self, token: str) -> bytes:
        return _post(self.daemon.port, "/v1/apps/system/echo", BODY, token)

    def _proved(self, tokens: Tokens) -> list[bytes]:
        path = "/v1/apps/system/echo"
        return [
            _post(self.daemon.port, path, BODY, tokens.access_token, proof=proof, origin=tokens.origin)
            for proof in tokens.proofs("POST", path, self.requests)
        ]

    async def _socket(self, port: int, path: str, frames: list[bytes], connections: int) -> float:
        opened = []
        try:
            for _ in range(connections):
                connection = await load.connect(port)
                opened.append(connection)
                await connection.upgrade(path, [f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {self.native}"])
                if path == "/v1/socket":
                    await connection.say(load.frame(b'{"type":"hello"}'))
            return await _measure(opened, frames, socket=True)
        finally:
            for connection in opened:
                connection.close()


async def _http(port: int, messages: list[bytes], connections: int) -> float:
    opened = [await load.connect(port) for _ in range(connections)]
    try:
        return await _measure(opened, messages, socket=False)
    finally:
        for connection in opened:
            connection.close()


async def _measure(opened: list[load.Connection], messages: list[bytes], *, socket: bool) -> float:
    if len(opened) == 1:
        return await load.latency(opened[0], messages, socket=socket)
    return await load.throughput(opened, messages, socket=socket)


async def _event_bytes(port: int, ask: bytes, publish: bytes) -> int:
    """Return the size of one event as the daemon sends it, so that the references send as much."""
    stream, publisher = await load.connect(port), await load.connect(port)
    stream.writer.write(ask)
    await stream.reader.readuntil(b":\n\n")
    await publisher.ask(publish)
    await stream.reader.readuntil(b"data: ")
    event = await stream.reader.readuntil(b"\n\n")
    stream.close()
    publisher.close()
    return len(event)


def _post(
    port: int, path: str, body: bytes = BODY, token: str | None = None, *, proof: str = "", origin: str = ""
) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json"]
    if token is not None:
        lines.append(f"Authorization: {'DPoP' if proof else 'Bearer'} {token}")
    if proof:
        lines += [f"DPoP: {proof}", f"Origin: {origin}"]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _call(number: int) -> bytes:
    return b'{"type":"call","id":%d,"command":"system.echo","params":%b}' % (number, BODY)


def _starts(figures: Figures, rounds: int) -> None:
    """Take start to first answer and idle memory, each server alone."""
    for _ in range(rounds):
        for name, module in (("bare aiohttp", "reference_aiohttp"), ("fastapi", "reference_fastapi")):
            with Reference(module) as server:
                figures.add("start", name, server.started_seconds * 1e3)
                figures.add("memory", name, memory_megabytes(server.pid))
        with Daemon() as daemon:
            assert answers(daemon.port)
            figures.add("start", "daemon", daemon.started_seconds * 1e3)
            figures.add("memory", "daemon", memory_megabytes(daemon.pid))


async def _run(bench: Bench, rounds: Iterable[int], events: int) -> None:
    for _ in rounds:
        await bench.round()
    for _ in rounds:
        await bench.fan_out(events)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure the daemon beside reference servers.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is taken (default 5)")
    parser.add_argument("--quick", action="store_true", help="fewer requests, to see that it works")
    options = parser.parse_args()
    rounds = range(1 if options.quick else options.rounds)
    requests, events = (200, 10) if options.quick else (2000, 50)
    program = ("-m", "scripts.benchmarks.publisher")
    with (
        Daemon(settings=LIMITS, program=program) as daemon,
        Reference("reference_aiohttp") as bare,
        Reference("reference_fastapi") as fastapi,
    ):
        place(0, 0)
        for server in (daemon, bare, fastapi):
            place(server.pid, 1)
        bench = Bench(daemon, bare, fastapi, requests=requests)
        uvloop.run(_run(bench, rounds, events))
    place(0, None)
    _starts(bench.figures, len(rounds))
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{len(rounds)} rounds of {requests} requests; medians, ratios to bare aiohttp of the same round\n")
    print(bench.figures.table(statistics.median))


if __name__ == "__main__":
    main()
