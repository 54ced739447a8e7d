"""The queue: one question a site, five in all, each over at most once."""

import pytest

from bridge.consent.requests import (
    AGAIN_SECONDS,
    BOUND,
    CODE_LETTERS,
    COMMAND_SECONDS,
    UNPOLLED_SECONDS,
    Pending,
    Requests,
    shown,
)
from bridge.errors import Gone, NotFound, TooMany
from tests.bridge.consent.questions import Hand, command, device, page


class Heard:
    """What the queue tells, and which devices still poll."""

    def __init__(self) -> None:
        self.polling = True
        self.dropped: list[Pending] = []
        self.changes = 0

    def changed(self) -> None:
        self.changes += 1


@pytest.fixture(name="clock")
def _clock() -> Hand:
    return Hand()


@pytest.fixture(name="heard")
def _heard() -> Heard:
    return Heard()


@pytest.fixture(name="requests")
def _requests(clock: Hand, heard: Heard) -> Requests:
    return Requests(clock, is_waited_for=lambda _: heard.polling, dropped=heard.dropped.append, changed=heard.changed)


def test_a_code_is_read_as_people_type_it(requests: Requests) -> None:
    pending = requests.open(page())

    assert pending is requests.pending(shown(pending.code).lower())
    assert pending is requests.pending(pending.code)
    assert set(pending.code) <= set(CODE_LETTERS)
    assert 9 == len(shown(pending.code))


def test_a_code_of_nobody_is_not_found(requests: Requests) -> None:
    requests.open(page())

    for code in ("", "BCDF-GHJK", "BCDFGHJKL", "é", "nothing"):
        with pytest.raises(NotFound):
            requests.pending(code)


@pytest.mark.parametrize(
    "newer",
    [page(), page("https://b.a.example"), page("https://a.example:8443"), device("https://c.a.example"), command()],
)
def test_a_newer_request_of_the_same_site_replaces_the_older(requests: Requests, heard: Heard, newer: object) -> None:
    older = requests.open(page())
    pending = requests.open(newer)  # type: ignore[arg-type]  # each of the three kinds

    with pytest.raises(NotFound):
        requests.poll(older.handle.reveal())
    with pytest.raises(Gone):
        requests.pending(older.code)
    assert [pending] == requests.waiting()
    assert [older] == heard.dropped


def test_requests_of_other_sites_wait_side_by_side_oldest_first(requests: Requests) -> None:
    origins = ["https://a.example", "https://b.example", "http://localhost:1", "http://localhost:2", "native:cli"]
    opened = [requests.open(page(origin)) for origin in origins]

    assert opened == requests.waiting()


def test_what_follows_a_request_that_had_gone_by_itself_is_not_quiet(requests: Requests, clock: Hand) -> None:
    assert not requests.open(page()).is_quiet
    clock.now += UNPOLLED_SECONDS + 1  # nobody polled

    assert not requests.open(page()).is_quiet


def test_what_replaces_a_younger_request_is_quiet_and_what_replaces_an_older_one_is_not(
    requests: Requests, clock: Hand
) -> None:
    requests.open(page()).waiters = 1
    clock.now += AGAIN_SECONDS - 0.1
    second = requests.open(page())
    second.waiters = 1
    clock.now += AGAIN_SECONDS
    third = requests.open(page())

    assert (True, False) == (second.is_quiet, third.is_quiet)


def test_a_request_after_an_answered_one_is_not_quiet(requests: Requests) -> None:
    requests.settle(requests.open(page()), "denied", "https://a.example/?error=access_denied")

    assert not requests.open(page()).is_quiet


def test_a_request_that_nobody_polls_is_gone(requests: Requests, clock: Hand, heard: Heard) -> None:
    pending = requests.open(page())
    clock.now += UNPOLLED_SECONDS - 1
    requests.poll(pending.handle.reveal())
    clock.now += UNPOLLED_SECONDS

    assert pending is requests.poll(pending.handle.reveal())
    before = heard.changes
    clock.now += UNPOLLED_SECONDS + 1
    requests.prune()
    assert before + 1 == heard.changes, "surfaces are told that it has gone"
    with pytest.raises(Gone):
        requests.pending(pending.code)
    with pytest.raises(NotFound):
        requests.poll(pending.handle.reveal())


def test_a_page_that_waits_keeps_its_request(requests: Requests, clock: Hand) -> None:
    pending = requests.open(page())
    pending.waiters = 1
    clock.now += UNPOLLED_SECONDS * 2

    assert [pending] == requests.waiting()


def test_a_device_keeps_its_request_as_long_as_it_polls(requests: Requests, heard: Heard, clock: Hand) -> None:
    pending = requests.open(device())
    clock.now += UNPOLLED_SECONDS * 10
    assert [pending] == requests.waiting()

    heard.polling = False
    assert [] == requests.waiting()
    assert [pending] == heard.dropped
    with pytest.raises(Gone):
        requests.pending(pending.code)


def test_a_command_waits_for_a_minute(requests: Requests, clock: Hand) -> None:
    pending = requests.open(command())
    clock.now += COMMAND_SECONDS - 0.1
    assert [pending] == requests.waiting()

    clock.now += 0.1
    with pytest.raises(Gone):
        requests.pending(pending.code)


@pytest.mark.parametrize("asked", [page(), device(), command()])
def test_an_answered_request_takes_no_second_answer(requests: Requests, asked: object, heard: Heard) -> None:
    pending = requests.open(asked)  # type: ignore[arg-type]  # each of the three kinds
    requests.settle(pending, "denied", "https://a.example/?error=access_denied")

    with pytest.raises(Gone):
        requests.pending(pending.code)
    assert [] == requests.waiting()
    assert [] == heard.dropped


def test_a_page_can_still_fetch_its_answer(requests: Requests) -> None:
    pending = requests.open(page())
    requests.settle(pending, "allowed", "https://a.example/?code=c")

    assert pending is requests.poll(pending.handle.reveal())
    assert pending.answered.is_set()


def test_a_request_whose_answer_is_being_written_is_over_for_the_others_and_still_there_for_its_page(
    requests: Requests, clock: Hand
) -> None:
    pending = requests.open(page())
    pending.is_taken = True
    clock.now += UNPOLLED_SECONDS * 2

    with pytest.raises(Gone):
        requests.pending(pending.code)
    assert [] == requests.waiting()
    assert "pending" == requests.poll(pending.handle.reveal()).status
    pending.is_taken = False
    assert pending is requests.pending(pending.code)


def test_five_sites_may_ask_and_for_a_sixth_the_oldest_of_its_kind_gives_way(requests: Requests) -> None:
    program = requests.open(device("native:lamp"))
    pages = [requests.open(page(f"https://{number}.{number}.example")) for number in range(BOUND - 1)]

    newer = requests.open(page("https://one-more.example"))
    assert [program, *pages[1:], newer] == requests.waiting()
    other = requests.open(device("native:radio"))
    assert [*pages[1:], newer, other] == requests.waiting()
    again = requests.open(page("https://1.1.example"))  # a site among them takes its own place
    assert [*pages[2:], newer, other, again] == requests.waiting()


def test_a_command_gives_way_to_nobody(requests: Requests) -> None:
    commands = [requests.open(command(f"https://{number}.{number}.example")) for number in range(BOUND)]

    with pytest.raises(TooMany):
        requests.open(page("https://one-more.example"))
    assert commands == requests.waiting()


def test_a_request_whose_answer_is_being_written_is_not_replaced(requests: Requests) -> None:
    taken = requests.open(page("https://a.example"))
    taken.is_taken = True

    requests.open(page("https://a.example"))
    requests.settle(taken, "allowed", "https://a.example/?code=c")

    assert "allowed" == requests.poll(taken.handle.reveal()).status


def test_who_is_let_in_without_a_question_takes_no_place_and_replaces_nothing(requests: Requests, heard: Heard) -> None:
    waiting = [requests.open(page(f"https://{number}.example")) for number in range(BOUND - 1)]
    waiting.append(requests.open(command()))
    changes = heard.changes

    admitted = requests.admit(page(), "https://a.example/?code=c")

    assert (waiting, changes, []) == (requests.waiting(), heard.changes, heard.dropped)
    assert ("allowed", "https://a.example/?code=c") == (
        admitted.status,
        admitted.redirect.reveal() if admitted.redirect else None,
    )
    assert admitted is requests.poll(admitted.handle.reveal())


def test_those_let_in_of_one_site_do_not_pile_up(requests: Requests) -> None:
    older, newer = (requests.admit(page(), "https://a.example/?code=c") for _ in range(2))

    with pytest.raises(NotFound):
        requests.poll(older.handle.reveal())
    assert newer is requests.poll(newer.handle.reveal())


def test_every_change_is_told(requests: Requests, heard: Heard) -> None:
    pending = requests.open(page())
    assert 1 == heard.changes
    requests.settle(pending, "denied", None)
    assert 2 == heard.changes


def test_an_open_page_is_found_by_its_handle_alone(requests: Requests) -> None:
    pending = requests.open(page())

    for handle in ("", pending.code, shown(pending.code)):
        with pytest.raises(NotFound):
            requests.poll(handle)
