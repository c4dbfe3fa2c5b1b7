"""A step type of the company's own."""

from mlops.ir import StepType

STEP_TYPE = StepType("AcmeApproval", envelope=frozenset({"Approvers"}))
