"""What happens often is told once at once, and then as a sum, whoever tries to fill the trail."""

from collections.abc import Callable, Iterator

import pytest

from bridge.audit.sums import LONGEST_WINDOW_SECONDS, OTHERS, SHORTEST_WINDOW_SECONDS, Key, Sums
from tests.oauth.clock import FakeClock

PAGE = ("https://app.example", "player.state", "ok")


def sums_of(keys: int = 4) -> Sums:
    return Sums(keys, FakeClock())


def told(sums: Sums) -> dict[Key, int]:
    return {key: found.count for key, found in sums.end_window()}


def test_the_first_is_told_at_once_and_the_others_at_the_end_of_the_window() -> None:
    sums = sums_of()

    assert PAGE == sums.count(PAGE)
    assert [None] * 9 == [sums.count(PAGE) for _ in range(9)]
    assert {PAGE: 9} == told(sums)


def test_what_goes_on_is_told_once_a_window() -> None:
    sums = sums_of()
    sums.count(PAGE)
    sums.count(PAGE)
    told(sums)

    assert sums.count(PAGE) is None
    assert {PAGE: 1} == told(sums)


def test_what_has_stopped_is_forgotten_after_a_quiet_hour_and_told_anew() -> None:
    sums = sums_of()
    sums.count(PAGE)

    for window in (60, 120, 240, 480, 960, 1920, 3600):
        assert sums
        assert window == sums.window
        assert {} == told(sums)
    assert not sums
    assert PAGE == sums.count(PAGE)


def test_what_an_hour_has_not_heard_makes_room_while_the_rest_goes_on() -> None:
    sums = sums_of(keys=2)
    other, late = ("https://other.example", "", "host"), ("https://late.example", "", "host")
    sums.count(PAGE)
    sums.count(other)
    for _ in range(6):
        told(sums)
    assert LONGEST_WINDOW_SECONDS == sums.window
    sums.count(PAGE)
    assert (OTHERS, "", "host") == sums.count(late)

    assert {PAGE: 1} == told(sums)
    assert late == sums.count(late)


def test_a_sum_says_since_when() -> None:
    clock = FakeClock()
    sums = Sums(4, clock)
    sums.count(PAGE)
    clock.now += 20
    began = clock.now
    sums.count(PAGE)
    clock.now += 20
    sums.count(PAGE)

    ((_, found),) = sums.end_window()

    assert began == found.since


def test_windows_grow_while_it_goes_on_and_shrink_when_it_is_quiet() -> None:
    sums = sums_of()
    windows = []
    for _ in range(9):
        sums.count(PAGE)
        sums.count(PAGE)
        windows.append(sums.window)
        told(sums)

    assert [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600] == windows
    assert LONGEST_WINDOW_SECONDS == sums.window
    told(sums)
    assert SHORTEST_WINDOW_SECONDS == sums.window


def test_more_names_than_the_table_holds_are_summed_without_their_names() -> None:
    sums = sums_of(keys=4)
    firsts = [sums.count((f"https://{number}.example", "", "origin_unknown")) for number in range(10_000)]

    assert 5 == sum(first is not None for first in firsts)
    assert (OTHERS, "", "origin_unknown") in firsts
    assert {(OTHERS, "", "origin_unknown"): 10_000 - 5} == told(sums)


def test_nothing_is_lost_in_the_sums() -> None:
    sums = sums_of(keys=3)
    heard = 0
    for number in range(500):
        heard += sums.count((f"https://{number % 7}.example", "", ("a", "b")[number % 2])) is not None
        if number % 90 == 0:
            heard += sum(told(sums).values())

    assert 500 == heard + sum(told(sums).values())


KEYS = 64
HOURS = 24
STEP_SECONDS = 5
Attack = Callable[[Sums, int], Iterator[Key]]


def new(step: int, number: int) -> Key:
    return (f"https://{step}-{number}.example", "", "origin_not_approved")


def at_once_every_minute(sums: Sums, step: int) -> Iterator[Key]:
    del sums
    if step % 12 == 0:
        yield from (new(step, number) for number in range(KEYS))


def all_the_time(sums: Sums, step: int) -> Iterator[Key]:
    del sums
    yield from (new(step, number) for number in range(20))


def one_every_five_seconds(sums: Sums, step: int) -> Iterator[Key]:
    del sums
    yield new(step, 0)


def only_in_the_shortest_windows(sums: Sums, step: int) -> Iterator[Key]:
    if sums.window == SHORTEST_WINDOW_SECONDS:
        yield from (new(step, number) for number in range(KEYS))


def only_in_every_other_window(sums: Sums, step: int) -> Iterator[Key]:
    if sums.window in (60, 240, 960):
        yield from (new(step, number) for number in range(KEYS))


def the_same_again_and_again(sums: Sums, step: int) -> Iterator[Key]:
    del sums, step
    yield from (new(0, number) for number in range(KEYS))


def new_ones_as_soon_as_there_is_room_each_repeated(sums: Sums, step: int) -> Iterator[Key]:
    del sums
    yield from (new(step // 720, number) for number in range(KEYS))


def repeated_until_the_windows_are_long_then_silent(sums: Sums, step: int) -> Iterator[Key]:
    if sums.window < LONGEST_WINDOW_SECONDS:
        yield from (new(step // 1500, number) for number in range(KEYS))


@pytest.mark.parametrize(
    ("attack", "most_an_hour"),
    [
        (at_once_every_minute, KEYS),
        (all_the_time, KEYS),
        (one_every_five_seconds, KEYS),
        (only_in_the_shortest_windows, KEYS),
        (only_in_every_other_window, KEYS),
        (the_same_again_and_again, KEYS),
        (new_ones_as_soon_as_there_is_room_each_repeated, KEYS),
        # The worst: all seven windows of two hours in each two hours.
        (repeated_until_the_windows_are_long_then_silent, 4 * KEYS),
    ],
)
@pytest.mark.broad
def test_a_day_of_a_flood_costs_so_many_records_an_hour_and_loses_none(attack: Attack, most_an_hour: int) -> None:
    clock = FakeClock()
    sums = Sums(KEYS, clock)
    counts: list[int] = []
    heard = 0
    ends: float | None = None
    for step in range(HOURS * 3600 // STEP_SECONDS):
        if ends is not None and clock.now >= ends:
            counts += told(sums).values()
            ends = clock.now + sums.window if sums else None
        for key in attack(sums, step):
            heard += 1
            counts += [1] * (sums.count(key) is not None)
        if ends is None and sums:
            ends = clock.now + sums.window
        clock.forward(STEP_SECONDS)
    counts += told(sums).values()

    others = 2 * HOURS  # one outcome here: a sum an hour, and its first
    assert heard == sum(counts)
    assert (HOURS + 1) * most_an_hour + others + (7 * KEYS) >= len(counts)
