import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth.errors import UseNonce
from oauth.nonces import MAX_STEP_BACK_SECONDS, SLOT_SECONDS, Nonces
from tests.oauth.clock import FakeClock

PAGE = "https://app.example"
START = 1_800_000_000.0
"""A slot begins here."""


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture(name="nonces")
def _nonces(clock: FakeClock) -> Nonces:
    return Nonces(clock)


def test_a_slot_is_five_minutes_and_a_small_step_back_a_second() -> None:
    assert (300.0, 1.0) == (SLOT_SECONDS, MAX_STEP_BACK_SECONDS)


def test_a_nonce_is_22_characters_of_base64url(nonces: Nonces) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", nonces.current(PAGE))
    assert 16 == len(base64.urlsafe_b64decode(nonces.current(PAGE) + "=="))


def test_the_secret_has_256_bits_and_never_comes_again(nonces: Nonces, clock: FakeClock) -> None:
    before = nonces._secret
    clock.forward(-2)
    assert nonces.current(PAGE)

    assert (32, 32) == (len(before), len(nonces._secret))
    assert len({before, nonces._secret, Nonces(clock)._secret}) == 3


def test_the_nonce_stays_for_its_slot(nonces: Nonces, clock: FakeClock) -> None:
    first = nonces.current(PAGE)

    clock.forward(299.9)
    assert first == nonces.current(PAGE)
    assert nonces.is_current(first, PAGE)
    clock.forward(0.1)
    assert first != nonces.current(PAGE)


def test_the_one_before_is_taken_and_told_apart(nonces: Nonces, clock: FakeClock) -> None:
    first = nonces.current(PAGE)
    clock.forward(300)

    for _ in range(2):
        assert nonces.is_current(first, PAGE) is False
        clock.forward(299.9)
    with pytest.raises(UseNonce):
        nonces.is_current(first, PAGE)


@pytest.mark.parametrize("seconds", [600, 900, 86_400, 10**9])
def test_an_older_one_is_refused(nonces: Nonces, clock: FakeClock, seconds: float) -> None:
    first = nonces.current(PAGE)
    clock.forward(seconds)

    with pytest.raises(UseNonce):
        nonces.is_current(first, PAGE)


def test_one_from_a_slot_to_come_is_refused(clock: FakeClock) -> None:
    nonces, ahead = Nonces(clock), FakeClock(START + 300)
    twin = Nonces(ahead)
    twin._secret = nonces._secret
    twin._begin(ahead())

    with pytest.raises(UseNonce):
        nonces.is_current(twin.current(PAGE), PAGE)
    clock.forward(300)
    assert nonces.is_current(twin.current(PAGE), PAGE)  # it was the right one, too early


def test_each_client_has_its_own_and_takes_no_other_ones(nonces: Nonces) -> None:
    clients = [PAGE, "https://other.example", "https://app.example:8443", None]
    told = [nonces.current(client) for client in clients]

    assert len(set(told)) == len(clients)
    for client, nonce in zip(clients, told, strict=True):
        assert nonces.is_current(nonce, client)
        for other in clients:
            if other != client:
                with pytest.raises(UseNonce):
                    nonces.is_current(nonce, other)


def test_1024_clients_are_kept_and_one_more_begins_anew(nonces: Nonces) -> None:
    for number in range(1024):
        nonces.current(f"https://page-{number}.example")
    assert 1024 == len(nonces._of_client)

    nonces.current(PAGE)

    assert {PAGE} == nonces._of_client.keys()


def test_more_clients_than_are_kept_change_nothing(nonces: Nonces) -> None:
    first = nonces.current(PAGE)
    for number in range(3000):
        nonces.current(f"https://{number}.example")

    assert len(nonces._of_client) <= 1024
    assert nonces.is_current(first, PAGE)


def test_one_of_another_run_is_refused(nonces: Nonces, clock: FakeClock) -> None:
    with pytest.raises(UseNonce):
        nonces.is_current(Nonces(clock).current(PAGE), PAGE)


@pytest.mark.parametrize("nonce", [None, "", "x", "é", "A" * 22, "A" * 5000])
def test_what_is_no_nonce_of_ours_is_refused(nonces: Nonces, nonce: str | None) -> None:
    with pytest.raises(UseNonce, match="DPoP-Nonce"):
        nonces.is_current(nonce, PAGE)


def test_part_of_a_nonce_or_more_than_one_is_none(nonces: Nonces) -> None:
    current = nonces.current(PAGE)

    for nonce in (current[:-1], current + "A", current + current, f" {current}", current.swapcase()):
        with pytest.raises(UseNonce):
            nonces.is_current(nonce, PAGE)


def test_a_clock_set_back_ends_every_nonce(nonces: Nonces, clock: FakeClock) -> None:
    clock.forward(10)
    first = nonces.current(PAGE)

    clock.forward(-1.1)

    assert first != nonces.current(PAGE)
    with pytest.raises(UseNonce):
        nonces.is_current(first, PAGE)
    clock.forward(1.1)
    with pytest.raises(UseNonce):
        nonces.is_current(first, PAGE)  # not even once the time has come again


def test_a_clock_set_back_by_a_day_counts_slots_from_there(nonces: Nonces, clock: FakeClock) -> None:
    clock.forward(-86_400)
    first = nonces.current(PAGE)

    clock.forward(300)

    assert first != nonces.current(PAGE)
    assert not nonces.is_current(first, PAGE)


def test_small_steps_back_end_nothing_and_do_not_add_up(nonces: Nonces, clock: FakeClock) -> None:
    clock.forward(10)
    first = nonces.current(PAGE)

    clock.forward(-1)
    assert first == nonces.current(PAGE)
    clock.forward(-0.1)
    assert first != nonces.current(PAGE)


def test_a_small_step_back_over_the_edge_of_a_slot_brings_no_old_nonce_back(nonces: Nonces, clock: FakeClock) -> None:
    old = nonces.current(PAGE)
    clock.forward(600)
    current = nonces.current(PAGE)

    clock.forward(-0.5)

    assert current == nonces.current(PAGE)
    with pytest.raises(UseNonce):
        nonces.is_current(old, PAGE)


@settings(deadline=None)
@given(steps=st.lists(st.floats(min_value=-700, max_value=700), max_size=30))
def test_no_nonce_is_good_for_more_than_ten_minutes_whatever_the_clock_does(steps: list[float]) -> None:
    clock = FakeClock(START)
    nonces = Nonces(clock)
    told: dict[str, float] = {}

    for step in steps:
        clock.forward(step)
        told.setdefault(nonces.current(PAGE), clock())
        for nonce, since in told.items():
            try:
                nonces.is_current(nonce, PAGE)
            except UseNonce:
                continue
            assert -MAX_STEP_BACK_SECONDS <= clock() - since < 2 * SLOT_SECONDS
