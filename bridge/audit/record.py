"""What the audit holds, and the chain that ties its records together: pure.

    mac(i) = HMAC-SHA256(key, "record" NUL mac(i - 1) content(i))

``content`` is a record as JSON, exactly as it is kept. Before the first record stands `START`; where old records were
pruned, the mark of the last one of them (the anchor). Anchor and head are sealed with the same key, so that records
missing at either end are seen as well.

What this shows: accidents, damage of the disk, edits by whoever does not know the key. What it cannot show: edits by a
process of the same user, which can read the key as we do, and an older copy of the whole file put in place of it. For
the second, note the head elsewhere.
"""

import enum
import hmac
from collections.abc import Iterable
from typing import Self

import msgspec

from bridge.errors import InvalidParams

MAC_BYTES = 32
AFTER_LOSS = "begun_after_loss"
"""The outcome of a chain's first record where an earlier trail was no longer there."""
SHOWN_CHARACTERS = 200
"""Names that others chose (origins, clients) are cut at this."""


class Kind(enum.StrEnum):
    """What a record is about."""

    DAEMON = "daemon"
    AUDIT = "audit"
    COMMAND = "command"
    CONSENT = "consent"
    GRANT = "grant"
    PAIRING = "pairing"
    TOKEN = "token"  # noqa: S105  # a kind, no secret
    ACTIVATION = "activation"
    OFFER = "offer"
    REFUSAL = "refusal"


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One fact: at ``time`` (seconds since the epoch), ``client`` did ``subject`` with this ``outcome``.

    ``subject`` is a command (``player.play``), scopes, an id or a version; ``params`` the SHA-256 of a command's
    parameters in the very bytes that came, spaces and order included (base64url); ``by`` the surface on which the owner
    acted, "terminal" or "page". With ``since``, it is a sum: ``count`` equal facts, the first at ``since``, the last by
    ``time``.
    """

    time: float
    kind: Kind
    outcome: str
    client: str | None = None
    origin: str | None = None
    subject: str | None = None
    params: str | None = None
    by: str | None = None
    count: int = 1
    since: float | None = None


class Mark(msgspec.Struct, frozen=True):
    """A position in the chain: the ``index`` of a record (from 1) and its ``mac`` (32 bytes)."""

    index: int
    mac: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``INDEX:MAC``, the MAC as 64 hexadecimal digits.

        Raises:
            InvalidParams: the text has another form.
        """
        index, _, mac = text.strip().partition(":")
        if index.isascii() and index.isdecimal() and len(index) <= 18 and len(mac) == 2 * MAC_BYTES:
            try:
                return cls(int(index), bytes.fromhex(mac))
            except ValueError:
                pass
        raise InvalidParams("a head is INDEX:MAC, as `tollbridge audit verify` prints it")

    def __str__(self) -> str:
        return f"{self.index}:{self.mac.hex()}"


START = Mark(0, bytes(MAC_BYTES))
"""What the first record is chained to."""


class Link(msgspec.Struct, frozen=True):
    """A record as it is kept: JSON, and the MAC that ties it to the one before."""

    index: int
    content: bytes
    mac: bytes


class Broken(msgspec.Struct, frozen=True):
    """Where the chain breaks: the first ``index`` that does not hold, and what was ``found`` there, as a sentence."""

    index: int
    found: str


_REPLACED = "it is another record than the noted one: the file was replaced"


def chain(key: bytes, previous: Mark, content: bytes) -> Mark:
    """Return the mark of the record after ``previous`` that holds ``content``."""
    return Mark(previous.index + 1, hmac.digest(key, b"record\0" + previous.mac + content, "sha256"))


def seal(key: bytes, name: str, mark: Mark) -> bytes:
    """Return what proves that ``mark`` was put down as ``name`` ("anchor", "head") by whoever has the key."""
    return hmac.digest(key, b"%b\0%d\0" % (name.encode(), mark.index) + mark.mac, "sha256")


def verify(key: bytes, links: Iterable[Link], *, anchor: Mark, head: Mark, noted: Iterable[Mark] = ()) -> Broken | None:
    """Return the first place where ``links``, in order, do not lead from ``anchor`` to ``head``; None: intact.

    ``links`` are all that there are: what stands before the anchor or behind the head was added.

    ``noted`` are heads that were written down earlier: each must still stand where it stood. Those before the anchor
    cannot be looked for; whoever asks has to leave them out.
    """
    wanted = {mark.index: mark.mac for mark in noted}
    last = anchor
    if wanted.pop(anchor.index, anchor.mac) != anchor.mac:
        return Broken(anchor.index, _REPLACED)
    for link in links:
        following = chain(key, last, link.content)
        if link.index != following.index:
            return _misplaced(link.index, last.index)
        if not hmac.compare_digest(link.mac, following.mac):
            return Broken(link.index, "it, or its MAC, is not what was written")
        last = following
        if last.index > head.index:
            return Broken(last.index, f"it was added: the last one written is {head.index}")
        if wanted.pop(last.index, last.mac) != last.mac:
            return Broken(last.index, _REPLACED)
    if last.index < head.index:
        return Broken(last.index + 1, f"it is missing, with all up to {head.index}, the last one written")
    if last.mac != head.mac:
        return Broken(last.index, "it is another record than the last one written")
    if wanted:
        return Broken(
            last.index + 1,
            f"the trail ends with {last.index}, before the noted head {max(wanted)}: an older file is in its place, "
            "or that head is of another trail",
        )
    return None


def _misplaced(index: int, last: int) -> Broken:
    if index <= last:
        return Broken(index, f"it was added: the oldest one that is kept is {last + 1}")
    return Broken(last + 1, f"it is missing: after {last} comes {index}")


def printable(text: str) -> str:
    """Return ``text`` as visible ASCII, cut at `SHOWN_CHARACTERS`."""
    if len(text) <= SHOWN_CHARACTERS and text.isascii() and text.isprintable():
        return text
    ascii_only = text[:SHOWN_CHARACTERS].encode("ascii", "backslashreplace").decode()[:SHOWN_CHARACTERS]
    return "".join(letter if letter.isprintable() else "?" for letter in ascii_only)
