"""RetryPolicies as a machine has them.

What a call is refused for has a name of its own, which a Retrier knows. A job that has failed is ``States.TaskFailed``
whatever the reason, which stands in the cause: then the state is entered again, behind a Choice that reads it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.emit.states.jsonata import DATA, Unspelled, braces, merged, name, obj
from mlops.emit.states.scopes import Scope
from mlops.ir import Step
from mlops.ir.dataclass import dataclass

_INTERVAL, _BACKOFF, _ATTEMPTS = 1, 2.0, 5
_OF_SAGEMAKER = ("SageMaker.AmazonSageMakerException", "SageMaker.SageMakerException", "ThrottlingException")
_ERRORS: Mapping[str, Sequence[str]] = {
    # Optimised integrations and those of the SDK have another word each, for faults as for throttling.
    "Step.SERVICE_FAULT": _OF_SAGEMAKER,
    "Step.THROTTLING": _OF_SAGEMAKER,
    "SageMaker.RESOURCE_LIMIT": (
        "SageMaker.ResourceLimitExceededException",
        "SageMaker.ResourceLimitExceeded",
    ),
}
_REASONS: Mapping[str, str] = {
    "SageMaker.JOB_INTERNAL_ERROR": "InternalServerError",
    "SageMaker.CAPACITY_ERROR": "CapacityError",
}
"""What the reason of a failed job begins with (guide: pipelines-retry-policy)."""
_USUAL: Mapping[str, Any] = {"IntervalSeconds": 2, "MaxAttempts": 5, "BackoffRate": 2}
FOR_LAMBDA: Sequence[Mapping[str, Any]] = (
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
        ],
        **_USUAL,
    },
)
FOR_S3: Sequence[Mapping[str, Any]] = ({"ErrorEquals": ["S3.SdkClientException"], **_USUAL},)


def retries(step: Step | None) -> list[Mapping[str, Any]]:
    """Of a step, or of a call that only looks. Faults of the service are tried again whether a policy says so or
    not."""
    if step is not None and step.type == "Lambda":
        return list(FOR_LAMBDA)
    found: list[Mapping[str, Any]] = []
    named: set[str] = set()
    for policy in _policies(step):
        errors = [error for kind in policy.kinds for error in _ERRORS.get(kind, ()) if error not in named]
        errors = list(dict.fromkeys(errors))
        if errors:
            named.update(errors)
            found.append({"ErrorEquals": errors, **policy.retrier})
    left = [error for error in _OF_SAGEMAKER if error not in named]
    if left:
        found.append({"ErrorEquals": left, **_USUAL})
    return found


@dataclass(frozen=True, slots=True)
class _Policy:
    kinds: Sequence[str]
    interval: int
    backoff: float
    attempts: int

    @property
    def retrier(self) -> Mapping[str, Any]:
        backoff = int(self.backoff) if self.backoff == int(self.backoff) else self.backoff
        return {"IntervalSeconds": self.interval, "MaxAttempts": self.attempts, "BackoffRate": backoff}


def _policies(step: Step | None) -> list[_Policy]:
    """Raises Unspelled."""
    listed = step.members.get("RetryPolicies") if step is not None else None
    found: list[_Policy] = []
    for item in listed if isinstance(listed, tuple) else ():
        if not isinstance(item, Mapping):
            continue
        written = item.get("ExceptionType") or ()
        kinds = [kind for kind in (written if isinstance(written, tuple) else (written,)) if isinstance(kind, str)]
        if item.get("ExpireAfterMin") is not None:
            raise Unspelled("a machine counts how often it tries again, not until when: give MaxAttempts")
        backoff = float(_number(item.get("BackoffRate"), _BACKOFF))
        interval = _number(item.get("IntervalSeconds"), _INTERVAL)
        if backoff < 1:
            raise Unspelled(f"a machine does not try again ever sooner: BackoffRate {backoff:g} is below 1")
        attempts = int(_number(item.get("MaxAttempts"), _ATTEMPTS))
        unknown = [kind for kind in kinds if kind not in _ERRORS and kind not in _REASONS]
        if unknown:
            raise Unspelled(f"it is tried again after {', '.join(unknown)}, of which a machine hears nothing")
        found.append(_Policy(kinds, max(1, math.ceil(interval)), backoff, attempts))
    return found


def _number(value: Any, otherwise: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


@dataclass(frozen=True, slots=True)
class Again:
    """The tries behind a job that has failed for a reason that a policy names. Each policy counts its own, and what it
    has counted is part of the job's name."""

    step: Step

    @staticmethod
    def keys(step: Step) -> list[str]:
        """Under which the data count them."""
        return [key for key, _, _ in Again._rules(step)]

    @staticmethod
    def _rules(step: Step) -> list[tuple[str, _Policy, list[str]]]:
        found: list[tuple[str, _Policy, list[str]]] = []
        for policy in _policies(step):
            reasons = [_REASONS[kind] for kind in policy.kinds if kind in _REASONS]
            if reasons:
                found.append((f"{step.name}{f' {len(found) + 1}' if found else ''}", policy, reasons))
        return found

    def write(self, scope: Scope, lost: str) -> list[Mapping[str, Any]]:
        """The states behind, and the catcher that leads there. ``lost`` is the state of what is not tried again."""
        failed, pause = f"{self.step.name}: why", f"{self.step.name}: tries again"
        rules = list[Mapping[str, Any]]()
        for key, policy, reasons in self._rules(self.step):
            counted = f"{DATA}.Tries.{name(key)}"
            so_far = f"($exists({counted}) ? {counted} : 0)"
            named = " or ".join(f'$contains({CAUSE}, /"FailureReason"\\s*:\\s*"{reason}/)' for reason in reasons)
            more = obj({key: f"{so_far} + 1"})
            wait = f"$round({policy.interval} * $power({policy.backoff:g}, {so_far}))"
            rules.append(
                {
                    "Condition": braces(f"({named}) and {so_far} < {policy.attempts}"),
                    "Output": braces(merged(obj({"Tries": f"$merge([{DATA}.Tries, {more}])", "Pause": wait}))),
                    "Next": pause,
                }
            )
        scope.states[failed] = {"Type": "Choice", "Choices": rules, "Default": lost}
        scope.states[pause] = {"Type": "Wait", "Seconds": braces(f"{DATA}.Pause"), "Next": self.step.name}
        told = obj({"Trouble": obj({"Error": "$states.errorOutput.Error", "Cause": "$states.errorOutput.Cause"})})
        return [{"ErrorEquals": ["States.ALL"], "Output": braces(merged(told)), "Next": failed}]


CAUSE = f"{DATA}.Trouble.Cause"
