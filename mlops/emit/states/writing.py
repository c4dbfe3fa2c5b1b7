"""The states that a machine's writer has in common with others: a call, a choice, an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops.emit.states.jsonata import braces, merged, obj
from mlops.emit.states.retrying import retries

PAUSE_SECONDS = 30
"""Between two looks at what does not wait by itself: an execution's history has room for 25,000 events."""
UNDER_WAY = "['Creating', 'Updating', 'SystemUpdating', 'RollingBack']"
"""Of an endpoint, in JSONata."""
TROUBLE = "Trouble"
"""What went wrong on the way back."""
_WHATEVER: Mapping[str, Any] = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 5,
    "MaxAttempts": 5,
    "BackoffRate": 2,
    "MaxDelaySeconds": 60,
}


class Writer:
    """``_states`` by name; which of them are reached, :func:`~mlops.emit.states.scopes.in_order` sees."""

    def __init__(self, partition: str) -> None:
        self._partition = partition
        self._sdk = f"arn:{partition}:states:::aws-sdk"
        self._states: dict[str, Any] = {}

    def _call(
        self,
        label: str,
        action: str,
        arguments: Any,
        output: str,
        then: str,
        *,
        otherwise: tuple[str, str] | None = None,
        back: str | None = None,
        undone: str | None = None,
        resource: str | None = None,
    ) -> None:
        """``otherwise`` is where a refusal leads and with which data, and nothing is tried again; what goes wrong leads
        ``back`` with its reason. ``undone`` is that of a call on the way back, which is tried again whatever is
        wrong; the reason why it goes back is kept. ``resource`` is of an integration that is not the SDK's."""
        state: dict[str, Any] = {
            "Type": "Task",
            "Resource": resource or f"{self._sdk}:{action}",
            "Arguments": arguments,
            "Retry": retries(None),
            "Output": braces(output),
        }
        if otherwise is not None:
            to, kept = otherwise
            state["Retry"] = []
            state["Catch"] = [{"ErrorEquals": ["States.ALL"], "Output": braces(kept), "Next": to}]
        elif undone is not None:
            state["Retry"] = [*state["Retry"], _WHATEVER]
            state["Catch"] = [caught(undone, TROUBLE)]
        elif back is not None:
            state["Catch"] = [caught(back)]
        if not state["Retry"]:
            del state["Retry"]
        self._states[label] = {**state, "Next": then}

    def _choice(self, label: str, rules: Sequence[tuple[str, str]], otherwise: str) -> None:
        choices = [{"Condition": braces(condition), "Next": to} for condition, to in rules]
        self._states[label] = {"Type": "Choice", "Choices": choices, "Default": otherwise}

    def _wait(self, label: str, seconds: int, then: str) -> None:
        self._states[label] = {"Type": "Wait", "Seconds": seconds, "Next": then}

    def _end(self, label: str, error: str, cause: str) -> None:
        self._states[label] = {"Type": "Fail", "Error": error, "Cause": braces(cause)}

    def _with(self, members: Mapping[str, str]) -> str:
        return merged(obj(members))


def caught(back: str, named: str = "Reason") -> Mapping[str, Any]:
    """What goes wrong leads there, under that name."""
    reason = "$states.errorOutput.Error & ': ' & $substring($states.errorOutput.Cause, 0, 1024)"
    return {"ErrorEquals": ["States.ALL"], "Output": braces(merged(obj({named: reason}))), "Next": back}
