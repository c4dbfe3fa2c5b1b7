"""Faults derived from what the service and its containers say of themselves, to see which of them nobody tells.

Shapes give dropped, unknown, misspelt, mistyped, exceeded and unlisted members; the data of algorithms and containers
give values, channels, variables and ports that they do not take. Each is planted alone into a definition of one step.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sample_step_types import TYPES
from sound_definition import SOUND
from test_algorithms import EXAMPLES, alone, channels, known, training

from mlops.check import check
from mlops.check.shapes import Shape, shape
from mlops.check.subject import Subject
from mlops.ir import Definition, Severity
from mlops.ir.reader import read
from mlops.knowledge.algorithms import Hyperparameter, names

MAPS = frozenset({"IfSteps", "ElseSteps", "ForEachBody", "Conditions"})


@dataclass(frozen=True, slots=True)
class Derived:
    """``way`` is how it was spoilt, ``what`` the shape and member, or the algorithm and name, that it is about."""

    way: str
    what: str
    document: Any
    base: Any


def read_whole(document: Any) -> Definition:
    definition, _ = read(json.dumps(document), "derived.json")
    assert definition is not None
    return definition


def told(document: Any) -> set[tuple[str, str]]:
    """As errors."""
    definition, findings = read(json.dumps(document), "derived.json")
    if definition is not None:
        findings = check(definition, findings=findings, types=TYPES).findings
    return {(item.code, item.path) for item in findings if item.severity is Severity.ERROR}


class Bases:
    """What is told of the base of a fault, which many share: asked once of each.

    It holds the bases themselves, since the number of one that is gone is soon another's.
    """

    def __init__(self) -> None:
        self._told: dict[int, tuple[Any, set[tuple[str, str]]]] = {}

    def told(self, base: Any) -> set[tuple[str, str]]:
        if id(base) not in self._told:
            self._told[id(base)] = base, told(base)
        return self._told[id(base)][1]


def codes(fault: Derived, bases: Bases) -> set[str]:
    """What is told of a fault, as an error, and not of its base."""
    return {code for code, _ in told(fault.document) - bases.told(fault.base)}


def steps() -> Iterator[Mapping[str, Any]]:
    stack = list(SOUND["Steps"])
    while stack:
        step = stack.pop(0)
        arguments = step["Arguments"]
        stack += [inner for name in ("IfSteps", "ElseSteps", "ForEachBody") for inner in arguments.get(name, ())]
        yield step


def of_shapes() -> Iterator[Derived]:
    for step in steps():
        base = {"Version": "2020-12-01", "Parameters": SOUND["Parameters"], "Steps": [step]}
        definition = read_whole(base)
        against = Subject(definition, TYPES).request_shape(definition.steps[0])
        if against is not None:
            yield from _walk(base, step["Arguments"], against, ("Steps", 0, "Arguments"))


def _with(base: Any, path: tuple[Any, ...], value: Any, *, gone: bool = False) -> Any:
    document = copy.deepcopy(base)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    if gone:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return document


def _is_plain(value: Any) -> bool:
    return not (isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Get", "Std:")))


def _walk(base: Any, value: Any, shape: Shape, path: tuple[Any, ...]) -> Iterator[Derived]:
    if not _is_plain(value):
        return
    if shape.kind == "structure" and isinstance(value, dict):
        yield Derived("unknown member", shape.name, _with(base, (*path, "Xyzzy"), 1), base)
        for name, item in value.items():
            member = shape.member(name)
            if member is None or name in MAPS:
                continue
            what = f"{shape.name}.{name}"
            if name in shape.required:
                yield Derived("required member gone", what, _with(base, (*path, name), None, gone=True), base)
            misspelt = _with(base, (*path, name), None, gone=True)
            yield Derived("misspelt member", what, _with(misspelt, (*path, name.lower()), item), base)
            yield from _leaf(base, item, member, (*path, name), what)
            yield from _walk(base, item, member, (*path, name))
    elif shape.kind == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(base, item, shape.item(), (*path, index))
            if not isinstance(item, dict | list):
                yield from _leaf(base, item, shape.item(), (*path, index), shape.name)


def _leaf(base: Any, value: Any, shape: Shape, path: tuple[Any, ...], what: str) -> Iterator[Derived]:
    low, high = shape.raw.get("min"), shape.raw.get("max")

    def put(way: str, spoilt: Any) -> Derived:
        return Derived(way, what, _with(base, path, spoilt), base)

    numeric = shape.kind in ("integer", "long", "float", "double")
    yield put("another type", "seven" if numeric else 7)
    match shape.kind:
        case "string":
            if "enum" in shape.raw:
                yield put("no choice", "Xyzzy")
                if isinstance(value, str) and value.swapcase() not in shape.raw["enum"]:
                    yield put("choice in another case", value.swapcase())
            else:
                if isinstance(high, int) and high < 20_000:
                    yield put("too long", "s3://" + "x" * high)
                if isinstance(low, int) and low > 0:
                    yield put("too short", "")
                if shape.raw.get("pattern") not in (None, ".*", "[\\S\\s]*"):
                    yield put("another form", "a b\n\x07{")
        case "integer" | "long" | "float" | "double":
            if low is not None:
                yield put("below", low - 1)
            if high is not None:
                yield put("above", high + 1)
        case "list" if isinstance(value, list) and value:
            if isinstance(high, int) and high <= 300:
                yield put("too many", [value[0]] * (high + 1))
            if isinstance(low, int) and low > 0:
                yield put("too few", [])
        case "map" if isinstance(value, dict):
            if isinstance(high, int) and high <= 300:
                yield put("too many", {f"k{index}": "v" for index in range(high + 1)})


def of_algorithms() -> Iterator[Derived]:
    for name in names():
        algorithm, required = known(name), EXAMPLES[name]["required"]
        base = alone("Training", training(name, required))

        def put(way: str, key: str, values: Mapping[str, str], base: Any = base, name: str = name) -> Derived:
            return Derived(way, f"{name}.{key}", alone("Training", training(name, values)), base)

        for item in algorithm.hyperparameters.values():
            if item.required:
                yield put("required value gone", item.name, {k: v for k, v in required.items() if k != item.name})
            for way, value in _refused(item):
                yield put(way, item.name, {**required, item.name: value})
        yield put("unknown value", "xyzzy", {**required, "xyzzy": "1"})
        for channel, kind in algorithm.channels.items():
            inputs = channels(name)
            if kind.required and len(inputs) > 1:
                rest = {key: form for key, form in inputs.items() if key != channel}
                document = alone("Training", training(name, required, rest))
                yield Derived("channel gone", f"{name}.{channel}", document, base)
            if kind.content_types:
                document = alone("Training", training(name, required, {**inputs, channel: "text/xyzzy"}))
                yield Derived("type of no channel", f"{name}.{channel}", document, base)


def _refused(item: Hyperparameter) -> Iterator[tuple[str, str]]:
    for limit, by in ((item.min, -1), (item.max, 1), (item.above, 0), (item.below, 0)):
        if limit is not None:
            yield "beyond a limit", str(limit + by)
    if item.one_of:
        yield "no choice of it", "xyzzy" if item.kind != "list" else '["xyzzy"]'
    elif item.kind in ("integer", "number"):
        yield "a word for a number", "xyzzy"
    elif item.kind == "boolean":
        yield "a word for a switch", "xyzzy"


def everything() -> Iterator[Derived]:
    yield from of_shapes()
    yield from of_algorithms()


SOUND_ALL_THE_SAME: Mapping[tuple[str, str], str] = {
    ("another form", "Alarm.AlarmName"): "its pattern takes every text that is not blank",
    ("another form", "MetricDefinition.Name"): "its pattern takes every text",
    ("required member gone", "CreateEndpointConfigInput.EndpointConfigName"): "the service names what a step makes",
    ("required member gone", "CreateEndpointInput.EndpointName"): "the service names what a step makes",
    (
        "required member gone",
        "CreateInferenceComponentInput.InferenceComponentName",
    ): "the service names what a step makes",
}
"""Derived faults that nobody tells, and why that is right."""
WARNED: Mapping[tuple[str, str], str] = {
    ("another form", "MetricDefinition.Regex"): "the expression compiles, and finds nothing",
    ("another form", "ResponseMIMETypes"): "a test of AWS's own writes *",
    ("another form", "SparkSubmit.entryPoint"): "it may be in the application's own image",
    **{
        ("required value gone", what): "an AWS notebook leaves out all of them, which may be a stub"
        for what in (
            "blazingtext.mode", "linear-learner.predictor_type", "randomcutforest.feature_dim", "xgboost.num_round",
        )
    },
}  # fmt: skip
"""Derived faults that are a warning, since the service or the container may take them."""

REQUESTS: Mapping[str, tuple[str, ...]] = {
    "sagemaker": (
        "AddAssociationRequest",
        "CreateActionRequest",
        "CreateArtifactRequest",
        "CreateAutoMLJobRequest",
        "CreateContextRequest",
        "CreateEndpointConfigInput",
        "CreateEndpointInput",
        "CreateHyperParameterTuningJobRequest",
        "CreateInferenceComponentInput",
        "CreateJobRequest",
        "CreateModelInput",
        "CreateModelPackageInput",
        "CreateProcessingJobRequest",
        "CreateTrainingJobRequest",
        "CreateTransformJobRequest",
    ),
    "emr": ("HadoopJarStepConfig", "RunJobFlowInput"),
    "emr-serverless": ("CreateApplicationRequest", "StartJobRunRequest"),
}
"""What Arguments of steps mirror, by service."""
_LEFT_OUT: Mapping[str, frozenset[str]] = {"emr": frozenset({"Name", "Steps", "AutoTerminationPolicy"})}
"""Members that a step cannot have."""
_DEMANDS = re.compile(
    r"\b(must|can't|cannot|can not|only if|only when|mutually exclusive|required (if|when|for)|not supported|"
    r"isn't supported|don't (specify|set|use)|do not (specify|set|use)|"
    r"either|but not both|instead of|exactly one|unique|isn't accepted|not compatible|no longer supported|"
    r"valid values|requires that|is ignored|applicable only|only applicable|only supported|used only|can only be|"
    r"always ends|jobs only|mode only|identifies an object|should not be|should be less|should be larger|combined|"
    r"is required|are required|required parameter|at most|no more than|up to \d|a maximum of|maximum of \d|minimum of|"
    r"(minimum|maximum) (value|length)( is|s? of)|minimum value|valid only|"
    r"only (applies|available|accepted|be|supported)|applies only|available (only|values|options|in amazon emr)|"
    r"works only|no effect|takes effect only|leave this field|supported values|supported with|"
    r"valid (inputs|types|range|log|upload)|possible values|rejects|not applicable|should only|limited to|at least one|"
    r"one and only one|unless)\b",
    re.IGNORECASE,
)


def sentences() -> Iterator[tuple[str, str]]:
    """Structure or member and beginning of each sentence of the services' documentation that demands something."""
    told: set[tuple[str, str]] = set()
    for place, text in (item for service in REQUESTS for item in _documented(service)):
        plain = re.sub(r"<[^>]+>", " ", re.sub(r"<code>([^<]*)</code>", r"`\1`", text))
        for sentence in re.split(r"(?<=[.])\s+", plain):
            said = (place, re.sub(r"\s+", " ", sentence).strip()[:72])
            if _DEMANDS.search(sentence) and said not in told:
                told.add(said)
                yield said


def _documented(service: str) -> Iterator[tuple[str, str]]:
    """What is said of each structure inside of the service's requests, and of each member."""
    seen: dict[str, Any] = {}
    left_out = _LEFT_OUT.get(service, frozenset())
    stack = list(REQUESTS[service])
    while stack:
        name = stack.pop()
        found = shape(service, name)
        if found is None or name in seen:
            continue
        seen[name] = found.raw
        members = {key: item for key, item in found.raw.get("members", {}).items() if key not in left_out}
        inner = [*members.values(), *(found.raw.get(key) for key in ("member", "key", "value"))]
        stack += [item["shape"] for item in inner if item]
    for name, raw in sorted(seen.items()):
        if "members" in raw and name not in REQUESTS[service]:
            yield name, raw.get("documentation", "")
        for member, said in raw.get("members", {}).items():
            if member not in left_out:
                yield f"{name}.{member}", said.get("documentation", "")
