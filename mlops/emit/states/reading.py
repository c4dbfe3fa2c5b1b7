"""States that read files of S3 before a step, for what of them the step names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.emit.states.files import files_of
from mlops.emit.states.jsonata import (
    DATA,
    Unspelled,
    braces,
    expression,
    file_path,
    literal,
    name,
    obj,
    path,
    within,
)
from mlops.emit.states.retrying import FOR_S3
from mlops.emit.states.work import Work
from mlops.ir import JsonGet, Ref
from mlops.ir.values import Key, RefPath


def write_reads(work: Work) -> None:
    """From ``work.first`` to the step's own state. Raises Unspelled."""
    files = files_of(work.step)
    for (state, (label, wanted)), after in zip(files.items(), [*files, work.step.name][1:], strict=True):
        work.put(state, _read(work, label, wanted, after))


def _read(work: Work, label: str, wanted: JsonGet, then: str) -> Mapping[str, Any]:
    if not isinstance(wanted.path, str):
        raise Unspelled("the path into a file has to be known before")
    behind = f"$substringAfter({_place(work, wanted)}, 's3://')"
    value = file_path("$parse($states.result.Body)", wanted.path)
    missing = literal(f"the file has no {wanted.path}")
    return {
        "Type": "Task",
        "Resource": work.resource("aws-sdk:s3:getObject"),
        "Arguments": {
            "Bucket": braces(f"$substringBefore({behind}, '/')"),
            "Key": braces(f"$substringAfter({behind}, '/')"),
        },
        "Retry": list(FOR_S3),
        "Output": braces(f"($assert($exists({value}), {missing}); {within('Files', obj({label: value}))})"),
        **work.failing(work.step.name),
        "Next": then,
    }


def _place(work: Work, wanted: JsonGet) -> str:
    """JSONata of a file's URI."""
    if wanted.s3_uri is not None:
        return f"({expression(wanted.s3_uri, work.words())})"
    found = wanted.property_file.path if isinstance(wanted.property_file, Ref) else None
    match found:
        case RefPath("Steps", of, ("PropertyFiles", str(label) | Key(label))):
            pass
        case _:
            raise Unspelled("a PropertyFile is Steps.<step>.PropertyFiles.<name>")
    there = work.shared.checked.definition.step(of)
    listed = there.members.get("PropertyFiles") if there is not None else None
    declared = next(
        (
            item
            for item in (listed if isinstance(listed, tuple) else ())
            if isinstance(item, Mapping) and item.get("PropertyFileName") == label
        ),
        None,
    )
    if declared is None:
        raise Unspelled(f"{of} declares no property file {label}")
    segments = ("ProcessingOutputConfig", "Outputs", Key(str(declared.get("OutputName"))), "S3Output", "S3Uri")
    folder = path(f"{DATA}.Steps.{name(of)}", segments, {"ProcessingOutputConfig.Outputs": "OutputName"})
    file = str(declared.get("FilePath")).lstrip("/")
    whole = f"$replace({folder}, /\\/$/, '') & {literal('/' + file)}"
    return f"($assert($exists({folder}), 'the step has no such output'); {whole})"
