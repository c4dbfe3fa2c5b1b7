"""What carries the router: asyncio with our parser, or uvloop with httptools (the extra ``serve``)."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from mlops.account.local.process.router import http1
from mlops.ir.dataclass import dataclass

T = TypeVar("T")
_TURN_SECONDS = 0.0002
"""So long a thread that writes records or pairs may keep the interpreter from the loop that serves. With Python's own
5 ms the slowest hundredth of requests takes some percent longer (``benchmarks/capture.py``)."""


class RequestParser(Protocol):
    def feed_data(self, data: bytes) -> None: ...
    def should_keep_alive(self) -> bool: ...
    def get_http_version(self) -> str: ...
    def get_method(self) -> bytes: ...


class ReplyParser(Protocol):
    def feed_data(self, data: bytes) -> None: ...
    def should_keep_alive(self) -> bool: ...
    def get_status_code(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """``malformed`` and ``upgrade`` are what the parsers raise: not HTTP; a wish for another protocol, with the place
    behind it as its argument."""

    name: str
    loop: Callable[[], asyncio.AbstractEventLoop]
    request_parser: Callable[[Any], RequestParser]
    reply_parser: Callable[[Any], ReplyParser]
    malformed: type[Exception]
    upgrade: type[Exception] | tuple[type[Exception], ...] = ()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        before = sys.getswitchinterval()
        sys.setswitchinterval(_TURN_SECONDS)
        try:
            with asyncio.Runner(loop_factory=self.loop) as runner:
                return runner.run(work)
        finally:
            sys.setswitchinterval(before)


def plain() -> Engine:
    return Engine("plain", asyncio.new_event_loop, http1.HttpRequestParser, http1.HttpResponseParser, http1.ParserError)


def fast() -> Engine | None:
    """None where the extra is not installed."""
    try:
        httptools, uvloop = importlib.import_module("httptools"), importlib.import_module("uvloop")
    except ImportError:
        return None
    return Engine(
        "fast",
        uvloop.new_event_loop,
        httptools.HttpRequestParser,
        httptools.HttpResponseParser,
        httptools.HttpParserError,
        httptools.HttpParserUpgrade,
    )


def best() -> Engine:
    return fast() or plain()
