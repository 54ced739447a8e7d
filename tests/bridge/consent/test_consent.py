"""The one way of an answer: first come, durable before anybody is told, and nothing without one."""

import asyncio
import secrets
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bridge.audit.notes import Audit, open_audit
from bridge.consent.consent import PRUNE_SECONDS, QUIET_SECONDS, Consent
from bridge.consent.requests import COMMAND_SECONDS, Pending, shown
from bridge.errors import ApprovalDenied, ApprovalImpossible, ApprovalRequired, Gone, InvalidParams, NotFound
from bridge.messages import Caller, CommandDescription, Effect
from oauth.errors import StorageFailed, Unavailable
from oauth.models import Asked, AuthorizationRequest, Grant
from oauth.store import Store
from tests.bridge.consent.questions import Hand, command
from tests.oauth.clock import FakeClock
from tests.oauth.desk import SCOPES, Desk, answer_of
from tests.oauth.page import Page

READ = frozenset({"player:read"})


class Disk:
    """The disk beneath the store: slow while it is held, full while it is broken."""

    def __init__(self, store: Store, path: Path) -> None:
        self._path = path
        self._free = threading.Event()
        self._free.set()
        self.is_written_to = threading.Event()
        database = store._writer._database
        write = database.write

        def written(writes: object) -> None:
            self.is_written_to.set()
            assert self._free.wait(10)
            write(writes)  # type: ignore[arg-type]  # as it came

        database.write = written  # type: ignore[method-assign]

    def hold(self) -> None:
        self.is_written_to.clear()
        self._free.clear()

    def let_go(self) -> None:
        self._free.set()

    async def until_written_to(self) -> None:
        assert await asyncio.to_thread(self.is_written_to.wait, 10)

    def fill(self, *, until_mended: bool = True) -> None:
        what = "CREATE TRIGGER full BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        with sqlite3.connect(self._path) as other:
            other.execute(what if until_mended else "DROP TRIGGER full")
        other.close()


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="hand")
def _hand() -> Hand:
    return Hand()


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "grants.sqlite"


@pytest.fixture(name="store")
async def _store(path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    async with Store.open(path, clock=clock) as store:
        yield store


@pytest.fixture(name="disk")
def _disk(store: Store, path: Path) -> Disk:
    return Disk(store, path)


@pytest.fixture(name="audit")
async def _audit(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Audit]:
    async with open_audit(tmp_path / "audit.sqlite", secrets.token_bytes(32), version="test", clock=clock) as audit:
        yield audit


@pytest.fixture(name="desk")
def _desk(store: Store, clock: FakeClock) -> Desk:
    return Desk(store, clock)


@pytest.fixture(name="consent")
async def _consent(store: Store, desk: Desk, audit: Audit, hand: Hand) -> AsyncIterator[Consent]:
    consent = Consent(store, server=desk.server, sentences=lambda: SCOPES, audit=audit, clock=hand)
    yield consent
    consent.close()


def asked(desk: Desk, page: Page, scope: str = "player:read player:control") -> AuthorizationRequest:
    return desk.server.authorization_request(page.authorize_query(scope=scope))


async def opened(consent: Consent, desk: Desk, origin: str = "https://app.example") -> tuple[Page, Pending]:
    page = desk.page(origin)
    return page, (await consent.open_page(asked(desk, page))).pending


def redirect_of(pending: Pending) -> dict[str, str]:
    assert pending.redirect is not None
    return answer_of(pending.redirect.reveal())


# Answers.


async def test_a_yes_is_told_once_it_is_durable(consent: Consent, desk: Desk, store: Store, disk: Disk) -> None:
    page, pending = await opened(consent, desk)
    disk.hold()
    answering = asyncio.create_task(consent.answer(pending.code, "allow", by="terminal"))
    await disk.until_written_to()

    assert ("pending", None, False) == (pending.status, pending.redirect, pending.answered.is_set())
    disk.let_go()
    assert pending is await answering
    assert ("allowed", True) == (pending.status, pending.answered.is_set())
    assert 200 == (await desk.redeem(page, redirect_of(pending)["code"])).status


async def test_of_two_surfaces_at_once_the_first_wins(consent: Consent, desk: Desk, disk: Disk, store: Store) -> None:
    page, pending = await opened(consent, desk)
    disk.hold()
    first = asyncio.create_task(consent.answer(pending.code, "deny", by="notification"))
    await disk.until_written_to()
    second = asyncio.create_task(consent.answer(pending.code, "allow", by="page"))
    third = asyncio.create_task(consent.answer(pending.code, "allow", by="terminal"))

    for late in (second, third):
        with pytest.raises(Gone):
            await late
    assert [] == consent.waiting()
    disk.let_go()
    assert "denied" == (await first).status
    grant = store.grant_of(page.origin)
    assert grant is not None
    assert not grant.is_allowed
    assert "access_denied" == redirect_of(pending)["error"]


async def test_two_answers_in_the_same_breath_are_one(consent: Consent, desk: Desk) -> None:
    _, pending = await opened(consent, desk)

    ways = [consent.answer(pending.code, way, by="page") for way in ("allow", "deny", "allow")]  # type: ignore[arg-type]
    told = await asyncio.gather(*ways, return_exceptions=True)

    assert [Pending, Gone, Gone] == [type(one) for one in told]
    assert "allowed" == pending.status


@pytest.mark.parametrize("way", ["allow", "deny"])
async def test_an_answer_that_could_not_be_kept_is_none(
    consent: Consent, desk: Desk, disk: Disk, store: Store, way: str
) -> None:
    page, pending = await opened(consent, desk)
    changes: list[int] = []
    consent.on_change(lambda: changes.append(len(consent.waiting())))
    disk.fill()

    with pytest.raises(StorageFailed):
        await consent.answer(pending.code, way, by="page")  # type: ignore[arg-type]

    assert ([pending], "pending", None) == (consent.waiting(), pending.status, pending.redirect)
    assert 1 == changes[-1], "the surfaces are told that it waits again"
    assert None is store.grant_of(page.origin)
    disk.fill(until_mended=False)
    assert "allowed" == (await consent.answer(pending.code, "allow", by="page")).status
    assert 200 == (await desk.redeem(page, redirect_of(pending)["code"])).status


@pytest.mark.parametrize("way", ["allow", "deny"])
async def test_a_device_hears_nothing_of_an_answer_that_could_not_be_kept(
    consent: Consent, desk: Desk, disk: Disk, way: str
) -> None:
    page = desk.page()
    await desk.pair(page, ["player:read"])  # so that a grant of this client is there already
    code, request = desk.server._devices.make(_asked(page))
    user_code = consent.open_device(request)
    disk.fill()

    with pytest.raises(StorageFailed):
        await consent.answer(user_code, way, until="once" if way == "allow" else None, by="terminal")  # type: ignore[arg-type]
    disk.fill(until_mended=False)

    form = page.token_form(grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=code)
    assert "authorization_pending" == (await desk.ask(page, form)).body["error"]
    await consent.answer(user_code, "allow", scopes=READ, by="terminal")
    assert "player:read" == (await desk.ask(page, form)).body["scope"]


def _asked(page: Page) -> Asked:
    return Asked(client_id=page.origin, scopes=frozenset(SCOPES), dpop_jkt=page.jkt)


async def test_a_command_is_not_let_on_by_a_yes_that_could_not_be_kept(
    consent: Consent, desk: Desk, disk: Disk, store: Store
) -> None:
    caller = await _paired(desk, store)
    code = asks(consent, caller)
    store.answer(msgspec.structs.replace(_grant(store), created_at=1.0))  # something that the commit has to write
    disk.fill()

    with pytest.raises(StorageFailed):
        await consent.answer(code, "allow", by="page")

    assert code == asks(consent, caller)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": frozenset()},
        {"scopes": frozenset({"owner"})},
        {"scopes": frozenset({"player:read", "other:scope"})},
        {"until": "week"},
        {"until": "never"},
    ],
)
async def test_an_answer_that_was_not_offered_answers_nothing(
    consent: Consent, desk: Desk, store: Store, wrong: dict[str, object]
) -> None:
    page, pending = await opened(consent, desk)

    with pytest.raises(InvalidParams):
        await consent.answer(pending.code, "allow", by="page", **wrong)  # type: ignore[arg-type]

    assert [pending] == consent.waiting()
    assert None is store.grant_of(page.origin)


async def test_until_revoked_is_no_answer_for_a_page_in_development(consent: Consent, desk: Desk) -> None:
    _, pending = await opened(consent, desk, "http://localhost:3000")

    with pytest.raises(InvalidParams):
        await consent.answer(pending.code, "allow", until="revoked", by="page")
    assert "allowed" == (await consent.answer(pending.code, "allow", until="week", by="page")).status


async def test_gone_is_not_unknown(consent: Consent, desk: Desk, hand: Hand) -> None:
    _, replaced = await opened(consent, desk)
    _, answered = await opened(consent, desk)
    await consent.answer(answered.code, "deny", by="page")
    _, closed = await opened(consent, desk, "https://other.example")
    hand.now += 31

    for pending in (replaced, answered, closed):
        with pytest.raises(Gone):
            await consent.answer(pending.code, "allow", by="page")
    with pytest.raises(NotFound):
        await consent.answer("BCDF-GHJK", "allow", by="page")


async def test_nothing_is_allowed_because_nobody_answered(
    consent: Consent, desk: Desk, hand: Hand, store: Store, clock: FakeClock
) -> None:
    page, pending = await opened(consent, desk)
    device = desk.page("https://tv.example")
    _, request = desk.server._devices.make(_asked(device))
    consent.open_device(request)
    for _ in range(20):
        hand.now += 61
        clock.forward(61)
        assert [] == consent.waiting()

    assert ("pending", None) == (pending.status, pending.redirect)
    assert () == store.grants()
    assert frozenset() == store.approved_origins()
    assert page.origin not in store.known_origins()


# Who is asked again, and how loudly.


async def test_a_no_makes_every_key_of_that_client_quiet_for_a_day(
    consent: Consent, desk: Desk, clock: FakeClock, hand: Hand
) -> None:
    _, pending = await opened(consent, desk)
    assert not pending.is_quiet
    await consent.answer(pending.code, "deny", by="page")

    _, other_key = await opened(consent, desk)
    assert other_key.is_quiet
    assert [other_key] == consent.waiting(), "the page shows it still"
    _, other_site = await opened(consent, desk, "https://other.example")
    assert not other_site.is_quiet

    hand.now += 61  # by itself, a replacement is quiet for a minute
    clock.forward(QUIET_SECONDS - 1)
    assert (await opened(consent, desk))[1].is_quiet
    hand.now += 61
    clock.forward(1)
    assert not (await opened(consent, desk))[1].is_quiet


async def test_a_yes_after_a_no_ends_the_quiet(consent: Consent, desk: Desk) -> None:
    _, pending = await opened(consent, desk)
    await consent.answer(pending.code, "deny", by="page")
    _, again = await opened(consent, desk)
    await consent.answer(again.code, "allow", by="page")

    assert not (await opened(consent, desk))[1].is_quiet


async def test_a_key_that_was_allowed_comes_back_past_a_full_queue(consent: Consent, desk: Desk) -> None:
    page = desk.page()
    await desk.pair(page)
    for number in range(5):
        await opened(consent, desk, f"https://{number}.example")
    waiting, changes = consent.waiting(), []
    consent.on_change(lambda: changes.append(1))

    again = await consent.open_page(asked(desk, page))

    assert (True, "allowed") == (again.is_remembered, again.pending.status)
    assert (waiting, []) == (consent.waiting(), changes)
    assert 200 == (await desk.redeem(page, redirect_of(again.pending)["code"])).status


async def test_a_device_that_finds_nothing_but_commands_waiting_is_told_to_come_back(
    consent: Consent, desk: Desk
) -> None:
    for number in range(5):
        consent._requests.open(command(f"https://{number}.example"))
    _, request = desk.server._devices.make(_asked(desk.page()))

    with pytest.raises(Unavailable):
        consent.open_device(request)


async def test_surfaces_are_told_within_seconds_that_a_page_was_closed(
    consent: Consent, desk: Desk, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PRUNE_SECONDS <= 10
    monkeypatch.setattr("bridge.consent.consent.PRUNE_SECONDS", 0.01)
    await opened(consent, desk)
    hand.now += 31

    async with asyncio.timeout(5):
        await consent.changed(5)

    assert [] == consent.waiting()


# Dangerous commands.

EXPLODE = CommandDescription(
    name="explode",
    summary="Be dangerous.",
    params={},
    result={},
    scope="player:control",
    effect=Effect.DANGEROUS,
    deadline=5,
)


async def _paired(desk: Desk, store: Store, origin: str = "https://app.example") -> Caller:
    await desk.pair(desk.page(origin))
    grant = _grant(store, origin)
    (pairing,) = store.pairings(grant.id)
    return Caller(client=origin, origin=origin, scopes=frozenset(SCOPES), grant=grant.id, pairing=pairing.id)


def _grant(store: Store, origin: str = "https://app.example") -> Grant:
    grant = store.grant_of(origin)
    assert grant is not None
    return grant


def asks(consent: Consent, caller: Caller, params: bytes = b"{}") -> str:
    """Return the code of the question that ``caller`` raises."""
    with pytest.raises(ApprovalRequired) as raised:
        consent.approve(caller, "player", EXPLODE, msgspec.Raw(params))
    assert shown(raised.value.user_code.replace("-", "")) == raised.value.user_code
    return raised.value.user_code


async def test_two_tabs_that_want_the_same_are_one_question(consent: Consent, desk: Desk, store: Store) -> None:
    caller = await _paired(desk, store)

    codes = {asks(consent, caller, params) for params in (b'{"a":1,"b":2}', b'{ "b":2, "a":1 }', b'{"a":1,"b":2}')}

    assert 1 == len(codes)
    (pending,) = consent.waiting()
    assert codes == {shown(pending.code)}
    assert not pending.is_quiet


async def test_other_parameters_are_another_question(consent: Consent, desk: Desk, store: Store) -> None:
    caller = await _paired(desk, store)
    first, second = asks(consent, caller, b'{"a":1}'), asks(consent, caller, b'{"a":2}')

    assert first != second
    assert [second] == [shown(pending.code) for pending in consent.waiting()]
    with pytest.raises(Gone):
        await consent.answer(first, "allow", by="page")
    await consent.answer(second, "allow", by="page")
    consent.approve(caller, "player", EXPLODE, msgspec.Raw(b'{"a":2}'))
    asks(consent, caller, b'{"a":1}')


async def test_a_yes_lets_one_command_on_for_a_minute(consent: Consent, desk: Desk, store: Store, hand: Hand) -> None:
    caller = await _paired(desk, store)
    await consent.answer(asks(consent, caller), "allow", by="page")
    consent.approve(caller, "player", EXPLODE, msgspec.Raw(b"{}"))
    await consent.answer(asks(consent, caller), "allow", by="page")
    hand.now += COMMAND_SECONDS

    asks(consent, caller)


async def test_a_no_is_told_for_a_minute(consent: Consent, desk: Desk, store: Store, hand: Hand) -> None:
    caller = await _paired(desk, store)
    await consent.answer(asks(consent, caller), "deny", by="page")

    for _ in range(2):
        with pytest.raises(ApprovalDenied):
            consent.approve(caller, "player", EXPLODE, msgspec.Raw(b"{}"))
    assert [] == consent.waiting()
    hand.now += 60
    asks(consent, caller)
    assert _grant(store).is_allowed, "a no to a command is no no to its client"


async def test_a_page_in_development_is_asked_about_never(consent: Consent, desk: Desk, store: Store) -> None:
    caller = await _paired(desk, store, "http://localhost:3000")

    with pytest.raises(ApprovalImpossible):
        consent.approve(caller, "player", EXPLODE, msgspec.Raw(b"{}"))
    assert [] == consent.waiting()


async def test_the_time_that_is_left_is_told(consent: Consent, desk: Desk, store: Store, hand: Hand) -> None:
    caller = await _paired(desk, store)
    asks(consent, caller)
    hand.now += 50

    with pytest.raises(ApprovalRequired) as raised:
        consent.approve(caller, "player", EXPLODE, msgspec.Raw(b"{}"))
    assert 10 == raised.value.expires_in
