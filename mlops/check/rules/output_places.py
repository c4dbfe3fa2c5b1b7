"""Places in S3 below which jobs write."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.expressions import fold
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get

_OUTPUTS = ("/S3Output/S3Uri", "/S3OutputPath")
_PREFIXES = ("/S3Input", "/S3DataSource")
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


@rule(
    "X847",
    "prefix-takes-siblings",
    Severity.WARNING,
    source="S3DataSource and ProcessingS3Input API: S3Prefix takes all objects whose keys begin with S3Uri (sdk#3557)",
)
def prefix_takes_siblings(subject: Subject) -> Iterator[Fault]:
    """A prefix that is read does not end with a slash, and what another output of the pipeline writes begins with the
    same letters: a prefix is no folder, so the job gets that, too.

    Bad:  "S3Uri": "s3://acme/test" beside an output at "s3://acme/test_small"
    Good: "S3Uri": "s3://acme/test/"
    """
    places = [(at, fold(subject, value), placed) for at, value, placed in subject.uris]
    written = {uri.rstrip("/"): placed for at, uri, placed in places if uri is not None and at.endswith(_OUTPUTS)}
    for at, uri, placed in places:
        source = at.rpartition("/")[0]
        if uri is None or not uri[-1:].isalnum() or uri.count("/") < 3 or not source.endswith(_PREFIXES):
            continue
        if "." in uri.rpartition("/")[2] or _is_list(source, placed):
            continue
        for other, writer in written.items():
            rest = other.removeprefix(uri)
            if rest != other and rest and not rest.startswith("/") and writer is not placed:
                message = (
                    f"{shown(uri)} is a prefix and no folder, so it takes {other}, which {writer.step.name!r} writes"
                )
                yield Fault(at, message, f"end it with a slash: {uri}/", placed)
                break


def _is_list(source: str, placed: Placed) -> bool:
    """Whether it is a manifest: one object by its key."""
    found: Value = placed.step.arguments
    for part in source.removeprefix(f"{placed.pointer}/Arguments/").split("/"):
        if isinstance(found, tuple):
            found = found[int(part)] if part.isdecimal() and int(part) < len(found) else None
        else:
            found = get(found, part)
    kind = get(found, "S3DataType")
    return isinstance(kind, str) and kind != "S3Prefix"
