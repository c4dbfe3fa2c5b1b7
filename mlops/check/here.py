"""What of a pipeline cannot run on this machine, told before it is tried. Nothing of this speaks of an account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from mlops.check.codes import SURROUNDINGS
from mlops.ir import Checked, Finding, Placed, Ref, Severity, Value
from mlops.ir.members import get
from mlops.ir.secret import no_stand_in, parse_secret
from mlops.ir.values import pointer
from mlops.knowledge import datasets
from mlops.knowledge.baselines import REGISTERED, Latest, is_needed, missing
from mlops.knowledge.this_machine import NO_FIFO, Obstacle, is_fifo, missing_function, of_containers, of_step

Knows: TypeAlias = Callable[[str], bool]
"""Whether there is a function, or a secret, of that name or ARN here, or something for a database of that name."""

_CODE = "A030"
_BODY = "ForEachBody"
_ASK_A_MODEL = ("check", "transform")
"""Actions that serve one for their time."""


def cannot_run(
    checked: Checked,
    knows: Knows | None = None,
    latest: Latest | None = None,
    has_secret: Knows | None = None,
    stands: Knows | None = None,
) -> Iterator[Finding]:
    """By step, in the order of the document. Without ``knows`` nothing is said of functions that a step calls, without
    ``latest`` nothing of baselines that a check takes from a model package group, without ``has_secret`` nothing of
    secrets, without ``stands`` nothing of what stands for databases of Athena and Redshift."""
    models = {placed.step.name: placed for placed in checked.definition.placed() if placed.step.type == "Model"}
    for placed in checked.definition.placed():
        step, step_type = placed.step, checked.type_of(placed.step)
        action = step_type.action if step_type is not None else None
        for obstacle in of_step(step.type, action, step.arguments):
            yield _finding(placed, placed, obstacle)
        if knows is not None and (missing := _missing_function(step.members.get("FunctionArn"), knows)) is not None:
            yield _finding(placed, placed, missing, beside=True)
        if isinstance(queue := step.members.get("SqsQueueUrl"), str) and is_fifo(queue):
            yield _finding(placed, placed, Obstacle(("SqsQueueUrl",), NO_FIFO), beside=True)
        for obstacle in _no_secret(step.arguments, has_secret) if has_secret is not None else ():
            yield _finding(placed, placed, obstacle)
        for obstacle in _no_dataset(step.arguments, stands) if stands is not None else ():
            yield _finding(placed, placed, obstacle)
        for obstacle in _no_baseline(placed, checked, latest) if action == "check" else ():
            yield _finding(placed, placed, obstacle, beside=True)
        served = _model_of(placed, models) if action in _ASK_A_MODEL else None
        for obstacle in _of_model(served) if served is not None else ():
            yield _finding(placed, served or placed, obstacle)


def sure_to_fail(checked: Checked) -> Iterator[Finding]:
    """Steps that fail here with the values that ``checked`` has for its parameters, and of which the checker, who knows
    neither these nor how the service compares, only warns."""
    types = {placed.step.type for placed in checked.definition.placed()}
    if not types & {"Condition", "ForEach"}:
        return
    from mlops.check.rules import conditions, for_each  # not loaded where what is run was checked before
    from mlops.check.subject import Subject

    subject = Subject(checked.definition, checked.step_types)
    for fault in conditions.unlike_operands(subject):
        if fault.placed is not None:
            yield Finding(
                _CODE,
                SURROUNDINGS[_CODE][0],
                Severity.WARNING,
                f"the condition {fault.message}, and values of different types fail the step here",
                help=fault.help,
                step=fault.placed.step.name,
                path=fault.path,
                where=fault.placed.step.where,
            )
    for finding in for_each.nothing_in_item.findings(subject):
        yield replace(finding, severity=Severity.WARNING)


def _no_secret(request: Value, has_secret: Knows) -> Iterator[Obstacle]:
    environment = get(request, "Environment")
    for name, text in environment.items() if isinstance(environment, Mapping) else ():
        reference = parse_secret(text) if isinstance(text, str) else None
        if reference is not None and not has_secret(reference.id):
            yield Obstacle(("Environment", name), no_stand_in(name, reference.id))


def _no_dataset(request: Value, stands: Knows) -> Iterator[Obstacle]:
    listed = get(request, "ProcessingInputs")
    for index, item in enumerate(listed if isinstance(listed, tuple) else ()):
        found = datasets.asked(get(item, "DatasetDefinition"))
        if found is None or found.database is None or get(item, "AppManaged"):
            continue
        told = datasets.missing_here() if stands(found.database) else datasets.not_declared(found)
        if told is not None:
            at = ("ProcessingInputs", index, "DatasetDefinition")
            yield Obstacle(at, f"input {get(item, 'InputName')}: {told}")


_SUPPLIED = ("SuppliedBaselineStatistics", "SuppliedBaselineConstraints")
_FLAGS = ("SkipCheck", "RegisterNewBaseline")


def _no_baseline(placed: Placed, checked: Checked, latest: Latest | None) -> Iterator[Obstacle]:
    """A version that a step before it registers may bring one."""
    members, check = placed.step.members, placed.step.members.get("CheckType")
    for name in _SUPPLIED:
        uri = members.get(name)
        if isinstance(uri, str) and uri and not uri.startswith("s3://"):  # an empty one is none
            yield Obstacle((name,), f"{name} is {uri!r}, not an s3:// URI; -p gives a parameter a file of yours")
            return
    group = members.get("ModelPackageGroupName")
    is_known = all(isinstance(members.get(name), bool | None) for name in _FLAGS) and isinstance(group, str | None)
    if not is_known or not is_needed(members) or not isinstance(check, str) or check not in REGISTERED:
        return
    if group is not None and (latest is None or _registers_before(placed, checked)):
        return
    lacking = missing(check, members, latest or (lambda name: None))
    if lacking is not None:
        yield Obstacle(("ModelPackageGroupName",) if group is not None else (), lacking)


def _registers_before(placed: Placed, checked: Checked) -> bool:
    types = {item.step.name: item.step.type for item in checked.definition.placed()}
    return any(types.get(name) not in _REGISTER_NOTHING for name in checked.before(placed.step.name))


_REGISTER_NOTHING = frozenset({"Processing", "Training", "Tuning", "Transform", "Condition", "Model", "Fail"})


def _missing_function(arn: object, knows: Knows) -> Obstacle | None:
    if not isinstance(arn, str) or knows(arn):
        return None
    return Obstacle(("FunctionArn",), missing_function(arn))


def unavoidable(checked: Checked) -> frozenset[str]:
    """Steps that run whatever happens, as long as nothing fails: in no branch, and behind no other's failure. A loop
    has an item at least, so its body runs."""
    surely: set[str] = set()
    placed = {item.step.name: item for item in checked.definition.placed()}
    for name in checked.order:
        item = placed[name]
        in_no_branch = all(block == _BODY for _, block in item.branches)
        if in_no_branch and not _waits_for_failure(item) and checked.edges.get(name, frozenset()) <= surely:
            surely.add(name)
    return frozenset(surely)


def _waits_for_failure(item: Placed) -> bool:
    listed = item.step.members.get("DependsOn")
    return any(
        get(entry, "Trigger") in ("Failed", "Stopped") for entry in (listed if isinstance(listed, tuple) else ())
    )


def _model_of(placed: Placed, models: Mapping[str, Placed]) -> Placed | None:
    name = get(placed.step.arguments, "ModelName") or placed.step.members.get("ModelName")
    path = name.path if isinstance(name, Ref) else None
    return models.get(path.name) if path is not None and path.root == "Steps" else None


def _of_model(placed: Placed) -> Iterator[Obstacle]:
    request = placed.step.arguments
    primary, listed = get(request, "PrimaryContainer"), get(request, "Containers")
    single = isinstance(primary, Mapping)
    containers = [primary] if single else (listed if isinstance(listed, tuple) else ())
    given = [item for item in containers if isinstance(item, Mapping)]
    if len(given) < len(containers):
        return
    for obstacle in of_containers(given, get(request, "InferenceExecutionConfig", "Mode")):
        number, *rest = obstacle.member or ("InferenceExecutionConfig",)
        at = ("PrimaryContainer",) if single else ("Containers", number) if rest else (number,)
        yield Obstacle((*at, *rest), obstacle.message)


def _finding(placed: Placed, at: Placed, obstacle: Obstacle, *, beside: bool = False) -> Finding:
    """``beside``: the member stands beside the step's Arguments."""
    inside = "" if beside else "/Arguments"
    return Finding(
        _CODE,
        SURROUNDINGS[_CODE][0],
        Severity.WARNING,
        obstacle.message,
        help=f"it runs in an account; here `mlops run --stub {placed.step.name}=FILE` has a file stand for it "
        "(one that is not there yet is told what to hold), as a stub in a test can, and --only runs other steps",
        step=placed.step.name,
        path=f"{at.pointer}{inside}{pointer(*obstacle.member) if obstacle.member else ''}",
        where=placed.step.where,
    )
