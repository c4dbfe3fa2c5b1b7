"""A page that somebody follows: the files that it gives, and what is typed in one terminal or two, in their order.

A file is a fence below a line that is its name alone, in bold code. What is typed stands behind ``$`` in fences of the
kind ``console``, with what it prints below; a line ``…`` stands for any lines, and within a line for any text. A fence
below ``<!-- second terminal -->`` goes on in the background until one below ``<!-- second terminal: Ctrl-C -->``, which
has what was printed meanwhile.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PIECE = re.compile(
    r"(?:^\*\*`(?P<file>[^`\n]+)`\*\*\n\n(?:<!-- fails: [^\n]*-->\n\n)?"
    r"|^<!-- second terminal(?P<ends>: Ctrl-C)?(?P<second>) -->\n\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PATIENCE = 300.0
_VARYING = (
    (re.compile(r"\b(?=[a-z]*\d)[a-z0-9]{10,12}\b"), "ID"),
    (re.compile(r"\d+(?:[.,]\d+)*"), "0"),
    (re.compile(r"\b0 requests?\b"), "0 requests"),
    (re.compile(r" {2,}"), " "),
)


@dataclass(frozen=True, slots=True)
class File:
    """``name`` is relative to where the terminal is."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command, and what the page shows of what it prints: nothing where it shows nothing."""

    command: str
    shown: Sequence[str]


@dataclass(frozen=True, slots=True)
class Begun:
    """In the second terminal."""

    command: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The second terminal."""

    shown: Sequence[str]


Piece = File | Typed | Begun | Interrupted


def pieces(page: str) -> Iterator[Piece]:
    for found in _PIECE.finditer(page):
        text = found["text"]
        if found["file"]:
            yield File(found["file"], text)
        elif found["language"] == "console" and found["second"] is None:
            yield from _typed(text)
        elif found["ends"]:
            yield Interrupted(text.splitlines())
        elif found["language"] == "console":
            yield Begun(text.removeprefix("$ ").strip())


def _typed(text: str) -> Iterator[Typed]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield Typed(command, shown)


def is_shown(shown: Sequence[str], printed: str) -> bool:
    """Is what was printed what the page shows? Numbers (and the one request of which a page shows several), ids and
    widths of columns may be others.

    >>> is_shown(["took 1.5 s", "…"], "took 20.25 s\\nand more\\n"), is_shown(["took 1.5 s"], "took 1 s\\nand more\\n")
    (True, False)
    >>> is_shown(["3 of 4 requests"], "1 of 1 request\\n")
    True
    """
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, _plain(line).split("…"))) + r"\n" for line in shown
    )
    lines = [_plain(line) for line in printed.splitlines()]
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def _plain(line: str) -> str:
    for varying, stands in _VARYING:
        line = varying.sub(stands, line)
    return line.rstrip()


class Terminal:
    """A shell that goes on from command to command, as a person's does; to be entered."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self.folder = folder
        self._marks = itertools.count(1)
        self._second: subprocess.Popen[str] | None = None

    def __enter__(self) -> Terminal:
        self._shell = subprocess.Popen(
            ["bash"],
            cwd=self.folder,
            env=self._environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._second is not None:
            self.interrupt()
        self._shell.communicate(timeout=_PATIENCE)

    def type(self, command: str) -> tuple[str, int]:
        """What it prints, and its exit code, which ``$?`` has in the next one."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        mark = f"--- {next(self._marks)} "
        told = f"code=$?; printf '%s%s %s\\n' {mark!r} $code \"$PWD\"; (exit $code)"
        self._shell.stdin.write(f"{{ {command}\n}} </dev/null; {told}\n")
        self._shell.stdin.flush()
        printed = []
        for line in self._shell.stdout:
            if mark in line:
                before, _, after = line.partition(mark)
                code, _, folder = after.strip().partition(" ")
                self.folder = Path(folder)
                return "".join([*printed, before]), int(code)
            printed.append(line)
        raise EOFError(f"the shell ended in `{command}`: {''.join(printed)}")

    def begin(self, command: str) -> None:
        """In the second terminal, where the first one is now."""
        self._second = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def interrupt(self) -> str:
        """Ctrl-C in the second terminal reaches all that runs there."""
        assert self._second is not None
        os.killpg(self._second.pid, signal.SIGINT)
        printed, _ = self._second.communicate(timeout=_PATIENCE)
        self._second = None
        return printed
