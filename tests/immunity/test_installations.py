"""What two installations share, and what an installation leaves on the machine: nothing (facts S-33, S-50, S-51)."""

import os
import re
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from tests.parts.daemon import Daemon

ROOT = Path(__file__).parents[2]
SHIPPED = ("bridge", "oauth", "web_client/src", "web_client/pages")
TRUST_STORES = (
    "/etc/ssl/certs",
    "/etc/pki",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "~/.pki",
    "~/.mozilla",
    "~/.config/chromium",
)
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|\"d\"\s*:\s*\"[A-Za-z0-9_-]{20,}\"")


def secrets_of(daemon: Daemon) -> dict[str, bytes]:
    """Return everything that an installation knows and others must not guess."""
    state = daemon.home / "state/tollbridge"
    with closing(sqlite3.connect(state / "grants.sqlite")) as database:
        (refresh_key,) = database.execute("SELECT value FROM meta WHERE name = 'refresh_key'").fetchone()
    epoch = str(daemon.ask("GET", "/v1/events?wait=0")["cursor"]).partition(".")[0]
    return {
        "identity": (state / "identity").read_bytes(),
        "refresh key": bytes(refresh_key),
        "epoch": epoch.encode(),
        "token": daemon.token("player:read").encode(),
        "link": str(daemon.ask("POST", "/v1/activation-links")["link"]).partition("=")[2].encode(),
    }


@pytest.mark.real
def test_two_fresh_installations_share_no_secret() -> None:
    with Daemon() as one, Daemon() as other:
        first, second = secrets_of(one), secrets_of(other)

    assert not set(first.values()) & set(second.values())
    # An epoch is no secret, only different for everybody.
    assert [] == [name for name, value in first.items() if len(value) < 16 and name != "epoch"]
    assert 32 == len(first["identity"]) == len(first["refresh key"])


@pytest.mark.real
def test_an_empty_or_placeholder_identity_is_refused() -> None:
    for weak in (b"", b"changeme", b"undefined", b"null", b"x" * 31):
        with Daemon() as daemon:
            daemon.stop()
            file = daemon.home / "state/tollbridge/identity"
            file.write_bytes(weak)

            ran = daemon.cli("run")

            assert 1 == ran.returncode
            assert str(file) in ran.stderr
            assert weak == file.read_bytes()


def test_no_private_key_is_part_of_the_product() -> None:
    files = [file for folder in SHIPPED for file in (ROOT / folder).rglob("*") if file.is_file()]

    assert len(files) > 100
    assert [] == [file for file in files if PRIVATE_KEY.search(file.read_bytes())]
    assert [] == [file for file in files if file.suffix in (".pem", ".key", ".p12", ".pfx", ".jks")]


@pytest.mark.real
def test_nothing_of_ours_answers_to_tls() -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        Daemon() as daemon,
        socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def prints(place: Path) -> Iterator[tuple[str, str]]:
    """Yield each file below ``place`` with the hash of what it holds."""
    for folder, _, names in os.walk(place):
        for name in names:
            file = Path(folder, name)
            if file.is_file():
                yield str(file), sha256(file.read_bytes()).hexdigest()


@pytest.mark.real
def test_no_store_of_trusted_certificates_is_touched() -> None:
    # The daemon of the test has a home of its own: its browsers' stores would stand there.
    places = [Path(place).expanduser() for place in TRUST_STORES]
    before = {place: dict(prints(place)) for place in places}

    with Daemon() as daemon:
        daemon.ask("POST", "/v1/activation-links")
        daemon.token("player:read")
        made = {path.name for path in daemon.home.rglob("*")}

    assert before == {place: dict(prints(place)) for place in places}
    assert not made & {".pki", ".mozilla", "nssdb", "cert9.db", "key4.db"}
