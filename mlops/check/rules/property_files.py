"""Property files: their declaration, and Std:JsonGet that reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check import expressions, properties
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Placed, Ref, Severity, Unknown, json_path
from mlops.ir.values import pointer

_MEMBERS = ("PropertyFileName", "OutputName", "FilePath")
_MANY = ("structure", "list", "map")


@rule(
    "R320",
    "malformed-property-file",
    Severity.ERROR,
    source="AWS docs: build-and-manage-propertyfile; the official SDK's properties",
)
def malformed_property_file(subject: Subject) -> Iterator[Fault]:
    """PropertyFiles is a list of objects with PropertyFileName, OutputName and FilePath, each a plain text; the names
    differ from each other.

    Bad:  "PropertyFiles": [{"PropertyFileName": "quality", "OutputName": "report"}]
    Good: "PropertyFiles": [{"PropertyFileName": "quality", "OutputName": "report", "FilePath": "quality.json"}]
    """
    for placed in subject.placed:
        listed = placed.step.members.get("PropertyFiles")
        at = f"{placed.pointer}/PropertyFiles"
        if listed is None or isinstance(listed, Unknown):
            continue
        if not isinstance(listed, tuple):
            yield Fault(at, "PropertyFiles wants a list", None, placed)
            continue
        seen: set[str] = set()
        for index, item in enumerate(listed):
            here = f"{at}/{index}"
            if isinstance(item, Unknown):
                continue
            if not isinstance(item, Mapping):
                yield Fault(here, "a property file wants an object", None, placed)
                continue
            for name in _MEMBERS:
                value = item.get(name)
                if value is None:
                    yield Fault(f"{here}/{name}", f"the property file has no {name}", f"add {name}", placed)
                elif not isinstance(value, str) and not isinstance(value, Ref | Join | JsonGet | Unknown):
                    yield Fault(f"{here}/{name}", f"{name} wants a text", None, placed)
                elif value == "":
                    yield Fault(f"{here}/{name}", f"{name} is empty", None, placed)
            for name in item:
                if name not in _MEMBERS:
                    text = f"a property file has no member {name!r}"
                    yield Fault(here + pointer(name), text, did_you_mean(name, _MEMBERS), placed)
            file = item.get("PropertyFileName")
            if isinstance(file, str):
                if file in seen:
                    yield Fault(here, f"two property files are named {file!r}", "rename one of them", placed)
                seen.add(file)


@rule(
    "R321",
    "property-file-of-unknown-output",
    Severity.ERROR,
    source="AWS docs: output_name must match an output of the step",
)
def property_file_of_unknown_output(subject: Subject) -> Iterator[Fault]:
    """A property file lies in an output that the step does not have, or in one that goes to a feature group.

    Bad:  "OutputName": "reprot" with Outputs ["report"]
    Good: "OutputName": "report"
    """
    for file in subject.property_files:
        outputs = _outputs(file.placed) if file.placed.step.type == "Processing" else None
        wanted = file.text("OutputName")
        if outputs is not None and wanted is not None and wanted not in outputs:
            named = file.item.get("PropertyFileName")
            message = f"the step has no output {wanted!r}, in which property file {named!r} is to be found"
            yield Fault(f"{file.at}/OutputName", message, did_you_mean(wanted, outputs), file.placed)
        elif outputs is not None and wanted is not None and _goes_to_a_store(file.placed, wanted):
            message = f"output {wanted!r} goes to a feature group, and no file is left to read"
            yield Fault(f"{file.at}/OutputName", message, "write the file to an output with an S3Output", file.placed)


def _goes_to_a_store(placed: Placed, name: str) -> bool:
    return any(
        item.get("OutputName") == name and "FeatureStoreOutput" in item and "S3Output" not in item
        for _, item in entries(placed.step.arguments, "ProcessingOutputConfig", "Outputs")
    )


def _outputs(placed: Placed) -> list[str] | None:
    """The names of a processing job's outputs; None where they are not all known."""
    arguments = placed.step.arguments
    if not isinstance(arguments, Mapping):
        return None
    config = arguments.get("ProcessingOutputConfig", {})
    outputs = config.get("Outputs", ()) if isinstance(config, Mapping) else None
    if not isinstance(outputs, tuple):
        return None
    names = [item.get("OutputName") if isinstance(item, Mapping) else None for item in outputs]
    texts = [name for name in names if isinstance(name, str)]
    return texts if len(texts) == len(names) else None


@rule("R322", "absolute-property-file-path", Severity.WARNING, source="AWS docs: FilePath is relative to the output")
def absolute_property_file_path(subject: Subject) -> Iterator[Fault]:
    """FilePath starts at the root of the container, leaves the output, or is a folder; it is the path of a file
    relative to the output's directory.

    Bad:  "FilePath": "/opt/ml/processing/report/quality.json"
    Good: "FilePath": "quality.json"
    """
    for file in subject.property_files:
        path = file.text("FilePath")
        if path is not None and (path.startswith(("/", "s3:")) or ".." in path.split("/")):
            message = f"{path!r} is not inside of the output"
            yield Fault(f"{file.at}/FilePath", message, "write the path below the output", file.placed)
        elif path is not None and path.endswith("/"):
            message = f"{path!r} is a folder, and one file is read"
            yield Fault(f"{file.at}/FilePath", message, f"e.g. {path}quality.json", file.placed)


@rule(
    "R323",
    "json-get-source",
    Severity.ERROR,
    source="official SDK's JsonGet; 'Path must be a literal string' (sdk#4418)",
)
def json_get_source(subject: Subject) -> Iterator[Fault]:
    """Std:JsonGet reads a property file by {"Get": "Steps.<step>.PropertyFiles.<name>"}, or an S3Uri, by a plain Path,
    which is a JSONPath with all brackets closed. One that may mean many values (a wildcard, a slice, a predicate) is a
    warning.

    Bad:  {"Std:JsonGet": {"PropertyFile": "quality", "Path": "mse.value"}}
    Good: {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.quality"}, "Path": "mse.value"}}
    """
    for site in subject.sites:
        expression = site.expression
        if not isinstance(expression, JsonGet):
            continue
        here = f"{site.at}/Std:JsonGet"
        if not isinstance(expression.path, str):
            yield Fault(f"{here}/Path", "Path wants a plain text", 'e.g. "metrics.mse.value"', site.placed)
        elif not expression.path.strip():
            yield Fault(f"{here}/Path", "Path is empty", 'e.g. "metrics.mse.value"', site.placed)
        else:
            yield from _path(f"{here}/Path", expression.path, site.placed)
        if isinstance(expression.s3_uri, str) and not expression.s3_uri.startswith("s3://"):
            message = f"{shown(expression.s3_uri)} is no S3 URI"
            yield Fault(f"{here}/S3Uri", message, "write s3://<bucket>/<key>", site.placed)
        if expression.s3_uri is not None:
            if not isinstance(expression.s3_uri, str | Join | Ref):
                yield Fault(f"{here}/S3Uri", "S3Uri wants a text or an expression", None, site.placed)
            elif isinstance(expression.s3_uri, Ref) and expressions.kind_of(subject, expression.s3_uri) in _MANY:
                message = f"{expression.s3_uri.expression} is no text, and S3Uri wants one"
                yield Fault(f"{here}/S3Uri/Get", message, "join the output's S3Uri and the file", site.placed)
            continue
        wanted = "Steps.<step>.PropertyFiles.<name>"
        at = f"{here}/PropertyFile"
        if not isinstance(expression.property_file, Ref):
            yield Fault(at, "PropertyFile wants a reference", f'write {{"Get": "{wanted}"}}', site.placed)
            continue
        path = expression.property_file.path
        if path is None or (path.root == "Steps" and path.name not in subject.by_name):
            continue
        producer = subject.by_name.get(path.name)
        step_type = subject.type_of(producer.step) if producer else None
        if step_type is not None and producer is not None and "PropertyFiles" not in step_type.envelope:
            message = f"{path.name!r} is a {producer.step.type} step, which has no property files"
            yield Fault(f"{at}/Get", message, "read a Processing step's property file", site.placed)
            continue
        if path.root != "Steps" or len(path.segments) != 2 or path.segments[0] != "PropertyFiles":
            help_text = f"write {wanted}"
            declared = properties.property_files(producer.step) if producer else None
            if declared:
                help_text += f", e.g. Steps.{path.name}.PropertyFiles.{declared[0]}"
            yield Fault(
                f"{at}/Get", f"{expression.property_file.expression!r} is no property file", help_text, site.placed
            )


def _path(at: str, path: str, placed: Placed | None) -> Iterator[Fault]:
    """A JSONPath stops halfway where a bracket or a quote stays open, or after a dot."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", path)
    if bare.count("[") != bare.count("]") or "'" in bare or '"' in bare or path.endswith((".", "[")):
        yield Fault(at, f"{shown(path)} is a JSONPath that stops halfway", "e.g. \"metrics['mse'].value\"", placed)
    elif "{" in bare or "}" in bare:
        message = f"{shown(path)} has braces, and nothing is filled in there"
        help_text = "write the members' names themselves"
        yield Fault(at, message, help_text, placed, severity=Severity.WARNING)
    elif "/" in bare:
        message = f"{shown(path)} has slashes, members are separated by dots"
        help_text = f'write "{path.strip("/").replace("/", ".")}"'
        yield Fault(at, message, help_text, placed, severity=Severity.WARNING)
    else:
        try:
            json_path.parse(path)
        except json_path.PathMissing:
            message = f"{shown(path)} may mean many values, and one is wanted"
            help_text = "write members, indexes and quoted keys, e.g. \"metrics[0]['mse'].value\""
            yield Fault(at, message, help_text, placed, severity=Severity.WARNING)


@rule("R324", "property-file-as-value", Severity.ERROR, source="official SDK's JsonGet")
def property_file_as_value(subject: Subject) -> Iterator[Fault]:
    """A property file is used as if it were a value; it is a file, read with Std:JsonGet and a Path.

    Bad:  {"Get": "Steps.Evaluate.PropertyFiles.quality"} as a hyperparameter
    Good: {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.quality"}, "Path": "mse.value"}}
    """
    for reading in subject.readings:
        path, site = reading.path, reading.site
        if path.root != "Steps" or path.segments[:1] != ("PropertyFiles",):
            continue
        if not site.at.endswith("/Std:JsonGet/PropertyFile"):
            yield Fault(f"{site.at}/Get", "a property file is no value", "read it with Std:JsonGet", site.placed)


@rule("R326", "json-get-of-a-folder", Severity.ERROR, source="official SDK's JsonGet: s3_uri is that of a JSON file")
def json_get_of_a_folder(subject: Subject) -> Iterator[Fault]:
    """Std:JsonGet reads one file, and its S3Uri is a bucket, a folder, or an output as a whole, which is a folder.

    Bad:  {"Std:JsonGet": {"S3Uri": {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"},
          "Path": "mse.value"}}
    Good: {"Std:JsonGet": {"S3Uri": {"Std:Join": {"On": "/", "Values": [{"Get":
          "Steps.Evaluate.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"}, "evaluation.json"]}},
          "Path": "mse.value"}}
    """
    for site in subject.sites:
        read = site.expression.s3_uri if isinstance(site.expression, JsonGet) else None
        values = read.values if isinstance(read, Join) and isinstance(read.values, tuple) else (read,)
        parts = [value for value in values if value != ""] if len(values) > 1 else list(values)
        last = parts[-1] if parts else None
        path = last.path if isinstance(last, Ref) else None
        whole = path is not None and path.root == "Steps" and path.segments[-2:] == ("S3Output", "S3Uri")
        folder = isinstance(last, str) and (last.endswith("/") or (len(parts) == 1 and _is_bucket(last)))
        if whole or folder:
            what = "an output is a folder" if whole else f"{shown(last)} is no file"
            help_text = "join the file's name to it, e.g. evaluation.json"
            yield Fault(f"{site.at}/Std:JsonGet/S3Uri", f"{what}, and one file is read", help_text, site.placed)


def _is_bucket(uri: str) -> bool:
    return uri.startswith("s3://") and "/" not in uri[len("s3://") :]
