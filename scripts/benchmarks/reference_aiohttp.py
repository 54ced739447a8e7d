"""The yardstick: a bare aiohttp handler on uvloop that reads and writes the same JSON, checks nothing, knows nobody."""

import asyncio
import sys

import msgspec
import uvloop
from aiohttp import web


class Echo(msgspec.Struct):
    """The parameters and the result of the command under test."""

    text: str


async def echo(request: web.Request) -> web.Response:
    """Answer what was sent."""
    said = msgspec.json.decode(await request.read(), type=Echo)
    return web.Response(body=msgspec.json.encode(said), content_type="application/json")


async def socket(request: web.Request) -> web.WebSocketResponse:
    """Answer each frame with what it said."""
    connection = web.WebSocketResponse(compress=False)
    await connection.prepare(request)
    async for message in connection:
        said = msgspec.json.decode(message.data, type=dict[str, msgspec.Raw])
        echoed = msgspec.json.encode(msgspec.json.decode(said["params"], type=Echo))
        reply = {"type": "reply", "id": said["id"], "result": msgspec.Raw(echoed)}
        await connection.send_str(msgspec.json.encode(reply).decode())
    return connection


class Fan:
    """Events by a queue for each client, as most servers do it."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes]] = set()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream events until the client goes."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b":\n\n")
        queue: asyncio.Queue[bytes] = asyncio.Queue(1024)
        self._queues.add(queue)
        try:
            while True:
                await response.write(await queue.get())
        except ConnectionError:
            return response
        finally:
            self._queues.discard(queue)

    async def publish(self, request: web.Request) -> web.Response:
        """Send the body to every client."""
        event = b"data: %b\n\n" % await request.read()
        for queue in self._queues:
            queue.put_nowait(event)
        return web.Response(text="{}", content_type="application/json")


async def serve(port: int) -> None:
    """Listen until ended."""
    fan = Fan()
    app = web.Application()
    app.router.add_post("/echo", echo)
    app.router.add_get("/socket", socket)
    app.router.add_get("/events", fan.events)
    app.router.add_post("/publish", fan.publish)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
