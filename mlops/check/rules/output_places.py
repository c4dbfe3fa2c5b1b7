"""Places in S3 below which jobs write."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.expressions import fold
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity

_WRITTEN = ("/S3OutputPath", "/DestinationS3Uri", "/S3OutputUri", "/S3Output/S3Uri")
_FILES = (
    ".csv", ".json", ".jsonl", ".parquet", ".txt", ".gz", ".zip", ".pkl", ".npy", ".h5", ".onnx", ".joblib", ".html",
    ".ipynb", ".out",
)  # fmt: skip


@rule("X944", "output-named-as-file", Severity.WARNING, source="APIs: S3OutputPath and S3Output.S3Uri are prefixes")
def output_named_as_file(subject: Subject) -> Iterator[Fault]:
    """What a job writes goes below a place that is called like a file: there will be a folder of that name, and whoever
    reads the file finds none.

    Bad:  "S3OutputPath": "s3://acme/scores.csv"
    Good: "S3OutputPath": "s3://acme/scores"
    """
    for at, value, placed in subject.uris:
        if not at.endswith(_WRITTEN):
            continue
        uri = fold(subject, value)
        if uri is not None and uri.lower().endswith(_FILES) and "://" not in uri[len("s3://") :]:
            message = f"{shown(uri)} becomes a folder, in which the files are"
            yield Fault(at, message, f"e.g. {uri.rpartition('/')[0]}", placed)
