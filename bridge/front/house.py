"""The front with all its parts joined: what listens is `bridge.daemon`'s matter, what answers is decided here."""

import asyncio
import secrets
import time

from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.audit.notes import Audit
from bridge.broker.port import Broker
from bridge.config import Settings
from bridge.consent.consent import Consent
from bridge.events.hub import Hub
from bridge.events.journal import Journal
from bridge.front import app as front
from bridge.front.audit import AuditedEndpoints, AuditRoute, follow
from bridge.front.caller import Callers, Ticket
from bridge.front.commands import Apps, Call, State
from bridge.front.consent import ConsentRoutes
from bridge.front.dispatch import Dispatch
from bridge.front.guard import Guard
from bridge.front.hello import Hello, Prover
from bridge.front.keyring import Keyring
from bridge.front.limits import Quotas
from bridge.front.offers import OfferRoutes
from bridge.front.owner import Facts, Owner
from bridge.front.pages import Pages
from bridge.front.policy import Place
from bridge.front.poll import Poll
from bridge.front.reading import read_body
from bridge.front.refusals import Refusals
from bridge.front.sessions import Sessions
from bridge.front.stream import Stream
from bridge.front.tally import Tally
from bridge.front.tickets import TICKET_BOUND, TICKET_SECONDS, SocketTickets
from bridge.front.topics import Topics
from bridge.front.websocket import Socket
from bridge.identity import Identity
from oauth.models import Grant, Pairing
from oauth.nonces import Nonces
from oauth.offers import Offers
from oauth.server.server import AuthorizationServer
from oauth.server.verify import Verifier
from oauth.store import PairingChange, Store
from oauth.tickets import Tickets
from oauth.vault import Vault

DRAIN_SECONDS = 5.0
"""How long commands under way may take once the daemon was asked to stop."""


class House:
    """The front with all its parts joined; `server` is set once it listens."""

    def __init__(
        self,
        settings: Settings,
        facts: Facts,
        *,
        pages: Pages,
        identity: Identity,
        store: Store,
        broker: Broker,
        audit: Audit,
        vault: Vault,
    ) -> None:
        self.server: web.Server | None = None
        self._facts = facts
        self._store = store
        self._broker = broker
        self._audit = audit
        self._vault = vault
        host = facts.base.removeprefix("http://")
        self._prover = Prover(identity, salt=store.salt, port=int(host.partition(":")[2]))
        self._hub = Hub(Journal(key=secrets.token_bytes(32), epoch=secrets.token_bytes(32)))
        broker.hear(self._hub.publish)
        self.nonces = Nonces(time.time)
        verifier = Verifier(store, base=facts.base, nonces=self.nonces)
        self._callers = Callers(verifier, base=facts.base, allowed=store.allowed)
        self._topics = Topics(broker.apps.values)
        self._quotas = Quotas(settings.limits, time.monotonic)
        self.refusals = Refusals(audit.refused)
        self.sessions = Sessions(self._hub, self._callers, self._topics)
        self._server = AuthorizationServer(
            store,
            facts.base,
            scopes=self._sentences,
            daemon_key=self._public_key,
            nonces=self.nonces,
            clock=time.time,
        )
        self._tally = Tally(time.time)
        self.consent = Consent(store, server=self._server, sentences=self._sentences, audit=audit, clock=time.monotonic)
        self.dispatch = Dispatch(broker, self._quotas, audit, self.consent.approve, self._tally)
        self._offers = Offers(store, identity.offer_key())
        self._offers.on_ended(lambda offer: self._forget(f"offer:{offer}"))
        store.on_revoked(self._revoked)
        store.on_paired(self._paired)
        follow(store, audit)
        self._guard = Guard(
            lambda: Place(host, store.approved_origins(), store.known_origins()), self._callers, self.refusals
        )
        self.routes = front.table(self._handlers(pages))
        self.application = front.build(self.routes, self._guard)

    def entrance(self, inner: Handler) -> Handler:
        """Return ``inner``, the application's own handler, behind what comes before any route."""
        return front.entrance(inner, self._guard)

    async def stop(self) -> None:
        """Take no new command, tell every session, and let those under way end."""
        await asyncio.gather(self.sessions.stop(DRAIN_SECONDS), self.dispatch.drain(DRAIN_SECONDS))
        self.consent.close()
        self.refusals.close()

    def _handlers(self, pages: Pages) -> front.Handlers:
        facts, store, broker, server = self._facts, self._store, self._broker, self._server
        hub, sessions, topics, quotas = self._hub, self.sessions, self._topics, self._quotas
        tickets: Tickets[Ticket] = Tickets("socket", life=TICKET_SECONDS, bound=TICKET_BOUND, clock=time.monotonic)
        return front.Handlers(
            pages=pages,
            consent=ConsentRoutes(self.consent, server, self._audit),
            oauth=AuditedEndpoints(self._audit, server, read_body, self.consent.open_device),
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
                refused=self._audit.refused,
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
                audit=self._audit,
                tally=self._tally,
            ),
            audit=AuditRoute(self._audit),
            offers=OfferRoutes(self._offers, store, self.dispatch, broker, self._audit, base=facts.base),
            keyring=Keyring(self._vault),
        )

    def _connections(self) -> int:
        return 0 if self.server is None else len(self.server.connections)

    def _revoked(self, grant: Grant) -> None:
        self.sessions.close_grant(grant.id)
        self._forget(grant.id)

    def _forget(self, grant: str) -> None:
        self._quotas.forget(grant)
        self._tally.forget(grant)

    def _paired(self, grant: Grant, pairing: Pairing, change: PairingChange) -> None:
        del grant
        if change != "begun":
            self.sessions.close_pairing(pairing.id)

    def _sentences(self) -> dict[str, str]:
        return {scope: sentence for app in self._broker.apps.values() for scope, sentence in app.scopes.items()}

    def _public_key(self, origin: str) -> dict[str, str]:
        key = self._prover.key(origin)
        return {} if key is None else key.jwk
