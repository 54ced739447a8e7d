import json

import msgspec
import pytest

from bridge.events.journal import Gap, Journal
from bridge.messages import Cursor, Event

A, B = "https://a.example", "https://b.example"


def event(number: int) -> Event:
    return Event(topic="t", name="n", time="2026-01-01T00:00:00.000Z", data=msgspec.Raw(b'{"number":%d}' % number))


@pytest.fixture(name="journal")
def _journal() -> Journal:
    journal = Journal(key=b"k" * 32, epoch=b"e" * 32, bound=10)
    for number in range(1, 15):
        journal.append(event(number))
    return journal


def test_an_event_has_one_shape() -> None:
    entry = Journal(key=b"k", epoch=b"e").append(event(7))

    assert {
        "id": "EPOCH678.1",
        "topic": "t",
        "name": "n",
        "time": "2026-01-01T00:00:00.000Z",
        "data": {"number": 7},
    } == json.loads(entry.json("EPOCH678"))


@pytest.mark.parametrize("after", range(4, 15))
def test_resume_is_exact(journal: Journal, after: int) -> None:
    resumed = journal.resume(Cursor(journal.epoch(A), after), A)

    assert resumed.gap is None
    assert list(range(after + 1, 15)) == [entry.seq for entry in resumed.entries]


@pytest.mark.parametrize("after", [0, 1, 3, 15, 10**17])
def test_what_was_pushed_out_and_what_is_not_yet_is_a_gap(journal: Journal, after: int) -> None:
    cursor = Cursor(journal.epoch(A), after)

    assert Gap(str(cursor), 14) == journal.resume(cursor, A).gap


def test_another_epoch_is_a_gap(journal: Journal) -> None:
    assert journal.resume(Cursor(journal.epoch(B), 14), A).gap is not None
    assert journal.resume(Cursor("AAAAAAAA", 14), A).gap is not None


def test_two_clients_can_compare_nothing(journal: Journal) -> None:
    assert journal.epoch(A) != journal.epoch(B)
    assert journal.epoch(A) == journal.epoch(A)


def test_an_empty_journal_resumes_from_its_start() -> None:
    journal = Journal(key=b"k", epoch=b"e")

    assert journal.resume(journal.cursor(A), A).gap is None
    assert journal.resume(Cursor(journal.epoch(A), 1), A).gap is not None


def test_a_gap_says_which_states_to_read(journal: Journal) -> None:
    entry = Gap("old.3", 14).entry(journal.epoch(A), ["/v1/apps/player/state"], "now")

    assert {"from": "old.3", "to": str(journal.cursor(A)), "snapshot": ["/v1/apps/player/state"]} == json.loads(
        entry.json(journal.epoch(A))
    )["data"]
