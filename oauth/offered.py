"""The part of the store that keeps offers: rows like all others, in memory at once and durable with the next commit."""

import msgspec

from oauth.database import Write
from oauth.models import Offer
from oauth.state import TABLE_OF, State
from oauth.writer import Writer


class Offered:
    """What `oauth.offers` asks of the store; after a failed commit, the rows are again what the file holds."""

    _state: State
    _writer: Writer

    def offers(self) -> tuple[Offer, ...]:
        """Return all offers, those that have ended included, oldest first."""
        return tuple(sorted(self._state.offers.values(), key=lambda offer: offer.created_at))

    def offer(self, offer_id: str) -> Offer | None:
        """Return the offer of that id, which may have ended."""
        return self._state.offers.get(offer_id)

    def keep_offer(self, offer: Offer) -> None:
        """Add an offer, or replace the one of the same id."""
        self._state.put(offer)
        self._writer.queue(Write(TABLE_OF[Offer], offer.id, msgspec.json.encode(offer)))

    def drop_offer(self, offer: Offer) -> None:
        """Forget an offer."""
        self._state.drop(offer)
        self._writer.queue(Write(TABLE_OF[Offer], offer.id, None))
