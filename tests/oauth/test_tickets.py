import pytest

from oauth.errors import TicketInvalid
from oauth.tickets import Tickets
from tests.oauth.clock import FakeClock


@pytest.fixture(name="tickets")
def _tickets(clock: FakeClock) -> Tickets[str]:
    return Tickets("ticket", life=30.0, bound=3, clock=clock)


def test_a_ticket_gives_its_payload_once(tickets: Tickets[str]) -> None:
    secret = tickets.make("payload")

    assert tickets.take(secret) == "payload"
    with pytest.raises(TicketInvalid):
        tickets.take(secret)


def test_a_secret_has_256_bits(tickets: Tickets[str]) -> None:
    assert len(tickets.make("payload")) == 43


def test_an_old_ticket_is_refused(tickets: Tickets[str], clock: FakeClock) -> None:
    secret = tickets.make("payload")

    clock.forward(30.0)

    with pytest.raises(TicketInvalid):
        tickets.take(secret)


def test_one_too_many_drops_the_holders_own_oldest(tickets: Tickets[str]) -> None:
    other = tickets.make("other", holder="other")
    first, *rest = [tickets.make(str(number), holder="loud") for number in range(4)]

    with pytest.raises(TicketInvalid):
        tickets.take(first)
    assert [tickets.take(secret) for secret in rest] == ["1", "2", "3"]
    assert tickets.take(other) == "other"


def test_the_secret_itself_is_not_kept(tickets: Tickets[str]) -> None:
    secret = tickets.make("payload")

    assert secret not in repr(vars(tickets))


def test_old_tickets_do_not_pile_up(tickets: Tickets[str], clock: FakeClock) -> None:
    for number in range(50):
        tickets.make("payload", holder=str(number))
        clock.forward(10.0)

    assert len(tickets._live) <= 4
    assert len(tickets._held) <= 4


@pytest.mark.parametrize("secret", ["", "x", "é" * 100])
def test_an_unknown_secret_is_refused(tickets: Tickets[str], secret: str) -> None:
    with pytest.raises(TicketInvalid):
        tickets.take(secret)
