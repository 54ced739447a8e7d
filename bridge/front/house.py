"""The front with all its parts joined: what listens is `bridge.daemon`'s matter, what answers is decided here."""

import secrets
import time

from aiohttp import web

from bridge.broker.port import Broker
from bridge.config import Settings
from bridge.consent.requests import Requests
from bridge.events.hub import Hub
from bridge.events.journal import Journal
from bridge.front import app as front
from bridge.front.caller import Callers, Ticket
from bridge.front.commands import Apps, Call, State
from bridge.front.consent import Consent
from bridge.front.dispatch import Dispatch
from bridge.front.hello import Hello, Prover
from bridge.front.limits import Quotas
from bridge.front.owner import Facts, Owner
from bridge.front.pages import Pages
from bridge.front.policy import Place
from bridge.front.poll import Poll
from bridge.front.refusals import Refusals
from bridge.front.sessions import Sessions
from bridge.front.stream import Stream
from bridge.front.tickets import TICKET_BOUND, TICKET_SECONDS, SocketTickets
from bridge.front.topics import Topics
from bridge.front.websocket import Socket
from bridge.identity import Identity
from oauth.models import Grant
from oauth.server.flows import AuthorizationServer
from oauth.server.routes import Endpoints
from oauth.server.verify import Verifier
from oauth.store import Store
from oauth.tickets import Tickets

DRAIN_SECONDS = 5.0
"""How long commands under way may take once the daemon was asked to stop."""


class House:
    """The front with all its parts joined; `server` is set once it listens."""

    def __init__(
        self, settings: Settings, facts: Facts, *, pages: Pages, identity: Identity, store: Store, broker: Broker
    ) -> None:
        self.server: web.Server | None = None
        host = facts.base.removeprefix("http://")
        prover = Prover(identity, salt=store.salt, port=int(host.partition(":")[2]))
        server = AuthorizationServer(
            store,
            facts.base,
            scopes=lambda: _sentences(broker),
            daemon_key=lambda origin: _public_key(prover, origin),
            clock=time.time,
        )
        journal = Journal(key=secrets.token_bytes(32), epoch=secrets.token_bytes(32))
        hub = Hub(journal)
        broker.hear(hub.publish)
        callers = Callers(Verifier(store, base=facts.base), base=facts.base, grant=store.grant)
        topics = Topics(broker.apps.values)
        quotas = Quotas(settings.limits, time.monotonic)
        refusals = Refusals()
        tickets: Tickets[Ticket] = Tickets(
            purpose="socket", life=TICKET_SECONDS, bound=TICKET_BOUND, clock=time.monotonic
        )
        self._quotas = quotas
        self.sessions = sessions = Sessions(hub, callers, topics)
        self.dispatch = dispatch = Dispatch(broker, quotas)
        store.on_revoked(self._revoked)
        handlers = front.Handlers(
            pages=pages,
            consent=Consent(Requests(time.monotonic), server, store, lambda: _sentences(broker)),
            oauth=Endpoints(server),
            hello=Hello(prover),
            tickets=SocketTickets(tickets),
            apps=Apps(broker),
            state=State(broker, dispatch, hub, sessions, callers, topics),
            call=Call(dispatch),
            stream=Stream(sessions, topics, quotas),
            poll=Poll(hub, sessions, callers, topics, quotas),
            socket=Socket(
                hub=hub,
                sessions=sessions,
                dispatch=dispatch,
                callers=callers,
                topics=topics,
                quotas=quotas,
                tickets=tickets,
                prover=prover,
            ),
            owner=Owner(
                facts,
                broker=broker,
                journal=journal,
                sessions=sessions,
                refusals=refusals,
                server=server,
                store=store,
                connections=self._connections,
            ),
        )
        self.application = front.build(
            front.table(handlers),
            lambda: Place(host, store.approved_origins(), store.known_origins()),
            callers,
            refusals,
        )

    async def stop(self) -> None:
        """Take no new command, tell every session, and let those under way end."""
        self.sessions.close_all()
        await self.dispatch.drain(DRAIN_SECONDS)

    def _connections(self) -> int:
        return 0 if self.server is None else len(self.server.connections)

    def _revoked(self, grant: Grant) -> None:
        self.sessions.close_grant(grant.id)
        self._quotas.forget(grant.id)


def _sentences(broker: Broker) -> dict[str, str]:
    return {scope: sentence for app in broker.apps.values() for scope, sentence in app.scopes.items()}


def _public_key(prover: Prover, origin: str) -> dict[str, str]:
    key = prover.key(origin)
    return {} if key is None else key.jwk
