"""What is there and of the right kind, and the one that was meant is beside it: outputs that are exchanged, models that
are registered again, metrics that are held against their sense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial

from mlops.check.expressions import literal
from mlops.check.graph import exclude_each_other
from mlops.check.members import entries
from mlops.check.metric_words import better
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import JsonGet, Placed, Ref, Severity, Value
from mlops.ir.members import get
from mlops.ir.values import Key, RefPath, pointer

_PORTS = (
    ("InputDataConfig", "ChannelName", ("DataSource", "S3DataSource", "S3Uri")),
    ("ProcessingInputs", "InputName", ("S3Input", "S3Uri")),
)


@rule("X833", "output-of-another-name", Severity.WARNING, source="the step that writes it has an output of that name")
def output_of_another_name(subject: Subject) -> Iterator[Fault]:
    """A channel or an input takes an output of a step that has another output of the channel's own name: a model is
    trained on what is kept for its test, or tested on what it was trained on.

    Bad:  the channel train of {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"}
    Good: the channel train of {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}
    """
    outputs = cache(partial(_outputs, subject))
    for placed in subject.placed:
        for member, naming, source in _PORTS:
            for where, port in entries(placed.step.arguments, member):
                name, found = port.get(naming), _output(get(port, *source))
                if found is None or not isinstance(name, str):
                    continue
                producer, output = found
                # An output of a longer name, as train-balanced, is another state of the same.
                if name in output or output in name or name not in outputs(producer):
                    continue
                message = f"{name!r} takes the output {output!r} of {producer!r}, which has one that is called {name!r}"
                at = f"{placed.pointer}/Arguments{where}{pointer(*source)}/Get"
                yield Fault(at, message, f"read Outputs['{name}'], or call it {output!r}", placed)


def _outputs(subject: Subject, name: str) -> frozenset[str]:
    placed = subject.by_name.get(name)
    listed = entries(placed.step.arguments, "ProcessingOutputConfig", "Outputs") if placed is not None else ()
    return frozenset(found for _, item in listed if isinstance(found := item.get("OutputName"), str))


def _output(value: Value) -> tuple[str, str] | None:
    """The step and the output that are read."""
    path = value.path if isinstance(value, Ref) else None
    match path:
        case RefPath(root="Steps", segments=("ProcessingOutputConfig", "Outputs", Key(output), *_)):
            return path.name, output
    return None


@rule("X834", "registered-twice", Severity.WARNING, source="each CreateModelPackage makes a version of the group")
def registered_twice(subject: Subject) -> Iterator[Fault]:
    """Two steps register one model in one group: each makes a version, and whoever takes the newest takes either.

    Bad:  two RegisterModel steps of one "ModelPackageGroupName" and one "ModelDataUrl"
    Good: one of them, or a group for each
    """
    seen: list[tuple[tuple[Value, Value], Placed]] = []
    for placed, arguments in subject.of_type("RegisterModel"):
        group = literal(subject, arguments.get("ModelPackageGroupName")) or arguments.get("ModelPackageGroupName")
        data = [
            get(item, "ModelDataUrl") or get(item, "ModelDataSource")
            for _, item in entries(arguments, "InferenceSpecification", "Containers")
        ]
        if group is None or not data or data[0] is None:
            continue
        key = (group, tuple(data))
        same = (other for known, other in seen if known == key and not exclude_each_other(placed, other))
        first = next(same, None)
        seen.append((key, placed))
        if first is not None:
            message = f"{first.step.name!r} registers the same model in the same group"
            at = f"{placed.pointer}/Arguments/ModelPackageGroupName"
            yield Fault(at, message, "remove one of them, or name another group", placed)


_SMALLER, _LARGER = ("LessThan", "LessThanOrEqualTo"), ("GreaterThan", "GreaterThanOrEqualTo")
_GOES_ON = ("RegisterModel", "Model", "Endpoint")


@rule("C609", "worse-goes-on", Severity.WARNING, source="what errors and scores are, by the words of their names")
def worse_goes_on(subject: Subject) -> Iterator[Fault]:
    """A branch registers or serves a model where its error is large, or its score is small: the worse goes on. A name
    that says that it is negated is let pass, and so is a bound of what is bounded on the other side too.

    Bad:  "IfSteps" that register, where regression_metrics.mse.value is GreaterThan 6.0
    Good: the same where it is LessThan 6.0
    """
    for placed, arguments in subject.of_type("Condition"):
        then, otherwise = (_goes_on(placed, member) for member in ("IfSteps", "ElseSteps"))
        if then == otherwise:
            continue
        listed = list(entries(arguments, "Conditions"))
        for where, condition in listed:
            left, kind = condition.get("LeftValue"), condition.get("Type")
            name = _metric(left)
            way = better(name) if name is not None else None
            good, bad = (_SMALLER, _LARGER) if way == "smaller" else (_LARGER, _SMALLER)
            if not then:
                good, bad = bad, good
            bounded = any(item.get("LeftValue") == left and item.get("Type") in good for _, item in listed)
            if way is None or kind not in bad or bounded:
                continue
            member = "IfSteps" if then else "ElseSteps"
            message = f"a {way} {name} is better, and {member} goes on with the worse"
            help_text = f"write {good[bad.index(kind)]}, or exchange the branches"
            yield Fault(f"{placed.pointer}/Arguments{where}/Type", message, help_text, placed)


def _goes_on(placed: Placed, member: str) -> bool:
    return any(step.type in _GOES_ON for block in placed.step.blocks if block.member == member for step in block.steps)


def _metric(value: Value) -> str | None:
    """The name of what a file or a training says of a model."""
    if isinstance(value, JsonGet) and isinstance(value.path, str):
        return value.path
    path = value.path if isinstance(value, Ref) else None
    if path is None or path.root != "Steps" or path.segments[:1] != ("FinalMetricDataList",):
        return None
    return path.segments[1].text if len(path.segments) > 1 and isinstance(path.segments[1], Key) else None


@rule(
    "R335", "parameter-of-two-kinds", Severity.WARNING, source="botocore's shapes: a group holds versions, and is none"
)
def parameter_of_two_kinds(subject: Subject) -> Iterator[Fault]:
    """One parameter names a model package group and a model package: no value is both.

    Bad:  {"Get": "Parameters.Group"} as a ModelPackageGroupName and as a ModelPackageName
    Good: {"Get": "Steps.Register.ModelPackageArn"} as the ModelPackageName
    """
    groups: set[str] = set()
    packages: dict[str, list[tuple[str, Placed]]] = {}
    for at, holder, placed in subject.objects:
        group = _parameter(holder, "ModelPackageGroupName") if "ModelPackageGroupName" in holder else None
        package = _parameter(holder, "ModelPackageName") if "ModelPackageName" in holder else None
        if group is not None:
            groups.add(group)
        if package is not None:
            packages.setdefault(package, []).append((f"{at}/ModelPackageName/Get", placed))
    for name in sorted(groups & packages.keys()):
        for at, placed in packages[name]:
            message = f"{name} names a model package group elsewhere, and a version of one is wanted"
            yield Fault(at, message, "read the ModelPackageArn of a registration, or declare a parameter", placed)


def _parameter(holder: Mapping[str, Value], member: str) -> str | None:
    value = holder.get(member)
    path = value.path if isinstance(value, Ref) else None
    return path.name if path is not None and path.root == "Parameters" else None
