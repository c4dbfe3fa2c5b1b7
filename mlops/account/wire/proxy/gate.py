"""Whom the proxy lets through, and to what: who has the word that only one command was given, to a name of AWS's."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mlops.account.wire.proxy.issuers import Issuer
from mlops.ir.dataclass import dataclass

_USER = "mlops"
_MOST_NAMES = 512


@dataclass(frozen=True, slots=True)
class Turned:
    """A client that was not let through, or that did not want to be: ``name`` is the host that it asked for."""

    name: str
    why: str


class Gate:
    """``tell`` hears of each name that was not led to, once."""

    def __init__(self, issuer: Issuer, tell: Callable[[Turned], None] = lambda turned: None) -> None:
        self._issuer = issuer
        self._tell = tell
        self._word = secrets.token_urlsafe(24)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._told: set[Turned] = set()
        self._lock = threading.Lock()

    def url(self, port: int) -> str:
        """With the word in it: nobody but the command is to be told of it."""
        return f"http://{_USER}:{self._word}@127.0.0.1:{port}"

    def admits(self, headers: Mapping[str, str]) -> bool:
        kind, _, told = headers.get("proxy-authorization", "").partition(" ")
        wanted = base64.b64encode(f"{_USER}:{self._word}".encode())
        return kind.lower() == "basic" and hmac.compare_digest(told.strip().encode(errors="replace"), wanted)

    def context(self, name: str) -> ssl.SSLContext:
        """What a client of ``name`` is met with."""
        with self._lock:
            found = self._contexts.pop(name, None) or self._made(name)
            while len(self._contexts) >= _MOST_NAMES:
                del self._contexts[next(iter(self._contexts))]  # the one that was wanted longest ago
            self._contexts[name] = found
        return found

    def turn(self, name: str, why: str) -> None:
        turned = Turned(name, why)
        with self._lock:
            if turned in self._told or len(self._told) >= _MOST_NAMES:
                return
            self._told.add(turned)
        self._tell(turned)

    def _made(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with _readable(self._issuer.issue(name) + self._issuer.key) as path:
            context.load_cert_chain(path)
        return context


@contextmanager
def _readable(content: bytes) -> Iterator[str]:
    """A path by which OpenSSL reads what is on no disk; where memory has no names, a file of its owner's for as long as
    that takes."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile(prefix="mlops-") as file:
        file.write(content)
        file.flush()
        yield file.name
