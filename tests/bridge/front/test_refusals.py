"""Whoever is refused again and again fills neither the log nor the list, and is still counted to the last one."""

import logging

import pytest

from bridge.front.reasons import Reason
from bridge.front.refusals import KEPT, KEYS, Refusals
from tests.oauth.clock import FakeClock

Heard = list[tuple[str, str | None]]


@pytest.fixture(name="heard")
def _heard() -> Heard:
    return []


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="refusals")
async def _refusals(heard: Heard, clock: FakeClock) -> Refusals:
    return Refusals(lambda code, origin: heard.append((code, origin)), clock)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, int | None]]:
    """Return sentence, reason and count of every line."""
    return [(each.getMessage(), vars(each)["reason"], vars(each).get("count")) for each in caplog.records]


def stranger(refusals: Refusals, origin: str = "https://stranger.example", reason: Reason = Reason.HOST) -> None:
    refusals.note(reason, method="GET", path="/v1/hello", origin=origin)


async def test_the_same_again_is_one_line_one_entry_and_a_sum(
    refusals: Refusals, heard: Heard, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(8000):
        refusals.note(Reason.PEER_FOREIGN, method="-", path="-", origin=None)
        clock.now += 0.001
    (entry,) = refusals.list()

    assert 8000 == entry.count
    assert "-" == entry.method
    assert entry.time.endswith("Z")
    assert 8000 == len(heard)
    assert [("refused", "peer_foreign", None)] == lines(caplog)

    refusals.close()

    assert ("refused again", "peer_foreign", 7999) == lines(caplog)[-1]
    assert 8 == vars(caplog.records[-1])["seconds"]


async def test_another_reason_route_method_or_origin_is_another_entry(refusals: Refusals) -> None:
    stranger(refusals)
    stranger(refusals, reason=Reason.FORWARDED)
    stranger(refusals, origin="https://other.example")
    refusals.note(Reason.HOST, method="POST", path="/v1/hello", origin="https://stranger.example")
    refusals.note(Reason.HOST, method="GET", path="/", origin="https://stranger.example")

    assert [1] * 5 == [entry.count for entry in refusals.list()]


async def test_the_last_one_stands_last(refusals: Refusals) -> None:
    stranger(refusals, "https://one.example")
    stranger(refusals, "https://two.example")
    stranger(refusals, "https://one.example")

    assert ["https://two.example", "https://one.example"] == [entry.origin for entry in refusals.list()]


async def test_ever_new_origins_push_out_each_other_and_nothing_else(refusals: Refusals) -> None:
    refusals.note(Reason.ORIGIN_NULL, method="GET", path="/v1/apps", origin="null")
    for number in range(1000):
        stranger(refusals, f"https://{number}.example")

    kept = refusals.list()

    assert KEPT == len(kept)
    assert "null" == kept[0].origin
    assert "https://999.example" == kept[-1].origin


async def test_ever_new_origins_write_a_bounded_number_of_lines(
    refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for number in range(1000):
        stranger(refusals, f"https://{number}.example")

    assert KEYS + 1 == len(caplog.records)

    refusals.close()

    assert ("refused again", "host", 1000 - KEYS - 1) == lines(caplog)[-1]
