"""Values of the document as Python: literals, references and conditions.

What may be written depends on what stands above it in the program: a :class:`Scope` knows the variables so far.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

from mlops.emit.python.looked_up import Fact
from mlops.emit.python.names import Names
from mlops.emit.python.source import Enclosed, Items, Node, Operation, Text, call, dictionary, listing, string
from mlops.ir import Join, JsonGet, Ref, Value, json_path
from mlops.ir.dataclass import dataclass
from mlops.ir.fields import ANY, EVERY, REPORT, STRING, Pattern, Yielded
from mlops.ir.values import Expression, to_json

_EXECUTION = {
    "Execution.StartDateTime": "start_time",
    "Execution.CurrentDateTime": "current_time",
    "Execution.PipelineName": "pipeline_name",
    "Execution.PipelineArn": "pipeline_arn",
    "Execution.PipelineExecutionId": "execution_id",
    "Execution.PipelineExecutionArn": "execution_arn",
    "Execution.TrainingJobName": "training_job_name",
    "Execution.ProcessingJobName": "processing_job_name",
    "PipelineExperimentConfig.ExperimentName": "experiment_name",
    "PipelineExperimentConfig.TrialName": "trial_name",
}
_COMPARISONS = {
    "Equals": "==",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}
_TUNED_FOLDER = re.compile(r"TrainingJobDefinition(?:s\[0\])?\.OutputDataConfig\.S3OutputPath")
_TUNED_JOB = re.compile(r"top\((\d+)\)\.job_name")
_ITEM_KEY = re.compile(r"\['([^'\]]*)'\]|\[(0|[1-9][0-9]{0,8})\]")
_ITERATION = re.compile(r"IterationOutputs\[(0|[1-9][0-9]{0,8})\]\.(.+)")
_CURRENT = "ForEach.CurrentItem"


@dataclass(frozen=True, slots=True)
class Variable:
    """A step's variable: its references by path, and those of whole families of paths. ``inner`` are the steps that a
    ForEach holds, ``selected`` the one that it selects by."""

    name: str
    has_property: bool = True
    yields: Mapping[str, Yielded] = field(default_factory=dict)
    patterns: Sequence[Pattern] = ()
    inner: Collection[str] = ()
    selected: str | None = None

    def says(self, path: str) -> bool:
        """There is an expression for the path; a branch has few."""
        return self.has_property or path in self.yields


@dataclass(slots=True)
class Scope:
    """What the program has so far: variables of parameters (with their kind) and of steps; and the variables
    that something used. ``item`` is the variable of the ForEach that is being written."""

    names: Names
    role: str | None = None
    parameters: dict[str, tuple[str, str]] = field(default_factory=dict)
    steps: dict[str, Variable] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    item: str | None = None
    used: set[str] = field(default_factory=set)

    def use(self, variable: str) -> str:
        self.used.add(variable)
        return variable


def literal(value: bool | int | float | str | None) -> Text:
    return Text(string(value) if isinstance(value, str) else repr(value).replace("e+", "e"))


def write(value: Value, scope: Scope) -> Node:
    """Any value, where Python and the type checker take anything."""
    match value:
        case Ref() | Join() | JsonGet():
            return refer(value, scope, EVERY) or _document_form(value, scope)
        case Mapping():
            return dictionary((key, write(item, scope)) for key, item in value.items())
        case tuple():
            return listing(write(item, scope) for item in value)
        case bool() | int() | float() | None:
            return literal(value)
        case str():
            return Text(scope.use(scope.constants[value])) if value in scope.constants else literal(value)
    raise AssertionError("a value with a reported mistake reached the emitter")


def refer(value: Value, scope: Scope, accepts: Sequence[str]) -> Node | None:
    """An expression as a reference object whose type checks as one of ``accepts``; None where it is of another type, or
    no expression at all."""
    match value:
        case Fact():
            return Text(f"environment.{value.expression}") if STRING in accepts else None
        case Ref():
            return _reference(value.expression, scope, accepts)
        case Join() if STRING in accepts:
            return _join(value, scope)
        case JsonGet():
            return _json_value(value, scope)
    return None


def _reference(expression: str, scope: Scope, accepts: Sequence[str]) -> Node | None:
    root, _, rest = expression.partition(".")
    if root == "Parameters" and rest in scope.parameters:
        variable, kind = scope.parameters[rest]
        return Text(scope.use(variable)) if kind in (*accepts, ANY) else None
    if expression in _EXECUTION:
        return Text(f"execution.{_EXECUTION[expression]}") if STRING in accepts else None
    if scope.item is not None and expression.startswith(_CURRENT):
        item = _item(expression.removeprefix(_CURRENT), scope.item)
        if item is not None:
            scope.use(scope.item)
            return Text(item)
    if root == "Steps":
        for name in _prefixes(rest):
            if name in scope.steps and scope.steps[name].says(rest[len(name) + 1 :]):
                return _property(scope.steps[name], rest[len(name) + 1 :], scope, accepts)
    return call("as_written.expression", [literal(expression)])


def _prefixes(text: str) -> list[str]:
    """``a.b.c`` to ``a``, ``a.b``: a step's name may have dots."""
    return [text[: match.start()] for match in re.finditer(r"\.", text)]


def _property(step: Variable, path: str, scope: Scope, accepts: Sequence[str]) -> Node:
    variable = scope.use(step.name)
    found = step.yields.get(path)
    if found is not None and found.kind in (*accepts, ANY):
        return _yielded(variable, found)
    for pattern in step.patterns:
        match = re.fullmatch(pattern.path, path)
        if match and pattern.kind in (*accepts, ANY):
            return Text(f"{variable}.{pattern.attribute.format(*match.groups())}")
    lifted = _lifted(step, path, scope, accepts)
    if lifted is not None:
        return lifted
    return call(f"{variable}.property", [literal(path)])


def _yielded(variable: str, found: Yielded) -> Node:
    """What stands in brackets may have a line of its own."""
    attribute = f"{variable}.{found.attribute}"
    return Text(attribute) if found.key is None else Enclosed(attribute, Text(string(found.key)), "[]")


def _item(path: str, variable: str) -> str | None:
    """``['a'][0].b.c`` of the current item as ``each.item["a"][0].property("b.c")``."""
    written, position = f"{variable}.item", 0
    while match := _ITEM_KEY.match(path, position):
        key, index = match.groups()
        written += f"[{index}]" if index is not None else f"[{string(key)}]"
        position = match.end()
    rest = path[position:]
    if rest[:1] == "." and rest[1:]:
        return f"{written}.property({string(rest[1:])})"
    return None if rest else written


def _lifted(step: Variable, path: str, scope: Scope, accepts: Sequence[str]) -> Node | None:
    """What a step inside a ForEach yielded in one of its iterations."""
    selected = path.removeprefix("Selected.")
    if step.selected is not None and selected != path and step.selected in scope.steps:
        inside = _property(scope.steps[step.selected], selected, scope, accepts)
        return call(f"{step.name}.selected", [inside])
    iteration = _ITERATION.fullmatch(path)
    for name in _prefixes(iteration.group(2)) if iteration else ():
        if iteration and name in step.inner and name in scope.steps:
            inside = _property(scope.steps[name], iteration.group(2)[len(name) + 1 :], scope, accepts)
            return call(f"{step.name}.iteration", [Text(iteration.group(1)), inside])
    return None


def _tuned_model(value: Join, scope: Scope) -> Node | None:
    """The model of one of a tuning's best jobs, which the language puts together as the SDK does."""
    match value:
        case Join("/", (Ref(folder), Ref(job), "output/model.tar.gz")):
            for name in _prefixes(folder.removeprefix("Steps.")):
                step, start = scope.steps.get(name), f"Steps.{name}."
                if step is None or not step.patterns or not job.startswith(start):
                    continue
                made = _property(step, job.removeprefix(start), scope, (STRING,)).flat()
                rank = _TUNED_JOB.fullmatch(made.removeprefix(f"{step.name}."))
                if rank and _TUNED_FOLDER.fullmatch(folder.removeprefix(start)):
                    attribute = "best_model" if rank.group(1) == "0" else f"top({rank.group(1)}).model"
                    return Text(f"{step.name}.{attribute}")
    return None


def _join(value: Join, scope: Scope) -> Node:
    tuned = _tuned_model(value, scope)
    if tuned is not None:
        return tuned
    parts: list[Node] = []
    for part in value.values:
        written = (
            literal(part)
            if isinstance(part, str | int | float) and not isinstance(part, bool)
            else refer(part, scope, EVERY)
        )
        if written is None:
            return call("as_written.expression", [_document_form(value, scope)])
        parts.append(written)
    return call("join", parts, {"on": literal(value.on)} if value.on else {})


def _json_value(value: JsonGet, scope: Scope) -> Node:
    said = _path(value.path, scope)
    if said is None:
        return call("as_written.expression", [_document_form(value, scope)])
    path = (_keys(value.path) if isinstance(value.path, str) else None) or f".at({said})"
    if isinstance(value.property_file, Ref):
        for name, variable in scope.steps.items():
            found = variable.yields.get(value.property_file.expression.removeprefix(f"Steps.{name}."))
            if found is not None and found.kind == REPORT:
                return Text(f"{_yielded(scope.use(variable.name), found).flat()}{path}")
    elif isinstance(value.s3_uri, Join | str):
        uri = literal(value.s3_uri) if isinstance(value.s3_uri, str) else refer(value.s3_uri, scope, (STRING,))
        # What only the document's form can say need not be text, which json_file insists on.
        if uri is not None and not uri.flat().startswith("as_written."):
            return Items("json_file(", (("", uri),), f"){path}")
    return call("as_written.expression", [_document_form(value, scope)])


def _path(path: Value, scope: Scope) -> str | None:
    written = literal(path) if isinstance(path, str) else refer(path, scope, (STRING,))
    return None if written is None else written.flat()


def _keys(path: str) -> str | None:
    """``a.b[0]`` to ``["a"]["b"][0]``; None where a chain of keys would not give the same text again."""
    try:
        keys = json_path.parse(path)
    except json_path.PathMissing:
        return None
    if json_path.written(keys) != path or any(isinstance(key, int) and key < 0 for key in keys):
        return None
    return "".join(f"[{key if isinstance(key, int) else string(key)}]" for key in keys) or None


def _document_form(value: Expression, scope: Scope) -> Node:
    """The object that the document has, with references inside as the language has them."""
    match value:
        case Join():
            inner: dict[str, Value] = {"On": value.on, "Values": value.values}
            return dictionary([("Std:Join", write(inner, scope))])
        case JsonGet():
            source: dict[str, Value] = (
                {"S3Uri": value.s3_uri} if value.s3_uri is not None else {"PropertyFile": value.property_file}
            )
            return dictionary([("Std:JsonGet", write({**source, "Path": value.path}, scope))])
    return write(to_json(value), scope)


def condition(listed: Value, scope: Scope, raw: Collection[int] = ()) -> Node | None:
    """The document's ``Conditions``, whose members are AND-ed; None where there are none. Those in ``raw`` stay in its
    form."""
    if not isinstance(listed, tuple) or not listed or not all(isinstance(item, Mapping) for item in listed):
        return None
    parts = [_as_written(item, scope) if index in raw else _condition(item, scope) for index, item in enumerate(listed)]
    return parts[0] if len(parts) == 1 else Operation("&", tuple(_operand(part) for part in parts))


def _operand(node: Node) -> Node:
    return Enclosed("", node) if isinstance(node, Operation) else node


def _condition(value: Value, scope: Scope, *, inside_or: bool = False) -> Node:
    match value:
        case {"Type": str(kind), "LeftValue": left, "RightValue": right, **rest} if kind in _COMPARISONS and not rest:
            return _comparison(_COMPARISONS[kind], left, right, scope) or _as_written(value, scope)
        case {"Type": "In", "QueryValue": query, "Values": tuple(choices), **rest} if not rest:
            return _membership(query, choices, scope) or _as_written(value, scope)
        case {"Type": "Not", "Condition": Mapping() as inner, **rest} if not rest:
            return _negation(inner, scope, inside_or=inside_or)
        case {"Type": "Or", "Conditions": tuple(conditions), **rest} if not rest:
            parts = [_condition(item, scope, inside_or=True) for item in conditions]
            if len(parts) > 1 and not inside_or:
                return Operation("|", tuple(map(_operand, parts)))
            return call("any_of", parts)
    return _as_written(value, scope)


def _negation(inner: Mapping[str, Value], scope: Scope, *, inside_or: bool) -> Node:
    match inner:
        case {"Type": "Equals", "LeftValue": left, "RightValue": right, **rest} if not rest:
            return _comparison("!=", left, right, scope) or Enclosed("~", _condition(inner, scope))
        case {"Type": "Not", "Condition": Mapping(), **rest} if not rest:
            return Enclosed("~", _denial(inner, scope))
        case {"Type": "Or", "Conditions": tuple(conditions), **rest} if not rest and inside_or:
            # How the language says `a & b` where the document has no And.
            if len(conditions) > 1 and any(map(_denies, conditions)):
                return _conjunction(conditions, scope)
    return Enclosed("~", _condition(inner, scope))


def _denial(value: Value, scope: Scope) -> Node:
    """A Not inside another: ``!=`` would end both."""
    match value:
        case {"Type": "Not", "Condition": Mapping() as inner, **rest} if not rest:
            return Enclosed("~", _denial(inner, scope))
    return _condition(value, scope)


def _denies(value: Value) -> bool:
    """A Not, or an Or of several that has one."""
    match value:
        case {"Type": "Not"}:
            return True
        case {"Type": "Or", "Conditions": tuple(conditions)}:
            return len(conditions) > 1 and any(map(_denies, conditions))
    return False


def _conjunction(opposites: Sequence[Value], scope: Scope) -> Node:
    """That none of these is so."""
    parts: list[Node] = []
    for item in opposites:
        match item:
            case {"Type": "Not", "Condition": {"Type": kind} as inner, **rest} if kind != "Not" and not rest:
                parts.append(_condition(inner, scope, inside_or=True))
            case {"Type": "Or", "Conditions": tuple(several), **rest} if not rest and len(several) > 1:
                parts.append(_conjunction(several, scope))
            case _:
                parts.append(Enclosed("~", _denial(item, scope)))
    if len(parts) > 2:
        return call("all_of", parts)
    return Operation("&", tuple(map(_operand, parts)))


def _membership(query: Value, choices: Sequence[Value], scope: Scope) -> Node | None:
    queried, listed = _side(query, scope), [_side(choice, scope) for choice in choices]
    if queried is None or any(item is None for item in listed):
        return None
    known = [item for item in listed if item is not None]
    if _is_literal(query):
        return call("is_in", [queried, *known])
    return call(f"{queried.flat()}.in_", known)


def _comparison(operator: str, left: Value, right: Value, scope: Scope) -> Node | None:
    first, second = _side(left, scope), _side(right, scope)
    if first is None or second is None:
        return None
    if _is_literal(left) or (isinstance(right, str) and operator not in ("==", "!=")):
        return call("compare", [first, literal(operator), second])
    return Operation(operator, (first, second))


def _is_literal(value: Value) -> bool:
    return isinstance(value, bool | int | float | str)


def _side(value: Value, scope: Scope) -> Node | None:
    return literal(value) if isinstance(value, bool | int | float | str) else refer(value, scope, EVERY)


def _as_written(value: Value, scope: Scope) -> Node:
    return call("as_written.condition", [write(value, scope)])
