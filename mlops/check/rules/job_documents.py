"""Job steps, whose whole configuration is one text of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops.check.expressions import fold
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Join, Severity


@rule("X848", "job-document", Severity.ERROR, source="CreateJob API: JobConfigDocument is the text of a JSON object")
def job_document(subject: Subject) -> Iterator[Fault]:
    """The configuration of a Job step is no JSON object, with all parameters at their defaults.

    Bad:  "JobConfigDocument": "{'BaseModelArn': 'arn:...'}"
    Good: "JobConfigDocument": "{\\"BaseModelArn\\": \\"arn:...\\"}"
    """
    for placed, arguments in subject.of_type("Job"):
        given = arguments.get("JobConfigDocument")
        text = fold(subject, given) if isinstance(given, str | Join) else None
        if text is None:
            continue
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            at = f"{placed.pointer}/Arguments/JobConfigDocument"
            yield Fault(at, f"{shown(text)} is no JSON object", 'e.g. "{\\"HyperParameters\\": {}}"', placed)
