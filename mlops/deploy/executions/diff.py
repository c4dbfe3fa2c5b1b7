"""What differed between two executions: what went in, what was done, what came out.

Asked of any account by the Describe and List operations. Where both steps read the same place, a file that was written
after the first of them began has changed in between; where they read two places, files are compared by their ETags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from mlops.account import Account
from mlops.account.answers import Refused
from mlops.deploy.executions.code import addresses, dependencies
from mlops.deploy.executions.details import definition_text, jobs_of, parameters_of
from mlops.deploy.executions.following import ExecutionState, StepState, describe
from mlops.deploy.executions.inputs import Read, inputs, listing
from mlops.deploy.models.registry import described, metrics
from mlops.deploy.pipelines.definition_diff import is_asset, leaves, steps_of
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import HIDDEN, hide

Topic: TypeAlias = Literal["parameter", "code", "package", "definition", "data", "cache", "outcome", "metric"]


@dataclass(frozen=True, slots=True)
class Difference:
    """``at`` says where: a parameter, a pointer into a step of the definition, an input, a metric. ``old`` and ``new``
    are None where there is nothing on that side; secrets are hidden in both."""

    topic: Topic
    step: str | None
    at: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class StepPair:
    """A step in both executions; a side where it did not run is None."""

    name: str
    old: StepState | None
    new: StepState | None


@dataclass(frozen=True, slots=True)
class ExecutionDiff:
    old: ExecutionState
    new: ExecutionState
    differences: tuple[Difference, ...]
    steps: tuple[StepPair, ...]


@dataclass(frozen=True, slots=True)
class _Ran:
    """All that an account tells of one execution; ``jobs`` by step."""

    state: ExecutionState
    parameters: Mapping[str, str]
    definition: Mapping[str, Any]
    jobs: Mapping[str, Mapping[str, Any]]

    def job(self, step: str) -> Mapping[str, Any]:
        return self.jobs.get(step, {})


def diff(account: Account, old: str, new: str) -> ExecutionDiff:
    """Both are ARNs of executions of this account."""
    first, second = _ran(account, old), _ran(account, new)
    pairs = tuple(_pairs(first.state, second.state))
    differences = [
        *_values("parameter", None, first.parameters, second.parameters),
        *_definitions(first.definition, second.definition),
        *_packages(account, first.definition, second.definition),
        *_data(account, pairs, first, second),
        *_outcomes(pairs),
        *_metrics(account, pairs, first, second),
    ]
    # Places of data may hold one too.
    told = tuple(replace(item, old=hide(item.old), new=hide(item.new)) for item in differences)
    return ExecutionDiff(first.state, second.state, told, pairs)


def _ran(account: Account, arn: str) -> _Ran:
    state = describe(account, arn)
    definition = json.loads(definition_text(account, arn))
    return _Ran(state, parameters_of(account, arn), definition, jobs_of(account, state))


def as_dictionary(found: ExecutionDiff) -> Mapping[str, Any]:
    """For programs."""

    def side(step: StepState | None) -> Mapping[str, Any] | None:
        return None if step is None else {"status": step.status, "seconds": step.seconds, "cached": step.cached}

    return {
        "old": {"arn": found.old.arn, "status": found.old.status},
        "new": {"arn": found.new.arn, "status": found.new.status},
        "differences": [
            {"topic": item.topic, "step": item.step, "at": item.at, "old": item.old, "new": item.new}
            for item in found.differences
        ],
        "steps": [{"name": pair.name, "old": side(pair.old), "new": side(pair.new)} for pair in found.steps],
    }


def _pairs(old: ExecutionState, new: ExecutionState) -> Iterator[StepPair]:
    ran, again = ({step.name: step for step in state.steps} for state in (old, new))
    for name in dict.fromkeys([*ran, *again]):
        yield StepPair(name, ran.get(name), again.get(name))


def _definitions(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    hidden = hide(old), hide(new)
    before, after = steps_of(old), steps_of(new)
    shown = steps_of(hidden[0]), steps_of(hidden[1])
    for name in dict.fromkeys([*before, *after]):
        if name not in before or name not in after:
            yield Difference("definition", name, "", before.get(name) and "there", after.get(name) and "there")
            continue
        told = shown[0].get(name, {}), shown[1].get(name, {})
        yield from _members("definition", name, (before[name], after[name]), told)
    yield from _members("definition", None, (_envelope(old), _envelope(new)), tuple(map(_envelope, hidden)))


def _packages(account: Account, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """What the requirements of a step pin, where its code is another one."""
    before, after = steps_of(old), steps_of(new)
    for name in before:
        if name in after and addresses(before[name]) != addresses(after[name]):
            packages = dependencies(account, before[name]), dependencies(account, after[name])
            yield from _values("package", name, *packages)


def _envelope(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in document.items() if key != "Steps"}


def _members(topic: Topic, step: str | None, sides: Sequence[Any], shown: Sequence[Any]) -> Iterator[Difference]:
    """What differs is seen by ``sides`` and told by ``shown``, the same without its secrets."""
    old, new = dict(leaves(sides[0])), dict(leaves(sides[1]))
    told = dict(leaves(shown[0])), dict(leaves(shown[1]))
    for at in dict.fromkeys([*old, *new]):
        if old.get(at) != new.get(at) or (at in old) != (at in new):
            code = topic == "definition" and (is_asset(old.get(at)) or is_asset(new.get(at)))
            before, after = (
                side.get(at, HIDDEN) if at in known else None for side, known in zip(told, (old, new), strict=True)
            )
            yield Difference("code" if code else topic, step, at, before, after)


def _values(topic: Topic, step: str | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """By name."""
    shown = hide(old), hide(new)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name) or (name in old) != (name in new):
            yield Difference(topic, step, name, shown[0].get(name), shown[1].get(name))


def _data(account: Account, pairs: tuple[StepPair, ...], old: _Ran, new: _Ran) -> Iterator[Difference]:
    for pair in pairs:
        if pair.old is None or pair.new is None:
            continue
        before = dict(inputs(pair.old, old.job(pair.name)))
        after = dict(inputs(pair.new, new.job(pair.name)))
        for name in dict.fromkeys([*before, *after]):
            read, again = before.get(name), after.get(name)
            if read is None or again is None:
                yield Difference("data", pair.name, name, read and read.uri, again and again.uri)
            else:
                yield from _input(account, pair.name, name, read, again)


def _input(account: Account, step: str, name: str, old: Read, new: Read) -> Iterator[Difference]:
    before = listing(account, old.uri)
    after = before if old.uri == new.uri else listing(account, new.uri)
    if before is None or after is None:
        if old.uri != new.uri:
            yield Difference("data", step, name, old.uri, new.uri)
        return
    if old.uri == new.uri:
        if old.began is not None and new.began is not None:
            since, until = min(old.began, new.began), max(old.began, new.began)
            for file, (_, modified) in after.items():
                if since < modified <= until:
                    yield Difference("data", step, f"{name}: {file}", "before", f"written {modified.isoformat()}")
        return
    for file in dict.fromkeys([*before, *after]):
        tags = [listing[file][0] if file in listing else None for listing in (before, after)]
        if tags[0] != tags[1]:
            yield Difference("data", step, f"{name}: {file}" if file else name, *tags)


def _outcomes(pairs: tuple[StepPair, ...]) -> Iterator[Difference]:
    for pair in pairs:
        sides = (pair.old, pair.new)
        status = [step and step.status for step in sides]
        if status[0] != status[1]:
            yield Difference("outcome", pair.name, "status", *status)
        taken = [step and step.metadata.get("Condition", {}).get("Outcome") for step in sides]
        if taken[0] != taken[1] and None not in taken:
            yield Difference("outcome", pair.name, "condition", *taken)
        failure = [step and step.failure for step in sides]
        if failure[0] != failure[1] and None not in failure:
            yield Difference("outcome", pair.name, "failure", *failure)
        cached = [step and step.cached for step in sides]
        if pair.old is not None and pair.new is not None and bool(cached[0]) != bool(cached[1]):
            yield Difference("cache", pair.name, "taken from", *cached)


def _metrics(account: Account, pairs: tuple[StepPair, ...], old: _Ran, new: _Ran) -> Iterator[Difference]:
    for pair in pairs:
        before = _measured(account, pair.old, old.job(pair.name))
        after = _measured(account, pair.new, new.job(pair.name))
        if before and after:
            yield from _values("metric", pair.name, before, after)


def _measured(account: Account, step: StepState | None, job: Mapping[str, Any]) -> Mapping[str, float]:
    """A training job's final metrics, or the numbers in the reports of the version that the step registered."""
    if step is None:
        return {}
    package = step.metadata.get("RegisterModel", {}).get("Arn")
    if package is None:
        return {str(item["MetricName"]): float(item["Value"]) for item in job.get("FinalMetricDataList") or ()}
    try:
        return metrics(account, described(account, package))
    except Refused:  # The version was deleted, or its report cannot be read.
        return {}
