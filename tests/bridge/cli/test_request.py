"""A request as a curl line is quoted for a shell and holds all of it."""

import shlex
from pathlib import Path

from bridge.cli.request import SSE, Request, curl_line

SOCKET = Path("/run/user/1000/tollbridge/socket")


def test_a_get_is_the_socket_and_the_address() -> None:
    assert ("curl -sS --unix-socket /run/user/1000/tollbridge/socket http://localhost/v1/status") == curl_line(
        Request("GET", "/v1/status"), SOCKET
    )


def test_a_body_is_one_quoted_word_with_its_media_type() -> None:
    line = curl_line(Request("POST", "/v1/x", body={"a": 'it\'s $HOME `id` "quoted" \\ é'}), SOCKET)

    words = shlex.split(line)
    assert '{"a":"it\'s $HOME `id` \\"quoted\\" \\\\ é"}' == words[words.index("--data-raw") + 1]
    assert "Content-Type: application/json" == words[words.index("-H") + 1]
    assert "-X" not in words  # --data-raw implies POST


def test_a_post_without_a_body_and_a_delete_name_their_method() -> None:
    assert " -X POST " in curl_line(Request("POST", "/v1/x"), SOCKET)
    assert " -X DELETE " in curl_line(Request("DELETE", "/v1/x"), SOCKET)


def test_a_stream_is_not_buffered() -> None:
    line = curl_line(Request("GET", "/v1/events", query={"topics": "a,b"}, headers={"Accept": SSE}), SOCKET)

    assert " -N " in line
    assert "http://localhost/v1/events?topics=a,b" == shlex.split(line)[-1]


def test_a_socket_path_with_spaces_is_quoted() -> None:
    words = shlex.split(curl_line(Request("GET", "/"), Path("/a b/it's")))

    assert "/a b/it's" == words[words.index("--unix-socket") + 1]
