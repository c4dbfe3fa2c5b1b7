"""Who may come in, with what, and for how long: before any page, for all of them.

A request must name this server as its host, so that no other name can be bound to it. It must bring the cookie that the
address printed at the start gives, which no other site can have sent. What changes something must bring a mark that
only our own pages hold, too. Bodies are bounded, and who sends or takes slowly is left.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mlops.ir.dataclass import dataclass

MOST_BODY = 64 * 1024
MOST_PATH = 8 * 1024
MOST_HEAD = 32 * 1024
BODY_SECONDS, TAKING_SECONDS = 10.0, 20.0
LEAVE = "leave"
"""In the state of a request: cuts its connection off, whatever waits to be sent."""
_SAFE = ("GET", "HEAD")
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",  # without one a browser does not say either where a form comes from
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
ENTER = "/enter"
_ENTERING = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">
<link rel="icon" href="/static/icon.svg"><title>mlops console</title><p><a href="/">Go to the console</a></p></html>"""
"""A page and no redirect: a cookie that no other site may send would not be sent where a link of one leads."""


@dataclass(frozen=True, slots=True)
class Keys:
    """``token`` stands in the printed address, ``session`` in the cookie, ``mark`` in forms. Each is told by none of
    the others."""

    token: str
    session: str
    mark: str

    @classmethod
    def fresh(cls) -> Keys:
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))


def cookie_name(port: int) -> str:
    """Browsers hold the cookies of all ports of a machine together."""
    return f"mlops-console-{port}"


class Gate:
    """``hosts`` are the names by which this server may be asked, with their ports. ``user_header`` is the header in
    which a proxy names people; None where no header is believed."""

    def __init__(self, app: ASGIApp, keys: Keys, hosts: frozenset[str], port: int, user_header: str | None) -> None:
        self._app = app
        self._keys = keys
        self._hosts = hosts
        self._cookie = cookie_name(port)
        self._user_header = user_header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        send = _patient(_with_headers(send), scope["state"][LEAVE])
        refusal, body = await self._judged(scope, receive)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        scope["state"] = {**scope.get("state", {}), "form": _form(body), "who": self._who(Headers(scope=scope))}
        await self._app(scope, receive, send)

    async def _judged(self, scope: Scope, receive: Receive) -> tuple[Response | None, bytes]:
        headers, method = Headers(scope=scope), scope["method"]
        if len(headers.getlist("host")) != 1 or headers["host"].lower() not in self._hosts:
            return _refused(421, "this server is not asked by that name"), b""
        if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_PATH:
            return _refused(414, "the address is too long"), b""
        if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > MOST_HEAD:
            return _refused(431, f"more than {MOST_HEAD} bytes of headers are not taken"), b""
        if method not in (*_SAFE, "POST"):
            return _refused(405, "GET, HEAD and POST are answered here"), b""
        if scope["path"].startswith("/static/"):  # what everybody can download of the package
            return None, b""
        if scope["path"] == ENTER and method in _SAFE:
            return self._entered(scope), b""
        if not self._is_known(headers):
            return _refused(403, "open the address that `mlops console` printed: it lets this browser in"), b""
        if self._user_header is not None and self._who(headers) is None:
            return _refused(403, f"the proxy names nobody in {self._user_header}, or several"), b""
        if method in _SAFE:
            return None, b""
        if not _is_own(headers):
            return _refused(403, "another site has sent this"), b""
        try:
            body = await _body(headers, receive)
        except _TooMuchError:
            return _refused(413, f"more than {MOST_BODY} bytes are not taken"), b""
        except TimeoutError:
            return _refused(408, "the request did not come in time"), b""
        if not _same(_form(body).get("mark", ""), self._keys.mark):
            return _refused(403, "this form is not of this console; load the page again"), b""
        return None, body

    def _entered(self, scope: Scope) -> Response:
        given = dict(parse_qsl(scope["query_string"].decode("ascii", "replace"))).get("token", "")
        if not _same(given, self._keys.token):
            return _refused(403, "that is not the token of this console; it prints its address when it starts")
        response = HTMLResponse(_ENTERING)
        response.set_cookie(self._cookie, self._keys.session, httponly=True, samesite="strict", path="/")
        return response

    def _is_known(self, headers: Headers) -> bool:
        found = [
            part.strip().partition("=")[2]
            for line in headers.getlist("cookie")
            for part in line.split(";")
            if part.strip().partition("=")[0] == self._cookie
        ]
        return any(_same(value, self._keys.session) for value in found)

    def _who(self, headers: Headers) -> str | None:
        """Of two, one may be what somebody sent to a proxy that adds its own."""
        named = headers.getlist(self._user_header) if self._user_header is not None else []
        return named[0].strip() or None if len(named) == 1 else None


class _TooMuchError(Exception):
    pass


def _same(given: str, wanted: str) -> bool:
    digests = (hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, wanted))
    return hmac.compare_digest(*digests)


def _is_own(headers: Headers) -> bool:
    """Browsers say from where a form comes; what says nothing is no browser, and has the mark to bring."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != headers["host"].lower():
        return False
    return headers.get("sec-fetch-site", "same-origin") == "same-origin"


async def _body(headers: Headers, receive: Receive) -> bytes:
    told = headers.get("content-length", "0")
    if not told.isdigit() or int(told) > MOST_BODY:
        raise _TooMuchError
    body = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b""
            body += message.get("body", b"")
            if len(body) > MOST_BODY:
                raise _TooMuchError
            if not message.get("more_body", False):
                return bytes(body)


def _form(body: bytes) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        return {}


def _refused(status: int, why: str) -> Response:
    """What was still to come is not waited for."""
    return PlainTextResponse(f"{why}\n", status, {"connection": "close"})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            if "cache-control" not in headers:
                headers["cache-control"] = "no-store"
        await send(message)

    return sending


def _patient(send: Send, leave: Callable[[], None]) -> Send:
    """Whoever takes nothing for a while is left: what waits for him would be held for good."""

    async def sending(message: Any) -> None:
        try:
            async with asyncio.timeout(TAKING_SECONDS):
                await send(message)
        except TimeoutError:  # the answer ends as that to anybody who has gone
            leave()

    return sending
