"""From D-Bus values to a player, and from bus names to ids; pure, and bounded: a player may say anything."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bridge.apps.player import uris
from bridge.apps.player.model import Capabilities, Player, Reading, Status, Track
from bridge.bus import Variant, is_object_path_valid

KIND = "mpris"
PREFIX = "org.mpris.MediaPlayer2."
NO_TRACK = "/org/mpris/MediaPlayer2/TrackList/NoTrack"
"""MPRIS 2.2, TrackList: "there is no current track"."""

MICROSECONDS = 1_000_000

MAX_TEXT = 500
MAX_ARTISTS = 20
"""Longer texts and lists are cut: events are sent to every page, and titles come from strangers' files."""

MAX_URI = 2048
"""A longer URI (a picture inside a data: URI, say) is left out: half of one is of no use."""

MAX_RATE = 100.0

Properties = Mapping[str, Any]


def plain(value: Any) -> Any:
    """Return ``value`` with all variants taken off."""
    if isinstance(value, Variant):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


_INSTANCE = re.compile(r"(.+)\.instance(\d+)", re.ASCII)


def player_id(name: str) -> str:
    """Return the id of the player with this bus name: ``vlc`` for ``org.mpris.MediaPlayer2.vlc``."""
    return name.removeprefix(PREFIX)


def is_twin(name: str, other: str) -> bool:
    """Say whether two names of one process are the same player: VLC has ``vlc`` and ``vlc.instancePID``."""
    return _base(name) == other or _base(other) == name


def _base(name: str) -> str | None:
    match = _INSTANCE.fullmatch(name)
    return match[1] if match else None


class Root:
    """What a player says of itself as a program (MPRIS 2.2, interface MediaPlayer2), and whether it has OpenUri."""

    __slots__ = ("name", "open_schemes")

    def __init__(self, properties: Properties, *, fallback: str, has_open_uri: bool) -> None:
        self.name = _text(properties.get("Identity")) or fallback
        schemes = _texts(properties.get("SupportedUriSchemes"))
        # mpv opens files and does not list "file"; Chromium lists nothing and opens nothing.
        web = tuple(scheme for scheme in uris.WEB_SCHEMES if scheme in schemes)
        self.open_schemes = ("file", *web) if has_open_uri and schemes else ()


def read(id_: str, root: Root, properties: Properties, *, at: float, folders: Sequence[Path]) -> Player:
    """Return the player that ``properties`` (GetAll of MediaPlayer2.Player, variants off) describe at ``at``."""
    track = _track(properties.get("Metadata"), folders)
    micros = _number(properties.get("Position")) or 0.0
    rate = _number(properties.get("Rate"))
    return Player(
        id=id_,
        name=root.name,
        kind=KIND,
        status=_status(properties.get("PlaybackStatus")),
        track=track,
        reading=Reading(max(0.0, micros / MICROSECONDS), at),
        rate=rate if rate is not None and 0 < rate <= MAX_RATE else 1.0,
        volume=_volume(properties.get("Volume")),
        capabilities=_capabilities(root, properties),
    )


def track_object(properties: Properties) -> str | None:
    """Return the object path of the current track, which SetPosition wants, or None."""
    metadata = properties.get("Metadata")
    path = metadata.get("mpris:trackid") if isinstance(metadata, dict) else None
    # A string in the place of an object path is taken if it is one: sending another would break the connection.
    return path if isinstance(path, str) and is_object_path_valid(path) and path != NO_TRACK else None


def _status(value: object) -> Status:
    try:
        return Status(str(value).lower())
    except ValueError:
        return Status.STOPPED


def _capabilities(root: Root, properties: Properties) -> Capabilities:
    if properties.get("CanControl") is False:  # MPRIS 2.2: then all others are to be taken as false
        return Capabilities()

    def can(name: str) -> bool:
        return properties.get(name) is True

    return Capabilities(
        can_play=can("CanPlay"),
        can_pause=can("CanPause"),
        can_stop=True,
        can_seek=can("CanSeek"),
        can_next=can("CanGoNext"),
        can_previous=can("CanGoPrevious"),
        can_set_volume="Volume" in properties,
        can_open=bool(root.open_schemes),
        open_schemes=root.open_schemes,
    )


def _track(metadata: object, folders: Sequence[Path]) -> Track | None:
    if not isinstance(metadata, dict) or not metadata or metadata.get("mpris:trackid") == NO_TRACK:
        return None
    title = _text(metadata.get("xesam:title"))
    length = _number(metadata.get("mpris:length"))
    art = metadata.get("mpris:artUrl")
    uri = metadata.get("xesam:url")
    if not title and not uri:
        return None  # mpv, stopped: a track "/noplaylist" of which nothing is known
    return Track(
        id=_text(metadata.get("mpris:trackid")),
        title=title or _file_name(uri),  # VLC has no title for a file without tags
        artists=_texts(metadata.get("xesam:artist"))[:MAX_ARTISTS],
        album=_text(metadata.get("xesam:album")),
        length=length / MICROSECONDS if length is not None and length > 0 else None,
        art_url=_uri(art, folders) if isinstance(art, str) and uris.scheme(art) in uris.WEB_SCHEMES else None,
        uri=_uri(uri, folders),
    )


def _file_name(uri: object) -> str:
    return uris.file_name(uri)[:MAX_TEXT] if isinstance(uri, str) else ""


def _uri(value: object, folders: Sequence[Path]) -> str | None:
    return uris.shown(value, folders) if isinstance(value, str) and len(value) <= MAX_URI else None


def _volume(value: object) -> float | None:
    volume = _number(value)
    return None if volume is None else min(1.0, max(0.0, volume))  # VLC and mpv go above 1


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 2**63 else None  # NaN and infinity fail the comparison, too


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    many: Iterable[object] = value if isinstance(value, list) else [value]  # some players give one artist bare
    return tuple(_text(one) for one in many if isinstance(one, str))
