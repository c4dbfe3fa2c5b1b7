"""How each kind of step runs here: one module per kind, found by the name in ``StepType.action``.

A module has ``start(work: Work) -> Task``; it may raise StepFailed, RequestRefused or ObjectMissing. The modules do not
import each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from mlops.knowledge.elsewhere import cannot_run
from mlops.run.outcome import StepFailed

if TYPE_CHECKING:
    from mlops.ir import StepType
    from mlops.run.outcome import Task
    from mlops.run.work import Work


def action_of(step_type: StepType | None, name: str) -> Callable[[Work], Task]:
    """``name`` is the step's Type as written. Raises StepFailed where nothing here can run it."""
    start = _start_of(step_type.action) if step_type is not None and step_type.action is not None else None
    if start is None:
        raise StepFailed(cannot_run(name))
    return start


@cache
def _start_of(action: str) -> Callable[[Work], Task] | None:
    if not action.isidentifier() or find_spec(f"{__name__}.{action}") is None:
        return None
    return cast("Callable[[Work], Task]", import_module(f"{__name__}.{action}").start)
