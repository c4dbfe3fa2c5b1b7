"""Judges of machines: asl-validator, botocore's models of the services that tasks call, and our own check.

``python -m tests.emit.machine_judges FOLDER`` asks them of the definitions that ``foreign.txt`` names.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.session import get_session

from mlops.check.machines.judging import judge
from mlops.check.sources import open_one
from mlops.emit.states.machine import written
from mlops.ir import MlopsError
from tests.emit.foreign import NAMED
from tests.emit.stacked import ENVIRONMENT, project
from tests.npm import installed

VALIDATOR = "asl-validator@4.0.0"
_SERVICES = {
    "applicationautoscaling": "application-autoscaling",
    "sagemakerruntime": "sagemaker-runtime",
    "elasticmapreduce": "emr",
    "sfn": "stepfunctions",
}
_RESOURCE = re.compile(r"arn:[\w-]+:states:::(?:aws-sdk:)?([a-z0-9]+):(\w+)(?:\.(sync|waitForTaskToken))?")
_OPTIMISED = frozenset(
    {
        *(f"sagemaker:create{kind}.sync" for kind in ("TrainingJob", "ProcessingJob", "TransformJob")),
        "sagemaker:createHyperParameterTuningJob.sync",
        *("lambda:invoke", "sqs:sendMessage.waitForTaskToken", "elasticmapreduce:addStep.sync"),
        *("sns:publish", "sns:publish.waitForTaskToken"),
    }
)
"""That the guide lists: connect-sagemaker, connect-lambda, connect-sqs, connect-sns, connect-emr."""
_SCRIPT = """
const validate = require("asl-validator");
const files = process.argv.slice(2);
const fs = require("fs");
for (const file of files) {
  const found = validate(JSON.parse(fs.readFileSync(file)));
  if (!found.isValid) console.log(file + ": " + JSON.stringify(found.errors).slice(0, 600));
}
"""


def states(machine: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All of them, however deep."""
    for name, state in machine["States"].items():
        yield name, state
        for inner in (*state.get("Branches", ()), *(state[m] for m in ("ItemProcessor",) if m in state)):
            yield from states(inner)


def names_twice(machine: Mapping[str, Any]) -> list[str]:
    names = [name for name, _ in states(machine)]
    return sorted({name for name in names if names.count(name) > 1 or len(name) > 80})


def ends_nowhere(machine: Mapping[str, Any]) -> Iterator[str]:
    """States that lead to none, or that none leads to."""
    scopes = [machine]
    while scopes:
        scope = scopes.pop()
        led = {scope["StartAt"]}
        for name, state in scope["States"].items():
            to = [state[member] for member in ("Next", "Default") if member in state]
            to += [rule["Next"] for rule in (*state.get("Choices", ()), *state.get("Catch", ()))]
            yield from (f"{name} leads to {item}, which is not there" for item in to if item not in scope["States"])
            if not to and state["Type"] not in ("Succeed", "Fail"):
                yield f"{name} leads nowhere"
            led |= {*to}
            scopes += [*state.get("Branches", ()), *(state[m] for m in ("ItemProcessor",) if m in state)]
        yield from (f"nothing leads to {name}" for name in scope["States"] if name not in led)


def wrong_calls(machine: Mapping[str, Any]) -> Iterator[str]:
    """Of tasks: resources, and arguments, that no service knows. What is JSONata fits everywhere."""
    for name, state in states(machine):
        if state["Type"] != "Task":
            continue
        found = _RESOURCE.fullmatch(state["Resource"])
        if found is None:
            yield f"{name}: {state['Resource']} is no resource"
            continue
        service, action, how = found.groups()
        if ":aws-sdk:" not in state["Resource"] and f"{service}:{action}{f'.{how}' if how else ''}" not in _OPTIMISED:
            yield f"{name}: {state['Resource']} is no optimised integration"
            continue
        asked = state["Arguments"] if "Arguments" in state else _of_paths(state["Parameters"])
        if service == "elasticmapreduce" and isinstance(asked, Mapping):
            action = "addJobFlowSteps"
            asked = {
                "JobFlowId": asked["ClusterId"],
                "Steps": [asked["Step"]],
                **{key: value for key, value in asked.items() if key not in ("ClusterId", "Step")},
            }
        if service == "sfn" and isinstance(asked, Mapping):
            # Members begin large in a machine, whatever the service calls them (guide: supported-services-awssdk).
            asked = {f"{key[0].lower()}{key[1:]}": value for key, value in asked.items()}
        model = _model(_SERVICES.get(service, service))
        operation = {item.lower(): item for item in model.operation_names}.get(action.lower())
        if operation is None:
            yield f"{name}: {service} has no action {action}"
            continue
        if f"{operation[0].lower()}{operation[1:]}" != action:
            yield f"{name}: the action is spelled {operation[0].lower()}{operation[1:]}"
        shape = model.operation_model(operation).input_shape
        if shape is not None:
            yield from (f"{name}: {told}" for told in _wrong(asked, shape, ""))


def _of_paths(parameters: Any) -> Any:
    """Parameters of a machine without JSONata, whose expressions have names that end in ``.$``."""
    if isinstance(parameters, list):
        return [_of_paths(item) for item in parameters]
    if not isinstance(parameters, Mapping):
        return parameters
    return {
        key.removesuffix(".$"): "{% path %}" if key.endswith(".$") else _of_paths(item)
        for key, item in parameters.items()
    }


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def _wrong(value: Any, shape: Shape, at: str) -> Iterator[str]:
    if _is_expression(value):
        return
    match shape:
        case StructureShape():
            if not isinstance(value, Mapping):
                yield f"{at} is no object"
                return
            for member in sorted({*value} - {*shape.members}):
                yield f"{at}.{member} is not there"
            for member in shape.required_members:
                if member not in value:
                    yield f"{at}.{member} is needed"
            for member, item in value.items():
                if member in shape.members:
                    yield from _wrong(item, shape.members[member], f"{at}.{member}")
        case ListShape():
            if not isinstance(value, list):
                yield f"{at} is no list"
                return
            for number, item in enumerate(value):
                yield from _wrong(item, shape.member, f"{at}[{number}]")
        case MapShape():
            if not isinstance(value, Mapping):
                yield f"{at} is no map"
                return
            for key, item in value.items():
                yield from _wrong(item, shape.value, f"{at}.{key}")
        case _:
            yield from _wrong_scalar(value, shape, at)


def _wrong_scalar(value: Any, shape: Shape, at: str) -> Iterator[str]:
    kinds = {"string": str, "integer": int, "long": int, "boolean": bool, "float": (int, float), "double": (int, float)}
    kind = kinds.get(shape.type_name)
    if shape.type_name == "string" and isinstance(value, Mapping) and at.endswith("MessageBody"):
        return  # Step Functions writes it as text
    if kind is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        yield f"{at} is {value!r:.60}, no {shape.type_name}"
    elif isinstance(value, str):
        if shape.enum and value not in shape.enum:
            yield f"{at}: {value} is none of {shape.enum}"
        pattern, most = shape.metadata.get("pattern"), shape.metadata.get("max")
        if pattern and not _fits(pattern, value):
            yield f"{at}: {value!r:.80} is not {pattern}"
        if most is not None and len(value) > most:
            yield f"{at} is longer than {most}"


def _fits(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True  # of Java's own


@cache
def _model(service: str) -> ServiceModel:
    return get_session().get_service_model(service)


def invalid(machines: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What asl-validator says of them, one process for all."""
    there = installed(VALIDATOR)
    (there / "judge.js").write_text(_SCRIPT)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, (name, machine) in enumerate(machines.items()):
            file = Path(folder) / f"{number:03} {re.sub('[^A-Za-z0-9]+', '-', name)}.json"
            file.write_text(json.dumps(machine))
            files.append(str(file))
        done = subprocess.run(["node", str(there / "judge.js"), *files], cwd=there, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def faults(machine: Mapping[str, Any]) -> list[str]:
    ours = [f"{found.code} {found.message}" for found in judge(json.dumps(machine).encode(), "machine.json")]
    return [*ends_nowhere(machine), *names_twice(machine), *wrong_calls(machine), *ours]


def main(arguments: Sequence[str]) -> int:
    folder = Path(arguments[0])
    found: dict[str, Mapping[str, Any]] = {}
    refused: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as where:
        there = project(Path(where))
        names = [line.split()[0] for line in NAMED.read_text().splitlines()]
        for name in [item.name for item in sorted(folder.glob("*.json"))] if "--all" in arguments else names:
            (there / name).write_bytes((folder / name).read_bytes())
            try:
                checked = open_one(str(there / name), ENVIRONMENT).pipelines[0]
                if not checked.ok:
                    continue
                found[name] = written(checked, "aws").machine
            except MlopsError as error:
                refused[name] = error.message
    wrong = [*invalid(found)]
    for name, machine in found.items():
        wrong += [f"{name}: {told}" for told in faults(machine)]
    for line in (*(f"{name}: refused: {told}" for name, told in refused.items()), *wrong):
        print(line)
    print(f"{len(found)} machines, {len(refused)} refused, {len(wrong)} faults")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
