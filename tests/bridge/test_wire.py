"""Strict JSON: what is read, what is refused, that both are exactly a plain reference's, and that nothing is quoted."""

import re
import time

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import InvalidParams, MalformedRequest
from bridge.front.policy import BODY_BYTES
from bridge.wire import DEPTH, read_json_as, strict

CANARY = "canary"
SECONDS = 1.0
"""A body of 64 KiB takes some ms at most; what grows with its square takes far over this."""


class Part(msgspec.Struct, forbid_unknown_fields=True):
    number: int = 0


class Params(msgspec.Struct, forbid_unknown_fields=True):
    volume: float = 0.0
    name: str = ""
    part: Part | None = None
    rest: msgspec.Raw = msgspec.Raw(b"null")


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b' {"a" : [1, -0, 2.5e-3, true, false, null]}\r\n\t',
        b'"\\ud83d\\ude00"',
        '"😀 \u0080 \uffff"'.encode(),
        b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
        b'{"a":"a","b":"a"}',
        b'{"a":"\\"a\\":","\\u0062":"b"}',
        b'{"a\\\\":1,"a":2}',
        b'"NaN Infinity 1e999 [[[[ \\\\ud800"',
        b"1.7976931348623157e308",
        b"1e-999",
        b"1" * 308,
        b"[" * DEPTH + b"]" * DEPTH,
        b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
        b"[" + b"[],{}," * 100 + b"1]",
        b'["' + b"[" * 100 + b'"]',
        b'["\\"' + b"{" * 100 + b'"]',
        b'["\\u0041",' + b"[],{}," * 100 + b'{"a":{"a":1}}]',
    ],
)
def test_strict_json_is_read_as_it_came(content: bytes) -> None:
    assert content == bytes(strict(content))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"a":1,"a":1}', "an object holds a key twice (byte 7)"),
        (b'{"a":1,"\\u0061":1}', "an object holds a key twice (byte 7)"),
        (b'[0,{"b":[{"a":1,"b":2, "a" :3}]}]', "an object holds a key twice (byte 23)"),
        ('{"ü":1,"ü":1}'.encode(), "an object holds a key twice (byte 8)"),
        (b'{"":1,"":1}', "an object holds a key twice (byte 6)"),
        (b'{"a":NaN}', "JSON has neither NaN nor Infinity (byte 5)"),
        (b"[Infinity]", "JSON has neither NaN nor Infinity (byte 1)"),
        (b"-Infinity", "JSON has neither NaN nor Infinity (byte 0)"),
        (b'{"a":1e999}', "a number is larger than a double can hold (byte 5)"),
        (b"-1.8e308", "a number is larger than a double can hold (byte 0)"),
        (b"1" * 400, "a number is larger than a double can hold (byte 0)"),
        (b"1" * 5000, "a number is larger than a double can hold (byte 0)"),
        (b'["\\ud800"]', "a string holds half a surrogate pair (byte 1)"),
        (b'{"\\uDFFF":1}', "a string holds half a surrogate pair (byte 1)"),
        (b'"\\ude00\\ud83d"', "a string holds half a surrogate pair (byte 0)"),
        (b'"\\ud83d\\ud83d\\ude00"', "a string holds half a surrogate pair (byte 0)"),
        (b"[" * 33 + b"]" * 33, "the JSON is nested more than 32 levels deep (byte 32)"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "the JSON is nested more than 32 levels deep (byte 160)"),
        (b'["' + b"]" * 50 + b'",' + b"[" * 32 + b"]" * 33, "the JSON is nested more than 32 levels deep (byte 85)"),
        (b"[" * 5000, "the JSON is nested more than 32 levels deep (byte 32)"),
        (b'"\xff"', "the JSON is not UTF-8 (byte 1)"),
        (b'"\xed\xa0\x80"', "the JSON is not UTF-8 (byte 1)"),
        (b'"\xc0\xaf"', "the JSON is not UTF-8 (byte 1)"),
        ('{"a":1}'.encode("utf-16"), "the JSON is not UTF-8 (byte 0)"),
        (b"\xef\xbb\xbf{}", "this is not JSON (byte 0)"),
        (b"", "this is not JSON (byte 0)"),
        (b"{} {}", "this is not JSON (byte 3)"),
        ('"ü" x'.encode(), "this is not JSON (byte 5)"),
        (b'{"a":1,}', "this is not JSON (byte 7)"),
        (b"[1,]", "this is not JSON (byte 3)"),
        (b"{'a':1}", "this is not JSON (byte 1)"),
        (b'"a\nb"', "this is not JSON (byte 2)"),
        (b'"a\x00b"', "this is not JSON (byte 2)"),
        (b'"\\x41"', "this is not JSON (byte 1)"),
        (b"01", "this is not JSON (byte 1)"),
        (b"+1", "this is not JSON (byte 0)"),
        (b"[1 /* one */]", "this is not JSON (byte 3)"),
        (b"\xc2\xa0{}", "this is not JSON (byte 0)"),
    ],
)
def test_everything_else_is_refused_with_its_place(content: bytes, sentence: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        strict(content)

    assert (400, "malformed_request", sentence, "$") == (
        caught.value.status,
        caught.value.code,
        caught.value.detail,
        caught.value.path,
    )


def test_what_a_type_would_leave_raw_is_read_as_strictly() -> None:
    for content in (b'{"rest":{"a":1,"a":2}}', b'{"rest":"\xff"}', b'{"rest":1e999}', b'{"name":"a","name":"b"}'):
        with pytest.raises(MalformedRequest):
            read_json_as(content, Params)


def test_a_part_of_what_was_checked_is_not_checked_again() -> None:
    part = msgspec.Raw(b'{"name":"a","name":"b"}')  # nobody outside can make one: `strict` and a Struct do

    assert "b" == read_json_as(part, Params).name


def test_text_is_read_like_bytes() -> None:
    assert "ü" == read_json_as('{"name":"ü"}', Params).name
    with pytest.raises(MalformedRequest, match="not UTF-8"):
        read_json_as('{"name":"\ud800"}', Params)


@pytest.mark.parametrize(
    ("content", "sentence", "path"),
    [
        ('{"volume":"canary"}', "Expected `float`, got `str`", "$.volume"),
        ('{"part":{"number":"canary"}}', "Expected `int`, got `str`", "$.part.number"),
        ('{"canary":1}', "Object contains an unknown field", "$"),
        ('{"part":{"canary":1}}', "Object contains an unknown field", "$.part"),
        ('{"x` - at `$.canary":1}', "Object contains an unknown field", "$"),
        ('{"x\\u0060 - at \\u0060$.canary":1}', "Object contains an unknown field", "$"),
        ('["canary"]', "Expected `object`, got `array`", "$"),
    ],
)
def test_json_that_does_not_fit_is_told_by_its_declared_path(content: str, sentence: str, path: str) -> None:
    for given_as in (content, content.encode(), msgspec.Raw(content.encode())):
        with pytest.raises(InvalidParams) as caught:
            read_json_as(given_as, Params)

        assert (sentence, path) == (caught.value.detail, caught.value.path)


@pytest.mark.parametrize(
    "content",
    [
        '{"canary":1,"canary":1}',
        '["canary\\ud800"]',
        '{"canary":canary}',
        '"canary',
        '{"canary":[NaN]}',
        '{"canary":1e999}',
        "[" * 40 + '"canary',
        '"canary\\q"',
        '"\\ucanary"',
        "canary",
    ],
)
def test_no_fault_quotes_what_was_sent(content: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        read_json_as(content.encode(), Params)

    assert CANARY not in f"{caught.value.detail} {caught.value.path}"


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "{",
        '{"a":',
        "[],",
        '"\\ud800',
        '"\\ud800",',
        "1",
        "1,",
        "1.5,",
        '"a":1,',
        '"',
        "\\",
        " ",
        '"\\u0061":',
        "-",
        "[[],",
    ],
)
@pytest.mark.parametrize("opening", ["", "[", "{", '"', '{"a":'])
def test_no_body_takes_more_than_its_length_in_time(opening: str, unit: str) -> None:
    content = (opening + unit * BODY_BYTES)[:BODY_BYTES].encode()
    begun = time.perf_counter()

    with pytest.raises(MalformedRequest):
        strict(content)

    assert time.perf_counter() - begun < SECONDS


@pytest.mark.parametrize("twice", [True, False])
def test_16000_keys_take_no_longer(twice: bool) -> None:
    keys = [f'"{number:x}":1' for number in range(16_000)] + ['"0":1'] * twice
    content = f"{{{','.join(keys)}}}".encode()
    begun = time.perf_counter()

    if twice:
        with pytest.raises(MalformedRequest):
            strict(content)
    else:
        strict(content)

    assert time.perf_counter() - begun < SECONDS


# The reference: RFC 8259 section 2 written down as a recogniser, with our own limits, and no thought for speed.
_SPACE = re.compile(r"[ \t\n\r]*", re.ASCII)
_LITERAL = re.compile(r"true|false|null", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_UNIT = re.compile(r'\\u([0-9A-Fa-f]{4})|\\(["\\/bfnrt])|([^"\\\x00-\x1f])', re.ASCII)
_SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Reference:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def accepts(self) -> bool:
        try:
            self.value(0)
            self.take(_SPACE)
        except ValueError:
            return False
        return self.at == len(self.text)

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError
        self.at = match.end()
        return match[0]

    def sees(self, mark: str) -> bool:
        self.take(_SPACE)
        found = self.text.startswith(mark, self.at)
        self.at += found
        return found

    def value(self, depth: int) -> None:
        if self.sees('"'):
            self.string()
        elif self.sees("["):
            self.members("]", depth + 1, None)
        elif self.sees("{"):
            self.members("}", depth + 1, set())
        elif _LITERAL.match(self.text, self.at):
            self.take(_LITERAL)
        elif abs(float(self.take(_NUMBER))) == float("inf"):
            raise ValueError

    def members(self, end: str, depth: int, keys: set[str] | None) -> None:
        if depth > 32:
            raise ValueError
        if self.sees(end):
            return
        while True:
            if keys is not None:
                self.key(keys)
            self.value(depth)
            if self.sees(end):
                return
            if not self.sees(","):
                raise ValueError

    def key(self, keys: set[str]) -> None:
        if not self.sees('"'):
            raise ValueError
        name = self.string()
        if name in keys or not self.sees(":"):
            raise ValueError
        keys.add(name)

    def string(self) -> str:
        units = ""
        while not self.text.startswith('"', self.at):
            match = _UNIT.match(self.text, self.at)
            if match is None:
                raise ValueError
            self.at = match.end()
            units += chr(int(match[1], 16)) if match[1] else _SHORT[match[2]] if match[2] else match[3]
        self.at += 1
        return units.encode("utf-16", "surrogatepass").decode("utf-16")  # joins pairs, and fails at a half


def is_strict(content: bytes) -> bool:
    try:
        return Reference(content.decode()).accepts()
    except UnicodeDecodeError:
        return False


_NAMES = st.sampled_from(['"a"', '"b"', '"\\u0061"', '"\\u00e9"', '"é"', '"a "', '""'])
_STRINGS = st.lists(
    st.sampled_from(
        [
            "a",
            "é",
            "😀",
            "[",
            "{",
            "\\\\",
            '\\"',
            "\\n",
            "\\u0041",
            "\\ud83d\\ude00",
            "\\ud83d",
            "\\ude00",
            "\x1f",
            "\\x",
            "NaN",
        ]
    ),
    max_size=5,
).map(lambda units: f'"{"".join(units)}"')
_NUMBERS = ("1", "-0", "0.5", "1e308", "1e309", "-1e999", "1e-999", "01", "1.", ".5", "-", "+1", "0x1")
_WORDS = ("true", "null", "tru", "nan", "NaN", "Infinity", "-Infinity")
_SCALARS = st.sampled_from(_NUMBERS + _WORDS)
_GAPS = st.sampled_from(["", " ", "\n\t", "\r", "\x0b", "\u00a0"])


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.tuples(_NAMES, _GAPS, inner).map(lambda member: f"{member[0]}{member[1]}:{member[2]}")
    return st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]"),
        st.lists(members, max_size=4).map(lambda items: f"{{{','.join(items)}}}"),
        st.tuples(inner, st.integers(1, 33)).map(lambda wrapped: "[" * wrapped[1] + wrapped[0] + "]" * wrapped[1]),
        st.tuples(_GAPS, inner, _GAPS).map("".join),
    )


_NEARLY = st.recursive(_STRINGS | _SCALARS, _containers, max_leaves=12)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    content = draw(_NEARLY).encode()
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(content)))
        piece = draw(
            st.sampled_from(
                [b"", b'"', b"\\", b",", b":", b"[", b"]", b"{", b"}", b"0", b"\xff", b"\xed\xa0\x80", b"\x00"]
            )
        )
        content = content[:at] + piece + content[at + draw(st.integers(0, 1)) :]
    return content


@given(st.one_of(_NEARLY.map(str.encode), _damaged(), st.binary(max_size=12)))
@example(b"\xef\xbb\xbf1")
@example(b'{"a":1,"a":"')
@example(b'["\\ud800","')
def test_exactly_what_the_reference_accepts_is_read(content: bytes) -> None:
    try:
        strict(content)
    except MalformedRequest as refused:
        assert not is_strict(content)
        assert re.fullmatch(r"[a-zA-Z0-9 -]+ \(byte \d+\)", refused.detail)  # noqa: PT017  # the other half of the same rule
    else:
        assert is_strict(content)
        msgspec.json.decode(content)  # what we let on, the typed reader can read as well
