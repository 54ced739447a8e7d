"""The door to D-Bus, on a real bus: who is heard, in which order, and how a connection ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, MessageFlag, MessageType
from dbus_fast.aio import MessageBus

from bridge import bus as door
from bridge.bus import Connection, Failure, Lost, Unanswered, Unreachable, stay_connected
from tests.parts.bus import PrivateBus

pytestmark = pytest.mark.real

DEADLINE_SECONDS = 20.0
PATH = "/org/example"
ASK = "org.example.Peer.Ask"


class Peer:
    """Another connection of the bus: it keeps what it is asked, and answers when the test says so."""

    def __init__(self, bus: MessageBus) -> None:
        self.bus = bus
        self.name = str(bus.unique_name)
        self.calls: asyncio.Queue[Message] = asyncio.Queue()
        bus.add_message_handler(self._hear)

    async def asked(self) -> Message:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.calls.get()

    async def reaches(self, to: str | None) -> None:
        """Return when all that was sent so far has got there."""
        ping = Message(destination=to, path="/", interface="org.freedesktop.DBus.Peer", member="Ping")
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.bus.call(ping)

    def _hear(self, message: Message) -> bool:
        if message.message_type is not MessageType.METHOD_CALL or message.path != PATH:
            return False
        self.calls.put_nowait(message)
        return True


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    with PrivateBus() as bus:
        yield bus


@asynccontextmanager
async def peer(bus: PrivateBus) -> AsyncIterator[Peer]:
    connection = await MessageBus(bus_address=bus.address).connect()
    try:
        yield Peer(connection)
    finally:
        connection.disconnect()
        with suppress(OSError, EOFError):  # the bus was there no more
            await connection.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast left it unannotated


@asynccontextmanager
async def connected(bus: PrivateBus) -> AsyncIterator[Connection]:
    connection = await Connection.open(bus.address)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
def no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "CALL_SECONDS", 2 * DEADLINE_SECONDS)


async def result(task: "asyncio.Task[list[Any]]") -> list[Any]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await task


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


Forgery = Callable[[Message], Message]

FORGERIES: list[Forgery] = [
    lambda call: Message.new_method_return(call, "s", ["forged"]),
    lambda call: Message.new_error(call, "org.freedesktop.DBus.Error.NoReply", "forged"),
]


@pytest.mark.usefixtures("no_deadline")
@pytest.mark.parametrize("forged", FORGERIES, ids=["return", "error"])
async def test_a_reply_from_another_than_the_one_asked_is_not_heard(bus: PrivateBus, forged: Forgery) -> None:
    """The usual session bus lets anybody answer anybody, and serials count from one."""
    async with connected(bus) as connection, peer(bus) as honest, peer(bus) as forger:
        asking = asyncio.create_task(connection.call(honest.name, PATH, ASK))
        call = await honest.asked()
        forger.bus.send(forged(call))
        await forger.reaches(call.sender)
        assert not asking.done()

        honest.bus.send(Message.new_method_return(call, "s", ["true"]))
        assert ["true"] == await result(asking)


async def test_a_reply_in_the_place_of_the_buss_own_is_not_heard(bus: PrivateBus) -> None:
    """Whoever could say who owns a name would be asked in its place. Here the forgery is sent before the question."""
    async with connected(bus) as connection, peer(bus) as honest, peer(bus) as forger:
        await honest.bus.request_name("org.example.Name")
        owners = []
        for _ in range(8):
            forged = Message(
                message_type=MessageType.METHOD_RETURN,
                destination=connection._bus.unique_name,
                reply_serial=connection._bus.next_serial() + 1,
                signature="s",
                body=[forger.name],
            )
            forger.bus.send(forged)
            owners.append(await connection.owner("org.example.Name"))
            await forger.reaches(connection._bus.unique_name)

    assert [honest.name] * 8 == owners


async def test_a_well_known_name_is_not_called_but_asked_for_its_owner(bus: PrivateBus) -> None:
    async with connected(bus) as connection, peer(bus) as other:
        await other.bus.request_name("org.example.Name")
        with pytest.raises(ValueError, match="unique name"):
            await connection.call("org.example.Name", PATH, ASK)

        assert other.name == await connection.owner("org.example.Name")


async def test_an_error_reply_has_its_name_and_words(bus: PrivateBus) -> None:
    async with connected(bus) as connection, peer(bus) as other:
        asking = asyncio.create_task(connection.call(other.name, PATH, ASK))
        other.bus.send(Message.new_error(await other.asked(), "org.example.Full", "no room"))
        with pytest.raises(Failure) as caught:
            await result(asking)

    assert ("org.example.Full", "no room") == (caught.value.name, caught.value.text)


async def test_a_call_without_an_answer_ends_at_its_deadline_and_leaves_nothing(
    bus: PrivateBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(bus) as connection, peer(bus) as other:
        monkeypatch.setattr(door, "CALL_SECONDS", 0.2)
        with pytest.raises(Unanswered, match="no answer to Ask"):
            await connection.call(other.name, PATH, ASK)
        assert {} == connection._waiting

        other.bus.send(Message.new_method_return(await other.asked(), "s", ["late"]))
        await other.reaches(connection._bus.unique_name)


@pytest.mark.usefixtures("no_deadline")
async def test_one_that_ends_while_it_is_asked_costs_no_deadline(bus: PrivateBus) -> None:
    """Here the bus answers in its place."""
    async with connected(bus) as connection:
        async with peer(bus) as other:
            asking = asyncio.create_task(connection.call(other.name, PATH, ASK))
            await other.asked()
        with pytest.raises(Failure, match="NoReply"):
            await result(asking)


@pytest.mark.usefixtures("no_deadline")
async def test_what_is_under_way_when_the_bus_is_lost_fails_at_once_and_all_after_it(bus: PrivateBus) -> None:
    """Whether or not anybody waits for the end."""
    heard: list[object] = []
    async with peer(bus) as other:
        connection = await Connection.open(bus.address)
        await connection.subscribe([], lambda _: None, lambda: heard.append("lost"))
        asking = asyncio.create_task(connection.call(other.name, PATH, ASK))
        connection.ask(other.name, PATH, ASK, "", [], heard.append)
        await other.asked()
        await other.asked()
        bus.stop()
        with pytest.raises(Lost):
            await result(asking)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await connection.lost()
    assert [None, "lost"] == heard

    with pytest.raises(Lost):
        await connection.call_bus("ListNames")
    connection.ask(other.name, PATH, ASK, "", [], heard.append)
    connection.tell(other.name, PATH, ASK, "", [])
    await connection.close()
    assert [None, "lost", None] == heard


async def test_a_signal_never_overtakes_the_answer_before_it(bus: PrivateBus) -> None:
    heard: list[tuple[object, ...]] = []
    async with connected(bus) as connection, peer(bus) as other:
        await connection.subscribe(
            ["type='signal',interface='org.example.Peer'"], lambda signal: heard.append((signal.sender, signal.member))
        )
        connection.ask(other.name, PATH, ASK, "", [], lambda reply: heard.append(("answer", reply and reply.body)))
        call = await other.asked()
        other.bus.send(Message.new_method_return(call, "u", [7]))
        other.bus.send(Message.new_signal(PATH, "org.example.Peer", "Changed"))
        await other.reaches(call.sender)

    assert [("answer", [7]), (other.name, "Changed")] == [each for each in heard if each[0] != door.BUS]


async def test_what_wants_no_reply_gets_none(bus: PrivateBus) -> None:
    async with connected(bus) as connection, peer(bus) as other:
        connection.tell(other.name, PATH, ASK, "u", [7])
        call = await other.asked()
        assert {} == connection._waiting

    assert ([7], MessageFlag.NO_REPLY_EXPECTED) == (call.body, call.flags)


async def test_a_connection_whose_end_was_waited_for_and_given_up_still_closes_whole() -> None:
    heard: list[str] = []
    with PrivateBus() as bus:
        before = open_files()
        connection = await Connection.open(bus.address)
        await connection.subscribe([], lambda _: None, lambda: heard.append("lost"))
        waiting = asyncio.create_task(connection.lost())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        await connection.close()

        assert before == open_files()
        assert ["lost"] == heard


@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "nonsense", ""])
async def test_where_no_bus_is_it_cannot_be_reached(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    before = open_files()
    with pytest.raises(Unreachable) as caught:
        await Connection.open(address)

    assert str(caught.value) == str(caught.value.reason)
    assert before == open_files()


async def test_the_wait_between_attempts_doubles_and_begins_anew_after_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts = iter([False] * 7 + [True, False])
    waits: list[float] = []

    async def once() -> bool:
        return next(attempts)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(door.asyncio, "sleep", sleep)
    with pytest.raises(RuntimeError):  # there are no more attempts
        await stay_connected(once)

    assert [0.25, 0.5, 1, 2, 4, 5, 5, 0.25, 0.5] == waits
