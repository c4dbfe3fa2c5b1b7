"""Gates of the project's own, as functions in Python: each takes what a gate may look at, and says whether it passes,
or why it does not. What it prints goes to standard error: standard output is the command's.

    def enough_labels(asked):
        found = asked.metrics().get("labels", 0)
        return found >= 1000 or f"{found:g} labels, and 1000 are wanted"
"""

from __future__ import annotations

import contextlib
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mlops.ir.gate import Asked, Gate, Judgement


def read(raw: Any) -> Sequence[tuple[str, str]]:
    listed = [raw] if isinstance(raw, str) else raw
    if not isinstance(listed, list) or not listed:
        raise ValueError('name a function of a file, for example "gates.py:enough_labels", or a list of them')
    found = []
    for item in listed:
        file, colon, function = str(item).rpartition(":")
        if not colon or not file.endswith(".py") or not function.isidentifier():
            raise ValueError(f'{item!r} names no function; write "FILE.py:FUNCTION"')
        found.append((file, function))
    return found


def judge(settings: Sequence[tuple[str, str]], asked: Asked) -> Judgement:
    told, passes = [], True
    for file, function in settings:
        judgement = _asked(_function(asked.root / file, function), function, asked)
        passes = passes and judgement.passes
        told.append(f"{function}: {judgement.found}")
    return Judgement(passes, "; ".join(told))


def _asked(function: Callable[[Asked], Any], name: str, asked: Asked) -> Judgement:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            said = function(asked)
    except Exception as error:  # the user's own code; whatever it raises, it did not say yes
        return Judgement(False, f"it raised {type(error).__name__}: {error}")
    match said:
        case Judgement():
            return said
        case bool():
            return Judgement(said, "yes" if said else "no")
        case str():
            return Judgement(False, said)
    return Judgement(False, f"it said {said!r}; say True, False, or why not in a text")


def _function(file: Path, name: str) -> Callable[[Asked], Any]:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            names = runpy.run_path(str(file), run_name="mlops.gates")
    except FileNotFoundError:
        raise ValueError(f"there is no file {file.name}") from None
    except (Exception, SystemExit) as error:
        raise ValueError(f"{file.name} cannot be loaded: {type(error).__name__}: {error}") from None
    found = names.get(name)
    if not callable(found):
        raise ValueError(f"{file.name} has no function {name}")
    made: Callable[[Asked], Any] = found
    return made


GATE = Gate("python", "functions of the project's own", read, judge)
