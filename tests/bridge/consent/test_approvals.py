"""A yes to a dangerous command: for this caller, this command, these parameters, once, for a minute."""

import msgspec
import pytest

from bridge.consent.approvals import (
    DENIED_SECONDS,
    MAX_ANSWERS,
    QUIET_SECONDS,
    Approvals,
    Wanted,
    digest,
    wanted,
    wanted_of,
)
from bridge.consent.requests import COMMAND_SECONDS
from bridge.messages import Caller
from tests.bridge.consent.questions import Hand, command

CALLER = Caller(client="https://a.example", scopes=frozenset({"amp:control"}), grant="g1", pairing="p1")


@pytest.fixture(name="clock")
def _clock() -> Hand:
    return Hand()


@pytest.fixture(name="approvals")
def _approvals(clock: Hand) -> Approvals:
    return Approvals(clock)


def wants(params: bytes = b"{}", name: str = "amp.explode", caller: Caller = CALLER) -> Wanted:
    return wanted(caller, name, msgspec.Raw(params))


def test_what_is_asked_is_what_a_yes_is_for() -> None:
    assert wants() == wanted_of(command())


def test_nothing_is_allowed_without_an_answer(approvals: Approvals) -> None:
    assert None is approvals.take(wants())


def test_a_yes_is_good_once(approvals: Approvals) -> None:
    approvals.answer(command(), is_allowed=True)

    assert [True, None] == [approvals.take(wants()), approvals.take(wants())]


def test_a_yes_is_good_for_a_minute(approvals: Approvals, clock: Hand) -> None:
    approvals.answer(command(), is_allowed=True)
    clock.now += COMMAND_SECONDS

    assert None is approvals.take(wants())


def test_a_no_holds_for_a_minute_however_often_it_is_asked(approvals: Approvals, clock: Hand) -> None:
    approvals.answer(command(), is_allowed=False)
    clock.now += DENIED_SECONDS - 0.1
    assert [False, False] == [approvals.take(wants()) for _ in range(2)]

    clock.now += 0.1
    assert None is approvals.take(wants())


def test_the_last_answer_holds(approvals: Approvals) -> None:
    approvals.answer(command(), is_allowed=True)
    approvals.answer(command(), is_allowed=False)

    assert False is approvals.take(wants())


@pytest.mark.parametrize(
    "other",
    [
        wants(b'{"level":2}'),
        wants(name="amp.implode"),
        wants(name="amp2.explode"),
        wants(caller=Caller(client="https://b.example", scopes=frozenset(), grant="g1", pairing="p1")),
        wants(caller=Caller(client="https://a.example", scopes=frozenset(), grant="g1", pairing="p2")),
    ],
)
def test_a_yes_is_for_nothing_else_and_nobody_else(approvals: Approvals, other: Wanted) -> None:
    approvals.answer(command(), is_allowed=True)

    assert None is approvals.take(other)
    assert True is approvals.take(wants())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1,"b":[1,2]}', b'{ "b" : [ 1 , 2 ] ,\n"a":1 }'),
        (b'{"a":{"x":1,"y":2}}', b'{"a":{"y":2,"x":1}}'),
        (b'{"a":"\\u0041"}', b'{"a":"A"}'),
        (b'{"a":1e2}', b'{"a":100.0}'),
    ],
)
def test_spacing_and_order_do_not_matter(one: bytes, other: bytes) -> None:
    assert digest(msgspec.Raw(one)) == digest(msgspec.Raw(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1}', b'{"a":2}'),
        (b'{"a":1}', b'{"a":"1"}'),
        (b'{"a":1}', b'{"b":1}'),
        (b'{"a":[1,2]}', b'{"a":[2,1]}'),
        (b'{"a":null}', b"{}"),
        (b'{"a":"x"}', b'{"a":"x "}'),
        (b'{"a":"e\\u0301"}', b'{"a":"\\u00e9"}'),
        (b'{"a":123456789012345678901234567890}', b'{"a":123456789012345678901234567891}'),
    ],
)
def test_other_values_are_another_question(one: bytes, other: bytes) -> None:
    assert digest(msgspec.Raw(one)) != digest(msgspec.Raw(other))


def test_answers_are_bounded_and_the_oldest_goes_first(approvals: Approvals) -> None:
    for number in range(MAX_ANSWERS + 1):
        approvals.answer(command(params=b'{"n":%d}' % number), is_allowed=True)

    assert None is approvals.take(wants(b'{"n":0}'))
    assert True is approvals.take(wants(b'{"n":1}'))


def test_after_a_no_its_client_is_quiet_for_a_day_or_until_a_yes(approvals: Approvals, clock: Hand) -> None:
    assert not approvals.was_denied(CALLER.client)

    approvals.answer(command(params=b'{"n":1}'), is_allowed=False)
    assert approvals.was_denied(CALLER.client)
    assert not approvals.was_denied("https://other.example")
    clock.now += QUIET_SECONDS
    assert not approvals.was_denied(CALLER.client)

    approvals.answer(command(), is_allowed=False)
    approvals.answer(command(params=b'{"n":2}'), is_allowed=True)
    assert not approvals.was_denied(CALLER.client)
