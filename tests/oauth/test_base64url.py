import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth import base64url


@given(st.binary(max_size=80))
def test_what_is_written_is_read_back(value: bytes) -> None:
    assert base64url.decode(base64url.encode(value)) == value


@given(st.text(max_size=40))
def test_only_the_canonical_text_of_a_value_is_read(text: str) -> None:
    try:
        value = base64url.decode(text)
    except ValueError:
        return

    assert base64url.encode(value) == text


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "+/+/", "Q Q", "QUI\n", "é"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # which one is the library's affair
        base64url.decode(text)
