"""What is shown and what counts as an answer, with a server whose every word is the test's."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from bridge.consent import notification_surface
from bridge.consent.notification_port import Refused
from bridge.consent.notification_surface import EARLY_SECONDS, MOST_EARLY, Surface
from bridge.consent.notification_text import Notice
from bridge.errors import Gone, InvalidParams, NotFound, Restarting
from oauth.errors import StoreError
from tests.bridge.consent.consent_double import ConsentDouble, PendingDouble

DEADLINE_SECONDS = 5.0
SERVER = ":1.7"


class DesktopDouble:
    """The server at ``SERVER``: it has answered nothing until the test does."""

    def __init__(self) -> None:
        self.owner: str | None = None
        self.capabilities = frozenset({"actions", "body"})
        self.fault: Exception | None = None
        self.may_find = asyncio.Event()
        self.may_find.set()
        self.searches: list[bool] = []
        self.shown: list[tuple[Notice, dict[str, str]]] = []
        self.replies: list[Callable[[int | None], None]] = []
        self.withdrawn: list[tuple[str, int]] = []

    async def find(self, *, may_start: bool) -> bool:
        self.searches.append(may_start)
        await self.may_find.wait()
        if self.fault is not None:
            raise self.fault
        self.owner = SERVER
        return True

    def notify(
        self, owner: str, notice: Notice, actions: Sequence[tuple[str, str]], reply: Callable[[int | None], None]
    ) -> None:
        self.shown.append((notice, {label: key for key, label in actions}))
        self.replies.append(reply)

    def withdraw(self, owner: str, number: int) -> None:
        self.withdrawn.append((owner, number))

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def codes(self) -> list[str]:
        return [notice.body.rpartition(" ")[2] for notice, _ in self.shown]


class Desk:
    """The surface at work on both doubles."""

    def __init__(self) -> None:
        self.now = 100.0
        self.consent = ConsentDouble()
        self.desktop = DesktopDouble()
        self.surface: Surface[PendingDouble] = Surface(self.consent, lambda: self.now)
        self.consent.on_change(self.surface.changed)

    async def show(self, code: str, number: int) -> dict[str, str]:
        """Ask, have it shown as ``number`` and read; return the keys of its buttons by their labels."""
        self.consent.ask(code)
        await settled()
        assert code == self.desktop.codes[-1]
        self.desktop.replies[-1](number)
        self.now += EARLY_SECONDS
        await settled()
        return self.desktop.shown[-1][1]


async def settled() -> None:
    """Let the surface do all that it can do without being told more: it waits for nothing else."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_so():  # noqa: ASYNC110  # what is waited for is a deadline of the surface's own
            await asyncio.sleep(0.001)


@asynccontextmanager
async def at_work() -> AsyncIterator[Desk]:
    desk = Desk()
    task = asyncio.create_task(desk.surface.tend(desk.desktop))
    await settled()
    try:
        yield desk
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bridge.consent")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [getattr(record, "reason", record.message) for record in caplog.records]


@pytest.mark.parametrize(("label", "answer"), [("Allow", "allow"), ("Deny", "deny")])
async def test_a_press_answers_with_all_that_was_asked_for_the_usual_time(label: str, answer: str) -> None:
    async with at_work() as desk:
        keys = await desk.show("BCDF-GHJK", 1)
        desk.surface.invoked(1, keys[label])
        await settled()

    assert [("BCDF-GHJK", answer, None, None, "notification")] == desk.consent.answers
    assert [(SERVER, 1)] == desk.desktop.withdrawn, "not every server closes it by itself"


async def test_nothing_is_asked_of_the_desktop_while_nothing_waits() -> None:
    async with at_work() as desk:
        desk.consent.ask("BCDF-GHJK", is_quiet=True)
        await settled()

    assert ([], []) == (desk.desktop.searches, desk.desktop.shown)


async def test_one_at_a_time_the_oldest_first() -> None:
    async with at_work() as desk:
        await desk.show("BCDF-GHJK", 1)
        desk.consent.ask("LMNP-QRST")
        desk.consent.ask("VWXZ-BCDF")
        await settled()
        assert ["BCDF-GHJK"] == desk.desktop.codes

        desk.consent.end("BCDF-GHJK")
        await settled()
        assert [(SERVER, 1)] == desk.desktop.withdrawn
        assert ["BCDF-GHJK", "LMNP-QRST"] == desk.desktop.codes


async def test_one_that_is_over_before_the_server_is_found_is_not_shown() -> None:
    async with at_work() as desk:
        desk.desktop.may_find.clear()
        desk.consent.ask("BCDF-GHJK")
        desk.consent.ask("LMNP-QRST")
        await settled()
        desk.consent.end("BCDF-GHJK")
        desk.desktop.may_find.set()
        await settled()

    assert ["LMNP-QRST"] == desk.desktop.codes


async def test_a_press_that_comes_too_early_is_ignored_and_it_is_shown_again() -> None:
    async with at_work() as desk:
        desk.consent.ask("BCDF-GHJK")
        await settled()
        desk.desktop.replies[0](1)
        desk.now += EARLY_SECONDS - 0.01
        desk.surface.invoked(1, desk.desktop.shown[0][1]["Allow"])
        await settled()
        assert [] == desk.consent.answers
        assert ["BCDF-GHJK", "BCDF-GHJK"] == desk.desktop.codes

        desk.desktop.replies[1](2)
        desk.now += EARLY_SECONDS
        desk.surface.invoked(2, desk.desktop.shown[0][1]["Allow"])
        await settled()
        assert [] == desk.consent.answers, "a key of the one before"
        desk.surface.invoked(2, desk.desktop.shown[1][1]["Allow"])
        await settled()
        assert 1 == len(desk.consent.answers)


async def test_who_always_presses_too_early_is_asked_no_more() -> None:
    async with at_work() as desk:
        desk.consent.ask("BCDF-GHJK")
        for number in range(1, MOST_EARLY + 1):
            await settled()
            desk.desktop.replies[-1](number)
            desk.surface.invoked(number, desk.desktop.shown[-1][1]["Allow"])
        await settled()

        assert MOST_EARLY == len(desk.desktop.shown)
        assert ["BCDF-GHJK"] == [pending.code for pending in desk.consent.waiting()]
        assert [] == desk.consent.answers


@pytest.mark.parametrize("key", ["default", "allow", "Allow", "", "0"])
async def test_an_action_that_was_not_offered_answers_nothing(key: str) -> None:
    async with at_work() as desk:
        keys = await desk.show("BCDF-GHJK", 1)
        desk.surface.invoked(1, key)
        desk.surface.invoked(2, keys["Allow"])
        await settled()

    assert [] == desk.consent.answers


async def test_both_buttons_are_offered_and_no_default() -> None:
    async with at_work() as desk:
        keys = await desk.show("BCDF-GHJK", 1)

    assert ["Deny", "Allow"] == list(keys)
    assert "default" not in keys.values()


async def test_a_button_of_one_that_is_over_answers_nothing() -> None:
    async with at_work() as desk:
        keys = await desk.show("BCDF-GHJK", 1)
        desk.consent.end("BCDF-GHJK")
        await settled()
        desk.surface.invoked(1, keys["Allow"])
        await settled()

    assert [] == desk.consent.answers


async def test_where_there_are_no_buttons_no_word_of_the_server_answers() -> None:
    async with at_work() as desk:
        desk.desktop.capabilities = frozenset({"body"})
        keys = await desk.show("BCDF-GHJK", 1)
        assert {} == keys
        for key in ("allow", "default", "Allow"):
            desk.surface.invoked(1, key)
        await settled()

    assert [] == desk.consent.answers


async def test_one_that_was_dismissed_waits_in_silence_until_it_is_over() -> None:
    async with at_work() as desk:
        await desk.show("BCDF-GHJK", 1)
        desk.surface.closed(1)
        await settled()
        await desk.show("LMNP-QRST", 2)
        desk.surface.owner_changed()
        await settled()

        assert ["BCDF-GHJK", "LMNP-QRST", "LMNP-QRST"] == desk.desktop.codes, "a new server shows what stood there"
        assert [] == desk.consent.answers
        assert ["BCDF-GHJK", "LMNP-QRST"] == [pending.code for pending in desk.consent.waiting()]


@pytest.mark.parametrize("fault", [Gone("over"), NotFound("unknown"), InvalidParams("x")])
async def test_a_press_that_comes_too_late_is_no_error(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    async with at_work() as desk:
        keys = await desk.show("BCDF-GHJK", 1)
        desk.consent.fault = fault
        desk.surface.invoked(1, keys["Allow"])
        await settled()
        desk.consent.fault = None
        await desk.show("LMNP-QRST", 2)

    assert "an answer came too late" in said(caplog)


@pytest.mark.parametrize("fault", [StoreError("the disk is full"), Restarting("stopping")])
async def test_an_answer_that_cannot_be_kept_is_told_and_not_asked_again(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with at_work() as desk:
        keys = await desk.show("BCDF-GHJK", 1)
        desk.consent.fault = fault
        desk.surface.invoked(1, keys["Allow"])
        await settled()

        assert ["BCDF-GHJK"] == desk.desktop.codes
        assert ["BCDF-GHJK"] == [pending.code for pending in desk.consent.waiting()]
    assert "an answer could not be kept; answer in a terminal" in said(caplog)


async def test_the_late_number_of_one_that_is_over_says_what_to_take_back() -> None:
    async with at_work() as desk:
        desk.consent.ask("BCDF-GHJK")
        await settled()
        desk.consent.end("BCDF-GHJK")
        desk.consent.ask("LMNP-QRST")
        await settled()
        assert ["BCDF-GHJK"] == desk.desktop.codes, "nothing more is asked of a server that owes an answer"

        desk.desktop.replies[0](1)
        await settled()
        assert [(SERVER, 1)] == desk.desktop.withdrawn
        assert ["BCDF-GHJK", "LMNP-QRST"] == desk.desktop.codes


async def test_the_late_number_from_a_server_that_was_replaced_is_taken_back_there() -> None:
    async with at_work() as desk:
        desk.consent.ask("BCDF-GHJK")
        await settled()
        desk.desktop.owner = None
        desk.surface.owner_changed()
        await settled()
        desk.desktop.replies[0](1)
        desk.desktop.replies[1](2)
        await settled()

    assert [(SERVER, 1), (SERVER, 2)] == desk.desktop.withdrawn, "the second at the end of the surface"


async def test_a_server_that_owes_an_answer_is_said_to_be_silent_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notification_surface, "REPLY_SECONDS", 0.01)
    async with at_work() as desk:
        desk.consent.ask("BCDF-GHJK")
        await until(lambda: "the notification server does not answer" in said(caplog))
        keys = desk.desktop.shown[0][1]
        desk.surface.invoked(0, keys["Allow"])
        desk.desktop.replies[0](1)
        desk.now += EARLY_SECONDS
        desk.surface.invoked(1, keys["Allow"])
        await settled()

    assert 1 == len(desk.consent.answers), "its late word counts"
    assert ["the notification server does not answer", "the desktop shows them"] == said(caplog)


async def test_a_server_that_takes_none_is_not_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    async with at_work() as desk:
        desk.consent.ask("BCDF-GHJK")
        await settled()
        desk.desktop.replies[0](None)
        await settled()

        assert ["BCDF-GHJK"] == desk.desktop.codes
        assert ["BCDF-GHJK"] == [pending.code for pending in desk.consent.waiting()]
    assert ["the notification server takes none"] == said(caplog)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Refused("org.freedesktop.DBus.Error.ServiceUnknown"), "there is no notification server"),
        (TimeoutError(), "the notification server does not answer"),
    ],
)
async def test_without_a_server_requests_wait_and_it_is_looked_for_less_and_less(
    fault: Exception, line: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notification_surface, "FIRST_START_SECONDS", 0.01)
    monkeypatch.setattr(notification_surface, "LAST_START_SECONDS", 0.02)
    async with at_work() as desk:
        desk.desktop.fault = fault
        desk.consent.ask("BCDF-GHJK")
        await until(lambda: len(desk.desktop.searches) >= 3)
        assert [line] == said(caplog), "said once"
        assert ["BCDF-GHJK"] == [pending.code for pending in desk.consent.waiting()]

        desk.desktop.fault = None
        await until(lambda: bool(desk.desktop.shown))


async def test_a_server_that_ends_as_soon_as_it_is_started_is_not_started_again_at_once() -> None:
    async with at_work() as desk:
        desk.desktop.fault = Refused("org.freedesktop.DBus.Error.Spawn.ChildExited")
        desk.consent.ask("BCDF-GHJK")
        await settled()
        for _ in range(5):
            desk.surface.owner_changed()
            await settled()

    assert [True, False, False, False, False, False] == desk.desktop.searches


async def test_at_its_end_what_is_shown_is_taken_back() -> None:
    async with at_work() as desk:
        await desk.show("BCDF-GHJK", 1)

    assert [(SERVER, 1)] == desk.desktop.withdrawn
    assert ["BCDF-GHJK"] == [pending.code for pending in desk.consent.waiting()]


async def test_when_the_bus_is_lost_it_returns_and_a_press_answers_nothing_any_more() -> None:
    desk = Desk()
    task = asyncio.create_task(desk.surface.tend(desk.desktop))
    keys = await desk.show("BCDF-GHJK", 1)
    desk.surface.lost()
    desk.surface.invoked(1, keys["Allow"])
    async with asyncio.timeout(DEADLINE_SECONDS):
        await task

    assert [] == desk.consent.answers
    assert ["BCDF-GHJK"] == [pending.code for pending in desk.consent.waiting()]
