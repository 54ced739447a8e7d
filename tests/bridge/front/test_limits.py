import pytest

from bridge.config import Limits
from bridge.errors import TooMany
from bridge.front.limits import Bucket, Quotas
from bridge.messages import Caller

PAGE = Caller(client="https://a.example", origin="https://a.example", scopes=frozenset(), grant="g")
NATIVE = Caller(client="native:cli", scopes=frozenset(), grant="n")


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    bucket = Bucket(rate=10, burst=3, now=0.0)

    assert [0.0, 0.0, 0.0] == [bucket.take(0.0) for _ in range(3)]
    assert pytest.approx(0.1) == bucket.take(0.0)
    assert 0.0 == bucket.take(0.1)


def test_over_the_rate_says_when_there_is_room() -> None:
    quotas = Quotas(Limits(commands_per_second=2, burst=1), lambda: 5.0)
    usage = quotas.usage("g")

    quotas.command(usage)
    with pytest.raises(TooMany) as refused:
        quotas.command(usage)

    assert 0.5 == refused.value.retry_after


def test_requests_in_flight_are_bounded() -> None:
    quotas = Quotas(Limits(requests_in_flight=1), lambda: 0.0)
    usage = quotas.usage("g")
    usage.in_flight = 1

    with pytest.raises(TooMany):
        quotas.command(usage)


def test_a_page_has_a_bound_of_streams_and_sockets_and_a_native_program_has_the_connections() -> None:
    quotas = Quotas(Limits(streams=1, sockets=1), lambda: 0.0)

    for hold in (quotas.streaming, quotas.socket):
        with hold(PAGE):
            with pytest.raises(TooMany), hold(PAGE):
                pass
            with hold(NATIVE), hold(NATIVE):
                pass
        with hold(PAGE):
            pass


def test_a_grant_that_ended_is_forgotten_once_nothing_is_open() -> None:
    quotas = Quotas(Limits(), lambda: 0.0)
    usage = quotas.usage("g")

    with quotas.streaming(PAGE):
        quotas.forget("g")
        assert usage is quotas.usage("g")
    quotas.forget("g")
    assert usage is not quotas.usage("g")
