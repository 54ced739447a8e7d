from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.apps.player import model
from bridge.apps.player.model import Candidate, News, Player, Reading, Status, Track

A = Track(id="/a", title="A", length=100.0)
B = Track(id="/b", title="B", length=100.0)


def player(id_: str = "mpv", *, at: float = 10.0, position: float = 5.0, **more: object) -> Player:
    fields: dict[str, object] = {"status": Status.PLAYING, "track": A, "kind": "mpris", **more}
    return Player(id=id_, name=id_, reading=Reading(position, at), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "at", "position"),
    [
        (player(), 12.0, 7.0),
        (player(rate=2.0), 12.0, 9.0),
        (player(rate=0.0), 12.0, 5.0),
        (player(status=Status.PAUSED), 12.0, 5.0),
        (player(status=Status.STOPPED), 12.0, 5.0),
        (player(), 500.0, 100.0),  # not beyond the end
        (player(track=None), 500.0, 495.0),  # a stream has no end
        (player(), 9.0, 5.0),  # a clock read out of order
        (player(position=-1.0), 10.0, 0.0),
    ],
)
def test_position_is_extrapolated_while_playing_and_within_the_track(now: Player, at: float, position: float) -> None:
    assert position == model.position(now, at=at)


def test_a_shown_player_carries_the_position_of_the_moment_it_is_shown() -> None:
    shown = model.shown(player(), at=12.3456, time="2026-01-01T00:00:00.000Z")

    assert (7.346, "2026-01-01T00:00:00.000Z") == (shown.position, shown.position_at)


def engine(**more: Any) -> Player:
    return player("tollbridge", kind="engine", **more)


PAUSED = Status.PAUSED
STOPPED = Status.STOPPED
NEVER = float("-inf")


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([], None),
        ([(engine(status=STOPPED), NEVER)], "tollbridge"),
        ([(player("mpv", status=PAUSED), 1), (player("vlc"), 0)], "vlc"),  # playing wins over recent
        ([(player("mpv", status=PAUSED), 1), (player("vlc", status=PAUSED), 2)], "vlc"),
        ([(player("mpv"), 1), (player("vlc"), 2)], "vlc"),
        ([(engine(status=STOPPED), NEVER), (player("mpv", status=STOPPED), 1)], "mpv"),
        ([(engine(status=PAUSED), 5), (player("mpv", status=STOPPED), 1)], "tollbridge"),  # it was used since
        ([(engine(), 5), (player("mpv", status=PAUSED), 9)], "tollbridge"),
        ([(engine(status=STOPPED), 1), (player("mpv", status=STOPPED), 1)], "mpv"),
    ],
)
def test_the_chosen_player_plays_or_was_active_last(candidates: list[tuple[Player, float]], chosen: str | None) -> None:
    best = model.choose(Candidate(one, at) for one, at in candidates)

    assert chosen == (best and best.id)


@pytest.mark.parametrize(
    ("now", "at", "news"),
    [
        (player(at=11.0, position=6.0), 11.0, ()),
        (player(at=11.0, position=6.2), 11.0, ()),  # VLC's steps
        (player(at=11.0, position=7.0), 11.0, (News.SEEKED,)),
        (player(at=11.0, position=5.0), 11.0, (News.SEEKED,)),
        (player(at=11.0, position=6.0, volume=0.5), 11.0, (News.CHANGED,)),
        (player(at=11.0, position=6.1, status=PAUSED), 11.0, (News.CHANGED,)),
        (player(at=11.0, position=50.0, volume=0.5), 11.0, (News.CHANGED, News.SEEKED)),
        (player(at=11.0, position=0.0, track=B), 11.0, (News.CHANGED,)),  # a new track has a new position anyway
        (player(at=11.0, position=0.0, status=STOPPED, track=None), 11.0, (News.CHANGED,)),
    ],
)
def test_news_are_what_extrapolation_does_not_tell(now: Player, at: float, news: tuple[News, ...]) -> None:
    assert news == model.news(player(), now, at=at)


def test_a_small_seek_of_a_paused_player_is_told() -> None:
    told = player(status=PAUSED)

    assert (News.SEEKED,) == model.news(told, player(status=PAUSED, position=5.1), at=20.0)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 10))
def test_mere_progress_is_never_news(start: float, elapsed: float, rate: float) -> None:
    told = player(at=start, position=0.0, rate=rate, track=None)
    now = msgspec.structs.replace(told, reading=Reading(elapsed * rate, start + elapsed))

    assert () == model.news(told, now, at=start + elapsed)


@pytest.mark.parametrize(
    ("after", "rate"),
    [
        (player(at=15.0, position=10.0), 1.0),
        (player(at=15.0, position=9.6), 1.0),  # VLC is a little slow
        (player(at=15.0, position=5.0), 0.0),  # stands still
        (player(at=15.0, position=5.2), 0.0),  # as good as
        (player(at=15.0, position=0.0), 1.0),  # went back: a seek, or a loop
        (player(at=10.2, position=5.0), 1.0),  # too early to say
        (player(at=15.0, position=5.0, status=PAUSED), 1.0),
        (player(at=15.0, position=5.0, track=B), 1.0),
    ],
)
def test_a_player_that_plays_without_moving_has_rate_zero(after: Player, rate: float) -> None:
    assert rate == model.paced(player(), after).rate


def test_a_stalled_player_stays_so_until_it_moves() -> None:
    stalled = player(rate=0.0)

    assert 0.0 == model.paced(stalled, player(at=10.1)).rate
    assert 1.0 == model.paced(stalled, player(at=10.1, position=5.1)).rate
