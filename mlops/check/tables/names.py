"""What tables name, against what the project has: pipelines, parameters, groups, and what is declared beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from mlops.check.members import entries
from mlops.check.serving import endpoints
from mlops.check.subject import Subject
from mlops.check.tables import finding, of_step
from mlops.check.watched_metrics import Watched, watched_metrics
from mlops.ir import Checked, Finding, Ref, Value
from mlops.ir.choices import instead, near
from mlops.ir.members import get
from mlops.ir.resource import NAME
from mlops.project.environments import Environment

_FEEDBACK = {"alarm": ("Alarm", "CompositeAlarm"), "monitor": ("Monitor",)}


def declared(resources: Sequence[Checked], *types: str) -> list[str]:
    """The names that files declare of these types, as they are called in the account."""
    return sorted(
        str(step.members[NAME])
        for checked in resources
        for step in checked.definition.steps
        if step.type in types and NAME in step.members
    )


def names_of_nothing(
    environment: Environment, root: Path, pipelines: Sequence[Checked], resources: Sequence[Checked]
) -> Iterator[Finding]:
    """``resources`` are those of the environment; none where another one was checked."""
    for inside, what, name, known in _named(environment, pipelines, resources):
        guess = near(name, known) if name not in known else None
        if guess is not None:
            message = f"there is no {what} {name!r} in this project"
            yield finding("A052", root, environment.name, inside, message, f"did you mean {guess!r}?")
    yield from _other_groups(environment, root, pipelines)
    yield from _other_variants(environment, resources)
    yield from _unknown_groups(pipelines, resources)


def _unknown_groups(pipelines: Sequence[Checked], resources: Sequence[Checked]) -> Iterator[Finding]:
    """Of declared models and approvals."""
    known = sorted({group for checked in pipelines for group in groups_of(checked) or ()})
    for checked in resources if known else ():
        for step in checked.definition.steps:
            group: Value = get(step.arguments, "Group") if step.type == "Approval" else None
            package = get(step.arguments, "PrimaryContainer", "ModelPackageName") if step.type == "Model" else None
            if isinstance(package, Ref) and package.expression.startswith(_NEWEST):
                group = package.expression.removeprefix(_NEWEST).rpartition(".")[0]
            guess = near(group, known) if isinstance(group, str) and group not in known else None
            if guess is not None:
                yield of_step("A052", step, f"no pipeline here registers in {group!r}", f"did you mean {guess!r}?")


_NEWEST = "ModelPackageGroups."


def _other_variants(environment: Environment, resources: Sequence[Checked]) -> Iterator[Finding]:
    """A variant is called as its configuration says, or as a promotion by weights calls it."""
    turns = environment.promote.get("variants")
    named = {"blue", "green", *(turns if isinstance(turns, list) else ())}
    alarms: list[Watched] = []
    known: dict[str, set[str]] = {}
    for checked in resources:
        subject = Subject(checked.definition, checked.step_types)
        alarms += watched_metrics(subject)
        for endpoint in endpoints(subject):
            name, configuration = endpoint.settings.get("EndpointName"), endpoint.configuration
            variants = [item.settings.get("VariantName") for item in configuration.variants] if configuration else []
            if isinstance(name, str) and variants and all(isinstance(item, str) for item in variants):
                known[name] = {str(item) for item in variants}
    for watched in alarms:
        listed = [(item.get("Name"), item.get("Value")) for _, item in entries(watched.metric, "Dimensions")]
        dimensions = {name: value for name, value in listed if isinstance(name, str)}
        endpoint_name, variant = dimensions.get("EndpointName"), dimensions.get("VariantName")
        has = known.get(endpoint_name) if isinstance(endpoint_name, str) else None
        if has is None or not isinstance(variant, str) or variant in {*has, *named}:
            continue
        message = f"the endpoint {endpoint_name} has no variant {variant!r}{instead(variant, sorted(has), 'it has')}"
        yield of_step("A052", watched.placed.step, message)


def _named(
    environment: Environment, pipelines: Sequence[Checked], resources: Sequence[Checked]
) -> Iterator[tuple[tuple[str, ...], str, str, Collection[str]]]:
    """Where, what, which name, and the names that there are."""
    ours = sorted(checked.definition.name or "" for checked in pipelines)
    starts: Mapping[str, Mapping[str, object]] = {
        "schedules": environment.schedules,
        "triggers": environment.triggers,
        "feedback": environment.feedback,
    }
    for kind, tables in starts.items():
        for name, start in tables.items():
            pipeline = getattr(start, "pipeline", None)
            if pipeline is not None:
                yield (kind, name, "pipeline"), "pipeline", pipeline, ours
    parameters = sorted({item.name for checked in pipelines for item in checked.definition.parameters})
    for name in environment.parameters:
        yield ("parameters", name), "parameter", name, parameters
    alarms = declared(resources, "Alarm", "CompositeAlarm")
    listed = environment.promote.get("alarms")
    for name in listed if isinstance(listed, list) else ():
        yield ("promote", "alarms"), "alarm", str(name), alarms
    served_here = declared(resources, "Endpoint")
    served = str(environment.promote.get("endpoint") or "")
    if served and "{" not in served:
        yield ("promote", "endpoint"), "endpoint", served, served_here
        served_here = sorted({*served_here, served})
    for name, feedback in environment.feedback.items():
        kind, watched = feedback.watches
        yield ("feedback", name, kind), kind, watched, declared(resources, *_FEEDBACK[kind])
        if feedback.endpoint is not None:
            yield ("feedback", name, "endpoint"), "endpoint", feedback.endpoint, served_here


def groups_of(checked: Checked) -> set[str] | None:
    """In which a pipeline registers; None where one is known to the execution alone."""
    found: set[str] = set()
    for placed in checked.definition.placed():
        arguments = placed.step.arguments
        if placed.step.type != "RegisterModel" or not isinstance(arguments, Mapping):
            continue
        group = arguments.get("ModelPackageGroupName")
        path = group.path if isinstance(group, Ref) else None
        if path is not None and path.root == "Parameters":
            defaults = [item.default for item in checked.definition.parameters if item.name == path.name]
            group = defaults[0] if defaults else None
        if not isinstance(group, str):
            return None
        found.add(group.rpartition("/")[2])
    return found


def _other_groups(environment: Environment, root: Path, pipelines: Sequence[Checked]) -> Iterator[Finding]:
    by_name = {checked.definition.name: checked for checked in pipelines}
    for name, feedback in environment.feedback.items():
        checked = by_name.get(feedback.pipeline)
        groups = groups_of(checked) if checked is not None else None
        given = feedback.parameters.keys() & {item.name for item in checked.definition.parameters} if checked else ()
        if feedback.group is None or groups is None or feedback.group in groups or (given and not groups):
            continue
        has = f"it registers in {', '.join(sorted(groups))}" if groups else "it registers nothing"
        message = f"{feedback.pipeline} registers no version of {feedback.group!r}: {has}"
        inside = ("feedback", name, "group")
        yield finding("A052", root, environment.name, inside, message, "name the group that the pipeline registers in")
