"""`tollbridge open` hands a secret link over without ever writing it into an argument list."""

import html
import json
import os
import re
import stat
import sys
from pathlib import Path

import pytest

from bridge.cli.activation import browser_command, redirect_page, write_redirect
from bridge.errors import BridgeError
from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble

LINK = "http://127.0.0.1:4380/#activate=SECRET-abc_123"

BROWSER = """\
#!{python}
import json, os, sys, urllib.parse, urllib.request
page = urllib.parse.urlsplit(sys.argv[1]).path
told = {{"argv": sys.argv[1:], "page": open(page).read(), "mode": os.stat(page).st_mode}}
parents = os.getppid()
told["parent_argv"] = open(f"/proc/{{parents}}/cmdline").read()
open({out!r}, "w").write(json.dumps(told))
sys.exit({status})
"""


@pytest.fixture(autouse=True)
def _link(daemon: DaemonDouble) -> None:
    daemon.answers["POST", "/v1/activation-links"] = 200, {"link": LINK, "expires_in": 120}


@pytest.fixture(name="browser")
def _browser(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return _install(home, monkeypatch, status=0)


def _install(home: Path, monkeypatch: pytest.MonkeyPatch, *, status: int) -> Path:
    """Make a real program the browser: it writes down what it was started with."""
    out = home / "seen.json"
    program = home / "browser"
    program.write_text(BROWSER.format(python=sys.executable, out=str(out), status=status))
    program.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(program))
    return out


def test_the_browser_gets_a_private_file_that_redirects(process: Cli, browser: Path) -> None:
    ran = process("open")

    seen = json.loads(browser.read_text())
    assert 0 == ran.status
    assert 0o600 == stat.S_IMODE(seen["mode"])
    assert f'content="0;url={LINK}"' in seen["page"]
    assert "<script" not in seen["page"]


def test_the_secret_stands_in_no_argument_list_and_in_no_output(process: Cli, browser: Path) -> None:
    ran = process("open")

    seen = json.loads(browser.read_text())
    assert 1 == len(seen["argv"])
    assert seen["argv"][0].startswith("file:///")
    assert "SECRET" not in seen["argv"][0]
    assert "SECRET" not in seen["parent_argv"]
    assert "SECRET" not in ran.out + ran.err


def test_the_file_is_private_in_a_private_folder_whatever_the_umask(home: Path) -> None:
    before = os.umask(0)
    try:
        file = write_redirect(LINK)
    finally:
        os.umask(before)

    assert file == home / "run" / "tollbridge" / "open.html"
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert 0o700 == stat.S_IMODE(file.parent.stat().st_mode)


def test_the_next_link_takes_the_place_of_the_last_one() -> None:
    write_redirect("http://127.0.0.1:4380/#activate=OLD")

    file = write_redirect(LINK)

    assert "OLD" not in file.read_text()
    assert [file] == sorted(file.parent.glob("*.html"))


def test_a_planted_link_in_place_of_the_file_is_replaced_not_followed(home: Path, daemon: DaemonDouble) -> None:
    (home / "elsewhere").write_text("mine")
    (daemon.folder / "open.html").symlink_to(home / "elsewhere")

    file = write_redirect(LINK)

    assert "mine" == (home / "elsewhere").read_text()
    assert not file.is_symlink()


def test_a_runtime_folder_that_is_a_link_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "other").mkdir()
    (home / "target").mkdir()
    (home / "other" / "tollbridge").symlink_to(home / "target")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "other"))

    with pytest.raises(BridgeError):
        write_redirect(LINK)


def test_print_shows_the_link_alone_and_writes_no_file(daemon: DaemonDouble, cli: Cli, browser: Path) -> None:
    ran = cli("open", "--print")

    assert (0, f"{LINK}\n", "") == (ran.status, ran.out, ran.err)
    assert not browser.exists()
    assert not (daemon.folder / "open.html").exists()


def test_without_a_desktop_the_link_is_printed_with_what_it_is(daemon: DaemonDouble, cli: Cli) -> None:
    ran = cli("open")

    assert (0, f"{LINK}\n") == (ran.status, ran.out)
    assert "No browser could be opened here." in ran.err
    assert "once, within 2 min; show it to nobody" in ran.err
    assert not (daemon.folder / "open.html").exists()


def test_a_browser_that_fails_is_no_browser(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(home, monkeypatch, status=3)

    assert f"{LINK}\n" == cli("open").out


def test_a_browser_that_does_not_exist_is_no_browser(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "/nowhere/at-all")

    assert f"{LINK}\n" == cli("open").out


def test_the_redirect_escapes_whatever_the_link_holds() -> None:
    page = redirect_page('http://127.0.0.1/#a"><script>alert(1)</script>&')

    assert "<script" not in page
    (target,) = re.findall(r'content="0;url=([^"]*)"', page)
    assert 'http://127.0.0.1/#a"><script>alert(1)</script>&' == html.unescape(target)


@pytest.mark.parametrize(
    ("browser", "words"),
    [
        ("firefox", ["firefox", "file:///a%20b"]),
        ("firefox --new-window %s &", ["firefox", "--new-window", "file:///a%20b"]),
        ("first:second", ["first", "file:///a%20b"]),
        ("'my browser'", ["my browser", "file:///a%20b"]),
    ],
)
def test_the_chosen_browser_is_started_as_its_variable_says(
    monkeypatch: pytest.MonkeyPatch, browser: str, words: list[str]
) -> None:
    monkeypatch.setenv("BROWSER", browser)

    assert words == browser_command(Path("/a b"))


@pytest.mark.usefixtures("home")
def test_a_desktop_has_its_own_way_and_no_desktop_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser_command(Path("/a")) is None

    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert ["/usr/bin/xdg-open", "file:///a"] == browser_command(Path("/a"))
