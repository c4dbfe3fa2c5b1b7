"""Cleanup: delete what other steps left in S3.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="Cleanup",
)
