"""ForEach and Cleanup steps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.check.expressions import kind_of, literal
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.properties import Dead, body_property
from mlops.check.rule import Fault, rule
from mlops.check.shapes import Mismatch, is_expression_attempt, shown
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Ref, Severity, Unknown, Value
from mlops.ir.members import get
from mlops.ir.values import Key

_FORBIDDEN = ("Condition", "Fail", "ForEach")


@rule(
    "X720", "foreach-items", Severity.ERROR, source="official SDK 3.27 for_each_step: a Get, or a list of 1-100 scalars"
)
def foreach_items(subject: Subject) -> Iterator[Fault]:
    """IterableItems is a reference to a JSON list in a text, or a list of 1 to 100 plain values.

    Bad:  "IterableItems": "north,south"
    Good: "IterableItems": ["north", "south"]
    """
    for placed, arguments in subject.of_type("ForEach"):
        items = arguments.get("IterableItems")
        at = f"{placed.pointer}/Arguments/IterableItems"
        if isinstance(items, tuple):
            if not 1 <= len(items) <= 100:
                yield Fault(at, f"{len(items)} items, 1 to 100 are allowed", None, placed)
            for index, item in enumerate(items):
                if (
                    item is None
                    or isinstance(item, tuple)
                    or (isinstance(item, Mapping) and not is_expression_attempt(item))
                ):
                    message = f"an item is {shown(item)}, a plain value is wanted"
                    yield Fault(f"{at}/{index}", message, "pass objects as a JSON text by reference", placed)
        elif isinstance(items, str | int | float) or (isinstance(items, Mapping) and not is_expression_attempt(items)):
            yield Fault(at, f"IterableItems is {shown(items)}, a list is wanted", 'e.g. ["a", "b"]', placed)
        elif isinstance(items, Ref) and (kind := kind_of(subject, items)) not in (None, "String", "list"):
            article = "an" if str(kind)[0] in "AEIOU" else "a"
            message = f"{items.expression} is {article} {kind}, a text with a JSON list is wanted"
            yield Fault(f"{at}/Get", message, "read a String that holds a JSON list", placed)


@rule("X721", "foreach-default", Severity.ERROR, source="official SDK 3.27 for_each_step: the text is a JSON list")
def foreach_default(subject: Subject) -> Iterator[Fault]:
    """A ForEach iterates over a parameter whose default is no JSON list, or one of more than 100 items. An empty one is
    a warning: it may stand for what every execution is given.

    Bad:  "DefaultValue": "north,south"
    Good: "DefaultValue": "[\\"north\\", \\"south\\"]"
    """
    for placed, arguments in subject.of_type("ForEach"):
        items = arguments.get("IterableItems")
        path = items.path if isinstance(items, Ref) else None
        declared = subject.parameters.get(path.name) if path and path.root == "Parameters" else None
        default = declared.parameter.default if declared else None
        if declared is None or not isinstance(default, str):
            continue
        parsed = _json_list(default)
        if parsed is None:
            message = f"{placed.step.name} iterates over it, and {shown(default)} is no JSON list"
            severity = None if default else Severity.WARNING
            at, help_text = f"{declared.at}/DefaultValue", 'e.g. ["a", "b"]'
            yield Fault(at, message, help_text, placed, declared.parameter.where, severity)
        elif not 1 <= len(parsed) <= _ITEMS:
            message = f"{placed.step.name} iterates over it, and it has {len(parsed)} items"
            severity = None if parsed else Severity.WARNING
            at, help_text = f"{declared.at}/DefaultValue", f"1 to {_ITEMS} items"
            yield Fault(at, message, help_text, placed, declared.parameter.where, severity)


_ITEMS = 100


@rule("X722", "foreach-body", Severity.ERROR, source="official SDK 3.27 for_each_step")
def foreach_body(subject: Subject) -> Iterator[Fault]:
    """The body of a ForEach has no step, or a step that may not be there: Condition, Fail, ForEach.

    Bad:  "ForEachBody": [{"Type": "Condition", ...}]
    Good: "ForEachBody": [{"Type": "Lambda", ...}]
    """
    for placed, arguments in subject.of_type("ForEach"):
        at = f"{placed.pointer}/Arguments/ForEachBody"
        body = next((block for block in placed.step.blocks if block.member == "ForEachBody"), None)
        if body is None:
            found = arguments.get("ForEachBody")
            if not isinstance(found, Unknown):
                yield Fault(at, "the step has no ForEachBody", "add the steps to repeat", placed)
            continue
        if not body.steps:
            yield Fault(at, "ForEachBody is empty", "add the steps to repeat", placed)
    for placed in subject.placed:
        if placed.step.type in _FORBIDDEN and any(member == "ForEachBody" for _, member in placed.branches):
            yield Fault(placed.pointer, f"a {placed.step.type} step may not be in a ForEach", "move it out", placed)


@rule(
    "X726",
    "foreach-name-clash",
    Severity.ERROR,
    source="official SDK 3.27 for_each_step: iterations are named <step>-<number>, the service rejects such collisions",
)
def foreach_name_clash(subject: Subject) -> Iterator[Fault]:
    """A step has the name that an iteration of a ForEach's body gets.

    Bad:  a body step "Fit" and another step "Fit-0"
    Good: "Fit" and "FitAll"
    """
    body = {
        placed.step.name for placed in subject.placed if any(member == "ForEachBody" for _, member in placed.branches)
    }
    for placed in subject.placed:
        name, dash, number = placed.step.name.rpartition("-")
        if dash and number.isdigit() and name in body:
            yield Fault(
                f"{placed.pointer}/Name",
                f"the ForEach names an iteration of {name!r} like this step",
                "rename the step",
                placed,
            )


@rule("X723", "foreach-concurrency", Severity.ERROR, source="official SDK 3.27 for_each_step: a plain integer of 1-50")
def foreach_concurrency(subject: Subject) -> Iterator[Fault]:
    """MaxConcurrency is an expression; it is a plain number.

    Bad:  "MaxConcurrency": {"Get": "Parameters.Width"}
    Good: "MaxConcurrency": 4
    """
    for placed, feed in subject.feeds:
        if placed.step.type == "ForEach" and feed.at.endswith("/Arguments/MaxConcurrency"):
            yield Fault(feed.at, "MaxConcurrency takes no expression", "write the number", placed)


@rule("X724", "cleanup-in-vpc", Severity.WARNING, source="official SDK 3.27 cleanup_step")
def cleanup_in_vpc(subject: Subject) -> Iterator[Fault]:
    """A Cleanup step removes what a step inside a VPC wrote; the service may have no way to that bucket.

    Bad:  Cleanup of Extract, where Extract has NetworkConfig.VpcConfig
    Good: a lifecycle rule of the bucket
    """
    for placed, arguments in subject.of_type("Cleanup"):
        for at, item in entries(arguments, "Resources", "S3"):
            name = item.get("StepName")
            producer = subject.by_name.get(name) if isinstance(name, str) else None
            if producer is None:
                continue
            for path in (("NetworkConfig", "VpcConfig"), ("VpcConfig",)):
                if get(producer.step.arguments, *path) is not None:
                    message = f"{name!r} runs inside a VPC, its output may be out of reach"
                    yield Fault(f"{placed.pointer}/Arguments{at}/StepName", message, None, placed)


@rule("X725", "selector-field", Severity.ERROR, source="official SDK 3.27 for_each_step")
def selector_field(subject: Subject) -> Iterator[Fault]:
    """A ForEach's Selector.Field is no reference to an IterationOutput.

    Bad:  "Field": "Score"
    Good: "Field": {"Get": "IterationOutput.Fit.OutputParameters['Score']"}
    """
    reported = {misfit.at for _, misfit in subject.misfits if misfit.kind is Mismatch.MISSING_MEMBER}
    for placed, arguments in subject.of_type("ForEach"):
        selector = arguments.get("Selector")
        if not isinstance(selector, Mapping) or isinstance(selector.get("Field"), Unknown):
            continue
        field = selector.get("Field")
        at = f"{placed.pointer}/Arguments/Selector/Field"
        path = field.path if isinstance(field, Ref) else None
        if at not in reported and (path is None or path.root != "IterationOutput"):
            help_text = 'write {"Get": "IterationOutput.<step>.<property>"}'
            yield Fault(at, "Field is no reference to an IterationOutput", help_text, placed)


@rule(
    "X727",
    "nothing-in-item",
    Severity.ERROR,
    source="official SDK 3.27 for_each_step: fields of the current item are read from a JSON object",
)
def nothing_in_item(subject: Subject) -> Iterator[Fault]:
    """A body reads a member of the current item, and an item of the list is a plain value that has none, or no item has
    it. Of a parameter's default, which each execution may replace, that is a warning.

    Bad:  {"Get": "ForEach.CurrentItem.name"} with "IterableItems": ["north", "south"]
    Good: {"Get": "ForEach.CurrentItem"}
    """
    plain: dict[str, str] = {}
    members: dict[str, set[str]] = {}
    by_default: set[str] = set()
    for placed, arguments in subject.of_type("ForEach"):
        items = arguments.get("IterableItems")
        listed: Sequence[Any] = ()
        if isinstance(items, Ref):
            listed = _json_list(literal(subject, items)) or []
            by_default.add(placed.step.name)
            members[placed.step.name] = _members(listed)
        elif isinstance(items, tuple):
            listed = items
            members[placed.step.name] = _members([_json(item) for item in items])
        elif isinstance(items, str):
            listed = _json_list(items) or ()
            members[placed.step.name] = _members(listed)
        for item in listed:
            if isinstance(item, str | int | float) and not _is_json_object(item):
                plain.setdefault(placed.step.name, shown(item))
    for reading in subject.readings if plain or members else ():
        site, path = reading.site, reading.path
        if path.root != "ForEach" or not path.segments or site.placed is None:
            continue
        around = [name for name, member in site.placed.branches if member == "ForEachBody"]
        severity = Severity.WARNING if around and around[-1] in by_default else None
        if around and around[-1] in plain:
            message = f"the items of {around[-1]!r} are plain values such as {plain[around[-1]]}, nothing is below them"
            yield Fault(f"{site.at}/Get", message, "read ForEach.CurrentItem itself", site.placed, severity=severity)
        known = members.get(around[-1]) if around else None
        name = path.segments[0].text if isinstance(path.segments[0], Key) else path.segments[0]
        if known and isinstance(name, str) and name not in known:
            default = around[-1] in by_default
            message = f"no item of the {'default ' if default else ''}list has a member {name!r}"
            help_text = did_you_mean(name, known)
            yield Fault(f"{site.at}/Get", message, help_text, site.placed, severity=severity)


def _members(items: Sequence[Any]) -> set[str]:
    """The members of all objects of a list; nothing where it has other items."""
    objects = [item for item in items if isinstance(item, dict)]
    return {name for item in objects for name in item} if len(objects) == len(items) else set()


def _is_json_object(item: str | int | float) -> bool:
    return isinstance(_json(item), dict)


def _json(item: Value) -> Any:
    """What a text in JSON holds; None where it is none."""
    try:
        return json.loads(item) if isinstance(item, str) else None
    except (ValueError, RecursionError):
        return None


@rule("X738", "iteration-past-the-items", Severity.ERROR, source="follows from the document")
def iteration_past_the_items(subject: Subject) -> Iterator[Fault]:
    """An iteration is read by a number that the default of the list does not reach.

    Bad:  IterationOutputs[5] with three items in the default
    Good: IterationOutputs[2]
    """
    counts: dict[str, int] = {}
    for placed, arguments in subject.of_type("ForEach"):
        items = arguments.get("IterableItems")
        listed = _json_list(literal(subject, items)) if isinstance(items, Ref) else None
        if listed:
            counts[placed.step.name] = len(listed)
    for reading in subject.readings if counts else ():
        path, site = reading.path, reading.site
        if path.root != "Steps" or path.name not in counts or path.segments[:1] != ("IterationOutputs",):
            continue
        number, count = path.segments[1] if len(path.segments) > 1 else None, counts[path.name]
        if isinstance(number, int) and number >= count:
            message = (
                f"{path.name!r} goes through {count} item{'s' * (count != 1)} by default, and number {number} is read"
            )
            yield Fault(f"{site.at}/Get", message, "they are counted from 0", site.placed)


def _json_list(default: Value) -> list[object] | None:
    """None where it is no list in JSON."""
    try:
        found = json.loads(default) if isinstance(default, str) else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


@rule("X728", "selector-of-texts", Severity.WARNING, source="official SDK 3.27 for_each_step: the most and the least")
def selector_of_texts(subject: Subject) -> Iterator[Fault]:
    """A ForEach's Selector takes the largest or the smallest of values that are no numbers.

    Bad:  "Field" of an output of type String
    Good: "Field" of an output of type Float
    """
    for placed, arguments in subject.of_type("ForEach"):
        field = get(arguments, "Selector", "Field")
        path = field.path if isinstance(field, Ref) else None
        if path is None or path.root != "IterationOutput":
            continue
        found = body_property(subject, placed, path.name, path.segments)
        kind = None if isinstance(found, Dead) else found.kind
        if kind is not None and kind not in ("Integer", "Float"):
            at = f"{placed.pointer}/Arguments/Selector/Field/Get"
            yield Fault(at, f"the compared output is of type {kind}", "compare an Integer or a Float", placed)


@rule("X729", "cleanup-of-nothing", Severity.ERROR, source="official SDK 3.27 cleanup_step: S3 output of other steps")
def cleanup_of_nothing(subject: Subject) -> Iterator[Fault]:
    """A Cleanup step names itself, names its step by an expression, or is to remove something that is no S3 URI; or (a
    warning) names a step that writes nothing to S3.

    Bad:  {"StepName": "Prepare", "S3Uris": ["/opt/ml/processing/out"]}
    Good: {"StepName": "Prepare", "S3Uris": ["s3://acme/out"]}
    """
    for placed, arguments in subject.of_type("Cleanup"):
        for at, item in entries(arguments, "Resources", "S3"):
            here = f"{placed.pointer}/Arguments{at}"
            name = item.get("StepName")
            producer = subject.by_name.get(name) if isinstance(name, str) else None
            if isinstance(name, Ref | Join | JsonGet):
                yield Fault(f"{here}/StepName", "StepName takes no expression", "write the step's name", placed)
            elif name == placed.step.name:
                yield Fault(f"{here}/StepName", "the step cleans up after itself", "name another step", placed)
            elif producer is not None and producer.step.type in _WRITES_NOTHING:
                message = f"{name!r} is a {producer.step.type} step, which writes nothing to S3"
                yield Fault(
                    f"{here}/StepName", message, "name a step with S3 output", placed, severity=Severity.WARNING
                )
            uris = item.get("S3Uris")
            for index, uri in enumerate(uris if isinstance(uris, tuple) else ()):
                if isinstance(uri, str) and not uri.startswith("s3://"):
                    message = f"{shown(uri)} is no S3 URI"
                    yield Fault(f"{here}/S3Uris/{index}", message, "write s3://<bucket>/<prefix>", placed)


_WRITES_NOTHING = ("Lambda", "Callback", "Condition", "Fail", "Model", "RegisterModel", "EndpointConfig", "Endpoint")
