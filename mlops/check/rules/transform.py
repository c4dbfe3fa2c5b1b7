"""Batch transform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject, get
from mlops.ir import Severity


@rule(
    "X790",
    "transform-filter",
    Severity.ERROR,
    source="'JSONPath must start with $'; AWS docs: batch-transform-data-processing",
)
def transform_filter(subject: Subject) -> Iterator[Fault]:
    """InputFilter or OutputFilter is no JSONPath.

    Bad:  "OutputFilter": "SageMakerOutput"
    Good: "OutputFilter": "$.SageMakerOutput"
    """
    for placed, arguments in subject.of_type("Transform"):
        for name in ("InputFilter", "OutputFilter"):
            text = get(arguments, "DataProcessing", name)
            if isinstance(text, str) and not text.startswith("$"):
                at = f"{placed.pointer}/Arguments/DataProcessing/{name}"
                yield Fault(at, f"{shown(text)} is no JSONPath", "it starts with $", placed)


@rule("X791", "join-types", Severity.ERROR, source="AWS docs: ContentType must equal Accept when records are joined")
def join_types(subject: Subject) -> Iterator[Fault]:
    """Results are joined with their input, and input and output have different content types.

    Bad:  "JoinSource": "Input", "ContentType": "text/csv", "Accept": "application/json"
    Good: both "text/csv"
    """
    for placed, arguments in subject.of_type("Transform"):
        if get(arguments, "DataProcessing", "JoinSource") != "Input":
            continue
        content = get(arguments, "TransformInput", "ContentType")
        accept = get(arguments, "TransformOutput", "Accept")
        if (
            isinstance(content, str)
            and isinstance(accept, str)
            and content.partition(";")[0] != accept.partition(";")[0]
        ):
            at = f"{placed.pointer}/Arguments/TransformOutput/Accept"
            yield Fault(at, f"joins {content} with {accept}", "use one content type", placed)


@rule(
    "X793",
    "transform-payload",
    Severity.ERROR,
    source="CreateTransformJob API: MaxConcurrentTransforms * MaxPayloadInMB is at most 100",
)
def transform_payload(subject: Subject) -> Iterator[Fault]:
    """As many payloads as run at the same time are more than 100 MB.

    Bad:  "MaxConcurrentTransforms": 30, "MaxPayloadInMB": 6
    Good: "MaxConcurrentTransforms": 16, "MaxPayloadInMB": 6
    """
    for placed, arguments in subject.of_type("Transform"):
        count, size = arguments.get("MaxConcurrentTransforms"), arguments.get("MaxPayloadInMB")
        if isinstance(count, int) and isinstance(size, int) and count * size > 100:
            at = f"{placed.pointer}/Arguments/MaxPayloadInMB"
            yield Fault(at, f"{count} times {size} MB is more than 100 MB", "lower one of them", placed)


@rule("X792", "records-not-split", Severity.WARNING, source="AWS docs: batch transform")
def records_not_split(subject: Subject) -> Iterator[Fault]:
    """Records are batched or joined, but the input is not split into records.

    Bad:  "BatchStrategy": "MultiRecord" without SplitType
    Good: "BatchStrategy": "MultiRecord", "SplitType": "Line"
    """
    for placed, arguments in subject.of_type("Transform"):
        if not isinstance(arguments.get("TransformInput"), Mapping):
            continue
        split = get(arguments, "TransformInput", "SplitType")
        if split not in (None, "None"):
            continue
        at = f"{placed.pointer}/Arguments/TransformInput/SplitType"
        if get(arguments, "DataProcessing", "JoinSource") == "Input":
            yield Fault(at, "records are joined but not split", "set SplitType", placed)
        elif get(arguments, "BatchStrategy") == "MultiRecord":
            yield Fault(at, "records are batched but not split", "set SplitType", placed)
