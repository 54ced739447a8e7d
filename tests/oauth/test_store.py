import asyncio
import logging
import os
import sqlite3
import stat
from pathlib import Path

import msgspec
import pytest

from oauth.errors import StorageFailed, StoreDamaged, StoreTooNew, StoreUnsafe
from oauth.models import AccessToken, Grant, Pairing, RefreshToken
from oauth.store import MAX_ACCESS_TOKENS, MAX_DENIED_KEYS, MAX_KNOWN_ORIGINS, MAX_REFRESH_TOKENS, Store
from tests.oauth.clock import FakeClock

ORIGIN = "https://app.example"
READ = frozenset({"player:read"})
DAY = 86_400.0


def _grant(clock: FakeClock, client_id: str = ORIGIN, **changes: object) -> Grant:
    grant = Grant(id=f"grant of {client_id}", client_id=client_id, is_allowed=True, scopes=READ, created_at=clock())
    return msgspec.structs.replace(grant, **changes)


def _pair(store: Store, clock: FakeClock, grant: Grant, jkt: str | None = "key") -> Pairing:
    pairing = Pairing(
        id=f"{jkt} under {grant.id}",
        grant_id=grant.id,
        jkt=jkt,
        scopes=READ,
        created_at=clock(),
        consented_at=clock(),
    )
    store.keep(pairing)
    store.keep(RefreshToken(id=f"refresh {pairing.id}", pairing_id=pairing.id, scopes=READ, ends_at=clock() + DAY))
    store.keep(AccessToken(id=f"access {pairing.id}", pairing_id=pairing.id, scopes=READ, expires_at=clock() + 600))
    return pairing


def _write(path: Path, value: bytes, mode: int = 0o600) -> None:
    path.touch(mode)
    path.write_bytes(value)


def _read(path: Path) -> tuple[int, bytes]:
    return stat.S_IMODE(path.stat().st_mode), path.read_bytes()


def _ids(path: Path, *tables: str) -> set[str]:
    """Return the ids of all rows in ``tables``, as another program reads them."""
    other = sqlite3.connect(path)
    ids = {row[0] for table in tables for row in other.execute(f"SELECT id FROM {table}")}  # noqa: S608  # our names
    other.close()
    return ids


def _break(path: Path) -> None:
    """Make every write of a grant fail, as a full disk would."""
    with sqlite3.connect(path) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    other.close()


def _mend(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("DROP TRIGGER full")
    other.close()


async def test_what_was_committed_is_there_after_a_restart(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        grant = store.answer(_grant(clock))
        pairing = _pair(store, clock, grant)
        await store.commit()
        key = store.refresh_key

    async with Store.open(path, clock=clock) as store:
        assert store.grants() == (grant,)
        assert store.pairings(grant.id) == (pairing,)
        assert store.access_token(f"access {pairing.id}") is not None
        assert store.refresh_token(f"refresh {pairing.id}") is not None
        assert store.approved_origins() == {ORIGIN}
        assert store.known_origins() == {ORIGIN}
        assert store.refresh_key == key


async def test_commit_returns_after_the_file_holds_it(path: Path, store: Store, clock: FakeClock) -> None:
    store.answer(_grant(clock))

    await store.commit()

    assert _ids(path, "grants") == {f"grant of {ORIGIN}"}


async def test_the_file_is_the_owners_alone(path: Path, store: Store, clock: FakeClock) -> None:
    store.answer(_grant(clock))
    await store.commit()

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}


@pytest.mark.parametrize("mode", [0o666, 0o644, 0o640, 0o602])
@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_a_file_that_others_could_read_or_change_is_refused_and_left_as_it_is(
    path: Path, clock: FakeClock, suffix: str, mode: int
) -> None:
    async with Store.open(path, clock=clock):
        pass
    place = path.with_name(path.name + suffix)
    place.touch(0o600)
    place.chmod(mode)
    before = _read(place)

    with pytest.raises(StoreUnsafe, match=f"{place} is open to others .mode 0{mode:o}.; run `chmod 600 {place}` if"):
        async with Store.open(path, clock=clock):
            pass

    assert before == _read(place)
    place.chmod(0o600)
    async with Store.open(path, clock=clock):
        pass


async def test_a_file_is_private_whatever_the_umask(path: Path, clock: FakeClock) -> None:
    before = os.umask(0o777)
    try:
        async with Store.open(path, clock=clock):
            assert _read(path)[0] == 0o600
    finally:
        os.umask(before)


async def test_a_file_that_is_there_but_holds_nothing_is_told(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with Store.open(path, clock=clock):
        pass
    async with Store.open(path, clock=clock):
        pass
    assert [] == caplog.records
    os.truncate(path, 0)

    async with Store.open(path, clock=clock) as store:
        assert () == store.grants()

    (record,) = caplog.records
    assert (logging.WARNING, path) == (record.levelno, record.__dict__["file"])
    assert "was there, but empty" in record.getMessage()


async def test_a_newer_schema_is_refused_and_left_untouched(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock):
        pass
    with sqlite3.connect(path) as other:
        other.execute("UPDATE meta SET value = '2' WHERE name = 'schema_version'")
    other.close()
    before = _read(path)

    with pytest.raises(StoreTooNew):
        async with Store.open(path, clock=clock):
            pass

    assert _read(path) == before


async def test_a_file_that_is_no_store_is_refused_and_left_untouched(path: Path, clock: FakeClock) -> None:
    _write(path, b"no database at all" * 100)

    with pytest.raises(StoreDamaged):
        async with Store.open(path, clock=clock):
            pass

    assert _read(path)[1] == b"no database at all" * 100


async def test_a_row_that_cannot_be_read_is_said(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock):
        pass
    with sqlite3.connect(path) as other:
        other.execute("INSERT INTO grants VALUES ('id', '{}')")
    other.close()

    with pytest.raises(StoreDamaged):
        async with Store.open(path, clock=clock):
            pass


async def test_a_failed_commit_says_so_and_memory_goes_back(path: Path, store: Store, clock: FakeClock) -> None:
    kept = store.answer(_grant(clock))
    await store.commit()
    _break(path)

    store.answer(_grant(clock, "https://other.example"))
    with pytest.raises(StorageFailed):
        await store.commit()

    assert store.grants() == (kept,)
    assert store.approved_origins() == {ORIGIN}
    assert store.known_origins() == {ORIGIN}


async def test_everybody_who_waits_hears_of_the_failure(path: Path, store: Store, clock: FakeClock) -> None:
    _break(path)

    async def answer(number: int) -> None:
        store.answer(_grant(clock, f"https://{number}.example"))
        await store.commit()

    outcomes = await asyncio.gather(*(answer(number) for number in range(5)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [StorageFailed] * 5
    assert store.grants() == ()


async def test_the_store_works_again_once_the_file_does(path: Path, store: Store, clock: FakeClock) -> None:
    _break(path)
    store.answer(_grant(clock))
    with pytest.raises(StorageFailed):
        await store.commit()
    _mend(path)

    grant = store.answer(_grant(clock))
    await store.commit()

    assert store.grants() == (grant,)


async def test_a_file_that_cannot_even_be_read_fails_until_it_can(path: Path, store: Store, clock: FakeClock) -> None:
    other = sqlite3.connect(path)
    other.execute("ALTER TABLE grants RENAME TO elsewhere")
    other.commit()
    store.answer(_grant(clock))
    with pytest.raises(StorageFailed):
        await store.commit()
    other.execute("ALTER TABLE elsewhere RENAME TO grants")
    other.commit()
    other.close()

    store.answer(_grant(clock))
    with pytest.raises(StorageFailed, match="undone"):
        await store.commit()
    assert store.grants() == ()
    grant = store.answer(_grant(clock))
    await store.commit()

    assert store.grants() == (grant,)


async def test_a_file_that_stays_busy_fails_the_commit(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock, busy_seconds=0.05) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        store.answer(_grant(clock))

        with pytest.raises(StorageFailed):
            await store.commit()

        other.execute("ROLLBACK")
        other.close()


async def test_many_commits_at_once_are_all_durable(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:

        async def answer(number: int) -> None:
            store.answer(_grant(clock, f"https://{number}.example"))
            await store.commit()

        await asyncio.gather(*(answer(number) for number in range(50)))

    async with Store.open(path, clock=clock) as store:
        assert len(store.grants()) == 50


async def test_a_commit_given_up_by_its_caller_is_still_written(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        store.answer(_grant(clock))
        waiting = asyncio.create_task(store.commit())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async with Store.open(path, clock=clock) as store:
        assert len(store.grants()) == 1


async def test_a_closed_store_commits_nothing(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        pass

    store.answer(_grant(clock))

    with pytest.raises(StorageFailed):
        await store.commit()


async def test_a_commit_without_changes_returns(store: Store) -> None:
    await store.commit()


async def test_an_end_says_so_and_takes_everything_under_it(store: Store, clock: FakeClock, path: Path) -> None:
    grant = store.answer(_grant(clock))
    pairing = _pair(store, clock, grant)
    ended: list[Grant] = []
    store.on_revoked(ended.append)

    store.revoke(grant.id)

    assert ended == [grant]
    assert store.grant(grant.id) is None
    assert store.pairing(pairing.id) is None
    assert store.access_token(f"access {pairing.id}") is None
    assert store.refresh_token(f"refresh {pairing.id}") is None
    assert store.approved_origins() == frozenset()
    assert store.known_origins() == {ORIGIN}
    await store.commit()
    assert _ids(path, "grants", "pairings", "access_tokens", "refresh_tokens") == set()


def test_ending_what_is_not_there_has_no_effect(store: Store) -> None:
    store.revoke("no such grant")
    store.end_pairing("no such pairing", "reused")


async def test_ending_a_pairing_leaves_the_grant_and_its_other_pairings(store: Store, clock: FakeClock) -> None:
    grant = store.answer(_grant(clock))
    one, other = _pair(store, clock, grant, "one"), _pair(store, clock, grant, "other")

    store.end_pairing(one.id, "reused")

    assert store.pairings(grant.id) == (other,)
    assert store.grants() == (grant,)


async def test_a_grant_that_runs_out_ends_like_a_revoked_one(store: Store, clock: FakeClock) -> None:
    grant = store.answer(_grant(clock, "http://localhost:3000", ends_at=clock() + DAY))
    pairing = _pair(store, clock, grant)
    ended: list[Grant] = []
    store.on_revoked(ended.append)

    clock.forward(DAY - 1)
    assert store.approved_origins() == {"http://localhost:3000"}
    clock.forward(1)

    assert store.approved_origins() == frozenset()
    assert ended == [grant]
    assert store.pairing(pairing.id) is None


async def test_a_grant_that_ran_out_while_the_daemon_was_down_is_gone(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        _pair(store, clock, store.answer(_grant(clock, "http://localhost:3000", ends_at=clock() + DAY)))
        await store.commit()
    clock.forward(DAY)

    async with Store.open(path, clock=clock) as store:
        assert store.grants() == ()
        assert store.known_origins() == {"http://localhost:3000"}


async def test_a_pairing_without_a_live_token_is_forgotten_and_its_grant_stays(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        grant = store.answer(_grant(clock))
        pairing = _pair(store, clock, grant)
        await store.commit()
    clock.forward(DAY)

    async with Store.open(path, clock=clock) as store:
        assert store.pairing(pairing.id) is None
        assert store.grants() == (grant,)


async def test_the_dashboards_grant_is_never_written_and_void_after_a_restart(path: Path, clock: FakeClock) -> None:
    base = "http://127.0.0.1:4380"
    async with Store.open(path, clock=clock) as store:
        _pair(store, clock, store.answer(_grant(clock, base, is_owner=True)))
        await store.commit()
        assert store.approved_origins() == frozenset()
        assert _ids(path, "grants", "pairings", "access_tokens", "refresh_tokens", "known_origins") == set()

    async with Store.open(path, clock=clock) as store:
        assert store.grants() == ()


async def test_the_dashboards_grant_outlives_a_failed_write(path: Path, store: Store, clock: FakeClock) -> None:
    owner = store.answer(_grant(clock, "http://127.0.0.1:4380", is_owner=True))
    pairing = _pair(store, clock, owner)
    _break(path)
    store.answer(_grant(clock))

    with pytest.raises(StorageFailed):
        await store.commit()

    assert store.grants() == (owner,)
    assert store.pairings(owner.id) == (pairing,)


def test_the_salt_lives_as_long_as_the_yes(store: Store, clock: FakeClock) -> None:
    assert store.salt(ORIGIN) is None

    grant = store.answer(_grant(clock))
    salt = store.salt(ORIGIN)
    store.answer(msgspec.structs.replace(grant, scopes=frozenset({"player:control"})))

    assert salt is not None
    assert len(salt) == 32
    assert store.salt(ORIGIN) == salt
    store.revoke(grant.id)
    assert store.salt(ORIGIN) is None
    store.answer(_grant(clock))
    assert store.salt(ORIGIN) != salt


def test_a_denied_client_has_no_salt_and_is_not_approved(store: Store, clock: FakeClock) -> None:
    store.answer(_grant(clock, is_allowed=False, denied_keys=("key",)))

    assert store.salt(ORIGIN) is None
    assert store.approved_origins() == frozenset()
    assert store.known_origins() == {ORIGIN}


def test_native_clients_are_no_origins(store: Store, clock: FakeClock) -> None:
    store.answer(_grant(clock, "native:cli"))

    assert store.approved_origins() == frozenset()
    assert store.known_origins() == frozenset()


def test_a_pairing_keeps_a_bounded_number_of_tokens_and_loses_the_oldest(store: Store, clock: FakeClock) -> None:
    pairing = _pair(store, clock, store.answer(_grant(clock)))
    for number in range(1, 2 * MAX_REFRESH_TOKENS):
        store.keep(AccessToken(id=f"a{number}", pairing_id=pairing.id, scopes=READ, expires_at=clock() + 600 + number))
        store.keep(
            RefreshToken(
                id=f"r{number}",
                pairing_id=pairing.id,
                scopes=READ,
                ends_at=clock() + DAY + number,
                rotated_at=clock(),
                successor=f"r{number + 1}",
            )
        )

    last = 2 * MAX_REFRESH_TOKENS - 1
    assert store.access_token(f"a{last}") is not None
    assert store.access_token(f"a{last - MAX_ACCESS_TOKENS}") is None
    assert store.refresh_token(f"r{last}") is not None
    assert store.refresh_token(f"r{last - MAX_REFRESH_TOKENS}") is None
    assert store.refresh_token(f"refresh {pairing.id}") is not None, "an unused token outlives used ones"


def test_denied_keys_are_bounded(store: Store, clock: FakeClock) -> None:
    keys = tuple(str(number) for number in range(2 * MAX_DENIED_KEYS))

    grant = store.answer(_grant(clock, is_allowed=False, denied_keys=keys))

    assert grant.denied_keys == keys[MAX_DENIED_KEYS:]


def test_known_origins_are_bounded(store: Store, clock: FakeClock) -> None:
    for number in range(MAX_KNOWN_ORIGINS + 1):
        clock.forward(1)
        store.answer(_grant(clock, f"https://{number}.example"))

    assert len(store.known_origins()) == MAX_KNOWN_ORIGINS
    assert "https://0.example" not in store.known_origins()
