"""Decisions of the policy that a planted fault showed to be in no row of its table (scripts/mutate)."""

import pytest

from bridge.front.policy import Kind, Place, may_speak
from bridge.front.reasons import Reason, Refused

PLACE = Place("127.0.0.1:4380", frozenset(), frozenset())
LINE = {"method": "GET", "target": "/v1/hello", "version": (1, 1)}


@pytest.mark.parametrize("name", [b"Sec-Fetch-Site", b"Sec-Fetch-Dest", b"Service-Worker"])
def test_what_a_browser_adds_may_stand_twice_and_then_the_last_counts(name: bytes) -> None:
    host = (b"Host", b"127.0.0.1:4380")

    with pytest.raises(Refused) as refused:
        may_speak(Kind.OPEN, PLACE, headers=[host, (name, b"none"), (name, b"script")], **LINE)  # type: ignore[arg-type]

    expected = Reason.SERVICE_WORKER if name == b"Service-Worker" else Reason.BROWSER_WITHOUT_ORIGIN
    assert expected == refused.value.reason
