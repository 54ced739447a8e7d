from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Variant

from bridge.apps.player.model import Capabilities, Player, Status, Track
from bridge.apps.player.mpris import values
from bridge.apps.player.mpris.values import Root

ROOT = Root(
    {"Identity": "VLC media player", "SupportedUriSchemes": ["file", "https", "smb"]}, fallback="vlc", has_open_uri=True
)
META = {"mpris:trackid": "/1", "xesam:title": "One", "mpris:length": 60_000_000}


def read(root: Root = ROOT, **properties: Any) -> Player:
    return values.read("vlc", root, properties, at=5.0, folders=[Path("/music")])


def track(**more: Any) -> Track | None:
    return read(Metadata={**META, **more}).track


def test_variants_are_taken_off_to_the_bottom() -> None:
    nested = Variant("a{sv}", {"a": Variant("as", ["x"]), "b": Variant("v", Variant("i", 3))})

    assert {"a": ["x"], "b": 3} == values.plain(nested)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("org.mpris.MediaPlayer2.vlc", "org.mpris.MediaPlayer2.vlc.instance7", True),
        ("org.mpris.MediaPlayer2.vlc.instance7", "org.mpris.MediaPlayer2.vlc", True),
        ("org.mpris.MediaPlayer2.firefox.instance_1_15", "org.mpris.MediaPlayer2.firefox.instance_1_16", False),
        ("org.mpris.MediaPlayer2.chromium.instance7", "org.mpris.MediaPlayer2.vlc", False),
        ("org.mpris.MediaPlayer2.vlc.instance7", "org.mpris.MediaPlayer2.vlc.instance8", False),
    ],
)
def test_names_with_and_without_an_instance_are_twins(one: str, other: str, same: bool) -> None:
    assert same is values.is_twin(one, other)


def test_a_player_without_an_identity_is_called_by_its_bus_name() -> None:
    assert "mpv" == Root({}, fallback="mpv", has_open_uri=True).name


@pytest.mark.parametrize(
    ("schemes", "has_open_uri", "opens"),
    [
        (["ftp", "http", "https", "smb"], True, ("file", "http", "https")),  # mpv does not list file
        (["file", "http"], False, ()),  # Audacious has no OpenUri
        ([], True, ()),  # Chromium
        (None, True, ()),
    ],
)
def test_what_can_be_opened_is_what_is_listed_and_possible(
    schemes: list[str] | None, has_open_uri: bool, opens: tuple[str, ...]
) -> None:
    properties = {} if schemes is None else {"SupportedUriSchemes": schemes}

    assert opens == Root(properties, fallback="x", has_open_uri=has_open_uri).open_schemes


def test_a_player_that_cannot_be_controlled_can_nothing() -> None:
    assert Capabilities() == read(CanControl=False, CanPlay=True, Volume=1.0).capabilities


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (None, None),
        ({}, None),
        ({"mpris:trackid": values.NO_TRACK, "xesam:title": "x"}, None),
        ({"mpris:trackid": "/noplaylist"}, None),  # mpv, stopped
        ("nonsense", None),
    ],
)
def test_nothing_loaded_is_no_track(metadata: object, expected: None) -> None:
    assert expected is read(Metadata=metadata).track


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("artists", {"xesam:artist": ["Ann", "Bob"]}, ("Ann", "Bob")),
        ("artists", {"xesam:artist": "Ann"}, ("Ann",)),  # bare, against the specification
        ("artists", {"xesam:artist": [1, "Ann"]}, ("Ann",)),
        ("artists", {"xesam:artist": ["x"] * 50}, ("x",) * 20),
        ("title", {"xesam:title": "x" * 10_000}, "x" * 500),
        ("title", {"xesam:title": "", "xesam:url": "file:///elsewhere/My%20Tune.mp3"}, "My Tune.mp3"),
        ("length", {"mpris:length": 0}, None),
        ("length", {"mpris:length": -1}, None),
        ("length", {"mpris:length": True}, None),
        ("length", {"mpris:length": 1_500_000}, 1.5),
        ("art_url", {"mpris:artUrl": "https://art.example/a.png"}, "https://art.example/a.png"),
        ("art_url", {"mpris:artUrl": "file:///music/cover.png"}, None),
        ("art_url", {"mpris:artUrl": "data:image/png;base64,AAAA"}, None),
        ("art_url", {"mpris:artUrl": "https://art.example/" + "x" * 3000}, None),
        ("uri", {"xesam:url": "file:///music/a.mp3"}, "a.mp3"),
        ("uri", {"xesam:url": "file:///home/me/a.mp3"}, None),
    ],
)
def test_a_track_is_read_with_care(field: str, value: dict[str, Any], expected: object) -> None:
    assert expected == getattr(track(**value), field)


@pytest.mark.parametrize(
    ("volume", "expected"), [(0.5, 0.5), (1.3, 1.0), (-1.0, 0.0), (float("nan"), None), ("loud", None), (None, None)]
)
def test_volume_is_between_silence_and_full(volume: object, expected: float | None) -> None:
    assert expected == read(Volume=volume).volume


@pytest.mark.parametrize(("rate", "expected"), [(2.0, 2.0), (0.0, 1.0), (-1.0, 1.0), (1e9, 1.0), (float("nan"), 1.0)])
def test_a_rate_that_makes_no_sense_is_one(rate: float, expected: float) -> None:
    assert expected == read(Rate=rate).rate


@pytest.mark.parametrize(
    ("told", "status"), [("Playing", "playing"), ("Paused", "paused"), ("Odd", "stopped"), (None, "stopped")]
)
def test_an_unknown_status_is_stopped(told: object, status: str) -> None:
    assert Status(status) is read(PlaybackStatus=told).status


@pytest.mark.parametrize(
    ("trackid", "expected"),
    [("/0", "/0"), (values.NO_TRACK, None), ("0", None), (None, None), (7, None), ("//", None), ("/a b", None)],
)
def test_only_an_object_path_is_a_track_that_can_be_positioned(trackid: object, expected: str | None) -> None:
    assert expected == values.track_object({"Metadata": {"mpris:trackid": trackid}})
