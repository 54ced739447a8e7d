"""What the front tells the audit, and who may read it."""

import base64
import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.amplifier import Amplifier
from tests.bridge.audit.kept import spoil
from tests.bridge.front.client import Front
from tests.bridge.front.visitor import Visitor
from tests.bridge.front.waits import until


async def records(front: Front, kind: str | None = None) -> list[dict[str, Any]]:
    answer = await front.owner("GET", "/v1/audit?limit=1000")
    assert 200 == answer.status, answer.body
    return [record for record in answer.json["records"] if kind in (None, record["kind"])]


async def facts(front: Front, kind: str) -> list[tuple[str, ...]]:
    names = ("outcome", "client", "origin", "subject", "by")
    return [tuple(record[name] for name in names if name in record) for record in await records(front, kind)]


async def test_only_the_owner_reads_it(front: Front) -> None:
    page = await Visitor(front).pairs()

    assert 401 == (await front.send("GET", "/v1/audit")).status
    assert 403 == (await front.send("GET", "/v1/audit", headers=await front.bearer("amp:read"))).status
    assert 403 == (await page.sends("GET", "/v1/audit")).status
    assert 403 == (await front.send("GET", "/v1/audit", headers={"Origin": "https://stranger.example"})).status
    assert 200 == (await front.owner("GET", "/v1/audit")).status


async def test_it_is_read_by_pages_from_either_end(front: Front) -> None:
    for number in range(10):
        await front.owner("POST", "/v1/apps/amp/set_volume", json={"volume": number / 10})
    newest = (await front.owner("GET", "/v1/audit?limit=3")).json
    oldest = (await front.owner("GET", "/v1/audit?limit=3&after=0")).json
    beyond = (await front.owner("GET", "/v1/audit?after=4611686018427387904")).json

    assert [10, 11, 12] == [record["index"] for record in newest["records"]]
    assert [1, 2, 3] == [record["index"] for record in oldest["records"]]
    assert [] == beyond["records"]
    assert 1 == newest["first"]
    assert newest["head"].startswith("12:")


async def test_a_file_that_somebody_spoiled_is_still_shown(front: Front, tmp_path: Path) -> None:
    await records(front)
    spoil(
        tmp_path / "audit.sqlite",
        "UPDATE records SET content = x'ff' WHERE position = 1",
        """UPDATE records SET content = '{"time":1e300,"kind":"daemon","outcome":"started"}' WHERE position = 2""",
    )

    first, second = await records(front)
    assert ("", "unreadable") == (first["time"], first["outcome"])
    assert ("", "started") == (second["time"], second["outcome"])


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "after=-1", "after=1e3", "after="])
async def test_a_wrong_page_is_a_400_that_names_its_parameter(front: Front, query: str) -> None:
    answer = await front.owner("GET", f"/v1/audit?{query}")

    assert 400 == answer.status
    assert query.partition("=")[0] == answer.json["path"]


async def test_an_act_says_who_what_and_with_what_outcome_but_not_the_parameters(front: Front) -> None:
    page = await Visitor(front).pairs()
    body = b'{"volume": 0.123456789}'
    headers = {**page.signs("POST", "/v1/apps/amp/set_volume"), "Content-Type": "application/json"}
    assert 200 == (await front.send("POST", "/v1/apps/amp/set_volume", headers=headers, body=body)).status
    assert 400 == (await page.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 7})).status

    done, refused = await records(front, "command")
    hashed = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")
    assert ("https://app.example", "https://app.example", "amp.set_volume", "ok", hashed) == (
        done["client"],
        done["origin"],
        done["subject"],
        done["outcome"],
        done["params"],
    )
    assert "invalid_params" == refused["outcome"]
    assert "0.123456789" not in str(await records(front))


async def test_the_socket_is_recorded_like_the_post(front: Front) -> None:
    page = await Visitor(front).pairs()
    socket = await page.says_hello()
    await socket.receive()
    await socket.send_json({"type": "call", "id": 1, "command": "amp.set_volume", "params": {"volume": 0.25}})
    await socket.receive()
    await socket.close()

    (done,) = await records(front, "command")
    hashed = base64.urlsafe_b64encode(hashlib.sha256(b'{"volume":0.25}').digest()).decode().rstrip("=")
    spaced = base64.urlsafe_b64encode(hashlib.sha256(b'{"volume": 0.25}').digest()).decode().rstrip("=")
    assert done["params"] in (hashed, spaced)


async def test_a_command_is_recorded_as_it_ended_though_nobody_waited(front: Front, amplifier: Amplifier) -> None:
    page = await Visitor(front).pairs()
    socket = await page.says_hello()
    await socket.receive()
    await socket.send_json({"type": "call", "id": 1, "command": "amp.wait"})
    await until(lambda: amplifier.calls == 1)
    await socket.close()
    amplifier.released.set()
    await until(lambda: front.house.dispatch.under_way == 0)

    assert [("ok", "https://app.example", "amp.wait")] == await facts(front, "command")


async def test_a_command_that_the_stop_cut_off_is_cancelled(front: Front, amplifier: Amplifier) -> None:
    page = await Visitor(front).pairs()
    socket = await page.says_hello()
    await socket.receive()
    await socket.send_json({"type": "call", "id": 1, "command": "amp.wait"})
    await until(lambda: amplifier.calls == 1)
    await front.house.dispatch.drain(0.01)

    assert [("cancelled", "https://app.example", "amp.wait")] == await facts(front, "command")
    assert 503 == (await front.owner("POST", "/v1/apps/amp/who")).status
    assert ("restarting", "owner", "amp.who") in await facts(front, "command")
    await socket.close()


async def test_commands_that_may_not_run_are_recorded(front: Front) -> None:
    page = await Visitor(front).pairs("amp:read")
    for _ in range(5):
        await page.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0.5})
    await page.sends("POST", "/v1/apps/amp/no_such_name")
    whole = await Visitor(front, "https://other.example").pairs()
    await whole.sends("POST", "/v1/apps/amp/explode")
    await whole.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0.5}, headers={"Idempotency-Key": "k"})

    assert [
        ("scope_missing", "https://app.example", "amp.set_volume"),
        ("not_found", "https://app.example"),
        ("approval_required", "https://other.example", "amp.explode"),
        ("idempotency_unavailable", "https://other.example", "amp.set_volume"),
    ] == await facts(front, "command")
    assert "no_such_name" not in str(await records(front))


async def test_a_pairing_leaves_question_answer_and_key(front: Front) -> None:
    page = await Visitor(front).pairs()
    (pairing,) = front.store.pairings(front.store.grants()[0].id)

    assert [
        ("asked", page.origin, "amp:control amp:read"),
        ("allowed", page.origin, "amp:control amp:read", "terminal"),
    ] == await facts(front, "consent")
    assert [("begun", page.origin, pairing.id)] == await facts(front, "pairing")


async def test_a_key_that_pairs_again_is_the_same_pairing(front: Front) -> None:
    page = await Visitor(front).pairs("amp:read")
    await page.pairs("amp:control")

    assert ["begun"] == [record["outcome"] for record in await records(front, "pairing")]


async def test_a_no_and_a_grant_taken_back_are_recorded(front: Front) -> None:
    other = Visitor(front, "https://other.example")
    await other.is_answered(await other.asks(), "deny")
    await Visitor(front).pairs()
    grant = front.store.grant_of("https://app.example")
    assert grant is not None
    await front.owner("DELETE", f"/v1/grants/{grant.id}")

    assert ("denied", "https://other.example", "amp:control amp:read", "terminal") in await facts(front, "consent")
    assert [("revoked", "https://app.example", grant.id, "terminal")] == await facts(front, "grant")


async def test_a_code_used_twice_ends_its_pairing_which_is_recorded(front: Front) -> None:
    page = Visitor(front)
    code = (await page.is_answered(await page.asks()))["code"][0]
    assert 200 == (await page.redeems(page.code_form(code))).status
    (pairing,) = front.store.pairings(front.store.grants()[0].id)
    assert 400 == (await page.redeems(page.code_form(code))).status

    assert [("begun", page.origin, pairing.id), ("reused", page.origin, pairing.id)] == await facts(front, "pairing")
    assert [("invalid_grant", page.origin)] == await facts(front, "refusal")


async def test_a_browser_that_becomes_the_owners_is_recorded(front: Front) -> None:
    dashboard = Visitor(front, front.base)
    link = (await front.owner("POST", "/v1/activation-links")).json["link"]
    answer = await dashboard.redeems(dashboard.activation_form(link.partition("=")[2]))
    dashboard.tokens = answer.json
    await dashboard.sends("POST", "/v1/tokens", json={"name": "lamp", "scope": "amp:read"})

    assert [("made", "owner", "terminal"), ("used", "owner", "page")] == await facts(front, "activation")
    assert [("made", "native:lamp", "amp:read", "page")] == await facts(front, "token")


async def test_an_answer_that_comes_to_its_end_is_recorded(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await Visitor(front, "http://localhost:4390").pairs()
    (grant,) = front.store.grants()
    later = time.time() + 25 * 3600
    monkeypatch.setattr(front.store, "clock", lambda: later)
    assert () == front.store.grants()

    assert [("expired", page.origin, grant.id)] == await facts(front, "grant")


async def test_tokens_and_links_of_the_owner_are_recorded_without_their_secrets(front: Front) -> None:
    token = await front.token("amp:read", name="lamp")
    link = (await front.owner("POST", "/v1/activation-links")).json["link"]

    assert [("made", "native:lamp", "amp:read", "terminal")] == await facts(front, "token")
    assert [("made", "owner", "terminal")] == await facts(front, "activation")
    everything = str(await records(front))
    assert token not in everything
    assert link.partition("=")[2] not in everything


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "nonsense"},
        {"scope": "owner"},
        {"scope": "amp:read", "name": "A"},
        {"scope": "amp:read", "ttl": 10**9},
    ],
)
async def test_a_token_that_is_asked_wrong_is_recorded(front: Front, body: dict[str, object]) -> None:
    assert 400 == (await front.owner("POST", "/v1/tokens", json=body)).status

    assert [("invalid_params",)] == await facts(front, "refusal")
    assert [] == await facts(front, "token")
    assert "nonsense" not in str(await records(front))


async def test_refusals_are_recorded_with_reason_and_origin(front: Front) -> None:
    for _ in range(20):
        await front.send("GET", "/v1/apps", headers={"Origin": "https://stranger.example"})
    await front.send("GET", "/v1/apps", headers={"Host": "evil.example"})
    await front.send("GET", "/v1/apps", headers={"Authorization": "Bearer at_wrong"})
    await front.send("GET", "/v1/apps")

    assert [
        ("origin_not_approved", "https://stranger.example"),
        ("host",),
        ("token_invalid",),
        ("token_required",),
    ] == await facts(front, "refusal")


async def test_guessed_codes_tokens_and_tickets_are_recorded(front: Front) -> None:
    page = await Visitor(front).pairs()
    for _ in range(10):
        assert 400 == (await page.redeems(page.code_form("guessed"))).status
    await (await page.opens_socket("guessed")).receive()
    await front.send("GET", "/oauth/requests/guessed", headers={"Sec-Fetch-Site": "same-origin"})

    assert [
        ("invalid_grant", page.origin),
        ("token_invalid", page.origin),
        ("request_unknown",),
    ] == await facts(front, "refusal")
