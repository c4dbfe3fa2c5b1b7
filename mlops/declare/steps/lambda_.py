"""Lambda: call a function with flat arguments.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="Lambda",
    envelope=frozenset({"CacheConfig", "FunctionArn", "OutputParameters"}),
)
