"""A first guess at a program: each step by the constructor that fits, its arguments by their fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from mlops.emit.python.expressions import Scope, Variable, condition, literal, write
from mlops.emit.python.names import Names, constant
from mlops.emit.python.plan import CONDITION, OMIT, Plan, needed
from mlops.emit.python.printing import Program, Statement, With
from mlops.emit.python.seeds import seed_of, without
from mlops.emit.python.source import Node, Text, call, dictionary, listing
from mlops.emit.python.telling import Telling, one
from mlops.ir import Definition, Join, Parameter, Ref, Step, Value
from mlops.ir.fields import ANY, BOOLEAN, FLOAT, INTEGER, STRING, Constructor, Field, Given, Yielded
from mlops.ir.placeholders import LOCAL_ROLE
from mlops.ir.values import pointer

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


def guessed(definition: Definition, plan: Plan) -> Program:
    scope = Scope(Names(_LOWER_CASE), plan.role)
    _name_images(definition, scope)
    parameters = [_parameter(index, item, scope, plan) for index, item in enumerate(definition.parameters)]
    found = seed_of(definition, {name: kind for name, (_, kind) in scope.parameters.items()})
    steps = _statements(definition.steps if found is None else without(definition.steps, found), "/Steps", scope, plan)
    variable = scope.use(scope.parameters[found.parameter][0]) if found is not None and found.parameter else None
    header = _header(definition, scope, plan, found.number if found is not None else None)
    return Program(plan.name, header, parameters, steps, scope, variable)


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


def _header(definition: Definition, scope: Scope, plan: Plan, seed: int | None) -> Node:
    keywords: dict[str, Node] = {}
    if definition.description:
        keywords["description"] = literal(definition.description)
    if definition.display_name:
        keywords["display_name"] = literal(definition.display_name)
    if definition.tags:
        keywords["tags"] = dictionary((key, literal(value)) for key, value in definition.tags.items())
    if definition.parallelism is not None:
        keywords["parallelism"] = literal(definition.parallelism)
    # Without one it is the environment's, which is what the local account's stands for.
    if plan.role not in (None, LOCAL_ROLE):
        keywords["role"] = literal(plan.role)
    keywords |= _document_arguments(definition, replace(scope, parameters={}, steps={}))
    if plan.document:
        # Nothing has a variable yet where the pipeline is made.
        keywords["members"] = corrections(plan.document, replace(scope, parameters={}, steps={}))
    if seed is not None:
        keywords["seed"] = literal(seed)
    if plan.keep_order:
        keywords["keep_order"] = literal(True)
    return call("Pipeline", [literal(plan.name)], keywords)


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


def corrections(value: object, scope: Scope) -> Node:
    if value is OMIT:
        return Text("omit")
    if isinstance(value, Mapping):
        return dictionary((str(key), corrections(item, scope)) for key, item in value.items())
    return write(value, scope)  # type: ignore[arg-type]


def _parameter(index: int, parameter: Parameter, scope: Scope, plan: Plan) -> Statement:
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
        positional: list[Node] = [literal(parameter.name)]
        if "DefaultValue" in members:
            default = members["DefaultValue"]
            positional.append(write(default, scope) if isinstance(default, Join) else _plain_value(default))
        keywords: dict[str, Node] = {}
        choices = members.get("EnumValues")
        if isinstance(choices, tuple):
            keywords["choices"] = listing(_plain_value(item) for item in choices)
        if "Description" in members:
            keywords["description"] = _plain_value(members["Description"])
        value = call(f"pipeline.{kind}", positional, keywords)
    scope.parameters.setdefault(parameter.name, (variable, kind))
    return Statement(place, variable, value)


def _plain_value(value: Value) -> Text:
    return literal(value) if value is None or isinstance(value, str | bool | int | float) else literal(None)


def _statements(steps: Sequence[Step], at: str, scope: Scope, plan: Plan) -> list[Statement | With]:
    return [_statement(step, at + pointer(index), scope, plan) for index, step in enumerate(steps)]


def _statement(step: Step, place: str, scope: Scope, plan: Plan) -> Statement | With:
    if place not in plan.as_written:
        if step.type == CONDITION:
            made = _when(step, place, scope, plan)
            if made is not None:
                return made
        elif isinstance(step.arguments, Mapping) and step.has_arguments:
            for constructor in plan.left(step, place):
                built = _constructed(step, constructor, place, scope, plan)
                if built is not None:
                    return built
                plan.passed[place] += 1
    value = call("as_written.step", [_document(step, scope)])
    variable = scope.names.variable(step.name, "step")
    scope.steps.setdefault(step.name, Variable(variable))
    return Statement(place, variable, value)


def _constructed(step: Step, constructor: Constructor, place: str, scope: Scope, plan: Plan) -> Statement | With | None:
    if step.blocks and [block.member for block in step.blocks] != ["ForEachBody"]:
        return None
    inner = {named: corrections(item, scope) for named, item in plan.inner.get(place, {}).items()}
    telling = Telling(Given(step), scope, inner)
    keywords = told(constructor.fields, telling, {name for at, name in plan.dropped if at == place})
    corrected = {
        name: corrections(found[place], scope)
        for name, found in (("arguments", plan.arguments), ("members", plan.members))
        if found.get(place)
    }
    if not needed(constructor) <= set(keywords) or ("arguments" in corrected and not constructor.merges):
        return None
    gives = [field.gives(telling.given) for field in constructor.fields if field.gives and field.name in keywords]
    positional = [literal(step.name), *(keywords.pop(name) for name in constructor.positional if name in keywords)]
    value = call(constructor.name, positional, {**keywords, **corrected})
    variable = scope.names.variable(step.name, "step")
    yields = {**constructor.yields, **{path: item for found in gives for path, item in found.items()}}
    scope.steps.setdefault(step.name, Variable(variable, yields=yields, patterns=constructor.patterns))
    if step.blocks:
        return _for_each(step, place, variable, value, scope, plan)
    return Statement(place, variable, value, telling.before)


def told(fields: Sequence[Field], telling: Telling, dropped: Collection[str] = ()) -> dict[str, Node]:
    """The arguments that need to be said, and can be; of several fields of one name the first that can."""
    said: dict[str, Node] = {}
    for field in fields:
        if field.name and field.name not in said and field.name not in dropped:
            node = telling.argument(field)
            if node is not None:
                said[field.name] = node
    return said


def _for_each(step: Step, place: str, variable: str, value: Node, scope: Scope, plan: Plan) -> With | None:
    """What the iterations have in common, and the steps of each."""
    (body,) = step.blocks
    outer, scope.item = scope.item, variable
    then = _statements(body.steps, f"{place}/Arguments/{body.member}", scope, plan)
    scope.item = outer
    names = [inner.name for inner in body.steps]
    selected, last = _selector(step.arguments, names, variable, scope)
    scope.steps[step.name] = replace(scope.steps[step.name], inner=names, selected=selected)
    return With(place, variable, value, then, last=last)


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


def _when(step: Step, place: str, scope: Scope, plan: Plan) -> With | None:
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
    telling = Telling(Given(step), scope)
    keywords = told([field for item in plan.constructors if item.type == CONDITION for field in item.fields], telling)
    then, otherwise = (block.steps for block in step.blocks)
    default = f"When{then[0].name}" if then else f"Unless{otherwise[0].name}" if otherwise else "When"
    named = [] if step.name == default else [literal(step.name)]
    variable = scope.names.variable(step.name, "branch")
    value = call("when", [asked, *named], keywords)
    scope.steps.setdefault(
        step.name, Variable(variable, has_property=False, yields={"Outcome": Yielded("step.outcome", ANY)})
    )
    if_pointer, else_pointer = (f"{place}/Arguments/{block.member}" for block in step.blocks)
    inside = _statements(then, if_pointer, scope, plan)
    beside = _statements(otherwise, else_pointer, scope, plan)
    return With(place, variable, value, inside, beside)


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
