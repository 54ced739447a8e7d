"""The whole way: a program asks the real daemon, the desktop asks the owner, a pointer answers."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from bridge.consent.notification_surface import EARLY_SECONDS
from tests.parts.bus import PrivateBus
from tests.parts.daemon import Daemon
from tests.parts.notification_daemon import FIRST, SECOND, NotificationDaemon
from tests.parts.processes import wait_until
from tests.parts.screen import Colour, Screen

pytestmark = pytest.mark.real

CLIENT = "native:my-tool"
DEADLINE_SECONDS = 20.0


def posts(daemon: Daemon, path: str, **form: str) -> tuple[int, Any]:
    """Send a form over TCP, as a program without a key does."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=DEADLINE_SECONDS)
    try:
        connection.request("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("button", "status", "member"), [(SECOND, 200, "access_token"), (FIRST, 400, "error")], ids=["allow", "deny"]
)
def test_a_press_of_a_button_lets_a_program_in_or_keeps_it_out(button: Colour, status: int, member: str) -> None:
    with PrivateBus() as bus, Screen() as screen, NotificationDaemon(bus, screen), Daemon(env=bus.env) as daemon:
        _, device = posts(daemon, "/oauth/device_authorization", client_id=CLIENT, scope="system:read")
        wait_until(lambda: b"the desktop shows them" in daemon.log.read_bytes(), "a notification", seconds=20)
        shown = time.monotonic()
        wait_until(lambda: screen.middle(button) is not None, "its buttons", seconds=20)
        wait_until(lambda: time.monotonic() - shown > EARLY_SECONDS, "a person having read it")

        place = screen.middle(button)
        assert place is not None
        screen.click(place)
        wait_until(lambda: not daemon.ask("GET", "/oauth/requests")["requests"], "the answer", seconds=20)
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        answer = posts(daemon, "/oauth/token", grant_type=grant, device_code=device["device_code"], client_id=CLIENT)

    assert status == answer[0]
    assert member in answer[1]
    if button == FIRST:
        assert "access_denied" == answer[1]["error"]


def test_answered_in_the_terminal_it_leaves_the_screen() -> None:
    with PrivateBus() as bus, Screen() as screen, NotificationDaemon(bus, screen), Daemon(env=bus.env) as daemon:
        _, device = posts(daemon, "/oauth/device_authorization", client_id=CLIENT, scope="system:read")
        wait_until(lambda: screen.middle(SECOND) is not None, "a notification", seconds=20)
        daemon.ask("POST", f"/oauth/requests/{device['user_code']}", {"answer": "allow"})
        wait_until(lambda: screen.middle(SECOND) is None, "its end", seconds=20)
