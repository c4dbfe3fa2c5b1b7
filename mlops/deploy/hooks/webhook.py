"""A POST of the facts as JSON, signed, tried again where that may help.

The address comes from whoever writes ``mlops.toml``, and is called by a machine that reaches more than they do. So it
is resolved here, once, and connected to as it was looked at: addresses of this machine and of private networks only
where ``private = true``, those of the link (where clouds answer with credentials) never. Nothing is redirected, and no
proxy is used.

``X-Mlops-Signature`` is ``t=<seconds since 1970>,v1=<hex>``: HMAC-SHA256, by the secret, of the time, a full stop, and
the body as it was sent.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import random
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mlops.deploy.bounded import TookTooLong, within
from mlops.deploy.hooks import need_known, seconds
from mlops.ir.dataclass import dataclass
from mlops.ir.hook import Around, Facts, HookFailed, HookKind

_LONGEST = 120.0
_MOST_RETRIES = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYS = ("webhook", "secret_env", "timeout", "retries", "private")


@dataclass(frozen=True, slots=True)
class Settings:
    """``url`` is an address, or a variable ``$NAME`` that holds one. ``secret_env`` names the variable that holds the
    secret. ``retries`` come after the first try, each with ``timeout`` seconds."""

    url: str
    secret_env: str | None
    timeout: float
    retries: int
    private: bool


def read(table: Mapping[str, Any]) -> Settings:
    need_known(table, _KEYS)
    url, secret, retries = table["webhook"], table.get("secret_env"), table.get("retries", 3)
    if not isinstance(url, str) or not (url.startswith("$") and _VARIABLE.fullmatch(url[1:])):
        _target(url)
    if secret is not None and not (isinstance(secret, str) and _VARIABLE.fullmatch(secret)):
        raise ValueError("secret_env: give the name of the variable that holds the secret, not the secret")
    if type(retries) is not int or not 0 <= retries <= _MOST_RETRIES:
        raise ValueError(f"retries = {retries!r}: 0 to {_MOST_RETRIES}")
    if type(table.get("private", False)) is not bool:
        raise ValueError("private: true or false")
    timeout = seconds(table.get("timeout", 10), _LONGEST)
    return Settings(url, secret, timeout, retries, table.get("private", False))


def call(settings: Settings, facts: Facts, around: Around) -> None:
    url = settings.url
    if url.startswith("$"):
        url = around.variables.get(url[1:], "")
        if not url:
            raise HookFailed(f"the variable {settings.url[1:]} holds no address")
    secret = None
    if settings.secret_env is not None:
        secret = around.variables.get(settings.secret_env, "")
        if not secret:
            raise HookFailed(f"the variable {settings.secret_env} holds no secret to sign with")
    try:
        target = _target(url)
    except ValueError:
        raise HookFailed("its address is no https:// or http:// URL") from None
    body = json.dumps(facts.as_dictionary(), ensure_ascii=False, sort_keys=True).encode()
    why = ""
    for attempt in range(settings.retries + 1):
        if attempt:
            # Full jitter: who failed together does not come again together.
            longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
            around.sleep(random.uniform(0, longest))  # noqa: S311 - no secret depends on it
        headers = {"Content-Type": "application/json", "Idempotency-Key": facts.key}
        if secret is not None:
            headers["X-Mlops-Signature"] = signature(secret, round(around.now()), body)
        try:
            status = within(settings.timeout, lambda: _post(target, body, headers, settings))  # noqa: B023
        except (OSError, http.client.HTTPException, TookTooLong) as error:
            why = "it takes too long" if isinstance(error, TookTooLong | TimeoutError) else "it does not answer"
            continue
        if 200 <= status < 300:
            return
        why = f"it answered {status}"
        if status not in _AGAIN:
            break
    raise HookFailed(why)


def signature(secret: str, at: int, body: bytes) -> str:
    told = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={told}"


@dataclass(frozen=True, slots=True)
class _Target:
    tls: bool
    host: str
    port: int
    path: str


def _target(url: Any) -> _Target:
    """Raises ValueError."""
    said = "webhook: give an https:// or http:// address, or the name of a variable that holds it, as $NAME"
    if not isinstance(url, str) or any(letter <= " " or letter == "\x7f" for letter in url):
        raise ValueError(said)
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
        raise ValueError(said)
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(tls, parts.hostname, parts.port or (443 if tls else 80), path)


def is_allowed(address: str, private: bool) -> bool:
    """
    >>> [is_allowed(item, True) for item in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:169.254.169.254")]
    [True, True, False, False]
    >>> [is_allowed(item, False) for item in ("10.0.0.1", "127.0.0.1", "93.184.216.34", "fd00:ec2::254")]
    [False, False, True, False]
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        found = mapped or found
    if found.is_link_local or found.is_multicast or found.is_unspecified or str(found) == "fd00:ec2::254":
        return False
    return private or found.is_global


def _post(target: _Target, body: bytes, headers: Mapping[str, str], settings: Settings) -> int:
    """The status. Raises OSError and HookFailed."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    allowed = [item for item in found if is_allowed(str(item[4][0]), settings.private)]
    if not allowed:
        hint = "" if settings.private else "; `private = true` lets it"
        raise HookFailed(f"its address is of this machine or of a private network{hint}")
    family, kind, protocol, _, address = allowed[0]
    with socket.socket(family, kind, protocol) as plain:
        plain.settimeout(settings.timeout)
        plain.connect(address)
        connection = http.client.HTTPConnection(target.host, target.port, timeout=settings.timeout)
        connection.sock = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=target.host) if target.tls else plain
        )
        try:
            connection.request("POST", target.path, body, dict(headers))
            return connection.getresponse().status
        finally:
            connection.close()


HOOK = HookKind("webhook", "a POST of JSON, signed", read, call)
