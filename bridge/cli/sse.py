"""Server-sent events out of the lines of a stream (WHATWG HTML 9.2.6, the fields that the daemon sends; pure)."""

from collections.abc import Iterable, Iterator

import msgspec


class Sent(msgspec.Struct, frozen=True):
    """One block of a stream: ``id`` where the block sets one, ``data`` "" where the block only moves the id."""

    id: str | None
    data: str


def sent(lines: Iterable[bytes]) -> Iterator[Sent]:
    """Yield each block as soon as its empty line has come; comments (the heartbeat) are skipped."""
    place: str | None = None
    data: list[str] = []
    for raw in lines:
        line = raw.decode(errors="replace").rstrip("\r\n")
        if not line:
            if place is not None or data:
                yield Sent(place, "\n".join(data))
            place, data = None, []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "id":
            place = value
