"""The WebSocket: accepted for whom has or had a grant, then closed with a code that a page can read (section 6)."""

import asyncio
import secrets
from collections.abc import Callable

from aiohttp import WSMsgType, web

from bridge.errors import BridgeError, MalformedRequest, TokenInvalid, TooMany, Unauthorized
from bridge.events.hub import Hub
from bridge.front import frames
from bridge.front.caller import OWNER, Callers, Ticket
from bridge.front.conversation import Conversation
from bridge.front.dispatch import RESTART_RETRY_SECONDS, Dispatch
from bridge.front.hello import Prover
from bridge.front.keys import SPEAKER
from bridge.front.limits import Quotas
from bridge.front.policy import Speaker
from bridge.front.session import HEARTBEAT_SECONDS, TOKEN_ENDED, Session
from bridge.front.sessions import RESTARTING, Sessions
from bridge.front.topics import Topics
from bridge.messages import Caller, Cursor
from oauth.errors import TicketInvalid
from oauth.tickets import Tickets

HELLO_DEADLINE_SECONDS = 5.0
CLOSE_DEADLINE_SECONDS = 2.0
"""How long the other side may take to close as well."""

PROTOCOL = "tollbridge.v1"

MALFORMED = 4400
TOO_SLOW = 4408
VERSION = 4426
TOO_MANY = 4429

_CODES: dict[type[BridgeError], int] = {
    Unauthorized: TOKEN_ENDED,
    TokenInvalid: TOKEN_ENDED,
    TooMany: TOO_MANY,
}
"""How an error looks that ends the socket before it was welcomed; all others are 4400."""


class Socket:
    """``GET /v1/socket``."""

    def __init__(
        self,
        *,
        hub: Hub,
        sessions: Sessions,
        dispatch: Dispatch,
        callers: Callers,
        topics: Topics,
        quotas: Quotas,
        tickets: Tickets[Ticket],
        prover: Prover,
        refused: Callable[[str, str | None], None],
    ) -> None:
        self._hub = hub
        self._sessions = sessions
        self._dispatch = dispatch
        self._callers = callers
        self._topics = topics
        self._quotas = quotas
        self._tickets = tickets
        self._prover = prover
        self._refused = refused

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Upgrade, verify, welcome, converse until one side ends it."""
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        spoken = next((name for name in offered if name.startswith("tollbridge.")), None)
        socket = web.WebSocketResponse(
            protocols=() if spoken is None else (spoken,),
            heartbeat=HEARTBEAT_SECONDS,
            timeout=CLOSE_DEADLINE_SECONDS,
            compress=False,
            max_msg_size=frames.INBOUND_BYTES,
            decode_text=False,
        )
        if offered != [""] and spoken is None:
            raise MalformedRequest(f"offer the subprotocol {PROTOCOL} first")  # aiohttp would log all that were offered
        if not _is_upgrade(request, socket):
            raise MalformedRequest("this path takes a WebSocket upgrade of version 13 (RFC 6455)")
        await socket.prepare(request)
        code, reason = await self._live(request, socket, offered, spoken)
        await socket.close(code=code, message=reason.encode()[:120])
        return socket

    async def _live(
        self, request: web.Request, socket: web.WebSocketResponse, offered: list[str], spoken: str | None
    ) -> tuple[int, str]:
        """Return the close code and the reason once the socket is to be closed."""
        if spoken not in (PROTOCOL, None):
            return VERSION, f"this daemon speaks {PROTOCOL}"
        try:
            caller = self._caller(request, offered)
            with self._quotas.socket(caller):
                return await self._welcome(request, socket, caller)
        except TimeoutError:
            return (
                TOO_SLOW,
                f"hello took over {HELLO_DEADLINE_SECONDS:g} s, or the events since were not read",
            )
        except BridgeError as error:
            self._refused(error.code, request[SPEAKER].origin)
            return _CODES.get(type(error), MALFORMED), error.detail

    def _caller(self, request: web.Request, offered: list[str]) -> Caller:
        speaker = request[SPEAKER]
        if speaker.is_unix:
            return OWNER
        ticket = next((name.removeprefix("ticket.") for name in offered if name.startswith("ticket.")), None)
        if ticket is not None:
            return self._redeem(ticket, speaker)
        if speaker.origin is not None:
            raise Unauthorized("offer the subprotocols tollbridge.v1 and ticket.TICKET (POST /v1/tickets)")
        caller, _ = self._callers.verify(
            speaker,
            authorization=request.headers.get("Authorization"),
            proofs=request.headers.getall("DPoP", []),
            method="GET",
            path=request.path,
        )
        return caller

    def _redeem(self, secret: str, speaker: Speaker) -> Caller:
        try:
            ticket = self._tickets.take(secret)
        except TicketInvalid as error:
            raise TokenInvalid("the ticket was used, has expired, or is not one") from error
        if ticket.caller.origin != speaker.origin or self._callers.now(ticket.caller) is None:
            raise TokenInvalid("the ticket belongs to another client, or its grant has ended")
        return ticket.caller

    async def _welcome(self, request: web.Request, socket: web.WebSocketResponse, caller: Caller) -> tuple[int, str]:
        message = await socket.receive(timeout=HELLO_DEADLINE_SECONDS)
        hello = frames.read(message.data) if message.type is WSMsgType.TEXT else None
        if not isinstance(hello, frames.HelloFrame):
            raise MalformedRequest("the first frame is a hello")
        after = None if hello.after is None else Cursor.parse(hello.after)
        topics, faults = self._topics.split(caller, hello.topics)
        proof = None if hello.nonce is None else self._prover.prove(caller.origin, hello.nonce, "socket")
        session = self._sessions.open(caller, request, frames.event)
        conversation = Conversation(
            session, hub=self._hub, dispatch=self._dispatch, callers=self._callers, topics=self._topics
        )
        try:
            cursor = str(self._hub.journal.cursor(caller.client))
            fields = {} if proof is None else {"proof": proof}
            number = secrets.token_urlsafe(9)
            session.write(frames.message("welcome", **fields, cursor=cursor, session=number))
            for fault in faults:  # not the end of the socket: the page may still call, and an app may come back
                session.write(frames.error(fault.problem()))
            await session.start(topics, after)
            return await self._converse(socket, session, conversation)
        finally:
            self._sessions.end(session)
            await conversation.end()

    async def _converse(
        self, socket: web.WebSocketResponse, session: Session, conversation: Conversation
    ) -> tuple[int, str]:
        reader = asyncio.create_task(_read(socket, session, conversation))
        pump = asyncio.create_task(session.pump(None))
        try:
            await asyncio.wait((reader, pump), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reader, pump):
                task.cancel()
            ended = await asyncio.gather(reader, pump, return_exceptions=True)
        if session.close_code == TOKEN_ENDED:
            return TOKEN_ENDED, "the grant has ended; ask the owner again"
        if session.close_code == RESTARTING:
            session.write(frames.message("closing", retry=RESTART_RETRY_SECONDS))
            return RESTARTING, "the daemon is stopping"
        if any(isinstance(end, TimeoutError) for end in ended):
            session.abort()
            return TOO_SLOW, "nothing was read for too long"
        return socket.close_code or 1000, ""


async def _read(socket: web.WebSocketResponse, session: Session, conversation: Conversation) -> None:
    """Answer frames until the other side closes; a client that sends and does not read is waited for, then dropped."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            session.write(frames.error(MalformedRequest("frames are JSON text").problem()))
            continue
        await conversation.hear(message.data)
        if session.is_behind:
            await session.catch_up()


def _is_upgrade(request: web.Request, socket: web.WebSocketResponse) -> bool:
    """Say whether this is a handshake of RFC 6455 4.2.1; aiohttp takes drafts too, and fails on a key beyond ASCII."""
    try:
        return request.headers.get("Sec-WebSocket-Version") == "13" and bool(socket.can_prepare(request))
    except ValueError:
        return False
