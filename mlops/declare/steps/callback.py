"""Callback: send a message to a queue and wait for an answer.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="Callback",
    envelope=frozenset({"CacheConfig", "OutputParameters", "SqsQueueUrl"}),
)
