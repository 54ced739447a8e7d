"""Offers: what a signed link may run is read in it, changed by nobody, counted in the store, and ends."""

import asyncio
import hashlib
import json
import sqlite3
import string
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner

from oauth import base64url
from oauth.errors import OfferOver, OfferUnknown, StorageFailed
from oauth.offers import MAX_OFFERS, Made, Offers
from oauth.store import Store
from tests.oauth.clock import FakeClock

KEY = bytes(range(32))
PARAMS = b'{ "uri": "https://radio.example/live?a=\xc3\xa9", "at": 1.50 }'
HOUR = 3600
ALPHABET = string.ascii_letters + string.digits + "-_"

Make = Callable[..., Made]


@pytest.fixture(name="offers")
async def _offers(store: Store) -> Offers:
    return Offers(store, KEY)


@pytest.fixture(name="make")
def _make(offers: Offers) -> Make:
    def make(command: str = "player.open", params: bytes = PARAMS, *, uses: int = 1, seconds: int = HOUR) -> Made:
        made = offers.make(command, "player:control", params, uses=uses, seconds=seconds)
        assert made is not None
        return made

    return make


def signed_by(key: bytes, salt: bytes, value: str, digest: object = hashlib.sha256, derivation: str = "hmac") -> str:
    signer = TimestampSigner(key, salt=salt, key_derivation=derivation, digest_method=digest)
    return signer.sign(value).decode()


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as other:
        return int(other.execute("SELECT count(*) FROM offers").fetchone()[0])


async def test_its_holder_can_read_what_it_runs(make: Make, clock: FakeClock) -> None:
    clock.now = 1_800_000_000.75
    made = make(uses=3)

    payload = base64url.decode(made.text.reveal().split(".")[0])

    assert (
        b'{"id":"%b","command":"player.open","params":{"uri":"https://radio.example/live?a=\xc3\xa9","at":1.50},'
        b'"uses":3,"until":"2027-01-15T09:00:00Z"}' % made.offer.id.encode()
    ) == payload


async def test_a_long_one_is_not_compressed(make: Make) -> None:
    made = make(params=json.dumps({"text": "a" * 4000}).encode())

    assert {"text": "a" * 4000} == json.loads(base64url.decode(made.text.reveal().split(".")[0]))["params"]


async def test_it_is_verified_as_it_was_made(offers: Offers, make: Make) -> None:
    made = make()

    assert made.offer == offers.verify(made.text.reveal())


async def test_a_change_of_any_character_is_noticed(offers: Offers, make: Make) -> None:
    text = make().text.reveal()

    for place, letter in enumerate(text):
        is_last = place == len(text) - 1  # two bits of it belong to no byte
        for other in {*(ALPHABET if is_last else "ABQw_"), ".", "=", "+", "é"} - {letter}:
            with pytest.raises(OfferUnknown):
                offers.verify(text[:place] + other + text[place + 1 :])


async def test_a_piece_left_out_doubled_or_added_is_noticed(offers: Offers, make: Make) -> None:
    text, other = make().text.reveal(), make("player.play", b"{}").text.reveal()
    payload, time, signature = text.split(".")
    theirs, _, their_signature = other.split(".")

    for wrong in (
        *("", ".", "..", "a", payload, f"{payload}.{time}", f"{payload}.{signature}"),
        *(f".{text}", f"{text}.", f" {text}", f"\ud800.{time}.{signature}"),
        *(f"{text}\n", f"{text}=", f"{payload}={text[len(payload) :]}", f"{text}.{signature}", f"{payload}.{text}"),
        *(f"{theirs}.{time}.{signature}", f"{payload}.{time}.{their_signature}", f"{payload}..{signature}"),
        *(text.upper(), text[1:], text[:-1], "A" * 100_000, f"{'A' * 100_000}.{time}.{signature}"),
    ):
        with pytest.raises(OfferUnknown):
            offers.verify(wrong)


async def test_what_another_key_purpose_or_digest_signed_is_not_ours(offers: Offers, make: Make, store: Store) -> None:
    value = make().text.reveal().split(".")[0]
    assert signed_by(KEY, b"tollbridge.offer", value).count(".") == 2

    for wrong in (
        signed_by(bytes(32), b"tollbridge.offer", value),
        signed_by(KEY, b"tollbridge.link", value),
        signed_by(KEY, b"itsdangerous.Signer", value),
        signed_by(KEY, b"tollbridge.offer", value, hashlib.sha1),
        signed_by(KEY, b"tollbridge.offer", value, derivation="django-concat"),
        signed_by(KEY, b"tollbridge.offer", value, derivation="none"),
    ):
        with pytest.raises(OfferUnknown):
            offers.verify(wrong)
    with pytest.raises(OfferUnknown):
        Offers(store, bytes(32)).verify(make().text.reveal())


async def test_nothing_is_parsed_before_the_signature_was_checked(
    offers: Offers, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = make().text.reveal()
    seen: list[object] = []
    monkeypatch.setattr("oauth.offers.msgspec.json.decode", lambda *given, **_: seen.append(given))

    with pytest.raises(OfferUnknown):
        offers.verify("B" + text[1:])

    assert [] == seen


async def test_a_signature_alone_runs_nothing(offers: Offers, make: Make, store: Store) -> None:
    """Not even ours, for another row: only what the store holds, as it holds it."""
    made = make()
    said = json.loads(base64url.decode(made.text.reveal().split(".")[0]))
    for change in ({"command": "player.stop"}, {"params": {}}, {"uses": 1000}, {"until": "2099-01-01T00:00:00Z"}):
        value = base64url.encode(json.dumps({**said, **change}, separators=(",", ":")).encode())
        with pytest.raises(OfferUnknown):
            offers.verify(signed_by(KEY, b"tollbridge.offer", value))
    for content in (b"{}", b"[]", b"\xff", b'{"id":1}'):  # of another version, perhaps
        with pytest.raises(OfferUnknown):
            offers.verify(signed_by(KEY, b"tollbridge.offer", base64url.encode(content)))
    value = base64url.encode(json.dumps({**said, "id": "0" * 16}).encode())
    with pytest.raises(OfferOver):
        offers.verify(signed_by(KEY, b"tollbridge.offer", value))


async def test_it_ends_when_it_says_and_its_row_goes(
    offers: Offers, make: Make, store: Store, clock: FakeClock, path: Path
) -> None:
    text = make(seconds=60).text.reveal()
    lasting = make(seconds=120)
    await store.commit()
    ended: list[str] = []
    offers.on_ended(ended.append)

    clock.forward(59.9)
    offers.verify(text)
    clock.forward(0.1)
    with pytest.raises(OfferOver):
        await offers.use(text)
    await store.commit()

    assert [lasting.offer] == list(offers.live())
    assert 1 == rows(path) == len(ended)


async def test_what_ended_meanwhile_goes_at_the_next_start(
    make: Make, clock: FakeClock, path: Path, store: Store
) -> None:
    make(seconds=60)
    await store.commit()
    clock.forward(61)

    async with Store.open(path, clock=clock) as again:
        Offers(again, KEY)
        await again.commit()

    assert 0 == rows(path)


async def test_fifty_at_once_use_it_as_often_as_it_says(offers: Offers, make: Make) -> None:
    text = make(uses=7).text.reveal()

    done = await asyncio.gather(*(offers.use(text) for _ in range(50)), return_exceptions=True)

    assert Counter({"Offer": 7, "OfferOver": 43}) == Counter(type(one).__name__ for one in done)


async def test_a_use_is_durable_before_it_is_told(offers: Offers, make: Make, clock: FakeClock, path: Path) -> None:
    text = make(uses=2).text.reveal()
    await offers.use(text)

    async with Store.open(path, clock=clock) as again:
        assert [1] == [offer.used for offer in again.offers()]


async def test_uses_are_counted_across_restarts(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        made = Offers(store, KEY).make("player.play", "player:control", b"{}", uses=2, seconds=HOUR)
        assert made is not None
        await store.commit()
    for _ in range(2):
        async with Store.open(path, clock=clock) as store:
            assert b"{}" == bytes((await Offers(store, KEY).use(made.text.reveal())).params)

    async with Store.open(path, clock=clock) as store:
        with pytest.raises(OfferOver):
            await Offers(store, KEY).use(made.text.reveal())


async def test_a_use_that_cannot_be_written_is_refused_and_not_counted(
    offers: Offers, make: Make, store: Store, path: Path
) -> None:
    text = make().text.reveal()
    await store.commit()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON offers BEGIN SELECT RAISE(ABORT, 'disk full'); END")

    with pytest.raises(StorageFailed):
        await offers.use(text)
    assert 0 == offers.verify(text).used
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DROP TRIGGER full")

    await offers.use(text)
    with pytest.raises(OfferOver):
        await offers.use(text)


async def test_a_use_that_is_given_back_is_there_once_more(offers: Offers, make: Make) -> None:
    made = make()
    await offers.use(made.text.reveal())

    offers.give_back(made.offer.id)
    await offers.use(made.text.reveal())

    with pytest.raises(OfferOver):
        await offers.use(made.text.reveal())
    offers.revoke(made.offer.id)
    offers.give_back(made.offer.id)
    assert () == offers.live()


async def test_a_revoked_one_is_over_at_once_and_for_good(
    offers: Offers, make: Make, store: Store, clock: FakeClock, path: Path
) -> None:
    made = make(uses=9)
    await store.commit()

    assert made.offer == offers.revoke(made.offer.id)
    assert None is offers.revoke(made.offer.id)
    with pytest.raises(OfferOver):
        await offers.use(made.text.reveal())
    await store.commit()

    async with Store.open(path, clock=clock) as again:
        with pytest.raises(OfferOver):
            Offers(again, KEY).verify(made.text.reveal())


async def test_one_that_is_revoked_while_its_use_is_written_does_not_run(offers: Offers, make: Make) -> None:
    made = make()
    using = asyncio.create_task(offers.use(made.text.reveal()))
    await asyncio.sleep(0)

    offers.revoke(made.offer.id)

    with pytest.raises(OfferOver):
        await using


async def test_there_is_a_bound_and_no_living_offer_ends_because_of_another(offers: Offers, make: Make) -> None:
    first, *others = [make() for _ in range(MAX_OFFERS)]
    assert None is offers.make("player.play", "player:control", b"{}", uses=1, seconds=HOUR)
    assert MAX_OFFERS == len(offers.live())

    used_up = others[100]
    await offers.use(used_up.text.reveal())
    newest = make()

    assert {first.offer.id, newest.offer.id} <= {offer.id for offer in offers.live()}
    assert used_up.offer.id not in {offer.id for offer in offers.live()}
    assert None is offers.make("player.play", "player:control", b"{}", uses=1, seconds=HOUR)


async def test_neither_an_offer_nor_what_it_runs_is_shown_by_accident(make: Make) -> None:
    made = make()

    assert "Offer(...)" == repr(made.offer)
    assert made.text.reveal() not in repr(made)


async def test_a_file_from_before_there_were_offers_gets_their_table(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock):
        pass
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DROP TABLE offers")

    async with Store.open(path, clock=clock) as store:
        assert Offers(store, KEY).make("player.play", "player:control", b"{}", uses=1, seconds=HOUR) is not None
        await store.commit()

    assert 1 == rows(path)


async def test_what_runs_is_to_the_letter_what_was_offered(offers: Offers, make: Make) -> None:
    for params in (
        b"{}",
        b'{"a":-0.0,"b":1e2,"c":12345678901234567890123,"d":0.10}',
        rb'{"a":"\u0000\ud83d\ude00\/\"\\ . ,:{}[]","":"\u202e"}',
        '{"é":[[],{},null,true,[1,{"b":[]}]]}'.encode(),
    ):
        assert params == bytes((await offers.use(make(params=params).text.reveal())).params)
        spaced = params.replace(b',"', b' ,\n\t"')
        assert json.loads(params) == json.loads(bytes(make(params=spaced).offer.params))
