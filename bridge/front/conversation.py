"""What is said on one WebSocket after the welcome: calls and their replies, topics, pings."""

import asyncio
from collections.abc import Sequence

from bridge.errors import BridgeError, Cancelled, MalformedRequest
from bridge.events.hub import Hub
from bridge.front import frames
from bridge.front.caller import Callers
from bridge.front.dispatch import Dispatch
from bridge.front.session import TOKEN_ENDED, Session
from bridge.front.topics import Topics
from bridge.messages import Caller, CommandDescription, Reply


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
            frame = frames.read(text)
            if isinstance(frame, frames.CallFrame):
                await self._call(caller, frame)
            else:
                self._answer(caller, frame)
        except BridgeError as error:
            self._session.write(frames.error(error.problem()))

    async def end(self) -> None:
        """Stop waiting for replies that nobody can hear; the commands themselves run to their end."""
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _answer(self, caller: Caller, frame: frames.Frame) -> None:
        match frame:
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
            case _:
                raise MalformedRequest("hello is said once, as the first frame")

    async def _call(self, caller: Caller, frame: frames.CallFrame) -> None:
        """Run a command: one that never waits at once, any other beside what comes next."""
        app, _, name = frame.command.partition(".")
        try:
            described = self._dispatch.command(caller, app, name)
            if described.instant:
                reply = await self._dispatch.run(caller, app, described, frame.params, frame.key)
                self._reply(frame.id, reply)
                return
        except BridgeError as error:
            self._reply(frame.id, Reply(problem=error.problem()))
            return
        if frame.id in self._calls:
            raise MalformedRequest("a call with this id is still under way; count upwards")
        self._calls[frame.id] = asyncio.create_task(self._run_apart(caller, app, described, frame))

    async def _run_apart(
        self, caller: Caller, app: str, described: CommandDescription, frame: frames.CallFrame
    ) -> None:
        try:
            reply = await self._dispatch.run(caller, app, described, frame.params, frame.key)
        except BridgeError as error:
            reply = Reply(problem=error.problem())
        except asyncio.CancelledError:
            cancelled = Cancelled("the call was cancelled; it may have taken effect")
            self._reply(frame.id, Reply(problem=cancelled.problem()))
            raise
        finally:
            del self._calls[frame.id]
        self._reply(frame.id, reply)

    def _reply(self, number: int | str, reply: Reply) -> None:
        self._session.write(frames.reply(number, reply))

    def _subscribe(self, caller: Caller, topics: Sequence[str]) -> None:
        topics = list(dict.fromkeys(topics))
        self._topics.check(caller, topics)
        self._hub.subscribe(self._session, topics)
        cursor = self._hub.journal.cursor(caller.client)
        self._session.write(frames.message("subscribed", topics=topics, cursor=str(cursor)))
