"""Step caching and retry policies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.expressions import EXECUTION_TIMES
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Placed, Ref, Severity, Unknown, Value
from mlops.ir.values import pointer

# Both P30D and 30d are in public use; the guide shows both.
_DURATION = re.compile(
    r"[Pp]?(?=.*\d)(\d+[Yy])?(\d+[Mm])?(\d+[Ww])?(\d+[Dd])?([Tt](?=\d)(\d+[Hh])?(\d+[Mm])?(\d+(\.\d+)?[Ss])?)?"
)
_HOURS_BEFORE_T = re.compile(r"[Pp]\d+[Hh]\d*.*|[Pp]\d+[Ss]")
_EXCEPTIONS = (
    "Step.SERVICE_FAULT", "Step.THROTTLING", "SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT", "Emr.RESOURCE_LIMIT",
)  # fmt: skip
_STEP = _EXCEPTIONS[:2]
_RAISED = {
    "Model": _STEP,
    "RegisterModel": _STEP,
    "Tuning": (*_STEP, "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"),
    "AutoML": (*_STEP, "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"),
    **dict.fromkeys(("Training", "Processing", "Transform"), _EXCEPTIONS[:5]),
}
_RETRY_MEMBERS = ("ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin")


def _plain(value: Value) -> bool:
    return not isinstance(value, Ref | Join | JsonGet | Unknown)


@rule("E530", "cache-config", Severity.ERROR, source="AWS docs: pipelines-caching; official SDK's CacheConfig")
def cache_config(subject: Subject) -> Iterator[Fault]:
    """CacheConfig is {"Enabled": true or false, "ExpireAfter": duration}; a cache that is on needs both.

    Bad:  "CacheConfig": {"Enabled": "true", "ExpireAfter": "P"}
    Good: "CacheConfig": {"Enabled": true, "ExpireAfter": "P30D"}
    """
    for placed in subject.placed:
        config = placed.step.members.get("CacheConfig")
        at = f"{placed.pointer}/CacheConfig"
        if "CacheConfig" not in placed.step.members or not _plain(config):
            continue
        if not isinstance(config, Mapping):
            yield Fault(at, f"CacheConfig is {shown(config)}, an object is wanted", None, placed)
            continue
        for name in config:
            if name not in ("Enabled", "ExpireAfter"):
                help_text = did_you_mean(name, ("Enabled", "ExpireAfter"))
                yield Fault(at + pointer(name), f"CacheConfig has no member {name!r}", help_text, placed)
        enabled, expire = config.get("Enabled"), config.get("ExpireAfter")
        if "Enabled" not in config:
            yield Fault(f"{at}/Enabled", "CacheConfig has no Enabled", "add it", placed)
        elif _plain(enabled) and not isinstance(enabled, bool):
            yield Fault(f"{at}/Enabled", f"Enabled is {shown(enabled)}, true or false is wanted", None, placed)
        if "ExpireAfter" not in config:
            if enabled is True:
                yield Fault(f"{at}/ExpireAfter", "a cache without ExpireAfter", 'e.g. "P30D"', placed)
        elif _plain(expire):
            if not isinstance(expire, str):
                yield Fault(f"{at}/ExpireAfter", f"ExpireAfter is {shown(expire)}, a text is wanted", None, placed)
            elif not _DURATION.fullmatch(expire):
                severity = Severity.WARNING if _HOURS_BEFORE_T.fullmatch(expire) else None
                message = f"{shown(expire)} is no duration"
                help_text = 'e.g. "P30D" for 30 days, "PT30M" for 30 minutes'
                yield Fault(f"{at}/ExpireAfter", message, help_text, placed, severity=severity)


@rule("E531", "months-for-minutes", Severity.WARNING, source="the slip is written down in sdk#2736")
def months_for_minutes(subject: Subject) -> Iterator[Fault]:
    """A cache that lives for many months: M before T is months, after T it is minutes.

    Bad:  "ExpireAfter": "P30M"
    Good: "ExpireAfter": "PT30M"
    """
    for placed in subject.placed:
        config = placed.step.members.get("CacheConfig")
        expire = config.get("ExpireAfter") if isinstance(config, Mapping) else None
        match = re.fullmatch(r"[Pp]?(\d+)[Mm]", expire) if isinstance(expire, str) else None
        if match and int(match.group(1)[:6]) > 3:
            message = f"{expire} is {match.group(1)} months"
            help_text = f"write PT{match.group(1)}M for minutes"
            yield Fault(f"{placed.pointer}/CacheConfig/ExpireAfter", message, help_text, placed)


@rule(
    "E532",
    "cache-that-never-serves",
    Severity.WARNING,
    source="AWS docs: pipelines-caching, pipelines-default-keys: an earlier run serves whose arguments are the same",
)
def cache_that_never_serves(subject: Subject) -> Iterator[Fault]:
    """A cache is on and can never serve: what it keeps expires at once, or the arguments that are compared have the
    time of the execution in them, which is another each time.

    Bad:  "CacheConfig": {"Enabled": true, "ExpireAfter": "PT0S"}
    Good: "CacheConfig": {"Enabled": true, "ExpireAfter": "P30D"}
    """
    cached: dict[str, tuple[str, ...]] = {}
    for placed in subject.placed:
        config, step_type = placed.step.members.get("CacheConfig"), subject.type_of(placed.step)
        if not isinstance(config, Mapping) or config.get("Enabled") is not True or step_type is None:
            continue
        expire = config.get("ExpireAfter")
        cached[placed.pointer] = tuple(
            f"{placed.pointer}/Arguments/{key.replace('.', '/')}/" for key in step_type.cache_keys
        )
        if isinstance(expire, str) and _DURATION.fullmatch(expire) and not _NOT_ZERO.search(expire):
            at = f"{placed.pointer}/CacheConfig/ExpireAfter"
            yield Fault(at, f"{expire} is no time at all", 'e.g. "P30D", or turn the cache off', placed)
    for reading in subject.readings if cached else ():
        path, site = reading.path, reading.site
        if path.root != "Execution" or path.name not in EXECUTION_TIMES or site.placed is None:
            continue
        if site.at.startswith(cached.get(site.placed.pointer, ())):
            message = f"the cache compares this argument, and Execution.{path.name} is another each time"
            yield Fault(f"{site.at}/Get", message, "turn the cache off, or leave the time out", site.placed)


_NOT_ZERO = re.compile(r"[1-9]")


@rule("E540", "retry-policy", Severity.ERROR, source="AWS docs: pipelines-retry-policy; official SDK's retry")
def retry_policy(subject: Subject) -> Iterator[Fault]:
    """RetryPolicies is a list of {ExceptionType: [...], IntervalSeconds (1-43200), BackoffRate, and MaxAttempts (0-20)
    or ExpireAfterMin (1-14400)}.

    Bad:  {"ExceptionType": ["SageMaker.CAPACITY"], "MaxAttempts": 50}
    Good: {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "MaxAttempts": 20}
    """
    for placed in subject.placed:
        policies = placed.step.members.get("RetryPolicies")
        step_type = subject.type_of(placed.step)
        if policies is None or not _plain(policies):
            continue
        if step_type is not None and "RetryPolicies" not in step_type.envelope:
            continue  # the member itself is reported
        at = f"{placed.pointer}/RetryPolicies"
        if not isinstance(policies, tuple):
            yield Fault(at, f"RetryPolicies is {shown(policies)}, a list is wanted", "put it into [ ]", placed)
            continue
        for index, policy in enumerate(policies):
            if isinstance(policy, Unknown):
                continue
            if not isinstance(policy, Mapping):
                yield Fault(f"{at}/{index}", f"{shown(policy)} is no retry policy", None, placed)
            else:
                yield from _policy(f"{at}/{index}", policy, placed)


def _policy(at: str, policy: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    for name in policy:
        if name not in _RETRY_MEMBERS:
            message = f"a retry policy has no member {name!r}"
            yield Fault(at + pointer(name), message, did_you_mean(name, _RETRY_MEMBERS), placed)
    exceptions = policy.get("ExceptionType")
    here = f"{at}/ExceptionType"
    listed = (exceptions,) if isinstance(exceptions, str) else exceptions
    if "ExceptionType" not in policy:
        yield Fault(here, "the policy names no ExceptionType", 'e.g. ["Step.THROTTLING"]', placed)
    elif isinstance(listed, tuple):
        if not listed:
            yield Fault(here, "the policy retries nothing", 'e.g. ["Step.THROTTLING"]', placed)
        for index, item in enumerate(listed):
            where = here if isinstance(exceptions, str) else f"{here}/{index}"
            if _plain(item) and item not in _EXCEPTIONS:
                help_text = did_you_mean(str(item), _EXCEPTIONS)
                yield Fault(where, f"{shown(item)} is no exception type", help_text, placed)
    elif _plain(listed):
        yield Fault(here, f"ExceptionType is {shown(listed)}, a list is wanted", None, placed)
    yield from _number(at, policy, "IntervalSeconds", 1, 43200, placed)
    yield from _number(at, policy, "MaxAttempts", 0, 20, placed)
    yield from _number(at, policy, "ExpireAfterMin", 1, 14400, placed)
    rate = policy.get("BackoffRate")
    if _plain(rate) and "BackoffRate" in policy:
        if isinstance(rate, bool) or not isinstance(rate, int | float):
            yield Fault(f"{at}/BackoffRate", f"BackoffRate is {shown(rate)}, a number is wanted", None, placed)
        elif rate <= 0:
            yield Fault(f"{at}/BackoffRate", f"BackoffRate {rate} is not above 0", "e.g. 2.0", placed)
        elif rate < 1:
            message = f"with BackoffRate {rate} each wait is shorter than the last"
            yield Fault(f"{at}/BackoffRate", message, "e.g. 2.0", placed, severity=Severity.WARNING)
    if policy.get("MaxAttempts") is not None and policy.get("ExpireAfterMin") is not None:
        message = "MaxAttempts and ExpireAfterMin exclude each other"
        yield Fault(f"{at}/ExpireAfterMin", message, "keep one of them", placed)


def _number(at: str, policy: Mapping[str, Value], name: str, low: int, high: int, placed: Placed) -> Iterator[Fault]:
    value = policy.get(name)
    if value is None or not _plain(value):
        return
    if isinstance(value, bool) or not isinstance(value, int):
        yield Fault(f"{at}/{name}", f"{name} is {shown(value)}, an integer is wanted", None, placed)
    elif not low <= value <= high:
        yield Fault(f"{at}/{name}", f"{name} {shown(value)} is not within {low} and {high}", None, placed)


@rule(
    "E541",
    "job-exception-without-job",
    Severity.WARNING,
    source="AWS docs: pipelines-retry-policy, what each type of step retries",
)
def job_exception_without_job(subject: Subject) -> Iterator[Fault]:
    """A step retries what it never raises: Model and RegisterModel start no job, Tuning and AutoML tell no internal
    error of a job, and Emr.RESOURCE_LIMIT is of EMR steps.

    Bad:  "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"] on a Model step
    Good: "ExceptionType": ["Step.THROTTLING"]
    """
    for placed, _ in subject.of_type(*_RAISED):
        policies = placed.step.members.get("RetryPolicies")
        for index, policy in enumerate(policies if isinstance(policies, tuple) else ()):
            names = policy.get("ExceptionType") if isinstance(policy, Mapping) else None
            for number, name in enumerate(names if isinstance(names, tuple) else ()):
                if name in _EXCEPTIONS and name not in _RAISED.get(placed.step.type, _EXCEPTIONS):
                    at = f"{placed.pointer}/RetryPolicies/{index}/ExceptionType/{number}"
                    message = f"a {placed.step.type} step never raises {name}"
                    help_text = f"retry {', '.join(_RAISED[placed.step.type])}"
                    yield Fault(at, message, help_text, placed)
