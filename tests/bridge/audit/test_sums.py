"""What happens often is told once at once, and then as a sum, whoever tries to fill the trail."""

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


def test_what_has_stopped_is_forgotten_and_told_anew() -> None:
    sums = sums_of()
    sums.count(PAGE)

    assert {} == told(sums)
    assert not sums
    assert PAGE == sums.count(PAGE)


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
