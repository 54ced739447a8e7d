"""Whoever knows a living activation link may have a browser forget our origin, and nobody else."""

import pytest

from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import Visitor

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OTHER_PORT = "http://127.0.0.1:39999"


async def link(front: Front) -> str:
    """Return the secret of a new activation link."""
    return str((await front.owner("POST", "/v1/activation-links")).json["link"].partition("#activate=")[2])


async def clean(front: Front, body: str, origin: str | None = OTHER_PORT) -> Answer:
    """Ask for a cleaning."""
    headers = FORM if origin is None else FORM | {"Origin": origin, "Sec-Fetch-Site": "same-site"}
    return await front.send("POST", "/oauth/clean", headers=headers, body=body.encode())


async def test_a_page_with_a_living_link_cleans_from_another_port(front: Front) -> None:
    answer = await clean(front, f"link={await link(front)}")

    assert (204, b"") == (answer.status, answer.body)
    assert '"cache", "storage"' == answer.headers["Clear-Site-Data"]
    assert OTHER_PORT == answer.headers["Access-Control-Allow-Origin"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_cleaning_does_not_use_the_link_up(front: Front) -> None:
    secret = await link(front)
    for _ in range(3):
        assert 204 == (await clean(front, f"link={secret}")).status

    owner = Visitor(front, front.base)
    assert 200 == (await owner.redeems(owner.activation_form(secret))).status
    assert 400 == (await clean(front, f"link={secret}")).status, "it is used now"


@pytest.mark.parametrize(
    "body", ["", "link=", "link=nothing", "link=%ff", "link=%zz", "secret=SECRET", "link=SECRET&link=SECRET"]
)
async def test_whoever_does_not_know_a_link_cleans_nothing(front: Front, body: str) -> None:
    answer = await clean(front, body.replace("SECRET", await link(front)))

    assert (400, "invalid_request") == (answer.status, answer.json["error"])
    assert "Clear-Site-Data" not in answer.headers


async def test_a_guess_is_seen_in_the_audit(front: Front) -> None:
    await clean(front, "link=nothing")

    records = (await front.owner("GET", "/v1/audit")).json["records"]
    refusals = [record for record in records if record["kind"] == "refusal"]
    assert [("invalid_request", OTHER_PORT)] == [(record["outcome"], record["origin"]) for record in refusals]


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "file://"])
async def test_an_origin_that_is_none_gets_the_empty_403(front: Front, origin: str) -> None:
    answer = await clean(front, f"link={await link(front)}", origin)

    assert (403, b"") == (answer.status, answer.body)
    assert "Clear-Site-Data" not in answer.headers


async def test_no_other_answer_makes_a_browser_forget(front: Front) -> None:
    for method, path in (
        ("GET", "/"),
        ("GET", "/v1/hello"),
        ("POST", "/oauth/token"),
        ("GET", "/oauth/clean"),
        ("OPTIONS", "/oauth/clean"),
    ):
        assert "Clear-Site-Data" not in (await front.send(method, path, headers={"Origin": OTHER_PORT})).headers
    planted = await front.send(
        "GET", "/worker.js", headers={"Service-Worker": "script", "Sec-Fetch-Site": "same-origin"}
    )
    # The unregistering worker has to live until it has sent the pages away that the planted one answered.
    assert (200, False) == (planted.status, "Clear-Site-Data" in planted.headers)
