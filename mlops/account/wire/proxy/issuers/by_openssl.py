"""By the program ``openssl``, where the library is not installed: keys go to it and come from it through pipes."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

from mlops.account.wire.proxy.issuers import SUBJECT, Issuer, Terms, serial
from mlops.ir import UsageError

_SECONDS = 30
_CONFIGURATION = "[req]\ndistinguished_name=name\nprompt=no\n[name]\nCN={subject}\n[authority]\n{extensions}\n"
_AUTHORITY = """\
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
nameConstraints=critical,{below}
"""
_HOST = """\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=DNS:{name}
"""


def made(terms: Terms) -> Issuer | None:
    program = shutil.which("openssl")
    return None if program is None else _Program(Path(program), terms)


class _Program:
    """It tells times in whole days from now alone: a clock that is behind by some minutes finds none of these."""

    def __init__(self, program: Path, terms: Terms) -> None:
        self._program = program
        self._days = str(max(1, (terms.ends - terms.begins).days))
        self._authority_key = self._new_key()
        self.key = self._new_key()
        extensions = _AUTHORITY.format(below=",".join(f"permitted;DNS:{name}" for name in terms.below))
        plain = _CONFIGURATION.format(subject="a host", extensions="").encode()
        self.authority = self._run(
            *("req", "-x509", "-new", "-sha256", "-days", self._days, "-set_serial", str(serial())),
            *("-key", "{key}", "-config", "{configuration}", "-extensions", "authority"),
            key=self._authority_key,
            configuration=_CONFIGURATION.format(subject=SUBJECT, extensions=extensions).encode(),
        )
        self._request = self._run("req", "-new", "-key", "{key}", "-config", "{plain}", key=self.key, plain=plain)

    def issue(self, name: str) -> bytes:
        return self._run(
            *("x509", "-req", "-sha256", "-days", self._days, "-set_serial", str(serial()), "-in", "{request}"),
            *("-CA", "{authority}", "-CAkey", "{key}", "-extfile", "{extensions}"),
            request=self._request,
            authority=self.authority,
            key=self._authority_key,
            extensions=_HOST.format(name=name).encode(),
        )

    def _new_key(self) -> bytes:
        return self._run("ecparam", "-name", "prime256v1", "-genkey", "-noout")

    def _run(self, *words: str, **read: bytes) -> bytes:
        """What it prints. ``{name}`` in a word is where it reads what is given under that name."""
        with ExitStack() as opened:
            ends = {name: _pipe(content, opened) for name, content in read.items()}
            places = {name: f"/dev/fd/{end}" for name, end in ends.items()}
            try:
                told = subprocess.run(
                    [str(self._program), *(word.format(**places) for word in words)],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    pass_fds=[*ends.values()],
                    timeout=_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise self._makes_none(f"it took longer than {_SECONDS} seconds") from None
            except OSError as error:
                raise self._makes_none(f"it cannot be started: {error.strerror}") from None
        if told.returncode != 0 or b"-----BEGIN" not in told.stdout:
            said = told.stderr.decode(errors="replace").strip().splitlines()
            raise self._makes_none(said[-1] if said else f"it ended with {told.returncode}")
        return told.stdout

    def _makes_none(self, why: str) -> UsageError:
        return UsageError(
            f"{self._program} makes no certificate: {why}",
            hint="`pip install '.[proxy]'` in a checkout does without it",
        )


def _pipe(content: bytes, opened: ExitStack) -> int:
    """The end where ``content``, which is shorter than a pipe holds, can be read."""
    reading, writing = os.pipe()
    opened.callback(os.close, reading)
    with open(writing, "wb") as file:  # noqa: PTH123  # a descriptor is no path
        file.write(content)
    return reading
