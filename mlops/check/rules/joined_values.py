"""Joined texts of which a piece is known to the execution alone, by the form that such pieces have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops.check import expressions, properties
from mlops.check.rule import Fault, rule
from mlops.check.shapes import compiled_pattern
from mlops.check.subject import Subject
from mlops.ir import Join, Ref, Severity, Value
from mlops.ir.members import get

_TIMES = ("StartDateTime", "CurrentDateTime")
_TIME = "2026-11-22T06:09:15.123Z"
_ARN = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/name/execution/abcdef123456"
_URI = "s3://bucket/key/name"


def _piece(subject: Subject, value: Value) -> tuple[str, str] | None:
    """A text of the form that a piece has, and in words what it is where that may be no name; None where its form is
    not known."""
    text = expressions.fold(subject, value)
    if text is not None:
        return text, ""
    path = value.path if isinstance(value, Ref) else None
    if path is None:
        return None
    if path.root == "Execution":
        if path.name in _TIMES:
            return _TIME, "a time with colons and a dot"
        return (_ARN, "an ARN") if path.name.endswith("Arn") else ("name", "")
    found = properties.read(subject, path) if path.root == "Steps" else None
    source = None if found is None or isinstance(found, properties.Dead) else found.shape
    if source is None or source.kind != "string":
        return None
    if source.name.endswith("Arn"):
        return _ARN, "an ARN"
    if source.name in ("S3Uri", "Url"):
        return _URI, "an S3 URI"
    return ("name", "") if source.name.endswith("Name") else None


@rule(
    "R338",
    "piece-does-not-fit",
    Severity.WARNING,
    source="botocore's patterns of names; times of executions as ISO 8601",
)
def piece_does_not_fit(subject: Subject) -> Iterator[Fault]:
    """A name is joined with a time, an ARN or an S3 URI: those have colons, dots or slashes, and names take none.

    Bad:  {"Std:Join": {"On": "-", "Values": ["churn", {"Get": "Execution.StartDateTime"}]}} as an EndpointConfigName
    Good: {"Std:Join": {"On": "-", "Values": ["churn", {"Get": "Execution.PipelineExecutionId"}]}}
    """
    for placed, feed in subject.feeds:
        pattern = feed.shape.raw.get("pattern") if feed.shape.kind == "string" else None
        if not pattern or feed.in_map or not isinstance(feed.expression, Join):
            continue
        pieces = [_piece(subject, value) for value in feed.expression.values]
        known = [piece for piece in pieces if piece is not None]
        odd = next((words for _, words in known if words), None)
        if odd is None or len(known) != len(pieces):
            continue
        compiled = compiled_pattern(pattern)
        if compiled is None or compiled.fullmatch(feed.expression.on.join(text for text, _ in known)):
            continue
        harmless = feed.expression.on.join("name" if words else text for text, words in known)
        if compiled.fullmatch(harmless):
            message = f"{odd} is joined into a {feed.shape.name}, which takes no such text"
            yield Fault(feed.at, message, "join Execution.PipelineExecutionId", placed)


_FILES = ("S3ModelArtifacts", "CalculatedBaselineConstraints", "CalculatedBaselineStatistics")


@rule(
    "R339",
    "file-below-a-file",
    Severity.WARNING,
    source="DescribeTrainingJob API: S3ModelArtifacts is the path of the archive; official SDK's quality_check_step",
)
def file_below_a_file(subject: Subject) -> Iterator[Fault]:
    """A path in S3 goes on after what is a file already: the archive of a trained model, or a calculated baseline.

    Bad:  {"Std:Join": {"On": "/", "Values": [{"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}, "model.tar.gz"]}}
    Good: {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    """
    for at, value, placed in subject.uris:
        if not isinstance(value, Join):
            continue
        for index, piece in enumerate(value.values[:-1]):
            if _is_file(subject, piece) and _goes_on(value.on, value.values[index + 1 :]):
                last = piece.path.segments[-1] if isinstance(piece, Ref) and piece.path is not None else ""
                message = f"{last} is a file, and the joined path goes on below it"
                yield Fault(f"{at}/Std:Join/Values/{index}", message, "read it as it is", placed)


def _goes_on(separator: str, rest: Sequence[Value]) -> bool:
    following = rest[0]
    return separator.startswith("/") or (isinstance(following, str) and following.startswith("/"))


def _is_file(subject: Subject, piece: Value) -> bool:
    path = piece.path if isinstance(piece, Ref) else None
    if path is None or path.root != "Steps" or not path.segments or path.segments[-1] not in _FILES:
        return False
    producer = subject.by_name.get(path.name)
    # What is not packed has a folder there.
    packed = None if producer is None else get(producer.step.arguments, "OutputDataConfig", "CompressionType")
    return producer is not None and packed in (None, "GZIP")
