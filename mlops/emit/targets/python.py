"""Python that compiles to the definition: what a colleague would have written.

A first guess at each step's arguments is written, compiled and compared. What an argument said wrongly is dropped, what
is missing goes into ``arguments=`` and ``members=``, and a step that still differs is written in the document's own
form. Only a program that was compiled and found the same is given away.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from mlops.emit.python.arguments import Argument, Constructor, Facts
from mlops.emit.python.chosen import attribute, choices
from mlops.emit.python.constructors import reports
from mlops.emit.python.expressions import (
    ANY,
    BOOLEAN,
    FLOAT,
    INTEGER,
    STRING,
    Scope,
    Variable,
    condition,
    literal,
    write,
)
from mlops.emit.python.names import Names, constant, pipeline_name
from mlops.emit.python.shared import DESCRIPTIONS, SHARED, WITHOUT_REQUEST, after
from mlops.emit.python.source import Node, Text, assignment, call, dictionary, joined, lines, listing, string
from mlops.emit.python.telling import Telling, one
from mlops.ir import Definition, Parameter, Ref, Step, UsageError, Value, fields
from mlops.ir.target import Source, Target
from mlops.ir.values import pointer, same

ROUNDS = 9
"""A guess, what was wrong with it dropped, the rest said in arguments, and room for one fallback to be seen wrong."""

_KINDS = {"String": STRING, "Integer": INTEGER, "Float": FLOAT, "Boolean": BOOLEAN}
_LOWER_CASE = {
    "all_of",
    "any_of",
    "as_written",
    "compare",
    "execution",
    "image",
    "is_in",
    "join",
    "json_file",
    "omit",
    "pipeline",
    "when",
}
_ROLES = ("RoleArn", "ExecutionRoleArn")


class _Omit:
    """Stands in a correction for a member that the definition does not have."""


_OMIT = _Omit()


Compile: TypeAlias = Callable[[str], tuple[Definition | None, Sequence[int]]]
"""Runs a program: a definition, or None and the lines where it has mistakes."""


@dataclass(slots=True)
class _Plan:
    """What was learnt of earlier guesses, by the steps' pointers. ``passed``: how many constructors will not do."""

    name: str
    role: str | None
    constructors: Sequence[fields.Constructor]
    passed: Counter[str] = field(default_factory=Counter)
    as_written: set[str] = field(default_factory=set)
    dropped: set[tuple[str, str]] = field(default_factory=set)
    corrected: set[str] = field(default_factory=set)
    arguments: dict[str, Mapping[str, object]] = field(default_factory=dict)
    members: dict[str, Mapping[str, object]] = field(default_factory=dict)
    inner: dict[str, Mapping[tuple[str, str], Mapping[str, object]]] = field(default_factory=dict)
    raw: dict[str, frozenset[int]] = field(default_factory=dict)
    document: Mapping[str, object] = field(default_factory=dict)
    keep_order: bool = True


@dataclass(frozen=True, slots=True)
class _Statement:
    """``place`` is the pointer of the parameter or step that it makes; ``before`` are variables that it wants."""

    place: str
    variable: str
    value: Node
    before: Sequence[tuple[str, Node]] = ()


@dataclass(frozen=True, slots=True)
class _With:
    """A step with others inside; ``last`` is said at their end."""

    place: str
    variable: str
    value: Node
    then: Sequence[_Statement | _With]
    otherwise: Sequence[_Statement | _With] = ()
    last: Node | None = None


def emit(definition: Definition, compiled: Compile, constructors: Sequence[fields.Constructor]) -> str:
    """``compiled`` runs a program in an environment that adds nothing. Raises UsageError for what is no document."""
    if "Steps" in definition.members or definition.members.get("Parameters") is not None:
        raise UsageError("the document's Steps or Parameters are no lists, so there is no program for it")
    plan = _Plan(pipeline_name(definition.name or "pipeline"), _role(definition), constructors)
    for _ in range(ROUNDS):
        text, places = _program(definition, plan)
        got, mistakes = compiled(text)
        if got is None:
            _avoid(definition, plan, [place for line in mistakes for place in _at(places, line)])
        elif not _learn(definition, got, plan):
            return _in_any_order(definition, plan, compiled) or text
    plan.as_written.update(_everything(definition))
    text, _ = _program(definition, plan)
    final, _ = compiled(text)
    if final is None or _learn(definition, final, plan):
        raise AssertionError("a definition in its own form does not compile to itself")
    return text


def _in_any_order(definition: Definition, plan: _Plan, compiled: Compile) -> str | None:
    """The program without ``keep_order=True``, where that changes nothing."""
    text, _ = _program(definition, replace(plan, keep_order=False))
    result, _ = compiled(text)
    return text if result is not None and not _learn(definition, result, plan) else None


def _role(definition: Definition) -> str | None:
    """What most steps run as."""
    roles = Counter(
        role
        for placed in definition.placed()
        if isinstance(placed.step.arguments, Mapping)
        for member in _ROLES
        if isinstance(role := placed.step.arguments.get(member), str)
    )
    return roles.most_common(1)[0][0] if roles else None


def _everything(definition: Definition) -> Iterator[str]:
    for placed in definition.placed():
        yield placed.pointer
    for index in range(len(definition.parameters)):
        yield pointer("Parameters", index)


# What was wrong with a guess.


def _avoid(definition: Definition, plan: _Plan, places: Sequence[str]) -> None:
    """Write what has a mistake in its own form; everything, where that is not known."""
    steps = {placed.pointer: placed.step for placed in definition.placed()}
    new = set(places) - plan.as_written
    for place in new:
        _fall_back(steps.get(place), place, plan)
    if not new:
        plan.as_written.update(_everything(definition))


def _fall_back(step: Step | None, place: str, plan: _Plan) -> None:
    """From the type's constructor to that of any type, and from there to the document's own form."""
    plan.arguments.pop(place, None)
    plan.members.pop(place, None)
    plan.dropped = {(other, name) for other, name in plan.dropped if other != place}
    plan.passed[place] += 1
    if step is None or plan.passed[place] >= len(choices(step, plan.constructors)):
        plan.as_written.add(place)


def _constructor(step: Step, place: str, plan: _Plan) -> Constructor:
    left = choices(step, plan.constructors)[plan.passed[place] :]
    return left[0] if left else choices(step, plan.constructors)[-1]


def _at(places: Sequence[tuple[int, int, str]], line: int) -> Iterator[str]:
    for first, last, place in places:
        if first <= line <= last:
            yield place


def _learn(wanted: Definition, got: Definition, plan: _Plan) -> bool:
    """Whether there was anything to learn, which means that the two differ."""
    learnt = False
    document = _difference(wanted.members, got.members)
    if wanted.has_parameters != got.has_parameters:
        document["Parameters"] = _OMIT
    if document:
        plan.document, learnt = _both(plan.document, document), True
    for index, parameter in enumerate(wanted.parameters):
        if index >= len(got.parameters) or not _same_parameter(parameter, got.parameters[index]):
            plan.as_written.add(pointer("Parameters", index))
            learnt = True
    found = {placed.pointer: placed.step for placed in got.placed()}
    expected = list(wanted.placed())
    for placed in expected:
        step = found.get(placed.pointer)
        if step is None:
            plan.as_written.add(placed.pointer)
            learnt = True
        elif not _same_step(placed.step, step):
            _correct(placed.pointer, placed.step, step, plan)
            learnt = True
    return learnt or len(found) != len(expected) or len(wanted.parameters) != len(got.parameters)


def _same_parameter(wanted: Parameter, got: Parameter) -> bool:
    return (wanted.name, wanted.type, wanted.has_type) == (got.name, got.type, got.has_type) and same(
        wanted.members, got.members
    )


def _same_step(wanted: Step, got: Step) -> bool:
    return (
        (wanted.name, wanted.type, wanted.has_arguments) == (got.name, got.type, got.has_arguments)
        and [block.member for block in wanted.blocks] == [block.member for block in got.blocks]
        and same(wanted.arguments, got.arguments)
        and same(wanted.members, got.members)
    )


def _correct(place: str, wanted: Step, got: Step, plan: _Plan) -> None:
    if wanted.type == "Condition":
        raw = _wrong_conditions(wanted.arguments, got.arguments)
        if raw - plan.raw.get(place, frozenset()):
            plan.raw[place] = plan.raw.get(place, frozenset()) | raw
            return
    if (
        not choices(wanted, plan.constructors)
        or not isinstance(wanted.arguments, Mapping)
        or not isinstance(got.arguments, Mapping)
        or [block.member for block in wanted.blocks] != [block.member for block in got.blocks]
    ):
        plan.as_written.add(place)
        return
    constructor = _constructor(wanted, place, plan)
    in_arguments = _difference(wanted.arguments, got.arguments)
    in_members = _difference(wanted.members, got.members)
    inner = _inner_differences(wanted.arguments, got.arguments, constructor.inner) if constructor.inner else {}
    if inner and place not in plan.inner:
        plan.inner[place] = inner
        return
    wrong = [
        argument.name
        for arguments, difference in ((constructor.arguments, in_arguments), (SHARED, in_members))
        for argument in arguments
        if argument.name not in constructor.required and _disagrees(argument, difference)
    ] + [argument.name for argument in constructor.arguments if _disagrees(argument, in_members)]
    new = {(place, name) for name in wrong} - plan.dropped
    if new:
        plan.dropped |= new
    elif (not in_arguments and not in_members) or place in plan.corrected:
        plan.corrected.discard(place)
        _fall_back(wanted, place, plan)
    else:
        plan.arguments[place] = _both(plan.arguments.get(place, {}), in_arguments)
        plan.members[place] = _both(plan.members.get(place, {}), in_members)
        plan.corrected.add(place)


def _wrong_conditions(wanted: Value, got: Value) -> frozenset[int]:
    """Which conditions of a step are not what they should be; all, where their number is not."""
    theirs, ours = (
        arguments.get("Conditions") if isinstance(arguments, Mapping) else None for arguments in (wanted, got)
    )
    if not isinstance(theirs, tuple):
        return frozenset()
    if not isinstance(ours, tuple) or len(ours) != len(theirs):
        return frozenset(range(len(theirs)))
    return frozenset(index for index, pair in enumerate(zip(theirs, ours, strict=True)) if not same(*pair))


def _inner_differences(
    wanted: Mapping[str, Value], got: Mapping[str, Value], inner: tuple[str, str]
) -> dict[tuple[str, str], Mapping[str, object]]:
    """What has to be merged into the items of the step's list, by the member that names them and their names; nothing
    where these are not the same."""
    listed, key = inner
    theirs, ours = (fields.named(arguments.get(listed), key) for arguments in (wanted, got))
    if list(theirs) != list(ours):
        return {}
    differences = {(key, name): _difference(item, ours[name]) for name, item in theirs.items()}
    return {place: difference for place, difference in differences.items() if difference}


def _disagrees(argument: Argument, difference: Mapping[str, object]) -> bool:
    """The difference lies in, or around, what the argument makes."""
    if not argument.owns:
        return False
    found: object = difference
    for part in argument.owns.split("."):
        if not isinstance(found, Mapping):
            return True
        if part not in found:
            return False
        found = found[part]
    return True


def _difference(wanted: Mapping[str, Value], got: Mapping[str, Value]) -> dict[str, object]:
    """What has to be merged into ``got`` so that it is ``wanted``."""
    changes: dict[str, object] = {}
    for key, value in wanted.items():
        if key not in got:
            changes[key] = value
            continue
        present = got[key]
        if isinstance(value, Mapping) and isinstance(present, Mapping):
            inner = _difference(value, present)
            if inner:
                changes[key] = inner
        elif not same(value, present):
            changes[key] = value
    changes.update((key, _OMIT) for key in got if key not in wanted)
    return changes


def _both(earlier: Mapping[str, object], later: Mapping[str, object]) -> dict[str, object]:
    merged = dict(earlier)
    for key, value in later.items():
        present = merged.get(key)
        both = isinstance(present, Mapping) and isinstance(value, Mapping)
        merged[key] = _both(present, value) if both else value  # type: ignore[arg-type]
    return merged


# The program.


def _program(definition: Definition, plan: _Plan) -> tuple[str, list[tuple[int, int, str]]]:
    """The source, and which lines make which parameter or step."""
    scope = Scope(Names(_LOWER_CASE), plan.role)
    _name_images(definition, scope)
    parameters = [_parameter(index, item, scope, plan) for index, item in enumerate(definition.parameters)]
    steps = _statements(definition.steps, "/Steps", scope, plan)
    header = _header(definition, scope, plan, uses_variable=bool(parameters))
    constants = [
        line
        for text, name in scope.constants.items()
        if name in scope.used
        for line in assignment(name, Text(string(text)))
    ]
    written = ["", *constants, ""] if constants else [""]
    written += header
    places: list[tuple[int, int, str]] = []
    for statement in parameters:
        _print(statement, 4, scope, written, places)
    if parameters and steps:
        written.append("")
    _print_block(steps, 4, scope, written, places)
    if not parameters and not steps:
        written.append("    pass")
    above = [f'"""The pipeline {plan.name}."""', "", *_imports(written)]
    moved = [(first + len(above), last + len(above), place) for first, last, place in places]
    return joined([*above, *written]), moved


def _imports(written: Sequence[str]) -> list[str]:
    """What the program names and does not make, but for Python's own."""
    nodes = {node for node in ast.walk(ast.parse(joined(written))) if isinstance(node, ast.Name)}
    made = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    found = {node.id for node in nodes} - made - set(dir(builtins))
    # As isort has them: constants, classes, functions.
    names = sorted(found, key=lambda name: (not name.isupper(), name[0].islower(), name.lower(), name))
    one = f"from mlops import {', '.join(names)}"
    if len(one) <= 120:
        return [one]
    return ["from mlops import (", *(f"    {name}," for name in names), ")"]


def _name_images(definition: Definition, scope: Scope) -> None:
    """Images that stand in several steps get a name."""
    images = Counter(image for placed in definition.placed() for image in _images(placed.step.arguments))
    for image, count in images.items():
        if count > 1:
            repository = image.rpartition("/")[2].partition(":")[0].partition("@")[0].removeprefix("sagemaker-")
            scope.constants[image] = scope.names.variable(f"{constant(repository)}_IMAGE".lower(), "image").upper()


def _images(arguments: Value) -> Iterator[str]:
    match arguments:
        case {"AppSpecification": {"ImageUri": str(image)}} | {"AlgorithmSpecification": {"TrainingImage": str(image)}}:
            yield image
        case {"PrimaryContainer": {"Image": str(image)}}:
            yield image
        case {"InferenceSpecification": {"Containers": ({"Image": str(image)}, *_)}}:
            yield image


def _header(definition: Definition, scope: Scope, plan: _Plan, *, uses_variable: bool) -> list[str]:
    keywords: dict[str, Node] = {}
    if definition.description:
        keywords["description"] = literal(definition.description)
    if definition.tags:
        keywords["tags"] = dictionary((key, literal(value)) for key, value in definition.tags.items())
    if definition.parallelism is not None:
        keywords["parallelism"] = literal(definition.parallelism)
    if plan.role is not None:
        keywords["role"] = literal(plan.role)
    keywords |= _document_arguments(definition, replace(scope, parameters={}, steps={}))
    if plan.document:
        # Nothing has a variable yet where the pipeline is made.
        keywords["members"] = _corrections(plan.document, replace(scope, parameters={}, steps={}))
    if plan.keep_order:
        keywords["keep_order"] = literal(True)
    value = call("Pipeline", [literal(plan.name)], keywords)
    return lines(value, 0, "with ", " as pipeline:" if uses_variable else ":")


_MLFLOW = ("MlflowResourceArn", "MlflowExperimentName")


def _document_arguments(definition: Definition, scope: Scope) -> dict[str, Node]:
    """Metadata, experiment and tracking server, where a guess at them is worth it."""
    said: dict[str, Node] = {}
    members = definition.members
    match members.get("Metadata"):
        case Mapping() as metadata if metadata and all(isinstance(value, str) for value in metadata.values()):
            said["metadata"] = write(metadata, scope)
    match members.get("PipelineExperimentConfig", ""):
        case None:
            said["experiment"] = literal(False)
        case {"ExperimentName": name, "TrialName": trial, **rest} if not rest and name != Ref("Execution.PipelineName"):
            own = {} if trial == Ref("Execution.PipelineExecutionId") else {"trial": one(trial, scope, (STRING,))}
            named = one(name, scope, (STRING,))
            if named is not None and None not in own.values():
                more = {key: node for key, node in own.items() if node is not None}
                said["experiment"] = call("Experiment", [named], more)
    tracking = members.get("MlflowConfig", "")
    if tracking is None:
        said["mlflow"] = literal(False)
    if isinstance(tracking, Mapping) and "MlflowResourceArn" in tracking and set(tracking) <= set(_MLFLOW):
        nodes = [one(tracking[member], scope, (STRING,)) for member in _MLFLOW if member in tracking]
        if None not in nodes:
            said["mlflow"] = call("Mlflow", [node for node in nodes if node is not None])
    return said


def _corrections(value: object, scope: Scope) -> Node:
    if value is _OMIT:
        return Text("omit")
    if isinstance(value, Mapping):
        return dictionary((str(key), _corrections(item, scope)) for key, item in value.items())
    return write(value, scope)  # type: ignore[arg-type]


def _parameter(index: int, parameter: Parameter, scope: Scope, plan: _Plan) -> _Statement:
    place = pointer("Parameters", index)
    variable = scope.names.variable(parameter.name, "parameter")
    kind = _KINDS.get(parameter.type)
    members = parameter.members
    known = set(members) <= {"DefaultValue", "EnumValues", "Description"}
    if kind is None or not parameter.has_type or not known or place in plan.as_written:
        kind = ANY
        document: dict[str, Value] = {"Name": parameter.name}
        if parameter.has_type:
            document["Type"] = parameter.type
        value: Node = call("pipeline.parameter", [write({**document, **members}, scope)])
    else:
        positional = [literal(parameter.name)]
        if "DefaultValue" in members:
            positional.append(_plain_value(members["DefaultValue"]))
        keywords: dict[str, Node] = {}
        choices = members.get("EnumValues")
        if isinstance(choices, tuple):
            keywords["choices"] = listing(_plain_value(item) for item in choices)
        if "Description" in members:
            keywords["description"] = _plain_value(members["Description"])
        value = call(f"pipeline.{kind}", positional, keywords)
    scope.parameters.setdefault(parameter.name, (variable, kind))
    return _Statement(place, variable, value)


def _plain_value(value: Value) -> Text:
    return literal(value) if value is None or isinstance(value, str | bool | int | float) else literal(None)


def _statements(steps: Sequence[Step], at: str, scope: Scope, plan: _Plan) -> list[_Statement | _With]:
    return [_statement(step, at + pointer(index), scope, plan) for index, step in enumerate(steps)]


def _statement(step: Step, place: str, scope: Scope, plan: _Plan) -> _Statement | _With:
    if place not in plan.as_written:
        if step.type == "Condition":
            made = _when(step, place, scope, plan)
            if made is not None:
                return made
        elif isinstance(step.arguments, Mapping) and step.has_arguments:
            for constructor in choices(step, plan.constructors)[plan.passed[place] :]:
                built = _constructed(step, constructor, place, scope, plan)
                if built is not None:
                    return built
                plan.passed[place] += 1
    value = call("as_written.step", [_document(step, scope)])
    variable = scope.names.variable(step.name, "step")
    scope.steps.setdefault(step.name, Variable(variable))
    return _Statement(place, variable, value)


def _constructed(
    step: Step, constructor: Constructor, place: str, scope: Scope, plan: _Plan
) -> _Statement | _With | None:
    inner = {named: _corrections(item, scope) for named, item in plan.inner.get(place, {}).items()}
    facts = Facts(step, scope, Telling(fields.Given(step), scope, inner))
    shared = SHARED if constructor.shared else WITHOUT_REQUEST
    keywords: dict[str, Node] = {}
    for argument in (*constructor.arguments, *shared):
        if (place, argument.name) not in plan.dropped:
            written = argument.writer(facts)
            if written is not None:
                keywords.setdefault(argument.name, written)
    if any(name not in keywords for name in constructor.required):
        return None
    corrections = {
        name: _corrections(found[place], scope)
        for name, found in (("arguments", plan.arguments), ("members", plan.members))
        if found.get(place)
    }
    if "arguments" in corrections and not constructor.shared:
        return None
    positional = [literal(step.name), *(keywords.pop(name) for name in constructor.positional if name in keywords)]
    value = call(constructor.name, positional, {**keywords, **corrections})
    variable = scope.names.variable(step.name, "step")
    listed = reports(facts) if "reports" in keywords else None
    given = [item.gives(fields.Given(step)) for item in constructor.fields if item.gives and item.name in keywords]
    scope.steps.setdefault(
        step.name,
        Variable(
            variable,
            properties={
                **constructor.properties,
                **{path: (attribute(item), item.kind) for found in given for path, item in found.items()},
            },
            outputs=_output_names(step) if "outputs" in keywords else (),
            reports=tuple(listed or ()),
            patterns=constructor.patterns,
        ),
    )
    if step.blocks:
        return _for_each(step, place, variable, value, scope, plan)
    return _Statement(place, variable, value, facts.before)


def _for_each(step: Step, place: str, variable: str, value: Node, scope: Scope, plan: _Plan) -> _With | None:
    """What the iterations have in common, and the steps of each."""
    (body,) = step.blocks
    outer, scope.item = scope.item, variable
    then = _statements(body.steps, f"{place}/Arguments/{body.member}", scope, plan)
    scope.item = outer
    names = [inner.name for inner in body.steps]
    selected, last = _selector(step.arguments, names, variable, scope)
    scope.steps[step.name] = replace(scope.steps[step.name], inner=names, selected=selected)
    return _With(place, variable, value, then, last=last)


def _selector(arguments: Value, names: Sequence[str], variable: str, scope: Scope) -> tuple[str | None, Node | None]:
    """The step inside that the ForEach selects by, and how it is said."""
    match arguments:
        case {"Selector": {"Pick": "MaxBy" | "MinBy" as pick, "Field": Ref(field), **rest}} if not rest:
            for name in names:
                start = f"IterationOutput.{name}."
                if field.startswith(start) and name in scope.steps:
                    by = write(Ref(f"Steps.{name}.{field.removeprefix(start)}"), scope)
                    chosen = "select_max" if pick == "MaxBy" else "select_min"
                    return name, call(f"{scope.use(variable)}.{chosen}", [by])
    return None, None


def _output_names(step: Step) -> tuple[str, ...]:
    match step.arguments:
        case {"ProcessingOutputConfig": {"Outputs": tuple(outputs)}}:
            return tuple(
                str(item["OutputName"])
                for item in outputs
                if isinstance(item, Mapping) and isinstance(item.get("OutputName"), str)
            )
    return ()


def _when(step: Step, place: str, scope: Scope, plan: _Plan) -> _With | None:
    if (
        [block.member for block in step.blocks] != ["IfSteps", "ElseSteps"]
        or not isinstance(step.arguments, Mapping)
        or set(step.arguments) != {"Conditions"}
        or not set(step.members) <= {"DependsOn", "DisplayName", "Description"}
    ):
        return None
    asked = condition(step.arguments["Conditions"], scope, plan.raw.get(place, ()))
    if asked is None:
        return None
    facts = Facts(step, scope, Telling(fields.Given(step), scope))
    keywords: dict[str, Node] = {}
    waits = after(step.members.get("DependsOn"), facts)
    if waits is not None:
        keywords["after"] = waits
    for argument in DESCRIPTIONS:
        written = argument.writer(facts)
        if written is not None:
            keywords[argument.name] = written
    then, otherwise = (block.steps for block in step.blocks)
    default = f"When{then[0].name}" if then else f"Unless{otherwise[0].name}" if otherwise else "When"
    named = [] if step.name == default else [literal(step.name)]
    variable = scope.names.variable(step.name, "branch")
    value = call("when", [asked, *named], keywords)
    scope.steps.setdefault(
        step.name, Variable(variable, has_property=False, properties={"Outcome": ("step.outcome", ANY)})
    )
    if_pointer, else_pointer = (f"{place}/Arguments/{block.member}" for block in step.blocks)
    inside = _statements(then, if_pointer, scope, plan)
    beside = _statements(otherwise, else_pointer, scope, plan)
    return _With(place, variable, value, inside, beside)


def _document(step: Step, scope: Scope) -> Node:
    """A step in the document's own form, with the steps inside it."""
    members: list[tuple[str, Node]] = [("Name", literal(step.name)), ("Type", literal(step.type))]
    if step.has_arguments:
        if isinstance(step.arguments, Mapping):
            inside = [(key, write(item, scope)) for key, item in step.arguments.items()]
            for block in step.blocks:
                inside.append((block.member, listing(_document(item, scope) for item in block.steps)))
            members.append(("Arguments", dictionary(inside)))
        else:
            members.append(("Arguments", write(step.arguments, scope)))
    members += [(key, write(item, scope)) for key, item in step.members.items()]
    return dictionary(members)


# Its lines.


def _print_block(
    statements: Sequence[_Statement | _With],
    indent: int,
    scope: Scope,
    written: list[str],
    places: list[tuple[int, int, str]],
) -> None:
    for index, statement in enumerate(statements):
        if index:
            written.append("")
        _print(statement, indent, scope, written, places)


def _print(
    statement: _Statement | _With, indent: int, scope: Scope, written: list[str], places: list[tuple[int, int, str]]
) -> None:
    first = len(written) + 1
    if isinstance(statement, _Statement):
        for variable, value in statement.before:
            written += assignment(variable, value, indent)
        if statement.variable in scope.used:
            written += assignment(statement.variable, statement.value, indent)
        else:
            written += lines(statement.value, indent)
        places.append((first, len(written), statement.place))
        return
    named = f" as {statement.variable}" if statement.otherwise or statement.variable in scope.used else ""
    written += lines(statement.value, indent, "with ", f"{named}:")
    places.append((first, len(written), statement.place))
    deeper = indent + 4
    _print_block(statement.then, deeper, scope, written, places)
    if statement.last is not None:
        first = len(written) + 1
        written += lines(statement.last, deeper)
        places.append((first, len(written), statement.place))
    elif not statement.then:
        written.append(" " * deeper + "pass")
    if statement.otherwise:
        written.append(f"{' ' * indent}with {statement.variable}.otherwise():")
        _print_block(statement.otherwise, deeper, scope, written, places)


def _write(source: Source) -> str:
    return emit(source.checked.definition, source.language.compile, source.language.constructors())


TARGET = Target(
    "Python that compiles to the same definition as TARGET, with what the environment gave written out.", _write
)
