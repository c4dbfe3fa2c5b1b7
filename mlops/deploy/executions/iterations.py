"""Which steps of an execution a name means: a loop's are those of its body, and one of a body is run for each item."""

from __future__ import annotations

import re
from collections.abc import Callable

from mlops.ir import Definition

_BODY = "ForEachBody"


def meant(definition: Definition, name: str) -> Callable[[str], bool] | None:
    """Whether a step as the execution names it is one of those; None where the definition has none of that name.

    >>> from mlops.ir import Block, Step
    >>> body = Block("ForEachBody", (Step("Fit", "Training", {}),))
    >>> loops = Definition("d", steps=(Step("Each", "ForEach", {}, blocks=(body,)),))
    >>> [meant(loops, name)("Fit-12") for name in ("Each", "Fit", "Fit-12")], meant(loops, "Fit-x")
    ([True, True, True], None)
    """
    known, run_often = set[str](), set[str]()
    for placed in definition.placed():
        loops = [container for container, block in placed.branches if block == _BODY]
        step = placed.step.name
        if loops and (step == name or name in loops or re.fullmatch(rf"{re.escape(step)}-\d+", name)):
            run_often.add(step)
        elif step == name:
            known.add(step)
    if not known and not run_often:
        return None
    one = re.compile("|".join(rf"{re.escape(step)}-\d+" for step in sorted(run_often)) or r"(?!)")
    exact = bool(re.search(r"-\d+$", name)) and not known and name not in run_often

    def is_meant(step: str) -> bool:
        return step == name or (not exact and one.fullmatch(step) is not None)

    return is_meant
