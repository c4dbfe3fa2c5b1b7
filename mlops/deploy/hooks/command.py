"""A program of the project: it gets the facts as variables and as JSON on standard input, and fails by its exit code.

No shell reads its words. What it prints is kept in a file and not in a pipe, which any of its children could hold open;
after its time-out, or when whoever promotes is interrupted, it is killed with all that it started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

from mlops.deploy.hooks import need_known, seconds
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.ir.hook import Around, Facts, HookFailed, HookKind

_LONGEST = 3600.0
_SAID = 300


@dataclass(frozen=True, slots=True)
class Settings:
    words: tuple[str, ...]
    timeout: float


def read(table: Mapping[str, Any]) -> Settings:
    need_known(table, ("command", "timeout"))
    words = table["command"]
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise ValueError('command: give a list of words, for example ["./warm.py", "--all"]; no shell reads them')
    if any("\0" in word for word in words):
        raise ValueError("command: a word cannot hold the character NUL")
    return Settings(tuple(words), seconds(table.get("timeout", 60), _LONGEST))


def call(settings: Settings, facts: Facts, around: Around) -> None:
    told = facts.as_dictionary()
    # A reason may quote what a server printed; no variable can hold a NUL.
    plain = {name: str(value).replace("\0", "") for name, value in told.items() if value is not None}
    variables = {f"MLOPS_HOOK_{name.upper()}": value for name, value in plain.items()}
    program = settings.words[0]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
        given.write(json.dumps(told, ensure_ascii=False).encode())
        given.seek(0)
        try:
            process = subprocess.Popen(
                settings.words,
                stdin=given,
                stdout=printed,
                stderr=subprocess.STDOUT,
                cwd=around.root,
                env={**around.variables, **variables},
                start_new_session=True,
            )
        except OSError as error:
            raise HookFailed(f"{program} cannot be started: {error.strerror or error}") from error
        try:
            code = process.wait(settings.timeout)
        except subprocess.TimeoutExpired:
            raise HookFailed(f"{program} did not end within {settings.timeout:g} s") from None
        finally:
            # Also what it left running.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if code != 0:
            said = _last(printed)
            raise HookFailed(f"{program} ended with {code}{f': {said}' if said else ''}")


def _last(printed: IO[bytes]) -> str:
    """Its last line, without secrets."""
    size = printed.seek(0, os.SEEK_END)
    printed.seek(max(0, size - 10 * _SAID))
    lines = printed.read().decode("utf-8", "replace").split("\n")
    told: str = hide(next((" ".join(line.split()) for line in reversed(lines) if line.strip()), ""))
    return told[:_SAID]


HOOK = HookKind("command", "a program of the project", read, call)
