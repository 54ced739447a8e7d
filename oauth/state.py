"""The read model: every grant, pairing and token in dictionaries, with the indexes that make each question one look-up.

It keeps no clock and writes nothing down; ``oauth.store`` does both.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from oauth.errors import StoreDamaged
from oauth.models import AccessToken, Grant, KnownOrigin, Offer, Pairing, RefreshToken

Record = Grant | Pairing | AccessToken | RefreshToken | KnownOrigin | Offer
_Kind = TypeVar("_Kind", Grant, Pairing, AccessToken, RefreshToken, KnownOrigin, Offer)

TABLE_OF: Mapping[type[Record], str] = {
    Grant: "grants",
    Pairing: "pairings",
    AccessToken: "access_tokens",
    RefreshToken: "refresh_tokens",
    KnownOrigin: "known_origins",
    Offer: "offers",
}


class State:
    """All records, by id; ``put`` replaces, ``drop`` forgets (and never what depends on it: the store does that)."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.grants: dict[str, Grant] = {}
        self.pairings: dict[str, Pairing] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.known_origins: dict[str, KnownOrigin] = {}
        self.offers: dict[str, Offer] = {}
        self.grant_of: dict[str, str] = {}
        self.pairings_of: dict[str, dict[str, None]] = {}
        self.access_of: dict[str, dict[str, None]] = {}
        self.refresh_of: dict[str, dict[str, None]] = {}
        for record in records:
            self.put(record)

    def put(self, record: Record) -> None:
        """Add ``record``, or replace the one of the same id."""
        if isinstance(record, Grant):
            self.grants[record.id] = record
            self.grant_of[record.client_id] = record.id
        elif isinstance(record, Pairing):
            self.pairings[record.id] = record
            self.pairings_of.setdefault(record.grant_id, {})[record.id] = None
        elif isinstance(record, AccessToken):
            self.access_tokens[record.id] = record
            self.access_of.setdefault(record.pairing_id, {})[record.id] = None
        elif isinstance(record, RefreshToken):
            self.refresh_tokens[record.id] = record
            self.refresh_of.setdefault(record.pairing_id, {})[record.id] = None
        elif isinstance(record, Offer):
            self.offers[record.id] = record
        else:
            self.known_origins[record.id] = record

    def drop(self, record: Record) -> None:
        """Forget ``record``."""
        if isinstance(record, Grant):
            del self.grants[record.id]
            del self.grant_of[record.client_id]
        elif isinstance(record, Pairing):
            del self.pairings[record.id]
            _unindex(self.pairings_of, record.grant_id, record.id)
        elif isinstance(record, AccessToken):
            del self.access_tokens[record.id]
            _unindex(self.access_of, record.pairing_id, record.id)
        elif isinstance(record, RefreshToken):
            del self.refresh_tokens[record.id]
            _unindex(self.refresh_of, record.pairing_id, record.id)
        elif isinstance(record, Offer):
            del self.offers[record.id]
        else:
            del self.known_origins[record.id]

    def under_grant(self, grant_id: str) -> list[Record]:
        """Return everything that ends with a grant: its pairings and their tokens, not itself."""
        return [
            record for pairing in tuple(self.pairings_of.get(grant_id, ())) for record in self.under_pairing(pairing)
        ]

    def under_pairing(self, pairing_id: str) -> list[Record]:
        """Return a pairing's tokens, then the pairing."""
        return [*self.access(pairing_id), *self.refresh(pairing_id), self.pairings[pairing_id]]

    def grant_above(self, record: Record) -> Grant | None:
        """Return the grant that ``record`` is or stands under; None: it has none any more."""
        if isinstance(record, AccessToken | RefreshToken):
            record = self.pairings[record.pairing_id]
        if isinstance(record, Pairing):
            return self.grants.get(record.grant_id)
        return record if isinstance(record, Grant) else None

    def approved_origins(self) -> Iterator[str]:
        """Yield the origins of pages that are allowed something."""
        for grant in self.grants.values():
            if grant.is_allowed and grant.origin is not None and not grant.is_owner:
                yield grant.origin

    def access(self, pairing_id: str) -> list[AccessToken]:
        """Return a pairing's access tokens, oldest first."""
        return [self.access_tokens[name] for name in self.access_of.get(pairing_id, ())]

    def refresh(self, pairing_id: str) -> list[RefreshToken]:
        """Return a pairing's refresh tokens, used ones too, oldest first."""
        return [self.refresh_tokens[name] for name in self.refresh_of.get(pairing_id, ())]


def read_records(rows: Mapping[str, Iterable[bytes]]) -> list[Record]:
    """Return the records in ``rows`` (JSON values by table).

    Raises:
        StoreDamaged: a row has another form.
    """
    try:
        return [
            record
            for kind, table in TABLE_OF.items()
            for record in msgspec.json.decode(b"[" + b",".join(rows[table]) + b"]", type=list[kind])  # type: ignore[valid-type]
        ]
    except msgspec.MsgspecError as error:
        raise StoreDamaged("a row of the store cannot be read") from error


def _unindex(index: dict[str, dict[str, None]], owner: str, name: str) -> None:
    members = index[owner]
    del members[name]
    if not members:
        del index[owner]
