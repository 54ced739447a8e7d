"""The front with all its parts joined: what listens is `bridge.daemon`'s matter, what answers is decided here."""

import asyncio
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
from bridge.front.guard import Guard
from bridge.front.hello import Hello, Prover
from bridge.front.limits import Quotas
from bridge.front.owner import Facts, Owner
from bridge.front.pages import Pages
from bridge.front.policy import Place
from bridge.front.poll import Poll
from bridge.front.reading import read_form
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
        self._facts = facts
        self._store = store
        self._broker = broker
        host = facts.base.removeprefix("http://")
        self._prover = Prover(identity, salt=store.salt, port=int(host.partition(":")[2]))
        self._hub = Hub(Journal(key=secrets.token_bytes(32), epoch=secrets.token_bytes(32)))
        broker.hear(self._hub.publish)
        self._callers = Callers(Verifier(store, base=facts.base), base=facts.base, grant=store.grant)
        self._topics = Topics(broker.apps.values)
        self._quotas = Quotas(settings.limits, time.monotonic)
        self.refusals = Refusals()
        self.sessions = Sessions(self._hub, self._callers, self._topics)
        self.dispatch = Dispatch(broker, self._quotas)
        store.on_revoked(self._revoked)
        guard = Guard(
            lambda: Place(host, store.approved_origins(), store.known_origins()), self._callers, self.refusals
        )
        self.routes = front.table(self._handlers(pages))
        self.application = front.build(self.routes, guard)

    async def stop(self) -> None:
        """Take no new command, tell every session, and let those under way end."""
        await asyncio.gather(self.sessions.stop(DRAIN_SECONDS), self.dispatch.drain(DRAIN_SECONDS))

    def _handlers(self, pages: Pages) -> front.Handlers:
        facts, store, broker = self._facts, self._store, self._broker
        hub, sessions, topics, quotas = self._hub, self.sessions, self._topics, self._quotas
        server = AuthorizationServer(
            store, facts.base, scopes=self._sentences, daemon_key=self._public_key, clock=time.time
        )
        tickets: Tickets[Ticket] = Tickets("socket", life=TICKET_SECONDS, bound=TICKET_BOUND, clock=time.monotonic)
        return front.Handlers(
            pages=pages,
            consent=Consent(Requests(time.monotonic), server, store, self._sentences),
            oauth=Endpoints(server, read_form),
            hello=Hello(self._prover),
            tickets=SocketTickets(tickets),
            apps=Apps(broker),
            state=State(broker, self.dispatch, hub, sessions, self._callers, topics, quotas),
            call=Call(self.dispatch),
            stream=Stream(sessions, topics, quotas),
            poll=Poll(hub, sessions, self._callers, topics, quotas),
            socket=Socket(
                hub=hub,
                sessions=sessions,
                dispatch=self.dispatch,
                callers=self._callers,
                topics=topics,
                quotas=quotas,
                tickets=tickets,
                prover=self._prover,
            ),
            owner=Owner(
                facts,
                broker=broker,
                journal=hub.journal,
                sessions=sessions,
                refusals=self.refusals,
                server=server,
                store=store,
                sentences=self._sentences,
                connections=self._connections,
            ),
        )

    def _connections(self) -> int:
        return 0 if self.server is None else len(self.server.connections)

    def _revoked(self, grant: Grant) -> None:
        self.sessions.close_grant(grant.id)
        self._quotas.forget(grant.id)

    def _sentences(self) -> dict[str, str]:
        return {scope: sentence for app in self._broker.apps.values() for scope, sentence in app.scopes.items()}

    def _public_key(self, origin: str) -> dict[str, str]:
        key = self._prover.key(origin)
        return {} if key is None else key.jwk
