"""The chain: whatever is changed in it, `verify` names the first record that does not hold."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audit.record import START, Broken, Link, Mark, chain, printable, seal, verify
from bridge.errors import InvalidParams

pytestmark = pytest.mark.broad

KEY = bytes(range(32))
UNHURRIED = settings(deadline=None)
"""A shared machine may stand still for a moment; what is tested is the answer."""
CONTENTS = st.lists(st.binary(max_size=40), min_size=1, max_size=12)


def chained(contents: list[bytes], after: Mark = START, key: bytes = KEY) -> list[Link]:
    links, last = [], after
    for content in contents:
        last = chain(key, last, content)
        links.append(Link(last.index, content, last.mac))
    return links


def head_of(links: list[Link]) -> Mark:
    return Mark(links[-1].index, links[-1].mac)


def found(links: list[Link], head: Mark, *, anchor: Mark = START, noted: tuple[Mark, ...] = ()) -> Broken | None:
    return verify(KEY, links, anchor=anchor, head=head, noted=noted)


def index_of(broken: Broken | None) -> int | None:
    return None if broken is None else broken.index


@UNHURRIED
@given(CONTENTS, st.integers(0, 10**12))
def test_an_untouched_chain_is_intact_wherever_it_begins(contents: list[bytes], start: int) -> None:
    anchor = Mark(start, b"\7" * 32)
    links = chained(contents, anchor)

    assert found(links, head_of(links), anchor=anchor) is None


@UNHURRIED
@given(CONTENTS, st.data())
def test_a_deleted_record_is_named(contents: list[bytes], data: st.DataObject) -> None:
    links = chained(contents)
    gone = data.draw(st.integers(0, len(links) - 1))

    assert gone + 1 == index_of(found(links[:gone] + links[gone + 1 :], head_of(links)))


@UNHURRIED
@given(CONTENTS, st.data())
def test_deleting_and_renumbering_is_seen_where_it_was_done(contents: list[bytes], data: st.DataObject) -> None:
    links = chained(contents)
    gone = data.draw(st.integers(0, len(links) - 1))
    moved = [msgspec.structs.replace(link, index=link.index - 1) for link in links[gone + 1 :]]

    assert gone + 1 == index_of(found(links[:gone] + moved, head_of(links)))


@UNHURRIED
@given(CONTENTS, st.binary(max_size=40), st.data())
def test_an_altered_record_is_named(contents: list[bytes], other: bytes, data: st.DataObject) -> None:
    links = chained(contents)
    place = data.draw(st.integers(0, len(links) - 1))
    if other == links[place].content:
        other += b"!"
    links[place] = msgspec.structs.replace(links[place], content=other)

    assert place + 1 == index_of(found(links, head_of(links)))


@UNHURRIED
@given(CONTENTS, st.data())
def test_an_altered_mac_is_named(contents: list[bytes], data: st.DataObject) -> None:
    links = chained(contents)
    head = head_of(links)
    place = data.draw(st.integers(0, len(links) - 1))
    bit = data.draw(st.integers(0, 255))
    mac = (int.from_bytes(links[place].mac) ^ 1 << bit).to_bytes(32)
    links[place] = msgspec.structs.replace(links[place], mac=mac)

    assert place + 1 == index_of(found(links, head))


@UNHURRIED
@given(st.lists(st.binary(max_size=40), min_size=2, max_size=12, unique=True), st.data())
def test_two_swapped_records_are_seen_at_the_first(contents: list[bytes], data: st.DataObject) -> None:
    links = chained(contents)
    head = head_of(links)
    one, two = sorted(data.draw(st.lists(st.integers(0, len(links) - 1), min_size=2, max_size=2, unique=True)))
    links[one], links[two] = (
        msgspec.structs.replace(links[two], index=one + 1),
        msgspec.structs.replace(links[one], index=two + 1),
    )

    assert one + 1 == index_of(found(links, head))


@UNHURRIED
@given(CONTENTS, st.binary(max_size=40), st.data())
def test_an_inserted_record_is_named(contents: list[bytes], other: bytes, data: st.DataObject) -> None:
    links = chained(contents)
    head = head_of(links)
    place = data.draw(st.integers(0, len(links) - 1))
    before = START if place == 0 else head_of(links[:place])
    forged = chained([other], before, key=b"not the key")
    later = [msgspec.structs.replace(link, index=link.index + 1) for link in links[place:]]

    assert place + 1 == index_of(found(links[:place] + forged + later, head))


@UNHURRIED
@given(CONTENTS, st.data())
def test_a_truncated_chain_names_the_first_record_that_is_gone(contents: list[bytes], data: st.DataObject) -> None:
    links = chained(contents)
    left = data.draw(st.integers(0, len(links) - 1))

    assert left + 1 == index_of(found(links[:left], head_of(links)))


@UNHURRIED
@given(CONTENTS, CONTENTS)
def test_an_extended_chain_names_the_first_record_that_was_added(contents: list[bytes], more: list[bytes]) -> None:
    links = chained(contents)
    forged = chained(more, head_of(links), key=b"not the key")

    assert len(links) + 1 == index_of(found(links + forged, head_of(links)))


@UNHURRIED
@given(CONTENTS, CONTENTS)
def test_records_behind_the_head_are_not_believed_whatever_their_mac(contents: list[bytes], more: list[bytes]) -> None:
    links = chained(contents)

    assert len(links) + 1 == index_of(found(links + chained(more, head_of(links)), head_of(links)))


@UNHURRIED
@given(CONTENTS)
def test_a_chain_that_leads_to_another_head_is_not_believed(contents: list[bytes]) -> None:
    links = chained(contents)

    assert len(links) == index_of(found(links, Mark(len(links), b"\1" * 32)))


@UNHURRIED
@given(CONTENTS, st.data())
def test_every_earlier_head_is_still_in_the_chain(contents: list[bytes], data: st.DataObject) -> None:
    links = chained(contents)
    noted = tuple(head_of(links[: place + 1]) for place in data.draw(st.lists(st.integers(0, len(links) - 1))))

    assert found(links, head_of(links), noted=noted) is None


@UNHURRIED
@given(CONTENTS, CONTENTS, st.data())
def test_an_older_file_in_its_place_is_seen_by_a_noted_head(
    contents: list[bytes], later: list[bytes], data: st.DataObject
) -> None:
    links = chained(contents + later)
    old = chained(contents)
    noted = head_of(links[: len(old) + data.draw(st.integers(1, len(later)))])

    assert found(old, head_of(old)) is None
    assert len(old) + 1 == index_of(found(old, head_of(old), noted=(noted,)))


@UNHURRIED
@given(CONTENTS, st.data())
def test_another_history_is_seen_by_a_noted_head(contents: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(contents)))
    noted = head_of(chained([b"what was", *contents])[:place])
    links = chained([b"what is told", *contents])

    assert place == index_of(found(links, head_of(links), noted=(noted,)))


def test_an_empty_chain_is_intact_and_one_that_lost_all_is_not() -> None:
    assert found([], START) is None
    assert 1 == index_of(found([], Mark(3, b"\1" * 32)))


def test_anchor_and_head_cannot_be_put_in_each_others_place() -> None:
    mark = Mark(7, b"\1" * 32)

    assert seal(KEY, "anchor", mark) != seal(KEY, "head", mark)
    assert seal(KEY, "head", mark) != seal(KEY, "head", Mark(8, mark.mac))


@UNHURRIED
@given(st.builds(Mark, st.integers(0, 10**17), st.binary(min_size=32, max_size=32)))
def test_a_noted_head_is_read_as_it_was_printed(mark: Mark) -> None:
    assert mark == Mark.parse(str(mark))
    assert mark == Mark.parse(f" {mark}\n")


@pytest.mark.parametrize(
    "text",
    ["", ":", "7", "7:", "x:" + "0" * 64, "7:" + "0" * 63, "-7:" + "0" * 64, "7:" + "g" * 64, "\u0667:" + "0" * 64],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(InvalidParams):
        Mark.parse(text)


@UNHURRIED
@given(st.text(max_size=300))
def test_names_are_visible_ascii_of_bounded_length(text: str) -> None:
    shown = printable(text)

    assert shown.isascii()
    assert shown.isprintable()
    assert 200 >= len(shown)


def test_an_ordinary_name_stays_as_it_is() -> None:
    assert "https://app.example:8443" == printable("https://app.example:8443")
    assert "a" * 200 == printable("a" * 5000)
    assert r"https://b\xfccher.example?x" == printable("https://bücher.example\nx")
