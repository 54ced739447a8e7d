"""Apps over HTTP: what there is, what state it is in, and running a command."""

import hashlib
import time
from base64 import urlsafe_b64encode

import msgspec
from aiohttp import web

from bridge.broker.port import Broker
from bridge.errors import InvalidParams, NotFound
from bridge.events.hub import Hub
from bridge.front.caller import Callers
from bridge.front.dispatch import Dispatch, check_scope
from bridge.front.keys import CALLER
from bridge.front.limits import Quotas
from bridge.front.problems import problem_response
from bridge.front.query import seconds
from bridge.front.reading import read_json
from bridge.front.sessions import Sessions
from bridge.front.topics import Topics
from bridge.front.waiting import Waiting
from bridge.messages import AppDescription, Caller
from bridge.wire import strict

MOST_WAIT_SECONDS = 60.0


class Apps:
    """``GET /v1/apps``."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def list(self, request: web.Request) -> web.Response:
        """List what this caller's scopes cover: ``{"apps":[...]}``."""
        caller = request[CALLER]
        apps = [shown for app in self._broker.apps.values() if (shown := _visible(app, caller)) is not None]
        return web.Response(body=msgspec.json.encode({"apps": apps}), content_type="application/json")


class Call:
    """``POST /v1/apps/{app}/{command}``."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    async def run(self, request: web.Request) -> web.Response:
        """Run the command and answer its result itself."""
        caller, match = request[CALLER], request.match_info
        described = self._dispatch.command(caller, match["app"], match["command"])
        params = strict(await read_json(request))
        key = request.headers.get("Idempotency-Key")
        reply = await self._dispatch.run(caller, match["app"], described, params, key)
        if reply.problem is not None:
            return problem_response(reply.problem)
        return web.Response(body=bytes(reply.result or b"{}"), content_type="application/json")


class State:
    """``GET /v1/apps/{app}/state``."""

    def __init__(
        self,
        broker: Broker,
        dispatch: Dispatch,
        hub: Hub,
        sessions: Sessions,
        callers: Callers,
        topics: Topics,
        quotas: Quotas,
    ) -> None:
        self._broker = broker
        self._dispatch = dispatch
        self._hub = hub
        self._sessions = sessions
        self._callers = callers
        self._topics = topics
        self._quotas = quotas

    async def read(self, request: web.Request) -> web.Response:
        """Answer ``{"cursor","state"}`` now, or at the next event named in ``returnon``, or after ``returnafter`` s."""
        caller = request[CALLER]
        app = self._dispatch.app(request.match_info["app"])
        if app.state is None:
            raise NotFound(f"{app.name} has no state")
        check_scope(caller, app.state.scope)
        await self._wait(request, caller, app)
        # The cursor is read before the state: an event may then tell what the state already holds, but none is missed.
        cursor = self._hub.journal.cursor(caller.client)
        state = await self._broker.state(app.name)
        content = bytes(state or b"null")
        etag = f'"{urlsafe_b64encode(hashlib.sha256(content).digest()[:12]).decode()}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        body = b'{"cursor":%b,"state":%b}' % (msgspec.json.encode(str(cursor)), content)
        return web.Response(body=body, content_type="application/json", headers={"ETag": etag})

    async def _wait(self, request: web.Request, caller: Caller, app: AppDescription) -> None:
        names = {name for name in request.query.get("returnon", "").split(",") if name}
        declared = {name for topic in app.topics.values() for name in topic.events}
        if not names <= declared:
            known = ", ".join(sorted(declared))
            raise InvalidParams(f"{app.name} has these events: {known}", path="returnon")
        left = seconds(request, "returnafter", most=MOST_WAIT_SECONDS)
        if names and "returnafter" not in request.query:
            left = MOST_WAIT_SECONDS
        if left:
            with self._quotas.streaming(caller):
                await self._until(names, caller, app, left)

    async def _until(self, names: set[str], caller: Caller, app: AppDescription, left: float) -> None:
        ends = time.monotonic() + left
        seq = self._hub.journal.seq
        while (left := ends - time.monotonic()) > 0:
            waiting = Waiting(caller, self._callers, self._topics.scopes())
            if not await self._sessions.wait(waiting, app.topics, left):
                return
            entries = self._hub.journal.after(seq)
            if any(entry.topic in app.topics and entry.name in names for entry in entries):
                return
            seq = self._hub.journal.seq


def _visible(app: AppDescription, caller: Caller) -> AppDescription | None:
    commands = {name: command for name, command in app.commands.items() if caller.may(command.scope)}
    topics = {name: topic for name, topic in app.topics.items() if caller.may(topic.scope)}
    state = app.state if app.state is not None and caller.may(app.state.scope) else None
    if not (commands or topics or state):
        return None
    scopes = {scope: sentence for scope, sentence in app.scopes.items() if caller.may(scope)}
    return msgspec.structs.replace(app, commands=commands, topics=topics, state=state, scopes=scopes)
