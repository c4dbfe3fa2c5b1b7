"""Records that a batch transform filters or joins with its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.jobs import TRANSFORM
from mlops.check.rule import Fault, rule
from mlops.check.rules.transform import asked_of
from mlops.check.subject import Subject
from mlops.ir import Severity
from mlops.ir.data_processing import Kind, breaches
from mlops.ir.values import pointer

_SEVERITIES: Mapping[Kind, Severity | None] = {
    "content": None, "answer": Severity.WARNING, "unsaid": Severity.WARNING,
    "delimiter": Severity.WARNING, "split": Severity.WARNING,
}  # fmt: skip
_HELP: Mapping[Kind, str] = {
    "unsaid": "set ContentType and Accept to what the records are",
    "answer": "use one content type on both sides",
    "delimiter": "set SplitType and AssembleWith to Line",
    "split": 'set "SplitType": "Line"',
}


@rule(
    "X796",
    "unfilterable-records",
    Severity.ERROR,
    source="AWS docs: batch-transform-data-processing, 'must set both Content Type and Accept to one of'",
)
def unfilterable_records(subject: Subject) -> Iterator[Fault]:
    """Records are filtered or joined that are neither CSV nor JSON. Where their content type is left out, is another
    one than that of the answers, or they are put together by another delimiter than they are split by, it is a
    warning; a delimiter of joined records that is written so is not.

    Bad:  "InputFilter": "$[1:]", "ContentType": "application/x-npy"
    Good: "InputFilter": "$[1:]", "ContentType": "text/csv"
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        asked = asked_of(subject, job)
        # Of joined records X791 and X792 speak.
        told = {"filter", "answer", "split"} if asked.joins else {"filter"}
        if "ContentType" in asked.unknown or not isinstance(job.get("TransformInput"), Mapping):
            continue
        for breach in breaches(asked):
            if breach.kind not in told:
                severity = (
                    None if asked.joins and asked.assemble and breach.kind == "delimiter" else _SEVERITIES[breach.kind]
                )
                at = start + pointer(*breach.member)
                yield Fault(at, breach.message, _HELP.get(breach.kind), placed, severity=severity)


@rule(
    "X797",
    "filter-before-the-answer",
    Severity.WARNING,
    source="AWS docs: batch-transform-data-processing; InputFilter is applied before the model is asked",
)
def filter_before_the_answer(subject: Subject) -> Iterator[Fault]:
    """InputFilter picks SageMakerOutput or SageMakerInput, which are there only after the model has answered.

    Bad:  "InputFilter": "$.SageMakerOutput"
    Good: "OutputFilter": "$.SageMakerOutput"
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        text = asked_of(subject, job).filters.get("InputFilter")
        if text is not None and ("SageMakerOutput" in text or "SageMakerInput" in text):
            at = f"{start}/DataProcessing/InputFilter"
            yield Fault(at, "the input is filtered before the model answers", "make it an OutputFilter", placed)
