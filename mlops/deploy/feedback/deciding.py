"""Whether a signal is acted on, and what has to be done then. No account, no clock: its tests are tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import said, seconds_of
from mlops.ir.events import Event
from mlops.ir.feedback import Loop

if TYPE_CHECKING:
    from mlops.project.feedback import Feedback  # it needs pydantic

ALARM_CHANGED, MONITORED = "alarm.changed", "monitor.ended"
NOTIFY, ASK_ROLLBACK, ROLLBACK, ASK_START, START, TRAIN, ASK_PROMOTION, PROMOTE = (
    "notify",
    "ask-rollback",
    "rollback",
    "ask-start",
    "start",
    "train",
    "ask-promote",
    "promote",
)
STAGES = (NOTIFY, ASK_ROLLBACK, ROLLBACK, ASK_START, START, TRAIN, ASK_PROMOTION, PROMOTE)
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Signal:
    """``why`` is a clause: what was seen."""

    cause: int
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """``stages`` in their order; without any nothing is done, and ``why`` says why not."""

    stages: tuple[str, ...]
    why: str


def signal_of(event: Event) -> Signal | None:
    """None for an event that is good news."""
    if event.sequence is None:
        return None
    detail = event.detail
    if event.kind == ALARM_CHANGED:
        if detail.get("to") != "ALARM":
            return None
        return Signal(event.sequence, event.time, f"the alarm {event.about} is in state ALARM: {detail.get('reason')}")
    if event.kind == MONITORED and (count := detail.get("violations")):
        told = f"{count} violation{'s' if count != 1 else ''} from {detail.get('since')} to {detail.get('until')}"
        return Signal(event.sequence, event.time, f"the monitor {event.about} found {told}")
    return None


def stages_of(feedback: Feedback, *, protected: bool) -> tuple[str, ...]:
    """``protected``: the environment wants an approval for whatever changes it."""
    asks = {*feedback.approval, *(("rollback", "start", "promote") if protected else ())}
    wanted = {
        NOTIFY: feedback.notify,
        ASK_ROLLBACK: feedback.rollback and "rollback" in asks,
        ROLLBACK: feedback.rollback,
        ASK_START: feedback.pipeline is not None and "start" in asks,
        START: feedback.pipeline is not None,
        TRAIN: feedback.pipeline is not None,
        ASK_PROMOTION: feedback.group is not None and "promote" in asks,
        PROMOTE: feedback.group is not None,
    }
    return tuple(stage for stage in STAGES if wanted[stage])


def decide(
    name: str,
    feedback: Feedback,
    signal: Signal,
    loops: Sequence[Loop],
    now: datetime,
    *,
    protected: bool = False,
) -> Decision:
    """``loops`` are all that there were, of all feedback."""
    if not feedback.enabled:
        return Decision((), "it is not enabled")
    own = [loop for loop in loops if loop.feedback == name and loop.acted]
    running = next((loop for loop in own if not loop.ended), None)
    if running is not None:
        return Decision((), f"it still acts on event {running.cause} ({running.state})")
    if feedback.pipeline is not None:
        others = (loop for loop in loops if not loop.ended and loop.told.get("pipeline") == feedback.pipeline)
        if (other := next(others, None)) is not None:
            return Decision((), f"the feedback {other.feedback} trains {feedback.pipeline} already")
    last = max((loop.created for loop in own), default=None)
    cooldown = seconds_of(feedback.cooldown)
    if last is not None and now - last < timedelta(seconds=cooldown):
        gone = (now - last).total_seconds()
        return Decision((), f"it acted {said(max(round(gone), 0))} ago, and its cooldown is {said(cooldown)}")
    recent = sum(now - loop.created < _A_DAY for loop in own)
    if feedback.per_day and recent >= feedback.per_day:
        return Decision((), f"it acted {recent} times within 24 hours, and per_day is {feedback.per_day}")
    return Decision(stages_of(feedback, protected=protected), signal.why)


def next_stage(stages: Sequence[str], done: str) -> str:
    """
    >>> next_stage(("notify", "start"), "notify"), next_stage(("notify", "start"), "start")
    ('start', 'done')
    """
    behind = stages[stages.index(done) + 1 :]
    return behind[0] if behind else "done"


def values_of(feedback: Feedback, signal: Signal, captures: str | None, labels: str | None) -> Mapping[str, str]:
    """The parameters of the retraining: the window of new data ends when the signal came. ``captures`` and ``labels``
    are S3 prefixes."""
    until = signal.at
    known = {
        "since": _second(until - timedelta(seconds=seconds_of(feedback.window))),
        "until": _second(until),
        "captures": captures or "",
        "labels": labels or "",
        "reason": signal.why,
    }

    def filled(text: str) -> str:
        for name, value in known.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    return {name: filled(value) for name, value in feedback.parameters.items()}


def wants_captures(feedback: Feedback) -> bool:
    return any("{captures}" in value for value in feedback.parameters.values())


def begun(
    name: str, feedback: Feedback, signal: Signal, decision: Decision, values: Mapping[str, Any], now: datetime
) -> Loop:
    """What is written down before anything is done."""
    kind, watched = feedback.watches
    told: dict[str, Any] = {"why": decision.why, kind: watched, "at": _second(signal.at)}
    if not decision.stages:
        return Loop(name, signal.cause, "skipped", now, now, {**told, "signal": signal.why})
    if feedback.pipeline is not None:
        told |= {"pipeline": feedback.pipeline, "parameters": dict(values)}
    for member in ("endpoint", "group"):
        if (value := getattr(feedback, member)) is not None:
            told[member] = value
    return Loop(name, signal.cause, decision.stages[0], now, now, {**told, "stages": list(decision.stages)})


def _second(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
