"""Texts that are put together, and JSON that is read, when the pipeline runs."""

from __future__ import annotations

from mlops.declare.misuse import misuse
from mlops.declare.references import (
    DataReference,
    JoinedReference,
    JsonFile,
    Poison,
    Reference,
    ReportReference,
    StringReference,
)
from mlops.declare.shown import Labelled, shown
from mlops.declare.unknown_names import told_arguments

__all__ = ["join", "json_file"]


@told_arguments
def join(*parts: Reference | str | int | float, on: str = "") -> StringReference:
    """Put strings together at run time, ``on`` between them: ``join("s3://", bucket, "/raw")``.

    It is also the only way to make a string of a number parameter."""
    if not isinstance(on, str):
        misuse("D003", f"join puts a string between its parts, not {shown(on)}", help='join("a", reference, on="/")')
        return Poison()
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, Reference | str | int | float):
            misuse("D003", f"join takes strings, numbers and references, not {shown(part)}", help=_of_a_join(part))
            return Poison()
    return Poison() if any(isinstance(part, Poison) for part in parts) else JoinedReference(on, parts)


def _of_a_join(part: object) -> str:
    if isinstance(part, bool):
        return f'write the text: "{str(part).lower()}"'
    if isinstance(part, list | tuple):
        return "give the parts one by one: join(*parts)"
    if isinstance(part, ReportReference):
        return 'give its URI, or a value in it: report.uri, report["accuracy"]'
    if isinstance(part, Labelled) and part.instead:
        return f"give what you mean of it, e.g. {part.instead}"
    return 'e.g. join("s3://", bucket, "/raw")'


@told_arguments
def json_file(uri: str | StringReference | DataReference) -> JsonFile:
    """A JSON file in S3 to read values from when the pipeline runs: ``json_file(join(uri, "/q.json"))["accuracy"]``.

    A report that a step of this pipeline writes is read by ``reports[…]``, which also makes the step wait."""
    if not isinstance(uri, str | StringReference | DataReference):
        misuse(
            "D003",
            f"json_file takes the S3 URI of a file, not {shown(uri)}",
            help='e.g. json_file("s3://bucket/metrics.json")',
        )
        return Poison()
    return JsonFile(uri)
