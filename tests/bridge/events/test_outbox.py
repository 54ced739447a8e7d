from hypothesis import given
from hypothesis import strategies as st

from bridge.events.journal import Gap
from bridge.events.outbox import BOUND_BYTES, BOUND_EVENTS, Outbox


@given(st.lists(st.one_of(st.integers(0, 400), st.just("take")), max_size=20), st.integers(1, 9000))
def test_every_number_is_taken_once_or_lies_in_a_gap(steps: list[int | str], size: int) -> None:
    outbox = Outbox(epoch="EPOCH678", seq=0)
    pushed = taken = 0

    def take() -> None:
        nonlocal taken
        while (item := outbox.take()) is not None:
            if isinstance(item, Gap):
                assert f"EPOCH678.{taken}" == item.since
                taken = item.upto
            else:
                taken += 1
                assert str(taken).encode() == item.rstrip(b".")

    for step in steps:
        if isinstance(step, str):
            take()
            continue
        for _ in range(step):
            pushed += 1
            outbox.push(pushed, str(pushed).encode().ljust(size, b"."))

    take()
    assert pushed == taken


def test_it_holds_its_bound_of_events_and_not_one_more() -> None:
    outbox = Outbox(epoch="E", seq=0)

    for seq in range(1, BOUND_EVENTS + 1):
        outbox.push(seq, b"x")
    assert b"x" == outbox.take()
    outbox.push(BOUND_EVENTS + 1, b"x")
    outbox.push(BOUND_EVENTS + 2, b"x")

    assert Gap("E.1", BOUND_EVENTS + 2) == outbox.take()
    assert outbox.take() is None


def test_it_never_holds_more_than_its_bound_of_bytes() -> None:
    outbox = Outbox(epoch="E", seq=5)

    outbox.push(6, bytes(BOUND_BYTES))
    outbox.push(7, b"x")
    outbox.push(8, b"y")

    assert Gap("E.5", 7) == outbox.take()
    assert b"y" == outbox.take()


def test_numbers_that_went_past_it_are_not_in_the_gap() -> None:
    outbox = Outbox(epoch="E", seq=0)

    outbox.passed(3)
    outbox.push(4, bytes(BOUND_BYTES + 1))

    assert Gap("E.3", 4) == outbox.take()
