"""The device flow (RFC 8628): codes for who asked, answers from the owner alone, tokens once."""

import asyncio

import pytest

from oauth.errors import Unavailable
from oauth.models import DeviceRequest
from oauth.server.devices import DEVICE_SECONDS, INTERVAL_SECONDS, MAX_DEVICES, UNPOLLED_SECONDS
from oauth.server.issuer import DAY_SECONDS
from oauth.server.results import TokenResult
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import BASE, SCOPES, Desk
from tests.oauth.page import Page

READ = frozenset({"player:read"})


async def started(desk: Desk, page: Page) -> tuple[str, DeviceRequest]:
    answer = await desk.start_device(page)
    assert 200 == answer.status, answer
    return answer.body["device_code"], desk.asked[-1]


async def allow(desk: Desk, request: DeviceRequest, **how: object) -> None:
    tell = desk.server.allow_device(request, how.pop("scopes", request.scopes), **how)  # type: ignore[arg-type]
    await desk.store.commit()
    tell()


async def deny(desk: Desk, request: DeviceRequest) -> None:
    tell = desk.server.deny_device(request)
    await desk.store.commit()
    tell()


def error(answer: TokenResult) -> str:
    assert 400 == answer.status, answer
    return str(answer.body["error"])


async def test_what_a_device_is_told_first(desk: Desk) -> None:
    page = desk.page()

    answer = await desk.start_device(page)

    code = answer.body.pop("device_code")
    assert 43 == len(code)
    assert {
        "user_code": "BCDF-0001",
        "verification_uri": f"{BASE}/oauth/device",
        "verification_uri_complete": f"{BASE}/oauth/device?user_code=BCDF-0001",
        "expires_in": 600,
        "interval": 5,
    } == answer.body
    assert "no-store" == answer.headers["Cache-Control"]
    (asked,) = desk.asked
    assert (page.origin, page.jkt, frozenset(SCOPES)) == (asked.client_id, asked.dpop_jkt, asked.scopes)
    assert code not in repr(asked)
    assert code != asked.id


@pytest.mark.parametrize("client", ["https://app.example", "native:cli"])
async def test_a_client_with_a_key_gets_tokens_of_that_key(desk: Desk, client: str, store: Store) -> None:
    page = desk.page(client)
    url = f"{BASE}/oauth/device_authorization"
    origin = None if client.startswith("native:") else client
    proof = [page.proof("POST", url)]
    body = page.token_form(scope="player:read")
    told = await desk.server.device_authorization(body, origin=origin, proofs=proof, ask=desk._ask)
    form = desk.poll_form(page, told.body["device_code"])

    async def poll() -> TokenResult:
        return await desk.server.token(form, origin=origin, proofs=[page.proof("POST", f"{BASE}/oauth/token")])

    assert "authorization_pending" == error(await poll())
    await allow(desk, desk.asked[-1])
    answer = await poll()

    assert (200, "DPoP", "player:read") == (answer.status, answer.body["token_type"], answer.body["scope"])
    assert ("daemon_key" in answer.body) == (origin is not None)
    grant = store.grant_of(client)
    assert grant is not None
    assert [page.jkt] == [pairing.jkt for pairing in store.pairings(grant.id)]
    assert "invalid_grant" == error(await poll()), "it is good once"


async def test_a_program_without_a_key_gets_bearer_tokens(desk: Desk) -> None:
    program = desk.page("native:cli")
    code = (await desk.start_device(program, natively=True)).body["device_code"]
    await allow(desk, desk.asked[-1])

    answer = await desk.poll_natively(program, code)

    assert (200, "Bearer") == (answer.status, answer.body["token_type"])
    assert "refresh_token" in answer.body


async def test_too_early_polls_lengthen_the_interval_for_good(desk: Desk, clock: FakeClock) -> None:
    page = desk.page()
    code, _ = await started(desk, page)
    told = [error(await desk.poll(page, code))]
    for wait in (INTERVAL_SECONDS, INTERVAL_SECONDS - 0.1, INTERVAL_SECONDS, 2 * INTERVAL_SECONDS, 15.0, 14.9, 20.0):
        clock.forward(wait)
        told.append(error(await desk.poll(page, code)))

    pending, slow = "authorization_pending", "slow_down"
    # 5 of 5; 4.9 of 5, from now on 10; 5 of 10, 15; 10 of 15, 20; 15 of 20, 25; 14.9 of 25, 30; 20 of 30, 35.
    assert [pending, pending, slow, slow, slow, slow, slow, slow] == told
    clock.forward(35.0)
    assert pending == error(await desk.poll(page, code))


async def test_an_interval_that_is_kept_stays_as_it_is(desk: Desk, clock: FakeClock) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    for _ in range(DEVICE_SECONDS // INTERVAL_SECONDS - 1):
        clock.forward(INTERVAL_SECONDS)
        assert "authorization_pending" == error(await desk.poll(page, code))
    assert desk.server.is_waited_for(request)


async def test_an_answer_is_had_at_once_even_by_who_asks_too_often(desk: Desk) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    for _ in range(3):
        await desk.poll(page, code)
    await allow(desk, request)

    assert 200 == (await desk.poll(page, code)).status


async def test_a_no_is_told_once(desk: Desk, store: Store) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    await deny(desk, request)

    assert ["access_denied", "invalid_grant"] == [error(await desk.poll(page, code)) for _ in range(2)]
    grant = store.grant_of(page.origin)
    assert grant is not None
    assert (False, (page.jkt,)) == (grant.is_allowed, grant.denied_keys)


@pytest.mark.parametrize("is_answered", [False, True])
async def test_a_code_is_good_for_ten_minutes(desk: Desk, clock: FakeClock, is_answered: bool) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    if is_answered:
        await allow(desk, request)
    clock.forward(DEVICE_SECONDS - 1)
    early, _ = await started(desk, page)
    clock.forward(1)

    assert ["expired_token", "invalid_grant"] == [error(await desk.poll(page, code)) for _ in range(2)]
    assert "authorization_pending" == error(await desk.poll(page, early))
    assert not desk.server.is_waited_for(request)


async def test_a_code_is_its_clients_and_keys_alone_and_lives_through_strangers(desk: Desk) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    await allow(desk, request)
    other_key, other_client, program = desk.page(), desk.page("https://evil.example"), desk.page("native:cli")

    attempts = [
        await desk.poll(other_key, code),
        await desk.poll(other_client, code),
        await desk.poll_natively(program, code),
        await desk.poll(page, code[:-1]),
        await desk.poll(page, request.id),
        await desk.poll(page, ""),
    ]

    assert ["invalid_grant"] * 5 + ["invalid_request"] == [error(answer) for answer in attempts]
    assert all("access_token" not in answer.body for answer in attempts)
    assert 200 == (await desk.poll(page, code)).status


async def test_a_code_is_not_another_clients_who_has_the_same_key(desk: Desk) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    await allow(desk, request)

    assert "invalid_grant" == error(await desk.poll(desk.page("https://evil.example", key=page.key), code))
    assert 200 == (await desk.poll(page, code)).status


async def test_somebody_else_does_not_keep_a_request_waiting_nor_slow_its_client_down(
    desk: Desk, clock: FakeClock
) -> None:
    page, thief = desk.page(), desk.page()
    code, request = await started(desk, page)
    await desk.poll(page, code)
    for _ in range(12):
        clock.forward(INTERVAL_SECONDS)
        await desk.poll(thief, code)

    assert not desk.server.is_waited_for(request)
    assert "authorization_pending" == error(await desk.poll(page, code))


@pytest.mark.parametrize("client", ["https://app.example", "native:cli"])
async def test_a_key_that_was_only_named_at_the_start_is_the_one_to_prove(desk: Desk, client: str) -> None:
    page, thief = desk.page(client), desk.page(client)
    origin = None if client.startswith("native:") else client
    form = page.token_form(scope="player:read", dpop_jkt=page.jkt)
    told = await desk.server.device_authorization(form, origin=origin, proofs=[], ask=desk._ask)
    body = desk.poll_form(page, told.body["device_code"])
    await allow(desk, desk.asked[-1])

    async def poll(by: Page) -> TokenResult:
        return await desk.server.token(body, origin=origin, proofs=[by.proof("POST", f"{BASE}/oauth/token")])

    assert "invalid_grant" == error(await poll(thief))
    assert (200, "DPoP") == ((answer := await poll(page)).status, answer.body["token_type"])


async def test_a_program_that_named_no_key_may_bind_its_tokens_to_one(desk: Desk) -> None:
    program = desk.page("native:cli")
    code = (await desk.start_device(program, natively=True)).body["device_code"]
    await allow(desk, desk.asked[-1])
    proofs = [program.proof("POST", f"{BASE}/oauth/token")]

    answer = await desk.server.token(desk.poll_form(program, code), origin=None, proofs=proofs)

    assert (200, "DPoP") == (answer.status, answer.body["token_type"])


async def test_who_does_not_poll_is_not_waited_for(desk: Desk, clock: FakeClock) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    clock.forward(UNPOLLED_SECONDS - 1)
    await desk.poll(page, code)
    clock.forward(UNPOLLED_SECONDS - 1)
    assert desk.server.is_waited_for(request)

    clock.forward(1)
    assert not desk.server.is_waited_for(request)


async def test_who_was_replaced_is_told_to_ask_anew(desk: Desk) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    desk.server.drop(request)

    assert ["expired_token", "invalid_grant"] == [error(await desk.poll(page, code)) for _ in range(2)]


async def test_a_yes_that_came_before_the_replacement_stands(desk: Desk) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    tell = desk.server.allow_device(request, request.scopes)
    desk.server.drop(request)
    tell()

    assert 200 == (await desk.poll(page, code)).status


async def test_a_queue_that_is_full_hands_out_no_code(desk: Desk) -> None:
    page = desk.page()
    url = f"{BASE}/oauth/device_authorization"

    def full(_: DeviceRequest) -> str:
        raise Unavailable("too many sites are asking")

    form, proofs = page.token_form(scope="player:read"), [page.proof("POST", url)]
    answer = await desk.server.device_authorization(form, origin=page.origin, proofs=proofs, ask=full)

    assert (503, "temporarily_unavailable") == (answer.status, answer.body["error"])
    assert "device_code" not in answer.body


async def test_who_asks_often_ends_nobody_elses_code(desk: Desk) -> None:
    bank, evil = desk.page("https://bank.example"), desk.page("https://evil.example")
    code, request = await started(desk, bank)
    for _ in range(2 * MAX_DEVICES):
        await desk.start_device(evil)
        desk.server.drop(desk.asked[-1])  # as the queue does, where its next request takes the place

    await allow(desk, request)
    assert 200 == (await desk.poll(bank, code)).status
    assert len(desk.server._devices._live) <= MAX_DEVICES


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"client_id": "https://bank.example"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "native:cli"}, "invalid_client"),
        ({"client_id": BASE}, "invalid_client"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "owner"}, "invalid_scope"),
        ({"scope": "player:read nobody:knows"}, "invalid_scope"),
    ],
)
async def test_a_request_that_is_wrong_asks_nobody(desk: Desk, changes: dict[str, str | None], told: str) -> None:
    answer = await desk.start_device(desk.page("https://evil.example"), **{"scope": "player:read", **changes})

    assert told == error(answer)
    assert [] == desk.asked


async def test_a_page_shows_its_key_and_its_origin_at_the_start(desk: Desk) -> None:
    page = desk.page()
    url = f"{BASE}/oauth/device_authorization"
    form = page.token_form(scope="player:read")
    ask = desk.server.device_authorization

    assert "invalid_request" == error(await ask(form, origin=page.origin, proofs=[], ask=desk._ask))
    assert "invalid_client" == error(await ask(form, origin=None, proofs=[page.proof("POST", url)], ask=desk._ask))
    for_another = page.proof("POST", f"{BASE}/oauth/token")
    assert "invalid_dpop_proof" == error(await ask(form, origin=page.origin, proofs=[for_another], ask=desk._ask))
    without_nonce = page.proof("POST", url, nonce=None)
    answer = await ask(form, origin=page.origin, proofs=[without_nonce], ask=desk._ask)
    assert "use_dpop_nonce" == error(answer)
    assert "DPoP-Nonce" in answer.headers
    assert [] == desk.asked


async def test_the_dashboard_asks_for_no_device_code(desk: Desk) -> None:
    assert "invalid_client" == error(await desk.start_device(desk.page(BASE)))
    assert "unauthorized_client" == error(await desk.poll(desk.page(BASE), "x"))


async def test_repeated_parameters_are_refused(desk: Desk) -> None:
    page = desk.page()
    form = page.token_form(scope="player:read") + b"&scope=player:control"
    proofs = [page.proof("POST", f"{BASE}/oauth/device_authorization")]
    answer = await desk.server.device_authorization(form, origin=page.origin, proofs=proofs, ask=desk._ask)
    assert "invalid_request" == error(answer)

    code, request = await started(desk, page)
    await allow(desk, request)
    twice = desk.poll_form(page, code) + b"&device_code=" + code.encode()
    assert "invalid_request" == error(await desk.ask(page, twice))
    assert 200 == (await desk.poll(page, code)).status


async def test_the_owner_may_allow_less_for_once_or_for_a_day(desk: Desk, clock: FakeClock, store: Store) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    await allow(desk, request, scopes=READ, until="once")
    once = await desk.poll(page, code)
    assert ("player:read", False, 600) == (once.body["scope"], "refresh_token" in once.body, once.body["expires_in"])

    code, request = await started(desk, page)
    await allow(desk, request, scopes=READ, until="day")
    day = await desk.poll(page, code)
    assert ("player:read", True) == (day.body["scope"], "refresh_token" in day.body)
    clock.forward(DAY_SECONDS)
    assert None is store.grant_of(page.origin)
    assert "invalid_grant" == error(await desk.refresh(page, day.body["refresh_token"]))


async def test_fifty_polls_at_once_get_one_set_of_tokens(desk: Desk) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    await allow(desk, request)

    answers = await asyncio.gather(*(desk.poll(page, code) for _ in range(50)))

    assert 1 == [answer.status for answer in answers].count(200)


async def test_a_yes_that_was_taken_back_gives_no_tokens(desk: Desk, store: Store) -> None:
    page = desk.page()
    code, request = await started(desk, page)
    await allow(desk, request)
    grant = store.grant_of(page.origin)
    assert grant is not None
    store.revoke(grant.id)

    assert "invalid_grant" == error(await desk.poll(page, code))


async def test_a_device_that_asks_again_is_asked_about_again(desk: Desk) -> None:
    """Nothing binds the device to this browser (RFC 8628 5.4), so an earlier yes of the key is not used unasked."""
    page = desk.page()
    await desk.pair(page)

    code, _ = await started(desk, page)

    assert "authorization_pending" == error(await desk.poll(page, code))
