"""What happened in three days, of every kind that is told: two pipelines, an endpoint, what watches and promotes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mlops.deploy.captured_rows import CapturedRow
from mlops.deploy.log_lines import LogLine
from mlops.ir.events import Event
from mlops.ir.execution_events import execution_event, step_event
from mlops.observe.search.captured_documents import captured_document
from mlops.observe.search.documents import Document, Origin, document
from mlops.observe.search.line_documents import line_document
from tests.emit.declaring import CAPTURED

END = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
ORIGIN = Origin("production", "123456789012", "eu-west-1")
_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/{}/execution/{}"
_PACKAGE = {"model-package": "churn/3", "model-package-group": "churn"}


def happened() -> list[Event]:
    """In the order of their times, numbered."""
    found = sorted(_all(), key=lambda event: event.time)
    return [
        Event(event.kind, event.time, event.about, event.ids, event.detail, number)
        for number, event in enumerate(found, 1)
    ]


def documents() -> list[Document]:
    return [document(event, ORIGIN) for event in happened()]


def lines() -> list[Document]:
    """That a step and an endpoint printed."""
    told = ("epoch 1", "WARN few rows", "ERROR no such column", "ValueError: no data", "CRITICAL gone")
    whose = (
        ("/aws/sagemaker/TrainingJobs", "Train-a0/algo-1", {"pipeline": "churn", "execution": "a0", "step": "Train"}),
        ("/aws/sagemaker/Endpoints/churn", "AllTraffic/i-1", {"endpoint": "churn", "variant": "AllTraffic"}),
    )
    return [
        line_document(LogLine(END, group, stream, str(number), number, text, ids), ORIGIN)
        for group, stream, ids in whose
        for number, text in enumerate(told)
    ]


def rows() -> list[Document]:
    """Requests that an endpoint captured, in Munich and in Berlin."""
    sent = (
        {"place": "48.137,11.575", "age": 31, "plan": "free"},
        {"place": [13.4, 52.52], "age": "64", "plan": "paid"},
    )
    return [
        captured_document(CapturedRow(END, "churn", "AllTraffic", f"{number}", row, values), CAPTURED["churn"], ORIGIN)
        for number in range(3)
        for row, values in enumerate(sent)
    ]


def _all() -> Iterator[Event]:
    for day in range(3):
        at = END - timedelta(days=day, hours=2)
        yield from _execution("churn", f"a{day}", at, failed=day == 1, cached=day == 2)
        yield from _execution("offers", f"b{day}", at - timedelta(hours=5))
        for happened in ("alarm.configured", "alarm.changed"):
            detail = {"what": "updated", "type": "MetricAlarm"}
            if happened == "alarm.changed":
                detail = {"type": "MetricAlarm", "from": "OK", "to": "ALARM", "reason": "too many", "before": "few"}
            yield Event(happened, at, "churn-errors", {"alarm": "churn-errors"}, detail)
        watched = {"monitor": "churn", "endpoint": "churn", "job": f"churn-{day}"}
        for number in range(day + 1):
            told = {
                "kind": "data_quality",
                "feature": f"f{number}",
                "check": "data_type_check",
                "since": "a",
                "until": "b",
            }
            yield Event("monitor.violated", at, "churn", watched, told)
        yield Event("monitor.ended", at, "churn", watched, {"violations": day + 1, "kinds": {"data_quality": day + 1}})
        rule = {"rule": "Overfit", "finding": "it fits too well"}
        yield Event("training.rule-found", at, "arn:job", {"job": "Train-1", "execution": f"a{day}"}, rule)
        shift = {"shift": f"s{day}", "endpoint": "churn", "model-package": "churn/3", "notice": f"n{day}"}
        for number, kind in enumerate(("started", "stage", "verdict", "taken-back" if day == 1 else "ended")):
            told = {"said": f"{kind} of it", "by": "ada", "phase": "shifting"}
            yield Event(f"shift.{kind}", at + timedelta(minutes=number), "churn", shift, told)
        promoted = {"promotion": f"p{day}", "endpoint": "churn", "model-package": "churn/3"}
        yield Event("promotion.started", at, "churn", promoted)
        yield Event("promotion.acted", at, "churn", promoted, {"action": "UpdateEndpoint"})
        yield Event("promotion.refused", at, "churn", promoted, {"by": "ada", "what": ["age", "freeze"]})
        over = {"by": "ada", "what": ["freeze"], "reason": "the old one answers nobody"}
        yield Event("promotion.overridden", at, "churn", promoted, over)
        if day == 1:
            yield Event("promotion.failed", at, "churn", promoted, {"failure": "it was refused"})
        else:
            yield Event("promotion.ended", at, "churn", promoted, {"config": "churn-1", "action": "update"})
        served = {"endpoint": "churn", "variant": "AllTraffic"}
        yield Event("endpoint.in-service", at, "arn:endpoint", served, {"config": "c", "weights": {"AllTraffic": 1.0}})
        yield Event("endpoint.failed", at, "arn:endpoint", served, {"failure": "no room"})
        sent = {"schedule": "daily", "window": "w", "function": "f"}
        yield Event("delivery.made", at, "daily", sent, {"to": "arn:function", "attempts": 1})
        yield Event("delivery.failed", at, "daily", sent, {"to": "arn:function", "attempts": 9, "reason": "gone"})
        yield Event("stream.lost", at, "arn:stream", {"stream": "clicks"}, {"reason": "full", "records": 7})
        yield Event("feedback.goes-on", at, "drift", {"feedback": "drift", "cause": f"{day}"}, {"stage": "start"})
        yield Event("schedule.passed-over", at, "daily", {"schedule": "daily"}, {"window": "w"})
        yield Event("pipeline.updated", at, "arn:pipeline", {"pipeline": "churn"}, {"version": 2, "by": "ada"})
        approved = {"status": "Approved", "before": "PendingManualApproval", "reason": "good", "by": "ada"}
        yield Event("model-package.registered", at, "arn:p", _PACKAGE, {"status": "PendingManualApproval"})
        yield Event("model-package.approved", at, "arn:p", _PACKAGE, approved)


def _execution(
    pipeline: str, name: str, at: datetime, *, failed: bool = False, cached: bool = False
) -> Iterator[Event]:
    arn = _ARN.format(pipeline, name)
    yield execution_event(arn, "Executing", at, by="ada")
    for number, step in enumerate(("Prepare", "Train", "Evaluate")):
        began = at + timedelta(minutes=10 * number)
        kind = "TrainingJob" if step == "Train" else "ProcessingJob"
        metadata = {kind: {"Arn": f"arn:aws:sagemaker:eu-west-1:123456789012:job/{step}-{name}"}}
        yield step_event(arn, step, "Executing", began, metadata=metadata)
        ended = began + timedelta(minutes=9)
        if failed and step == "Evaluate":
            yield step_event(arn, step, "Failed", ended, metadata=metadata, failure="no data", seconds=540.0)
        elif cached and step == "Prepare":
            yield step_event(arn, step, "Succeeded", began, cached=_ARN.format(pipeline, "z"), seconds=0.1)
        else:
            yield step_event(arn, step, "Succeeded", ended, metadata=metadata, seconds=540.0 + number)
    why = "a step failed" if failed else None
    yield execution_event(arn, "Failed" if failed else "Succeeded", at + timedelta(minutes=30), why)
