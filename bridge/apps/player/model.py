"""What a player is, where its track stands now, which player is meant, and what is worth telling: all pure.

Times named ``at`` are seconds of one monotonic clock, passed in; only ``PlayerState`` carries a time of day.
"""

import enum
from collections.abc import Iterable

import msgspec

ENGINE = "engine"
"""The kind of the built-in player."""

DRIFT_SECONDS = 0.25
"""How far a playing position may be off before pages are told: VLC reports it in steps of 0.1 s."""

JITTER_SECONDS = 0.01
"""The same for a position that stands still."""

STALL_SECONDS = 0.5
"""A player that plays must have moved after this time (VLC's steps are 0.1 s)."""

STALL_PACE = 0.1
"""Less than this part of the elapsed time is standing still."""


class Status(enum.StrEnum):
    """MPRIS ``PlaybackStatus``, in lower case."""

    PLAYING = "playing"
    PAUSED = "paused"
    STOPPED = "stopped"


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """What is loaded. ``length`` in seconds, null where it is not known (a stream).

    ``art_url`` is http(s) or null: a page cannot load a picture from a file. ``uri`` is http(s), or for a file below a
    music folder its path within it (``open`` takes it back); other files' paths are nobody's business: null.
    """

    id: str
    title: str = ""
    artists: tuple[str, ...] = ()
    album: str = ""
    length: float | None = None
    art_url: str | None = None
    uri: str | None = None


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What the player says it can do now; ``open_schemes`` names what ``open`` may hand it (file, http, https)."""

    can_play: bool = False
    can_pause: bool = False
    can_stop: bool = False
    can_seek: bool = False
    can_next: bool = False
    can_previous: bool = False
    can_set_volume: bool = False
    can_open: bool = False
    open_schemes: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """A position in seconds, and when it was read."""

    position: float
    at: float


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """One player as a backend knows it; ``kind`` is the backend's name, ``volume`` 0 to 1 or None."""

    id: str
    name: str
    kind: str
    reading: Reading
    status: Status = Status.STOPPED
    track: Track | None = None
    rate: float = 1.0
    volume: float | None = None
    capabilities: Capabilities = Capabilities()


class PlayerState(msgspec.Struct, frozen=True, kw_only=True):
    """One player as a page sees it.

    ``position`` in seconds was true at ``position_at`` (RFC 3339); while ``status`` is "playing" it grows by ``rate`` a
    second and no event says so. ``rate`` is 0 while a player says that it plays but does not move (buffering, or no
    sound card). ``volume`` is 0 to 1, null where the player has none.
    """

    id: str
    name: str
    kind: str
    status: Status
    track: Track | None
    position: float
    position_at: str
    rate: float
    volume: float | None
    capabilities: Capabilities


class News(enum.Enum):
    """What pages have to be told about a player they know."""

    CHANGED = "changed"
    SEEKED = "seeked"


def position(player: Player, *, at: float) -> float:
    """Return the position in seconds at ``at``, extrapolated: MPRIS never signals it."""
    reached = player.reading.position
    if player.status is Status.PLAYING:
        reached += max(0.0, at - player.reading.at) * player.rate
    if player.track is not None and player.track.length is not None:
        reached = min(reached, player.track.length)
    return max(0.0, reached)


def shown(player: Player, *, at: float, time: str) -> PlayerState:
    """Return the player as it is shown at ``at``, which is ``time`` of day."""
    return PlayerState(
        id=player.id,
        name=player.name,
        kind=player.kind,
        status=player.status,
        track=player.track,
        position=round(position(player, at=at), 3),
        position_at=time,
        rate=player.rate,
        volume=player.volume,
        capabilities=player.capabilities,
    )


class Candidate(msgspec.Struct, frozen=True):
    """A player and when it was last active: appeared, began, paused, or went to another track."""

    player: Player
    active_at: float


def choose(candidates: Iterable[Candidate]) -> Player | None:
    """Return the player that a command without ``player`` means.

    A playing one wins, else the one that was active last; the built-in one is not active before it plays, so that any
    player of the desktop comes before it.
    """
    best = max(candidates, key=_claim, default=None)
    return None if best is None else best.player


def _claim(candidate: Candidate) -> tuple[bool, float, bool]:
    player = candidate.player
    return player.status is Status.PLAYING, candidate.active_at, player.kind != ENGINE


def is_active_again(before: Player, after: Player) -> bool:
    """Say whether the change is one that a person at the player would have made."""
    return before.status is not after.status or not _is_same_track(before, after)


def paced(before: Player, after: Player) -> Player:
    """Return ``after``, with rate 0 if it says that it plays but has not moved since ``before``."""
    playing = before.status is after.status is Status.PLAYING
    if not playing or not _is_same_track(before, after):
        return after
    elapsed = after.reading.at - before.reading.at
    moved = after.reading.position - before.reading.position
    if elapsed >= STALL_SECONDS:
        stalls = 0 <= moved < STALL_PACE * elapsed * after.rate
    else:
        stalls = before.rate == 0 and moved == 0
    return msgspec.structs.replace(after, rate=0.0) if stalls else after


def news(told: Player, now: Player, *, at: float) -> tuple[News, ...]:
    """Return what to tell pages that were told ``told``, in order: they extrapolate, so mere progress is no news."""
    is_changed = msgspec.structs.replace(now, reading=told.reading) != told
    moves = Status.PLAYING in (told.status, now.status)
    gap = abs(position(told, at=at) - position(now, at=at))
    is_seeked = _is_same_track(told, now) and gap > (DRIFT_SECONDS if moves else JITTER_SECONDS)
    return (News.CHANGED,) * is_changed + (News.SEEKED,) * is_seeked


def _is_same_track(one: Player, other: Player) -> bool:
    # Not by id alone: mpv numbers by place, so that every opened one is "/0". Not by length: VLC estimates it anew.
    if one.track is None or other.track is None:
        return one.track is other.track
    return (one.track.id, one.track.uri, one.track.title) == (other.track.id, other.track.uri, other.track.title)
