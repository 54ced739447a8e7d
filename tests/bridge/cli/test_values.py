"""Parameters as they are typed become the JSON that the command's schema asks for."""

import re
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cli.values import NotAParameter, parameters, signature


class _Inner(msgspec.Struct):
    depth: int


class _Everything(msgspec.Struct):
    text: str
    number: float
    whole: int
    yes: bool
    choice: Literal["one", "two"]
    inner: _Inner
    items: list[int]
    maybe_text: str | None = None
    maybe_number: float | None = None


SCHEMA = msgspec.json.schema(_Everything)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("text=hello", "hello"),
        ("text=0.5", "0.5"),
        ("text=true", "true"),
        ("text=", ""),
        ("text=file:///a b?c=d:=e", "file:///a b?c=d:=e"),
        ("text=line\nline", "line\nline"),
        ("number=0.5", 0.5),
        ("number=-3", -3),
        ("number=loud", "loud"),
        ("number=NaN", "NaN"),
        ("whole=7", 7),
        ("yes=true", True),
        ("choice=one", "one"),
        ('inner={"depth":1}', {"depth": 1}),
        ("items=[1,2]", [1, 2]),
        ("maybe_text=null", "null"),
        ("maybe_text:=null", None),
        ("maybe_number=null", None),
        ("maybe_number=1e3", 1000.0),
        ('text:="quoted"', "quoted"),
        ("text:=1", 1),
        ("unheard_of=5", 5),
        ("unheard_of=five", "five"),
    ],
)
def test_a_value_is_a_string_where_the_schema_takes_one_and_else_json(argument: str, value: object) -> None:
    (found,) = parameters([argument], SCHEMA).values()

    assert value == found
    assert type(value) is type(found)


def test_without_a_schema_a_value_is_json_where_it_is_json() -> None:
    assert {"a": 1, "b": "x", "c": "1"} == parameters(["a=1", "b=x", 'c:="1"'], None)


@pytest.mark.parametrize(
    "argument",
    ["volume", "=5", ":=5", "", "two words=1", "a-b=1", "1a=1", "a:=", "a:=NaN", "a:={", "a:=" + "[" * 100_000],
)
def test_what_is_no_parameter_is_said(argument: str) -> None:
    with pytest.raises(NotAParameter):
        parameters([argument], SCHEMA)


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ('a:="\\ud800"', "a string holds half a surrogate pair"),
        ('a:={"b":1,"b":2}', "an object holds a key twice"),
        ("a:=" + "[" * 33 + "]" * 33, "nested more than 32 levels"),
        ("a:=[1e999]", "a number is larger than a double can hold"),
        ("number=1e400", "The number that you gave for number is too large"),
        ("number=-1e400", "too large"),
        ("number:=1e999", "too large"),
        ("whole=" + "9" * 400, "too large"),
        ("whole:=" + "9" * 5000, "too large"),
        ("unheard_of=1e999", "too large"),
        ("a:=NaN", "JSON has neither NaN nor Infinity"),
        ("a:=[NaN]", "JSON has neither NaN nor Infinity"),
    ],
)
def test_what_the_daemon_would_not_take_is_said_at_once(argument: str, why: str) -> None:
    with pytest.raises(NotAParameter, match=re.escape(why)):
        parameters([argument], SCHEMA)


@pytest.mark.parametrize("argument", ["text=1e999", "text=NaN", 'text="\\ud800"'])
def test_a_text_may_look_like_anything(argument: str) -> None:
    assert {"text": argument.removeprefix("text=")} == parameters([argument], SCHEMA)


def test_a_repeated_parameter_is_refused_rather_than_overwritten() -> None:
    with pytest.raises(NotAParameter, match="'a' is given twice"):
        parameters(["a=1", "a:=2"], None)


@given(st.text(), st.sampled_from(sorted(msgspec.structs.asdict(_Everything("", 0, 0, False, "one", _Inner(0), [])))))
def test_every_text_is_some_value(text: str, key: str) -> None:
    assert {key} == parameters([f"{key}={text}"], SCHEMA).keys()


def test_a_signature_shows_types_and_what_may_be_left_out() -> None:
    assert (
        "text=TEXT number=NUMBER whole=INTEGER yes=true|false choice=TEXT inner=JSON items=JSON "
        "[maybe_text=TEXT] [maybe_number=NUMBER]"
    ) == signature(SCHEMA)
