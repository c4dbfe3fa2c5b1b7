"""Batch transform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.jobs import TRANSFORM
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.data_processing import FILTERS, Asked, breaches
from mlops.ir.members import get
from mlops.ir.record_filter import PATH_LIMIT


@rule(
    "X790",
    "transform-filter",
    Severity.ERROR,
    source="AWS docs: batch-transform-data-processing; 'only single range filters ... are supported' (sdk#1112)",
)
def transform_filter(subject: Subject) -> Iterator[Fault]:
    """InputFilter or OutputFilter is none of the JSONPaths that the service documents, or names a member where records
    are rows of CSV, which have numbers only. A name with an underscore, which the service was seen to refuse, is a
    warning.

    Bad:  "OutputFilter": "SageMakerOutput"
    Good: "OutputFilter": "$[0,5:]"
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        asked = asked_of(subject, job)
        wrong = {breach.member[-1]: breach for breach in breaches(asked) if breach.kind == "filter"}
        for name, text in asked.filters.items():
            if text is None or name in asked.unknown or len(text) > PATH_LIMIT:
                continue  # that it is too long is told of the request's shape
            at = f"{start}/DataProcessing/{name}"
            if name in wrong:
                help_text = None if text.startswith("$") else f"e.g. $.{text or 'id'}"
                yield Fault(at, wrong[name].message, help_text, placed)
            elif "_" in text:
                message = f"{shown(text)} has a name with an underscore, which the service was seen to refuse"
                help_text = "name the member without one (aws-sdk#184: 'Unexpected \"_\" in JsonPath')"
                yield Fault(at, message, help_text, placed, severity=Severity.WARNING)


def asked_of(subject: Subject, job: Mapping[str, Value]) -> Asked:
    """What a transform job asks of its records, parameters at their defaults."""
    places = {
        "InputFilter": ("DataProcessing", "InputFilter"),
        "OutputFilter": ("DataProcessing", "OutputFilter"),
        "JoinSource": ("DataProcessing", "JoinSource"),
        "ContentType": ("TransformInput", "ContentType"),
        "Accept": ("TransformOutput", "Accept"),
        "SplitType": ("TransformInput", "SplitType"),
        "AssembleWith": ("TransformOutput", "AssembleWith"),
    }
    given = {name: get(job, *members) for name, members in places.items()}
    known = {name: literal(subject, value) for name, value in given.items()}
    said = {name: value for name, value in known.items() if isinstance(value, str)}
    return Asked(
        filters={name: said.get(name) for name in FILTERS},
        join=said.get("JoinSource"),
        content=said.get("ContentType"),
        accept=said.get("Accept"),
        split=said.get("SplitType"),
        assemble=said.get("AssembleWith"),
        unknown=frozenset(name for name, value in given.items() if value is not None and name not in said),
    )


@rule("X791", "join-types", Severity.ERROR, source="AWS docs: ContentType must equal Accept when records are joined")
def join_types(subject: Subject) -> Iterator[Fault]:
    """Results are joined with their input, and input and output have different content types.

    Bad:  "JoinSource": "Input", "ContentType": "text/csv", "Accept": "application/json"
    Good: both "text/csv"
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        if get(job, "DataProcessing", "JoinSource") != "Input":
            continue
        content = get(job, "TransformInput", "ContentType")
        accept = get(job, "TransformOutput", "Accept")
        if (
            isinstance(content, str)
            and isinstance(accept, str)
            and content.partition(";")[0] != accept.partition(";")[0]
        ):
            at = f"{start}/TransformOutput/Accept"
            yield Fault(at, f"joins {content} with {accept}", "use one content type", placed)


@rule(
    "X793",
    "transform-payload",
    Severity.ERROR,
    source="CreateTransformJob API: MaxConcurrentTransforms * MaxPayloadInMB is at most 100",
)
def transform_payload(subject: Subject) -> Iterator[Fault]:
    """A payload, or as many of them as run at the same time, is more than 100 MB.

    Bad:  "MaxConcurrentTransforms": 30, "MaxPayloadInMB": 6
    Good: "MaxConcurrentTransforms": 16, "MaxPayloadInMB": 6
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        count = literal(subject, job.get("MaxConcurrentTransforms"))
        size = literal(subject, job.get("MaxPayloadInMB"))
        at = f"{start}/MaxPayloadInMB"
        if not isinstance(size, int):
            continue
        if size > 100:
            yield Fault(at, f"{shown(size)} MB is more than 100 MB", "lower it", placed)
        elif isinstance(count, int) and count * size > 100:
            yield Fault(at, f"{shown(count)} times {size} MB is more than 100 MB", "lower one of them", placed)


@rule("X792", "records-not-split", Severity.WARNING, source="AWS docs: batch transform")
def records_not_split(subject: Subject) -> Iterator[Fault]:
    """Records are batched or joined, but the input is not split into records.

    Bad:  "BatchStrategy": "MultiRecord" without SplitType
    Good: "BatchStrategy": "MultiRecord", "SplitType": "Line"
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        if not isinstance(job.get("TransformInput"), Mapping):
            continue
        split = get(job, "TransformInput", "SplitType")
        if split not in (None, "None"):
            continue
        at = f"{start}/TransformInput/SplitType"
        if get(job, "DataProcessing", "JoinSource") == "Input":
            yield Fault(at, "records are joined but not split", "set SplitType", placed)
        elif get(job, "BatchStrategy") == "MultiRecord":
            yield Fault(at, "records are batched but not split", "set SplitType", placed)


@rule("X794", "transform-data-type", Severity.ERROR, source="CreateTransformJob API: S3DataType of a transform input")
def transform_data_type(subject: Subject) -> Iterator[Fault]:
    """A batch transform reads an augmented manifest, which only training does.

    Bad:  "S3DataType": "AugmentedManifestFile"
    Good: "S3DataType": "ManifestFile"
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        members = ("TransformInput", "DataSource", "S3DataSource", "S3DataType")
        if get(job, *members) == "AugmentedManifestFile":
            at = f"{start}/{'/'.join(members)}"
            yield Fault(at, "a transform does not read an augmented manifest", "use ManifestFile or S3Prefix", placed)


@rule(
    "X795",
    "filter-of-nothing",
    Severity.WARNING,
    source="AWS docs: batch-transform-data-processing; SageMakerOutput is there only where records are joined",
)
def filter_of_nothing(subject: Subject) -> Iterator[Fault]:
    """OutputFilter picks SageMakerOutput or SageMakerInput, which exist only when results are joined with their input.

    Bad:  "OutputFilter": "$.SageMakerOutput" without JoinSource
    Good: the same with "JoinSource": "Input"
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        text = get(job, "DataProcessing", "OutputFilter")
        joined = get(job, "DataProcessing", "JoinSource")
        if isinstance(text, str) and "SageMaker" in text and joined in (None, "None"):
            at = f"{start}/DataProcessing/OutputFilter"
            help_text = 'set "JoinSource": "Input"'
            yield Fault(at, f"{shown(text)} is not there unless records are joined", help_text, placed)
