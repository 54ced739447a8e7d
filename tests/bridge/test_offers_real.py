"""Offers of the real daemon: they outlive it, whichever way it dies, and never run more often than they say."""

import http.client
import json
from collections.abc import Iterator

import pytest

from tests.parts.daemon import Daemon

pytestmark = pytest.mark.real

PROGRAM = '''
import os, signal, sys
from pathlib import Path

import msgspec

from bridge import config, paths
from bridge.apps.port import App
from bridge.daemon import run
from bridge.front.dispatch import Dispatch
from bridge.front.offers import OfferRoutes
from bridge.messages import Effect

home = Path(os.environ["HOME"])
class Rung(msgspec.Struct, frozen=True):
    """Nothing to say."""

app = App("bell", title="Bell", scopes={"bell:ring": "Ring"})

@app.command(scope="bell:ring", effect=Effect.ACT)
def ring() -> Rung:
    """Ring, and write that down for good."""
    with (home / "rung").open("a") as file:
        file.write("ring\\n")
        os.fsync(file.fileno())
    if (home / "die-after").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return Rung()

counted = OfferRoutes._run

async def dies(self, *given):
    if (home / "die-before").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return await counted(self, *given)

OfferRoutes._run = dies
sys.exit(run(config.read(paths.config_file()), lambda settings: [app]))
'''
"""A daemon that a crash ends between the count of a use and its run, or between that and the answer."""


@pytest.fixture(name="daemon")
def _daemon() -> Iterator[Daemon]:
    with Daemon(program=("-c", PROGRAM)) as daemon:
        yield daemon


def redeem(daemon: Daemon, offer: str) -> int:
    """Return the status of an answer to a page of anybody's; 0 where none came."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=15)
    headers = {"Content-Type": "application/json", "Origin": "https://anybody.example"}
    try:
        connection.request("POST", "/v1/offers/redeem", json.dumps({"offer": offer}), headers)
        answer = connection.getresponse()
        answer.read()
    except (ConnectionError, http.client.HTTPException):
        return 0
    else:
        return answer.status
    finally:
        connection.close()


def rung(daemon: Daemon) -> int:
    file = daemon.home / "rung"
    return len(file.read_text().splitlines()) if file.exists() else 0


def used(daemon: Daemon) -> list[int]:
    return [offer["used"] for offer in daemon.ask("GET", "/v1/offers")["offers"]]


def offered(daemon: Daemon, uses: int) -> str:
    return str(daemon.ask("POST", "/v1/offers", {"command": "bell.ring", "uses": uses})["offer"])


@pytest.mark.parametrize(("when", "runs"), [("die-before", 1), ("die-after", 2)])
def test_a_crash_between_count_run_and_answer_never_makes_one_run_more(daemon: Daemon, when: str, runs: int) -> None:
    offer = offered(daemon, 2)
    (daemon.home / when).touch()
    assert 0 == redeem(daemon, offer)
    daemon.kill()
    (daemon.home / when).unlink()

    daemon.start()

    assert [1] == used(daemon), "the use was counted for good before the command began"
    assert [200, 410, 410] == [redeem(daemon, offer) for _ in range(3)]
    assert runs == rung(daemon)


def test_an_offer_outlives_a_crash_but_not_the_identity(daemon: Daemon) -> None:
    offer, other = offered(daemon, 2), offered(daemon, 1)
    daemon.kill()
    daemon.start()
    assert [200, 200] == [redeem(daemon, offer), redeem(daemon, other)]
    daemon.stop()
    identity = daemon.home / "state/tollbridge/identity"
    identity.unlink()

    daemon.start()

    assert 404 == redeem(daemon, offer)
    assert 2 == rung(daemon)


def test_an_offer_that_was_taken_back_stays_so_after_a_crash(daemon: Daemon) -> None:
    offer = offered(daemon, 2)
    (listed,) = daemon.ask("GET", "/v1/offers")["offers"]
    assert (204, None) == daemon.send("DELETE", f"/v1/offers/{listed['id']}")
    daemon.kill()

    daemon.start()

    assert (410, 0) == (redeem(daemon, offer), rung(daemon))
