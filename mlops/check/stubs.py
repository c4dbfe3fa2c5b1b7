"""Whether a stub can stand for a step: what it gives is of the step's properties, and all that others read is there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from mlops.check.properties import FOR_EACH_COUNTS
from mlops.check.shapes import Misfit, Mismatch, shape, walk
from mlops.ir import Checked, Step, StepType, UsageError
from mlops.ir.choices import instead, near
from mlops.ir.dataclass import dataclass
from mlops.ir.stub import COMPLETED, Stub, holds, members_at, merged, response_of
from mlops.ir.values import Key, RefPath, from_json, refs
from mlops.knowledge.output_types import OfAnotherType, typed

_OUTPUTS, _FILES = "OutputParameters", "PropertyFiles"
_OUTCOMES: Mapping[str, str] = {"True": "ElseSteps", "False": "IfSteps"}
"""The branch that is not taken then."""
_ABSENT = (Mismatch.MISSING_MEMBER, Mismatch.COUNT, Mismatch.NULL)
"""Nobody has to give all of a response."""
_WORDS = ("outputs", "metrics", "values")


@dataclass(frozen=True, slots=True)
class Given:
    """What stands for a step as somebody gave it: ``outputs`` are files and folders, or S3 URIs."""

    members: Mapping[str, Any]
    outputs: Mapping[str, str]
    source: str


def given_for(checked: Checked, name: str, document: Any, source: str) -> Given:
    """``document`` has members of the step's response, and in lower case ``outputs`` (files, folders and values by
    name), ``metrics`` (numbers by name) and ``values`` (by the path that others read). Raises UsageError."""
    step = checked.definition.step(name)
    if step is None:
        known = [placed.step.name for placed in checked.definition.placed()]
        raise UsageError(f"there is no step {name} for which {source} could stand{instead(name, known, 'there are')}")
    if step.type == "Fail":
        raise UsageError(f"{name} is a Fail step, and nothing can stand for it", hint="take another branch")
    if not isinstance(document, Mapping):
        raise UsageError(f"{source}, the stub of {name}, is no JSON object")
    step_type = checked.type_of(step)
    keyed = step_type.keyed if step_type is not None else {}
    files, declared = _file_names(step, step_type), _declared(step)
    outputs: dict[str, str] = {}
    members = {str(member): value for member, value in document.items() if member not in _WORDS}
    for output, value in _named(document, "outputs", name, source).items():
        if output in declared:
            members = merged(members, {_OUTPUTS: {output: value}}, keyed)
        elif output not in files:
            known = [*files, *declared]
            raise UsageError(f"{source}: {name} has no output {output!r}{instead(output, known, 'it has')}")
        elif not isinstance(value, str):
            raise UsageError(f"{source}: the output {output} of {name} is {value!r}, and no file, folder or S3 URI")
        else:
            outputs[output] = value
    metrics = [
        {"MetricName": metric, "Value": value} for metric, value in _named(document, "metrics", name, source).items()
    ]
    if metrics:
        members = merged(members, {"FinalMetricDataList": metrics}, keyed)
    given = _named(document, "values", name, source)
    for path, value in given.items():
        found = members_at(path, value, keyed)
        if found is None:
            raise UsageError(f"{source}: {path!r} is no path below Steps.{name} for {json.dumps(value)[:80]}")
        members = merged(members, found, keyed, by_place=True)
    if given:
        members = _with_items(members)
    members = _judged(step, step_type, members, declared, source)
    return Given(members, outputs, source)


def _with_items(value: Any) -> Any:
    """Items of lists of plain values of which nothing was said are empty ones.

    >>> _with_items({"Args": [{}, "b"], "Of": [{}, {"a": 1}]})
    {'Args': ['', 'b'], 'Of': [{}, {'a': 1}]}
    """
    if isinstance(value, Mapping):
        return {name: _with_items(item) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    plain = next((item for item in value if isinstance(item, str | int | float)), None)
    if plain is None:
        return [_with_items(item) for item in value]
    return [type(plain)() if item == {} else item for item in value]


def left_out(checked: Checked, stubs: Mapping[str, Given]) -> frozenset[str]:
    """The steps that do not run for sure: those that have stubs, and what such a loop holds or such a condition does
    not choose."""
    found = set(stubs)
    for placed in checked.definition.placed():
        for container, member in placed.branches:
            stub = stubs.get(container)
            if stub is not None and member == _OUTCOMES.get(str(stub.members.get("Outcome")), member):
                found.add(placed.step.name)
    return frozenset(found)


def need_all_that_is_read(
    checked: Checked, stubs: Mapping[str, Given], has: Callable[[str, str], bool], only: Collection[str] = ()
) -> None:
    """By the steps that run; of ``only`` those, where they are named. Raises UsageError with all that is not there."""
    lacking: dict[str, dict[str, None]] = {}
    readers: dict[str, dict[str, None]] = {}
    for reader, name, path in _readings(checked, stubs, only):
        read = checked.definition.step(name)
        if read is None:
            continue
        told = _lack(read, checked.type_of(read), stubs[name], path, has)
        if told is not None:
            lacking.setdefault(name, {})[told] = None
            readers.setdefault(name, {})[reader] = None
    if not lacking:
        return
    told_of = [
        f"{stubs[name].source}, the stub of {name}, lacks what {_and(readers[name])} "
        f"{'reads' if len(readers[name]) == 1 else 'read'}: {'; '.join(members)}"
        for name, members in lacking.items()
    ]
    ways = [f"a whole one of {name} is, e.g.,\n{shown_example(checked, name, stubs, only)}" for name in lacking]
    raise UsageError("\n".join(told_of), hint="\n".join(ways))


def _and(names: Collection[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def shown_example(checked: Checked, name: str, stubs: Collection[str] = (), only: Collection[str] = ()) -> str:
    """A file that gives all that is read of the step, as JSON. The values are made up."""
    return json.dumps(example(checked, name, stubs, only), ensure_ascii=False, indent=2)


def example(checked: Checked, name: str, stubs: Collection[str] = (), only: Collection[str] = ()) -> dict[str, Any]:
    """The same as a value; ``stubs`` are steps that do not run either."""
    step = checked.definition.step(name)
    if step is None:
        return {}
    step_type = checked.type_of(step)
    if "IfSteps" in (step_type.blocks if step_type is not None else ()):
        return {"Outcome": "True"}
    outputs: dict[str, Any] = {}
    values: dict[str, Any] = {}
    reports = {report: (output, file) for report, output, file in _reports(step)}
    declared = _declared(step)
    for _, _, path in _readings(checked, {name, *stubs}, only, of=name):
        match path.segments:
            case ("PropertyFiles", str(report) | Key(text=report)) if report in reports:
                output, file = reports[report]
                outputs[output] = file.rpartition("/")[2] if "/" not in file else "FOLDER"
                continue
            case ("OutputParameters", str(output) | Key(text=output)) if output in declared:
                outputs[output] = _MADE_UP.get(declared[output], _TEXT)
                continue
        found = _output_read(step, step_type, path)
        if found is not None:
            outputs.setdefault(found, "FILE")
        elif not _echoed(step, step_type, path):
            values[path_below(path)] = _made_up(step_type, path)
    return {**({"outputs": outputs} if outputs else {}), **({"values": values} if values else {})}


def _echoed(step: Step, step_type: StepType | None, path: RefPath) -> bool:
    """Whether the run has it without the stub: a job repeats its request."""
    if _inside_a_text(step_type, path):
        return False
    nothing = Given({}, {}, "")
    return holds(_as_run(step, step_type, nothing), path, step_type.keyed if step_type is not None else {})


def _inside_a_text(step_type: StepType | None, path: RefPath) -> bool:
    """Whether the path goes on in a JSON text: what stands there is the job's answer, and nothing of the request."""
    return step_type is not None and len(path.segments) > 1 and path.segments[0] in step_type.parsed_text


_TEXT = "TEXT"
_MADE_UP: Mapping[str, Any] = {"Integer": 1, "Float": 0.5, "Boolean": True}
_OF_A_KIND: Mapping[str, Any] = {"integer": 1, "long": 1, "float": 0.5, "double": 0.5, "boolean": True}
_PLACE = "s3://bucket/key"
_WORDS_OF = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PLACES = ("S3", "Uri", "Url", "Path", "Report", "Baseline")
"""What members that hold a place in S3 are called after."""


def _made_up(step_type: StepType | None, path: RefPath) -> Any:
    """Something of the property's kind and form."""
    here = shape(step_type.service, step_type.response) if step_type is not None and step_type.response else None
    for segment in path.segments:
        match here.kind if here is not None else None, segment:
            case "structure", str(member) | Key(text=member):
                here = here.member(member) if here is not None else None
            case "list", _:
                here = here.item() if here is not None else None
            case "map", _:
                here = here.value() if here is not None else None
            case _:
                here = None
    last = next((item for item in reversed(path.segments) if isinstance(item, str)), "")
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:{_WORDS_OF.sub('-', last.removesuffix('Arn')).lower()}/name"
    usual = _PLACE if any(word in last for word in _PLACES) else arn if last.endswith("Arn") else _TEXT
    if here is None:
        return 1 if last in FOR_EACH_COUNTS else usual
    choices = [_OF_A_KIND[here.kind]] if here.kind in _OF_A_KIND else [usual, *here.raw.get("enum", ()), _PLACE, arn]
    return next((item for item in choices if not [*walk(item, here, "")]), usual)


def _readings(
    checked: Checked, stubs: Collection[str], only: Collection[str], of: str | None = None
) -> Iterator[tuple[str, str, RefPath]]:
    """Who reads which path of which stub: of steps that run."""
    out = left_out(checked, stubs) if isinstance(stubs, Mapping) else frozenset(stubs)
    for placed in checked.definition.placed():
        step = placed.step
        if step.name in out or (only and step.name not in only):
            continue
        for _, ref in refs((step.arguments, dict(step.members))):
            path = ref.path
            if path is None or path.root != "Steps" or path.name not in stubs or (of is not None and path.name != of):
                continue
            yield step.name, path.name, path


def _lack(
    step: Step, step_type: StepType | None, stub: Given, path: RefPath, has: Callable[[str, str], bool]
) -> str | None:
    match path.segments:
        case ("PropertyFiles", str(report) | Key(text=report)):
            place = next((item for item in _reports(step) if item[0] == report), None)
            if place is None:
                return None
            _, output, file = place
            if output not in stub.outputs:
                return f"the output {output}, in which {file} lies"
            return None if has(stub.outputs[output], file) else f"{file} in the output {output}"
    output_read = _output_read(step, step_type, path)
    if output_read is not None and output_read not in stub.outputs:
        keyed = step_type.keyed if step_type is not None else {}
        return None if holds(stub.members, path, keyed) else f"the output {output_read}"
    if step_type is not None and step_type.response is None and not step_type.extra_response and not step_type.envelope:
        return None
    has_it = stub.members if _inside_a_text(step_type, path) else _as_run(step, step_type, stub)
    return None if holds(has_it, path, step_type.keyed if step_type is not None else {}) else path_below(path)


def path_below(path: RefPath) -> str:
    """
    >>> path_below(RefPath("Steps", "Ask", ("OutputParameters", Key("by"))))
    "OutputParameters['by']"
    >>> path_below(RefPath("Steps", "Tune", ("TrainingJobSummaries", 0, "TrainingJobName")))
    'TrainingJobSummaries[0].TrainingJobName'
    """
    text = ""
    for segment in path.segments:
        match segment:
            case Key(text=key):
                text += f"['{key}']"
            case int():
                text += f"[{segment}]"
            case str():
                text += f".{segment}" if text else segment
    return text


def _as_run(step: Step, step_type: StepType | None, stub: Given) -> Mapping[str, Any]:
    """What the run will make of it; of the job's own members only that they are there counts."""
    request = step.arguments if isinstance(step.arguments, Mapping) else {}
    kind = step_type.job if step_type is not None else None
    job: dict[str, Any] = {}
    if kind is not None:
        job = {kind.name_member: "", kind.arn_member: "", kind.status_member: COMPLETED}
    return response_of(Stub(stub.members, stub.outputs, stub.source), step_type, request, job)[0]


def _judged(
    step: Step, step_type: StepType | None, members: Mapping[str, Any], declared: Mapping[str, str], source: str
) -> dict[str, Any]:
    """The members with outputs of their declared types. Raises UsageError for what is none of the step's properties."""
    found = dict(members)
    if "IfSteps" in (step_type.blocks if step_type is not None else ()):
        outcome = found.get("Outcome")
        if not isinstance(outcome, str) or outcome not in _OUTCOMES or len(found) > 1:
            raise UsageError(
                f'{source}, the stub of {step.name}, has to say which branch is taken: {{"Outcome": "True"}} or "False"'
            )
        return found
    given = found.get(_OUTPUTS)
    if given is not None:
        if not isinstance(given, Mapping) or not declared:
            raise UsageError(f"{source}: {step.name} declares no {_OUTPUTS}")
        found[_OUTPUTS] = {name: _typed(step, name, value, declared, source) for name, value in given.items()}
    for member, value in found.items():
        if member != _OUTPUTS and step_type is not None:
            _need_property(step, step_type, member, value, source)
    return found


def _typed(step: Step, name: str, value: Any, declared: Mapping[str, str], source: str) -> Any:
    if name not in declared:
        raise UsageError(f"{source}: {step.name} has no output {name!r}{instead(name, declared, 'it has')}")
    try:
        return typed(declared[name], value)
    except OfAnotherType as fault:
        raise UsageError(f"{source}: the output {name} of {step.name} {fault}") from None


def _need_property(step: Step, step_type: StepType, member: str, value: Any, source: str) -> None:
    if member in step_type.parsed_text and isinstance(value, Mapping):
        return  # what others read inside of the text
    response = shape(step_type.service, step_type.response) if step_type.response else None
    against = response.member(member) if response is not None else None
    extra = {name.partition(".")[0]: of for name, of in step_type.extra_response.items()}
    if against is None and extra.get(member) is not None:
        against = shape(step_type.service, str(extra[member]))
    if against is None:
        loop = (*FOR_EACH_COUNTS, "IterationOutputs", "Selected", "Status") if "ForEachBody" in step_type.blocks else ()
        known = [*(response.members if response is not None else ()), *extra, *loop]
        if member in (*extra, *loop):
            return
        guess = near(member, known)
        raise UsageError(
            f"{source}: a {step.type} step has no {member}{f'; did you mean {guess!r}?' if guess else ''}",
            hint=f'members are what others read: {{"A": {{"B": …}}}} for Steps.{step.name}.A.B',
        )
    for misfit in walk(from_json(value), against, f"/{member}"):
        if isinstance(misfit, Misfit) and misfit.kind not in _ABSENT and not misfit.doubtful:
            raise UsageError(f"{source}: {misfit.at}: {misfit.message}", hint=misfit.help)


def _named(document: Mapping[str, Any], word: str, step: str, source: str) -> Mapping[str, Any]:
    found = document.get(word, {})
    if not isinstance(found, Mapping):
        raise UsageError(f"{source}, the stub of {step}: {word} is no JSON object")
    return found


def _file_names(step: Step, step_type: StepType | None) -> tuple[str, ...]:
    kind = step_type.job if step_type is not None else None
    if kind is None or not isinstance(step.arguments, Mapping):
        return ()
    return tuple(name for place in kind.outputs for name in place.names(step.arguments))


def _declared(step: Step) -> dict[str, str]:
    """Types of a Lambda's or Callback's outputs by name."""
    listed: Any = step.members.get(_OUTPUTS) or ()
    return {
        str(item["OutputName"]): str(item.get("OutputType", "String"))
        for item in listed
        if isinstance(item, Mapping) and "OutputName" in item
    }


def _reports(step: Step) -> Iterator[tuple[str, str, str]]:
    """Name, output and file."""
    listed: Any = step.members.get(_FILES) or ()
    for item in listed:
        if isinstance(item, Mapping):
            yield str(item.get("PropertyFileName")), str(item.get("OutputName")), str(item.get("FilePath"))


def _output_read(step: Step, step_type: StepType | None, path: RefPath) -> str | None:
    kind = step_type.job if step_type is not None else None
    known = _file_names(step, step_type)
    for place in kind.outputs if kind is not None else ():
        name = place.named_by(path.segments)
        if name is not None and name in known:
            return name
    return None
