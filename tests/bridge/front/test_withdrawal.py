"""A consent page that is left takes its request back: by its handle, from our own origin, and no other."""

from typing import Any

from bridge.consent.requests import BOUND
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import SAME_ORIGIN, Visitor


async def withdraws(front: Front, handle: str, headers: dict[str, str] | None = None) -> Answer:
    own = {"Origin": front.base}
    return await front.send("DELETE", f"/oauth/requests/{handle}", headers=own if headers is None else headers)


async def waiting(front: Front) -> list[Any]:
    return list((await front.owner("GET", "/oauth/requests")).json["requests"])


async def test_a_request_that_was_withdrawn_is_gone_and_withdrawing_it_again_is_no_error(front: Front) -> None:
    asked = (await Visitor(front).asks()).json

    for _ in range(2):
        answer = await withdraws(front, asked["handle"])
        assert (204, b"") == (answer.status, answer.body)
    assert [] == await waiting(front)
    assert 404 == (await front.send("GET", f"/oauth/requests/{asked['handle']}", headers=SAME_ORIGIN)).status
    late = await front.owner("POST", f"/oauth/requests/{asked['code']}", json={"answer": "allow"})
    assert 410 == late.status


async def test_places_that_were_withdrawn_are_free_for_others(front: Front) -> None:
    for number in range(2 * BOUND):
        asked = await Visitor(front, f"https://victim{number}.example").asks()
        assert 200 == asked.status
        await withdraws(front, asked.json["handle"])

    await Visitor(front).asks()
    assert ["https://app.example"] == [one["client"]["id"] for one in await waiting(front)]


async def test_nobody_but_our_own_page_withdraws_a_request(front: Front) -> None:
    asked = (await Visitor(front).asks()).json
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "https://app.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin"},
        {},
    ):
        assert 403 == (await withdraws(front, asked["handle"], headers)).status, headers

    assert 1 == len(await waiting(front))


async def test_a_handle_of_nothing_and_a_code_withdraw_nothing(front: Front) -> None:
    asked = (await Visitor(front).asks()).json
    for word in ("nothing", asked["code"], "%00", "é", "a" * 2000):
        assert 204 == (await withdraws(front, word)).status, word

    assert 1 == len(await waiting(front))


async def test_an_answer_that_was_given_is_not_withdrawn(front: Front) -> None:
    visitor = Visitor(front)
    asked = await visitor.asks()
    redirect = await visitor.is_answered(asked)

    assert 204 == (await withdraws(front, asked.json["handle"])).status
    status = await front.send("GET", f"/oauth/requests/{asked.json['handle']}", headers=SAME_ORIGIN)
    assert "allowed" == status.json["status"]
    assert 200 == (await visitor.redeems(visitor.code_form(redirect["code"][0]))).status
