"""Lineage: write down what came from what.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="Lineage",
    extra_response={"ActionArns": None, "ArtifactArns": None, "ContextArns": None, "Associations": None},
)
