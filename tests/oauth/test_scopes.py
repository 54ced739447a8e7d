import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.errors import InvalidScope
from oauth.scopes import format_scopes, parse_scopes

SCOPE = st.text(st.sampled_from("!#[]~azAZ09:._-"), min_size=1, max_size=12)


@given(st.frozensets(SCOPE, min_size=1, max_size=8))
def test_scopes_survive_being_written(scopes: frozenset[str]) -> None:
    assert parse_scopes(format_scopes(scopes)) == scopes


def test_scopes_are_written_in_one_order() -> None:
    assert format_scopes({"b", "a"}) == "a b"


@pytest.mark.parametrize("text", ["", " ", "a  b", " a", "a ", 'a"b', "a\\b", "a\tb", "a\n", "ä", "a" * 2049])
def test_what_rfc_6749_does_not_allow_is_refused(text: str) -> None:
    with pytest.raises(InvalidScope):
        parse_scopes(text)
