"""A real notification server on a real bus and screen, and a pointer that presses its buttons."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from bridge.consent.notification_surface import EARLY_SECONDS
from bridge.consent.notifications import notifying
from tests.bridge.consent.consent_double import ConsentDouble
from tests.parts.bus import PrivateBus
from tests.parts.notification_daemon import DISMISS, FIRST, GNOME, MATE, SECOND, NotificationDaemon
from tests.parts.screen import Colour, Screen

pytestmark = pytest.mark.real

DENY, ALLOW = FIRST, SECOND
DEADLINE_SECONDS = 20.0
NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"


class Hand:
    """A clock that is moved by hand, in seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Bystander:
    """Another program of the bus: it hears all that goes to and from the server, and can send what it likes."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.heard: list[Message] = []

    async def __aenter__(self) -> Self:
        self.bus = await MessageBus(bus_address=self._address).connect()
        self.bus.add_message_handler(self._hear)
        for rule in (f"interface='{NAME}'", f"type='method_return',sender='{NAME}'"):
            await self.call("org.freedesktop.DBus", "org.freedesktop.DBus.AddMatch", "s", f"{rule},eavesdrop='true'")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bus.disconnect()
        await self.bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast left it unannotated

    async def call(self, destination: str, member: str, signature: str = "", *body: Any) -> list[Any]:
        interface, _, method = member.rpartition(".")
        path = PATH if destination == NAME else "/org/freedesktop/DBus"
        message = Message(
            destination=destination, path=path, interface=interface, member=method, signature=signature, body=list(body)
        )
        async with asyncio.timeout(DEADLINE_SECONDS):
            answer = await self.bus.call(message)
        assert answer is not None
        assert answer.message_type is MessageType.METHOD_RETURN, answer.error_name
        return list(answer.body)

    def named(self, member: str) -> list[Message]:
        return [message for message in self.heard if message.member == member]

    async def card(self, nth: int = 1) -> tuple[str, int, dict[str, str]]:
        """Return the connection that shows the ``nth`` notification, its number, and its keys by their label.

        Once this returns, that connection knows its number, too.
        """
        await until(lambda: len(self.named("Notify")) >= nth)
        shown = self.named("Notify")[nth - 1]
        keys = dict(zip(shown.body[5][1::2], shown.body[5][0::2], strict=True))
        await until(lambda: any(self._answers(shown, message) for message in self.heard))
        (answer,) = (message for message in self.heard if self._answers(shown, message))
        await self.call(str(shown.sender), "org.freedesktop.DBus.Peer.Ping")  # arrives after the server's answer
        return str(shown.sender), answer.body[0], keys

    async def forge(self, member: str, signature: str, *body: Any, to: str) -> None:
        """Send a signal as the server does, to all and to ``to``, and return when it has got both."""
        for destination in (None, to):
            signal = Message(
                message_type=MessageType.SIGNAL,
                destination=destination,
                path=PATH,
                interface=NAME,
                member=member,
                signature=signature,
                body=list(body),
            )
            await self.bus.send(signal)
        # What one program sends to another arrives in order.
        await self.call(to, "org.freedesktop.DBus.Peer.Ping")

    @staticmethod
    def _answers(shown: Message, message: Message) -> bool:
        is_answer = message.message_type is MessageType.METHOD_RETURN
        return is_answer and (message.destination, message.reply_serial) == (shown.sender, shown.serial)

    def _hear(self, message: Message) -> bool:
        self.heard.append(message)
        return message.message_type is MessageType.METHOD_CALL  # else dbus-fast answers what others are asked


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    with PrivateBus() as bus:
        yield bus


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    with Screen() as screen:
        yield screen


@pytest.fixture
def server(bus: PrivateBus, screen: Screen) -> Iterator[NotificationDaemon]:
    with NotificationDaemon(bus, screen) as server:
        yield server


@pytest.fixture
def consent() -> ConsentDouble:
    return ConsentDouble()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bridge.consent")


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log says of how it stands."""
    return [record.reason for record in caplog.records if hasattr(record, "reason")]


@asynccontextmanager
async def desk(consent: ConsentDouble, bus: PrivateBus, clock: Hand) -> AsyncIterator[Bystander]:
    """The surface at work, and somebody who watches."""
    async with Bystander(bus.address) as bystander, notifying(consent, bus.address, clock=clock):
        yield bystander


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_so():  # noqa: ASYNC110  # what is waited for happens in another process
            await asyncio.sleep(0.01)


async def standing(screen: Screen, colour: Colour, *, no_more: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return where a button is, once it is drawn and stays there; ``no_more`` is where one stood before."""
    places: list[tuple[int, int] | None] = [None]

    def is_still() -> bool:
        places.append(screen.middle(colour))
        return places[-1] not in (None, no_more) and places[-1] == places[-2]

    await until(is_still)
    assert places[-1] is not None
    return places[-1]


async def clear(screen: Screen) -> None:
    """Wait until no button is drawn."""
    await until(lambda: all(screen.middle(colour) is None for colour in (DENY, ALLOW, DISMISS)))


async def press(screen: Screen, colour: Colour, *, no_more: tuple[int, int] | None = None) -> tuple[int, int]:
    """Press a button, and return where it was."""
    place = await standing(screen, colour, no_more=no_more)
    await asyncio.to_thread(screen.click, place)
    return place


async def read(bystander: Bystander, clock: Hand, nth: int = 1) -> None:
    """A person has read the ``nth`` notification."""
    await bystander.card(nth)
    clock.now += EARLY_SECONDS


@pytest.mark.parametrize(("button", "answer"), [(ALLOW, "allow"), (DENY, "deny")])
@pytest.mark.parametrize("program", [MATE, GNOME])
async def test_a_press_of_a_button_answers(
    screen: Screen,
    bus: PrivateBus,
    consent: ConsentDouble,
    clock: Hand,
    tmp_path: Path,
    program: str,
    button: Colour,
    answer: str,
) -> None:
    with NotificationDaemon(bus, screen, program):
        async with desk(consent, bus, clock) as bystander:
            consent.ask("BCDF-GHJK", client={"origin": "https://a.b.example.co.uk:8443"})
            await read(bystander, clock)
            await standing(screen, button)
            screen.save(tmp_path / "notification.png")

            await press(screen, button)
            await until(lambda: bool(consent.answers))
            await clear(screen)

    assert [("BCDF-GHJK", answer, None, None, "notification")] == consent.answers


async def test_a_press_at_once_is_not_meant_and_it_is_shown_again(
    server: NotificationDaemon, screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand
) -> None:
    async with desk(consent, bus, clock) as bystander:
        pending = consent.ask("BCDF-GHJK")
        await bystander.card()
        pending.asked["denied_before"] = True  # one line more, and the buttons stand elsewhere
        before = await press(screen, ALLOW)
        await bystander.card(2)
        assert [] == consent.answers

        await read(bystander, clock, 2)
        await press(screen, ALLOW, no_more=before)
        await until(lambda: bool(consent.answers))

    first, second = (message.body[5][0::2] for message in bystander.named("Notify"))
    assert not set(first) & set(second), "the keys are fresh ones"


async def test_a_click_on_the_text_approves_nothing(
    server: NotificationDaemon, screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand
) -> None:
    """This server then tells of the action "default", which nobody offered, and closes it."""
    async with desk(consent, bus, clock) as bystander:
        consent.ask("BCDF-GHJK")
        await read(bystander, clock)
        left, top = await standing(screen, DENY)
        await asyncio.to_thread(screen.click, (left, top - 60))
        await clear(screen)
        consent.ask("LMNP-QRST")
        await read(bystander, clock, 2)

        assert "default" == bystander.named("ActionInvoked")[0].body[1]
        assert bystander.named("Notify")[1].body[4].endswith("LMNP-QRST"), "the first one waits in silence"
        assert [] == consent.answers
        assert ["BCDF-GHJK", "LMNP-QRST"] == [pending.code for pending in consent.waiting()]


async def test_a_button_that_its_server_leaves_standing_answers_nothing(
    screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand
) -> None:
    with NotificationDaemon(bus, screen, GNOME):
        async with desk(consent, bus, clock) as bystander:
            pending = consent.ask("BCDF-GHJK")
            await read(bystander, clock)
            await standing(screen, ALLOW)
            consent.end("BCDF-GHJK")
            await until(lambda: bool(bystander.named("NotificationClosed")))
            surface, number, keys = await bystander.card()
            await press(screen, ALLOW)
            await until(lambda: bool(bystander.named("ActionInvoked")))
            await bystander.call(surface, "org.freedesktop.DBus.Peer.Ping")

            assert [number, keys["Allow"]] == bystander.named("ActionInvoked")[0].body
            assert [] == consent.answers, pending


async def test_a_dismissal_answers_nothing_and_is_not_asked_again(
    server: NotificationDaemon, screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand
) -> None:
    async with desk(consent, bus, clock) as bystander:
        consent.ask("BCDF-GHJK")
        await read(bystander, clock)
        await press(screen, DISMISS)
        await clear(screen)
        consent.ask("LMNP-QRST")
        await read(bystander, clock, 2)
        await press(screen, ALLOW)
        await until(lambda: bool(consent.answers))
        await clear(screen)

        assert [("LMNP-QRST", "allow", None, None, "notification")] == consent.answers
        assert ["BCDF-GHJK"] == [pending.code for pending in consent.waiting()]
        assert 2 == len(bystander.named("Notify"))


async def test_one_that_is_over_is_taken_back_and_the_next_one_shown(
    server: NotificationDaemon, screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand
) -> None:
    async with desk(consent, bus, clock) as bystander:
        consent.ask("BCDF-GHJK")
        consent.ask("LMNP-QRST")
        await read(bystander, clock)
        assert 1 == len(bystander.named("Notify")), "one at a time"
        consent.end("BCDF-GHJK")
        _, number, _ = await bystander.card(2)
        consent.end("LMNP-QRST")
        await clear(screen)
        await until(lambda: len(bystander.named("NotificationClosed")) == 2)

        assert [3, 3] == [message.body[1] for message in bystander.named("NotificationClosed")], "closed by a call"
        assert number == bystander.named("NotificationClosed")[1].body[0]
        assert [] == consent.answers


async def test_at_the_end_of_the_daemon_it_is_taken_back(
    server: NotificationDaemon, screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand
) -> None:
    async with desk(consent, bus, clock) as bystander:
        consent.ask("BCDF-GHJK")
        await bystander.card()
        await standing(screen, ALLOW)

    await clear(screen)
    assert ["BCDF-GHJK"] == [pending.code for pending in consent.waiting()]


async def test_what_others_on_the_bus_send_is_not_heard(
    server: NotificationDaemon, screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand
) -> None:
    """Not even from one who knows the number and the keys, which takes a bus that lets it listen."""
    async with desk(consent, bus, clock) as bystander:
        consent.ask("BCDF-GHJK")
        await read(bystander, clock)
        surface, number, keys = await bystander.card()

        await bystander.forge("ActionInvoked", "us", number, keys["Allow"], to=surface)
        await bystander.forge("NotificationClosed", "uu", number, 2, to=surface)
        await bystander.forge("ActionInvoked", "us", number, keys["Allow"], to=surface)
        assert [] == consent.answers

        await press(screen, DENY)
        await until(lambda: bool(consent.answers))

    assert [("BCDF-GHJK", "deny", None, None, "notification")] == consent.answers
    assert 1 == len(bystander.named("Notify"))


async def test_one_who_puts_other_words_to_a_notification_of_ours_gets_no_yes(
    server: NotificationDaemon, screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand
) -> None:
    """On this server anybody may replace it by its number, which is easily guessed; the keys are not."""
    async with desk(consent, bus, clock) as bystander:
        consent.ask("BCDF-GHJK")
        await read(bystander, clock)
        surface, number, _ = await bystander.card()
        before = await standing(screen, ALLOW)
        words = ["allow", "Later", "allow", "Install"]
        shown = ["Updates", number, "", "Updates are ready", "", words, {}, 0]
        assert [number] == await bystander.call(NAME, f"{NAME}.Notify", "susssasa{sv}i", *shown)
        await press(screen, ALLOW, no_more=before)
        await until(lambda: bool(bystander.named("NotificationClosed")))
        await bystander.call(surface, "org.freedesktop.DBus.Peer.Ping")

        assert [number, "allow"] == bystander.named("ActionInvoked")[0].body
        assert [] == consent.answers


async def test_a_server_that_is_started_again_shows_it_again(
    server: NotificationDaemon,
    screen: Screen,
    bus: PrivateBus,
    consent: ConsentDouble,
    clock: Hand,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with desk(consent, bus, clock) as bystander:
        consent.ask("BCDF-GHJK")
        await bystander.card()
        server.process.kill()
        await clear(screen)
        await until(lambda: "there is no notification server" in reasons(caplog))
        assert ["BCDF-GHJK"] == [pending.code for pending in consent.waiting()]

        await asyncio.to_thread(server.start)
        await read(bystander, clock, 2)
        await press(screen, ALLOW)
        await until(lambda: bool(consent.answers))

    told = ["the desktop shows them", "there is no notification server", "the desktop shows them"]
    assert told == reasons(caplog), "a line each"


async def test_a_server_that_does_not_answer_is_no_error_and_its_late_word_counts(
    server: NotificationDaemon,
    screen: Screen,
    bus: PrivateBus,
    consent: ConsentDouble,
    clock: Hand,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with desk(consent, bus, clock) as bystander:
        consent.ask("BCDF-GHJK")
        await bystander.card()
        before = await standing(screen, ALLOW)
        consent.end("BCDF-GHJK")
        await clear(screen)
        server.process.freeze()
        consent.ask("LMNP-QRST")
        await until(lambda: "the notification server does not answer" in reasons(caplog))
        consent.end("LMNP-QRST")
        consent.ask("VWXZ-BCDF", denied_before=True)  # one line more, and the buttons stand elsewhere
        server.process.thaw()

        await read(bystander, clock, 3)
        await until(lambda: len(bystander.named("NotificationClosed")) == 2)
        await press(screen, ALLOW, no_more=before)
        await until(lambda: bool(consent.answers))
        await clear(screen)

    assert [("VWXZ-BCDF", "allow", None, None, "notification")] == consent.answers
    assert 3 == len(bystander.named("Notify")), "while it owes an answer it is asked nothing more"


async def test_a_bus_that_comes_back_shows_it_again(
    screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    async with notifying(consent, bus.address, clock=clock):
        consent.ask("BCDF-GHJK")
        await until(lambda: "there is no notification server" in reasons(caplog))
        with NotificationDaemon(bus, screen):
            await standing(screen, ALLOW)
            await asyncio.to_thread(bus.stop)
            await until(lambda: "the session bus cannot be reached" in reasons(caplog))
            await clear(screen)
            assert ["BCDF-GHJK"] == [pending.code for pending in consent.waiting()]

            await asyncio.to_thread(bus.start)
        async with Bystander(bus.address) as bystander:
            with NotificationDaemon(bus, screen):
                await read(bystander, clock)
                await press(screen, ALLOW)
                await until(lambda: bool(consent.answers))

    assert "the session bus is gone" in reasons(caplog)
    assert 1 == reasons(caplog).count("the session bus cannot be reached"), "said once, however often it is tried"


async def test_without_a_bus_requests_wait(consent: ConsentDouble, bus: PrivateBus, clock: Hand) -> None:
    bus.stop()
    async with notifying(consent, bus.address, clock=clock):
        consent.ask("BCDF-GHJK")
        bus.start()
        async with Bystander(bus.address) as bystander:
            await until(lambda: len(bystander.heard) > 0)

    assert ["BCDF-GHJK"] == [pending.code for pending in consent.waiting()]
    assert [] == consent.answers


async def test_a_quiet_request_raises_no_notification(
    server: NotificationDaemon, screen: Screen, bus: PrivateBus, consent: ConsentDouble, clock: Hand
) -> None:
    async with desk(consent, bus, clock) as bystander:
        consent.ask("BCDF-GHJK", is_quiet=True)
        consent.ask("LMNP-QRST")
        await read(bystander, clock)

        (shown,) = bystander.named("Notify")
        assert shown.body[4].endswith("LMNP-QRST")
