import os
from pathlib import Path

import pytest

from bridge.apps.player import uris
from bridge.apps.player.errors import UriRefused


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A music folder with two tunes, and beside it what must not be reached."""
    folder = tmp_path / "Music"
    (folder / "Album").mkdir(parents=True)
    (folder / "a b.mp3").touch()
    (folder / "Album" / "ü#1.mp3").touch()
    (folder / "100%25.mp3").touch()
    (tmp_path / "secret.mp3").touch()
    (tmp_path / "Music2").mkdir()
    (tmp_path / "Music2" / "x.mp3").touch()
    (folder / "out.mp3").symlink_to(tmp_path / "secret.mp3")
    (folder / "outdir").symlink_to(tmp_path)
    (folder / "in.mp3").symlink_to(folder / "a b.mp3")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe.mp3")
    return folder


@pytest.mark.parametrize(
    "uri",
    [
        "http://radio.example/live",
        "https://radio.example:8443/live.mp3?x=%2F..#t",
        "HTTPS://radio.example/",
        "http://[::1]:8000/live",
        "http://192.168.1.9/jukebox",
    ],
)
def test_web_uris_are_taken_as_they_are(uri: str) -> None:
    assert uri == uris.source(uri, [])


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("a b.mp3", "a b.mp3"),
        ("./a b.mp3", "a b.mp3"),
        ("Album/ü#1.mp3", "Album/ü#1.mp3"),
        ("100%25.mp3", "100%25.mp3"),  # a path is not decoded
        ("in.mp3", "a b.mp3"),  # a symlink that stays within
        ("file://{music}/a%20b.mp3", "a b.mp3"),
        ("FILE://{music}/a%20b.mp3", "a b.mp3"),
        ("file://localhost{music}/Album/%C3%BC%231.mp3", "Album/ü#1.mp3"),
        ("file://{music}/100%2525.mp3", "100%25.mp3"),
        ("file:{music}/a%20b.mp3", "a b.mp3"),
    ],
)
def test_files_below_a_music_folder_are_taken_resolved(uri: str, path: str, music: Path) -> None:
    assert (music / path).resolve() == uris.source(uri.format(music=music), [music])


@pytest.mark.parametrize(
    "uri",
    [
        # other schemes
        "javascript:alert(1)",
        "data:audio/wav;base64,AA",
        "smb://host/share/a.mp3",
        "ftp://host/a.mp3",
        "edl://a b.mp3",
        "memory://x",
        "av://lavfi:sine",
        "fd://0",
        "dvd://",
        "blob:http://x/1",
        "C:/Music/a.mp3",
        "view-source:x",
        # malformed web URIs
        "http:",
        "http://",
        "http:///path",
        "https:radio.example",
        "http://user:pw@radio.example/",
        "http://x:99999/",
        "http://[::1",
        "http://radio.example/a b",
        "http://radio.example/\u00fc",
        "http:\\\\radio.example",
        "http://x/\r\nA: b",
        "http://x/\x00",
        " http://radio.example/",
        "http://@/x",
        # out of the folder
        "../secret.mp3",
        "Album/../../secret.mp3",
        "Album/../a b.mp3",
        "/etc/passwd",
        "{music}/a b.mp3",
        "out.mp3",
        "outdir/secret.mp3",
        "outdir/Music/a b.mp3/../../../secret.mp3",
        "file:///etc/passwd",
        "file://{music}/../secret.mp3",
        "file://{music}/%2e%2e/secret.mp3",
        "file://{music}/%2E%2E%2Fsecret.mp3",
        "file://{music}/out.mp3",
        "file://{music}/outdir/secret.mp3",
        "file://{music}2/x.mp3",
        "file://{music}/..%2fsecret.mp3",
        "~/a.mp3",
        # tricks of encoding
        "file://{music}/%252e%252e/secret.mp3",
        "file://{music}/a%20b.mp3%00.txt",
        "a b.mp3\x00",
        "file://{music}/a%2",
        "file://{music}/%ff.mp3",
        "file://{music}/Album%2F%C3%BC%231.mp3",
        "file://{music}/..%5csecret.mp3",
        "..\\secret.mp3",
        "file://{music}/a%20b.mp3?x",
        "file://{music}/a%20b.mp3#x",
        "file://{music}/a%0Ab.mp3",
        # files of elsewhere, and none
        "file://host{music}/a%20b.mp3",
        "file://localhost:80{music}/a%20b.mp3",
        "file://127.0.0.1{music}/a%20b.mp3",
        "file:a%20b.mp3",
        "file://",
        "file:",
        "file:///{music}/a%20b.mp3",
        "",
        ".",
        "Album",
        "pipe.mp3",
        "loop",
        "none.mp3",
    ],
)
def test_everything_else_is_refused(uri: str, music: Path) -> None:
    with pytest.raises(UriRefused):
        uris.source(uri.format(music=music), [music])


def test_a_refusal_does_not_say_whether_the_file_exists(music: Path) -> None:
    refusals = []
    for uri in (f"file://{music.parent}/secret.mp3", f"file://{music.parent}/nothing.mp3", "none.mp3", "out.mp3"):
        with pytest.raises(UriRefused) as refused:
            uris.source(uri, [music])
        refusals.append(refused.value.detail)

    assert 1 == len(set(refusals))


def test_a_music_folder_may_itself_be_a_symlink(music: Path) -> None:
    link = music.parent / "link"
    link.symlink_to(music)

    assert (music / "a b.mp3").resolve() == uris.source("a b.mp3", [link])


def test_the_first_folder_that_has_the_path_wins(music: Path) -> None:
    other = music.parent / "Music2"

    assert (other / "x.mp3").resolve() == uris.source("x.mp3", [music, other])


def test_a_missing_music_folder_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(UriRefused):
        uris.source("a.mp3", [tmp_path / "none"])


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://radio.example/live?x=1", "https://radio.example/live?x=1"),
        ("http://user:pw@radio.example:80/live", "http://radio.example:80/live"),
        ("http://[broken", None),
        ("file:///music/Album/a%20b.mp3", "Album/a b.mp3"),
        ("file:///music2/a.mp3", None),
        ("file:///home/me/secret.mp3", None),
        ("file:///music/../home/a.mp3", None),
        ("file://host/music/a.mp3", None),
        ("cdda://1", None),
        ("", None),
    ],
)
def test_a_page_sees_web_uris_and_paths_within_the_music_folder_only(uri: str, shown: str | None) -> None:
    assert shown == uris.shown(uri, [Path("/music")])


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "canary:x",
            "http://a:canary/",
            "http://[canary/",
            "http://a:1canary/",
            "http://canary@a/",
            "file://canary/x",
        ),
        *("http://[v1.canary/", "http://a\u2100canary/", "file:canary", "file:///canary", "canary", "/canary"),
        *(
            "http://[canary]/",
            "file:///x?canary",
            "file:///canary%ff",
            "../canary",
            "canary\x00",
            "http://a:99999canary",
        ),
    ],
)
def test_a_refusal_repeats_nothing_of_the_uri(uri: str, tmp_path: Path) -> None:
    with pytest.raises(UriRefused) as refused:
        uris.source(uri, [tmp_path])

    assert "canary" not in str(refused.value.problem())
    assert uri not in str(refused.value.problem())
