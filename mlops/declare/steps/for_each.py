"""ForEach: run steps once for each item of a list.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="ForEach",
    blocks=("ForEachBody",),
)
