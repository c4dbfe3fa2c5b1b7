"""What a script writes, against what of its report is read: names of files and values."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.script_reads import (
    below,
    constant,
    python_scripts,
)
from mlops.check.scripts import Script
from mlops.check.subject import Subject, literal_texts
from mlops.ir import JsonGet, Ref, Severity
from mlops.ir.json_path import PathMissing
from mlops.ir.json_path import parse as parse_path
from mlops.ir.members import get
from mlops.ir.values import refs


@rule(
    "X926",
    "report-of-another-name",
    Severity.WARNING,
    source="AWS docs: a property file is read from the output when the step has ended",
)
def report_of_another_name(subject: Subject) -> Iterator[Fault]:
    """A script writes a JSON file into the output of a property file, under another name than that which is read: the
    step that reads it fails when everything before it was paid for.

    Bad:  open("/opt/ml/processing/output/report/metrics.json", "w") for the report "report/evaluation.json"
    Good: open("/opt/ml/processing/output/report/evaluation.json", "w")
    """
    for script, reads in python_scripts(subject):
        declared = [file for file in subject.property_files if file.placed is script.placed]
        outputs = {
            item.get("OutputName"): get(item, "S3Output", "LocalPath")
            for _, item in entries(script.job.request, "ProcessingOutputConfig", "Outputs")
        }
        if script.member is not None or not reads.paths:
            continue
        for report in declared:
            file, folder = report.text("FilePath"), outputs.get(report.text("OutputName"))
            if not isinstance(folder, str) or file is None:
                continue
            written = [
                (path, line) for path, line in reads.paths if below(path, folder.rstrip("/")) and path.endswith(".json")
            ]
            stem = file.rpartition("/")[2].removesuffix(".json")
            if written and not any(path == f"{folder.rstrip('/')}/{file}" for path, _ in written):
                if _is_said(script, stem):
                    continue
                path, line = written[0]
                message = f"{script.name}:{line} writes {path}, and what is read is {file}"
                yield Fault(script.at, message, "use one name for both", script.placed)


@rule(
    "X929",
    "value-not-in-report",
    Severity.WARNING,
    source="AWS docs: build-and-manage-propertyfile; a value that is not in the file fails the step that reads it",
)
def value_not_in_report(subject: Subject) -> Iterator[Fault]:
    """A value is read of a report that its script does not write: the step that reads it fails when the script has run.
    Told only where the script writes one JSON object, all of whose keys stand in it.

    Bad:  {"Std:JsonGet": {..., "Path": "precision"}} of a script with json.dump({"accuracy": accuracy}, file)
    Good: "Path": "accuracy"
    """
    written = {
        script.placed.step.name: (script, *reads.writes)
        for script, reads in python_scripts(subject)
        if script.member is None and reads.writes is not None
    }
    for site in subject.sites if written else ():
        read = site.expression
        if not isinstance(read, JsonGet) or not isinstance(read.property_file, Ref) or not isinstance(read.path, str):
            continue
        path = read.property_file.path
        known = written.get(path.name) if path is not None and path.root == "Steps" else None
        if known is None or len([file for file in subject.property_files if file.placed is known[0].placed]) != 1:
            continue
        script, report, line = known
        missing = _not_written(report, read.path)
        if missing is not None:
            name, keys = missing
            message = f"{script.name}:{line} writes a report without {name!r}, and {read.path} is read of it"
            help_text = did_you_mean(name, keys) or f"it writes {', '.join(keys)}"
            yield Fault(f"{site.at}/Std:JsonGet/Path", message, help_text, site.placed)


def registered_numbers(subject: Subject) -> frozenset[str] | None:
    """The dotted names of what the scripts of a pipeline write into the reports that it registers, each of which may
    hold more; None where one of the reports is not written as a whole in its script."""
    written = {
        script.placed.step.name: reads.writes[0]
        for script, reads in python_scripts(subject)
        if script.member is None and reads.writes is not None
    }
    found: set[str] = set()
    for _, arguments in subject.of_type("RegisterModel"):
        for _, ref in refs(arguments.get("ModelMetrics"), ""):
            path = ref.path
            report = written.get(path.name) if path is not None and path.root == "Steps" else None
            if report is None:
                return None
            found |= set(_dotted(report, ""))
    return frozenset(found)


def _dotted(report: ast.Dict, above: str) -> Iterator[str]:
    for key, value in zip(map(constant, report.keys), report.values, strict=True):
        if isinstance(value, ast.Dict):
            yield from _dotted(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def _not_written(report: ast.Dict, path: str) -> tuple[str, list[str]] | None:
    """The first name of the path that is not there, with those that are."""
    try:
        segments = parse_path(path)
    except PathMissing:
        return None
    here: ast.expr = report
    for segment in segments:
        if not isinstance(here, ast.Dict):
            return None
        values = dict(zip(map(constant, here.keys), here.values, strict=True))
        keys = [key for key in values if isinstance(key, str)]
        if len(keys) != len(here.keys) or not isinstance(segment, str):
            return None
        if segment not in keys:
            return segment, keys
        here = values[segment]
    return None


def _is_said(script: Script, word: str) -> bool:
    """In what the step ships or gives its script: then the name may be put together of that."""
    request = script.job.request
    given = literal_texts((get(request, "AppSpecification"), get(request, "Environment")), "")
    return any(word in text for _, text in given) or any(
        word in file.read_text(encoding="utf-8", errors="replace")
        for name, file in script.files.items()
        if name.endswith(".py") and file.is_file()
    )
