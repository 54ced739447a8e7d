"""Offers over HTTP: the owner makes, lists and revokes them; whoever holds one has its command run."""

from typing import Annotated

import msgspec
from aiohttp import web

from bridge.audit.notes import Audit
from bridge.broker.port import Broker
from bridge.clock import rfc3339
from bridge.errors import ApprovalImpossible, BridgeError, Gone, InvalidParams, NotFound, TooMany
from bridge.front.audit import surface
from bridge.front.caller import holder
from bridge.front.dispatch import Dispatch
from bridge.front.keys import CALLER, SPEAKER
from bridge.front.problems import problem_response
from bridge.front.reading import read_as
from bridge.messages import EMPTY_OBJECT, Command, Effect, Reply
from oauth.errors import OfferOver, OfferUnknown
from oauth.models import Offer
from oauth.offers import MAX_OFFERS, MAX_PARAMS_BYTES, MAX_SECONDS, MAX_USES, Offers
from oauth.store import Store


class OfferRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/offers``: ``command`` is ``app.name``, ``ttl`` in seconds."""

    command: str
    params: msgspec.Raw = EMPTY_OBJECT
    uses: Annotated[int, msgspec.Meta(ge=1, le=MAX_USES)] = 1
    ttl: Annotated[int, msgspec.Meta(ge=1, le=MAX_SECONDS)] = 3600


class Redeemed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/offers/redeem``: the text behind the ``#`` of a link."""

    offer: str


class OfferRoutes:
    """The routes of offers."""

    def __init__(
        self, offers: Offers, store: Store, dispatch: Dispatch, broker: Broker, audit: Audit, *, base: str
    ) -> None:
        self._offers = offers
        self._store = store
        self._dispatch = dispatch
        self._broker = broker
        self._audit = audit
        self._base = base

    async def make(self, request: web.Request) -> web.Response:
        """``POST /v1/offers``: a link that runs one command with these parameters, for whoever has it."""
        asked = await read_as(request, OfferRequest)
        scope = await self._scope(request, asked)
        made = self._offers.make(asked.command, scope, bytes(asked.params), uses=asked.uses, seconds=asked.ttl)
        if made is None:
            raise TooMany(f"there are {MAX_OFFERS} offers already; take one back, or wait until one ends")
        await self._store.commit()
        self._audit.offer("made", f"offer:{made.offer.id}", asked.command, surface(request))
        text = made.text.reveal()
        link = f"{self._base}/offer#{text}"
        return _json({"id": made.offer.id, "offer": text, "link": link, "expires_in": asked.ttl})

    async def _scope(self, request: web.Request, asked: OfferRequest) -> str:
        """Return the scope of a command that may be offered as asked."""
        app, _, name = asked.command.partition(".")
        caller = request[CALLER]
        described = self._dispatch.command(caller, app, name)
        if described.effect is Effect.DANGEROUS:
            raise InvalidParams(
                "a dangerous command cannot be offered: each run of it needs a yes of its own", path="$.command"
            )
        await self._broker.check(Command(app=app, name=name, caller=caller, params=asked.params))
        if len(bytes(asked.params)) > MAX_PARAMS_BYTES:
            raise InvalidParams(f"the parameters of an offer may hold {MAX_PARAMS_BYTES} bytes", path="$.params")
        return described.scope

    async def list(self, request: web.Request) -> web.Response:
        """``GET /v1/offers``: those whose time is not over, used up or not."""
        del request
        return _json({"offers": [_shown(offer) for offer in self._offers.live()]})

    async def revoke(self, request: web.Request) -> web.Response:
        """``DELETE /v1/offers/{id}``: end an offer; what it has begun to run ends by itself."""
        offer = self._offers.revoke(request.match_info["id"])
        if offer is None:
            raise NotFound("there is no such offer; `tollbridge offers` lists them")
        await self._store.commit()
        self._audit.offer("revoked", f"offer:{offer.id}", offer.command, surface(request))
        return web.Response(status=204)

    async def redeem(self, request: web.Request) -> web.Response:
        """``POST /v1/offers/redeem``: run what the offer says; answered as the command itself is."""
        text = (await read_as(request, Redeemed)).offer
        origin = request[SPEAKER].origin
        try:
            offer = await self._used(text)
        except BridgeError as error:
            self._audit.refused(error.code, origin)
            raise
        reply = await self._run(offer, origin, request.headers.get("Idempotency-Key"))
        self._audit.offer_used(f"offer:{offer.id}", offer.command, origin)
        if reply.problem is not None:
            return problem_response(reply.problem)
        return web.Response(body=bytes(reply.result or b"{}"), content_type="application/json")

    async def _used(self, text: str) -> Offer:
        try:
            return await self._offers.use(text)
        except OfferUnknown as error:
            raise NotFound(str(error)) from error
        except OfferOver as error:
            raise Gone(str(error)) from error

    async def _run(self, offer: Offer, origin: str | None, key: str | None) -> Reply:
        """Run the command of an offer whose use is counted; one that was refused before it ran is given back."""
        app, _, name = offer.command.partition(".")
        caller = holder(offer, origin)
        try:
            described = self._dispatch.command(caller, app, name)
            if described.effect is Effect.DANGEROUS:
                raise ApprovalImpossible("the command has become dangerous since it was offered")
            return await self._dispatch.run(caller, app, described, offer.params, key)
        except BridgeError:
            self._offers.give_back(offer.id)
            raise


def _shown(offer: Offer) -> dict[str, object]:
    return {
        "id": offer.id,
        "command": offer.command,
        "params": offer.params,
        "uses": offer.uses,
        "used": offer.used,
        "created": rfc3339(offer.created_at),
        "until": rfc3339(offer.ends_at),
    }


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
