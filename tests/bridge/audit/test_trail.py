"""Notes on their way to the disk: never waited for, never lost without a word, whole after a crash."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.audit.file import AuditFile
from bridge.audit.notes import ACTS_AN_HOUR, Audit, open_audit
from bridge.audit.record import AFTER_LOSS, Kind, Record
from bridge.audit.rows import AuditUnusable
from bridge.audit.trail import BATCH_SECONDS, Trail
from bridge.logs import Formatter
from bridge.messages import Caller, Command, Effect
from tests.bridge.audit.kept import kept, spoil
from tests.bridge.front.waits import until
from tests.oauth.clock import FakeClock

KEY = b"k" * 32
PAGE = Caller(
    client="https://app.example", origin="https://app.example", grant="g1", scopes=frozenset(("player:control",))
)


def fact(number: int) -> Record:
    return Record(time=1_800_000_000.0, kind=Kind.COMMAND, outcome="ok", subject=f"player.c{number}")


def command(name: str = "play", caller: Caller = PAGE) -> Command:
    return Command(app="player", name=name, caller=caller)


@asynccontextmanager
async def auditing(path: Path, clock: FakeClock | None = None) -> AsyncIterator[Audit]:
    async with open_audit(path, KEY, version="1.2.3", clock=clock or FakeClock()) as audit:
        yield audit


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "audit.sqlite"


def told(path: Path, kind: Kind) -> list[tuple[str, int]]:
    return [(record.outcome, record.count) for record in kept(path) if record.kind is kind]


def take_away(path: Path, leaves: str) -> None:
    path.unlink()
    if leaves == "an empty file":
        path.touch(mode=0o600)


def is_intact(path: Path) -> bool:
    file, aside = AuditFile.open(path, KEY, now=0.0)
    try:
        return aside is None and file.broken() is None
    finally:
        file.close()


async def test_a_run_begins_and_ends_with_a_record(path: Path) -> None:
    async with auditing(path):
        pass
    async with auditing(path):
        pass

    assert [("begun", 1)] == told(path, Kind.AUDIT)
    assert [("started", 1), ("stopped", 1)] * 2 == told(path, Kind.DAEMON)
    assert "1.2.3" == kept(path)[-1].subject
    assert is_intact(path)


async def test_many_notes_are_one_transaction(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    append = AuditFile.append
    monkeypatch.setattr(
        AuditFile, "append", lambda self, records, *, now: (sizes.append(len(records)), append(self, records, now=now))
    )
    async with Trail.open(path, KEY, clock=FakeClock()) as trail:
        for number in range(500):
            trail.note(fact(number))
        await trail.page(None, 1)

    assert [501] == sizes


async def test_there_is_at_most_one_transaction_a_tenth_of_a_second(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    append = AuditFile.append
    monkeypatch.setattr(
        AuditFile, "append", lambda self, records, *, now: (written.append(1), append(self, records, now=now))
    )
    begun = time.monotonic()
    async with Trail.open(path, KEY, clock=FakeClock()) as trail:
        for number in range(200):
            trail.note(fact(number))
            await asyncio.sleep(0.001)
        elapsed = time.monotonic() - begun

        assert elapsed / BATCH_SECONDS + 1 >= len(written)
    assert 201 == len(kept(path))


async def test_a_page_shows_what_was_noted_just_before(path: Path) -> None:
    async with Trail.open(path, KEY, clock=FakeClock()) as trail:
        trail.note(fact(1))
        page = await trail.page(None, 10)

    assert 2 == page.head.index
    assert b"player.c1" in page.links[-1].content


async def test_a_disk_that_hangs_is_not_waited_for_and_what_did_not_fit_is_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = threading.Event()
    append = AuditFile.append

    def slow(self: AuditFile, records: list[Record], *, now: float) -> None:
        assert hangs.wait(10)
        append(self, records, now=now)

    async with Trail.open(path, KEY, clock=FakeClock(), queue=100) as trail:
        await trail.page(None, 1)
        monkeypatch.setattr(AuditFile, "append", slow)
        for number in range(150):
            trail.note(fact(number))
        await until(lambda: bool(trail._unwritten))
        trail.note(fact(150))
        hangs.set()

    subjects = [record.subject for record in kept(path) if record.kind is Kind.COMMAND]
    assert [f"player.c{number}" for number in range(100)] == subjects
    assert 51 == sum(count for outcome, count in told(path, Kind.AUDIT) if outcome == "lost")
    assert is_intact(path)


async def test_a_full_disk_stops_nothing_and_what_waited_is_written_later(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(Formatter())
    monkeypatch.setattr("bridge.audit.trail.RETRY_SECONDS", 0.01)
    async with Trail.open(path, KEY, clock=FakeClock(), queue=100) as trail:
        await trail.page(None, 1)
        spoil(path, "CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT raise(ABORT, 'disk is full'); END")
        for number in range(120):
            trail.note(fact(number))
        with pytest.raises(AuditUnusable, match="disk is full"):
            await trail.page(None, 1)
        await until(lambda: "it is tried again" in caplog.text and "disk is full" in caplog.text)
        spoil(path, "DROP TRIGGER full")
        await until(lambda: len(kept(path)) > 100)

    assert ("lost", 20) == told(path, Kind.AUDIT)[-1]
    assert 1 + 100 + 1 == len(kept(path))
    assert is_intact(path)


async def test_what_could_not_be_written_at_the_end_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with Trail.open(path, KEY, clock=FakeClock()) as trail:
        await trail.page(None, 1)
        spoil(path, "CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT raise(ABORT, 'disk is full'); END")
        trail.note(fact(1))

    assert "the last records of the audit were not written" in caplog.text


@pytest.mark.parametrize("leaves", ["nothing", "an empty file"])
async def test_a_file_that_is_gone_is_told_by_a_warning_and_the_first_record(
    path: Path, caplog: pytest.LogCaptureFixture, leaves: str
) -> None:
    async with auditing(path):
        path.with_name("grants.sqlite").touch()  # as the daemon does at its first start, just after
    async with auditing(path):
        pass
    assert "begun" == kept(path)[0].outcome
    assert [] == caplog.records
    take_away(path, leaves)

    async with auditing(path):
        pass
    async with auditing(path):
        pass

    assert [(AFTER_LOSS, 1)] == told(path, Kind.AUDIT)
    assert AFTER_LOSS == kept(path)[0].outcome
    (line,) = [Formatter().format(record) for record in caplog.records]
    assert " WARNING " in line
    assert str(path) in line


BEGUN = "audit.begun"


@pytest.mark.parametrize("left", [(BEGUN,), ("grants.sqlite",), (BEGUN, "grants.sqlite")])
async def test_whatever_an_earlier_run_has_left_tells_of_the_loss(path: Path, left: tuple[str, ...]) -> None:
    async with auditing(path):
        path.with_name("grants.sqlite").touch()
    for name in ("audit.sqlite", BEGUN, "grants.sqlite"):
        if name not in left:
            path.with_name(name).unlink()

    async with auditing(path):
        pass

    assert AFTER_LOSS == kept(path)[0].outcome


@pytest.mark.parametrize("left", [(), ("grants.sqlite", "grants.sqlite-wal")])
async def test_a_first_start_that_failed_between_the_steps_is_no_loss(path: Path, left: tuple[str, ...]) -> None:
    for name in ("identity", "port", "lock", *left):
        path.with_name(name).touch()
    if left:  # killed in the first tenth of a second, before the first record was written
        file, _ = AuditFile.open(path, KEY, now=0.0)
        file.close()
    assert not path.with_name(BEGUN).exists()

    async with auditing(path):
        pass

    assert "begun" == kept(path)[0].outcome
    assert path.with_name(BEGUN).exists()


async def test_a_loss_is_told_though_the_start_after_it_was_killed(path: Path) -> None:
    async with auditing(path):
        pass
    path.unlink()  # noqa: ASYNC240  # nothing else runs yet
    file, _ = AuditFile.open(path, KEY, now=0.0)
    file.close()

    async with auditing(path):
        pass

    assert AFTER_LOSS == kept(path)[0].outcome


async def test_an_audit_from_before_there_was_such_a_file_gets_one(path: Path) -> None:
    async with auditing(path):
        pass
    path.with_name(BEGUN).unlink()

    async with auditing(path):
        pass

    assert path.with_name(BEGUN).exists()
    assert 1 == len(told(path, Kind.AUDIT))


async def test_a_disk_that_has_no_room_for_it_stops_nothing_and_it_is_tried_again(path: Path) -> None:
    in_the_way = path.with_name(f".{BEGUN}.{os.getpid()}")
    in_the_way.mkdir()
    async with auditing(path) as audit:
        await audit.page(None, 1)
        assert not path.with_name(BEGUN).exists()
        in_the_way.rmdir()
        audit.command(command(), Effect.ACT, "ok")
        await audit.page(None, 1)
        written = path.with_name(BEGUN).stat()

    assert os.path.samestat(written, path.with_name(BEGUN).stat())


async def test_a_damaged_file_is_told_by_a_log_line_and_the_first_record(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(Formatter())
    path.write_bytes(b"no database" * 1000)  # noqa: ASYNC240  # nothing else runs yet
    async with auditing(path):
        pass

    (aside,) = path.parent.glob("*.damaged.sqlite")
    first = kept(path)[0]
    assert ("set_aside", aside.name) == (first.outcome, first.subject)
    assert [aside.name] == [record.file for record in caplog.records if "damaged" in record.message]


async def test_a_broken_chain_is_told_at_the_next_start(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(Formatter())
    async with auditing(path) as audit:
        audit.command(command(), Effect.ACT, "ok")
    spoil(path, "UPDATE records SET content = replace(CAST(content AS TEXT), 'player.play', 'player.stop')")
    async with auditing(path):
        pass

    (broken,) = [record for record in kept(path) if record.outcome == "broken"]
    assert "3" == broken.subject
    assert "the audit is broken" in caplog.text
    assert "index=3" in caplog.text


async def test_each_act_is_a_record_with_the_hash_of_its_parameters(path: Path) -> None:
    async with auditing(path) as audit:
        for _ in range(3):
            audit.command(command(), Effect.ACT, "ok")

    acts = [record for record in kept(path) if record.kind is Kind.COMMAND]
    assert 3 == len(acts)
    assert {"RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o"} == {act.params for act in acts}  # printf {} | openssl sha256
    assert ("https://app.example", "player.play", "ok") == (acts[0].client, acts[0].subject, acts[0].outcome)


async def test_reads_are_summed_by_client_command_and_outcome(path: Path) -> None:
    async with auditing(path) as audit:
        for _ in range(1000):
            audit.command(command("list"), Effect.READ, "ok")
        audit.command(command("list"), Effect.READ, "app_failed")

    assert [("ok", 1), ("app_failed", 1), ("ok", 999)] == told(path, Kind.COMMAND)


async def test_ten_thousand_refusals_are_a_few_records_with_the_right_counts(path: Path) -> None:
    async with auditing(path) as audit:
        for number in range(5000):
            audit.refused("host", None)
            audit.refused("origin_not_approved", f"https://{number}.example")

    refusals = [record for record in kept(path) if record.kind is Kind.REFUSAL]
    assert 70 > len(refusals)
    for reason in ("host", "origin_not_approved"):
        assert 5000 == sum(record.count for record in refusals if record.outcome == reason)


async def test_a_client_cannot_push_out_what_others_did(path: Path) -> None:
    clock = FakeClock()
    async with auditing(path, clock) as audit:
        for _ in range(5000):
            audit.command(command(), Effect.ACT, "ok")
        other = Caller(client="native:tool", grant="g2", scopes=frozenset())
        audit.command(command(caller=other), Effect.ACT, "ok")
        clock.forward(3600)
        audit.command(command("stop"), Effect.ACT, "ok")

    own = [record for record in kept(path) if record.client == "https://app.example"]
    assert ACTS_AN_HOUR + 3 == len(own)
    assert 5001 == sum(record.count for record in own)
    assert [1] == [record.count for record in kept(path) if record.client == "native:tool"]
    assert own[-2].params is not None, "the next hour has room again"


async def test_what_is_dangerous_is_never_summed(path: Path) -> None:
    owner = Caller(client="owner", scopes=frozenset(), owner=True)
    async with auditing(path) as audit:
        for _ in range(ACTS_AN_HOUR + 10):
            audit.command(command("explode", owner), Effect.DANGEROUS, "ok")

    assert [("ok", 1)] * (ACTS_AN_HOUR + 10) == told(path, Kind.COMMAND)


async def test_sums_are_told_while_the_daemon_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.audit.sums.SHORTEST_WINDOW_SECONDS", 0.05)
    async with auditing(path) as audit:
        for _ in range(5):
            audit.refused("host", None)
        await until(lambda: ("host", 4) in told(path, Kind.REFUSAL))


async def test_what_belongs_to_the_ordinary_course_is_no_refusal(path: Path) -> None:
    async with auditing(path) as audit:
        audit.refused("use_dpop_nonce", "https://app.example")

    assert [] == told(path, Kind.REFUSAL)


WRITER = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from bridge.audit.record import Kind, Record
    from bridge.audit.trail import Trail
    import time
    async def main():
        async with Trail.open(Path(sys.argv[1]), b"k" * 32, clock=time.time) as trail:
            number = 0
            while True:
                for _ in range(50):
                    number += 1
                    trail.note(Record(time=time.time(), kind=Kind.COMMAND, outcome="ok", subject=str(number)))
                await asyncio.sleep(0.005)
    asyncio.run(main())
    """
)


@pytest.mark.real
def test_a_process_that_is_killed_leaves_an_intact_chain_without_a_hole(path: Path) -> None:
    last = 0
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=Path(__file__).parents[3])
        deadline = time.monotonic() + 20
        while not (path.exists() and _count(path) > last + 300):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

        assert is_intact(path)
        last = _count(path)

    numbers = [int(record.subject or 0) for record in kept(path) if record.kind is Kind.COMMAND]
    runs = [index for index, number in enumerate(numbers) if number == 1]
    assert 3 == len(runs)
    for start, end in zip(runs, [*runs[1:], len(numbers)], strict=True):
        assert list(range(1, end - start + 1)) == numbers[start:end]


def _count(path: Path) -> int:
    try:
        return len(kept(path))
    except Exception:  # noqa: BLE001  # the file is being made
        return 0


async def test_noting_never_touches_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    append = AuditFile.append
    monkeypatch.setattr(
        AuditFile,
        "append",
        lambda self, records, *, now: (threads.add(threading.get_ident()), append(self, records, now=now)),
    )
    async with auditing(path) as audit:
        audit.command(command(), Effect.ACT, "ok")
        await audit.page(None, 1)

    assert threads
    assert threading.get_ident() not in threads
