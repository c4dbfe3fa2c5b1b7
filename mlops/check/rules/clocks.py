"""Times and time zones by which declared batches run, notebook instances restart and endpoints are scaled."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.choices import near


@rule("X843", "no-such-time", Severity.ERROR, source="EventBridge Scheduler and Application Auto Scaling API")
def no_such_time(subject: Subject) -> Iterator[Fault]:
    """A batch or a restart of a notebook instance is to run at a time that the service refuses or that never comes; or
    one of them or what scales an endpoint goes by a time zone that there is not.

    Bad:  Batch("nightly", when="cron(0 3 31 2 ? *)", …)
    Good: Batch("nightly", when="cron(0 3 L * ? *)", …)
    """
    for placed, batch in (item for kind in ("Batch", "NotebookRestart") for item in subject.of_type(kind)):
        from mlops.knowledge.eventbridge.schedule_expressions import Malformed, judge  # few definitions have batches

        at, when = f"{placed.pointer}/Arguments", batch.get("ScheduleExpression")
        try:
            judge(when) if isinstance(when, str) else None
        except Malformed as wrong:
            message = f"{shown(when)} is no time: {wrong}"
            yield Fault(f"{at}/ScheduleExpression", message, 'e.g. "cron(0 3 * * ? *)"', placed)
        yield from _zone(f"{at}/ScheduleExpressionTimezone", batch.get("ScheduleExpressionTimezone"), placed)
    for placed, endpoint in subject.of_type("Endpoint"):
        for where, scaling in entries(endpoint, "Scaling"):
            for place, action in entries(scaling, "Scheduled"):
                at = f"{placed.pointer}/Arguments{where}{place}/Timezone"
                yield from _zone(at, action.get("Timezone"), placed)


def _zone(at: str, zone: Value, placed: Placed) -> Iterator[Fault]:
    if not isinstance(zone, str):
        return
    import zoneinfo

    # A machine without the data base of time zones knows none.
    known = zoneinfo.available_timezones()
    if known and zone not in known:
        guess = near(zone, known)
        help_text = f"did you mean {guess!r}?" if guess else 'e.g. "Europe/Berlin"'
        yield Fault(at, f"there is no time zone {shown(zone)}", help_text, placed)
