"""Joined texts of which a piece is known to the execution alone, by the form that such pieces have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops.check import expressions, samples
from mlops.check.rule import Fault, rule
from mlops.check.serving import packs_its_model
from mlops.check.shapes import compiled_pattern
from mlops.check.subject import Subject
from mlops.ir import Join, Ref, Severity, Value


@rule(
    "R338",
    "piece-does-not-fit",
    Severity.ERROR,
    source="botocore's patterns of names; times of executions as ISO 8601",
)
def piece_does_not_fit(subject: Subject) -> Iterator[Fault]:
    """A name is joined with an ARN or an S3 URI, which have colons and slashes that no name takes; or (a warning) with
    a time, of which nobody says how the service writes it.

    Bad:  {"Std:Join": {"On": "-", "Values": ["churn", {"Get": "Execution.StartDateTime"}]}} as an EndpointConfigName
    Good: {"Std:Join": {"On": "-", "Values": ["churn", {"Get": "Execution.PipelineExecutionId"}]}}
    """
    for placed, feed in subject.feeds:
        pattern = feed.shape.raw.get("pattern") if feed.shape.kind == "string" else None
        if not pattern or feed.in_map or not isinstance(feed.expression, Join):
            continue
        pieces = [_piece(subject, value) for value in feed.expression.values]
        known = [piece for piece in pieces if piece is not None]
        odd = next((what for _, what in known if what != samples.NAME), None)
        compiled = compiled_pattern(pattern)
        if odd is None or compiled is None or len(known) != len(pieces):
            continue
        on, name = feed.expression.on, samples.SAMPLES[samples.NAME]
        joined = on.join(text for text, _ in known)
        of_names = on.join(text if what == samples.NAME else name for text, what in known)
        if not compiled.fullmatch(joined) and compiled.fullmatch(of_names):
            message = f"{odd} is joined into a {feed.shape.name}, which takes no such text"
            severity = None if any(what in (samples.ARN, samples.URI) for _, what in known) else Severity.WARNING
            yield Fault(feed.at, message, "join Execution.PipelineExecutionId", placed, severity=severity)


def _piece(subject: Subject, value: Value) -> tuple[str, str] | None:
    """A text of the form that a piece has, and which form that is; None where it is not known. A text that is known is
    as good as a name."""
    text = expressions.fold(subject, value)
    if text is not None:
        return text, samples.NAME
    what = samples.form(subject, value)
    return (samples.SAMPLES[what], what) if what is not None else None


_FILES = ("S3ModelArtifacts", "CalculatedBaselineConstraints", "CalculatedBaselineStatistics")


@rule(
    "R339",
    "file-below-a-file",
    Severity.ERROR,
    source="DescribeTrainingJob API: S3ModelArtifacts is the path of the archive; official SDK's quality_check_step",
)
def file_below_a_file(subject: Subject) -> Iterator[Fault]:
    """A path in S3 goes on after what is a file already: the archive of a trained model, or a calculated baseline.
    Nothing is there to be read; what is written there is found by nobody who looks for the file (a warning).

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
                severity = Severity.WARNING if any(word in at for word in _WRITTEN) else None
                yield Fault(f"{at}/Std:Join/Values/{index}", message, "read it as it is", placed, severity=severity)


_WRITTEN = ("Output", "Destination", "CheckpointConfig", "Log")
"""Words of the members that say where something is written."""


def _goes_on(separator: str, rest: Sequence[Value]) -> bool:
    following = rest[0]
    return separator.startswith("/") or (isinstance(following, str) and following.startswith("/"))


def _is_file(subject: Subject, piece: Value) -> bool:
    path = piece.path if isinstance(piece, Ref) else None
    if path is None or path.root != "Steps" or not path.segments or path.segments[-1] not in _FILES:
        return False
    producer = subject.by_name.get(path.name)
    # What is not packed has a folder there.
    return producer is not None and packs_its_model(subject, producer) is True
