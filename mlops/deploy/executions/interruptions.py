"""Which steps of an execution in the local account lose their spot instances, as a command or a test asks for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from mlops.ir import Definition, UsageError
from mlops.ir.choices import instead


def parsed(texts: Iterable[str]) -> dict[str, float]:
    """``STEP`` or ``STEP=SECONDS``; raises UsageError.

    >>> parsed(["Train", "Tune=2.5"])
    {'Train': 0.0, 'Tune': 2.5}
    """
    found: dict[str, float] = {}
    for text in texts:
        name, equals, seconds = text.partition("=")
        try:
            found[name] = float(seconds) if equals else 0.0
        except ValueError:
            raise UsageError(f"{text!r} is no STEP or STEP=SECONDS") from None
    return found


def judge(definition: Definition, wanted: Mapping[str, float]) -> Mapping[str, float]:
    """``wanted`` itself: seconds without instances by step. Raises UsageError where a step cannot lose any."""
    for name, seconds in wanted.items():
        step = definition.step(name)
        if step is None:
            known = [placed.step.name for placed in definition.placed()]
            raise UsageError(f"there is no step {name!r} to interrupt{instead(name, known, 'the steps are')}")
        arguments = step.arguments if isinstance(step.arguments, Mapping) else {}
        if step.type != "Training" or not arguments.get("EnableManagedSpotTraining"):
            raise UsageError(
                f"{name} has no spot instances that could be taken away",
                hint="only a Training step with EnableManagedSpotTraining has, e.g. "
                'arguments={"EnableManagedSpotTraining": True, ...}',
            )
        if not math.isfinite(seconds) or seconds < 0:
            raise UsageError(f"{name} cannot be without instances for {seconds:g} seconds")
    return wanted
