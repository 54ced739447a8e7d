"""`tollbridge open` leads a browser to a secret link by way of a page that cleans up, and writes it down nowhere."""

import html
import json
import os
import re
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from bridge.cli.activation import browser_command, redirect_page, write_redirect
from bridge.errors import BridgeError
from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble

LINK = "http://127.0.0.1:4380/#activate=SECRET-abc_123"

BROWSER = """\
#!{python}
import json, os, re, sys, urllib.parse, urllib.request
file = urllib.parse.urlsplit(sys.argv[1]).path
told = {{"argv": sys.argv[1:], "file": open(file).read(), "mode": os.stat(file).st_mode}}
parents = os.getppid()
told["parent_argv"] = open(f"/proc/{{parents}}/cmdline").read()
if not {status}:
    (address,) = re.findall(r'content="0;url=([^"]*)"', told["file"])
    open_ = urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open
    told["address"], told["page"] = address, open_(address, timeout=20).read().decode()
open({out!r}, "w").write(json.dumps(told))
sys.exit({status})
"""

DEADLINE_SECONDS = 20.0


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


@contextmanager
def begun(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command line as a process of its own, and go on meanwhile."""
    command = [sys.executable, "-m", "bridge", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            yield run
        finally:
            run.kill()


def line_of(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def visited(address: str) -> str:
    """Return the page that is at ``address``."""
    open_ = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    with open_(address, timeout=DEADLINE_SECONDS) as answer:
        return str(answer.read().decode())


def test_the_browser_gets_a_private_file_that_leads_to_a_page_that_leads_to_the_link(
    process: Cli, browser: Path
) -> None:
    ran = process("open")

    seen = json.loads(browser.read_text())
    assert 0 == ran.status
    assert 0o600 == stat.S_IMODE(seen["mode"])
    assert "<script" not in seen["file"]
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/[A-Za-z0-9_-]{43}", seen["address"])
    assert not seen["address"].startswith("http://127.0.0.1:4380/"), "another origin than the daemon's"
    assert f'data-link="{LINK}"' in seen["page"]


def test_the_secret_stands_in_no_argument_list_no_file_and_no_output(process: Cli, browser: Path) -> None:
    ran = process("open")

    seen = json.loads(browser.read_text())
    assert 1 == len(seen["argv"])
    assert seen["argv"][0].startswith("file:///")
    for place in (seen["argv"][0], seen["parent_argv"], ran.out, ran.err):
        assert "SECRET" not in place
        assert seen["address"] not in place
    assert "SECRET" not in seen["file"]


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
    (home / "other").mkdir(mode=0o700)
    (home / "target").mkdir()
    (home / "other" / "tollbridge").symlink_to(home / "target")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "other"))

    with pytest.raises(BridgeError):
        write_redirect(LINK)


def test_print_shows_an_address_alone_writes_no_file_and_waits_for_a_visit(daemon: DaemonDouble, browser: Path) -> None:
    with begun("open", "--print") as run:
        address = line_of(run.stdout).strip()
        assert run.poll() is None

        assert f'data-link="{LINK}"' in visited(address)

        out, err = run.communicate(timeout=DEADLINE_SECONDS)
    assert (0, "") == (run.returncode, out)
    assert "once, within 2 min and while this command runs; show it to nobody" in err
    assert not browser.exists()
    assert not (daemon.folder / "open.html").exists()


def test_without_a_desktop_the_address_is_printed_with_what_it_is(daemon: DaemonDouble) -> None:
    with begun("open") as run:
        visited(line_of(run.stdout).strip())
        _, err = run.communicate(timeout=DEADLINE_SECONDS)

    assert 0 == run.returncode
    assert "No browser could be opened here." in err
    assert "show it to nobody" in err
    assert not (daemon.folder / "open.html").exists()


def test_a_browser_that_fails_is_no_browser(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(home, monkeypatch, status=3)

    with begun("open") as run:
        assert f'data-link="{LINK}"' in visited(line_of(run.stdout).strip())


def test_a_browser_that_does_not_exist_is_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "/nowhere/at-all")

    with begun("open") as run:
        assert f'data-link="{LINK}"' in visited(line_of(run.stdout).strip())


@pytest.mark.parametrize("arguments", [("open",), ("open", "--print")])
def test_when_no_browser_comes_it_ends_with_the_link(
    daemon: DaemonDouble, cli: Cli, arguments: tuple[str, ...]
) -> None:
    daemon.answers["POST", "/v1/activation-links"] = 200, {"link": LINK, "expires_in": 0.1}

    ran = cli(*arguments)

    assert 1 == ran.status
    assert "No browser came within" in ran.err
    assert "Run `tollbridge open` again." in ran.err
    with pytest.raises(OSError, match="refused"):
        visited(ran.out.strip())


def test_ctrl_c_ends_it_at_once(daemon: DaemonDouble) -> None:
    assert daemon.folder.is_dir()
    with begun("open", "--print") as run:
        address = line_of(run.stdout).strip()
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=DEADLINE_SECONDS)

    assert 130 == run.returncode
    assert "Traceback" not in err
    with pytest.raises(OSError, match="refused"):
        visited(address)


def test_the_help_says_what_happens_first_and_how_long_it_waits(cli: Cli) -> None:
    told = " ".join(cli("open", "--help").out.split())

    assert "forget all that it keeps of the daemon's address" in told
    assert "after two minutes" in told
    assert "Ctrl-C" in told
    assert "Print an address to open by hand, and wait until it was." in told


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


@pytest.mark.parametrize("browser", ['x "y', "x 'y", "x \\"])
def test_a_browser_that_is_no_command_line_is_one_sentence(
    home: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, browser: str
) -> None:
    monkeypatch.setenv("BROWSER", browser)

    ran = cli("open")

    assert (1, "") == (ran.status, ran.out)
    assert re.fullmatch(r"BROWSER is not a command line \(no [a-z ]+\)\. Correct it, or use --print\.\n", ran.err)
    assert not list(home.rglob("open.html"))
