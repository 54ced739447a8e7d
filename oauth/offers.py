"""Offers: signed links, each for one command with its arguments; its holder can read what it runs, and change nothing.

    OFFER = base64url(JSON) "." base64url(time made) "." base64url(HMAC-SHA256)

The JSON is ``{"id","command","params","uses","until"}``, not compressed. A signature alone runs nothing: the row in the
store decides whether the offer lives and how many uses are left, so that it can be revoked.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from itsdangerous import TimestampSigner

from oauth import base64url
from oauth.errors import OfferOver, OfferUnknown
from oauth.models import Clock, Offer
from oauth.secret import Secret
from oauth.store import Store

MAX_OFFERS = 256
"""Offers that are kept. One more takes the place of the oldest that is used up; where none is, it is refused: no link
that was handed out ends because of another."""
MAX_PARAMS_BYTES = 4096
"""Of one offer, so that its link still passes through mail and chat."""
MAX_USES = 1000
MAX_SECONDS = 30 * 24 * 3600

_UNKNOWN = "this daemon has made no such offer; ask for a new link"
_SALT = b"tollbridge.offer"
_ID_BYTES = 8
_OFFER = re.compile(r"[A-Za-z0-9_-]{1,8192}\.[A-Za-z0-9_-]{1,16}\.[A-Za-z0-9_-]{43}", re.ASCII)

Ended = Callable[[str], None]
"""Told the id of an offer whose row is gone."""


class Made(NamedTuple):
    """A new offer, and the text that stands for it in its link."""

    offer: Offer
    text: Secret[str]


class _Said(msgspec.Struct, frozen=True):
    """What an offer says to its holder; ``until`` RFC 3339."""

    id: str
    command: str
    params: msgspec.Raw
    uses: int
    until: str


class Offers:
    """Makes, counts and ends offers; used on the event loop's thread. ``key`` (32 bytes) signs offers alone.

    Who changes something awaits ``store.commit()`` before he says so; `use` does that itself.
    """

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._signer = _Signer(key, store.clock)
        self._ended: list[Ended] = []
        self._prune()

    def on_ended(self, callback: Ended) -> None:
        """Have ``callback`` called, at once, with the id of each offer that is forgotten."""
        self._ended.append(callback)

    def make(self, command: str, scope: str, params: bytes, *, uses: int, seconds: int) -> Made | None:
        """Offer ``command`` with ``params`` (strict JSON, an object) ``uses`` times within ``seconds``.

        None: there are `MAX_OFFERS` already that are good for something.
        """
        self._prune()
        if not self._has_room():
            return None
        now = self._store.clock()
        offer = Offer(
            id=secrets.token_hex(_ID_BYTES),
            command=command,
            scope=scope,
            params=msgspec.Raw(msgspec.json.format(params, indent=-1)),
            uses=uses,
            created_at=now,
            ends_at=float(int(now) + seconds),
        )
        self._store.keep_offer(offer)
        return Made(offer, Secret(self._signer.signed(msgspec.json.encode(_said(offer)))))

    def live(self) -> tuple[Offer, ...]:
        """Return the offers whose time is not over, used up or not, oldest first."""
        self._prune()
        return self._store.offers()

    def verify(self, text: str) -> Offer:
        """Return the offer that ``text`` stands for, as it is now; nothing is counted.

        Raises:
            OfferUnknown: nothing that this daemon has signed.
            OfferOver: it is used up, revoked or out of time.
        """
        said = self._signer.verified(text)
        self._prune()
        offer = self._store.offer(said.id)
        if offer is None:
            raise OfferOver("the offer has ended or was taken back; ask for a new link")
        if _said(offer) != said:
            raise OfferUnknown(_UNKNOWN)
        if offer.used >= offer.uses:
            raise OfferOver("the offer is used up; ask for a new link")
        return offer

    async def use(self, text: str) -> Offer:
        """Return the offer that ``text`` stands for, one use of which is counted for good.

        The use is durable before this returns: what is run afterwards is never run more often than the offer says,
        whenever the daemon dies.

        Raises:
            OfferUnknown: nothing that this daemon has signed.
            OfferOver: it is used up, revoked or out of time.
            StorageFailed: the use could not be made durable, and was not counted.
        """
        offer = self.verify(text)
        self._store.keep_offer(msgspec.structs.replace(offer, used=offer.used + 1))
        await self._store.commit()
        if self._store.offer(offer.id) is None:
            raise OfferOver("the offer was taken back; ask for a new link")
        return offer

    def give_back(self, offer_id: str) -> None:
        """Take back the count of a use whose command was refused before it ran; nothing where the offer is over."""
        offer = self._store.offer(offer_id)
        if offer is not None:
            self._store.keep_offer(msgspec.structs.replace(offer, used=max(0, offer.used - 1)))

    def revoke(self, offer_id: str) -> Offer | None:
        """End an offer and return it; None: there is none."""
        self._prune()
        offer = self._store.offer(offer_id)
        if offer is not None:
            self._drop(offer)
        return offer

    def _has_room(self) -> bool:
        """Say whether one more may be kept; one that is used up makes way."""
        offers = self._store.offers()
        if len(offers) < MAX_OFFERS:
            return True
        used_up = next((offer for offer in offers if offer.used >= offer.uses), None)
        if used_up is not None:
            self._drop(used_up)
        return used_up is not None

    def _prune(self) -> None:
        now = self._store.clock()
        for offer in self._store.offers():
            if offer.ends_at <= now:
                self._drop(offer)

    def _drop(self, offer: Offer) -> None:
        self._store.drop_offer(offer)
        for callback in self._ended:
            callback(offer.id)


class _Signer:
    """Signs what an offer says, and reads it only where the signature is ours."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._signer = _Timed(key, salt=_SALT, key_derivation="hmac", digest_method=hashlib.sha256)
        self._signer.clock = clock

    def signed(self, content: bytes) -> str:
        return self._signer.sign(base64url.encode(content)).decode("ascii")

    def verified(self, text: str) -> _Said:
        """Return what ``text`` says; the signature is looked at first, and in its one form (base64 has several)."""
        value, _, signature = text.rpartition(".")
        if _OFFER.fullmatch(text) is None or not self._is_ours(value, signature):
            raise OfferUnknown(_UNKNOWN)
        try:
            return msgspec.json.decode(base64url.decode(value.partition(".")[0]), type=_Said)
        except (ValueError, msgspec.MsgspecError):  # signed by another version of ours
            raise OfferUnknown(_UNKNOWN) from None

    def _is_ours(self, value: str, signature: str) -> bool:
        try:
            base64url.decode(signature)
        except ValueError:
            return False
        return self._signer.verify_signature(value, signature)


class _Timed(TimestampSigner):
    """`TimestampSigner` by our clock; the library's own reads the system's."""

    clock: Clock

    def get_timestamp(self) -> int:
        return int(self.clock())


def _said(offer: Offer) -> _Said:
    until = datetime.fromtimestamp(offer.ends_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _Said(offer.id, offer.command, offer.params, offer.uses, until)
