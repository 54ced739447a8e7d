"""The other yardstick: FastAPI on uvicorn with uvloop and httptools, written as its documentation does."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI()
queues: set[asyncio.Queue[bytes]] = set()


class Echo(BaseModel):
    """The parameters and the result of the command under test."""

    text: str


class Call(BaseModel):
    """A frame of the socket."""

    id: int
    params: Echo


@app.post("/echo")
async def echo(said: Echo) -> Echo:
    """Answer what was sent."""
    return said


@app.websocket("/socket")
async def socket(connection: WebSocket) -> None:
    """Answer each frame with what it said."""
    await connection.accept()
    try:
        while True:
            call = Call.model_validate_json(await connection.receive_text())
            await connection.send_json({"type": "reply", "id": call.id, "result": call.params.model_dump()})
    except WebSocketDisconnect:
        return


@app.get("/events")
async def events() -> StreamingResponse:
    """Stream events until the client goes."""

    async def stream() -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue(1024)
        queues.add(queue)
        try:
            yield b":\n\n"
            while True:
                yield await queue.get()
        finally:
            queues.discard(queue)

    return StreamingResponse(stream(), media_type="text/event-stream")


@app.post("/publish")
async def publish(request: Request) -> dict[str, Any]:
    """Send the body to every client."""
    event = b"data: %b\n\n" % await request.body()
    for queue in queues:
        queue.put_nowait(event)
    return {}


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        backlog=1024,
        ws_per_message_deflate=False,
    )
