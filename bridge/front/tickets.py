"""Socket tickets: a WebSocket carries no headers, so the proof is given once over HTTP (protocol section 3)."""

import msgspec
from aiohttp import web

from bridge.front.caller import Ticket
from bridge.front.keys import CALLER, KEY
from oauth.tickets import Tickets

TICKET_SECONDS = 30
TICKET_BOUND = 16
"""Unused tickets a grant may have; one more drops its oldest."""


class SocketTickets:
    """``POST /v1/tickets``."""

    def __init__(self, tickets: Tickets[Ticket]) -> None:
        self._tickets = tickets

    async def issue(self, request: web.Request) -> web.Response:
        """Answer ``{"ticket","expires_in":30}``: single use, bound to grant, key and origin."""
        caller = request[CALLER]
        ticket = self._tickets.make(Ticket(caller, request.get(KEY)), holder=caller.grant or "")
        body = msgspec.json.encode({"ticket": ticket, "expires_in": TICKET_SECONDS})
        return web.Response(body=body, content_type="application/json")
