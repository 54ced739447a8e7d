"""`tollbridge watch` prints events as they come, goes on after a restart and says every gap."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from typing import IO

import pytest

from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble, problem

pytestmark = pytest.mark.broad

DEADLINE_SECONDS = 15.0


def event(seq: int, topic: str = "player", name: str = "changed", data: object = None) -> tuple[str, dict[str, object]]:
    place = f"EPOCH001.{seq}"
    body = {"id": place, "topic": topic, "name": name, "time": "2026-01-02T03:04:05Z", "data": data or {"n": seq}}
    return place, body


class Watching:
    """A watch as a process of its own, whose lines are read as they come."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "bridge", "watch", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.out = self._lines(self.process.stdout)
        self.err = self._lines(self.process.stderr)

    def _lines(self, stream: IO[str]) -> "Queue[str]":
        lines: Queue[str] = Queue()

        def read() -> None:
            with stream:
                for line in stream:
                    lines.put(line.rstrip("\n"))

        threading.Thread(target=read, daemon=True).start()
        return lines

    def end(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)


@pytest.fixture(name="watching")
def _watching(daemon: DaemonDouble) -> Iterator[Callable[..., Watching]]:
    assert daemon.socket.exists()
    started: list[Watching] = []

    def start(*arguments: str) -> Watching:
        started.append(Watching(*arguments))
        return started[-1]

    yield start
    for one in started:
        one.end(signal.SIGKILL)


def next_line(lines: "Queue[str]") -> str:
    return lines.get(timeout=DEADLINE_SECONDS)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def streams(daemon: DaemonDouble) -> list[str]:
    """Return the Last-Event-ID of each stream that was opened."""
    return [
        request.headers.get("Last-Event-ID", "")
        for request in list(daemon.received)
        if request.headers.get("Accept") == "text/event-stream"
    ]


def test_an_event_is_one_line(daemon: DaemonDouble, watching: Callable[..., Watching]) -> None:
    daemon.events = [event(1, data={"title": "a\x1b[31m\nb\u202e"})]

    assert (r'03:04:05  player  changed  {"title": "a\u001b[31m\nb\u202e"}') == next_line(watching("player").out)
    assert "/v1/events?topics=player" == daemon.received[-1].target


def test_as_json_each_event_is_the_object_that_was_sent(
    daemon: DaemonDouble, watching: Callable[..., Watching]
) -> None:
    daemon.events = [event(1), event(2)]

    watch = watching("--json")

    assert [daemon.events[0][1], daemon.events[1][1]] == [json.loads(next_line(watch.out)) for _ in range(2)]


def test_several_topics_are_one_stream_and_none_means_all(
    daemon: DaemonDouble, watching: Callable[..., Watching]
) -> None:
    daemon.events = [event(1)]

    next_line(watching("player", "system").out)
    next_line(watching().out)

    assert {"/v1/events?topics=player,system", "/v1/events"} == {request.target for request in daemon.received}


def test_ctrl_c_ends_quietly_with_130(daemon: DaemonDouble, watching: Callable[..., Watching]) -> None:
    watch = watching()
    until(lambda: bool(streams(daemon)))

    assert 130 == watch.end()
    with pytest.raises(Empty):
        watch.err.get_nowait()


def test_after_a_restart_it_goes_on_behind_the_last_event_and_says_so(
    daemon: DaemonDouble, watching: Callable[..., Watching]
) -> None:
    daemon.events = [event(1)]
    watch = watching()
    next_line(watch.out)

    daemon.stop()
    assert "The daemon has gone away; waiting for it to come back." == next_line(watch.err)
    daemon.events.append(event(2))
    daemon.start()

    assert "Connected again." == next_line(watch.err)
    assert '03:04:05  player  changed  {"n": 2}' == next_line(watch.out)
    assert ["EPOCH001.0", "EPOCH001.1"] == streams(daemon)


def test_a_break_before_the_first_event_resumes_from_where_it_began(
    daemon: DaemonDouble, watching: Callable[..., Watching]
) -> None:
    watch = watching()
    until(lambda: bool(streams(daemon)))

    daemon.stop()
    next_line(watch.err)
    daemon.start()
    next_line(watch.err)

    assert ["EPOCH001.0", "EPOCH001.0"] == streams(daemon)


def test_a_daemon_that_is_still_restarting_is_waited_for(
    daemon: DaemonDouble, watching: Callable[..., Watching]
) -> None:
    daemon.events = [event(1)]
    watch = watching()
    next_line(watch.out)

    daemon.stop()
    next_line(watch.err)
    daemon.answers["GET", "/v1/events"] = problem(503, "restarting")
    daemon.start()
    until(lambda: len(streams(daemon)) > 1)
    del daemon.answers["GET", "/v1/events"]

    assert "Connected again." == next_line(watch.err)


def test_a_gap_is_said(daemon: DaemonDouble, watching: Callable[..., Watching]) -> None:
    daemon.events = [event(9, "tollbridge", "gap", {"from": "OLD00000.3", "to": "EPOCH001.9", "snapshot": []})]

    assert (
        "03:04:05  tollbridge  gap  Events were missed after OLD00000.3 and up to EPOCH001.9: read the state again."
    ) == next_line(watching().out)


@pytest.mark.usefixtures("home")
def test_a_first_connection_without_a_daemon_is_an_error(cli: Cli) -> None:
    assert 3 == cli("watch").status


def test_a_topic_that_does_not_exist_is_the_daemons_to_refuse(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/v1/events"] = problem(404, "not_found", detail="there is no topic 'nothing'")

    ran = cli("watch", "nothing")

    assert 1 == ran.status
    assert "Not a topic, or not all of them: nothing. `tollbridge watch` alone" in ran.err
    assert "code: not_found" in ran.err


@pytest.mark.parametrize("topic", ["a,b", "Player", "", "a b", "a/b", "a&x=1"])
def test_what_is_no_topic_is_a_usage_error(daemon: DaemonDouble, cli: Cli, topic: str) -> None:
    assert 2 == cli("watch", topic).status
    assert [] == daemon.received


def test_an_event_of_another_form_is_a_sentence(daemon: DaemonDouble, watching: Callable[..., Watching]) -> None:
    daemon.events = [("EPOCH001.1", {"unheard": "of"})]
    watch = watching()

    assert next_line(watch.err).startswith("The daemon's answer was not understood")
    assert 1 == watch.process.wait(DEADLINE_SECONDS)


def test_a_reader_that_goes_away_ends_it_without_a_word(daemon: DaemonDouble) -> None:
    daemon.events = [event(seq) for seq in range(1, 5000)]
    reading, writing = os.pipe()
    with subprocess.Popen([sys.executable, "-m", "bridge", "watch"], stdout=writing, stderr=subprocess.PIPE) as watch:
        os.close(writing)
        assert os.read(reading, 10)
        os.close(reading)
        _, err = watch.communicate(timeout=DEADLINE_SECONDS)

    assert (1, b"") == (watch.returncode, err)
