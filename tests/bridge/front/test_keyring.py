from pathlib import Path

from tests.bridge.front.client import Front


async def test_the_owner_is_told_whether_the_keys_place_works(front: Front, tmp_path: Path) -> None:
    answer = await front.owner("POST", "/v1/keyring")

    assert (200, "key_file", "works") == (answer.status, answer.json["place"], answer.json["result"])
    assert str(tmp_path / "master-key") == answer.json["where"]


async def test_a_token_of_the_owners_does_not_try_the_keyring(front: Front) -> None:
    answer = await front.send("POST", "/v1/keyring", headers=await front.bearer("amp:read"))

    assert (403, "scope_missing") == (answer.status, answer.code)


async def test_a_key_file_that_others_could_read_is_an_error_that_says_what_to_do(front: Front, tmp_path: Path) -> None:
    (tmp_path / "master-key").touch(mode=0o644)

    answer = await front.owner("POST", "/v1/keyring")

    assert (500, "unsafe_file") == (answer.status, answer.code)
    assert "chmod 600" in answer.json["detail"]
