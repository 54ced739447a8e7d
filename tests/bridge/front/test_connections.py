"""Which connection goes when one more comes."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.front.connections import Connections


class Link:
    def __init__(self, *, is_idle: bool = True) -> None:
        self.is_idle = is_idle


def test_below_the_bounds_nothing_is_closed() -> None:
    connections: Connections[Link] = Connections(most=3, most_silent=2)
    links = [Link(), Link(), Link()]

    assert [None] * 3 == [connections.opened(link) for link in links]
    assert [None] * 2 == [connections.fell_silent(link) for link in links[:2]]
    assert 3 == len(connections)


def test_one_silent_connection_too_many_closes_the_oldest_silent_one() -> None:
    connections: Connections[Link] = Connections(most=9, most_silent=2)
    busy, first, second, third = Link(is_idle=False), Link(), Link(), Link()
    for link in (busy, first, second, third):
        connections.opened(link)
    for link in (first, second):
        connections.fell_silent(link)

    assert first is connections.fell_silent(third)


def test_whoever_has_spoken_is_silent_no_longer() -> None:
    connections: Connections[Link] = Connections(most=9, most_silent=1)
    first, second = Link(), Link()
    for link in (first, second):
        connections.opened(link)
    connections.fell_silent(first)
    connections.spoke(first)

    assert connections.fell_silent(second) is None


def test_one_connection_too_many_closes_a_silent_one_before_an_idle_one() -> None:
    connections: Connections[Link] = Connections(most=2, most_silent=2)
    idle, silent, new = Link(), Link(), Link()
    connections.opened(idle)
    connections.opened(silent)
    connections.fell_silent(silent)

    assert silent is connections.opened(new)


def test_one_connection_too_many_closes_the_oldest_idle_one_and_none_at_work() -> None:
    connections: Connections[Link] = Connections(most=3, most_silent=2)
    for link in (working := Link(is_idle=False), idle := Link(), Link()):
        connections.opened(link)

    assert working is not idle
    assert idle is connections.opened(Link())


def test_where_all_are_at_work_the_new_one_goes() -> None:
    connections: Connections[Link] = Connections(most=2, most_silent=2)
    for link in (Link(is_idle=False), Link(is_idle=False)):
        connections.opened(link)
    new = Link()

    assert new is connections.opened(new)


def test_a_closed_connection_counts_no_longer() -> None:
    connections: Connections[Link] = Connections(most=1, most_silent=1)
    first, second = Link(), Link()
    connections.opened(first)
    connections.fell_silent(first)
    connections.closed(first)

    assert connections.opened(second) is None
    assert connections.fell_silent(second) is None
    assert 1 == len(connections)


@given(st.lists(st.tuples(st.sampled_from(("open", "silent", "speak", "close")), st.integers(0, 30), st.booleans())))
def test_the_bounds_hold_whatever_happens(steps: list[tuple[str, int, bool]]) -> None:
    connections: Connections[Link] = Connections(most=5, most_silent=2)
    alive: dict[int, Link] = {}
    silent: set[int] = set()

    def close(victim: Link | None) -> None:
        for number in [number for number, link in alive.items() if link is victim]:
            connections.closed(alive.pop(number))
            silent.discard(number)

    for step, number, is_idle in steps:
        link = alive.get(number)
        if step == "open" and link is None:
            alive[number] = Link()
            close(connections.opened(alive[number]))
            if number in alive:
                alive[number].is_idle = is_idle
        elif step == "silent" and link is not None:
            silent.add(number)
            close(connections.fell_silent(link))
        elif step == "speak" and link is not None:
            silent.discard(number)
            connections.spoke(link)
        elif step == "close":
            close(link)
        assert len(connections) == len(alive) <= 5
        assert len(silent) <= 2
