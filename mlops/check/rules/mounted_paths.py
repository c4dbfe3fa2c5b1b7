"""Paths of the container that a processing job names, against what is copied to them and from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.jobs import PROCESSING
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.members import get
from mlops.ir.values import pointer

_PATH = re.compile(r"(?<![\w./-])/opt/ml/processing/[\w./-]*\w")
_PASSING = re.compile(r"/(?:tmp|temp|cache|work|scratch)")
"""Folders that a script makes for itself."""
_SOURCES = ("S3Input", "DatasetDefinition")


@rule(
    "X739",
    "path-that-nothing-fills",
    Severity.WARNING,
    source="CreateProcessingJob API: LocalPath is where inputs are copied to, and outputs from",
)
def path_that_nothing_fills(subject: Subject) -> Iterator[Fault]:
    """An argument or a variable of a processing job names a path below /opt/ml/processing that is in no input and in no
    output: nothing is there to be read, and what is written there is lost.

    Bad:  ["--output", "/opt/ml/processing/reports"] with an output at "/opt/ml/processing/report"
    Good: ["--output", "/opt/ml/processing/report"]
    """
    for at, request, placed in subject.jobs[PROCESSING]:
        folders = _folders(request) if placed.step.type == "Processing" else None
        for where, text in _words(request) if folders is not None else ():
            path = next((path for path in _PATH.findall(text) if not _is_kept(path, folders or [])), None)
            if path is not None:
                message = f"no input and no output is at {path}"
                yield Fault(at + where, message, f"these are: {', '.join(sorted(folders or []))}", placed)


def _folders(request: Mapping[str, Value]) -> list[str] | None:
    """Of all inputs and outputs; None where one of them is not known, or there are none."""
    items = [item for _, item in entries(request, "ProcessingInputs")]
    inputs = [get(item, source, "LocalPath") for item in items for source in _SOURCES if source in item]
    outputs = [
        get(item, "S3Output", "LocalPath")
        for _, item in entries(request, "ProcessingOutputConfig", "Outputs")
        if "S3Output" in item
    ]
    known = [path.rstrip("/") for path in (*inputs, *outputs) if isinstance(path, str)]
    return known if known and len(known) == len(inputs) + len(outputs) else None


def _words(request: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """What may name a path; a script that an entrypoint names is looked for by another rule."""
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        words = get(request, "AppSpecification", member)
        for index, word in enumerate(words if isinstance(words, tuple) else ()):
            if isinstance(word, str) and not (member == "ContainerEntrypoint" and word.startswith("/")):
                yield f"/AppSpecification/{member}/{index}", word
    variables = request.get("Environment")
    for name, value in variables.items() if isinstance(variables, Mapping) else ():
        if isinstance(value, str):
            yield f"/Environment{pointer(name)}", value


def _is_kept(path: str, folders: list[str]) -> bool:
    """Whether it lies in one of the folders, holds one, or is a script's own."""
    here = f"{path}/"
    return _PASSING.search(path) is not None or any(
        here.startswith(f"{folder}/") or f"{folder}/".startswith(here) for folder in folders
    )
