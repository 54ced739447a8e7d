"""Offers over HTTP: who may make, see and end them, and what whoever holds one can have run."""

import asyncio
import json
from collections import Counter
from typing import Any

import msgspec
import pytest

from bridge.config import Limits
from bridge.messages import Effect
from oauth import base64url
from oauth.offers import MAX_OFFERS
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.test_audit import facts, records
from tests.bridge.front.visitor import Visitor
from tests.bridge.front.waits import until

pytestmark = pytest.mark.broad

STRANGER = {"Origin": "https://stranger.example"}
QUIET = {"command": "amp.set_volume", "params": {"volume": 0.25}}


async def offers(front: Front, **changes: object) -> dict[str, Any]:
    answer = await front.owner("POST", "/v1/offers", json={**QUIET, **changes})
    assert 200 == answer.status, answer.body
    return dict(answer.json)


async def redeems(front: Front, offer: str, headers: dict[str, str] = STRANGER) -> Answer:
    return await front.send("POST", "/v1/offers/redeem", headers=headers, json={"offer": offer})


async def listed(front: Front) -> list[dict[str, Any]]:
    return list((await front.owner("GET", "/v1/offers")).json["offers"])


def changes(front: Front, **fields: object) -> None:
    """Have the app declare its command otherwise, as a newer version of it might."""
    commands = front.house._broker.apps["amp"].commands
    commands["set_volume"] = msgspec.structs.replace(commands["set_volume"], **fields)


async def owners_page(front: Front) -> Visitor:
    link = (await front.owner("POST", "/v1/activation-links")).json["link"]
    owner = Visitor(front, front.base)
    owner.tokens = (await owner.redeems(owner.activation_form(link.partition("#activate=")[2]))).json
    return owner


@pytest.mark.parametrize("headers", [{}, STRANGER], ids=["program", "page"])
async def test_whoever_holds_it_runs_it_once_without_a_token(
    front: Front, amplifier: Amplifier, headers: dict[str, str]
) -> None:
    offer = (await offers(front))["offer"]

    first, second = await redeems(front, offer, headers), await redeems(front, offer, headers)

    assert (200, {"volume": 0.25}) == (first.status, first.json)
    assert headers.get("Origin") == first.headers.get("Access-Control-Allow-Origin")
    assert (410, "gone") == (second.status, second.code)
    assert (1, 0.25) == (amplifier.calls, amplifier.volume)


async def test_the_link_is_a_page_of_ours_with_the_offer_behind_the_hash(front: Front) -> None:
    made = await offers(front, uses=3, ttl=120)

    assert {"id", "offer", "link", "expires_in"} == set(made)
    assert (f"{front.base}/offer#{made['offer']}", 120) == (made["link"], made["expires_in"])
    said = json.loads(base64url.decode(made["offer"].split(".")[0]))
    assert {**QUIET, "uses": 3, "id": made["id"]} == {name: said[name] for name in said if name != "until"}


async def test_without_a_word_it_is_good_once_within_the_hour(front: Front) -> None:
    made = (await front.owner("POST", "/v1/offers", json={"command": "amp.who"})).json

    (only,) = await listed(front)
    assert (3600, 1, {}) == (made["expires_in"], only["uses"], only["params"])


async def test_the_owner_sees_what_is_offered_and_how_often_it_was_used(front: Front) -> None:
    made = await offers(front, uses=2)
    await redeems(front, made["offer"])

    (only,) = await listed(front)

    assert {**QUIET, "id": made["id"], "uses": 2, "used": 1} == {
        name: only[name] for name in only if name not in ("created", "until")
    }
    assert only["created"] < only["until"]


async def test_the_owners_page_makes_sees_and_ends_them_too(front: Front) -> None:
    owner = await owners_page(front)

    made = await owner.sends("POST", "/v1/offers", json=QUIET)
    seen = await owner.sends("GET", "/v1/offers")
    ended = await owner.sends("DELETE", f"/v1/offers/{made.json['id']}")

    assert [200, 200, 204] == [made.status, seen.status, ended.status]
    assert [made.json["id"]] == [offer["id"] for offer in seen.json["offers"]]


async def test_a_page_or_program_with_a_token_makes_none(front: Front) -> None:
    page = await Visitor(front).pairs()

    for answer in (
        await page.sends("POST", "/v1/offers", json=QUIET),
        await page.sends("GET", "/v1/offers"),
        await front.send("POST", "/v1/offers", headers=await front.bearer("amp:control"), json=QUIET),
    ):
        assert (403, "scope_missing") == (answer.status, answer.code)
    assert [] == await listed(front)


async def test_fifty_at_once_run_it_as_often_as_it_says(front: Front, amplifier: Amplifier) -> None:
    offer = (await offers(front, uses=7))["offer"]

    answers = await asyncio.gather(*(redeems(front, offer) for _ in range(50)))

    assert {200: 7, 410: 43} == Counter(answer.status for answer in answers)
    assert 7 == amplifier.calls


async def test_a_revoked_one_runs_nothing_any_more(front: Front, amplifier: Amplifier) -> None:
    made = await offers(front, uses=5)
    assert 204 == (await front.owner("DELETE", f"/v1/offers/{made['id']}")).status

    answer = await redeems(front, made["offer"])

    assert (410, "gone") == (answer.status, answer.code)
    assert ([], 0) == (await listed(front), amplifier.calls)
    assert 404 == (await front.owner("DELETE", f"/v1/offers/{made['id']}")).status


async def test_it_is_over_when_its_time_is(front: Front, amplifier: Amplifier, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = (await offers(front, ttl=60))["offer"]
    now = front.store.clock()
    monkeypatch.setattr(front.store, "clock", lambda: now + 61)

    assert (410, "gone") == ((answer := await redeems(front, offer)).status, answer.code)
    assert ([], 0) == (await listed(front), amplifier.calls)


async def test_what_this_daemon_did_not_sign_is_not_found(front: Front, amplifier: Amplifier) -> None:
    payload, time, signature = (await offers(front))["offer"].split(".")
    other = base64url.encode(base64url.decode(payload).replace(b"0.25", b"0.99"))

    for wrong in ("", "x", payload, f"{other}.{time}.{signature}", f"{payload}.{time}.{signature[::-1]}"):
        answer = await redeems(front, wrong)
        assert (404, "not_found") == (answer.status, answer.code), wrong
        assert wrong == "" or wrong not in answer.body.decode() or wrong == "x"
    assert 0 == amplifier.calls


@pytest.mark.parametrize("body", [{}, {"offer": 1}, {"offer": None}, {"offer": "x", "params": {}}, [], "x"])
async def test_a_redemption_says_the_offer_and_nothing_else(front: Front, body: object) -> None:
    answer = await front.send("POST", "/v1/offers/redeem", json=body)

    assert (400, "invalid_params") == (answer.status, answer.code)


@pytest.mark.parametrize(
    ("changes", "status", "path"),
    [
        ({"command": "amp.explode", "params": {}}, 400, "$.command"),
        ({"params": {"volume": 2}}, 400, "$.volume"),
        ({"params": {}}, 400, "$"),
        ({"params": {"volume": 0.1, "more": 1}}, 400, "$"),
        ({"params": []}, 400, "$"),
        ({"params": None}, 400, "$"),
        ({"uses": 0}, 400, "$.uses"),
        ({"uses": 1001}, 400, "$.uses"),
        ({"uses": 1.5}, 400, "$.uses"),
        ({"ttl": 0}, 400, "$.ttl"),
        ({"ttl": 30 * 86_400 + 1}, 400, "$.ttl"),
        ({"command": "amp"}, 404, None),
        ({"command": "amp.nothing"}, 404, None),
        ({"command": "nothing.who"}, 404, None),
        ({"command": ".who"}, 404, None),
        ({"command": "amp.who.who", "params": {}}, 404, None),
        ({"command": 1}, 400, "$.command"),
        ({"more": 1}, 400, "$"),
    ],
)
async def test_what_cannot_be_offered_is_refused_as_it_is_made(
    front: Front, changes: dict[str, object], status: int, path: str | None
) -> None:
    answer = await front.owner("POST", "/v1/offers", json={**QUIET, **changes})

    assert (status, path) == (answer.status, answer.json.get("path"))
    assert [] == await listed(front)


async def test_parameters_that_are_too_long_for_a_link_are_refused(front: Front) -> None:
    body = b'{"command":"amp.who","params":{%b}}' % (b" " * 4096)

    answer = await front.send("POST", "/v1/offers", body=body, headers={"Content-Type": "application/json"}, unix=True)

    assert (400, "$.params") == (answer.status, answer.json["path"])


async def test_there_is_a_bound_of_living_offers(front: Front) -> None:
    for _ in range(MAX_OFFERS):
        made = await offers(front)

    answer = await front.owner("POST", "/v1/offers", json=QUIET)

    assert (429, "too_many") == (answer.status, answer.code)
    assert 200 == (await redeems(front, made["offer"])).status
    assert 200 == (await front.owner("POST", "/v1/offers", json=QUIET)).status


async def test_its_holder_is_a_caller_of_its_own(front: Front) -> None:
    made = await offers(front, command="amp.who", params={})

    assert {"client": f"offer:{made['id']}"} == (await redeems(front, made["offer"])).json


async def test_a_command_whose_scope_has_changed_is_not_what_was_offered(front: Front, amplifier: Amplifier) -> None:
    made = await offers(front)
    changes(front, scope="amp:read")

    answer = await redeems(front, made["offer"])

    assert (403, "scope_missing") == (answer.status, answer.code)
    assert (0, 0) == (amplifier.calls, (await listed(front))[0]["used"])


async def test_a_command_that_has_become_dangerous_asks_nobody_and_runs_not(front: Front, amplifier: Amplifier) -> None:
    made = await offers(front)
    changes(front, effect=Effect.DANGEROUS)

    answer = await redeems(front, made["offer"])

    assert (403, "approval_impossible") == (answer.status, answer.code)
    assert [] == (await front.owner("GET", "/oauth/requests")).json["requests"]
    assert (0, 0) == (amplifier.calls, (await listed(front))[0]["used"])


async def test_a_use_that_was_refused_before_it_ran_is_given_back(front: Front, amplifier: Amplifier) -> None:
    made = await offers(front)
    front.house.dispatch.is_stopping = True
    assert 503 == (await redeems(front, made["offer"])).status
    keyed = await redeems(front, made["offer"], {"Idempotency-Key": "k"})
    assert (400, "idempotency_unavailable") == (keyed.status, keyed.code)
    front.house.dispatch.is_stopping = False

    assert 200 == (await redeems(front, made["offer"])).status
    assert 410 == (await redeems(front, made["offer"])).status
    assert 1 == amplifier.calls


async def test_a_use_whose_command_failed_is_spent(
    front: Front, amplifier: Amplifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await offers(front)

    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(amplifier.topic, "publish", fail)

    assert 500 == (await redeems(front, made["offer"])).status
    assert 410 == (await redeems(front, made["offer"])).status


@pytest.mark.parametrize("limits", [Limits(commands_per_second=1, burst=5)])
async def test_each_offer_is_held_to_the_rate_of_a_grant_and_disturbs_no_other(
    front: Front, amplifier: Amplifier
) -> None:
    flood, other = (await offers(front, uses=1000))["offer"], (await offers(front))["offer"]

    answers = [await redeems(front, flood) for _ in range(60)]

    assert {200, 429} == {answer.status for answer in answers}
    assert sum(answer.status == 200 for answer in answers) == amplifier.calls == (await listed(front))[0]["used"]
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 429)
    assert 200 == (await redeems(front, other)).status


async def test_what_is_counted_for_an_offer_is_forgotten_with_it(front: Front) -> None:
    made = await offers(front)
    await redeems(front, made["offer"])
    name = f"offer:{made['id']}"
    assert (1, True) == (front.house._tally.today(name), name in front.house._quotas._usage)

    await front.owner("DELETE", f"/v1/offers/{made['id']}")

    assert (0, False) == (front.house._tally.today(name), name in front.house._quotas._usage)


async def test_a_command_runs_to_its_end_although_the_offer_was_taken_back(front: Front, amplifier: Amplifier) -> None:
    made = await offers(front, command="amp.wait", params={})
    running = asyncio.create_task(redeems(front, made["offer"]))
    await until(lambda: amplifier.calls == 1)

    await front.owner("DELETE", f"/v1/offers/{made['id']}")
    amplifier.released.set()

    assert 200 == (await running).status


async def test_the_audit_says_who_offered_used_and_took_back_what(front: Front) -> None:
    made = await offers(front)
    name = f"offer:{made['id']}"
    await redeems(front, made["offer"])
    await redeems(front, made["offer"])
    await front.owner("DELETE", f"/v1/offers/{made['id']}")

    stranger = STRANGER["Origin"]
    assert [
        ("made", name, "amp.set_volume", "terminal"),
        ("used", name, stranger, "amp.set_volume"),
        ("revoked", name, "amp.set_volume", "terminal"),
    ] == await facts(front, "offer")
    assert [("ok", name, stranger, "amp.set_volume")] == await facts(front, "command")
    assert [("gone", stranger)] == await facts(front, "refusal")


async def test_many_uses_of_an_offer_are_one_record_and_a_sum(front: Front) -> None:
    offer = (await offers(front, uses=20))["offer"]
    for _ in range(20):
        await redeems(front, offer)

    assert ["made", "used"] == [record["outcome"] for record in await records(front, "offer")]
