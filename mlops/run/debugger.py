"""A step's own command under Python's debugger: it stops at breakpoints, and where an exception leaves the program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mlops.ir import UsageError

_PYTHON = re.compile(r"(?:.*/)?python(?:\d(?:\.\d+)?)?")
_OURS = Path(__file__).resolve().parent.parent
_WITH_VALUE = frozenset({"-W", "-X"})


def debugged(step: str, command: Sequence[str]) -> list[str]:
    """Raises UsageError for what is no Python program in a file or module, or one of ours: an algorithm's."""
    python, *rest = command
    options: list[str] = []
    if _PYTHON.fullmatch(python):
        while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c", "-"):
            options += rest[: 2 if rest[0] in _WITH_VALUE else 1]
            rest = rest[len(rest[:1]) + (rest[0] in _WITH_VALUE) :]
        program = rest[1:] if rest[:1] == ["-m"] else rest
        if program and rest[0] not in ("-c", "-") and not Path(program[0]).is_relative_to(_OURS):
            return [python, *options, "-m", "pdb", "-c", "continue", *rest]
    raise UsageError(
        f"{step} runs {python}, and the debugger is for a Python program of yours that stands in a file",
        hint=f"`mlops executions open {step}` gives a shell where it ran",
    )
