"""Our HTTP parser and the library's take the same bytes for the same messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.account.local.process.router import http1
from mlops.account.local.process.router.engine import fast
from tests.laws import examples

FAST = fast()


class Heard:
    """What a parser tells, with what comes in pieces put together."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.parser: Any = None

    def on_message_begin(self) -> None:
        self.messages.append({"url": b"", "headers": [], "body": b"", "whole": False})

    def on_url(self, url: bytes) -> None:
        self.messages[-1]["url"] += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.messages[-1]["headers"].append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self.messages[-1]["head"] = self._head()

    def on_body(self, body: bytes) -> None:
        self.messages[-1]["body"] += body

    def on_message_complete(self) -> None:
        self.messages[-1]["whole"] = True
        self.messages[-1]["stays"] = self.parser.should_keep_alive()

    def _head(self) -> Any:
        told = [self.parser.get_http_version()]
        return [
            *told,
            self.parser.get_method() if hasattr(self.parser, "get_method") else self.parser.get_status_code(),
        ]


def heard(make: Callable[[Any], Any], malformed: type[Exception], data: bytes, step: int) -> tuple[list[Any], bool]:
    """The whole messages, and whether the bytes were refused."""
    heard = Heard()
    heard.parser = make(heard)
    refused = False
    try:
        for start in range(0, len(data), step):
            heard.parser.feed_data(data[start : start + step])
    except malformed:
        refused = True
    return [message for message in heard.messages if message["whole"]], refused


NAMES = st.sampled_from([b"A", b"x-y", b"Accept", b"Content-Type", b"X_1"])
VALUES = st.sampled_from([b"", b"b", b"a b", b" padded\t", b"text/csv; q=1", b"caf\xc3\xa9", b"a:b"])
ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r"])
BODIES = st.sampled_from([b"", b"x", b"hello", b"x" * 300])


@st.composite
def messages(draw: st.DrawFn, first: list[bytes]) -> bytes:
    """Mostly sound."""
    end = draw(ENDS)
    lines = [draw(st.sampled_from(first))]
    lines += [
        name + draw(st.sampled_from([b":", b": ", b":\t", b" :"])) + draw(VALUES)
        for name in draw(st.lists(NAMES, max_size=3))
    ]
    body = draw(BODIES)
    match draw(st.sampled_from(["none", "length", "length", "chunks", "chunks", "both", "short", "sign"])):
        case "length":
            lines.append(b"Content-Length: %d" % len(body))
        case "chunks":
            lines.append(draw(st.sampled_from([b"Transfer-Encoding: chunked", b"transfer-encoding: gzip, chunked"])))
            pieces = [body] if body else []
            sizes = b"".join(
                draw(st.sampled_from([b"%x\r\n%b\r\n", b"%X;a=b\r\n%b\r\n", b"0%x\r\n%b\r\n"])) % (len(p), p)
                for p in pieces
            )
            body = sizes + b"0\r\n" + draw(st.sampled_from([b"", b"T: v\r\n"])) + b"\r\n"
        case "both":
            lines += [b"Content-Length: 1", b"Transfer-Encoding: chunked"]
        case "short":
            lines += [b"Content-Length: 1", b"Content-Length: 1"]
        case "sign":
            lines.append(b"Content-Length: +1")
        case _:
            body = b""
    lines += draw(st.sampled_from([[], [], [b"Connection: close"], [b"Connection: keep-alive"]]))
    return end.join([*lines, b"", b""]) + body


REQUESTS = [b"POST /a?b HTTP/1.1"] * 6 + [
    b"GET / HTTP/1.0",
    b"POST  / HTTP/1.1",
    b"post / HTTP/1.1",
    b"GET / HTTP/1.1 ",
]
REPLIES = [b"HTTP/1.1 200 OK"] * 6 + [
    b"HTTP/1.0 500 No",
    b"HTTP/1.1 204 None",
    b"HTTP/1.1 200",
    b"HTTP/1.1 2x0 OK",
    b"ICY 200 OK",
]


@pytest.mark.deeper("laws")
@pytest.mark.skipif(FAST is None, reason="httptools is not installed")
@pytest.mark.parametrize("kind", ["request", "reply"])
def test_both_parsers_hear_the_same(kind: str) -> None:
    assert FAST is not None
    theirs = FAST.request_parser if kind == "request" else FAST.reply_parser
    ours: Any = http1.HttpRequestParser if kind == "request" else http1.HttpResponseParser

    @settings(max_examples=examples(120), deadline=None, derandomize=True)
    @given(
        st.lists(messages(REQUESTS if kind == "request" else REPLIES), min_size=1, max_size=3),
        st.sampled_from([1, 7, 10_000]),
    )
    def same(sent: list[bytes], step: int) -> None:
        data = b"".join(sent)
        assert FAST is not None
        expected, refused = heard(theirs, FAST.malformed, data, step)
        found, wrong = heard(ours, http1.ParserError, data, step)
        assert (found, wrong) == (expected, refused), data

    same()


@settings(max_examples=examples(60), deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.sampled_from([1, 5, 200]))
def test_no_bytes_break_the_parser(data: bytes, step: int) -> None:
    heard(http1.HttpRequestParser, http1.ParserError, data, step)
    heard(http1.HttpResponseParser, http1.ParserError, b"HTTP/1.1 200 OK\r\n" + data, step)
