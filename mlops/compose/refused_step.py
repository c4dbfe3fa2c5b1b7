"""Which step the SDK means where it refuses a pipeline as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_UNKNOWN = re.compile(r"do not contain the step of name: (.+)")
_TWICE = re.compile(r"duplicate names")


def refused_step(pipeline: Any, error: BaseException) -> str | None:
    """The name of the step that waits for what is not there, or that has the name of another; None where the message
    is of neither, or the pipeline is not as the SDK makes one."""
    steps = list(_inside(getattr(pipeline, "steps", ())))
    names = [str(getattr(step, "name", "")) for step in steps]
    unknown, twice = _UNKNOWN.search(str(error)), _TWICE.search(str(error))
    if unknown is not None:
        waiting = (
            name
            for name, step in zip(names, steps, strict=True)
            if unknown[1] in (getattr(step, "depends_on", ()) or ())
        )
        return next(waiting, None)
    if twice is not None:
        return next((name for index, name in enumerate(names) if name in names[:index]), None)
    return None


def _inside(steps: Any) -> Iterator[Any]:
    """Steps, those of branches too."""
    for step in steps if isinstance(steps, list | tuple) else ():
        yield step
        for branch in ("if_steps", "else_steps", "steps"):
            yield from _inside(getattr(step, branch, ()))
