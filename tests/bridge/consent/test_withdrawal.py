"""A request that its page took back: its place is free at once, and nobody makes a desktop blink that way."""

import pytest

from bridge.consent.requests import AGAIN_SECONDS, BOUND, Pending, Requests
from bridge.errors import Gone, NotFound
from tests.bridge.consent.questions import Hand, device, page


class Changes:
    """How often the queue said that what waits has changed."""

    count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture(name="clock")
def _clock() -> Hand:
    return Hand()


@pytest.fixture(name="changes")
def _changes() -> Changes:
    return Changes()


@pytest.fixture(name="requests")
def _requests(clock: Hand, changes: Changes) -> Requests:
    return Requests(clock, is_waited_for=lambda _: True, dropped=lambda _: None, changed=changes)


def leaves(requests: Requests, pending: Pending) -> None:
    requests.withdraw(pending.handle.reveal())


def test_what_was_withdrawn_is_over_and_the_surfaces_are_told(requests: Requests, changes: Changes) -> None:
    pending = requests.open(page())
    before = changes.count
    leaves(requests, pending)

    assert before + 1 == changes.count
    assert [] == requests.waiting()
    with pytest.raises(NotFound):
        requests.poll(pending.handle.reveal())
    with pytest.raises(Gone):
        requests.pending(pending.code)
    leaves(requests, pending)
    assert before + 1 == changes.count, "there was nothing any more"


def test_what_is_answered_or_about_to_be_is_not_withdrawn(requests: Requests) -> None:
    pending = requests.open(page())
    pending.is_taken = True  # its answer is being made durable
    leaves(requests, pending)
    requests.settle(pending, "denied", "https://a.example/?error=access_denied")
    leaves(requests, pending)

    assert pending is requests.poll(pending.handle.reveal())


def test_a_site_that_asks_again_after_it_left_is_quiet_for_a_while(requests: Requests, clock: Hand) -> None:
    leaves(requests, requests.open(page()))
    assert requests.open(page("https://b.a.example")).is_quiet
    assert not requests.open(page("https://b.example")).is_quiet

    clock.now += AGAIN_SECONDS
    requests.prune()
    assert not requests.open(page()).is_quiet


def test_one_site_after_the_other_in_a_window_that_is_led_on_is_quiet(requests: Requests, clock: Hand) -> None:
    for number in range(BOUND):
        opened = requests.open(page(f"https://victim{number}.example"))
        assert not opened.is_quiet
        leaves(requests, opened)

    assert requests.open(page("https://another.example")).is_quiet
    assert not requests.open(device()).is_quiet, "no window asks for a device"
    clock.now += AGAIN_SECONDS
    requests.prune()
    assert not requests.open(page("https://third.example")).is_quiet
