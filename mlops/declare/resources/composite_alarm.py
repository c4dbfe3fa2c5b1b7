"""A composite alarm of CloudWatch: how other alarms stand together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops.declare.references import lower
from mlops.declare.resources.alarming import Alarming
from mlops.declare.steps.shared_arguments import Count, Flag, Text
from mlops.ir import StepType
from mlops.ir.fields import COUNT, FLAG, REQUIRED, STRING, TEXT, TEXTS, Constructor, Field, Yielded
from mlops.knowledge.cloudwatch import faults

if TYPE_CHECKING:
    pass

__all__ = ["CompositeAlarm"]

STEP_TYPE = StepType(
    type="CompositeAlarm",
    service="cloudwatch",
    request="PutCompositeAlarmInput",
    response="CompositeAlarm",
    permissions=(),
)


class CompositeAlarm(Alarming):
    """Goes off where ``rule`` holds: ``'ALARM("errors") AND NOT ALARM(deploying)'``. ``name`` is its name in the
    account.

    While the alarm ``suppressor`` is in alarm no action is done; ``wait`` seconds are waited for it to go off first,
    and ``extension`` seconds behind it.
    """

    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("actions_enabled", "ActionsEnabled", FLAG),
            Field("on_alarm", "AlarmActions", TEXTS, ()),
            Field("description", "AlarmDescription", TEXT, to=lambda alarm, *_: lower(alarm.about)),
            Field("rule", "AlarmRule", TEXT, REQUIRED),
            Field("on_insufficient_data", "InsufficientDataActions", TEXTS, ()),
            Field("on_ok", "OKActions", TEXTS, ()),
            Field("suppressor", "ActionsSuppressor", TEXT),
            Field("wait", "ActionsSuppressorWaitPeriod", COUNT),
            Field("extension", "ActionsSuppressorExtensionPeriod", COUNT),
        ),
        yields={"AlarmName": Yielded("alarm_name", STRING), "AlarmArn": Yielded("alarm_arn", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        rule: Text,
        suppressor: Text | None = None,
        wait: Count | None = None,
        extension: Count | None = None,
        description: Text | None = None,
        on_alarm: Sequence[Text] = (),
        on_ok: Sequence[Text] = (),
        on_insufficient_data: Sequence[Text] = (),
        actions_enabled: Flag | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.rule, self.suppressor, self.wait, self.extension = rule, suppressor, wait, extension
        self.tells(description, on_alarm, on_ok, on_insufficient_data, actions_enabled)

    def refusals(self, request: Mapping[str, Any]) -> Iterator[str]:
        return faults.of_composite(request)
