import copy
import json
import pickle

import msgspec
import pytest

from oauth.database import Write
from oauth.models import AuthorizationRequest, Grant
from oauth.secret import Secret
from oauth.server.issuer import Issued, Presented
from oauth.server.results import result

CANARY = "canary-of-a-secret"


class Holder(msgspec.Struct):
    secret: Secret[str]


@pytest.fixture(name="secret", params=[CANARY, CANARY.encode()], ids=["str", "bytes"])
def _secret(request: pytest.FixtureRequest) -> Secret[str] | Secret[bytes]:
    return Secret(request.param)


def test_no_way_of_printing_shows_it(secret: Secret[str]) -> None:
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        format(secret, ">9"),
        f"{secret} {secret!r}",
    ]
    shown += [repr([secret]), repr({"key": secret}), repr(Holder(secret)), str(ValueError(secret))]

    assert [] == [text for text in shown if "canary" in text]
    assert "Secret(...)" == repr(secret)


def test_reveal_is_the_one_way_out(secret: Secret[str]) -> None:
    assert secret.reveal() in (CANARY, CANARY.encode())
    assert not hasattr(secret, "__dict__")
    assert not hasattr(secret, "__iter__")
    with pytest.raises(TypeError):
        bytes(secret)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "copies",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        msgspec.json.encode,
        msgspec.msgpack.encode,
        msgspec.to_builtins,
        lambda secret: msgspec.json.encode(Holder(secret)),
        lambda secret: msgspec.json.encode({"key": [secret]}),
        hash,
    ],
)
def test_it_is_not_copied_out_by_accident(secret: Secret[str], copies: object) -> None:
    with pytest.raises(TypeError) as refused:
        copies(secret)  # type: ignore[operator]

    assert "canary" not in str(refused.value)


def test_it_cannot_be_changed(secret: Secret[str]) -> None:
    with pytest.raises(AttributeError):
        secret._value = "x"
    with pytest.raises(AttributeError):
        del secret._value


def test_only_an_equal_secret_of_the_same_kind_is_equal() -> None:
    assert Secret("a\ud800") == Secret("a\ud800")
    assert Secret(b"a") == Secret(b"a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != Secret(b"a")
    assert Secret("a") != "a"


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr("hmac.compare_digest", compare)

    assert Secret("a") != Secret("a")
    assert [(b"a", b"a")] == compared


def test_no_struct_shows_the_secret_it_holds() -> None:
    grant = Grant(id="g", client_id="c", is_allowed=True, scopes=frozenset(), created_at=0, salt=CANARY.encode())
    held = [
        grant,
        AuthorizationRequest(client_id="c", redirect_uri=CANARY, scopes=frozenset(), challenge=CANARY, state=CANARY),
        Issued(
            pairing_id="p",
            access_token=Secret(CANARY),
            token_type="DPoP",
            expires_in=1,
            scope="",
            refresh_token=Secret(CANARY),
        ),
        Presented(text=Secret(CANARY), token=None, pairing=None, grant=grant),  # type: ignore[arg-type]
        Write("grants", "g", CANARY.encode()),
        result(200, {"access_token": CANARY}),
    ]

    assert [] == [text for text in map(repr, held) if "canary" in text]
