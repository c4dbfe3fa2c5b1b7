"""The lifecycle of a check's baselines: which one it compares with, what other steps read, and how the step ends.

The developer guide has it as a table (pipelines-quality-clarify-baseline-lifecycle): what was calculated is told in
any case; what is used for drift from now on is that where the check registers it, else the previous baseline. That is
what was supplied, else what the latest approved version of a model package group was registered with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.knowledge.baselines import REGISTERED, Latest, NoGroup, is_needed, missing, previous
from mlops.run.outcome import REASON_LIMIT, Outcome, StepFailed
from mlops.run.ports import Registry, RequestRefused

VIOLATIONS = "constraint_violations.json"
QUALITY, CLARIFY = "QualityCheck", "ClarifyCheck"

_FILES: Mapping[str, Mapping[str, str]] = {
    QUALITY: {"Statistics": "statistics.json", "Constraints": "constraints.json"},
    CLARIFY: {"Constraints": "analysis.json"},
}
"""What makes a baseline, by the type of the step, and the files that the job leaves of it."""


@dataclass(frozen=True, slots=True)
class Check:
    """``results`` is the S3 URI of the folder that the job writes to, ``before`` has the URIs of the previous
    baseline's files, empty where none is needed."""

    type: str
    check: str
    skip: bool
    fail: bool
    register: bool
    group: str | None
    results: str
    before: Mapping[str, str]

    @property
    def compared(self) -> Mapping[str, str]:
        """What the data are compared with, by ``Statistics`` and ``Constraints``."""
        return {} if self.skip else self.before

    @property
    def response(self) -> dict[str, str]:
        """What other steps read."""
        calculated = {part: f"{self.results}/{file}" for part, file in _FILES[self.type].items()}
        used = calculated if self.register else self.before
        return {
            **{f"CalculatedBaseline{part}": uri for part, uri in calculated.items()},
            **{f"BaselineUsedForDriftCheck{part}": uri for part, uri in used.items()},
        }

    def metadata(self, job_arn: str, **members: str) -> dict[str, Any]:
        """The step's Metadata."""
        group = {"ModelPackageGroupName": self.group} if self.group else {}
        flags = {"SkipCheck": self.skip, "RegisterNewBaseline": self.register}
        return {self.type: {"CheckType": self.check, "CheckJobArn": job_arn, **flags, **group, **members}}

    def ended(self, job_arn: str, violations: Sequence[str]) -> Outcome:
        """The end of the step behind a job that ended well; ``violations`` are sentences."""
        response = self.response
        if not violations:
            return Outcome("Succeeded", None, self.metadata(job_arn, **response), response)
        report = f"{self.results}/{VIOLATIONS}"
        metadata = self.metadata(job_arn, **response, ViolationReport=report)
        if not self.fail:
            return Outcome("Succeeded", None, metadata, response)
        title = self.type.removesuffix("Check")
        text = f"ClientError: {title} check failed. See violation report: {report} ({'; '.join(violations)})"
        return Outcome("Failed", text if len(text) <= REASON_LIMIT else f"{text[: REASON_LIMIT - 2]}…)", metadata)


def check_of(type_: str, members: Mapping[str, Any], results: str, registry: Registry) -> Check:
    """``members`` are those beside the step's arguments. Raises :class:`StepFailed`, also where a previous baseline is
    needed and there is none."""
    check, group = str(members.get("CheckType")), members.get("ModelPackageGroupName")
    if check not in REGISTERED or REGISTERED[check].keys() != _FILES[type_].keys():
        raise StepFailed(f"CheckType is {check}, which is no check of a {type_} step")
    skip, register = _flag(members, "SkipCheck"), _flag(members, "RegisterNewBaseline")
    before: dict[str, str] = {}
    if is_needed(members):
        latest = _latest(registry)
        if (lacking := missing(check, members, latest)) is not None:
            raise StepFailed(lacking)
        before = previous(check, members, latest)
    fail = _flag(members, "FailOnViolation", otherwise=True)
    return Check(type_, check, skip, fail, register, str(group) if group else None, results, before)


def _flag(members: Mapping[str, Any], name: str, *, otherwise: bool = False) -> bool:
    """The official SDK writes null for what is not given."""
    value = members.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, bool):
        raise StepFailed(f"{name} is {value!r}, true or false is wanted")
    return value


def _latest(registry: Registry) -> Latest:
    def latest(group: str) -> Mapping[str, Any] | None:
        try:
            return registry.latest_approved(group)
        except RequestRefused as refused:
            if refused.fault is not None:
                raise
            raise NoGroup(str(refused)) from None

    return cache(latest)
