"""Expressions whose type, default or choices do not fit the place that they fill."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from mlops.check import expressions, properties, samples
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import Feed, Shape, compiled_pattern, form_of, scalar, shown
from mlops.check.subject import Declared, Subject
from mlops.ir import Join, JsonGet, Placed, Ref, Severity, Value

_CONTAINERS = ("structure", "list", "map")
_SAMPLES = {
    "Integer": ("1", "12"),
    "Float": ("1.5", "0.25"),
    "Boolean": ("true", "True"),
    "DateTime": ("2026-11-22T06:09:15Z", "2026-11-22T06:09:15.123Z", "1795327755"),
}
_WANTED = {
    "integer": ("Integer",),
    "long": ("Integer",),
    "float": ("Integer", "Float"),
    "double": ("Integer", "Float"),
    "boolean": ("Boolean",),
}


def _fits(kind: str, feed: Feed) -> bool:
    """Whether a value of a known kind can fill a place; a scalar's text fills a string that has room for it."""
    against = feed.shape
    if against.kind in _CONTAINERS:
        # Lists of texts were seen to come from parameters of type String; those of objects are read as they stand.
        given = kind == "String" and not isinstance(feed.expression, Join)
        of_texts = against.kind == "list" and against.item().kind not in _CONTAINERS
        return (kind == against.kind and kind != "structure") or (of_texts and given)
    if kind in _CONTAINERS or kind == "property file":
        return against.kind == "any"
    if against.kind in _WANTED:
        return kind in _WANTED[against.kind]
    if against.name in (*_IMAGES, *_BOUNDS) and kind in _SAMPLES:
        return False
    if against.kind == "string" and kind in _SAMPLES:
        return any(not list(scalar(sample, against, "")) for sample in _SAMPLES[kind])
    return True


@rule("R330", "expression-type", Severity.ERROR, source="parameter types of the AWS docs against botocore's shapes")
def expression_type(subject: Subject) -> Iterator[Fault]:
    """An expression gives another type than its place in the request takes. Numbers may fill HyperParameters,
    Environment and other texts that have room for a number, but for the bounds of a tuning job's ranges.

    Bad:  "InstanceCount": {"Get": "Parameters.Count"}  with Count of Type String
    Good: the same with Count of Type Integer
    """
    for placed, feed in subject.feeds:
        kind = expressions.kind_of(subject, feed.expression)
        if isinstance(feed.expression, JsonGet) and feed.shape.kind in _CONTAINERS:
            message = f"this reads a value of a file, {feed.shape.name or 'an object'} ({feed.shape.kind}) is wanted"
            help_text = f"write the {'list' if feed.shape.kind == 'list' else 'object'}, with expressions inside of it"
            yield Fault(feed.at, message, help_text, placed)
        if kind is None or _fits(kind, feed):
            continue
        at = f"{feed.at}/Get" if isinstance(feed.expression, Ref) else feed.at
        what = f"{feed.expression.expression} is" if isinstance(feed.expression, Ref) else "this is"
        if kind in _CONTAINERS:
            help_text = "name one of its members" if kind == "structure" else "pick one of its items"
        else:
            help_text = "change the type of the parameter or output, or what is read here"
        article = "an" if kind[0] in "AEIOU" else "a"
        wanted = feed.shape.name or feed.shape.kind
        yield Fault(at, f"{what} {article} {kind}, which cannot be a {wanted} ({feed.shape.kind})", help_text, placed)


def _fed_parameters(subject: Subject) -> Iterator[tuple[Declared, Placed, Feed]]:
    for placed, feed in subject.feeds:
        path = feed.expression.path if isinstance(feed.expression, Ref) else None
        if path is None or path.root != "Parameters" or path.segments:
            continue
        declared = subject.parameters.get(path.name)
        if declared is not None:
            yield declared, placed, feed


def _breach(value: Value, against: Shape) -> tuple[str, bool] | None:
    """What a scalar value breaks, other than by its type, and whether that is in doubt."""
    if isinstance(value, Mapping | tuple) or value is None or against.kind in (*_CONTAINERS, "any"):
        return None
    if against.kind == "string" and isinstance(value, bool | int | float):
        return None
    numeric = against.kind in ("float", "double", "integer", "long")
    if isinstance(value, str) != (against.kind == "string") or (isinstance(value, bool) and numeric):
        return None
    for misfit in scalar(value, against, ""):
        return misfit.message, misfit.doubtful
    return None


def breaking_defaults(subject: Subject) -> Iterator[tuple[Declared, Placed, Feed, tuple[str, bool]]]:
    """Each with what it breaks, and whether that is in doubt: once for each kind of place that the parameter fills."""
    seen: set[tuple[str, str]] = set()
    for declared, placed, feed in _fed_parameters(subject):
        breach = _breach(declared.parameter.default, feed.shape)
        key = (declared.at, feed.shape.name)
        if breach is not None and key not in seen:
            seen.add(key)
            yield declared, placed, feed, breach


@rule(
    "R331",
    "default-does-not-fit",
    Severity.ERROR,
    source="botocore's shapes; the job's creation is refused when the step runs",
)
def default_does_not_fit(subject: Subject) -> Iterator[Fault]:
    """A parameter's default breaks the place that the parameter fills: the pipeline is accepted, and a step fails
    after all that runs before it was paid for. An empty default stands for "give it at start" and is only a note.

    Bad:  {"Name": "Instance", "Type": "String", "DefaultValue": "ml.m5.huge"} as an InstanceType
    Good: {"Name": "Instance", "Type": "String", "DefaultValue": "ml.m5.xlarge"}
    """
    for declared, placed, feed, (message, doubtful) in breaking_defaults(subject):
        default = declared.parameter.default
        severity = Severity.WARNING if doubtful else Severity.INFO if default == "" else None
        choices = feed.shape.raw.get("enum")
        yield Fault(
            f"{declared.at}/DefaultValue",
            f"default of {declared.parameter.name!r}: {message}; it fills {feed.at}",
            did_you_mean(default, choices) if choices and isinstance(default, str) else None,
            placed,
            declared.parameter.where,
            severity,
        )


@rule(
    "R337",
    "item-does-not-fit",
    Severity.ERROR,
    source="botocore's shapes; official SDK 3.27 for_each_step: each item takes the place of ForEach.CurrentItem",
)
def item_does_not_fit(subject: Subject) -> Iterator[Fault]:
    """One of the items that a ForEach goes through breaks a place that its body fills with them: that iteration fails,
    be it of a list that is written or of a parameter's default.

    Bad:  "IterableItems": ["ml.m5.large", "ml.m5.huge"] where the body has ForEach.CurrentItem as an InstanceType
    Good: "IterableItems": ["ml.m5.large", "ml.m5.xlarge"]
    """
    loops: dict[str, tuple[str, list[Value], bool]] = {}
    for placed, arguments in subject.of_type("ForEach"):
        items = arguments.get("IterableItems")
        listed = list(items) if isinstance(items, tuple) else _of_json(expressions.literal(subject, items))
        if listed:
            loops[placed.step.name] = f"{placed.pointer}/Arguments/IterableItems", listed, isinstance(items, tuple)
    told: set[tuple[str, int]] = set()
    for placed, feed in subject.feeds if loops else ():
        path = feed.expression.path if isinstance(feed.expression, Ref) else None
        around = [name for name, member in placed.branches if member == "ForEachBody"]
        if (
            path is None
            or (path.root, path.name) != ("ForEach", "CurrentItem")
            or not around
            or around[-1] not in loops
        ):
            continue
        at, listed, is_written = loops[around[-1]]
        for index, item in enumerate(listed):
            value = _inside(item, path.segments)
            misfit = _misfit(value, feed.shape)
            if misfit is None or (around[-1], index) in told:
                continue
            told.add((around[-1], index))
            message = f"{shown(value)} of {around[-1]!r}: {misfit[0]}; it fills {feed.at}"
            where = f"{at}/{index}" if is_written else at
            severity = Severity.WARNING if misfit[1] else None
            yield Fault(where, message, "each item has to fit where the body puts it", placed, severity=severity)


def _of_json(default: Value) -> list[Value]:
    try:
        found = json.loads(default) if isinstance(default, str) else None
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _inside(item: Value, segments: Sequence[object]) -> Value:
    """What an item has at a path; None where that is not known, or told elsewhere."""
    for segment in segments:
        if isinstance(item, str):
            try:
                item = json.loads(item)
            except (ValueError, RecursionError):
                return None
        if not isinstance(item, Mapping) or not isinstance(segment, str):
            return None
        item = item.get(segment)
    return item if isinstance(item, str | int | float) else None


def _misfit(value: Value, against: Shape) -> tuple[str, bool] | None:
    """As of a default; and a number that is a text, or a text where a number belongs."""
    if value is None:
        return None
    wanted = _WANTED.get(against.kind)
    kind = _kind(value)
    if wanted is not None and kind not in wanted:
        return f"{'an' if against.kind[0] in 'aeio' else 'a'} {against.kind} is wanted", False
    return _breach(value, against)


def _kind(value: Value) -> str:
    match value:
        case bool():
            return "Boolean"
        case int():
            return "Integer"
        case float():
            return "Float"
    return "String"


@rule("R332", "choice-does-not-fit", Severity.WARNING, source="botocore's shapes")
def choice_does_not_fit(subject: Subject) -> Iterator[Fault]:
    """One of a parameter's EnumValues breaks the place that the parameter fills.

    Bad:  "EnumValues": ["ml.m5.xlarge", "ml.m5.huge"] of a parameter that fills an InstanceType
    Good: "EnumValues": ["ml.m5.xlarge", "ml.m5.2xlarge"]
    """
    seen: set[tuple[str, str]] = set()
    for declared, placed, feed in _fed_parameters(subject):
        choices = declared.parameter.members.get("EnumValues")
        key = (declared.at, feed.shape.name)
        if not isinstance(choices, tuple) or key in seen:
            continue
        seen.add(key)
        for index, choice in enumerate(choices):
            breach = _breach(choice, feed.shape)
            if breach is not None and choice != declared.parameter.default:
                message = f"choice of {declared.parameter.name!r}: {breach[0]}; it fills {feed.at}"
                at = f"{declared.at}/EnumValues/{index}"
                yield Fault(at, message, None, placed, declared.parameter.where)


@rule("R333", "join-does-not-fit", Severity.ERROR, source="botocore's shapes")
def join_does_not_fit(subject: Subject) -> Iterator[Fault]:
    """The text that a Std:Join gives, with all parameters at their defaults, breaks the place that it fills.

    Bad:  {"Std:Join": {"On": "", "Values": ["s3:/", "bucket"]}} as an S3Uri
    Good: {"Std:Join": {"On": "/", "Values": ["s3:/", "bucket"]}}
    """
    for placed, feed in subject.feeds:
        if not isinstance(feed.expression, Join):
            continue
        text = expressions.fold(subject, feed.expression)
        if text is None:
            shortest = _shortest(subject, feed.expression)
            limit = feed.shape.raw.get("max") if feed.shape.kind == "string" else None
            if isinstance(limit, int) and shortest > limit:
                message = f"the joined text has at least {shortest} characters, at most {limit} are allowed"
                yield Fault(feed.at, message, None, placed)
            yield from _wrong_start(subject, placed, feed, feed.expression)
            continue
        breach = _breach(text, feed.shape)
        if breach is not None:
            severity = Severity.WARNING if breach[1] else None
            message = f"joins to {shown(text)}: {breach[0]}"
            yield Fault(feed.at, message, "mind the separator and the pieces", placed, severity=severity)


@rule("R336", "brought-value-does-not-fit", Severity.ERROR, source="botocore's shapes of both ends")
def brought_value_does_not_fit(subject: Subject) -> Iterator[Fault]:
    """A reference brings what another step's request says, and that breaks the place that it fills.

    Bad:  "S3Uri": {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.LocalPath"}
    Good: "S3Uri": {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}
    """
    for placed, feed in subject.feeds:
        if not isinstance(feed.expression, Ref) or samples.form(subject, feed.expression) not in (None, samples.TIME):
            continue
        value = properties.echoed(subject, feed.expression)
        breach = _breach(value, feed.shape)
        if breach is not None:
            severity = Severity.WARNING if breach[1] else None
            message = f"{feed.expression.expression} brings {shown(value)}: {breach[0]}"
            yield Fault(f"{feed.at}/Get", message, form_of(feed.shape), placed, severity=severity)


_SCHEMES = ("s3://", "https://")


def _wrong_start(subject: Subject, placed: Placed, feed: Feed, join: Join) -> Iterator[Fault]:
    """The known beginning of a text that is to be an S3 URI, and can be none whatever follows."""
    if feed.shape.kind != "string" or not str(feed.shape.raw.get("pattern", "")).startswith(_S3_PATTERNS):
        return
    start = expressions.head(subject, join)
    if not start or start.startswith(_SCHEMES):
        return
    following = _first_unknown(subject, join)
    open_ended = following is None or following.startswith("Parameters.")
    if open_ended and any(scheme.startswith(start) for scheme in _SCHEMES):
        return
    message = f"joins to {shown(start + '...')}, an S3 URI is wanted"
    yield Fault(feed.at, message, 'begin with "s3://", and mind the separator', placed)


_S3_PATTERNS = ("(https|s3)://", "(s3|https)://", "^(https|s3)://", "s3://")


def _first_unknown(subject: Subject, join: Join) -> str | None:
    """The reference after the known beginning; None where it is something else."""
    for value in join.values:
        if expressions.fold(subject, value) is None:
            if isinstance(value, Join):
                return _first_unknown(subject, value)
            return value.expression if isinstance(value, Ref) else None
    return None


@rule("R334", "reference-of-another-kind", Severity.ERROR, source="botocore's shapes of both ends")
def reference_of_another_kind(subject: Subject) -> Iterator[Fault]:
    """A reference gives a text of another kind than its place takes: a name or an ARN where an S3 URI is wanted, an S3
    URI or an ARN where a name is wanted.

    Bad:  "ModelName": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    Good: "ModelName": {"Get": "Steps.Model.ModelName"}
    """
    for placed, feed in subject.feeds:
        if feed.shape.kind != "string" or feed.in_map or not isinstance(feed.expression, Ref):
            continue
        what = samples.form(subject, feed.expression)
        if what is None or what == samples.TIME or "enum" in feed.shape.raw:
            continue
        if feed.shape.name in _IMAGES and (what != samples.NAME or _is_of_step(feed.expression)):
            message = f"{feed.expression.expression} is {what}, an image is wanted"
            yield Fault(f"{feed.at}/Get", message, form_of(feed.shape), placed)
            continue
        pattern = feed.shape.raw.get("pattern")
        compiled = compiled_pattern(pattern) if pattern else None
        takes_arn = pattern is not None and "arn:" in pattern
        if compiled is None or compiled.fullmatch(samples.SAMPLES[what]) or (what == samples.ARN and takes_arn):
            continue
        message = f"{feed.expression.expression} is {what}, which cannot be a {feed.shape.name}"
        yield Fault(f"{feed.at}/Get", message, _instead(subject, feed), placed)
    for placed, feed in subject.feeds:
        path = feed.expression.path if isinstance(feed.expression, Ref) else None
        if feed.shape.name not in _OWN_NAMES or path is None or path.root != "Steps" or not path.segments:
            continue
        last = path.segments[-1]
        if isinstance(last, str) and last != feed.shape.name and (last in _OWN_NAMES or last.endswith("JobName")):
            message = f"{path.name}'s {last} is read, and {_OWN_NAMES[feed.shape.name]} is wanted"
            yield Fault(f"{feed.at}/Get", message, _instead(subject, feed), placed)


def _is_of_step(reference: Ref) -> bool:
    return reference.path is not None and reference.path.root in ("Steps", "Execution")


_IMAGES = ("ContainerImage", "ImageUri", "AlgorithmImage")
_BOUNDS = ("ParameterValue",)
"""Of a tuning job's ranges: the official SDK makes texts of the numbers that it puts there."""
_OWN_NAMES = {
    "ModelName": "the name of a model",
    "EndpointConfigName": "the name of an endpoint configuration",
    "EndpointName": "the name of an endpoint",
    "HyperParameterTuningJobName": "the name of a tuning job",
    "InferenceComponentName": "the name of an inference component",
}


def _instead(subject: Subject, feed: Feed) -> str | None:
    """What to read in place of a reference of another kind."""
    if feed.shape.name != "ModelName":
        return form_of(feed.shape)
    models = [placed.step.name for placed, _ in subject.of_type("Model")]
    return f"read Steps.{models[0]}.ModelName" if models else "make a Model step, and read its ModelName"


def _shortest(subject: Subject, join: Join) -> int:
    texts = [expressions.fold(subject, value) or "" for value in join.values]
    return sum(map(len, texts)) + len(join.on) * max(len(texts) - 1, 0)
