"""What ``Steps.X.<path>`` reads: the path walked through the step type's response, or told why it cannot be.

The names and numbers of items are taken from what the step's own Arguments declare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlops.check.images import parse
from mlops.check.nearest import did_you_mean
from mlops.check.shapes import Shape, shape
from mlops.ir import Placed, Ref, Step, StepType, Unknown, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.values import Key, RefPath
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS

if TYPE_CHECKING:
    from mlops.check.subject import Subject

Segment = str | int | Key

SCALARS: Mapping[str, str] = {
    "string": "String",
    "integer": "Integer",
    "long": "Integer",
    "float": "Float",
    "double": "Float",
    "boolean": "Boolean",
    "timestamp": "DateTime",
}
"""The parameter type that a shape's values have; a timestamp has none, and is no number."""

FOR_EACH_COUNTS = (
    "InputItemCount", "TotalStepCount", "SucceededStepCount", "FailedStepCount", "StoppedStepCount",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Property:
    """``kind`` is String, Integer, Float, Boolean, structure, list, map, property file, or None for anything.
    ``shape`` is known where the path ends inside a response."""

    kind: str | None = None
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """The path leads nowhere; ``doubtful`` where the service may know more than is declared."""

    message: str
    help: str | None = None
    doubtful: bool = False


ANYTHING = Property()
READABLE = "what the service answers about the step can be read, see `mlops explain R306`"


def read(subject: Subject, path: RefPath) -> Property | Dead:
    """``path.root`` is ``Steps``. A step that does not exist, or whose type nobody knows, is anything."""
    placed = subject.by_name.get(path.name)
    if placed is None:
        return ANYTHING
    step_type = subject.type_of(placed.step)
    if step_type is None:
        return ANYTHING
    return _read(subject, placed, step_type, path.segments)


def _read(subject: Subject, placed: Placed, step_type: StepType, segments: Sequence[Segment]) -> Property | Dead:
    step = placed.step
    if isinstance(step.arguments, Unknown):
        return ANYTHING
    if not segments:
        return Dead(f"Steps.{step.name} is a step, not a value", "name one of its properties")
    first = segments[0].text if isinstance(segments[0], Key) else segments[0]
    if not isinstance(first, str):
        return Dead(f"step {step.name} is no list", "name one of its properties")
    if first == "OutputParameters" and "OutputParameters" in step_type.envelope:
        return _output_parameter(step, segments[1:])
    if first == "PropertyFiles" and "PropertyFiles" in step_type.envelope:
        return _property_file(step, segments[1:])
    if "ForEachBody" in step_type.blocks:
        return _for_each(subject, placed, step_type, segments)
    extra = _extra(step, step_type, segments)
    if extra is not None:
        return extra
    response = shape(step_type.service, step_type.response) if step_type.response else None
    if response is None:
        if step_type.response is not None:
            return ANYTHING
        known = _top_names(step_type)
        if not known:
            return Dead(f"nothing can be read of a {step.type} step", f"do not refer to {step.name}")
        return Dead(
            f"a {step.type} step has no {first}",
            did_you_mean(first, known) or READABLE,
        )
    return _walk(step, step_type, response, segments)


def _top_names(step_type: StepType) -> list[str]:
    names = list(dict.fromkeys(name.partition(".")[0] for name in step_type.extra_response))
    names += [name for name in ("OutputParameters", "PropertyFiles") if name in step_type.envelope]
    return names


ENTITIES = {"ActionArns": "Actions", "ArtifactArns": "Artifacts", "ContextArns": "Contexts"}
"""What a Lineage step tells of its entities by name, and the argument that declares them."""


def _declared_entity(step: Step, name: str, rest: Sequence[Segment]) -> Property | Dead:
    declares = ENTITIES.get(name)
    wanted = rest[0].text if isinstance(rest[0], Key) else None
    items = _declared(step, declares) if declares and wanted is not None else None
    if declares is None or wanted is None or items is None:
        return ANYTHING
    names = [item.get(f"{declares[:-1]}Name") if isinstance(item, Mapping) else None for item in items]
    texts = [item for item in names if isinstance(item, str)]
    if len(texts) < len(names) or wanted in texts:
        return Property("String")
    text = f"step {step.name} declares no {wanted!r} in {declares}"
    return Dead(text, did_you_mean(wanted, texts) or READABLE)


def _extra(step: Step, step_type: StepType, segments: Sequence[Segment]) -> Property | Dead | None:
    """Members beside the response shape; keys of ``extra_response`` may be dotted."""
    names = [segment if isinstance(segment, str) else "" for segment in segments]
    for name, shape_name in step_type.extra_response.items():
        wanted = name.split(".")
        if names[: len(wanted)] != wanted:
            continue
        if shape_name is None:
            rest = segments[len(wanted) :]
            if name in step_type.parsed_text:
                return ANYTHING
            if rest and not isinstance(rest[0], Key):
                return Dead(f"{name} is a plain value, nothing is below it", f"end the path at {name}")
            return _declared_entity(step, name, rest) if rest else ANYTHING
        missing = _beyond_top(step, name, segments[len(wanted) :])
        if missing is not None:
            return missing
        start = shape(step_type.service, shape_name)
        return ANYTHING if start is None else _follow(start, segments[len(wanted) :], name)
    if any(name.startswith(f"{names[0]}.") for name in step_type.extra_response):
        known = [name.split(".")[1] for name in step_type.extra_response if name.startswith(f"{names[0]}.")]
        if len(names) == 1:
            return Property("structure")
        return Dead(f"{names[0]} has no {names[1] or segments[1]}", did_you_mean(names[1], known) or READABLE)
    return None


_TOP = 50
"""The service tells of the 50 best training jobs of a tuning job."""


def _beyond_top(step: Step, name: str, rest: Sequence[Segment]) -> Dead | None:
    """An index among the best training jobs that no tuning job, or not this one, can reach."""
    if name != "TrainingJobSummaries" or not rest or not isinstance(rest[0], int):
        return None
    if rest[0] >= _TOP:
        return Dead(f"there is no {name}[{rest[0]}], only the {_TOP} best are told", f"count from 0 to {_TOP - 1}")
    value = get(step.arguments, "HyperParameterTuningJobConfig", "ResourceLimits", "MaxNumberOfTrainingJobs")
    if isinstance(value, int) and not isinstance(value, bool) and rest[0] >= value:
        text = f"{step.name} runs {value} training jobs, there is no {name}[{rest[0]}]"
        return Dead(text, "count from 0", doubtful=True)
    return None


def _follow(start: Shape, segments: Sequence[Segment], walked: str) -> Property | Dead:
    current = start
    for segment in segments:
        stepped = _step_into(current, segment, walked)
        if isinstance(stepped, Dead):
            return stepped
        current, walked = stepped, _dotted(walked, segment)
    return _property(current)


def _property(current: Shape) -> Property:
    if current.kind in ("structure", "list", "map"):
        return Property(current.kind, current)
    return Property(SCALARS.get(current.kind), current)


def _dotted(walked: str, segment: Segment) -> str:
    if isinstance(segment, str):
        return f"{walked}.{segment}" if walked else segment
    return f"{walked}[{segment!r}]" if isinstance(segment, int) else f"{walked}['{segment.text}']"


def _step_into(current: Shape, segment: Segment, walked: str) -> Shape | Dead:
    match current.kind, segment:
        case "structure", str(name):
            member = current.member(name)
            if member is not None:
                return member
            known = [*current.members]
            return Dead(f"{walked or current.name} has no {name}", did_you_mean(name, known) or READABLE)
        case "structure", Key(text):
            member = current.member(text)
            help_text = did_you_mean(text, current.members) or READABLE
            return member or Dead(f"{walked or current.name} has no {text}", help_text)
        case "map", str() | Key():
            return current.value()
        case "list", int():
            return current.item()
        case "list", Key(text):
            return Dead(f"{walked} is a list without names", f"use a number in place of '{text}'")
        case "list", str(name):
            return Dead(f"{walked} is a list", f"pick an item before .{name}, by number or by name")
        case _, int():
            return Dead(f"{walked} is no list", "leave the index out")
    return Dead(f"{walked} is a {current.kind}, nothing is below it", f"end the path at {walked}")


def _walk(step: Step, step_type: StepType, response: Shape, segments: Sequence[Segment]) -> Property | Dead:
    current, walked, plain = response, "", ""
    for index, segment in enumerate(segments):
        if current.kind == "structure" and isinstance(segment, str) and current.member(segment) is None and not walked:
            known = [*current.members, *_top_names(step_type)]
            return Dead(f"a {step.type} step has no {segment}", did_you_mean(segment, known) or READABLE)
        if current.kind == "list":
            named = step_type.keyed.get(plain)
            missing = _missing_item(step, step_type, plain, named, segment)
            if missing is not None:
                return missing
            if isinstance(segment, Key) and named is not None:
                current, walked = current.item(), _dotted(walked, segment)
                continue
        if current.kind == "map" and not isinstance(segment, int):
            missing = _missing_entry(step, plain, segment.text if isinstance(segment, Key) else segment)
            if missing is not None:
                return missing
        stepped = _step_into(current, segment, walked)
        if isinstance(stepped, Dead):
            return stepped
        current, walked = stepped, _dotted(walked, segment)
        if isinstance(segment, str):
            plain = f"{plain}.{segment}" if index else segment
    return _property(current)


def _missing_entry(step: Step, dotted: str, wanted: str) -> Dead | None:
    """A key of a map that the step gives whole, as HyperParameters and Environment are; the job may add to it."""
    value = step.arguments
    for member in dotted.split("."):
        if not isinstance(value, Mapping) or member not in value:
            return None
        value = value[member]
    if not isinstance(value, Mapping) or wanted in value:
        return None
    text = f"step {step.name} gives no {wanted!r} in {dotted}"
    return Dead(text, did_you_mean(wanted, value) or READABLE, doubtful=True)


def _missing_item(step: Step, step_type: StepType, plain: str, named: str | None, segment: Segment) -> Dead | None:
    if isinstance(segment, str) or (isinstance(segment, Key) and named is None):
        return None
    produced = step_type.producers.get(plain, plain)
    declares = named
    if plain in step_type.producers and named is not None:
        # The producer's last member is the one that names an item.
        produced, _, declares = produced.rpartition(".")
    items = _declared(step, produced)
    if items is None:
        return None
    if isinstance(segment, int):
        # A list that the service fills itself may be longer than what was asked for.
        echoed = plain in step_type.producers or (items and _echoes(step_type, plain))
        if echoed and segment >= len(items):
            text = f"{step.name} declares {len(items)} items in {produced}, there is no [{segment}]"
            return Dead(text, "count from 0")
        return None
    names = []
    if declares != named and not items:
        return None
    for item in items:
        name = item.get(declares or "") if isinstance(item, Mapping) else None
        if not isinstance(name, str):
            return None  # an item whose name is an expression or was reported already
        names.append(name)
    if segment.text in names:
        return None
    text = f"step {step.name} declares no {segment.text!r} in {produced}"
    # Where the response has other names than the request, the job may add items of its own: Amazon's images do metrics.
    doubtful = declares != named and not _runs_own_image(step)
    return Dead(text, did_you_mean(segment.text, names) or READABLE, doubtful=doubtful)


def _runs_own_image(step: Step) -> bool:
    """Whether the training image is written down, and none of Amazon's."""
    text = get(step.arguments, "AlgorithmSpecification", "TrainingImage")
    image = parse(text) if isinstance(text, str) else None
    return image is not None and image.framework is None and image.account not in ALGORITHM_ACCOUNTS


def _echoes(step_type: StepType, dotted: str) -> bool:
    """Whether the response tells a list of the request as it was given, as channels, containers and variants are."""
    found = shape(step_type.service, step_type.request) if step_type.request else None
    for member in dotted.split("."):
        found = found.member(member) if found is not None and found.kind == "structure" else None
    return found is not None and found.kind == "list"


def _declared(step: Step, dotted: str) -> tuple[Value, ...] | None:
    """The list at a dotted path of the request; empty where it is absent, None where it cannot be known."""
    value = step.arguments
    for member in dotted.split("."):
        if not isinstance(value, Mapping):
            return None
        if member not in value:
            return ()
        value = value[member]
    return value if isinstance(value, tuple) else None


def echoed(subject: Subject, reference: Ref) -> Value:
    """What the request of the step that is read says at the path, as the response tells it again; None where it does
    not say it."""
    path = reference.path
    placed = subject.by_name.get(path.name) if path is not None and path.root == "Steps" else None
    step_type = subject.type_of(placed.step) if placed is not None else None
    if path is None or placed is None or step_type is None or step_type.request is None:
        return None
    value: Value = placed.step.arguments
    for segment in path.segments:
        if isinstance(segment, str) and isinstance(value, Mapping):
            value = value.get(segment)
        elif isinstance(segment, int) and isinstance(value, tuple):
            value = value[segment] if segment < len(value) else None
        elif isinstance(segment, Key) and isinstance(value, tuple):
            value = next((item for item in value if _is_named(item, segment.text)), None)
        else:
            return None
    return value


def _is_named(item: Value, text: str) -> bool:
    return isinstance(item, Mapping) and any(
        value == text for name, value in item.items() if name.endswith("Name") or name == "Name"
    )


def declared_outputs(step: Step) -> Mapping[str, Mapping[str, Value]] | None:
    """OutputParameters by name; None where they cannot be known."""
    listed = step.members.get("OutputParameters", ())
    if not isinstance(listed, tuple):
        return None
    found: dict[str, Mapping[str, Value]] = {}
    for item in listed:
        name = item.get("OutputName") if isinstance(item, Mapping) else None
        if not isinstance(name, str) or not isinstance(item, Mapping):
            return None
        found[name] = item
    return found


def _output_parameter(step: Step, segments: Sequence[Segment]) -> Property | Dead:
    if not segments:
        return Property("map")
    name = segments[0].text if isinstance(segments[0], Key) else segments[0]
    if not isinstance(name, str):
        return Dead("OutputParameters are named, not numbered", "write OutputParameters['name']")
    declared = declared_outputs(step)
    if declared is None:
        return ANYTHING
    if name not in declared:
        text = f"step {step.name} declares no output {name!r}"
        return Dead(text, did_you_mean(name, declared) or f"add it to OutputParameters of {step.name}")
    if len(segments) > 1:
        return Dead(f"output {name!r} of {step.name} is a plain value, nothing is below it")
    kind = declared[name].get("OutputType")
    return Property(kind if isinstance(kind, str) and kind in ("String", "Integer", "Float", "Boolean") else None)


def property_files(step: Step) -> Sequence[str] | None:
    """Names in PropertyFiles; None where they cannot be known."""
    listed = step.members.get("PropertyFiles", ())
    if not isinstance(listed, tuple):
        return None
    names = [item.get("PropertyFileName") if isinstance(item, Mapping) else None for item in listed]
    texts = [name for name in names if isinstance(name, str)]
    return texts if len(texts) == len(names) else None


def _property_file(step: Step, segments: Sequence[Segment]) -> Property | Dead:
    name = segments[0].text if segments and isinstance(segments[0], Key) else segments[0] if segments else None
    if not isinstance(name, str):
        return Dead("PropertyFiles is no value", "write PropertyFiles.<name>")
    declared = property_files(step)
    if declared is not None and name not in declared:
        text = f"step {step.name} declares no property file {name!r}"
        return Dead(text, did_you_mean(name, declared) or f"add it to PropertyFiles of {step.name}")
    if len(segments) > 1:
        return Dead(f"property file {name!r} is read with Std:JsonGet and a Path, not with a longer reference")
    return Property("property file")


def _for_each(subject: Subject, placed: Placed, step_type: StepType, segments: Sequence[Segment]) -> Property | Dead:
    match segments:
        case ["Status"]:
            return Property("String")
        case [str(name)] if name in FOR_EACH_COUNTS:
            return Property("Integer")
        case ["Selected", *rest]:
            arguments = placed.step.arguments
            selector = arguments.get("Selector") if isinstance(arguments, Mapping) else None
            if isinstance(arguments, Mapping) and selector is None:
                return Dead(f"ForEach {placed.step.name} has no Selector, so nothing is Selected", "add a Selector")
            field = selector.get("Field") if isinstance(selector, Mapping) else None
            chosen = field.path.name if isinstance(field, Ref) and field.path else None
            if not rest:
                return Property("structure")
            return body_property(subject, placed, chosen, rest) if chosen else ANYTHING
        case ["IterationOutputs", int(index), (str(body) | Key(body)), *rest]:
            arguments = placed.step.arguments
            items = arguments.get("IterableItems") if isinstance(arguments, Mapping) else None
            if isinstance(items, tuple) and index >= len(items):
                text = f"{placed.step.name} iterates over {len(items)} items, there is no IterationOutputs[{index}]"
                return Dead(text, "count from 0")
            return body_property(subject, placed, body, rest)
        case ["IterationOutputs", *_]:
            return Dead("IterationOutputs is a list of steps", "write IterationOutputs[0].<step>.<property>")
    known = [*_top_names(step_type), "Status", "Selected", "IterationOutputs", *FOR_EACH_COUNTS]
    first = str(segments[0])
    return Dead(f"a ForEach step has no {first}", did_you_mean(first, dict.fromkeys(known)) or READABLE)


def body_property(subject: Subject, placed: Placed, name: str, segments: Sequence[Segment]) -> Property | Dead:
    """A property of a step in a ForEach's body."""
    body = {step.name: step for block in placed.step.blocks if block.member == "ForEachBody" for step in block.steps}
    if name not in body:
        return Dead(
            f"{name} is no step in the body of {placed.step.name}", did_you_mean(name, body) or "name one of its steps"
        )
    inner = subject.by_name.get(name)
    step_type = subject.type_of(body[name])
    if inner is None or step_type is None:
        return ANYTHING
    return _read(subject, inner, step_type, segments)
