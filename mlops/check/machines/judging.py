"""What is wrong with a machine: its graph, its resources, and what it asks of SageMaker."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check import shapes
from mlops.check.located import Unreadable
from mlops.check.machines.reading import Document, read
from mlops.check.templates.template import Fault, Told
from mlops.ir import Finding, Ref, Severity, Value, Where
from mlops.ir.values import from_json, pointer

FINDINGS: Mapping[str, Told] = {
    "M001": Told(
        "unreadable-machine",
        Severity.ERROR,
        """A machine is no JSON, which knows no comments, or is larger than Step Functions takes.

Bad:  // then 25 %, 50 % and 100 %
Good: a Comment of a state""",
    ),
    "M002": Told(
        "unknown-state",
        Severity.ERROR,
        """StartAt, Next or Default names a state that is not there. States of a branch or of a Map lead to each other
and to none outside.

Bad:  "Default": "Rollback"  and no state Rollback
Good: a state of that name""",
    ),
    "M003": Told(
        "state-leads-nowhere",
        Severity.ERROR,
        """A state has neither Next nor End, a Choice no Choices, or its Type is none that there is.

Bad:  {"Type": "Wait", "Seconds": 60}
Good: {"Type": "Wait", "Seconds": 60, "Next": "Look"}""",
    ),
    "M004": Told(
        "machine-never-ends",
        Severity.ERROR,
        """From where a machine, a branch or a Map begins no state can be reached that ends it.

Bad:  a machine without Succeed, Fail and "End": true
Good: {"Type": "Succeed"} at the end of its roads""",
    ),
    "M005": Told(
        "unreached-state",
        Severity.WARNING,
        """No road leads to a state: Step Functions refuses such a machine in some forms, and the state never runs.

Bad:  "RollBack": {…}  and no Catch, Next or Default that names it
Good: "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "RollBack"}]""",
    ),
    "M006": Told(
        "malformed-catch",
        Severity.ERROR,
        """A Catch or a Retry is no list, or its ErrorEquals is none: Step Functions refuses the machine. States.ALL,
which is any error, stands alone in it and in the last of them.

Bad:  "Catch": [{"ErrorEquals": "States.ALL", "Next": "RollBack"}]
Good: "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "RollBack"}]""",
    ),
    "M010": Told(
        "unknown-resource",
        Severity.ERROR,
        """A task's Resource is no ARN of a function, an activity or an integration, or SageMaker has no such action.

Bad:  "arn:aws:lambda:function:evaluate"
Good: "arn:aws:lambda:eu-west-1:111122223333:function:evaluate", or "arn:aws:states:::lambda:invoke\"""",
    ),
    "M011": Told(
        "misfit-argument",
        Severity.ERROR,
        """What a task asks of SageMaker is not what the action takes, by the service's model. Expressions fit
everywhere.

Bad:  "Arguments": {"EndpointNam": "churn"}
Good: "Arguments": {"EndpointName": "churn", "EndpointConfigName": "churn-2"}""",
    ),
    "M020": Told(
        "endpoint-not-awaited",
        Severity.WARNING,
        """A machine changes an endpoint and never looks at it. The call returns at once, and another one is refused
until the endpoint is in service again; whether it comes, nobody hears.

Bad:  updateEndpoint, then a Wait of 30 minutes
Good: describeEndpoint, a Choice by EndpointStatus, and a Wait that leads back""",
    ),
}
_TYPES = frozenset({"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"})
_INTEGRATION = re.compile(
    r"arn:aws[\w-]*:states:[a-z0-9-]*:\d*:(?P<sdk>aws-sdk:)?(?P<service>\w[\w-]*):(?P<action>\w+)(?P<how>\.[\w:]+)?"
)
_OTHER = re.compile(
    r"arn:aws[\w-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w$:-]+|arn:aws[\w-]*:states:[a-z0-9-]+:\d{12}:activity:.+"
    r"|arn:aws[\w-]*:states:::http:invoke"
)
_JOBS = ("HyperParameterTuningJob", "LabelingJob", "ProcessingJob", "TrainingJob", "TransformJob")
_OPTIMISED = frozenset(
    {
        *(f"create{job}{how}" for job in _JOBS for how in ("", ".sync")),
        *("createEndpoint", "createEndpointConfig", "createModel", "updateEndpoint"),
    }
)
"""Guide: connect-sagemaker."""
_CHANGES = re.compile(r"(?:create|update)Endpoint(?:WeightsAndCapacities)?")


def judge(content: bytes, file: str) -> tuple[Finding, ...]:
    try:
        document = read(content)
    except Unreadable as error:
        told = FINDINGS["M001"]
        return (Finding("M001", told.name, told.severity, str(error), where=Where(file, error.line, error.column)),)
    faults = [
        *(Fault("M001", "", "JSON has no comments", place=(line, 1)) for line in document.comments),
        *_scope(document.value, ""),
        *_awaited(document.value),
    ]
    found = (_finding(fault, document, file) for fault in faults)
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.sort_key))


def _finding(fault: Fault, document: Document, file: str) -> Finding:
    told = FINDINGS[fault.code]
    line, column = fault.place or document.at(fault.at)
    where = Where(file, line, column)
    return Finding(fault.code, told.name, told.severity, fault.message, help=fault.help, path=fault.at, where=where)


def _scope(scope: Mapping[str, Any], at: str) -> Iterator[Fault]:
    """A machine, a branch, or what a Map runs."""
    states = scope.get("States")
    if not isinstance(states, Mapping) or not states:
        yield Fault("M003", f"{at}/States", "there are no States")
        return
    leads: dict[str, list[str]] = {}
    for name, state in states.items():
        below = f"{at}/States{pointer(name)}"
        if not isinstance(state, Mapping):
            yield Fault("M003", below, f"{name} is no object")
            continue
        leads[name] = []
        for place, to in _leads(state, below):
            if to in states:
                leads[name].append(to)
            else:
                yield Fault("M002", place, f"{name} leads to {to}, and there is no such state here", _near(to, states))
        yield from _state(name, state, below)
    first = scope.get("StartAt")
    if not isinstance(first, str) or first not in states:
        yield Fault("M002", f"{at}/StartAt", f"it starts at {first}, and there is no such state", _near(first, states))
        return
    reached = _reached(first, leads)
    if not any(_ends(states[name]) for name in reached if isinstance(states[name], Mapping)):
        yield Fault("M004", f"{at}/StartAt", f"no road from {first} comes to an end")
    for name in states:
        if name not in reached:
            yield Fault("M005", f"{at}/States{pointer(name)}", f"no road leads to {name}")


def _leads(state: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    for member in ("Next", "Default"):
        if isinstance(to := state.get(member), str):
            yield f"{at}/{member}", to
    for member in ("Choices", "Catch"):
        listed = state.get(member)
        for number, item in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(item, Mapping) and isinstance(to := item.get("Next"), str):
                yield f"{at}/{member}/{number}/Next", to


def _reached(first: str, leads: Mapping[str, list[str]]) -> set[str]:
    found, waiting = set[str](), [first]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += leads.get(name, ())
    return found


def _ends(state: Mapping[str, Any]) -> bool:
    return state.get("Type") in ("Succeed", "Fail") or state.get("End") is True


def _near(name: Any, states: Mapping[str, Any]) -> str | None:
    from mlops.check.nearest import nearest

    guess = nearest(name, states) if isinstance(name, str) else None
    return f"did you mean {guess}?" if guess else None


def _state(name: str, state: Mapping[str, Any], at: str) -> Iterator[Fault]:
    kind = state.get("Type")
    match kind:
        case "Choice":
            if not state.get("Choices"):
                yield Fault("M003", at, f"{name} has nothing to choose from", "give it Choices")
        case "Succeed" | "Fail":
            pass
        case str() if kind in _TYPES:
            if not _ends(state) and not isinstance(state.get("Next"), str):
                yield Fault("M003", at, f"{name} leads nowhere", 'give it Next, or "End": true')
        case _:
            yield Fault("M003", f"{at}/Type", f"{name} is of the type {kind}, which there is not")
    if kind == "Task":
        yield from _task(name, state, at)
    for member in ("Catch", "Retry"):
        yield from _errors(name, member, state.get(member), f"{at}/{member}")
    for inner, below in _inside(state, at):
        yield from _scope(inner, below)


def _errors(name: str, member: str, said: Any, at: str) -> Iterator[Fault]:
    if said is None or (isinstance(said, str) and _is_expression(said)):
        return
    if not isinstance(said, list):
        yield Fault("M006", at, f"{member} of {name} is no list", f'write "{member}": [{{…}}]')
        return
    for number, item in enumerate(said):
        errors = item.get("ErrorEquals") if isinstance(item, Mapping) else None
        here = f"{at}/{number}/ErrorEquals"
        if isinstance(errors, str) and not _is_expression(errors):
            yield Fault("M006", here, f"ErrorEquals of {name} is a text, and a list is wanted", f'write ["{errors}"]')
        elif not errors:
            yield Fault("M006", here, f"{member} of {name} names no error", '"States.ALL" is any error')
        elif isinstance(errors, list) and "States.ALL" in errors and (len(errors) > 1 or number + 1 < len(said)):
            message = f"States.ALL of {name} stands alone, and in the last {member}"
            yield Fault("M006", here, message, "put it into one of its own behind the others")


def _inside(state: Mapping[str, Any], at: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The machines in a state, and where they are."""
    branches = state.get("Branches")
    for number, branch in enumerate(branches if isinstance(branches, list) else ()):
        if isinstance(branch, Mapping):
            yield branch, f"{at}/Branches/{number}"
    for member in ("ItemProcessor", "Iterator"):
        if isinstance(inner := state.get(member), Mapping):
            yield inner, f"{at}/{member}"


def _task(name: str, state: Mapping[str, Any], at: str) -> Iterator[Fault]:
    resource = state.get("Resource")
    if not isinstance(resource, str) or _is_expression(resource):
        return
    found = _INTEGRATION.fullmatch(resource)
    if found is None:
        if not _OTHER.fullmatch(resource):
            help = "a function's ARN has its region and account; or take arn:aws:states:::lambda:invoke"
            yield Fault("M010", f"{at}/Resource", f"{resource} is no resource", help if "lambda" in resource else None)
        return
    if found["service"] != "sagemaker":
        return
    action = found["action"]
    if found["sdk"] is None and f"{action}{found['how'] or ''}" not in _OPTIMISED:
        help = f"arn:aws:states:::aws-sdk:sagemaker:{action} is any action of the service"
        yield Fault("M010", f"{at}/Resource", f"{resource} is no optimised integration", help)
        return
    operation = f"{action[:1].upper()}{action[1:]}"
    wanted = shapes.shape("sagemaker", f"{operation}Request") or shapes.shape("sagemaker", f"{operation}Input")
    if wanted is None or action[:1].isupper():
        yield Fault("M010", f"{at}/Resource", f"SageMaker has no action {action}")
        return
    for member in ("Arguments", "Parameters"):
        if isinstance(asked := state.get(member), Mapping):
            value = _frozen(asked)
            for misfit in shapes.walk(value, wanted, f"{at}/{member}"):
                if isinstance(misfit, shapes.Misfit) and not misfit.doubtful:
                    yield Fault("M011", misfit.at, f"{name}: {misfit.message}", misfit.help)


def _frozen(value: Any) -> Value:
    """Expressions are what a run fills in."""
    match value:
        case dict():
            return {
                key.removesuffix(".$"): Ref("Execution.Expression") if key.endswith(".$") else _frozen(item)
                for key, item in value.items()
            }
        case list():
            return tuple(_frozen(item) for item in value)
        case str() if _is_expression(value):
            return Ref("Execution.Expression")
    found: Value = from_json(value)
    return found


def _is_expression(text: str) -> bool:
    """What a run fills in, or who deploys it, as CloudFormation's DefinitionSubstitutions do."""
    return (text.startswith("{%") and text.rstrip().endswith("%}")) or "${" in text


def _awaited(machine: Mapping[str, Any]) -> Iterator[Fault]:
    tasks = [(at, action) for at, action in _sagemaker_tasks(machine, "")]
    if any(action == "describeEndpoint" for _, action in tasks):
        return
    for at, action in tasks:
        if _CHANGES.fullmatch(action):
            yield Fault("M020", f"{at}/Resource", f"nothing looks whether the endpoint comes after {action}")


def _sagemaker_tasks(scope: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    states = scope.get("States")
    for name, state in states.items() if isinstance(states, Mapping) else ():
        if not isinstance(state, Mapping):
            continue
        below = f"{at}/States{pointer(name)}"
        found = _INTEGRATION.fullmatch(resource) if isinstance(resource := state.get("Resource"), str) else None
        if found is not None and found["service"] == "sagemaker":
            yield below, found["action"]
        for inner, place in _inside(state, below):
            yield from _sagemaker_tasks(inner, place)
