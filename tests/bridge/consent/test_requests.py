import pytest

from bridge.consent.requests import BOUND, UNPOLLED_SECONDS, Pending, Requests, shown
from bridge.errors import NotFound, TooMany
from oauth.models import AuthorizationRequest


class Hand:
    """A clock that is moved by hand, in seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def _clock() -> Hand:
    return Hand()


@pytest.fixture(name="requests")
def _requests(clock: Hand) -> Requests:
    return Requests(clock)


def ask(requests: Requests, origin: str = "https://a.example") -> Pending:
    return requests.open(
        AuthorizationRequest(client_id=origin, redirect_uri=f"{origin}/", scopes=frozenset({"a:b"}), challenge="c")
    )


def test_a_code_is_read_as_people_type_it(requests: Requests) -> None:
    pending = ask(requests)

    assert pending is requests.pending(shown(pending.code).lower())
    assert pending is requests.pending(pending.code)


def test_a_newer_request_of_the_same_client_replaces_the_older(requests: Requests) -> None:
    older, newer = ask(requests), ask(requests)

    with pytest.raises(NotFound):
        requests.poll(older.handle.reveal())
    assert [newer] == requests.waiting()


def test_a_request_that_nobody_polls_is_gone(requests: Requests, clock: Hand) -> None:
    pending = ask(requests)
    clock.now = UNPOLLED_SECONDS - 1
    requests.poll(pending.handle.reveal())
    clock.now += UNPOLLED_SECONDS

    assert pending is requests.poll(pending.handle.reveal())
    clock.now += UNPOLLED_SECONDS + 1
    with pytest.raises(NotFound):
        requests.pending(pending.code)


def test_a_page_that_waits_keeps_its_request(requests: Requests, clock: Hand) -> None:
    pending = ask(requests)
    pending.waiters = 1
    clock.now = UNPOLLED_SECONDS * 2

    assert [pending] == requests.waiting()


def test_an_answered_request_has_no_code_any_more(requests: Requests) -> None:
    pending = ask(requests)
    pending.settle("denied", "https://a.example/?error=access_denied")

    with pytest.raises(NotFound):
        requests.pending(pending.code)
    assert pending is requests.poll(pending.handle.reveal())


def test_the_queue_is_bounded(requests: Requests) -> None:
    for number in range(BOUND):
        ask(requests, f"https://{number}.example")

    with pytest.raises(TooMany):
        ask(requests, "https://one-more.example")
