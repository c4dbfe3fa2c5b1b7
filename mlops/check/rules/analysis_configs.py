"""Clarify's ``analysis_config.json``, where it lies on this machine: what the check needs of it, and what it names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from posixpath import basename
from typing import Any

from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.scripts import shipped
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity
from mlops.ir.members import get

_LARGEST = 1024 * 1024
_METHODS = {
    "DATA_BIAS": ("pre_training_bias",),
    "MODEL_BIAS": ("post_training_bias",),
    "MODEL_EXPLAINABILITY": ("shap", "pdp", "asymmetric_shapley_value"),
}
"""By the step's CheckType: one of these has to be among the methods."""
_OF_JSON = ("application/jsonlines", "application/json")
_KNOWN = (*(name for names in _METHODS.values() for name in names), "report")


@rule(
    "X886",
    "analysis-config",
    Severity.WARNING,
    source="AWS docs: clarify-processing-job-configure-analysis",
)
def analysis_config(subject: Subject) -> Iterator[Fault]:
    """The analysis_config.json of a ClarifyCheck is no JSON object, has none of the methods that the check is, or
    measures bias without a label or a facet; or its label or facets are none of its headers. The job ends with an error
    when everything before it was paid for. Only a file that the pipeline brings is looked at.

    Bad:  "methods": {"report": {"name": "report"}} for MODEL_EXPLAINABILITY
    Good: "methods": {"shap": {"num_samples": 100}, "report": {"name": "report"}}
    """
    code = shipped(subject)
    for placed, arguments in subject.of_type("ClarifyCheck") if code else ():
        for at, item in entries(arguments, "ProcessingInputs"):
            uri = get(item, "S3Input", "S3Uri")
            if item.get("InputName") != "analysis_config" or not isinstance(uri, str):
                continue
            file = code.get(uri.rpartition("/")[0], {}).get(basename(uri))
            here = f"{placed.pointer}/Arguments{at}/S3Input/S3Uri"
            for message, help_text in _wrong(file, placed) if file is not None else ():
                yield Fault(here, f"{basename(uri)} {message}", help_text, placed)


def _wrong(file: Path, placed: Placed) -> Iterator[tuple[str, str | None]]:
    try:
        if file.stat().st_size > _LARGEST:
            return
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        return
    except (ValueError, RecursionError) as fault:
        yield f"is no JSON: {fault}", None
        return
    if not isinstance(found, dict):
        yield "is no JSON object", 'e.g. {"label": …, "facet": […], "methods": {…}}'
        return
    kind = placed.step.members.get("CheckType")
    wanted = _METHODS.get(kind, ()) if isinstance(kind, str) else ()
    methods = found.get("methods")
    names = list(methods) if isinstance(methods, dict) else []
    if wanted and not set(names) & set(wanted):
        near = next((guess for name in names if name not in _KNOWN and (guess := did_you_mean(name, wanted))), None)
        yield f"has no method {' or '.join(wanted)}, which {kind} runs", near or "add it to methods"
    if kind in ("DATA_BIAS", "MODEL_BIAS"):
        for member in ("label", "facet"):
            if found.get(member) in (None, []):
                yield f"says no {member}, and bias is measured by it", f'add "{member}"'
    yield from _columns(found)


def _columns(found: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    headers, facets = found.get("headers"), found.get("facet")
    if not isinstance(headers, list) or not headers:
        return
    # In JSON a label is looked for by a query, which names no column.
    given = [] if found.get("dataset_type") in _OF_JSON else [("the label", found.get("label"))]
    given += [("a facet", get(item, "name_or_index")) for item in (facets if isinstance(facets, Sequence) else ())]
    for what, name in given:
        if isinstance(name, str) and name not in headers:
            known = [header for header in headers if isinstance(header, str)]
            help_text = did_you_mean(name, known) or f"the headers are {', '.join(known)}"
            yield f"has {shown(name)} for {what}, which is none of its headers", help_text
