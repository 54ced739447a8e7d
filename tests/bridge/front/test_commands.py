import json

import pytest

from bridge.config import Limits
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front


async def test_the_owner_runs_a_command_over_the_unix_socket(front: Front, amplifier: Amplifier) -> None:
    answer = await front.owner("POST", "/v1/apps/amp/set_volume", json={"volume": 0.25})

    assert (200, {"volume": 0.25}) == (answer.status, answer.json)
    assert 0.25 == amplifier.volume


async def test_a_native_token_runs_a_command_over_tcp(front: Front) -> None:
    headers = await front.bearer("amp:control")

    answer = await front.send("POST", "/v1/apps/amp/set_volume", headers=headers, json={"volume": 0.25})

    assert (200, {"volume": 0.25}) == (answer.status, answer.json)


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, b'{"volume":0.1}', 415, "wrong_media_type"),
        ({"Content-Type": "application/json; charset=utf-16"}, b'{"volume":0.1}', 415, "wrong_media_type"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 415, "wrong_media_type"),
        ({}, b'{"volume":0.1}', 415, "wrong_media_type"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"\x1f\x8b", 415, "wrong_media_type"),
        ({"Content-Type": "application/json"}, b'{"volume":' + b" " * 66_000 + b"1}", 413, "body_too_large"),
        ({"Content-Type": "application/json"}, b'{"volume":2}', 400, "invalid_params"),
        ({"Content-Type": "application/json"}, b'{"volume":NaN}', 400, "malformed_request"),
        ({"Content-Type": "application/json"}, b"\xff", 400, "malformed_request"),
        ({"Content-Type": "application/json"}, b"[" * 60_000, 400, None),
        ({"Content-Type": "application/json", "Idempotency-Key": "k"}, b'{"volume":1}', 400, "idempotency_unavailable"),
    ],
)
async def test_a_wrong_body_is_a_clear_4xx_and_runs_nothing(
    front: Front, amplifier: Amplifier, headers: dict[str, str], body: bytes, status: int, code: str | None
) -> None:
    sent = {**await front.bearer("amp:control"), **headers}

    answer = await front.send("POST", "/v1/apps/amp/set_volume", headers=sent, body=body)

    assert status == answer.status
    assert code in (answer.code, None)
    assert "application/problem+json" == answer.headers["Content-Type"]
    assert 0 == amplifier.calls


async def test_media_types_are_compared_without_case(front: Front) -> None:
    headers = {**await front.bearer("amp:control"), "Content-Type": "Application/JSON; Charset=UTF-8"}

    answer = await front.send("POST", "/v1/apps/amp/set_volume", headers=headers, body=b'{"volume":1}')

    assert 200 == answer.status


async def test_no_body_means_no_parameters(front: Front) -> None:
    answer = await front.send("POST", "/v1/apps/amp/who", headers=await front.bearer("amp:read"))

    assert {"client": "native:test"} == answer.json


@pytest.mark.parametrize("path", ["/v1/apps/amp/nothing", "/v1/apps/nobody/who", "/v1/nothing"])
async def test_what_is_not_there_is_not_found(front: Front, path: str) -> None:
    answer = await front.send("POST", path, headers=await front.bearer("amp:read"))

    assert (404, "not_found") == (answer.status, answer.code)


async def test_a_scope_that_is_missing_is_named(front: Front, amplifier: Amplifier) -> None:
    headers = await front.bearer("amp:read")

    answer = await front.send("POST", "/v1/apps/amp/set_volume", headers=headers, json={"volume": 0.1})

    assert (403, "scope_missing", "amp:control") == (answer.status, answer.code, answer.json["scope"])
    assert 0 == amplifier.calls


async def test_a_dangerous_command_runs_only_over_the_unix_socket(front: Front, amplifier: Amplifier) -> None:
    refused = await front.send("POST", "/v1/apps/amp/explode", headers=await front.bearer("amp:control"))
    assert (403, "approval_required", 0) == (refused.status, refused.code, amplifier.calls)

    assert 200 == (await front.owner("POST", "/v1/apps/amp/explode")).status


async def test_without_a_token_nothing_runs(front: Front, amplifier: Amplifier) -> None:
    answer = await front.send("POST", "/v1/apps/amp/who")

    assert (401, "token_required") == (answer.status, answer.code)
    assert answer.headers["WWW-Authenticate"].startswith("DPoP ")
    assert f"{front.base}/.well-known/oauth-protected-resource" in answer.headers["WWW-Authenticate"]
    assert 0 == amplifier.calls


@pytest.mark.parametrize("query", ["?access_token={}", "?token={}", "?authorization=Bearer%20{}"])
async def test_a_token_in_the_url_is_never_looked_at(front: Front, amplifier: Amplifier, query: str) -> None:
    token = await front.token("amp:read")

    answer = await front.send("POST", "/v1/apps/amp/who" + query.format(token))

    assert (401, 0) == (answer.status, amplifier.calls)


async def test_apps_shows_what_the_callers_scopes_cover(front: Front) -> None:
    answer = await front.send("GET", "/v1/apps", headers=await front.bearer("amp:read"))

    (app,) = answer.json["apps"]
    assert ["recite", "wait", "who"] == sorted(app["commands"])
    assert {"amp:read": "See the volume"} == app["scopes"]
    everything = (await front.owner("GET", "/v1/apps")).json["apps"][0]
    schema = everything["commands"]["set_volume"]["params"]
    assert {"maximum": 1, "minimum": 0, "type": "number"} == schema["$defs"]["Volume"]["properties"]["volume"]


async def test_state_has_a_cursor_and_an_etag(front: Front) -> None:
    headers = await front.bearer("amp:read")
    first = await front.send("GET", "/v1/apps/amp/state", headers=headers)

    assert {"volume": 0.5} == first.json["state"]
    assert first.json["cursor"].endswith(".0")
    again = await front.send("GET", "/v1/apps/amp/state", headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (304, b"") == (again.status, again.body)
    await front.owner("POST", "/v1/apps/amp/set_volume", json={"volume": 0.1})
    changed = await front.send("GET", "/v1/apps/amp/state", headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (200, {"volume": 0.1}) == (changed.status, changed.json["state"])
    assert changed.json["cursor"].endswith(".1")


async def test_state_waits_for_a_named_event_or_the_time(front: Front) -> None:
    headers = await front.bearer("amp:read amp:control")

    now = await front.send("GET", "/v1/apps/amp/state?returnon=changed&returnafter=0", headers=headers)
    later = await front.send("GET", "/v1/apps/amp/state?returnon=changed&returnafter=0.05", headers=headers)
    wrong = await front.send("GET", "/v1/apps/amp/state?returnon=exploded", headers=headers)
    forever = await front.send("GET", "/v1/apps/amp/state?returnafter=61", headers=headers)

    assert [200, 200, 400, 400] == [now.status, later.status, wrong.status, forever.status]
    assert ("invalid_params", "returnon") == (wrong.code, wrong.json["path"])


@pytest.mark.parametrize("limits", [Limits(commands_per_second=1, burst=2)])
async def test_over_the_rate_is_429_with_a_time(front: Front) -> None:
    headers = await front.bearer("amp:read")

    statuses = [(await front.send("POST", "/v1/apps/amp/who", headers=headers)).status for _ in range(3)]
    refused = await front.send("POST", "/v1/apps/amp/who", headers=headers)

    assert [200, 200, 429] == statuses
    assert ("too_many", "1") == (refused.code, refused.headers["Retry-After"])
    assert 200 == (await front.send("POST", "/v1/apps/amp/who", headers=await other(front))).status


async def other(front: Front) -> dict[str, str]:
    """Return the header of another client, which has its own limits."""
    return {"Authorization": f"Bearer {await front.token('amp:read', name='other')}"}


async def test_revoking_a_grant_ends_its_tokens_at_once(front: Front) -> None:
    headers = await front.bearer("amp:read")
    (grant,) = (await front.owner("GET", "/v1/grants")).json["grants"]

    assert 204 == (await front.owner("DELETE", f"/v1/grants/{grant['id']}")).status

    answer = await front.send("POST", "/v1/apps/amp/who", headers=headers)
    assert (401, "token_invalid") == (answer.status, answer.code)
    assert {"grants": []} == (await front.owner("GET", "/v1/grants")).json


async def test_every_answer_has_the_headers_of_the_house(front: Front) -> None:
    for path in ("/v1/hello", "/v1/apps", "/nothing", "/v1/apps/amp/state"):
        headers = (await front.send("GET", path)).headers
        assert ("no-store", "nosniff", "Origin") == (
            headers["Cache-Control"],
            headers["X-Content-Type-Options"],
            headers["Vary"],
        )
        assert "Server" not in headers


async def test_a_method_that_a_path_does_not_take_is_405(front: Front) -> None:
    answer = await front.send("PUT", "/v1/apps", headers=await front.bearer("amp:read"))

    assert (405, "method_not_allowed") == (answer.status, answer.code)
    assert "GET" == answer.headers["Allow"]
    assert json.loads(answer.body)["detail"]


async def test_an_encoded_body_leaves_no_trace_in_the_log(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    headers = {**await front.bearer("amp:control"), "Content-Type": "application/json", "Content-Encoding": "gzip"}

    answer = await front.send("POST", "/v1/apps/amp/set_volume", headers=headers, body=b"no gzip at all")

    assert 415 == answer.status
    assert "Traceback" not in caplog.text
