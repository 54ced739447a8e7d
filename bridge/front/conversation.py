"""What is said on one WebSocket after the welcome: calls and their replies, topics, pings."""

import asyncio
from collections.abc import Sequence

from bridge.errors import BridgeError, Cancelled, MalformedRequest
from bridge.events.hub import Hub
from bridge.front import frames
from bridge.front.caller import Callers
from bridge.front.dispatch import Dispatch
from bridge.front.session import Session
from bridge.front.sessions import TOKEN_ENDED
from bridge.front.topics import Topics
from bridge.messages import Caller, Reply


class Conversation:
    """Answers the frames of one session. Calls under way are bounded by the grant's `requests_in_flight`."""

    def __init__(self, session: Session, *, hub: Hub, dispatch: Dispatch, callers: Callers, topics: Topics) -> None:
        self._session = session
        self._hub = hub
        self._dispatch = dispatch
        self._callers = callers
        self._topics = topics
        self._calls: dict[int | str, asyncio.Task[None]] = {}

    async def hear(self, text: str | bytes) -> None:
        """Answer one frame; a fault in it is told, and the conversation goes on."""
        caller = self._callers.now(self._session.caller)
        if caller is None:
            self._session.close(TOKEN_ENDED)
            return
        try:
            await self._answer(caller, frames.read(text))
        except BridgeError as error:
            self._session.write(frames.error(error.problem()))

    async def end(self) -> None:
        """Stop waiting for replies that nobody can hear; the commands themselves run to their end."""
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async def _answer(self, caller: Caller, frame: frames.Frame) -> None:
        match frame:
            case frames.CallFrame():
                await self._call(caller, frame)
            case frames.SubscribeFrame(topics=topics):
                self._subscribe(caller, topics)
            case frames.UnsubscribeFrame(topics=topics):
                self._hub.unsubscribe(self._session, topics)
            case frames.CancelFrame(id=number):
                call = self._calls.get(number)
                if call is not None:
                    call.cancel()
            case frames.PingFrame(t=t):
                self._session.write(frames.message("pong", t=t))
            case frames.HelloFrame():
                raise MalformedRequest("hello is said once, as the first frame")

    async def _call(self, caller: Caller, frame: frames.CallFrame) -> None:
        app, _, name = frame.command.partition(".")
        try:
            instant = self._dispatch.command(caller, app, name).instant
        except BridgeError as error:
            self._reply(frame.id, Reply(problem=error.problem()))
            return
        if instant:
            self._reply(frame.id, await self._run(caller, app, name, frame))
            return
        if frame.id in self._calls:
            raise MalformedRequest("a call with this id is still under way; count upwards")
        task = asyncio.create_task(self._run_apart(caller, app, name, frame))
        self._calls[frame.id] = task

    async def _run_apart(self, caller: Caller, app: str, name: str, frame: frames.CallFrame) -> None:
        try:
            reply = await self._run(caller, app, name, frame)
        except asyncio.CancelledError:
            reply = Reply(problem=Cancelled("the call was cancelled; it may have taken effect").problem())
            self._reply(frame.id, reply)
            raise
        finally:
            del self._calls[frame.id]
        self._reply(frame.id, reply)

    async def _run(self, caller: Caller, app: str, name: str, frame: frames.CallFrame) -> Reply:
        try:
            return await self._dispatch.run(caller, app, name, frame.params, frame.key)
        except BridgeError as error:
            return Reply(problem=error.problem())

    def _reply(self, number: int | str, reply: Reply) -> None:
        self._session.write(frames.reply(number, reply))

    def _subscribe(self, caller: Caller, topics: Sequence[str]) -> None:
        self._topics.check(caller, topics)
        self._hub.subscribe(self._session, topics)
        cursor = self._hub.journal.cursor(caller.client)
        self._session.write(frames.message("subscribed", topics=topics, cursor=str(cursor)))
