"""Lambda and Callback steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check import expressions
from mlops.check.expressions import PARAMETER_TYPES
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import is_expression_attempt, shown
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Ref, Severity, Unknown
from mlops.ir.values import pointer

_FUNCTION = re.compile(
    r"arn:aws[a-z\-]*:lambda:[a-z0-9\-]+:\d{12}:function:[a-zA-Z0-9\-_]+(:(\$LATEST|[a-zA-Z0-9\-_]+))?"
)
_QUEUE = re.compile(r"https?://[^/]+/\d{12}/[A-Za-z0-9\-_]{1,80}(\.fifo)?")


@rule("X701", "function-arn", Severity.ERROR, source="AWS docs: Lambda ARNs; the official SDK's lambda_step")
def function_arn(subject: Subject) -> Iterator[Fault]:
    """A Lambda step's FunctionArn is missing or is no ARN of a function.

    Bad:  "FunctionArn": "score"
    Good: "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:score"
    """
    for placed, _ in subject.of_type("Lambda"):
        arn = placed.step.members.get("FunctionArn")
        at = f"{placed.pointer}/FunctionArn"
        if arn is None:
            yield Fault(at, "the step has no FunctionArn", "add the function's ARN", placed)
        elif isinstance(arn, str):
            if not _FUNCTION.fullmatch(arn):
                yield Fault(at, f"{shown(arn)} is no Lambda function's ARN", "give the whole ARN", placed)
        elif not isinstance(arn, Ref | Join | JsonGet | Unknown):
            yield Fault(at, f"FunctionArn is {shown(arn)}, a text is wanted", None, placed)


@rule("X702", "queue-url", Severity.ERROR, source="AWS docs: SQS queue URLs; the official SDK's callback_step")
def queue_url(subject: Subject) -> Iterator[Fault]:
    """A Callback step's SqsQueueUrl is missing or is no URL of a queue.

    Bad:  "SqsQueueUrl": "arn:aws:sqs:eu-west-1:111122223333:jobs"
    Good: "SqsQueueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"
    """
    for placed, _ in subject.of_type("Callback"):
        url = placed.step.members.get("SqsQueueUrl")
        at = f"{placed.pointer}/SqsQueueUrl"
        if url is None:
            yield Fault(at, "the step has no SqsQueueUrl", "add the queue's URL", placed)
        elif isinstance(url, str):
            if not url.startswith("https://"):
                yield Fault(at, f"{shown(url)} is no queue URL", "https://sqs.<region>.amazonaws.com/...", placed)
            elif not _QUEUE.fullmatch(url):
                message = f"{shown(url)} does not look like a queue URL"
                severity = Severity.ERROR if url.startswith("https://sqs.") else Severity.WARNING
                help_text = "https://sqs.<region>.amazonaws.com/<account>/<name>"
                yield Fault(at, message, help_text, placed, severity=severity)
        elif not isinstance(url, Ref | Join | JsonGet | Unknown):
            yield Fault(at, f"SqsQueueUrl is {shown(url)}, a text is wanted", None, placed)


@rule("X703", "nested-input", Severity.ERROR, source="AWS docs: inputs are flat; the definition's schema")
def nested_input(subject: Subject) -> Iterator[Fault]:
    """An argument of a Lambda or Callback step is an object or a list, refers to one, or is null: they are flat.

    Bad:  {"options": {"depth": 3}}
    Good: {"depth": 3}
    """
    for placed, arguments in subject.of_type("Lambda", "Callback"):
        for name, value in arguments.items():
            nested = isinstance(value, Mapping) and not is_expression_attempt(value)
            if nested or isinstance(value, tuple):
                at = f"{placed.pointer}/Arguments{pointer(name)}"
                yield Fault(at, f"argument {name!r} is {shown(value)}, a plain value is wanted", "flatten it", placed)
            elif isinstance(value, Ref) and expressions.kind_of(subject, value) in ("structure", "list", "map"):
                at = f"{placed.pointer}/Arguments{pointer(name)}/Get"
                message = f"argument {name!r} reads {value.expression}, which is no plain value"
                yield Fault(at, message, "read one of its members", placed)
            elif value is None:
                at = f"{placed.pointer}/Arguments{pointer(name)}"
                message = f"argument {name!r} is null, a text or a number is wanted"
                yield Fault(at, message, "leave it out", placed)


@rule(
    "X704",
    "output-parameters",
    Severity.ERROR,
    source="official SDK's lambda_step and callback_step; botocore OutputParameter, OutputParameterList",
)
def output_parameters(subject: Subject) -> Iterator[Fault]:
    """OutputParameters is a list of {"OutputName": text, "OutputType": "String" | "Integer" | "Float" | "Boolean"},
    with names that differ.

    Bad:  [{"OutputName": "score", "OutputType": "float"}]
    Good: [{"OutputName": "score", "OutputType": "Float"}]
    """
    for placed, _ in subject.of_type("Lambda", "Callback"):
        listed = placed.step.members.get("OutputParameters")
        at = f"{placed.pointer}/OutputParameters"
        if listed is None or isinstance(listed, Unknown):
            continue
        if not isinstance(listed, tuple):
            yield Fault(at, f"OutputParameters is {shown(listed)}, a list is wanted", None, placed)
            continue
        if len(listed) > 50:
            # What a function returns is counted by nobody that is known of.
            answered = placed.step.type == "Callback"
            says = "an answer brings at most 50" if answered else "at most 50 are known to work"
            severity = None if answered else Severity.WARNING
            yield Fault(at, f"{len(listed)} outputs, {says}", "leave some out", placed, severity=severity)
        seen: set[str] = set()
        for index, item in enumerate(listed):
            here = f"{at}/{index}"
            if isinstance(item, Unknown):
                continue
            if not isinstance(item, Mapping):
                yield Fault(here, f"{shown(item)} is no output", None, placed)
                continue
            for key in item:
                if key not in ("OutputName", "OutputType"):
                    help_text = did_you_mean(key, ("OutputName", "OutputType"))
                    yield Fault(here + pointer(key), f"an output has no member {key!r}", help_text, placed)
            name, kind = item.get("OutputName"), item.get("OutputType")
            if isinstance(name, Unknown):
                pass
            elif not isinstance(name, str) or not name:
                yield Fault(f"{here}/OutputName", "the output has no name", "add OutputName", placed)
            elif name in seen:
                yield Fault(f"{here}/OutputName", f"two outputs are named {name!r}", "rename one", placed)
            else:
                seen.add(name)
            if kind is None:
                message = "the output has no type"
                yield Fault(f"{here}/OutputType", message, "add OutputType", placed, severity=Severity.WARNING)
            elif kind not in PARAMETER_TYPES and not isinstance(kind, Unknown):
                help_text = did_you_mean(str(kind), PARAMETER_TYPES)
                yield Fault(f"{here}/OutputType", f"{shown(kind)} is no output type", help_text, placed)
