"""InferenceComponent: a model on an endpoint that holds several.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="InferenceComponent",
    request="CreateInferenceComponentInput",
    omits=frozenset({"InferenceComponentName"}),
    response="DescribeInferenceComponentOutput",
)
