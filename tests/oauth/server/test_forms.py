from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.errors import InvalidRequest
from oauth.server.forms import read_form


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8), max_size=8))
def test_fields_are_read_as_browsers_write_them(fields: dict[str, str]) -> None:
    assert read_form(urlencode(fields).encode()).single() == fields


def test_an_empty_field_counts_as_omitted() -> None:
    assert read_form(b"a=&b=1&c").single() == {"b": "1"}


def test_no_body_is_no_field() -> None:
    assert read_form(b"").single() == {}


@pytest.mark.parametrize("body", [b"a=1&a=2", b"a=1&a=1", b"a=&a=1", b"a=1&b=2&a", b"a=1&%61=2"])
def test_a_repeated_field_has_no_value_and_is_refused(body: bytes) -> None:
    form = read_form(body)

    assert "a" not in form.fields
    with pytest.raises(InvalidRequest):
        form.single()


@pytest.mark.parametrize(
    "body",
    [
        b"a=\xff",
        b"a=%ff",
        b"%ff=a",
        b"a=%",
        b"a=%4",
        b"%zz=a",
        b"a=%u0041",
        b"a=%ed%a0%80",
        b"a=%c0%af",
        b"&".join(b"a%d=1" % n for n in range(65)),
        b"&" * 65_535,
        b"a=1&" * 16_000,
    ],
)
def test_what_is_no_small_utf8_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_form(body)
