"""The door to the notification server, on a real bus: who is heard, in which order, and what a bad server brings."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from dbus_fast import Message
from dbus_fast.aio import MessageBus

from bridge import bus as door
from bridge.consent.notification_port import Refused
from bridge.consent.notification_server import Server
from bridge.consent.notification_text import Notice
from bridge.consent.notifications import notifying
from tests.bridge.consent.consent_double import ConsentDouble
from tests.parts.bare_notifications import BareNotifications
from tests.parts.bus import CONFIG, PrivateBus
from tests.parts.notification_daemon import MATE
from tests.parts.screen import Screen

pytestmark = pytest.mark.real

DEADLINE_SECONDS = 20.0
NOTICE = Notice(summary="s", body="b", is_answerable=True, seconds=60)


class Ear:
    """What hears of the server, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def replied(self, number: int | None) -> None:
        self.heard.append(("replied", number))

    def invoked(self, number: int, key: str) -> None:
        self.heard.append(("invoked", number, key))

    def closed(self, number: int) -> None:
        self.heard.append(("closed", number))

    def owner_changed(self) -> None:
        self.heard.append(("owner_changed",))

    def lost(self) -> None:
        self.heard.append(("lost",))


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    with PrivateBus() as bus:
        yield bus


@pytest.fixture
def ear() -> Ear:
    return Ear()


@asynccontextmanager
async def connected(bus: PrivateBus, ear: Ear) -> AsyncIterator[Server]:
    server = await Server.connect(bus.address, ear)
    try:
        yield server
    finally:
        await server.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_so():  # noqa: ASYNC110  # what is waited for comes over the bus
            await asyncio.sleep(0.005)


async def shown(server: Server, bare: BareNotifications, ear: Ear) -> str:
    """Show one; return the name of the connection that did."""
    assert await server.find(may_start=False)
    server.notify(str(server.owner), NOTICE, [("k", "Allow")], ear.replied)
    await until(lambda: bool(ear.heard))
    return str(bare.calls[-1].sender)


async def test_a_notification_is_sent_as_the_specification_says(bus: PrivateBus, ear: Ear) -> None:
    async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
        await shown(server, bare, ear)
        call = bare.calls[-1]

    name, replaces, icon, summary, body, actions, hints, expires = call.body
    assert ("susssasa{sv}i", "Tollbridge", 0, "s", "b", ["k", "Allow"], 60_000) == (
        call.signature, name, replaces, summary, body, actions, expires
    )  # fmt: skip
    assert "dialog-question" == icon
    assert {"urgency": 1, "category": "x-tollbridge.request"} == {key: hint.value for key, hint in hints.items()}
    assert frozenset({"actions", "body"}) == server.capabilities


async def test_what_follows_a_number_in_one_breath_never_overtakes_it(bus: PrivateBus, ear: Ear) -> None:
    async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
        bare.follows = [("ActionInvoked", "us", [1, "k"]), ("NotificationClosed", "uu", [1, 2])]
        await bare.reaches(await shown(server, bare, ear))

    assert [("replied", 1), ("invoked", 1, "k"), ("closed", 1)] == ear.heard[:3]


@pytest.mark.parametrize(
    ("member", "signature", "body", "path"),
    [
        ("ActionInvoked", "ss", ["1", "k"], "/org/freedesktop/Notifications"),
        ("ActionInvoked", "u", [1], "/org/freedesktop/Notifications"),
        ("ActionInvoked", "us", [1, "k"], "/elsewhere"),
        ("NotificationClosed", "u", [1], "/org/freedesktop/Notifications"),
        ("ActivationToken", "us", [1, "k"], "/org/freedesktop/Notifications"),
    ],
)
async def test_a_signal_of_another_shape_is_not_heard(
    bus: PrivateBus, ear: Ear, member: str, signature: str, body: list[object], path: str
) -> None:
    async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
        sender = await shown(server, bare, ear)
        bare.tell(member, signature, body, path=path)
        bare.tell(member, signature, body, path=path, to=sender)  # no match rule stands before what is sent to us
        await bare.reaches(sender)
        assert [("replied", 1)] == ear.heard


@pytest.mark.parametrize("answer", [("error", ["org.example.Full"]), ("s", ["1"]), ("", []), ("uu", [1, 2])])
async def test_an_answer_that_is_no_number_is_none(bus: PrivateBus, ear: Ear, answer: tuple[str, list[object]]) -> None:
    async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
        bare.answers["Notify"] = answer
        await shown(server, bare, ear)
        assert [("replied", None)] == ear.heard


@pytest.mark.parametrize(
    "answer", [("error", ["org.example.No"]), ("s", ["actions"]), ("", []), ("asu", [["body"], 1])]
)
async def test_a_server_that_does_not_say_what_it_can_do_is_none(
    bus: PrivateBus, ear: Ear, answer: tuple[str, list[object]]
) -> None:
    async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
        bare.answers["GetCapabilities"] = answer
        with pytest.raises(Refused):
            await server.find(may_start=True)
        assert server.owner is None


async def test_a_server_that_never_answers_costs_a_deadline(
    bus: PrivateBus, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
        del bare.answers["GetCapabilities"]
        monkeypatch.setattr(door, "CALL_SECONDS", 0.5)
        finding = asyncio.create_task(server.find(may_start=True))
        await asyncio.wait([finding], timeout=DEADLINE_SECONDS)
        assert isinstance(finding.exception(), TimeoutError)
        assert server.owner is None


async def test_an_answer_from_another_than_the_server_is_not_heard(bus: PrivateBus, ear: Ear) -> None:
    """The usual session bus lets anybody answer anybody."""
    async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
        assert await server.find(may_start=False)
        del bare.answers["Notify"]
        server.notify(str(server.owner), NOTICE, [], ear.replied)
        await until(lambda: "Notify" in bare.methods)
        call = bare.calls[-1]
        async with BareNotifications(bus.address) as forger:
            forger.bus.send(Message.new_method_return(call, "u", [7]))
            await forger.reaches(str(call.sender))
            assert [] == ear.heard

        bare.bus.send(Message.new_method_return(call, "u", [1]))
        await until(lambda: ear.heard == [("replied", 1)])


async def test_a_server_that_is_replaced_is_heard_no_more(bus: PrivateBus, ear: Ear) -> None:
    async with BareNotifications(bus.address) as first, connected(bus, ear) as server:
        sender = await shown(server, first, ear)
        await first.bus.release_name("org.freedesktop.Notifications")
        await until(lambda: ("owner_changed",) in ear.heard)
        ear.heard.clear()
        first.tell("ActionInvoked", "us", [1, "k"])
        await first.reaches(sender)
        assert ([], None) == (ear.heard, server.owner)

        async with BareNotifications(bus.address) as second:
            await until(lambda: ("owner_changed",) in ear.heard)
            assert await server.find(may_start=False)
            assert second.bus.unique_name == server.owner


async def test_a_server_that_ends_while_it_owes_a_number_has_not_refused(bus: PrivateBus, ear: Ear) -> None:
    async with connected(bus, ear) as server:
        async with BareNotifications(bus.address) as bare:
            await until(lambda: ear.heard == [("owner_changed",)])
            del bare.answers["Notify"]
            assert await server.find(may_start=False)
            server.notify(str(server.owner), NOTICE, [], ear.replied)
            await until(lambda: "Notify" in bare.methods)
        await until(lambda: len(ear.heard) >= 2 and not server._connection._waiting)
        assert [("owner_changed",), ("owner_changed",)] == ear.heard, "it came, it went"


async def test_a_server_that_ends_while_it_is_asked_what_it_can_do_costs_no_deadline(
    bus: PrivateBus, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "CALL_SECONDS", 2 * DEADLINE_SECONDS)
    async with connected(bus, ear) as server:
        async with BareNotifications(bus.address) as bare:
            await until(lambda: ear.heard == [("owner_changed",)])
            del bare.answers["GetCapabilities"]
            finding = asyncio.create_task(server.find(may_start=False))
            await until(lambda: "GetCapabilities" in bare.methods)
        await asyncio.wait([finding], timeout=DEADLINE_SECONDS)
        assert isinstance(finding.exception(), Refused)


async def test_a_server_that_is_replaced_while_it_is_asked_is_not_found(bus: PrivateBus, ear: Ear) -> None:
    async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
        del bare.answers["GetCapabilities"]
        finding = asyncio.create_task(server.find(may_start=False))
        await until(lambda: "GetCapabilities" in bare.methods)
        await bare.bus.release_name("org.freedesktop.Notifications")
        bare.bus.send(Message.new_method_return(bare.calls[-1], "as", [["actions", "body"]]))

        assert not await finding
        assert server.owner is None


async def test_where_there_is_no_server_it_is_refused(bus: PrivateBus, ear: Ear) -> None:
    async with connected(bus, ear) as server:
        for may_start in (False, True):
            with pytest.raises(Refused):
                await server.find(may_start=may_start)


async def test_when_the_bus_is_lost_the_listener_hears_of_it_and_calls_fail(bus: PrivateBus, ear: Ear) -> None:
    async with BareNotifications(bus.address) as bare:
        server = await Server.connect(bus.address, ear)
        del bare.answers["GetCapabilities"]
        finding = asyncio.create_task(server.find(may_start=False))
        await until(lambda: "GetCapabilities" in bare.methods)
        bus.stop()
        with pytest.raises(Refused):
            await finding
        with pytest.raises(Refused):
            await server.find(may_start=True)
        server.notify(":1.1", NOTICE, [], ear.replied)
        server.withdraw(":1.1", 1)
        await server.close()
        assert [("lost",)] == [heard for heard in ear.heard if heard != ("owner_changed",)]


async def test_a_server_that_the_bus_can_start_is_started(
    bus: PrivateBus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bridge.consent")
    with Screen() as screen:
        bus.stop()
        services = tmp_path / "services"
        services.mkdir()
        start = f"/usr/bin/env DISPLAY={screen.name} HOME={tmp_path} GSETTINGS_BACKEND=memory NO_AT_BRIDGE=1 {MATE}"
        (services / "notifications.service").write_text(
            f"[D-BUS Service]\nName=org.freedesktop.Notifications\nExec={start}\n", encoding="utf-8"
        )
        config = CONFIG.format(socket=bus.socket)
        bus._config.write_text(config.replace("<auth>", f"<servicedir>{services}</servicedir><auth>"), encoding="utf-8")
        bus.start()
        consent = ConsentDouble()
        async with notifying(consent, bus.address):
            consent.ask("BCDF-GHJK")
            await until(lambda: bool(caplog.records) and caplog.records[-1].reason == "the desktop shows them")
        bus.stop()


def test_all_of_it_works_on_uvloop_too(bus: PrivateBus, ear: Ear) -> None:
    async def scenario() -> None:
        async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
            bare.follows = [("ActionInvoked", "us", [1, "k"])]
            await bare.reaches(await shown(server, bare, ear))
            server.withdraw(str(server.owner), 1)
            await until(lambda: "CloseNotification" in bare.methods)
            bus.stop()
            await until(lambda: ("lost",) in ear.heard)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())

    assert [("replied", 1), ("invoked", 1, "k")] == ear.heard[:2]


async def test_the_name_of_the_bus_itself_cannot_be_taken(bus: PrivateBus, ear: Ear) -> None:
    """A change of the server's owner is the bus's own word: a signal that looks like it is not heard."""
    async with BareNotifications(bus.address) as bare, connected(bus, ear) as server:
        sender = await shown(server, bare, ear)
        forger = await MessageBus(bus_address=bus.address).connect()
        change = Message.new_signal(
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus",
            "NameOwnerChanged",
            "sss",
            ["org.freedesktop.Notifications", str(server.owner), str(forger.unique_name)],
        )
        change.destination = sender
        await forger.send(change)
        ping = Message(destination=sender, path="/", interface="org.freedesktop.DBus.Peer", member="Ping")
        async with asyncio.timeout(DEADLINE_SECONDS):
            await forger.call(ping)
        assert [("replied", 1)] == ear.heard
        assert bare.bus.unique_name == server.owner
        forger.disconnect()
        await forger.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast left it unannotated
