"""Server-sent events come out of lines as soon as they are whole."""

from bridge.cli.sse import Sent, sent


def test_an_event_is_its_id_and_its_data() -> None:
    assert [Sent("a.1", "{}")] == list(sent([b"id: a.1\n", b"data: {}\n", b"\n"]))


def test_comments_and_unknown_fields_are_skipped() -> None:
    assert [Sent(None, "x")] == list(sent([b":\n", b"\n", b": beat\n", b"\n", b"event: e\n", b"data:x\r\n", b"\r\n"]))


def test_a_block_may_move_the_id_alone() -> None:
    assert [Sent("a.9", "")] == list(sent([b"id: a.9\n", b"\n"]))


def test_several_data_lines_are_joined() -> None:
    assert [Sent(None, "a\nb")] == list(sent([b"data: a\n", b"data: b\n", b"\n"]))


def test_a_block_that_was_cut_off_is_not_an_event() -> None:
    assert [] == list(sent([b"id: a.1\n", b"data: {"]))
