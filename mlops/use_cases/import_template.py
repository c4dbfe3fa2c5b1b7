"""Python that declares what a template of CloudFormation has: its pipeline, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops.check import order
from mlops.check.located import Unreadable
from mlops.check.programs import compile_program, compile_resources
from mlops.check.templates.declarable import Known, Left, Taken, declarable
from mlops.check.templates.pipelines import TemplatePipeline, pipelines_in
from mlops.check.templates.reading import Document, read
from mlops.check.templates.resolving import Scenario
from mlops.check.templates.template import Template
from mlops.declare.constructors import constructors, named_by, resource_constructors
from mlops.deploy.resources import resource_types
from mlops.ir import Definition, Listener, Step, UsageError, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.project.environments import LOCAL, LOCAL_REGION, Environment, read_project
from mlops.project.root import find_root
from mlops.use_cases.judging import need_sound
from mlops.use_cases.news import Said

_OTHERWISE: Mapping[str, str] = {
    "AWS::Scheduler::Schedule": "what starts a pipeline by the clock is [env.NAME.schedules] of mlops.toml",
    "AWS::Events::Rule": "what starts a pipeline on an event is [env.NAME.triggers] of mlops.toml",
    "AWS::SageMaker::MonitoringSchedule": "resources.Monitor watches an endpoint by a job of its own",
    "AWS::KinesisFirehose::DeliveryStream": "resources.Stream is declared by hand",
    "AWS::OpenSearchService::Domain": "resources.Domain is declared by hand",
    "AWS::SageMaker::UserProfile": "resources.UserProfile is declared beside its domain by hand",
    "AWS::SageMaker::Space": "resources.Space is declared beside its owner by hand",
    "AWS::IAM::ManagedPolicy": "one of a declared role is part of its policy",
    "AWS::ApplicationAutoScaling::ScalableTarget": "scaling= of resources.Endpoint scales its variants",
}
"""How what no declaration takes is had, by type."""
_GROUP, _NAMED = "AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupName"


@dataclass(frozen=True, slots=True)
class FromTemplate:
    """``pipeline`` is its name, None where there is none; ``resources`` are what is declared beside it, in words."""

    pipeline: str | None
    resources: tuple[str, ...]
    text: str


def from_template(
    file: str, wanted: str | None, given: Mapping[str, str], environment: str, listener: Listener
) -> FromTemplate:
    """With the defaults of the template's parameters, or the values that are ``given``; an account and a region are the
    environment's. ``wanted`` is the pipeline's name, or its logical id, where there are several. What is not taken is
    told, at its line."""
    around = None if environment == LOCAL else read_project(find_root(Path.cwd())).environment(environment)
    template, scenario = _resolved(file, given, around)
    pipeline = _pipeline(pipelines_in(template, scenario), wanted, file)
    _tell_chosen(template, scenario, given, listener)
    definition = None if pipeline is None else _definition(pipeline, file, listener)
    taken, statements = _declared(template, scenario, _registered(template, scenario, definition))
    if pipeline is None and not statements:
        raise UsageError(
            f"{file} has nothing that can be declared",
            hint="a pipeline's type is AWS::SageMaker::Pipeline; docs/infrastructure.md lists the others",
        )
    for item in sorted(taken.left, key=lambda left: template.document.at(left.at)):
        if definition is not None and _is_of(item, pipeline, definition, template):
            continue
        line, column = template.document.at(item.at)
        listener(Said(text=f"note: {file}:{line}:{column}: {item.said}"))
    text = _program(definition, statements)
    named = tuple(f"{step.type} {step.members['DeclaredName']}" for step in taken.steps.values())
    return FromTemplate(None if definition is None else definition.name, named, text)


def _resolved(file: str, given: Mapping[str, str], environment: Environment | None) -> tuple[Template, Scenario]:
    path = Path(file)
    if not path.is_file():
        raise UsageError(
            f"there is no file {file!r}", hint="`mlops import --template` takes a template of CloudFormation"
        )
    try:
        document = read(path.read_bytes(), file)
    except Unreadable as error:
        raise UsageError(f"{file}:{error.line}:{error.column}: {error}") from None
    template = Template(_with(document, given, file))
    scenario = template.scenarios[0]
    account = {} if environment is None or environment.is_local else _account(environment)
    return template, replace(scenario, parameters={**scenario.parameters, **account})


def _with(document: Document, given: Mapping[str, str], file: str) -> Document:
    declared = document.value.get("Parameters")
    parameters: dict[str, Any] = dict(declared) if isinstance(declared, dict) else {}
    for name, value in given.items():
        if not isinstance(parameters.get(name), dict):
            raise UsageError(
                f"{file} has no parameter {name}", hint=f"it has {', '.join(parameters)}" if parameters else None
            )
        parameters[name] = {**parameters[name], "Default": value}
    return replace(document, value={**document.value, "Parameters": parameters}) if given else document


def _account(environment: Environment) -> dict[str, str]:
    account = {"AWS::AccountId": environment.account} if environment.account else {}
    return {"AWS::Region": environment.region, **account}


def _tell_chosen(template: Template, scenario: Scenario, given: Mapping[str, str], listener: Listener) -> None:
    """A condition asks for a value that nobody gave."""
    for name, value in scenario.parameters.items():
        declared = template.section("Parameters").get(name)
        if isinstance(declared, dict) and "Default" not in declared and name not in given:
            line, column = template.document.at(f"/Parameters/{name}")
            place = f"{template.document.file}:{line}:{column}"
            said = f"{name} has no default, and is taken as {value}: -p {name}=… says another"
            listener(Said(text=f"note: {place}: {said}"))


def _pipeline(found: tuple[TemplatePipeline, ...], wanted: str | None, file: str) -> TemplatePipeline | None:
    chosen = [item for item in found if wanted in (None, item.name, item.logical_id)]
    if len(chosen) == 1:
        return chosen[0]
    if not found and wanted is None:
        return None
    there = ", ".join(item.name or item.logical_id for item in found) or "no pipeline"
    raise UsageError(
        f"{file} has {there}, and one is needed"
        if wanted is None
        else f"{file} has no pipeline {wanted}; found: {there}",
        hint="say which with --name" if found else "its type is AWS::SageMaker::Pipeline",
    )


def _definition(item: TemplatePipeline, file: str, listener: Listener) -> Definition:
    from mlops.ir.reader import read as read_definition

    if item.body is None:
        raise UsageError(
            f"the body of {item.logical_id} does not stand in {file}",
            hint="`mlops import FILE.json` takes the object in S3 that it names, `--from-account NAME` what is there",
        )
    definition, findings = read_definition(item.body, file)
    need_sound(findings, listener, doing="import")
    if definition is None:
        raise UsageError(f"the body of {item.logical_id} is no definition")
    name, shown = item.name or item.logical_id, item.display_name
    shown = shown if shown != name else None
    return replace(definition, name=name, description=item.description, display_name=shown, tags=item.tags)


def _registered(template: Template, scenario: Scenario, definition: Definition | None) -> tuple[str, ...]:
    """Groups that the pipeline's steps make by themselves, by their logical ids: nothing is said of them but a name and
    the pipeline's tags."""
    if definition is None:
        return ()
    names = _groups(definition)
    found: list[str] = []
    for resource in template.resources(scenario):
        said = resource.properties.members
        if resource.type != _GROUP or _NAMED not in said or not said.keys() <= {_NAMED, "Tags"}:
            continue
        tags = said["Tags"].plain() if "Tags" in said else ()
        listed = {get(item, "Key"): get(item, "Value") for item in (tags if isinstance(tags, tuple) else ())}
        if said[_NAMED].value in names and listed.items() <= definition.tags.items():
            found.append(resource.name)
    return tuple(found)


def _declared(template: Template, scenario: Scenario, registered: tuple[str, ...]) -> tuple[Taken, tuple[str, ...]]:
    """What Python cannot say stays in the template, and is asked for without it."""
    from mlops.emit.python.declared import emit_declared

    found = resource_constructors()
    types = {
        kind.cloudformation: kind
        for kind in resource_types().values()
        if kind.cloudformation is not None and kind.from_template is not None
    }
    known = Known(types, named_by(), {item.type: item for item in found}, LOCAL_REGION, _OTHERWISE)
    without = dict.fromkeys(registered)
    why: list[Left] = []
    while True:
        taken = declarable(template, scenario, known, frozenset(without))
        program = emit_declared(_of_resources(taken.steps.values()), compile_resources, found)
        if not program.cannot:
            return Taken(taken.steps, tuple(dict.fromkeys((*why, *taken.left)))), program.statements
        for name, step in taken.steps.items():
            if step.name in program.cannot:
                without[name] = None
                at = f"{template.resources_at[name]}/"
                why += [left for left in taken.left if left.at.startswith(at)]


def _of_resources(steps: Iterable[Step]) -> Definition:
    members: dict[str, Value] = {"Version": "2020-12-01", "Metadata": {}}
    return order(Definition("pipeline", steps=tuple(steps), members=members, of_resources=True))


def _is_of(left: Left, pipeline: TemplatePipeline | None, definition: Definition, template: Template) -> bool:
    """The pipeline itself, and groups in which its steps register."""
    written = template.at(left.at)
    if pipeline is not None and left.at == template.resources_at.get(pipeline.logical_id):
        return True
    name = get(written, "Properties", _NAMED)
    return isinstance(name, str) and name in _groups(definition)


def _groups(definition: Definition) -> set[Value]:
    """In which its steps register."""
    return {
        step.step.arguments.get(_NAMED)
        for step in definition.placed()
        if isinstance(step.step.arguments, Mapping) and isinstance(step.step.arguments.get(_NAMED), str)
    }


def _program(definition: Definition | None, statements: tuple[str, ...]) -> str:
    from mlops.emit.python.declared import beside
    from mlops.emit.targets.python import emit

    pipeline = None if definition is None else emit(definition, compile_program, constructors())
    return beside(pipeline, statements)
