"""The steps of pipelines as outlines, and what each waits for."""

from __future__ import annotations

from mlops.check.sources import open_targets
from mlops.emit.targets.outline import emit
from mlops.ir import Listener
from mlops.use_cases.judging import need_sound


def outlines(target: str, environment: str, listener: Listener) -> tuple[str, ...]:
    """Raises Refusal where a pipeline has errors."""
    opened = open_targets([target], environment)
    need_sound(opened.findings, listener, doing="show")
    return tuple(emit(checked) for checked in opened.pipelines)
